"""A training run: steps, validation and checkpoints, from wherever it was stopped to its last step."""

import math
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, gather_object
from torch.utils.data import default_collate
from transformers import PreTrainedModel

from darija_gpt.checkpoint import DiskFullError, load_checkpoint, save_checkpoint
from darija_gpt.evaluation.bits_per_byte import ByteCounter, convert_to_bits_per_byte
from darija_gpt.faults import NonFiniteError, StoppedError
from darija_gpt.flops import count_flops_per_token
from darija_gpt.memory_watch import watch_memory
from darija_gpt.packing import PackedDataset
from darija_gpt.run_record import CHECKPOINTS, identify_run, warn_of_lost_checkpoints
from darija_gpt.step_guard import MAX_NON_FINITE_IN_A_ROW
from darija_gpt.stop_request import StopRequest
from darija_gpt.training_samples import Sampler
from darija_gpt.training_step import Updater, measure_loss
from darija_gpt.training_view import NoView, TrainingView


if TYPE_CHECKING:
    from darija_gpt.pretraining import PretrainArguments
    from darija_gpt.training_data import TrainingBlocks


# A process that holds a part of the weights cannot sample alone.
_SHARDED = (DistributedType.FSDP, DistributedType.DEEPSPEED, DistributedType.MEGATRON_LM)


