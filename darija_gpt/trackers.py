"""Trackers: tensorboard and trackio, on this machine and in the directory of the run."""

import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt import durable


if TYPE_CHECKING:
    from accelerate import Accelerator

TRACKERS = ("tensorboard", "trackio")
PROJECT = "darija_gpt"
RUN_NAME = "pretrain"
# With one of them trackio would send what it gets elsewhere.
_SENDING_VARIABLES = ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_BUCKET_ID", "TRACKIO_DATASET_ID")


def check_trackers(names: list[str], output_dir: Path) -> None:
    """Refuses trackers that could not work, or not stay here, before anything is trained.

    Raises:
        ValueError: With the remedy.
    """
    for name in names:
        if name not in TRACKERS:
            raise ValueError(f"report_to={names}: there is no {name}; choose among {', '.join(TRACKERS)}.")
        if find_spec(name) is None:
            raise ValueError(
                f"report_to={names}: {name} is not installed; run pip install -c constraints.txt -e '.[track]', or "
                f"leave {name} out."
            )
    if "trackio" not in names:
        return
    for variable in _SENDING_VARIABLES:
        if os.environ.get(variable):
            raise ValueError(
                f"{variable} is set, and what trackio is told of a run stays on this machine; unset {variable}."
            )
    folder = _locate(output_dir, "trackio")
    # It reads them once, when it is imported.
    os.environ["TRACKIO_DIR"] = str(folder)
    # In a folder of the network it would write files of its own, out of which nothing can be cut.
    os.environ["TRACKIO_STORAGE_MODE"] = "sqlite"
    from trackio import utils

    if folder != utils.TRACKIO_DIR:
        raise ValueError(f"trackio already writes to {utils.TRACKIO_DIR} in this process; use it in another process.")


def configure_trackers(names: list[str], output_dir: Path) -> dict[str, Any]:
    """What an Accelerator is to be made with."""
    from accelerate.utils import ProjectConfiguration

    if not names:
        return {}
    folder = str(_locate(output_dir, "tensorboard"))
    return {"log_with": list(names), "project_config": ProjectConfiguration(logging_dir=folder)}


class Trackers:
    """The trackers of a run, from the step on that it is at; what they were told of later steps is taken back.

    Args:
        accelerator (`Accelerator`):
            Made with `configure_trackers`.
        output_dir (`Path`):
            The directory of the run.
        step (`int`):
            Where the run stands.
        config (`dict`):
            Numbers and words of the recipe, to tell runs apart by.
    """

    def __init__(self, accelerator: "Accelerator", output_dir: Path, step: int, config: dict[str, Any]):
        self.accelerator = accelerator
        self._is_on = bool(accelerator.log_with)
        if not self._is_on:
            return
        settings = {
            # It hides what other files hold of later steps.
            "tensorboard": {"purge_step": step + 1},
            "trackio": {
                "name": RUN_NAME,
                "resume": "allow",
                "config": config,
                "embed": False,
                "auto_log_gpu": False,
                "auto_log_cpu": False,
            },
        }
        if "trackio" in map(str, accelerator.log_with):
            durable.write_by(lambda: _forget_later_steps(step))
        with _stay_offline(), redirect_stdout(io.StringIO()):
            self._try(lambda: accelerator.init_trackers(PROJECT, init_kwargs=settings))

    def log(self, values: dict[str, Any], step: int) -> None:
        """Tells them numbers, or texts, of a step."""
        if self._is_on:
            self._try(lambda: self.accelerator.log(values, step=step))

    def close(self) -> None:
        """Has them write what they hold back."""
        with redirect_stdout(io.StringIO()):
            for tracker in self.accelerator.trackers if self._is_on else ():
                self._try(_find_end(tracker))
        # Or the end of training would have them finish again.
        self.accelerator.trackers.clear()
        self._is_on = False

    def _try(self, write: Callable[[], object]) -> None:
        """A disk that is full ends the tracking, not the run."""
        try:
            durable.write_by(write)
        except OSError as error:
            if not durable.is_disk_full(error):
                raise
            print(f"warning: tracking ends, the disk is full ({error}); training_log.jsonl goes on")
            self._is_on = False


def _locate(output_dir: Path, name: str) -> Path:
    return output_dir.absolute() / name


def _find_end(tracker) -> Callable[[], None]:
    """What has a tracker finish. trackio's own function also knows then that nothing is left to do at exit."""
    if tracker.name != "trackio":
        return tracker.finish
    import trackio

    return trackio.finish


def _forget_later_steps(step: int) -> None:
    """Cuts what trackio knows of steps behind this one; it has no function for that."""
    from trackio.sqlite_storage import SQLiteStorage

    path = SQLiteStorage.get_project_db_path(PROJECT)
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM metrics WHERE step > ?", (step,))


@contextmanager
def _stay_offline() -> Iterator[None]:
    """Keeps the Hub out of it: trackio asks it for the name of whoever is logged in."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
