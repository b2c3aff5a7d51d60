"""The dataset card, rendered from report.json."""

from collections.abc import Mapping
from typing import Any

from huggingface_hub import DatasetCardData

from darija_gpt.data.report import select_aggregates
from darija_gpt.markdown import DARIJA, join_card, one_line, render_template, select_tags


def render_dataset_card(
    report: Mapping[str, Any],
    *,
    dataset_name: str,
    license: str = "other",
    language: str = DARIJA,
    data_description: str | None = None,
    repo_id: str | None = None,
) -> str:
    """The README.md of a dataset: front matter, and what may be told of its report.

    Args:
        report (`Mapping`):
            report.json as prepare_data wrote it. Only aggregates are read: no name of a file, no word of a message.
        dataset_name (`str`):
            The title of the card.
        license (`str`, *optional*, defaults to `"other"`):
            The license's identifier on the Hub.
        language (`str`, *optional*, defaults to `"ary"`):
            The language's code of ISO 639.
        data_description (`str`, *optional*):
            A paragraph about the data, in the user's words.
        repo_id (`str`, *optional*):
            Where the rows stand on the Hub; without it the card says that they are not published.

    Raises:
        ValueError: If the front matter does not read back as it was written.
    """
    data = DatasetCardData(
        language=one_line(language),
        license=one_line(license),
        task_categories=["text-generation"],
        tags=select_tags(language, () if report["messages"] else ("whatsapp",)),
        pretty_name=one_line(dataset_name),
    )
    body = render_template(
        "dataset_card.md.jinja",
        report=select_aggregates(report),
        dataset_name=dataset_name,
        is_darija=language == DARIJA,
        data_description=data_description,
        repo_id=repo_id,
    )
    return join_card(data, body)
