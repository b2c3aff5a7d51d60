"""What decides whether a match is private data: checksums, numbering plans, and the words around it.

A check takes a match and gives the bounds of what is private in it, or None.
"""

import functools
import ipaddress
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from darija_gpt.data import privacy_patterns as patterns
from darija_gpt.data.privacy_spans import FOLDING, Bounds


Check = Callable[[re.Match[str]], Bounds | None]

LUHN_DOUBLES = str.maketrans("0123456789", "0246813579")
NO_LETTER = re.compile(r"[^0-9A-Za-z]+")
NO_DIGIT = re.compile(r"[^0-9]+")
GAPS = re.compile(r"[^0-9A-Za-z]+")
GROUP = re.compile(r"[0-9A-Za-z]+")
GLUED = re.compile(r"[a-z](?![0-9A-Za-z])")
FOUR_LETTERS = re.compile(r"[a-zA-Z]{4}")
# Of a region's plan, who may be called under a number.
NUMBER_KINDS = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "pager", "uan", "voicemail"),
)


def _read_digits(text: str) -> str:
    return text if text.isdigit() else NO_DIGIT.sub("", text.translate(patterns.LOOKALIKES))


def _is_luhn(digits: str) -> bool:
    spread = digits[-1::-2] + digits[-2::-2].translate(LUHN_DOUBLES)
    return sum(map(int, spread)) % 10 == 0 and len(set(digits)) > 1


def _has_cue(match: re.Match[str], cue: re.Pattern[str], reach: int = 50) -> bool:
    return cue.search(match.string, max(0, match.start() - reach), match.start()) is not None


def _trim(match: re.Match[str], punctuation: str, group: int = 0) -> Bounds:
    start, end = match.span(group)
    return start, start + len(match.string[start:end].rstrip(punctuation))


def _find_ends(match: re.Match[str]) -> list[int]:
    """Where the match holds 1, 2, ... letters or digits; 0 in place of an end inside a group of them."""
    string, ends = match.string, []
    for place in range(match.start(), match.end()):
        if string[place].isalnum():
            is_end = place + 1 == len(string) or not (string[place + 1].isascii() and string[place + 1].isalnum())
            ends.append(place + 1 if is_end else 0)
    return ends


def _ends_before_clitic(match: re.Match[str], end: int) -> bool:
    """Whether one letter is written onto what ends here: 4984w, "4984 and"."""
    return GLUED.match(match.string, end) is not None


def take_all(match: re.Match[str]) -> Bounds:
    return match.span()


def take_group(match: re.Match[str]) -> Bounds:
    return match.span(match.lastindex or 0)


def check_iban(match: re.Match[str]) -> Bounds | None:
    letters = NO_LETTER.sub("", match.group()).upper()
    length = patterns.IBAN_LENGTHS.get(letters[:2])
    if not length:
        return None
    letters = letters[:length]
    if len(letters) < length or sum(map(letters.count, "0123456789O")) < 0.6 * length:
        return None  # Words: even accounts with letters in them are mostly digits.
    end = _find_ends(match)[length - 1]
    variants = (letters, letters[:2] + letters[2:].replace("O", "0").replace("I", "1").replace("L", "1"))
    is_valid = any(int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1 for code in variants)
    if not end and is_valid:
        # The place behind the last letter, which another one follows.
        end = [place + 1 for place in range(*match.span()) if match.string[place].isalnum()][length - 1]
        end = end if _ends_before_clitic(match, end) else 0
    return (match.start(), end) if end and (is_valid or _has_cue(match, patterns.BANK_CUE)) else None


def check_rib(match: re.Match[str]) -> Bounds | None:
    is_valid = int(_read_digits(match.group())) % 97 == 0
    return match.span() if is_valid or _has_cue(match, patterns.BANK_CUE) else None


