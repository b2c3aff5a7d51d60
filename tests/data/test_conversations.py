"""Messages to conversations."""

from datetime import datetime, timedelta

import pytest

from darija_gpt.data.conversations import build_conversation, cut_windows, split_sessions
from darija_gpt.data.whatsapp import Message


START = datetime(2024, 1, 1, 9)


def message(minute: float, author: str | None, text: str, kind: str = "text") -> Message:
    return Message(START + timedelta(minutes=minute), author, text, kind)


def build(messages, assistant="Anas", gap_minutes=60):
    sessions = split_sessions(messages, timedelta(minutes=gap_minutes))
    return [build_conversation(session, assistant=assistant) for session in sessions]


def test_bubbles_of_one_person_join_into_a_turn():
    (conversation,) = build(
        [message(0, "Salma", "salam"), message(0.1, "Salma", "labas?"), message(1, "Anas", "hamdullah ")]
    )
    assert conversation.text == "salam\nlabas?\nhamdullah"
    assert conversation.messages == [
        {"role": "user", "content": "salam\nlabas?"},
        {"role": "assistant", "content": "hamdullah"},
    ]
    assert conversation.num_messages == 3


def test_a_longer_silence_than_the_gap_ends_a_conversation():
    messages = [message(0, "Salma", "a"), message(60, "Anas", "b"), message(120.5, "Salma", "c")]
    assert [conversation.text for conversation in build(messages)] == ["a\nb", "c"]


def test_the_gap_counts_from_the_last_message_not_from_the_first():
    messages = [message(50 * number, "Salma", str(number)) for number in range(10)]
    assert len(build(messages)) == 1


def test_in_a_group_everybody_but_the_assistant_is_the_user():
    messages = [message(0, "Salma", "a"), message(1, "Karim", "b"), message(2, "Anas", "c"), message(3, "Karim", "d")]
    (conversation,) = build(messages)
    assert [(turn.role, turn.text) for turn in conversation.turns] == [
        ("user", "a\nb"),
        ("assistant", "c"),
        ("user", "d"),
    ]


def test_names_are_in_no_turn():
    (conversation,) = build([message(0, "Salma", "labas?"), message(1, "Anas", "labas")])
    assert "Salma" not in str(conversation) and "Anas" not in str(conversation)


def test_no_messages_are_no_conversation():
    assert build([]) == []


def test_without_an_assistant_a_turn_ends_where_the_speaker_changes():
    messages = [message(0, "Salma", "a"), message(1, "Salma", "b"), message(2, "Karim", "c"), message(3, "Salma", "d")]
    (conversation,) = build(messages, assistant=None)
    assert [turn.text for turn in conversation.turns] == ["a\nb", "c", "d"]


@pytest.fixture
def long_conversation():
    authors = ["Salma", "Anas"] * 20
    (conversation,) = build(
        [message(number, author, f"{author[0]} {number:03}") for number, author in enumerate(authors)]
    )
    return conversation


@pytest.mark.parametrize("max_characters", [13, 20, 40, 100, 239])
def test_windows_hold_every_turn_once_and_begin_with_the_user(long_conversation, max_characters):
    windows = list(cut_windows(long_conversation, max_characters))
    assert sum((window.turns for window in windows), ()) == long_conversation.turns
    assert all(window.turns[0].role == "user" for window in windows)
    assert all(len(window.text) <= max_characters for window in windows)
    assert sum(window.num_messages for window in windows) == 40


def test_a_turn_longer_than_a_window_is_not_cut():
    messages = [
        message(0, "Salma", "a"),
        message(1, "Anas", "b" * 500),
        message(2, "Salma", "c"),
        message(3, "Anas", "d"),
    ]
    (conversation,) = build(messages)
    assert [window.text for window in cut_windows(conversation, 100)] == ["a\n" + "b" * 500, "c\nd"]


def test_a_conversation_that_fits_is_one_window(long_conversation):
    assert list(cut_windows(long_conversation, None)) == [long_conversation]
    assert list(cut_windows(long_conversation, len(long_conversation.text))) == [long_conversation]
