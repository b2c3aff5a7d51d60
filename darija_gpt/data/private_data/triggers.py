"""What is looked at, and what is tried on it: cheap questions before costly searches.

Most lines of a chat hold no private data and show it at a glance; of the others, most hold what one detector needs.
"""

import itertools
import re
import unicodedata

from darija_gpt.data.private_data.addresses import HOUSE_NEAR, HOUSE_WORD
from darija_gpt.data.private_data.spans import Bounds, lower


_OPENED_DOT = "|".join(rf"{bracket} ?(?:\.|dot|point|نقطة)" for bracket in (r"\[", r"\(", r"\{"))
# For each kind of detector, what a folded line in lower case must hold.
NEEDS = {
    "at": re.compile(
        r"@|arr?ob|aruba|\[ ?a ?\]|\( ?a ?\)|\{ ?a ?\}|< ?a ?>|روباز"
        r"|at(?<![^\W_]at)(?![^\W_])|آت(?<![^\W_]آت)(?![^\W_])|ات(?<![^\W_]ات)(?![^\W_])"
        r"|أت(?<![^\W_]أت)(?![^\W_])"
        r"|chez {1,2}(?:gmail|hotmail|yahoo|outlook)|عند {1,2}(?:gmail|hotmail|yahoo|outlook)"
    ),
    "joined at": re.compile(r"[\-*~|/]a(?:t|ro(?:base)?)[\-*~|/]"),
    "dot": re.compile(r"\.[a-z]|://|:/ /|:\]"),
    "spelled dot": re.compile(r"(?:point|dot|n[oq]\w?ta|نقطة|دوت) {1,2}[a-z]"),
    "login": re.compile(r"(?:admin(?:istrat(?:or|eur))?|root|user) ?[:/]"),
    "order": re.compile(r"use |ente?r|utilis|saisis|tape|compos|dkh?e?l|ستخدم|ستعمل|دخل"),
    "hidden dot": re.compile(rf"{_OPENED_DOT}| (?:\. [a-z]|: ?/)|:(?: / ?/|/ /)|t p|www "),
    # No colon stands in a number of a telephone, an account or a card.
    "5 digits": re.compile(r"[0-9](?:[^0-9:\n]{0,20}+[0-9]){4}"),
    "8 digits": re.compile(r"[0-9](?:[^0-9:\n]{0,8}+[0-9]){7}"),
    "5 digits together": re.compile("[0-9]" + " ?[0-9]" * 4),
    "decimals": re.compile(
        r"\.(?<=[0-9].)[0-9]{4}|,(?<=[0-9].)[0-9]{4}|°|º|lat[ i=:]|gps|coord|\+[2-9cfghjmpqrvwx]{2}|///"
    ),
    "zero": re.compile(
        r"z[ée]ro|si?fe?r|صفر|0(?<![^\W_]0)(?:[5-8]|(?![0-9]))|cent|o(?<![^\W_]o)h?(?![^\W_])|212(?<![^\W_]212)"
    ),
    "identity": re.compile(
        r"cin|cni|c[. ]i[. ]n|c\.n\.i|cart|kart|bi[dt]|piece|pièce|id |identi|national|بطاق|كار[طت]|سين|ب[. ]{1,2}[تط]"
    ),
    "dotted digit": re.compile(
        r"\.(?<=[0-9].)[0-9]|\[\.\](?<=[0-9]...)[0-9]|\(\.\)(?<=[0-9]...)[0-9]| \. (?<=[0-9]...)[0-9]"
    ),
    "ip": re.compile(r"i(?<![^\W_l].)pv?4? ?[:= ]"),
    "two colons": re.compile(r":[0-9a-f]{0,4}:"),
    "password": re.compile(
        r"pass?w|pass|pw[^a-z]|p[4@]ss|m[. ]d[. ]p|motdep|mot de pas|mot2|modp|mo de p|mdp|pwd|psw"
        r"|phrase s"
        r"|wi-?fi|code s|[9q][ei]n s|ra[9q]e?m s|قن|k[ea]?li?m[ae]?t? (?:s|lm)"
        r"|كلم[ةه] ?(?:ال)?[سم]|باسو|دي? {0,2}باس|و {0,2}باس|سري|ويفي|واي فاي"
    ),
    "quotes": re.compile(r"[\"»”]"),
    "card code": re.compile(r"cvv|cvc|cryptog"),
    "expiry": re.compile(r"[01][0-9] ?[/\-] ?[0-9]{2,4}[^0-9a-z]{1,3}[0-9]{3}(?![0-9])"),
    "paper": re.compile(r"passe?po|paspo|permi|cnss|cnops|ramed|amo|massar|cne|جواز|باسبور|رخصة|بيرمي|مسار"),
    "account": re.compile(r"compte|account|7sab|hsab|حساب"),
    "mail": re.compile(r"mail|outlook|yahoo|icloud|live|ايميل|إيميل|جيميل"),
    "code": re.compile(r"code|kod|mtcn|otp|pin|puk|ra?mz|confirm|rification|mot de passe|one.time|كود|رمز|سري"),
    "house": HOUSE_NEAR,
}

# A line without a letter is asked for these alone.
NEEDS_WITHOUT_LETTERS = {
    name: NEEDS[name]
    for name in ("at", "5 digits", "8 digits", "5 digits together", "decimals", "dotted digit", "two colons", "expiry")
}
LETTER = re.compile(r"[a-z\u00aa-\U0010ffff]")  # Nothing else below that is one.

