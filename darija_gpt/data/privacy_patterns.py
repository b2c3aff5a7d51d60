"""What private data looks like in Moroccan chats: cue words of four languages, and the patterns made of them.

Patterns read folded text (see privacy.py): ASCII digits, plain spaces, nothing invisible; a newline ends everything.
Quantifiers are bounded and starts anchored, so that time grows with the text alone.
"""

import re


# What stands in the place of private data. The tokenizer has one token for each, in this order; harmless when typed.
PLACEHOLDERS = (
    *("[PHONE]", "[EMAIL]", "[IBAN]", "[RIB]", "[CARD]", "[CIN]", "[URL]"),
    *("[GPS]", "[MENTION]", "[OTP]", "[PASSWORD]", "[IP]", "[ADDRESS]", "[NAME]"),
)
PLACEHOLDER = re.compile("|".join(map(re.escape, PLACEHOLDERS)))

# Letters written for digits (o6 for 06, l for 1), and what people put between digits.
LOOKALIKES = str.maketrans("oOlIi|ZzEASsBGTbqg", "001111223455867699")
_DIGIT = r"[0-9oOlIi|ZzEASsBGTbqg]"
_ZERO = r"[0oO]"
_GAP = r"[ .\-/_*~()·•]{0,3}"
_ALONE = r"(?<![0-9A-Za-z])"  # Arabic clitics are written onto numbers, Latin ones are not.
_MONEY = r"(?! ?(?:dh|dhs|mad|drh|درهم|دراهم|ريال|ry[ae]l|rial|euros?|eur|dollars?|usd|km|kg|€|\$|%)(?![a-z]))"


def _either(words: str) -> str:
    """Alternatives, the longest first; a space in a phrase is one or two."""
    phrases = sorted(words.split("|"), key=len, reverse=True)
    return "(?:" + "|".join(re.escape(phrase).replace(r"\ ", " {1,2}") for phrase in phrases) + ")"


def _words(text: str) -> frozenset[str]:
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
IBAN = re.compile(rf"{_ALONE}[A-Za-z]{{2}}[ \-]?[0-9oO] ?[0-9oO](?:[ \-.]{{0,2}}[0-9A-Za-z]){{11,30}}")
RIB = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[ \-./_|]{0,2}[0-9oOlI]){23}(?![0-9])")
CARD = re.compile(r"(?<![0-9A-Za-z])[2-6](?:[ \-._*/]{0,2}[0-9oOlI]){12,18}")
BANK_CUE = re.compile(r"(?i:\brib\b|\biban\b|\bcompte\b|الحساب|\bl?7sab\b|ريب|الريب|آيبان|ايبان)[^\n]{0,30}$")
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
CIN_PREFIXES = _words(
    "AA AB AC AD AE AJ AS BA BB BE BF BH BJ BK BL BM BV BW CB CC CD CN DA DB DC DD DJ DN DO EA EB EC EE EF EJ "
    "FA FB "
    "FC FD FG FH FJ FK FL GA GB GI GJ GK GM GN GY HA HB HH IA IB IC ID IE IF JA JB JC JD JE JF JH JI JK JM JT "
    "JW JY "
    "JZ KA KB LA LB LC LE LF LG LH MA MC MD MJ OD PA PB PJ PK PP PS QA QB RA RB RC RX SA SH SJ SK SL SX TA TB "
    "TK TT "
    "UA UB UC UD VA VM WA WB WM WW XA XB XC ZG ZH ZT"
)
_CIN_CUES = _either(
    "cin|la cin|lcin|cnie|cine|carte nationale|carte d'identité|carte d'identite|carte identité|la carte|lakart|"
    "lacarte|"
    "lcarte|n° cin|carta|lakarta|lbita9a|bita9a|bitaqa|البطاقة الوطنية|بطاقة وطنية|بطاقة التعريف|البطاقة|بطاقتي|بطاقة|"
    "لاكارط|لا كارط|لاكارت|رقم البطاقة|سين|السين|id card|national id"
)
_FILLER = (
    r"(?:[ :=.,\-'’\"«(#]|n°|num[ée]ro\b|nmra\b|no\b|nationale?\b|wataniya\b|d'?identit[ée]\b|dyal\w{0,3}\b|"
    r"dial\w{0,3}\b|"
    r"ta3\w{0,3}\b|de\b|la\b|le\b|est\b|is\b|hiya\b|hwa\b|howa\b|hia\b|ana\b|c'est\b|ديال\w{0,3}\b|الوطنية\b|وطنية\b|"
    r"التعريف\b|رقمها\b|رقم\b|هي\b|هو\b|fiha\b|mktob\b)"
)
CIN_AFTER_CUE = re.compile(
    rf"(?i:\b{_CIN_CUES}(?:{_FILLER}){{1,10}}([a-z]{{1,2}}[ \-.]{{0,2}}[0-9](?: ?[0-9]){{4,5}}))(?![0-9A-Za-z])"
)
CIN_BARE = re.compile(r"(?<![0-9A-Za-z/\-_.#])([A-Z]{2})[0-9]{5,6}(?![0-9A-Za-z/\-_])")
# Before a bare form: this is the number of a thing.
THING_CUE = re.compile(
    r"(?i:\b(?:r[ée]f\w{0,6}|mod[èe]le?|model|commande|cmd|colis|order|tracking|suivi|vol|flight|s[ée]rie|serial|"
    r"sn|article|"
    r"art|lot|facture|invoice|dossier|ticket|bac|examen|exam|massar|sku|produit|pi[èe]ce|code|version|salle|train|bus|"
    r"matricule|plaque|tomobil\w{0,3}|toyota|samsung|imprimante|printer|cartouche|toner)\b|كود|مرجع|طلب|رحلة|فاتورة)"
    r"[^\n]{0,20}$"
)

