"""The line that begins a message of a WhatsApp export: which lines do, and what time they tell.

A phone writes headers in its own language, digits and date order, and nowhere says which: 03/04/22 is a day in April
or in March. All headers of a file have one shape, so a line of another shape is text, pasted from another phone.
"""

import functools
import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from pathlib import Path
from typing import Literal

from darija_gpt.data.whatsapp_phrases import LANGUAGES


DateOrder = Literal["day_first", "month_first", "year_first"]

LEFT_TO_RIGHT, RIGHT_TO_LEFT = "\u200e", "\u200f"
MARKS = LEFT_TO_RIGHT + RIGHT_TO_LEFT + "\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
PLAIN_MARKS = LEFT_TO_RIGHT + RIGHT_TO_LEFT + "\u061c\ufeff"  # all others come in pairs
SPACES = " \u00a0\u202f\u2007\u2009"

# A phone needs one or two patterns, each of which takes as long as reading hundreds of headers.
MAX_PATTERNS = 100
LONGEST_HEADER = 64

MAJORITY = 10  # times as many dates that read in one order alone as in the other: the few are pasted
FIRST_YEAR, LAST_YEAR = 1970, 2099  # 1970 is a phone that lost its clock; other calendars (1403, 2567) fall outside.

# Quantifiers are possessive: a line matches or fails in one walk over it, whatever it holds.
GAP = f"[{SPACES}{MARKS}]*+"
_AT = "|".join(phrases.at for phrases in LANGUAGES.values()) + r"|klo?\.?|в"  # and in the north and east
_PERIOD_BEFORE = "[上下午오Öö][午前後전후ÖöSs]"
_PERIOD_AFTER = (
    rf"[AaPp]\.?+{GAP}[Mm]\.?+|(?:صباح|مساء)[\w\u064b]*+|[صم]\.?+|[قب]\.?+{GAP}ظ\.?+|[上下午Öö][午前後ÖöSs]"
)
# Groups with captures or assertions are never possessive: early releases of Python 3.11 fail on them.
HEADER = re.compile(
    rf"[{MARKS}]*+(?:(\[){GAP})?"  # No phone writes a space before: what is indented, somebody quotes.
    rf"(\d{{1,4}}{GAP}[/.؍-]{GAP}\d{{1,2}}{GAP}[/.؍-]{GAP}\d{{1,4}}"
    rf"[{SPACES}{MARKS},،.]++(?:(?=[^\W\d])(?:{_AT})[{SPACES}{MARKS}]++)?)"
    rf"({_PERIOD_BEFORE})?{GAP}(\d{{1,2}}{GAP}[:.h]{GAP}\d\d)(?:{GAP}(?:[:.]|min){GAP}(\d\d)(?:{GAP}s)?+)?{GAP}"
    rf"((?=\w)(?:{_PERIOD_AFTER}))?{GAP}"
    rf"(?(1)\][{MARKS}]*+[{SPACES}]?+|(?:[-–—−‐‑][{MARKS}]*+(?:[{SPACES}]|$)|(:)[{SPACES}]))"
)
_DATE = re.compile(rf"(\d+){GAP}([/.؍-]){GAP}(\d+){GAP}\2{GAP}(\d+)(.*)")
_NUMBER = re.compile(r"\d+")
_AFTERNOON = ("p", "P", "م", "ب", "Ös", "ÖS", "ös", "öS", "下", "午後", "오후")


class ExportError(ValueError):
    """An export that cannot be read. The message names the file, the line where there is one, and the remedy."""


# Bracket or colon, shape of the date, whether there are no seconds, whether there is no AM or PM.
Shape = tuple[str | None, tuple[str, int, str], bool, bool]
Dates = dict[DateOrder, date]  # a date in every order in which it is one
Header = tuple[Shape, Dates, time, timedelta, int]  # with the hour and minute, the seconds, and where the line goes on


@functools.lru_cache(maxsize=1024)  # Lines that follow one another share their date.
def _read_dates(text: str) -> tuple[tuple, Dates]:
    """The shape of a date, and the date in every order in which there is one."""
    match = _DATE.match(text)
    if match is None:  # two kinds of separators
        return (), {}
    first, separator, second, third, delimiter = match.groups()
    orders: dict[DateOrder, tuple[str, str, str]] = {
        "day_first": (third, second, first),
        "month_first": (third, first, second),
    }
    if len(first) == 4:
        orders = {"year_first": (first, second, third)}
    dates = {}
    for order, (year, month, day) in orders.items():
        number = int(year) + (2000 if len(year) == 2 else 0)
        try:
            if FIRST_YEAR <= number <= LAST_YEAR:
                dates[order] = date(number, int(month), int(day))
        except ValueError:
            continue
    year_length = 0 if len(first) == 4 else len(third)
    return (separator, year_length, delimiter.strip(SPACES + MARKS)), dates


