"""Searching what would go up: private data, names of those who wrote, secrets, and paths with a user's name."""

import functools
import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from darija_gpt.data.names.folding import fold_name
from darija_gpt.data.names.patterns import TOKEN
from darija_gpt.data.private_data.patterns import PLACEHOLDERS
from darija_gpt.data.private_data.spans import INVISIBLE
from darija_gpt.data.private_index import PrivateIndex, list_data
from darija_gpt.markdown import TEMPLATES
from darija_gpt.output import make_printable
from darija_gpt.publishing.file_texts import (
    list_entries,
    list_json,
    list_lines,
    list_settings,
    list_tensor_names,
    list_yaml,
)
from darija_gpt.publishing.pictures import list_table, strip_picture
from darija_gpt.publishing.refusals import Cause, Refusal


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
    # By what stands before it: twelve characters at least, and a digit among them.
    "a key or password of a service": r"(?i)(?:(?:api|access|secret|auth)[_-]?(?:key|token)|wandb\w*|passw(?:or)?d)"
    r"""["']?\s*[:=]\s*["']?(?=[\w./+~-]*\d)[\w./+~-]{12,}""",
}
# Of Linux, macOS and Windows, its backslash also as JSON and Python write it; the folder that all of them share is
# nobody's.
HOME = re.compile(r"(?:/home/|/Users/|\b[A-Za-z]:[\\/]{1,2}Users[\\/]{1,2})(?!Shared\b|Public\b)[^\\/\s\"'<>|*{}$]+")
# A fraction with the digits of a telephone number, as a loss may be.
FRACTION = re.compile(r"(?<![\w.,])0\.[0-9]{9,}(?![.,]?\w)")
# Where words are written as one: SalmaGPT, chatSalma, salma06. A single digit may be a letter (7ayat, m3a), and a
# single capital is no word (AdamW).
COMPOUND = re.compile(
    r"(?<=[a-zà-ÿ])(?=[A-Z][^\W\d_])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=[0-9]{2})|(?<=[0-9]{2})(?=[^\W\d_])"
)
# What keeps the lines of a reply apart in a card.
LINE_ELEMENT = re.compile(r"(?:<br>|</?div[^>]*>)+")


