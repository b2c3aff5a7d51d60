"""What stands under a name of a WhatsApp export: a text, or what WhatsApp wrote in place of something else."""

import re
from collections.abc import Callable
from typing import Literal

from darija_gpt.data.whatsapp_headers import GAP, LEFT_TO_RIGHT, MARKS, PLAIN_MARKS, RIGHT_TO_LEFT, SPACES
from darija_gpt.data.whatsapp_phrases import LANGUAGES, Phrases


Kind = Literal["text", "media", "deleted", "system"]

_SAME_LETTERS = dict.fromkeys(map(ord, MARKS + "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652"))
_SAME_LETTERS |= dict.fromkeys(map(ord, SPACES[1:]), " ") | {ord("’"): "'"}
_UNUSUAL = re.compile("[" + "".join(map(chr, _SAME_LETTERS)) + "]")


def _either(pick: Callable[[Phrases], str]) -> str:
    return "|".join(filter(None, map(pick, LANGUAGES.values())))


def _normalize(line: str) -> str:
    if not line.isascii() and _UNUSUAL.search(line):
        line = line.translate(_SAME_LETTERS)
    return line.strip().removesuffix(".").lower()


def _normalize_each(phrases: str) -> list[str]:
    return [_normalize(phrase) for phrase in phrases.split("|")]


PLACEHOLDERS: dict[str, Kind] = {
    **dict.fromkeys(_normalize_each(_either(lambda phrases: phrases.media)), "media"),
    **dict.fromkeys(_normalize_each(_either(lambda phrases: phrases.deleted)), "deleted"),
    **dict.fromkeys(_normalize_each(_either(lambda phrases: phrases.call)), "system"),
}
PLACEHOLDERS |= {f"<{phrase}>": "media" for phrase, kind in PLACEHOLDERS.items() if kind == "media"}  # iOS until 2018
LONGEST_PLACEHOLDER = max(map(len, PLACEHOLDERS)) + 20  # and marks
DOCUMENT_ENDS = {phrase[-4:] for phrase, kind in PLACEHOLDERS.items() if kind == "media"}
LONGEST_ATTACHMENT = 512  # File systems end names at 255.
POLLS = set(_normalize_each(_either(lambda phrases: phrases.poll)))
DELETED_BY = tuple(phrase + " " for phrase in _normalize_each(_either(lambda phrases: phrases.deleted_by)))
DELETED_BY_STARTS = {phrase[:8] for phrase in DELETED_BY}
# Three letters or digits stay what they are but for their case. The first three of most texts are none of these.
STARTS = {phrase[:3] for phrase in (*PLACEHOLDERS, *DELETED_BY)}
EDIT_MARKS = set(_normalize_each(_either(lambda phrases: phrases.edited)))
ENCRYPTION = tuple(_either(lambda phrases: phrases.encryption).split("|"))
ENCRYPTION_STARTS = {phrase[:3] for phrase in ENCRYPTION}
NOTICE = re.compile(_either(lambda phrases: phrases.notices))
MEMBERS = re.compile(_either(lambda phrases: phrases.members))
RIGHT_TO_LEFT_NOTICE = re.compile(_either(lambda phrases: phrases.right_to_left))
NOTICE_END = re.compile(rf"(?:{_either(lambda phrases: phrases.endings)})\.?$")
MAP_URLS = ("https://maps.", "https://www.google.com/maps", "https://foursquare.com/")
FILE_NAME = re.compile(r"[^\n]{0,255}\.\w{1,5}(?: • [^\n]*)?")  # iOS names documents "notes.pdf • 2 pages".
DOCUMENT = re.compile(r"[^\n]{0,255}\.\w{1,5}(?: • \d{1,5} \w{1,12})? ")  # the same before "document omitted"
NUMBERED_FILE = re.compile(r"<[^<>:]{1,40}:\s?\d{8}-[^<>\n]*>")
OMITTED = re.compile(rf"<[^<>]{{0,80}}\b(?:{_either(lambda phrases: phrases.omitted)})\b[^<>]{{0,20}}>")

# What the phone calls its files tells them in every language.
ATTACHMENT = re.compile(
    rf"<{GAP}(?:{_either(lambda phrases: phrases.attached)}){GAP}:[^<>]*>"
    rf"|<[^<>:]{{1,40}}:{GAP}\d{{8}}-[A-Z]{{3,8}}-[^<>]*>"
    rf"|.*\.\w{{0,5}}(?:{GAP}•[^()]{{0,40}}+)?{GAP}\((?:{_either(lambda phrases: phrases.file_attached)})\)"
    rf"|[A-Z]{{3}}-\d{{8}}-WA\d{{4,6}}\.\w{{1,5}}{GAP}\([^()]{{1,40}}\)"
)


def find_placeholder(line: str) -> Kind | None:
    """The kind of message in whose place WhatsApp wrote a line."""
    if len(line) > LONGEST_ATTACHMENT:
        return None
    if line.endswith((">", ")")) and ATTACHMENT.fullmatch(line.strip(SPACES + MARKS)):
        return "media"
    start = line[:3]
    if (start.isalnum() and start.lower()[:3] not in STARTS) or len(line) > LONGEST_PLACEHOLDER:
        return None
    line = _normalize(line)
    if line[:8] in DELETED_BY_STARTS and line.startswith(DELETED_BY):
        return "deleted"
    return "media" if line.startswith("<") and OMITTED.fullmatch(line) else PLACEHOLDERS.get(line)


def _find_caption(text: str, has_marks: bool) -> str | None:
    """What stands before the medium that ends a text of iOS. A mark tells the two apart, if no editor has lost it."""
    for mark in (LEFT_TO_RIGHT, RIGHT_TO_LEFT) if has_marks else ():
        caption, found, rest = text.rpartition(mark)
        if found and find_placeholder(rest) == "media":
            return caption
    start = text.rfind("<") if text.endswith(">") else -1
    if start > 0 and NUMBERED_FILE.fullmatch(text, start):
        return text[:start]
    document = DOCUMENT.match(text) if text[-4:] in DOCUMENT_ENDS else None
    return document[0] if document and find_placeholder(text[document.end() :]) == "media" else None


def _is_right_to_left_notice(text: str) -> bool:
    """Whether WhatsApp set the mark. Pasted tweets begin with it, too, but are longer than notices."""
    is_short = len(text) <= LONGEST_PLACEHOLDER and "\n" not in text
    return bool(NOTICE.search(text) or (is_short and RIGHT_TO_LEFT_NOTICE.match(text.lstrip(PLAIN_MARKS))))


def _read_marked_text(text: str) -> tuple[Kind, str]:
    """Kind and text of what holds a direction mark on iOS, which may be WhatsApp's or the author's."""
    start = text.lstrip(SPACES)  # A space stands before the mark of a location.
    if start.startswith(LEFT_TO_RIGHT) or (start.startswith(RIGHT_TO_LEFT) and _is_right_to_left_notice(start)):
        return ("media", "") if any(url in text for url in MAP_URLS) else ("system", start.lstrip(PLAIN_MARKS))
    notice = text.partition(f": {LEFT_TO_RIGHT}")[2]  # Before it stands the rest of a group's name with a colon.
    return ("system", notice) if NOTICE.search(notice) else ("text", text)


def read_text(text: str, is_ios: bool) -> tuple[Kind, str, bool]:
    """Kind and text of what stands under a name, and whether it was edited."""
    is_edited = False
    if text.endswith(">"):
        start = text.rfind("<", max(0, len(text) - LONGEST_PLACEHOLDER))
        if start >= 0 and _normalize(text[start + 1 : -1]) in EDIT_MARKS:
            text, is_edited = text[:start].rstrip(MARKS).rstrip(SPACES + "\n"), True
    first_line, _, caption = text.partition("\n") if "\n" in text else (text, "", "")
    kind = find_placeholder(first_line)
    if kind == "media":
        return "media", caption, is_edited
    if kind and not caption:
        return kind, "" if kind == "deleted" else text.lstrip(PLAIN_MARKS), is_edited
    if caption and _normalize(first_line) in POLLS:
        return "media", "", is_edited
    if is_ios and text[:3] in ENCRYPTION_STARTS and text.startswith(ENCRYPTION):
        return "system", text, is_edited
    has_marks = not text.isascii() and (LEFT_TO_RIGHT in text or RIGHT_TO_LEFT in text)
    may_end_in_medium = has_marks or (is_ios and (text.endswith(">") or text[-4:] in DOCUMENT_ENDS))
    caption = _find_caption(text, has_marks) if may_end_in_medium else None
    if caption is not None:
        is_file_name = FILE_NAME.fullmatch(caption.strip(SPACES + MARKS))
        return "media", "" if is_file_name else caption.lstrip(LEFT_TO_RIGHT).rstrip(SPACES + "\n"), is_edited
    if has_marks and is_ios:
        return *_read_marked_text(text), is_edited
    return "text", text, is_edited
