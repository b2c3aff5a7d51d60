"""What private data looks like in Moroccan chats: cue words of four languages, and the patterns made of them.

Patterns read folded text (see privacy_spans.py): ASCII digits, plain spaces, nothing invisible; a newline ends
everything. Quantifiers are bounded, so that time grows with the text alone. A pattern begins with a class of
characters, to which `re` skips quickly, and only from there looks back: `[0-9](?<![0-9A-Za-z].)`.
"""

import re


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
_GAP = r"[ .,،٫٬\-/_*~()|·•…'’\u2190-\u2bff\u3000-\u303f\U0001f000-\U0001fbff]{0,5}"
_ALONE = r"(?<![0-9A-Za-z].)"  # Arabic clitics are written onto numbers, Latin ones are not.
MONEY = r"(?! ?(?:dh|dhs|mad|drh|درهم|دراهم|ريال|ry[ae]l|rial|euros?|eur|dollars?|usd|km|kg|€|\$|%)(?![a-z]))"
# Anything but a number; the digits of words such as 3tih, "give", are letters.
NO_NUMBER = r"(?:[^0-9\n]|[0-9](?=[A-Za-z])|(?<=[A-Za-z])[0-9](?![0-9]))"


def either(phrases: str) -> str:
    """Alternatives, the longest first; a space in a phrase is one or two."""
    ordered = sorted(phrases.split("|"), key=len, reverse=True)
    return "(?:" + "|".join(re.escape(phrase).replace(r"\ ", " {1,2}") for phrase in ordered) + ")"


def begin_words(phrases: str) -> tuple[str, str]:
    """For a search that begins with a class of letters: the first letters, and what follows each of them."""
    by_first: dict[str, list[str]] = {}
    for phrase in phrases.split("|"):
        by_first.setdefault(phrase[0], []).append(phrase[1:])
    rests = (f"(?<={first}){either('|'.join(rests))}" for first, rests in by_first.items())
    return "".join(by_first), "|".join(rests)


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


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
_IBAN_START = rf"(?:{_ALONE}|(?<=(?i:iban).)|(?<=(?i:rib).))"
IBAN = re.compile(
    rf"[A-Za-z]{_IBAN_START}[ \-._]{{0,2}}[A-Za-z][ \-._]{{0,2}}[0-9oO][ \-._]{{0,2}}[0-9oO]"
    r"(?:[ \-._/|]{0,3}[0-9A-Za-z]){11,30}"
)
# Onto a word only without anything between its digits: "rib0119...".
RIB = re.compile(
    rf"[0-9oO]{_IBAN_START}(?:[ \-./_|,]{{0,3}}[0-9oOlI]){{23}}(?![0-9])|[0-9](?<=[a-z].)[0-9]{{23}}(?![0-9])"
)
CARD = re.compile(rf"[2-6](?:{_ALONE}|(?<=(?i:cb).)|(?<=(?i:visa).))(?:[ \-._*/|,]{{0,3}}[0-9oOlI]){{12,18}}")
BANK_CUE = re.compile(r"(?i:\brib\b|\biban\b|\bcompte\b|الحساب|\bl?7sab\b|ريب|الريب|آيبان|ايبان)[^\n]{0,30}$")
CARD_CUE = re.compile(
    r"(?i:(?<![^\W_])(?:carte|la ?kart|lcarte|visa|master ?card|cb|card|بطاقة|لاكارط|الكارط)(?![^\W_]))[^\n]{0,20}$"
)
# Lengths of a network, by what its numbers begin with.
CARD_NETWORKS = (
    (re.compile(r"4"), (16, 19, 13)),
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"3(?:0[0-5]|[689])"), (14, 16)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16,)),
    (re.compile(r"50|5[6-9]|6"), (16, 19, 18, 17, 15, 14, 13)),
)

