"""One-time codes and passwords: nothing but the words around them tells them from a price or a word.

The patterns read folded text, in lower case unless they say otherwise; see patterns.py for their rules.
"""

import re

from darija_gpt.data.private_data.net import is_email
from darija_gpt.data.private_data.patterns import MONEY, NO_NUMBER
from darija_gpt.data.private_data.phrases import begin, either
from darija_gpt.data.private_data.spans import Bounds, Reading


# What does not stand before a cue.
_OF_WORDS, _OF_LINKS, _OF_PATHS = r"\w", r"[\w?&/=#]", r"[\w/.@]"
_NO_MORE = r"(?!\w)"
_CODE_CUES = (
    "code|lcode|l code|l-code|codes|otp|l'otp|lotp|kod|lkod|code de vérification|code de verification|"
    "code de confirmation|verification code|confirmation code|code de sécurité|code de securite|code d'activation|"
    "code sms|code pin|pin|lpin|pin code|puk|lpuk|code puk|passcode|"
    "الكود|كود|لكود|رمز|الرمز|رمز التحقق|رمز التأكيد|رمز الأمان|رمز التفعيل|"
    "كود التحقق|كود التأكيد|rmz|ramz|confirmation|vérification|verification|mot de passe à usage unique|"
    "mot de passe temporaire|one time password|one-time password|الرمز السري|رقم سري مؤقت"
)
# Codes that open nothing of anybody's.
_NO_CODE = (
    "postal|postale|promo|barre|barres|a barres|à barres|client|massar|civil|pénal|penal|du travail|de la route|"
    "source|de la famille|couleur|produit|article|pays|agence|guichet|banque|réduction|reduction|la route|réf|swift|"
    "bic|ascii|html|python|erreur|error|bareme|parrainage|البريدي|بريدي|الشحن|التخفيض|تخفيض|البلد|الدولة|الخصم|خصم|"
    "برومو|المنطقة|منطقة"
)
_CODE_FILLERS = either(
    "de|d|li|lli|l|la|le|wslni|wsslni|wslk|jak|jani|jatk|est|is|hwa|howa|hwwa|rah|raho|was|your|votre|mon|ton|c'est|"
    "verification|vérification|confirmation|securite|sécurité|securité|sécurite|activation|whatsapp|watsap|wts|"
    "facebook|fb|google|insta|instagram|telegram|tiktok|gmail|paypal|cih|bank|banka|lbanka|banque|bankque|transfert|"
    "retrait|envoi|virement|sms|attijari|bp|bmce|inwi|orange|iam|cash|plus|wafacash|cashplus|glovo|indrive|uber|app|"
    "carte|lacarte|lcarte|lacarta|lcarta|lakart|lakarta|lkarta|karta|bancaire|sim|tel|ma|3ndk|guichet|lguichet|gab|"
    "tele|telephone|téléphone|portable|lportable|tilifon|tilifoun|coffre|lcoffre|casier|porte|la porte|lbab|immeuble|"
    "limmeuble|residence|résidence|cadenas|9fel|l9fel|alarme|لاكارط|الكارط|كارط|التيليفون|تيليفون|الباب|"
    "otp|code|pin|kod|daba|jdid|nouveau|new|here|ha|hak|hahowa|hahwa|هو|هي|دال|تاع|لي|اللي|الخاص|بك|"
    "وصلني|جاني|جاك|صيفطو|واتساب|الواتساب|التحقق|التأكيد|الأمان|التفعيل|البنك|لبنك|ها|هاهو|راه|الجديد"
)
_CODE_FILLER = rf"(?:[ :=.,\-'’\"«(\[#>*]|(?:{_CODE_FILLERS}|(?:dyal|dial|ta3|ديال)\w{{0,3}}|sift\w{{0,4}})(?![\w]))"
# Behind its first letter: a letter and a number, groups of digits, or digits among capitals.
_REST_OF_CODE = (
    r"(?:(?<=[A-Za-z])[A-Za-z]{0,2}-[0-9]{4,8}|(?<=[0-9])(?:[0-9]{2}[ \-·•.][0-9]{3}|[0-9] [0-9]{2} [0-9]{2}|"
    r"[0-9]{3,9}|"
    r"(?:[ \-·•._*/|,]{1,3}[0-9]){3,7}|"
    r"[0-9](?![\-·.](?:0[1-9]|1[0-2])[\-·.])(?:[\-·.][0-9]{2}){2})|"
    r"(?<=[0-9A-Z])(?!(?<=H)TTP)(?:(?<=[A-Z])(?=[A-Z]{0,5}[0-9][A-Z]{0,6}[0-9])|"
    r"(?<=[0-9])(?=[0-9]{0,6}[A-Z])(?=[A-Z]{0,6}[0-9]))[0-9A-Z]{4,7})"
)
_CODE = rf"[0-9A-Za-z]{_REST_OF_CODE}"
# Where no digit is near a cue, nothing more is asked. Reads capitals, too.
OTP_AFTER_CUE = re.compile(
    rf"({begin(_CODE_CUES, _OF_WORDS, is_cased=True)}){_NO_MORE}(?=[^0-9\n]{{1,48}}+[0-9])"
    r"(?=[^\n]{1,40}?(?<![0-9A-Za-z])"
    r"(?:[0-9](?:[0-9][0-9 ]|[0-9][\-·.]|[ \-·•._*/|,]{1,3}[0-9])|[A-Za-z]{1,3}-[0-9]|[0-9A-Z]{5}))"
    rf"({NO_NUMBER}{{1,40}}?)(?<![0-9A-Za-z])({_CODE})(?i:{MONEY})(?![\w/]|[ \-.:,][0-9]++(?![a-z]))"
)
_IS = either("is|est|hwa|howa|hada|هو|هذا|هدا|rah|c'est", is_cased=True)
_WHOSE = either("your|votre|le|ton|mon|l|dyal", is_cased=True)
# Reads capitals, too.
OTP_BEFORE_CUE = re.compile(
    rf"[^0-9A-Za-z_.,:/\-\u0621-\u064a](?<!\w)([0-9A-Za-z]{_REST_OF_CODE})(?![\w/]|[.,][0-9]) {{1,2}}"
    rf"(?:{_IS} {{1,2}}{_WHOSE}?|{either('hwa|howa|هو', is_cased=True)}) {{0,2}}(?:[A-Za-z]{{2,12}} {{1,2}}){{0,2}}"
    rf"{either(_CODE_CUES, is_cased=True)}(?![\w])(?! ?{either(_NO_CODE, is_cased=True)}(?![\w]))"
)
_ORDERS = "use|enter|utilise|utilisez|entrez|saisissez|tapez|composez|dkhl|dkhel|استخدم|استعمل|أدخل|ادخل|دخل"
_PURPOSES = (
    "vérif|verif|confirm|log|sign|conne|activ|valid|code|votre|your|تأكيد|تفعيل|dkhl|dkl|takkd|akkd|t2akkd|2akkd"
)
# "Use 123456 to verify". Reads capitals, too.
OTP_IN_ORDER = re.compile(
    rf"{begin(_ORDERS, _OF_WORDS, is_cased=True)} {{1,2}}({_CODE})(?![\w/]|[.,][0-9]) {{1,2}}"
    rf"{either('to|as|for|pour|comme|bach|باش|ل', is_cased=True)} ?(?:[A-Za-z]{{2,12}} )?"
    rf"{either(_PURPOSES, is_cased=True)}"
)
_ANOTHER = either("jani|jatni|jak|machi|mchi|pas|not|et non|3ndi|hada|7it|wla|وصلني|جاني|ماشي")
# A second code, in what follows one that was found and blotted out.
OTP_AGAIN = re.compile(
    rf"\n[^0-9\n]{{1,30}}?(?<![\w])(?:{_ANOTHER}|wss?l\w{{0,3}})(?![\w])[^0-9\n]{{1,12}}(?<![0-9a-z])([0-9]{{4,8}})"
    rf"(?![\w/]|[ \-.:,][0-9]){MONEY}"
)
# Reads capitals alone.
GOOGLE_CODE = re.compile(r"G(?<![\w\-].)-[0-9]{5,6}(?![\w\-])")
# What is paid to whoever says it. Longer than other codes.
_CASH = either(
    "wafacash|wafa cash|cashplus|cash plus|western union|western|moneygram|money gram|ria|retrait|lretrait|envoi|"
    "transfert|transfer|mandat|lmandat|baridcash|barid cash|damane cash|damanecash|tashilat|chaabi cash|tahwil|"
    "وفاكاش|وفا كاش|كاش بلوس|ويسترن|التحويل|الحوالة|حوالة"
)
TRANSFER_CODE = re.compile(
    rf"(?:m(?<!\w.)tcn|{begin('code|lcode|l code|kod|lkod|كود|الكود|رمز', _OF_WORDS)} {{1,2}}"
    rf"(?:{either('de|d|du|dyal|dial|ta3|l|ديال|تاع')} {{1,2}}|d')?{_CASH})(?!\w)[^0-9\n]{{1,20}}?"
    rf"(?<![0-9a-z])([0-9](?:[ .\-]?[0-9]){{5,15}})(?![0-9a-z]){MONEY}"
)
ONLY_FILLER = re.compile(rf"(?:{_CODE_FILLER}){{1,14}}")
HARMLESS_CODE = re.compile(
    # The code of a guichet is a bank's; that which is for the guichet is somebody's.
    rf"(?! ?(?:dyal|dial|d|ta3|ديال) {{1,2}}l?guichet)[ :\-]{{0,2}}"
    rf"(?:{either('de|des|du|d|la|le|l|dyal|ديال')} {{1,2}}){{0,2}}{either(_NO_CODE)}(?![\w])"
)
WEAK_CUE = re.compile(r"confirmation|v[ée]rification|pin")
YEAR = re.compile(r"(?:19|20)[0-9]{2}")

