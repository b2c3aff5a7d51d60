"""A dataset as it stands on the Hub: Parquet files that load_dataset finds by their names, and its card."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.data.dataset_card import render_dataset_card
from darija_gpt.evaluation.measurements import name_sources
from darija_gpt.records import read_record


if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

ROWS_PER_FILE = 500_000


def read_report(dataset: Path) -> dict[str, Any]:
    """The report.json of a dataset; an empty mapping where there is none.

    Raises:
        ValueError: If the file is not what prepare_data writes.
    """
    return read_record(dataset / "report.json", "prepare_data")


def write_dataset_files(
    dataset: "DatasetDict",
    directory: Path,
    *,
    report: dict[str, Any],
    dataset_name: str,
    license: str,
    language: str,
    data_description: str | None,
    repo_id: str,
) -> None:
    """Writes README.md and data/<split>-<number>.parquet; a source that is a file becomes a number, as in cards.

    Args:
        dataset (`DatasetDict`):
            The rows.
        directory (`Path`):
            An empty directory.
        report (`dict`):
            report.json of the dataset.
        dataset_name (`str`), license (`str`), language (`str`), data_description (`str`, *optional*), repo_id (`str`):
            As of `render_dataset_card`.
    """
    names = name_sources(source for rows in dataset.values() for source in rows.unique("source"))
    (directory / "data").mkdir()
    for split, rows in dataset.items():
        for path, part in _cut(rows, split):
            public = part.map(
                lambda batch: {"source": [names[source] for source in batch["source"]]},
                batched=True,
                keep_in_memory=True,  # Nothing of a chat is left in a cache.
            )
            public.to_parquet(directory / "data" / path)
    card = render_dataset_card(
        report,
        dataset_name=dataset_name,
        license=license,
        language=language,
        data_description=data_description,
        repo_id=repo_id,
    )
    (directory / "README.md").write_text(card, encoding="utf-8")


def _cut(rows: "Dataset", split: str) -> list[tuple[str, "Dataset"]]:
    num_files = max(1, -(-len(rows) // ROWS_PER_FILE))
    return [
        (f"{split}-{number:05}-of-{num_files:05}.parquet", rows.shard(num_files, number, contiguous=True))
        for number in range(num_files)
    ]
