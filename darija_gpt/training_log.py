"""Logs of a run: files of JSON lines, one or several for a step, that hold no step which the run forgot."""

import json
import math
from pathlib import Path
from typing import Any

from darija_gpt import durable


LOG_FILE = "training_log.jsonl"
SAMPLES_FILE = "samples.jsonl"


class TrainingLog:
    """A file of JSON lines, each with its `step`, up to the step that the run is at, and none beyond.

    A disk that is full costs no line: what could not be written waits for the next one.

    Args:
        path (`Path`):
            The file.
        step (`int`):
            Where the run stands. Lines of later steps are cut off: they are of a run that went on and was stopped.
    """

    def __init__(self, path: Path, step: int):
        self.path = path
        self._pending = b""
        self._size = _measure_until(self.path, step)
        if self.path.exists() and self.path.stat().st_size > self._size:
            durable.truncate(self.path, self._size)

    def append(self, record: dict[str, Any]) -> None:
        """Logs a record; what is no number in it becomes null, for JSON has no NaN."""
        record = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in record.items()
        }
        self._pending += json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        try:
            self._write()
        except OSError as error:
            if not durable.is_disk_full(error):
                raise

    def sync(self) -> None:
        """Waits until every line is on the disk.

        Raises:
            OSError: If the disk is full.
        """
        self._write()
        if self.path.exists():
            durable.sync(self.path)
            durable.sync(self.path.parent)

    def _write(self) -> None:
        if self._pending:
            durable.write_in_place(self.path, self._pending, self._size)
            self._size, self._pending = self._size + len(self._pending), b""


def read_log(path: Path) -> list[dict[str, Any]]:
    """The records of a log, without a last line that was cut off."""
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def _measure_until(path: Path, step: int) -> int:
    """Bytes of the whole lines up to a step."""
    if not path.exists():
        return 0
    size = 0
    with path.open("rb") as file:
        for line in file:
            try:
                is_behind = not line.endswith(b"\n") or json.loads(line)["step"] > step
            except (ValueError, KeyError, TypeError):
                return size
            if is_behind:
                return size
            size += len(line)
    return size
