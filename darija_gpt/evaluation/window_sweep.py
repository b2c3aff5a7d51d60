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
) -> list[dict[str, float]]:
    """Bits per byte of the same documents with each of several windows.

    Args:
        model (`PreTrainedModel`), tokenizer (`PreTrainedTokenizerBase`), rows (`Sequence[Mapping]`):
            As in `measure_bits_per_byte`.
        windows (`Sequence[int]`):
            Tokens of each window. Longer ones than the model was trained on are legal where its positions are
            computed, and then show how far it extrapolates (Press et al. 2022).

    Returns:
        `list[dict]`: for each window, the shortest first, `context_tokens` and what `DocumentScores.describe` gives.

    Raises:
        ValueError: As `score_documents`.
    """
    from darija_gpt.evaluation.bits_per_byte import score_documents
    from darija_gpt.evaluation.windows import check_window

    rows = [row for row in rows if row["text"]]
    check_window(model, max(windows))  # Before the first of them is measured.
    measured = []
    for context_tokens in sorted(set(windows)):
        scores = score_documents(
            model, tokenizer, rows, context_tokens=context_tokens, description=f"windows of {context_tokens} tokens"
        )
        measured.append({"context_tokens": context_tokens, **scores.describe(range(len(rows)))})
    return measured
