"""What the machine can do: precision, threads, memory, and how a measurement names it."""

import ctypes
import os
import platform
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from accelerate import PartialState


def resolve_precision(mixed_precision: str) -> str:
    """`auto` as `bf16` on GPUs that have it and CPUs with AMX or AVX512_BF16, `fp16` on other GPUs, and else `no`.

    Raises:
        ValueError: If it is `fp16` and there is no GPU: nothing would be computed in it, and nobody would say so.
    """
    import torch

    if mixed_precision == "fp16":
        check_fp16("mixed_precision=fp16", "set auto, bf16 or no")
    if mixed_precision != "auto":
        return mixed_precision
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    multiplies_bf16 = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16" if multiplies_bf16 else "no"


def resolve_t5_precision(mixed_precision: str) -> str:
    """The same without fp16, in which T5's activations overflow: `no` in its place."""
    precision = resolve_precision(mixed_precision)
    return "no" if precision == "fp16" else precision


def check_fp16(wish: str, remedy: str) -> None:
    """Refuses fp16 on a CPU, in the words of the field that asks for it.

    Raises:
        ValueError: If no GPU is used.
    """
    import torch
    from accelerate.utils import parse_flag_from_env

    if parse_flag_from_env("ACCELERATE_USE_CPU") or not torch.accelerator.is_available():
        raise ValueError(f"{wish} needs a GPU; {remedy}.")


def describe_platform() -> str:
    """System and processor architecture, such as Linux x86_64: no release, which would tell of one machine."""
    return f"{platform.system()} {platform.machine()}"


def read_peak_bytes() -> int:
    """The most memory that this process has held."""
    import resource

    status = Path("/proc/self/status")
    if status.exists():  # Linux hands ru_maxrss down from the process that started this one.
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def count_cores() -> int:
    """Cores that this process may use: fewer than there are, where it was given some, by taskset or a container."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Of `accelerate launch`, and of torchrun. Both set OMP_NUM_THREADS, too.
_LAUNCHER_VARIABLES = ("ACCELERATE_MIXED_PRECISION", "TORCHELASTIC_RUN_ID")


def use_all_cores(state: "PartialState") -> None:
    """Lets a lone process on the CPU use every core: `accelerate launch` leaves it one unless told otherwise.

    Where no launcher is at work, one thread that OMP_NUM_THREADS asks for is what the user wants.
    """
    import torch

    is_launched = any(variable in os.environ for variable in _LAUNCHER_VARIABLES)
    if "OMP_NUM_THREADS" in os.environ and not is_launched:
        return
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