# --- Telephone numbers ---
NATIONAL_PHONE = re.compile(
    rf"(?<![0-9A-Z+])(?:(?<![a-z])|(?=0[5-8][0-9]{{8}}))\(?{_ZERO}{_GAP}[5-8SB](?:{_GAP}{_DIGIT}){{8}}(?![0-9])"
)
MOROCCAN_PHONE = re.compile(
    rf"{_ALONE}(?:\+{_GAP}|\(\+?|{_ZERO}[ .\-]?{_ZERO}{_GAP})?2[ .\-]?[1lI][ .\-]?2{_GAP}(?:{_ZERO}{_GAP})?"
    rf"[5-8](?:{_GAP}{_DIGIT}){{8}}(?![0-9])"
)
FOREIGN_PHONE = re.compile(
    rf"(?:(?<![0-9A-Za-z])\+ ?|(?<![0-9A-Za-z.,])00 ?)[1-9](?:[ .\-/()]{{0,3}}[0-9]){{6,14}}(?![0-9]){_MONEY}",
    re.IGNORECASE,
)
PHONE_AFTER_CUE = re.compile(
    r"(?i:\b(?:t[ée]l|t[ée]l[ée]phone|phone|num[ée]ro|nmra|nmrti|nimero|nemra|gsm|whatsapp|wts|watsap|portable)|"
    r"رقم\w{0,4}|"
    rf"نمرة\w{{0,3}}|نمرتي|واتساب|واتس|الهاتف|تيليفون)(?:[ :.=\-]|dyali|dialy|ديالي|هو|hwa|howa){{1,6}}"
    rf"([67](?:[ .\-]?[0-9]){{8}})(?![0-9]){_MONEY}"
)
SERVICE_NUMBER = re.compile(r"08(?:0[0-2]|9[028])")  # Free, shared-cost and premium numbers are of firms.
_NUMBER_WORDS = _either(
    "zero|zéro|un|une|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze|quinze|seize|vingt|"
    "trente|"
    "quarante|cinquante|soixante|et|sifr|wahd|wa7d|jouj|juj|joj|tlata|tlat|rb3a|reb3a|khmsa|khamsa|5amsa|stta|sta|"
    "setta|"
    "sb3a|seb3a|tmnya|tmenya|ts3od|tes3od|ts3oud|صفر|واحد|جوج|تلاتة|ثلاثة|ربعة|أربعة|اربعة|خمسة|ستة|سبعة|تمنية|ثمانية|"
    "تسعود|تسعة|زوج|one|two|three|four|five|seven|eight|nine"
)
SPOKEN_PHONE = re.compile(
    rf"(?i:\b(?:z[ée]ro|sifr|صفر|0|o)[ ,\-]{{1,2}}(?:cinq|six|sept|huit|khmsa|khamsa|stta|sta|setta|sb3a|seb3a|"
    rf"five|seven|"
    rf"خمسة|ستة|سبعة|5|6|7)(?:[ ,\-]{{1,2}}(?:{_NUMBER_WORDS}|[0-9]{{1,2}})(?![\w])){{4,16}})"
)

