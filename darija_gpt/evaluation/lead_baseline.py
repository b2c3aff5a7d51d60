"""The lead baseline: the beginning of a text as its summary.

News puts first what matters most, so that it is hard to beat there (See et al. 2017).
"""

import re
from collections.abc import Sequence
from statistics import median


# Latin and Arabic ends of a sentence, and the end of a line, where a turn of a dialogue ends.
SENTENCE_END = re.compile(r"(?<=[.!?؟…۔])[\"'»”’)\]]*\s+|\n+")


def take_lead_sentence(text: str) -> str:
    """The first sentence of a text, or its first line where that is shorter. `Dr. Alami` counts as an end, too."""
    return next((piece.strip() for piece in SENTENCE_END.split(text) if piece.strip()), "")


def take_lead_words(text: str, num_words: int) -> str:
    """The first words of a text."""
    return " ".join(text.split()[:num_words])


def count_usual_words(texts: Sequence[str]) -> int:
    """Words of the summary in the middle, when they are put in order of length."""
    return round(median(len(text.split()) for text in texts))
