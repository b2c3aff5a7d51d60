"""Confusion matrices: which class a classifier takes for which, as a table and as a picture."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_confusion_matrix(confusions: Sequence[Sequence[int]], labels: Sequence[str], directory: Path) -> None:
    """Writes confusion_matrix.csv and confusion_matrix.png.

    Args:
        confusions (`Sequence[Sequence[int]]`):
            A row for each true class, in it how often each class was predicted.
        labels (`Sequence[str]`):
            The names of the classes, in any script.
        directory (`Path`):
            Where to.
    """
    with (directory / "confusion_matrix.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["true class", *labels])
        writer.writerows([label, *counts] for label, counts in zip(labels, confusions, strict=True))
    figure = draw_confusion_matrix(np.asarray(confusions), labels)
    figure.savefig(directory / "confusion_matrix.png", dpi=150, bbox_inches="tight")


def draw_confusion_matrix(confusions: np.ndarray, labels: Sequence[str]):
    """A matplotlib figure: each field says how many texts, and is the darker the more of the true class they are."""
    # Not pyplot, which keeps every figure and looks for a screen.
    from matplotlib.figure import Figure

    shares = confusions / np.maximum(confusions.sum(axis=1, keepdims=True), 1)
    size = min(2.4 + 0.75 * len(labels), 20)  # inches
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class")
    # A dollar sign in a name is no formula.
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", rotation_mode="anchor", parse_math=False)
    axes.set_yticks(range(len(labels)), labels, parse_math=False)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    for row, column in np.ndindex(confusions.shape):
        # White on dark fields, or nobody can read it.
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, f"{confusions[row, column]:,}", ha="center", va="center", color=color)
    return figure
