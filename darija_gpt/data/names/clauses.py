"""The words around a form of a name up to the next mark, in one spelling and as they are written."""

import re
from typing import NamedTuple

from darija_gpt.data.names.verbs import spell


END_OF_CLAUSE = re.compile(r"[^\w\s'’\-]|\n")
WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
REACH = 64  # characters of a clause


class Clause(NamedTuple):
    """The words before and behind a form up to the next mark.

    Attributes:
        before, behind (`list[str]`):
            The words in one spelling.
        last_two, next_two (`tuple[str, str]`):
            Those beside the form, the nearer one first; empty where there is none.
        written_before, written_behind (`list[str]`):
            The words as they are written.
        is_begun, is_ended (`bool`):
            Whether the line begins or ends with the clause.
    """

    before: list[str]
    behind: list[str]
    last_two: tuple[str, str]
    next_two: tuple[str, str]
    written_before: list[str]
    written_behind: list[str]
    is_begun: bool
    is_ended: bool


def read_clause(folded: str, start: int, end: int) -> Clause:
    """The clause around `folded[start:end]`."""
    before, behind = folded[max(0, start - REACH) : start], folded[end : end + REACH]
    begin = max((match.end() for match in END_OF_CLAUSE.finditer(before)), default=0)
    mark = END_OF_CLAUSE.search(behind)
    rest = behind[mark.start() :].partition("\n")[0] if mark else ""
    written_before = WORD.findall(before, begin)
    written_behind = WORD.findall(behind, 0, mark.start() if mark else REACH)
    spelt_before, spelt_behind = [*map(spell, written_before)], [*map(spell, written_behind)]
    return Clause(
        spelt_before,
        spelt_behind,
        tuple(["", "", *spelt_before[-2:]][:-3:-1]),
        tuple([*spelt_behind[:2], "", ""][:2]),
        written_before,
        written_behind,
        is_begun=not WORD.search(before.rpartition("\n")[2]),
        is_ended=not WORD.search(rest) and (mark is not None or len(behind) < REACH),
    )
