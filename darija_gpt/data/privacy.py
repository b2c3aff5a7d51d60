"""Private data in chat text: found, and replaced by placeholders.

A line without two digits near each other, an @, a dotted word or a cue word holds nothing to find, and most lines are
such. The others are folded, and each detector asks first for what its pattern needs. A pattern only proposes; a
checksum, a numbering plan or the words around it decide. What is found is blotted out for the detectors that follow.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from darija_gpt.data import privacy_checks as checks
from darija_gpt.data import privacy_patterns as patterns
from darija_gpt.data import privacy_secrets as secrets
from darija_gpt.data.names import Person, RosterNames, find_names, read_roster
from darija_gpt.data.privacy_addresses import ADDRESS, check_address
from darija_gpt.data.privacy_checks import Check
from darija_gpt.data.privacy_numerals import SPOKEN_CODE, SPOKEN_PHONE, check_spoken_code, check_spoken_phone
from darija_gpt.data.privacy_spans import Bounds, FoldedLine, PiiSpan, blot, blot_placeholders
from darija_gpt.data.privacy_triggers import NEEDS, find_suspect_lines
from darija_gpt.data.pseudonyms import Pseudonym


__all__ = ["DETECTORS", "Detector", "Person", "PiiSpan", "find_names", "find_pii", "scrub"]

# Failed matches of a detector in a line after which the next one is skipped whole: no chat holds as many numbers, and
# looking into each of them for another takes minutes in a text made for it.
PATIENCE = 64


@dataclass(frozen=True)
class Detector:
    """A type of private data, its pattern, what a line must hold (see NEEDS), and what decides on a match."""

    type: str
    pattern: re.Pattern[str]
    need: str
    check: Check = checks.take_all


# In the order in which they are asked: who comes first takes the text.
DETECTORS = (
    Detector("PASSWORD", secrets.PASSWORD_PHRASE, "password", secrets.check_phrase),
    Detector("PASSWORD", secrets.PASSWORD, "password", secrets.check_password),
    Detector("PASSWORD", secrets.PASSWORD_BEFORE_CUE, "password", secrets.check_password_before),
    Detector("PASSWORD", secrets.PASSWORD_FAR, "password", secrets.check_unmistakable),
    Detector("PASSWORD", secrets.LOGIN, "login", secrets.check_unmistakable),
    Detector("EMAIL", patterns.EMAIL, "at"),
    Detector("URL", patterns.HIDDEN_URL, "hidden dot", checks.check_url),
    Detector("URL", patterns.SPELLED_URL, "spelled dot", checks.take_group),
    Detector("URL", patterns.URL, "dot", checks.check_url),
    Detector("IBAN", patterns.IBAN, "8 digits", checks.check_iban),
    Detector("RIB", patterns.RIB, "8 digits", checks.check_rib),
    Detector("GPS", patterns.GPS, "decimals", checks.take_group),
    Detector("CARD", patterns.CARD, "8 digits", checks.check_card),
    Detector("MENTION", patterns.MENTION, "at"),
    Detector("PHONE", patterns.MOROCCAN_PHONE, "5 digits", checks.check_phone),
    Detector("PHONE", patterns.FOREIGN_PHONE, "5 digits", checks.check_foreign_phone),
    Detector("PHONE", patterns.NATIONAL_PHONE, "5 digits", checks.check_phone),
    Detector("PHONE", SPOKEN_PHONE, "zero", check_spoken_phone),
    Detector("PHONE", patterns.SHORT_PHONE, "8 digits", checks.check_short_phone),
    Detector("IP", patterns.IPV4, "dotted digit", checks.check_ipv4),
    Detector("IP", patterns.IPV6, "two colons", checks.check_ipv6),
    Detector("CIN", patterns.CIN_AFTER_CUE, "identity", checks.check_cin_after_cue),
    Detector("CIN", patterns.CIN_AGAIN, "identity", checks.take_group),
    Detector("CIN", patterns.CIN_BARE, "5 digits together", checks.check_cin),
    Detector("OTP", secrets.OTP_AFTER_CUE, "code", secrets.check_code),
    Detector("OTP", secrets.OTP_BEFORE_CUE, "code", checks.take_group),
    Detector("OTP", secrets.OTP_IN_ORDER, "order", checks.take_group),
    Detector("OTP", secrets.OTP_AGAIN, "code", checks.take_group),
    Detector("OTP", SPOKEN_CODE, "code", check_spoken_code),
    Detector("OTP", secrets.GOOGLE_CODE, "5 digits together"),
    Detector("ADDRESS", ADDRESS, "house", check_address),
)
# Asked first, of the text as it was written: what begins in one line and ends in another.
ACROSS_LINES = (
    Detector("PHONE", patterns.SPLIT_PHONE, "", checks.check_split_phone),
    Detector("GPS", patterns.SPLIT_GPS, ""),
)


def _find_matches(pattern: re.Pattern[str], check: Check, text: str) -> Iterator[Bounds]:
    """Matches that pass. In one that fails, the next group may begin another; not so where each digit is a group."""
    place, num_failures = 0, 0
    while match := pattern.search(text, place):
        bounds = check(match)
        if bounds:
            yield bounds
            place = bounds[1]
        else:
            num_failures += 1
            is_group = text[match.start() + 1].isalnum() and num_failures < PATIENCE
            place = match.start() + 1 if is_group else match.end()


def _find_in_line(line: str) -> Iterator[PiiSpan]:
    mentions = [match.span() for match in patterns.ISOLATED_MENTION.finditer(line)] if "@" in line else []
    yield from (PiiSpan(start, end, "MENTION") for start, end in mentions)
    folded = FoldedLine.fold(blot(line, mentions))
    text, lowered = folded.text, folded.text.lower()
    held = {name for name, need in NEEDS.items() if need.search(lowered)}
    for detector in DETECTORS:
        if detector.need not in held:
            continue
        found = list(_find_matches(detector.pattern, detector.check, text))
        for start, end in found:
            yield PiiSpan(*folded.find_bounds(start, end, line), detector.type)
        if found:
            text = blot(text, found)


def _find_across_lines(text: str) -> list[PiiSpan]:
    if "\n" not in text:
        return []
    spans: list[PiiSpan] = []
    for detector in ACROSS_LINES:
        bounds = filter(None, map(detector.check, detector.pattern.finditer(text)))
        spans += (PiiSpan(*found, detector.type) for found in bounds if "\n" in text[slice(*found)])
    return sorted(spans)


def find_pii(text: str) -> list[PiiSpan]:
    """What identifies or endangers a person in a text, names apart.

    Args:
        text (`str`):
            Any text, in one line or many. Placeholders in it are left alone.

    Returns:
        `list[PiiSpan]`: sorted, none overlapping another, in code points of `text`, each of type PHONE, EMAIL, IBAN,
        RIB, CARD, CIN, URL, GPS, MENTION, OTP, PASSWORD, IP or ADDRESS.
    """
    spans = _find_across_lines(text)
    has_split = bool(spans)
    text = blot(text, (span[:2] for span in spans))
    for offset, end in find_suspect_lines(text):
        found = sorted(_find_in_line(text[offset:end]))
        spans += [PiiSpan(span.start + offset, span.end + offset, span.type) for span in found] if offset else found
    return sorted(spans) if has_split else spans


def _replace(text: str, names: RosterNames, pseudonyms: Mapping[str, Pseudonym]) -> str:
    spans = find_pii(text)
    if names.people:
        blotted = blot_placeholders(blot(text, ((span.start, span.end) for span in spans)))
        found = [PiiSpan(start, end, "NAME") for start, end in names.find(blotted)]
        spans = sorted(spans + found) if found else spans
    pieces, last = [], 0
    for start, end, kind in spans:
        pieces += text[last:start], f"[{kind}]"
        if kind == "NAME" and pseudonyms:
            pseudonym = pseudonyms.get(names.find_person(text[start:end]).name)
            pieces[-1] = pseudonym.write_like(text[start:end]) if pseudonym else "[NAME]"
        last = end
    return "".join([*pieces, text[last:]]) if pieces else text


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
    replaced = _replace(text, names, pseudonyms)
    if replaced == text:
        return text
    # A replacement may bare what stood beside it: "a@b.ma@cd" is an e-mail first and a mention then.
    before, lines = text.split("\n"), replaced.split("\n")
    if len(before) != len(lines) or _find_across_lines(replaced):
        return scrub(replaced, roster, pseudonyms)
    for number, line in enumerate(before):
        while lines[number] != line:
            line, lines[number] = lines[number], _replace(lines[number], names, pseudonyms)
    return "\n".join(lines)
