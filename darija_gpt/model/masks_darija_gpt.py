"""What each attention mechanism may look at."""

from collections.abc import Callable

import torch
from transformers.cache_utils import Cache
from transformers.masking_utils import (
    create_causal_mask,
    create_sliding_window_causal_mask,
    find_packed_sequence_indices,
)


def draw_random_block(query_block: torch.Tensor, draw: int) -> torch.Tensor:
    """A number from 0 to 2^31 - 2 that looks random and is the same whenever it is asked for."""
    # Two steps of Park and Miller's generator, whose modulus is the prime 2^31 - 1, from a seed for each draw.
    number = query_block * 7919 + (draw + 1) * 104729
    for _ in range(2):
        number = (number * 48271) % 2147483647
    return number


def bigbird_overlay(config, num_padding: torch.LongTensor | None) -> Callable:
    """
    BigBird's pattern as a mask function (Zaheer et al. 2020): a token sees its block, the one before, the first
    `num_global_blocks` and `num_random_blocks` of those in between. Blocks are counted from a row's first token, so
    that padding on the left, a cache or another batch changes nothing.
    """
    num_global, num_random = config.num_global_blocks, config.num_random_blocks

    def inner_mask(batch_idx, head_idx, q_idx, kv_idx):
        first = 0 if num_padding is None else num_padding[batch_idx]
        query_block, key_block = (q_idx - first) // config.block_size, (kv_idx - first) // config.block_size
        is_visible = (query_block - key_block <= 1) | (key_block < num_global)
        num_between = (query_block - 1 - num_global).clamp(min=0)
        for draw in range(num_random):
            # One of each of `num_random` equal shares, so that no block is drawn twice.
            start, end = draw * num_between // num_random, (draw + 1) * num_between // num_random
            offset = draw_random_block(query_block, draw) % (end - start).clamp(min=1)
            is_visible = is_visible | ((key_block == num_global + start + offset) & (end > start))
        return is_visible

    return inner_mask


def create_bigbird_mask(config, attention_mask: torch.Tensor | None, **kwargs):
    """The causal mask under BigBird's pattern."""
    num_padding = None
    if attention_mask is not None and attention_mask.ndim == 2:
        num_padding = (attention_mask.cumsum(-1) == 0).sum(-1)
    overlay = bigbird_overlay(config, num_padding)
    return create_causal_mask(config, attention_mask=attention_mask, and_mask_function=overlay, **kwargs)


def create_document_ids(
    config,
    inputs_embeds: torch.Tensor,
    attention_mask: torch.Tensor | None,
    past_key_values: Cache | None,
    position_ids: torch.LongTensor | None,
    **kwargs,
) -> torch.LongTensor:
    """The document of each token, shape (batch, length), and -1 for padding: all that linear attention can mask."""
    batch_size, length = inputs_embeds.shape[:2]
    if attention_mask is not None:
        if attention_mask.ndim != 2:
            raise ValueError(
                f"attention=linear takes an attention_mask of shape (batch, length), and this one has the shape "
                f"{tuple(attention_mask.shape)}; it cannot hide single pairs of tokens."
            )
        return attention_mask[:, -length:].long() - 1
    documents = None
    if position_ids is not None and past_key_values is None:
        documents = find_packed_sequence_indices(position_ids.expand(batch_size, -1))
    if documents is None:
        documents = torch.zeros((batch_size, length), dtype=torch.long, device=inputs_embeds.device)
    return documents


MASKS = {
    "full": create_causal_mask,
    "sliding": create_sliding_window_causal_mask,
    "linear": create_document_ids,
    "latent": create_causal_mask,
    "bigbird": create_bigbird_mask,
}


def create_masks(
    config,
    inputs_embeds: torch.Tensor,
    attention_mask: torch.Tensor | None,
    past_key_values: Cache | None,
    position_ids: torch.LongTensor | None,
    **kwargs,
) -> dict[str, torch.Tensor | None]:
    """
    The mask of each mechanism in the model. Documents packed into one row are kept apart where `position_ids` start
    anew and there is neither an attention mask nor a cache.
    """
    layer_attentions = config.layer_attentions
    return {
        attention: MASKS[attention](
            config=config,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            position_ids=position_ids,
            layer_idx=layer_attentions.index(attention),
        )
        for attention in set(layer_attentions)
    }


__all__ = ["create_masks"]
