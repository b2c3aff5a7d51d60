"""Many sequences at a time: the loss of each token, and continuations, drawn or the likeliest."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm
from transformers import PreTrainedModel


VALUES_PER_BATCH = 2**24  # of logits; 64 MiB in float32
SEQUENCES_PER_BATCH = 512
# Chooses the next token of each sequence from (batch, vocab_size) logits.
Choice = Callable[[Tensor], Tensor]


def choose_likeliest(logits: Tensor) -> Tensor:
    """Greedy decoding."""
    return logits.argmax(-1)


def draw_among_likeliest(top_k: int, temperature: float, generator: torch.Generator) -> Choice:
    """Sampling among the `top_k` likeliest tokens, of all tokens the cheaper way on a CPU."""

    def choose(logits: Tensor) -> Tensor:
        likeliest, tokens = logits.float().topk(min(top_k, logits.shape[-1]))
        drawn = torch.multinomial((likeliest / temperature).softmax(-1), 1, generator=generator)  # (batch, 1)
        return tokens.gather(-1, drawn)[:, 0]

    return choose


@torch.inference_mode()
def continue_sequences(
    model: PreTrainedModel, prompts: Sequence[list[int]], num_tokens: int, choose: Choice, *, description: str
) -> Iterator[tuple[int, list[int]]]:
    """What a model writes behind prompts: always as many tokens, also beyond the end of a text.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        prompts (`Sequence[list[int]]`):
            Token ids, at least one each.
        num_tokens (`int`):
            Tokens to write.
        choose (`Choice`):
            How each token is chosen.
        description (`str`):
            The words beside the progress bar.

    Yields:
        `tuple[int, list[int]]`: the place of a prompt and what follows it, those of equal length together.
    """
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    with tqdm(total=len(prompts), desc=description, unit=" texts", disable=None) as progress:
        while order:
            length = len(prompts[order[0]])
            # Where a model can give the logits of the last token alone, no others are to fit.
            batch_size = _count_sequences(model, 1 if model._supports_logits_to_keep() else length)
            # All of one length, so that no padding needs a mask.
            batch = [index for index in order[:batch_size] if len(prompts[index]) == length]
            order = order[len(batch) :]
            written = _continue_batch(model, torch.tensor([prompts[index] for index in batch]), num_tokens, choose)
            yield from zip(batch, written.tolist(), strict=True)
            progress.update(len(batch))


def _count_sequences(model: PreTrainedModel, num_tokens: int) -> int:
    """Sequences of a batch, so that the logits of all their tokens fit."""
    values = num_tokens * model.config.get_text_config().vocab_size
    return max(1, min(SEQUENCES_PER_BATCH, VALUES_PER_BATCH // values))


def _continue_batch(model: PreTrainedModel, prompts: Tensor, num_tokens: int, choose: Choice) -> Tensor:
    sequences = prompts.to(model.device)  # (batch, length)
    inputs, cache = sequences, None
    settings = {"logits_to_keep": 1} if model._supports_logits_to_keep() else {}
    for _ in range(num_tokens):
        outputs = model(input_ids=inputs, past_key_values=cache, use_cache=True, **settings)
        chosen = choose(outputs.logits[:, -1])[:, None]  # (batch, 1)
        sequences = torch.cat([sequences, chosen], dim=1)
        cache = outputs.get("past_key_values")
        # A model without such a cache reads everything again.
        inputs = sequences if cache is None else chosen
    return sequences[:, prompts.shape[1] :]


@torch.inference_mode()
def measure_losses(model: PreTrainedModel, sequences: Sequence[list[int]], *, description: str) -> list[np.ndarray]:
    """For each sequence the negative log-likelihood, in nats, of every token but the first.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        sequences (`Sequence[list[int]]`):
            Token ids, at least two each.
        description (`str`):
            The words beside the progress bar.

    Raises:
        ValueError: If the model gives no finite probabilities.
    """
    order = sorted(range(len(sequences)), key=lambda index: len(sequences[index]), reverse=True)
    losses: list[np.ndarray] = [np.empty(0)] * len(sequences)
    with tqdm(total=sum(map(len, sequences)), desc=description, unit=" tokens", disable=None) as progress:
        while order:
            size = _count_sequences(model, len(sequences[order[0]]))
            batch, order = order[:size], order[size:]
            measured = _measure_batch(model, [torch.tensor(sequences[index]) for index in batch])
            for index, row in zip(batch, measured, strict=True):
                losses[index] = row[: len(sequences[index]) - 1].numpy()
                progress.update(len(sequences[index]))
    if not all(np.isfinite(values).all() for values in losses):
        raise ValueError("the model gives no finite probabilities: its weights are damaged; take another checkpoint.")
    return losses


def _measure_batch(model: PreTrainedModel, sequences: list[Tensor]) -> Tensor:
    # Padding stands on the right, where no token can see it; its id does not matter.
    ids = pad_sequence(sequences, batch_first=True).to(model.device)  # (batch, length)
    mask = pad_sequence([torch.ones_like(sequence) for sequence in sequences], batch_first=True).to(model.device)
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]  # (batch, length - 1, vocab)
    losses = cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten(), reduction="none")
    return losses.view(len(sequences), -1).double().cpu()
