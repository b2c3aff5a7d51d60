"""What is seen of a run: training_log.jsonl for programs and a progress bar for people."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from darija_gpt import durable


if TYPE_CHECKING:
    from darija_gpt.training_run import TrainingRun

LOG_FILE = "training_log.jsonl"


class TrainingLog:
    """training_log.jsonl of a run: a line for each step up to the one that the run is at, and none beyond.

    A disk that is full costs no line: what could not be written waits for the next one.

    Args:
        output_dir (`Path`):
            The directory of the run.
        step (`int`):
            Where the run stands. Lines of later steps are cut off: they are of a run that went on and was stopped.
    """

    def __init__(self, output_dir: Path, step: int):
        self.path = output_dir / LOG_FILE
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
        self._pending += json.dumps(record).encode() + b"\n"
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
            durable.write_bytes(self.path, self._pending, self._size)
            self._size, self._pending = self._size + len(self._pending), b""


class ProgressBar:
    """The steps of a run on the terminal, with the last losses and the speed."""

    def __init__(self, run: "TrainingRun"):
        self.progress, self.tokens_per_step = run.progress, run.tokens_per_step
        self.first_step, self.first_seconds = self.progress["step"], self.progress["train_seconds"]
        self.shown: dict[str, str] = {}
        self.bar = tqdm(
            total=run.num_steps,
            initial=self.first_step,
            unit="step",
            disable=not run.accelerator.is_main_process,
            mininterval=1.0,
        )

    def show_step(self, loss: float) -> None:
        """Moves the bar."""
        seconds = self.progress["train_seconds"] - self.first_seconds
        speed = (self.progress["step"] - self.first_step) * self.tokens_per_step / seconds
        self.shown |= {"loss": f"{loss:.3f}", "tokens/s": f"{speed:,.0f}"}
        self.bar.set_postfix(self.shown, refresh=False)
        self.bar.update()

    def show_validation(self, loss: float) -> None:
        """Goes on showing a validation loss."""
        self.shown["validation"] = f"{loss:.3f}"

    def close(self) -> None:
        """Leaves the bar on the screen as it is."""
        self.bar.close()


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
