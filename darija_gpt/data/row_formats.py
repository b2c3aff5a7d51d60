"""Row formats: a row of anybody's dataset, known by its columns -> messages, or plain text."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from darija_gpt.data.transcripts import parse_transcript


Row = dict[str, Any]

# Hugging Face's words, then ShareGPT's.
ROLES = {"system": "system", "user": "user", "assistant": "assistant", "human": "user", "gpt": "assistant"}

# Half of a pair, as cut emoji leave it in JSON: no file can hold it as UTF-8.
SURROGATE = re.compile("[\ud800-\udfff]")


class UnusableRowError(Exception):
    """A row to leave out; its text is the reason, and none of the row's own."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What one row gives: either text or messages, the other is None.

    Args:
        text (`str`, *optional*):
            As it stands in the row.
        messages (`list[dict[str, str]]`, *optional*):
            `role` and `content` each, with one of the assistant at least. A system message can only be the first.
    """

    text: str | None = None
    messages: list[dict[str, str]] | None = None


def from_text(row: Row, column: str) -> SourceRow:
    """Plain text, white space and all."""
    return SourceRow(text=check_text(row.get(column)))


def from_text_or_transcript(row: Row, column: str) -> SourceRow:
    """Messages where the text is a transcript (`[INST]` of Llama 2, `### Human:` of Guanaco), plain text elsewhere."""
    text = check_text(row.get(column))
    turns = parse_transcript(text)
    return SourceRow(text=text) if turns is None else _make_messages(turns)


def from_messages(row: Row, column: str) -> SourceRow:
    """A list of messages: `role` and `content`, or ShareGPT's `from` (human, gpt, system) and `value`."""
    return _make_messages(_list_turns(row[column]))


def from_alpaca(row: Row, instruction: str, output: str) -> SourceRow:
    """The instruction and, where there is one, a blank line and its `input`; the output answers."""
    asked = [check_text(row.get(instruction)).strip(), *_list_optional(row.get("input"))]
    return _make_messages([("user", "\n\n".join(asked)), ("assistant", row.get(output))])


def from_prompt(row: Row, prompt: str, completion: str) -> SourceRow:
    """A prompt and how it goes on, each a text or a list of messages."""
    turns: list[tuple[Any, Any]] = []
    for role, value in (("user", row.get(prompt)), ("assistant", row.get(completion))):
        turns += _list_turns(value) if isinstance(value, list) else [(role, value)]
    return _make_messages(turns)


def from_question(row: Row, question: str, answer: str) -> SourceRow:
    """What the answer rests on (`context`, or WebGLM-QA's list of `references`), a blank line, the question."""
    # Numbered, because the answers of WebGLM-QA cite them as [1].
    references = (f"[{number}] {text}" for number, text in enumerate(_list_optional(row.get("references")), start=1))
    asked = [*_list_optional(row.get("context")), *references, check_text(row.get(question))]
    return _make_messages([("user", "\n\n".join(asked)), ("assistant", row.get(answer))])


def refuse_preferences(row: Row, chosen: str, rejected: str) -> SourceRow:
    """A better and a worse reply: neither is text to read by itself.

    Raises:
        ValueError: Always.
    """
    raise ValueError(
        f"rows with {chosen} and {rejected} are preferences, which align.py learns from; "
        "give a dataset of texts or messages, or the column to read as text_column."
    )


# The columns that a format needs, and what reads them. The first one whose columns a row has is taken.
FORMATS: dict[str, tuple[tuple[str, ...], Callable[..., SourceRow]]] = {
    "preferences": (("chosen", "rejected"), refuse_preferences),
    "messages": (("messages",), from_messages),
    "ShareGPT": (("conversations",), from_messages),
    "Alpaca": (("instruction", "output"), from_alpaca),
    "prompt and completion": (("prompt", "completion"), from_prompt),
    "prompt and response": (("prompt", "response"), from_prompt),
    "question and answer": (("question", "answer"), from_question),
    "text": (("text",), from_text_or_transcript),
    "content": (("content",), from_text),
    "document": (("document",), from_text),
    "sentence": (("sentence",), from_text),
}


def find_format(row: Row) -> str | None:
    """The name in `FORMATS` of what a row holds, None if it has no known columns.

    Columns that hold something count before empty ones: a row may have its text and `messages: null`.
    """
    for columns in ({column for column, value in row.items() if value is not None}, set(row)):
        for name, (required, _) in FORMATS.items():
            if columns.issuperset(required):
                return name
    return None


def convert_row(row: Row, text_column: str | None = None) -> SourceRow:
    """The text or the messages of a row.

    Args:
        row (`dict`):
            Column -> value.
        text_column (`str`, *optional*):
            Read this column as plain text, whatever else there is.

    Raises:
        UnusableRowError: If the row is to be left out.
        ValueError: If no row of this kind can be used.
    """
    if text_column is not None:
        return from_text(row, text_column)
    name = find_format(row)
    if name is None:
        raise UnusableRowError("without known columns")
    columns, convert = FORMATS[name]
    return convert(row, *columns)


def check_text(value: Any) -> str:
    """The text of a column.

    Raises:
        UnusableRowError: If it is empty, no text, or text that no file can hold.
    """
    if value is None or value == "":
        raise UnusableRowError("empty")
    if not isinstance(value, str):
        raise UnusableRowError("not text")
    if not value.strip():
        raise UnusableRowError("empty")
    if SURROGATE.search(value):
        raise UnusableRowError("broken characters")
    return value


def _list_optional(value: Any) -> list[str]:
    """The texts of a column that may be absent, empty, a text or a list of texts."""
    entries = value if isinstance(value, list) else [value]
    filled = (entry for entry in entries if entry is not None and not (isinstance(entry, str) and not entry.strip()))
    return [check_text(entry).strip() for entry in filled]


def _list_turns(messages: Any) -> Iterator[tuple[Any, Any]]:
    """(role, content) of each message of a list, neither checked yet."""
    if not messages:
        raise UnusableRowError("empty")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise UnusableRowError("not a list of messages")
    for message in messages:
        yield message.get("role") or message.get("from"), message.get("content") or message.get("value")


def _make_messages(turns: Iterable[tuple[Any, Any]]) -> SourceRow:
    messages: list[dict[str, str]] = []
    for role, content in turns:
        if not isinstance(role, str) or role not in ROLES:
            raise UnusableRowError("unknown role")
        if messages and ROLES[role] == "system":
            raise UnusableRowError("system message after the first")
        messages.append({"role": ROLES[role], "content": check_text(content).strip()})
    if not any(message["role"] == "assistant" for message in messages):
        raise UnusableRowError("without a reply")
    return SourceRow(messages=messages)
