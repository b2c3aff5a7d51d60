"""The loss curves of a training log, as a picture and as a table."""

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING, Any

from darija_gpt.evaluation.plots.figures import BLUE, GREY, ORANGE, RED, new_figure, render_png, style_axes


if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Of the moving average: two thirds of it are of the last 5 steps or, in a long run, of the last hundredth.
SMOOTHING_STEPS = 5
MAX_POINTS = 4000  # more than the picture has columns


@dataclass
class LossRow:
    """What a log says of a step; None where it says nothing."""

    step: int
    tokens: int | None = None
    epoch: float | None = None
    train_loss: float | None = None
    smoothed_train_loss: float | None = None
    validation_loss: float | None = None
    validation_bits_per_byte: float | None = None
    learning_rate: float | None = None
    grad_norm: float | None = None
    skipped: str | None = None


def tabulate_losses(records: Iterable[Mapping[str, Any]]) -> list[LossRow]:
    """A row for each step of a training log.

    The smoothed loss is a moving average with exponentially falling weights (Kingma and Ba 2015, whose correction of
    the beginning it has), over the steps that were not skipped.

    Args:
        records (`Iterable[Mapping]`):
            The lines of training_log.jsonl.
    """
    rows: dict[int, LossRow] = {}
    names = {field.name for field in fields(LossRow)}
    for record in records:
        row = rows.setdefault(record["step"], LossRow(record["step"]))
        for name, value in record.items():
            name = "train_loss" if name == "loss" else name
            if name in names:
                setattr(row, name, value)
    decay = math.exp(-1 / max(SMOOTHING_STEPS, len(rows) / 100))
    weighted, weight = 0.0, 0.0
    for row in rows.values():
        if row.train_loss is not None and not row.skipped:
            weighted = decay * weighted + (1 - decay) * row.train_loss
            weight = decay * weight + 1 - decay
            row.smoothed_train_loss = round(weighted / weight, 6)
    return list(rows.values())


def format_losses(rows: Iterable[LossRow]) -> str:
    """The rows as CSV, with an empty field for None."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(LossRow)])
    writer.writerows(astuple(row) for row in rows)
    return text.getvalue()


def plot_losses(rows: list[LossRow]) -> bytes:
    """A PNG of the losses over the steps: training, validation, the skipped steps, and the learning rate below.

    Args:
        rows (`list[LossRow]`):
            At least one.
    """
    figure = new_figure(9, 5.6)
    losses, rates = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    _draw_losses(losses, rows)
    _draw_rates(rates, rows)
    for axes in (losses, rates):
        style_axes(axes)
    rates.set_xlim(0, max(rows[-1].step, 1) * 1.01)
    rates.xaxis.get_major_locator().set_params(integer=True)
    rates.xaxis.set_major_formatter("{x:,.0f}")
    return render_png(figure)


def _draw_losses(axes: "Axes", rows: list[LossRow]) -> None:
    taken = [row for row in rows if row.smoothed_train_loss is not None]
    some = taken[:: math.ceil(len(taken) / MAX_POINTS) or 1]
    steps = [row.step for row in some]
    axes.plot(steps, [row.train_loss for row in some], color=BLUE, alpha=0.35, linewidth=0.8)
    axes.plot(
        steps,
        [row.smoothed_train_loss for row in some],
        color=BLUE,
        linewidth=1.8,
        label="training, smoothed",
        zorder=3,
    )
    measured = [row for row in rows if row.validation_loss is not None]
    if measured:
        last = measured[-1]
        axes.plot(
            [row.step for row in measured],
            [row.validation_loss for row in measured],
            color=ORANGE,
            linewidth=1.2,
            marker="o",
            markersize=4.5,
            label=_label_validation(last),
            zorder=4,
        )
    skipped = [row.step for row in rows if row.skipped]
    if skipped:
        # On the axis: the loss of such a step may be no number, or one that would flatten all others.
        axes.plot(
            skipped,
            [0] * len(skipped),
            color=RED,
            linestyle="",
            marker="|",
            markersize=11,
            markeredgewidth=1.5,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            label=f"skipped steps ({len(skipped):,})",
            zorder=5,
        )
    axes.set_ylabel("loss, nats per token", color=GREY)
    axes.set_title(_describe_run(rows), loc="left", fontsize=11)
    if taken or measured or skipped:
        axes.legend(loc="upper right", frameon=False, fontsize=9)
    if measured and last.validation_loss and last.validation_bits_per_byte:
        ratio = last.validation_bits_per_byte / last.validation_loss
        scale = axes.secondary_yaxis("right", functions=(lambda loss: loss * ratio, lambda bits: bits / ratio))
        scale.set_ylabel("bits per byte of validation", color=GREY)
        scale.tick_params(colors=GREY, labelsize=9)
        scale.spines["right"].set_visible(False)


def _draw_rates(axes: "Axes", rows: list[LossRow]) -> None:
    known = [row for row in rows if row.learning_rate is not None]
    axes.plot([row.step for row in known], [row.learning_rate for row in known], color=GREY, linewidth=1.4)
    axes.set_ylim(bottom=0)
    axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    axes.yaxis.get_offset_text().set(color=GREY, fontsize=9)
    axes.set_ylabel("learning\nrate", color=GREY)
    axes.set_xlabel("step", color=GREY)


def _label_validation(row: LossRow) -> str:
    text = f"validation, last {row.validation_loss:.3f}"
    bits = row.validation_bits_per_byte
    return text if bits is None else f"{text} = {bits:.3f} bits per byte"


def _describe_run(rows: list[LossRow]) -> str:
    last = rows[-1]
    parts = [f"{last.step:,} steps"]
    if last.tokens is not None:
        size, unit = (last.tokens / 1e6, "M") if last.tokens >= 1e6 else (last.tokens / 1e3, "k")
        parts.append(f"{size:,.1f} {unit} tokens")
    if last.epoch is not None:
        parts.append(f"{last.epoch:.2f} epochs")
    return ", ".join(parts)
