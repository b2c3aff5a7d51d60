"""What trainings with TRL have in common: they keep to themselves, and what a tracker was told of them stays."""

import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from torch import nn
from transformers import Trainer, TrainingArguments
from transformers.integrations import get_reporting_integration_callbacks


Config = TypeVar("Config", bound=TrainingArguments)


# Fields of TRL's configurations, all of which would take 0, and train nothing or end in a traceback.
POSITIVE_NUMBERS = (
    *("learning_rate", "num_train_epochs", "gradient_accumulation_steps"),
    *("per_device_train_batch_size", "per_device_eval_batch_size"),
)


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


def check_numbers(arguments: TrainingArguments) -> None:
    """Refuses numbers with which nothing is learnt, before anything is loaded.

    Raises:
        ValueError: With what is expected.
    """
    for name in POSITIVE_NUMBERS:
        if not getattr(arguments, name) > 0:
            raise ValueError(f"{name}={getattr(arguments, name)} must be positive.")


def check_packages(arguments: TrainingArguments, model: nn.Module) -> None:
    """Refuses an optimizer or a tracker that needs a package which is not installed.

    Raises:
        ValueError: With the package.
    """
    try:
        Trainer.get_optimizer_cls_and_kwargs(arguments, model)
        for callback in get_reporting_integration_callbacks(arguments.report_to):
            callback()
    except (ImportError, RuntimeError) as error:
        raise ValueError(f"{error} Or choose another optim or report_to.") from error


def keep_event_files(checkpoints: Path, directory: Path) -> None:
    """Moves what tensorboard was told of a run, which lies beside its checkpoints, to where the run ends."""
    if (checkpoints / "runs").is_dir():
        shutil.move(checkpoints / "runs", directory / "tensorboard")
