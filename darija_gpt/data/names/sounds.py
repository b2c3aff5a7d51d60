"""How a name sounds, whoever writes it: Mustapha, Mostafa and مصطفى; Khaoula, 5awla and خولة; Marouane and Marwan.

French, English and the digits of Arabizi write the same sound each in its own way, Arabic leaves short vowels out, and
writers mix them all. So a name is read as its consonants, which both scripts write, and the vowels between them, which
are compared one by one. Samir is never Samar or Samira.
"""

import functools
import itertools
import re
from typing import NamedTuple

from darija_gpt.data.names.folding import DRAWN_OUT


MIN_CONSONANTS = 2  # Of ali and aya, too little is left; of anas and nass, all but the vowels is the same.
# So many consonants are a name even where nothing is written between them: Arabic has more words than vowels.
MANY_CONSONANTS = 4
# The vowel before and behind the l of an article: Lamrani, El Amrani, العمراني.
OF_ARTICLE = "*"

_DOUBLED = re.compile(r"(.)(?=\1)")
_SOFT_C = re.compile(r"c(?=[eiy])")
_LATIN_UNIT = re.compile(r"([aeiouwy23]*)(ph|[cskgtd]h|dj|gu(?=[ei])|qu(?=[aei])|[^aeiouwy23]|\Z)")
_LATIN_CONSONANTS = {
    **{
        "ph": "f",
        "v": "f",
        "ch": "x",
        "sh": "x",
        "kh": "5",
        "gh": "4",
        "th": "t",
        "dh": "d",
        "dj": "j",
        "gu": "k",
        "qu": "k",
    },
    **{"c": "k", "g": "k", "q": "k", "9": "k", "7": "h", "8": "h", "p": "b", "6": "t"},
}
_LATIN_VOWELS = str.maketrans("yow", "iuu", "2")
_ARABIC_UNIT = re.compile(r"([اويعء]*)([^اويعء]|\Z)")
_ARABIC_CONSONANTS = dict(zip("بپتطثجچحهخدضذظرزسصشغفڤقكلمن", "bbtttjxhh5ddddrzssx4ffkklmn", strict=True))
_ARABIC_VOWELS = str.maketrans("اويع", "aui3", "ء")
# What writers of Arabic do not tell apart.
_CONFUSED = str.maketrans("ثذظ", "تدض")
# Servant of, behind which an article becomes one with the name: Abdelghani, Abdessamad, عبدالصمد. And of the faith.
_LATIN_SERVANT = re.compile(r"3?[ae]?bd[aeou]?l?(?=\w{3})")
_ARABIC_SERVANT = re.compile(r"\A(عبد|ا?بن|ايت|ولد|اولاد|ا?بو)ال(?=\w{2})")
_ARABIC_FAITH = re.compile(r"ال(?=دين\Z)")
_MUTE_END = re.compile(r"(?<=a)[he]\Z|(?<=[^aeiouwy23])e\Z")
# What an Arabic vowel letter is in Latin ones: و is the ou of Younes, the wa of Walid and the aou of Kaoutar.
_HEARD = {"a": "[ae]", "u": "[aei]?u[aei]?", "i": "[aeu]?i[aeu]?", "3": "[aeiu3]{0,2}"}
_HEARD_FIRST = {"a": "[aeiu]{1,2}", "3": "[aeiu3]{1,2}", "ai": "[ae]?i[aeu]?", "au": "[ae]?u[ae]?"}
_HEARD_LAST = {"": "", "a": "i?a|e", "i": "[aeu]?i|a", "u": "[ae]?u", "ia": "ia"}
_HEARD_AT_END = {"a": "a", "i": "[aeu]?i", "u": "[ae]?u"}  # behind another vowel


class Sounds(NamedTuple):
    """A name as it is heard.

    Attributes:
        consonants (`str`):
            A letter for each, the same for both scripts.
        vowels (`tuple[str, ...]`):
            What is written before each consonant, and behind the last: of a, e, i, u, and 3 for ع.
        arabic (`str`):
            The consonants in Arabic letters, of which some are one in Latin ones; empty for a name in Latin letters.
    """

    consonants: str
    vowels: tuple[str, ...]
    arabic: str = ""