def check_card(match: re.Match[str]) -> Bounds | None:
    """A number with Luhn's digit, or of a card's length behind a cue."""
    digits = _read_digits(match.group())
    for prefix, lengths in patterns.CARD_NETWORKS:
        for length in lengths if prefix.match(digits) else ():
            is_whole = length == lengths[0] or length == len(digits)
            if length <= len(digits) and is_whole and _is_luhn(digits[:length]):
                end = _find_ends(match)[length - 1]
                if end:
                    return match.start(), end
                if length == len(digits) and _ends_before_clitic(match, match.end()):
                    return match.span()
    ends = _find_ends(match) if _has_cue(match, patterns.CARD_CUE) else []
    end = next((ends[length - 1] for length in (16, 15, 13) if length <= len(ends) and ends[length - 1]), None)
    return (match.start(), end) if end else None


def _close(match: re.Match[str]) -> Bounds:
    """The bounds of a number with both its outer brackets or neither."""
    start, end = match.span()
    opened = match.group().rfind("(")
    if opened <= match.group().rfind(")"):
        return start, end
    if opened == 0:
        return start + 1, end
    return start, end + (match.string[end : end + 1] == ")")


def _is_row(groups: list[str]) -> bool:
    """Whether groups count up: 05, 06, 07, 08, 09 are days."""
    return all(group.isdigit() for group in groups) and {
        int(second) - int(first) for first, second in itertools.pairwise(groups)
    } == {1}


# 06/20, 07/20: what teachers give.
MARKS_OF_TWENTY = re.compile(r"/20(?![0-9])[^/]+[0-9]|[ ,][0-9]{1,2}/20(?![0-9])")


def check_phone(match: re.Match[str]) -> Bounds | None:
    """A number whose letters are few, and which is no date with an hour behind it and no list of marks."""
    written = match.group()
    if written.isdigit():
        return match.span()
    letters = sum(letter.isalpha() for letter in written)
    after = match.string[match.end() : match.end() + 1]
    if letters > 5 or FOUR_LETTERS.search(written) or (written[-1].isalpha() and after.isalpha()):
        return None
    groups, separators = GROUP.findall(written), GAPS.findall(written.lstrip("+("))
    if [len(group) for group in groups[:3]] == [2, 2, 4] and groups[2][:2] in ("19", "20"):
        return None
    if len(groups) > 3 and separators[0] == separators[1] != separators[2] and separators[0] in "/.-":
        return None
    if MARKS_OF_TWENTY.search(written) or _is_row(groups) or _is_draw(match, groups):
        return None
    return _close(match)


def _is_draw(match: re.Match[str], groups: list[str]) -> bool:
    """Whether pairs of digits are numbers of a game: named so, or in order with more to come."""
    if any(len(group) != 2 for group in groups):
        return False
    more = patterns.MORE_PAIRS.match(match.string, match.end())
    is_ordered = more is not None and groups == sorted(groups) and more[1] > groups[-1]
    return is_ordered or _has_cue(match, patterns.GAME_CUE)


def check_split_phone(match: re.Match[str]) -> Bounds | None:
    """A number in two lines or more, but no column of numbers."""
    lines = [line.strip() for line in match.group().split("\n")]
    if len(lines) < 2 or any(len(NO_DIGIT.sub("", line.translate(FOLDING))) < 2 for line in lines):
        return None
    if len(lines) == 2 and len(lines[0]) < 4:
        return None
    return None if len(lines) > 2 and lines == sorted(lines) else match.span()


def check_short_phone(match: re.Match[str]) -> Bounds | None:
    has_cue = _has_cue(match, patterns.PHONE_CUE) and not _has_cue(match, patterns.THING_CUE)
    return match.span() if has_cue else None


