"""Optimizer and learning rate schedule."""

import math

import torch
from torch import nn


def group_parameters(model: nn.Module, weight_decay: float) -> list[dict]:
    """Two parameter groups: matrices, which decay, and vectors (norms, biases), which do not."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]


def build_adamw(
    model: nn.Module, *, learning_rate: float, weight_decay: float, betas: tuple[float, float]
) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019) over the model's parameter groups."""
    return torch.optim.AdamW(
        group_parameters(model, weight_decay), lr=learning_rate, betas=betas, eps=1e-8, fused=True
    )


def compute_learning_rate(step: int, *, peak: float, warmup_steps: int, num_steps: int, final_ratio: float) -> float:
    """The learning rate of a step, counted from 0: a linear warm-up, then a cosine down to `final_ratio * peak`.

    A function of the step alone, so that a resumed run needs no state of a scheduler.
    """
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    progress = (step - warmup_steps) / max(1, num_steps - 1 - warmup_steps)
    return peak * (final_ratio + (1 - final_ratio) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
