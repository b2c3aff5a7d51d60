"""Labelled texts: sources with a column of text and a column of classes -> train, validation and test.

No two splits share a text, be it with other spaces, marks or letter cases, and no error quotes one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from darija_gpt.data.column_source import ColumnSource, read_examples
from darija_gpt.data.deduplication import fold_key
from darija_gpt.data.row_formats import Row, UnusableRowError, check_text


@dataclass(frozen=True)
class LabelledSource(ColumnSource):
    """Where labelled texts come from; each field is a key under `train:`, `validation:` or `test:` of a recipe.

    Args:
        path (`str`), subset (`str`), split (`str`), revision (`str`), column_names (`list[str]`), max_rows (`int`):
            As in [`ColumnSource`].
        text_column (`str`, *optional*, defaults to `"text"`):
            The column of the text.
        pair_column (`str`, *optional*):
            The column of a second text, where pairs are classified.
        label_column (`str`, *optional*, defaults to `"label"`):
            The column of the class: a name or a whole number. Numbers to which the Hub gives names become those.
    """

    text_column: str = "text"
    pair_column: str | None = None
    label_column: str = "label"


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, or a pair of them, and the name of its class."""

    text: str
    label: str
    pair: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """What makes two of them the same text, however it is spelt."""
        return fold_key(self.text), None if self.pair is None else fold_key(self.pair)


def split_pairs(rows: Sequence[LabelledText]) -> tuple[list[str], list[str] | None]:
    """The texts of rows, and what each is paired with; None where they are no pairs."""
    pairs = [row.pair for row in rows if row.pair is not None]
    return [row.text for row in rows], pairs or None


@dataclass(frozen=True)
class LabelledSplits:
    """What a classifier learns from, is chosen by, and is measured on.

    Args:
        labels (`list[str]`):
            The classes, in the order of their numbers.
        splits (`dict[str, list[LabelledText]]`):
            `train`, `validation` and, where there is one, `test`.
        dropped (`dict[str, dict[str, int]]`):
            Rows left out of each split, by reason.
    """

    labels: list[str]
    splits: dict[str, list[LabelledText]]
    dropped: dict[str, dict[str, int]]

    @property
    def measured_on(self) -> str:
        """The split that the final numbers are of."""
        return "test" if "test" in self.splits else "validation"

    def describe(self) -> dict[str, Any]:
        """How many rows each split has, of each class, and how many were left out."""
        return {
            name: {
                "rows": len(rows),
                "labels": {label: sum(row.label == label for row in rows) for label in self.labels},
                "dropped": self.dropped[name],
            }
            for name, rows in self.splits.items()
        }


def read_labelled(
    source: LabelledSource, *, seed: int, label_names: Mapping[str | int, str] | None = None
) -> tuple[list[LabelledText], Counter[str]]:
    """The labelled texts of a source, and how many rows were left out, by reason.

    Args:
        source (`LabelledSource`):
            What to read.
        seed (`int`):
            Decides which rows `max_rows` draws.
        label_names (`Mapping`, *optional*):
            A name for each value of the label column; other values are refused. Without it, values are names.

    Raises:
        ValueError: If a column is not there, a label is none, or nothing is left.
    """
    names = None if label_names is None else {str(value): name for value, name in label_names.items()}
    return read_examples(
        source,
        lambda row: source.require_columns(row, "text_column", "pair_column", "label_column"),
        lambda row, number: _convert_row(source, row, number, names),
        seed=seed,
        wanted="labelled text",
        remedy="give a file with rows of text and class",
    )