_STRONG_PASSWORD_CUES = (
    "mot de passe|mots de passe|lmot de passe|mot de pass|mot d passe|mot de pas|mot passe|motdepasse|mdp|lmdp|"
    "mot2passe|modpass|lmodpass|modpas|lmodpas|modepass|moddepasse|mo de passe|password|passwd|lpassword|pwd|pasword|"
    "passeword|psw|pswd|lpsw|passwrd|phrase secrete|phrase secrète|lpasse word|pass word|pass-word|passe word|"
    "code secret|lcode secret|code sirri|lcode sirri|code siri|lcode siri|passcode|ra9m sirri|ra9m siri|lra9m sirri|"
    "lra9m siri|ra9em sirri|9en sirri|l9en sirri|9en siri|l9en siri|9in sirri|l9in sirri|القن السري|قن سري|لقن السري|"
    "قن السري|رقم السري|"
    "كلمة السر|كلمة المرور|كلمة سر|كلمة مرور|الباسوورد|الباسورد|باسوورد|باسورد|لباسورد|لباسوورد|المودباس|مودباس|"
    "الموديباس|موديباس|لمودباس|لموديباس|الموتدوباس|"
    "الرقم السري|رقم سري|كلمه السر|كلمه المرور|موت دو باس|لموت دو باس|مو دو باس|kalimat sir|klmt sir|kelmt ser|"
    "kelmt sir|kelmet sir|kelmet ser|kelmat sir|kelmat ser|kalimat ser|klmat sir|klmat ser|klmet sir|kalimat lmorour|"
    "pw|lpw|m.d.p|m.d.p.|m d p|p4ssword|p4ss|p@ssword|passw0rd"
)
_WEAK_PASSWORD_CUES = (
    "pass|lpass|passe|wifi|wi-fi|lwifi|code wifi|code wi-fi|code dyal wifi|code d wifi|code dyal lwifi|code de wifi|"
    "code du wifi|clé wifi|cle wifi|lcode wifi|l code wifi|lcode dyal wifi|lcode dyal lwifi|الويفي|ويفي|كود الويفي|"
    "كود ويفي|كود ديال الويفي|الكود ديال الويفي|لكود ديال الويفي|رمز الويفي|الواي فاي|واي فاي|رمز الواي فاي"
)
_FILLERS = either(
    "provisoire|par défaut|par defaut|initial|actuel|massar|drive|zip|routeur|router|box|lbox|serveur|الحاسوب|d|de|du|"
    "l|la|le|mon|ton|votre|your|my|the|wifi|lwifi|wi-fi|facebook|fb|insta|gmail|compte|lcompte|email|mail|netflix|pc|"
    "l7sab|7sab|jdid|jdida|nouveau|new|app|site|دال|تاع|الويفي|ويفي|الحساب|الفيسبوك|فيسبوك|انستا|الجديدة|"
    "الجديد|الإيميل|نتفليكس|تاعي|code|pass|password"
)
_OF = either("dyal|dial|d|de|du|ta3|of|for|ديال|تاع")
_PASSWORD_FILLER = (
    rf"(?:(?:(?:for|of) {{1,2}}(?:the|my|your|our) {{1,2}}[^\W\d_]{{1,15}}|{_OF} {{1,2}}[^\s:=]{{1,20}}|"
    rf"(?:d|de|l)['’][^\s:=]{{1,20}}|{_FILLERS}|"
    r"t ?bd+l\w{0,3}|bd+ltha?|ال[^\W\d_]{2,12}|(?:dyal|dial|ta3|ديال)\w{0,3})(?![\w]) {0,2})"
)
_COPULAS = either("hwa|howa|hwwa|hiya|hia|est|is|c|c'est|هو|هي|rah|raha|راه|ha hwa|ha howa")
_PASSWORD_LINK = (
    r"([)\]]? ?(?::|=|->|=>|[\u21d2\u2190-\u21ff\u27a1\u2b95\U0001f446-\U0001f449\U0001f511]) ?"
    rf"|(?: {{0,2}}{_COPULAS}(?![\w]) ?:?)? {{1,2}})"
)
STRONG_PASSWORD_CUE = re.compile(either(_STRONG_PASSWORD_CUES))
PASSWORD = re.compile(
    rf"({begin(f'{_STRONG_PASSWORD_CUES}|{_WEAK_PASSWORD_CUES}', _OF_LINKS)})(?![\w])(?! à usage unique| temporaire)"
    rf" {{0,2}}(?:{_PASSWORD_FILLER}){{0,4}}{_PASSWORD_LINK}"
    r"(?:[\"«“'(] ?)?((?:[!-~] ){4,60}(?:[!-~]|[0-9]{2,})(?![^\s])|[^\s\"«»“”\U0001f446-\U0001f449]{4,64})"
)
_QUOTES = '"|«|“'
_PHRASE = r"([^\n\"«»“”]{5,60}?) ?[\"»”]"
# Of several words, in quotes of its own or with its cue.
PASSWORD_PHRASE = re.compile(
    rf"{begin(_STRONG_PASSWORD_CUES, _OF_WORDS, anywhere=_QUOTES)}(?:(?<=[\"«“])(?:(?<=[«“]) ?)?"
    rf"{either(_STRONG_PASSWORD_CUES)} ?[:=] ?{_PHRASE}|(?<![\"«“]) {{0,2}}(?:{_PASSWORD_FILLER}){{0,4}}"
    rf"(?:[:=]|est|is|hwa|howa|هو|c'est) ?:? ?[\"«“] ?{_PHRASE})"
)
# Behind a word for what it opens: mdp massar fL29xk. And "admin:secret".
PASSWORD_FAR = re.compile(
    rf"{begin(_STRONG_PASSWORD_CUES, _OF_LINKS)}(?![\w]),?(?: {{1,2}}[^\W\d_](?:[^\W\d_]|['’]){{0,14}}+){{1,7}}"
    r"(?: ?[:=])? {1,2}[\"«“']?([!-~]{5,40})(?![^\s,;.?!»”\"'])"
)
LOGIN = re.compile(rf"{begin('admin|administrator|administrateur|root|user', _OF_PATHS)} ?[:/] ?([!-~]{{5,32}})")
PASSWORD_BEFORE_CUE = re.compile(
    r"[\s\"«“']([^\s\"«»“”]{6,64}+) {1,2}(?:comme|c'est|est|is|as|hwa|howa|hada|rah|هو|هذا)"
    rf" {{1,2}}(?:{either('le|mon|ton|l|your|my|the|votre')} {{1,2}})?{either(_STRONG_PASSWORD_CUES)}(?![\w])"
)
NOT_A_PASSWORD = re.compile(
    r"(?:nsit\w{0,4}|oubli\w{0,2}|ghal[ae]t|incorrecte?|faux|fausse|wrong|walo|kayn\w{0,2}|makayn\w{0,3}|bdl\w{0,4}|"
    r"tbdl\w{0,3}|chang\w{0,6}|khass\w{0,3}|chno|chnou|achno|obligatoire|minimum|maximum|doit|dima|ghadi|exig[ée]|"
    r"demand[ée]|requis|required|reset|forgotten|invalide?|نسيت\w{0,3}|غلط|خاطئة|"
    r"والو|شنو|[0-9]{1,7}(?:dh|dhs|mb|mbps|go|gb|mega|درهم))"
)


