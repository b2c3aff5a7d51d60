"""What private data looks like in Moroccan chats: cue words of four languages, and the patterns made of them.

Patterns read folded text (see spans.py): ASCII digits, plain spaces, nothing invisible; a newline ends
everything. It is in lower case, but for those that say otherwise. Quantifiers are bounded, so that time grows with the
text alone, and possessive or atomic where giving back would find nothing more. A pattern begins with a class of
characters or with letters, to which `re` skips quickly, and only from there looks back: `[0-9](?<![0-9a-z].)`.
"""

import re

from darija_gpt.data.private_data.phrases import begin, either, words, write_cue


# What stands in the place of private data. The tokenizer has one token for each, in this order; harmless when typed.
PLACEHOLDERS = (
    *("[PHONE]", "[EMAIL]", "[IBAN]", "[RIB]", "[CARD]", "[CIN]", "[URL]"),
    *("[GPS]", "[MENTION]", "[OTP]", "[PASSWORD]", "[IP]", "[ADDRESS]", "[NAME]"),
)
PLACEHOLDER = re.compile("|".join(map(re.escape, PLACEHOLDERS)))

# Letters written for digits (o6 for 06, l for 1), and what people put between digits.
LOOKALIKES = str.maketrans("oOlIiZzEASsBGTbqg", "00111223455867699")
_DIGIT = r"[0-9oOlIiZzEASsBGTbqg]"
_ZERO = r"[0oO]"
_GAP = r"[ .,،٫٬\-/_*~()|·•…'’=<>\\\u2190-\u2bff\u3000-\u303f\U0001f000-\U0001fbff]{0,5}+"
# Between the groups of an account or a card.
_BETWEEN = r"[ .,;()\[\]{}\-/_*~|·•…=<>&#%^!\"\\\u2190-\u2bff\U0001f000-\U0001fbff]{0,3}+"
_ALONE = r"(?<![0-9A-Za-z].)"
_BEHIND_CLITIC = r"(?<=[ldbfwnm].)(?<![^\W\d_][ldbfwnm].)"  # "l06...": to 06...; Arabic ones are no Latin letters
MONEY = r"(?! ?(?:dh|dhs|mad|drh|درهم|دراهم|ريال|ry[ae]l|rial|euros?|eur|dollars?|usd|km|kg|€|\$|%)(?![a-z]))"
# Anything but a number; the digits of words such as 3tih, "give", are letters.
NO_NUMBER = r"(?:[^0-9\n]|[0-9](?:(?=[A-Za-z])|(?<=[A-Za-z].)(?![0-9])))"


