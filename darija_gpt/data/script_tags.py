"""The two scripts of Darija: Arabic, and Latin letters with digits for the sounds that Latin lacks."""

import re
from collections import Counter
from typing import Literal


Script = Literal["Arab", "Latn", "mixed"]

WORD = re.compile(r"\w+(?:['’]\w+)*")


def detect_script(text: str) -> Script:
    """The script of a text: one that nine of ten letters belong to, else `mixed`.

    A text without a letter is `mixed`.
    """
    num_arabic, num_letters = _count_letters(text)
    if num_letters and num_arabic >= 0.9 * num_letters:
        return "Arab"
    if num_letters and num_arabic <= 0.1 * num_letters:
        return "Latn"
    return "mixed"


def count_tokens(text: str) -> Counter[str]:
    """Words by script, and `other` for numbers alone, whose script is their neighbours'."""
    tokens: Counter[str] = Counter()
    for word in WORD.findall(text):
        num_arabic, num_letters = _count_letters(word)
        tokens["other" if not num_letters else "Arab" if 2 * num_arabic >= num_letters else "Latn"] += 1
    return tokens


def _count_letters(text: str) -> tuple[int, int]:
    """Arabic letters, and letters of any script."""
    letters = [letter for letter in text if letter.isalpha()]
    return sum("\u0600" <= letter <= "\u06ff" for letter in letters), len(letters)
