"""One training of an encoder-decoder model: transformers' Seq2SeqTrainer, the best epoch, resumable."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import SequentialSampler
from transformers import (
    DataCollatorForSeq2Seq,
    EarlyStoppingCallback,
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
)
from transformers.utils import logging

from darija_gpt.data.text_pairs import TextPair
from darija_gpt.evaluation.rouge import ROUGE_TYPES, score_rouge
from darija_gpt.faults import NonFiniteError
from darija_gpt.finetuning.example_order import OrderBySeedAndEpoch
from darija_gpt.finetuning.sealed_checkpoints import SealCheckpoints, find_checkpoint
from darija_gpt.finetuning.sft_examples import LABEL_PAD
from darija_gpt.finetuning.stopping import StopWhenAsked, catch_signals_of_one
from darija_gpt.hardware import resolve_t5_precision, use_all_cores
from darija_gpt.stop_request import StopRequest


if TYPE_CHECKING:
    from darija_gpt.finetuning.seq2seq import Prepared, Seq2SeqArguments
    from darija_gpt.seq2seq import EncodedTexts


@dataclass(frozen=True)
class Training:
    """What came of a training.

    Args:
        epochs (`float`), steps (`int`):
            How long it was.
        best_epoch (`float`):
            After which the weights were taken.
        validation (`dict[str, float]`):
            The loss of those on the validation split and, unless the loss alone chose them, the ROUGE of what they
            write with one beam.
        wall_seconds (`float`):
            Of the Trainer, what was done before a resumption left out.
    """

    epochs: float
    steps: int
    best_epoch: float
    validation: dict[str, float]
    wall_seconds: float


class FiniteTrainer(OrderBySeedAndEpoch, Seq2SeqTrainer):
    """A Trainer that ends where the loss is no number; transformers' own goes on and saves weights of NaN."""

    def _get_eval_sampler(self, eval_dataset):
        # Batches of like length would come in another order than the targets that ROUGE is measured against.
        return SequentialSampler(eval_dataset)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        result = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        if not torch.isfinite(result[0] if return_outputs else result):
            raise NonFiniteError("the loss is no number any more; lower learning_rate, or say --mixed_precision no.")
        return result


class ReportEpochs(TrainerCallback):
    """A line for each epoch."""

    def __init__(self):
        self.train_loss = float("nan")

    def on_log(self, args, state, control, logs=None, **kwargs):
        self.train_loss = (logs or {}).get("loss", self.train_loss)

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        if state.is_world_process_zero:
            rouge = [f"{name} {metrics[f'eval_{name}']:.4f}" for name in ROUGE_TYPES if f"eval_{name}" in metrics]
            losses = f"training loss {self.train_loss:.4f}, validation loss {metrics['eval_loss']:.4f}"
            print(", ".join([f"epoch {state.epoch:.0f} of {state.num_train_epochs}: {losses}", *rouge]), flush=True)


def train_seq2seq(
    prepared: "Prepared", validation: Sequence[TextPair], arguments: "Seq2SeqArguments", directory: Path
) -> Training:
    """Trains a model in place; at the end it has the weights of its best epoch.

    Args:
        prepared (`Prepared`):
            The model, and the tokens that it learns from and is chosen by.
        validation (`Sequence[TextPair]`):
            The pairs that it is chosen by, as they were written.
        arguments (`Seq2SeqArguments`):
            How to train.
        directory (`Path`):
            For checkpoints; what is there is gone on from.

    Raises:
        NonFiniteError: If the loss is no number any more.
        NoValidCheckpointError: If all checkpoints are damaged.
        StoppedError: If a signal came; a checkpoint is written.
    """
    with catch_signals_of_one() as request:
        trainer = build_trainer(prepared, validation, arguments, directory, request)
        use_all_cores(trainer.accelerator.state)
        checkpoint = find_checkpoint(directory)
        if checkpoint is not None and trainer.is_world_process_zero():
            print(f"going on from {checkpoint.name}")
        generation_config = deepcopy(prepared.model.generation_config)
        verbosity = logging.get_verbosity()
        logging.set_verbosity_error()  # Tied weights are in a checkpoint once, and it would warn of the other names.
        result = trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        logging.set_verbosity(verbosity)
        # On its way, the Trainer writes transformers' defaults into it, a length of 20 tokens among them.
        for model in (trainer.model, *([trainer.model.get_base_model()] if arguments.lora is not None else [])):
            model.generation_config = generation_config
    evaluations = [entry for entry in trainer.state.log_history if "eval_loss" in entry]
    best = next(entry for entry in evaluations if entry["step"] == trainer.state.best_global_step)
    return Training(
        epochs=round(trainer.state.epoch, 2),
        steps=trainer.state.global_step,
        best_epoch=round(best["epoch"], 2),
        validation={name: round(best[f"eval_{name}"], 4) for name in ("loss", *ROUGE_TYPES) if f"eval_{name}" in best},
        wall_seconds=round(result.metrics["train_runtime"], 1),
    )


