"""People's names in a text: a form of the name, in Latin or Arabic letters, however it is written and prefixed."""

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from darija_gpt.data.name_evidence import ORDINARY_WORDS, FoundForm, is_evident, spread_evidence
from darija_gpt.data.privacy_spans import INVISIBLE, Bounds, PiiSpan


class Person(NamedTuple):
    """A participant, and the known spellings of the name in either script."""

    name: str
    forms: tuple[str, ...]


ARABIC_VARIANTS = str.maketrans("أإآٱىةگڭڤ", "اااايهككف")
MARKS = r"\u0640\u064b-\u0652\u0300-\u036f"
TOKEN = re.compile(rf"(?:[ldbfw]['’\-](?=[^\W_]))?[^\W_]+(?:[{MARKS}]+[^\W_]*)*")
ARABIC_CLITICS = re.compile(r"[وفبلك]{1,2}(?:ال)?ا?|ا(?:لا?)?")
MAX_WORDS = 200_000  # More words of texts than that are not remembered: a large vocabulary, in 30 MB.
NOT_IN_NAMES = re.compile(rf"[\W_{MARKS}]+")
REPEATED = re.compile(r"(.)(?=\1)")
DRAWN_OUT = re.compile(r"(.)\1{2,}")


class _Folding(dict):
    """Code point -> its letter without case and marks, one for one: É is e, أ is ا."""

    def __missing__(self, code: int) -> str:
        base = unicodedata.normalize("NFKD", chr(code))[:1].lower().translate(ARABIC_VARIANTS)
        self[code] = base if len(base) == 1 else chr(code)
        return self[code]


FOLDING = _Folding()


def fold_name(text: str) -> str:
    """A text of the same length in which no letter has case or accent."""
    return text.lower() if text.isascii() else text.translate(FOLDING)


