"""Pairs of texts: sources with a column to read and a column to write -> train, validation and test.

No two splits share an input, be it with other spaces, marks or letter cases, and no error quotes a text.
"""

import random
from collections import Counter
from dataclasses import dataclass

from darija_gpt.data.column_source import ColumnSource, read_examples
from darija_gpt.data.deduplication import fold_key
from darija_gpt.data.row_formats import check_text


@dataclass(frozen=True)
class PairSource(ColumnSource):
    """Where pairs come from; each field is a key under `train:`, `validation:` or `test:` of a recipe.

    Args:
        path (`str`), subset (`str`), split (`str`), revision (`str`), column_names (`list[str]`), max_rows (`int`):
            As in [`ColumnSource`].
        input_column (`str`, *optional*, defaults to `"text"`):
            The column that the model reads.
        target_column (`str`, *optional*, defaults to `"summary"`):
            The column that it learns to write.
    """

    input_column: str = "text"
    target_column: str = "summary"

    def __post_init__(self):
        super().__post_init__()
        if self.input_column == self.target_column:
            raise ValueError(
                f"input_column and target_column are both {self.input_column}; name the column to read and the one "
                "to write."
            )


@dataclass(frozen=True, slots=True)
class TextPair:
    """A text and what is to be written of it."""

    input: str
    target: str

    @property
    def key(self) -> str:
        """What makes two inputs the same, however they are spelt."""
        return fold_key(self.input)


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
    return read_examples(
        source,
        lambda row: source.require_columns(row, "input_column", "target_column"),
        lambda row, _: TextPair(check_text(row.get(source.input_column)), check_text(row.get(source.target_column))),
        seed=seed,
        wanted=f"pair of texts in {source.input_column} and {source.target_column}",
        remedy="give a file with both in each row",
    )


def load_pair_splits(
    train: PairSource,
    validation: PairSource | None,
    test: PairSource | None,
    *,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
) -> PairSplits:
    """The splits of a recipe, none of which holds an input of another one.

    Args:
        train (`PairSource`), validation (`PairSource`, *optional*), test (`PairSource`, *optional*):
            Where the pairs come from.
        validation_fraction (`float`), test_fraction (`float`):
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
    for name, share in (("test", test_fraction), ("validation", validation_fraction)):
        if name not in splits and share:
            splits["train"], splits[name] = _set_aside(splits["train"], max(1, round(share * num_rows)), seed)
            dropped[name] = Counter()
    # What stands twice is held out once, and never learnt from.
    seen: set[str] = set()
    for name in ("test", "validation", "train"):
        if name in splits:
            kept = [pair for pair in splits[name] if pair.key not in seen]
            dropped[name]["also in a split held out"] += len(splits[name]) - len(kept)
            splits[name] = kept
            seen |= {pair.key for pair in kept}
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
