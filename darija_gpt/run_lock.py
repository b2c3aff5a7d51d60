"""One process at a time in a directory."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


LOCK_FILE = "run.lock"
_held: set[int] = set()


@contextmanager
def lock_directory(directory: Path, wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Keeps other processes out of a directory. The system unlocks it however this process ends.

    Args:
        directory (`Path`):
            The directory, in which a small file stays.
        wait (`Callable`, *optional*):
            Called again and again while another process is in it, to wait for its end, which is said once; it may
            raise.

    Raises:
        ValueError: If another process is in it, and there is nothing to `wait` with.
    """
    path = directory / LOCK_FILE
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    _held.add(handle)
    try:
        if not _take(handle):
            owner = os.pread(handle, 20, 0).decode() or "unknown"
            if wait is None:
                raise ValueError(
                    f"{directory} is in use by another run (process {owner}); wait for it or choose another "
                    "--output_dir."
                )
            print(f"waiting until process {owner} is done with {directory}", flush=True)
            while not _take(handle):
                wait()
                time.sleep(0.2)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        if handle in _held:
            _held.remove(handle)
            os.close(handle)


def is_locked(directory: Path) -> bool:
    """Whether a process is in a directory now."""
    try:
        handle = os.open(directory / LOCK_FILE, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _take(handle)
    finally:
        os.close(handle)


def leave_locks() -> None:
    """Lets go, in a process that was forked, of what only its parent shall hold: else it outlives the parent."""
    while _held:
        os.close(_held.pop())


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
