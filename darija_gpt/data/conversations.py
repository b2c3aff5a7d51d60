"""Conversations: messages between two silences, the bubbles of one side joined into a turn."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Literal

from darija_gpt.data.whatsapp import Message


Role = Literal["user", "assistant"]


@dataclass(frozen=True)
class Turn:
    """What one side says before the other answers, one bubble a line."""

    role: Role
    text: str


@dataclass(frozen=True)
class Conversation:
    """Turns whose roles alternate."""

    turns: tuple[Turn, ...]
    num_messages: int

    @property
    def text(self) -> str:
        """The turns joined by newlines, without names."""
        return "\n".join(turn.text for turn in self.turns)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The turns in the form chat templates take."""
        return [{"role": turn.role, "content": turn.text} for turn in self.turns]


def find_drop_reason(message: Message) -> str | None:
    """Why a message holds nothing to learn from: its kind, or `empty`. None for one that is kept."""
    if message.kind in ("system", "deleted"):
        return message.kind
    if not message.text.strip():
        return "media" if message.kind == "media" else "empty"
    return None


def split_sessions(messages: Iterable[Message], gap: timedelta) -> Iterator[list[Message]]:
    """Messages in runs that no silence longer than `gap` interrupts."""
    session: list[Message] = []
    for message in messages:
        if session and message.timestamp - session[-1].timestamp > gap:
            yield session
            session = []
        session.append(message)
    if session:
        yield session


def build_conversations(
    messages: Iterable[Message], *, assistant: str | None, gap: timedelta
) -> Iterator[Conversation]:
    """The conversations of one chat.

    Args:
        messages (`Iterable[Message]`):
            Messages to keep, in the order of the export.
        assistant (`str`, *optional*):
            The participant whose replies a model shall learn. Everybody else is the user; in a group, what several
            people say before the assistant answers is one turn.
        gap (`timedelta`):
            A longer silence ends a conversation.

    Yields:
        `Conversation`: in the order of the export.
    """
    for session in split_sessions(messages, gap):
        turns = tuple(
            Turn("assistant" if is_assistant else "user", "\n".join(message.text.strip() for message in bubbles))
            for is_assistant, bubbles in groupby(session, key=lambda message: message.author == assistant)
        )
        yield Conversation(turns, len(session))
