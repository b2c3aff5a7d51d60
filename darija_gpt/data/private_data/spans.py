"""Places of private data in a text, and the text as patterns read it.

A pattern for every way of hiding a number would be endless, so the line is folded instead: any Unicode digit becomes
ASCII, full-width letters and dashes too, and what cannot be seen goes, as does what stands between each two digits of
a number that is spread out. Places in it lead back to the line as it was.
"""

import itertools
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from darija_gpt.data.private_data.patterns import PLACEHOLDER
from darija_gpt.data.private_data.phrases import Cue


Bounds = tuple[int, int]
Span = tuple[int, int, str]  # as PiiSpan, which takes longer to make

BRACKETS = {")": "(", "]": "[", "}": "{", '"': '"'}
BLOT = "\n"  # No pattern crosses the end of a line.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u0300-\u036f\u115f\u1160\u20e3\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef]+"
)
# Drawn over or around the letter before.
OVERLAY = re.compile("[\u0300-\u036f\u20e3\ufe0f]*")
SPACES = "\t\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029\u2800"
# Cyrillic and Greek letters that look like Latin ones, one that looks like a digit, and a Chinese full stop.
DOUBLES = dict(zip("АВЕКМНОРСТУХаеорсухібΑΒΕΖΗΙΚΜΝΟΡΤΥΧο。", "ABEKMHOPCTYXaeopcyxi6ABEZHIKMNOPTYXo.", strict=True))
WHITE_LETTERS = (0x1F150, 0x1F170)  # from A on, in circles and squares of ink: a blood group, a car park
# Single digits with the same between each two of them, and what takes more of them as it stands in sums and addresses.
_LETTERS = r"A-Za-z\u00c0-\u1fff"  # a range, which is told at once, as "no sign" is not
SPREAD = re.compile(rf"[0-9](?<![0-9].)([^0-9{_LETTERS}\n()]{{1,3}}+)[0-9](?:\1[0-9](?![0-9{_LETTERS}])){{2,}}")
SUM_SIGN = re.compile("[.,/+*:=]")
# Pairs of a telephone number with a word or an unusual sign between them.
SPREAD_PAIRS = re.compile(
    r"0(?<![^\W_].)[5-8]([ \])}]{0,2}[;&#%^!+\[\]{}\"?@$][ \[({\"]{0,2}| {1,2}(?:w|et|puis|then|و) {0,2})"
    r"[0-9]{2}(?:\1[0-9]{2}){3}(?![0-9])"
)
# More groups than a time has; an address of a machine has six or eight.
COLONS = re.compile(r":(?<=[0-9].)[0-9]{2,16}(?::[0-9]{2,16}){2,6}(?![0-9A-Za-z:])")
BEFORE_COLONS = re.compile(r"(?<![0-9a-z:])[0-9]{1,16}$")
MACHINE_GROUPS = (6, 8)
GROUP = re.compile("[0-9]+")


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
        if unicodedata.digit(character, None) is not None:
            return str(unicodedata.digit(character))
        for first in WHITE_LETTERS:
            if 0 <= ord(character) - first < 26:
                return chr(ord("A") + ord(character) - first)
        plain = DOUBLES.get(character) or unicodedata.normalize("NFKC", character)
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


def embrace(text: str, start: int, end: int) -> Bounds:
    """The bounds of a number, each group of which is in brackets, with the outer ones."""
    closing = text[end : end + 1]
    is_bracketed = closing in BRACKETS and closing in text[start:end] and text[start - 1] == BRACKETS[closing]
    return (start - 1, end + 1) if is_bracketed else (start, end)


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


def _find_spread(text: str) -> list[Bounds]:
    """What stands between the digits of numbers that are spread out, but not in rows such as 1 2 3 4."""
    found: list[Bounds] = []
    for match in SPREAD.finditer(text):
        separator, (start, end) = match[1], match.span()
        step = len(separator) + 1
        if (SUM_SIGN.search(separator) and end - start < 8 * step - 1) or (separator == ":" and end - start != 19):
            continue
        before = text[max(0, start - step) : start]
        is_more = before[:1].isdigit() and before[1:] == separator
        digits = match.group()[::step]
        steps = {ord(second) - ord(first) for first, second in itertools.pairwise(digits)}
        if steps not in ({1}, {-1}, {0}) and not (is_more and separator != " "):
            found += ((place + 1, place + step) for place in range(start, end - 1, step))
    return found


def _find_spread_groups(text: str) -> list[Bounds]:
    """The same of pairs, and of longer groups with colons between them, but no pairs in order."""
    found: list[Bounds] = []
    for match in itertools.chain(SPREAD_PAIRS.finditer(text), COLONS.finditer(text)):
        before = BEFORE_COLONS.search(text, max(0, match.start() - 17), match.start())
        if match.re is COLONS and not before:
            continue
        groups = list(GROUP.finditer(text, before.start() if before else match.start(), match.end()))
        numbers = [group.group() for group in groups]
        if numbers != sorted(numbers) and not (match.re is COLONS and len(groups) in MACHINE_GROUPS):
            found += ((first.end(), second.start()) for first, second in itertools.pairwise(groups))
    return found


def _find_all_spread(text: str) -> list[Bounds]:
    found = _find_spread(text) if SPREAD.search(text) else []
    if SPREAD_PAIRS.search(text) or (text.count(":") > 2 and COLONS.search(text)):
        found = sorted(found + _find_spread_groups(text))
    return found


@dataclass(frozen=True)
class FoldedLine:
    """A line as the patterns read it, and where its characters stood."""

    text: str
    cuts: list[int]  # places in the folded line before which something stood
    shifts: list[int]  # by how much the characters from there on have moved
    origin: "FoldedLine | None" = None  # what this was made of, if not the line as it was

    @classmethod
    def fold(cls, line: str) -> "FoldedLine":
        if line.isascii():
            folded = cls(blot_placeholders(line.translate(FOLDING) if "\t" in line else line), [], [])
        else:
            line = blot_placeholders(line.translate(FOLDING))
            folded = cls.cut(line, (match.span() for match in INVISIBLE.finditer(line)))
        spread = _find_all_spread(folded.text)
        return cls.cut(folded.text, spread, folded if folded.cuts else None) if spread else folded

    @classmethod
    def cut(cls, line: str, bounds: Iterable[Bounds], origin: "FoldedLine | None" = None) -> "FoldedLine":
        cuts, shifts, pieces, last, length = [], [], [], 0, 0
        for start, end in bounds:
            pieces.append(line[last:start])
            length += start - last
            last = end
            cuts.append(length)
            shifts.append(end - length)
        pieces.append(line[last:])
        return cls("".join(pieces), cuts, shifts, origin)

    def find_origin(self, place: int) -> int:
        cut = bisect_right(self.cuts, place)
        place += self.shifts[cut - 1] if cut else 0
        return self.origin.find_origin(place) if self.origin else place

    def find_bounds(self, start: int, end: int, line: str) -> Bounds:
        """The bounds in the line as it was; what is drawn over or around the last letter belongs to it."""
        end = OVERLAY.match(line, self.find_origin(end - 1) + 1).end()
        return embrace(line, self.find_origin(start), end)