# --- The net ---
_PATH = r"[^\s<>\"«»{}|\\^`،؛]"
_SAFE_TLDS = (
    "com|net|org|info|edu|gov|fr|io|ly|gl|gg|tv|app|dev|xyz|online|shop|site|store|link|tech|blog|press|eu|uk|cc|"
    "biz|ws|"
    "page|live|club|pro|cloud|news|watch|tn|dz|qa"
)
# These are words too (ma "what", me, it, de): a bare name needs a path, a second dot, or to be well known.
_WORD_TLDS = "ma|me|be|co|to|it|de|es|us|ai|nl|ca|ch|in|is|so|la|no|im|id|ru|pt|se|sh|fm|sn|ae|sa|eg"
_KNOWN_SITES = (
    "avito|hespress|jumia|marjane|iam|inwi|orange|cihbank|cih|bmci|attijariwafabank|bmcebank|oncf|onda|cnss|anapec|"
    "tawjihnet|"
    "moteur|mubawab|glovo|barlamane|le360|goud|hibapress|alyaoum24|akhbarona|chouftv|massarservice|massar|men|uca|"
    "um5|uh2c|"
    "hmizate|electroplanet|decathlon|poste|passeport|rdv|watiqa|radeema|lydec|redal|iptv|bladi|medias24|wa|t|youtu|fb"
)
_HOST = r"(?:[a-z0-9\-]{1,63}\.){1,5}"
URL = re.compile(
    rf"(?:https?|hxxps?|ftp)(?:://|:/ /|\[:\]//){_PATH}{{3,2048}}"
    rf"|(?<![\w@.\-])www\.{_PATH}{{3,2048}}"
    rf"|(?<![a-z0-9@._\-])(?:{_HOST}(?:{_SAFE_TLDS}|{_WORD_TLDS})(?::[0-9]{{2,5}})?/{_PATH}{{1,2048}}"
    rf"|{_HOST}(?:{_SAFE_TLDS})(?![a-z0-9@\-]|\.[a-z0-9])(?:/|\?{_PATH}{{1,500}})?"
    rf"|(?:(?:{_KNOWN_SITES})|[a-z0-9\-]{{2,63}}\.[a-z0-9\-]{{3,63}}|(?=[a-z]{{0,30}}[0-9\-])[a-z][a-z0-9\-]{{3,63}})"
    rf"\.(?:{_WORD_TLDS})(?![a-z0-9@\-]|\.[a-z0-9])/?)",
    re.IGNORECASE,
)
NOT_A_SITE = re.compile(r"[0-9.\-]*(?:[a-z]{0,2})\.[a-z]+", re.IGNORECASE)  # "1.com", "h.fr"
MAP_LINK = re.compile(
    r"maps\.|/maps|goo\.gl/maps|waze\.|openstreetmap\.|plus\.codes|what3words|w3w\.co|here\.com", re.IGNORECASE
)
_COORDINATE = r"[0-9]{1,3}[.,][0-9]{4,18} ?°? ?[NSEWOnsewo]?"
_SEXAGESIMAL = r"[0-9]{1,3} ?[°º] ?[0-9]{1,2} ?['’′] ?(?:[0-9]{1,2}(?:[.,][0-9]{1,6})? ?(?:[\"”″]|''))? ?[NSEWO]"
GPS = re.compile(
    rf"(?:\bgeo:)?(?<![\w.,])[+\-]?{_COORDINATE}(?:(?<=[0-9NSEWOnsewo°]) ?[,;/|] ?| "
    rf"{{1,3}})[+\-]?{_COORDINATE}(?![\w])"
    rf"|{_SEXAGESIMAL}[ ,;/]{{0,3}}{_SEXAGESIMAL}"
    r"|(?i:\blat(?:itude)?[ :=]{1,3}[+\-]?[0-9]{1,2}[.,][0-9]{1,18}[ ,;/&]{1,4}(?:et |w |o )?"
    r"(?:lon|lng|long|longitude)[ :=]{1,3}[+\-]?[0-9]{1,3}[.,][0-9]{1,18})"
)

