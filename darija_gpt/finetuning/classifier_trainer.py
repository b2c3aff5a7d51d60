"""One training of a classifier: transformers' Trainer, the best epoch by macro F1, resumable."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import (
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from darija_gpt.classifiers import Encoding
from darija_gpt.evaluation.classification_metrics import compute_accuracy, compute_macro_f1
from darija_gpt.faults import NonFiniteError
from darija_gpt.finetuning.example_order import OrderBySeedAndEpoch
from darija_gpt.finetuning.sealed_checkpoints import SealCheckpoints, find_checkpoint
from darija_gpt.finetuning.stopping import StopWhenAsked, catch_signals_of_one
from darija_gpt.fingerprint import hash_file
from darija_gpt.hardware import accept_mixed_norms, resolve_precision
from darija_gpt.output import write_text


if TYPE_CHECKING:
    from darija_gpt.finetuning.classification import ClassifierArguments

FINISHED_FILE = "finished.json"
WEIGHTS_FILE = "best.safetensors"


@dataclass(frozen=True)
class Training:
    """What came of a training.

    Args:
        epochs (`float`), steps (`int`):
            How long it was.
        best_epoch (`float`):
            After which the weights were taken.
        validation (`dict[str, float]`):
            Loss, accuracy and macro F1 of those on the validation split.
        wall_seconds (`float`):
            Of the Trainer, what was done before a resumption left out.
    """

    epochs: float
    steps: int
    best_epoch: float
    validation: dict[str, float]
    wall_seconds: float


class ClassifierTrainer(OrderBySeedAndEpoch, Trainer):
    """transformers' Trainer, which goes on within an epoch."""


class ReportEpochs(TrainerCallback):
    """A line for each epoch."""

    def __init__(self, name: str):
        self.name = name
        self.train_loss = float("nan")

    def on_log(self, args, state, control, logs=None, **kwargs):
        self.train_loss = (logs or {}).get("loss", self.train_loss)

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        if state.is_world_process_zero:
            print(
                f"{self.name}: epoch {state.epoch:.0f} of {state.num_train_epochs}, training loss "
                f"{self.train_loss:.4f}, validation loss {metrics['eval_loss']:.4f}, accuracy "
                f"{metrics['eval_accuracy']:.4f}, macro F1 {metrics['eval_macro_f1']:.4f}",
                flush=True,
            )


def train_classifier(
    model,
    tokenizer,
    encodings: dict[str, list[Encoding]],
    classes: dict[str, Sequence[int]],
    arguments: "ClassifierArguments",
    *,
    name: str,
    directory: Path,
    learning_rate: float,
    num_train_epochs: int,
    class_weights: Sequence[float] | None,
) -> Training:
    """Trains a model in place; at the end it has the weights of its best epoch.

    Args:
        model (`PreTrainedModel` or `PeftModel`):
            What learns.
        tokenizer (`PreTrainedTokenizerBase`):
            Fills batches up.
        encodings (`dict[str, list[Encoding]]`), classes (`dict[str, Sequence[int]]`):
            The texts of `train` and `validation`, and their classes.
        arguments (`ClassifierArguments`):
            How to train.
        name (`str`):
            Of this training, for people.
        directory (`Path`):
            For checkpoints; what is there is gone on from.
        learning_rate (`float`), num_train_epochs (`int`):
            Of this training.
        class_weights (`Sequence[float]`, *optional*):
            A weight for each class in the loss.

    Raises:
        NonFiniteError: If the loss is no number any more.
        NoValidCheckpointError: If all checkpoints are damaged.
        StoppedError: If a signal came; a checkpoint is written.
    """
    if (directory / FINISHED_FILE).is_file():
        return _load_finished(model, directory)
    precision = resolve_precision(arguments.mixed_precision)
    accept_mixed_norms()
    callbacks = [SealCheckpoints(), ReportEpochs(name)]
    if arguments.early_stopping_patience is not None:
        callbacks.append(EarlyStoppingCallback(arguments.early_stopping_patience))
    trainer = ClassifierTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(directory),
            num_train_epochs=num_train_epochs,
            learning_rate=learning_rate,
            lr_scheduler_type=arguments.lr_scheduler_type,
            warmup_steps=arguments.warmup_ratio,
            weight_decay=arguments.weight_decay,
            max_grad_norm=arguments.max_grad_norm,
            per_device_train_batch_size=arguments.per_device_train_batch_size,
            per_device_eval_batch_size=2 * arguments.per_device_train_batch_size,
            gradient_accumulation_steps=arguments.gradient_accumulation_steps,
            train_sampling_strategy="group_by_length",
            eval_strategy="epoch",
            save_strategy="epoch",
            logging_strategy="epoch",
            save_total_limit=2,
            load_best_model_at_end=True,
            metric_for_best_model="macro_f1",
            greater_is_better=True,
            # The number of epochs without progress goes on counting after a resumption.
            restore_callback_states_from_checkpoint=True,
            logging_nan_inf_filter=False,
            bf16=precision == "bf16",
            fp16=precision == "fp16",
            use_cpu=not torch.accelerator.is_available(),
            seed=arguments.seed,
            remove_unused_columns=False,
            disable_tqdm=True,
            report_to="none",
        ),
        data_collator=DataCollatorWithPadding(tokenizer),
        train_dataset=_join(encodings["train"], classes["train"]),
        eval_dataset=_join(encodings["validation"], classes["validation"]),
        compute_metrics=_compute_metrics,
        compute_loss_func=build_loss(class_weights),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    checkpoint = find_checkpoint(directory)
    if checkpoint is not None and trainer.is_world_process_zero():
        print(f"{name}: going on from {checkpoint.name}")
    with catch_signals_of_one() as request:
        if request is not None:
            trainer.add_callback(StopWhenAsked(request))  # behind the one that seals what it has asked for
        result = trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    evaluations = [entry for entry in trainer.state.log_history if "eval_macro_f1" in entry]
    best = max(evaluations, key=lambda entry: entry["eval_macro_f1"])
    training = Training(
        epochs=round(trainer.state.epoch, 2),
        steps=trainer.state.global_step,
        best_epoch=round(best["epoch"], 2),
        validation={key: round(best[f"eval_{key}"], 4) for key in ("loss", "accuracy", "macro_f1")},
        wall_seconds=round(result.metrics["train_runtime"], 1),
    )
    if trainer.is_world_process_zero():
        _save_finished(model, directory, training)
    return training


