"""What is looked at, and what is tried on it: cheap questions before costly searches.

Most lines of a chat hold no private data and show it at a glance; of the others, most hold what one detector needs.
"""

import re

from darija_gpt.data.privacy_addresses import HOUSE_NEAR
from darija_gpt.data.privacy_spans import Bounds, lower


_OPENED_DOT = "|".join(rf"{bracket} ?(?:\.|dot|point|نقطة)" for bracket in (r"\[", r"\(", r"\{"))
# For each kind of detector, what a folded line in lower case must hold.
NEEDS = {
    "at": re.compile(
        r"@|arr?ob|aruba|روباز|at(?<![^\W_]at)(?![^\W_])|آت(?<![^\W_]آت)(?![^\W_])|ات(?<![^\W_]ات)(?![^\W_])"
        r"|أت(?<![^\W_]أت)(?![^\W_])"
        r"|chez {1,2}(?:gmail|hotmail|yahoo|outlook)|عند {1,2}(?:gmail|hotmail|yahoo|outlook)"
    ),
    "dot": re.compile(r"\.[a-z]|://|:/ /|:\]"),
    "spelled dot": re.compile(r"(?:point|dot|n[oq]\w?ta|نقطة|دوت) {1,2}[a-z]"),
    "login": re.compile(r"(?:admin(?:istrat(?:or|eur))?|root|user) ?[:/]"),
    "order": re.compile(r"use |ente?r|utilis|saisis|tape|compos|dkh?e?l|ستخدم|ستعمل|دخل"),
    "hidden dot": re.compile(rf"{_OPENED_DOT}| (?:\. [a-z]|: ?/)|:(?: / ?/|/ /)|t p|www "),
    "5 digits": re.compile(r"[0-9](?:[^0-9\n]{0,20}+[0-9]){4}"),
    "8 digits": re.compile(r"[0-9](?:[^0-9\n]{0,8}+[0-9]){7}"),
    "5 digits together": re.compile(r"[0-9](?: ?[0-9]){4}"),
    "decimals": re.compile(
        r"\.(?<=[0-9].)[0-9]{4}|,(?<=[0-9].)[0-9]{4}|°|º|lat[ i=:]|gps|coord|\+[2-9cfghjmpqrvwx]{2}|///"
    ),
    "zero": re.compile(
        r"z[ée]ro|sife?r|صفر|0(?<![^\W_]0)(?:[5-8]|(?![0-9]))|cent|o(?<![^\W_]o)(?![^\W_])|212(?<![^\W_]212)"
    ),
    "identity": re.compile(r"cin|cnie|cart|kart|bi[dt]|piece|pièce|id |identi|national|بطاق|كار[طت]|سين|ب[. ]ت"),
    "dotted digit": re.compile(r"[0-9](?:\.|\[\.\])[0-9]"),
    "two colons": re.compile(r":[0-9a-f]{0,4}:"),
    "password": re.compile(
        r"pass?w|pass|motdep|mot de pas|mot2|modp|mo de p|mdp|pwd|psw|phrase s|wi-?fi|code s|k[ea]?l[ei]?mt? s"
        r"|كلم[ةه] ?(?:ال)?[سم]|باس|سري|ويفي|واي فاي"
    ),
    "quotes": re.compile(r"[\"»”]"),
    "code": re.compile(r"code|kod|otp|pin|ra?mz|confirm|rification|mot de passe|one.time|كود|رمز|سري"),
    "house": HOUSE_NEAR,
}

# What a line must hold to be looked at, in lower case but not folded.
TRIGGERS = (
    # Two digits side by side, or nearly so.
    re.compile(r"[\d⁰-⁹₀-₉①-⑨⓪](?=(?:[^\w\n]|_){0,5}[\d⁰-⁹₀-₉①-⑨⓪])"),
    re.compile(r"[.．](?<=[\w\-].)[a-zａ-ｚ]"),
    re.compile(r"\+(?<=[2-9cfghjmpqrvwx].)[2-9cfghjmpqrvwx]{2}"),
    re.compile(r"[\[({<] ?(?:at|dot|point|\.|ات|arob|نقطة)"),
)
# Words and signs of private data that needs no number; `str.find` is quicker than a pattern for all of them.
TRIGGER_WORDS = (
    *(
        "@",
        "pass",
        "mdp",
        "pwd",
        "psw",
        "wifi",
        "wi-fi",
        "code",
        "arob",
        "arrob",
        " at ",
        " chez ",
        " point ",
        " dot ",
    ),
    *("www", "zero", "sifr", "sifer", "cent douze"),
)
# Looked for where the sign is, and most texts have none of them.
SIGNED_TRIGGER_WORDS = {
    "/": ("//", "/ /"),
    ":": ("admin:", "root:", "user:"),
    "_": ("_at_",),
    " . ": (" . com", " . net", " . org", " . ma"),
}
WIDE_TRIGGER_WORDS = (  # Not of ASCII alone.
    *("＠", "zéro", "صفر", "كلمة", "كلمه", "باس", "ويفي", "واي فاي", "سري", "روباز", " آت ", " أت ", " ات ", "كود"),
    *("رمز", " نقطة ", " دوت "),
)
# A number, not part of a word unless of a house: rue 5, imm4, but not zn9a.
HOUSE_NUMBER = re.compile(r"\d(?:(?<![^\W_].)|(?<=[tmcn].)(?![^\W_]))")


def _is_suspect(lowered: str) -> bool:
    """The same of one line, and with the first trigger that is in it the answer is known."""
    # Most messages are asked all of this, and `any` would ask it in half as much time again.
    for trigger in TRIGGERS:
        if trigger.search(lowered):
            return True
    for word in TRIGGER_WORDS:
        if word in lowered:
            return True
    for sign, words in SIGNED_TRIGGER_WORDS.items():
        if sign in lowered:
            for word in words:
                if word in lowered:
                    return True
    if not lowered.isascii():
        for word in WIDE_TRIGGER_WORDS:
            if word in lowered:
                return True
    return HOUSE_NUMBER.search(lowered) is not None and HOUSE_NEAR.search(lowered) is not None


def find_suspect_lines(text: str) -> list[Bounds]:
    """The bounds of lines that may hold private data; each trigger stops once in a line, whatever that holds."""
    lowered = lower(text)
    if "\n" not in lowered:
        return [(0, len(text))] if _is_suspect(lowered) else []
    lines: dict[int, int] = {}

    def find_line(place: int) -> Bounds:
        end = lowered.find("\n", place)
        return lowered.rfind("\n", 0, place) + 1, end if end >= 0 else len(text)

    for trigger in TRIGGERS:
        match = trigger.search(lowered)
        while match:
            start, end = find_line(match.start())
            lines[start] = end
            match = trigger.search(lowered, end)
    present = [*TRIGGER_WORDS] if lowered.isascii() else [*TRIGGER_WORDS, *WIDE_TRIGGER_WORDS]
    for sign, words in SIGNED_TRIGGER_WORDS.items():
        if sign in lowered:
            present += words
    for word in present:
        place = lowered.find(word)
        while place >= 0:
            start, end = find_line(place)
            lines[start] = end
            place = lowered.find(word, end)
    match = HOUSE_NUMBER.search(lowered)
    while match:
        start, end = find_line(match.start())
        if start not in lines and HOUSE_NEAR.search(lowered, start, end):
            lines[start] = end
        match = HOUSE_NUMBER.search(lowered, end)
    return sorted(lines.items())
