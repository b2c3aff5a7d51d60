"""The evaluate stage of classifiers: one, or several that decide together, measured on labelled texts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.data.labelled import LabelledSource, LabelledText, read_labelled, split_pairs
from darija_gpt.evaluation.classification_metrics import compare, measure
from darija_gpt.evaluation.confusion import write_confusion_matrix
from darija_gpt.evaluation.intervals import spell_estimate
from darija_gpt.evaluation.measurements import name_model
from darija_gpt.evaluation.predictions import list_predictions, write_predictions
from darija_gpt.output import require_new, write_directory


if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, kw_only=True)
class EvaluateClassifierArguments:
    """What evaluate_classifier takes; each field is a key of its recipe and a flag."""

    models: list[str] = field(metadata={"help": "directories that finetune_classifier.py wrote, or ids on the Hub"})
    data: LabelledSource = field(
        metadata={"help": "labelled texts: path, text_column, label_column, ...; a predictions.jsonl is some, too"}
    )
    output_dir: Path = field(metadata={"help": "directory to write metrics.json and predictions.jsonl to"})
    label_names: dict[str | int, str] | None = field(
        default=None, metadata={"help": "a name for each value of the label column, as in fine-tuning"}
    )
    truncation: bool = field(default=False, metadata={"help": "cut the end of longer texts instead of refusing them"})
    pad_token: str | None = field(
        default=None, metadata={"help": "a token of the vocabulary, for models whose tokenizer has no padding token"}
    )
    batch_size: int = field(default=32, metadata={"help": "texts at a time"})
    seed: int = field(default=0, metadata={"help": "decides which rows max_rows draws, and the bootstrap"})

    def __post_init__(self):
        if not self.models:
            raise ValueError("models is empty; give the directory of a classifier, or of several.")
        if self.batch_size < 1:
            raise ValueError(f"batch_size={self.batch_size} must be positive; try 32.")


def evaluate_classifier(arguments: EvaluateClassifierArguments) -> None:
    """Measures classifiers alone and together, and writes what they said.

    Raises:
        ValueError: If a model is no classifier, or the models and the texts have other classes.
    """
    output_dir = require_new(arguments.output_dir)
    rows, dropped = read_labelled(arguments.data, seed=arguments.seed, label_names=arguments.label_names)
    labels: list[str] = []
    alone: dict[str, np.ndarray] = {}
    for path in arguments.models:
        labels, alone[choose_name(path, alone)] = classify(path, rows, labels, arguments)
        print(f"{path}: {len(rows):,} texts read")
    truth = [labels.index(row.label) for row in rows]

    predicted = {name: probabilities.argmax(axis=1) for name, probabilities in alone.items()}
    metrics: dict[str, Any] = {
        "task": "text-classification",
        "labels": labels,
        "texts": len(rows),
        "dropped": dict(dropped),
        "models": {name: measure(truth, classes, labels, seed=arguments.seed) for name, classes in predicted.items()},
    }
    best = max(metrics["models"], key=lambda name: metrics["models"][name]["macro_f1"]["value"])
    decided, decision = alone[best], metrics["models"][best]
    if len(alone) > 1:
        together = combine(list(alone.values()))
        metrics["ensemble"] = {
            how: measure(truth, shares.argmax(axis=1), labels, seed=arguments.seed) for how, shares in together.items()
        }
        metrics["best_model"] = best
        metrics["gains"] = {
            how: compare(truth, shares.argmax(axis=1), predicted[best], len(labels), seed=arguments.seed)
            for how, shares in together.items()
        }
        decided, decision = together["mean"], metrics["ensemble"]["mean"]
    with write_directory(output_dir) as directory:
        text = json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"
        (directory / "metrics.json").write_text(text, encoding="utf-8")
        write_confusion_matrix(decision["confusion_matrix"], labels, directory)
        shown = {"decided": decided} | (alone if len(alone) > 1 else {})
        write_predictions(list_predictions(rows, labels, shown, "decided"), directory)
    print_metrics(metrics)
    print(f"evaluation -> {output_dir}")


def classify(
    path: str, rows: Sequence[LabelledText], labels: list[str], arguments: EvaluateClassifierArguments
) -> "tuple[list[str], np.ndarray]":
    """The classes, in the order of `labels` where that is known, and the probabilities that a model gives them."""
    import torch

    from darija_gpt.classifiers import (
        count_usable_tokens,
        encode_texts,
        list_labels,
        load_classifier,
        predict_probabilities,
        prepare_tokenizer,
    )

    model, tokenizer, _ = load_classifier(path)
    own = list_labels(model)
    labels = labels or own
    if set(own) != set(labels):
        raise ValueError(f"{path} knows {', '.join(own)}, and the model before it {', '.join(labels)}; leave one out.")
    unknown = sum(row.label not in own for row in rows)
    if unknown:
        raise ValueError(
            f"{arguments.data.path}: {unknown:,} of {len(rows):,} texts have a class that {path} does not know "
            f"({', '.join(own[:20])}); rename the classes with label_names."
        )
    prepare_tokenizer(tokenizer, model, arguments.pad_token if tokenizer.pad_token_id is None else None)
    encodings, _ = encode_texts(
        tokenizer,
        *split_pairs(rows),
        max_length=count_usable_tokens(model, tokenizer),
        truncation=arguments.truncation,
        name=arguments.data.path,
    )
    if torch.accelerator.is_available():
        model = model.to(torch.accelerator.current_accelerator())
    probabilities = predict_probabilities(model, tokenizer, encodings, batch_size=arguments.batch_size)
    return labels, probabilities[:, [own.index(label) for label in labels]]


def combine(probabilities: "Sequence[np.ndarray]") -> "dict[str, np.ndarray]":
    """What several classifiers say together.

    Args:
        probabilities (`Sequence[np.ndarray]`):
            Of each classifier, shape (texts, classes).

    Returns:
        `dict`: `mean`, the mean of their probabilities, and `majority`, the share of them that is for each class;
        between classes with as many votes the mean probability decides.
    """
    import numpy as np

    mean = np.mean(probabilities, axis=0)
    votes = np.mean([np.eye(mean.shape[1])[each.argmax(axis=1)] for each in probabilities], axis=0)
    # Votes differ by 1 / number of classifiers at least, so a tenth of that can only decide between equal ones.
    return {"mean": mean, "majority": votes + mean / (10 * len(probabilities))}


def choose_name(path: str, taken: Sequence[str]) -> str:
    """What metrics.json calls one of several models, of which two may stand in directories of one name."""
    name = name_model(path)
    candidates = [name, *(f"{name} ({number})" for number in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate not in taken)


def print_metrics(metrics: dict[str, Any]) -> None:
    """A line for each classifier and each way to decide together."""
    lines = {**metrics["models"], **{f"together, {how}": value for how, value in metrics.get("ensemble", {}).items()}}
    width = max(map(len, lines))
    print(f"{metrics['texts']:,} texts; in brackets the 95 % interval of the bootstrap")
    for name, measured in lines.items():
        accuracy, macro_f1 = spell_estimate(measured["accuracy"]), spell_estimate(measured["macro_f1"])
        print(f"  {name:{width}}  accuracy {accuracy}  macro F1 {macro_f1}")
    for how, gain in metrics.get("gains", {}).items():
        gained = spell_estimate(gain["macro_f1"], signed=True)
        print(f"  together, {how}, minus the best alone ({metrics['best_model']}): {gained} macro F1")
