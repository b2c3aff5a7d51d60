"""What the machine can do: precision, threads, memory, and how a measurement names it."""

import ctypes
import os
import platform
import warnings
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from accelerate import PartialState


def resolve_precision(mixed_precision: str) -> str:
    """`auto` as `bf16` on GPUs that have it and CPUs with AMX or AVX512_BF16, `fp16` on other GPUs, and else `no`."""
    import torch

    if mixed_precision != "auto":
        return mixed_precision
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    multiplies_bf16 = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16" if multiplies_bf16 else "no"


def count_cores() -> int:
    """Cores that this process may use: fewer than there are, where it was given some, by taskset or a container."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_all_cores(state: "PartialState") -> None:
    """Lets a lone process on the CPU use every core: `accelerate launch` leaves it one unless told otherwise."""
    import torch

    if state.device.type == "cpu" and state.num_processes == 1 and torch.get_num_threads() == 1:
        torch.set_num_threads(count_cores())


def accept_mixed_norms() -> None:
    """Lets norms have float32 weights and bf16 inputs, as autocast makes them, without PyTorch's warning of it."""
    warnings.filterwarnings("ignore", message="Mismatch dtype between input and weight")


# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


def keep_freed_memory(state: "PartialState") -> None:
    """Lets a process on the CPU keep what it frees, for the next step: a step asks for the same hundreds of MiB again.

    glibc gives large blocks back to the system, which clears every page of them anew when they are asked for again:
    with 6.8 million parameters on 2,048 tokens, 86,000 page faults and a fifth of a step's time. Other C libraries are
    left as they are.
    """
    if state.device.type == "cpu" and platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)


def describe_machine(state: "PartialState", mixed_precision: str) -> dict[str, Any]:
    """What a measurement of speed depends on."""
    import torch

    return {
        "device": torch.cuda.get_device_name() if state.device.type == "cuda" else state.device.type,
        "num_processes": state.num_processes,
        "num_threads": torch.get_num_threads(),
        "mixed_precision": mixed_precision,
    }