_DRAWN_DIGITS = "⁰-⁹₀-₉①-⑨⓪❶-❾➀-➈➊-➒⓵-⓽⓿"
# One by one, as `re` looks up characters at once, and ranges in turn.
_DIGITS = "".join(chr(code) for code in range(0x10000) if unicodedata.digit(chr(code), None) is not None)
_DIGIT = rf"[{_DIGITS}\d]"
# What a line must hold to be looked at, in lower case but not folded: one of these, or a house and its number.
TRIGGERS = (
    # Two digits side by side, or nearly so.
    re.compile(rf"{_DIGIT}(?=(?:[^\w\n]|_){{0,5}}{_DIGIT})"),
    # Words of private data that needs no number.
    re.compile(
        r"@|p(?:ass|wd|sw|w[ :=]|4ss|(?<=otp)(?![a-z]))|mdp|m[. ]d[. ]p|w(?:i-?fi|ww)|c(?:ode|ent douze)|arr?ob"
        r"|zero|si?fe?r| (?:at |chez |point |dot |(?<=kod )|s(?:(?<=oh s)|(?<=lmt s)|(?<=lmat s)|(?<=lmet s)))"
    ),
    re.compile(r"[.．](?:(?<=[\w\-].)[a-zａ-ｚ]|(?<= .) (?:com|net|org|ma|[a-z]{2} ?/))"),
    re.compile(r"\+(?<=[2-9cfghjmpqrvwx].)[2-9cfghjmpqrvwx]{2}"),
    re.compile(r"[\[({<] ?(?:at|dot|point|\.|ات|arob|نقطة)"),
    re.compile(r"[/:_\-*~|](?:(?<=/) ?/|(?<=admin:)|(?<=root:)|(?<=user:)|a(?:t|ro(?:base)?)[_\-*~|/])"),
)
# Of lines that are not of ASCII alone.
WIDE_TRIGGER = re.compile(
    r"＠|zéro|صفر|كلم[ةه]|ويفي|واي فاي|سري|روباز| [آأا]ت |كود|رمز| نقطة | دوت "
    r"|باسو|مودي?باس|تدوباس|دو {1,2}باس"  # but not every لاباس
)
FEW_LINES = 8  # which are asked one by one, as most hold one of the first triggers
# Beginnings and ends of triggers, which are one with what stands beside them, as a house is with its number.
HALF_TRIGGER = re.compile(
    rf"\A(?:(?:at|chez|point|dot|kod|oh|pw|p|k[ea]?li?m[ae]?t|[آأا]ت|نقطة|دوت)\Z|douze|فاي|باس)|{HOUSE_WORD}"
)
_LETTER = rf"[^\W\d_{_DRAWN_DIGITS}]"
PLAIN_WORD = re.compile(
    rf"[<(«\"]?(?:{_LETTER}|\d(?={_LETTER})|(?<={_LETTER})['’\-](?={_LETTER}))++[!?,،؟…>)»\".:;]*+"
    r"|[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f]++"
)
# A number, not part of a word unless of a house: rue 5, imm4, but not zn9a.
HOUSE_NUMBER = re.compile(r"\d(?:(?<![^\W_].)|(?<=[tmcn].)(?![^\W_]))")


def find_needs(lowered: str) -> set[str]:
    """The names of what a folded line holds."""
    needs = NEEDS if LETTER.search(lowered) else NEEDS_WITHOUT_LETTERS
    return {name for name, need in needs.items() if need.search(lowered)}


def _is_suspect(lowered: str) -> bool:
    """Whether a line may hold private data; with the first trigger that is in it the answer is known."""
    # Most messages are asked all of this, and `any` would ask it in half as much time again.
    for trigger in TRIGGERS:
        if trigger.search(lowered):
            return True
    if not lowered.isascii() and WIDE_TRIGGER.search(lowered):
        return True
    return HOUSE_NUMBER.search(lowered) is not None and HOUSE_NEAR.search(lowered) is not None


def is_plain(word: str) -> bool:
    """Whether a word of a line that is not suspect makes no other line so."""
    return PLAIN_WORD.fullmatch(word) is not None and HALF_TRIGGER.search(lower(word)) is None


def find_suspect_lines(text: str) -> list[Bounds]:
    """The bounds of lines that may hold private data; each trigger stops once in a line, whatever that holds."""
    lowered = lower(text)
    if "\n" not in lowered:
        return [(0, len(text))] if _is_suspect(lowered) else []
    if lowered.count("\n") < FEW_LINES:
        pieces = lowered.split("\n")
        ends = itertools.accumulate(len(piece) + 1 for piece in pieces)
        return [(end - len(piece) - 1, end - 1) for piece, end in zip(pieces, ends, strict=True) if _is_suspect(piece)]
    lines: dict[int, int] = {}

    def find_line(place: int) -> Bounds:
        end = lowered.find("\n", place)
        return lowered.rfind("\n", 0, place) + 1, end if end >= 0 else len(text)

    for trigger in TRIGGERS if lowered.isascii() else (*TRIGGERS, WIDE_TRIGGER):
        match = trigger.search(lowered)
        while match:
            start, end = find_line(match.start())
            lines[start] = end
            match = trigger.search(lowered, end)
    match = HOUSE_NUMBER.search(lowered)
    while match:
        start, end = find_line(match.start())
        if start not in lines and HOUSE_NEAR.search(lowered, start, end):
            lines[start] = end
        match = HOUSE_NUMBER.search(lowered, end)
    return sorted(lines.items())
