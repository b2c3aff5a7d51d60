"""One-time codes and passwords: nothing but the words around them tells them from a price or a word."""

import re

from darija_gpt.data.privacy_patterns import EMAIL, MONEY, NO_NUMBER, either
from darija_gpt.data.privacy_spans import Bounds


_CODE_CUES = either(
    "code|lcode|l code|l-code|codes|otp|l'otp|lotp|kod|lkod|code de vérification|code de verification|"
    "code de confirmation|verification code|confirmation code|code de sécurité|code de securite|code d'activation|"
    "code sms|code pin|pin|pin code|passcode|الكود|كود|لكود|رمز|الرمز|رمز التحقق|رمز التأكيد|رمز الأمان|رمز التفعيل|"
    "كود التحقق|كود التأكيد|rmz|ramz|confirmation|vérification|verification|mot de passe à usage unique|"
    "mot de passe temporaire|one time password|one-time password|الرمز السري|رقم سري مؤقت"
)
# Codes that open nothing of anybody's.
_NO_CODE = either(
    "postal|postale|promo|barre|barres|a barres|à barres|client|massar|civil|pénal|penal|du travail|de la route|"
    "source|de la famille|couleur|produit|article|pays|agence|guichet|banque|réduction|reduction|la route|réf|swift|"
    "bic|ascii|html|python|erreur|error|bareme|parrainage|البريدي|بريدي|الشحن|التخفيض|تخفيض|البلد|الدولة|الخصم|خصم|"
    "برومو|المنطقة|منطقة"
)
_CODE_FILLER = (
    r"(?:[ :=.,\-'’\"«(\[#>*]|(?:de|d|dyal\w{0,3}|dial\w{0,3}|ta3\w{0,3}|li|lli|l|la|le|wslni|wsslni|wslk|jak|jani|"
    r"jatk|sift\w{0,4}|est|is|hwa|howa|hwwa|rah|raho|was|your|votre|mon|ton|c'est|v[ée]rification|confirmation|"
    r"s[ée]curit[ée]|activation|whatsapp|watsap|wts|facebook|fb|google|insta|instagram|telegram|tiktok|gmail|paypal|"
    r"cih|bank|banka|lbanka|bank?que|transfert|retrait|envoi|virement|sms|attijari|bp|bmce|inwi|orange|iam|cash|plus|wafacash|cashplus|glovo|indrive|uber|app|"
    r"otp|code|pin|kod|daba|jdid|nouveau|new|here|ha|hak|hahowa|hahwa|هو|هي|ديال\w{0,3}|دال|تاع|لي|اللي|الخاص|بك|"
    r"وصلني|جاني|جاك|صيفطو|واتساب|الواتساب|التحقق|التأكيد|الأمان|التفعيل|البنك|لبنك|ها|هاهو|راه|الجديد)(?![\w]))"
)
_CODE_VALUE = (
    r"(?:[A-Z]{1,3}-[0-9]{4,8}|[0-9]{3}[ \-][0-9]{3}|[0-9]{2} [0-9]{2} [0-9]{2}|[0-9]{4,10}|[0-9](?: [0-9]){3,7}|"
    r"(?-i:(?!HTTP)(?=[0-9]{0,7}[A-Z])(?=[A-Z]{0,6}[0-9][A-Z]{0,6}[0-9])[A-Z0-9]{5,8}))"
)
OTP_AFTER_CUE = re.compile(
    rf"(?i:(?<![\w])({_CODE_CUES})(?![\w])({NO_NUMBER}{{1,40}}?)(?<![0-9A-Za-z])({_CODE_VALUE}){MONEY})"
    r"(?![\w/]|[ \-.:,][0-9])"
)
OTP_BEFORE_CUE = re.compile(
    rf"(?i:(?<![\w.,:/\-])({_CODE_VALUE})(?![\w/]|[.,][0-9]) {{1,2}}(?:(?:is|est|hwa|howa|hada|هو|هذا|هدا|rah|c'est)"
    r" {1,2}(?:your|votre|le|ton|mon|l|dyal)?|hwa|howa|هو) {0,2}(?:[a-z]{2,12} {1,2}){0,2}"
    rf"{_CODE_CUES}(?![\w])(?! ?{_NO_CODE}(?![\w])))"
)
# "Use 123456 to verify"; and a second code, in what follows one that was found and blotted out.
OTP_IN_ORDER = re.compile(
    rf"(?i:(?<![\w])(?:use|enter|utilisez?|entrez|saisissez|tapez|composez|dkhl|dkhel|استخدم|استعمل|أدخل|ادخل|"
    rf"دخل) {{1,2}}"
    rf"({_CODE_VALUE})(?![\w/]|[.,][0-9]) {{1,2}}(?:to|as|for|pour|comme|bach|باش|ل) ?(?:[a-z]{{2,12}} )?"
    r"(?:v[ée]rif|confirm|log|sign|conne|activ|valid|code|votre|your|تأكيد|تفعيل|dkh?l|t?2?akkd))"
)
OTP_AGAIN = re.compile(
    rf"(?i:(?<=\n)[^0-9\n]{{1,30}}?(?<![\w])(?:wsl\w{{0,3}}|wssl\w{{0,3}}|jani|jatni|jak|machi|mchi|pas|not|et non|"
    rf"3ndi|hada|"
    rf"7it|wla|وصلني|جاني|ماشي)(?![\w])[^0-9\n]{{1,12}}(?<![0-9A-Za-z])([0-9]{{4,8}})(?![\w/]|[ \-.:,][0-9]){MONEY})"
)
GOOGLE_CODE = re.compile(r"G(?<![\w\-].)-[0-9]{5,6}(?![\w\-])")
ONLY_FILLER = re.compile(rf"(?i:(?:{_CODE_FILLER}){{1,14}})")
HARMLESS_CODE = re.compile(rf"(?i:[ :\-]{{0,2}}(?:(?:des?|du|d|la|le|l|dyal|ديال) {{1,2}}){{0,2}}{_NO_CODE}(?![\w]))")
WEAK_CUE = re.compile(r"(?i:confirmation|v[ée]rification|pin)")
YEAR = re.compile(r"(?:19|20)[0-9]{2}")

