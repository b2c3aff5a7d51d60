"""How the states of a text's tokens become the one that a classifier judges, by `classifier_pooling`."""

import torch


def find_text(
    hidden_states: torch.Tensor,
    input_ids: torch.Tensor | None,
    attention_mask: torch.Tensor | None,
    pad_token_id: int | None,
) -> torch.Tensor:
    """Which tokens are text and not padding, shape (batch, length)."""
    if attention_mask is not None and attention_mask.dim() == 2:
        return attention_mask[:, -hidden_states.shape[1] :].bool()
    if input_ids is not None and pad_token_id is not None:
        return input_ids != pad_token_id
    return hidden_states.new_ones(hidden_states.shape[:2], dtype=torch.bool)


def pool_last(hidden_states: torch.Tensor, is_text: torch.Tensor) -> torch.Tensor:
    """The last token's, which alone has seen the whole text (Radford et al. 2018)."""
    places = torch.arange(is_text.shape[1], device=is_text.device)
    return hidden_states[torch.arange(is_text.shape[0], device=is_text.device), (places * is_text).argmax(-1)]


def pool_mean(hidden_states: torch.Tensor, is_text: torch.Tensor) -> torch.Tensor:
    """The mean over the text, as Sentence-BERT (Reimers and Gurevych 2019)."""
    weights = is_text.unsqueeze(-1).to(hidden_states.dtype)
    return (hidden_states * weights).sum(1) / weights.sum(1).clamp(min=1)


POOLINGS = {"last": pool_last, "mean": pool_mean}

__all__ = ["POOLINGS", "find_text"]
