"""Invented names for the participants of a chat: the same for a person everywhere, and nobody's secret but the key's.

A first name is drawn by HMAC-SHA256 of the person's name. Who has the chats but not the key cannot tell who is behind
one, nor check a guess; who has the key gives the same names again, in chats exported later, too.
"""

import contextlib
import hmac
import itertools
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from darija_gpt.data.names.finding import Person, read_roster
from darija_gpt.data.names.first_names import NAMES
from darija_gpt.data.names.folding import fold_form, reduce_name


KEY_BYTES = 32
HASH_BYTES = 16
ARABIC_LETTERS = range(0x0600, 0x0700)
# What may be written onto a name, and must not make a name of the roster with it: l + Amine, Lamine.
CLITICS = ("", *"ldbfw", *"وفبلك", "ال", "ا", "لا")


# Of which names are made where a chat has more people than there are first names: Zotiraku.
SYLLABLES = [
    *(("zo", "زو"), ("ti", "تي"), ("ra", "را"), ("ku", "كو"), ("ni", "ني"), ("lo", "لو"), ("va", "فا"), ("ji", "جي")),
    *(
        ("mu", "مو"),
        ("do", "دو"),
        ("ri", "ري"),
        ("bu", "بو"),
        ("gha", "غا"),
        ("cho", "شو"),
        ("si", "سي"),
        ("fu", "فو"),
    ),
]


@dataclass(frozen=True)
class Pseudonym:
    """An invented name in both scripts."""

    latin: str
    arabic: str

    def write_like(self, found: str) -> str:
        """The name in the script of what it replaces and, where all of that is small or large, in its case."""
        if any(ord(letter) in ARABIC_LETTERS for letter in found):
            return self.arabic
        if found.islower():
            return self.latin.lower()
        return self.latin.upper() if found.isupper() else self.latin


def read_key(path: str | Path) -> bytes:
    """The secret of 32 bytes by which pseudonyms are chosen, made when it is first asked for.

    Args:
        path (`str` or `Path`):
            The file of the key, readable by its owner alone. Keep it apart from the data: who has it can tell who is
            behind a pseudonym, and without it nobody can choose the same ones again.

    Raises:
        ValueError: If the file is no key, or if others may read it.
    """
    path = Path(path)
    if not path.exists():
        _write_key(path, secrets.token_bytes(KEY_BYTES))
    if not path.is_file():
        raise ValueError(f"The key {path} is no file; give the path of a file that is a key or does not exist yet.")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ValueError(f"The key {path} may be read by others; run `chmod 600 {path}`, or delete it for a new one.")
    remedy = "restore it from a copy, or delete it for a new one, which gives everybody another pseudonym"
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        raise ValueError(
            f"The key {path} is damaged: it holds other things than hexadecimal digits; {remedy}."
        ) from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"The key {path} has {len(key)} bytes instead of {KEY_BYTES}; {remedy}.")
    return key


def _write_key(path: Path, key: bytes) -> None:
    """The key is whole or not there, and of two processes that write one, the first wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # Of mode 600.
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{key.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
    finally:
        os.unlink(partial)


def hash_with_key(value: str, key: bytes) -> str:
    """What stands for a name or other private data in a file: who has not the key cannot check a guess."""
    return hmac.digest(key, value.encode(), "sha256")[:HASH_BYTES].hex()


def _draw_pseudonyms(name: str, key: bytes) -> Iterator[Pseudonym]:
    """First names in the order that the key gives them for a person; then pairs, and names that nobody has."""
    for counter in itertools.count():
        digest = hmac.digest(key, f"{name}\0{counter}".encode(), "sha256")
        numbers = [int.from_bytes(digest[place : place + 8], "big") for place in range(0, len(digest), 8)]
        if counter < 2 * len(NAMES):
            drawn = [NAMES[int.from_bytes(part, "big") % len(NAMES)] for part in (digest[:16], digest[16:])]
            drawn = drawn if counter >= len(NAMES) else drawn[:1]
            yield Pseudonym(*(" ".join(spellings) for spellings in zip(*drawn, strict=True)))
        else:
            latin, arabic = (
                "".join(each) for each in zip(*(SYLLABLES[n % len(SYLLABLES)] for n in numbers), strict=True)
            )
            yield Pseudonym(latin.capitalize(), arabic)


class _FreeSpellings:
    """Spellings that no form of the roster has as a word of it, nor makes with a clitic."""

    def __init__(self, roster: Sequence[Person]):
        self.names = read_roster(tuple(roster))
        self.own = {
            reduce_name(fold_form(word))
            for person in roster
            for form in (person.name, *person.forms)
            for word in form.split()
        }
        self.known: dict[str, bool] = {}

    def __contains__(self, spelling: str) -> bool:
        if spelling not in self.known:
            is_own = reduce_name(fold_form(spelling)) in self.own
            self.known[spelling] = not is_own and not any(self.names.matches(clitic + spelling) for clitic in CLITICS)
        return self.known[spelling]


def choose_pseudonyms(roster: Sequence[Person], key: bytes) -> dict[str, Pseudonym]:
    """An invented name for everybody in a chat, whatever the order in which they come.

    Args:
        roster (`Sequence[Person]`):
            The people of the chat.
        key (`bytes`):
            The secret of `read_key`.

    Returns:
        `dict[str, Pseudonym]`: `Person.name` -> a name that is nobody's in the roster, and no two people's.
    """
    free = _FreeSpellings(roster)
    chosen: dict[str, Pseudonym] = {}
    taken: set[Pseudonym] = set()
    for name in sorted({person.name for person in roster}, key=lambda name: (fold_form(name), name)):
        for pseudonym in _draw_pseudonyms(fold_form(name) or name, key):
            is_free = all(spelling in free for spelling in f"{pseudonym.latin} {pseudonym.arabic}".split())
            if is_free and pseudonym not in taken:
                chosen[name] = pseudonym
                taken.add(pseudonym)
                break
    return chosen
