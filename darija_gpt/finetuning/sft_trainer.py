"""One training on examples: TRL's SFTTrainer with a loss of what is to be learnt alone, the best epoch, resumable."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from datasets import Dataset
from torch import nn
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback
from transformers.utils import logging
from trl import SFTConfig, SFTTrainer

from darija_gpt.faults import NonFiniteError
from darija_gpt.finetuning.example_order import OrderBySeedAndEpoch
from darija_gpt.finetuning.sealed_checkpoints import SealCheckpoints, find_checkpoint
from darija_gpt.finetuning.sft_batches import CollateExamples
from darija_gpt.finetuning.sft_examples import LABEL_PAD, count_learnt
from darija_gpt.finetuning.stopping import StopWhenAsked, catch_signals_of_one
from darija_gpt.finetuning.trl_training import KeepToOurselves, build_config
from darija_gpt.hardware import accept_mixed_norms, use_all_cores
from darija_gpt.stop_request import StopRequest
from darija_gpt.training_loss import compute_cross_entropy


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from darija_gpt.finetuning.sft import FinetuneArguments


@dataclass(frozen=True)
class Training:
    """What came of a training.

    Args:
        epochs (`float`), steps (`int`):
            How long it was.
        best_epoch (`float`):
            After which the weights were taken.
        train_loss (`float`), validation_loss (`float`):
            Nats per token that is learnt: the mean over all steps, and of the weights that were taken.
        wall_seconds (`float`):
            Of the Trainer, what was done before a resumption left out.
    """

    epochs: float
    steps: int
    best_epoch: float
    train_loss: float
    validation_loss: float
    wall_seconds: float


class ReplyTrainer(KeepToOurselves, OrderBySeedAndEpoch, SFTTrainer):
    """TRL's trainer with a loss that asks for no logits but those of tokens to be learnt.

    On a CPU, TRL's own computes the logits of all positions, and entropies and hits besides; and on any machine it
    leaves out what a model does to its logits, unless it knows of it.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.model_accepts_loss_kwargs = True  # The loss below divides by the tokens of a whole step.
        self._eval_tokens_per_row = count_learnt(self.eval_dataset) / len(self.eval_dataset)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        if self.aux_loss_enabled or self.label_smoother is not None or self.args.loss_type != "nll":
            return self._check(super().compute_loss(model, inputs, return_outputs, num_items_in_batch))
        targets = nn.functional.pad(inputs["labels"], (0, 1), value=LABEL_PAD)[:, 1:]  # (batch, length)
        is_learnt = targets != LABEL_PAD
        read = {name: value for name, value in inputs.items() if name != "labels"}
        with select_positions(self.accelerator.unwrap_model(model).get_output_embeddings(), is_learnt):
            outputs = model(**read, use_cache=False)
        logits, targets = outputs.logits[0], targets[is_learnt]  # (learnt, vocabulary), (learnt,)
        # A batch of padding alone, which another process may need to wait for, has a gradient of zero.
        loss = compute_cross_entropy(logits, targets) * len(targets) if len(targets) else logits.sum()
        loss = loss / (max(len(targets), 1) if num_items_in_batch is None else num_items_in_batch)
        if model.training and num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes  # DDP takes the mean of what is a sum over processes.
        return (self._check(loss), outputs) if return_outputs else self._check(loss)

    def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):
        # The Trainer takes the mean over rows; so weighted, it is the mean over tokens.
        num_tokens = self._eval_tokens_per_row * len(inputs["input_ids"])
        with torch.no_grad():
            return self.compute_loss(model, self._prepare_inputs(inputs), num_items_in_batch=num_tokens), None, None

    @staticmethod
    def _check(result):
        loss = result[0] if isinstance(result, tuple) else result
        if not torch.isfinite(loss):
            raise NonFiniteError("the loss is no number any more; lower learning_rate, or say --bf16 false.")
        return result


class ReportProgress(TrainerCallback):
    """A line for each log and each validation."""

    def on_train_begin(self, args, state, control, **kwargs):
        self.started, self.first_step = time.monotonic(), state.global_step

    def on_log(self, args, state, control, logs=None, **kwargs):
        if state.is_world_process_zero and logs and "loss" in logs:
            seconds = (time.monotonic() - self.started) / max(state.global_step - self.first_step, 1)
            left = seconds * (state.max_steps - state.global_step)
            print(
                f"step {state.global_step:,} of {state.max_steps:,}, training loss {logs['loss']:.4f}, "
                f"{left // 60:.0f} min {left % 60:02.0f} s left",
                flush=True,
            )

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        if state.is_world_process_zero:
            print(f"epoch {state.epoch:.2f}, validation loss {metrics['eval_loss']:.4f}", flush=True)