_AT = (
    r"(?: {0,2}(?:@|[\[({<] ?(?:at|arobase|arobaz|@|ات|أت) ?[\])}>]) {0,2}| {1,2}(?:arobase|arobaz|arobas|arrobase|"
    r"أروباز|اروباز|آروباز|aruba[sz]) {1,2})"
)
_DOT = (
    r"(?: {0,2}(?:[\[({<] ?(?:dot|point|\.|نقطة) ?[\])}>]) {0,2}| {1,2}(?:point|dot|نقطة|noqta|no9ta) {1,2}|\.| \. "
    r"?|\. )"
)
_MAIL_HOSTS = (
    "gmail|googlemail|hotmail|yahoo|outlook|live|icloud|menara|ymail|proton|protonmail|laposte|msn|gmx|aol|orange|"
    "free|iam"
)
_LOCAL = r"(?<![a-z0-9_.+%\-])[a-z0-9_+%](?:[a-z0-9_.+%'\-]{0,62}[a-z0-9_+%\-])?"
_SPELLED_LOCAL = (
    rf"{_LOCAL}(?:(?: {{1,2}}(?:point|dot) {{1,2}}| ?[\[(](?:dot|point)[\])] ?)[a-z0-9_\-]{{1,30}}){{0,2}}"
)
_ENDINGS = "com|fr|net|org|ma|ac|co|info|edu|gov|io|me|es|be|de|it|uk|ca|eu|press|pro|live"
EMAIL = re.compile(
    rf"{_LOCAL}@(?:[a-z0-9](?:[a-z0-9\-]{{0,62}})\.){{1,5}}[a-z]{{2,24}}(?![a-z0-9])"
    rf"|{_SPELLED_LOCAL}{_AT}[a-z0-9][a-z0-9\-]{{0,62}}(?:{_DOT}[a-z0-9\-]{{2,63}}){{0,2}}{_DOT}(?:{_ENDINGS})(?![a-z0-9])"
    rf"|{_SPELLED_LOCAL}(?:{_AT}| {{1,2}}(?:at|chez|ات|أت|عند) "
    rf"{{1,2}})(?:{_MAIL_HOSTS}){_DOT}(?:{_ENDINGS})(?![a-z0-9])"
    rf"|{_LOCAL}(?: ?@ ?|{_AT})(?:{_MAIL_HOSTS})(?![a-z0-9.])",
    re.IGNORECASE,
)

ISOLATED_MENTION = re.compile("@[\u2068\u2066\u2067\u202a\u202b][^\n\u2069\u202c@]{1,100}[\u2069\u202c]")
MENTION = re.compile(
    r"(?<![\w.@/])(?:@(?:\+?[0-9](?:[ \-]?[0-9]){7,15}(?![0-9])|[^\W\d][\w.]{0,28}\w|[0-9][0-9_.a-zA-Z]{3,28}))+"
)

IPV4 = re.compile(r"(?<![\w.\-])[0-9]{1,3}(?:(?:\.|\[\.\])[0-9]{1,3}){3}(?![\w\-]|\.[0-9])")
IPV6 = re.compile(
    r"(?<![\w:.])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?::[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:])", re.IGNORECASE
)
VERSION_CUE = re.compile(r"(?i:\b(?:v|ver|version|android|ios|firmware|build|driver|update|mise à jour)[ .:]{0,2}$)")

