"""Perplexity of one long text, as the documentation of transformers computes it."""

from collections.abc import Sequence

from transformers import PreTrainedModel

from darija_gpt.evaluation.windows import Window, check_window, compute_perplexity, score_windows
from darija_gpt.generation import count_context_tokens


def measure_strided_perplexity(
    model: PreTrainedModel,
    input_ids: Sequence[int],
    *,
    max_length: int | None = None,
    stride: int | None = None,
    batch_tokens: int | None = None,
) -> float:
    """Perplexity of one long text, as the documentation of transformers computes it.

    ("Perplexity of fixed-length models".) Windows begin at multiples of the stride and have at most `max_length`
    tokens, the last predicted one included; the mean loss of a window counts for one token less than it has new ones,
    which is right for the first of them. `measure_bits_per_byte` differs from it in three ways: the first token of a
    text is predicted from one that opens it, the last window is as long as the others, each token weighs the same.

    Args:
        model (`PreTrainedModel`):
            A causal language model in float32.
        input_ids (`Sequence[int]`):
            The tokens of the text, at least two.
        max_length (`int`, *optional*):
            Tokens of a window, what the model reads at once by default.
        stride (`int`, *optional*):
            By how many tokens a window is moved, half of `max_length` by default.
        batch_tokens (`int`, *optional*):
            As in `measure_bits_per_byte`.

    Raises:
        ValueError: If there are fewer than two tokens, the stride is not between 1 and `max_length`, or a window is
            longer than what the model has positions for; or if the perplexity is no number that a computer has.
    """
    max_length = max_length or count_context_tokens(model)
    stride = stride or max(1, max_length // 2)
    if max_length < 2 or not 1 <= stride <= max_length:
        raise ValueError(
            f"max_length={max_length} must be at least 2, and stride={stride} between 1 and it; try 512 and 256."
        )
    if len(input_ids) < 2:
        raise ValueError(f"a text of {len(input_ids)} tokens predicts nothing; give at least two tokens.")
    check_window(model, min(max_length, len(input_ids)) - 1)
    ids = list(input_ids)
    windows, weights, end = [], {}, 0
    for begin in range(0, len(ids), stride):
        previous, end = end, min(begin + max_length, len(ids))
        # Its last token is predicted and read by none; a token that opens a window is predicted by none.
        window = Window(0, begin, max(previous - 1, begin), end - 1)
        windows.append(window)
        weights[window] = end - previous - 1
        if end == len(ids):
            break
    documents = [(ids, [1] * len(ids))]
    scored = [window for window in windows if window.end > window.first]
    nats = sum(
        total / (window.end - window.first) * weights[window]
        for window, total in score_windows(model, documents, scored, batch_tokens, "perplexity")
    )
    return compute_perplexity(nats / sum(weights[window] for window in scored))
