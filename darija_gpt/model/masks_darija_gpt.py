"""What each attention mechanism may look at."""

import torch
from transformers.cache_utils import Cache
from transformers.masking_utils import (
    ALL_MASK_ATTENTION_FUNCTIONS,
    and_masks,
    causal_mask_function,
    create_causal_mask,
    create_sliding_window_causal_mask,
    find_packed_sequence_indices,
    packed_sequence_compatibility_function,
)


def draw_numbers(seeds: torch.Tensor, draw: int) -> torch.Tensor:
    """Numbers from 0 to 2^31 - 2 that look random and are the same whenever they are asked for."""
    # Two steps of Park and Miller's generator, whose modulus is the prime 2^31 - 1.
    numbers = seeds * 7919 + (draw + 1) * 104729
    for _ in range(2):
        numbers = (numbers * 48271) % 2147483647
    return numbers


def find_visible_blocks(config, num_blocks: int, device: torch.device | str = "cpu") -> torch.BoolTensor:
    """
    BigBird's pattern (Zaheer et al. 2020), shape (query blocks, key blocks): each block sees itself, the one before,
    the first `num_global_blocks`, and `num_random_blocks` of those in between. The blocks' numbers decide alone.
    """
    blocks = torch.arange(num_blocks, device=device)
    query, key = blocks[:, None], blocks[None, :]
    visible = (query - key <= 1) | (key < config.num_global_blocks)
    num_between = (query - 1 - config.num_global_blocks).clamp(min=0)
    for draw in range(config.num_random_blocks):
        # One of each of `num_random_blocks` equal shares, so that no block is drawn twice.
        start = draw * num_between // config.num_random_blocks
        end = (draw + 1) * num_between // config.num_random_blocks
        drawn = config.num_global_blocks + start + draw_numbers(query, draw) % (end - start).clamp(min=1)
        visible = visible | ((key == drawn) & (end > start))
    return visible


def create_bigbird_mask(
    config,
    inputs_embeds: torch.Tensor,
    attention_mask: torch.Tensor | None,
    past_key_values: Cache | None,
    position_ids: torch.LongTensor | None,
    layer_idx: int,
):
    """
    The causal mask under BigBird's pattern, as transformers' kernels want it. Blocks are counted from a row's first
    token, so that padding on the left, a cache or another batch changes nothing.
    """
    if attention_mask is not None and attention_mask.ndim == 4:
        return attention_mask  # made by the caller, as for all mechanisms of transformers
    batch_size, length = inputs_embeds.shape[:2]
    device = inputs_embeds.device
    query_offset, key_length, key_offset = 0, length, 0
    if past_key_values is not None:
        query_offset = past_key_values.get_query_offset(layer_idx)
        key_length, key_offset = past_key_values.get_mask_sizes(length, layer_idx)
    num_padding = torch.zeros(batch_size, dtype=torch.long, device=device)
    if attention_mask is not None:
        attention_mask = attention_mask.to(device, torch.bool)
        num_padding = (attention_mask.cumsum(-1) == 0).sum(-1)

    tokens = torch.arange(key_length + key_offset, device=device)
    blocks = (tokens - num_padding[:, None]).clamp(min=0) // config.block_size  # (batch, tokens)
    visible = find_visible_blocks(config, tokens.shape[0] // config.block_size + 1, device)

    def is_visible(batch_idx, head_idx, q_idx, kv_idx):
        return visible[blocks[batch_idx, q_idx], blocks[batch_idx, kv_idx]]

    mask_function = and_masks(causal_mask_function, is_visible)
    if position_ids is not None and attention_mask is None and past_key_values is None:
        position_ids = position_ids.expand(batch_size, -1)
        documents = find_packed_sequence_indices(position_ids)
        if documents is not None:
            mask_function = packed_sequence_compatibility_function(mask_function, position_ids, documents)
    implementation = config._attn_implementation
    make_mask = ALL_MASK_ATTENTION_FUNCTIONS.get(implementation)
    if make_mask is None:
        raise ValueError(
            f"attention=bigbird is a mask, and attn_implementation={implementation} has no function that makes one; "
            f'register it, too, as in AttentionMaskInterface.register("{implementation}", sdpa_mask).'
        )
    return make_mask(
        batch_size=batch_size,
        q_length=length,
        kv_length=key_length,
        q_offset=query_offset,
        kv_offset=key_offset,
        mask_function=mask_function,
        attention_mask=attention_mask,
        allow_is_causal_skip=False,
        dtype=inputs_embeds.dtype,
        device=device,
    )


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