# --- One-time codes and passwords: nothing but the words around them tells. ---
_CODE_CUES = _either(
    "code|lcode|l code|l-code|codes|otp|l'otp|lotp|kod|lkod|code de vérification|code de verification|code de "
    "confirmation|"
    "verification code|confirmation code|code de sécurité|code de securite|code d'activation|code sms|code pin|pin|"
    "pin code|"
    "passcode|الكود|كود|لكود|رمز|الرمز|رمز التحقق|رمز التأكيد|رمز الأمان|رمز التفعيل|كود التحقق|كود التأكيد|rmz|ramz|"
    "confirmation|vérification|verification"
)
_NO_CODE = _either(
    "postal|postale|promo|barre|barres|a barres|à barres|client|massar|civil|pénal|penal|du travail|de la route|"
    "source|"
    "de la famille|couleur|produit|article|pays|agence|guichet|banque|réduction|reduction|la route|réf|swift|bic|"
    "ascii|"
    "html|python|erreur|error|bareme|parrainage|البريدي|بريدي|الشحن|التخفيض|تخفيض|البلد|الدولة|الخصم|خصم|برومو"
)
_CODE_FILLER = (
    r"(?:[ :=.,\-'’\"«(\[#>*]|(?:de|d|dyal\w{0,3}|dial\w{0,3}|ta3\w{0,3}|li|lli|l|la|le|wslni|wsslni|wslk|jak|jani|"
    r"jatk|sift\w{0,4}|"
    r"est|is|hwa|howa|hwwa|rah|raho|was|your|votre|mon|ton|c'est|v[ée]rification|confirmation|s[ée]curit[ée]|"
    r"activation|"
    r"whatsapp|watsap|wts|facebook|fb|google|insta|instagram|telegram|tiktok|gmail|paypal|cih|bank|banka|lbanka|"
    r"bank?que|sms|"
    r"attijari|bp|bmce|inwi|orange|iam|cash|plus|wafacash|glovo|indrive|uber|app|otp|code|pin|kod|daba|jdid|"
    r"nouveau|new|here|"
    r"ha|hak|hahowa|hahwa|هو|هي|ديال\w{0,3}|دال|تاع|لي|اللي|الخاص|بك|وصلني|جاني|جاك|صيفطو|واتساب|الواتساب|التحقق|"
    r"التأكيد|الأمان|"
    r"التفعيل|البنك|لبنك|ها|هاهو|راه|الجديد)(?![\w]))"
)
_CODE_VALUE = (
    r"(?:[A-Z]{1,3}-[0-9]{4,8}|[0-9]{3}[ \-][0-9]{3}|[0-9]{2} [0-9]{2} [0-9]{2}|[0-9]{4,8}|[0-9](?: [0-9]){3,7})"
)
OTP_AFTER_CUE = re.compile(
    rf"(?i:(?<![\w]){_CODE_CUES}(?![\w]) ?(?!{_NO_CODE}(?![\w]))(?:{_CODE_FILLER}){{1,14}}({_CODE_VALUE}){_MONEY})"
    r"(?![\w/]|[ \-.:,][0-9])"
)
OTP_BEFORE_CUE = re.compile(
    rf"(?i:(?<![\w.,:/\-])({_CODE_VALUE})(?![\w/]|[.,][0-9]) {{1,2}}(?:(?:is|est|hwa|howa|hada|هو|هذا|هدا|rah|c'est)"
    r" {1,2}(?:your|votre|le|ton|mon|l|dyal)?|hwa|howa|هو) {0,2}(?:[a-z]{2,12} {1,2}){0,2}"
    rf"{_CODE_CUES}(?![\w])(?! ?{_NO_CODE}(?![\w])))"
)
GOOGLE_CODE = re.compile(r"(?<![\w\-])G-[0-9]{5,6}(?![\w\-])")

