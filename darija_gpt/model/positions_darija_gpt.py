"""Position encodings, by their name in the configuration."""

import torch
from torch import nn
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS, dynamic_rope_update


def compute_default_rope_parameters(config, device=None, seq_len=None, **kwargs) -> tuple[torch.Tensor, float]:
    """Inverse frequencies, shape (head_dim / 2,), of RoPE as first published, and a scale of 1 for cos and sin."""
    exponents = torch.arange(0, config.head_dim, 2, dtype=torch.float, device=device) / config.head_dim
    return 1.0 / config.rope_parameters["rope_theta"] ** exponents, 1.0


class DarijaGPTRotaryEmbedding(nn.Module):
    """Rotary position embedding (Su et al. 2021), with every scaling that transformers knows."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        # Names that `dynamic_rope_update` reads.
        self.max_seq_len_cached = self.original_max_seq_len = config.max_position_embeddings
        self.rope_type = config.rope_parameters["rope_type"]
        self.rope_init_fn = {"default": compute_default_rope_parameters, **ROPE_INIT_FUNCTIONS}[self.rope_type]
        inv_freq, self.attention_scaling = self.rope_init_fn(config)
        self.inv_freq = nn.Buffer(inv_freq, persistent=False)
        self.original_inv_freq = nn.Buffer(inv_freq.clone(), persistent=False)

    # PreTrainedModel fills the buffers again through this name when it loads on the meta device.
    compute_default_rope_parameters = staticmethod(compute_default_rope_parameters)

    @torch.no_grad()
    @dynamic_rope_update
    def forward(
        self, hidden_states: torch.Tensor, position_ids: torch.LongTensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        frequencies = position_ids[..., None].float() * self.inv_freq.float()  # (batch, length, head_dim / 2)
        angles = torch.cat((frequencies, frequencies), dim=-1)  # (batch, length, head_dim)
        cos, sin = angles.cos() * self.attention_scaling, angles.sin() * self.attention_scaling
        return cos.to(hidden_states.dtype), sin.to(hidden_states.dtype)


def rotate_half(states: torch.Tensor) -> torch.Tensor:
    """(first half, second half) -> (-second half, first half), over the last dimension."""
    first, second = states.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)


def apply_rotary_pos_emb(
    query: torch.Tensor, key: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Query and key, each (batch, heads, length, head_dim), rotated by their positions."""
    cos, sin = cos.unsqueeze(1), sin.unsqueeze(1)  # (batch, 1, length, head_dim)
    return query * cos + rotate_half(query) * sin, key * cos + rotate_half(key) * sin


POSITION_EMBEDDINGS = {"rope": DarijaGPTRotaryEmbedding}

__all__ = ["POSITION_EMBEDDINGS", "apply_rotary_pos_emb"]