# Of two letters only: one letter before a number is anything, and needs a cue.
CIN_PREFIXES = words(
    """
    AA AB AC AD AE AJ AS BA BB BE BF BH BJ BK BL BM BV BW CB CC CD CN DA DB DC DD DJ DN DO EA EB EC EE EF EJ FA FB
    FC FD FG FH FJ FK FL GA GB GI GJ GK GM GN GY HA HB HH IA IB IC ID IE IF JA JB JC JD JE JF JH JI JK JM JT JW JY
    JZ KA KB LA LB LC LE LF LG LH MA MC MD MJ OD PA PB PJ PK PP PS QA QB RA RB RC RX SA SH SJ SK SL SX TA TB TK TT
    UA UB UC UD VA VM WA WB WM WW XA XB XC ZG ZH ZT
    """
)
_CIN_CUES = either(
    "cin|la cin|lcin|cnie|cine|carte nationale|carte d'identité|carte d'identite|carte identité|la carte|lakart|"
    "lacarte|lcarte|n° cin|carta|lakarta|lbita9a|bita9a|bitaqa|البطاقة الوطنية|بطاقة وطنية|بطاقة التعريف|البطاقة|"
    "بطاقتي|بطاقة|لاكارط|لا كارط|لاكارت|رقم البطاقة|سين|السين|id card|national id|"
    "identity card|id number|ب.ت.و|ب.ت.و.|ب ت و|pièce d'identité|piece d'identite"
)
_CIN_FILLER = (
    r"(?:[ :=.,\-'’\"«(#]|n°|num[ée]ro\b|nmra\b|no\b|nationale?\b|wataniya\b|d'?identit[ée]\b|dyal\w{0,3}\b|"
    r"dial\w{0,3}\b|ta3\w{0,3}\b|de\b|la\b|le\b|est\b|is\b|hiya\b|hwa\b|howa\b|hia\b|ana\b|c'est\b|ديال\w{0,3}\b|"
    r"الوطنية\b|وطنية\b|التعريف\b|رقمها\b|رقم\b|هي\b|هو\b|fiha\b|mktob\b)"
)
CIN_AFTER_CUE = re.compile(
    rf"(?i:(?<![^\W_]){_CIN_CUES}(?![^\W_]))({NO_NUMBER}{{1,30}}?)(?<![0-9A-Za-z])"
    r"([A-Za-z]{1,2}[ \-.]{0,2}[0-9](?: ?[0-9]){4,5})(?![0-9A-Za-z])"
)
ONLY_CIN_FILLER = re.compile(rf"(?i:{_CIN_FILLER}{{1,10}})")
CIN_UNMISTAKABLE = re.compile(r"[A-Z]{1,2}[ \-.]?[0-9]{5,6}|[a-z]{1,2}-?[0-9]{5,6}")
# The same number put right, in what follows a number that was found and blotted out.
CIN_AGAIN = re.compile(
    rf"(?<=\n){NO_NUMBER}{{1,30}}?(?<![0-9A-Za-z])([A-Za-z]{{1,2}}[\-]?[0-9]{{5,6}})(?![0-9A-Za-z])"
)
CIN_BARE = re.compile(r"[A-Z](?<![0-9A-Za-z/\-_.#].)[A-Z][0-9]{5,6}(?![0-9A-Za-z/\-_])")
# Before a bare form: this is the number of a thing.
THING_CUE = re.compile(
    r"(?i:\b(?:r[ée]f\w{0,6}|mod[èe]le?|model|commande|cmd|colis|order|tracking|suivi|vol|flight|s[ée]rie|serial|sn|"
    r"article|art|lot|facture|invoice|dossier|ticket|bac|examen|exam|massar|sku|produit|pi[èe]ce|code|version|salle|"
    r"train|bus|matricule|plaque|tomobil\w{0,3}|toyota|samsung|imprimante|printer|cartouche|toner)\b|كود|مرجع|طلب|"
    r"رحلة|فاتورة)"
    r"[^\n]{0,20}$"
)

