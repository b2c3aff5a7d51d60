"""The model card and the results of a recipe, rendered from what evaluate measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from darija_gpt.markdown import TAGS, join_card, one_line, render_template


def render_results(metrics: Mapping[str, Any], dialogues: Sequence[Mapping[str, Any]]) -> str:
    """The tables of a card alone, for the README of a recipe; the arguments are those of `render_card`."""
    return render_template("results.md.jinja", metrics=metrics, dialogues=dialogues)


def build_card_data(
    metrics: Mapping[str, Any], *, model_name: str, license: str, datasets: Sequence[str]
) -> ModelCardData:
    """The front matter of a card, with bits per byte on each split as its evaluation results."""
    results = [
        EvalResult(
            task_type="text-generation",
            dataset_type=one_line(datasets[0]) if len(datasets) == 1 else "conversations",
            dataset_name="Held-out conversations",
            dataset_split=split,
            metric_type="bits_per_byte",
            metric_name="Bits per byte",
            metric_value=round(by_script["all"]["bits_per_byte"], 4),
        )
        for split, by_script in metrics.get("bits_per_byte", {}).items()
        if "all" in by_script
    ]
    return ModelCardData(
        language="ary",
        license=one_line(license),
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=TAGS,
        datasets=[one_line(dataset) for dataset in datasets] or None,
        model_name=one_line(model_name) if results else None,
        eval_results=results or None,
    )


def render_card(
    metrics: Mapping[str, Any],
    dialogues: Sequence[Mapping[str, Any]],
    *,
    model_name: str,
    license: str = "apache-2.0",
    datasets: Sequence[str] = (),
    data_description: str | None = None,
    repo_id: str | None = None,
) -> str:
    """The README.md of a model on the Hub: front matter and body.

    Args:
        metrics (`Mapping`):
            metrics.json as evaluate wrote it. A part that it lacks is left out of the card.
        dialogues (`Sequence[Mapping]`):
            samples.jsonl as evaluate wrote it: `messages` and `longest_shared_words` each.
        model_name (`str`):
            The title of the card.
        license (`str`, *optional*, defaults to `"apache-2.0"`):
            The license's identifier on the Hub.
        datasets (`Sequence[str]`, *optional*):
            Identifiers on the Hub of the datasets trained on.
        data_description (`str`, *optional*):
            A paragraph about the data, in the user's words.
        repo_id (`str`, *optional*):
            Where the model will stand on the Hub; without it the card loads the model from its own folder.

    Raises:
        ValueError: If the front matter does not read back as it was written.
    """
    data = build_card_data(metrics, model_name=model_name, license=license, datasets=datasets)
    body = render_template(
        "model_card.md.jinja",
        metrics=metrics,
        dialogues=dialogues,
        model_name=model_name,
        license=license,
        data_description=data_description,
        repo_id=repo_id,
    )
    return join_card(data, body)
