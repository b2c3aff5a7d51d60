"""The model card and the results of a recipe, rendered from what evaluate, plot and audit measured."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from huggingface_hub import EvalResult, ModelCardData

from darija_gpt.evaluation.intervals import MIN_DOCUMENTS, spell_estimate
from darija_gpt.finetuning.classifier_report import SPELT
from darija_gpt.markdown import DARIJA, join_card, one_line, render_template, select_tags


Section = Literal["data", "training", "evaluation"]
# Where a picture stands in a card, and what is said below it; those not listed here are in no card.
PLOTS: dict[str, tuple[Section, str]] = {
    "token_lengths": ("data", "How many characters a token stands for, by script."),
    "loss_curve": ("training", "Training loss and validation, step by step."),
    "window_sweep": ("evaluation", "Bits per byte by the length of the window that the model reads at once."),
    "confusion_matrix": ("evaluation", "Which class (row) was taken for which (column)."),
    "attention": ("evaluation", "Which earlier tokens of a sentence each layer looks at."),
    "positions": ("evaluation", "How alike two positions are to the model, by their distance."),
    "embedding_map": ("evaluation", "The embeddings of frequent tokens on a plane: what is near is alike."),
    "embedding_neighbours": ("evaluation", "Words, and those whose embeddings are nearest."),
}


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What a card says beside the numbers, in the user's words.

    Args:
        model_name (`str`):
            The title of the card.
        license (`str`, *optional*, defaults to `"apache-2.0"`):
            The license's identifier on the Hub.
        language (`str`, *optional*, defaults to `"ary"`):
            The language's code of ISO 639.
        datasets (`Sequence[str]`, *optional*):
            Identifiers on the Hub of the datasets trained on.
        data_description (`str`, *optional*):
            A paragraph about the data.
        repo_id (`str`, *optional*):
            Where the model will stand on the Hub; without it the card loads the model from its own folder.
        base_model (`str`, *optional*):
            Of an adapter the model that it goes with.
    """

    model_name: str
    license: str = "apache-2.0"
    language: str = DARIJA
    datasets: Sequence[str] = ()
    data_description: str | None = None
    repo_id: str | None = None
    base_model: str | None = None


def render_results(metrics: Mapping[str, Any], dialogues: Sequence[Mapping[str, Any]]) -> str:
    """The tables of a card alone, for the README of a recipe; the arguments are those of `render_card`."""
    return render_template("results.md.jinja", metrics=metrics, dialogues=dialogues, min_documents=MIN_DOCUMENTS)


def is_classifier(metrics: Mapping[str, Any]) -> bool:
    """Whether metrics.json is what finetune_classifier wrote."""
    return metrics.get("task") == "text-classification"


def is_base(metrics: Mapping[str, Any]) -> bool:
    """Whether metrics.json is of a model that was pretrained and no more: it continues texts and has no replies."""
    return not is_classifier(metrics) and {stage["stage"] for stage in metrics.get("training", [])} == {"pretrain"}


def list_tags(metrics: Mapping[str, Any], language: str) -> list[str]:
    """Those of `TAGS` that are true of the model."""
    dataset, untrue = metrics.get("dataset"), set()
    if is_classifier(metrics) or is_base(metrics):
        untrue.add("chat")
    if is_classifier(metrics) or (dataset and not dataset.get("messages")):
        untrue.add("whatsapp")
    return select_tags(language, untrue)


