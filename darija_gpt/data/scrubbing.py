"""Scrubbing a corpus: one roster of everybody in the chats, a pseudonym for each, and a count of all replaced."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from darija_gpt.data.chats import Chat
from darija_gpt.data.names.folding import fold_form
from darija_gpt.data.names.parts import find_forms
from darija_gpt.data.privacy import Person, find_names, find_pii, scrub
from darija_gpt.data.private_data.net import ISOLATED_MENTION
from darija_gpt.data.private_data.patterns import PLACEHOLDER
from darija_gpt.data.pseudonyms import choose_pseudonyms, read_key
from darija_gpt.data.whatsapp_names import read_plain_name


# A mention of the whole group, as the languages of WhatsApp's exports have it.
EVERYBODY = {*map(fold_form, ["all", "everyone", "tous", "tout le monde", "todos", "alle", "tutti", "الجميع", "الكل"])}


def list_people(chats: Iterable[Chat]) -> list[Person]:
    """Everybody who wrote in one of the chats or was mentioned, each with the words of the name as forms of it."""
    chats = list(chats)
    names = {name for chat in chats for name in chat.participants}
    names.update(name for chat in chats for message in chat.messages for name in _find_mentioned(message.text))
    return [Person(name, tuple(find_forms(name))) for name in sorted(names)]


def _find_mentioned(text: str) -> Iterator[str]:
    """Whom a message calls by @, as WhatsApp marks it: members of a group who read and never write, too."""
    for match in ISOLATED_MENTION.finditer(text) if "@" in text else ():
        name = read_plain_name(match[1])
        if fold_form(name) not in EVERYBODY and any(map(str.isalpha, name)):
            yield name


def _replace_in_lines(text: str, found: list[tuple[str, str]]) -> str:
    """A text of as many lines without private data, which goes to what was `found`."""
    while spans := find_pii(text):
        pieces, last = [], 0
        for start, end, kind in spans:
            found.append((kind, text[start:end]))
            pieces += text[last:start], "\n".join(f"[{kind}]" for _ in text[start:end].split("\n"))
            last = end
        text = "".join((*pieces, text[last:]))
    return text


def scrub_together(texts: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Texts one below the other, without the private data that shows only where they stand together.

    A number begins in one bubble and goes on in the next, and a code is the answer to who asked for it.

    Args:
        texts (`Sequence[str]`):
            Texts each of which is scrubbed.

    Returns:
        `tuple[list[str], list[tuple[str, str]]]`: as many texts, with a placeholder in each line in which private data
        stood; and the type of each piece of it, and how it was written.
    """
    found: list[tuple[str, str]] = []
    texts = [_replace_in_lines(text, found) for text in texts]
    lines = iter(_replace_in_lines("\n".join(texts), found).split("\n"))
    return ["\n".join(islice(lines, text.count("\n") + 1)) for text in texts], found


class Scrubber:
    """Scrubs texts and counts what it replaces.

    Args:
        people (`list[Person]`):
            Those whose names are replaced.
        key (`Path`):
            The file of the secret that pseudonyms are chosen with; made where there is none.

    Attributes:
        replaced (`Counter[str]`):
            Pieces of private data by type, `NAME` among them.

    Raises:
        ValueError: If the file is no key, or if others may read it.
    """

    def __init__(self, people: list[Person], key: Path):
        self.people = tuple(people)
        self.pseudonyms = choose_pseudonyms(people, read_key(key.expanduser())) if people else {}
        self.replaced: Counter[str] = Counter()

    def scrub(self, text: str) -> str:
        """The text without private data."""
        scrubbed = scrub(text, self.people, self.pseudonyms)
        if scrubbed != text:
            nameless = scrub(text)
            found = Counter(PLACEHOLDER.findall(nameless)) - Counter(PLACEHOLDER.findall(text))
            self.replaced.update({placeholder.strip("[]"): count for placeholder, count in found.items()})
            self.replaced["NAME"] += len(find_names(nameless, self.people))
        return scrubbed
