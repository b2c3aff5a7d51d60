"""What stands where the configuration asks for nothing: a function, because calling an empty module costs more time
than a small model's token can spare."""

import torch
from torch import nn


def keep(states: torch.Tensor, *ignored) -> torch.Tensor:
    """The first argument as it is."""
    return states


def build_dropout(probability: float) -> nn.Dropout:
    """Dropout, or nothing where it would drop nothing."""
    return nn.Dropout(probability) if probability else keep


__all__ = ["build_dropout", "keep"]
