"""Rows: what conversations and other datasets become before they are split."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tqdm import tqdm

from darija_gpt.data.conversations import Conversation, build_conversation, cut_windows, split_sessions
from darija_gpt.data.deduplication import GreetingCap, find_duplicates
from darija_gpt.data.quality import QualityLimits, find_quality_reason
from darija_gpt.data.row_formats import SourceRow
from darija_gpt.data.sources import Source, read_source
from darija_gpt.data.whatsapp import Message


# Writes texts that stand one below the other anew.
Rewrite = Callable[[Sequence[str]], Sequence[str]]
CHATS = "whatsapp"  # The source of rows from chats. Not the file's name, in which WhatsApp writes a contact.


@dataclass(frozen=True)
class Row:
    """A row of the dataset, and what is known about it besides.

    Args:
        text (`str`):
            The turns joined by newlines.
        messages (`list[dict[str, str]]`, *optional*):
            The turns with their roles. None for plain text.
        source (`str`):
            Where it comes from: `whatsapp`, or the label of a source.
        conversation_id (`str`):
            Shared by the windows of one conversation.
        num_messages (`int`), num_turns (`int`):
            What it holds.
        started_at (`datetime`, *optional*):
            When its conversation began. None where nobody knows.
        weight (`float`, *optional*, defaults to `1.0`):
            How often it is seen in an epoch of training.
    """

    text: str
    messages: list[dict[str, str]] | None
    source: str
    conversation_id: str
    num_messages: int
    num_turns: int
    started_at: datetime | None = None
    weight: float = 1.0


def build_chat_rows(
    chats: Iterable[Sequence[Message]],
    *,
    assistant: str | None,
    gap: timedelta,
    clean_together: Rewrite,
    window_characters: int | None = None,
    max_greeting_repeats: int | None = None,
) -> tuple[list[Row], int]:
    """The rows that the cleaned messages of some chats make, and how many greetings were dropped as worn out.

    Args:
        chats (`Iterable[Sequence[Message]]`):
            The messages of each chat.
        assistant (`str`, *optional*):
            Whose replies a model shall learn. Without one, rows hold plain text.
        gap (`timedelta`):
            A longer silence ends a conversation.
        clean_together (`Rewrite`):
            Is applied to the turns of a row, and before that to those of the conversation it is cut from.
        window_characters (`int`, *optional*):
            As of `cut_windows`.
        max_greeting_repeats (`int`, *optional*):
            As of `GreetingCap`. None lets all of them stay.
    """
    rows, num_greetings = [], 0
    cap = GreetingCap(max_greeting_repeats)
    for number, messages in enumerate(chats):
        for index, session in enumerate(split_sessions(messages, gap)):
            opened = cap.strip_greetings(session)
            num_greetings += len(session) - len(opened)
            if opened:
                conversation = build_conversation(opened, assistant=assistant).rewrite(clean_together)
                for window in cut_windows(conversation, window_characters):
                    # Where a conversation is cut, fewer lines may read as a number, not as a table of them.
                    window = window if window is conversation else window.rewrite(clean_together)
                    rows.append(_build_row(window, f"{number:02}-{index:05}", assistant is not None))
    return rows, num_greetings


def _build_row(window: Conversation, conversation_id: str, has_roles: bool) -> Row:
    return Row(
        text=window.text,
        messages=window.messages if has_roles else None,
        source=CHATS,
        conversation_id=conversation_id,
        num_messages=window.num_messages,
        num_turns=len(window.turns),
        started_at=window.started_at,
    )


def build_source_rows(
    source: Source,
    prefix: str,
    *,
    clean: Callable[[str], str],
    clean_together: Rewrite,
    limits: QualityLimits,
    cache_dir: Path,
    seed: int,
) -> tuple[list[Row], Counter[str]]:
    """The rows of another dataset, and how many of its rows were dropped for which reason.

    Args:
        source (`Source`):
            Where they are read.
        prefix (`str`):
            Begins their conversation_id.
        clean (`Callable[[str], str]`):
            Is applied to every text.
        clean_together (`Rewrite`):
            Is applied to the texts of a row then.
        limits (`QualityLimits`):
            Within which a row is kept.
        cache_dir (`Path`), seed (`int`):
            As of `read_source`.
    """
    rows, dropped = [], Counter()
    found = read_source(source, cache_dir=cache_dir, seed=seed, dropped=dropped)
    for number, row in enumerate(tqdm(found, f"reading {source.path}", unit=" rows", disable=None)):
        text, messages, reason = clean_row(row, clean, clean_together, limits)
        if reason is None:
            num_turns = len(messages or [text])
            conversation_id = f"{prefix}-{number:07}"
            rows.append(Row(text, messages, source.label, conversation_id, num_turns, num_turns, weight=source.weight))
        else:
            dropped[reason] += 1
    return rows, dropped


def clean_row(
    row: SourceRow, clean: Callable[[str], str], clean_together: Rewrite, limits: QualityLimits
) -> tuple[str, list[dict[str, str]] | None, str | None]:
    """The text and the messages of a row once every text in it is cleaned, and why it is to be dropped, if it is."""
    texts = [message["content"] for message in row.messages] if row.messages else [row.text]
    texts = clean_together([clean(text) for text in texts])
    messages = row.messages and [
        {**message, "content": text} for message, text in zip(row.messages, texts, strict=True)
    ]
    text = "\n".join(texts)
    return text, messages, find_quality_reason(text, limits)


def split_off_duplicates(rows: Sequence[Row], threshold: float) -> tuple[list[Row], list[Row], dict[str, int]]:
    """Rows that say something new, rows that do not, and their numbers. Windows of a conversation may be alike."""
    duplicates = find_duplicates(
        [row.text for row in rows],
        [row.conversation_id for row in rows],
        threshold=threshold,
        progress="comparing rows",
    )
    new = [row for row, duplicate in zip(rows, duplicates, strict=True) if duplicate is None]
    old = [row for row, duplicate in zip(rows, duplicates, strict=True) if duplicate is not None]
    counts = Counter(duplicates)
    return new, old, {"before": len(rows), "exact": counts["exact"], "near": counts["near"], "after": len(new)}


def apply_weights(rows: Iterable[Row], seed: int) -> list[Row]:
    """Training rows, each as often as its weight says: at 2 twice, at 0.5 with an even chance."""
    draw = random.Random(seed)
    weighted = []
    for row in rows:
        whole, part = divmod(row.weight, 1)
        weighted += [row] * (int(whole) + (draw.random() < part))
    return weighted
