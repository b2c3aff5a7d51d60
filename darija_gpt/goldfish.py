"""The goldfish loss: some tokens of a text are never learnt, so that hardly anybody gets it back word for word."""

import torch


CONTEXT_TOKENS = 13  # as in the paper
_PRIME = 2**31 - 1
_MULTIPLIERS = 1_000_003, 48_271


def leave_out_tokens(input_ids: torch.Tensor, position_ids: torch.Tensor, ratio: float) -> torch.Tensor:
    """Labels of which a share is left out, the same ones in the same text (Hans et al. 2024, "Be like a goldfish").

    A hash of the thirteen tokens before a token decides. So when the text comes again, in another epoch or in a copy,
    the same tokens are left out, and what was never learnt is hardly recited. The first thirteen tokens are always
    learnt, for what opens a document is no secret: they are those of a block where attention crosses documents, and
    where a block has cut one.

    Args:
        input_ids (`torch.Tensor`):
            (batch, length)
        position_ids (`torch.Tensor`):
            (batch, length); they begin again with each document.
        ratio (`float`):
            Share of the tokens to leave out, from 0 to 1.

    Returns:
        `torch.Tensor` of shape (batch, length): the input ids, and -100 in place of those that are left out.
    """
    spread, stir = _MULTIPLIERS
    hashes = torch.zeros_like(input_ids)
    for distance in range(CONTEXT_TOKENS, 0, -1):
        earlier = torch.nn.functional.pad(input_ids, (distance, 0))[..., : input_ids.shape[-1]]
        hashes = (hashes * spread + earlier + 1) % _PRIME
    # Once more: contexts that differ in the last token alone have hashes near each other.
    hashes = hashes * stir % _PRIME
    return input_ids.masked_fill((hashes < ratio * _PRIME) & (position_ids >= CONTEXT_TOKENS), -100)
