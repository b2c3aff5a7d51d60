"""The operations that a run's files rest on. All of them pass here, so that a test can cut a run off at each one.

Callers write `durable.rename(...)`, never an imported name: a test replaces the functions of this module.
"""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def make_directory(path: Path) -> None:
    """Makes a directory that only its owner can enter: what a run writes comes from private chats."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_by(write: Callable[[], object]) -> None:
    """Lets a library write files of its own."""
    write()


def write_in_place(path: Path, data: bytes, offset: int = 0) -> None:
    """Writes from an offset on, over what stood there."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb", buffering=0) as file:
        file.seek(offset)
        while data:
            data = data[file.write(data) :]


def truncate(path: Path, size: int) -> None:
    """Cuts a file off."""
    os.truncate(path, size)


def sync(path: Path) -> None:
    """Waits until a file, or the names in a directory, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def rename(source: Path, target: Path) -> None:
    """Gives a file or a directory another name, at once."""
    os.replace(source, target)


def remove(path: Path) -> None:
    """Removes a file, or a directory with all that is in it."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def replace_bytes(path: Path, data: bytes) -> None:
    """Writes a file that is on the disk as it was before, or as it is after."""
    partial = path.with_name(f".{path.name}")
    remove(partial)
    write_in_place(partial, data)
    sync(partial)
    rename(partial, path)
    sync(path.parent)


def replace_text(path: Path, text: str) -> None:
    """The same for a text."""
    replace_bytes(path, text.encode())


def is_disk_full(error: Exception) -> bool:
    """Whether a write failed for want of space, as the system says it, safetensors or torch."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    # torch's own writer names no reason; it writes to nothing but files.
    return any(
        words in str(error) for words in ("os error 28", "os error 122", "PytorchStreamWriter", "unexpected pos")
    )
