"""Messages to conversations."""

from datetime import datetime, timedelta

import pytest

from darija_gpt.data.conversations import Turn, build_conversations, find_drop_reason
from darija_gpt.data.whatsapp import Message


START = datetime(2024, 1, 1, 9)


def message(minute: float, author: str | None, text: str, kind: str = "text") -> Message:
    return Message(START + timedelta(minutes=minute), author, text, kind)


def build(messages, assistant="Anas", gap_minutes=60):
    return list(build_conversations(messages, assistant=assistant, gap=timedelta(minutes=gap_minutes)))


def test_bubbles_of_one_person_join_into_a_turn():
    (conversation,) = build(
        [message(0, "Salma", "salam"), message(0.1, "Salma", "labas?"), message(1, "Anas", "hamdullah ")]
    )
    assert conversation.turns == (Turn("user", "salam\nlabas?"), Turn("assistant", "hamdullah"))
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


@pytest.mark.parametrize(
    ("kept_or_why", "example"),
    [
        (None, message(0, "Salma", "salam")),
        (None, message(0, "Salma", "chouf hadi", "media")),
        ("media", message(0, "Salma", "", "media")),
        ("deleted", message(0, "Salma", "", "deleted")),
        ("system", message(0, None, "Salma left", "system")),
        ("empty", message(0, "Salma", " \u200b \n".replace("\u200b", ""), "text")),
    ],
)
def test_a_message_is_dropped_for_one_reason(kept_or_why, example):
    assert find_drop_reason(example) == kept_or_why
