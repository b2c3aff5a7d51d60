"""What decides whether a match is private data: checksums, numbering plans, and the words around it.

A check takes a match and the line it stands in, and gives the bounds of what is private in it, or None. In a text made
for it, there is a match in every ten characters; so a check asks the cheapest question first.
"""

import functools
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata

from darija_gpt.data.private_data import net, patterns
from darija_gpt.data.private_data.phrases import Cue
from darija_gpt.data.private_data.spans import BRACKETS, Bounds, Reading, embrace


Check = Callable[[re.Match[str], Reading], Bounds | None]

LUHN_DOUBLES = bytes.maketrans(b"0123456789", b"0246813579")
# A letter in an account is a number of two digits: A is 10.
LETTERS_AS_NUMBERS = str.maketrans({chr(ord("A") + place): str(10 + place) for place in range(26)})
LENGTHS_OF_CARDS = (15, 16)  # as nearly all are; of other lengths, a number needs Luhn's digit
LETTERS_AS_DIGITS = str.maketrans("OIL", "011")
LOOKALIKE_BYTES = bytes(range(256)).decode("latin-1").translate(patterns.LOOKALIKES).encode("latin-1")
NO_DIGIT_BYTES = bytes(code for code in range(256) if not LOOKALIKE_BYTES[code : code + 1].isdigit())
NO_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]+")
NO_DIGIT = re.compile(r"[^0-9]+")
LETTER = re.compile(r"[^\W\d_]")
GROUP = re.compile(r"[0-9A-Za-z]+")
GLUED = re.compile(r"[a-z](?![0-9A-Za-z])")
FOUR_LETTERS = re.compile(r"[a-zA-Z]{4}")
SENTENCE_ENDS = ".,;:!?'’*_~\"…؟"
BRACKETED = re.compile(r"[\[(]")
# Of a region's plan, who may be called under a number.
NUMBER_KINDS = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "pager", "uan", "voicemail"),
)


def _read_digits(text: str) -> str:
    digits = text.replace(" ", "")
    if digits.isdigit():
        return digits
    # Of bytes, some are deleted and others translated in one.
    return text.encode("ascii", "ignore").translate(LOOKALIKE_BYTES, NO_DIGIT_BYTES).decode()


def _is_luhn(digits: str) -> bool:
    code = digits.encode()
    total = sum(code[-1::-2]) + sum(code[-2::-2].translate(LUHN_DOUBLES)) - len(code) * ord("0")
    return total % 10 == 0 and len(set(code)) > 1


def _has_cue(match: re.Match[str], reading: Reading, cue: Cue) -> bool:
    return reading.has_cue(cue, match.start())


def _find_ends(match: re.Match[str]) -> list[int]:
    """Where the match holds 1, 2, ... letters or digits; 0 in place of an end inside a group of them."""
    string, ends = match.string, []
    for group in GROUP.finditer(string, *match.span()):
        start, end = group.span()
        ends += [0] * (end - start - 1)
        ends.append(end)
    if ends and GROUP.match(string, match.end()) and ends[-1] == match.end():
        ends[-1] = 0
    return ends


def _goes_on_in_group(match: re.Match[str]) -> bool:
    behind = match.string[match.end() : match.end() + 1]
    return behind.isascii() and behind.isalnum()


def _find_place(match: re.Match[str], num_letters: int) -> int:
    """Behind so many letters or digits of a match."""
    for group in GROUP.finditer(match.string, *match.span()):
        start, end = group.span()
        if num_letters <= end - start:
            return start + num_letters
        num_letters -= end - start
    return match.end()


def _ends_before_clitic(reading: Reading, end: int) -> bool:
    """Whether one letter is written onto what ends here: 4984w, "4984 and"."""
    return GLUED.match(reading.text, end) is not None


def take_all(match: re.Match[str], reading: Reading) -> Bounds:
    return match.span()


def take_group(match: re.Match[str], reading: Reading) -> Bounds:
    return match.span(match.lastindex or 0)


def take_first(match: re.Match[str], reading: Reading) -> Bounds:
    return match.span(1)


