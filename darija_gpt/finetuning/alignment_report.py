"""What alignment came to: a line for people, and the table of a README that asks for it."""

import json
from pathlib import Path
from typing import Any

from darija_gpt.evaluation.intervals import MIN_DOCUMENTS, spell_estimate
from darija_gpt.markdown import render_template
from darija_gpt.output import replace_section, write_text


SECTION = "alignment"
RESULTS_FILE = "alignment.json"


def write_results(training: dict[str, Any], readme: Path) -> None:
    """Writes what stands in training_summary.json beside a README, and its table into it."""
    results = readme.parent / "results" / RESULTS_FILE
    results.parent.mkdir(exist_ok=True)
    write_text(results, json.dumps(training, indent=2) + "\n")
    write_text(readme, replace_section(readme, SECTION, render_alignment_results(training)))
    print(f"written: {readme}, {results}")


def render_alignment_results(training: dict[str, Any]) -> str:
    """The table of a README, from the summary of the training."""
    return render_template("alignment_results.md.jinja", training=training, estimate=spell_estimate)


def print_results(training: dict[str, Any], output_dir: Path) -> None:
    """What came of it, with 95 % intervals where there are pairs enough for them."""
    after, num_pairs = training["after"], training["pairs"]["validation"]
    print(
        f"on {num_pairs:,} pairs held back: reward margin 0 before, "
        f"{spell_estimate(after['reward_margin'])} after; the chosen reply wins in "
        f"{spell_estimate(after['reward_accuracy'])} -> {output_dir}"
    )
    if num_pairs < MIN_DOCUMENTS:
        print(f"{num_pairs} pairs are too few for an interval; hold back {MIN_DOCUMENTS} or more.")
