"""What the machine can do."""

import platform
import subprocess
import sys

import pytest
from accelerate import PartialState

from darija_gpt.hardware import resolve_precision, use_all_cores


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
    monkeypatch.setattr("torch.accelerator.is_available", lambda: False)
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: avx512_bf16)
    assert resolve_precision("auto") == precision
    with pytest.raises(ValueError, match="mixed_precision=fp16 needs a GPU; set auto, bf16 or no"):
        resolve_precision("fp16")


def test_fp16_is_for_gpus_that_are_used(monkeypatch):
    monkeypatch.setattr("torch.accelerator.is_available", lambda: True)
    assert resolve_precision("fp16") == "fp16"
    monkeypatch.setenv("ACCELERATE_USE_CPU", "true")
    with pytest.raises(ValueError, match="mixed_precision=fp16 needs a GPU"):
        resolve_precision("fp16")


@pytest.mark.parametrize(
    ("variables", "num_threads"),
    [
        ({}, 7),
        ({"OMP_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "1", "ACCELERATE_MIXED_PRECISION": "no"}, 7),
        ({"OMP_NUM_THREADS": "1", "TORCHELASTIC_RUN_ID": "none"}, 7),
    ],
)
def test_one_thread_is_kept_where_the_user_asks_for_it_and_not_where_a_launcher_does(
    variables, num_threads, monkeypatch
):
    for variable in ("OMP_NUM_THREADS", "ACCELERATE_MIXED_PRECISION", "TORCHELASTIC_RUN_ID"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    chosen = [1]
    monkeypatch.setattr("torch.get_num_threads", lambda: chosen[-1])
    monkeypatch.setattr("torch.set_num_threads", chosen.append)
    monkeypatch.setattr("darija_gpt.hardware.count_cores", lambda: 7)
    use_all_cores(PartialState(cpu=True))
    assert chosen[-1] == num_threads
