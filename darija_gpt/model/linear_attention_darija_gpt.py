"""Linear attention: a softmax less, and a state of constant size for a cache."""

import torch
from torch import nn
from transformers.cache_utils import Cache, DynamicCache
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs
from transformers.utils.generic import maybe_autocast

from .heads_darija_gpt import DarijaGPTHeads


class DarijaGPTLinearCache(DynamicCache):
    """The cache of a model of linear layers only, which counts its tokens: transformers asks every cache how many it
    has seen, and a recurrent state does not know."""

    is_compileable = False

    @classmethod
    def adopt(cls, cache: Cache | None) -> None:
        """Turns the cache of such a model into this class; in place, as others hold on to it."""
        if cache is not None and type(cache) is not cls:
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
    key = key * (documents >= 0)[:, None, :, None]
    length = query.shape[-2]
    if length == 1:  # generating: the same sums in a tenth of the steps
        state = state + key.transpose(-1, -2) * value
        return query @ state[:, :, None], state
    chunk_size = min(32, length)  # on two cores, 64 trains 7 % slower and 128 a quarter
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
    RoPE rotates queries and keys before elu + 1, not after it as RoFormer does: so products tell where two tokens
    stand, and not only how far apart. Its mask is the document of each token, -1 for padding.
    """

    def get_state(self, past_key_values: Cache | None) -> torch.Tensor | None:
        """The sums over all tokens before these, or None where there are none."""
        if past_key_values is None:
            return None
        if self.layer_idx >= len(past_key_values.layers):
            raise ValueError(
                f"attention=linear keeps a state in layer {self.layer_idx}, and this cache has "
                f"{len(past_key_values.layers)} layers, as it does not know the model; pass "
                "DynamicCache(config=model.config)."
            )
        return past_key_values.get_recurrent_state(self.layer_idx)

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
            state = self.get_state(past_key_values)
            if state is None:
                state = key.new_zeros(*key.shape[:2], key.shape[-1], value.shape[-1])
            sums, state = attend_linearly(query, key, value, attention_mask, state)
            attended = sums[..., :-1] / (sums[..., -1:] + 1e-6)
        if past_key_values is not None:
            past_key_values.update_recurrent_state(state, self.layer_idx, num_tokens=hidden_states.shape[1])
            past_key_values.layers[self.layer_idx].has_previous_state[0] = True
        attended = attended.flatten(1, 2).transpose(1, 2).flatten(2)
        return self.o_proj(attended.to(hidden_states.dtype)), None


__all__ = ["DarijaGPTLinearAttention", "DarijaGPTLinearCache"]
