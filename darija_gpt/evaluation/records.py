"""What other stages noted in JSON files, for the evaluations that tell of it."""

import json
from pathlib import Path
from typing import Any


def read_record(path: Path, stage: str) -> dict[str, Any]:
    """The mapping of a JSON file; an empty one where there is no file.

    Args:
        path (`Path`):
            The file.
        stage (`str`):
            What writes it.

    Raises:
        ValueError: If it holds anything else.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError:  # No JSON, or no UTF-8.
        content = None
    return require_record(content, path, stage)


def require_record(content: Any, path: Path, stage: str) -> dict[str, Any]:
    """A part of such a file that is a mapping; the arguments are those of `read_record`.

    Raises:
        ValueError: If it is none.
    """
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not what {stage} writes; remove it, or run {stage} again.")
    return content
