"""What is too damaged, too long or too empty to learn from, each with its reason."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from darija_gpt.data.private_data.patterns import PLACEHOLDER
from darija_gpt.data.whatsapp import Message


@dataclass(frozen=True)
class QualityLimits:
    """The bounds within which a text is kept.

    Args:
        max_characters (`int`, *optional*, defaults to `10000`):
            A longer message was pasted: nobody types ten pages into a telephone. Rows of other datasets may be longer.
        max_unreadable (`float`, *optional*, defaults to `0.02`):
            Share of replacement characters, control characters and code points that no one has assigned.
        max_repetition (`float`, *optional*, defaults to `0.8`):
            Share of its words that one word may make up, from ten words on.
        max_foreign (`float`, *optional*, defaults to `0.5`):
            Share of letters that are neither Arabic nor Latin.

    Raises:
        ValueError: If a length is below 1, or a share is none.
    """

    max_characters: int = 10_000
    max_unreadable: float = 0.02
    max_repetition: float = 0.8
    max_foreign: float = 0.5

    def __post_init__(self):
        if self.max_characters < 1:
            raise ValueError(f"max_characters={self.max_characters} must be at least 1; try 10000.")
        for name in ("max_unreadable", "max_repetition", "max_foreign"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} must be a share between 0 and 1; 1 drops nothing.")


def find_drop_reason(message: Message, limits: QualityLimits) -> str | None:
    """Why a message is not even read: its kind, `empty` or `too_long`. None for one that is."""
    if message.kind in ("system", "deleted"):
        return message.kind
    if not message.text.strip():
        return "media" if message.kind == "media" else "empty"
    return "too_long" if len(message.text) > limits.max_characters else None


def find_quality_reason(text: str, limits: QualityLimits) -> str | None:
    """The first of `REASONS` against a text that was scrubbed and normalised. None for one that is kept."""
    return next((reason for reason, applies in REASONS.items() if applies(text, limits)), None)


def _is_unreadable(text: str, limits: QualityLimits) -> bool:
    if text.isascii():
        return False
    num_unreadable = sum(
        letter == "\ufffd" or unicodedata.category(letter) in ("Cc", "Cn", "Cs", "Co") for letter in text
    )
    return num_unreadable - text.count("\n") > limits.max_unreadable * len(text)


def _is_repetitive(text: str, limits: QualityLimits) -> bool:
    words = text.lower().split()
    return len(words) >= 10 and max(map(words.count, set(words[:50]))) > limits.max_repetition * len(words)


def _is_foreign(text: str, limits: QualityLimits) -> bool:
    if text.isascii():
        return False
    letters = [letter for letter in text if letter.isalpha()]
    num_foreign = sum(
        not (letter < "\u0250" or "\u0600" <= letter <= "\u08ff" or "\u1e00" <= letter <= "\u1eff")
        for letter in letters
    )
    return num_foreign > limits.max_foreign * len(letters)


REASONS: dict[str, Callable[[str, QualityLimits], bool]] = {
    "empty": lambda text, limits: not text.strip(),
    "unreadable": _is_unreadable,
    "only_private_data": lambda text, limits: (
        not re.search(r"\w|[^\s\x00-\x7f]", PLACEHOLDER.sub("", text)) and "[" in text
    ),
    "repetitive": _is_repetitive,
    "foreign_script": _is_foreign,
}
