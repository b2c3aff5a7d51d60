"""What is dropped, for which reason, and what stays."""

from datetime import datetime

import pytest

from darija_gpt.data.quality import REASONS, QualityLimits, find_drop_reason, find_quality_reason
from darija_gpt.data.whatsapp import Message


def message(text: str, kind: str = "text", author: str | None = "Salma") -> Message:
    return Message(datetime(2024, 1, 1), author, text, kind)


@pytest.mark.parametrize(
    ("kept_or_why", "example"),
    [
        (None, message("salam")),
        (None, message("chouf hadi", "media")),
        ("media", message("", "media")),
        ("deleted", message("", "deleted")),
        ("system", message("Salma left", "system", None)),
        ("empty", message(" \n")),
        ("too_long", message("a " * 5001)),
    ],
)
def test_a_message_is_dropped_for_one_reason(kept_or_why, example):
    assert find_drop_reason(example, QualityLimits()) == kept_or_why


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("empty", " \n "),
        ("unreadable", "sal\ufffdm lab\ufffds"),
        ("unreadable", "sir \ue000\ue001 fhalk"),
        ("only_private_data", "[PHONE]"),
        ("only_private_data", "[PHONE], [EMAIL]."),
        ("repetitive", "ha " * 12),
        ("foreign_script", "привет как дела"),
        ("foreign_script", "你好 salam 你好吗你好吗"),
    ],
)
def test_what_is_worth_nothing_has_a_reason(reason, text):
    assert find_quality_reason(text, QualityLimits()) == reason


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "👍",
        "؟",
        "150",
        "3yet liya f [PHONE]",
        "[NAME] 😂",
        "hhhhh hhhhh hhhhh",
        "la la la la la la la la la machi hakda khouya, chouf hna",
        "c'est à toi ça",
        "ڭالّيا گلس",
        "ψ labas",
        "...",
    ],
)
def test_what_people_say_stays(text):
    assert find_quality_reason(text, QualityLimits()) is None


def test_every_reason_has_an_example_above():
    marks = test_what_is_worth_nothing_has_a_reason.pytestmark
    assert {reason for reason, _ in marks[0].args[1]} == set(REASONS)


@pytest.mark.parametrize(
    "limits",
    [{"max_characters": -5}, {"max_foreign": 2}, {"max_unreadable": -0.1}, {"max_repetition": float("nan")}],
)
def test_limits_that_mean_nothing_are_refused(limits):
    with pytest.raises(ValueError, match=f"{next(iter(limits))}=.* must be"):
        QualityLimits(**limits)
