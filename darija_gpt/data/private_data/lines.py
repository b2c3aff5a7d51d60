"""Private data that begins in one line and ends in another, or is announced in one and stands in the next.

Most people break a number only where the screen ends. So a number in lines is a number if they are read as one: lines
that end and begin with a digit are joined, and what is found in them counts where it stands in both.
"""

import itertools
import re
from collections.abc import Iterable, Iterator

from darija_gpt.data.private_data import checks, net, patterns, secrets
from darija_gpt.data.private_data.phrases import begin as begin_with
from darija_gpt.data.private_data.spans import BLOT, FOLDING, Bounds, FoldedLine, Reading, Span


# More than a number in two lines takes.
SPLIT_REACH = 64
# Of more lines that end and begin with digits, the numbers are those of a table.
MOST_LINES, LONGEST_PART = 8, 40
# A number that stops short in one line, and its rest in the next: read as it was written.
SPLIT_PHONE = re.compile(
    r"[0٠](?<![\w+.,/\-].)(?: ?\n ?|[ .\-]?)[5-7٥-٧](?:[ .\-]? ?\n ?\d|[ .\-]?\d){8}"
    r"(?!\d|[ .\-]\d++(?![^\W\d_])|[^\W\d_])"
)
_HOST = r"(?:[a-z0-9][a-z0-9\-]{0,40}+\.){1,3}(?:com|fr|net|org|ma|edu|me|eu|info|io|co)(?![\w\-])"
SPLIT_EMAIL = re.compile(
    rf"[a-z0-9_](?<![\w.+%\-].)[\w.+%\-]{{0,63}}+(?: ?@ ?\n ?{_HOST}| ?\n ?@ ?{_HOST}"
    r"|@[a-z0-9][a-z0-9\-]{0,40}+(?: ?\. ?\n ?| ?\n ?\. ?)(?:com|fr|net|org|ma)(?![\w\-]))",
    re.IGNORECASE,
)
# Where one line of a number ends and the next begins.
BREAK = re.compile(r"\d[ .,\-_/|*·•~]{0,3}\n[ .\-_/|*·•~(]{0,3}\d")
WHOLE_PHONE = re.compile(r"[^\w]*[0٠][ .\-]?[5-8٥-٨](?:[ .\-]?\d){8}[^\w]*")
GROUPS = re.compile(r"\d+")
# A line that ends with a cue and a sign, and one that is nothing but what it announces.
_SECRET_CUE = (
    r"[cokrmpwقكرل](?<![^\Wlال].)(?:(?<=c)(?:ode|in|nie)|(?<=o)tp|(?<=k)od|(?<=m)dp|(?<=m)ot de passe|(?<=m)od ?pass?|"
    r"(?<=p)(?:in|wd?|ass(?:word)?)|(?<=w)i-?fi|(?<=ك)(?:ود|لمة السر|لمة المرور)|(?<=ر)مز|"
    r"(?<=ر)قم سري|(?<=ر)قم السري|(?<=ق)ن سري|(?<=ق)ن السري|(?<=ل)كود)(?!\w)"
)
_ANNOUNCED = r"[^\n:=]{0,40}+(?:[:=]|[\U0001f447\u2b07]\ufe0f?) ?\n{1,2} ?([^\s:]{4,40}|\d{3}[ \-]\d{3})"
# Without a sign, as where somebody asks and is told, it is a short number, but of no column of them, or a word with a
# digit in it.
_ANSWER = r"(?:\d{4,8}|\d{3}[ \-]\d{3}|[a-z]{1,2} \d{5,6}|(?=[^\s\d]*\d)(?=[^a-z\s]*[a-z])[a-z0-9][\w!@#$%&*\-]{3,19})"
_ANSWERED = rf"[^\n]{{0,48}}+\n{{1,2}} ?({_ANSWER})(?! ?\n ?\d+ ?(?:\n|\Z))"
ANNOUNCED = re.compile(rf"{_SECRET_CUE}(?:{_ANNOUNCED}|{_ANSWERED}) ?(?=\n|\Z)", re.IGNORECASE)
_ALPHANUMERIC = r"[^\W_]"
_NUMBER_CUES = (
    "rib|lrib|iban|liban|compte|lcompte|n compte|l7sab|7sab|carte|la carte|lacarte|lcarte|lakart|lkarta|cb|visa|"
    "mastercard|cvv|cvc|tel|tél|ltel|telephone|téléphone|portable|gsm|whatsapp|num|lnum|numero|numéro|nmra|lnmra|nmrti|"
    "nemra|nemrti|nmrtk|nemrtk|ra9m|ra9mk|nimero|cnss|mtcn|code wafacash|code cashplus|code cash plus|ip|lip|"
    "الريب|ريب|الحساب|رقم الحساب|الكارط|لاكارط|البطاقة|رقم|الرقم|رقمك|نمرة|النمرة|نمرتي|نمرتك|الهاتف|التيليفون|واتساب"
)
# A number below the word for it, with or without a sign.
ANNOUNCED_NUMBER = re.compile(
    rf"{begin_with(_NUMBER_CUES, _ALPHANUMERIC)}(?!{_ALPHANUMERIC})(?: (?:dyal|dial|ta3|ديال)\w{{0,3}})?"
    rf"[ :=\U0001f447\u2b07\ufe0f]{{0,4}}\n{{1,2}} ?"
    r"(\+?\d(?:\d|[ .\-/]\d){2,30}) ?(?=\n|\Z)",
    re.IGNORECASE,
)
NUMBER_BELOW = re.compile(r"\n ?\+?\d[\d .\-/]{1,60}\d ?(?=\n|\Z)")
ANNOUNCING = re.compile(rf"[:=\U0001f447\u2b07]\ufe0f? ?\n|\n ?{_ANSWER} ?(?=\n|\Z)", re.IGNORECASE)
WITHOUT_QUESTION = str.maketrans("?؟", "  ")
# As of a line; the pattern of a secret reads what is announced.
NUMBERS = (
    ("IBAN", patterns.IBAN, checks.check_iban, False),
    ("RIB", patterns.RIB, checks.check_rib, True),
    ("CARD", patterns.CARD, checks.check_card, True),
    ("PHONE", patterns.MOROCCAN_PHONE, checks.check_phone, True),
    ("GPS", net.GPS, checks.take_group, True),
)
# What a cue on the line above tells.
WITH_CUES = (
    ("RIB", patterns.RIB, checks.check_rib, True),
    ("CARD", patterns.CARD, checks.check_card, True),
    ("CARD", patterns.CARD_CODE, checks.take_first, False),
    ("RIB", patterns.ACCOUNT_AFTER_CUE, checks.take_first, False),
    ("OTP", secrets.TRANSFER_CODE, checks.take_first, False),
    ("PHONE", patterns.SHORT_PHONE, checks.check_short_phone, False),
    ("CIN", patterns.PAPER_AFTER_CUE, checks.check_paper, False),
    ("IP", net.IPV4_AFTER_CUE, checks.check_ipv4_after_cue, False),
)
SECRETS = (
    ("PASSWORD", secrets.PASSWORD, secrets.check_password, False),
    ("PASSWORD", secrets.PASSWORD_FAR, secrets.check_unmistakable, False),
    ("CIN", patterns.CIN_AFTER_CUE, checks.check_cin_after_cue, False),
    ("OTP", secrets.OTP_AFTER_CUE, secrets.check_code, True),
)