_STRONG_PASSWORD_CUES = _either(
    "mot de passe|mots de passe|lmot de passe|mot de pass|mot d passe|mot de pas|mot passe|motdepasse|mdp|lmdp|"
    "mot2passe|"
    "modpass|lmodpass|modepass|moddepasse|mo de passe|password|passwd|lpassword|pwd|pasword|passeword|lpasse word|"
    "كلمة السر|كلمة المرور|كلمة سر|كلمة مرور|الباسوورد|الباسورد|باسوورد|باسورد|لباسورد|لباسوورد|المودباس|مودباس|"
    "الرقم السري|رقم سري|كلمه السر|كلمه المرور|موت دو باس|لموت دو باس|مو دو باس|kalimat sir|klmt sir|kelmt ser"
)
_WEAK_PASSWORD_CUES = _either(
    "pass|lpass|passe|wifi|wi-fi|lwifi|code wifi|code wi-fi|code dyal wifi|code d wifi|code dyal lwifi|code de "
    "wifi|code du wifi|"
    "clé wifi|cle wifi|lcode wifi|l code wifi|lcode dyal wifi|lcode dyal lwifi|الويفي|ويفي|كود الويفي|كود ويفي|كود "
    "ديال الويفي|"
    "الكود ديال الويفي|لكود ديال الويفي|رمز الويفي|الواي فاي|واي فاي|رمز الواي فاي"
)
_PASSWORD_FILLER = (
    r"(?:(?:dyal\w{0,3}|dial\w{0,3}|ta3\w{0,3}|d|de|du|l|la|le|mon|ton|votre|your|my|the|wifi|lwifi|wi-fi|facebook|"
    r"fb|insta|gmail|"
    r"compte|lcompte|email|mail|netflix|pc|l?7sab|jdid|jdida|nouveau|new|app|site|ديال\w{0,3}|دال|تاع|الويفي|ويفي|"
    r"الحساب|"
    r"الفيسبوك|فيسبوك|انستا|الجديدة|الجديد|الإيميل|نتفليكس|تاعي|code|pass|password)(?![\w]) {0,2})"
)
_PASSWORD_LINK = (
    r"( ?(?::|=|->|=>|⇒|→) ?|(?: {0,2}(?:hwa|howa|hwwa|hiya|hia|est|is|c'est|هو|هي|rah|raha|راه|ha hwa|ha "
    r"howa)(?![\w]) ?:?)? {1,2})"
)
PASSWORD = re.compile(
    rf"(?i:(?<![\w])(?:({_STRONG_PASSWORD_CUES})|{_WEAK_PASSWORD_CUES})(?![\w]) "
    rf"{{0,2}}(?:{_PASSWORD_FILLER}){{0,4}}{_PASSWORD_LINK})"
    r"[\"«“'(]?([^\s\"«»“”]{4,64})"
)
NOT_A_PASSWORD = re.compile(
    r"(?i:nsit\w{0,4}|oubli\w{0,2}|ghal[ae]t|incorrecte?|faux|fausse|wrong|walo|kayn\w{0,2}|makayn\w{0,3}|"
    r"bdl\w{0,4}|tbdl\w{0,3}|"
    r"chang\w{0,6}|khass\w{0,3}|chno|chnou|achno|obligatoire|forgotten|invalide?|نسيت\w{0,3}|غلط|خاطئة|والو|شنو|"
    r"[0-9]{1,7}(?:dh|dhs|mb|mbps|go|gb|mega|درهم))"
)

