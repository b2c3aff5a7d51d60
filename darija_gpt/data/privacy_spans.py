"""Places of private data in a text, and the text as patterns read it.

A pattern for every way of hiding a number would be endless, so the line is folded instead: any Unicode digit becomes
ASCII, full-width letters and dashes too, and what cannot be seen goes. Places in it lead back to the line as it was.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from darija_gpt.data.privacy_patterns import PLACEHOLDER
from darija_gpt.data.privacy_words import Cue


Bounds = tuple[int, int]
Span = tuple[int, int, str]  # as PiiSpan, which takes longer to make

BLOT = "\n"  # No pattern crosses the end of a line.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u20e3\ufe00-\ufe0f\ufeff]+"
)
KEYCAP = ("\ufe0f", "\u20e3")
SPACES = "\t\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"


class PiiSpan(NamedTuple):
    """A piece of private data: `text[start:end]`, in code points, and its type."""

    start: int
    end: int
    type: str


class _Folding(dict):
    """Code point -> the ASCII character it stands for, found out when it is first seen."""

    def __missing__(self, code: int) -> str | int:
        self[code] = self._fold(chr(code))
        return self[code]

    @staticmethod
    def _fold(character: str) -> str | int:
        category = unicodedata.category(character)
        if category == "Nd":
            return str(unicodedata.decimal(character))
        if category == "Pd" or character == "−":
            return "-"
        if category == "Zs" or character in SPACES:
            return " "
        plain = unicodedata.normalize("NFKC", character)
        return plain if len(plain) == 1 and plain.isascii() and plain != BLOT else ord(character)


FOLDING = _Folding()


def lower(text: str) -> str:
    """A text of the same length in lower case."""
    # İ is the one letter that grows, and patterns know ı for a small I.
    return text.lower() if text.isascii() else text.replace("İ", "I").replace("ı", "i").lower()


class Reading(NamedTuple):
    """A folded line as it is now, without what was found.

    Attributes:
        text (`str`):
            The line with its capitals.
        lowered (`str`):
            The line in lower case, and the same object if it has no capitals.
        cues (`dict[Cue, bool]`):
            Which cues the line has, as far as that was asked.
    """

    text: str
    lowered: str
    cues: dict[Cue, bool]

    @classmethod
    def read(cls, folded: str) -> "Reading":
        lowered = lower(folded)
        return cls(folded, folded if folded == lowered else lowered, {})

    def blot(self, bounds: list[Bounds]) -> "Reading":
        text = blot(self.text, bounds)
        return Reading(text, text if self.text is self.lowered else blot(self.lowered, bounds), {})

    def has_cue(self, cue: Cue, place: int, reach: int = 50) -> bool:
        """Whether a cue stands right before a place."""
        is_there = self.cues.get(cue)
        if is_there is None:
            is_there = self.cues[cue] = cue.words.search(self.lowered) is not None
        return is_there and cue.before.search(self.lowered, max(0, place - reach), place) is not None


def blot(text: str, bounds: Iterable[Bounds]) -> str:
    """A text of the same length, with line ends in place of what is not to be read."""
    pieces, last = [], 0
    for start, end in bounds:
        pieces += text[last:start], BLOT * (end - start)
        last = end
    if not pieces:
        return text
    pieces.append(text[last:])
    return "".join(pieces)


def blot_placeholders(text: str) -> str:
    """A text without the placeholders in it, as a search must not find `PHONE` or `NAME`."""
    return blot(text, (match.span() for match in PLACEHOLDER.finditer(text))) if "[" in text else text


@dataclass(frozen=True)
class FoldedLine:
    """A line as the patterns read it, and where its characters stood."""

    text: str
    cuts: list[int]  # places in the folded line before which something invisible stood
    shifts: list[int]  # by how much the characters from there on have moved

    @classmethod
    def fold(cls, line: str) -> "FoldedLine":
        if line.isascii():
            return cls(blot_placeholders(line.translate(FOLDING) if "\t" in line else line), [], [])
        line = blot_placeholders(line.translate(FOLDING))
        cuts, shifts, pieces, last, length = [], [], [], 0, 0
        for match in INVISIBLE.finditer(line):
            start, end = match.span()
            pieces.append(line[last:start])
            length += start - last
            last = end
            cuts.append(length)
            shifts.append(end - length)
        pieces.append(line[last:])
        return cls("".join(pieces), cuts, shifts)

    def find_origin(self, place: int) -> int:
        cut = bisect_right(self.cuts, place)
        return place + (self.shifts[cut - 1] if cut else 0)

    def find_bounds(self, start: int, end: int, line: str) -> Bounds:
        """The bounds in the line as it was; what draws a box around the last digit belongs to it."""
        origin = self.find_origin(end - 1) + 1
        while line[origin : origin + 1] in KEYCAP and origin < len(line):
            origin += 1
        return self.find_origin(start), origin
