"""Fingerprints: whether a file, or what a run was made from, is what it was."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def hash_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(paths: Iterable[Path]) -> str:
    """One SHA-256 of several files, in order."""
    return hash_record([hash_file(path) for path in paths])


def hash_split(dataset: Path, split: str) -> str:
    """The SHA-256 of a split of a prepared dataset, by which training and audit know it again."""
    return hash_files(sorted((dataset / split).glob("*.arrow")))


def hash_record(record: Any) -> str:
    """The SHA-256 of a value that JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