# --- Telephone numbers ---
# Capitals before it are a serial number's; small letters are a clitic, if ten digits follow side by side.
NATIONAL_PHONE = re.compile(
    rf"[(0oO](?<![0-9A-Z+].)(?:(?<![a-z].)|(?<=0)(?=[5-8][0-9]{{8}}))(?:(?<=\(){_ZERO})?"
    rf"{_GAP}[5-8SBGT](?:{_GAP}{_DIGIT}){{8}}(?![0-9])"
)
MOROCCAN_PHONE = re.compile(
    rf"[+(0oO2]{_ALONE}(?:(?<=\+){_GAP}2|(?<=\()\+?{_GAP}2|(?<=[0oO])[ .\-]?{_ZERO}{_GAP}2|(?<=2))"
    rf"[ .\-]?[1lI][ .\-]?2{_GAP}(?:{_ZERO}{_GAP})?[5-8](?:{_GAP}{_DIGIT}){{8}}(?![0-9])"
)
FOREIGN_PHONE = re.compile(
    rf"(?:\+{_ALONE}|0(?<![0-9A-Za-z.,].)0) ?[1-9](?:[ .\-/()]{{0,3}}[0-9]){{6,14}}(?![0-9]){MONEY}", re.IGNORECASE
)
# Without its zero, which only the words around tell from a quantity.
SHORT_PHONE = re.compile(rf"[67](?<![0-9A-Za-z+.,/\-].)(?:[ .\-]?[0-9]){{8}}(?![0-9]|[.,][0-9]){MONEY}", re.IGNORECASE)
PHONE_CUE = re.compile(
    r"(?i:(?<![^\W_])(?:l?t[ée]l|t[ée]l[ée]phone|phone|l?num|num[ée]ro|l?nmra|nmrti|nimero|nemra|gsm|whatsapp|wts|"
    r"watsap|portable|\+?212)(?![^\W_])|رقم|نمرة|نمرتي|واتساب|واتس|الهاتف|تيليفون)[^\n]{0,30}$"
)

GAME_CUE = re.compile(
    r"(?i:(?<![^\W_])(?:loto|lotto|loterie|tirage|keno|euromillions?|quint[ée]|tierc[ée]|grille|gagnants?)(?![^\W_])"
    r"|لوطو|يانصيب|القرعة)[^\n]{0,30}$"
)
MORE_PAIRS = re.compile(r" ?[ ,\-+] ?([0-9]{1,2})(?![0-9])")

