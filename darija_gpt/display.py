"""Text as people read it: in its own direction, and without what commands the terminal that shows it."""

import unicodedata
from typing import Literal


Direction = Literal["ltr", "rtl"]

# What a terminal obeys: C0 and C1 without newline and tab, so that no escape sequence can begin, and the marks that
# turn the reading direction of whatever follows. The plain marks LRM, RLM and ALM stay: Arabic is written with them.
_OBEYED = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x09, 0x0A}
_REMOVE_OBEYED = dict.fromkeys(_OBEYED)

# Unicode's classes of characters that give a paragraph its direction (UAX #9, P2 and P3).
_STRONG: dict[str, Direction] = {"L": "ltr", "R": "rtl", "AL": "rtl"}

# A private mode (https://terminal-wg.pages.freedesktop.org/bidi): each paragraph in the direction of its first letter.
# VTE (GNOME Terminal and many others) takes all for left to right without it; mlterm does so anyway; those that order
# no letters ignore it. Marks within the text are no way: VTE and Konsole drop RLM and RLI, and in mlterm
# they are boxes.
DETECT_DIRECTION, FORGET_DIRECTION = "\x1b[?2501h", "\x1b[?2501l"


def neutralize_control_characters(text: str) -> str:
    """The text without the characters that a terminal obeys; of an escape sequence its letters remain."""
    return text.translate(_REMOVE_OBEYED)


def find_direction(text: str) -> Direction | None:
    """The direction of the first letter that has one, as Unicode (UAX #9) and `dir="auto"` of HTML read a text."""
    return next((_STRONG[kind] for kind in map(unicodedata.bidirectional, text) if kind in _STRONG), None)
