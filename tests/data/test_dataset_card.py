"""The dataset card says what may be told, and nothing that a report holds besides."""

import json

import pytest
from card_examples import REPORT

from darija_gpt.data.dataset_card import render_dataset_card
from darija_gpt.data.report import AGGREGATES, select_aggregates


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
        ({"near_duplicate_threshold": 1}, "Only copies were looked for"),
        ({"near_duplicate_threshold": 0.8}, "are near copies (a similarity of 0.8 or more), so no split holds"),
        ({"split_by": "time"}, "the latest conversations are held out"),
        ({"messages": 0, "num_files": 0}, "## Private data"),
    ],
)
def test_what_was_not_done_is_said(changes, words):
    assert words in render_dataset_card(REPORT | changes, dataset_name="x")


def test_a_published_dataset_says_how_it_is_loaded():
    assert "**Not published here:**" in render_dataset_card(REPORT, dataset_name="x")
    card = render_dataset_card(REPORT, dataset_name="x", repo_id="someone/chats")
    assert 'load_dataset("someone/chats")' in card and "Not published" not in card