# --- The net ---
_PATH = r"[^\s<>\"«»{}|\\^`،؛]"
_SAFE_TLDS = (
    "com|net|org|info|edu|gov|fr|io|ly|gl|gg|tv|app|dev|xyz|online|shop|site|store|link|tech|blog|press|eu|uk|cc|biz|"
    "ws|page|live|club|pro|cloud|news|watch|tn|dz|qa|coop|travel|agency|academy|mobi|museum|aero|asia|ovh|icu|website|"
    "software|solutions|studio|africa|immo|digital|consulting|marketing|systems"
)
# These are words too (ma "what", me, it, de): a bare name needs a path, a second dot, or to be well known.
_WORD_TLDS = "ma|me|be|co|to|it|de|es|us|ai|nl|ca|ch|in|is|so|la|no|im|id|ru|pt|se|sh|fm|sn|ae|sa|eg"
_KNOWN_SITES = (
    "avito|hespress|jumia|marjane|iam|inwi|orange|cihbank|cih|bmci|attijariwafabank|bmcebank|oncf|onda|cnss|anapec|"
    "tawjihnet|moteur|mubawab|glovo|barlamane|le360|goud|hibapress|alyaoum24|akhbarona|chouftv|massarservice|massar|"
    "men|uca|um5|uh2c|hmizate|electroplanet|decathlon|poste|passeport|rdv|watiqa|radeema|lydec|redal|iptv|bladi|"
    "medias24|wa|t|youtu|fb"
)
_HOST = r"(?:[a-z0-9\-]{1,63}\.){1,5}"
_TLD = rf"(?:{_SAFE_TLDS}|{_WORD_TLDS})"
_NAME = r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
_HIDDEN_DOT = r"(?: ?[\[({] ?(?:\.|dot|point|نقطة) ?[\])}] ?)"
URL = re.compile(
    rf"(?:https?|hxxps?|ftp)(?:://|:/ /|\[:\]//){_PATH}{{3,2048}}"
    rf"|(?<![\w@.\-])www\.{_PATH}{{3,2048}}"
    rf"|(?<![a-z0-9@._\-])(?:{_HOST}{_TLD}(?::[0-9]{{2,5}})?/{_PATH}{{1,2048}}"
    rf"|{_HOST}(?:{_SAFE_TLDS})(?![a-z0-9@\-]|\.[a-z0-9])(?:/|\?{_PATH}{{1,500}})?"
    r"|(?:[a-z0-9\-]{2,63}(?:\.[a-z0-9\-]{3,63}){1,3}|(?=[a-z]{0,30}[0-9\-])[a-z][a-z0-9\-]{3,63}"
    rf"|(?:{_KNOWN_SITES}))\.(?:{_WORD_TLDS})(?![a-z0-9@\-]|\.[a-z0-9])/?)",
    re.IGNORECASE,
)
# Its dots in brackets, or spaces around what a link is made of.
HIDDEN_URL = re.compile(
    rf"(?<![a-z0-9@._\-])(?!https?://)(?:h ?t ?t ?p(?: ?s)?|hxxps?) ?\[?:\]? ?/ ?/ ?"
    rf"{_NAME}(?:(?: ?\. ?|{_HIDDEN_DOT}){_NAME}){{1,4}}(?: ?/ ?{_PATH}{{1,500}})?"
    rf"|(?<![a-z0-9@._\-])(?:{_NAME}(?:\.|{_HIDDEN_DOT})){{0,3}}{_NAME}{_HIDDEN_DOT}{_TLD}(?![a-z0-9])(?:/{_PATH}{{1,500}})?"
    rf"|(?<![a-z0-9@._\-])www(?: \.|\. ) ?{_NAME}(?: ?\. ?{_NAME}){{0,2}} ?\. ?{_TLD}(?![a-z0-9])"
    rf"(?: ?/ ?{_NAME}){{0,4}}"
    rf"|(?<![a-z0-9@._\-]){_NAME} \. (?:com|net|org)(?![a-z0-9])(?: ?/ ?{_NAME}){{0,4}}"
    rf"|(?<![a-z0-9@._\-]){_NAME} \. {_TLD}(?: ?/ ?{_NAME}){{1,4}}",
    re.IGNORECASE,
)
# Without a dot: a site's name, and an ending that is no word; or any ending, after a cue.
_SPELLED_DOT = r"(?: {1,2}(?:point|dot|nokta|noqta|no9ta|نقطة|دوت) {1,2})"
SPELLED_URL = re.compile(
    rf"(?:(?<![^\W_])(?:site|siteweb|lien|link|adresse|page|website|web|www)|موقع|الموقع|رابط|الرابط|لموقع)(?![^\W_])"
    rf"(?: (?:web|dyal\w{{0,3}}|hwa|howa|est|is|c'est|هو|ديال\w{{0,3}}))?[ :=]{{1,4}}"
    rf"((?:www{_SPELLED_DOT})?[a-z0-9\-]{{2,63}}(?:{_SPELLED_DOT}[a-z0-9\-]{{2,63}}){{0,2}}{_SPELLED_DOT}{_TLD})(?![a-z0-9])"
    rf"|(?<![a-z0-9@._\-])((?:www{_SPELLED_DOT})?[a-z0-9\-]{{4,63}}{_SPELLED_DOT}(?:com|org))(?![a-z0-9])",
    re.IGNORECASE,
)
# After an Arabizi word and a full stop, a sentence goes on with "be", "me" or "it".
SENTENCE = re.compile(r"[a-z]{0,20}(?:[235679][a-z]{1,20}){1,3}\.(?:be|me|it|so|no|is|in|to|la|us|id)", re.IGNORECASE)
NOT_A_SITE = re.compile(r"[0-9.\-]*(?:[a-z]{0,2})\.[a-z]+", re.IGNORECASE)  # "1.com", "h.fr"
_COORDINATE = r"[0-9]{1,3}[.,][0-9]{4,18} ?°? ?[NSEWOnsewo]?"
_DEGREES = r"[0-9]{1,3} ?[°º] ?[0-9]{1,2} ?['’′] ?(?:[0-9]{1,2}(?:[.,][0-9]{1,6})? ?(?:[\"”″]|''))?"
_SEXAGESIMAL = rf"{_DEGREES} ?[NSEWO]"
_LATITUDE = r"(?i:\blat(?:itude)?[ :=]{1,3}[+\-]?[0-9]{1,2}[.,][0-9]{1,18}"
_LONGITUDE = r"(?:lon|lng|long|longitude)[ :=]{1,3}[+\-]?[0-9]{1,3}[.,][0-9]{1,18})"
# A plus code or three words stand for coordinates, too.
GPS = re.compile(
    rf"(?:\bgeo:)?(?:(?<![0-9A-Za-z_.,])|(?<=(?<![^\W_])[fbl]))[+\-]?{_COORDINATE}"
    rf"(?:(?<=[0-9NSEWOnsewo°]) ?[,;/|] ?| {{1,3}})[+\-]?{_COORDINATE}(?![\w])"
    rf"|{_SEXAGESIMAL}[ ,;/]{{0,3}}{_SEXAGESIMAL}"
    rf"|\b[NS] ?{_DEGREES}[ ,;/]{{0,3}}[EWO] ?{_DEGREES}"
    r"|(?i:\b(?:gps|coordonn[ée]es)[ :=]{1,4})"
    r"([+\-]?[0-9]{1,2}\.[0-9]{2,18} ?[,;/ ] ?[+\-]?[0-9]{1,3}\.[0-9]{2,18})(?![\w])"
    rf"|{_LATITUDE}[ ,;/&]{{1,4}}(?:et |w |o )?{_LONGITUDE}"
    r"|(?<![\w+])[2-9CFGHJMPQRVWX]{4,8}\+[2-9CFGHJMPQRVWX]{2,3}(?![\w+])"
    r"|(?<![\w/:])///[^\W\d_]{2,30}\.[^\W\d_]{2,30}\.[^\W\d_]{2,30}"
)

