"""One training on preferences: TRL's DPOTrainer on tokens that are made already, resumable, and what it is worth."""

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from transformers.utils import logging
from trl import DPOConfig, DPOTrainer

from darija_gpt.evaluation.intervals import estimate_means
from darija_gpt.faults import NonFiniteError
from darija_gpt.finetuning.adapters import check_adapted, keep_ties
from darija_gpt.finetuning.sealed_checkpoints import SealCheckpoints, find_checkpoint
from darija_gpt.finetuning.stopping import StopWhenAsked, catch_signals_of_one
from darija_gpt.finetuning.trl_training import KeepToOurselves, build_config, check_packages
from darija_gpt.hardware import accept_mixed_norms, use_all_cores


if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from darija_gpt.finetuning.align import AlignArguments


class PreferenceTrainer(KeepToOurselves, DPOTrainer):
    """TRL's DPOTrainer on `prompt_ids`, `chosen_ids` and `rejected_ids`; it ends where the loss is no number."""

    def _prepare_dataset(self, dataset, processing_class, args, dataset_name):
        # TRL would render the chat template itself, in which a control token that somebody typed becomes one.
        return dataset

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        result = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        if not torch.isfinite(result[0] if return_outputs else result):
            raise NonFiniteError("the loss is no number any more; lower learning_rate, or say --bf16 false.")
        return result


class ReportRewards(TrainerCallback):
    """A line for each log and each validation."""

    def on_train_begin(self, args, state, control, **kwargs):
        self.started, self.first_step = time.monotonic(), state.global_step

    def on_log(self, args, state, control, logs=None, **kwargs):
        if not state.is_world_process_zero or not logs:
            return
        if "loss" in logs:
            seconds = (time.monotonic() - self.started) / max(state.global_step - self.first_step, 1)
            left = seconds * (state.max_steps - state.global_step)
            place = f"step {state.global_step:,} of {state.max_steps:,}, {left // 60:.0f} min {left % 60:02.0f} s left"
            self._print(place, logs, "")
        elif "eval_loss" in logs:
            self._print(f"epoch {state.epoch:.2f}, on pairs held back", logs, "eval_")

    @staticmethod
    def _print(place: str, logs: dict[str, float], prefix: str) -> None:
        print(
            f"{place}: loss {logs[f'{prefix}loss']:.4f}, reward margin {logs[f'{prefix}rewards/margins']:+.3f}, the "
            f"chosen reply wins in {logs[f'{prefix}rewards/accuracies']:.0%}",
            flush=True,
        )


@dataclass(frozen=True)
class Training:
    """How long a training was.

    Args:
        epochs (`float`), steps (`int`):
            Passes and optimizer steps.
        train_loss (`float`):
            The mean over all steps.
        wall_seconds (`float`):
            Of the Trainer, what was done before a resumption left out.
    """

    epochs: float
    steps: int
    train_loss: float
    wall_seconds: float


@dataclass(frozen=True)
class Measurement:
    """What a model finds of the pairs held back.

    Args:
        loss (`float`):
            Of the pairs, as it is learnt by.
        scores (`np.ndarray`):
            Shape (pairs, 2): the sums of the log-probabilities of each reply's tokens, in nats, the chosen reply's
            first.
    """

    loss: float
    scores: np.ndarray

    def describe(self, reference: "Measurement", beta: float) -> dict[str, Any]:
        """The rewards: beta times by how much a reply is likelier than before (Rafailov et al. 2023, section 5.1).

        Args:
            reference (`Measurement`):
                Of the reference model.
            beta (`float`):
                By which it was learnt.

        Returns:
            `dict`: the loss, the means of both rewards, and with 95 % intervals of the bootstrap the margin between
            them and how often the chosen reply's is the higher one.
        """
        rewards = beta * (self.scores - reference.scores)
        margins = rewards[:, 0] - rewards[:, 1]
        chosen_reward, rejected_reward = rewards.mean(axis=0)
        return {
            "loss": round(self.loss, 4),
            **estimate_means({"reward_margin": margins, "reward_accuracy": (margins > 0).astype(float)}),
            "chosen_reward": round(float(chosen_reward), 4),
            "rejected_reward": round(float(rejected_reward), 4),
        }


