"""Phrases as patterns: among hundreds of alternatives, `re` finds the right one letter by letter.

Tried one after the other, the alternatives of a list take longer than all else in a pattern. Here they share their
beginnings, so that each letter of the text rules out all but a few; and a pattern that begins with `begin` begins with
letters that `re` skips to, and looks back only from there.
"""

import re
from dataclasses import dataclass


# What stands before a word, where a pattern begins with it: a class to which `re` skips, letters apart that it knows.
NO_WORD = r"[^0-9A-Za-z_\u0621-\u064a](?<!\w)"
# So many alternatives are tried one by one as quickly as they are told apart.
FEW = 4


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _write_letter(letter: str, is_cased: bool) -> str:
    """A space is one or two; where the text is not in lower case, a letter is either."""
    if letter == " ":
        return " {1,2}"
    return f"[{letter}{letter.upper()}]" if is_cased and letter.upper() != letter else re.escape(letter)


def _group(phrases: list[str]) -> dict[str, list[str]]:
    """The first letters of phrases, and what follows each of them."""
    rests: dict[str, list[str]] = {}
    for phrase in phrases:
        if phrase:
            rests.setdefault(phrase[0], []).append(phrase[1:])
    return rests


def _write_phrases(phrases: list[str], is_cased: bool) -> str:
    branches = [
        _write_letter(first, is_cased) + _write_phrases(rest, is_cased) for first, rest in _group(phrases).items()
    ]
    is_optional = "" in phrases
    written = "|".join(branches)
    return f"(?:{written}){'?' * is_optional}" if len(branches) > 1 or (branches and is_optional) else written


def either(phrases: str, is_cased: bool = False) -> str:
    """A pattern for one of several phrases in lower case, the longest that fits.

    Args:
        phrases (`str`):
            The phrases, with `|` between them. A space in one is one or two in the text.
        is_cased (`bool`, *optional*, defaults to `False`):
            Whether the text may hold capitals, too.
    """
    return f"(?:{_write_phrases(phrases.split('|'), is_cased)})"


def _dispatch(branches: dict[str, str]) -> str:
    """Alternatives that are told apart by the letter that has been read, half of them at a time."""
    if len(branches) <= FEW:
        return "|".join(f"(?<={re.escape(first)}){rest}" for first, rest in branches.items())
    firsts = sorted(branches)
    halves = firsts[: len(firsts) // 2], firsts[len(firsts) // 2 :]
    return "|".join(
        f"(?<=[{re.escape(''.join(half))}])(?:{_dispatch({first: branches[first] for first in half})})"
        for half in halves
    )


def _class(branches: dict[str, str]) -> str:
    return f"[{re.escape(''.join(branches))}]"


def _begin(branches: dict[str, str], behind: str, anywhere: dict[str, str]) -> str:
    look_back = f"(?<!{behind}.)" if behind else ""
    if len(branches) + len(anywhere) <= FEW:
        bounded = [f"{re.escape(first)}{look_back}{rest}" for first, rest in branches.items()]
        return f"(?:{'|'.join(bounded + [re.escape(first) + rest for first, rest in anywhere.items()])})"
    others = f"|(?<={_class(anywhere)})(?:{_dispatch(anywhere)})" if anywhere else ""
    return f"(?:{_class(branches | anywhere)}(?:{look_back}(?:{_dispatch(branches)}){others}))"


def begin(phrases: str, behind: str = "", ahead: str = "", anywhere: str = "", is_cased: bool = False) -> str:
    """The beginning of a pattern: one of several phrases, to whose first letters `re` skips.

    Args:
        phrases (`str`):
            The phrases, with `|` between them.
        behind (`str`, *optional*):
            A class of characters none of which may stand before the phrase: `[\\w.]`.
        ahead (`str`, *optional*):
            A pattern for what follows the phrase.
        anywhere (`str`, *optional*):
            More phrases, which may stand behind and before anything.
        is_cased (`bool`, *optional*, defaults to `False`):
            Whether the text may hold capitals, too.
    """
    branches = {
        letter: _write_phrases(rest, is_cased) + ahead
        for first, rest in _group(phrases.split("|")).items()
        for letter in (first, first.upper() if is_cased else first)
    }
    others = {first: _write_phrases(rest, is_cased) for first, rest in _group(anywhere.split("|")).items()}
    return _begin(branches, behind, others)


@dataclass(frozen=True, eq=False)
class Cue:
    """Words before a number that tell what it is.

    Attributes:
        words (`re.Pattern`):
            Finds them in a text, wherever they stand; and parts of words that are like them.
        before (`re.Pattern`):
            Finds them near the end of a text.
    """

    words: re.Pattern[str]
    before: re.Pattern[str]


def write_cue(phrases: str, behind: str, ahead: str, anywhere: str = "", reach: int = 30) -> Cue:
    """A cue of the phrases that `begin` takes, with no more than `reach` characters behind them."""
    before = re.compile(rf"{begin(phrases, behind, ahead, anywhere)}[^\n]{{0,{reach}}}$")
    return Cue(re.compile(begin("|".join(filter(None, (phrases, anywhere))))), before)


def glimpse(phrases: str, behind: str, ahead: str) -> str:
    """The same for a pattern that reads no more of the phrase than its first letter, and sees the others."""
    branches = {
        first: f"(?={_write_phrases(rest, False)}{ahead})" for first, rest in _group(phrases.split("|")).items()
    }
    return _begin(branches, behind, {})


def go_on(phrases: str) -> str:
    """Alternatives for phrases whose first letter has been read: `(?<=a)vito|(?<=b)mci`."""
    return _dispatch({first: _write_phrases(rest, False) for first, rest in _group(phrases.split("|")).items()})
