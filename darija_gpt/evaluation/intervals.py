"""Confidence intervals: what chance in the choice of documents makes of a number."""

import numpy as np


NUM_DRAWS = 2000
CONFIDENCE = 0.95
# Drawn documents in memory at a time.
DRAWN_AT_ONCE = 4_000_000


def estimate_ratio(numerators: np.ndarray, denominators: np.ndarray, *, seed: int = 0) -> dict[str, float | None]:
    """The sum of one count over the sum of another, such as bits over bytes, and its 95 % interval.

    The interval is of the percentile bootstrap (Efron 1979): documents are drawn anew, with replacement, and both sums
    are taken over the same draw, because the tokens of one document are no independent observations.

    Args:
        numerators (`np.ndarray`), denominators (`np.ndarray`):
            Two numbers of each document.
        seed (`int`, *optional*, defaults to `0`):
            Of the draws.

    Returns:
        `dict`: `value`, `low` and `high`; the bounds of a single document are None, which says nothing of others.
    """
    from scipy.stats import bootstrap

    value = float(numerators.sum() / denominators.sum())
    if len(numerators) < 2:
        return {"value": value, "low": None, "high": None}
    # All alike: scipy warns, and says nothing, of a sample that has no spread.
    if np.allclose(numerators * denominators.sum(), denominators * numerators.sum(), rtol=1e-12, atol=0):
        return {"value": value, "low": value, "high": value}
    interval = bootstrap(
        (numerators, denominators),
        lambda above, below, axis: above.sum(axis=axis) / below.sum(axis=axis),
        n_resamples=NUM_DRAWS,
        batch=max(1, DRAWN_AT_ONCE // len(numerators)),
        confidence_level=CONFIDENCE,
        method="percentile",
        paired=True,
        vectorized=True,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return {"value": value, "low": float(interval.low), "high": float(interval.high)}
