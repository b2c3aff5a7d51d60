"""A training run: batches, updates, validation, checkpoints and what is seen of them."""

import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from datasets import Dataset
from torch.utils.data import DataLoader
from tqdm import tqdm

from darija_gpt.checkpoint import load_checkpoint, save_checkpoint
from darija_gpt.optimization import DropoutSwitch, WeightAverage, build_optimizers, compute_rate_factor, compute_z_loss
from darija_gpt.packing import PackedDataset
from darija_gpt.tokenizer import encode_rows


if TYPE_CHECKING:
    from darija_gpt.pretraining import PretrainArguments

NON_FINITE_LOSS_EXIT_CODE = 4


def pack_split(rows: Dataset, tokenizer, block_size: int, *, seed: int | None = None) -> PackedDataset:
    """The rows of a split as token blocks."""
    batches = rows.select_columns(["text", "messages"]).iter(1000)
    return PackedDataset((ids for batch in batches for ids in encode_rows(tokenizer, batch)), block_size, seed)


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
            The recipe.
        accelerator (`Accelerator`):
            Knows the devices, the precision and the other processes.
    """

    def __init__(
        self,
        model,
        train_blocks: PackedDataset,
        validation_blocks: PackedDataset,
        arguments: "PretrainArguments",
        accelerator: Accelerator,
    ):
        self.arguments, self.accelerator = arguments, accelerator
        self.train_blocks, self.validation_blocks = train_blocks, validation_blocks
        self.checkpoint_dir = arguments.output_dir / "checkpoints"
        self.blocks_per_step = (
            arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps * accelerator.num_processes
        )
        self.tokens_per_step = self.blocks_per_step * train_blocks.block_size
        self.num_steps = max(1, round(arguments.num_train_epochs * len(train_blocks) / self.blocks_per_step))
        self.num_parameters = model.num_parameters()
        if arguments.gradient_checkpointing:
            model.gradient_checkpointing_enable()
        self.dropout = DropoutSwitch(model, arguments.dropout_schedule, arguments.dropout_ratio)
        self.model, *self.optimizers = accelerator.prepare(model, *build_optimizers(model, arguments))
        decay = arguments.weight_average_decay
        self.average = None if decay is None else WeightAverage(self.model.parameters(), decay)
        # What a checkpoint keeps beside weights, optimizer and random generators.
        self.progress = {
            "step": 0,
            "train_seconds": 0.0,
            "wall_seconds": 0.0,
            "train_loss": None,
            "validation_loss": None,
        }

    def resume(self, checkpoint: Path) -> None:
        """Goes back to the state of a checkpoint."""
        self.progress = load_checkpoint(self.accelerator, checkpoint)
        self.accelerator.print(f"resuming at step {self.progress['step']:,} from {checkpoint}")

    def train(self) -> None:
        """Runs to the last step, with validation losses and checkpoints on the way and at the end."""
        progress, arguments = self.progress, self.arguments
        first_block, last_block = (step * self.blocks_per_step for step in (progress["step"], self.num_steps))
        batches = iter(self._load(self.train_blocks, range(first_block, last_block)))
        validation_loader = self._load(self.validation_blocks, range(len(self.validation_blocks)))
        log = TrainingLog(self)
        for step in range(progress["step"] + 1, self.num_steps + 1):
            started = time.perf_counter()
            loss, grad_norm, learning_rate = self._update(step, batches)
            if not math.isfinite(loss):
                self.accelerator.print(f"error: the loss is {loss} at step {step}; try a lower learning_rate.")
                raise SystemExit(NON_FINITE_LOSS_EXIT_CODE)
            progress |= {"step": step, "train_loss": loss}
            progress["train_seconds"] += time.perf_counter() - started
            log.write_step(grad_norm, learning_rate)
            if step == self.num_steps or step % arguments.eval_steps == 0:
                progress["validation_loss"] = self._measure_loss(validation_loader)
                log.write_validation()
            progress["wall_seconds"] += time.perf_counter() - started
            if step == self.num_steps or step % arguments.save_steps == 0:
                save_checkpoint(self.accelerator, self.checkpoint_dir, progress, keep=arguments.save_total_limit)
        log.close()

    def summarize(self) -> dict[str, Any]:
        """What training_summary.json holds of a finished run."""
        num_tokens = self.num_steps * self.tokens_per_step
        return {
            "stage": "pretrain",
            "parameters": self.num_parameters,
            "trainable_parameters": self.num_parameters,
            "tokens": num_tokens,
            "epochs": round(self.num_steps * self.blocks_per_step / len(self.train_blocks), 2),
            "steps": self.num_steps,
            "tokens_per_second": round(num_tokens / self.progress["train_seconds"]),
            "wall_seconds": round(self.progress["wall_seconds"], 1),
            "train_loss": round(self.progress["train_loss"], 4),
            "validation_loss": round(self.progress["validation_loss"], 4),
        }

    def _load(self, blocks: PackedDataset, indices: range) -> DataLoader:
        # A generator of its own: without one, every iteration draws from the generator that dropout uses.
        generator = torch.Generator().manual_seed(self.arguments.seed)
        batch_size = self.arguments.per_device_train_batch_size
        loader = DataLoader(blocks, batch_size=batch_size, sampler=indices, generator=generator)
        return self.accelerator.prepare(loader)

    def _update(self, step: int, batches) -> tuple[float, float, float]:
        """One step; gives its loss in nats per token, the norm of its gradient and its learning rate."""
        arguments = self.arguments
        factor = compute_rate_factor(
            step - 1,
            schedule=arguments.schedule,
            warmup_steps=round(arguments.warmup_ratio * self.num_steps),
            num_steps=self.num_steps,
            final_ratio=arguments.final_learning_rate_ratio,
            cooldown_ratio=arguments.cooldown_ratio,
        )
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = factor * group["initial_lr"]
        self.dropout.set_step(step - 1, self.num_steps)
        self.model.train()
        losses = []
        for _ in range(arguments.gradient_accumulation_steps):
            batch = next(batches)
            with self.accelerator.accumulate(self.model):
                # No mask and no cache: only so do the documents of a block not see each other.
                loss = self.model(**batch, labels=batch["input_ids"], use_cache=False).loss
                self.accelerator.backward(loss)
                losses.append(loss.detach())
                if self.accelerator.sync_gradients:
                    grad_norm = self.accelerator.clip_grad_norm_(self.model.parameters(), arguments.max_grad_norm)
                for optimizer in self.optimizers:
                    optimizer.step()
                    optimizer.zero_grad()
        if self.average:
            self.average.update(step - 1)
        loss = self.accelerator.reduce(torch.stack(losses).mean(), "mean")
        return loss.item(), grad_norm.item(), factor * arguments.learning_rate

    @torch.no_grad()
    def _measure_loss(self, loader: DataLoader) -> float:
        """Mean loss over all blocks, in nats per token."""
        self.model.eval()
        losses = []
        for batch in loader:
            loss = self.model(**batch, labels=batch["input_ids"], use_cache=False).loss
            losses.append(self.accelerator.gather_for_metrics(loss.repeat(len(batch["input_ids"]))))
        return torch.cat(losses).mean().item()


class TrainingLog:
    """A progress bar for people and training_log.jsonl for programs."""

    def __init__(self, run: TrainingRun):
        self.progress, self.tokens_per_step = run.progress, run.tokens_per_step
        self.path = run.arguments.output_dir / "training_log.jsonl"
        self.is_main = run.accelerator.is_main_process
        self.first_step, self.first_seconds = self.progress["step"], self.progress["train_seconds"]
        self.shown: dict[str, str] = {}
        self.bar = tqdm(
            total=run.num_steps, initial=self.first_step, unit="step", disable=not self.is_main, mininterval=1.0
        )

    def write_step(self, grad_norm: float, learning_rate: float) -> None:
        """Moves the bar and logs a step."""
        step, loss = self.progress["step"], self.progress["train_loss"]
        seconds = self.progress["train_seconds"] - self.first_seconds
        speed = (step - self.first_step) * self.tokens_per_step / seconds
        self.shown |= {"loss": f"{loss:.3f}", "tokens/s": f"{speed:,.0f}"}
        self.bar.set_postfix(self.shown, refresh=False)
        self.bar.update()
        self._append({"step": step, "loss": loss, "grad_norm": grad_norm, "learning_rate": learning_rate})

    def write_validation(self) -> None:
        """Logs a validation loss, which the bar goes on showing."""
        step, loss = self.progress["step"], self.progress["validation_loss"]
        self.shown["validation"] = f"{loss:.3f}"
        self._append({"step": step, "validation_loss": loss})

    def close(self) -> None:
        """Leaves the finished bar on the screen."""
        self.bar.close()

    def _append(self, record: dict[str, Any]) -> None:
        if self.is_main:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
