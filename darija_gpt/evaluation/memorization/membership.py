"""Membership inference: can somebody who has a text tell from the model whether it was trained on it?"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from darija_gpt.evaluation.bits_per_byte import encode_document
from darija_gpt.evaluation.memorization.sequences import measure_losses
from darija_gpt.evaluation.memorization.statistics import bootstrap, measure_auc, measure_tpr


MIN_DOCUMENTS = 50  # Of fewer, an interval covers any threshold.
MIN_TOKENS = 8
MIN_K = 0.2  # The share of tokens of Shi et al.
MAX_FPR = 0.01


def score_loss(losses: np.ndarray, num_zlib_bytes: int) -> float:
    """Mean loss: what was seen costs less (Yeom et al. 2018)."""
    return -float(losses.mean())


def score_min_k(losses: np.ndarray, num_zlib_bytes: int) -> float:
    """Mean log-probability of the least likely fifth of the tokens (Shi et al. 2024, Min-K% Prob)."""
    worst = max(1, int(MIN_K * len(losses)))
    return -float(np.sort(losses)[-worst:].mean())


def score_zlib(losses: np.ndarray, num_zlib_bytes: int) -> float:
    """Loss for each byte that zlib makes of a text, so that no dull text seems known (Carlini et al. 2021)."""
    return -float(losses.sum()) / num_zlib_bytes


ATTACKS = {"loss": score_loss, "min_k": score_min_k, "zlib": score_zlib}


def score_documents(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Mapping[str, Any]],
    *,
    context_tokens: int,
    description: str,
) -> dict[str, np.ndarray]:
    """What each attack makes of documents, from the tokens that fit a context; high where a text seems known.

    What is scored is the words of a document, not the control tokens around them. Documents with fewer than eight
    scored tokens are left out.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        rows (`Sequence[Mapping]`):
            Rows with `text` and `messages`.
        context_tokens (`int`):
            Tokens of a document that are read.
        description (`str`):
            The words beside the progress bar.
    """
    encoded = ([values[:context_tokens] for values in encode_document(tokenizer, row)] for row in rows)
    documents = [(ids, np.array(is_scored[1:]) == 1) for ids, is_scored in encoded if sum(is_scored[1:]) >= MIN_TOKENS]
    losses = measure_losses(model, [ids for ids, _ in documents], description=description)
    scores: dict[str, list[float]] = {name: [] for name in ATTACKS}
    for (ids, is_scored), row in zip(documents, losses, strict=True):
        scored_ids = [token for token, is_one in zip(ids[1:], is_scored, strict=True) if is_one]
        num_zlib_bytes = len(zlib.compress(tokenizer.decode(scored_ids).encode()))
        for name, attack in ATTACKS.items():
            scores[name].append(attack(row[is_scored], num_zlib_bytes))
    return {name: np.array(values) for name, values in scores.items()}


def measure_membership(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train_rows: Sequence[Mapping[str, Any]],
    held_out_rows: Sequence[Mapping[str, Any]],
    *,
    context_tokens: int,
    seed: int = 0,
) -> dict[str, Any] | None:
    """How well three attacks tell documents that a model was trained on from documents that it was not.

    Args:
        model (`PreTrainedModel`), tokenizer (`PreTrainedTokenizerBase`), context_tokens (`int`):
            As of `score_documents`.
        train_rows (`Sequence[Mapping]`), held_out_rows (`Sequence[Mapping]`):
            Rows that the model was trained on and that it was not, of the same kind: whatever else differs between
            the two, an attack would use, too.
        seed (`int`, *optional*, defaults to `0`):
            Of the bootstrap over documents.

    Returns:
        `dict`: for each attack `auc` (0.5 is guessing) and `tpr_at_1_percent_fpr`, with their intervals, and the
        numbers of documents; None where there are too few.
    """
    members = score_documents(
        model, tokenizer, train_rows, context_tokens=context_tokens, description="training documents"
    )
    others = score_documents(
        model, tokenizer, held_out_rows, context_tokens=context_tokens, description="held-out documents"
    )
    num_members, num_others = len(members["loss"]), len(others["loss"])
    if min(num_members, num_others) < MIN_DOCUMENTS:
        return None

    def describe(name: str) -> dict[str, Any]:
        pair = members[name], others[name]
        return {
            "auc": round(measure_auc(*pair), 4),
            "auc_interval": bootstrap(measure_auc, *pair, seed),
            "tpr_at_1_percent_fpr": round(measure_tpr(*pair, MAX_FPR), 4),
            "tpr_interval": bootstrap(measure_tpr, *pair, seed),
        }

    return {
        "members": num_members,
        "others": num_others,
        "context_tokens": context_tokens,
        "attacks": {name: describe(name) for name in ATTACKS},
    }
