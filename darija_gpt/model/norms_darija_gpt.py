"""Norms, by their name in the configuration."""

import torch
from torch import nn

from .null_objects_darija_gpt import keep


class DarijaGPTBatchNorm(nn.BatchNorm1d):
    """
    Each feature over all tokens of the batch (Ioffe and Szegedy 2015), later ones and padding included while training;
    over the running statistics afterwards. Activation checkpointing counts a batch twice in these.
    """

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return super().forward(hidden_states.flatten(0, -2)).view_as(hidden_states)


# In float32 these equal transformers' own; in bf16 RMSNorm rounds after the weight, Llama's before it.
NORMS = {"layernorm": nn.LayerNorm, "rmsnorm": nn.RMSNorm, "batchnorm": DarijaGPTBatchNorm}

# Norms of a head's query and key, by `qk_norm`.
QK_NORMS = {
    False: lambda config, head_dim: keep,
    True: lambda config, head_dim: NORMS[config.norm](head_dim, eps=config.norm_eps),
}

__all__ = ["NORMS", "QK_NORMS"]
