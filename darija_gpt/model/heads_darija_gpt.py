"""What attention mechanisms share: projections to heads, value embeddings, scores by transformers' kernels."""

import torch
from torch import nn
from transformers.integrations.sdpa_attention import repeat_kv
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs

from .feed_forward_darija_gpt import build_residual_projection
from .norms_darija_gpt import QK_NORMS
from .null_objects_darija_gpt import keep
from .positions_darija_gpt import POSITION_EMBEDDINGS


def eager_attention_forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    position_bias: torch.Tensor | None = None,
    **kwargs: Unpack[TransformersKwargs],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention written out, which alone can return its weights, shape (batch, heads, length, key length)."""
    key = repeat_kv(key, module.num_key_value_groups)
    value = repeat_kv(value, module.num_key_value_groups)
    scores = torch.matmul(query, key.transpose(2, 3)) * scaling
    if position_bias is not None:
        scores = scores + position_bias
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = nn.functional.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
    weights = nn.functional.dropout(weights, p=dropout, training=module.training)
    return torch.matmul(weights, value).transpose(1, 2).contiguous(), weights


class DarijaGPTScoredAttention(nn.Module):
    """What mechanisms that score every pair of tokens share."""

    is_causal = True
    sliding_window = None
    num_key_value_groups = 1

    def attend(
        self,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        attention_mask: torch.Tensor | None,
        position_bias: torch.Tensor | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Weighted values, shape (batch, length, heads * value width), and the weights where they are known."""
        attention_interface = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention_forward
        )
        if position_bias is not None and self.config._attn_implementation == "flex_attention":
            position_bias = position_bias.expand(len(query), -1, -1, -1)  # flex looks it up row by row
        attended, weights = attention_interface(
            self,
            query,
            key,
            value,
            attention_mask,
            dropout=self.attention_dropout * self.training,
            scaling=self.scaling,
            sliding_window=self.sliding_window,
            position_bias=position_bias,
            **kwargs,
        )  # (batch, length, heads, value width)
        return attended.flatten(2), weights


class DarijaGPTValueEmbedding(nn.Module):
    """Adds to each value a vector looked up by the token, through a gate for each head that opens to 2 (nanochat)."""

    # Of the stream, enough for the gate to read; as nanochat.
    num_gate_channels = 32

    def __init__(self, config):
        super().__init__()
        self.embed_values = nn.Embedding(config.vocab_size, config.num_key_value_heads * config.head_dim)
        self.num_gate_channels = min(self.num_gate_channels, config.hidden_size)
        self.gate = nn.Linear(self.num_gate_channels, config.num_key_value_heads, bias=False)

    def forward(
        self, value: torch.Tensor, hidden_states: torch.Tensor, input_ids: torch.LongTensor | None
    ) -> torch.Tensor:
        if input_ids is None:
            raise ValueError("value_embeddings=True looks tokens up, so it needs input_ids and not inputs_embeds.")
        gate = 2 * torch.sigmoid(self.gate(hidden_states[..., : self.num_gate_channels]))
        embeddings = self.embed_values(input_ids).view_as(value)  # (batch, length, heads, head_dim)
        return value + gate[..., None] * embeddings


VALUE_EMBEDDINGS = {False: lambda config: keep, True: DarijaGPTValueEmbedding}


class DarijaGPTHeads(nn.Module):
    """The projections of attention with a query, a key and a value for each head."""

    def __init__(self, config, layer_idx: int):
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.head_dim = config.head_dim
        self.num_key_value_groups = config.num_attention_heads // config.num_key_value_heads
        self.scaling = config.head_dim**-0.5
        self.attention_dropout = config.attention_dropout

        query_size = config.num_attention_heads * config.head_dim
        key_value_size = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, query_size, bias=config.attention_bias)
        self.k_proj = nn.Linear(config.hidden_size, key_value_size, bias=config.attention_bias)
        self.v_proj = nn.Linear(config.hidden_size, key_value_size, bias=config.attention_bias)
        self.o_proj = build_residual_projection(query_size, config.hidden_size, bias=config.attention_bias)
        self.q_norm = QK_NORMS[config.qk_norm](config, config.head_dim)
        self.k_norm = QK_NORMS[config.qk_norm](config, config.head_dim)
        self.rotate = POSITION_EMBEDDINGS[config.position_embedding].rotate
        # Every other layer, the last one always; as nanochat.
        is_alternate = layer_idx % 2 == (config.num_hidden_layers - 1) % 2
        self.value_embedding = VALUE_EMBEDDINGS[config.value_embeddings and is_alternate](config)

    def project(
        self,
        hidden_states: torch.Tensor,
        position_embeddings: tuple[torch.Tensor, torch.Tensor] | None,
        input_ids: torch.LongTensor | None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Query, key and value, each (batch, heads, length, head_dim)."""
        head_shape = (*hidden_states.shape[:-1], -1, self.head_dim)
        # Norm before RoPE, as Qwen3; nanochat does the reverse.
        query = self.q_norm(self.q_proj(hidden_states).view(head_shape)).transpose(1, 2)
        key = self.k_norm(self.k_proj(hidden_states).view(head_shape)).transpose(1, 2)
        value = self.value_embedding(self.v_proj(hidden_states).view(head_shape), hidden_states, input_ids)
        query, key = self.rotate(query, key, position_embeddings)
        return query, key, value.transpose(1, 2)


__all__ = ["DarijaGPTHeads", "DarijaGPTScoredAttention", "DarijaGPTValueEmbedding"]