# Data in which a line ends. A number that stops short in one line, and its rest in the next.
SPLIT_PHONE = re.compile(r"[0٠](?<![\w+.,/\-].)[ .\-]?[5-7٥-٧](?: ?\n ?\d|[ .\-]?\d){8}(?![ .\-]?\d|[^\W\d_])")
SPLIT_GPS = re.compile(rf"{_LATITUDE}[ ,;]{{0,3}}\n ?{_LONGITUDE}")

_AT = (
    r"(?: {0,2}(?:@|[\[({<] ?(?:at|arobaz?s?e?|@|[اأآ]ت) ?[\])}>]) {0,2}|_at_| {1,2}(?:arobase|arobaze?|arobas|"
    r"arrobase|"
    r"أروباز|اروباز|آروباز|aruba[sz]|[آ]ت) {1,2})"
)
_DOT = (
    r"(?: {0,2}(?:[\[({<] ?(?:dot|point|\.|نقطة|دوت) ?[\])}>]) {0,2}|_dot_| {1,2}(?:point|dot|نقطة|دوت|noqta|"
    r"no9ta) {1,2}|\.| \. ?|"
    r"\. )"
)
_MAIL_HOSTS = (
    "gmail|googlemail|hotmail|yahoo|outlook|live|icloud|menara|ymail|proton|protonmail|laposte|msn|gmx|aol|orange|"
    "free|iam"
)
# Behind its first letter.
_LOCAL = r"(?:[a-z0-9_.+%'\-]{0,62}[a-z0-9_+%\-])?"
_SPELLED_LOCAL = (
    rf"{_LOCAL}(?:(?: {{1,2}}(?:point|dot|tiret(?: du (?:bas|8)| bas)?|underscore|dash|نقطة|دوت) {{1,2}}"
    rf"| ?[\[(](?:dot|point)[\])] ?)[a-z0-9_\-]{{1,30}}){{0,2}}"
)
_ENDINGS = "com|fr|net|org|ma|ac|co|info|edu|gov|io|me|es|be|de|it|uk|ca|eu|press|pro|live"
EMAIL = re.compile(
    r"[0-9A-Za-z_+%](?<![0-9A-Za-z_.+%\-].)(?i:"
    rf"{_LOCAL}@(?:[a-z0-9](?:[a-z0-9\-]{{0,62}})\.){{1,5}}[a-z]{{2,24}}(?![a-z0-9])"
    rf"|{_SPELLED_LOCAL}{_AT}[a-z0-9][a-z0-9\-]{{0,62}}(?:{_DOT}[a-z0-9\-]{{2,63}}){{0,2}}{_DOT}(?:{_ENDINGS})(?![a-z0-9])"
    rf"|{_SPELLED_LOCAL}(?:{_AT}| {{1,2}}(?:at|chez|[اأآ]ت|عند) {{1,2}})"
    rf"(?:{_MAIL_HOSTS})(?:{_DOT}| ?, ?)(?:{_ENDINGS})(?![a-z0-9])"
    rf"|{_SPELLED_LOCAL} {{1,2}}(?:at|[اأآ]ت) {{1,2}}[a-z0-9][a-z0-9\-]{{1,62}}"
    rf"(?: {{1,2}}(?:dot|point|دوت|نقطة) {{1,2}}[a-z0-9\-]{{2,63}}){{0,2}} {{1,2}}(?:dot|point|دوت|"
    rf"نقطة) {{1,2}}(?:{_ENDINGS})(?![a-z0-9])"
    rf"|{_LOCAL}(?: ?@ ?|{_AT})(?:{_MAIL_HOSTS})(?![a-z0-9.])"
    # Letter by letter.
    r"|(?: [a-z0-9._\-]){1,40} ?@(?: [a-z0-9\-]){2,40} \.(?: [a-z]){2,6}(?![^\W_]))"
)

