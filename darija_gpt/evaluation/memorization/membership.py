"""Membership inference: can somebody who has a text tell from the model whether it was trained on it?"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from darija_gpt.evaluation.memorization.documents import encode_learnt_document
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
    # They divide the mean over tokens, of texts that all have 256; where lengths differ, that would score the length.
    return -float(losses.sum()) / num_zlib_bytes


ATTACKS = {"loss": score_loss, "min_k": score_min_k, "zlib": score_zlib}


class ReadDocuments:
    """Documents as a model reads them, of which the words are scored and not the control tokens around them.

    Documents with fewer than eight scored tokens are left out.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        rows (`Sequence[Mapping]`):
            Rows with `text` and `messages`.
        num_tokens (`int`):
            Tokens of a document that are read.
        description (`str`):
            The words beside the progress bar.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        rows: Sequence[Mapping[str, Any]],
        *,
        num_tokens: int,
        description: str,
    ):
        encoded = ([values[:num_tokens] for values in encode_learnt_document(tokenizer, row)] for row in rows)
        documents = [(ids, np.array(is_scored[1:]) == 1) for ids, is_scored in encoded]
        documents = [(ids, is_scored) for ids, is_scored in documents if is_scored.sum() >= MIN_TOKENS]
        losses = measure_losses(model, [ids for ids, _ in documents], description=description)
        self.tokenizer = tokenizer
        self.ids = [np.array(ids[1:]) for ids, _ in documents]
        self.is_scored = [is_scored for _, is_scored in documents]
        self.losses = losses

    def score(self, num_tokens: int) -> dict[str, np.ndarray]:
        """What each attack makes of their first tokens; high where a text seems known."""
        scores: dict[str, list[float]] = {name: [] for name in ATTACKS}
        for ids, is_scored, losses in zip(self.ids, self.is_scored, self.losses, strict=True):
            is_read = is_scored & (np.arange(1, len(is_scored) + 1) < num_tokens)
            if is_read.sum() < MIN_TOKENS:
                continue
            num_zlib_bytes = len(zlib.compress(self.tokenizer.decode(ids[is_read].tolist()).encode()))
            for name, attack in ATTACKS.items():
                scores[name].append(attack(losses[is_read], num_zlib_bytes))
        return {name: np.array(values) for name, values in scores.items()}


def measure_membership(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train_rows: Sequence[Mapping[str, Any]],
    held_out_rows: Sequence[Mapping[str, Any]],
    *,
    num_tokens: int = 64,
    longer: Sequence[int] = (),
    seed: int = 0,
) -> dict[str, Any] | None:
    """How well three attacks tell documents that a model was trained on from documents that it was not.

    The more of a document somebody has, the better he tells: an AUC is one of a length.

    Args:
        model (`PreTrainedModel`), tokenizer (`PreTrainedTokenizerBase`):
            As of `ReadDocuments`.
        train_rows (`Sequence[Mapping]`), held_out_rows (`Sequence[Mapping]`):
            Rows that the model was trained on and that it was not, of the same kind: whatever else differs between
            the two, an attack would use, too.
        num_tokens (`int`, *optional*, defaults to `64`):
            The first tokens of a document, by which the attacks tell.
        longer (`Sequence[int]`, *optional*):
            Other lengths, of which the best attack's AUC is told.
        seed (`int`, *optional*, defaults to `0`):
            Of the bootstrap over documents.

    Returns:
        `dict`: for each attack `auc` (0.5 is guessing) and `tpr_at_1_percent_fpr`, with their intervals, the numbers
        of documents, and under `longer` the best attack's AUC by that many tokens; None where there are too few
        documents.
    """
    most = max([num_tokens, *longer])
    members = ReadDocuments(model, tokenizer, train_rows, num_tokens=most, description="training documents")
    others = ReadDocuments(model, tokenizer, held_out_rows, num_tokens=most, description="held-out documents")
    scores = members.score(num_tokens), others.score(num_tokens)
    num_members, num_others = (len(scored["loss"]) for scored in scores)
    if min(num_members, num_others) < MIN_DOCUMENTS:
        return None

    def describe(name: str) -> dict[str, Any]:
        pair = scores[0][name], scores[1][name]
        return {
            "auc": round(measure_auc(*pair), 4),
            "auc_interval": bootstrap(measure_auc, *pair, seed),
            "tpr_at_1_percent_fpr": round(measure_tpr(*pair, MAX_FPR), 4),
            "tpr_interval": bootstrap(measure_tpr, *pair, seed),
        }

    return {
        "members": num_members,
        "others": num_others,
        "num_tokens": num_tokens,
        "attacks": {name: describe(name) for name in ATTACKS},
        "longer": {str(length): _find_best_auc(members.score(length), others.score(length)) for length in longer},
    }


def _find_best_auc(members: Mapping[str, np.ndarray], others: Mapping[str, np.ndarray]) -> float:
    return round(max(measure_auc(members[name], others[name]) for name in ATTACKS), 4)
