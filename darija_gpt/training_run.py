"""A training run: steps, validation and checkpoints, from wherever it was stopped to its last step."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType
from datasets import Dataset
from torch.utils.data import default_collate

from darija_gpt.checkpoint import DiskFullError, load_checkpoint, save_checkpoint
from darija_gpt.evaluation.bits_per_byte import ByteCounter, convert_to_bits_per_byte
from darija_gpt.faults import NonFiniteError, OutOfMemoryError, StoppedError
from darija_gpt.flops import count_flops_per_token
from darija_gpt.packing import PackedDataset
from darija_gpt.run_record import CHECKPOINTS, identify_run, warn_of_lost_checkpoints
from darija_gpt.step_guard import MAX_NON_FINITE_IN_A_ROW
from darija_gpt.stop_request import StopRequest
from darija_gpt.tokenizer import encode_rows
from darija_gpt.training_samples import Sampler
from darija_gpt.training_step import Updater, measure_loss
from darija_gpt.training_view import NoView, TrainingView


if TYPE_CHECKING:
    from darija_gpt.pretraining import PretrainArguments


def pack_split(rows: Dataset, tokenizer, block_size: int, *, seed: int | None = None) -> PackedDataset:
    """The rows of a split as token blocks."""
    batches = rows.select_columns(["text", "messages"]).iter(1000)
    return PackedDataset((ids for batch in batches for ids in encode_rows(tokenizer, batch)), block_size, seed)


# A process that holds a part of the weights cannot sample alone.
_SHARDED = (DistributedType.FSDP, DistributedType.DEEPSPEED, DistributedType.MEGATRON_LM)


class TrainingRun:
    """A model on its way through the training blocks.

    Args:
        model (`PreTrainedModel`):
            A causal language model with fresh weights.
        train_blocks (`PackedDataset`):
            What it learns from.
        validation_blocks (`PackedDataset`):
            What its loss is measured on.
        arguments (`PretrainArguments`):
            The recipe, with run.json in its `output_dir`.
        accelerator (`Accelerator`):
            Knows the devices, the precision and the other processes.
        stop_request (`StopRequest`):
            Asked after each step.
        byte_counter (`ByteCounter`):
            Knows how many bytes the validation blocks are.
        sampler (`Sampler`):
            Knows what the model is to write at each evaluation.
    """

    def __init__(
        self,
        model,
        train_blocks: PackedDataset,
        validation_blocks: PackedDataset,
        arguments: "PretrainArguments",
        accelerator: Accelerator,
        stop_request: StopRequest,
        byte_counter: ByteCounter,
        sampler: Sampler,
    ):
        self.arguments, self.accelerator, self.sampler = arguments, accelerator, sampler
        self.identity = identify_run(arguments.output_dir)
        self.train_blocks, self.validation_blocks = train_blocks, validation_blocks
        self.stop_request = stop_request
        self.checkpoint_dir = arguments.output_dir / CHECKPOINTS
        self.num_parameters = model.num_parameters()
        self.flops_per_token = count_flops_per_token(model, train_blocks.block_size)
        self.num_validation_bytes = sum(
            byte_counter.count(validation_blocks[index]["input_ids"].numpy())
            for index in range(len(validation_blocks))
        )
        self.updater = Updater(model, train_blocks, arguments, accelerator, stop_request)
        self.model, self.guard, self.average = self.updater.model, self.updater.guard, self.updater.average
        self.num_steps = self.updater.num_steps
        self.tokens_per_step = self.updater.blocks_per_step * train_blocks.block_size
        self.view = NoView()
        # What a checkpoint keeps beside weights, optimizers and random generators.
        self.progress: dict[str, Any] = {
            "step": 0,
            "train_seconds": 0.0,
            "wall_seconds": 0.0,
            "checkpoint_seconds": 0.0,
            "train_loss": None,
            "validation_loss": None,
            "validation_step": None,
        }

    def resume(self) -> None:
        """Goes to the state of the newest whole checkpoint, where there is one.

        Raises:
            NoValidCheckpointError: If all checkpoints are damaged.
        """
        progress, average = load_checkpoint(self.accelerator, self.checkpoint_dir, self.identity)
        if progress is None:
            if self.accelerator.is_main_process:
                warn_of_lost_checkpoints(self.arguments.output_dir)
            return
        self.guard.load_state_dict(progress.pop("guard"))
        self.updater.shrink_to(progress.pop("shrunk_size"))
        if self.average:
            self.average.load_state_dict(average)
        self.progress = progress
        self.accelerator.print(f"resuming at step {progress['step']:,} from {self.checkpoint_dir}")

    def train(self) -> None:
        """Runs to the last step, with validation losses and checkpoints on the way and at the end.

        Raises:
            FaultError: If it has to end before.
        """
        try:
            self._train()
        except torch.OutOfMemoryError as error:
            # Not within a step, which would have been tried again with less.
            raise OutOfMemoryError(self.updater.describe_shortage(str(error))) from error

    def summarize(self) -> dict[str, Any]:
        """What training_summary.json holds of a finished run."""
        progress, num_tokens = self.progress, self.num_steps * self.tokens_per_step
        return {
            "stage": "pretrain",
            "parameters": self.num_parameters,
            "trainable_parameters": self.num_parameters,
            "tokens": num_tokens,
            "epochs": round(self.num_steps * self.updater.blocks_per_step / len(self.train_blocks), 2),
            "steps": self.num_steps,
            "skipped_steps": {reason: count for reason, count in self.guard.counts.items() if count},
            "tokens_per_second": round(num_tokens / progress["train_seconds"]),
            "wall_seconds": round(progress["wall_seconds"], 1),
            "checkpoint_seconds": round(progress["checkpoint_seconds"], 1),
            "train_loss": round(progress["train_loss"], 4),
            "validation_loss": round(progress["validation_loss"], 4),
            "validation_bits_per_byte": round(self._convert_loss(progress["validation_loss"]), 4),
        }

    def _train(self) -> None:
        progress, arguments = self.progress, self.arguments
        if self.accelerator.is_main_process:
            self.view = TrainingView(self, self._describe_recipe())
        for number in range(progress["step"] + 1, self.num_steps + 1):
            started = time.perf_counter()
            step = self.updater.update(number)
            progress["step"] = number
            progress["train_loss"] = progress["train_loss"] if step.skipped else step.loss
            seconds = time.perf_counter() - started
            progress["train_seconds"] += seconds
            self.view.show_step(step, seconds, self._locate(number))
            if self.guard.gives_up:
                self.view.close()
                raise NonFiniteError(
                    self._describe_loss(f"no finite loss and gradient in {MAX_NON_FINITE_IN_A_ROW} steps")
                )
            is_last = number == self.num_steps
            if is_last or number % arguments.eval_steps == 0:
                progress |= {"validation_loss": self._measure_loss(), "validation_step": number}
                loss = progress["validation_loss"]
                self.view.show_validation(number, loss, self._convert_loss(loss))
                self._show_samples(number)
                if not is_last:
                    self.view.draw_curves()
            progress["wall_seconds"] += time.perf_counter() - started
            if is_last or number % arguments.save_steps == 0 or step.must_stop:
                self._save()
            if step.must_stop:
                self.view.close()
                raise StoppedError(
                    f"stopped after step {number:,} by {self.stop_request.reason}; the same command goes on",
                    self.stop_request.exit_code,
                )
        self.view.close()
        if not self.updater.has_finite_weights() or progress["train_loss"] is None:
            raise NonFiniteError(self._describe_loss("the weights are not finite"))
        if self.average:
            self.average.swap()

    def _locate(self, number: int) -> dict[str, Any]:
        """How much was read up to a step."""
        num_blocks = number * self.updater.blocks_per_step
        epoch = round(num_blocks / len(self.train_blocks), 4)
        return {"tokens": num_blocks * self.train_blocks.block_size, "epoch": epoch}

    def _convert_loss(self, loss: float) -> float:
        """A validation loss in bits per byte. Of a block all tokens but the first are predicted."""
        num_tokens = len(self.validation_blocks) * (self.validation_blocks.block_size - 1)
        return convert_to_bits_per_byte(loss, num_tokens, max(1, self.num_validation_bytes))

    def _describe_recipe(self) -> dict[str, Any]:
        """The numbers and words of the recipe: no path, and no text."""
        recipe = asdict(self.arguments)
        recipe |= {f"model.{name}": value for name, value in recipe["model"].items()}
        return {name: value for name, value in recipe.items() if isinstance(value, int | float | str)}

    def _show_samples(self, number: int) -> None:
        """Lets the main process write something, with the averaged weights where they are kept."""
        is_able = self.accelerator.is_main_process and self.accelerator.distributed_type not in _SHARDED
        if not (self.sampler.prompts and is_able):
            return
        if self.average:
            self.average.swap()
        samples = self.sampler.sample(self.accelerator.unwrap_model(self.model).eval())
        if self.average:
            self.average.swap()
        self.view.show_samples(number, samples)

    def _save(self) -> None:
        """Writes a checkpoint of weights that are worth one."""
        progress, started = self.progress, time.perf_counter()
        if not (self.guard.is_healthy and self.updater.has_finite_weights()):
            self.accelerator.print(f"warning: no checkpoint at step {progress['step']:,}, whose loss is not finite")
            return
        try:
            save_checkpoint(
                self.accelerator,
                self.checkpoint_dir,
                {**progress, "guard": self.guard.state_dict(), "shrunk_size": self.updater.shrunk_size},
                keep=self.arguments.save_total_limit,
                identity=self.identity,
                weight_average=self.average.state_dict() if self.average else None,
                sync_log=self.view.sync,
            )
        except DiskFullError as error:
            self.accelerator.print(
                f"warning: no checkpoint at step {progress['step']:,}, the disk is full ({error}); the earlier ones "
                "are as they were, and the next save tries again"
            )
        seconds = time.perf_counter() - started
        progress["checkpoint_seconds"] += seconds
        progress["wall_seconds"] += seconds

    def _describe_loss(self, what: str) -> str:
        return (
            f"{what}, up to step {self.progress['step']:,}; the last checkpoint stands in {self.checkpoint_dir}. "
            "Start again in another --output_dir with a lower learning_rate."
        )

    @torch.no_grad()
    def _measure_loss(self) -> float:
        """Mean loss over all blocks, in nats per token; of the averaged weights, where they are kept."""
        accelerator, blocks = self.accelerator, self.validation_blocks
        batch_size = self.updater.micro_batch_size
        self.model.eval()
        if self.average:
            self.average.swap()
        sums = torch.zeros(2, device=accelerator.device)
        for first in range(0, len(blocks), batch_size * accelerator.num_processes):
            start = first + batch_size * accelerator.process_index
            indices = range(start, min(start + batch_size, len(blocks)))
            # All processes make as many passes: one that has no block left takes the first, which does not count.
            batch = default_collate([blocks[index] for index in indices or [0]])
            loss = measure_loss(self.model, {name: ids.to(accelerator.device) for name, ids in batch.items()})
            sums += torch.stack([loss, torch.ones_like(loss)]) * len(indices)
        if self.average:
            self.average.swap()
        loss, num_blocks = accelerator.reduce(sums, "sum").tolist()
        return loss / num_blocks
