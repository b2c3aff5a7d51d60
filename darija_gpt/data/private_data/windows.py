"""Texts that are longer than any message, read in windows, so that memory and time are those of one window.

A window ends where a line or a placeholder does, which no private data crosses. Where there is neither, it ends
anywhere, and sees some text before its beginning and behind its end.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from darija_gpt.data.private_data.patterns import PLACEHOLDER
from darija_gpt.data.private_data.spans import Bounds, Span, blot


# WhatsApp cuts messages at 65,536 characters: only what is longer is read in windows.
LONGEST_MESSAGE = 65_536
# In a short window, fewer detectors find what they need; a shorter one would be mostly what others see, too. One that
# can end where nothing goes on is shorter still: when something is found in it, it alone is searched again.
WINDOW, SHORT_WINDOW = 8_192, 512
# Cues stand less than `CONTEXT` before what they announce. Nothing but links is longer than `REACH`, and what comes
# near the end of a window is looked at again with `LONG_REACH`.
CONTEXT, REACH, LONG_REACH, MARGIN = 256, 512, 4_096, 64
# Where there is no end of anything, a window ends in its last quarter: behind what is the last word there by the
# alphabet, or behind one of these. Wherever a window begins, those after it are soon the same, and are known.
MARKERS = "zZ7e"
# Windows that are remembered with what is in them: text that repeats itself is read once.
NUM_REMEMBERED = 256

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


def _find_landmark(text: str, start: int, stop: int) -> int:
    """A place between two others that depends on the text around it alone; else the second of them."""
    words = text[start:stop].split(" ")[1:-1]
    if words:
        word = f" {max(words)} "
        return text.rfind(word, start, stop) + len(word)
    places = (text.rfind(marker, start, stop) for marker in MARKERS)
    return next((place + 1 for place in places if place >= 0), stop)


def _open_window(text: str, begin: int, start: int) -> tuple[Window, int]:
    """The window from a place on, and where the next one may begin to see."""
    stop = start + WINDOW
    if stop + REACH >= len(text):
        return Window(begin, start, len(text), len(text)), len(text)
    cut = _find_cut(text, start, stop)
    if cut:
        return Window(begin, start, cut[1], cut[1]), cut[0]
    stop = _find_landmark(text, start + WINDOW * 3 // 4, stop)
    return Window(begin, start, stop, stop + REACH), stop - CONTEXT


class _Memory:
    """A search that remembers the last windows, and for the whole of a text those in which nothing is."""

    def __init__(self, find: Find, clean: set[Seen]):
        self.find, self.clean = find, clean
        self.last: dict[Seen, list[Span]] = {}

    def search(self, seen: str, window: Window) -> list[Span]:
        """What a window is the first to see."""
        start, stop = window.start - window.begin, window.stop - window.begin
        key = (seen, start, stop)
        if key in self.clean:
            return []
        if key not in self.last:
            spans = [span for span in self.find(seen) if start <= span[0] < stop]
            if not spans:
                self.clean.add(key)
                return []
            self.last[key] = spans
            if len(self.last) > NUM_REMEMBERED:
                del self.last[next(iter(self.last))]
        return [(first + window.begin, end + window.begin, kind) for first, end, kind in self.last[key]]


def _shift(spans: list[Span], window: Window) -> list[Bounds]:
    """Where the last of some spans stand in what a window sees."""
    first = len(spans)
    while first and spans[first - 1][1] > window.begin:
        first -= 1
    return [(max(0, start - window.begin), min(end, window.end) - window.begin) for start, end, _ in spans[first:]]


def find_in_windows(text: str, find: Find, clean: set[Seen]) -> Iterator[Span]:
    """What a search finds in a text of any length, in order.

    Args:
        text (`str`):
            Any text.
        find (`Callable[[str], list[Span]]`):
            The search: sorted spans of a shorter text.
        clean (`set[Seen]`):
            Windows in which nothing is, as far as known; more are added.
    """
    memory = _Memory(find, clean)
    begin = start = covered = 0
    found: list[Span] = []
    while start < len(text):
        window, next_begin = _open_window(text, begin, start)
        seen = blot(text[window.begin : window.end], _shift(found, window))
        found = memory.search(seen, window)
        if found and found[-1][1] > window.end - MARGIN and window.stop < window.end < len(text):
            found = memory.search(seen + text[window.end : window.end + LONG_REACH], window)
        yield from found
        covered = found[-1][1] if found else covered
        start = max(window.stop, covered)
        begin = min(max(next_begin, covered - 1), start)  # Nothing sees beyond what is blotted out.