def check_split_phone(match: re.Match[str]) -> Bounds | None:
    """A number in two lines or more, but no column of numbers."""
    lines = [checks.NO_DIGIT.sub("", line.translate(FOLDING)) for line in match.group().split("\n")]
    sizes = {len(line) for line in lines}
    if len(lines) < 2 or (min(sizes) < 2 and sizes != {1}):
        return None
    if len(lines) == 2 and len(lines[0]) < 4:
        return None
    return None if len(lines) > 2 and lines == sorted(lines, key=int) else match.span()


def _find_numbers_before(text: str, floor: int, place: int) -> Iterator[Span]:
    """Numbers of two lines that end where others begin: each is a number once the one behind it is none of it."""
    while True:
        begin = max(floor, place - SPLIT_REACH)
        before = (text[begin - 1] if begin > floor else BLOT) + text[begin:place] + BLOT
        for match in SPLIT_PHONE.finditer(before):
            start, end = match.span()
            if "\n" in match.group() and end >= len(before) - 3 and check_split_phone(match):
                break
        else:
            return
        yield start + begin - 1, end + begin - 1, "PHONE"
        place = start + begin - 1


def _find_phones(text: str) -> list[Span]:
    bounds = filter(None, map(check_split_phone, SPLIT_PHONE.finditer(text)))
    spans = [(*found, "PHONE") for found in bounds]
    floors = (0, *(end for _, end, _ in spans))
    before = [_find_numbers_before(text, floor, span[0]) for floor, span in zip(floors, spans, strict=False)]
    return sorted(itertools.chain(spans, *before))


