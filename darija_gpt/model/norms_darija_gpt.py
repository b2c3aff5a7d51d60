"""Norms, by their name in the configuration."""

from torch import nn


# In float32 these equal transformers' own; in bf16 RMSNorm rounds after the weight, Llama's before it.
NORMS = {"layernorm": nn.LayerNorm, "rmsnorm": nn.RMSNorm}

# Norms of a head's query and key, by `qk_norm`.
QK_NORMS = {
    False: lambda config: nn.Identity(),
    True: lambda config: NORMS[config.norm](config.head_dim, eps=config.norm_eps),
}

__all__ = ["NORMS", "QK_NORMS"]
