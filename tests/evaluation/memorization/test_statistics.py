"""Statistics against scikit-learn, and against tables of the papers."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from darija_gpt.evaluation.memorization.statistics import (
    bootstrap,
    compare_rates,
    describe_rate,
    measure_auc,
    measure_tpr,
)


@pytest.mark.parametrize("seed", range(5))
def test_auc_and_true_positives_are_those_of_scikit_learn(seed):
    draw = np.random.default_rng(seed)
    # Rounded, so that there are ties.
    members, others = draw.normal(0.5, 1, 300).round(1), draw.normal(0, 1, 250).round(1)
    labels, scores = [1] * 300 + [0] * 250, np.concatenate([members, others])
    assert measure_auc(members, others) == pytest.approx(roc_auc_score(labels, scores))
    false_positives, true_positives, _ = roc_curve(labels, scores, drop_intermediate=False)
    expected = true_positives[false_positives <= 0.01].max()
    assert measure_tpr(members, others) == pytest.approx(expected)


def test_a_rates_interval_is_that_of_clopper_and_pearson():
    # 0 of 10: 1 - 0.025 ** (1 / 10).
    described = describe_rate(0, 10)
    assert described["rate"] == 0 and described["interval"] == pytest.approx([0, 1 - 0.025**0.1], abs=1e-6)


def test_the_interval_of_a_difference_is_newcombes():
    # Newcombe 1998, table II, (a) 56/70 - 48/80, method 10.
    assert compare_rates(56, 70, 48, 80) == pytest.approx([0.0524, 0.3339], abs=1e-4)


def test_an_interval_holds_what_is_measured_and_narrows_with_more_documents():
    draw = np.random.default_rng(0)
    widths = []
    for size in (50, 2000):
        members, others = draw.normal(0.3, 1, size), draw.normal(0, 1, size)
        low, high = bootstrap(measure_auc, members, others, seed=0)
        assert low < measure_auc(members, others) < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 4
