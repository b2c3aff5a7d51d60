"""What a classifier came to: metrics.json, predictions.jsonl, the confusion matrix, and a table for people."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.data.labelled import LabelledSplits
from darija_gpt.evaluation.classification_metrics import compare, measure
from darija_gpt.evaluation.confusion import write_confusion_matrix
from darija_gpt.evaluation.intervals import spell_estimate
from darija_gpt.evaluation.predictions import list_predictions, write_predictions
from darija_gpt.markdown import render_template
from darija_gpt.output import replace_section, write_text


if TYPE_CHECKING:
    import numpy as np

    from darija_gpt.finetuning.classification import ClassifierArguments
    from darija_gpt.finetuning.classifier_preparation import Prepared

SECTION = "classifier"
RESULTS_FILE = "classifier_metrics.json"
# The names of metrics.json, in people's words.
SPELT = {
    "model": "fine-tuned",
    "from_scratch": "the same from scratch",
    "baseline": "TF-IDF, logistic regression",
}


def describe_results(
    arguments: "ClassifierArguments",
    data: LabelledSplits,
    prepared: "Prepared",
    model,
    probabilities: "dict[str, np.ndarray]",
    trainings: dict[str, Any],
    baseline: dict[str, Any] | None,
) -> dict[str, Any]:
    """The content of metrics.json.

    Args:
        arguments (`ClassifierArguments`):
            What was asked for.
        data (`LabelledSplits`):
            The texts.
        prepared (`Prepared`):
            The texts as the model reads them.
        model (`PreTrainedModel` or `PeftModel`):
            The trained model.
        probabilities (`dict[str, np.ndarray]`):
            Of each classifier, `model` among them, for the texts that are measured on.
        trainings (`dict[str, Training]`):
            How each training went.
        baseline (`dict`, *optional*):
            The settings of the baseline.
    """
    from accelerate import PartialState

    from darija_gpt.finetuning.freezing import describe_trainable
    from darija_gpt.hardware import describe_machine, resolve_precision

    truth = prepared.classes[data.measured_on]
    predicted = {name: values.argmax(axis=1) for name, values in probabilities.items()}
    counts = describe_trainable(model)
    machine = describe_machine(PartialState(), resolve_precision(arguments.mixed_precision))
    own = {"model": counts, "from_scratch": {**counts, "trainable_parameters": counts["parameters"]}}
    return {
        "task": "text-classification",
        "base_model": Path(arguments.model).name if Path(arguments.model).is_absolute() else arguments.model,
        "labels": data.labels,
        "max_length": prepared.max_length,
        "data": {name: {**described, "cut": prepared.num_cut[name]} for name, described in data.describe().items()},
        "measured_on": data.measured_on,
        "results": {name: measure(truth, classes, data.labels) for name, classes in predicted.items()},
        "differences": {
            name: compare(truth, predicted["model"], classes, len(data.labels))
            for name, classes in predicted.items()
            if name != "model"
        },
        "training": {
            name: {
                "stage": "finetune_classifier",
                "method": arguments.method if name == "model" else "full",
                **own[name],
                "examples": len(data.splits["train"]),
                **asdict(training),
                **machine,
            }
            for name, training in trainings.items()
        },
        "baseline": baseline,
    }


def write_results(
    metrics: dict[str, Any],
    data: LabelledSplits,
    probabilities: "dict[str, np.ndarray]",
    directory: Path,
    readme: Path | None,
) -> None:
    """Writes the numbers, the predictions and the confusion matrix, and the tables of a README that asks for them."""
    text = json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"
    (directory / "metrics.json").write_text(text, encoding="utf-8")
    write_confusion_matrix(metrics["results"]["model"]["confusion_matrix"], data.labels, directory)
    write_predictions(list_predictions(data.splits[data.measured_on], data.labels, probabilities, "model"), directory)
    if readme is not None:
        results = readme.parent / "results" / RESULTS_FILE
        results.parent.mkdir(exist_ok=True)
        write_text(results, text)
        write_text(readme, replace_section(readme, SECTION, render_classifier_results(metrics)))
        print(f"written: {readme}, {results}")


def render_classifier_results(metrics: dict[str, Any]) -> str:
    """The tables of a README, from metrics.json."""
    return render_template("classifier_results.md.jinja", metrics=metrics, spelt=SPELT, estimate=spell_estimate)


def print_results(metrics: dict[str, Any], output_dir: Path) -> None:
    """The numbers, with their 95 % intervals."""
    measured = metrics["results"]["model"]["texts"]
    print(f"{measured:,} texts of {metrics['measured_on']}; in brackets the 95 % interval of the bootstrap")
    for name, result in metrics["results"].items():
        print(
            f"  {SPELT[name]:28}  accuracy {spell_estimate(result['accuracy'])}  "
            f"macro F1 {spell_estimate(result['macro_f1'])}"
        )
    for name, difference in metrics["differences"].items():
        print(f"  fine-tuned minus {SPELT[name]}: {spell_estimate(difference['macro_f1'], signed=True)} macro F1")
    print(f"classifier -> {output_dir}")
