"""Private data in chat text: found, and replaced by placeholders.

A line without two digits near each other, an @, a dotted word or a cue word holds nothing to find, and most lines are
such. The others are folded, and each detector asks first for what its pattern needs. A pattern only proposes; a
checksum, a numbering plan or the words around it decide. What is found is blotted out for the detectors that follow.
Whatever is longer than a message is read in windows, in time that grows with its length alone.
"""

import functools
import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from darija_gpt.data.names.finding import Person, RosterNames, find_names, read_roster
from darija_gpt.data.private_data import checks, net, patterns, secrets
from darija_gpt.data.private_data.addresses import ADDRESS, ADDRESS_BEGINS, check_address
from darija_gpt.data.private_data.checks import Check
from darija_gpt.data.private_data.lines import find_across_lines
from darija_gpt.data.private_data.numerals import SPOKEN_CODE, SPOKEN_PHONE, check_spoken_code, check_spoken_phone
from darija_gpt.data.private_data.spans import (
    BLOT,
    Bounds,
    FoldedLine,
    PiiSpan,
    Reading,
    Span,
    blot,
    blot_placeholders,
)
from darija_gpt.data.private_data.triggers import find_needs, find_suspect_lines, is_plain
from darija_gpt.data.private_data.windows import LONGEST_MESSAGE, Seen, find_in_windows
from darija_gpt.data.pseudonyms import Pseudonym


__all__ = ["DETECTORS", "Detector", "Person", "PiiSpan", "find_names", "find_pii", "scrub"]

# Failed matches of a detector in a line after which the next one is skipped whole: no chat holds as many numbers, and
# looking into each of them for another takes minutes in a text made for it.
PATIENCE = 64
PATIENCE_IN_WINDOW = 8
# Rounds of replacing after which the words around a name are no longer asked.
MAX_ROUNDS = 4
PLACEHOLDER_OF = {placeholder.strip("[]"): placeholder for placeholder in patterns.PLACEHOLDERS}


@dataclass(frozen=True)
class Detector:
    """A type of private data, its pattern, what a line must hold (see NEEDS), and what decides on a match.

    A pattern reads lower case unless it `is_cased`. One that goes on behind what was found before `is_again` asked
    behind each of its own finds. A costly one is asked only where it `begins`, by a pattern that reads lower case.
    """

    type: str
    pattern: re.Pattern[str]
    need: str
    check: Check = checks.take_all
    is_cased: bool = False
    is_again: bool = False
    begins: re.Pattern[str] | None = None


# In the order in which they are asked: who comes first takes the text.
DETECTORS = (
    Detector("PASSWORD", secrets.PASSWORD_PHRASE, "quotes", secrets.check_phrase),
    Detector("PASSWORD", secrets.PASSWORD, "password", secrets.check_password),
    Detector("PASSWORD", secrets.PASSWORD_BEFORE_CUE, "password", secrets.check_password_before),
    Detector("PASSWORD", secrets.PASSWORD_FAR, "password", secrets.check_unmistakable),
    Detector("PASSWORD", secrets.LOGIN, "login", secrets.check_unmistakable),
    Detector("EMAIL", net.EMAIL, "at", checks.take_group),
    Detector("EMAIL", net.JOINED_EMAIL, "joined at", checks.take_first),
    Detector("EMAIL", net.EMAIL_WITHOUT_SIGN, "mail", checks.take_first),
    Detector("EMAIL", net.EMAIL_AFTER_CUE, "mail", checks.take_first),
    Detector("URL", net.HIDDEN_URL, "hidden dot", checks.check_url),
    Detector("URL", net.SPELLED_URL, "spelled dot", checks.take_group),
    Detector("URL", net.URL, "dot", checks.check_url),
    Detector("IBAN", patterns.IBAN, "8 digits", checks.check_iban),
    Detector("RIB", patterns.RIB, "8 digits", checks.check_rib, is_cased=True),
    Detector("GPS", net.GPS, "decimals", checks.take_group, is_cased=True),
    Detector("CARD", patterns.CARD, "8 digits", checks.check_card, is_cased=True),
    Detector("CARD", patterns.CARD_CODE, "card code", checks.take_first),
    Detector("CARD", patterns.CARD_CODE_AFTER_EXPIRY, "expiry", checks.take_first),
    Detector("MENTION", net.MENTION, "at"),
    Detector("PHONE", patterns.MOROCCAN_PHONE, "5 digits", checks.check_phone, is_cased=True),
    Detector("PHONE", patterns.FOREIGN_PHONE, "5 digits", checks.check_foreign_phone),
    Detector("PHONE", patterns.NATIONAL_PHONE, "5 digits", checks.check_phone, is_cased=True),
    Detector("PHONE", SPOKEN_PHONE, "zero", check_spoken_phone),
    Detector("RIB", patterns.ACCOUNT_AFTER_CUE, "account", checks.take_first),
    Detector("OTP", secrets.TRANSFER_CODE, "code", checks.take_first),
    Detector("PHONE", patterns.SHORT_PHONE, "8 digits", checks.check_short_phone),
    Detector("IP", net.IPV4, "dotted digit", checks.check_ipv4),
    Detector("IP", net.IPV4_AFTER_CUE, "ip", checks.check_ipv4_after_cue),
    Detector("IP", net.IPV6, "two colons", checks.check_ipv6),
    Detector("CIN", patterns.CIN_AFTER_CUE, "identity", checks.check_cin_after_cue),
    Detector("CIN", patterns.CIN_BEFORE_CUE, "identity", checks.take_group),
    Detector("CIN", patterns.CIN_AGAIN, "identity", checks.check_cin_again, is_again=True),
    Detector("CIN", patterns.PAPER_AFTER_CUE, "paper", checks.check_paper),
    Detector("CIN", patterns.CIN_BARE, "5 digits together", checks.check_cin, is_cased=True),
    Detector("OTP", secrets.OTP_AFTER_CUE, "code", secrets.check_code, is_cased=True),
    Detector("OTP", secrets.OTP_BEFORE_CUE, "code", checks.take_group, is_cased=True),
    Detector("OTP", secrets.OTP_IN_ORDER, "order", checks.take_group, is_cased=True),
    Detector("OTP", secrets.OTP_AGAIN, "code", checks.take_group, is_again=True),
    Detector("OTP", SPOKEN_CODE, "code", check_spoken_code),
    Detector("OTP", secrets.GOOGLE_CODE, "5 digits together", is_cased=True),
    Detector("ADDRESS", ADDRESS, "house", check_address, is_cased=True, begins=ADDRESS_BEGINS),
)