@dataclass(frozen=True)
class NumberingPlan:
    """The telephone numbers of a country behind its code."""

    code: str
    pattern: re.Pattern[str]
    lengths: frozenset[int]
    national_prefix: str

    def holds(self, number: str) -> bool:
        """Whether a number, from the country's code on, is one of the plan, or long enough to be a new one."""
        national = number.removeprefix(self.code)
        if self.national_prefix and len(national) - len(self.national_prefix) in self.lengths:
            national = national.removeprefix(self.national_prefix)
        is_possible = len(number) > 9 and not number.endswith("000") and len(national) in self.lengths
        return is_possible or self.pattern.fullmatch(national) is not None


@functools.cache
def _read_plan(code: str) -> NumberingPlan | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
    plans = [PhoneMetadata.metadata_for_region_or_calling_code(int(code), region) for region in regions]
    if not plans:
        return None
    kinds = [getattr(plan, kind) for plan in plans for kind in NUMBER_KINDS if getattr(plan, kind)]
    numbers = {kind.national_number_pattern for kind in kinds if kind.national_number_pattern}
    lengths = {length for plan in plans for length in plan.general_desc.possible_length}
    return NumberingPlan(
        code,
        re.compile("|".join(f"(?:{number})" for number in sorted(numbers))),
        frozenset(lengths),
        plans[0].national_prefix or "",
    )


def check_foreign_phone(match: re.Match[str]) -> Bounds | None:
    """The longest beginning, by groups of digits, that is a number of some country."""
    digits = _read_digits(match.group())
    digits = digits[2:] if match.group()[0] == "0" else digits
    plan = _read_plan(digits[:1]) or _read_plan(digits[:2]) or _read_plan(digits[:3])
    if not plan:
        return None
    ends = _find_ends(match)[-len(digits) :]
    for length in range(len(digits), 6, -1):
        if ends[length - 1] and plan.holds(digits[:length]):
            return match.start(), ends[length - 1]
    return None


def check_url(match: re.Match[str]) -> Bounds | None:
    if patterns.NOT_A_SITE.fullmatch(match.group()):
        return None
    goes_on = (
        match.string[match.end() : match.end() + 1] == " "
        and match.string[match.end() + 1 : match.end() + 2].isalpha()
    )
    if goes_on and patterns.SENTENCE.fullmatch(match.group()):
        return None
    start, end = _trim(match, ".,;:!?'’*_~\"…؟")
    if match.string[start:end].count(")") > match.string[start:end].count("("):
        end = start + len(match.string[start:end].rstrip(")].,"))
    return start, end


def check_cin_after_cue(match: re.Match[str]) -> Bounds | None:
    """A number right behind its cue; or further on in the sentence, where it is written as on the card."""
    if match[2][0] in "bdflw" and match[2][1] == " ":
        return None  # A preposition: "b 25000 dh".
    is_near = patterns.ONLY_CIN_FILLER.fullmatch(match[1])
    return match.span(2) if is_near or patterns.CIN_UNMISTAKABLE.fullmatch(match[2]) else None


def check_cin(match: re.Match[str]) -> Bounds | None:
    is_card = match.group()[:2] in patterns.CIN_PREFIXES and not _has_cue(match, patterns.THING_CUE)
    return match.span() if is_card else None


def check_ipv4(match: re.Match[str]) -> Bounds | None:
    octets = match.group().replace("[.]", ".").split(".")
    is_address = max(map(int, octets)) < 256
    if not is_address or _has_cue(match, patterns.VERSION_CUE, reach=24):
        return None
    is_small = max(map(int, octets)) < 100 and not patterns.KNOWN_IPV4.fullmatch(match.group())
    if is_small and "[" not in match.group() and not _has_cue(match, patterns.IP_CUE):
        return None
    return None if patterns.VERSION_BEHIND.match(match.string, match.end()) else match.span()


def check_ipv6(match: re.Match[str]) -> Bounds | None:
    address = match.group()
    if not (address.count(":") == 7 or "::" in address) or sum(letter.isalnum() for letter in address) < 4:
        return None  # A time, most often.
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return None
    return match.span()
