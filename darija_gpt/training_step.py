"""One step of training: batches to gradients, judged before they reach the weights."""

import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn

from darija_gpt.faults import LostProcessError, OutOfMemoryError, describe_lost_worker
from darija_gpt.goldfish import leave_out_tokens
from darija_gpt.memory_watch import begin_shortage
from darija_gpt.optimization import DropoutSwitch, WeightAverage, build_optimizers, compute_rate_factor, compute_z_loss
from darija_gpt.running_statistics import RunningStatistics
from darija_gpt.sharding import build_sharding
from darija_gpt.step_guard import SkipReason, StepGuard
from darija_gpt.stop_request import StopRequest
from darija_gpt.training_loss import compute_causal_lm_loss, leave_out_logits


if TYPE_CHECKING:
    from darija_gpt.pretraining import PretrainArguments
    from darija_gpt.training_data import TrainingBlocks

# (what is minimised, what is reported, the share of the tokens that this is a mean over), each a scalar.
Losses = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Step:
    """What a step came to: mean loss in nats per token, norm of the gradient, and why it was skipped, if it was."""

    number: int
    loss: float
    grad_norm: float
    learning_rate: float
    skipped: SkipReason | None
    must_stop: bool

    def to_record(self) -> dict[str, Any]:
        """Its line in the log."""
        record = {
            "step": self.number,
            "loss": self.loss,
            "grad_norm": self.grad_norm,
            "learning_rate": self.learning_rate,
        }
        return record | ({"skipped": self.skipped} if self.skipped else {})


