"""What other stages measured, as a card reads it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from darija_gpt.card import CardFacts, is_classifier, render_card
from darija_gpt.evaluation.audit import FORMAT
from darija_gpt.evaluation.audit_report import render_audit_results
from darija_gpt.records import parse_record


# What rendering raises where a file holds something else than its stage writes.
UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, TemplateError)


def read_evaluation(evaluation: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What evaluate measured and sampled, or how a classifier was measured.

    Raises:
        ValueError: If a file is missing or no JSON, no card can be made of it, or a number in it is not finite.
    """
    path = evaluation / "metrics.json"
    metrics = parse_record(path, path.read_bytes(), "evaluate")
    _check_rendering(path, metrics, [])
    if is_classifier(metrics):
        return metrics, []
    samples = evaluation / "samples.jsonl"
    if not samples.is_file():
        raise ValueError(f"evaluation={evaluation} has no samples.jsonl; give the directory that evaluate wrote.")
    lines = samples.read_bytes().split(b"\n")
    dialogues = [parse_record(samples, line, "evaluate") for line in lines if line.strip()]
    _check_rendering(samples, metrics, dialogues)
    return metrics, dialogues


def _check_rendering(path: Path, metrics: Mapping[str, Any], dialogues: Sequence[Mapping[str, Any]]) -> None:
    """Refuses a file of which no card can be made."""
    try:
        render_card(metrics, dialogues, CardFacts(model_name="model"))
    except UNREADABLE:
        raise ValueError(f"{path} is not what evaluate writes today; evaluate the model again.") from None


def read_audit(path: Path) -> dict[str, Any]:
    """The content of privacy_audit.json.

    Raises:
        ValueError: If the file is not what audit.py writes; somebody may have edited it.
    """
    content = parse_record(path, path.read_bytes(), "audit")
    try:
        is_ours = content["format"] == FORMAT and _has_parts(content)
        # Whoever can write its tables finds all that a card has of it.
        render_audit_results(content)
    except UNREADABLE:
        is_ours = False
    if not is_ours:
        raise ValueError(f"{path} is not what audit.py writes today; audit the model again.")
    return content


def _has_parts(audit: Mapping[str, Any]) -> bool:
    """Whether what the gate asks of an audit is there, and of the right type."""
    checks = audit["checks"].values()
    digests = [digest for group in audit["files"].values() for digest in group.values()]
    words = [audit["verdict"], *digests, *(check[key] for check in checks for key in ("verdict", "claim"))]
    numbers = [check[key] for check in checks for key in ("at_most", "value") if check["value"] is not None]
    return (
        all(isinstance(audit[part], dict) for part in ("dataset", "settings", "samples", "vocabulary"))
        and isinstance(audit["passed"], bool)
        and all(isinstance(word, str) for word in words)
        and all(isinstance(number, int | float) for number in numbers)
        and all("reason" in check for check in checks)
    )
