"""Optimizers, and what changes while they work: learning rates, dropout, averaged weights.

Every schedule is a function of the step alone, so that a resumed run needs no state of it.
"""

import math
from collections.abc import Callable, Iterable
from typing import Literal, Protocol

import torch
from torch import nn

from darija_gpt.muon import Muon, Orthogonalization


Optimizer = Literal["adamw", "muon"]
Schedule = Literal["cosine", "linear", "constant", "wsd"]
DropoutSchedule = Literal["constant", "early", "late"]

EPSILON = 1e-8


def group_parameters(model: nn.Module, weight_decay: float) -> list[dict]:
    """Two parameter groups: matrices, which decay, and vectors (norms, biases), which do not."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def find_hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    """The weights of linear maps between hidden states: of no embedding and no output layer."""
    inputs = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding)}
    outputs = {id(model.get_output_embeddings().weight)}
    # A model may have a second one, which transformers has no name for.
    outputs |= {id(module.weight) for module in model.modules() if getattr(module, "writes_to_logits", False)}
    return [
        module.weight
        for module in model.modules()
        if isinstance(module, nn.Linear) and module.weight.requires_grad and id(module.weight) not in inputs | outputs
    ]


def build_adamw(
    model: nn.Module, *, learning_rate: float, weight_decay: float, betas: tuple[float, float]
) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) over the model's parameter groups."""
    return torch.optim.AdamW(
        group_parameters(model, weight_decay), lr=learning_rate, betas=betas, eps=EPSILON, fused=True
    )


