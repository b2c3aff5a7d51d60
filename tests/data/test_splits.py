"""Whole conversations, and every split gets some."""

from collections import Counter
from datetime import datetime, timedelta

import pytest

from darija_gpt.data.rows import Row, apply_weights
from darija_gpt.data.splits import SPLITS, split_rows


def make_rows(num_rows: int, source: str = "whatsapp", is_dated: bool = True, windows: int = 1) -> list[Row]:
    start = datetime(2024, 1, 1)
    return [
        Row(
            f"{source} {number} {window}",
            None,
            source,
            f"{source}-{number}",
            1,
            1,
            start + timedelta(days=-number) if is_dated else None,
        )
        for number in range(num_rows)
        for window in range(windows)
    ]


def split(rows: list[Row], **changes) -> dict[str, list[Row]]:
    arguments = {"split_by": "conversation", "validation_fraction": 0.05, "test_fraction": 0.05, "seed": 0}
    return split_rows(rows, **(arguments | changes))


@pytest.mark.parametrize("split_by", ["conversation", "time"])
@pytest.mark.parametrize("num_rows", [3, 4, 10, 1000])
def test_no_split_is_ever_empty(num_rows, split_by):
    splits = split(make_rows(num_rows), split_by=split_by)
    assert sum(map(len, splits.values())) == num_rows and all(splits.values())


def test_three_conversations_of_three_sources_are_enough():
    splits = split([row for source in "abc" for row in make_rows(1, source)])
    assert all(len(splits[name]) == 1 for name in SPLITS)


def test_fewer_conversations_than_splits_are_refused():
    with pytest.raises(ValueError, match=r"found 2 conversation\(s\)"):
        split(make_rows(2, windows=5))


@pytest.mark.parametrize(
    ("rows", "dropped", "words"),
    [
        ([], {"consent_unknown": 300}, r"found 0 .* dropped were 300 consent_unknown: give more, or drop less\.$"),
        (make_rows(2, is_dated=False), None, r"found 2 .* dropped were none: give more, or drop less\.$"),
        (make_rows(2), {"media": 2100, "empty": 1}, r"1 empty, 2,100 media: .*, or try a smaller session_gap_minutes"),
    ],
)
def test_too_few_conversations_tell_where_the_others_went(rows, dropped, words):
    with pytest.raises(ValueError, match=words):
        split(rows, dropped=dropped)


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.7, 0.25), (0.9, 0.09), (0.09, 0.9), (0.98, 0.01), (0.4, 0.4)])
@pytest.mark.parametrize("num_rows", [*range(3, 12), 100])
def test_large_shares_of_few_conversations_leave_one_to_train_on(num_rows, shares):
    rows = make_rows(num_rows) + make_rows(1, "b") + make_rows(2, "c")
    splits = split(rows, validation_fraction=shares[0], test_fraction=shares[1])
    assert sum(map(len, splits.values())) == len(rows) and all(splits.values())


def test_windows_of_a_conversation_stay_together():
    splits = split(make_rows(50, windows=4))
    split_of = [(row.conversation_id, name) for name, rows in splits.items() for row in rows]
    assert len(set(split_of)) == 50 and len(split_of) == 200


def test_every_source_is_held_out_by_its_share():
    rows = make_rows(100, "a") + make_rows(300, "b", is_dated=False)
    counts = {name: Counter(row.source for row in split) for name, split in split(rows).items()}
    assert counts["test"] == counts["validation"] == {"a": 5, "b": 15}


def test_by_time_the_latest_are_the_test():
    splits = split(make_rows(100), split_by="time")
    first_day = {name: min(row.started_at for row in rows) for name, rows in splits.items()}
    last_day = {name: max(row.started_at for row in rows) for name, rows in splits.items()}
    assert last_day["train"] < first_day["validation"] <= last_day["validation"] < first_day["test"]


def test_another_seed_draws_others():
    rows = make_rows(100)
    assert split(rows)["test"] == split(rows)["test"] != split(rows, seed=1)["test"]


@pytest.mark.parametrize(
    ("weight", "least", "most"), [(1, 1000, 1000), (2, 2000, 2000), (0.5, 400, 600), (1.5, 1400, 1600), (0, 0, 0)]
)
def test_a_weight_says_how_often_a_row_is_seen(weight, least, most):
    rows = [Row(str(number), None, "a", str(number), 1, 1, weight=weight) for number in range(1000)]
    weighted = apply_weights(rows, seed=0)
    assert least <= len(weighted) <= most and weighted == apply_weights(rows, seed=0)