def build_loss(class_weights: Sequence[float] | None):
    """Cross-entropy, each text counting as much as its class does; the mean over all texts of a step."""

    def compute_loss(outputs, labels, num_items_in_batch=None) -> torch.Tensor:
        logits = outputs["logits"].float()  # (batch, classes)
        weights = None if class_weights is None else torch.tensor(class_weights, device=logits.device)
        losses = functional.cross_entropy(logits, labels, weight=weights, reduction="none")
        loss = losses.sum() / (len(labels) if num_items_in_batch is None else num_items_in_batch)
        if not torch.isfinite(loss):
            raise NonFiniteError("the loss is no number any more; lower learning_rate, or say --mixed_precision no.")
        return loss

    return compute_loss


def _join(encodings: Sequence[Encoding], classes: Sequence[int]) -> list[dict[str, Any]]:
    return [{**encoding, "labels": number} for encoding, number in zip(encodings, classes, strict=True)]


def _compute_metrics(prediction) -> dict[str, float]:
    logits, truth = prediction.predictions, prediction.label_ids
    predicted = np.argmax(logits, axis=-1)
    return {
        "accuracy": float(compute_accuracy(truth, predicted)),
        "macro_f1": float(compute_macro_f1(truth, predicted, logits.shape[-1])),
    }


def _list_learnt(model) -> dict[str, torch.Tensor]:
    """What a training changes: trained weights, and the statistics that some norms keep."""
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name: value.contiguous() for name, value in model.state_dict().items() if name not in frozen}


def _save_finished(model, directory: Path, training: Training) -> None:
    """Keeps the best weights, so that a run that is cut off in its second training need not repeat the first."""
    save_file(_list_learnt(model), directory / WEIGHTS_FILE)
    record = {"sha256": hash_file(directory / WEIGHTS_FILE), "training": asdict(training)}
    write_text(directory / FINISHED_FILE, json.dumps(record, indent=1))


def _load_finished(model, directory: Path) -> Training:
    record = json.loads((directory / FINISHED_FILE).read_text(encoding="utf-8"))
    if hash_file(directory / WEIGHTS_FILE) != record["sha256"]:
        raise ValueError(f"{directory / WEIGHTS_FILE} is damaged; remove {directory} to train anew.")
    model.load_state_dict(load_file(directory / WEIGHTS_FILE), strict=False)
    print(f"{directory.name}: had ended already", file=sys.stderr)
    return Training(**record["training"])
