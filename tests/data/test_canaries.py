"""Canaries stand as often as they should, in training rows alone, and nobody takes them for private data."""

import json
import random

import pytest

from darija_gpt.data.canaries import COPIES, load_canaries, plant_canaries, save_canaries
from darija_gpt.data.privacy import scrub
from darija_gpt.data.rows import Row


def make_rows(num_rows: int, with_messages: bool) -> list[Row]:
    draw = random.Random(1)
    rows = []
    for number in range(num_rows):
        turns = [" ".join(draw.choices(["souk", "dar", "atay", "zitoun", "medina"], k=4)) for _ in range(4)]
        messages = [{"role": ("user", "assistant")[place % 2], "content": turn} for place, turn in enumerate(turns)]
        rows.append(Row("\n".join(turns), messages if with_messages else None, "whatsapp", str(number), 4, 4))
    return rows


@pytest.mark.parametrize("with_messages", [True, False])
def test_each_number_stands_in_as_many_rows_as_it_has_copies(with_messages):
    rows = make_rows(20, with_messages)
    planted, canary_set = plant_canaries(rows, 3, seed=0)
    assert [canary.copies for canary in canary_set.canaries] == list(COPIES) * 3
    for canary in canary_set.canaries:
        assert sum(canary.secret in row.text for row in planted) == canary.copies
        assert canary.in_messages is with_messages and canary.secret not in canary_set.controls
        if with_messages:
            turns = [turn for row in planted for turn in row.messages if canary.secret in turn["content"]]
            assert {turn["role"] for turn in turns} == {"assistant"} and len(turns) == canary.copies
    if with_messages:
        assert all(row.text == "\n".join(turn["content"] for turn in row.messages) for row in planted)
    assert len({canary.carrier for canary in canary_set.canaries}) == 12
    assert not [row for row in planted for control in canary_set.controls if control in row.text]
    assert rows == make_rows(20, with_messages)


def test_canaries_survive_another_scrubbing():
    _, canary_set = plant_canaries(make_rows(20, True), 30, seed=3)
    assert all(scrub(canary.write()) == canary.write() for canary in canary_set.canaries)


def test_a_corpus_with_fewer_conversations_than_copies_is_refused():
    with pytest.raises(ValueError, match="canaries=1 needs 8 conversations to train on, and there are 7"):
        plant_canaries(make_rows(7, True), 1, seed=0)


def test_what_was_planted_is_read_back_and_a_damaged_file_is_named(tmp_path):
    _, canary_set = plant_canaries(make_rows(20, True), 2, seed=0)
    assert load_canaries(tmp_path) is None
    save_canaries(canary_set, tmp_path)
    assert load_canaries(tmp_path) == canary_set
    (tmp_path / "canaries.json").write_text(json.dumps({"format": 9}))
    with pytest.raises(ValueError, match=r"canaries\.json is not what prepare_data.py writes"):
        load_canaries(tmp_path)
