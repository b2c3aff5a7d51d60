"""Pairs of texts: sources with a column to read and a column to write -> train, validation and test.

No two splits share an input, and no error quotes a text.
"""

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from darija_gpt.data.row_formats import Row, UnusableRowError, check_text
from darija_gpt.data.sources import Source, is_table, read_rows


@dataclass(frozen=True)
class PairSource:
    """Where pairs come from; each field is a key under `train:`, `validation:` or `test:` of a recipe.

    Args:
        path (`str`):
            A local file (.jsonl, .json, .parquet, .csv, .tsv), a folder of them, or the id of a dataset on the Hub.
        subset (`str`, *optional*), split (`str`, *optional*, defaults to `"train"`), revision (`str`, *optional*):
            Which part of a dataset of the Hub.
        input_column (`str`, *optional*, defaults to `"text"`):
            The column that the model reads.
        target_column (`str`, *optional*, defaults to `"summary"`):
            The column that it learns to write.
        column_names (`list[str]`, *optional*):
            The columns of a .csv or .tsv file whose first line does not name them.
        max_rows (`int`, *optional*):
            Rows to read, drawn from all of them.
    """

    path: str
    subset: str | None = None
    split: str = "train"
    revision: str | None = None
    input_column: str = "text"
    target_column: str = "summary"
    column_names: list[str] | None = None
    max_rows: int | None = None

    def __post_init__(self):
        self.to_source()
        if self.input_column == self.target_column:
            raise ValueError(
                f"input_column and target_column are both {self.input_column}; name the column to read and the one "
                "to write."
            )

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


@dataclass(frozen=True, slots=True)
class TextPair:
    """A text and what is to be written of it."""

    input: str
    target: str


@dataclass(frozen=True)
class PairSplits:
    """What a model learns from, is chosen by, and is measured on.

    Args:
        splits (`dict[str, list[TextPair]]`):
            `train`, `validation` and, where there is one, `test`.
        dropped (`dict[str, dict[str, int]]`):
            Rows left out of each split, by reason.
    """

    splits: dict[str, list[TextPair]]
    dropped: dict[str, dict[str, int]]

    @property
    def measured_on(self) -> str:
        """The split that the final numbers are of."""
        return "test" if "test" in self.splits else "validation"


def read_pairs(source: PairSource, *, seed: int) -> tuple[list[TextPair], Counter[str]]:
    """The pairs of a source, and how many rows were left out, by reason.

    Args:
        source (`PairSource`):
            What to read.
        seed (`int`):
            Decides which rows `max_rows` draws.

    Raises:
        ValueError: If a column is not there, or nothing is left.
    """
    from datasets.config import HF_DATASETS_CACHE

    pairs, dropped = [], Counter()
    for number, row in enumerate(read_rows(source.to_source(), cache_dir=Path(HF_DATASETS_CACHE), seed=seed)):
        if number == 0:
            _check_columns(source, row)
        try:
            pair = TextPair(check_text(row.get(source.input_column)), check_text(row.get(source.target_column)))
        except UnusableRowError as reason:
            dropped[str(reason)] += 1
        else:
            pairs.append(pair)
    if not pairs:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items())) or "it is empty"
        raise ValueError(
            f"{source.path} has no pair of texts in {source.input_column} and {source.target_column}: {reasons}; give "
            "a file with both in each row."
        )
    return pairs, dropped


def load_pair_splits(
    train: PairSource,
    validation: PairSource | None,
    test: PairSource | None,
    *,
    validation_share: float,
    test_share: float,
    seed: int,
) -> PairSplits:
    """The splits of a recipe, none of which holds an input of another one.

    Args:
        train (`PairSource`), validation (`PairSource`, *optional*), test (`PairSource`, *optional*):
            Where the pairs come from.
        validation_share (`float`), test_share (`float`):
            Shares of `train` to set aside where a split has no source of its own. No test where the share is 0.
        seed (`int`):
            Decides which rows are set aside.

    Raises:
        ValueError: If a source cannot be used, or a split has nothing left.
    """
    splits, dropped = {}, {}
    for name, source in (("train", train), ("validation", validation), ("test", test)):
        if source is not None:
            splits[name], dropped[name] = read_pairs(source, seed=seed)
    num_rows = len(splits["train"])
    for name, share in (("test", test_share), ("validation", validation_share)):
        if name not in splits and share:
            splits["train"], splits[name] = _set_aside(splits["train"], max(1, round(share * num_rows)), seed)
            dropped[name] = Counter()
    # What stands twice is held out once, and never learnt from.
    seen: set[str] = set()
    for name in ("test", "validation", "train"):
        if name in splits:
            kept = [pair for pair in splits[name] if pair.input not in seen]
            dropped[name]["also in a split held out"] += len(splits[name]) - len(kept)
            splits[name] = kept
            seen |= {pair.input for pair in kept}
            if not kept:
                raise ValueError(
                    f"nothing is left for {name}: {train.path} has {num_rows:,} pairs; give more rows, or {name} as a "
                    "source of its own."
                )
    return PairSplits(
        {name: splits[name] for name in ("train", "validation", "test") if name in splits},
        {name: {reason: count for reason, count in sorted(dropped[name].items()) if count} for name in splits},
    )


def _set_aside(pairs: list[TextPair], number: int, seed: int) -> tuple[list[TextPair], list[TextPair]]:
    """Pairs to keep and pairs to hold out, both in their order."""
    held_out = set(random.Random(seed).sample(range(len(pairs)), min(number, len(pairs))))
    return (
        [pair for index, pair in enumerate(pairs) if index not in held_out],
        [pair for index, pair in enumerate(pairs) if index in held_out],
    )


def _check_columns(source: PairSource, row: Row) -> None:
    for key, wanted in (("input_column", source.input_column), ("target_column", source.target_column)):
        if wanted not in row:
            # Without a header, the names of a table's columns are what somebody wrote.
            is_hidden = (is_table(source.path) and source.column_names is None) or len(row) > 20
            found = f"the {len(row)} columns of its first line" if is_hidden else f"its columns {', '.join(row)}"
            raise ValueError(f"{source.path}: {key}={wanted} is not among {found}; give one that is.")