# --- Money and identity: the shape proposes, a checksum decides. ---
IBAN_LENGTHS = {
    **{"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21},
    **{"CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18},
    **{"FR": 27, "GB": 22, "GE": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26},
    **{"IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MA": 28},
    **{"MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29},
    **{"PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26},
    **{"UA": 29, "VA": 22, "XK": 20, "DZ": 26, "SN": 28, "CI": 28, "CM": 27, "ML": 28, "BF": 28},
}
# A cue may be written onto the number: ibanMA64, CB5543.
IBAN = re.compile(
    r"[a-z](?<![0-9ac-mo-z].)(?:(?<![nb].)|(?<=iban.)|(?<=rib.))"
    rf"{_BETWEEN}[a-z]{_BETWEEN}[0-9o]{_BETWEEN}[0-9o](?:{_BETWEEN}[0-9a-z]){{11,30}}"
)
# Onto a word only without anything between its digits: "rib0119...". Reads capitals, too.
RIB = re.compile(
    rf"[0-9oO](?<![0-9].)(?!\))(?:(?:{_ALONE}|(?<=[iI][bB][aA][nN].)|(?<=[rR][iI][bB].))"
    rf"(?:{_BETWEEN}[0-9oOlI]){{23}}(?![0-9])|(?<=[a-z][0-9])[0-9]{{23}}(?![0-9]))"
)
# Reads capitals, too.
CARD = re.compile(
    rf"[2-6](?<![0-9].)(?!\))(?:{_ALONE}|(?<=[cC][bB].)|(?<=[vV][iI][sS][aA].))(?:{_BETWEEN}[0-9oOlI]){{12,18}}"
)
# What does not stand before a word or behind it: letters and digits, or the underscore, too.
_ALPHANUMERIC, _NO_ALPHANUMERIC = r"[^\W_]", r"(?![^\W_])"
_OF_WORDS, _NO_MORE = r"\w", r"(?!\w)"
BANK_CUE = write_cue("rib|iban|compte|7sab|l7sab", _OF_WORDS, _NO_MORE, "الحساب|ريب|الريب|آيبان|ايبان")
_CARDS = (
    "carte|la carte|lacarte|lcarte|lkarta|lakart|lakarta|karta|cb|la cb|visa|mastercard|master card|card|amex|"
    "numéro de carte|numero de carte"
)
CARD_CUE = write_cue(_CARDS, _OF_WORDS, _NO_MORE, "الكارط|لاكارط|كارط|لاكارت|فيزا|ماستركارد|بطاقة", reach=20)
# The three digits on its back.
CARD_CODE = re.compile(
    rf"{begin('cvv|cvv2|cvc|cvc2|cryptogramme|cryptogramme visuel', _OF_WORDS)}{_NO_MORE}[^0-9\n]{{1,16}}?"
    rf"(?<![0-9a-z])([0-9]{{3}})(?![0-9a-z]|[.,/\-][0-9]){MONEY}"
)
# The same behind the month in which a card ends, which stands behind a number that was found and blotted out.
CARD_CODE_AFTER_EXPIRY = re.compile(
    r"\n[ ,;|/\-]{0,3}(?:exp\w{0,8}[ .:]{0,3})?(?:0[1-9]|1[0-2]) ?[/\-] ?(?:20)?[2-4][0-9][ ,;|/\-]{1,3}"
    r"([0-9]{3})(?![0-9a-z]|[.,/\-][0-9])"
)
# By the first digit: what the numbers of a network begin with, and their lengths.
CARD_NETWORKS = {
    "2": ((re.compile(r"2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),),
    "3": (
        (re.compile(r"3[47]"), (15,)),
        (re.compile(r"3(?:0[0-5]|[689])"), (14, 16)),
        (re.compile(r"35(?:2[89]|[3-8])"), (16,)),
    ),
    "4": ((re.compile(r"4"), (16, 19, 13)),),
    "5": ((re.compile(r"5[1-5]"), (16,)), (re.compile(r"50|5[6-9]"), (16, 19, 18, 17, 15, 14, 13))),
    "6": ((re.compile(r"6"), (16, 19, 18, 17, 15, 14, 13)),),
}

# Of two letters only: one letter before a number is anything, and needs a cue.
CIN_PREFIXES = words(
    """
    AA AB AC AD AE AJ AS BA BB BE BF BH BJ BK BL BM BV BW CB CC CD CN DA DB DC DD DJ DN DO EA EB EC EE EF EJ FA FB
    FC FD FG FH FJ FK FL GA GB GI GJ GK GM GN GY HA HB HH IA IB IC ID IE IF JA JB JC JD JE JF JH JI JK JM JT JW JY
    JZ KA KB LA LB LC LE LF LG LH MA MC MD MJ OD PA PB PJ PK PP PS QA QB RA RB RC RX SA SH SJ SK SL SX TA TB TK TT
    UA UB UC UD VA VM WA WB WM WW XA XB XC ZG ZH ZT
    """
)
_CIN_CUES = (
    "cin|la cin|lcin|cnie|cni|cine|c.i.n|c.i.n.|c i n|c.n.i.e|c.n.i.e.|c.n.i|"
    "carte nationale|carte d'identité|carte d'identite|carte identité|la carte|lakart|"
    "lacarte|lcarte|n° cin|carta|lakarta|lbita9a|bita9a|bitaqa|البطاقة الوطنية|بطاقة وطنية|بطاقة التعريف|البطاقة|"
    "بطاقتي|بطاقة|لاكارط|لا كارط|لاكارت|رقم البطاقة|سين|السين|id card|national id|"
    "identity card|id number|ب.ت.و|ب.ت.و.|ب ت و|ب ط و|ب.ط.و|ب.ط.و.|pièce d'identité|piece d'identite"
)
_CIN_FILLER = (
    r"(?:[ :=.,\-'’\"«(#]|n°|num[ée]ro\b|nmra\b|no\b|nationale?\b|wataniya\b|d'?identit[ée]\b|dyal\w{0,3}\b|"
    r"dial\w{0,3}\b|ta3\w{0,3}\b|de\b|la\b|le\b|est\b|is\b|hiya\b|hwa\b|howa\b|hia\b|ana\b|c'est\b|ديال\w{0,3}\b|"
    r"الوطنية\b|وطنية\b|التعريف\b|رقمها\b|رقم\b|هي\b|هو\b|fiha\b|mktob\b)"
)
_APART, _GROUPED = r"[ \-._/|·]{0,2}", r"[ \-._·]?"
# A number is near: of all cues, only those are looked behind letter by letter.
CIN_AFTER_CUE = re.compile(
    rf"{begin(_CIN_CUES, _ALPHANUMERIC)}{_NO_ALPHANUMERIC}(?=[^0-9\n]{{1,54}}+[0-9])"
    rf"(?=[^\n]{{1,48}}?(?<![0-9a-z])[a-z]{_APART}[a-z]?{_APART}[0-9]{_GROUPED}[0-9oil])"
    rf"({NO_NUMBER}{{1,48}}?)(?<![0-9a-z])"
    rf"([a-z]{_APART}[a-z]?{_APART}[0-9](?:{_GROUPED}[0-9oil]){{4,5}})(?![0-9a-z]){MONEY}"
)
ONLY_CIN_FILLER = re.compile(rf"(?:{_CIN_FILLER}){{1,10}}")
CIN_UNMISTAKABLE = re.compile(
    r"[A-Z][ .]?[A-Z]?[ \-._]?(?:[0-9]{3}[ \-._]?[0-9]{2,3}|[0-9](?:[\-._][0-9]){4,5})"
    r"|[a-z]{1,2}-?[0-9]{5,6}"
)
# The same number put right, or the next person's, in what follows a number that was found and blotted out.
CIN_AGAIN = re.compile(rf"\n{NO_NUMBER}{{1,30}}?(?<![0-9a-z])([a-z]{{1,2}}[ \-._]?[0-9]{{5,6}})(?![0-9a-z]){MONEY}")
_IS = "hya|hiya|hia|hwa|howa|hadi|hada|rah|raha|ha|est|c'est|is|la|l|ma|mon|my|dyal|هي|هو|هادي|هذه|ديال"
_OF_IDENTITY = (
    "cin|lcin|cnie|cni|carte nationale|carte d'identité|carte d'identite|lbita9a|البطاقة|بطاقة|national id|id card"
)
# "bk123456 hya la cin dyali".
CIN_BEFORE_CUE = re.compile(
    rf"(?<![0-9a-z])((?:[a-z]{{1,2}}-?|[a-z]{{2}} )[0-9]{{5,6}})(?![0-9a-z])[ ,:=]{{1,3}}"
    rf"(?:{either(_IS)} {{1,2}}){{0,4}}{either(_OF_IDENTITY)}(?!\w)"
)
# Reads capitals alone.
CIN_BARE = re.compile(r"[A-Z](?<![0-9A-Za-z/\-_.#].)[A-Z][0-9]{5,6}(?![0-9A-Za-z/\-_])")
# Other papers: a passport, a driving licence, social security, a pupil's number. What each is like decides.
_PAPERS = {
    "passeport|passport|lpasseport|lpassport|passpor|lpasspor|paspor|lpaspor|باسبور|الباسبور|جواز السفر|جواز سفر": (
        r"[a-z]{1,2} ?[0-9]{6,7}"
    ),
    "permis|lpermis|permi|lpermi|permis de conduire|رخصة السياقة|رخصة القيادة|البيرمي|لبيرمي": (
        r"[0-9]{1,2} ?/ ?[0-9]{5,7}"
    ),
    "cnss|lcnss|la cnss|cnops|ramed|amo": r"[0-9](?:[ .\-]?[0-9]){7,9}",
    "massar|cne|مسار": r"[a-z] ?[0-9]{9}",
}
PAPER_AFTER_CUE = re.compile(
    "|".join(
        rf"{begin(cues, _ALPHANUMERIC)}{_NO_ALPHANUMERIC}[^0-9\n]{{0,24}}?(?<![0-9a-z])(?:{number})"
        rf"(?![0-9a-z/]){MONEY}"
        for cues, number in _PAPERS.items()
    )
)
PAPER_NUMBER = re.compile(rf"(?<![0-9a-z])(?:{'|'.join(_PAPERS.values())})$")
# An account of a bank of another country, or without the key of its own.
_ACCOUNT_CUES = (
    "n compte|no compte|num compte|numero compte|numéro compte|n de compte|num de compte|numero de compte|"
    "numéro de compte|n° compte|n° de compte|compte n|compte n°|compte num|compte numero|compte bancaire|"
    "lcompte bancaire|account number|ra9m l7sab|ra9m lhsab|ra9m dyal l7sab|nmra d l7sab|nmra dyal l7sab|nmrt l7sab|"
    "nmra d lcompte|nmra dyal lcompte|رقم الحساب|رقم حساب|رقم الحساب البنكي|نمرة الحساب|نمره الحساب|الحساب البنكي"
)
ACCOUNT_AFTER_CUE = re.compile(
    rf"{begin(_ACCOUNT_CUES, _ALPHANUMERIC)}{_NO_ALPHANUMERIC}[^0-9\n]{{1,24}}?(?<![0-9a-z])"
    rf"([0-9](?:[ .\-]?[0-9]){{9,23}})(?![0-9a-z]){MONEY}"
)
# Before a bare form: this is the number of a thing.
_THINGS = (
    "modèle|modele|modèl|model|commande|cmd|colis|order|tracking|suivi|vol|flight|série|serie|serial|sn|article|art|"
    "lot|facture|invoice|dossier|ticket|bac|examen|exam|massar|sku|produit|pièce|piece|code|version|salle|train|bus|"
    "matricule|plaque|toyota|samsung|imprimante|printer|cartouche|toner|ref|réf|tomobil"
)
_ENDING = r"(?:(?<=r[ée]f)\w{0,6}|(?<=tomobil)\w{0,3})?(?!\w)"
THING_CUE = write_cue(_THINGS, _OF_WORDS, _ENDING, "كود|مرجع|طلب|رحلة|فاتورة", reach=20)

# --- Telephone numbers. The first two read capitals, too. ---
# Capitals before it are a serial number's; small letters are a word, if ten digits follow side by side.
NATIONAL_PHONE = re.compile(
    rf"[(0oO](?<![0-9A-Z+].)(?:(?<![a-z].)|{_BEHIND_CLITIC}|(?<=0)(?=[5-8][0-9]{{8}}))(?:(?<=\(){_ZERO})?"
    rf"{_GAP}[5-8SBGT](?:[0-9]{{8}}|(?:{_GAP}{_DIGIT}){{8}})(?![0-9])"
)
MOROCCAN_PHONE = re.compile(
    rf"[+(0oO2](?:{_ALONE}|{_BEHIND_CLITIC})(?:(?<=\+){_GAP}2|(?<=\()\+?{_GAP}2|(?<=[oO0])[ .\-]?{_ZERO}{_GAP}2"
    rf"|(?<=2))[ .\-]?[1lI][ .\-]?2{_GAP}(?:{_ZERO}{_GAP})?[5-8](?:{_GAP}{_DIGIT}){{8}}(?![0-9])"
)
FOREIGN_PHONE = re.compile(
    rf"(?:\+{_ALONE}|0(?<![0-9a-z.,].)0) ?[1-9](?:[ .\-/()]{{0,3}}+[0-9]){{6,14}}(?![0-9]){MONEY}"
)
PLUS_BEFORE = re.compile(r"(?<![^\W_])plus {1,2}$")  # plus 212 6...


def begin_number(match: re.Match[str]) -> int:
    """Where a telephone number begins: with the word for its sign, if that is spelled out."""
    plus = PLUS_BEFORE.search(match.string, max(0, match.start() - 8), match.start())
    return plus.start() if plus and match.string.startswith("212", match.start()) else match.start()


# Without its zero, which only the words around tell from a quantity.
SHORT_PHONE = re.compile(rf"[67](?<![0-9a-z+.,/\-].)(?:[ .\-]?[0-9]){{8}}(?![0-9]|[.,][0-9]){MONEY}")
_PHONE_CUES = (
    "tel|tél|ltel|ltél|telephone|téléphone|teléphone|télephone|phone|num|lnum|numero|numéro|nmra|lnmra|nmrti|nmrtk|nimero|"
    "nemra|gsm|whatsapp|wts|watsap|portable|+212|212"
)
PHONE_CUE = write_cue(_PHONE_CUES, _ALPHANUMERIC, _NO_ALPHANUMERIC, "رقم|نمرة|نمرتي|نمرتك|واتساب|واتس|الهاتف|تيليفون")
# What people list in pairs of digits: lottery numbers, marks at school.
_GAMES = (
    "notes|moyennes|no9at|n9at|loto|lotto|loterie|tirage|keno|euromillion|euromillions|quinte|quinté|tierce|tiercé|grille|"
    "gagnant|gagnants"
)
GAME_CUE = write_cue(_GAMES, _ALPHANUMERIC, _NO_ALPHANUMERIC, "لوطو|يانصيب|القرعة|النقط")
MORE_PAIRS = re.compile(r" ?[ ,\-+] ?([0-9]{1,2})(?![0-9])")
