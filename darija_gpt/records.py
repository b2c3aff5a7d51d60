"""What a stage noted in a JSON file, for another stage that tells of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


SUMMARY_FILE = "training_summary.json"  # what a training reports, with those of its bases in `base`


def write_training_summary(directory: Path, summary: Mapping[str, Any], base: Path) -> None:
    """Writes what a training reports, with what stands beside the model that it began with."""
    of_base = base / SUMMARY_FILE
    if of_base.is_file():
        summary = {**summary, "base": json.loads(of_base.read_text(encoding="utf-8"))}
    (directory / SUMMARY_FILE).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def read_record(path: Path, stage: str) -> dict[str, Any]:
    """The mapping of a JSON file; an empty one where there is no file.

    Args:
        path (`Path`):
            The file.
        stage (`str`):
            What writes it.

    Raises:
        ValueError: If it holds anything else, or a number that is not finite.
    """
    return parse_record(path, path.read_bytes(), stage) if path.is_file() else {}


def parse_record(path: Path, text: bytes, stage: str) -> dict[str, Any]:
    """The same of the text of such a file, or of one of its lines."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{path} holds {constant} where a number was expected; train and evaluate the model again.")

    try:
        content = json.loads(text, parse_constant=refuse)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        content = None
    return require_record(content, path, stage)


def require_record(content: Any, path: Path, stage: str) -> dict[str, Any]:
    """A part of such a file that is a mapping; the arguments are those of `read_record`.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not what {stage} writes; run {stage} again.")
    return content
