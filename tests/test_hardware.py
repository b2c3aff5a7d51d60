"""What the machine can do."""

import platform
import subprocess
import sys

import pytest

from darija_gpt.hardware import resolve_precision


COUNT_FAULTS = """
import resource, sys
import torch
from accelerate import PartialState
from darija_gpt.hardware import keep_freed_memory

if sys.argv[1] == "keep":
    keep_freed_memory(PartialState(cpu=True))
for step in range(5):
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [torch.ones(2**24) for _ in range(3)]  # 64 MiB each
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_memory_that_was_freed_costs_no_page_faults_again():
    counts = {
        choice: int(
            subprocess.run([sys.executable, "-c", COUNT_FAULTS, choice], capture_output=True, check=True).stdout
        )
        for choice in ("keep", "give back")
    }
    assert counts["keep"] < 100 and counts["give back"] > 1000


@pytest.mark.parametrize(
    ("amx", "avx512_bf16", "precision"), [(True, True, "bf16"), (False, True, "bf16"), (False, False, "no")]
)
def test_auto_is_bf16_on_processors_that_multiply_it(amx, avx512_bf16, precision, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: avx512_bf16)
    assert resolve_precision("auto") == precision
    assert resolve_precision("fp16") == "fp16"