def load_splits(
    train: LabelledSource,
    validation: LabelledSource | None,
    test: LabelledSource | None,
    *,
    validation_fraction: float,
    test_fraction: float,
    label_names: Mapping[str | int, str] | None,
    seed: int,
) -> LabelledSplits:
    """The splits of a recipe, none of which holds a text of another one.

    Args:
        train (`LabelledSource`), validation (`LabelledSource`, *optional*), test (`LabelledSource`, *optional*):
            Where the texts come from.
        validation_fraction (`float`), test_fraction (`float`):
            Shares of `train` to set aside, as often of each class, where a split has no source of its own. No test
            where the share is 0.
        label_names (`Mapping`, *optional*):
            See `read_labelled`. Its names in their order are the classes, otherwise those of `train`, sorted.
        seed (`int`):
            Decides which rows are set aside.

    Raises:
        ValueError: If a source cannot be used, a class is unknown, or there is only one.
    """
    splits, dropped = {}, {}
    for name, source in (("train", train), ("validation", validation), ("test", test)):
        if source is not None:
            splits[name], dropped[name] = read_labelled(source, seed=seed, label_names=label_names)
    labels = list(dict.fromkeys(label_names.values())) if label_names else sort_labels(splits["train"])
    _check_labels(train, labels, splits["train"])
    for name, source in (("validation", validation), ("test", test)):
        if source is not None:
            _check_known(source, labels, splits[name])

    # What stands twice is held out once, and never learnt from: the rows that were given as held out come first.
    for name, share in (("test", test_fraction), ("validation", validation_fraction)):
        if name not in splits and share:
            splits["train"], splits[name] = _set_aside(splits["train"], share, seed, name)
            dropped[name] = Counter()
    seen: set[tuple[str, str | None]] = set()
    for name in ("test", "validation", "train"):
        if name in splits:
            kept = [row for row in splits[name] if row.key not in seen]
            dropped[name]["also in a split held out"] += len(splits[name]) - len(kept)
            splits[name] = kept
            seen |= {row.key for row in kept}
    for name in splits:
        missing = [label for label in labels if not any(row.label == label for row in splits[name])]
        if missing:
            raise ValueError(
                f"{name} has no text of the class {missing[0]} among its {len(splits[name]):,}; give it some, or "
                "leave the class out everywhere."
            )
    return LabelledSplits(
        labels,
        {name: splits[name] for name in ("train", "validation", "test") if name in splits},
        {name: {reason: count for reason, count in sorted(dropped[name].items()) if count} for name in splits},
    )


def sort_labels(rows: Iterable[LabelledText]) -> list[str]:
    """The classes of some texts: numbers by size, names by the alphabet."""
    found = {row.label for row in rows}
    return sorted(found, key=int) if all(label.isdecimal() for label in found) else sorted(found)


def _convert_row(source: LabelledSource, row: Row, number: int, names: Mapping[str, str] | None) -> LabelledText:
    text = check_text(row.get(source.text_column))
    pair = None if source.pair_column is None else check_text(row.get(source.pair_column))
    label = row.get(source.label_column)
    if label is None or (isinstance(label, str) and not label.strip()):
        raise UnusableRowError("without a label")
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if not isinstance(label, str | int):
        raise ValueError(
            f"{source.path}, row {number}: {source.label_column} holds {type(label).__name__}; a class is a name or a "
            "whole number."
        )
    label = str(label).strip()
    if names is not None and label not in names:
        raise ValueError(
            f"{source.path}, row {number}: its {source.label_column} is none of the values in label_names "
            f"({_list_some(list(names))}); add it there, or mend the row."
        )
    return LabelledText(text=text, label=label if names is None else names[label], pair=pair)


def _check_labels(source: LabelledSource, labels: Sequence[str], rows: Sequence[LabelledText]) -> None:
    if len(labels) < 2:
        raise ValueError(
            f"{source.path} has only one class, {labels[0]}; a classifier needs two at least. Give the column of the "
            f"class as label_column, if {source.label_column} is not it."
        )
    if len(labels) > max(2, len(rows) / 2):
        raise ValueError(
            f"{source.path}: {source.label_column} holds {len(labels):,} different values in {len(rows):,} rows, too "
            "many for classes; give the column of the class as label_column."
        )


def _check_known(source: LabelledSource, labels: Sequence[str], rows: Sequence[LabelledText]) -> None:
    unknown = [number for number, row in enumerate(rows, start=1) if row.label not in labels]
    if unknown:
        raise ValueError(
            f"{source.path}: text {unknown[0]:,} has a class that is not in train, which knows {_list_some(labels)}; "
            f"{len(unknown):,} of {len(rows):,} are like that. Mend them, or rename the classes with label_names."
        )


def _set_aside(
    rows: Sequence[LabelledText], share: float, seed: int, name: str
) -> tuple[list[LabelledText], list[LabelledText]]:
    """Rows to keep and rows to hold out, with every class in both as often as in all."""
    from sklearn.model_selection import train_test_split

    try:
        kept, held_out = train_test_split(
            list(rows), test_size=share, random_state=seed, stratify=[row.label for row in rows]
        )
    except ValueError:
        rarest, number = min(Counter(row.label for row in rows).items(), key=lambda item: item[1])
        raise ValueError(
            f"{len(rows):,} rows are too few to set {share:.0%} aside as {name} with every class in both (the rarest, "
            f"{rarest}, has {number}); give more rows, or {name} as a source of its own."
        ) from None
    return kept, held_out


def _list_some(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
