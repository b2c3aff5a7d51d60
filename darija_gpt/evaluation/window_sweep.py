"""How much text before a token helps to predict it: bits per byte with windows of several lengths."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def sweep_windows(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Sequence[Mapping[str, Any]],
    windows: Sequence[int],
    learnt_tokens: int | None = None,
) -> list[dict[str, float | None]]:
    """Bits per byte of the same documents with each of several windows.

    Args:
        model (`PreTrainedModel`), tokenizer (`PreTrainedTokenizerBase`), rows (`Sequence[Mapping]`):
            As in `measure_bits_per_byte`.
        windows (`Sequence[int]`):
            Tokens of each window. Longer ones than the model was trained on are legal where its positions are
            computed, and then show how far it extrapolates (Press et al. 2022).
        learnt_tokens (`int`, *optional*):
            The longest text that the model was trained on.

    Returns:
        `list[dict]`: for each window, the shortest first, `context_tokens` and what `DocumentScores.describe` gives;
        then `difference`, the bits per byte that it needs more than the longest window that the model learnt, and the
        bounds `difference_low` and `_high` of its 95 % interval. It is paired, both being measured on each document,
        and so far narrower than the two numbers' own intervals. Without `learnt_tokens`, or a window that is no
        longer, there is none.

    Raises:
        ValueError: As `score_documents`.
    """
    import math

    from darija_gpt.evaluation.bits_per_byte import score_documents
    from darija_gpt.evaluation.intervals import estimate_ratio
    from darija_gpt.evaluation.windows import check_window

    rows = [row for row in rows if row["text"]]
    check_window(model, max(windows))  # Before the first of them is measured.
    scores_by_window = {}
    for context_tokens in sorted(set(windows)):
        scores_by_window[context_tokens] = score_documents(
            model, tokenizer, rows, context_tokens=context_tokens, description=f"windows of {context_tokens} tokens"
        )
    reference = max((window for window in scores_by_window if window <= (learnt_tokens or 0)), default=None)
    measured = []
    for context_tokens, scores in scores_by_window.items():
        difference = {}
        if reference is not None:
            nats = scores.nats - scores_by_window[reference].nats
            estimate = estimate_ratio(nats / math.log(2), scores.bytes)
            names = {"value": "difference", "low": "difference_low", "high": "difference_high"}
            difference = {
                name: None if estimate[key] is None else round(estimate[key], 6) for key, name in names.items()
            }
        measured.append({"context_tokens": context_tokens, **scores.describe(range(len(rows))), **difference})
    return measured
