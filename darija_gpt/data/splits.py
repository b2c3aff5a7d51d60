"""Splits: train, validation and test, whole conversations each."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from darija_gpt.data.report import spell_counts
from darija_gpt.data.rows import Row


SPLITS = ("train", "validation", "test")

SplitBy = Literal["conversation", "time"]


def split_rows(
    rows: Sequence[Row],
    *,
    split_by: SplitBy,
    validation_fraction: float,
    test_fraction: float,
    seed: int,
    dropped: Mapping[str, int] | None = None,
) -> dict[str, list[Row]]:
    """Rows by split, whole conversations, each split in the order of the rows and with its share of every source.

    Args:
        rows (`Sequence[Row]`):
            Rows that are no duplicates of each other.
        split_by (`"conversation"` or `"time"`):
            Which conversations are held out: drawn at random, or the latest (the test split after the validation
            split, both after the train split). Where nobody knows when a conversation began, it is drawn.
        validation_fraction (`float`), test_fraction (`float`):
            Shares of each source's conversations.
        seed (`int`):
            Of the draw.
        dropped (`Mapping[str, int]`, *optional*):
            What is in no row, by reason, for an error to tell.

    Raises:
        ValueError: If there are fewer conversations than splits.
    """
    conversations: defaultdict[tuple[str, bool], dict[str, datetime | None]] = defaultdict(dict)
    for row in rows:
        conversations[row.source, row.started_at is None][row.conversation_id] = row.started_at
    num_conversations = sum(map(len, conversations.values()))
    if num_conversations < len(SPLITS):
        is_dated = any(row.started_at is not None for row in rows)
        raise ValueError(
            f"found {num_conversations} conversation(s), and train, validation and test need one each; dropped were "
            f"{spell_counts(dropped or {})}: give more, or drop less"
            + (", or try a smaller session_gap_minutes." if is_dated else ".")
        )
    source = random.Random(seed)
    ordered = []
    for (_, is_undated), starts in conversations.items():
        ids = list(starts)
        if split_by == "time" and not is_undated:
            ids.sort(key=lambda conversation_id: starts[conversation_id])
        else:
            source.shuffle(ids)
        ordered.append(ids)
    split_of = _assign_splits(ordered, validation_fraction, test_fraction)
    return {name: [row for row in rows if split_of[row.conversation_id] == name] for name in SPLITS}


def _assign_splits(ordered: list[list[str]], validation_fraction: float, test_fraction: float) -> dict[str, str]:
    """The split of each conversation. The end of every list is held out; the largest has some for each split.

    Shares that leave none of a few conversations to train on take fewer.
    """
    ordered = sorted(ordered, key=len, reverse=True)
    if len(ordered[0]) < len(SPLITS):
        ordered = [[conversation_id for ids in ordered for conversation_id in ids]]
    split_of = {}
    for rank, ids in enumerate(ordered):
        at_least = 1 if rank == 0 else 0
        num_validation, num_test = (
            max(at_least, round(fraction * len(ids))) for fraction in (validation_fraction, test_fraction)
        )
        num_validation = min(num_validation, len(ids) - 2 * at_least)
        num_test = min(num_test, len(ids) - num_validation - at_least)
        num_train = len(ids) - num_validation - num_test
        splits = ["train"] * num_train + ["validation"] * num_validation + ["test"] * num_test
        split_of |= dict(zip(ids, splits, strict=True))
    return split_of
