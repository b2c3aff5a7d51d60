"""Which words of a text are forms of the names of a roster, or sound like them, and whose each form is."""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from darija_gpt.data.names.english import ENGLISH_NAMES
from darija_gpt.data.names.evidence import FoundForm
from darija_gpt.data.names.folding import NOT_IN_NAMES, fold_form, fold_name, join_letters, reduce_name
from darija_gpt.data.names.parts import ARTICLES, TITLES, NamePart, is_contact_word, list_spellings
from darija_gpt.data.names.patterns import (
    COMPOUND,
    COMPOUNDING,
    COMPOUNDING_KEYS,
    DOUBLED_CLITIC,
    GLUED,
    TOKEN,
    list_beginnings,
    list_stems,
    write_pattern,
)
from darija_gpt.data.names.sounds import (
    COARSE_LETTERS,
    MIN_CONSONANTS,
    Sounds,
    coarsen,
    compare_sounds,
    find_coarse_key,
    find_coarse_keys,
    read_sounds,
)
from darija_gpt.data.names.words import ORDINARY_WORDS


class Person(NamedTuple):
    """A participant, and the known spellings of the name in either script."""

    name: str
    forms: tuple[str, ...]


class HeardName(NamedTuple):
    """A name of one person as it sounds: whose (by place in `RosterForms.people`), and what else is known of it."""

    sounds: Sounds
    owner: int
    part: NamePart


MAX_WORDS = 200_000  # More words of texts than that are not remembered: a large vocabulary, in 60 MB.
# Consonants of all that is written onto a word which begins so: وبالـ.
MAX_CLITICS = dict.fromkeys("وفبلكدا", 3) | dict.fromkeys("ldbfw", 1)
# Consonants of clitics in any order, then of words written onto a name: m3a, men, 3nd.
CLITIC_KEYS = [coarsen("".join(letters)) for count in range(4) for letters in itertools.product("blkd", repeat=count)]
CLITIC_KEYS += ["m", "mn", "nd", "bm", "bmn", "bnd"]
PUNCTUATION = ".,:;!?…\"'()«»،؛؟"
SHORT_FORM = 3  # letters, of which none is left out or drawn out to two
MIN_HEARD_LETTERS = {True: 4, False: 3}  # by whether they are Latin; of fewer, any word sounds like a name
DIGITS = {"3": "ع", "5": "خ", "7": "ح", "8": "هح", "9": "ق"}


def _write_letters(stem: str) -> str:
    """A word as a form: each letter once, so that drawn-out words have a pattern in common, unless it is short."""
    if not stem.isalnum():
        return NOT_IN_NAMES.sub(" ", stem)
    letters = reduce_name(stem)
    return letters if len(letters) > SHORT_FORM else stem


def _may_be_written(name: HeardName, letters: str) -> bool:
    """Whether a name may be spelt in the script of some letters, and with the digits among them.

    Of a name whose Arabic spellings are known, no other Latin letters are Arabic ones, nor 3amal a way to write Amal.
    """
    if name.part.text.lower() in ENGLISH_NAMES and letters.isascii():
        return False  # Hope is no 7oub.
    if name.part.arabic and bool(name.sounds.arabic) == letters.isascii():
        return False
    return not name.part.arabic or all(
        any(letter in name.part.arabic for letter in meant) for digit, meant in DIGITS.items() if digit in letters
    )


def read_letters(folded: str, form: FoundForm) -> str:
    return reduce_name(folded[form.start : form.end])


def _is_glued(folded: str, match: re.Match[str]) -> bool:
    """Whether a form that was found stands behind a word that was written onto it."""
    return GLUED.fullmatch(folded, match.start(), match.start(match.lastindex or 0)) is not None