def _is_account(code: str) -> bool:
    return int((code[4:] + code[:4]).translate(LETTERS_AS_NUMBERS)) % 97 == 1


def check_iban(match: re.Match[str], reading: Reading) -> Bounds | None:
    """An account of a country's length with its check digits; or behind a cue, as many are written wrong."""
    letters = NO_ALPHANUMERIC.sub("", match.group()).upper()
    length = patterns.IBAN_LENGTHS.get(letters[:2])
    if not length or len(letters) < length:
        return None
    letters = letters[:length]
    if sum(map(letters.count, "0123456789O")) < 0.6 * length:
        return None  # Words: even accounts with letters in them are mostly digits.
    end = _find_place(match, length)
    is_inside = GROUP.match(match.string, end) is not None
    is_valid = _is_account(letters) or _is_account(letters[:2] + letters[2:].translate(LETTERS_AS_DIGITS))
    if is_inside and not (is_valid and _ends_before_clitic(reading, end)):
        return None
    is_account = is_valid or _has_cue(match, reading, patterns.BANK_CUE)
    return embrace(match.string, match.start(), end) if is_account else None


def check_rib(match: re.Match[str], reading: Reading) -> Bounds | None:
    """24 digits with the key of their bank; or behind a cue, because many a key is written wrong."""
    is_valid = int(_read_digits(match.group())) % 97 == 0
    is_account = is_valid or _has_cue(match, reading, patterns.BANK_CUE)
    return embrace(match.string, *match.span()) if is_account else None


@functools.lru_cache(maxsize=1 << 16)
def _list_card_lengths(prefix: str, num_digits: int) -> tuple[int, ...]:
    """How long a card's number is that begins with four digits: as its network's are, or all of the digits."""
    networks = patterns.CARD_NETWORKS.get(prefix[0], ())
    listed = [lengths for pattern, lengths in networks if pattern.match(prefix)]
    return tuple(
        length
        for lengths in listed
        for length in lengths
        if length == num_digits or (length == lengths[0] and length < num_digits)
    )


def check_card(match: re.Match[str], reading: Reading) -> Bounds | None:
    """A number of a card's length with Luhn's digit; or behind a cue, with whatever digits."""
    digits = _read_digits(match.group())
    for length in _list_card_lengths(digits[:4], len(digits)):
        is_told = length == len(digits) in LENGTHS_OF_CARDS and _has_cue(match, reading, patterns.CARD_CUE)
        if is_told or _is_luhn(digits[:length]):
            is_whole = length == len(digits)
            if is_whole and (not _goes_on_in_group(match) or _ends_before_clitic(reading, match.end())):
                return embrace(match.string, *match.span())
            end = 0 if is_whole else _find_ends(match)[length - 1]
            if end:
                return embrace(match.string, match.start(), end)
    return None


def _close(match: re.Match[str]) -> Bounds:
    """The bounds of a number with both its outer brackets or neither."""
    start, end = match.span()
    if "(" not in match.group():
        return patterns.begin_number(match), end
    opened = match.group().rfind("(")
    if opened <= match.group().rfind(")"):
        return start, end
    if opened == 0:
        return start + 1, end
    return start, end + (match.string[end : end + 1] == ")")


def _is_row(groups: list[str]) -> bool:
    """Whether groups count up: 05, 06, 07, 08, 09 are days."""
    if len(groups) < 2 or not (groups[0].isdigit() and groups[1].isdigit()) or int(groups[1]) - int(groups[0]) != 1:
        return False
    first = int(groups[0])
    return all(group.isdigit() and int(group) == first + place for place, group in enumerate(groups))


# Between the pairs of digits of a number, as most people write it.
BETWEEN_PAIRS = ("    ", "....", "----")
PAIRS_IN_ROW = frozenset("".join(f"{first + place:02}" for place in range(5)) for first in range(5, 9))
# 06/20, 07/20: what teachers give.
MARKS_OF_TWENTY = re.compile(r"/20(?![0-9])[^/]+[0-9]|[ ,][0-9]{1,2}/20(?![0-9])")

