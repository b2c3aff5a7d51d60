"""What an ablation says: a table of its results, with what chance alone could have done."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from typing import Any

from darija_gpt.ablation.noise import Noise, find_critical_value, measure_noise
from darija_gpt.benchmark.report import render_table


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
    "Training, of the base's tokens/s",
    "Generation, tokens/s",
    "Cache, bytes per token",
    "Memory in training, MiB",
)
ABSENT = "–"
MANY_SKIPS = 5


@dataclass(frozen=True)
class Findings:
    """The results of an ablation, ready to be told.

    Args:
        results (`Sequence[Mapping]`):
            Of each run, as `one_run` measured it.
        base (`str`):
            The name of the recipe that the others are compared with.
        speeds (`Mapping[str, Mapping]`):
            What `measure_speed` gives, by the name of the recipe; of some of them, or of none.
        labels (`Mapping[str, str]`):
            What a recipe is, in words, where the keys that it changes would not say it. Those that have one come
            first, in this order.
        groups (`Mapping[str, Sequence[str]]`):
            Patterns of the names of recipes, by what these have in common.
        others (`Sequence[Mapping]`):
            Results of other recipes on the same texts, which are not shown: they, too, tell what seeds do.
    """

    results: Sequence[Mapping[str, Any]]
    base: str
    speeds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    others: Sequence[Mapping[str, Any]] = ()

    @property
    def recipes(self) -> dict[str, list[Mapping[str, Any]]]:
        """The results of each recipe, in the order in which recipes are shown."""
        labelled = [name for name in self.labels if any(result["name"] == name for result in self.results)]
        recipes: dict[str, list[Mapping[str, Any]]] = {name: [] for name in labelled}
        for result in self.results:
            recipes.setdefault(result["name"], []).append(result)
        return recipes

    def collect_bits(self, name: str) -> list[float]:
        """Bits per byte of each run of a recipe."""
        return [result["bits_per_byte"]["all"] for result in self.recipes.get(name, [])]

    @cached_property
    def noise(self) -> Noise | None:
        """What seeds do to all that is here; None where the base has one run only."""
        if len(self.collect_bits(self.base)) < 2:
            return None
        groups: dict[str, list[float]] = {}
        for result in (*self.results, *self.others):
            groups.setdefault(result["name"], []).append(result["bits_per_byte"]["all"])
        return measure_noise(groups)

    @cached_property
    def critical_value(self) -> float | None:
        """Standard errors within which all differences of the table stay by chance, in 95 of 100 cases."""
        names = [name for name in self.recipes if name != self.base]
        if self.noise is None or not names:
            return None
        sizes = [len(self.recipes[name]) for name in names]
        return find_critical_value(sizes, len(self.collect_bits(self.base)), self.noise.degrees)

    def compare(self, name: str) -> tuple[float, float | None]:
        """How much more bits a recipe needs than the base, and half of the interval; None where that is not known."""
        own, base = self.collect_bits(name), self.collect_bits(self.base)
        difference = statistics.fmean(own) - statistics.fmean(base)
        if self.noise is None or {name, self.base} & set(self.noise.unlike):
            return difference, None
        return difference, self.measure_reach(len(own))

    def measure_reach(self, num_runs: int) -> float | None:
        """How far a mean of so many runs is from the base's by chance; None where that is not known."""
        if self.noise is None or self.critical_value is None:
            return None
        error = self.noise.deviation * math.sqrt(1 / num_runs + 1 / len(self.collect_bits(self.base)))
        return self.critical_value * error

    def judge(self, name: str) -> str:
        """What the difference of a recipe to the base shows."""
        difference, half_width = self.compare(name)
        if half_width is None:
            return "one run of the base: no judgement" if self.noise is None else "its seeds differ: no judgement"
        if abs(difference) <= half_width:
            return "no difference shown"
        return "better" if difference < 0 else "worse"

    def group(self) -> dict[str, list[str]]:
        """Names of recipes by group, the base first in each; under an empty name those that no group has."""
        if not self.groups:
            return {"": list(self.recipes)}
        names = [name for name in self.recipes if name != self.base]
        grouped: dict[str, list[str]] = {}
        for title, patterns in self.groups.items():
            grouped[title] = [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]
            names = [name for name in names if name not in grouped[title]]
        return {title: [self.base, *of_title] for title, of_title in {**grouped, "": names}.items() if of_title}


def render_results(findings: Findings) -> str:
    """Markdown tables of held-out bits per byte, one for each group, with a row for each recipe, and what to know."""
    tables = [
        "\n\n".join(filter(None, [f"### {title}" if title else "", _render_group(findings, names)]))
        for title, names in findings.group().items()
    ]
    notes = [
        _describe_noise(findings),
        _describe_widths(findings),
        _describe_skips(findings.results),
        _describe_runs(findings.results),
        _describe_speeds(findings),
    ]
    return "\n\n".join([*tables, *filter(None, notes)])


def _render_group(findings: Findings, names: Sequence[str]) -> str:
    rows = [_render_row(findings, name) for name in names]
    # What was measured of none of them is no column.
    kept = [column for column in range(len(HEADER)) if any(row[column] != ABSENT for row in rows) or column == 1]
    return render_table([HEADER[column] for column in kept], [[row[column] for column in kept] for row in rows])


