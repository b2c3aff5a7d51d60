"""An index of the private data that a dataset's texts held: keyed hashes, by which a text can be searched for it.

Hashes are HMAC-SHA256 under the key of the pseudonyms. Without the key nobody can check a guess, so the index can lie
beside the data; with it an audit can tell a telephone number that somebody wrote from one that a model made up.
"""

import functools
import hmac
import itertools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from darija_gpt.data.names.finding import Person, find_names
from darija_gpt.data.names.folding import fold_form, fold_name, reduce_name
from darija_gpt.data.names.parts import is_contact_word
from darija_gpt.data.names.patterns import TOKEN
from darija_gpt.data.names.words import ORDINARY_WORDS
from darija_gpt.data.privacy import find_pii
from darija_gpt.data.pseudonyms import hash_with_key, read_key


INDEX_FILE = "private_data_index.json"
FORMAT = 1
# What is shorter can be guessed, and met by chance: a code of four digits, a name of two letters.
MIN_CHARACTERS = 6
MIN_LETTERS = 3
PHONE_DIGITS = 9  # of a Moroccan number behind 0, +212 or 00212
MAX_NAME_WORDS = 4
# Parts of many names, as reduce_name leaves them, that say something else where they stand alone.
NO_NAMES = {"alah", "abd", "اله", "عبد"}
# What is written onto a name: l'Amine, wAmine, والأمين. What is left is to be a name of some length.
CLITIC = re.compile(r"[ldbfw]['’\-]?|[وفبلك]{1,2}(?:ال)?|ال")
MIN_STEM_LETTERS = 4
# What leads to a person by itself may hold what leads there without it: wa.me/212..., ?email=..., @212...
OUTER_TYPES = {"URL", "MENTION"}
# Of these alone: numbers of other kinds look like the ids that links are full of.
INNER_TYPES = {"PHONE", "EMAIL", "GPS"}
BETWEEN_PARTS = re.compile(r"[^\w+@.,\- ]+")


def normalize_data(found: str) -> str:
    """What is the same however it is written: letters and digits, in small letters and ASCII digits."""
    characters = (character for character in found.casefold() if character.isalnum())
    return "".join(str(unicodedata.digit(character, character)) for character in characters)


def list_data(text: str) -> list[tuple[str, str]]:
    """Type and words of what is private in a text, and of what is private inside its links and mentions."""
    data = [(span.type, text[span.start : span.end]) for span in find_pii(text)]
    parts = [
        part.strip("@,") for kind, found in data if kind in OUTER_TYPES for part in BETWEEN_PARTS.split(unquote(found))
    ]
    inner = ((span.type, part[span.start : span.end]) for part in parts for span in find_pii(part))
    return data + [(kind, found) for kind, found in inner if kind in INNER_TYPES]


def _list_data_spellings(found: str) -> set[str]:
    """A piece of private data as it is looked up; of a number also its end, which is the same with any prefix."""
    normal = normalize_data(found)
    spellings = {normal} if len(normal) >= MIN_CHARACTERS else set()
    return spellings | {normal[-PHONE_DIGITS:]} if normal.isdigit() and len(normal) > PHONE_DIGITS else spellings


def _read_name(name: str) -> list[str]:
    """The words of a name as it is looked up; none where it is a word that means something, or too short."""
    folded = fold_form(name)
    words = [reduce_name(word) for word in TOKEN.findall(folded)]
    letters = "".join(words)
    is_word = len(words) == 1 and not ORDINARY_WORDS.isdisjoint({folded, letters})
    is_word = is_word or letters in NO_NAMES or all(map(is_contact_word, folded.split()))
    is_legal = len(letters) >= MIN_LETTERS and letters.isalpha() and len(words) <= MAX_NAME_WORDS
    return words if is_legal and not is_word else []


