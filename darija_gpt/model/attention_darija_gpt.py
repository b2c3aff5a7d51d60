"""Attention mechanisms, by their name in the configuration."""

import torch
from torch import nn
from transformers.cache_utils import Cache, DynamicCache
from transformers.integrations.sdpa_attention import repeat_kv
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs
from transformers.utils.generic import maybe_autocast

from .feed_forward_darija_gpt import ResidualProjection
from .norms_darija_gpt import NORMS, QK_NORMS
from .positions_darija_gpt import POSITION_EMBEDDINGS, compute_yarn_scale


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


class DarijaGPTNoValueEmbedding(nn.Module):
    """Leaves the values as they are."""

    def forward(
        self, value: torch.Tensor, hidden_states: torch.Tensor, input_ids: torch.LongTensor | None
    ) -> torch.Tensor:
        return value


VALUE_EMBEDDINGS = {False: lambda config: DarijaGPTNoValueEmbedding(), True: DarijaGPTValueEmbedding}


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
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Weighted values, shape (batch, length, heads * value width), and the weights where they are known."""
        attention_interface = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention_forward
        )
        attended, weights = attention_interface(
            self,
            query,
            key,
            value,
            attention_mask,
            dropout=self.config.attention_dropout * self.training,
            scaling=self.scaling,
            sliding_window=self.sliding_window,
            **kwargs,
        )  # (batch, length, heads, value width)
        return attended.flatten(2), weights


class DarijaGPTHeads(nn.Module):
    """The projections of attention with a query, a key and a value for each head."""

    def __init__(self, config, layer_idx: int):
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.head_dim = config.head_dim
        self.num_key_value_groups = config.num_attention_heads // config.num_key_value_heads
        self.scaling = config.head_dim**-0.5

        query_size = config.num_attention_heads * config.head_dim
        key_value_size = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, query_size, bias=config.attention_bias)
        self.k_proj = nn.Linear(config.hidden_size, key_value_size, bias=config.attention_bias)
        self.v_proj = nn.Linear(config.hidden_size, key_value_size, bias=config.attention_bias)
        self.o_proj = ResidualProjection(query_size, config.hidden_size, bias=config.attention_bias)
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


class DarijaGPTAttention(DarijaGPTHeads, DarijaGPTScoredAttention):
    """
    Every token looks at what the mask leaves of the earlier ones (Vaswani et al. 2017): all of them (full), or
    BigBird's blocks. MHA, GQA or MQA by `num_key_value_heads`.
    """

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_bias: torch.Tensor | None,
        position_embeddings: tuple[torch.Tensor, torch.Tensor] | None,
        attention_mask: torch.Tensor | None,
        input_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        query, key, value = self.project(hidden_states, position_embeddings, input_ids)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attended, weights = self.attend(query, key, value, attention_mask, position_bias=position_bias, **kwargs)
        return self.o_proj(attended), weights


class DarijaGPTSlidingAttention(DarijaGPTAttention):
    """The last `sliding_window` tokens only, which is all that the cache keeps (Longformer, Mistral)."""

    def __init__(self, config, layer_idx: int):
        super().__init__(config, layer_idx)
        self.sliding_window = config.sliding_window  # flash attention wants it beside the mask


class DarijaGPTLatentAttention(DarijaGPTScoredAttention):
    """
    Multi-head latent attention (DeepSeek-V2): key and value of all heads come from one narrow latent vector and one
    rotated key part, and only these two are cached.
    """

    def __init__(self, config, layer_idx: int):
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.nope_dim = config.qk_nope_head_dim
        self.rope_dim = config.qk_rope_head_dim
        self.value_dim = config.v_head_dim
        self.scaling = (self.nope_dim + self.rope_dim) ** -0.5 * compute_yarn_scale(config)

        query_size = config.num_attention_heads * (self.nope_dim + self.rope_dim)
        self.q_proj = QUERY_PROJECTIONS[config.q_lora_rank is not None](config, query_size)
        self.kv_a_proj_with_mqa = nn.Linear(
            config.hidden_size, config.kv_lora_rank + self.rope_dim, bias=config.attention_bias
        )
        self.kv_a_layernorm = NORMS[config.norm](config.kv_lora_rank, eps=config.norm_eps)
        self.kv_b_proj = nn.Linear(
            config.kv_lora_rank, config.num_attention_heads * (self.nope_dim + self.value_dim), bias=False
        )
        self.o_proj = ResidualProjection(
            config.num_attention_heads * self.value_dim, config.hidden_size, bias=config.attention_bias
        )
        self.q_nope_norm = QK_NORMS[config.qk_norm](config, self.nope_dim)
        self.k_nope_norm = QK_NORMS[config.qk_norm](config, self.nope_dim)
        self.q_rope_norm = QK_NORMS[config.qk_norm](config, self.rope_dim)
        self.k_rope_norm = QK_NORMS[config.qk_norm](config, self.rope_dim)
        self.rotate = POSITION_EMBEDDINGS[config.position_embedding].rotate

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_bias: None,
        position_embeddings: tuple[torch.Tensor, torch.Tensor] | None,
        attention_mask: torch.Tensor | None,
        input_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        query = self.q_proj(hidden_states).unflatten(-1, (-1, self.nope_dim + self.rope_dim)).transpose(1, 2)
        query_nope, query_rope = query.split((self.nope_dim, self.rope_dim), dim=-1)  # (batch, heads, length, ...)
        compressed = self.kv_a_proj_with_mqa(hidden_states).unsqueeze(1)
        latent, key_rope = compressed.split((compressed.shape[-1] - self.rope_dim, self.rope_dim), dim=-1)
        latent = self.kv_a_layernorm(latent)  # (batch, 1, length, kv_lora_rank)
        # Decoupled: the latent is never rotated, or it could not be cached before it becomes keys.
        query_rope, key_rope = self.rotate(
            self.q_rope_norm(query_rope), self.k_rope_norm(key_rope), position_embeddings
        )
        if past_key_values is not None:
            latent, key_rope = past_key_values.update(latent, key_rope, self.layer_idx)

        key_value = self.kv_b_proj(latent.squeeze(1)).unflatten(-1, (-1, self.nope_dim + self.value_dim))
        key_nope, value = key_value.transpose(1, 2).split((self.nope_dim, self.value_dim), dim=-1)
        key_rope = key_rope.expand(-1, key_nope.shape[1], -1, -1)
        query = torch.cat((self.q_nope_norm(query_nope), query_rope), dim=-1)
        key = torch.cat((self.k_nope_norm(key_nope), key_rope), dim=-1)
        attended, weights = self.attend(query, key, value, attention_mask, **kwargs)
        return self.o_proj(attended), weights


class DarijaGPTLowRankQuery(nn.Module):
    """The query through a narrow layer with a norm, which saves memory in training (DeepSeek-V2)."""

    def __init__(self, config, query_size: int):
        super().__init__()
        self.q_a_proj = nn.Linear(config.hidden_size, config.q_lora_rank, bias=config.attention_bias)
        self.q_a_layernorm = NORMS[config.norm](config.q_lora_rank, eps=config.norm_eps)
        self.q_b_proj = nn.Linear(config.q_lora_rank, query_size, bias=False)

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return self.q_b_proj(self.q_a_layernorm(self.q_a_proj(hidden_states)))


QUERY_PROJECTIONS = {
    False: lambda config, query_size: nn.Linear(config.hidden_size, query_size, bias=False),
    True: DarijaGPTLowRankQuery,
}


class DarijaGPTLinearCache(DynamicCache):
    """The cache of a model of linear layers only, which counts its tokens: transformers asks every cache how many it
    has seen, and a recurrent state does not know."""

    is_compileable = False

    @classmethod
    def adopt(cls, cache: Cache | None) -> None:
        """Turns a cache into this class where all its layers are linear; in place, as others hold on to it."""
        if type(cache) is not cls and cache is not None and cache.layers and all(cache.is_linear):
            cache.__class__ = cls
            cache.num_seen_tokens = 0

    def update_recurrent_state(
        self, recurrent_states: torch.Tensor, layer_idx: int, state_idx: int = 0, num_tokens: int = 0
    ) -> torch.Tensor:
        self.num_seen_tokens += num_tokens * (layer_idx == 0)
        return super().update_recurrent_state(recurrent_states, layer_idx, state_idx)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.num_seen_tokens

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        return self.num_seen_tokens + query_length, 0

    def reset(self):
        super().reset()
        self.num_seen_tokens = 0


def attend_linearly(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, documents: torch.LongTensor, state: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """
    Causal sums of positive products, chunk by chunk: within a chunk pair by pair, before it through a running state.

    Args:
        query (`torch.Tensor` of shape `(batch, key heads, groups, length, width)`), key (`(batch, key heads, length,
            width)`): Positive features.
        value (`torch.Tensor` of shape `(batch, key heads, length, value width)`):
            What is summed.
        documents (`torch.LongTensor` of shape `(batch, length)`):
            The document of each token, from 0 on and never falling; -1 is padding. Tokens see their own only.
        state (`torch.Tensor` of shape `(batch, key heads, width, value width)`):
            The sum of key times value over all tokens before these.

    Returns:
        `tuple[torch.Tensor, torch.Tensor]`: The sums, shape (batch, key heads, groups, length, value width), and the
        state after the last token.
    """
    length = query.shape[-2]
    chunk_size = min(64, length)  # as fast as 32 and faster than 128 for heads of 32 to 64
    key = key * (documents >= 0)[:, None, :, None]
    documents = documents.cummax(-1).values.clamp(min=0)  # padding sees what the text before it sees
    padding = -length % chunk_size
    query, key, value = (nn.functional.pad(states, (0, 0, 0, padding)) for states in (query, key, value))
    query, key, value = (states.unflatten(-2, (-1, chunk_size)) for states in (query, key, value))
    documents = nn.functional.pad(documents, (0, padding), value=-1).unflatten(-1, (-1, chunk_size))
    last = documents.amax(-1)  # (batch, chunks)
    before = nn.functional.pad(last[:, :-1], (1, 0))

    # What each chunk adds to the state of the document that it ends in, and what its queries find of it.
    is_open = (documents == last[..., None]).to(key.dtype)[:, None, ..., None]
    added = torch.einsum("bhcsk,bhcsv->bhckv", key * is_open, value)
    is_same = (before[:, :, None] == last[:, None, :]).to(key.dtype)  # (batch, chunks, chunks)
    carried = torch.einsum("bcd,bhdkv->bhckv", is_same.tril(-1), added) + state[:, :, None]
    carries_on = (documents == before[..., None]).to(query.dtype)[:, None, None, ..., None]
    sums = torch.einsum("bhgctk,bhckv->bhgctv", query * carries_on, carried)

    pairs = torch.einsum("bhgctk,bhcsk->bhgcts", query, key)
    visible = (documents[..., :, None] == documents[..., None, :]).tril()[:, None, None]
    sums = sums + torch.einsum("bhgcts,bhcsv->bhgctv", pairs * visible, value)

    is_last = (last == last[:, -1:]).to(key.dtype)
    state = state + torch.einsum("bc,bhckv->bhkv", is_last, added)
    return sums.flatten(3, 4)[..., :length, :], state


class DarijaGPTLinearAttention(DarijaGPTHeads):
    """
    All earlier tokens through a state of constant size, with elu + 1 for the softmax (Katharopoulos et al. 2020).
    Its mask is the document of each token, -1 for padding.
    """

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_bias: None,
        position_embeddings: tuple[torch.Tensor, torch.Tensor] | None,
        attention_mask: torch.LongTensor,
        input_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, None]:
        query, key, value = self.project(hidden_states, position_embeddings, input_ids)
        # Sums over thousands of tokens want float32. A column of ones beside the values sums the weights.
        with maybe_autocast(query.device.type, enabled=False):
            query, key = (nn.functional.elu(states.float()) + 1 for states in (query, key))
            query = query.unflatten(1, (-1, self.num_key_value_groups))  # (batch, key heads, groups, length, head_dim)
            value = nn.functional.pad(value.float(), (0, 1), value=1.0)
            state = None if past_key_values is None else past_key_values.get_recurrent_state(self.layer_idx)
            if state is None:
                state = key.new_zeros(*key.shape[:2], key.shape[-1], value.shape[-1])
            sums, state = attend_linearly(query, key, value, attention_mask, state)
            attended = sums[..., :-1] / (sums[..., -1:] + 1e-6)
        if past_key_values is not None:
            past_key_values.update_recurrent_state(state, self.layer_idx, num_tokens=hidden_states.shape[1])
            past_key_values.layers[self.layer_idx].has_previous_state[0] = True
        attended = attended.flatten(1, 2).transpose(1, 2).flatten(2)
        return self.o_proj(attended.to(hidden_states.dtype)), None


ATTENTIONS = {
    "full": DarijaGPTAttention,
    "sliding": DarijaGPTSlidingAttention,
    "linear": DarijaGPTLinearAttention,
    "latent": DarijaGPTLatentAttention,
    "bigbird": DarijaGPTAttention,
}

__all__ = ["ATTENTIONS", "DarijaGPTLinearCache", "DarijaGPTScoredAttention"]