def _render_row(findings: Findings, name: str) -> list[str]:
    group, speed = findings.recipes[name], findings.speeds.get(name)
    label = findings.labels.get(name) or _spell_changes(group[0]["changes"])
    cells = [name, label, f"{group[0]['parameters']:,}", str(len(group))]
    cells += [
        _spell_mean([result["bits_per_byte"].get(key, math.nan) for result in group])
        for key in ("Latn", "Arab", "all")
    ]
    return [*cells, *_render_difference(findings, name), *_render_speed(speed), _spell_memory(group)]


def _render_difference(findings: Findings, name: str) -> list[str]:
    if name == findings.base:
        return [ABSENT] * 2
    difference, half_width = findings.compare(name)
    interval = "" if half_width is None else f" ± {half_width:.3f}"
    return [f"{difference:+.3f}{interval}", findings.judge(name)]


def _render_speed(speed: Mapping[str, Any] | None) -> list[str]:
    if speed is None:
        return [ABSENT] * 3
    ratio = speed["training_ratio"]
    return [
        f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})",
        f"{speed['generation_tokens_per_second']:,.0f}",
        f"{speed['cache_bytes_per_token']:,}",
    ]


def _spell_memory(group: Sequence[Mapping[str, Any]]) -> str:
    peaks = [result["peak_memory_mib"] for result in group if result["peak_memory_mib"]]
    return f"{max(peaks):,}" if peaks else ABSENT


def _spell_changes(changes: Mapping[str, Any]) -> str:
    spelt = [f"`{key.removeprefix('model.')}` {_spell_value(value)}" for key, value in changes.items()]
    return ", ".join(spelt) or ABSENT


def _spell_value(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _spell_mean(values: Sequence[float]) -> str:
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.3f}{spread}"


def _describe_noise(findings: Findings) -> str:
    text = "Bits per byte of the validation split; ± is the standard deviation over seeds. Lower is better."
    noise = findings.noise
    if noise is None:
        return text
    num_runs, num_recipes = sum(noise.recipes.values()), len(noise.recipes)
    of_whom = "the base" if list(noise.recipes) == [findings.base] else f"{num_recipes} recipes that have several"
    unlike = ""
    if noise.unlike:
        unlike = (
            f" Runs of {', '.join(noise.unlike)} differ by more than those of others (F test), and are not judged; a "
            "recipe of one run may be like them, unseen."
        )
    return (
        f"{text} The difference is that of the means of all texts. What the seed alone does ({noise.deviation:.4f}) "
        f"is known from {num_runs} runs of {of_whom}, and taken to be alike for the others. If it is, all intervals "
        "of these tables together hold the truth in 95 of 100 cases (Dunnett), for other seeds on these texts."
        f"{unlike}"
    )


def _describe_widths(findings: Findings) -> str:
    widths = {result["name"]: result["intermediate_size"] for result in findings.results}
    own = widths.pop(findings.base)
    others = [f"{name} {width:,}" for name, width in widths.items() if width != own]
    if not others:
        return ""
    return f"Feed-forwards made as wide as equal parameters ask for (base {own:,}): {', '.join(others)}."


def _describe_skips(results: Sequence[Mapping[str, Any]]) -> str:
    """Runs that the guard against spikes stood in for, which a lower learning rate may do better."""
    skipped = {f"{result['name']}, seed {result['seed']}": sum(result["skipped_steps"].values()) for result in results}
    spelt = [f"{run} {number:,}" for run, number in skipped.items() if number >= MANY_SKIPS]
    if not spelt:
        return ""
    return f"Steps that were skipped as spikes, where there were {MANY_SKIPS} or more: {', '.join(spelt)}."


def _describe_runs(results: Sequence[Mapping[str, Any]]) -> str:
    tokens = sorted({result["tokens"] for result in results})
    span = f"{tokens[0]:,}" if len(tokens) == 1 else f"{tokens[0]:,} to {tokens[-1]:,}"
    devices = sorted({f"{result['device']}, {result['mixed_precision']}" for result in results})
    commits = sorted({result["commit"] for result in results if result["commit"]})
    made_at = f", commit {', '.join(commits)}" if commits else ""
    texts = {result["data"] for result in results}
    others = "" if len(texts) == 1 else " **They did not all learn from the same texts.**"
    return f"{len(results)} runs of {span} tokens ({'; '.join(devices)}{made_at}).{others}"


def _describe_speeds(findings: Findings) -> str:
    speeds = [speed for name, speed in findings.speeds.items() if name in findings.recipes]
    if not speeds:
        return ""
    machines = {
        f"{speed['machine']['device']}, threads: {speed['machine']['num_threads']}, training in "
        f"{speed['machine']['mixed_precision']}"
        for speed in speeds
    }
    rounds = sorted({speed["rounds"] for speed in speeds})
    return (
        f"Speeds were measured apart ({'; '.join(sorted(machines))}): the median of {' or '.join(map(str, rounds))} "
        "turns, which alternate with the base's, and the least and the most. Generation is greedy, with the cache, "
        "one text at a time, in float32; the cache is that of a full context, divided by its tokens. Where the "
        "tokenizer is another, so is the length of a token."
    )