class RosterForms:
    """The forms of a roster, which are looked up by the words they begin with, and whose each form is.

    A pattern of thousands of names is slow to build and slower to search for, so each word of a text is looked up
    first, and only the few forms that begin with it, or sound like it, are tried.
    """

    def __init__(self, roster: tuple[Person, ...]):
        self.roster = roster
        self.people = sorted(roster, key=lambda person: (fold_form(person.name), person.name))
        self.owners: dict[str, list[int]] = {}  # places in `people`, by form, as folded and with each letter once
        self.first_names: set[str] = set()  # and which of these forms is what
        self.family_names: set[str] = set()
        self.doubtful: set[str] = set()  # They only sound like a name.
        self.titles: dict[str, set[int]] = {}  # and who has one in the name
        self.forms: dict[str, set[str]] = {}  # by their beginnings
        self.heard: dict[str, list[HeardName]] = {}  # by their consonants
        self.coarse_keys_heard: set[str | None] = {None}  # of these
        self.coarse_keys: set[str | None] = {None}  # of the beginnings, too: by which most words are told apart
        self.candidates: dict[str, re.Pattern[str]] = {}  # by words of the texts
        self.compounding: set[str] = set()  # words of the texts that may be one name with the next or the last one
        self.other_words: set[str] = set()  # of the texts
        self.patterns: dict[tuple[str, ...], re.Pattern[str]] = {}
        # A whole name is its bearer's before it is a first name of somebody else.
        for owner, person in enumerate(self.people):
            words = fold_form(person.name).split()
            if not all(map(is_contact_word, words)):
                self._add_form(person.name, owner)
            for word in TITLES.keys() & words:
                self.titles.setdefault(TITLES[word], set()).add(owner)
        for owner, person in enumerate(self.people):
            for form in sorted(person.forms):
                self._add_form(form, owner)
            family: set[str] = set()
            for name in (person.name, *sorted(person.forms)):
                for part in list_spellings(name):
                    letters = self._add_part(
                        part, owner, part.is_family or reduce_name(fold_form(part.text)) in family
                    )
                    family |= {letters} if part.is_family else set()

    def _add_form(self, form: str, owner: int) -> str:
        folded = fold_form(form)
        letters = reduce_name(folded)
        if len(folded) < 2 or not any(letter.isalpha() for letter in folded):
            return ""
        for beginning in list_beginnings(folded):
            if beginning in ARTICLES:
                continue  # The name behind it is a form, too.
            self.forms.setdefault(beginning, set()).add(folded)
            self.coarse_keys.add(find_coarse_key(beginning))
        self._add_owners(letters, [owner])
        return letters

    def _add_owners(self, letters: str, owners: Iterable[int]) -> None:
        known = self.owners.setdefault(letters, [])
        known += (owner for owner in owners if owner not in known)

    def _add_part(self, part: NamePart, owner: int, is_family: bool) -> str:
        letters = self._add_form(part.text, owner)
        (self.family_names if is_family else self.first_names).add(letters)
        sounds = read_sounds(letters)
        if len(sounds.consonants) >= MIN_CONSONANTS:
            self.heard.setdefault(sounds.consonants, []).append(
                HeardName(sounds, owner, part._replace(is_family=is_family))
            )
            self.coarse_keys_heard.add(coarsen(sounds.consonants))
            self.coarse_keys.add(coarsen(sounds.consonants))
        return letters

    def _hear(self, stem: str) -> bool:
        """Whether what a text has sounds like a form, and is to be looked for from now on."""
        if len(stem) < MIN_HEARD_LETTERS[stem.isascii()] or find_coarse_key(stem) not in self.coarse_keys_heard:
            return False
        letters = reduce_name(stem)
        sounds = read_sounds(join_letters(stem))
        names = [name for name in self.heard.get(sounds.consonants, ()) if _may_be_written(name, letters)]
        compared = [(compare_sounds(name.sounds, sounds), name) for name in names]
        same = [name for num_differences, name in compared if num_differences == 0]
        alike = same or [name for num_differences, name in compared if num_differences == 1]
        if not alike:
            return False
        self._add_owners(letters, sorted({name.owner for name in alike}))
        (self.family_names if all(name.part.is_family for name in alike) else self.first_names).add(letters)
        if not same:
            self.doubtful.add(letters)
        return True

    def _begins_name(self, word: str) -> bool:
        """Whether a name of the same consonants begins with the same letter as a word."""
        names = self.heard.get(read_sounds(join_letters(word)).consonants, ())
        return word not in ORDINARY_WORDS and any(fold_form(name.part.text)[0] == word[0] for name in names)

    def _is_other(self, word: str) -> bool:
        """Whether the consonants of a word, behind those of clitics, are of no form, which most words' are not."""
        key = find_coarse_key(word)
        glued = GLUED.match(word)
        if glued and find_coarse_key(word[glued.end() :]) in self.coarse_keys:
            return False
        if key is None or key in self.coarse_keys or (key in COMPOUNDING_KEYS and COMPOUNDING.fullmatch(word)):
            return False
        for place in range(1, min(MAX_CLITICS.get(word[0], 0), len(key)) + 1):
            if key[place:] in self.coarse_keys:
                return False
        return True

    def _list_forms(self, word: str) -> set[str]:
        """The forms that may begin with a word of a text, which is one if it sounds like one."""
        forms: set[str] = set()
        stems = list_stems(word)
        is_known = False
        for stem in stems:
            letters = reduce_name(stem)
            forms |= self.forms.get(letters, set())
            if letters in self.owners:
                is_known = True
                forms.add(_write_letters(stem))
        if is_known:
            if word[0] == "a" and self._begins_name(word) and self._hear(word):
                forms.add(_write_letters(word))  # A7med is Ahmed, and not called as another who is 7med
            return forms
        heard = stems[:1] if word in ORDINARY_WORDS else stems
        return forms | {_write_letters(stem) for stem in heard if self._hear(stem)}

    def _find_pattern(self, word: str) -> re.Pattern[str] | None:
        """The pattern of the forms that may begin with a word of a text, kept for when the word comes again."""
        if len(self.candidates) + len(self.other_words) + len(self.compounding) >= MAX_WORDS:
            for words in (self.candidates, self.compounding, self.other_words):
                words.clear()
        if self._is_other(word):
            self.other_words.add(word)
            return None
        forms = self._list_forms(word)
        if COMPOUNDING.fullmatch(word):
            self.compounding.add(word)
        elif not forms:
            self.other_words.add(word)
        if not forms:
            return None
        key = tuple(sorted(forms))
        if key not in self.patterns:
            self.patterns[key] = re.compile(write_pattern(key))
        self.candidates[word] = self.patterns[key]
        return self.candidates[word]

    def _find_compounds(self, folded: str, words: Iterable[str]) -> dict[int, re.Match[str]]:
        """Where words are one name together, by where they begin: Abd El Ghani, نور الدين."""
        if self.compounding.isdisjoint(words):
            return {}
        matches = {}
        for compound in COMPOUND.finditer(folded):
            word = compound.group()
            pattern = self.candidates.get(word)
            if pattern is None and word not in self.other_words:
                pattern = self._find_pattern(word)
            match = pattern and pattern.match(folded, compound.start())
            # Of "at Tarik", at is no Aït, nor a t another name behind a vocative.
            if match and match.end() >= compound.end() and not (word.isascii() and _is_glued(folded, match)):
                matches[compound.start()] = match
        return matches

    def find_forms(self, folded: str) -> Iterator[FoundForm]:
        """Where forms stand in a folded text, as names or as words; the longest of those that begin together."""
        words = TOKEN.findall(folded)
        if self.other_words.issuperset(words):
            return
        new_words = {*words} - self.other_words
        patterns = {word: self.candidates.get(word) or self._find_pattern(word) for word in new_words}
        compounds = self._find_compounds(folded, new_words)
        patterns = {word: pattern for word, pattern in patterns.items() if pattern}
        place = 0
        for token in TOKEN.finditer(folded) if compounds or patterns else ():
            pattern, start = patterns.get(token.group()), token.start()
            if (pattern is None and start not in compounds) or start < place:
                continue
            match, compound = pattern and pattern.match(folded, start), compounds.get(start)
            if compound and (not match or compound.end() > match.end()):
                match = compound
            if match:
                place = match.end()
                begin, end = match.span(match.lastindex or 0)
                # Of ووفاء and ببدر, the first letter is a clitic; drawn-out letters are more.
                is_doubled = begin == start and token.group() not in TITLES and DOUBLED_CLITIC.match(folded, start)
                yield FoundForm(start, begin + 1 if is_doubled else begin, end)

    def may_hold_form(self, folded: str) -> bool:
        """Whether one of the words may begin a form."""
        for word in (folded,) if folded.isalnum() else TOKEN.findall(folded):
            is_known = word in self.other_words
            if not is_known and (self.candidates.get(word) or self._find_pattern(word) or word in self.compounding):
                return True
        return False

    @functools.cached_property
    def _possible_keys(self) -> frozenset[str]:
        """Coarse keys of what may be a form, with clitics before it or none, or one word of a form."""
        known = [key for key in self.coarse_keys if key is not None]
        return frozenset((*(coarsen(clitics + key) for clitics in CLITIC_KEYS for key in known), *COMPOUNDING_KEYS))

    def find_others(self, chunks: Iterable[str]) -> list[str]:
        """Those of some chunks of the texts that hold no form, as far as a short look at all of them tells."""
        groups: tuple[list[str], list[str]] = ([], [])
        for chunk in chunks:
            groups[chunk.isascii()].append(chunk)
        others: list[str] = []
        for group in filter(None, groups):
            lines = fold_name("\n".join([chunk.strip(PUNCTUATION) for chunk in group]))
            known = zip(group, lines.split("\n"), find_coarse_keys(lines), strict=True)
            found = [
                (chunk, word)
                for chunk, word, key in known
                if key not in self._possible_keys and not key.strip(COARSE_LETTERS)
            ]
            others += [chunk for chunk, _ in found]
            self.other_words.update(word for _, word in found)
        return others

    def matches(self, text: str) -> bool:
        """Whether a form stands anywhere in a text, as a name or as a word."""
        return any(self.find_forms(fold_name(text)))

    def find_person(self, found: str) -> Person:
        """Whose name was found: who has the whole of it, or else all of its parts."""
        folded = fold_name(found)
        owners = self.owners.get(reduce_name(folded))
        if not owners:
            stems = (reduce_name(stem) for token in TOKEN.findall(folded) for stem in list_stems(token))
            letters = [read_letters(folded, form) for form in self.find_forms(folded)]
            by_part = [self.owners[part] for part in letters or stems if part in self.owners]
            owners = sorted(set.intersection(*map(set, by_part))) or by_part[0]
        return self.people[owners[0]]
