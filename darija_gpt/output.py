"""A stage's output directory: whole or not there at all."""

import os
import re
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


# What clears a screen, turns the direction of a line, or cannot be encoded.
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def make_printable(text: str) -> str:
    """A text that a terminal only shows: a file may be named by whoever sent it, with `\\x1b[2J` in its name."""
    return UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


@contextmanager
def keep_private() -> Iterator[None]:
    """Lets whatever the block writes belong to its owner alone: files 0600, directories 0700."""
    previous = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(previous)


@contextmanager
def write_directory(output_dir: str | Path) -> Iterator[Path]:
    """Gives a hidden directory to write to, which takes its name when the block ends well and vanishes otherwise.

    Args:
        output_dir (`str` or `Path`):
            The directory to be written. Only the owner can read it: what a stage writes comes from private chats.

    Raises:
        ValueError: If `output_dir` already holds something.
    """
    output_dir = require_new(output_dir)
    output_dir.parent.mkdir(parents=True, exist_ok=True)
    with keep_private():
        partial_dir = Path(tempfile.mkdtemp(prefix=f".{output_dir.name}.", dir=output_dir.parent))
        try:
            yield partial_dir
            if output_dir.exists():
                output_dir.rmdir()
            partial_dir.rename(output_dir)
        finally:
            shutil.rmtree(partial_dir, ignore_errors=True)


def find_leftovers(output_dir: Path) -> list[Path]:
    """The hidden directories of `write_directory` that a killed process left beside an output directory."""
    pattern = re.compile(rf"\.{re.escape(output_dir.name)}\.[a-z0-9_]{{8}}")
    siblings = output_dir.parent.iterdir() if output_dir.parent.is_dir() else ()
    return sorted(path for path in siblings if path.is_dir() and pattern.fullmatch(path.name))


def mark_section(name: str) -> tuple[str, str]:
    """The two comments between which a program keeps its part of a Markdown file."""
    return f"<!-- {name}:begin -->", f"<!-- {name}:end -->"


def replace_section(path: Path, name: str, section: str) -> str:
    """The text of a Markdown file with another section between the two comments of its name.

    Raises:
        ValueError: If the file or the comments are not there, once each and in order.
    """
    first, last = mark_section(name)
    if not path.is_file():
        raise ValueError(f"{path} is no file; name one that has a line {first} and, below it, a line {last}.")
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end or first in rest or last in before + after:
        raise ValueError(f"{path} needs one line {first} and, below it, one line {last}; add them.")
    return f"{before}{begin}\n\n{section.strip()}\n\n{end}{after}"


def require_section(readme: Path | None, name: str) -> None:
    """Refuses a README that could not hold results, before anything is measured or trained.

    Raises:
        ValueError: If the file or the two comments of the section are not there.
    """
    if readme is not None:
        replace_section(readme, name, "")


def write_text(path: Path, text: str) -> None:
    """Writes a text in UTF-8; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file that others see whole: as it was before, or as it is after."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    partial = Path(name)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        if path.exists():
            shutil.copymode(path, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
