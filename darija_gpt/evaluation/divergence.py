"""Divergences: how far two models are apart on a text, and how far what a model writes is from what people write."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Pillutla et al. 2021: how steeply a divergence counts, and texts for each cluster.
SCALE = 5.0
TEXTS_PER_CLUSTER = 10
# Mixtures that the curve is computed at, as in the paper's own code.
MIXTURES = np.linspace(1e-6, 1 - 1e-6, 25)
KEPT_VARIANCE = 0.9


def measure_kl_divergence(
    model: "PreTrainedModel",
    reference: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Iterable[Mapping[str, Any]],
    *,
    context_tokens: int | None = None,
) -> dict[str, float | None]:
    """How far the next-token distributions of a model are from those of another one, on texts that both read.

    `KL(model || reference)` is what a text drawn from the model costs more when it is written with the reference. It
    is computed over the whole vocabulary at each token, so that no token needs to be drawn.

    Args:
        model (`PreTrainedModel`), reference (`PreTrainedModel`):
            Causal language models in float32 with the same tokenizer.
        tokenizer (`PreTrainedTokenizerBase`):
            That tokenizer.
        rows (`Iterable[Mapping]`), context_tokens (`int`, *optional*):
            As in `measure_bits_per_byte`; by default a window is what both models read at once.

    Returns:
        `dict`: `nats_per_token`, its 95 % interval `nats_per_token_low` and `_high` by the bootstrap over documents,
        `same_likeliest_token` (a share), `tokens` and `documents`.

    Raises:
        ValueError: If there is nothing to score, a model does not compute in float32, or gives no numbers.
    """
    import torch
    from tqdm import tqdm

    from darija_gpt.evaluation.bits_per_byte import encode_rows
    from darija_gpt.evaluation.intervals import estimate_ratio
    from darija_gpt.evaluation.windows import (
        LOGITS_PER_BATCH,
        batch_windows,
        check_precision,
        check_window,
        compute_logits,
        slide_windows,
    )
    from darija_gpt.generation import count_context_tokens

    models = (model, reference)
    context_tokens = context_tokens or min(map(count_context_tokens, models))
    for one in models:
        check_precision(one)
        check_window(one, context_tokens)
    documents = encode_rows(tokenizer, [row for row in rows if row["text"]])
    windows = [
        window
        for number, (ids, _) in enumerate(documents)
        for window in slide_windows(number, len(ids), context_tokens)
    ]
    nats, num_same = torch.zeros(len(documents), dtype=torch.float64), 0
    # Two models' logits, and what is computed of them, take three times the memory of one's.
    batch_tokens = LOGITS_PER_BATCH // (3 * len(tokenizer))
    with torch.inference_mode(), tqdm(total=len(windows), desc="divergence", unit=" windows") as progress:
        for batch in batch_windows(windows, batch_tokens):
            places, _, logits = compute_logits(models, documents, batch)
            # Embeddings may have more rows than the tokenizer has entries.
            ours, theirs = (some[:, : len(tokenizer)].cpu().log_softmax(-1) for some in logits)
            divergences = (ours.exp() * (ours - theirs)).sum(-1).double()  # (scored,)
            owners = torch.tensor([window.document for window in batch])[places]
            nats.index_add_(0, owners, divergences)
            num_same += (ours.argmax(-1) == theirs.argmax(-1)).sum().item()
            progress.update(len(batch))
    if not nats.isfinite().all():
        raise ValueError("a model gives no finite probabilities: its weights are damaged; take another checkpoint.")
    tokens = np.array([sum(is_scored) for _, is_scored in documents])
    estimate = estimate_ratio(nats.numpy(), tokens)
    return {
        "nats_per_token": estimate["value"],
        "nats_per_token_low": estimate["low"],
        "nats_per_token_high": estimate["high"],
        "same_likeliest_token": num_same / int(tokens.sum()),
        "tokens": int(tokens.sum()),
        "documents": len(documents),
    }


def measure_mauve(ours: np.ndarray, theirs: np.ndarray, *, num_clusters: int | None = None, seed: int = 0) -> float:
    """MAUVE (Pillutla et al. 2021) of two sets of texts: 1 for texts that cannot be told apart, towards 0 for others.

    The texts of both sets are sorted into clusters; the score is the area under the curve of the two divergences of
    the sets' histograms from their mixtures. It depends on the features, on the number of texts and of clusters:
    compare scores only where all three are the same.

    Args:
        ours (`np.ndarray`), theirs (`np.ndarray`):
            Features of the texts, of shape (texts, dimensions), with as many texts in either if possible.
        num_clusters (`int`, *optional*):
            By default one for each ten texts of a set.
        seed (`int`, *optional*, defaults to `0`):
            Of the clustering.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import normalize

    features = normalize(np.concatenate([ours, theirs]).astype(np.float64))
    num_clusters = num_clusters or max(2, min(len(ours), len(theirs)) // TEXTS_PER_CLUSTER)
    if np.ptp(features, axis=0).any():
        features = PCA(KEPT_VARIANCE, random_state=seed, svd_solver="full").fit_transform(features)
    num_clusters = min(num_clusters, len(np.unique(features, axis=0)))
    clusters = KMeans(num_clusters, n_init=5, random_state=seed).fit_predict(features)
    ours_clusters, theirs_clusters = clusters[: len(ours)], clusters[len(ours) :]
    return integrate_divergence_curve(
        np.bincount(ours_clusters, minlength=num_clusters) / len(ours),
        np.bincount(theirs_clusters, minlength=num_clusters) / len(theirs),
    )


def compute_divergence_curve(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Points of the divergence curve of two histograms, of shape (mixtures + 2, 2).

    Each is `exp(-5 KL(theirs || mixture)), exp(-5 KL(ours || mixture))` for a mixture of the two.

    Args:
        ours (`np.ndarray`), theirs (`np.ndarray`):
            Probabilities, of shape (clusters,).
    """
    points = [(1.0, 0.0)]
    for weight in MIXTURES:
        mixture = weight * ours + (1 - weight) * theirs
        points.append(tuple(np.exp(-SCALE * _diverge(histogram, mixture)) for histogram in (theirs, ours)))
    return np.array([*points, (0.0, 1.0)])


def integrate_divergence_curve(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The area under the divergence curve of two histograms; the arguments are those of `compute_divergence_curve`."""
    from sklearn.metrics import auc

    curve = compute_divergence_curve(ours, theirs)
    areas = []
    for across, up in ((0, 1), (1, 0)):
        ordered = curve[np.lexsort((-curve[:, up], curve[:, across]))]
        areas.append(auc(ordered[:, across], ordered[:, up]))
    # Between two points the curve is no straight line; the mean of both axes is what the paper's own code takes.
    return float(np.mean(areas))


def _diverge(histogram: np.ndarray, mixture: np.ndarray) -> float:
    """KL(histogram || mixture) in nats."""
    is_there = histogram > 0
    return float((histogram[is_there] * np.log(histogram[is_there] / mixture[is_there])).sum())