ISOLATED_MENTION = re.compile("@[\u2068\u2066\u2067\u202a\u202b][^\n\u2069\u202c@]{1,100}[\u2069\u202c]")
MENTION = re.compile(
    r"@(?<![\w.@/].)(?:\+?[0-9](?:[ \-]?[0-9]){7,15}(?![0-9A-Za-z])|[^\W\d][\w.]{0,28}\w(?:-[a-zA-Z0-9]\w{1,20})?|"
    r"[0-9][0-9_.a-zA-Z]{3,28})"
    r"(?:@(?:[^\W\d][\w.]{0,28}\w|[0-9][0-9_.a-zA-Z]{3,28}))*"
)

IPV4 = re.compile(r"[0-9](?<![\w.\-].)[0-9]{0,2}(?:(?:\.|\[\.\])[0-9]{1,3}){3}(?![\w\-]|\.[0-9]+(?![0-9A-Za-z]))")
# Without one of these words, four small numbers are a version or a chapter, if they are not these addresses.
IP_CUE = re.compile(
    r"(?i:(?<![^\W_])(?:l?ip|ipv4|serveu?r|server|dns|ping|routeur|router|hôte|host|adresse|proxy|vpn|ssh)"
    r"(?![^\W_])|عنوان|سيرفر)[^\n]{0,24}$"
)
KNOWN_IPV4 = re.compile(r"10\..*|1\.[01]\.[01]\.1|8\.8\.[48]\.[48]|9\.9\.9\.9")
IPV6 = re.compile(
    r"[0-9a-fA-F:](?<![\w:.].)[0-9a-fA-F]{0,3}(?::[0-9a-fA-F]{0,4}){1,7}(?::[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:])"
)
VERSION_CUE = re.compile(
    r"[A-Za-z](?<![^\W_].)(?i:(?<=v)(?:er|ersion)?|(?<=a)ndroid|(?<=i)os|(?<=f)irmware|(?<=b)uild|(?<=d)river"
    r"|(?<=u)pdate|(?<=m)ise à jour|(?<=o)racle|(?<=r)elease|(?<=c)hapitre"
    r"|(?<=w)hatsapp|(?<=s)ection|(?<=e)xercice)(?![^\W_])[^\n]{0,12}$"
)
VERSION_BEHIND = re.compile(r"(?i:[ (]{1,2}(?:version|build|update|release|stable|beta)(?![^\W_]))")