# 0,5 0,6 0,7; 06/12 13/12
DECIMALS = re.compile(r"(?:[0-9][.,][0-9](?: |$)){5}|(?:[0-9]{2}/[01][0-9] ){2}[0-9]{2}|[0-9]{2}/20[0-9]{2} ?-.*")


def check_phone(match: re.Match[str], reading: Reading) -> Bounds | None:
    """A number whose letters are few, and which is no date with an hour behind it and no list of marks."""
    written = match.group()
    if written.isdigit():
        return patterns.begin_number(match), match.end()
    if written[2::3] in BETWEEN_PAIRS:  # What follows is for who writes in other ways.
        digits = written.replace(written[2], "")
        if digits.isdigit() or (digits[0] in "oO" and digits[1:].isdigit()):
            is_sorted = written[:2] <= written[3:5] <= written[6:8] <= written[9:11] <= written[12:]
            is_draw = (is_sorted and _goes_on(match, written[12:])) or _has_cue(match, reading, patterns.GAME_CUE)
            return None if is_draw or digits in PAIRS_IN_ROW else match.span()
    if _is_written_otherwise(match, written):
        return None
    groups = GROUP.findall(written)
    sizes = [*map(len, groups)]
    if sizes[:3] == [2, 2, 4] and groups[2][:2] in ("19", "20"):
        return None
    if _is_row(groups):
        return None
    if max(sizes) == min(sizes) == 2:
        is_sorted = groups == sorted(groups)
        if (is_sorted and _goes_on(match, groups[-1])) or _has_cue(match, reading, patterns.GAME_CUE):
            return None
    return _close(match)


def _is_written_otherwise(match: re.Match[str], written: str) -> bool:
    """Whether there are too many letters in a number, or signs as in a date or in marks."""
    if LETTER.search(written):
        after = match.string[match.end() : match.end() + 1]
        is_word = FOUR_LETTERS.search(written) or (written[-1].isalpha() and after.isalpha())
        if is_word or sum(map(str.isalpha, written)) > 5:
            return True
    gaps = NO_ALPHANUMERIC.findall(written, GROUP.search(written).end())
    if len(gaps) > 2 and gaps[0] == gaps[1] != gaps[2] and gaps[0] in "/.-":
        return True
    if DECIMALS.fullmatch(written):
        return True
    return "/20" in written and MARKS_OF_TWENTY.search(written) is not None


def _goes_on(match: re.Match[str], last_pair: str) -> bool:
    """Whether more pairs in order follow those of a number: of a game's numbers, or of days."""
    more = patterns.MORE_PAIRS.match(match.string, match.end())
    return more is not None and more[1] > last_pair


def check_short_phone(match: re.Match[str], reading: Reading) -> Bounds | None:
    has_cue = _has_cue(match, reading, patterns.PHONE_CUE) and not _has_cue(match, reading, patterns.THING_CUE)
    return match.span() if has_cue else None


@dataclass(frozen=True)
class NumberingPlan:
    """The telephone numbers of a country behind its code."""

    code: str
    numbers: tuple[str, ...]
    lengths: frozenset[int]
    national_prefix: str

    def holds(self, number: str) -> bool:
        """Whether a number, from the country's code on, is one of the plan, or long enough to be a new one."""
        national = number.removeprefix(self.code)
        if self.national_prefix and len(national) - len(self.national_prefix) in self.lengths:
            national = national.removeprefix(self.national_prefix)
        if len(national) not in self.lengths:
            return False
        is_possible = len(number) > 9 and not number.endswith("000")
        return is_possible or self._pattern.fullmatch(national) is not None

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Most numbers are long enough, and to compile the patterns of all countries takes a while.
        return re.compile("|".join(f"(?:{number})" for number in self.numbers))


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
        tuple(sorted(numbers)),
        frozenset(lengths),
        plans[0].national_prefix or "",
    )


@functools.cache
def _find_plan(prefix: str) -> NumberingPlan | None:
    """The plan of numbers that begin with three digits."""
    return _read_plan(prefix[:1]) or _read_plan(prefix[:2]) or _read_plan(prefix)


