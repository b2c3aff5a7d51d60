"""What an ablation says: a table of its results, with what chance alone could have done."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from darija_gpt.benchmark.report import render_table


CONFIDENCE = 0.95
HEADER = (
    "Recipe",
    "What it changes",
    "Parameters",
    "Seeds",
    "Latin script",
    "Arabic script",
    "All",
    "Difference",
    "Against the base",
)


def render_results(results: Sequence[Mapping[str, Any]], base: str) -> str:
    """A Markdown table of held-out bits per byte: a row for each recipe, in the order of the results.

    Args:
        results (`Sequence[Mapping]`):
            Of each run, as `one_run` measured it.
        base (`str`):
            The name of the recipe that the others are compared with.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for result in results:
        groups.setdefault(result["name"], []).append(result)
    base_bits = [result["bits_per_byte"]["all"] for result in groups.get(base, [])]
    rows = [_render_row(name, group, base_bits, name == base) for name, group in groups.items()]
    notes = [_describe_noise(base_bits), _describe_widths(results, base), _describe_runs(results)]
    return "\n\n".join([render_table(HEADER, rows), *filter(None, notes)])


def estimate_difference(own: Sequence[float], base: Sequence[float]) -> tuple[float, float | None]:
    """A difference of means and half the width of its 95 % confidence interval.

    What seeds do is taken to be as large for all recipes as it is among the runs of the base (Student's t with their
    degrees of freedom): most recipes have one run.

    Args:
        own (`Sequence[float]`):
            One number for each run of a recipe.
        base (`Sequence[float]`):
            The same for the base.

    Returns:
        `tuple`: the difference, and None in place of the interval where the base has one run only.
    """
    difference = statistics.fmean(own) - statistics.fmean(base)
    if len(base) < 2:
        return difference, None
    from scipy.stats import t

    error = statistics.stdev(base) * math.sqrt(1 / len(own) + 1 / len(base))
    return difference, float(t.ppf((1 + CONFIDENCE) / 2, len(base) - 1)) * error


def judge(difference: float, half_width: float | None) -> str:
    """What a difference in bits per byte shows."""
    if half_width is None:
        return "one run of the base: no judgement"
    if abs(difference) <= half_width:
        return "no difference shown"
    return "better" if difference < 0 else "worse"


def _render_row(name: str, group: Sequence[Mapping[str, Any]], base_bits: list[float], is_base: bool) -> list[str]:
    cells = [name, _spell_changes(group[0]["changes"]), f"{group[0]['parameters']:,}", str(len(group))]
    cells += [
        _spell_mean([result["bits_per_byte"].get(key, math.nan) for result in group])
        for key in ("Latn", "Arab", "all")
    ]
    if is_base or not base_bits:
        return [*cells, "–", "–"]
    difference, half_width = estimate_difference([result["bits_per_byte"]["all"] for result in group], base_bits)
    interval = "" if half_width is None else f" ± {half_width:.3f}"
    return [*cells, f"{difference:+.3f}{interval}", judge(difference, half_width)]


def _spell_changes(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"`{key.removeprefix('model.')}` {_spell_value(value)}" for key, value in changes.items()) or "–"


def _spell_value(value: Any) -> str:
    return "left out" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _spell_mean(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.3f}{spread}"


def _describe_noise(base_bits: Sequence[float]) -> str:
    text = "Bits per byte of the test split; ± is the standard deviation over seeds. Lower is better."
    if len(base_bits) < 2:
        return text
    return (
        f"{text} The difference is of all texts, with its 95 % confidence interval: {len(base_bits)} runs of the base "
        f"tell what the seed alone does ({statistics.stdev(base_bits):.4f}), and the others are taken to vary as much."
    )


def _describe_widths(results: Sequence[Mapping[str, Any]], base: str) -> str:
    widths = {result["name"]: result["intermediate_size"] for result in results}
    others = [f"{name} {width:,}" for name, width in widths.items() if width != widths[base]]
    if not others:
        return ""
    return f"Feed-forwards made as wide as equal parameters ask for (base {widths[base]:,}): {', '.join(others)}."


def _describe_runs(results: Sequence[Mapping[str, Any]]) -> str:
    tokens = sorted({result["tokens"] for result in results})
    span = f"{tokens[0]:,}" if len(tokens) == 1 else f"{tokens[0]:,} to {tokens[-1]:,}"
    devices = sorted({f"{result['device']}, {result['mixed_precision']}" for result in results})
    commits = sorted({result["commit"] for result in results if result["commit"]})
    made_at = f", commit {', '.join(commits)}" if commits else ""
    return f"{len(results)} runs of {span} tokens ({'; '.join(devices)}{made_at})."
