"""Feed-forward networks, plain and gated."""

import torch
from torch import nn
from transformers.activations import ACT2FN


def build_residual_projection(in_features: int, out_features: int, bias: bool) -> nn.Linear:
    """A linear layer that writes to the residual stream, marked because `residual_init` decides how it starts."""
    # No subclass: whatever quantizes a model (bitsandbytes among them) takes modules of the very class nn.Linear.
    projection = nn.Linear(in_features, out_features, bias=bias)
    projection.writes_to_residual = True
    return projection


class DarijaGPTFeedForward(nn.Module):
    """Two projections with an activation between them (Vaswani et al. 2017)."""

    def __init__(self, config):
        super().__init__()
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=config.mlp_bias)
        self.down_proj = build_residual_projection(config.intermediate_size, config.hidden_size, bias=config.mlp_bias)
        self.act_fn = ACT2FN[config.hidden_act]

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return self.down_proj(self.act_fn(self.up_proj(hidden_states)))


class DarijaGPTGatedFeedForward(DarijaGPTFeedForward):
    """The activation gates a second projection (Shazeer 2020): SwiGLU, GEGLU and their kin."""

    def __init__(self, config):
        super().__init__(config)
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=config.mlp_bias)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return self.down_proj(self.act_fn(self.gate_proj(hidden_states)) * self.up_proj(hidden_states))


# By `gated_mlp`.
FEED_FORWARDS = {False: DarijaGPTFeedForward, True: DarijaGPTGatedFeedForward}

__all__ = ["FEED_FORWARDS", "build_residual_projection"]
