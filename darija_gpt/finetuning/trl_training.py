"""What trainings with TRL have in common: they keep to themselves, and what a tracker was told of them stays."""

import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from transformers import TrainingArguments


Config = TypeVar("Config", bound=TrainingArguments)


class KeepToOurselves:
    """For a trainer of TRL: nobody is told of a training."""

    def _send_telemetry(self):
        """Nothing: TRL would tell Hugging Face of every training."""

    def create_model_card(self, *args, **kwargs):
        """None: publish.py writes one, of what was measured."""


def build_config(config_class: type[Config], arguments: TrainingArguments, **changes: Any) -> Config:
    """TRL's own configuration of a run: what the arguments have of its fields, with changes.

    The arguments themselves have fields besides, which trackers cannot write down.
    """
    settings = {field.name: getattr(arguments, field.name) for field in fields(config_class) if field.init}
    return config_class(**settings | changes)


def keep_event_files(checkpoints: Path, directory: Path) -> None:
    """Moves what tensorboard was told of a run, which lies beside its checkpoints, to where the run ends."""
    if (checkpoints / "runs").is_dir():
        shutil.move(checkpoints / "runs", directory / "tensorboard")
