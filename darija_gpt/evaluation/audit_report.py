"""What an audit came to: lines for people, and the tables of a README that asks for them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darija_gpt.evaluation.audit_checks import Check
from darija_gpt.markdown import render_template
from darija_gpt.output import replace_section, write_text


ATTACKS = {"loss": "loss", "min_k": "Min-K%", "zlib": "zlib ratio"}


def write_results(content: Mapping[str, Any], readme: Path, section: str) -> None:
    """Writes an audit beside a README, as results/<section>.json, and its tables into the section."""
    results = readme.parent / "results" / f"{section}.json"
    results.parent.mkdir(exist_ok=True)
    write_text(results, json.dumps(content, indent=2) + "\n")
    write_text(readme, replace_section(readme, section, render_audit_results(content)))
    print(f"written: {readme}, {results}")


def render_audit_results(content: Mapping[str, Any]) -> str:
    """The tables of a README, from the content of privacy_audit.json."""
    return render_template(
        "audit_results.md.jinja", audit=content, attacks=ATTACKS, spell=_spell_number, percent="{:.1%}".format
    )


def _spell_number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def format_checks(checks: list[Check]) -> list[str]:
    """A line for each check, and the reason for each that was not made."""
    lines = [f"{'check':26}  {'value':>9}  {'at most':>9}  verdict"]
    for check in checks:
        value = "-" if check.value is None else f"{check.value:.4g}"
        lines.append(f"{check.name:26}  {value:>9}  {check.at_most:>9.4g}  {check.verdict}")
    return lines + [f"{check.name}: {check.reason}" for check in checks if check.reason]


def print_audit(checks: list[Check], content: Mapping[str, Any]) -> None:
    """The checks, and the figures behind them."""
    print("\n".join(format_checks(checks)))
    continuation, membership, samples = (content[name] for name in ("continuation", "membership", "samples"))
    if continuation:
        for name in ("train", "held_out"):
            low, high = continuation[name]["interval"]
            rate = continuation[name]["rate"]
            print(f"continued exactly, {name:8}: {rate:.2%} ({low:.2%} to {high:.2%}) of {continuation[name]['of']:,}")
    for name, attack in membership["attacks"].items() if membership else ():
        low, high = attack["auc_interval"]
        print(
            f"membership by {name:5}: AUC {attack['auc']:.3f} ({low:.3f} to {high:.3f}), "
            f"true positives at 1 % false ones {attack['tpr_at_1_percent_fpr']:.1%}"
        )
    for num_tokens, auc in membership["longer"].items() if membership else ():
        print(f"membership by {num_tokens} tokens in place of {membership['num_tokens']}: AUC {auc:.3f}")
    for copies, canary in (content["canaries"] or {}).items():
        print(
            f"canaries planted {copies} times: exposure {canary['exposure_mean']:.1f} of "
            f"{canary['exposure_possible']:.0f} bits, {canary['extracted']['hits']} of {canary['canaries']} extracted"
        )
    shared, common = samples["words_shared_with_training"], samples["words_shared_by_held_out_texts"]
    line = f"longest run of training words in a sample: {shared['longest']}"
    print(f"{line}; in held-out texts as long as samples: {common['longest']}" if common else line)
    print(f"what only looks like private data, in samples: {sum(samples['invented'].values()):,}")
    if samples["invented_names"]:
        print(f"samples with a participant's name that stands in no training text: {samples['invented_names']:,}")