@functools.lru_cache(maxsize=4096)
def _read_clock(text: str, period: str | None) -> time | None:
    hour, minute = map(int, _NUMBER.findall(text))
    if period and hour <= 12:
        hour = hour % 12 + (12 if period.startswith(_AFTERNOON) else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


@functools.lru_cache(maxsize=1024)
def _read_seconds(text: str | None) -> timedelta | None:
    seconds = int(text or "0")
    return timedelta(seconds=seconds) if seconds < 60 else None


def _can_imitate(header: str) -> bool:
    """A header that ends with a space ends there whatever follows."""
    return header.endswith(tuple(SPACES)) and len(header) <= LONGEST_HEADER


def _imitate(header: re.Match[str]) -> re.Pattern[str]:
    """Matches what is written like a header but for marks before it, digits, and AM or PM: just what `HEADER` would.

    Groups are those of `HEADER` from the second to the last but one, empty where it has none.
    """
    day = _NUMBER.sub(lambda run: r"\d{1,2}" if len(run[0]) < 3 else r"\d" * len(run[0]), re.escape(header[2]))
    clock = rf"\d{{1,2}}{re.escape(_NUMBER.split(header[4])[1])}\d\d"
    patterns = (day, _PERIOD_BEFORE, clock, r"\d\d", rf"(?=\w)(?:{_PERIOD_AFTER})")
    line, end = header.string, header.end() - len(header[0].lstrip(MARKS))
    pieces = [f"[{MARKS}]*+"]
    for group, pattern in enumerate(patterns, start=2):
        if header[group] is None:
            pieces.append("()")
        else:
            pieces += re.escape(line[end : header.start(group)]), f"({pattern})"
            end = header.end(group)
    return re.compile("".join(pieces) + re.escape(line[end : header.end()]))


class HeaderReader:
    """Reads the headers of a file. Most are written like the one before, and found by a pattern made from that one."""

    def __init__(self):
        self._match = re.compile("(?!)").match  # finds nothing
        self._num_patterns = 0
        self._was_found = False
        self._day, self._shape, self._dates = "", (None, (), True, True), {}  # of the latest header that was found

    def read(self, line: str) -> Header | None:
        """The header of a line. A line whose date or time is impossible has none."""
        match = self._match(line)
        if match is None:
            return self._read_other(line)
        day, before, clock, seconds, after = match.groups()
        if day != self._day:
            date_shape, self._dates = _read_dates(day)
            self._day, self._shape = day, (self._shape[0], date_shape, *self._shape[2:])
        clock, seconds = _read_clock(clock, before or after), _read_seconds(seconds)
        if not self._dates or clock is None or seconds is None:
            return None
        self._was_found = True
        return self._shape, self._dates, clock, seconds, match.end()

    def _read_other(self, line: str) -> Header | None:
        match = HEADER.match(line)
        if match is None:
            return None
        bracket, day, before, clock, seconds, after, colon = match.groups()
        period = before or after
        date_shape, dates = _read_dates(day)
        shape = (bracket or colon, date_shape, seconds is None, period is None)
        clock, seconds = _read_clock(clock, period), _read_seconds(seconds)
        if not dates or clock is None or seconds is None or (colon and shape[2]):
            return None
        # Not the first that is not found, as it may be pasted text, but the second of two.
        if not self._was_found and self._num_patterns < MAX_PATTERNS and _can_imitate(match[0]):
            self._match, self._day, self._shape, self._dates = _imitate(match).match, day, shape, dates
            self._num_patterns += 1
        self._was_found = False
        return shape, dates, clock, seconds, match.end()


def is_ios(shape: Shape) -> bool:
    """iOS puts dates in brackets; until 2018 it put a colon after them."""
    return shape[0] is not None


@dataclass
class DateEvidence:
    """What the headers of one shape tell about the order of dates."""

    first_line: int
    num_headers: int = 0
    only: dict[DateOrder, int] = field(default_factory=dict)  # order -> first line that reads in no other
    num_only: Counter[DateOrder] = field(default_factory=Counter)  # order -> dates that read in no other
    backward_steps: Counter[DateOrder] = field(default_factory=Counter)
    latest: Dates = field(default_factory=dict)
    orders_differ: bool = False

    def observe(self, line_number: int, dates: Dates) -> None:
        self.num_headers += 1
        if dates is self.latest:  # Steps back within a day are the same in every order.
            return
        if len(dates) == 1:
            (order,) = dates
            self.only.setdefault(order, line_number)
            self.num_only[order] += 1
        elif not self.only:
            self.orders_differ |= dates["day_first"] != dates["month_first"]
            for order, day in dates.items():
                self.backward_steps[order] += day < self.latest.get(order, day)
        self.latest = dates

    def decide_order(self, path: Path, day_first: bool | None) -> tuple[DateOrder, str]:
        """The date order, and why."""
        if "year_first" in self.only:
            return "year_first", "four-digit year first"
        proven = self._find_proven()
        if day_first is not None:
            given: DateOrder = "day_first" if day_first else "month_first"
            if proven and given != proven:
                raise ExportError(
                    f"{path}: line {self.only[proven]}: the date does not read with day_first={day_first}; "
                    "leave it out."
                )
            return given, "given"
        if proven:
            return proven, "a field over 12"
        if self.only:
            raise ExportError(
                f"{path}: line {self.only['month_first']}: the date is month/day, but on line "
                f"{self.only['day_first']} it is day/month; if one of them is pasted text, indent it by a space, or "
                "give --day_first true or false."
            )
        if not self.orders_differ:
            return "day_first", "day equal to month"
        day_steps, month_steps = self.backward_steps["day_first"], self.backward_steps["month_first"]
        if day_steps == month_steps:
            raise ExportError(
                f"{path}: line {self.first_line}: this and all other dates read both as day/month and as month/day; "
                "give --day_first true or --day_first false."
            )
        return "day_first" if day_steps < month_steps else "month_first", "fewer backward steps"

    def _find_proven(self) -> DateOrder | None:
        """The order of the dates that read in one order alone: of all of them but a few."""
        if not self.num_only:
            return None
        (order, most), *others = self.num_only.most_common()
        return order if all(most >= MAJORITY * few for _, few in others) else None
