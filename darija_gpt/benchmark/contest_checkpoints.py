"""Checkpoints as contestants: those of `pretrain.py`, and those of transformers' Trainer, of one model and AdamW.

Ours are hashed and brought to the disk before they count, and proven before they are loaded; the Trainer's are not.
"""

import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.benchmark.contest_models import build_llama, build_ours
from darija_gpt.benchmark.contests import ContestSetup


if TYPE_CHECKING:
    from transformers import Trainer

KEPT = 2


def prepare_saving(setup: ContestSetup, name: str) -> tuple[Callable[[], Any], dict[str, Any]]:
    """Writes a checkpoint, and removes what is too old."""
    save, _ = CHECKPOINTS[name](setup, _make_directory(setup))
    return save, {}


def prepare_resuming(setup: ContestSetup, name: str) -> tuple[Callable[[], Any], dict[str, Any]]:
    """Loads the newest checkpoint."""
    save, resume = CHECKPOINTS[name](setup, _make_directory(setup))
    save()
    return resume, {}


def _make_directory(setup: ContestSetup) -> Path:
    return Path(tempfile.mkdtemp(prefix="checkpoints-", dir=setup.directory))


def _hold_ours(setup: ContestSetup, directory: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    import torch
    from accelerate import Accelerator

    from darija_gpt.checkpoint import load_checkpoint, save_checkpoint

    accelerator = Accelerator()
    model = build_ours(setup).model
    model, optimizer = accelerator.prepare(model, torch.optim.AdamW(model.parameters(), lr=1e-4))
    tokens = torch.full((1, 8), 5)
    model(input_ids=tokens, labels=tokens).loss.backward()
    optimizer.step()
    steps = count(1)
    identity = {"recipe": "benchmark"}

    def save() -> None:
        progress = {"step": next(steps), "validation_loss": None, "validation_step": None}
        save_checkpoint(accelerator, directory, progress, keep=KEPT, identity=identity)

    return save, lambda: load_checkpoint(accelerator, directory, identity, "whole weights")


def _hold_trainers(setup: ContestSetup, directory: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    from transformers import Trainer, TrainingArguments

    arguments = TrainingArguments(
        output_dir=str(directory),
        max_steps=1,
        per_device_train_batch_size=1,
        save_strategy="no",
        save_total_limit=KEPT,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    rows = [{"input_ids": [5] * 8, "labels": [5] * 8}]
    trainer = Trainer(build_llama(setup).model, arguments, train_dataset=rows)
    trainer.train()

    def save() -> None:
        trainer.state.global_step += 1
        trainer._save_checkpoint(trainer.model, trial=None)

    return save, lambda: _resume_trainer(trainer, directory)


def _resume_trainer(trainer: "Trainer", directory: Path) -> None:
    """What `train(resume_from_checkpoint=True)` loads, in its order."""
    from transformers.trainer_callback import TrainerState
    from transformers.trainer_utils import get_last_checkpoint

    checkpoint = get_last_checkpoint(str(directory))
    trainer._load_from_checkpoint(checkpoint)
    trainer._load_optimizer_and_scheduler(checkpoint)
    trainer.state = TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json"))
    trainer._load_rng_state(checkpoint)


CHECKPOINTS = {"ours": _hold_ours, "trainer": _hold_trainers}
