"""Numbers about classifiers, against scikit-learn and against what statistics says of them."""

import csv

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from darija_gpt.evaluation.classification_metrics import compare, compute_macro_f1, measure
from darija_gpt.evaluation.confusion import write_confusion_matrix


LABELS = ["negative", "neutral", "positive"]


def draw(num_texts, accuracy, seed):
    """Classes, and predictions that are right with a probability and otherwise the next class."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, num_texts)
    return truth, np.where(random.random(num_texts) < accuracy, truth, (truth + 1) % 3)


def test_every_number_is_scikit_learns():
    truth, predicted = draw(200, 0.7, seed=0)
    result = measure(truth, predicted, LABELS)
    assert result["accuracy"]["value"] == round(accuracy_score(truth, predicted), 4)
    assert result["macro_f1"]["value"] == round(f1_score(truth, predicted, average="macro"), 4)
    assert result["confusion_matrix"] == confusion_matrix(truth, predicted).tolist()
    for column, name in enumerate(("precision", "recall", "f1", "texts")):
        theirs = precision_recall_fscore_support(truth, predicted)[column]
        assert [result["classes"][label][name] for label in LABELS] == [round(float(x), 4) for x in theirs]


def test_macro_f1_of_many_draws_at_once_is_that_of_each():
    pairs = [draw(40, 0.6, seed) for seed in range(5)]
    truth, predicted = (np.stack(column) for column in zip(*pairs, strict=True))
    together = compute_macro_f1(truth, predicted, 3)
    alone = [f1_score(t, p, average="macro") for t, p in pairs]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_a_class_that_is_not_there_takes_nothing_from_who_does_not_name_it():
    rare = np.repeat([0, 1, 2], [60, 38, 2])  # In many draws of the bootstrap the last is not there.
    assert measure(rare, rare, LABELS)["macro_f1"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    truth, predicted = np.array([0, 1, 1, 0]), np.array([0, 1, 2, 0])
    assert compute_macro_f1(truth[:2], truth[:2], 3) == 1
    assert compute_macro_f1(truth, predicted, 3) == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_the_interval_of_an_accuracy_is_the_binomials():
    truth, predicted = draw(1000, 0.8, seed=1)
    estimate = measure(truth, predicted, LABELS)["accuracy"]
    half = 1.96 * np.sqrt(estimate["value"] * (1 - estimate["value"]) / 1000)
    assert estimate["low"] == pytest.approx(estimate["value"] - half, abs=0.004)
    assert estimate["high"] == pytest.approx(estimate["value"] + half, abs=0.004)


def test_a_difference_is_measured_on_the_same_texts():
    """Two classifiers that err on the same texts but ten: paired, the interval is McNemar's and not twice as wide."""
    truth, predicted = draw(1000, 0.7, seed=2)
    others = predicted.copy()
    right = np.flatnonzero(truth == predicted)[:30]
    wrong = np.flatnonzero(truth != predicted)[:10]
    others[right], others[wrong] = (truth[right] + 1) % 3, truth[wrong]
    difference = compare(truth, predicted, others, 3)["accuracy"]
    assert difference["value"] == 0.02
    half = 1.96 * np.sqrt((30 + 10) / 1000 - 0.02**2) / np.sqrt(1000)
    assert difference["low"] == pytest.approx(0.02 - half, abs=0.002)
    assert difference["high"] == pytest.approx(0.02 + half, abs=0.002)


def test_a_classifier_is_no_better_than_itself():
    truth, predicted = draw(50, 0.7, seed=3)
    assert compare(truth, predicted, predicted, 3)["macro_f1"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_the_same_seed_gives_the_same_interval():
    truth, predicted = draw(50, 0.7, seed=4)
    assert measure(truth, predicted, LABELS, seed=1) == measure(truth, predicted, LABELS, seed=1)
    assert measure(truth, predicted, LABELS, seed=1) != measure(truth, predicted, LABELS, seed=2)


def test_a_few_texts_leave_the_accuracy_without_an_interval():
    for count in (1, 9):
        accuracy = measure([0] * count, [0] * count, LABELS)["accuracy"]
        assert accuracy == {"value": 1.0, "low": None, "high": None}


def test_a_confusion_matrix_is_a_table_and_a_picture(tmp_path):
    labels = ["سلبي", "$x_1$", "a, b"]
    write_confusion_matrix([[9, 1, 0], [2, 1200, 3], [0, 0, 7]], labels, tmp_path)
    with (tmp_path / "confusion_matrix.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["true class", *labels],
            ["سلبي", "9", "1", "0"],
            ["$x_1$", "2", "1200", "3"],
            ["a, b", "0", "0", "7"],
        ]
    with Image.open(tmp_path / "confusion_matrix.png") as image:
        # The darkest blue of the map stands where all texts of a class are found, white where none is.
        colors = {color for _, color in image.convert("RGB").getcolors(maxcolors=1_000_000)}
    assert (8, 48, 107) in colors and (247, 251, 255) in colors
