"""What the vectors of words say: nearest neighbours, and a map in two dimensions.

All take vectors and labels, of whatever model they are.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from darija_gpt.evaluation.plots.figures import GREY, SCRIPT_COLORS, new_figure
from darija_gpt.evaluation.plots.tokens import color_script
from darija_gpt.markdown import SCRIPTS


if TYPE_CHECKING:
    from matplotlib.figure import Figure

Projection = Literal["pca", "tsne"]


def find_neighbours(
    vectors: np.ndarray, labels: Sequence[str], targets: Mapping[str, np.ndarray], num_neighbours: int
) -> dict[str, list[tuple[str, float]]]:
    """The words whose vectors have the largest cosine with that of each target, the nearest first.

    Args:
        vectors (`np.ndarray`):
            Of shape (words, dimensions).
        labels (`Sequence[str]`):
            The words.
        targets (`Mapping[str, np.ndarray]`):
            Words and their vectors. A word is no neighbour of itself.
        num_neighbours (`int`):
            How many of each.
    """
    normalized = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)
    neighbours = {}
    for target, vector in targets.items():
        cosines = normalized @ (vector / max(np.linalg.norm(vector), 1e-12))
        order = [index for index in np.argsort(-cosines, kind="stable") if labels[index] != target]
        neighbours[target] = [(labels[index], float(cosines[index])) for index in order[:num_neighbours]]
    return neighbours


def project_vectors(vectors: np.ndarray, projection: Projection = "tsne", seed: int = 0) -> np.ndarray:
    """Points in the plane, of shape (words, 2): the two main axes, or t-SNE (van der Maaten and Hinton 2008), which
    keeps neighbours together and says nothing by large distances."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    normalized = vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-12)
    if projection == "pca":
        return PCA(2, random_state=seed).fit_transform(normalized)
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", metric="cosine", random_state=seed).fit_transform(normalized)


def plot_map(points: np.ndarray, labels: Sequence[str], projection: Projection) -> "Figure":
    """Words where their vectors lie, coloured by script. Of labels that would cover each other the first is written.

    Args:
        points (`np.ndarray`):
            Of shape (words, 2).
        labels (`Sequence[str]`):
            The words, the most frequent first.
        projection (`str`):
            What the points come from.
    """
    figure = new_figure(11, 8)
    axes = figure.subplots()
    colors = [color_script(label) for label in labels]
    axes.scatter(*points.T, c=colors, s=6, alpha=0.5, linewidths=0)
    axes.set_axis_off()
    for script, color in SCRIPT_COLORS.items():
        if color in colors:
            axes.scatter([], [], c=color, s=30, label=SCRIPTS[script])
    axes.legend(frameon=False, fontsize=9, loc="upper right")
    titles = {"pca": "two main axes", "tsne": "t-SNE"}
    axes.set_title(
        f"{len(labels)} frequent tokens by their embeddings ({titles[projection]})", loc="left", fontsize=11
    )
    figure.draw_without_rendering()
    taken: list[Any] = []
    for point, label, color in zip(points, labels, colors, strict=True):
        text = axes.annotate(
            label, point, (3, 3), textcoords="offset points", fontsize=8, color=color, parse_math=False
        )
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)
    return figure


def plot_neighbours(neighbours: Mapping[str, Sequence[tuple[str, float]]]) -> "Figure":
    """A table of pictures: each word, and the words next to it with their cosines.

    Args:
        neighbours (`Mapping`):
            What `find_neighbours` gives.
    """
    num_columns = max(len(found) for found in neighbours.values())
    figure = new_figure(1.6 + 1.5 * num_columns, 0.6 + 0.36 * len(neighbours))
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_xlim(0, num_columns + 1)
    axes.set_ylim(len(neighbours), 0)
    axes.set_title("nearest tokens by the cosine of their embeddings", loc="left", fontsize=11)
    style = {"va": "center", "parse_math": False}
    for row, (word, found) in enumerate(neighbours.items()):
        axes.axhline(row, color="#e3e5e8", linewidth=0.7)
        axes.text(0.9, row + 0.5, word, ha="right", fontsize=11, weight="bold", color=color_script(word), **style)
        for column, (neighbour, cosine) in enumerate(found, start=1):
            axes.text(column + 0.1, row + 0.5, neighbour, fontsize=10, color=color_script(neighbour), **style)
            axes.text(column + 0.92, row + 0.5, f"{cosine:.2f}", fontsize=8, color=GREY, ha="right", **style)
    return figure
