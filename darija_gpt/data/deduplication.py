"""What is said again: rows that are copies or almost copies, messages that travel from chat to chat, and greetings.

Two rows in different splits that are almost the same make a test measure memory, so rows are compared before they are
split: candidates by MinHash and locality-sensitive hashing (Broder 1997; Leskovec et al., Mining of Massive Datasets,
chapter 3), then each candidate exactly.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Container, Hashable, Sequence
from datetime import timedelta
from itertools import count
from typing import Literal

import numpy as np
from rensa import RMinHash, RMinHashLSH
from tqdm import tqdm

from darija_gpt.data.conversations import split_sessions
from darija_gpt.data.names.folding import ARABIC_VARIANTS
from darija_gpt.data.whatsapp import Message


Duplicate = Literal["exact", "near"]

SHINGLE_LENGTH = 5  # characters: one letter changed in a word of Arabizi leaves the others' shingles as they are
NUM_PERMUTATIONS = 128
# Rows of a band, by the threshold from which on so many find a pair of just that similarity with a chance of 0.9998.
ROWS_PER_BAND = {0.7: 4, 0.36: 2, 0.0: 1}  # the last from 0.07 on
# Where rows share a long part, such as an instruction, each is a candidate of every other: this bounds the memory.
COMPARED_AT_ONCE = 1024
MIN_FORWARDED_CHARACTERS = 60  # folded: what is longer, nobody writes twice by chance
MAX_GREETING_CHARACTERS = 40

_MARKS = re.compile(
    r"[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u200b-\u200f\u202a-\u202e\u2060-\u206f]"
)
_GAPS = re.compile(r"[\W_]+")
_RUNS = re.compile(r"([^\d\s])\1+")
_VARIANTS = ARABIC_VARIANTS | str.maketrans("پ", "ب")


def fold_letters(text: str) -> str:
    """The words of a text without case, marks, punctuation and emoji, and Arabic letters without their variants."""
    text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).casefold().translate(_VARIANTS)
    return _GAPS.sub(" ", text).strip()


def fold_text(text: str) -> str:
    """What is left of a text when spelling is: no case, marks, punctuation, emoji or drawn-out letters."""
    return _RUNS.sub(r"\1", fold_letters(text))


def fold_key(text: str) -> str:
    """What makes two texts the same: what `fold_text` leaves, or how one without letters and digits is written."""
    return fold_text(text) or text.strip()


def _cut_shingles(folded: str) -> set[str]:
    return {folded[start : start + SHINGLE_LENGTH] for start in range(max(1, len(folded) - SHINGLE_LENGTH + 1))}


def _measure_similarities(shingles: np.ndarray, others: Sequence[np.ndarray], num_shingles: int) -> np.ndarray:
    """Jaccard's, of a text with others: the shared part of all shingles that either has.

    A shingle is a number below `num_shingles`, of which a text has each once.
    """
    is_shared = np.zeros(num_shingles, dtype=np.uint8)
    is_shared[shingles] = 1
    lengths = np.array([len(other) for other in others])
    starts = np.cumsum(lengths) - lengths
    shared = np.add.reduceat(is_shared[np.concatenate(others, dtype=np.intp)], starts, dtype=np.int64)
    return shared / (len(shingles) + lengths - shared)


def find_duplicates(
    texts: Sequence[str],
    groups: Sequence[Hashable] | None = None,
    *,
    threshold: float = 0.7,
    progress: str | None = None,
) -> list[Duplicate | None]:
    """Which texts say again what an earlier one has said.

    Args:
        texts (`Sequence[str]`):
            Texts in the order of their rights: of two that are alike, the first stays.
        groups (`Sequence[Hashable]`, *optional*):
            A text is never compared with others of its group, such as the windows of one conversation.
        threshold (`float`, *optional*, defaults to `0.7`):
            Similarity from which two texts are near-duplicates: the share of shingles of five characters that both
            have, of all that either has. 1 finds exact ones alone; the lower, the more texts are compared.
        progress (`str`, *optional*):
            A label under which a terminal shows how far it is.

    Returns:
        `list[Literal["exact", "near"] | None]`: for each text, None where it stays. No two that stay are near each
        other, but for what the hashing overlooks: one in 6,000 pairs just at the threshold, fewer above it. A text
        without letters or digits is compared as it is written.
    """
    groups = range(len(texts)) if groups is None else groups
    found: list[Duplicate | None] = []
    num_rows = next(rows for least, rows in ROWS_PER_BAND.items() if threshold >= least)
    index = RMinHashLSH(threshold=threshold, num_perm=NUM_PERMUTATIONS, num_bands=NUM_PERMUTATIONS // num_rows)
    kept: dict[str, set[Hashable]] = {}
    kept_shingles: dict[int, np.ndarray] = {}  # of texts, by their place among the texts
    numbers: defaultdict[str, int] = defaultdict(count().__next__)  # of shingles, in the order in which they came
    for number, text in enumerate(tqdm(texts, progress, unit=" texts", disable=None if progress else True)):
        folded = fold_key(text)
        if kept.get(folded, set()) - {groups[number]}:
            found.append("exact")
            continue
        cut = _cut_shingles(folded)
        shingles = np.fromiter(map(numbers.__getitem__, cut), dtype=np.int32, count=len(cut))
        sketch = RMinHash.from_token_sets([list(cut)], num_perm=NUM_PERMUTATIONS, seed=0)[0]
        others = [kept_shingles[place] for place in index.query(sketch) if groups[place] != groups[number]]
        is_near = threshold < 1 and any(
            _measure_similarities(shingles, others[start : start + COMPARED_AT_ONCE], len(numbers)).max() >= threshold
            for start in range(0, len(others), COMPARED_AT_ONCE)
        )
        found.append("near" if is_near else None)
        if not is_near:
            index.insert(number, sketch)
            kept.setdefault(folded, set()).add(groups[number])
            kept_shingles[number] = shingles
    return found


def drop_forwarded(chats: Sequence[Sequence[Message]], *, threshold: float = 0.7) -> list[list[Message]]:
    """Chats without what is passed on: long messages that were in one of them before, word for word or nearly.

    Args:
        chats (`Sequence[Sequence[Message]]`):
            The messages of each chat. Of a chain the first stays.
        threshold (`float`, *optional*, defaults to `0.7`):
            As of `find_duplicates`.
    """
    texts = {
        (number, place): message.text
        for number, chat in enumerate(chats)
        for place, message in enumerate(chat)
        if _fold_long(message.text)
    }
    duplicates = find_duplicates(list(texts.values()), threshold=threshold, progress="comparing messages")
    found = dict(zip(texts, duplicates, strict=True))
    return [
        [message for place, message in enumerate(chat) if found.get((number, place)) is None]
        for number, chat in enumerate(chats)
    ]


def drop_copied(chats: Sequence[Sequence[Message]], gap: timedelta, *, threshold: float = 0.7) -> list[list[Message]]:
    """Chats without conversations that an earlier one holds: of one chat in two exports whose clocks differ.

    It comes before `drop_forwarded`, which would take the long messages from the copy alone, so that its row is no
    copy any more. What people wrote in few words tells, where a long message is in two chats; all else is compared as
    rows.

    Args:
        chats (`Sequence[Sequence[Message]]`):
            The messages of each chat.
        gap (`timedelta`):
            A longer silence ends a conversation.
        threshold (`float`, *optional*, defaults to `0.7`):
            As of `find_duplicates`.
    """
    holders: defaultdict[str, set[int]] = defaultdict(set)  # chats, by the long messages that they hold
    for number, chat in enumerate(chats):
        for message in chat:
            if folded := _fold_long(message.text):
                holders[folded].add(number)
    shared = {folded for folded, numbers in holders.items() if len(numbers) > 1}
    sessions = [(number, session) for number, chat in enumerate(chats) for session in split_sessions(chat, gap)]
    texts = [_find_own_words(session, shared) for _, session in sessions]
    compared = [place for place, text in enumerate(texts) if text is not None]
    found = find_duplicates(
        [texts[place] for place in compared],
        [sessions[place][0] for place in compared],
        threshold=threshold,
        progress="comparing conversations",
    )
    copied = {place for place, duplicate in zip(compared, found, strict=True) if duplicate is not None}
    kept: list[list[Message]] = [[] for _ in chats]
    for place, (number, session) in enumerate(sessions):
        kept[number] += [] if place in copied else session
    return kept


def _find_own_words(session: Sequence[Message], shared: Container[str]) -> str | None:
    """What stands beside the long messages of a conversation, or all if that is little; None where none is shared."""
    folded = [_fold_long(message.text) for message in session]
    short = [message.text for message, long in zip(session, folded, strict=True) if not long]
    if not short or not any(long in shared for long in folded):
        return None
    own_words = "\n".join(short)
    return own_words if _fold_long(own_words) else "\n".join(message.text for message in session)


def _fold_long(text: str) -> str | None:
    """What `fold_text` leaves of a text that nobody writes twice by chance; None of any other."""
    folded = fold_text(text) if len(text) >= MIN_FORWARDED_CHARACTERS else ""
    return folded if len(folded) >= MIN_FORWARDED_CHARACTERS else None


class GreetingCap:
    """Counts how often conversations open with the same words, across all chats.

    Args:
        max_repeats (`int`, *optional*):
            As often as that, an opening is kept. None keeps it always.
    """

    def __init__(self, max_repeats: int | None):
        self.max_repeats = max_repeats
        self._counts: Counter[str] = Counter()

    def strip_greetings(self, session: Sequence[Message]) -> list[Message]:
        """A session without the worn-out greetings at its beginning. What follows the first other words stays."""
        if self.max_repeats is None:
            return list(session)
        for number, message in enumerate(session):
            greeting = fold_key(message.text)
            self._counts[greeting] += 1
            if len(greeting) > MAX_GREETING_CHARACTERS or self._counts[greeting] <= self.max_repeats:
                return list(session[number:])
        return []
