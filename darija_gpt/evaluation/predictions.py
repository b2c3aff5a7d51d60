"""What classifiers said of each text."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.data.labelled import LabelledText


if TYPE_CHECKING:
    import numpy as np


def list_predictions(
    rows: Sequence[LabelledText], labels: Sequence[str], probabilities: "dict[str, np.ndarray]", own: str
) -> list[dict[str, Any]]:
    """A record for each text: its class, the one predicted, the probabilities, and what others predicted."""
    records = []
    for place, row in enumerate(rows):
        record: dict[str, Any] = {"text": row.text, "label": row.label}
        if row.pair is not None:
            record["pair"] = row.pair
        predicted = {name: labels[int(values[place].argmax())] for name, values in probabilities.items()}
        record["predicted"] = predicted.pop(own)
        record["probabilities"] = {
            label: round(float(value), 4) for label, value in zip(labels, probabilities[own][place], strict=True)
        }
        if predicted:
            record["others"] = predicted
        records.append(record)
    return records


def write_predictions(records: list[dict[str, Any]], directory: Path) -> None:
    """Writes predictions.jsonl: the texts are in it, so it stays where it is."""
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (directory / "predictions.jsonl").write_text("".join(lines), encoding="utf-8")
