"""Telephone numbers said in words: "zéro six soixante et un, 48 ..." in French, Darija, Arabic and English.

The patterns read folded text in lower case.
"""

import itertools
import re

from darija_gpt.data.private_data.patterns import begin_number
from darija_gpt.data.private_data.phrases import begin, either
from darija_gpt.data.private_data.spans import Bounds, Reading


NUMERALS = {
    **dict.fromkeys(("zero", "zéro", "sifr", "sifer", "sfer", "صفر", "o", "oh"), 0),
    **dict.fromkeys(("un", "une", "one", "wahd", "wa7id", "wahid", "wa7d", "wahed", "wa7ed", "واحد"), 1),
    **dict.fromkeys(
        (
            "deux",
            "two",
            "jouj",
            "juj",
            "joj",
            "zouj",
            "جوج",
            "زوج",
            "اثنين",
            "اتنين",
            "اثنان",
            "اتنان",
            "تنين",
            "ثنين",
            "tnayn",
            "tnin",
        ),
        2,
    ),
    **dict.fromkeys(
        ("trois", "three", "tlata", "talata", "thalatha", "tlat", "تلاتة", "ثلاثة", "تلاته", "ثلاثه", "ثلاث"), 3
    ),
    **dict.fromkeys(
        (
            "quatre",
            "four",
            "rb3a",
            "arba3a",
            "reb3a",
            "arb3a",
            "rab3a",
            "ربعة",
            "أربعة",
            "اربعة",
            "ربعه",
            "أربع",
            "اربع",
        ),
        4,
    ),
    **dict.fromkeys(("cinq", "five", "khmsa", "khamssa", "khamsa", "5amsa", "5msa", "خمسة", "خمسه", "خمس"), 5),
    **dict.fromkeys(("six", "stta", "sta", "setta", "sitta", "sita", "seta", "sata", "ستة", "سته", "ست"), 6),
    **dict.fromkeys(("sept", "seven", "sb3a", "seb3a", "sab3a", "سبعة", "سبعه", "سبع"), 7),
    **dict.fromkeys(
        (
            "huit",
            "eight",
            "tmnya",
            "tmnia",
            "thamania",
            "tmenya",
            "tmanya",
            "tmania",
            "تمنية",
            "ثمانية",
            "تمانية",
            "ثماني",
            "ثمان",
        ),
        8,
    ),
    **dict.fromkeys(
        (
            "neuf",
            "nine",
            "ts3od",
            "tis3a",
            "tes3od",
            "ts3oud",
            "ts3ud",
            "tes3a",
            "ts3a",
            "تسعود",
            "تسعة",
            "تسعه",
            "تسع",
        ),
        9,
    ),
    **dict.fromkeys(("dix", "ten", "3chra", "3achra", "عشرة"), 10),
    **dict.fromkeys(("onze", "eleven", "7dach", "hdach", "حداش", "حضاش"), 11),
    **dict.fromkeys(("douze", "twelve", "tnach", "tnash", "طناش", "اطناش", "تناش"), 12),
    **dict.fromkeys(("treize", "tltach", "telttach", "تلطاش", "تلتاش"), 13),
    **dict.fromkeys(("quatorze", "rb3tach", "reb3tach", "ربعطاش"), 14),
    **dict.fromkeys(("quinze", "khmstach", "khmestach", "خمسطاش"), 15),
    **dict.fromkeys(("seize", "stach", "settach", "سطاش", "ستاش"), 16),
    **dict.fromkeys(("sb3tach", "seb3tach", "سبعطاش"), 17),
    **dict.fromkeys(("tmntach", "tmentach", "تمنطاش"), 18),
    **dict.fromkeys(("ts3tach", "tse3tach", "تسعطاش"), 19),
    **dict.fromkeys(("vingt", "vingts", "twenty", "3chrin", "3ichrin", "3shrin", "3echrin", "عشرين"), 20),
    **dict.fromkeys(("trente", "thirty", "tlatin", "talatin", "tlatine", "تلاتين", "ثلاثين"), 30),
    **dict.fromkeys(("quarante", "forty", "rb3in", "reb3in", "arb3in", "ربعين", "أربعين", "اربعين"), 40),
    **dict.fromkeys(("cinquante", "fifty", "khmsin", "khamsin", "khmsine", "khemsin", "خمسين"), 50),
    **dict.fromkeys(("soixante", "sixty", "sttin", "sittin", "settin", "stin", "ستين"), 60),
    **dict.fromkeys(("septante", "seventy", "sb3in", "sab3in", "seb3in", "سبعين"), 70),
    **dict.fromkeys(("eighty", "tmanin", "tamanin", "tmanyin", "تمانين", "ثمانين"), 80),
    **dict.fromkeys(("nonante", "ninety", "ts3in", "tis3in", "tes3in", "تسعين"), 90),
}
JOINTS = ("et", "w", "ou", "و", "and")
TENS = (20, 30, 40, 50, 60, 70, 80, 90)
_WORDS = rf"{either('|'.join((*NUMERALS, *JOINTS)))}(?![^\W\d_])"
_END = rf"(?:(?![^\W\d_])|(?={_WORDS}))"  # 0six
_DIGITS = rf"[0-9][0-9o]{{0,7}}{_END}"
_HUNDREDS = r"deux {1,2}cents? {1,2}douze"  # +212
_ALONE = r"(?<![\w+].)"
_LETTER_SOON = r"(?=[^a-z\u00aa-\U0010ffff]{0,24}+[a-z\u00aa-\U0010ffff])"
SPOKEN_PHONE = re.compile(
    rf"(?:p{_ALONE}lus {{1,2}}{_HUNDREDS}|d{_ALONE}eux {{1,2}}cents? {{1,2}}douze|"
    rf"z{_ALONE}[ée]ro|s{_ALONE}(?:ife?r|fer)|"
    rf"ص{_ALONE}فر|o{_ALONE}h?|0{_ALONE}[0-9]{{0,9}}+{_LETTER_SOON}|\+{_ALONE}\+?212{_LETTER_SOON}|"
    rf"\({_ALONE}\+?212{_LETTER_SOON}|2{_ALONE}12{_LETTER_SOON})"
    rf"{_END}(?:[ ,،.\-()_/]{{0,4}}[وw]?(?:{_WORDS}|{_DIGITS})){{2,20}}"
)
BREAK = r"[,،.()/]| - "
TOKEN = re.compile(rf"{_HUNDREDS}|{_WORDS}|[وw](?=[^\W\d_])|[0-9][0-9o]*|{BREAK}")
NUMBER = re.compile(r"(?:(?:00)?2120?|0)[5-8][0-9]{8}")
LETTER = re.compile(r"[^\W\d_]")
# With its zero, or behind 212, 2120, 00212 or 002120.
LENGTHS = (10, 12, 13, 14, 15)


