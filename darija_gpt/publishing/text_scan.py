"""Searching what would go up: private data, names of those who wrote, secrets, and paths with a user's name."""

import functools
import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from darija_gpt.data.name_folding import fold_name
from darija_gpt.data.name_patterns import TOKEN
from darija_gpt.data.privacy import find_pii
from darija_gpt.data.privacy_patterns import PLACEHOLDERS
from darija_gpt.data.private_index import MIN_CHARACTERS, PrivateIndex
from darija_gpt.markdown import TEMPLATES
from darija_gpt.output import make_printable
from darija_gpt.publishing.refusals import Refusal


PACKAGE = Path(__file__).parents[1]
# A card may name addresses of the Web and of this machine, and what only looks like a mention is BibTeX or Python.
# Those that stood in the chats are found by the index all the same.
HARMLESS = {"URL", "IP", "MENTION"}
# In vocabularies, where every piece of a word is an entry, only what cannot be one by chance.
ALL_TYPES = {placeholder.strip("[]") for placeholder in PLACEHOLDERS}
IN_VOCABULARY = {"PHONE", "EMAIL", "IBAN", "RIB", "CARD", "CIN", "GPS"}
SECRETS = {
    "a token of the Hub": r"\b(?:hf|api_org)_[A-Za-z0-9]{16,}",
    "a token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,})",
    "a token of GitLab": r"\bglpat-[\w-]{20,}",
    "a key of OpenAI or Anthropic": r"\bsk-[A-Za-z0-9_-]{20,}",
    "a key of Google": r"\bAIza[\w-]{35}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of Slack": r"\bxox[abeoprs]-[\w-]{10,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+",
    "a password in an address": r"\w://[^/\s:@]+:[^/\s:@]+@",
}
# Of Linux, macOS and Windows, its backslash also as JSON and Python write it; the folder that all of them share is
# nobody's.
HOME = re.compile(r"(?:/home/|/Users/|\b[A-Za-z]:[\\/]{1,2}Users[\\/]{1,2})(?!Shared\b|Public\b)[^\\/\s\"'<>|*{}$]+")
# No text is in pictures; rows of data are searched before they are written, and the entries of a SentencePiece model
# are those of the tokenizer.json beside it.
PICTURES_AND_ROWS = {".png", ".parquet", ".model"}
# An entry a line, of older tokenizers.
WORD_LISTS = {"vocab.txt", "vocab.json", "merges.txt"}
# What keeps the lines of a reply apart in a card.
LINE_ELEMENT = re.compile(r"(?:<br>|</?div[^>]*>)+")
HASH = re.compile(r"[0-9a-f]{40,64}")


@functools.cache
def read_public_words() -> frozenset[str]:
    """Words of this project's own texts: where one of them is also somebody's name, nobody can be meant by it."""
    files = [*TEMPLATES.glob("*.jinja"), *(PACKAGE / "model").glob("*.py"), *(PACKAGE / "demo").glob("*.py")]
    files += [PACKAGE / "card.py", PACKAGE / "markdown.py"]
    return frozenset(word for path in files for word in TOKEN.findall(fold_name(path.read_text(encoding="utf-8"))))


@functools.cache
def read_own_files() -> frozenset[bytes]:
    """The files of this project that go along with a model or a Space, and hold nobody's words."""
    own = {path.read_bytes() for path in PACKAGE.rglob("*.py")}
    license = PACKAGE.parent / "LICENSE"
    return frozenset(own | ({license.read_bytes()} if license.is_file() else set()))