_STRONG_PASSWORD_CUES = either(
    "mot de passe|mots de passe|lmot de passe|mot de pass|mot d passe|mot de pas|mot passe|motdepasse|mdp|lmdp|"
    "mot2passe|modpass|lmodpass|modepass|moddepasse|mo de passe|password|passwd|lpassword|pwd|pasword|passeword|"
    "psw|pswd|lpsw|passwrd|phrase secrete|phrase secrète|lpasse word|pass word|pass-word|passe word|password|"
    "code secret|lcode secret|code sirri|lcode sirri|passcode|"
    "كلمة السر|كلمة المرور|كلمة سر|كلمة مرور|الباسوورد|الباسورد|باسوورد|باسورد|لباسورد|لباسوورد|المودباس|مودباس|"
    "الرقم السري|رقم سري|كلمه السر|كلمه المرور|موت دو باس|لموت دو باس|مو دو باس|kalimat sir|klmt sir|kelmt ser"
)
_WEAK_PASSWORD_CUES = either(
    "pass|lpass|passe|wifi|wi-fi|lwifi|code wifi|code wi-fi|code dyal wifi|code d wifi|code dyal lwifi|code de wifi|"
    "code du wifi|clé wifi|cle wifi|lcode wifi|l code wifi|lcode dyal wifi|lcode dyal lwifi|الويفي|ويفي|كود الويفي|"
    "كود ويفي|كود ديال الويفي|الكود ديال الويفي|لكود ديال الويفي|رمز الويفي|الواي فاي|واي فاي|رمز الواي فاي"
)
_PASSWORD_FILLER = (
    r"(?:(?:(?:for|of) {1,2}(?:the|my|your|our) {1,2}[^\W\d_]{1,15}|provisoire|par d[ée]faut|initial|actuel|"
    r"t ?bd+l\w{0,3}|"
    r"bd+ltha?|massar|drive|zip|routeur|router|box|lbox|serveur|الحاسوب|ال[^\W\d_]{2,12}|"
    r"(?:dyal|dial|d|de|du|ta3|of|for|ديال|تاع) {1,2}[^\s:=]{1,20}|dyal\w{0,3}|dial\w{0,3}|ta3\w{0,3}|d|de|du|l|"
    r"la|le|mon|ton|votre|your|my|the|wifi|lwifi|wi-fi|facebook|fb|insta|gmail|compte|lcompte|email|mail|netflix|pc|"
    r"l?7sab|jdid|jdida|nouveau|new|app|site|ديال\w{0,3}|دال|تاع|الويفي|ويفي|الحساب|الفيسبوك|فيسبوك|انستا|الجديدة|"
    r"الجديد|الإيميل|نتفليكس|تاعي|code|pass|password)(?![\w]) {0,2})"
)
_PASSWORD_LINK = (
    r"([)\]]? ?(?::|=|->|=>|[\u21d2\u2190-\u21ff\u27a1\u2b95\U0001f446-\U0001f449\U0001f511]) ?"
    r"|(?: {0,2}(?:hwa|howa|hwwa|hiya|hia|est|is|c'est|هو|هي|rah|raha|راه|ha hwa|"
    r"ha howa)(?![\w]) ?:?)? {1,2})"
)
PASSWORD = re.compile(
    rf"(?i:(?<![\w?&/=#])(?:({_STRONG_PASSWORD_CUES})|{_WEAK_PASSWORD_CUES})(?![\w])(?! à usage unique| temporaire)"
    rf" {{0,2}}(?:{_PASSWORD_FILLER}){{0,4}}{_PASSWORD_LINK})"
    r"(?:[\"«“'(] ?)?([^\s\"«»“”\U0001f446-\U0001f449]{4,64})"
)
# Of several words, in quotes of its own or with its cue.
PASSWORD_PHRASE = re.compile(
    rf"(?i:(?:(?<=[\"«“])|(?<=[«“] )){_STRONG_PASSWORD_CUES} ?[:=] ?([^\n\"«»“”]{{5,60}}?) ?[\"»”]"
    rf"|(?<![\w]){_STRONG_PASSWORD_CUES} {{0,2}}(?:{_PASSWORD_FILLER}){{0,4}}(?:[:=]|est|is|hwa|howa|هو|c'est) ?:? ?"
    r"[\"«“] ?([^\n\"«»“”]{5,60}?) ?[\"»”])"
)
# Behind a word for what it opens: mdp massar fL29xk. And "admin:secret".
PASSWORD_FAR = re.compile(
    rf"(?i:(?<![\w?&/=#]){_STRONG_PASSWORD_CUES}(?![\w])(?: {{1,2}}[^\W\d_]{{2,14}}){{1,3}}"
    r"(?: ?[:=])? {1,2}[\"«“']?)"
    r"([!-~]{5,40})(?![^\s,;.?!»”\"'])"
)
LOGIN = re.compile(
    r"(?i:[aru](?<![\w/.@].)(?:(?<=a)dmin(?:istrat(?:or|eur))?|(?<=r)oot|(?<=u)ser) ?[:/] ?)([!-~]{5,32})"
)
PASSWORD_BEFORE_CUE = re.compile(
    r"(?i:(?<![^\s\"«“'])([^\s\"«»“”]{6,64}) {1,2}(?:comme|c'est|est|is|as|hwa|howa|hada|rah|هو|هذا)"
    rf" {{1,2}}(?:(?:le|mon|ton|l|your|my|the|votre) {{1,2}})?{_STRONG_PASSWORD_CUES}(?![\w]))"
)
NOT_A_PASSWORD = re.compile(
    r"(?i:nsit\w{0,4}|oubli\w{0,2}|ghal[ae]t|incorrecte?|faux|fausse|wrong|walo|kayn\w{0,2}|makayn\w{0,3}|bdl\w{0,4}|"
    r"tbdl\w{0,3}|chang\w{0,6}|khass\w{0,3}|chno|chnou|achno|obligatoire|minimum|maximum|doit|dima|ghadi|exig[ée]|demand[ée]|requis|required|reset|forgotten|invalide?|نسيت\w{0,3}|غلط|خاطئة|"
    r"والو|شنو|[0-9]{1,7}(?:dh|dhs|mb|mbps|go|gb|mega|درهم))"
)