def _search_where_it_begins(detector: Detector, reading: Reading, text: str, place: int) -> re.Match[str] | None:
    while begin := detector.begins.search(reading.lowered, place):
        place = begin.start() + 1
        match = detector.pattern.match(text, place)
        if match:
            return match
    return None


def _find_matches(detector: Detector, reading: Reading, patience: int) -> list[Bounds]:
    """Matches that pass. In one that fails, the next group may begin another; not so where each digit is a group."""
    text = reading.text if detector.is_cased else reading.lowered
    search, check = detector.pattern.search, detector.check
    if detector.begins:
        search = functools.partial(_search_where_it_begins, detector, reading)
    if check is checks.take_all:
        return [match.span() for match in detector.pattern.finditer(text)]
    found, place, num_failures = [], 0, 0
    while match := search(text, place):
        bounds = check(match, reading)
        if bounds:
            found.append(bounds)
            place = bounds[1]
            if detector.is_again:
                text = text[: bounds[0]] + BLOT * (place - bounds[0]) + text[place:]
                place -= 1
        else:
            num_failures += 1
            is_group = text[match.start() + 1].isalnum() and num_failures < patience
            place = match.start() + 1 if is_group else match.end()
    return found


def _find_in_line(line: str, place: int, patience: int) -> list[Span]:
    """What stands in a line that begins at a place; sorted."""
    mentions = [match.span() for match in net.ISOLATED_MENTION.finditer(line)] if "@" in line else []
    spans = [(start + place, end + place, "MENTION") for start, end in mentions]
    # Something stands before whatever a pattern finds.
    line, shift = BLOT + blot(line, mentions), place - len(BLOT)
    folded = FoldedLine.fold(line)
    reading = Reading.read(folded.text)
    held = find_needs(reading.lowered)
    for detector in DETECTORS:
        if detector.need not in held:
            continue
        found = _find_matches(detector, reading, patience)
        if found:
            reading = reading.blot(found)
            bounds = (folded.find_bounds(*each, line) for each in found) if folded.cuts else found
            spans += [(start + shift, end + shift, detector.type) for start, end in bounds]
    return sorted(spans)


def _find_in_lines(text: str, patience: int = PATIENCE) -> list[Span]:
    """What stands in one line of a text; sorted."""
    spans: list[Span] = []
    for start, end in find_suspect_lines(text):
        spans += _find_in_line(text[start:end], start, patience)
    return spans


def _find(text: str, find: Callable[..., list[Span]], clean: set[Seen]) -> Iterable[Span]:
    """What stands across lines, and what a search finds in them; sorted."""
    across = find_across_lines(text)
    text = blot(text, (span[:2] for span in across))
    if len(text) <= LONGEST_MESSAGE:
        spans = find(text)
    else:
        spans = find_in_windows(text, functools.partial(find, patience=PATIENCE_IN_WINDOW), clean)
    return heapq.merge(across, spans) if across else spans


