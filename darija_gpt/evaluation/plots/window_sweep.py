"""Bits per byte by the length of the window, as a picture."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from darija_gpt.evaluation.plots.figures import BLUE, GREY, new_figure, style_axes


if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_window_sweep(measured: Sequence[Mapping[str, float]], learnt_tokens: int | None = None) -> "Figure":
    """Bits per byte over the tokens of a window, with 95 % intervals of the difference from the longest one learnt.

    Args:
        measured (`Sequence[Mapping]`):
            What `sweep_windows` gives.
        learnt_tokens (`int`, *optional*):
            The longest text that the model was trained on; longer windows stand on grey.
    """
    figure = new_figure(7, 4.2)
    axes = figure.subplots()
    style_axes(axes)
    windows = [row["context_tokens"] for row in measured]
    bits = [row["bits_per_byte"] for row in measured]
    axes.plot(windows, bits, color=BLUE, marker="o", linewidth=1.8)
    # Few documents have no interval, nor had any window once.
    known = [row for row in measured if row.get("difference_low") is not None]
    if known:
        axes.errorbar(
            [row["context_tokens"] for row in known],
            [row["bits_per_byte"] for row in known],
            [
                [row["difference"] - row["difference_low"] for row in known],
                [row["difference_high"] - row["difference"] for row in known],
            ],
            fmt="none",
            ecolor=BLUE,
            capsize=4,
            label="95 % interval of the difference\nfrom the longest window learnt",
        )
    for window, value in zip(windows, bits, strict=True):
        axes.annotate(f"{value:.3f}", (window, value), (0, 7), textcoords="offset points", ha="center", fontsize=9)
    axes.set_xscale("log", base=2)
    axes.set_xticks(windows, [f"{window:,}" for window in windows])
    axes.minorticks_off()
    if learnt_tokens is not None and learnt_tokens < windows[-1]:
        axes.axvspan(learnt_tokens, windows[-1] * 1.1, color=GREY, alpha=0.12, linewidth=0, label="longer than learnt")
        axes.set_xlim(right=windows[-1] * 1.1)
    axes.margins(y=0.18)
    axes.set_xlabel("tokens of a window", color=GREY)
    axes.set_ylabel("bits per byte", color=GREY)
    axes.set_title(f"{measured[0]['documents']:,} documents, {measured[0]['bytes']:,} bytes", loc="left", fontsize=11)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize=9)
    return figure