# Letter by letter, or a digit between letters that is no letter of Arabizi: zit0una, k4rmous.
LEET = re.compile(r"[a-z]{2}[014]+[a-z]{2}|[a-z]4ever")
COPULA_BEFORE = re.compile(rf"(?<!\w)(?:{_COPULAS} ?:?|[:=]) {{1,2}}[\"«“']?$")
TAIL = re.compile(r"[^\W\d_]{3,}[0-9]{2,}")
# Two words joined, but not "peut-être" or "case-sensitive".
COMPOUND = re.compile(
    r"(?!peut|soi-|case|read|two|well|auto|non|self|long|wi-)[a-z]{3,}[\-_.](?!m[êe]me|sensitive|protected|only|ci|là)[a-z]{3,}"
)


def check_code(match: re.Match[str], reading: Reading) -> Bounds | None:
    """A code right behind its cue; or further on in the sentence, where the cue says "code" and it is no year."""
    gap, value = reading.lowered[slice(*match.span(2))], match[3]
    if not gap.strip(" :=-"):
        return match.span(3)  # As most codes stand.
    if HARMLESS_CODE.match(gap):
        return None
    is_far = ONLY_FILLER.fullmatch(gap) is None
    if is_far and (len(value) > 8 or value[-1].isalpha() or value[0].isalpha()) and "-" not in value:
        return None
    return None if is_far and (YEAR.fullmatch(value) or WEAK_CUE.fullmatch(match[1].lower())) else match.span(3)


