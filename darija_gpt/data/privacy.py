"""Private data in chat text: found, and replaced by placeholders.

A line without two digits near each other, an @, a dotted word or a cue word holds nothing to find, and most lines are
such. The others are folded first: any Unicode digit becomes ASCII, full-width letters too, and what cannot be seen
goes, so that one pattern reads every way of hiding a number. A pattern only proposes; a checksum, a numbering plan or
the words around it decide. What is found is blotted out for the patterns that follow.
"""

import functools
import ipaddress
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import phonenumbers

from darija_gpt.data import privacy_patterns as patterns


@dataclass(frozen=True, slots=True)
class PiiSpan:
    """A piece of private data: `text[start:end]`, in code points, and its type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True)
class Person:
    """A participant, and the known spellings of the name in either script."""

    name: str
    forms: tuple[str, ...]


# What a pattern found, or the part of it that is private.
Bounds = tuple[int, int]
Check = Callable[[re.Match[str]], Bounds | None]

BLOT = "\n"  # No pattern crosses the end of a line.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u0610-\u061a\u061c\u0640\u064b-\u065f\u0670\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u20e3\ufe00-\ufe0f\ufeff]+"
)
LUHN_DOUBLES = str.maketrans("0123456789", "0246813579")
NO_LETTER = re.compile(r"[^0-9A-Za-z]+")
NO_DIGIT = re.compile(r"[^0-9]+")
TRIGGER = re.compile(r"[\d@＠](?:(?<=[@＠])|\W{0,4}\d)|[\w\-][.．][a-zA-Z]|://")
SINGLE_DIGIT = re.compile(r"(?<![^\W_])\d|[tmcnTMCN]\d\b")  # rue 5, imm4, but not zn9a
# Words of private data that needs no two digits side by side, on lower-cased text.
TRIGGER_WORDS = (
    *("pass", "mdp", "pwd", "wifi", "wi-fi", "arob", "arrob", "[at", "(at", " at ", "zero", "zéro", "sifr", "صفر"),
    *("كلمة", "كلمه", "باسو", "الباس", "ويفي", "واي فاي", "مودباس", "دو باس", "سري", "روباز", "[ات", "(ات"),
)
HOUSE_WORDS = (
    *(
        "rue",
        "av",
        "bd",
        "bld",
        "bvd",
        "blvd",
        "boul",
        "hay",
        "7ay",
        "quart",
        "derb",
        "zan",
        "zen",
        "zn",
        "imm",
        "apt",
    ),
    *("app", "imp", "lot", "rés", "res", "all", "شارع", "زنق", "حي", "درب", "قامة", "تجزئة", "عمارة", "شقة", "douar"),
    *("دوار", "زقاق", "ممر", "bloc"),
)


class _Folding(dict):
    """Code point -> the ASCII character it stands for, found out when it is first seen."""

    def __missing__(self, code: int) -> str | int:
        character = chr(code)
        folded: str | int = code
        if character.isdecimal():
            folded = str(unicodedata.decimal(character))
        elif (
            unicodedata.category(character) in ("Pd", "Zs") or character in "−\t\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
        ):
            folded = "-" if unicodedata.category(character) in ("Pd", "Sm") else " "
        else:
            plain = unicodedata.normalize("NFKC", character)
            folded = plain if len(plain) == 1 and plain.isascii() and plain != BLOT else code
        self[code] = folded
        return folded


FOLDING = _Folding()


def _blot(text: str, bounds: Iterable[Bounds]) -> str:
    pieces, last = [], 0
    for start, end in bounds:
        pieces += text[last:start], BLOT * (end - start)
        last = end
    return "".join([*pieces, text[last:]])


@dataclass(frozen=True)
class _Folded:
    """A line as the patterns read it, and where its characters stood."""

    text: str
    cuts: list[int]  # places in the folded line before which something invisible stood
    shifts: list[int]  # by how much the characters from there on have moved

    @classmethod
    def fold(cls, line: str) -> "_Folded":
        line = line.translate(FOLDING) if not line.isascii() or "\t" in line else line
        line = _blot(line, (match.span() for match in patterns.PLACEHOLDER.finditer(line)) if "[" in line else ())
        cuts, shifts, pieces, last, length = [], [], [], 0, 0
        for match in INVISIBLE.finditer(line) if not line.isascii() else ():
            pieces.append(line[last : match.start()])
            length += match.start() - last
            last = match.end()
            cuts.append(length)
            shifts.append(last - length)
        return cls("".join([*pieces, line[last:]]), cuts, shifts)

    def find_origin(self, place: int) -> int:
        cut = bisect_right(self.cuts, place)
        return place + (self.shifts[cut - 1] if cut else 0)


def _read_digits(text: str) -> str:
    return NO_DIGIT.sub("", text.translate(patterns.LOOKALIKES))


def _is_luhn(digits: str) -> bool:
    total = sum(map(int, digits[-1::-2] + digits[-2::-2].translate(LUHN_DOUBLES)))
    return total % 10 == 0 and len(set(digits)) > 1


def _has_cue(match: re.Match[str], cue: re.Pattern[str], reach: int = 50) -> bool:
    return cue.search(match.string, max(0, match.start() - reach), match.start()) is not None


def _whole(match: re.Match[str]) -> Bounds:
    return match.span()


def _last_group(match: re.Match[str]) -> Bounds:
    return match.span(match.lastindex or 0)


def _find_ends(match: re.Match[str]) -> list[int]:
    """Where the match holds 1, 2, ... letters or digits; 0 in place of an end inside a group of them."""
    string, ends = match.string, []
    for place in range(match.start(), match.end()):
        if string[place].isalnum():
            is_end = place + 1 == len(string) or not (string[place + 1].isascii() and string[place + 1].isalnum())
            ends.append(place + 1 if is_end else 0)
    return ends


def _check_iban(match: re.Match[str]) -> Bounds | None:
    length = patterns.IBAN_LENGTHS.get(match.group()[:2].upper())
    if not length:
        return None
    letters = NO_LETTER.sub("", match.group()).upper()[:length]
    if len(letters) < length or sum(map(letters.count, "0123456789O")) < 0.6 * length:
        return None  # Words: even accounts with letters in them are mostly digits.
    end = _find_ends(match)[length - 1]
    variants = (letters, letters[:2] + letters[2:].replace("O", "0").replace("I", "1").replace("L", "1"))
    is_valid = any(int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1 for code in variants)
    return (match.start(), end) if end and (is_valid or _has_cue(match, patterns.BANK_CUE)) else None


def _check_rib(match: re.Match[str]) -> Bounds | None:
    is_valid = int(_read_digits(match.group())) % 97 == 0
    return match.span() if is_valid or _has_cue(match, patterns.BANK_CUE) else None


def _check_card(match: re.Match[str]) -> Bounds | None:
    digits = _read_digits(match.group())
    for prefix, lengths in patterns.CARD_NETWORKS:
        for length in lengths if prefix.match(digits) else ():
            is_whole = length == lengths[0] or length == len(digits)
            if length <= len(digits) and is_whole and _is_luhn(digits[:length]):
                end = _find_ends(match)[length - 1]
                if end:
                    return match.start(), end
    return None


def _check_phone(match: re.Match[str]) -> Bounds | None:
    """A number whose letters are few, and which is no date with an hour behind it."""
    written = match.group()
    digits = _read_digits(written)
    letters = sum(letter.isalpha() or letter == "|" for letter in written)
    after = match.string[match.end() : match.end() + 1]
    if letters > 5 or re.search(r"[a-zA-Z]{4}", written) or (written[-1].isalpha() and after.isalpha()):
        return None
    if patterns.SERVICE_NUMBER.match(digits):
        return None
    groups = re.split(r"[ .\-/_*~()·•]+", written)
    separators = re.findall(r"[ .\-/_*~()·•]+", written)
    if [len(group) for group in groups[:3]] == [2, 2, 4] and groups[2][:2] in ("19", "20"):
        return None
    if len(groups) > 3 and separators[0] == separators[1] != separators[2] and separators[0] in "/.-":
        return None
    return match.span()


@functools.lru_cache(maxsize=4096)
def _is_foreign_number(number: str) -> bool:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) or (
        len(number) > 10 and not number.endswith("000") and phonenumbers.is_possible_number(parsed)
    )


def _check_foreign_phone(match: re.Match[str]) -> Bounds | None:
    """The longest beginning, by groups of digits, that is a number of some country."""
    digits = _read_digits(match.group())
    digits = digits[2:] if match.group()[0] == "0" else digits
    ends = _find_ends(match)[-len(digits) :]
    for length in range(len(digits), 6, -1):
        if ends[length - 1] and _is_foreign_number(f"+{digits[:length]}"):
            return match.start(), ends[length - 1]
    return None


def _trim(match: re.Match[str], punctuation: str, group: int = 0) -> Bounds:
    start, end = match.span(group)
    return start, start + len(match.string[start:end].rstrip(punctuation))


def _check_url(match: re.Match[str]) -> Bounds | None:
    if patterns.NOT_A_SITE.fullmatch(match.group()):
        return None
    start, end = _trim(match, ".,;:!?'’*_~\"…؟")
    if match.string[start:end].count(")") > match.string[start:end].count("("):
        end = start + len(match.string[start:end].rstrip(")].,"))
    return start, end


def _check_map_link(match: re.Match[str]) -> Bounds | None:
    return _check_url(match) if patterns.MAP_LINK.search(match.group()) else None


def _check_cin(match: re.Match[str]) -> Bounds | None:
    is_card = match[1] in patterns.CIN_PREFIXES and not _has_cue(match, patterns.THING_CUE)
    return match.span() if is_card else None


def _check_ip(match: re.Match[str]) -> Bounds | None:
    address = match.group().replace("[.]", ".")
    if ":" in address and not (address.count(":") == 7 or "::" in address):
        return None  # A time, most often.
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return None
    is_short = ":" in address and sum(letter.isalnum() for letter in address) < 4
    return None if is_short or _has_cue(match, patterns.VERSION_CUE) else match.span()


def _check_password(match: re.Match[str]) -> Bounds | None:
    """What stands after a colon, or looks like no word."""
    cue, link, value = match.groups()
    bounds = _trim(match, ".,;:)»”'؟?،", 3)
    value = match.string[bounds[0] : bounds[1]]
    if len(value) < 4 or patterns.NOT_A_PASSWORD.fullmatch(value) or "://" in value:
        return None
    if patterns.EMAIL.fullmatch(value):
        return None
    num_digits = sum(letter.isdigit() for letter in value)
    is_strange = num_digits >= 2 or any(letter in "@#$%&*+=!_" for letter in value[:-1])
    is_strange = is_strange and (len(value) >= 6 or (value.isdigit() and len(value) >= 4))
    if link.strip() in ("", "rah", "raha", "راه"):
        return bounds if is_strange and (cue or any(letter.isalpha() for letter in value)) else None
    is_written_out = cue and not link.strip()[-1].isalpha() and value.isascii() and len(value) >= 5
    return bounds if is_strange or is_written_out or (cue and num_digits) else None


def _check_address(match: re.Match[str]) -> Bounds | None:
    """A way with a number; of houses and flats, two numbers."""
    text = match.group()
    is_address = patterns.HOUSE_DIGIT.search(text) and patterns.HOUSE_CUE.search(text)
    return match.span() if is_address and not patterns.COUNTED_AREA.fullmatch(text) else None


@dataclass(frozen=True)
class Detector:
    """A type of private data, its pattern, what decides on a match, and what a line must hold to be searched."""

    type: str
    pattern: re.Pattern[str]
    check: Check = _whole
    gate: re.Pattern[str] | None = None


# In the order in which they are asked: who comes first takes the text.
DETECTORS = (
    Detector("PASSWORD", patterns.PASSWORD, _check_password),
    Detector("GPS", patterns.URL, _check_map_link, gate=patterns.MAP_LINK),
    Detector("EMAIL", patterns.EMAIL, gate=patterns.AT_SIGN),
    Detector("URL", patterns.URL, _check_url, gate=patterns.DOTTED),
    Detector("IBAN", patterns.IBAN, _check_iban),
    Detector("RIB", patterns.RIB, _check_rib),
    Detector("GPS", patterns.GPS),
    Detector("MENTION", patterns.MENTION),
    Detector("PHONE", patterns.MOROCCAN_PHONE, _check_phone),
    Detector("PHONE", patterns.NATIONAL_PHONE, _check_phone),
    Detector("CARD", patterns.CARD, _check_card),
    Detector("PHONE", patterns.FOREIGN_PHONE, _check_foreign_phone),
    Detector("PHONE", patterns.PHONE_AFTER_CUE, _last_group),
    Detector("PHONE", patterns.SPOKEN_PHONE),
    Detector("IP", patterns.IPV4, _check_ip),
    Detector("IP", patterns.IPV6, _check_ip),
    Detector("CIN", patterns.CIN_AFTER_CUE, _last_group),
    Detector("CIN", patterns.CIN_BARE, _check_cin),
    Detector("OTP", patterns.OTP_AFTER_CUE, _last_group),
    Detector("OTP", patterns.OTP_BEFORE_CUE, _last_group),
    Detector("OTP", patterns.GOOGLE_CODE),
    Detector("ADDRESS", patterns.ADDRESS, _check_address, gate=patterns.HOUSE_DIGIT),
)


def _find_matches(pattern: re.Pattern[str], check: Check, text: str) -> Iterator[Bounds]:
    """Matches that pass. In one that fails, the next group may begin another; not so where each digit is a group."""
    place = 0
    while match := pattern.search(text, place):
        bounds = check(match)
        if bounds:
            yield bounds
            place = bounds[1]
        else:
            place = match.start() + 1 if text[match.start() + 1].isalnum() else match.end()


def _find_in_line(line: str) -> Iterator[PiiSpan]:
    mentions = [match.span() for match in patterns.ISOLATED_MENTION.finditer(line)]
    yield from (PiiSpan(start, end, "MENTION") for start, end in mentions)
    folded = _Folded.fold(_blot(line, mentions) if mentions else line)
    text = folded.text
    for detector in DETECTORS:
        if detector.gate and not detector.gate.search(text):
            continue
        found = list(_find_matches(detector.pattern, detector.check, text))
        for start, end in found:
            yield PiiSpan(folded.find_origin(start), folded.find_origin(end - 1) + 1, detector.type)
        if found:
            text = _blot(text, found)


def _may_hold_pii(line: str) -> bool:
    if TRIGGER.search(line):
        return True
    lowered = line.lower()
    if any(word in lowered for word in TRIGGER_WORDS):
        return True
    return SINGLE_DIGIT.search(line) is not None and any(word in lowered for word in HOUSE_WORDS)


def find_pii(text: str) -> list[PiiSpan]:
    """What identifies or endangers a person in a text, names apart.

    Args:
        text (`str`):
            Any text, in one line or many. Placeholders in it are left alone.

    Returns:
        `list[PiiSpan]`: sorted, none overlapping another, in code points of `text`, each of type PHONE, EMAIL, IBAN,
        RIB, CARD, CIN, URL, GPS, MENTION, OTP, PASSWORD, IP or ADDRESS.
    """
    spans, offset = [], 0
    for line in text.split("\n"):
        if _may_hold_pii(line):
            found = sorted(_find_in_line(line), key=lambda span: span.start)
            spans += [PiiSpan(span.start + offset, span.end + offset, span.type) for span in found]
        offset += len(line) + 1
    return spans


ARABIC_VARIANTS = str.maketrans("أإآٱىةگڭڤ", "اااايهككف")
LATIN_CLITIC = r"(?:[ldbfw]['’\-]?)?"
ARABIC_CLITIC = "[وفبلك]{0,2}(?:ال)?[أاآ]?"
WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")


@functools.lru_cache(maxsize=65536)
def _fold_letter(letter: str) -> str:
    """A letter without case and marks, one for one: É is e, أ is ا."""
    base = unicodedata.normalize("NFKD", letter)[:1].lower().translate(ARABIC_VARIANTS)
    return base if len(base) == 1 else letter


def _fold_name(text: str) -> str:
    if text.isascii():
        return text.lower()
    return "".join(map(_fold_letter, text))


def _write_elongated(form: str) -> str:
    """A pattern for a form whose letters may be drawn out: Yassine, Yassiiine."""
    drawn, marks = [], r"[\u0640\u064b-\u0652\u0300-\u036f]{0,4}"
    for run in re.finditer(r"(.)\1*", form):
        letter = re.escape(run[1])
        if not run[1].isalnum():
            drawn.append(r"[ '’_\-]{0,2}")
        elif run[1].isascii() or not marks:
            drawn.append(
                f"{letter}{{{len(run[0])}}}{letter}*+" if len(form) > 3 else f"{run[0]}(?:{letter}{letter}++)?+"
            )
        else:
            drawn.append(f"{letter}{{{len(run[0])},}}+{marks}")
    return "".join(drawn)


class _Names:
    """The pattern of all forms of a roster, and whose each form is."""

    def __init__(self, roster: tuple[Person, ...]):
        self.people: dict[str, str] = {}  # form, as folded and with each letter once -> name
        self.surnames: set[str] = set()
        forms = set()
        for person in roster:
            for form in (person.name, *person.forms):
                folded = _fold_name(INVISIBLE.sub("", form)).strip()
                if len(folded) < 2 or not any(letter.isalpha() for letter in folded):
                    continue
                forms.add(folded)
                self.people.setdefault(self._reduce(folded), person.name)
                self.surnames.update(word for word in folded.split()[1:] if len(word) > 2)
        ordered = sorted(forms, key=len, reverse=True)
        latin = "|".join(_write_elongated(form) for form in ordered if form[0].isascii())
        other = "|".join(_write_elongated(form) for form in ordered if not form[0].isascii())
        alternatives = []
        if latin:
            alternatives.append(rf"(?<![^\W_]){LATIN_CLITIC}({latin})(?![^\W_])")
        if other:
            alternatives.append(rf"(?<![^\W_]){ARABIC_CLITIC}({other})(?![^\W_])")
        self.pattern = re.compile("|".join(alternatives) or r"(?!)")

    @staticmethod
    def _reduce(folded: str) -> str:
        return re.sub(r"[\W_\u0640\u064b-\u0652\u0300-\u036f]+|(.)(?=\1)", "", folded)

    def find_person(self, found: str) -> str:
        return self.people[self._reduce(_fold_name(found))]

    def find(self, text: str) -> Iterator[Bounds]:
        folded = _fold_name(text)
        for match in self.pattern.finditer(folded):
            start, end = match.span(match.lastindex or 0)
            form = folded[start:end]
            is_ordinary = re.sub(r"(.)\1{2,}", r"\1", INVISIBLE.sub("", form)) in patterns.ORDINARY_WORDS
            if not is_ordinary or self._is_evident(text, folded, match.start(), start, end):
                yield start, end

    def _is_evident(self, text: str, folded: str, clitic: int, start: int, end: int) -> bool:
        """Whether what is a word too is a name here: it is called, greeted, written large, or has a family name."""
        window = folded[max(0, clitic - 40) : clitic]
        before = window.rstrip(" ,")
        words = WORD.findall(before)
        previous = words[-1] if words and before.endswith(words[-1]) else ""
        following = WORD.match(text, end + 1) if text[end : end + 1] == " " else None
        after = _fold_name(following.group()) if following else ""
        if previous in patterns.VOCATIVES or after in self.surnames or after in patterns.VERBS:
            return True
        if text[clitic:start] in ("أ", "آ", "ا"):
            return True
        is_large = text[start].isupper() and not text[start:end].isupper()
        if is_large and (following and following.group()[0].isupper() and not following.group().isupper()):
            return True
        return is_large and bool(previous) and text[clitic - 2 : clitic - 1] not in (".", "!", "?", "\n", ":")


@functools.lru_cache(maxsize=16)
def _build_names(roster: tuple[Person, ...]) -> _Names:
    return _Names(roster)


def find_names(text: str, roster: Sequence[Person]) -> list[PiiSpan]:
    """Where a text names the people of a chat.

    Case, accents, drawn-out letters and clitics do not hide a name. A form that is a word too (nour, "light") counts
    only where something around it says that a person is meant.

    Args:
        text (`str`):
            Any text.
        roster (`Sequence[Person]`):
            The people to find. Forms of one or two letters are better left out.

    Returns:
        `list[PiiSpan]`: of type NAME, sorted, none overlapping another, without clitics.
    """
    return [PiiSpan(start, end, "NAME") for start, end in _build_names(tuple(roster)).find(text)]


def _replace(text: str, roster: tuple[Person, ...], pseudonyms: Mapping[str, str]) -> str:
    spans = find_pii(text)
    if roster:
        blotted = _blot(text, ((span.start, span.end) for span in spans)) if spans else text
        blotted = _blot(blotted, (match.span() for match in patterns.PLACEHOLDER.finditer(blotted)))
        spans = sorted(spans + find_names(blotted, roster), key=lambda span: span.start)
    pieces, last = [], 0
    for span in spans:
        pieces.append(text[last : span.start])
        found = text[span.start : span.end]
        is_known = span.type == "NAME" and pseudonyms
        pieces.append(
            pseudonyms.get(_build_names(roster).find_person(found), "[NAME]") if is_known else f"[{span.type}]"
        )
        last = span.end
    return "".join([*pieces, text[last:]])


def scrub(text: str, roster: Sequence[Person] = (), pseudonyms: Mapping[str, str] | None = None) -> str:
    """A text without private data.

    Args:
        text (`str`):
            Any text.
        roster (`Sequence[Person]`, *optional*):
            People whose names are to be replaced, too.
        pseudonyms (`Mapping[str, str]`, *optional*):
            `Person.name` -> what stands for it. A name without one becomes `[NAME]`.

    Returns:
        `str`: the text with a placeholder such as `[PHONE]` in place of each span. Scrubbed again, it stays as it is.

    Raises:
        ValueError: If a pseudonym is itself private data, or a name of the roster.
    """
    roster, pseudonyms = tuple(roster), pseudonyms or {}
    for name, pseudonym in pseudonyms.items():
        if _replace(pseudonym, roster, {}) != pseudonym:
            raise ValueError(
                f"The pseudonym of person {list(pseudonyms).index(name)} would be scrubbed itself; change it."
            )
    # A replacement may bare what stood beside it: "a@b.ma@cd" is an e-mail first and a mention then.
    lines = text.split("\n")
    for number, line in enumerate(lines):
        while (scrubbed := _replace(line, roster, pseudonyms)) != line:
            line = scrubbed
        lines[number] = line
    return "\n".join(lines)
