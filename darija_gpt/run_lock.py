"""One process at a time in a directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


LOCK_FILE = "run.lock"


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Keeps other processes out of a directory. The system unlocks it however this process ends.

    Raises:
        ValueError: If another process is in it.
    """
    path = directory / LOCK_FILE
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 20, 0).decode() or "unknown"
            raise ValueError(
                f"{directory} is in use by another run (process {owner}); wait for it or choose another --output_dir."
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)
