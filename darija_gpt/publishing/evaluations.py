"""What other stages measured, as a card reads it."""

import json
from pathlib import Path
from typing import Any

from darija_gpt.card import is_classifier


def read_evaluation(evaluation: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What evaluate measured and sampled, or how a classifier was measured.

    Raises:
        ValueError: If a file is missing or no JSON, or a number in it is not finite.
    """
    metrics = read_json(evaluation / "metrics.json", "evaluate")
    if is_classifier(metrics):
        return metrics, []
    samples = evaluation / "samples.jsonl"
    if not samples.is_file():
        raise ValueError(f"evaluation={evaluation} has no samples.jsonl; give the directory that evaluate wrote.")
    lines = samples.read_text(encoding="utf-8").split("\n")
    return metrics, [_parse_json(samples, line, "evaluate") for line in lines if line.strip()]


def read_json(path: Path, stage: str) -> dict[str, Any]:
    return _parse_json(path, path.read_text(encoding="utf-8"), stage)


def _parse_json(path: Path, text: str, stage: str) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{path} holds {constant} where a number was expected; train and evaluate the model again.")

    try:
        content = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not what {stage} writes; run {stage} again.")
    return content
