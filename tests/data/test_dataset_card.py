"""The dataset card says what may be told, and nothing that a report holds besides."""

import json

import pytest

from darija_gpt.data.dataset_card import render_dataset_card
from darija_gpt.data.report import AGGREGATES, select_aggregates


SPLIT = {
    "conversations": 5,
    "rows": 6,
    "messages": 70,
    "turns": 40,
    "words": 300,
    "bytes": 2000,
    "tokens": {"Arab": 100, "Latn": 190, "other": 10},
    "scripts": {"Arab": 2, "Latn": 4},
}
REPORT = {
    "files": [{"file": "WhatsApp Chat with Zineb.txt", "messages": 100}],
    "sources": [{"source": "diary-of-zineb.jsonl", "rows": 3}],
    "num_files": 3,
    "num_chats": 2,
    "num_groups": 1,
    "formats": {"android": 2, "ios": 1},
    "messages": 1100,
    "kinds": {"text": 1000, "media": 100},
    "kept": 990,
    "dropped": {"media": 100, "only_private_data": 6, "repeated": 4},
    "private_data": {"PHONE": 12, "NAME": 30},
    "duplicates": {
        "messages": {"before": 994, "repeated": 4, "forwarded": 0, "greeting": 0, "duplicate": 0, "after": 990},
        "rows": {"before": 20, "exact": 1, "near": 1, "after": 18},
    },
    "tokens": {"Arab": 300, "Latn": 570, "other": 30},
    "conversations": 15,
    "splits": {"train": SPLIT, "validation": SPLIT, "test": SPLIT},
    "session_gap_minutes": 180,
    "split_by": "conversation",
    "seed": 0,
}


def test_the_card_speaks_of_counts_and_of_no_file():
    card = render_dataset_card(REPORT, dataset_name="Chats of two families")
    assert card.startswith("---\nlanguage: ary\n") and "# Chats of two families" in card
    for words in (
        "1,100",
        "990",
        "12 PHONE",
        "6 only private data",
        "4 stood in more than one export",
        "1 are groups",
    ):
        assert words in card
    assert "Zineb" not in card and "zineb" not in card


def test_what_is_not_on_the_list_stays_out():
    report = {**REPORT, "participants": ["Zineb"], "longest_message": "sir 7diha"}
    assert render_dataset_card(report, dataset_name="x") == render_dataset_card(REPORT, dataset_name="x")
    assert set(select_aggregates(report)) == set(AGGREGATES)
    assert "Zineb" not in json.dumps(select_aggregates(report))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"private_data": None}, "**Nothing was replaced in this dataset.**"),
        ({"duplicates": None}, "Nobody looked for duplicates"),
        ({"split_by": "time"}, "the latest conversations are held out"),
        ({"messages": 0, "num_files": 0}, "## Private data"),
    ],
)
def test_what_was_not_done_is_said(changes, words):
    assert words in render_dataset_card(REPORT | changes, dataset_name="x")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "x\n---\nlicense: mit", "| a | b |", "[x](http://y)"])
def test_a_hostile_name_is_shown_and_not_obeyed(name):
    card = render_dataset_card(REPORT, dataset_name=name, data_description=name)
    body = card.split("---\n", 2)[2]
    assert "<script" not in body and "license: mit" not in card.split("\n") and "](http" not in body