def _find_blocks(text: str) -> Iterator[Bounds]:
    """Lines that end and begin with digits, as far as a number reaches."""
    first = last = num_breaks = 0
    for match in BREAK.finditer(text):
        place = text.index("\n", match.start())
        if num_breaks and (place - last > LONGEST_PART or text.find("\n", last + 1, place) >= 0):
            if num_breaks < MOST_LINES:
                yield _reach(text, first, last)
            num_breaks = 0
        first, last, num_breaks = place if not num_breaks else first, place, num_breaks + 1
    if 0 < num_breaks < MOST_LINES:
        yield _reach(text, first, last)


def _reach(text: str, first: int, last: int) -> Bounds:
    end = text.find("\n", last + 1, last + SPLIT_REACH)
    begin = max(text.rfind("\n", 0, first) + 1, first - SPLIT_REACH)
    return begin, end if end >= 0 else min(len(text), last + SPLIT_REACH)


def _find_joined(text: str, begin: int, end: int, detectors: Iterable[tuple]) -> Iterator[Span]:
    """What stands in lines that are read as one."""
    line = BLOT + text[begin:end].replace("\n", " ")
    folded = FoldedLine.fold(line)
    reading = Reading.read(folded.text)
    for kind, pattern, check, is_cased in detectors:
        for match in pattern.finditer(reading.text if is_cased else reading.lowered):
            bounds = check(match, reading)
            if bounds:
                reading = reading.blot([bounds])
                start, stop = folded.find_bounds(*bounds, line)
                yield start + begin - 1, stop + begin - 1, kind


def _is_of_table(text: str, start: int, end: int) -> bool:
    """Whether the digits of a card are in small groups, or a line before or behind them has groups like theirs."""
    *groups, _ = GROUPS.findall(text[start:end])
    if min(map(len, groups), default=4) < 4:
        return True
    lines = [_measure_groups(line) for line in text[start:end].split("\n")]
    before = text[max(0, start - SPLIT_REACH) : start].split("\n")
    behind = text[end : end + SPLIT_REACH].split("\n")
    neighbours = [before[-2] if len(before) > 1 and not before[-1].strip() else ""]
    neighbours += [behind[1] if len(behind) > 1 and not behind[0].strip() else ""]
    return any(_measure_groups(line) in lines for line in neighbours)


def _measure_groups(line: str) -> list[int]:
    return [len(group) for group in GROUPS.findall(line)]


def _find_numbers(text: str) -> Iterator[Span]:
    for begin, end in _find_blocks(text):
        for span in _find_joined(text, begin, end, NUMBERS):
            start, end, kind = span
            parts = text[start:end].split("\n")
            if len(parts) == 1 or any(map(WHOLE_PHONE.fullmatch, parts)):
                continue
            if kind != "CARD" or not _is_of_table(text, start, end):
                yield span


def _find_announced_numbers(text: str) -> Iterator[Span]:
    if not NUMBER_BELOW.search(text):
        return
    text = text.translate(WITHOUT_QUESTION)
    for match in ANNOUNCED_NUMBER.finditer(text):
        if WHOLE_PHONE.fullmatch(match[1]):
            continue
        for start, end, kind in _find_joined(text, match.start(), match.end(), WITH_CUES):
            if start >= match.start(1):
                yield start, end, kind


def _find_announced(text: str) -> Iterator[Span]:
    if not ANNOUNCING.search(text):
        return
    text = text.translate(WITHOUT_QUESTION)
    for match in ANNOUNCED.finditer(text):
        for start, end, kind in _find_joined(text, match.start(), match.end(), SECRETS):
            if start == match.start(match.lastindex):
                yield start, end, kind


def _keep_first(spans: Iterable[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(spans):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def find_across_lines(text: str) -> list[Span]:
    """What stands in more than one line of a text as it was written, or is announced in the line before; sorted."""
    if "\n" not in text:
        return []
    spans = _find_phones(text)
    spans += ((*match.span(), "GPS") for match in net.SPLIT_GPS.finditer(text))
    if "@" in text:
        spans += ((*match.span(), "EMAIL") for match in SPLIT_EMAIL.finditer(text))
    spans += _find_numbers(text)
    spans += _find_announced_numbers(text)
    spans += _find_announced(text)
    return _keep_first(spans)