# --- Street addresses ---
_PARTICLES = (
    r"(?:de|des|du|d|el|al|l|la|le|les|ibn|ben|bni|beni|bani|oued|wad|moulay|my|sidi|lalla|ain|aïn|bir|dar|bab|"
    r"abou|bou|cité|ابن|بن|بني|مولاي|سيدي|لالة|عين|باب|واد|أبي|ابي|أبو|ابو)"
)
_WORD = r"[^\W\d_]{2,24}"
_CAPITALISED = r"[A-ZÀ-Ý][^\W\d_]{0,23}"
_PLACE_NAME = (
    rf"(?:(?i:{_PARTICLES})[ '’\-]){{0,3}}{_WORD}(?:[ \-](?:{_CAPITALISED}|(?i:{_PARTICLES})[ '’\-]{_CAPITALISED}|"
    rf"ال{_WORD})){{0,3}}"
)
_WAYS = _either(
    "rue|avenue|av.|av|ave|bd|bd.|bld|blvd|blvd.|boulevard|bvd|lotissement|résidence|residence|rés.|res.|quartier|"
    "qrt|derb|zanqa|"
    "zanqat|zankat|zenqat|zan9a|zan9at|zn9a|zn9at|zen9a|zen9at|zanka|znqa|impasse|allée|hay|7ay|l7ay|douar|"
    "شارع|زنقة|الزنقة|زنقت|حي|الحي|درب|إقامة|اقامة|تجزئة|التجزئة|دوار|ممر|زقاق"
)
_NUMBERED_WAYS = _either(
    "rue|derb|zanqa|zanqat|zankat|zan9a|zan9at|zn9a|zn9at|zen9a|zen9at|zanka|avenue|زنقة|الزنقة|درب"
)
_UNITS = _either(
    "n°|n |no|no.|nr|num|numéro|numero|nmra|imm|imm.|immeuble|bloc|blok|bloque|appt|appt.|appartement|app|app.|apt|"
    "apt.|apprt|étage|etage|"
    "villa|porte|lot|lot.|tranche|gh|secteur|ent|entrée|رقم|عمارة|العمارة|عماره|شقة|الشقة|شقه|بلوك|الطابق|طابق|باب|"
    "فيلا|بقعة"
)
_HOUSE_NUMBER = r"[0-9]{1,4}(?: ?bis| ?ter|[A-Za-z])?(?![\w]|[.,][0-9])"
_UNIT = (
    rf"(?:(?i:{_UNITS}) ?[.:°]? ?(?:[A-Z]{{0,2}}[0-9]{{1,4}}(?: ?bis|[A-Za-z])?|[A-Z]{{1,2}})(?![\w])|"
    rf"[0-9]{{1,2}}(?:er|[èe]me|e|°)? ?[ée]tage)"
)
_NOT_A_COUNT = (
    r"(?! ?(?:dh|dhs|d|h|min|minutes?|km|m|kg|jours?|ans|mois|fois|personnes?|dyal|dial|nas|we?ld|bnat|yam|yom|"
    r"iyam|chhour|3am|"
    r"étoiles?|etoiles?|درهم|دقيقة|دقايق|سنين|سنة|ايام|أيام|ديال|مرات|كيلو|متر|عام|شهر|الناس|ساعة)(?![\w]))"
)
_JOIN = r"(?: {0,2}[,،\-/;] {0,2}| {1,2})(?:(?:f|fi|ف|في) )?"
_WAY = (
    rf"(?:{_HOUSE_NUMBER},? {{1,2}}(?:(?i:{_WAYS}) {_PLACE_NAME})|(?i:{_NUMBERED_WAYS}) "
    rf"{{1,2}}{_HOUSE_NUMBER}{_NOT_A_COUNT}"
    rf"|(?i:{_WAYS}) {{1,2}}{_PLACE_NAME})"
)
# A way with a house number before, behind or among its units; or a flat in a house.
ADDRESS = re.compile(
    rf"(?<![\w])(?:{_UNIT}{_JOIN}){{0,4}}{_WAY}(?:{_JOIN}(?:{_UNIT}|{_WAY})){{0,5}}"
    rf"(?:(?:{_JOIN}){_HOUSE_NUMBER}(?! ?[:h][0-9]){_NOT_A_COUNT}(?:{_JOIN}{_UNIT}){{0,3}})?"
    rf"|(?<![\w]){_UNIT}(?:{_JOIN}{_UNIT}){{1,4}}"
)
# Of what is found, what makes it an address: a way or a house, and a number that is part of no word (7ay, zn9a).
HOUSE_CUE = re.compile(rf"(?i:imm|bloc|blok|app|apt|villa|étage|etage|عمارة|العمارة|شقة|بلوك|فيلا|(?<![\w]){_WAYS} )")
HOUSE_DIGIT = re.compile(r"(?<![^\W_])[0-9]{1,5}(?: ?bis|[a-zA-Z])?(?![^\W_])|[A-Zmtpcnal][0-9]{1,4}(?![\w])")
COUNTED_AREA = re.compile(r"الحي [^0-9]{2,60} [0-9]{1,4}")  # 302 cases in a quarter

# What a line must hold for a costly pattern to be tried.
DOTTED = re.compile(r"\.[a-z]|://|:\]", re.IGNORECASE)

