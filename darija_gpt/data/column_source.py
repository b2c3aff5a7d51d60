"""Sources whose rows hold examples in columns that the recipe names: pairs of texts, labelled texts, preferences.

No error quotes a text.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from darija_gpt.data.row_formats import Row, UnusableRowError
from darija_gpt.data.sources import Source, is_table, read_rows


Example = TypeVar("Example")


@dataclass(frozen=True)
class ColumnSource:
    """Where examples come from.

    Args:
        path (`str`):
            A local file (.jsonl, .json, .parquet, .csv, .tsv), a folder of them, or the id of a dataset on the Hub.
        subset (`str`, *optional*), split (`str`, *optional*, defaults to `"train"`), revision (`str`, *optional*):
            Which part of a dataset of the Hub.
        column_names (`list[str]`, *optional*):
            The columns of a .csv or .tsv file whose first line does not name them.
        max_rows (`int`, *optional*):
            Rows to read, drawn from all of them.

    Raises:
        ValueError: If the path is empty, or a number not positive.
    """

    path: str
    subset: str | None = None
    split: str = "train"
    revision: str | None = None
    column_names: list[str] | None = None
    max_rows: int | None = None

    def __post_init__(self):
        self.to_source()

    def to_source(self) -> Source:
        """The same place, as `read_rows` takes it."""
        return Source(
            path=self.path,
            subset=self.subset,
            split=self.split,
            revision=self.revision,
            column_names=self.column_names,
            max_rows=self.max_rows,
        )

    def describe_columns(self, row: Row) -> str:
        """The columns of a row, for an error: their names, unless these may be what somebody wrote."""
        # Without a header, the names of a table's columns are its first line.
        is_hidden = (is_table(self.path) and self.column_names is None) or len(row) > 20
        return f"the {len(row)} columns of its first line" if is_hidden else f"its columns {', '.join(row)}"

    def require_columns(self, row: Row, *keys: str) -> None:
        """Refuses a source whose first row lacks a column that a key of the recipe names.

        Raises:
            ValueError: With the columns there are.
        """
        for key in keys:
            wanted = getattr(self, key)
            if wanted is not None and wanted not in row:
                found = self.describe_columns(row)
                raise ValueError(f"{self.path}: {key}={wanted} is not among {found}; give one that is.")


def read_examples(
    source: ColumnSource,
    check_columns: Callable[[Row], None],
    convert: Callable[[Row, int], Example],
    *,
    seed: int,
    wanted: str,
    remedy: str,
) -> tuple[list[Example], Counter[str]]:
    """The examples of a source, and how many rows were left out, by reason.

    Args:
        source (`ColumnSource`):
            What to read.
        check_columns (`Callable`):
            Gets the first row, and raises where a column is not there.
        convert (`Callable`):
            Gets a row and its number, from 1; gives the example, or raises `UnusableRowError` with the reason.
        seed (`int`):
            Decides which rows `max_rows` draws.
        wanted (`str`), remedy (`str`):
            What an error says if nothing is left: that the source has no `wanted`, and to do what.

    Raises:
        ValueError: If a column is not there, or nothing is left.
    """
    from datasets.config import HF_DATASETS_CACHE

    examples, dropped = [], Counter()
    rows = read_rows(source.to_source(), cache_dir=Path(HF_DATASETS_CACHE), seed=seed)
    for number, row in enumerate(rows, start=1):
        if number == 1:
            check_columns(row)
        try:
            examples.append(convert(row, number))
        except UnusableRowError as reason:
            dropped[str(reason)] += 1
    if not examples:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items())) or "it is empty"
        raise ValueError(f"{source.path} has no {wanted}: {reasons}; {remedy}.")
    return examples, dropped
