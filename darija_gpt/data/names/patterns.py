"""Patterns for names in a folded text: their words, what may be written onto them, and how they are drawn out."""

import re
from collections.abc import Iterable, Iterator

from darija_gpt.data.names.folding import MARKS, NOT_IN_NAMES, reduce_name


BETWEEN = r"[ '’_\-]"  # Stands between the words of a name, or not: El Amrani, Elamrani, Fatima-Zahra.
LATIN_CLITICS = "ldbfw"
ARABIC_CLITICS = "وفبلكد"
# Words that are written onto a name in haste: dyalHamza, m3aSara, aKarim; ديالحمزة, معسارة.
LATIN_GLUED = r"d[iy]?al|m3a|3[ae]?nd|3la|7da|b[7h]al|m[ei]?n|y?a"
ARABIC_GLUED = r"[وف]?(?:ديال|عند|حدا|بحال|مع|من)"
GLUED = re.compile(rf"{LATIN_GLUED}|{ARABIC_GLUED}")
# And Marie, I believe qu'Ilyas, l'Hassan.
TOKEN = re.compile(rf"(?:(?:[{LATIN_CLITICS}]['’\-]|qu['’])(?=[^\W_]))?[^\W_]+(?:[{MARKS}]+[^\W_]*)*")
# And to Marie, O Marie, as ولمريم and يامريم.
ARABIC_PREFIX = rf"(?:[وف]?(?:[{ARABIC_CLITICS}](?:ال|ل)?|ال)|[وي]?ا|{ARABIC_GLUED})"
PREFIX = re.compile(ARABIC_PREFIX)
DOUBLED_CLITIC = re.compile(rf"([{ARABIC_CLITICS}])\1(?!\1)")
# Words that are one name with what stands behind or before them: Abd El Ghani, Ben Ali, Aït Taleb, Nour Eddine.
_LATIN_BEFORE = r"3?[ae]?bd(?:[aeiou]?l)?|b[ei]n|ibn|bou|ab[ou]u?|a[iy]?t|oul[ea]?d|ou?m{1,2}"
_ARABIC_BEFORE = r"عبد|ا?بن|ا?بو|ايت|ولد|اولاد|ام"
_BEFORE = rf"(?:(?:[{LATIN_CLITICS}]['’\-]?|qu['’])?(?:{_LATIN_BEFORE})|[{ARABIC_CLITICS}]{{0,2}}(?:{_ARABIC_BEFORE}))"
_BEHIND = r"(?:[aeu]?d+[iy]ne?|الدين)"
_ARTICLE = rf"(?:(?:e[a-z]|al|ال){BETWEEN}{{1,2}})?"
COMPOUND = re.compile(
    rf"(?<![^\W_])(?:{_BEFORE}{BETWEEN}{{1,2}}{_ARTICLE}[^\W_]{{2,}}+"
    rf"|[^\W_]{{2,24}}+{BETWEEN}{{1,2}}{_ARTICLE}{_BEHIND}(?![^\W_]))"
)
COMPOUNDING = re.compile(rf"{_BEFORE}|{_BEHIND}")
# The consonants of what stands before or behind, bare and with those of clitics, by `sounds.find_coarse_key`.
COMPOUNDING_KEYS = frozenset(
    f"{clitic}{key}" for clitic in ("", *"ldbk", "bl", "kl", "dl") for key in ("bn", "b", "d", "ld", "m", "dn")
)


def has_article(prefix: str) -> bool:
    """Whether what is written onto a name ends in its article, and not in the last letters of بحال, like."""
    return prefix.endswith("ال") and not prefix.endswith("بحال")


def _write_run(letter: str, count: int, is_short: bool) -> str:
    """A pattern for a letter that stands `count` times in a name and may be drawn out: Yassine, Yassiiine."""
    letter = re.escape(letter)
    if not letter.isascii():
        return f"{letter}{{{count}}}{letter}*+[{MARKS}]{{0,4}}"
    # Of ali and alli, one is a name; aliii is the same again.
    return f"{letter}{{{count}}}" + (f"(?:{letter}{letter}++)?+" if is_short else f"{letter}*+")


def _write_form(form: str, num_read: int = 0) -> str:
    """A pattern for a form of a name of which the reader has read that many letters, none or one."""
    pieces = []
    for run in re.finditer(r"(.)\1*", form):
        count = len(run[0]) - (num_read if run.start() == 0 else 0)
        pieces.append(_write_run(run[1], count, len(form) <= 3) if run[1].isalnum() else rf"{BETWEEN}{{0,2}}")
    return "".join(pieces)


def _group_forms(forms: Iterable[str]) -> dict[str, str]:
    """First letter -> a pattern for the rest of the forms that begin with it, the longest first."""
    rests: dict[str, list[str]] = {}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        rests.setdefault(re.escape(form[0]), []).append(_write_form(form, num_read=1))
    return {first: f"(?:{'|'.join(patterns)})" for first, patterns in rests.items()}


def write_pattern(forms: Iterable[str]) -> str:
    """A pattern for forms at the beginning of a word, bare or behind a clitic, where a group holds the form."""
    latin = _group_forms(form for form in forms if form[0].isascii())
    other = _group_forms(form for form in forms if not form[0].isascii())
    alternatives = [first + rest for first, rest in (latin | other).items()]
    if latin:
        joined = "|".join(first + rest for first, rest in latin.items())
        alternatives.append(rf"(?:[{LATIN_CLITICS}]['’\-]?|qu['’]|{LATIN_GLUED})({joined})")
    if other:
        joined = "|".join(first + rest for first, rest in other.items())
        alternatives.append(rf"{ARABIC_PREFIX}({joined})")
    # Of anasw, "and Anas", the w is a word.
    return rf"(?:{'|'.join(alternatives)})(?:(?![^\W_])|(?<=[a-z]{{4}})(?=w(?![^\W_])))"


def list_beginnings(form: str) -> Iterator[str]:
    """What a text may have as one word of a form: fatima and fatimazahra of "fatima zahra"."""
    beginning = ""
    for word in NOT_IN_NAMES.split(form):
        beginning = reduce_name(beginning + word)
        yield beginning


def list_stems(word: str) -> list[str]:
    """A word of a text, and what it is without the clitics that may be written onto it."""
    stems = [word]
    if word[0] in LATIN_CLITICS:
        stems.append(word[1:].lstrip("'’-"))
    elif word[:3] in ("qu'", "qu’"):
        stems.append(word[3:])
    elif not word[0].isascii():
        stems += (word[length:] for length in range(1, 6) if PREFIX.fullmatch(word, 0, length))
    glued = GLUED.match(word)
    if glued and word[0].isascii():
        stems.append(word[glued.end() :])
    if word[-1] == "w":
        stems += [stem[:-1] for stem in stems]
    return [stem for stem in stems if stem]