def _is_strange(value: str) -> bool:
    """Whether a value looks like no word: digits or signs among its letters, or digits alone."""
    if value.isalpha():
        return False  # As most are, in lines that are nothing but cues.
    if " " in value or LEET.search(value):
        return not value.replace(" ", "").isalpha()
    num_digits = sum(letter.isdigit() for letter in value)
    has_sign = any(letter in "@#$%&*+=!_." for letter in value[:-1])
    if value.isdigit():
        return len(value) >= 4
    return len(value) >= 6 and (num_digits >= 2 or (has_sign and (num_digits or "." not in value[:-1])))


def _is_mixed(value: str) -> bool:
    """Whether there are letters of either case in it, and not the first alone is a capital."""
    is_title = value.istitle() and value[1:].islower()
    return value.lower() != value and value.upper() != value and not is_title


def _read_value(match: re.Match[str], reading: Reading, group: int) -> tuple[Bounds, str]:
    """The bounds of a value without what ends the sentence, and the value as it was written."""
    start, end = match.span(group)
    value = reading.text[start:end].rstrip(".,;:)»”'؟?،")
    return (start, start + len(value)), value


def _is_none(value: str) -> bool:
    """Whether a value is a word of what is said of passwords, or something else that has a detector of its own."""
    lowered = value.lower()
    return bool(NOT_A_PASSWORD.fullmatch(lowered) or "://" in value or is_email(lowered))