def build_trainer(
    prepared: "Prepared",
    validation: Sequence[TextPair],
    arguments: "Seq2SeqArguments",
    directory: Path,
    request: StopRequest | None = None,
) -> FiniteTrainer:
    """The Trainer of a run; arguments are those of `train_seq2seq`, and the request that may end it."""
    by_rouge = arguments.metric_for_best_model != "loss"
    callbacks = [SealCheckpoints(), ReportEpochs()]
    if request is not None:
        callbacks.append(StopWhenAsked(request))  # behind the one that seals what it has asked for
    if arguments.early_stopping_patience is not None:
        callbacks.append(EarlyStoppingCallback(arguments.early_stopping_patience))
    trainer = FiniteTrainer(
        model=prepared.model,
        args=Seq2SeqTrainingArguments(
            output_dir=str(directory),
            num_train_epochs=arguments.num_train_epochs,
            learning_rate=arguments.learning_rate,
            lr_scheduler_type=arguments.lr_scheduler_type,
            warmup_steps=arguments.warmup_ratio,
            weight_decay=arguments.weight_decay,
            max_grad_norm=arguments.max_grad_norm,
            per_device_train_batch_size=arguments.per_device_train_batch_size,
            per_device_eval_batch_size=2 * arguments.per_device_train_batch_size,
            gradient_accumulation_steps=arguments.gradient_accumulation_steps,
            activation_checkpointing=arguments.activation_checkpointing,
            train_sampling_strategy="group_by_length",
            eval_strategy="epoch",
            save_strategy="epoch",
            logging_strategy="epoch",
            save_total_limit=2,
            load_best_model_at_end=True,
            metric_for_best_model=arguments.metric_for_best_model,
            greater_is_better=by_rouge,
            predict_with_generate=by_rouge,
            generation_max_length=arguments.max_target_length + 1,  # with the token that begins a text
            generation_num_beams=1,
            # The number of epochs without progress goes on counting after a resumption.
            restore_callback_states_from_checkpoint=True,
            logging_nan_inf_filter=False,
            bf16=resolve_t5_precision(arguments.mixed_precision) == "bf16",
            use_cpu=not torch.accelerator.is_available(),
            seed=arguments.seed,
            remove_unused_columns=False,
            disable_tqdm=True,
            report_to="none",
        ),
        data_collator=DataCollatorForSeq2Seq(
            prepared.tokenizer, model=prepared.model, label_pad_token_id=LABEL_PAD, pad_to_multiple_of=8
        ),
        train_dataset=_join(prepared.inputs["train"], prepared.targets["train"]),
        eval_dataset=_join(prepared.inputs["validation"], prepared.targets["validation"]),
        processing_class=prepared.tokenizer,
        compute_metrics=_build_metrics(prepared.tokenizer, validation) if by_rouge else None,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _join(inputs: "EncodedTexts", targets: "EncodedTexts") -> list[dict[str, Any]]:
    return [
        {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}
        for ids, labels in zip(inputs.token_ids, targets.token_ids, strict=True)
    ]


def _build_metrics(tokenizer, validation: Sequence[TextPair]):
    """ROUGE against the targets as people wrote them, not as they were cut."""

    def compute_metrics(prediction) -> dict[str, float]:
        ids = np.where(prediction.predictions == LABEL_PAD, tokenizer.pad_token_id, prediction.predictions)
        written = tokenizer.batch_decode(ids, skip_special_tokens=True)
        scores = score_rouge(written, [pair.target for pair in validation])
        return {name: float(values.mean()) for name, values in scores.items()}

    return compute_metrics
