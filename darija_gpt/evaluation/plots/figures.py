"""What the pictures share: their colours, their axes, and how they become files.

Labels may be in any script: matplotlib, from 3.11 on, joins Arabic letters and sets them from right to left.
"""

import csv
import io
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, RED, GREEN, GREY = "#2563ab", "#d1661c", "#b3261e", "#2e7d4f", "#5f6368"
GRID = "#e3e5e8"
DPI = 130
# Of scripts, the same in every picture.
SCRIPT_COLORS = {"Arab": BLUE, "Latn": ORANGE, "mixed": GREY}


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of so many inches."""
    # Without pyplot, which would keep every figure and ask for a screen.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: "Axes") -> None:
    """Lines behind the data, no frame above and beside it."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(colors=GREY, labelsize=9)


def render_png(figure: "Figure") -> bytes:
    """The figure as a PNG, the same bytes for the same figure."""
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # Of emoji, which DejaVu Sans lacks: they show as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    return picture.getvalue()


def format_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows of equal keys as CSV, under a line with the keys; an empty field for None.

    Args:
        rows (`Iterable[Mapping]`):
            At least one.
    """
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_plot(directory: Path, name: str, figure: "Figure", rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a picture as name.png, and the numbers behind it as name.csv."""
    (directory / f"{name}.png").write_bytes(render_png(figure))
    (directory / f"{name}.csv").write_text(format_csv(rows), encoding="utf-8")
