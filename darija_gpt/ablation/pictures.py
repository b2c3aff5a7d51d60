"""What an ablation says, in pictures: every recipe beside the base, losses on the way, loss against speed."""

import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from darija_gpt.ablation.tables import Findings
from darija_gpt.evaluation.plots.figures import BLUE, DPI, GREEN, GREY, ORANGE, RED, new_figure, style_axes, write_plot


if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BITS = "bits per byte of held-out texts (lower is better)"
# Of what a difference shows.
COLORS = {"better": GREEN, "worse": RED, "no difference shown": GREY}
# Of curves beside the base's, which is grey; told apart by line style from the sixth on.
CURVE_COLORS = (BLUE, ORANGE, GREEN, RED, "#7b3fa0")
LINE_STYLES = ("-", "--", ":")
# Where a label may stand from its dot, in points, the nearest first.
LABEL_PLACES = [(7, 0), (7, 9), (7, -9), (-7, 0), (-7, 9), (-7, -9), (0, 12), (0, -12), (12, 18), (12, -18), (-12, 18)]


def draw_all(findings: Findings, directory: Path, section: str) -> list[str]:
    """Writes all pictures that the results give, each with its numbers as CSV beside it.

    Args:
        findings (`Findings`):
            What to show; of the base at least one run.
        directory (`Path`):
            Where they go.
        section (`str`):
            What their names begin with.

    Returns:
        `list[str]`: the names of the pictures.
    """
    directory.mkdir(parents=True, exist_ok=True)
    names = []
    for suffix, figure, rows in _draw(findings):
        names.append(f"{section}{suffix}.png")
        write_plot(directory, f"{section}{suffix}", figure, rows)
    return names


def _draw(findings: Findings) -> Iterator[tuple[str, "Figure", list[dict[str, Any]]]]:
    yield "", *draw_recipes(findings)
    for title, names in findings.group().items():
        ending = re.sub(r"\W+", "_", title.lower()).strip("_")
        yield f"_curves_{ending}" if ending else "_curves", *draw_curves(findings, names, title)
    if findings.base in findings.speeds:
        yield "_speed", *draw_speeds(findings)


def draw_recipes(findings: Findings) -> tuple["Figure", list[dict[str, Any]]]:
    """Each run a dot and each recipe a line, from the top in their order; the band is what chance does to one run."""
    names = _order(findings)
    figure = new_figure(9, 1.3 + 0.27 * len(names))
    axes = figure.subplots()
    style_axes(axes)
    base_bits = findings.collect_bits(findings.base)
    mean = statistics.fmean(base_bits)
    half_width = findings.measure_reach(1)
    if half_width is not None:
        axes.axvspan(
            mean - half_width, mean + half_width, color=GREY, alpha=0.15, linewidth=0, label="one run, by chance"
        )
    axes.axvline(mean, color=GREY, linewidth=1)
    rows = []
    for place, name in enumerate(names):
        bits = findings.collect_bits(name)
        verdict = "" if name == findings.base else findings.judge(name)
        color = COLORS.get(verdict, BLUE)
        axes.plot([mean, statistics.fmean(bits)], [place, place], color=color, linewidth=1.2, alpha=0.5)
        axes.plot(bits, [place] * len(bits), color=color, linestyle="", marker="o", markersize=5)
        axes.text(
            1.01,
            place,
            f"{statistics.fmean(bits):.3f}",
            transform=axes.get_yaxis_transform(),
            color=color,
            fontsize=9,
            verticalalignment="center",
        )
        rows += [{"recipe": name, "run": number, "bits_per_byte": value} for number, value in enumerate(bits)]
    place = 0.5
    for of_group in findings.group().values():
        if findings.groups:
            axes.axhline(place, color=GREY, linewidth=0.6)
            place += len(of_group) - 1
    axes.set_yticks(range(len(names)), [_label(findings, name) for name in names], fontsize=9)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(BITS, color=GREY)
    for verdict in ("better", "worse"):
        axes.plot([], [], color=COLORS[verdict], linestyle="", marker="o", markersize=5, label=verdict)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9)
    return figure, rows