def _read_latin(word: str) -> Sounds:
    word = DRAWN_OUT.sub(r"\1", word).replace("ee", "i").replace("oo", "u")
    word = _LATIN_SERVANT.sub("abde", word, count=1) if "bd" in word[:4] else word
    word = _SOFT_C.sub("s", _DOUBLED.sub("", word))
    word = _MUTE_END.sub("", word) if len(word) > 3 else word
    consonants, vowels = "", []
    for before, letters in _LATIN_UNIT.findall(word):
        written = before.translate(_LATIN_VOWELS)
        vowels.append(_DOUBLED.sub("", written.replace("3", "") or written))
        consonants += _LATIN_CONSONANTS.get(letters, letters)
    return Sounds(consonants, tuple(vowels[: len(consonants) + 1]))


def _read_arabic(word: str) -> Sounds:
    word = _ARABIC_FAITH.sub("", _ARABIC_SERVANT.sub(r"\1", word))
    word = _DOUBLED.sub("", word).translate(_CONFUSED)
    # At the end, ه stands for ة, too.
    word = f"{word[:-1]}ا" if word.endswith("ه") else word
    consonants, vowels, arabic = "", [], ""
    for before, letter in _ARABIC_UNIT.findall(word):
        if not before and consonants[-1:] == _ARABIC_CONSONANTS.get(letter):
            continue  # Ait Taleb is heard with one t.
        vowels.append(_DOUBLED.sub("", before.translate(_ARABIC_VOWELS)))
        consonants += _ARABIC_CONSONANTS.get(letter, letter)
        arabic += letter
    return Sounds(consonants, tuple(vowels[: len(consonants) + 1]), arabic)


def read_sounds(word: str) -> Sounds:
    """The sounds of a word, given as `names.fold_name` leaves it and without what stands between its letters."""
    sounds = _read_latin(word) if word.isascii() else _read_arabic(word)
    consonants, vowels, arabic = sounds
    if consonants[:1] == "l" and len(consonants) > 2 and {*vowels[:2]} <= {"", "a", "e", "3"}:
        return Sounds(consonants, (OF_ARTICLE, OF_ARTICLE, *vowels[2:]), arabic)
    return sounds


@functools.lru_cache(maxsize=4096)
def _list_readings(vowels: str, unstressed: str) -> frozenset[str]:
    """What written vowels may stand for: e is one of others, or none, and 3 is heard or not."""
    choices = {"e": (*unstressed, "") if len(vowels) > 1 else tuple(unstressed), "3": ("a", "")}
    options = [choices.get(letter, (letter,)) for letter in vowels[:4]]
    return frozenset(_DOUBLED.sub("", "".join(letters)) for letters in itertools.product(*options))


# What may be left out or written fully: Slma, Tofik and Taoufik.
_NEAR = frozenset(map(frozenset, (("", "a"), ("", "i"), ("", "u"), ("u", "au"), ("i", "ai"))))


def _compare_latin(one: Sounds, other: Sounds) -> int | None:
    num_differences = 0
    last = len(one.consonants)
    # Of two consonants, the vowels make the name: Reda is Rida, and not Rada.
    unstressed = "ai" if last > MIN_CONSONANTS else "i"
    for place, (mine, theirs) in enumerate(zip(one.vowels, other.vowels, strict=True)):
        if mine == theirs or (OF_ARTICLE in (mine, theirs) and {mine, theirs} <= {OF_ARTICLE, "", "a", "e"}):
            continue
        readings, others = _list_readings(mine, unstressed), _list_readings(theirs, unstressed)
        if readings & others and (place < last or "e" not in (mine, theirs)):
            continue
        if {mine, theirs} == {"", "e"} and place < last and last >= MANY_CONSONANTS:
            continue
        if (
            place == last
            or last <= MIN_CONSONANTS
            or not any(frozenset(pair) in _NEAR for pair in itertools.product(readings, others))
        ):
            return None
        num_differences += 1
    return num_differences


def _compare_arabic(one: Sounds, other: Sounds) -> int | None:
    if one.arabic != other.arabic or one.vowels[-1] != other.vowels[-1]:
        return None
    pairs = [(mine, theirs) for mine, theirs in zip(one.vowels, other.vowels, strict=True) if mine != theirs]
    pairs = [pair for pair in pairs if OF_ARTICLE not in pair or not {*pair} <= {OF_ARTICLE, "", "a"}]
    if pairs and len(one.consonants) <= MIN_CONSONANTS:
        return None
    return len(pairs) if all("" in pair and len("".join(pair)) == 1 for pair in pairs) else None


