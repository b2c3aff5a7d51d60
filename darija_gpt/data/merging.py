"""Exports of one chat, merged into one chat: what was exported twice is not learnt twice.

A chat exported in March and again in June gives most messages twice, and as WhatsApp ends an export at 40,000
messages, neither need hold all. Messages have no numbers there. What tells one is its minute (Android writes no
seconds), author, kind and text; of these, the author may be renamed and the text edited or deleted between exports.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from operator import attrgetter

from darija_gpt.data.whatsapp import Message


MIN_SHARED = 3  # A text forwarded to two chats in one minute makes them share one, or an album's captions two.
MIN_SHARE = 0.5  # of the messages of one export, in the time that both cover
MIN_OTHER_SHARE = 0.2  # and of the other, or a chat of a few forwarded messages would be part of a longer one.
MAX_STRANGERS = 0.1  # The same may be sent to two people, who answer: authors of whom the other export has nothing.
MIN_LETTERS = 4  # Fewer different ones (ok, hhh) fall into the same minute of two chats by chance.

Key = tuple[int, str | None, str, str]  # minute, author, kind and text


@dataclass(frozen=True)
class MergedChat:
    """A chat, once.

    Args:
        messages (`list[Message]`):
            In the order of time; those of one time in the order of their export. Authors are named as in the newest
            export.
        exports (`tuple[int, ...]`):
            Which of the given exports hold it.
        num_repeated (`int`):
            How many of the messages are in more than one of them.
    """

    messages: list[Message]
    exports: tuple[int, ...]
    num_repeated: int


def _count_minutes(message: Message) -> int:
    time = message.timestamp
    return time.toordinal() * 1440 + time.hour * 60 + time.minute


def _identify(message: Message, minute: int = 0) -> Key:
    return minute, message.author, message.kind, message.text


def _is_telling(message: Message) -> bool:
    """Whether two chats do not hold a message in the same minute by chance."""
    return message.kind == "text" and len(set(message.text)) >= MIN_LETTERS


def _is_changed(message: Message) -> bool:
    """Whether an older export may have had something else in its place."""
    return message.edited or message.kind == "deleted"


class _Export:
    """The messages of an export, and what tells those that people sent, whatever their names: hashes, to be quick."""

    def __init__(self, messages: Sequence[Message]):
        self.messages = messages
        self.minutes = list(map(_count_minutes, messages))
        self.has_seconds = any(message.timestamp.second for message in messages)  # as only iOS writes them
        self.start, self.end = min(self.minutes, default=0), max(self.minutes, default=0)
        self.keys = [hash((at, each.kind, each.text)) for at, each in zip(self.minutes, messages, strict=True)]
        triples = zip(self.keys, self.minutes, messages, strict=True)
        self.telling = {key: minute for key, minute, message in triples if _is_telling(message)}
        self.telling_minutes = sorted(self.telling.values())

    def measure_strangers(self, other: "_Export") -> float:
        """Which share of the messages from the time that both cover is by authors of whom the other has none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        other_keys = set(other.keys)
        changed = {minute for minute, each in zip(other.minutes, other.messages, strict=True) if _is_changed(each)}
        changed |= {other.start, other.end}  # An export may begin and end within a minute.
        num_sent, known = Counter(), set()
        for key, minute, message in zip(self.keys, self.minutes, self.messages, strict=True):
            if start <= minute <= end and message.author is not None and not _is_changed(message):
                num_sent[message.author] += 1
                if key in other_keys or minute in changed:
                    known.add(message.author)
        num_by_strangers = sum(number for author, number in num_sent.items() if author not in known)
        return num_by_strangers / max(1, num_sent.total())

    def is_same_chat(self, other: "_Export", num_shared: int) -> bool:
        """Whether two exports that share a number of telling messages are of one chat."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        common = [
            bisect_right(each.telling_minutes, end) - bisect_left(each.telling_minutes, start)
            for each in (self, other)
        ]
        if num_shared <= MIN_SHARE * min(common) or num_shared <= MIN_OTHER_SHARE * max(common):
            return False
        return max(self.measure_strangers(other), other.measure_strangers(self)) <= MAX_STRANGERS


def _count_shared(exports: list[_Export]) -> Counter[tuple[int, int]]:
    """Pairs of exports -> number of telling messages that both have. Exports that share none are never compared."""
    holders: dict[int, int] = {}  # message -> bits of the exports that hold it
    for index, export in enumerate(exports):
        for key in export.telling:
            holders[key] = holders.get(key, 0) | 1 << index
    num_shared = Counter()
    for bits, number in Counter(holders.values()).items():
        if bits & (bits - 1):
            indices = [index for index in range(len(exports)) if bits >> index & 1]
            num_shared.update(dict.fromkeys(combinations(indices, 2), number))
    return num_shared


def _group_exports(exports: list[_Export]) -> list[list[int]]:
    """The exports of each chat."""
    groups = [[index] for index in range(len(exports))]
    for (first, second), number in _count_shared(exports).most_common():
        if number < MIN_SHARED or groups[first] is groups[second]:
            continue
        if exports[first].is_same_chat(exports[second], number):
            groups[first] += groups[second]
            for index in groups[second]:
                groups[index] = groups[first]
    return [sorted(group) for index, group in enumerate(groups) if index == min(group)]


def _update_minute(newer: list[Message], older: list[Message]) -> list[Message]:
    """The older messages of a minute as the newer export has them, where they were edited or deleted since."""
    num_newer, num_older = Counter(_identify(each) for each in newer), Counter(_identify(each) for each in older)
    spare, changed = num_newer - num_older, num_older - num_newer
    candidates = defaultdict(list)
    for message in reversed(newer):
        if spare[_identify(message)] > 0 and (_is_changed(message) or message.kind == "system"):
            spare[_identify(message)] -= 1
            candidates[message.author].append(message)
    updated = []
    for message in older:
        if changed[_identify(message)] > 0 and candidates[message.author]:
            changed[_identify(message)] -= 1
            message = replace(candidates[message.author].pop(), timestamp=message.timestamp)
        updated.append(message)
    return updated


def _merge_minute(newer: list[Message], older: list[Message]) -> list[Message]:
    """The messages of a minute. One that only the older export has stays behind the one that it followed there."""
    places = defaultdict(list)
    for place in reversed(range(len(newer))):
        places[_identify(newer[place])].append(place)
    merged, following, place = list(newer), [[] for _ in range(len(newer) + 1)], 0
    for message in older:
        same = places[_identify(message)]
        if not same:
            following[place].append(message)
            continue
        place = same[-1] + 1
        if message.timestamp.second and not newer[same[-1]].timestamp.second:
            merged[same[-1]] = replace(newer[same[-1]], timestamp=message.timestamp)
        same.pop()
    return following[0] + [each for one, others in zip(merged, following[1:], strict=True) for each in (one, *others)]


class _Chat:
    """A chat that grows from its newest export to its oldest."""

    def __init__(self):
        self.minutes: dict[int, list[Message]] = {}
        self.known: dict[Key, int] = {}
        self.repeated: dict[Key, int] = {}
        self.has_seconds = False

    def _pair_authors(self, export: _Export) -> dict[str, str]:
        """Names that only the older export has -> names that only the chat has, by who sent the same messages."""
        older, newer = {message.author for message in export.messages}, {key[1] for key in self.known}
        if not newer or older <= newer:
            return {}
        authors = {(minute, kind, text): author for minute, author, kind, text in self.known}
        num_shared = Counter()
        for minute, message in zip(export.minutes, export.messages, strict=True):
            if message.author not in newer:
                key = (minute, message.kind, message.text)
                num_shared[message.author, authors.get(key, message.author)] += 1
        names = {}
        for (old, new), _ in num_shared.most_common():
            if new not in older and new not in names.values():
                names.setdefault(old, new)
        return names

    def _record(self, counts: Counter[Key]) -> None:
        """Takes the union with the messages of an export. &= and |= would walk over the whole chat."""
        for key, number in counts.items():
            known = self.known.get(key, 0)
            if known:
                self.repeated[key] = max(self.repeated.get(key, 0), min(number, known))
            if number > known:
                self.known[key] = number

    def add(self, export: _Export) -> None:
        """Takes in an export that is older than those before: what they lack, each message as often as it was sent."""
        names, messages = self._pair_authors(export), export.messages
        if names:
            messages = [replace(each, author=names.get(each.author, each.author)) for each in messages]
        counts = Counter(map(_identify, messages, export.minutes))
        differing = {key[0] for key, number in counts.items() if number > self.known.get(key, 0)}
        if export.has_seconds and not self.has_seconds:
            differing, self.has_seconds = set(export.minutes), True
        older = defaultdict(list)
        for minute, message in zip(export.minutes, messages, strict=True):
            if minute in differing:
                older[minute].append(message)
        for minute, sent in older.items():
            newer = self.minutes.get(minute, [])
            updated = _update_minute(newer, sent) if newer else sent
            self.minutes[minute] = _merge_minute(newer, updated) if newer else sent
            if updated != sent:
                counts.subtract(_identify(message, minute) for message in sent)
                counts.update(_identify(message, minute) for message in updated)
        self._record(counts)


def _merge_chat(exports: list[_Export], indices: list[int]) -> MergedChat:
    """One chat of its exports. From the newest on, each overlaps with what is merged by then."""
    by_time = attrgetter("timestamp")
    if len(indices) == 1:
        return MergedChat(sorted(exports[indices[0]].messages, key=by_time), tuple(indices), num_repeated=0)
    chat = _Chat()
    for index in sorted(indices, key=lambda index: (exports[index].end, index), reverse=True):
        chat.add(exports[index])
    messages = sorted((message for minute in chat.minutes.values() for message in minute), key=by_time)
    return MergedChat(messages, tuple(indices), num_repeated=sum(chat.repeated.values()))


def merge_exports(exports: Sequence[Sequence[Message]]) -> list[MergedChat]:
    """Merges the exports of one chat into one, and keeps those of different chats apart.

    Two exports are of one chat if each has a good part of what the other has in the time that both cover, and one has
    most of it. A message counts once, as the newest export has it; one that was sent twice within a minute counts
    twice.

    Args:
        exports (`Sequence[Sequence[Message]]`):
            The messages of each export, as `parse_export` gives them.

    Returns:
        `list[MergedChat]`: in the order in which the first export of each was given.
    """
    read = [_Export(messages) for messages in exports]
    return [_merge_chat(read, indices) for indices in _group_exports(read)]