def measure_loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean loss of a batch, in nats per token."""
    # No mask and no cache: only so do the documents of a block not see each other.
    return model(**batch, labels=batch["input_ids"], use_cache=False).loss


def choose_loss(z_loss: float, goldfish_ratio: float = 0.0) -> Callable[[nn.Module, dict[str, torch.Tensor]], Losses]:
    """The function that gives `Losses` for a batch."""

    def compute_plain(model: nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        loss = measure_loss(model, batch)
        return loss, loss, torch.ones_like(loss)

    def compute_with_fewer_labels(model: nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        labels, share = label_some(batch)
        loss = model(**batch, labels=labels, use_cache=False).loss
        return weigh(loss, share), loss, share

    def compute_with_z_loss(model: nn.Module, batch: dict[str, torch.Tensor]) -> Losses:
        labels, share = label(batch)
        outputs = model(**batch, labels=labels, use_cache=False)
        objective = weigh(outputs.loss, share) + z_loss * compute_z_loss(outputs.logits, batch["input_ids"])
        return objective, outputs.loss, share

    def label_all(batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        return batch["input_ids"], torch.ones((), device=batch["input_ids"].device)

    def label_some(batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        labels = leave_out_tokens(batch["input_ids"], batch["position_ids"], goldfish_ratio)
        return labels, (labels[:, 1:] != -100).float().mean()

    def weigh(loss: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
        # A token counts alike in every batch, however many are left out there: so the passes and processes of a step
        # may be divided otherwise.
        return loss * (share / (1 - goldfish_ratio))

    label = label_some if goldfish_ratio else label_all
    if z_loss:
        return compute_with_z_loss
    return compute_with_fewer_labels if goldfish_ratio else compute_plain


def seed_step(seed: int, step: int, process_index: int) -> None:
    """Seeds dropout by the step: so it is the same in a resumed run, and in a step that is tried again."""
    entropy = np.random.SeedSequence([seed, step, process_index])
    torch.manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> np.uint64(1)))


class Updater:
    """The model with all that changes it: gradients, optimizers, schedules, averaged weights.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        blocks (`PackedDataset` or `StreamedBlocks`):
            What it learns from.
        arguments (`PretrainArguments`):
            The recipe.
        accelerator (`Accelerator`):
            Knows the devices, the precision and the other processes.
        stop_request (`StopRequest`):
            Asked at each step, in the same exchange between processes as the loss.
    """

    def __init__(
        self,
        model,
        blocks: "TrainingBlocks",
        arguments: "PretrainArguments",
        accelerator: Accelerator,
        stop_request: StopRequest,
    ):
        self.arguments, self.accelerator, self.stop_request = arguments, accelerator, stop_request
        self.blocks = blocks
        self.micro_batch_size = arguments.per_device_train_batch_size
        self.blocks_per_process = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps
        self.blocks_per_step = self.blocks_per_process * accelerator.num_processes
        self.num_steps = arguments.max_steps or max(
            1, round(arguments.num_train_epochs * len(blocks) / self.blocks_per_step)
        )
        if arguments.activation_checkpointing:
            model.activation_checkpointing_enable()
        self.sharding = build_sharding(accelerator, arguments)
        if arguments.torch_compile:
            self.sharding.compile(model)
        if accelerator.device.type == "cpu":
            model.loss_function = compute_causal_lm_loss
        if not arguments.z_loss:
            leave_out_logits(model)
        self.statistics = RunningStatistics(model)
        self.dropout = DropoutSwitch(model, arguments.dropout_schedule, arguments.dropout_ratio)
        self.model, self.optimizers = self.sharding.prepare(model, build_optimizers(model, arguments))
        self.scaler = self.sharding.scaler
        decay = arguments.weight_average_decay
        self.average = None if decay is None else WeightAverage(self.model.parameters(), decay)
        self.compute_loss = choose_loss(arguments.z_loss, arguments.goldfish_ratio)
        self.guard = StepGuard(arguments.spike_threshold)
        # What was left of the micro-batch when memory had run out.
        self.shrunk_size: int | None = None
        self._batches = None

    def update(self, number: int) -> Step:
        """The step of this number, counted from 1.

        Raises:
            OutOfMemoryError: If the GPU's memory is too small for it.
        """
        learning_rate = self._set_rates(number - 1)
        if self.dropout.set_step(number - 1, self.num_steps):
            self.guard.forget()
        self.model.train()
        self.statistics.keep()
        loss, grad_norm, stop_share = self._compute_gradients(number)
        skipped = self.guard.judge(loss, grad_norm)
        if skipped == "non_finite" and math.isfinite(loss) and self.scaler.get_scale() > 1:
            skipped = "overflow"
        if skipped is None:
            self.sharding.step(self.optimizers)
            if self.average:
                self.average.update(number - 1)
        else:
            self.statistics.restore()
        self.scaler.update()
        self._clear_gradients()
        self.guard.note(skipped, loss, grad_norm)
        return Step(number, loss, grad_norm, learning_rate, skipped, must_stop=stop_share > 0)

    def has_finite_weights(self) -> bool:
        """Whether every weight, and every running statistic, is a number, in all processes. Every process must ask."""
        numbers = [*self.sharding.get_local(self.model), *self.statistics.get_floating()]
        norms = torch._foreach_norm([each.float() for each in numbers])
        num_others = (~torch.stack(norms).isfinite()).sum()
        return not self.accelerator.reduce(num_others, "sum").item()

    def _set_rates(self, step: int) -> float:
        """Sets the learning rates of a step, counted from 0; gives AdamW's."""
        arguments = self.arguments
        factor = compute_rate_factor(
            step,
            schedule=arguments.schedule,
            warmup_steps=round(arguments.warmup_ratio * self.num_steps),
            num_steps=self.num_steps,
            final_ratio=arguments.final_learning_rate_ratio,
            cooldown_ratio=arguments.cooldown_ratio,
        )
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = factor * group["initial_lr"]
        return factor * arguments.learning_rate

    def _compute_gradients(self, number: int) -> tuple[float, float, float]:
        """Loss and gradient's norm of a step, and how many processes of all (a share) were asked to stop."""
        while True:
            try:
                return self._accumulate(number)
            except torch.OutOfMemoryError as error:
                reason = str(error)
            # Outside of the clause: the error holds on to the activations.
            self.statistics.restore()
            self._shrink_micro_batch(reason)

    def _accumulate(self, number: int) -> tuple[float, float, float]:
        accelerator, arguments = self.accelerator, self.arguments
        if self._batches is None:
            self._batches = iter(self._load_batches(number))
        accelerator.step = 0
        accelerator.gradient_accumulation_steps = self.blocks_per_process // self.micro_batch_size
        seed_step(arguments.seed, number, accelerator.process_index)
        losses, shares = [], []
        for _ in range(accelerator.gradient_accumulation_steps):
            batch = {name: ids.to(accelerator.device) for name, ids in self._fetch_batch().items()}
            with accelerator.accumulate(self.model):
                objective, loss, share = self.compute_loss(self.model, batch)
                accelerator.backward(objective)
                losses.append(loss.detach() * share)
                shares.append(share)
        grad_norm = self.sharding.clip(self.model)
        is_stopped = torch.tensor(float(self.stop_request.is_made()), device=accelerator.device)
        means = [torch.stack(scalars).mean().float() for scalars in (losses, shares)]
        numbers = torch.stack([*means, grad_norm.float(), is_stopped])
        # The one exchange, and the one wait for the device, of a step.
        loss, share, grad_norm, stop_share = accelerator.reduce(numbers, "mean").tolist()
        return loss / share, grad_norm, stop_share

    def _fetch_batch(self) -> dict[str, torch.Tensor]:
        try:
            return next(self._batches)
        except (OSError, EOFError, RuntimeError) as error:
            # PyTorch has words of its own for a worker that is gone, but not in the middle of a batch. What a worker
            # says itself is of another kind.
            if self.arguments.dataloader_num_workers == 0 or "in DataLoader worker process" in str(error):
                raise
            with suppress(RuntimeError):
                # The signal of its end, in which PyTorch raises another error, may be on its way yet.
                time.sleep(1)
            raise LostProcessError(describe_lost_worker(str(error) or type(error).__name__)) from error

    def _load_batches(self, number: int) -> Iterable[dict[str, torch.Tensor]]:
        """This process's micro-batches from a step on, in order: of all blocks it takes every n-th."""
        first = (number - 1) * self.blocks_per_step + self.accelerator.process_index
        indices = range(first, self.num_steps * self.blocks_per_step, self.accelerator.num_processes)
        num_workers = self.arguments.dataloader_num_workers
        return self.blocks.load(indices, self.micro_batch_size, num_workers=num_workers)

    def _shrink_micro_batch(self, reason: str) -> None:
        """Halves the micro-batch, or nearly: the blocks of a step stay the same."""
        smaller = [size for size in range(1, self.micro_batch_size // 2 + 1) if self.blocks_per_process % size == 0]
        # Where one process of several runs out of memory, the others wait for it in the exchange of gradients.
        if not smaller or self.accelerator.num_processes > 1:
            raise OutOfMemoryError(self.describe_shortage(reason))
        self.accelerator.print(
            f"warning: out of GPU memory with {self.micro_batch_size} blocks at a time; going on with {smaller[-1]}"
        )
        self.micro_batch_size = self.shrunk_size = smaller[-1]
        self._batches = None
        self._clear_gradients()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def describe_shortage(self, reason: str) -> str:
        """What to say, and to advise, when memory is too small."""
        return (
            f"{begin_shortage(reason, f'with {self.micro_batch_size} blocks at a time')}; lower "
            "per_device_train_batch_size and raise gradient_accumulation_steps by the same factor, set "
            "activation_checkpointing=true, or take a smaller model."
        )

    def resume(self, number: int) -> None:
        """Sets dropout as it was in the last step of an earlier start: only what changes later is a change."""
        self.dropout.set_step(number - 1, self.num_steps)

    def shrink_to(self, size: int | None) -> None:
        """Begins with a micro-batch that was found to fit before."""
        if size and size < self.micro_batch_size and self.blocks_per_process % size == 0:
            self.micro_batch_size = self.shrunk_size = size

    def _clear_gradients(self) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()
