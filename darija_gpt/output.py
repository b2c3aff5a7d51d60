"""A stage's output directory: whole or not there at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def require_new(output_dir: str | Path) -> Path:
    """The path of an output directory that holds nothing yet.

    Raises:
        ValueError: If it is a file, or a directory with something in it.
    """
    output_dir = Path(output_dir)
    if output_dir.is_dir() and any(output_dir.iterdir()):
        raise ValueError(f"{output_dir} already holds another run; remove it or choose another --output_dir.")
    if output_dir.exists() and not output_dir.is_dir():
        raise ValueError(f"{output_dir} is a file; choose a directory as --output_dir.")
    return output_dir


@contextmanager
def write_directory(output_dir: str | Path) -> Iterator[Path]:
    """Gives a hidden directory to write to, which takes its name when the block ends well and vanishes otherwise.

    Args:
        output_dir (`str` or `Path`):
            The directory to be written. Only the owner can enter it: what a stage writes comes from private chats.

    Raises:
        ValueError: If `output_dir` already holds something.
    """
    output_dir = require_new(output_dir)
    output_dir.parent.mkdir(parents=True, exist_ok=True)
    partial_dir = Path(tempfile.mkdtemp(prefix=f".{output_dir.name}.", dir=output_dir.parent))
    try:
        yield partial_dir
        if output_dir.exists():
            output_dir.rmdir()
        partial_dir.rename(output_dir)
    finally:
        shutil.rmtree(partial_dir, ignore_errors=True)