def check_code(match: re.Match[str]) -> Bounds | None:
    """A code right behind its cue; or further on in the sentence, where the cue says "code" and it is no year."""
    cue, gap, value = match.groups()
    if HARMLESS_CODE.match(gap):
        return None
    is_far = ONLY_FILLER.fullmatch(gap) is None
    if is_far and (len(value) > 8 or value[-1].isalpha() or value[0].isalpha()) and "-" not in value:
        return None
    return None if is_far and (YEAR.fullmatch(value) or WEAK_CUE.fullmatch(cue)) else match.span(3)


def _is_strange(value: str) -> bool:
    """Whether a value looks like no word: digits or signs among its letters, or digits alone."""
    num_digits = sum(letter.isdigit() for letter in value)
    has_sign = any(letter in "@#$%&*+=!_." for letter in value[:-1])
    if value.isdigit():
        return len(value) >= 4
    return len(value) >= 6 and (num_digits >= 2 or (has_sign and (num_digits or "." not in value[:-1])))


def _trim(match: re.Match[str], group: int) -> Bounds:
    start, end = match.span(group)
    return start, start + len(match.string[start:end].rstrip(".,;:)»”'؟?،"))


def check_password(match: re.Match[str]) -> Bounds | None:
    """What stands after a colon, or looks like no word."""
    cue, link = match[1], match[2].strip()
    bounds = _trim(match, 3)
    value = match.string[bounds[0] : bounds[1]]
    if len(value) < 4 or NOT_A_PASSWORD.fullmatch(value) or "://" in value or EMAIL.fullmatch(value):
        return None
    if link in ("", "rah", "raha", "راه"):
        has_letter = any(letter.isalpha() for letter in value)
        return bounds if _is_strange(value) and (cue or has_letter) else None
    has_digit = any(letter.isdigit() for letter in value)
    is_written_out = cue and not link[-1].isalpha() and value.isascii() and len(value) >= 5
    return bounds if _is_strange(value) or is_written_out or (cue and has_digit) else None


def check_password_before(match: re.Match[str]) -> Bounds | None:
    bounds = _trim(match, 1)
    value = match.string[bounds[0] : bounds[1]]
    return bounds if _is_strange(value) and not EMAIL.fullmatch(value) and "://" not in value else None


def check_phrase(match: re.Match[str]) -> Bounds | None:
    value = match[match.lastindex or 0]
    is_word = NOT_A_PASSWORD.fullmatch(value) or not any(letter.isalnum() for letter in value)
    return None if is_word else match.span(match.lastindex or 0)


def check_unmistakable(match: re.Match[str]) -> Bounds | None:
    """Digits among letters of either case, or signs with them: no word of Arabizi."""
    bounds = _trim(match, 1)
    value = match.string[bounds[0] : bounds[1]]
    has_digit = any(letter.isdigit() for letter in value)
    is_mixed = value.lower() != value and value.upper() != value and not value.istitle()
    has_sign = any(letter in "@#$%&*+=!_" for letter in value)
    is_harmless = NOT_A_PASSWORD.fullmatch(value) or EMAIL.fullmatch(value) or "://" in value or len(value) < 5
    return bounds if has_digit and (is_mixed or has_sign) and not is_harmless else None
