"""Checkpoints of a run: whole or absent, so that a run killed at any moment goes on from the last one."""

import json
import logging
import shutil
from pathlib import Path

from accelerate import Accelerator


_STATE_FILE = "progress.json"


def save_checkpoint(accelerator: Accelerator, directory: Path, progress: dict, *, keep: int) -> None:
    """Writes `directory/step-N` under another name and renames it when it is complete.

    Args:
        accelerator (`Accelerator`):
            Holds the prepared model and optimizer. Every process must call.
        directory (`Path`):
            The folder of the run's checkpoints.
        progress (`dict`):
            JSON of how far the run is, with its `step`.
        keep (`int`):
            Newest checkpoints that stay.
    """
    target = directory / f"step-{progress['step']:08}"
    partial = directory / f".{target.name}"
    if accelerator.is_main_process:
        for leftover in directory.glob(".step-*"):
            shutil.rmtree(leftover)
        partial.mkdir(parents=True)
    accelerator.wait_for_everyone()
    # It warns of every tied weight at every save; loading ties them again.
    logging.getLogger("accelerate.utils.other").setLevel(logging.ERROR)
    accelerator.save_state(str(partial))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        (partial / _STATE_FILE).write_text(json.dumps(progress), encoding="utf-8")
        partial.rename(target)
        for old in list_checkpoints(directory)[:-keep]:
            shutil.rmtree(old)
    accelerator.wait_for_everyone()


def list_checkpoints(directory: Path) -> list[Path]:
    """The complete checkpoints of a folder, oldest first."""
    return sorted(directory.glob("step-*"))


def load_checkpoint(accelerator: Accelerator, checkpoint: Path) -> dict:
    """Puts a checkpoint into the prepared model, the optimizer and the random generators; gives its progress."""
    accelerator.load_state(str(checkpoint))
    return json.loads((checkpoint / _STATE_FILE).read_text(encoding="utf-8"))
