"""Texts that are longer than any message, read in windows, so that memory and time are those of one window.

A window ends where a line or a placeholder does, which no private data crosses. Where there is neither, it ends
anywhere, and sees some text before its beginning and behind its end.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from darija_gpt.data.privacy_patterns import PLACEHOLDER
from darija_gpt.data.privacy_spans import Span, blot


# WhatsApp cuts messages at 65,536 characters: only what is longer is read in windows.
LONGEST_MESSAGE = 65_536
# In a short window, fewer detectors find what they need; a shorter one would be mostly what others see, too.
WINDOW, SHORT_WINDOW = 4_096, 512
# Cues stand less than `CONTEXT` before what they announce. Nothing but links is longer than `REACH`, and what comes
# near the end of a window is looked at again with `LONG_REACH`.
CONTEXT, REACH, LONG_REACH, MARGIN = 256, 512, 4_096, 64
# Where there is no end of anything, a window ends behind one of these. Wherever a window begins, the windows after it
# are soon the same, and those that are known to be clean need no second look.
NUM_RECENT = 64
MARKERS = " zZ7e"

Find = Callable[[str], list[Span]]
Seen = tuple[str, int, int]  # what a window sees, and where that begins and stops to be its own


class Window(NamedTuple):
    """What is looked for in `text[start:stop]`, and seen in `text[begin:end]`."""

    begin: int
    start: int
    stop: int
    end: int


def _find_cut(text: str, start: int, stop: int) -> tuple[int, int] | None:
    """The first end of a line or placeholder that is not at once: where it begins, and the place behind."""
    place = text.find("\n", start + SHORT_WINDOW, stop)
    if place >= 0:
        return place, place + 1
    match = PLACEHOLDER.search(text, start + SHORT_WINDOW, stop)
    return match.span() if match else None


def _open_window(text: str, begin: int, start: int) -> tuple[Window, int]:
    """The window from a place on, and where the next one may begin to see."""
    stop = start + WINDOW
    if stop + REACH >= len(text):
        return Window(begin, start, len(text), len(text)), len(text)
    cut = _find_cut(text, start, stop)
    if cut:
        return Window(begin, start, cut[1], cut[1]), cut[0]
    for marker in MARKERS:
        place = text.rfind(marker, (start + stop) // 2, stop)
        if place >= 0:
            stop = place + 1
            break
    return Window(begin, start, stop, stop + REACH), stop - CONTEXT


def find_in_windows(text: str, find: Find, clean: set[Seen] | None = None) -> Iterator[Span]:
    """What a search finds in a text of any length, in order.

    Args:
        text (`str`):
            Any text.
        find (`Callable[[str], list[Span]]`):
            The search: sorted spans of a shorter text.
        clean (`set[Seen]`, *optional*):
            Windows in which nothing is, as far as known; more are added.
    """
    begin = start = covered = 0
    last: list[Span] = []  # found in the window before
    recent = {}
    while start < len(text):
        window, next_begin = _open_window(text, begin, start)
        seen = blot(text[window.begin : window.end], _shift(last, window))
        key = (seen, window.start - window.begin, window.stop - window.begin)
        if key in recent:
            known = recent[key]
        else:
            known = [] if clean is not None and key in clean else _find_in_window(seen, window, find)
            recent[key] = known
            if len(recent) > NUM_RECENT:
                del recent[next(iter(recent))]
        last = [(a + window.begin, b + window.begin, c) for a, b, c in known]
        if last and last[-1][1] > window.end - MARGIN and window.stop < window.end < len(text):
            last = [
                (a + window.begin, b + window.begin, c)
                for a, b, c in _find_in_window(seen + text[window.end : window.end + LONG_REACH], window, find)
            ]
        yield from last
        if last:
            covered = last[-1][1]
        elif clean is not None:
            clean.add(key)
        start = max(window.stop, covered)
        begin = min(max(next_begin, covered - 1), start)  # Nothing sees beyond what is blotted out.


def _find_in_window(seen: str, window: Window, find: Find) -> list[Span]:
    a, b = window.start - window.begin, window.stop - window.begin
    return [span for span in find(seen) if a <= span[0] < b]


def _shift(spans: Iterable[Span], window: Window) -> Iterator[tuple[int, int]]:
    """Where spans stand in what a window sees."""
    for start, end, _ in spans:
        if end > window.begin:
            yield max(0, start - window.begin), min(end, window.end) - window.begin
