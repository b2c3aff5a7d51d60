"""Conversations: messages between two silences, the bubbles of one side joined into a turn."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

from darija_gpt.data.whatsapp import Message


Role = Literal["user", "assistant"]


@dataclass(frozen=True)
class Turn:
    """What one side says before the other answers, one bubble a line."""

    role: Role
    text: str
    num_messages: int


@dataclass(frozen=True)
class Conversation:
    """Turns one after the other. With an assistant, roles alternate; without one, speakers do."""

    turns: tuple[Turn, ...]
    started_at: datetime

    @property
    def text(self) -> str:
        """The turns joined by newlines, without names."""
        return "\n".join(turn.text for turn in self.turns)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The turns in the form chat templates take."""
        return [{"role": turn.role, "content": turn.text} for turn in self.turns]

    @property
    def num_messages(self) -> int:
        """Bubbles in all turns."""
        return sum(turn.num_messages for turn in self.turns)

    def rewrite(self, write: Callable[[Sequence[str]], Sequence[str]]) -> "Conversation":
        """The same turns with the texts that are written for those of all of them."""
        texts = write([turn.text for turn in self.turns])
        turns = zip(self.turns, texts, strict=True)
        return replace(self, turns=tuple(replace(turn, text=text) for turn, text in turns))


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


def build_conversation(session: Iterable[Message], *, assistant: str | None) -> Conversation:
    """The conversation that the messages of a session make.

    Args:
        session (`Iterable[Message]`):
            Messages to keep, at least one, in the order of the export.
        assistant (`str`, *optional*):
            The participant whose replies a model shall learn. Everybody else is the user; in a group, what several
            people say before the assistant answers is one turn. Without one, a turn ends where the speaker changes.
    """
    session = list(session)
    turns = []
    speakers = groupby(
        session, key=lambda message: message.author if assistant is None else message.author == assistant
    )
    for speaker, bubbles in speakers:
        texts = [message.text.strip() for message in bubbles]
        turns.append(Turn("assistant" if speaker is True else "user", "\n".join(texts), len(texts)))
    return Conversation(tuple(turns), session[0].timestamp)


def cut_windows(conversation: Conversation, max_characters: int | None) -> Iterator[Conversation]:
    """A conversation in pieces that a model can read at once, so that no training truncates the rest of it away.

    Args:
        conversation (`Conversation`):
            The whole of it.
        max_characters (`int`, *optional*):
            Characters of a piece. It begins with a turn of the user's where it can, and a turn is never cut: one that
            is longer makes a longer piece. None leaves the conversation whole.
    """
    if max_characters is None or len(conversation.text) <= max_characters:
        yield conversation
        return
    window: list[Turn] = []
    num_characters = 0
    for exchange in _split_exchanges(conversation.turns):
        length = sum(len(turn.text) + 1 for turn in exchange)
        if window and num_characters + length > max_characters + 1:
            yield Conversation(tuple(window), conversation.started_at)
            window, num_characters = [], 0
        window += exchange
        num_characters += length
    yield Conversation(tuple(window), conversation.started_at)


def _split_exchanges(turns: Iterable[Turn]) -> Iterator[list[Turn]]:
    """Turns in runs that each begin with the user."""
    exchange: list[Turn] = []
    for turn in turns:
        if exchange and turn.role == "user":
            yield exchange
            exchange = []
        exchange.append(turn)
    if exchange:
        yield exchange