@functools.cache
def read_public_words() -> frozenset[str]:
    """Words of this project's own texts: where one of them is also somebody's name, nobody can be meant by it."""
    files = [*TEMPLATES.glob("*.jinja"), *(PACKAGE / "model").glob("*.py"), *(PACKAGE / "demo").glob("*.py")]
    files += [PACKAGE / "card.py", PACKAGE / "markdown.py", PACKAGE / "finetuning" / "adapters.py"]
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
        # Digits alone are part of a number sooner than an id.
        ids = (each for each in public if any(map(str.isalpha, each)))
        alternatives = "|".join(map(re.escape, sorted(ids, key=len, reverse=True))) or "(?!)"
        self.public = re.compile(rf"(?<![\w.-])(?:{alternatives})(?![\w-])")
        self.tokens = tuple(filter(None, tokens))

    def scan(self, name: str, path: Path) -> list[Refusal]:
        """The reasons for which a file may not go up, as its name there and its content have them."""
        shown = make_printable(name)
        refusals = list(self._scan_texts(f"the name of the file {shown}", [("", name)]))
        try:
            refusals += self._scan_content(shown, path)
        except (ValueError, RecursionError):
            words = f"{shown} cannot be read, so nobody knows what it holds; write it anew"
            refusals.append(Refusal("private data", words))
        return list(dict.fromkeys(refusals))

    def _scan_content(self, shown: str, path: Path) -> list[Refusal]:
        if path.suffix == ".safetensors":
            return list(self._scan_texts(shown, list_tensor_names(path)))
        content = path.read_bytes()
        if path.suffix == ".png" and strip_picture(content) != content:
            return [Refusal("private data", f"{shown} holds more than is seen; publish it with --plots")]
        if path.suffix in (".png", ".parquet"):  # Rows of data are searched before they are written.
            return [Refusal(cause, f"{shown} {words}") for cause, words in self._find_login(content.decode("latin-1"))]
        if path.suffix == ".csv":
            return list(self._scan_texts(shown, list_table(content)))
        if content in read_own_files():
            return []
        if path.name == "tokenizer.json":
            found = list(self._scan_vocabulary(shown, list_entries(content)))
            return found + list(self._scan_texts(shown, list_settings(content)))
        if path.suffix == ".json":
            return list(self._scan_texts(shown, list_json(content)))
        found = list(self._scan_texts(shown, list_lines(content)))
        # As it is written, then as it is read.
        return found or list(self._scan_texts(shown, list_yaml(content) if path.suffix == ".yaml" else ()))

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

    def _find_login(self, text: str) -> Iterator[tuple[Cause, str]]:
        if any(token in text for token in self.tokens):
            yield "secret", "holds your own login of the Hub; take it out, and revoke it"

    def _find_secrets(self, text: str) -> Iterator[tuple[Cause, str]]:
        yield from self._find_login(text)
        for what, pattern in SECRETS.items():
            if re.search(pattern, text):
                yield "secret", f"holds {what}; take it out, and revoke it"
        if HOME.search(text) or _holds_own_home(text):
            yield "path", "holds a path with the name of a user; write a relative one"

    def _scan_vocabulary(self, shown: str, entries: Iterable[str]) -> Iterator[Refusal]:
        """Names are the audit's business, which knows what of a vocabulary is public."""
        for entry in entries:
            for cause, words in self._find_secrets(entry):
                yield Refusal(cause, f"an entry of {shown} {words}")
            for kind in sorted(self._find_types(entry, ALL_TYPES - IN_VOCABULARY)):
                words = f"an entry of {shown} is private data of the type {kind}; train the tokenizer anew"
                yield Refusal("private data", words)

    def _scan_texts(self, shown: str, texts: Iterable[tuple[str, str]]) -> Iterator[Refusal]:
        for place, text in texts:
            found = list(self._search(text))
            # A place may be named by what must not be said again.
            where = shown if found and any(self._search(place)) else f"{shown}{place}"
            yield from (Refusal(cause, f"{where} {words}") for cause, words in found)

    def _search(self, text: str) -> Iterator[tuple[Cause, str]]:
        text = html.unescape(LINE_ELEMENT.sub("\n", text))
        yield from self._find_secrets(text)
        text = self.public.sub(" ", text)
        spellings = dict.fromkeys((text, unquote(text)))
        for kind in sorted(set().union(*map(self._find_types, spellings))):
            yield "private data", f"holds private data of the type {kind}; take it out"
        if any(map(self._holds_name, spellings)):
            yield "name", "holds the name of somebody who wrote in the chats; take it out"

    def _find_types(self, text: str, harmless: set[str] = HARMLESS) -> set[str]:
        without_fractions = FRACTION.sub("0", text)
        if self.index is None:
            return {kind for kind, _ in list_data(without_fractions)} - harmless
        known, unknown = self.index.find_data(text)
        if without_fractions != text:
            _, unknown = self.index.find_data(without_fractions)
        return set(known) | (set(unknown) - harmless)

    def _holds_name(self, text: str) -> bool:
        if self.index is None or not self.index.names:
            return False
        parts = COMPOUND.sub(" ", INVISIBLE.sub("", text))
        return any(self._holds_spelled_name(spelled) for spelled in dict.fromkeys((text, parts)))

    def _holds_spelled_name(self, text: str) -> bool:
        public, run = read_public_words(), []
        for word in (*TOKEN.findall(fold_name(text)), None):
            if word is not None and word not in public:
                run.append(word)
            elif run:
                if self.index.count_names(" ".join(run)):
                    return True
                run = []
        return False


def join_texts(row: Mapping[str, Any]) -> str:
    """All that a row of a dataset says, in whichever column, and once what two columns say alike."""
    texts: list[str] = []
    for text in sorted(_list_strings(row), key=len, reverse=True):
        if not any(text in longer for longer in texts):
            texts.append(text)
    return "\n\n".join(texts)


def _list_strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from _list_strings(inner)


def _holds_own_home(text: str) -> bool:
    home = Path.home()
    return len(home.parts) > 1 and re.search(rf"{re.escape(str(home))}(?![\w.-])", text) is not None