def list_results(metrics: Mapping[str, Any], datasets: Sequence[str]) -> list[EvalResult]:
    """The numbers that a card's front matter repeats, for the Hub to list."""
    is_of_classes = is_classifier(metrics)
    own = {
        "task_type": "text-classification" if is_of_classes else "text-generation",
        "dataset_type": one_line(datasets[0]) if len(datasets) == 1 else "texts" if is_of_classes else "conversations",
        "dataset_name": "Held-out texts" if is_of_classes else "Held-out conversations",
    }
    if is_of_classes:
        measured = metrics["results"]["model"]
        return [
            EvalResult(
                **own,
                dataset_split=metrics["measured_on"],
                metric_type=metric,
                metric_name=name,
                metric_value=round(measured[key]["value"], 4),
            )
            for key, metric, name in (("accuracy", "accuracy", "Accuracy"), ("macro_f1", "f1", "Macro F1"))
        ]
    results = [
        EvalResult(
            **own,
            dataset_split=split,
            metric_type="bits_per_byte",
            metric_name="Bits per byte",
            metric_value=round(by_script["all"]["bits_per_byte"], 4),
        )
        for split, by_script in metrics.get("bits_per_byte", {}).items()
        if "all" in by_script
    ]
    return results + [
        EvalResult(
            task_type="text-generation",
            dataset_type=one_line(task),
            dataset_name=one_line(task),
            metric_type=one_line(metric),
            metric_name=one_line(metric),
            metric_value=round(value["value"], 4),
        )
        for task, measured in metrics.get("harness", {}).items()
        for metric, value in measured["metrics"].items()
    ]


def has_recited(audit: Mapping[str, Any] | None) -> bool:
    """Whether an audit met what the model was trained on: one that is passed may have met a little of it, and planted
    numbers that stand in several rows."""
    if not audit:
        return False
    samples, continuation = audit.get("samples") or {}, audit.get("continuation")
    return bool(
        (continuation and continuation["train"]["hits"])
        or samples.get("with_private_data")
        or samples.get("with_names")
        or any(planted["extracted"]["hits"] for planted in (audit.get("canaries") or {}).values())
    )


def build_card_data(metrics: Mapping[str, Any], facts: CardFacts) -> ModelCardData:
    """The front matter of a card, with what was measured on held-out texts as its evaluation results."""
    results = list_results(metrics, facts.datasets)
    is_of_classes = is_classifier(metrics)
    return ModelCardData(
        language=one_line(facts.language),
        license=one_line(facts.license),
        library_name="peft" if facts.base_model else "transformers",
        pipeline_tag="text-classification" if is_of_classes else "text-generation",
        tags=list_tags(metrics, facts.language),
        datasets=[one_line(dataset) for dataset in facts.datasets] or None,
        base_model=one_line(facts.base_model) if facts.base_model else None,
        model_name=one_line(facts.model_name) if results else None,
        eval_results=results or None,
    )


def render_card(
    metrics: Mapping[str, Any],
    dialogues: Sequence[Mapping[str, Any]],
    facts: CardFacts,
    *,
    audit: Mapping[str, Any] | None = None,
    plots: Collection[str] = (),
) -> str:
    """The README.md of a model on the Hub: front matter and body.

    Args:
        metrics (`Mapping`):
            metrics.json as evaluate or finetune_classifier wrote it. A part that it lacks is left out of the card.
        dialogues (`Sequence[Mapping]`):
            samples.jsonl as evaluate wrote it: `messages` and `longest_shared_words` each.
        facts (`CardFacts`):
            Whatever is no number.
        audit (`Mapping`, *optional*):
            privacy_audit.json as audit wrote it. Without it the card says that there was none.
        plots (`Collection[str]`, *optional*):
            Names of pictures in `plots/` beside the card, among those of `PLOTS`.

    Raises:
        ValueError: If the front matter does not read back as it was written.
    """
    shown: dict[Section, list[tuple[str, str]]] = {"data": [], "training": [], "evaluation": []}
    for name, (section, caption) in PLOTS.items():
        if name in plots:
            shown[section].append((name, caption))
    body = render_template(
        "classifier_card.md.jinja" if is_classifier(metrics) else "model_card.md.jinja",
        metrics=metrics,
        dialogues=dialogues,
        audit=audit,
        plots=shown,
        is_base=is_base(metrics),
        is_darija=facts.language == DARIJA,
        has_recited=has_recited(audit),
        min_documents=MIN_DOCUMENTS,
        year=date.today().year,
        spelt=SPELT,
        estimate=spell_estimate,
        **vars(facts),
    )
    return join_card(build_card_data(metrics, facts), body)