class PrivateIndex:
    """Says of a text whether something private that is in the index stands in it.

    Args:
        key (`bytes`):
            The secret of `read_key`.
        data (`Iterable[str]`), names (`Iterable[str]`):
            Hashes, as the file has them.
    """

    def __init__(self, key: bytes, data: Iterable[str] = (), names: Iterable[str] = ()):
        self._key = hmac.digest(key, b"private data index", "sha256")
        self.data, self.names = set(data), set(names)
        # Texts repeat their words, and a hash takes longer than looking it up.
        self._look_up = functools.lru_cache(maxsize=200_000)(self._look_up)

    @property
    def key_check(self) -> str:
        """Tells whether a key is the one that an index was made with."""
        return self._hash("key")

    def _hash(self, value: str) -> str:
        return hash_with_key(value, self._key)

    def add_data(self, found: str) -> None:
        inner = [part for kind, part in list_data(found) if kind in INNER_TYPES]
        for part in (found, *inner):
            self.data.update(self._hash(f"data {spelling}") for spelling in _list_data_spellings(part))

    def add_name(self, name: str) -> None:
        words = _read_name(name)
        self._look_up.cache_clear()
        if words:
            self.names.add(self._hash(f"name {''.join(words)}"))
            beginnings = itertools.accumulate(words[:-1])
            self.names.update(self._hash(f"beginning {letters}") for letters in beginnings)

    def discard_name(self, word: str) -> None:
        """Takes out the name of one word that `is_name` would take a word for, with or without its clitic."""
        for letters, is_name, _ in self._look_up(fold_form(word)):
            if is_name:
                self.names.discard(self._hash(f"name {letters}"))
        self._look_up.cache_clear()

    def find_data(self, text: str) -> tuple[Counter[str], Counter[str]]:
        """By type, private data of a text that is in the index, and what only looks like private data.

        A link with a telephone number in it is both, a URL and a PHONE.
        """
        known, unknown = Counter(), Counter()
        for kind, found in list_data(text):
            is_known = any(self._hash(f"data {spelling}") in self.data for spelling in _list_data_spellings(found))
            (known if is_known else unknown)[kind] += 1
        return known, unknown

    def find_names(self, text: str) -> list[tuple[str, ...]]:
        """Names in a text that are in the index, also behind a clitic: the words of each, as texts are compared."""
        tokens = TOKEN.findall(fold_name(text))
        lengths = ((place, self._count_words_of_name(tokens, place)) for place in range(len(tokens)))
        return [tuple(tokens[place : place + length]) for place, length in lengths if length]

    def count_names(self, text: str) -> int:
        """How many names of the index stand in a text."""
        return len(self.find_names(text))

    def is_name(self, word: str) -> bool:
        """Whether a word is a name that is in the index."""
        return any(is_name for _, is_name, _ in self._look_up(fold_form(word))[:1])

    def _count_words_of_name(self, tokens: Sequence[str], place: int) -> int:
        for letters, is_name, is_beginning in self._look_up(tokens[place]):
            if is_name:
                return 1
            behind = tokens[place + 1 : place + MAX_NAME_WORDS] if is_beginning else ()
            for length, token in enumerate(behind, start=2):
                letters += reduce_name(token)
                if self._hash(f"name {letters}") in self.names:
                    return length
        return 0

    def _look_up(self, token: str) -> list[tuple[str, bool, bool]]:
        """The letters of a word, then those behind its clitic: whether they are a name, or how one begins."""
        clitic = CLITIC.match(token)
        behind = reduce_name(token[clitic.end() :]) if clitic else ""
        stems = [reduce_name(token)] + [behind] * (len(behind) >= MIN_STEM_LETTERS)
        return [
            (stem, *(self._hash(f"{kind} {stem}") in self.names for kind in ("name", "beginning"))) for stem in stems
        ]


def find_words(texts: Iterable[str], wanted: Collection[str]) -> set[str]:
    """Which of some words, as `PrivateIndex.find_names` gives them, stand in texts."""
    missing = set(wanted)
    for text in texts:
        if not missing:
            break
        missing.difference_update(TOKEN.findall(fold_name(text)))
    return set(wanted) - missing


class PrivateIndexWriter:
    """Gathers what an index holds while texts are read, and makes a key only where there is something to hash.

    Args:
        people (`Sequence[Person]`):
            Those who wrote in the chats.
        key (`Path`):
            The file of the key.
    """

    def __init__(self, people: Sequence[Person], key: Path):
        self.people, self._key_file = tuple(people), key.expanduser()
        self._spellings = {spelling for person in self.people for spelling in (person.name, *person.forms)}
        self._data: set[str] = set()
        self._found_names: set[str] = set()
        self._other_words: set[str] = set()

    def note(self, text: str) -> None:
        """Takes in the private data of a text, as somebody wrote it."""
        self.note_data(text[span.start : span.end] for span in find_pii(text))
        last = 0
        for span in find_names(text, self.people) if self.people else ():
            self._found_names.add(text[span.start : span.end])
            self.note_words(text[last : span.start])
            last = span.end
        self.note_words(text[last:])

    def note_data(self, found: Iterable[str]) -> None:
        """Takes in pieces of private data, as they were written."""
        self._data.update(found)

    def note_words(self, text: str) -> None:
        """Takes in a text without private data: its words are no names."""
        if self.people:
            self._other_words.update(TOKEN.findall(fold_name(text)))

    def _build(self) -> PrivateIndex:
        index = PrivateIndex(read_key(self._key_file))
        for found in self._data:
            index.add_data(found)
        for name in self._found_names:
            index.add_name(name)
        # What was a name once and is a word elsewhere (bslama, after a Salama) says nobody's name in a sample. What
        # the participants are called stays, also where the search for names has let it stand.
        for word in self._other_words:
            index.discard_name(word)
        for spelling in self._spellings:
            index.add_name(spelling)
        return index

    def save(self, directory: Path) -> None:
        """Writes private_data_index.json; where there was nothing private in any text, it says so without a key."""
        is_empty = not (self._data or self._found_names or self._spellings)
        index = None if is_empty else self._build()
        content = {
            "format": FORMAT,
            "key_check": index and index.key_check,
            "private_data": sorted(index.data) if index else [],
            "names": sorted(index.names) if index else [],
        }
        (directory / INDEX_FILE).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def load_private_index(directory: Path, key: Path) -> PrivateIndex | None:
    """The index of a dataset; None where the dataset has none, or where there is no key to read it with.

    An index of nothing needs no key.

    Raises:
        ValueError: If the file is not what prepare_data.py writes, or the key is another one.
    """
    path, key = directory / INDEX_FILE, key.expanduser()
    if not path.is_file():
        return None
    damage = ValueError(f"{path} is not what prepare_data.py writes; prepare the dataset again.")
    try:
        content = json.loads(path.read_text("utf-8"))
        data, names, key_check = (content[field] for field in ("private_data", "names", "key_check"))
        is_known = content["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        raise damage from None
    if not is_known:
        raise damage
    if not (data or names):
        return PrivateIndex(b"")
    if not key.exists():
        return None
    index = PrivateIndex(read_key(key), data, names)
    if index.key_check != key_check:
        raise ValueError(f"{key} is not the key that {path} was made with; give that one as --pseudonym_key.")
    return index
