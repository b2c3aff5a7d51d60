"""How alike two positions are by their distance: learnt vectors, sinusoids, and the phases of RoPE."""

from typing import TYPE_CHECKING, Any

import numpy as np

from darija_gpt.evaluation.plots.figures import BLUE, GREEN, GREY, ORANGE, new_figure, style_axes


if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from transformers import PreTrainedModel

# Of the papers: Vaswani et al. 2017, Su et al. 2021.
BASE = 10_000.0
COLORS = {"learned": BLUE, "rope": ORANGE, "sinusoidal": GREEN}


def compare_phases(frequencies: np.ndarray, num_distances: int) -> np.ndarray:
    """The cosine of the angle between two positions encoded by waves, by their distance, of shape (num_distances,).

    For sinusoids it is that of two encodings; for RoPE that of a vector of equal parts and itself, turned by so many
    positions. Either way it is the mean over waves of cos(distance x frequency).

    Args:
        frequencies (`np.ndarray`):
            Radians per token of each wave, of shape (waves,).
        num_distances (`int`):
            Distances 0, 1, ... that are computed.
    """
    return np.cos(np.arange(num_distances)[:, None] * frequencies).mean(axis=1)


def compute_frequencies(width: int, base: float = BASE) -> np.ndarray:
    """Radians per token of the waves of an encoding of so many numbers, of shape (width / 2,)."""
    return base ** -(np.arange(0, width, 2) / width)


def compare_learned(table: np.ndarray) -> np.ndarray:
    """Cosines of the learnt vectors of all pairs of positions, of shape (positions, positions)."""
    normalized = table / np.linalg.norm(table, axis=1, keepdims=True).clip(min=1e-12)
    return normalized @ normalized.T


def average_by_distance(similarities: np.ndarray) -> np.ndarray:
    """The mean over all pairs of positions of one distance, of shape (positions,)."""
    return np.array([np.diagonal(similarities, distance).mean() for distance in range(len(similarities))])


def measure_positions(model: "PreTrainedModel") -> tuple[dict[str, np.ndarray], np.ndarray | None, set[str]]:
    """Similarities by distance of each encoding.

    Args:
        model (`PreTrainedModel`):
            A causal language model. An encoding that is not its own is computed as the paper gives it, for its widths.

    Returns:
        `tuple`: similarities by distance of `rope`, `sinusoidal` and, where the model has them, `learned`; the matrix
        of the learnt ones, or None; and the names of those that are the model's own.
    """
    from darija_gpt.evaluation.windows import find_position_table
    from darija_gpt.generation import count_context_tokens

    config = model.config.get_text_config()
    num_positions = count_context_tokens(model)
    rotary = [buffer for name, buffer in model.named_buffers() if name.rpartition(".")[2] == "inv_freq"]
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    frequencies = rotary[0].float().cpu().numpy() if rotary else compute_frequencies(head_dim)
    curves = {
        "rope": compare_phases(frequencies, num_positions),
        "sinusoidal": compare_phases(compute_frequencies(config.hidden_size), num_positions),
    }
    own = {"rope"} if rotary else set()
    if getattr(config, "position_embedding", None) == "sinusoidal":
        own.add("sinusoidal")
    table = find_position_table(model)
    if table is None:
        return curves, None, own
    # Rows that OPT has before the first position are none.
    similarities = compare_learned(table.weight.detach().float().cpu().numpy()[-num_positions:])
    return {"learned": average_by_distance(similarities), **curves}, similarities, own | {"learned"}


def plot_positions(
    curves: dict[str, np.ndarray], similarities: np.ndarray | None = None, own: set[str] | None = None
) -> "Figure":
    """Similarity by distance, and of learnt vectors that of all pairs; `measure_positions` gives the arguments."""
    figure = new_figure(7 if similarities is None else 12, 4.4)
    axes = figure.subplots(1, 1 if similarities is None else 2, squeeze=False)[0]
    style_axes(axes[0])
    for name, curve in curves.items():
        is_own = name in (own or ())
        label = f"{name}, this model's" if is_own else f"{name}, as published"
        axes[0].plot(curve, color=COLORS[name], linewidth=1.8, linestyle="-" if is_own else ":", label=label)
    axes[0].set_xlabel("distance in tokens", color=GREY)
    axes[0].set_ylabel("cosine", color=GREY)
    axes[0].legend(frameon=False, fontsize=9)
    if similarities is not None:
        image = axes[1].imshow(similarities, cmap="RdBu_r", vmin=-1, vmax=1)
        axes[1].set_title("learned, all pairs of positions", loc="left", fontsize=10)
        figure.colorbar(image, ax=axes[1], label="cosine")
    return figure


def list_positions(curves: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """A row for each distance."""
    num_distances = len(next(iter(curves.values())))
    return [
        {"distance": distance, **{name: round(float(curve[distance]), 6) for name, curve in curves.items()}}
        for distance in range(num_distances)
    ]