def build_trainer(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    examples: dict[str, Dataset],
    arguments: "AlignArguments",
    lora: "LoraConfig | None",
    directory: Path,
) -> PreferenceTrainer:
    """The trainer of a run.

    Args:
        model (`PreTrainedModel`), tokenizer (`PreTrainedTokenizerBase`):
            The model to begin with, which is also the reference.
        examples (`dict[str, Dataset]`):
            `train` and `validation`, as `encode_preferences` makes them.
        arguments (`AlignArguments`):
            How to train.
        lora (`LoraConfig`, *optional*):
            Train an adapter beside the weights; without it, the weights.
        directory (`Path`):
            For checkpoints.

    Raises:
        ValueError: If TRL cannot train this model.
    """
    config = build_config(
        DPOConfig,
        arguments,
        output_dir=str(directory),
        max_length=None,  # nothing is left to cut
        logging_nan_inf_filter=False,
    )
    check_packages(config, model)
    if lora is not None:
        keep_ties(lora, model)
    # An adapter can be switched off, and of what is reckoned beforehand the model is not needed any more.
    needs_copy = lora is None and not arguments.precompute_ref_log_probs
    trainer = PreferenceTrainer(
        model=model,
        ref_model=deepcopy(model) if needs_copy else None,
        args=config,
        train_dataset=examples["train"],
        eval_dataset=examples["validation"],
        processing_class=tokenizer,
        peft_config=lora,
        callbacks=[SealCheckpoints()],
    )
    check_adapted(trainer.model)
    trainer.remove_callback(PrinterCallback)
    use_all_cores(trainer.accelerator.state)
    accept_mixed_norms()
    _check_head(trainer)
    return trainer


def train_preferences(trainer: PreferenceTrainer, directory: Path) -> Training:
    """Trains the model of a trainer in place.

    Args:
        trainer (`PreferenceTrainer`):
            As `build_trainer` makes it.
        directory (`Path`):
            Of its checkpoints; what is there is gone on from.

    Raises:
        NonFiniteError: If the loss is no number any more.
        NoValidCheckpointError: If all checkpoints are damaged.
        StoppedError: If a signal came; a checkpoint is written.
    """
    with catch_signals_of_one() as request:
        if request is not None:
            trainer.add_callback(StopWhenAsked(request))  # behind the one that seals what it has asked for
        checkpoint = find_checkpoint(directory)
        if checkpoint is not None and trainer.is_world_process_zero():
            print(f"going on from {checkpoint.name}")
        trainer.add_callback(ReportRewards)
        with _without_warnings():
            result = trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        trainer.remove_callback(ReportRewards)
    return Training(
        epochs=round(trainer.state.epoch, 2),
        steps=trainer.state.global_step,
        train_loss=round(result.training_loss, 4),
        wall_seconds=round(result.metrics["train_runtime"], 1),
    )


def measure_pairs(trainer: PreferenceTrainer) -> Measurement:
    """What the trainer's model finds of the pairs held back."""
    # The reference model stands in autocast from the beginning, the other one only while it is trained.
    with trainer.accelerator.autocast(), _without_warnings():
        loss = trainer.evaluate()["eval_loss"]
    return Measurement(loss, score_replies(trainer))


@torch.no_grad()
def score_replies(trainer: PreferenceTrainer) -> np.ndarray:
    """The scores of a `Measurement`; what TRL reports are means of batches, of which the last has fewer pairs."""
    model, pairs, scores = trainer.model.eval(), trainer.eval_dataset, []
    for start in range(0, len(pairs), trainer.args.per_device_eval_batch_size):
        batch = range(start, min(start + trainer.args.per_device_eval_batch_size, len(pairs)))
        collated = trainer.data_collator([pairs[index] for index in batch])
        inputs = {name: tensor.to(model.device) for name, tensor in collated.items()}
        outputs = model(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            labels=inputs["input_ids"].masked_fill(inputs["completion_mask"] == 0, -100),
            use_cache=False,
            fused_lm_head=True,  # TRL's: the probabilities of the labels, without the logits in memory
        )
        scores.append(torch.stack(outputs.log_probs.double().sum(dim=1).chunk(2), dim=1).cpu().numpy())
    return np.concatenate(scores)


@torch.no_grad()
def _check_head(trainer: PreferenceTrainer) -> None:
    """Refuses a model whose logits are more than TRL knows, which multiplies the head's weights out by itself."""
    model, row = trainer.model.eval(), trainer.eval_dataset[0]
    input_ids = torch.tensor([row["prompt_ids"] + row["chosen_ids"]], device=model.device)
    fused = model(input_ids=input_ids, labels=input_ids, use_cache=False, fused_lm_head=True).log_probs
    log_probs = model(input_ids=input_ids, use_cache=False).logits[:, :-1].float().log_softmax(dim=-1)
    expected = log_probs.gather(-1, input_ids[:, 1:, None])[..., 0]  # (1, length - 1)
    if (fused - expected).abs().mean() > 0.01:
        raise ValueError(
            f"{type(trainer.model).__name__} does to its logits what TRL's DPOTrainer does not know of, and would "
            "learn from other probabilities than its own; align a model of another family."
        )


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keeps to themselves what libraries say of each other, and of tied weights, which a checkpoint holds once."""
    verbosity = logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")
        logging.set_verbosity_error()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