class TrainingRun:
    """A model on its way through the training blocks.

    Args:
        model (`PreTrainedModel`):
            A causal language model with fresh weights.
        train_blocks (`PackedDataset` or `StreamedBlocks`):
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
        train_blocks: "TrainingBlocks",
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
        self.data_state: dict[str, Any] = {}
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
        self._warn_of_idle_settings()

    def resume(self) -> None:
        """Goes to the state of the newest whole checkpoint, where there is one.

        Raises:
            NoValidCheckpointError: If all checkpoints are damaged.
            ValueError: If the newest was written with other shards or another precision.
        """
        layout = self.updater.sharding.layout
        progress, average = load_checkpoint(self.accelerator, self.checkpoint_dir, self.identity, layout)
        if progress is None:
            if self.accelerator.is_main_process:
                warn_of_lost_checkpoints(self.arguments.output_dir)
            return
        self.guard.load_state_dict(progress.pop("guard"))
        self.updater.resume(progress["step"])
        self.updater.shrink_to(progress.pop("shrunk_size"))
        self.train_blocks.load_state_dict(progress.pop("data"))
        if self.average:
            self.average.load_state_dict(average)
        self.progress = progress
        self.accelerator.print(f"resuming at step {progress['step']:,} from {self.checkpoint_dir}")

    def train(self) -> None:
        """Runs to the last step, with validation losses and checkpoints on the way and at the end.

        Raises:
            FaultError: If it has to end before.
        """
        # Not within a step, which is tried again with less.
        with watch_memory(self.updater.describe_shortage):
            self._train()

    def gather_model(self) -> PreTrainedModel | None:
        """The model as it can be saved; None in all processes but the main one. Every process must call."""
        return self.updater.sharding.gather(self.model)

    def summarize(self) -> dict[str, Any]:
        """What training_summary.json holds of a finished run."""
        progress, num_tokens = self.progress, self.num_steps * self.tokens_per_step
        return {
            "stage": "pretrain",
            "parameters": self.num_parameters,
            "trainable_parameters": self.num_parameters,
            "tokens": num_tokens,
            **self.train_blocks.summarize(self.num_steps * self.updater.blocks_per_step, self.data_state),
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
                # From what are no numbers nothing can be drawn.
                if math.isfinite(loss):
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
        self.data_state = self._gather_data()
        self._check_result()
        if self.average:
            self.average.swap()

    def _check_result(self) -> None:
        """Refuses to hand over a model that has learnt nothing, or gives no numbers. Every process must call."""
        loss = self.progress["validation_loss"]
        has_finite_weights = self.updater.has_finite_weights()
        if self.progress["train_loss"] is None:
            counts = ", ".join(f"{reason}: {count}" for reason, count in self.guard.counts.items() if count)
            raise NonFiniteError(
                f"every one of {self.num_steps:,} steps was skipped ({counts}), so that nothing was learnt. Start "
                "again in another --output_dir with a lower learning_rate, or with more steps where fp16 overflows."
            )
        if not has_finite_weights:
            raise NonFiniteError(self._describe_loss("the weights are not finite"))
        if not math.isfinite(loss):
            raise NonFiniteError(self._describe_loss(f"the last validation loss is {loss}"))

    def _locate(self, number: int) -> dict[str, Any]:
        """How much was read up to a step."""
        num_blocks = number * self.updater.blocks_per_step
        return {"tokens": num_blocks * self.train_blocks.block_size, **self.train_blocks.locate(num_blocks)}

    def _convert_loss(self, loss: float) -> float:
        """A validation loss in bits per byte. Of a block all tokens but the first are predicted."""
        num_tokens = len(self.validation_blocks) * (self.validation_blocks.block_size - 1)
        return convert_to_bits_per_byte(loss, num_tokens, max(1, self.num_validation_bytes))

    @property
    def _is_sharded(self) -> bool:
        return self.accelerator.distributed_type in _SHARDED

    def _warn_of_idle_settings(self) -> None:
        """Says what of the recipe will do nothing."""
        schedule = self.arguments.dropout_schedule
        if schedule != "constant" and not self.updater.dropout.is_of_use:
            self.accelerator.print(
                f"warning: dropout_schedule={schedule} does nothing, because the model has no dropout; set "
                "model.residual_dropout or one of the others"
            )
        if self.sampler.prompts and self._is_sharded:
            self.accelerator.print(
                "warning: sample_prompts does nothing, because no process has all of the weights; leave it out, with "
                "report_samples"
            )

    def _describe_recipe(self) -> dict[str, Any]:
        """The numbers and words of the recipe: no path, and no text."""
        recipe = asdict(self.arguments)
        recipe |= {f"model.{name}": value for name, value in recipe["model"].items()}
        return {name: value for name, value in recipe.items() if isinstance(value, int | float | str)}

    def _show_samples(self, number: int) -> None:
        """Lets the main process write something, with the averaged weights where they are kept."""
        if not (self.sampler.prompts and self.accelerator.is_main_process) or self._is_sharded:
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
        if not self._is_worth_keeping():
            self.accelerator.print(f"warning: no checkpoint at step {progress['step']:,}, whose loss is not finite")
            return
        state = {
            "guard": self.guard.state_dict(),
            "shrunk_size": self.updater.shrunk_size,
            "layout": self.updater.sharding.layout,
            "mixed_precision": self.accelerator.mixed_precision,
            "data": self._gather_data(),
        }
        try:
            save_checkpoint(
                self.accelerator,
                self.checkpoint_dir,
                {**progress, **state},
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

    def _is_worth_keeping(self) -> bool:
        """Whether weights, the last step and a validation of this very step are numbers. Every process must ask."""
        progress, has_finite_weights = self.progress, self.updater.has_finite_weights()
        is_measured = progress["validation_step"] == progress["step"]
        is_finite = not is_measured or math.isfinite(progress["validation_loss"])
        return has_finite_weights and self.guard.is_healthy and is_finite

    def _gather_data(self) -> dict[str, Any]:
        """Where the training blocks stand, of all processes together."""
        state = self.train_blocks.state_dict(self.progress["step"] * self.updater.blocks_per_step)
        return {key: value for part in gather_object([state]) for key, value in part.items()}

    def _describe_loss(self, what: str) -> str:
        return (
            f"{what}, up to step {self.progress['step']:,}; checkpoints of before, if any, are in "
            f"{self.checkpoint_dir}. Start again in another --output_dir with a lower learning_rate."
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
        self.updater.sharding.end_evaluation(self.model)
        if self.average:
            self.average.swap()
        loss, num_blocks = accelerator.reduce(sums, "sum").tolist()
        return loss / num_blocks
