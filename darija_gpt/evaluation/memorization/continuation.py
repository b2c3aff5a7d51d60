"""Continuation: how often a model, given the beginning of a passage, goes on with the very words of the data."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from darija_gpt.evaluation.memorization.documents import encode_learnt_document
from darija_gpt.evaluation.memorization.sequences import choose_likeliest, continue_sequences
from darija_gpt.evaluation.memorization.statistics import compare_rates, describe_rate


# Of fewer passages, a percent cannot be told from nothing.
MIN_PASSAGES = 100


def draw_passages(documents: Sequence[list[int]], num_tokens: int, num_passages: int, seed: int) -> list[list[int]]:
    """Passages of documents, none overlapping another, in a random order: as many as asked for, or all there are."""
    passages = [
        document[start : start + num_tokens]
        for document in documents
        for start in range(0, len(document) - num_tokens + 1, num_tokens)
    ]
    random.Random(seed).shuffle(passages)
    return passages[:num_passages]


def measure_continuation(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train_rows: Sequence[Mapping[str, Any]],
    held_out_rows: Sequence[Mapping[str, Any]],
    *,
    num_prefixes: int = 1000,
    prefix_tokens: int = 32,
    continuation_tokens: int = 32,
    seed: int = 0,
) -> dict[str, Any] | None:
    """The rate at which the likeliest continuation of a prefix is exactly that of the document.

    (Carlini et al. 2023, Quantifying Memorization.) What a model continues exactly although it never saw it is a
    phrase that everybody uses: so the rate on held-out documents stands beside the rate on those it was trained on.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        train_rows (`Sequence[Mapping]`), held_out_rows (`Sequence[Mapping]`):
            Rows with `text` and `messages` that the model was trained on, and that it was not.
        num_prefixes (`int`, *optional*, defaults to `1000`):
            Passages of each.
        prefix_tokens (`int`, *optional*, defaults to `32`), continuation_tokens (`int`, *optional*, defaults to `32`):
            Tokens that are given, and that must follow exactly. Where documents are too short for enough passages,
            both are halved.
        seed (`int`, *optional*, defaults to `0`):
            Of the passages.

    Returns:
        `dict`: the two rates, their difference with its interval, and the tokens; None where there are too few
        passages even of half the length.
    """
    encoded = [[encode_learnt_document(tokenizer, row)[0] for row in rows] for rows in (train_rows, held_out_rows)]
    for shortening in (1, 2):
        num_given, num_expected = prefix_tokens // shortening, continuation_tokens // shortening
        passages = [draw_passages(documents, num_given + num_expected, num_prefixes, seed) for documents in encoded]
        if min(map(len, passages)) >= min(MIN_PASSAGES, num_prefixes):
            break
    else:
        return None
    counts = []
    for some, name in zip(passages, ("training", "held-out"), strict=True):
        written = continue_sequences(
            model,
            [passage[:num_given] for passage in some],
            num_expected,
            choose_likeliest,
            description=f"continuing {name} passages",
        )
        counts += [sum(continuation == some[index][num_given:] for index, continuation in written), len(some)]
    train, held_out = describe_rate(*counts[:2]), describe_rate(*counts[2:])
    return {
        "train": train,
        "held_out": held_out,
        "difference": round(train["rate"] - held_out["rate"], 6),
        "difference_interval": compare_rates(*counts),
        "prefix_tokens": num_given,
        "continuation_tokens": num_expected,
    }