# --- Names ---
# Folded spellings of names that are words of Darija, Arabic or French too: nour "light", lina "to us".
ORDINARY_WORDS = _words(
    "nour noor nur amal said saïd karim rabi3 rabie rabia salam iman imane hiba hayat farah sabah badr bader "
    "hoda huda "
    "wafa wafae ikram ihsan najat jamal jamila hassan adil amin amine anwar chams dounia donia dunia fajr ghali "
    "ghizlane hanan hanane khalid latif latifa mabrouk malak mansour nasr nada najm rajae raja rahma rida reda "
    "safa safae "
    "salah samah siham tarik tariq wahid ward warda zahra zine zin zina aya bouchra douaa doua fath ibtissam "
    "ilham islam "
    "jihad kamal layla lila leila lina mourad nidal riad riyad saad sadik safia sami soltan sultan tayeb hakim "
    "salima "
    "sana asmae asma amira malika hajar rim mina dina ali hadi fadi hind hana mona rose claire pierre olive marie "
    "aube jean aziz aziza habib habiba karima kenza kanza nabil naim naima rachid sabir sabr samir samira taha "
    "wiam wissal yosr "
    "yousr zaki zakia mehdi maha moulay omar basma bassma ines nassim nassima ghita rayan racha hamid majid majda "
    "نور امل سعيد سعيده كريم كريمه ربيع سلام ايمان هبه حياه فرح صباح بدر هدي وفاء اكرام احسان نجاه جمال جميله "
    "حسن عادل "
    "امين انوار شمس دنيا فجر غالي غزلان حنان خالد لطيف لطيفه مبروك ملاك منصور نصر ندي نجم رجاء رحمه رضي رضا "
    "صفاء صلاح "
    "سماح سهام طارق وحيد ورد ورده زهره زين زينه ايه بشري دعاء فتح ابتسام الهام اسلام جهاد كمال ليلي مراد نضال "
    "رياض سعد "
    "صديق صافيه سامي سلطان طيب حكيم سليمه سنا سناء اسماء اميره ملكه مليكه هاجر ريم علي عليا هادي فادي هند هناء "
    "مني "
    "عزيز عزيزه حبيب حبيبه كنزه نبيل نعيم نعيمه رشيد صابر صبر سمير سميره طه وئام وصال يسر زكي زكيه مهدي عمر "
    "بسمه نسيم "
    "حميد مجيد ماجده"
)
VOCATIVES = _words(
    "a ya si lalla sidi moulay khouya 5ouya khoya khti 5ti khtito 3mmi 3ami khalti khali ostad oustad dr docteur "
    "mr mme madame monsieur sahbi "
    "sa7bi azizi 3zizi 3ziza m3a 3nd 3end wld weld bnt bent mrat rajl khout salam slm slt salut cc bonjour bonsoir "
    "hi hello hey "
    "ahlan mrhba marhba merci chokran chukran choukran labas smiti smito smitha smiya bsla7a fin "
    "ا يا السي سي لاله سيدي مولاي خويا ختي اختي اخي الاخ الاخت الاستاذ الاستاذه استاذ الدكتور عمي خالتي خالي صاحبي "
    "صاحبتي "
    "مع عند ولد بنت سلام اهلا مرحبا عزيزي عزيزتي شكرا سميتو سميتها سميتي وا هيا"
)
VERBS = _words(
    "gal galt galat galli galo gali galia gallia mcha mchat mchit ja jat jab jabt jabat jay jaya ghadi ghadya "
    "kaygol katgol 3yt 3yyt 3ayt 3ayta sift sifet "
    "tsl tsal jawb jawbat tzwej tzwjat wld weldat rj3 rje3 wsl wslat khrj khrjat tlf "
    "قال قالت قاليا قالتليا گال گالت گاليا كال مشا مشي مشات جا جات جاب جابت غادي غاديه جاي جايه كيقول كتقول عيط "
    "عيطات صيفط صيفطات تزوج "
    "تزوجات رجع رجعات وصل وصلات خرج خرجات دار دارت"
)
AT_SIGN = re.compile(r"[@\])}>]|arob|arrob|aruba| at |chez|عند|ات|أت|روباز", re.IGNORECASE)
