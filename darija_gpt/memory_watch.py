"""Memory that runs out, of a GPU or of the machine: told in words, and not by PyTorch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from darija_gpt.faults import OutOfMemoryError


# How PyTorch says that a tensor has no room on the CPU, or in no machine; it has no class for either.
_CPU_SIGNS = ("DefaultCPUAllocator", "Storage size calculation overflowed", "multiplication overflow")


@contextmanager
def watch_memory(describe: Callable[[str], str]) -> Iterator[None]:
    """Ends a run in words where memory is too small.

    Args:
        describe (`Callable`):
            The words, for the reason that PyTorch gives.

    Raises:
        OutOfMemoryError: In place of PyTorch's error.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        is_shortage = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not is_shortage and not any(sign in str(error) for sign in _CPU_SIGNS):
            raise
        raise OutOfMemoryError(describe(str(error) or "MemoryError")) from error


def begin_shortage(reason: str, when: str) -> str:
    """How an error of this kind begins: which memory is out of room, when, and why."""
    is_of_cpu = reason == "MemoryError" or any(sign in reason for sign in _CPU_SIGNS)
    return f"out of {'memory' if is_of_cpu else 'GPU memory'} {when} ({reason.splitlines()[0]})"


def describe_lack(reason: str) -> str:
    """What to say, and to advise, when memory is too small for a run that has not begun."""
    return (
        f"{begin_shortage(reason, 'before the first step')}; see that no other program holds it, take a smaller "
        "model, or share this one among several GPUs with recipes/accelerate/fsdp2.yaml."
    )
