"""Attention mechanisms, by their name in the configuration."""

import torch
from transformers.cache_utils import Cache
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs

from .heads_darija_gpt import DarijaGPTHeads, DarijaGPTScoredAttention
from .latent_attention_darija_gpt import LATENT_ATTENTIONS
from .linear_attention_darija_gpt import DarijaGPTLinearAttention


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


ATTENTIONS = {
    "full": DarijaGPTAttention,
    "sliding": DarijaGPTSlidingAttention,
    "linear": DarijaGPTLinearAttention,
    "latent": lambda config, layer_idx: LATENT_ATTENTIONS[config.q_lora_rank is not None](config, layer_idx),
    "bigbird": DarijaGPTAttention,
}

__all__ = ["ATTENTIONS", "DarijaGPTAttention"]
