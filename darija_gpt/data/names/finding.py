"""People's names in a text: in Latin or Arabic letters, however they are spelt, written, drawn out and prefixed."""

import itertools
import re
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from darija_gpt.data.names.evidence import FoundForm, is_preposition, is_word_after_all, judge
from darija_gpt.data.names.folding import DRAWN_OUT, fold_name, reduce_name
from darija_gpt.data.names.forms import MAX_WORDS, SHORT_FORM, Person, RosterForms, read_letters
from darija_gpt.data.names.parts import ARTICLES, TITLES
from darija_gpt.data.names.patterns import BETWEEN, GLUED, has_article
from darija_gpt.data.names.sounds import find_coarse_key
from darija_gpt.data.names.spreading import spread_evidence
from darija_gpt.data.names.words import (
    BEHIND_CLITICS,
    LIKE_NAMES,
    NAMES_IN_ALEF,
    NAMES_WITH_ARTICLE,
    ORDINARY_WORDS,
    WORDS_WITH_ARTICLE,
)
from darija_gpt.data.private_data.spans import INVISIBLE, Bounds, PiiSpan, Span
from darija_gpt.data.private_data.windows import LONGEST_MESSAGE, find_in_windows


LONG_FORM = 5  # letters that hardly stand behind others by chance
# So many forms of a text that are words, too, are looked at. No message has more, and they are taken for names.
MAX_DOUBTFUL = 128
MAX_CHUNK = 40  # characters between spaces that are remembered
# Before a form of so many letters, more than one clitic letter is the beginning of a word: welcome, liman, كلاما.
CLITICS_OF_SHORT_FORMS = frozenset(
    ("", *"وفبلكد", "ال", "l'", "d'", "l-", "d-", "b-", "w-", "f-", "qu'", "l’", "d’", "qu’")
)
# Between the parts of one person's name: Yassine El Amrani, of whom Yassine and Amrani are forms.
BETWEEN_PARTS = re.compile(rf"{BETWEEN}{{1,2}}(?:(?:el|al|ben|ibn|بن|ابن){BETWEEN}{{1,2}})?")
# Before them, an article or a title, which are no longer.
WORD_BEFORE = re.compile(rf"(?<![^\W_])([^\W_]{{2,}}){BETWEEN}{{1,2}}\Z")
MAX_TITLE = 10


