"""How well a classifier does: accuracy, F1 of each class, and what chance in the choice of texts makes of them.

Intervals are of the percentile bootstrap (Efron 1979): the texts are drawn anew, with replacement, and the number is
computed for each draw. A difference between two classifiers is computed on the same draw for both.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from darija_gpt.evaluation.intervals import estimate_statistic, round_estimate


def count_confusions(truth: np.ndarray, predicted: np.ndarray, num_labels: int) -> np.ndarray:
    """How often each class (row) was taken for each (column), shape (num_labels, num_labels)."""
    counts = np.zeros((num_labels, num_labels), dtype=np.int64)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def compute_accuracy(truth: np.ndarray, predicted: np.ndarray, axis: int = -1) -> np.ndarray:
    """The share of texts whose class was found."""
    return (truth == predicted).mean(axis=axis)


def compute_macro_f1(truth: np.ndarray, predicted: np.ndarray, num_labels: int, axis: int = -1) -> np.ndarray:
    """The mean of F1, `2 TP / (2 TP + FP + FN)`, over the classes that are there or predicted, as of scikit-learn."""
    total = num_classes = 0
    for label in range(num_labels):
        is_true, is_predicted = truth == label, predicted == label
        num_found = (is_true & is_predicted).sum(axis=axis)
        num_named = is_true.sum(axis=axis) + is_predicted.sum(axis=axis)
        total = total + 2 * num_found / np.maximum(num_named, 1)
        num_classes = num_classes + (num_named > 0)
    return total / num_classes


def measure(truth: Sequence[int], predicted: Sequence[int], labels: Sequence[str], *, seed: int = 0) -> dict[str, Any]:
    """What a classifier got right.

    Args:
        truth (`Sequence[int]`), predicted (`Sequence[int]`):
            The class of each text, and the one that was predicted.
        labels (`Sequence[str]`):
            The names of the classes.
        seed (`int`, *optional*, defaults to `0`):
            Of the bootstrap.

    Returns:
        `dict`: `accuracy` and `macro_f1`, each with `value` and the bounds `low` and `high` of its 95 % interval (None
        for too few texts);
        `classes` with precision, recall, F1 and texts of each; `confusion_matrix` with a row for each true class.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    confusions = count_confusions(truth, predicted, len(labels))
    found = confusions.diagonal()
    num_true, num_predicted = confusions.sum(axis=1), confusions.sum(axis=0)
    classes = {
        label: {
            "precision": _round(found[index] / max(num_predicted[index], 1)),
            "recall": _round(found[index] / max(num_true[index], 1)),
            "f1": _round(2 * found[index] / max(num_true[index] + num_predicted[index], 1)),
            "texts": int(num_true[index]),
        }
        for index, label in enumerate(labels)
    }
    return {
        "texts": len(truth),
        **{name: _estimate(compute, (truth, predicted), seed) for name, compute in _metrics(len(labels)).items()},
        "classes": classes,
        "confusion_matrix": confusions.tolist(),
    }


def compare(
    truth: Sequence[int], predicted: Sequence[int], others: Sequence[int], num_labels: int, *, seed: int = 0
) -> dict[str, dict[str, float]]:
    """By how much a classifier is better than another one, on the same texts.

    Args:
        truth (`Sequence[int]`):
            The class of each text.
        predicted (`Sequence[int]`), others (`Sequence[int]`):
            What the two predicted.
        num_labels (`int`):
            Number of classes.
        seed (`int`, *optional*, defaults to `0`):
            Of the bootstrap.

    Returns:
        `dict`: `accuracy` and `macro_f1`, of each the difference as `value` and its 95 % interval, `low` and `high`.
    """

    def subtract(compute):
        return lambda truth, predicted, others, axis: (
            compute(truth, predicted, axis=axis) - compute(truth, others, axis=axis)
        )

    data = (np.asarray(truth), np.asarray(predicted), np.asarray(others))
    return {name: _estimate(subtract(compute), data, seed) for name, compute in _metrics(num_labels).items()}


def _metrics(num_labels: int) -> dict[str, Any]:
    return {
        "accuracy": compute_accuracy,
        "macro_f1": lambda truth, predicted, axis: compute_macro_f1(truth, predicted, num_labels, axis=axis),
    }


def _estimate(compute, data: tuple[np.ndarray, ...], seed: int) -> dict[str, float | None]:
    return round_estimate(estimate_statistic(compute, data, seed=seed))


def _round(value: float) -> float:
    return round(float(value), 4)