def fold_form(form: str) -> str:
    """A spelling of a name as texts are compared with it, without what stands around its letters."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", fold_name(INVISIBLE.sub("", form)))


def reduce_name(folded: str) -> str:
    """The letters of a name, each once however long it is drawn."""
    return REPEATED.sub("", NOT_IN_NAMES.sub("", folded))


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
        pieces.append(_write_run(run[1], count, len(form) <= 3) if run[1].isalnum() else r"[ '’_\-]{0,2}")
    return "".join(pieces)


def _group_forms(forms: Iterable[str]) -> dict[str, str]:
    """First letter -> a pattern for the rest of the forms that begin with it, the longest first."""
    rests: dict[str, list[str]] = {}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        rests.setdefault(re.escape(form[0]), []).append(_write_form(form, num_read=1))
    return {first: f"(?:{'|'.join(patterns)})" for first, patterns in rests.items()}


def _write_pattern(forms: Iterable[str]) -> str:
    """A pattern for forms at the beginning of a word, bare or behind a clitic, where a group holds the form."""
    latin = _group_forms(form for form in forms if form[0].isascii())
    other = _group_forms(form for form in forms if not form[0].isascii())
    alternatives = [first + rest for first, rest in (latin | other).items()]
    if latin:
        alternatives.append(rf"[ldbfw]['’\-]?({'|'.join(first + rest for first, rest in latin.items())})")
    if other:
        joined = "|".join(first + rest for first, rest in other.items())
        alternatives.append(rf"(?:[وفبلك]{{1,2}}(?:ال)?ا?|ا(?:لا?)?)({joined})")
    # Of anasw, "and Anas", the w is a word.
    return rf"(?:{'|'.join(alternatives)})(?:(?![^\W_])|(?<=[a-z]{{4}})(?=w(?![^\W_])))"


def _is_reduced(letters: str) -> bool:
    """Whether up to three characters are letters, none of them drawn out."""
    is_drawn = letters[:1] == letters[1:2] or (letters[1:2] == letters[2:3] != "") or "ـ" in letters
    return letters.isalnum() and not is_drawn


def _list_beginnings(form: str) -> Iterator[str]:
    """What a text may have as one word of a form: fatima and fatimazahra of "fatima zahra"."""
    beginning = ""
    for word in NOT_IN_NAMES.split(form):
        beginning = reduce_name(beginning + word)
        yield beginning


class RosterNames:
    """The forms of a roster, which are looked up by the words they begin with, and whose each form is.

    A pattern of thousands of names is slow to build and slower to search for, so each word of a text is looked up
    first, and only the few forms that begin with it are tried.
    """

    def __init__(self, roster: tuple[Person, ...]):
        self.roster = roster
        self.people: dict[str, Person] = {}  # by form, as folded and with each letter once
        self.family_names: set[str] = set()
        self.forms: dict[str, set[str]] = {}  # by their beginnings
        self.first_letters: set[str] = set()  # three of each, by which most words are told apart
        self.candidates: dict[str, re.Pattern[str]] = {}  # by words of the texts
        self.other_words: set[str] = set()  # of the texts
        self.patterns: dict[tuple[str, ...], re.Pattern[str]] = {}
        self.harmless_pseudonyms: dict[str, Any] = {}  # found to be none of these names, see privacy.scrub
        people = sorted(roster, key=lambda person: (fold_form(person.name), person.name))
        # A whole name is its bearer's before it is a first name of somebody else.
        claims = [(person.name, person) for person in people]
        claims += [(form, person) for person in people for form in sorted(person.forms)]
        for form, person in claims:
            folded = fold_form(form)
            if len(folded) < 2 or not any(letter.isalpha() for letter in folded):
                continue
            for beginning in _list_beginnings(folded):
                self.forms.setdefault(beginning, set()).add(folded)
                self.first_letters.add(beginning[:3])
            self.people.setdefault(reduce_name(folded), person)
            self.family_names.update(word for word in folded.split()[1:] if len(word) > 2)

    def _find_pattern(self, word: str) -> re.Pattern[str] | None:
        """The pattern of the forms that may begin with a word of a text, kept for when the word comes again."""
        stems = [word]
        if word[0] in "ldbfw":
            stems.append(word[1:].lstrip("'’-"))
        elif word[0] in "وفبلكا":
            stems += (word[length:] for length in range(1, ARABIC_CLITICS.match(word).end() + 1))
        if word[-1] == "w":
            stems += [stem[:-1] for stem in stems]
        stems = [stem for stem in stems if stem[:3] in self.first_letters or not _is_reduced(stem[:3])]
        forms = {form for stem in stems for form in self.forms.get(reduce_name(stem), ())} if stems else ()
        if len(self.candidates) + len(self.other_words) >= MAX_WORDS:
            self.candidates.clear()
            self.other_words.clear()
        if not forms:
            self.other_words.add(word)
            return None
        key = tuple(sorted(forms))
        if key not in self.patterns:
            self.patterns[key] = re.compile(_write_pattern(key))
        self.candidates[word] = self.patterns[key]
        return self.candidates[word]

    def _find_forms(self, folded: str) -> Iterator[FoundForm]:
        words = TOKEN.findall(folded)
        if self.other_words.issuperset(words):
            return
        new_words = {*words} - self.other_words
        patterns = {word: self.candidates.get(word) or self._find_pattern(word) for word in new_words}
        place = 0
        for token in TOKEN.finditer(folded) if any(patterns.values()) else ():
            pattern = patterns.get(token.group())
            match = pattern.match(folded, token.start()) if pattern and token.start() >= place else None
            if match:
                place = match.end()
                yield FoundForm(match.start(), *match.span(match.lastindex or 0))

    def matches(self, text: str) -> bool:
        """Whether a form stands anywhere in a text, as a name or as a word."""
        return any(self._find_forms(fold_name(text)))

    def find_person(self, found: str) -> Person:
        return self.people[reduce_name(fold_name(found))]

    def find(self, text: str) -> Iterator[Bounds]:
        folded = fold_name(text)
        forms = list(self._find_forms(folded))
        if not forms:
            return
        names = {form for form in forms if not self._is_word(folded[form.start : form.end])}
        if len(names) < len(forms):
            doubtful = (form for form in forms if form not in names)
            names.update(form for form in doubtful if is_evident(text, folded, form, self.family_names))
            names = spread_evidence(folded, forms, names)
        yield from ((form.start, form.end) for form in forms if form in names)

    @staticmethod
    def _is_word(form: str) -> bool:
        return DRAWN_OUT.sub(r"\1", INVISIBLE.sub("", form)) in ORDINARY_WORDS


# Found again by comparing, as a hash of thousands of people for every message would take longer than the message.
_RECENT: deque[RosterNames] = deque(maxlen=16)


def read_roster(roster: tuple[Person, ...]) -> RosterNames:
    for names in tuple(_RECENT):
        if names.roster == roster:
            return names
    names = RosterNames(roster)
    _RECENT.append(names)
    return names


def find_names(text: str, roster: Sequence[Person]) -> list[PiiSpan]:
    """Where a text names the people of a chat.

    Case, accents, drawn-out letters and clitics do not hide a name. A form that is a word too (nour, "light") counts
    only where something around it says that a person is meant.

    Args:
        text (`str`):
            Any text.
        roster (`Sequence[Person]`):
            The people to find. Forms of one or two letters are better left out.

    Returns:
        `list[PiiSpan]`: of type NAME, sorted, none overlapping another, without clitics.
    """
    return [PiiSpan(start, end, "NAME") for start, end in read_roster(tuple(roster)).find(text)]