def find_pii(text: str) -> list[PiiSpan]:
    """What identifies or endangers a person in a text, names apart.

    Args:
        text (`str`):
            Any text, in one line or many. Placeholders in it are left alone.

    Returns:
        `list[PiiSpan]`: sorted, none overlapping another, in code points of `text`, each of type PHONE, EMAIL, IBAN,
        RIB, CARD, CIN, URL, GPS, MENTION, OTP, PASSWORD, IP or ADDRESS.
    """
    # As `PiiSpan._make`, which takes three times as long.
    return list(map(functools.partial(tuple.__new__, PiiSpan), _find(text, _find_in_lines, set())))


def _find_names_too(names: RosterNames, text: str, patience: int = PATIENCE, is_strict: bool = False) -> list[Span]:
    spans = _find_in_lines(text, patience)
    if not names.people:
        return spans
    blotted = blot(text, (span[:2] for span in spans)) if spans else text
    found = [(start, end, "NAME") for start, end in names.find(blot_placeholders(blotted), is_strict)]
    return sorted(spans + found) if found else spans


class _Replacer:
    """Puts placeholders and pseudonyms in place of private data."""

    def __init__(self, names: RosterNames, pseudonyms: Mapping[str, Pseudonym]):
        self.names, self.pseudonyms = names, pseudonyms
        self.find = functools.partial(_find_names_too, names)
        self.clean: set[Seen] = set()  # windows of long texts

    def write(self, kind: str, found: str) -> str:
        if kind != "NAME" or not self.pseudonyms:
            return PLACEHOLDER_OF[kind]
        pseudonym = self.pseudonyms.get(self.names.find_person(found).name)
        return pseudonym.write_like(found) if pseudonym else PLACEHOLDER_OF[kind]

    def replace(self, text: str) -> str:
        pieces, last = [], 0
        for start, end, kind in _find(text, self.find, self.clean):
            pieces += text[last:start], self.write(kind, text[start:end])
            last = end
        pieces.append(text[last:])
        return "".join(pieces) if last else text

    def replace_all(self, text: str) -> str:
        """The same until nothing is left, as a replacement may bare what stood beside it.

        "a@b.ma@cd" is an e-mail first and a mention then. Of names, each may be what tells another in a text made for
        it; so after some rounds, all that may be a name is taken for one.
        """
        num_rounds = 0
        while (replaced := self.replace(text)) != text:
            text = replaced
            num_rounds += 1
            if num_rounds == MAX_ROUNDS:
                self.find, self.clean = functools.partial(_find_names_too, self.names, is_strict=True), set()
        return text


def _is_plain(text: str, names: RosterNames) -> bool:
    """Whether there is nothing private in a text, as most often a look at its words tells."""
    if len(text) > LONGEST_MESSAGE:
        return False
    chunks = text.split() if names.people else ()
    if chunks and names.plain_chunks.issuperset(chunks):
        return True
    if find_suspect_lines(text) or find_across_lines(text):
        return False
    known = names.other_chunks.intersection(chunks) - names.plain_chunks
    # Placeholders hold no names.
    if chunks and ("[" in text or any(names.find(text))):
        return False
    names.plain_chunks.update(filter(is_plain, known))  # What comes but once is not worth a look.
    return True


def _require_harmless(pseudonyms: Mapping[str, Pseudonym], names: RosterNames) -> None:
    for index, pseudonym in enumerate(pseudonyms.values()):
        if any(find_pii(spelling) or names.matches(spelling) for spelling in (pseudonym.latin, pseudonym.arabic)):
            raise ValueError(
                f"The pseudonym of person {index} is private data or a name of the roster, and would be scrubbed "
                "itself; choose it with choose_pseudonyms."
            )


def scrub(text: str, roster: Sequence[Person] = (), pseudonyms: Mapping[str, Pseudonym] | None = None) -> str:
    """A text without private data.

    Args:
        text (`str`):
            Any text.
        roster (`Sequence[Person]`, *optional*):
            People whose names are to be replaced, too.
        pseudonyms (`Mapping[str, Pseudonym]`, *optional*):
            `Person.name` -> the invented name that stands for it, in the script and case of what it replaces. A name
            without one becomes `[NAME]`.

    Returns:
        `str`: the text with a placeholder such as `[PHONE]` in place of each span. Scrubbed again, it stays as it is.

    Raises:
        ValueError: If a pseudonym is itself private data, or a name of the roster.
    """
    names, pseudonyms = read_roster(tuple(roster)), pseudonyms or {}
    if names.harmless_pseudonyms != pseudonyms:
        _require_harmless(pseudonyms, names)
        names.harmless_pseudonyms = dict(pseudonyms)
    if _is_plain(text, names):
        return text
    replacer = _Replacer(names, pseudonyms)
    replaced = replacer.replace(text)
    before, lines = text.split("\n"), replaced.split("\n")
    if len(text) > LONGEST_MESSAGE or len(before) != len(lines) or find_across_lines(replaced):
        return replacer.replace_all(replaced)
    changed = (old != new for old, new in zip(before, lines, strict=True))
    return "\n".join(
        _Replacer(names, pseudonyms).replace_all(line) if is_changed else line
        for line, is_changed in zip(lines, changed, strict=True)
    )