def build_muon(
    model: nn.Module,
    *,
    learning_rate: float,
    muon_learning_rate: float,
    weight_decay: float,
    muon_weight_decay: float,
    muon_momentum: float,
    muon_orthogonalization: Orthogonalization = "newton_schulz",
    betas: tuple[float, float],
) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al. 2024) for the hidden matrices, AdamW for embeddings, norms and biases.

    Args:
        model (`nn.Module`):
            The model.
        learning_rate (`float`), weight_decay (`float`), betas (`tuple[float, float]`):
            AdamW's.
        muon_learning_rate (`float`), muon_weight_decay (`float`), muon_momentum (`float`):
            Muon's. Its steps have the same size whatever the gradient, so that its rate is of another order.
        muon_orthogonalization (`"newton_schulz"` or `"polar_express"`, *optional*, defaults to `"newton_schulz"`):
            How it makes them so.
    """
    hidden = find_hidden_matrices(model)
    is_hidden = {id(parameter) for parameter in hidden}
    groups = [
        {**group, "params": [parameter for parameter in group["params"] if id(parameter) not in is_hidden]}
        for group in group_parameters(model, weight_decay)
    ]
    return [
        Muon(
            hidden,
            muon_orthogonalization,
            lr=muon_learning_rate,
            weight_decay=muon_weight_decay,
            momentum=muon_momentum,
        ),
        torch.optim.AdamW(groups, lr=learning_rate, betas=betas, eps=EPSILON, fused=True),
    ]


class OptimizerArguments(Protocol):
    """What a recipe says of its optimizer."""

    optimizer: Optimizer
    learning_rate: float
    weight_decay: float
    adam_beta1: float
    adam_beta2: float
    muon_learning_rate: float
    muon_weight_decay: float
    muon_momentum: float
    muon_orthogonalization: Orthogonalization


def build_optimizers(model: nn.Module, arguments: OptimizerArguments) -> list[torch.optim.Optimizer]:
    """The optimizers of a recipe. Each of their groups remembers its highest rate as `initial_lr`."""
    optimizers = OPTIMIZERS[arguments.optimizer](model, arguments)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


OPTIMIZERS: dict[Optimizer, Callable[[nn.Module, OptimizerArguments], list[torch.optim.Optimizer]]] = {
    "adamw": lambda model, arguments: [
        build_adamw(
            model,
            learning_rate=arguments.learning_rate,
            weight_decay=arguments.weight_decay,
            betas=(arguments.adam_beta1, arguments.adam_beta2),
        )
    ],
    "muon": lambda model, arguments: build_muon(
        model,
        learning_rate=arguments.learning_rate,
        muon_learning_rate=arguments.muon_learning_rate,
        weight_decay=arguments.weight_decay,
        muon_weight_decay=arguments.muon_weight_decay,
        muon_momentum=arguments.muon_momentum,
        muon_orthogonalization=arguments.muon_orthogonalization,
        betas=(arguments.adam_beta1, arguments.adam_beta2),
    ),
}


def _decay_cosine(progress: float, cooldown_ratio: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))


def _decay_linear(progress: float, cooldown_ratio: float) -> float:
    return 1 - progress


def _keep_constant(progress: float, cooldown_ratio: float) -> float:
    return 1.0


def _decay_at_the_end(progress: float, cooldown_ratio: float) -> float:
    """Warmup-stable-decay (Hu et al. 2024, MiniCPM): constant, then a line down, or none for a ratio of 0."""
    return min(1.0, (1 - progress) / cooldown_ratio) if cooldown_ratio else 1.0


# Share of the way down to the last rate that is left, by how far the run is behind the warm-up.
SCHEDULES: dict[Schedule, Callable[[float, float], float]] = {
    "cosine": _decay_cosine,
    "linear": _decay_linear,
    "constant": _keep_constant,
    "wsd": _decay_at_the_end,
}


def compute_rate_factor(
    step: int,
    *,
    schedule: Schedule = "cosine",
    warmup_steps: int,
    num_steps: int,
    final_ratio: float,
    cooldown_ratio: float = 0.2,
) -> float:
    """By what the learning rates of a step, counted from 0, are multiplied: a linear warm-up, then the schedule.

    Args:
        step (`int`):
            Below `num_steps`.
        schedule (`"cosine"`, `"linear"`, `"constant"` or `"wsd"`):
            The way down.
        warmup_steps (`int`), num_steps (`int`):
            Of the rise, and of the whole run.
        final_ratio (`float`):
            The last rate over the highest.
        cooldown_ratio (`float`, *optional*, defaults to `0.2`):
            Share of the steps behind the warm-up in which `wsd` goes down; 0 for none.
    """
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, num_steps - 1 - warmup_steps))
    return final_ratio + (1 - final_ratio) * SCHEDULES[schedule](progress, cooldown_ratio)


# Whether dropout is on, by the share of the run that is over and the share in which it shall be on.
DROPOUT_SCHEDULES: dict[DropoutSchedule, Callable[[float, float], bool]] = {
    "constant": lambda progress, ratio: True,
    "early": lambda progress, ratio: progress < ratio,
    "late": lambda progress, ratio: progress >= 1 - ratio,
}


class DropoutSwitch:
    """Turns a model's dropout on and off: early dropout fits better, late dropout overfits less (Liu et al. 2023).

    Args:
        model (`nn.Module`):
            A model, with the dropout of its configuration.
        schedule (`"constant"`, `"early"` or `"late"`):
            In which part of the run dropout is on.
        ratio (`float`):
            That part, of the steps.
    """

    def __init__(self, model: nn.Module, schedule: DropoutSchedule, ratio: float):
        self.schedule, self.ratio = schedule, ratio
        self._modules = [(module, module.p) for module in model.modules() if isinstance(module, nn.Dropout)]
        # Attention hands its probability to a kernel, and has no module for it.
        self._attentions = [
            (module, module.attention_dropout)
            for module in model.modules()
            if isinstance(getattr(module, "attention_dropout", None), float)
        ]
        self._is_on = True

    @property
    def is_of_use(self) -> bool:
        """Whether there is any dropout to turn on."""
        return any(probability for _, probability in (*self._modules, *self._attentions))

    def set_step(self, step: int, num_steps: int) -> bool:
        """Turns dropout as the step, counted from 0, has it; gives whether that changed something."""
        is_on = DROPOUT_SCHEDULES[self.schedule](step / num_steps, self.ratio)
        if is_on == self._is_on:
            return False
        for module, probability in self._modules:
            module.p = probability * is_on
        for module, probability in self._attentions:
            module.attention_dropout = probability * is_on
        self._is_on = is_on
        return True


class WeightAverage:
    """An exponential moving average of a model's weights, in float32 (Polyak and Juditsky 1992).

    Args:
        parameters (`Iterable[nn.Parameter]`):
            The model's, always in the same order.
        decay (`float`):
            What stays of the average at each step. Early in a run less stays, so that it forgets the fresh weights.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], decay: float):
        self.parameters = list(parameters)
        self.decay = decay
        self.averages = [parameter.detach().float().clone() for parameter in self.parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes in the weights after a step, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.averages, [each.detach().float() for each in self.parameters], 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchanges weights and average; called again, it takes that back."""
        for parameter, average in zip(self.parameters, self.averages, strict=True):
            weights = parameter.detach().float().clone()
            parameter.copy_(average)
            average.copy_(weights)

    def state_dict(self) -> dict[str, torch.Tensor]:
        """The averages by their number."""
        return {str(number): average for number, average in enumerate(self.averages)}

    def load_state_dict(self, state: dict[str, torch.Tensor]) -> None:
        """Puts saved averages in place of these."""
        for number, average in enumerate(self.averages):
            average.copy_(state[str(number)])


def compute_z_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The mean square of log Z, which keeps logits from drifting (Chowdhery et al. 2022, PaLM).

    Args:
        logits (`torch.Tensor`):
            (batch, length, vocabulary)
        labels (`torch.Tensor`):
            (batch, length); -100 where nothing is to be predicted.
    """
    log_z = torch.logsumexp(logits[:, :-1].float(), dim=-1)  # (batch, length - 1)
    return log_z[labels[:, 1:] != -100].square().mean()