class TextScan:
    """Says what private stands in the files that would go up, by file and line, and never repeats it.

    Args:
        index (`PrivateIndex`, *optional*):
            What stood in the chats. Without it there are no names to look for.
        public (`Iterable[str]`, *optional*):
            Words that are public as they are: the ids of repositories, in which the owner's name may stand.
        tokens (`Iterable[str]`, *optional*):
            Secrets that are known to this machine, such as the login of the Hub.
    """

    def __init__(self, index: PrivateIndex | None, public: Iterable[str] = (), tokens: Iterable[str] = ()):
        self.index = index
        self.public = re.compile(
            "|".join(map(re.escape, sorted(filter(None, public), key=len, reverse=True))) or "(?!)"
        )
        self.tokens = tuple(filter(None, tokens))

    def scan(self, name: str, path: Path) -> list[Refusal]:
        """The reasons for which a file may not go up, as its name there and its content have them."""
        shown = make_printable(name)
        refusals = list(self._scan_texts(f"the name of the file {shown}", [("", name)]))
        suffix = path.suffix
        if suffix == ".safetensors":
            return refusals + list(self._scan_texts(shown, _list_metadata(path)))
        content = path.read_bytes()
        if suffix in PICTURES_AND_ROWS:
            return refusals + self._find_tokens(shown, content.decode("latin-1"))
        if content in read_own_files():
            return refusals
        try:
            if name == "tokenizer.json":
                found = [*self._scan_texts(shown, _list_settings(content))]
                found += self._scan_vocabulary(shown, _list_pieces(content))
            elif name in WORD_LISTS:
                found = [*self._scan_vocabulary(shown, content.decode().splitlines())]
            elif suffix == ".json":
                found = [*self._scan_texts(shown, _list_leaves(json.loads(content)))]
            else:
                found = [*self._scan_texts(shown, _list_lines(content.decode()))]
        except ValueError:
            found = [Refusal("private data", f"{shown} cannot be read, so nobody knows what it holds; write it anew")]
        return refusals + list(dict.fromkeys(found))

    def count_rows(self, shown: str, texts: Iterable[str]) -> list[Refusal]:
        """The reasons for which the rows of a dataset may not go up, each with the number of rows."""
        counts: Counter[tuple[str, str]] = Counter()
        for text in texts:
            counts.update({("private data", f"private data of the type {kind}") for kind in self._find_types(text)})
            counts.update({("secret", what) for what, pattern in SECRETS.items() if re.search(pattern, text)})
            if self.index is not None and self.index.count_names(text):
                counts["name", "the name of somebody who wrote"] += 1
        return [
            Refusal(cause, f"{number:,} rows of {shown} hold {what}; prepare the dataset again")
            for (cause, what), number in sorted(counts.items())
        ]

    def _find_tokens(self, where: str, text: str) -> list[Refusal]:
        if not any(token in text for token in self.tokens):
            return []
        return [Refusal("secret", f"{where} holds your own login of the Hub; take it out, and revoke it")]

    def _scan_vocabulary(self, shown: str, pieces: Iterable[str]) -> Iterator[Refusal]:
        for piece in pieces:
            for kind in sorted(self._find_types(piece, ALL_TYPES - IN_VOCABULARY)):
                words = f"an entry of {shown} is private data of the type {kind}; train the tokenizer anew"
                yield Refusal("private data", words)

    def _scan_texts(self, shown: str, texts: Iterable[tuple[str, str]]) -> Iterator[Refusal]:
        for place, text in texts:
            where = f"{shown}{place}"
            text = html.unescape(LINE_ELEMENT.sub("\n", text))
            yield from self._find_tokens(where, text)
            for what, pattern in SECRETS.items():
                if re.search(pattern, text):
                    yield Refusal("secret", f"{where} holds {what}; take it out, and revoke it")
            if HOME.search(text) or _holds_own_home(text):
                yield Refusal("path", f"{where} holds a path with the name of a user; write a relative one")
            text = self.public.sub(" ", text)
            for kind in sorted(self._find_types(text)):
                yield Refusal("private data", f"{where} holds private data of the type {kind}; take it out")
            if self._holds_name(text):
                yield Refusal("name", f"{where} holds the name of somebody who wrote in the chats; take it out")

    def _find_types(self, text: str, harmless: set[str] = HARMLESS) -> set[str]:
        if self.index is None:
            return {span.type for span in find_pii(text)} - harmless
        known, unknown = self.index.find_data(text)
        return set(known) | (set(unknown) - harmless)

    def _holds_name(self, text: str) -> bool:
        if self.index is None or not self.index.names:
            return False
        public, run = read_public_words(), []
        for word in (*TOKEN.findall(fold_name(text)), None):
            if word is not None and word not in public:
                run.append(word)
            elif run:
                if self.index.count_names(" ".join(run)):
                    return True
                run = []
        return False


def _holds_own_home(text: str) -> bool:
    home = Path.home()
    return len(home.parts) > 1 and re.search(rf"{re.escape(str(home))}(?![\w.-])", text) is not None


def _list_lines(text: str) -> Iterator[tuple[str, str]]:
    """Texts of a file, each with its place in words."""
    for number, line in enumerate(text.split("\n"), start=1):
        # Of a table each cell by itself: numbers of several would look like one.
        for part in line.split(" | ") if line.startswith("|") else (line,):
            yield f", line {number},", part


def _list_leaves(value: Any, place: str = "", key: str = "") -> Iterator[tuple[str, str]]:
    """What a JSON file says, a value at a time with its key: `phone: 0612345678`. Fractions say nothing."""
    if isinstance(value, dict):
        for inner_key, inner in value.items():
            # Deeper keys may be what is searched for, such as the names of classes.
            inner_place = place or (f" under {make_printable(inner_key)}" if isinstance(inner, dict | list) else "")
            yield from _list_leaves(inner, inner_place, inner_key)
    elif isinstance(value, list):
        for inner in value:
            yield from _list_leaves(inner, place, key)
    elif isinstance(value, str) and HASH.fullmatch(value):
        yield place, key
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield place, f"{key}: {value}"


def _list_metadata(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
    for _, text in _list_leaves(json.loads(header).get("__metadata__", {})):
        yield ", in its metadata,", text


def _list_settings(content: bytes) -> Iterator[tuple[str, str]]:
    """A tokenizer.json but for its vocabulary."""
    return _list_leaves({key: value for key, value in json.loads(content).items() if key != "model"})


def _list_pieces(content: bytes) -> Iterator[str]:
    """What the entries of a vocabulary stand for, where they are long enough to be anything."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(content.decode())
    for piece in tokenizer.get_vocab(with_added_tokens=False):
        text = tokenizer.decoder.decode([piece]) if tokenizer.decoder else piece
        if len(text) >= MIN_CHARACTERS:
            yield text
