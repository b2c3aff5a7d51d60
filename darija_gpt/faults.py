"""Faults: why a run ends before its last step, in a line for people and an exit code for programs."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class FaultError(Exception):
    """A reason to end a run. Its checkpoints stay as they are."""

    exit_code = 1


class NoValidCheckpointError(FaultError):
    """All checkpoints of a run are damaged: to start anew is for its owner to decide."""

    exit_code = 3


class NonFiniteError(FaultError):
    """Loss or gradient are no numbers any more."""

    exit_code = 4


class OutOfMemoryError(FaultError):
    """The GPU's memory is too small for the smallest micro-batch."""

    exit_code = 5


class LostProcessError(FaultError):
    """Another process of the run is gone: one that trains, or one that reads data for it."""


class StoppedError(FaultError):
    """Somebody asked the run to stop."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


# A process that reads data and was killed. "in DataLoader worker process" stands in what such a one says itself.
_LOST_WORKER = "DataLoader worker (pid"
# How an exchange between processes fails: by gloo, by NCCL, by the sockets below them.
_LOST_SIGNS = ("gloo", "NCCL", "onnection closed", "onnection reset", "Broken pipe")


def describe_lost_worker(reason: str) -> str:
    """What to say, and to advise, when a process that reads data is gone."""
    return (
        f"a process that reads data is gone ({reason.splitlines()[0]}), maybe for want of memory; set "
        "dataloader_num_workers=0, or give the same command again, which goes on from the last checkpoint."
    )


@contextmanager
def watch_processes(num_processes: int) -> Iterator[None]:
    """Says of a failed exchange between processes, and of a lost one that reads data, what it means.

    Raises:
        LostProcessError: In place of the backend's error, or of PyTorch's.
    """
    try:
        yield
    except RuntimeError as error:
        if _LOST_WORKER in str(error):
            raise LostProcessError(describe_lost_worker(str(error))) from error
        if num_processes == 1 or not any(sign in str(error) for sign in _LOST_SIGNS):
            raise
        raise LostProcessError(
            f"another process of the run is gone ({str(error).splitlines()[0]}); the same command goes on from the "
            "last checkpoint."
        ) from error


@contextmanager
def exit_by_fault() -> Iterator[None]:
    """Ends the program where a run has to end: with a line for people, of the first process, and the fault's code.

    Raises:
        SystemExit: In place of a `FaultError`.
    """
    try:
        yield
    except FaultError as fault:
        if int(os.environ.get("RANK", 0)) == 0 or isinstance(fault, LostProcessError):
            print(f"error: {fault}", file=sys.stderr)
        raise SystemExit(fault.exit_code) from None
