"""metrics.json as tables on the terminal."""

from collections.abc import Mapping
from typing import Any


def print_metrics(metrics: Mapping[str, Any]) -> None:
    """Prints what the evaluate stage has measured, a table for each measure that there is."""
    print_bits_per_byte(metrics["bits_per_byte"], "script")
    if any(len(groups) > 1 for groups in metrics["bits_per_byte_by_source"].values()):
        print_bits_per_byte(metrics["bits_per_byte_by_source"], "source")
    if "window_sweep" in metrics:
        print(f"\n{'window':>10}  bits/byte  (95 % interval), {metrics['window_sweep']['split']}")
        for measured in metrics["window_sweep"]["windows"]:
            print(f"{measured['context_tokens']:10,}  {_spell_bits(measured)}")
    if "kl_divergence" in metrics:
        measured = metrics["kl_divergence"]
        print(
            f"\nfrom {measured['reference']}: {measured['nats_per_token']:.6f} nats per token"
            f"{_spell_interval(measured['nats_per_token_low'], measured['nats_per_token_high'], '.6f')}, the same "
            f"likeliest token {measured['same_likeliest_token']:.1%} of the time"
        )
    if "generated_texts" in metrics:
        measured = metrics["generated_texts"]
        print(
            f"\n{measured['num_texts']} generated texts: MAUVE {measured['mauve']:.3f}, human texts among themselves "
            f"{measured['mauve_of_human_halves']:.3f}"
        )
    if "harness" in metrics:
        print()
        print_harness(metrics["harness"])


def print_bits_per_byte(bits_per_byte: Mapping[str, Mapping[str, Mapping[str, float]]], title: str) -> None:
    """Prints a line for each split and group."""
    width = max([len(title), *(len(group) for groups in bits_per_byte.values() for group in groups)])
    print(f"{'split':10}  {title:{width}}  bits/byte  (95 % interval)   perplexity  documents      bytes")
    for split, groups in bits_per_byte.items():
        for group, measured in groups.items():
            print(
                f"{split:10}  {group:{width}}  {_spell_bits(measured):26}  {measured['perplexity']:10.2f}  "
                f"{measured['documents']:9,}  {measured['bytes']:9,}"
            )


def print_harness(tasks: Mapping[str, Mapping[str, Any]]) -> None:
    """Prints a line for each metric of each task of lm-eval."""
    width = max(len(task) for task in tasks)
    print(f"{'task':{width}}  {'metric':16}   value   error  chance  examples")
    for task, measured in tasks.items():
        for metric, value in measured["metrics"].items():
            error = "–" if value["stderr"] is None else f"{value['stderr']:.4f}"
            chance = "–" if value["chance"] is None else f"{value['chance']:.4f}"
            numbers = f"{value['value']:6.4f}  {error:>6}  {chance:>6}"
            print(f"{task:{width}}  {metric:16}  {numbers}  {measured['examples']:8,}")


def _spell_bits(measured: Mapping[str, float]) -> str:
    interval = _spell_interval(measured["bits_per_byte_low"], measured["bits_per_byte_high"], ".3f")
    return f"{measured['bits_per_byte']:9.4f}{interval}"


def _spell_interval(low: float | None, high: float | None, form: str) -> str:
    return "" if low is None else f"  ({low:{form}} to {high:{form}})"
