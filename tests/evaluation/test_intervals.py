import numpy as np
import pytest

from darija_gpt.evaluation.intervals import estimate_ratio


def test_the_interval_of_two_documents_is_that_of_the_four_ways_to_draw_them():
    # 1/1 twice, 1/1 and 3/1 in either order, 3/1 twice: a quarter of the draws at each end.
    estimate = estimate_ratio(np.array([1.0, 3.0]), np.array([1, 1]))
    assert estimate == {"value": 2.0, "low": 1.0, "high": 3.0}


def test_the_interval_is_that_of_the_normal_distribution_where_there_are_many_documents():
    draw = np.random.default_rng(0)
    values = draw.normal(5, 2, size=2000)
    estimate = estimate_ratio(values, np.ones(2000))
    error = 1.96 * values.std() / 2000**0.5
    assert estimate["value"] == pytest.approx(values.mean())
    assert estimate["low"] == pytest.approx(values.mean() - error, abs=0.2 * error)
    assert estimate["high"] == pytest.approx(values.mean() + error, abs=0.2 * error)


def test_a_ratio_is_of_sums_so_that_long_documents_count_more():
    assert estimate_ratio(np.array([1.0, 90.0]), np.array([1, 9]))["value"] == pytest.approx(9.1)


def test_documents_that_are_all_alike_leave_no_doubt_and_one_alone_leaves_all():
    assert estimate_ratio(np.array([2.0, 4.0]), np.array([1, 2])) == {"value": 2.0, "low": 2.0, "high": 2.0}
    assert estimate_ratio(np.array([2.0]), np.array([1])) == {"value": 2.0, "low": None, "high": None}
