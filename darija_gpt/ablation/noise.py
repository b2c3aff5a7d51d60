"""What seeds do to a number, and how large a difference must be before it is more than that."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from darija_gpt.evaluation.intervals import CONFIDENCE


# So unlikely a spread, among as many recipes, is taken to be another than the others'.
UNLIKE = 0.01
NUM_NODES = 128  # of the integrals below, which then are exact to six digits


@dataclass(frozen=True)
class Noise:
    """The standard deviation among runs of one recipe.

    Args:
        deviation (`float`):
            Pooled over the recipes that have several runs and like spreads.
        degrees (`int`):
            Its degrees of freedom.
        recipes (`dict[str, int]`):
            How many runs each of these recipes has.
        unlike (`tuple[str, ...]`):
            Recipes whose own runs differ by so much more that they are none of them, and are not judged.
    """

    deviation: float
    degrees: int
    recipes: dict[str, int]
    unlike: tuple[str, ...] = ()


def measure_noise(groups: Mapping[str, Sequence[float]]) -> Noise | None:
    """What seeds do, from the runs of several recipes; None where no recipe has several runs.

    A recipe whose variance is too large beside the others', by an F test at 1 % among all of them (Bonferroni), is
    left out: what it does is not what the others do. The largest is tried first, without it the next, for at most half
    of them, and all go up to the last that is too large: two such recipes would hide each other (Rosner 1983).

    Args:
        groups (`Mapping[str, Sequence[float]]`):
            One number for each run of each recipe.
    """
    from scipy.stats import f

    several = {name: numbers for name, numbers in groups.items() if len(numbers) > 1}
    if not several:
        return None
    largest = sorted(several, key=lambda name: statistics.variance(several[name]), reverse=True)
    unlike: list[str] = []
    for place, name in enumerate(largest[: len(several) // 2]):
        variance, degrees = _pool([several[each] for each in largest[place + 1 :]])
        own = several[name]
        chance = f.sf(statistics.variance(own) / variance, len(own) - 1, degrees) if variance else 1.0
        if chance * len(several) < UNLIKE:
            unlike = largest[: place + 1]
    alike = {name: numbers for name, numbers in several.items() if name not in unlike}
    variance, degrees = _pool(list(alike.values()))
    sizes = {name: len(numbers) for name, numbers in alike.items()}
    return Noise(math.sqrt(variance), degrees, sizes, tuple(unlike))


def _pool(groups: Sequence[Sequence[float]]) -> tuple[float, int]:
    degrees = sum(len(numbers) - 1 for numbers in groups)
    return sum(statistics.variance(numbers) * (len(numbers) - 1) for numbers in groups) / degrees, degrees


def find_critical_value(sizes: Sequence[int], base_size: int, degrees: int) -> float:
    """How many standard errors a difference to the base must have, for all differences to be right in 95 of 100 cases.

    The two-sided value of Dunnett (1955), for groups of any sizes; of one group, Student's.

    Args:
        sizes (`Sequence[int]`):
            Runs of each recipe that is compared.
        base_size (`int`):
            Runs of the base, which all are compared with.
        degrees (`int`):
            Degrees of freedom of the standard deviation.
    """
    from scipy.optimize import brentq
    from scipy.stats import chi, norm

    # In standard deviations: the base's mean, and by how much the deviation itself is misjudged.
    nodes, weights = np.polynomial.legendre.leggauss(NUM_NODES)
    shares, weights = (nodes + 1) / 2, weights / 2
    base_means = norm.ppf(shares)[:, None] / math.sqrt(base_size)  # (nodes, 1)
    scales = chi.ppf(shares, degrees)[None, :] / math.sqrt(degrees)  # (1, nodes)
    counts = {size: list(sizes).count(size) for size in set(sizes)}

    def cover(value: float) -> float:
        inside = np.ones((NUM_NODES, NUM_NODES))
        for size, count in counts.items():
            reach = value * scales * math.sqrt(1 / size + 1 / base_size)
            both = (norm.cdf((base_means + sign * reach) * math.sqrt(size)) for sign in (1, -1))
            inside *= (next(both) - next(both)) ** count
        return float(weights @ inside @ weights) - CONFIDENCE

    return float(brentq(cover, 0.1, 100))