def check_foreign_phone(match: re.Match[str], reading: Reading) -> Bounds | None:
    """The longest beginning, by groups of digits, that is a number of some country."""
    digits = _read_digits(match.group())
    digits = digits[2:] if match.group()[0] == "0" else digits
    plan = _find_plan(digits[:3])
    if not plan:
        return None
    if GROUP.match(match.string, match.end()) is None and plan.holds(digits):
        return match.span()
    if match.group()[1:].isdigit():
        return None
    ends = _find_ends(match)[-len(digits) :]
    for length in range(len(digits) - 1, 6, -1):
        if ends[length - 1] and plan.holds(digits[:length]):
            return match.start(), ends[length - 1]
    return None


def _close_brackets(link: str) -> str:
    """A link without the signs that end its sentence: a bracket belongs to it if it opened one."""
    link = link.rstrip(SENTENCE_ENDS)
    while link and link[-1] in BRACKETS and link.count(link[-1]) > link.count(BRACKETS[link[-1]]):
        link = link[:-1].rstrip(SENTENCE_ENDS)
    return link


def check_url(match: re.Match[str], reading: Reading) -> Bounds | None:
    string, (start, place) = match.string, match.span(match.lastindex or 0)
    written = string[start:place]
    if net.NOT_A_SITE.fullmatch(written):
        return None
    goes_on = string[place : place + 1] == " " and string[place + 1 : place + 2].isalpha()
    if goes_on and net.SENTENCE.fullmatch(written):
        return None
    return start, start + len(_close_brackets(written))


def check_cin_after_cue(match: re.Match[str], reading: Reading) -> Bounds | None:
    """A number right behind its cue; or further on in the sentence, where it is written as on the card."""
    number = reading.text[slice(*match.span(2))]
    if number[0] in "bdflw" and number[1] == " " and number[2].isdigit():
        return None  # A preposition: "b 25000 dh".
    if not number[-4:].isdigit() and sum(map(str.isdigit, number)) < 4:
        return None
    is_near = patterns.ONLY_CIN_FILLER.fullmatch(match[1])
    return match.span(2) if is_near or patterns.CIN_UNMISTAKABLE.fullmatch(number) else None


def check_paper(match: re.Match[str], reading: Reading) -> Bounds:
    """The number at the end of what was found."""
    number = patterns.PAPER_NUMBER.search(match.string, match.start(), match.end())
    return number.span() if number else match.span()


def check_cin_again(match: re.Match[str], reading: Reading) -> Bounds | None:
    number = reading.text[slice(*match.span(1))]
    return match.span(1) if patterns.CIN_UNMISTAKABLE.fullmatch(number) else None


def check_cin(match: re.Match[str], reading: Reading) -> Bounds | None:
    is_card = match.group()[:2] in patterns.CIN_PREFIXES and not _has_cue(match, reading, patterns.THING_CUE)
    return match.span() if is_card else None


def check_ipv4(match: re.Match[str], reading: Reading) -> Bounds | None:
    address = match.group()
    highest = max(map(int, NO_DIGIT.split(address)))
    if highest > 255 or reading.has_cue(net.VERSION_CUE, match.start(), reach=24):
        return None
    is_small = highest < 100 and not net.KNOWN_IPV4.fullmatch(address)
    if (is_small or " " in address) and not BRACKETED.search(address) and not _has_cue(match, reading, net.IP_CUE):
        return None
    return None if net.VERSION_BEHIND.match(match.string, match.end()) else match.span()


def check_ipv4_after_cue(match: re.Match[str], reading: Reading) -> Bounds | None:
    numbers = [*map(int, filter(None, NO_DIGIT.split(match[1])))]
    return match.span(1) if 99 < max(numbers) < 256 else None


def check_ipv6(match: re.Match[str], reading: Reading) -> Bounds | None:
    address = match[1]
    if not ("::" in address or address.count(":") == 7) or len(address) - address.count(":") < 4:
        return None  # A time, most often.
    try:
        socket.inet_pton(socket.AF_INET6, address)
    except OSError:
        return None
    return match.span(1)
