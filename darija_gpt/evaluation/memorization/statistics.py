"""Rates and ROC curves with confidence intervals of 95 %."""

from collections.abc import Callable

import numpy as np
from scipy.stats import binomtest, rankdata

from darija_gpt.evaluation.intervals import CONFIDENCE


NUM_RESAMPLES = 1000


def describe_rate(num_hits: int, total: int) -> dict[str, float | int | list[float]]:
    """A share of all cases, with the exact interval of Clopper and Pearson."""
    interval = binomtest(num_hits, total).proportion_ci(CONFIDENCE, method="exact")
    return {"rate": num_hits / total, "interval": _round(interval), "hits": num_hits, "of": total}


def compare_rates(num_hits: int, total: int, other_hits: int, other_total: int) -> list[float]:
    """The interval of the difference of two independent rates (Newcombe 1998, his method 10)."""
    rate, other = num_hits / total, other_hits / other_total
    low, high = binomtest(num_hits, total).proportion_ci(CONFIDENCE, method="wilson")
    other_low, other_high = binomtest(other_hits, other_total).proportion_ci(CONFIDENCE, method="wilson")
    difference = rate - other
    return _round(
        (
            difference - np.hypot(rate - low, other_high - other),
            difference + np.hypot(high - rate, other - other_low),
        )
    )


def measure_auc(members: np.ndarray, others: np.ndarray) -> float:
    """The chance that a member scores above another, ties counting half: the area under the ROC curve."""
    ranks = rankdata(np.concatenate([members, others]))
    num_members = len(members)
    above = ranks[:num_members].sum() - num_members * (num_members + 1) / 2
    return float(above / (num_members * len(others)))


def measure_tpr(members: np.ndarray, others: np.ndarray, max_fpr: float = 0.01) -> float:
    """The share of members that score above all but a hundredth of the others (Carlini et al. 2022, LiRA)."""
    threshold = np.sort(others)[::-1][int(max_fpr * len(others))]
    return float((members > threshold).mean())


def bootstrap(
    measure: Callable[[np.ndarray, np.ndarray], float], members: np.ndarray, others: np.ndarray, seed: int
) -> list[float]:
    """The percentile interval of what is measured on two samples, both drawn again with replacement."""
    draw = np.random.default_rng(seed)
    measured = [
        measure(draw.choice(members, len(members)), draw.choice(others, len(others))) for _ in range(NUM_RESAMPLES)
    ]
    tail = 100 * (1 - CONFIDENCE) / 2
    return _round(np.percentile(measured, [tail, 100 - tail]))


def _round(interval) -> list[float]:
    return [round(float(bound), 6) for bound in interval]