def check_password(match: re.Match[str], reading: Reading) -> Bounds | None:
    """What stands after a colon, or looks like no word."""
    link = match[2].strip()
    bounds, value = _read_value(match, reading, 3)
    is_strange, is_said = _is_strange(value), link in ("", "rah", "raha", "راه")
    if len(value) < 4 or (is_said and not is_strange) or _is_none(value):
        return None
    cue = STRONG_PASSWORD_CUE.fullmatch(match[1])
    if is_said:
        return bounds if cue or any(letter.isalpha() for letter in value) else None
    has_digit = any(letter.isdigit() for letter in value)
    is_written_out = cue and not link[-1].isalpha() and value.isascii() and len(value) >= 5
    is_compound = cue and COMPOUND.fullmatch(value.lower()) is not None
    is_private = is_strange or is_written_out or is_compound or (has_digit and (cue or _is_mixed(value)))
    return bounds if is_private else None


def check_password_before(match: re.Match[str], reading: Reading) -> Bounds | None:
    bounds, value = _read_value(match, reading, 1)
    return bounds if _is_strange(value) and not is_email(value.lower()) and "://" not in value else None


def check_phrase(match: re.Match[str], reading: Reading) -> Bounds | None:
    value = match[match.lastindex or 0]
    is_word = NOT_A_PASSWORD.fullmatch(value) or not any(letter.isalnum() for letter in value)
    return None if is_word else match.span(match.lastindex or 0)


def check_unmistakable(match: re.Match[str], reading: Reading) -> Bounds | None:
    """Digits among letters of either case, or signs with them: no word of Arabizi."""
    bounds, value = _read_value(match, reading, 1)
    if value.isalpha():
        return None
    has_digit = any(letter.isdigit() for letter in value)
    has_sign = any(letter in "@#$%&*+=!_" for letter in value)
    is_said = COPULA_BEFORE.search(reading.lowered, max(0, bounds[0] - 12), bounds[0]) is not None
    is_numbered = TAIL.fullmatch(value) is not None and is_said
    if is_numbered:
        return None if _is_none(value) else bounds
    return bounds if has_digit and (_is_mixed(value) or has_sign) and len(value) >= 5 and not _is_none(value) else None