class RosterNames(RosterForms):
    """The names of a roster: which of its forms are names where they stand in a text, and not words."""

    def __init__(self, roster: tuple[Person, ...]):
        super().__init__(roster)
        self.other_chunks: set[str] = set()  # of the texts, between spaces, and made of other words
        self.are_words: dict[tuple[str, str, str, str], bool] = {}  # by prefix, form, and its outer letters as written
        self.plain_chunks: set[str] = set()  # of these, in which no other private data is either, see privacy.scrub
        self.harmless_pseudonyms: dict[str, Any] = {}  # found to be none of these names, see privacy.scrub

    def _is_family(self, letters: str) -> bool:
        return letters in self.family_names and letters not in self.first_names

    def _find_start(self, text: str, folded: str, form: FoundForm) -> int:
        """Where a name begins, with the article of a family's and the title that the name has."""
        letters = read_letters(folded, form)
        is_family = self._is_family(letters)
        if has_article(folded[form.clitic : form.start]) and (is_family or letters in NAMES_WITH_ARTICLE):
            return form.start - 2
        if is_family and text[form.clitic : form.start] == "L":
            return form.clitic  # Lamrani is El Amrani.
        before = WORD_BEFORE.search(folded, max(0, form.start - MAX_TITLE), form.start)
        if not before or form.clitic < form.start:
            return form.start
        if before[1] in ARTICLES:
            return before.start() if is_family else form.start
        titled = self.titles.get(TITLES.get(before[1], ""), set())
        is_titled = not titled.isdisjoint(self.owners[letters])
        return before.start() if is_titled else form.start

    def _group_parts(self, text: str, folded: str, forms: list[FoundForm]) -> list[list[FoundForm]]:
        """Forms that stand side by side and are parts of one person's name."""
        groups: list[list[FoundForm]] = []
        shared: set[int] = set()
        last_letters = ""
        for form in forms:
            letters = read_letters(folded, form)
            owners = self.owners[letters]
            is_other = letters != last_letters and find_coarse_key(letters) != find_coarse_key(last_letters)
            is_part = is_other and not shared.isdisjoint(owners) and form.clitic >= form.start - 2
            if is_part and self._is_behind(text, folded, groups[-1][-1], form):
                shared.intersection_update(owners)
                groups[-1].append(form)
            else:
                shared = {*owners}
                groups.append([form])
            last_letters = letters
        return groups

    def _is_behind(self, text: str, folded: str, last: FoundForm, form: FoundForm) -> bool:
        """Whether nothing stands between two parts of a name but what belongs to it."""
        return BETWEEN_PARTS.fullmatch(folded, last.end, self._find_start(text, folded, form)) is not None

    def _may_be_names(self, chunks: set[str]) -> bool:
        """Whether there is more than other words in some chunks of a text, which else are remembered."""
        if len(self.other_chunks) + len(chunks) > MAX_WORDS:
            for known in (self.other_chunks, self.plain_chunks, self.are_words):
                known.clear()
        others = self.find_others(chunks)
        self.other_chunks.update(others)
        for chunk in chunks.difference(others):
            if self.may_hold_form(fold_name(chunk)):
                return True
            self.other_chunks.add(chunk)
        return False

    def find(self, text: str, is_strict: bool = False) -> Iterator[Bounds]:
        """Where names stand in a text; with `is_strict`, where there is all that may be one."""
        if not INVISIBLE.search(text):
            yield from self._find(text, is_strict)
            return
        # What nobody sees may stand within a name.
        found = list(self._find(INVISIBLE.sub("", text), is_strict))
        places = [place for place, letter in enumerate(text) if not INVISIBLE.match(letter)] if found else []
        for start, end in found:
            yield places[start], places[end - 1] + 1

    def _find(self, text: str, is_strict: bool) -> Iterator[Bounds]:
        chunks = {*text.split()} - self.other_chunks
        if not chunks or not (max(map(len, chunks)) > MAX_CHUNK or self._may_be_names(chunks)):
            return
        folded = fold_name(text)
        forms = [form for form in self.find_forms(folded) if _is_glued_on_purpose(text, folded, form)]
        if not forms:
            return
        groups = self._group_parts(text, folded, forms)
        if is_strict:
            names = {*forms}
        else:
            whole = {*itertools.chain(*(group for group in groups if len(group) > 1))}
            names = self._tell_names(text, folded, forms, whole)
        last = 0
        for group in groups:
            if group[0] in names:
                yield max(last, self._find_start(text, folded, group[0])), group[-1].end
                last = group[-1].end

    def _tell_names(self, text: str, folded: str, forms: list[FoundForm], whole: set[FoundForm]) -> set[FoundForm]:
        """Those of some forms that are names and not words, among them all that are parts of `whole` names."""
        likely: list[FoundForm] = []
        doubtful: list[FoundForm] = []
        for form in forms:
            if form not in whole:
                (doubtful if self._is_word(text, folded, form) else likely).append(form)
        words = {form for form in likely[:MAX_DOUBTFUL] if is_word_after_all(text, folded, form)}
        names = {*whole, *likely, *doubtful[MAX_DOUBTFUL:]} - words
        doubtful = [form for form in doubtful[:MAX_DOUBTFUL] if not is_preposition(text, folded, form)]
        for form in doubtful:
            is_name = judge(text, folded, form)
            if is_name is not None:
                (names if is_name else words).add(form)
        return names if len(names) == len(forms) else spread_evidence(text, folded, forms, names, words)

    def find_spans(self, text: str) -> list[Span]:
        """The same as spans of type NAME."""
        return [(start, end, "NAME") for start, end in self.find(text)]

    def _is_word(self, text: str, folded: str, form: FoundForm) -> bool:
        key = folded[form.clitic : form.start], folded[form.start : form.end], text[form.clitic], text[form.end - 1]
        if key not in self.are_words:
            self.are_words[key] = self._find_out_word(*key)
        return self.are_words[key]

    def _find_out_word(self, prefix: str, written: str, first: str, last: str) -> bool:
        """Whether a form is a word, too, or no more than sounds like a name, so that something must tell."""
        plain = DRAWN_OUT.sub(r"\1", INVISIBLE.sub("", written))
        if plain in NAMES_IN_ALEF and last == "ى":
            return has_article(prefix) or prefix.endswith("لل")
        letters = reduce_name(written)
        if letters in self.doubtful or letters in LIKE_NAMES or prefix + written in ORDINARY_WORDS:
            return True
        if prefix and prefix + written in BEHIND_CLITICS:
            return True
        if prefix == "ا":
            is_called = first == "آ" or len(written) >= LONG_FORM
            return not is_called or plain in ORDINARY_WORDS
        is_known = prefix in CLITICS_OF_SHORT_FORMS or GLUED.fullmatch(prefix)
        if prefix and len(written) <= SHORT_FORM and not is_known:
            return True
        return plain in ORDINARY_WORDS or (
            (has_article(prefix) or prefix.endswith("لل")) and plain in WORDS_WITH_ARTICLE
        )


def _is_glued_on_purpose(text: str, folded: str, form: FoundForm) -> bool:
    """Whether a word was written onto a name, and not a longer word begun that has the letters of both by chance."""
    prefix, written = folded[form.clitic : form.start], folded[form.start : form.end]
    if not GLUED.fullmatch(prefix):
        return True
    if not prefix.isascii():
        return len(written) >= LONG_FORM - 1
    is_capital = text[form.start].isupper() and not text[form.start - 1].isupper()
    return is_capital or (len(prefix) > 2 and len(written) >= LONG_FORM)


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

    The parts of a name are found as the forms are, in the known spellings of either script and in others that sound
    the same; those that stand side by side are one span. Case, accents, drawn-out letters and clitics do not hide a
    name. A form that is a word too (nour, "light") counts only where something around it says that a person is meant.

    Args:
        text (`str`):
            Any text.
        roster (`Sequence[Person]`):
            The people to find. Forms of one or two letters are better left out.

    Returns:
        `list[PiiSpan]`: of type NAME, sorted, none overlapping another, without clitics.
    """
    find = read_roster(tuple(roster)).find_spans
    return [
        PiiSpan(*span) for span in (find(text) if len(text) <= LONGEST_MESSAGE else find_in_windows(text, find, set()))
    ]
