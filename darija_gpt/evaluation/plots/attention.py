"""Attention maps: which tokens of a sentence each token looks at, layer by layer."""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from darija_gpt.evaluation.plots.figures import GREY, new_figure


if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from transformers import PreTrainedModel

MAX_TOKENS = 48
NUM_COLUMNS = 4


def compute_attention(model: "PreTrainedModel", token_ids: Sequence[int]) -> dict[int, np.ndarray]:
    """The attention weights of each layer that has any, by the layer's number, of shape (heads, queries, keys).

    Args:
        model (`PreTrainedModel`):
            A causal language model. Its attention implementation is `eager` meanwhile, which alone tells the weights.
        token_ids (`Sequence[int]`):
            The tokens of a sentence.

    Raises:
        ValueError: If no layer has weights (linear attention), or the sentence is too long for a picture.
    """
    import torch

    if not 2 <= len(token_ids) <= MAX_TOKENS:
        raise ValueError(f"sentence has {len(token_ids)} tokens; give one of 2 to {MAX_TOKENS}.")
    implementation = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        with torch.inference_mode():
            output = model(
                torch.tensor([list(token_ids)], device=model.device), output_attentions=True, use_cache=False
            )
    finally:
        model.set_attn_implementation(implementation)
    weights = [layer for layer in output.attentions or () if layer is not None]
    if not weights:
        raise ValueError(f"{type(model).__name__} has no attention weights to draw: its attention is linear.")
    # Only ours has layers of several kinds, of which linear ones have no weights.
    kinds = getattr(model.config, "layer_attentions", ["full"] * len(weights))
    numbers = [number for number, kind in enumerate(kinds) if kind != "linear"]
    return {number: layer[0].float().cpu().numpy() for number, layer in zip(numbers, weights, strict=True)}


def select_panels(weights: dict[int, np.ndarray], layer: int | None = None) -> dict[str, np.ndarray]:
    """What is drawn, by its title: the mean over heads of each layer, or the heads of one; each (queries, keys).

    Args:
        weights (`dict[int, np.ndarray]`):
            What `compute_attention` gives.
        layer (`int`, *optional*):
            The layer whose heads are drawn, counted from 1.

    Raises:
        ValueError: If there is no such layer.
    """
    if layer is None:
        return {f"layer {number + 1}": heads.mean(axis=0) for number, heads in weights.items()}
    if layer - 1 not in weights:
        known = ", ".join(str(number + 1) for number in weights)
        raise ValueError(f"attention_layer={layer} is none of those with weights: {known}.")
    return {f"layer {layer}, head {number + 1}": head for number, head in enumerate(weights[layer - 1])}


def plot_attention(panels: dict[str, np.ndarray], labels: Sequence[str]) -> "Figure":
    """A map for each panel, the darker the more a row's token looks at a column's.

    Args:
        panels (`dict[str, np.ndarray]`):
            What `select_panels` gives.
        labels (`Sequence[str]`):
            The tokens, in any script.
    """
    num_columns = min(NUM_COLUMNS, len(panels))
    num_rows = math.ceil(len(panels) / num_columns)
    side = max(2.4, 0.17 * len(labels) + 0.9)  # inches
    figure = new_figure(side * num_columns + 0.8, (side + 0.3) * num_rows)
    grid = list(figure.subplots(num_rows, num_columns, squeeze=False).flat)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    for axes, (title, matrix) in zip(grid, panels.items(), strict=False):
        # What lies ahead has no weight, and is not a weight of zero.
        shown = np.where(np.tri(len(labels), dtype=bool), matrix, np.nan)
        image = axes.imshow(shown, cmap="Blues", vmin=0, vmax=1)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=7, parse_math=False)
        axes.set_yticks(range(len(labels)), labels, fontsize=7, parse_math=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=grid, shrink=0.6, label="attention")
    bar.ax.yaxis.label.set_color(GREY)
    return figure


def list_attention(panels: dict[str, np.ndarray], labels: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A row for each weight of each panel that a causal mask leaves."""
    for title, matrix in panels.items():
        for query, key in np.argwhere(np.tri(len(labels), dtype=bool)):
            yield {
                "panel": title,
                "query": query,
                "query_token": labels[query],
                "key": key,
                "key_token": labels[key],
                "weight": round(float(matrix[query, key]), 6),
            }