def _read_token(token: str) -> int | str:
    """The value of a numeral, or digits as they are; joints and breaks are empty."""
    if " cent" in token:
        return "212"
    if token[0].isdigit() and token not in NUMERALS:  # as 3chrin and 7dach are
        return token.replace("o", "0")
    return "" if token in JOINTS else NUMERALS.get(token, " ")


def _compose(values: list[int | str]) -> list[str]:
    """The digits of each value in turn, empty where a later one has them: [60, "", 11] is ["", "", "71"]."""
    written, last, base = [], 0, -1
    for place, value in enumerate(values):
        written.append(str(value).strip())
        if not isinstance(value, int):
            base = -1 if value else base
            continue
        if base == 4 and value == 20:
            total = 80
        elif (base in TENS and 0 < value < 10) or (base in (60, 80) and 9 < value < 20):
            total = base + value
        elif (base == 10 and 6 < value < 10) or (0 < base < 10 and value in TENS and place - last == 2):
            total = base + value  # dix-sept; wa7d w 3chrin, "one and twenty"
        else:
            base, last = value, place
            continue
        written[last], written[place] = "", str(total)
        base, last = total, place
    return written


def check_spoken_phone(match: re.Match[str], reading: Reading) -> Bounds | None:
    """A number of ten digits, at least one of which is a word; soixante dix is 70, or else 60 and 10."""
    if not LETTER.search(match.group()):
        return None
    values, num_digits = [], 0.0
    for token in TOKEN.findall(match.group()):
        value = _read_token(token)
        values.append(value)
        # Of sixty and eleven, two digits: half of a word gives one.
        num_digits += 0.5 if isinstance(value, int) else len(value.strip())
        if num_digits > LENGTHS[-1]:
            break
    composed, apart = _compose(values), [str(value).strip() for value in values]
    for written in (composed, apart) if composed != apart else (composed,):
        num_tokens = _find_number(values, written)
        if num_tokens:
            *_, last = itertools.islice(TOKEN.finditer(match.group()), num_tokens)
            return begin_number(match), match.start() + last.end()
    return None


def _find_number(values: list[int | str], written: list[str]) -> int:
    """How many tokens make a national number, one of them a word; 0 if none do."""
    number, is_spoken = "", False
    for place, (value, digits) in enumerate(zip(values, written, strict=True)):
        number, is_spoken = number + digits, is_spoken or isinstance(value, int)
        if is_spoken and len(number) in LENGTHS and NUMBER.fullmatch(number):
            return place + 1
        if len(number) > LENGTHS[-1]:
            break
    return 0


# A code of four digits or more, in words: "code: quarante-huit vingt-neuf treize"
_ALPHANUMERIC = r"[^\W_]"
_CODES = "code|lcode|otp|kod|lkod|pin"
_CODE_FILLERS = (
    r"(?:dyal\w{0,3}|ديال\w{0,3}|"
    + either("hwa|howa|est|is|c'est|sms|whatsapp|fb|de|d|confirmation|vérification|activation|هو|التحقق|التأكيد")
    + ")"
)
SPOKEN_CODE = re.compile(
    rf"{begin(_CODES, _ALPHANUMERIC, anywhere='كود|الكود|لكود|رمز|الرمز')}(?![^\W_])"
    rf"(?: {{1,2}}{_CODE_FILLERS}){{0,3}}[ :=]{{1,4}}"
    rf"((?:[ ,،\-]{{0,2}}و?(?:{_WORDS}|{_DIGITS})){{2,12}})"
)


def check_spoken_code(match: re.Match[str], reading: Reading) -> Bounds | None:
    """Four to eight digits, most of which are said in words of their own."""
    tokens = list(TOKEN.finditer(match[1]))
    values = [_read_token(token.group()) for token in tokens]
    number = "".join(_compose(values))
    is_spoken = sum(isinstance(value, int) for value in values) >= 3
    return match.span(1) if is_spoken and 4 <= len(number) <= 8 else None
