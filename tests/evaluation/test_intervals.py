import numpy as np
import pytest

from darija_gpt.evaluation.intervals import MIN_DOCUMENTS, estimate_ratio, spell_estimate


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


def test_documents_that_are_all_alike_leave_no_doubt():
    counts = np.arange(1, MIN_DOCUMENTS + 1)
    assert estimate_ratio(2.0 * counts, counts) == {"value": 2.0, "low": 2.0, "high": 2.0}


@pytest.mark.parametrize("num_documents", [1, 2, MIN_DOCUMENTS - 1])
def test_a_few_documents_have_no_interval(num_documents):
    values = np.arange(1.0, num_documents + 1)
    estimate = estimate_ratio(values, np.ones(num_documents))
    assert estimate == {"value": pytest.approx(values.mean()), "low": None, "high": None}


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    num_held = 0
    for seed in range(200):
        lengths = generator.lognormal(4, 0.7, MIN_DOCUMENTS).round() + 5
        estimate = estimate_ratio(lengths * generator.normal(2.1, 0.45, MIN_DOCUMENTS), lengths, seed=seed)
        num_held += estimate["low"] <= 2.1 <= estimate["high"]
    # The least that is given out: 88 %, within three standard deviations of a binomial.
    assert num_held >= 162


def test_an_estimate_is_spelt_for_people():
    assert spell_estimate({"value": 0.5, "low": 0.25, "high": 0.75}) == "0.500 (0.250 to 0.750)"
    assert spell_estimate({"value": 0.5, "low": -0.25, "high": 0.75}, signed=True) == "+0.500 (-0.250 to +0.750)"
    assert spell_estimate({"value": 0.5, "low": None, "high": None}) == "0.500"