@contextmanager
def select_positions(head: nn.Module, is_selected: torch.Tensor) -> Iterator[None]:
    """Lets a model's head see some positions only, so that `logits` are of these: (1, selected, vocabulary).

    What a model does to its logits, such as capping them, it does to each on its own, and does here.

    Args:
        head (`nn.Module`):
            The module that makes logits of hidden states.
        is_selected (`torch.Tensor`):
            (batch, length), bool.
    """
    hook = head.register_forward_pre_hook(lambda module, inputs: (inputs[0][is_selected][None],))
    try:
        yield
    finally:
        hook.remove()


def train_sft(
    model,
    tokenizer: "PreTrainedTokenizerBase",
    examples: dict[str, Dataset],
    arguments: "FinetuneArguments",
    directory: Path,
    end_token: str | None,
) -> Training:
    """Trains a model in place; at the end it has the weights of its best epoch.

    Args:
        model (`PreTrainedModel` or `PeftModel`):
            What learns.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        examples (`dict[str, Dataset]`):
            Of `train` and `validation`, as `build_examples` makes them.
        arguments (`FinetuneArguments`):
            How to train.
        directory (`Path`):
            For checkpoints; what is there is gone on from.
        end_token (`str`, *optional*):
            Ends a reply; model and tokenizer will take it for the end of a text.

    Raises:
        NonFiniteError: If the loss is no number any more.
        NoValidCheckpointError: If all checkpoints are damaged.
        StoppedError: If a signal came; a checkpoint is written.
    """
    with catch_signals_of_one() as request:
        trainer = build_trainer(model, tokenizer, examples, arguments, directory, end_token, request)
        use_all_cores(trainer.accelerator.state)
        accept_mixed_norms()
        checkpoint = find_checkpoint(directory)
        if checkpoint is not None and trainer.is_world_process_zero():
            print(f"going on from {checkpoint.name}")
        verbosity = logging.get_verbosity()
        logging.set_verbosity_error()  # Tied weights are in a checkpoint once, and it would warn of the other names.
        with warnings.catch_warnings():
            # Of an adapter with new tokens PEFT saves all embeddings, and says so each time.
            warnings.filterwarnings("ignore", message="Setting `save_embedding_layers` to `True`")
            result = trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        logging.set_verbosity(verbosity)
        history = [entry for entry in trainer.state.log_history if "eval_loss" in entry]
        if arguments.load_best_model_at_end:
            best = next(entry for entry in history if entry["step"] == trainer.state.best_global_step)
        else:
            best = {"eval_loss": trainer.evaluate()["eval_loss"], "epoch": trainer.state.epoch}
    return Training(
        epochs=round(trainer.state.epoch, 2),
        steps=trainer.state.global_step,
        best_epoch=round(best["epoch"], 2),
        train_loss=round(result.training_loss, 4),
        validation_loss=round(best["eval_loss"], 4),
        wall_seconds=round(result.metrics["train_runtime"], 1),
    )


def build_trainer(
    model,
    tokenizer: "PreTrainedTokenizerBase",
    examples: dict[str, Dataset],
    arguments: "FinetuneArguments",
    directory: Path,
    end_token: str | None,
    request: StopRequest | None = None,
) -> ReplyTrainer:
    """The Trainer of a run; arguments are those of `train_sft`, and the request that may end it."""
    callbacks = [SealCheckpoints(), ReportProgress()]
    if request is not None:
        callbacks.append(StopWhenAsked(request))  # behind the one that seals what it has asked for
    if arguments.early_stopping_patience is not None:
        callbacks.append(EarlyStoppingCallback(arguments.early_stopping_patience))
    config = build_config(
        SFTConfig,
        arguments,
        output_dir=str(directory),
        eos_token=end_token,
        # What these ask of TRL is done already: examples come to it as tokens and labels.
        assistant_only_loss=False,
        packing=False,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    trainer = ReplyTrainer(
        model=model,
        args=config,
        data_collator=CollateExamples(tokenizer.pad_token_id or 0),
        train_dataset=examples["train"],
        eval_dataset=examples["validation"],
        processing_class=tokenizer,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer
