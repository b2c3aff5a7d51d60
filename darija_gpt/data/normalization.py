"""One spelling for what looks the same, so that a small model does not learn it twice."""

import re
import unicodedata


TATWEEL = "\u0640"
# Marks of direction, and the ghosts of byte-order marks and soft hyphens. Joiners (U+200C, U+200D) spell emoji.
INVISIBLE = "\u061c\u200b\u200e\u200f\u2060\u00ad\ufeff" + "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
)
LINE_ENDS = ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")
REMOVED = {ord(character): None for character in TATWEEL + INVISIBLE}
# Shapes of single Arabic letters, which old keyboards and PDF files write for the letters themselves.
PRESENTATION_FORMS = re.compile("[\ufb50-\ufbb1\ufbd3-\ufbff\ufe80-\ufefc]+")
WIDE_SPACES = re.compile(r"[^\S\n]+")
BLANK_LINES = re.compile(r"\n{3,}")


def normalize_text(text: str, *, max_elongation: int | None = None) -> str:
    """A text as it reads, spelt in one way: NFC, without tatweel, marks of direction and control characters.

    Letters keep their identity: no case is folded, no diacritic removed, no hamza moved.

    Args:
        text (`str`):
            Any text.
        max_elongation (`int`, *optional*):
            Letters, punctuation or emoji in a row that are kept: with 3, `salaaaaaam` is `salaaam`. Digits are left
            alone. By default rows of any length stay.

    Returns:
        `str`: lines without spaces at their ends, at most one of them empty in a row.
    """
    for line_end in LINE_ENDS:
        text = text.replace(line_end, "\n")
    text = text.translate(REMOVED)
    text = PRESENTATION_FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    text = unicodedata.normalize("NFC", text)
    text = "".join(character for character in text if character in "\n\t" or unicodedata.category(character) != "Cc")
    text = "\n".join(line.strip() for line in WIDE_SPACES.sub(" ", text).split("\n"))
    if max_elongation is not None:
        text = limit_elongation(text, max_elongation)
    return BLANK_LINES.sub("\n\n", text).strip("\n")


def limit_elongation(text: str, max_elongation: int) -> str:
    """A text in which no character but digits and white space stands more than `max_elongation` times in a row."""
    return re.sub(rf"([^\d\s])\1{{{max_elongation},}}", lambda found: found[1] * max_elongation, text)