@functools.lru_cache(maxsize=4096)
def _hear(written: str, place: str) -> re.Pattern[str]:
    """A pattern for the Latin vowels that Arabic ones stand for, at the beginning, inside or at the end of a name."""
    if written == OF_ARTICLE:
        return re.compile(r"[ae]?|\*")
    if place == "first" and written in _HEARD_FIRST:
        return re.compile(_HEARD_FIRST[written])
    if place == "last" and written in _HEARD_LAST:
        return re.compile(_HEARD_LAST[written])
    if place == "last":
        return re.compile(
            "".join(map(_HEARD.__getitem__, written[:-1])) + _HEARD_AT_END.get(written[-1], "[aeiu3]{0,2}")
        )
    return re.compile("".join(map(_HEARD.__getitem__, written)) if written else "" if place == "first" else "[aeiu]?")


def _compare_scripts(latin: Sounds, arabic: Sounds) -> int | None:
    last = len(latin.consonants)
    for place, (mine, theirs) in enumerate(zip(latin.vowels, arabic.vowels, strict=True)):
        where = "first" if place == 0 else "last" if place == last else "inner"
        is_article = mine == OF_ARTICLE and theirs in ("", "a", OF_ARTICLE)
        if not is_article and not _hear(theirs, where).fullmatch(mine):
            return None
    is_written = last >= MANY_CONSONANTS or (last > MIN_CONSONANTS and any(arabic.vowels[1:-1]))
    return 0 if is_written and any(latin.vowels[:2]) else 1


def compare_sounds(one: Sounds, other: Sounds) -> int | None:
    """How many vowels of two names with the same consonants may be heard as others; None if some must be."""
    if bool(one.arabic) == bool(other.arabic):
        return _compare_arabic(one, other) if one.arabic else _compare_latin(one, other)
    return _compare_scripts(one, other) if other.arabic else _compare_scripts(other, one)


_COARSE = str.maketrans(
    {
        **dict.fromkeys("aeiouwy23hj78اويعءحهجـ*"),  # nothing, and None is quicker
        **dict.fromkeys("pfvبپفڤ", "b"),
        **dict.fromkeys("t6تطثدضذظ", "d"),
        **dict.fromkeys("q95g4خغقك", "k"),
        **dict.fromkeys("xzسصزشچ", "s"),
        **dict(zip("رلمن", "rlmn", strict=True)),
    }
)


def coarsen(consonants: str) -> str:
    return _DOUBLED.sub("", consonants.translate(_COARSE))


def _spell_out(word: str) -> str:
    """A word with letters that are heard as they are in place of those that make others into another."""
    word = _DOUBLED.sub("", word).replace("ch", "s").replace("dj", "j")
    return _SOFT_C.sub("s", word).replace("c", "k")


def find_coarse_key(word: str) -> str | None:
    """What `coarsen` makes of a word's consonants, found in no time; None where it takes longer."""
    begin = word[:4]
    if "bd" in begin or "عبد" in begin or word[-3:] == "دين" or not word.isalnum():
        return None
    if "c" in word or "dj" in word:
        word = _spell_out(word)
    return _DOUBLED.sub("", word.translate(_COARSE))


COARSE_LETTERS = "bdkslmnr"
# What takes longer than the others.
_NOT_AT_ONCE = ("bd", "عبد", "دين")
_COARSE_AT_ONCE = {**_COARSE, **dict.fromkeys(map(ord, "*ـ"), "?")}


def find_coarse_keys(lines: str) -> list[str]:
    """The same for words that each stand in a line, at once; there is another sign in what takes longer."""
    for letters in _NOT_AT_ONCE:
        lines = lines.replace(letters, "?")
    if "c" in lines or "dj" in lines:
        lines = _spell_out(lines)
    keys = lines.translate(_COARSE_AT_ONCE)
    for letter in COARSE_LETTERS:
        while letter + letter in keys:
            keys = keys.replace(letter + letter, letter)
    return keys.split("\n")
