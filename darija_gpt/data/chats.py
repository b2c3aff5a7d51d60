"""Chats: exports read, those of one chat merged, and of their messages what may be learnt and is worth it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from tqdm import tqdm

from darija_gpt.data.consent import Answer, find_consent_reason
from darija_gpt.data.merging import merge_exports
from darija_gpt.data.quality import QualityLimits, find_drop_reason, find_quality_reason
from darija_gpt.data.whatsapp import ExportError, ExportFormat, Message, detect_format, find_exports, parse_export
from darija_gpt.output import make_printable


@dataclass(frozen=True)
class Chat:
    """What two people, or the members of a group, wrote to each other.

    Args:
        files (`tuple[Path, ...]`):
            The exports it was read from; more than one where they overlap.
        messages (`list[Message]`):
            In the order in which they were written.
        num_repeated (`int`):
            Messages that more than one of the exports holds, and that stand here once.
    """

    files: tuple[Path, ...]
    messages: list[Message]
    num_repeated: int

    @property
    def participants(self) -> list[str]:
        """Who wrote in it, the most talkative first."""
        return [name for name, _ in Counter(each.author for each in self.messages if each.author).most_common()]


def list_exports(sources: Iterable[Path]) -> list[Path]:
    """The exports of some files and folders, each once."""
    paths = {path.resolve(): path for source in sources for path in find_exports(source)}
    return list(paths.values())


def read_chats(
    paths: Sequence[Path], *, day_first: bool | None, encoding: str | None = None
) -> tuple[list[Chat], list[dict[str, Any]]]:
    """The chats that some exports hold, and a report on each file: how it was read, and what it holds by kind.

    Args:
        paths (`Sequence[Path]`):
            The exports.
        day_first (`bool`, *optional*), encoding (`str`, *optional*):
            As of `parse_export`, for those files that do not read without: one may show its order of dates, and
            another be UTF-8.
    """
    exports, reports = [], []
    for path in tqdm(paths, "reading", unit=" exports", disable=None):
        export_format, options = _choose_options(path, day_first, encoding)
        messages = list(parse_export(path, **options))
        exports.append(messages)
        reports.append(_describe_file(path, messages, export_format))
    merged = merge_exports(exports)
    chats = [Chat(tuple(paths[index] for index in chat.exports), chat.messages, chat.num_repeated) for chat in merged]
    return chats, reports


def _choose_options(path: Path, day_first: bool | None, encoding: str | None) -> tuple[ExportFormat, dict[str, Any]]:
    """How a file is read, and the options with which it is."""
    problem = None
    for chosen_encoding, chosen_order in dict.fromkeys(product((None, encoding), (None, day_first))):
        options = {"day_first": chosen_order, "encoding": chosen_encoding}
        try:
            return detect_format(path, **options), options
        except ExportError as error:
            problem = error
    raise problem


def _describe_file(path: Path, messages: list[Message], export_format: ExportFormat) -> dict[str, Any]:
    return {
        "file": make_printable(path.name),
        "format": export_format.label,
        "date_order": export_format.date_order,
        "decided_by": export_format.decided_by,
        "encoding": export_format.encoding,
        "messages": len(messages),
        "kinds": dict(sorted(Counter(message.kind for message in messages).items())),
        # Before the first header, so no messages.
        "skipped_lines": export_format.num_skipped_lines,
    }


def clean_chats(
    chats: Sequence[Chat],
    consents: Sequence[Mapping[str, Answer] | None],
    *,
    clean: Callable[[str], str],
    limits: QualityLimits,
) -> tuple[list[list[Message]], Counter[str]]:
    """Of each chat the messages that may be learnt and are worth it, and how many were dropped for which reason.

    Args:
        chats (`Sequence[Chat]`):
            Chats as they were read.
        consents (`Sequence[Mapping[str, Answer]]`):
            Who agreed, for each chat. None asks nobody.
        clean (`Callable[[str], str]`):
            Scrubs and normalises a text. It reads it as written, where marks of direction tell mentions from words.
        limits (`QualityLimits`):
            Within which a message is kept.
    """
    cleaned, dropped = [], Counter(repeated=sum(chat.num_repeated for chat in chats))
    for chat, consent in zip(tqdm(chats, "cleaning", unit=" chats", disable=None), consents, strict=True):
        kept = []
        for message in chat.messages:
            message, reason = _clean_message(message, consent, clean, limits)
            if reason is None:
                kept.append(message)
            else:
                dropped[reason] += 1
        cleaned.append(kept)
    return cleaned, dropped


def _clean_message(
    message: Message, consent: Mapping[str, Answer] | None, clean: Callable[[str], str], limits: QualityLimits
) -> tuple[Message, str | None]:
    reason = find_consent_reason(message, consent) or find_drop_reason(message, limits)
    if reason is not None:
        return message, reason
    message = replace(message, text=clean(message.text))
    return message, find_quality_reason(message.text, limits)