def draw_curves(findings: Findings, names: Sequence[str], title: str) -> tuple["Figure", list[dict[str, Any]]]:
    """Validation bits per byte over the passes through the text, of the base and of some other recipes.

    A line is the mean over seeds, and the band around it their range.
    """
    figure = new_figure(11, 5)
    axes = figure.subplots()
    style_axes(axes)
    rows = []
    last = []
    others = [name for name in names if name != findings.base]
    for number, name in enumerate([findings.base, *others]):
        passes, bits = _average_curves(findings.recipes[name])
        color = "black" if name == findings.base else CURVE_COLORS[(number - 1) % len(CURVE_COLORS)]
        style = LINE_STYLES[max(0, number - 1) // len(CURVE_COLORS) % len(LINE_STYLES)]
        axes.plot(passes, bits.mean(axis=0), color=color, linestyle=style, linewidth=1.5, label=_label(findings, name))
        axes.fill_between(passes, bits.min(axis=0), bits.max(axis=0), color=color, alpha=0.15, linewidth=0)
        rows += [
            {"recipe": name, "passes": round(place, 4), "bits_per_byte": round(mean, 6)}
            for place, mean in zip(passes, bits.mean(axis=0).tolist(), strict=True)
        ]
        last += bits[:, bits.shape[1] // 4 :].flatten().tolist()
    # The beginning is steep and all alike.
    axes.set_ylim(min(last) - 0.02, max(last) + 0.02)
    axes.set_xlabel("passes over the texts", color=GREY)
    axes.set_ylabel("bits per byte of validation", color=GREY)
    axes.set_title(title, loc="left", fontsize=11)
    # Beside the curves, which leave no room among them.
    figure.legend(loc="outside right upper", frameon=False, fontsize=8.5)
    return figure, rows


def _average_curves(results: Sequence[Mapping[str, Any]]) -> tuple[list[float], np.ndarray]:
    """Passes through the texts, and bits per byte at each of them, shape (runs, places).

    Passes, and not tokens, of which some tokenizers need more for the same text.
    """
    places = min(len(result["curve"]) for result in results)  # As many where all ran to the end.
    per_token = results[0]["epochs"] / results[0]["tokens"]
    passes = [tokens * per_token for tokens, _ in results[0]["curve"][:places]]
    return passes, np.array([[bits for _, bits in result["curve"][:places]] for result in results])


def draw_speeds(findings: Findings) -> tuple["Figure", list[dict[str, Any]]]:
    """Bits per byte against the speed of training and of generation: what is better stands further down and right."""
    figure = new_figure(11, 9)
    left, right = figure.subplots(2, 1)
    rows = [
        {
            "recipe": name,
            "bits_per_byte": round(statistics.fmean(findings.collect_bits(name)), 4),
            "training_ratio": findings.speeds[name]["training_ratio"]["median"],
            "generation_ratio": findings.speeds[name]["generation_ratio"]["median"],
        }
        for name in _order(findings)
        if name in findings.speeds
    ]
    for axes, key, words in (
        (left, "training_ratio", "tokens a second in training, of the base's"),
        (right, "generation_ratio", "tokens a second in generation, of the base's"),
    ):
        style_axes(axes)
        axes.set_xlabel(words, color=GREY)
        axes.set_ylabel("bits per byte", color=GREY)
        axes.margins(0.12)
        axes.axvline(1, color=GREY, linewidth=0.8)
        axes.axhline(statistics.fmean(findings.collect_bits(findings.base)), color=GREY, linewidth=0.8)
        colors = [BLUE if row["recipe"] == findings.base else ORANGE for row in rows]
        axes.scatter([row[key] for row in rows], [row["bits_per_byte"] for row in rows], s=22, c=colors, zorder=3)
    # Labels are put where there is room, which is known when the figure has its measures, and keeps them: letters are
    # a little wider or narrower in other resolutions.
    figure.set_dpi(DPI)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes, key in ((left, "training_ratio"), (right, "generation_ratio")):
        _place_labels(axes, [(row[key], row["bits_per_byte"], _label(findings, row["recipe"])) for row in rows])
    return figure, rows


def _place_labels(axes: "Axes", points: Sequence[tuple[float, float, str]]) -> None:
    """Writes a label beside each point, or none where every place would hide a point or another label."""
    from matplotlib.transforms import Bbox

    pixels = axes.transData.transform([(one, other) for one, other, _ in points])
    taken = [Bbox.from_bounds(across - 4, up - 4, 8, 8) for across, up in pixels]
    for across, up, text in points:
        for right, above in LABEL_PLACES:
            label = axes.annotate(
                text,
                (across, up),
                xytext=(right, above),
                textcoords="offset points",
                fontsize=7.5,
                color="black",
                horizontalalignment="left" if right > 0 else "right" if right < 0 else "center",
                verticalalignment="center",
            )
            box = label.get_window_extent()
            if box.count_overlaps(taken) == 0 and axes.bbox.containsx(box.x0) and axes.bbox.containsx(box.x1):
                taken.append(box)
                break
            label.remove()


def _order(findings: Findings) -> list[str]:
    """Names of the recipes as they are shown, group by group."""
    return list(dict.fromkeys(name for names in findings.group().values() for name in names))


def _label(findings: Findings, name: str) -> str:
    return findings.labels.get(name, name)
