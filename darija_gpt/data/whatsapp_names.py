"""Who wrote a line of a WhatsApp export: `Saad: khoya: salam` is by Saad, or by `Saad: khoya`.

Names may hold colons, and so may texts and notices, so the lines of a whole file are evidence for each name.
"""

import itertools
import re
from collections.abc import Iterator

from darija_gpt.data.whatsapp_headers import LEFT_TO_RIGHT, MARKS, SPACES
from darija_gpt.data.whatsapp_texts import MEMBERS, NOTICE, NOTICE_END, find_placeholder


MAX_NAME_LENGTH = 128  # WhatsApp cuts the names of groups at 100 characters.
MAX_NOTICE_LENGTH = 4096  # The longest tell the description of a group, which ends at 2,048.
MAX_NAMES = 10_000  # Groups have 1,024 members. What has more authors was made to fill memory.
QUOTES = '"“”„«»'


def find_name_end(line: str, start: int = 0) -> int:
    """The first colon before a space. An empty text may lose that space; of a view-once message a dot is left."""
    end = line.find(": ", start)
    if end < 0 and line.endswith((":", ":.")):
        end = len(line) - (1 if line.endswith(":") else 2)
    return end if end >= start else -1


def _iterate_name_ends(line: str) -> Iterator[int]:
    end = find_name_end(line)
    while 0 <= end < MAX_NAME_LENGTH:
        yield end
        end = find_name_end(line, end + 1)


def _share_beginning(first: str, second: str) -> str:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    return first[: sum(1 for _ in same)]


def _is_notice(line: str, shortest: str) -> bool:
    """Whether a line that opens no known name is a notice: of quotes that its colon stands in, one is still open."""
    if NOTICE.search(shortest) or NOTICE_END.search(line[-MAX_NAME_LENGTH:]):
        return True
    return sum(map(shortest.count, QUOTES)) % 2 == 1


def read_plain_name(name: str) -> str:
    """A name without marks and the tilde before one that is not in the contacts."""
    plain = "".join(letter for letter in name if letter not in MARKS).strip(SPACES)
    return plain.removeprefix("~").strip(SPACES)


def read_name(line: str, end: int) -> tuple[str, str | None]:
    """The name that ends at the first colon, as written and as it reads, by no evidence but the line itself."""
    shortest = line[: min(end, MAX_NOTICE_LENGTH)]
    if end > MAX_NOTICE_LENGTH or _is_notice(line[:MAX_NOTICE_LENGTH], shortest) or MEMBERS.search(shortest):
        return "", None
    return shortest, read_plain_name(shortest) or None


class Names:
    """The names that lines begin with.

    A name is the longest that all lines with the same first colon begin with, if two different lines put a colon after
    it: each line of `Saad: khoya` has both of his colons, and only some of Salma's have a second one. A line that has
    the name without its colon is a notice: `Saad: khoya left`.

    That leaves a person all of whose texts begin with the same word, `Salma: Rappel: ghedda`. What only WhatsApp
    writes proves the longer name (`Saad: khoya: <Media omitted>`, `You added Saad: khoya`), and a text of somebody
    else that begins with the same word speaks against it; for the latter `weigh` wants the lines a second time.
    """

    def __init__(self):
        self.is_full = False  # Then `read_name` reads the names that are missing.
        self._shared: dict[str, str] = {}  # what stands before the first colon -> what all lines with it begin with
        self._longer: dict[str, list[str]] = {}  # what stands before the first colon -> possible names that go on
        self._first_lines: dict[str, str] = {}  # possible name -> first line with it
        self._recurring: set[str] = set()  # possible names of several lines; the same text sent twice is one
        self._proven: set[str] = set()  # possible names that WhatsApp itself wrote
        self._doubtful: dict[str, str] = {}  # what stands before the first colon -> longest possible name
        self._words: dict[str, set[str]] = {}  # what such a name adds -> who writes it before a colon
        self._settled: set[str] = set()

    def observe(self, line: str, start: int) -> None:
        """Takes in what stands behind a header, which ends at `start`."""
        if line[start : line.find(": ", start, start + MAX_NAME_LENGTH)] in self._settled:
            return
        line = line[start : start + MAX_NOTICE_LENGTH]  # A longer name is none.
        end = find_name_end(line)
        if end < 0:
            return
        shortest = line[:end]
        start, shared = line[:MAX_NAME_LENGTH], self._shared.get(shortest)
        if shared is None:
            if len(self._shared) == MAX_NAMES:
                self.is_full = True
                return
            if _is_notice(line, shortest):
                return
            shared = start
        self._shared[shortest] = shared = _share_beginning(shared, start)
        for end in _iterate_name_ends(start):
            name = start[:end]
            if not shared.startswith(name):
                break
            if self._first_lines.setdefault(name, start) != start:
                self._recurring.add(name)
            if name == shortest:
                continue
            if name not in self._longer.setdefault(shortest, []):
                self._longer[shortest].append(name)
            if find_placeholder(line[end + 2 : end + 1000]) and line[end + 2 : end + 3] != LEFT_TO_RIGHT:
                self._proven.add(name)
        if len(shared) <= len(shortest) + 2 and shortest in self._recurring:
            self._settled.add(shortest)

    def _list_longer(self, shortest: str) -> list[str]:
        return [name for name in self._longer.get(shortest, []) if self._shared[shortest].startswith(name)]

    def has_doubtful(self) -> bool:
        """Whether there are longer names that are possible and not proven, for which lines are worth a second look."""
        longest = {shortest: max(self._list_longer(shortest), key=len, default="") for shortest in self._longer}
        self._doubtful = {short: name for short, name in longest.items() if name and name not in self._proven}
        self._words = {name[len(short) + 2 :]: set() for short, name in self._doubtful.items()}
        return bool(self._doubtful)

    def weigh(self, line: str) -> None:
        """Holds a line against doubtful names: a notice may have one whole, a text may begin with its last word."""
        line = line[: 2 * MAX_NAME_LENGTH]
        ends = list(_iterate_name_ends(line))
        if ends and self._is_author(line[: ends[0]]):
            if len(ends) > 1 and line[ends[0] + 2 : ends[1]] in self._words:
                self._words[line[ends[0] + 2 : ends[1]]].add(line[: ends[0]])
            return
        for end in ends:
            for start in (0, *(match.end() for match in re.finditer(" ", line[:end]))):
                name = self._doubtful.get(line[start:end])
                if name and line.startswith(name, start) and not line.startswith(":", start + len(name)):
                    self._proven.add(name)

    def _is_author(self, shortest: str) -> bool:
        return shortest in self._shared and (shortest in self._recurring or not MEMBERS.search(shortest))

    def _is_refuted(self, name: str, shortest: str) -> bool:
        return bool(self._words.get(name[len(shortest) + 2 :], set()) - {shortest})

    def resolve(self) -> dict[str, tuple[str, str]]:
        """What stands before the first colon -> the name as written, and as it reads."""
        names = {}
        for shortest in self._shared:
            longer = self._list_longer(shortest)
            proven = [name for name in longer if name in self._proven]
            recurring = [name for name in longer if name in self._recurring and not self._is_refuted(name, shortest)]
            name = max(proven or recurring, key=len, default=shortest)
            plain = read_plain_name(name)
            if plain and self._is_author(shortest):
                names[shortest] = (name, plain)
        return names
