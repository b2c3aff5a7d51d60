"""What seeds do, and what is more than that."""

import numpy as np
import pytest
from scipy import stats

from darija_gpt.ablation.noise import find_critical_value, measure_noise


def test_the_deviation_is_pooled_over_all_recipes_with_several_runs():
    groups = {"base": [1.60, 1.62, 1.59, 1.61], "one": [1.5], "two": [1.55, 1.57], "three": [1.7, 1.75, 1.72]}
    noise = measure_noise(groups)
    # The mean square within groups of an analysis of variance.
    values = [(bits, sum(of) / len(of)) for of in groups.values() for bits in of]
    assert noise.degrees == len(values) - len(groups) and noise.unlike == ()
    assert noise.deviation**2 == pytest.approx(sum((bits - mean) ** 2 for bits, mean in values) / noise.degrees)
    assert measure_noise({"base": [1.5], "one": [1.6]}) is None


def test_like_spreads_are_seldom_called_unlike():
    numbers = stats.norm(0, 1).rvs(size=(400, 10, 2), random_state=0)
    unlike = [bool(measure_noise(dict(enumerate(of.tolist()))).unlike) for of in numbers]
    assert sum(unlike) <= 10


def test_two_unlike_recipes_do_not_hide_each_other():
    alike = {str(number): [1.7, 1.7 + 0.002 * number, 1.704] for number in range(5)}
    noise = measure_noise({**alike, "wide": [1.9, 1.93], "wider": [2.0, 2.03, 2.04]})
    assert set(noise.unlike) == {"wide", "wider"} and noise.degrees == 10
    assert measure_noise({**alike, "wide": [1.9, 1.93]}).unlike == ("wide",)


@pytest.mark.parametrize("num_recipes", range(1, 10))
def test_critical_values_are_those_of_dunnetts_table(num_recipes):
    # Two-sided, 95 %, groups of equal size, 10 degrees of freedom (Dunnett 1964).
    table = [2.23, 2.57, 2.76, 2.89, 2.99, 3.07, 3.14, 3.19, 3.24]
    value = find_critical_value([5] * num_recipes, 5, 10)
    assert value == pytest.approx(table[num_recipes - 1], abs=0.006)


def test_no_difference_is_called_one_in_95_of_100_cases():
    sizes, base_size, degrees = [1] * 20 + [2] * 5, 4, 11
    value = find_critical_value(sizes, base_size, degrees)
    draw = np.random.default_rng(0)
    means = draw.normal(size=(20_000, 25)) / np.sqrt(sizes)
    base = draw.normal(size=(20_000, 1)) / np.sqrt(base_size)
    deviation = np.sqrt(draw.chisquare(degrees, size=(20_000, 1)) / degrees)
    errors = deviation * np.sqrt(1 / np.array(sizes) + 1 / base_size)
    assert (np.abs(means - base) <= value * errors).all(axis=1).mean() == pytest.approx(0.95, abs=0.005)
