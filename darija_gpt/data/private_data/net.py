"""What leads to a person through the net or to a place: mail, sites, mentions, addresses of machines, coordinates.

The patterns read folded text in lower case, unless they say otherwise; see patterns.py for their rules.
"""

import re

from darija_gpt.data.private_data.phrases import begin, either, go_on, write_cue


# What does not stand before a word or behind it.
_ALPHANUMERIC, _NO_ALPHANUMERIC = r"[^\W_]", r"(?![^\W_])"
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
_SAFE_TLD, _WORD_TLD, _TLD = either(_SAFE_TLDS), either(_WORD_TLDS), either(f"{_SAFE_TLDS}|{_WORD_TLDS}")
_NO_SITE_BEFORE = r"(?<![a-z0-9@._\-].)"
_BEFORE_SITE = r"[^a-z0-9@._\-]"
_END_OF_HOST = r"(?![a-z0-9@\-]|\.[a-z0-9])"
_MORE_OF_A_LABEL = r"[a-z0-9\-]{0,62}+(?<!-)"
_LABEL = r"(?>[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?)"
_HIDDEN_DOT = r"(?: ?[\[({] ?(?:\.|dot|point|نقطة) ?[\])}] ?)"
_SLASHES = r"(?:://|:/ /|\[:\]//)"
# A host needs its first dot; its first letter has been read.
URL = re.compile(
    rf"[a-z0-9\-](?:(?<=[hfw])(?:(?:(?<=h)(?:ttps?|xxps?)|(?<=f)tp){_SLASHES}{_PATH}{{3,2048}}"
    rf"|(?<=w)(?<![\w@.\-].)ww\.{_PATH}{{3,2048}})"
    rf"|{_NO_SITE_BEFORE}(?=[a-z0-9\-]{{0,62}}+\.)"
    rf"(?:[a-z0-9\-]{{0,62}}+\.(?:[a-z0-9\-]{{1,63}}+\.){{0,4}}{_TLD}(?::[0-9]{{2,5}})?/{_PATH}{{1,2048}}"
    rf"|[a-z0-9\-]{{0,62}}+\.(?:[a-z0-9\-]{{1,63}}+\.){{0,4}}{_SAFE_TLD}{_END_OF_HOST}(?:/|\?{_PATH}{{1,500}})?"
    rf"|(?:[a-z0-9\-]{{1,62}}+(?:\.[a-z0-9\-]{{3,63}}+){{1,3}}|(?<=[a-z])(?=[a-z]{{0,29}}[0-9\-])[a-z0-9\-]{{3,63}}+"
    rf"|{go_on(_KNOWN_SITES)})\.{_WORD_TLD}{_END_OF_HOST}/?))"
)
# Its dots in brackets, or spaces around what a link is made of.
HIDDEN_URL = re.compile(
    rf"{_BEFORE_SITE}([a-z0-9](?:(?<=h)(?!ttps?://)(?: ?t ?t ?p(?: ?s)?|xxps?) ?\[?:\]? ?/ ?/ ?"
    rf"{_LABEL}(?:(?: ?\. ?|{_HIDDEN_DOT}){_LABEL}){{1,4}}(?: ?/ ?{_PATH}{{1,500}})?"
    rf"|(?<=w)ww(?: \.|\. ) ?{_LABEL}(?: ?\. ?{_LABEL}){{0,2}} ?\. ?{_TLD}(?![a-z0-9])(?: ?/ ?{_LABEL}){{0,4}}"
    rf"|{_MORE_OF_A_LABEL}(?:(?=[.\[({{]| [.\[({{])"
    rf"(?:(?:\.|{_HIDDEN_DOT}){_LABEL}){{0,3}}{_HIDDEN_DOT}{_TLD}(?![a-z0-9])(?:/{_PATH}{{1,500}})?"
    rf"| \. (?:(?:com|net|org)(?![a-z0-9])(?: ?/ ?{_LABEL}){{0,4}}|{_TLD}(?: ?/ ?{_LABEL}){{1,4}}))))"
)
# Without a dot: a site's name, and an ending that is no word; or any ending, after a cue.
_SPELLED_DOT = rf"(?: {{1,2}}{either('point|dot|nokta|noqta|no9ta|نقطة|دوت')} {{1,2}})"
_SPELLED_PATH = r"(?: {1,2}slash {1,2}[a-z0-9\-_.]{1,40}){0,4}"
_SITE_WORDS = go_on(
    "visite|visitez|dkhel l|dkhol l|dkhlo l|dkhli l|site|siteweb|lien|link|adresse|page|website|web|www"
)
SPELLED_URL = re.compile(
    rf"[^a-z0-9](?:[adlpsvwمار](?:(?<![^\W_].)(?:{_SITE_WORDS})|{go_on('موقع|الموقع|رابط|الرابط')})(?![^\W_])"
    rf"(?: (?:web|dyal\w{{0,3}}|hwa|howa|est|is|c'est|هو|ديال\w{{0,3}}))?[ :=]{{1,4}}"
    rf"((?:www{_SPELLED_DOT})?[a-z0-9\-]{{2,63}}+(?:{_SPELLED_DOT}[a-z0-9\-]{{2,63}}+){{0,2}}{_SPELLED_DOT}{_TLD}"
    rf"(?![a-z0-9]){_SPELLED_PATH})|([a-z0-9\-]{_NO_SITE_BEFORE}(?:(?<=w)ww{_SPELLED_DOT}[a-z0-9\-])?"
    rf"[a-z0-9\-]{{3,62}}+{_SPELLED_DOT}(?:(?:com|org)(?![a-z0-9]){_SPELLED_PATH}|{_TLD}(?= slash ){_SPELLED_PATH})))"
)
# After an Arabizi word and a full stop, a sentence goes on with "be", "me" or "it".
SENTENCE = re.compile(r"[a-z]{0,20}(?:[235679][a-z]{1,20}){1,3}\.(?:be|me|it|so|no|is|in|to|la|us|id)")
NOT_A_SITE = re.compile(r"[0-9.\-]*(?:[a-z]{0,2})\.[a-z]+")  # "1.com", "h.fr"

_COORDINATE = r"[.,][0-9]{4,18}+ ?°? ?[NSEWOnsewo]?"
_DEGREES = r" ?[°º] ?[0-9]{1,2} ?['’′] ?(?:[0-9]{1,2}(?:[.,][0-9]{1,6})? ?(?:[\"”″]|''))?"
_LATITUDE = r"at(?:itude)?[ :=]{1,3}[+\-]?[0-9]{1,2}[.,][0-9]{1,18}"
_LONGITUDE = r"(?:lon|lng|long|longitude)[ :=]{1,3}[+\-]?[0-9]{1,3}[.,][0-9]{1,18}"
_PAIR = rf"{_COORDINATE}(?:(?<=[0-9NSEWOnsewo°]) ?[,;/|] ?| {{1,3}})[+\-]?[0-9]{{1,3}}+{_COORDINATE}(?![\w])"
_PLUS_CODE = "[2-9CFGHJMPQRVWX]"
# A plus code or three words stand for coordinates, too. Reads capitals.
GPS = re.compile(
    rf"[0-9+\-CFGHJLMNPQRSVWXcgl/](?<![0-9].)(?:(?<=[0-9+\-])(?=[0-9]{{0,3}}+(?:[.,][0-9]| ?[°º]))"
    rf"(?:(?:(?<![0-9A-Za-z_.,].)|(?<=(?<![^\W_])[fbl].))"
    rf"(?:(?<=[0-9])[0-9]{{0,2}}+|(?<=[+\-])[0-9]{{1,3}}+){_PAIR}"
    rf"|(?<=[0-9])[0-9]{{0,2}}+{_DEGREES} ?[NSEWO][ ,;/]{{0,3}}[0-9]{{1,3}}{_DEGREES} ?[NSEWO])"
    rf"|(?<!\w.)(?:(?<!\+.)(?<={_PLUS_CODE}){_PLUS_CODE}{{3,7}}+\+{_PLUS_CODE}{{2,3}}(?![\w+])"
    rf"|(?<=[NS]) ?[0-9]{{1,3}}{_DEGREES}[ ,;/]{{0,3}}[EWO] ?[0-9]{{1,3}}{_DEGREES}"
    r"|(?<=[NS]) ?[0-9]{1,2}\.[0-9]{3,8}[ ,;/]{1,3}[EWO] ?[0-9]{1,3}\.[0-9]{3,8}(?!\w)"
    rf"|(?<=g)eo:[+\-]?[0-9]{{1,3}}+{_PAIR}"
    r"|(?i:(?<=g)ps|(?<=c)oordonn[ée]es)[ :=]{1,4}"
    r"([+\-]?[0-9]{1,2}\.[0-9]{2,18} ?[,;/ ] ?[+\-]?[0-9]{1,3}\.[0-9]{2,18})(?![\w])"
    rf"|(?i:(?<=l){_LATITUDE}[ ,;/&]{{1,4}}(?:et |w |o )?{_LONGITUDE})"
    r"|(?<=/)(?<![/:].)//[^\W\d_]{2,30}+\.[^\W\d_]{2,30}+\.[^\W\d_]{2,30}))"
)
# A place that ends in the next line: read as it was written.
SPLIT_GPS = re.compile(rf"[lL](?<!\w.)(?i:{_LATITUDE}[ ,;]{{0,3}}\n ?{_LONGITUDE})")

# A run of letters that ends in none of the signs that may stand inside it; its first letter has been read.
_LOCAL = r"[a-z0-9_.+%'\-]{0,63}+(?<![.'])"
_IN_BRACKETS = r"[\[({<] ?(?:at?|arobaz?s?e?|@|[اأآ]ت) ?[\])}>]"
_AT_WORDS = either("arobase|aroba|arobaz|arobaze|arobas|arrobase|arubas|arubaz|أروباز|اروباز|آروباز|آت")
_AT = rf"(?: {{0,2}}(?:@|{_IN_BRACKETS}) {{0,2}}| {{1,2}}{_AT_WORDS} {{1,2}})"
_WEAK_AT = rf"(?: {{1,2}}{either('at|chez|ات|أت|آت|عند')} {{1,2}})"
_DOT = (
    rf"(?:\.| {{0,2}}[\[({{<] ?(?:dot|point|\.|نقطة|دوت) ?[\])}}>] {{0,2}}|_dot_"
    rf"| {{1,2}}{either('point|dot|نقطة|دوت|noqta|no9ta')} {{1,2}}| \. ?|\. )"
)
_DOT_WORD = rf"(?: {{1,2}}{either('dot|point|دوت|نقطة')} {{1,2}})"
_SIGNS_SPOKEN = either("point|dot|tiret|tiret du bas|tiret du 8|tiret bas|underscore|dash|نقطة|دوت")
_MAIL_HOSTS = either(
    "gmail|googlemail|hotmail|yahoo|outlook|live|icloud|menara|ymail|proton|protonmail|laposte|msn|gmx|aol|orange|"
    "free|iam|جيميل|جيمايل|هوتميل|ياهو|أوتلوك|اوتلوك"
)
_ENDINGS = (
    either("com|fr|net|org|ma|ac|co|info|edu|gov|io|me|es|be|de|it|uk|ca|eu|press|pro|live|كوم|نت") + "(?![a-z0-9])"
)
_HOST = rf"[a-z0-9][a-z0-9\-]{{0,62}}+(?:{_DOT}[a-z0-9\-]{{2,63}}+){{0,2}}{_DOT}{_ENDINGS}"
_MAIL_HOST = rf"{_MAIL_HOSTS}(?:{_DOT}| ?, ?){_ENDINGS}"
_SPOKEN_HOST = rf"[a-z0-9][a-z0-9\-]{{1,62}}+(?:{_DOT_WORD}[a-z0-9\-]{{2,63}}+){{0,2}}{_DOT_WORD}{_ENDINGS}"
_SPELLED = rf"(?:(?: {{1,2}}{_SIGNS_SPOKEN} {{1,2}}| ?[\[(](?:dot|point)[\])] ?)[a-z0-9_\-]{{1,30}}+){{0,2}}"
_UNDERSCORED = r"(?:[a-z0-9_.+%'\-]{0,62}[a-z0-9_+%\-])?_at_"
# What follows the first word of an address: without it, nothing else is asked.
_AHEAD = (
    rf"(?=[a-z0-9.+%'\-]{{0,63}}+(?:[_@\[({{<]"
    rf"| {{1,2}}+(?=[@\[({{<acdptuأاآدنع])(?:[@\[({{<]|{_AT_WORDS}|{_SIGNS_SPOKEN}|{either('chez|عند')} "
    rf"|{either('at|ات|أت')} {{1,2}}[a-z0-9][a-z0-9\-]{{1,62}}+[ .,\[({{<_])| [a-z0-9._\-][ @]))"
)
EMAIL = re.compile(
    rf"[^0-9a-z_.+%\-]([0-9a-z_+%]{_AHEAD}(?:"
    rf"{_LOCAL}@(?:[a-z0-9][a-z0-9\-]{{0,62}}+\.){{1,5}}[a-z]{{2,24}}(?![a-z0-9])"
    rf"|{_LOCAL}{_SPELLED}(?:{_AT}(?:{_HOST}|{_MAIL_HOST})|{_WEAK_AT}(?:{_MAIL_HOST}|{_SPOKEN_HOST}))"
    rf"|{_LOCAL}(?: ?@ ?|{_AT}){_MAIL_HOSTS}(?: {{0,2}}(?:com|fr|net)(?![a-z0-9])|(?![a-z0-9.]))"
    rf"|(?=[a-z0-9.+%'\-]{{0,63}}+_){_UNDERSCORED}(?:{_HOST}|{_MAIL_HOST}|{_MAIL_HOSTS}(?![a-z0-9.]))"
    # Letter by letter.
    r"|(?<!(?<![a-z0-9._\-])[0-9a-z_+%] .)"
    r"(?: [a-z0-9._\-]){1,64}+ ?@(?: [a-z0-9\-]){2,40}+ \.(?: [a-z]){2,6}(?![^\W_])))"
)

# Without any sign between them: a word that is no word of a sentence, or one with "a" behind it, and a host of mail.
EMAIL_WITHOUT_SIGN = re.compile(
    r"[^0-9a-z_.+%\-@]((?:(?=[a-z+%\-]{1,40}+[0-9._])[a-z][a-z0-9_.+%\-]{2,40}+(?: {1,2}a)?"
    r"|[a-z][a-z0-9_.+%\-]{2,40}+ {1,2}a) {1,2}"
    rf"{_MAIL_HOSTS} ?(?:\.| ) ?(?:com|fr|net)(?![a-z0-9]))"
)
# Behind a word for it, what has a dot and a digit.
_MAIL_CUES = "email|e-mail|lemail|l email|imail|limail|mail|gmail|lgmail|hotmail|الايميل|الإيميل|ايميل|إيميل"
_WHOSE = either("dyal|dyali|dyalo|dyalha|dial|diali|ta3i|mon|est|is|hwa|howa|c|ديالي|ديالو|هو")
EMAIL_AFTER_CUE = re.compile(
    rf"{begin(_MAIL_CUES, _ALPHANUMERIC)}{_NO_ALPHANUMERIC}(?: {{1,2}}{_WHOSE}"
    r"(?!\w)){0,3} ?[:=]? {0,2}(?<![a-z0-9@._\-])"
    r"((?=[a-z0-9\-]{0,40}+[._])(?=[a-z._\-]{0,40}+[0-9])[a-z][a-z0-9._\-]{4,40}(?<=[a-z0-9]))(?![a-z0-9@]| ?@)"
)

# Its signs spelled between others: anir-at-exemple-dot-ma.
JOINED_EMAIL = re.compile(
    r"[^0-9a-z_.+%\-*~|/]([a-z0-9](?=[a-z0-9_.+\-]{0,40} ?[\-*~|/]{1,2}a)"
    r"[a-z0-9_.+\-]{0,40}? ?[\-*~|/]{1,2}(?:at|arobase|aro)[\-*~|/]{1,2} ?"
    rf"[a-z0-9][a-z0-9\-]{{1,40}}?(?:\.| ?[\-*~|/]{{1,2}}(?:dot|point)[\-*~|/]{{1,2}} ?){_ENDINGS})"
)


def is_email(text: str) -> bool:
    """Whether a folded text in lower case is an address and nothing else."""
    return EMAIL.fullmatch(f" {text}") is not None


# As WhatsApp writes the name of a contact.
ISOLATED_MENTION = re.compile("@[\u2068\u2066\u2067\u202a\u202b]([^\n\u2069\u202c@]{1,100})[\u2069\u202c]")
_HANDLE = r"[^\W\d][\w.]{0,28}\w"
MENTION = re.compile(
    rf"@(?<![\w.@/].)(?:\+?[0-9](?:[ \-]?[0-9]){{7,15}}(?![0-9a-z])|{_HANDLE}(?:-[a-z0-9]\w{{1,20}})?|"
    rf"[0-9][0-9_.a-z]{{3,28}})(?:@(?:{_HANDLE}|[0-9][0-9_.a-z]{{3,28}}))*+"
)

IPV4 = re.compile(
    r"[0-9](?<![\w.\-].)[0-9]{0,2}(?:(?:\.|[\[(]\.[\])]| \. )[0-9]{1,3}){3}(?![\w\-]|\.[0-9]+(?![0-9a-z]))"
)
# Behind its cue, with other signs.
IPV4_AFTER_CUE = re.compile(
    r"i(?<![^\W_l].)pv?4?(?![^\W_])[ :=]{1,3}(?:dyal\w{0,3} |hwa |est |is )?"
    r"([12]?[0-9]{1,2}(?: ?[,\-] ?| (?:dot|point|نقطة) | )(?:[12]?[0-9]{1,2}(?: ?[,\-] ?| (?:dot|point|نقطة) | )){2}"
    r"[12]?[0-9]{1,2})(?![\w\-]|[., ]{1,2}[0-9])"
)
# Without one of these words, four small numbers are a version or a chapter, if they are not these addresses.
_MACHINES = "ip|lip|ipv4|serveur|server|dns|ping|routeur|router|hôte|host|adresse|proxy|vpn|ssh"
IP_CUE = write_cue(_MACHINES, _ALPHANUMERIC, _NO_ALPHANUMERIC, "عنوان|سيرفر", reach=24)
KNOWN_IPV4 = re.compile(r"10\..*|1\.[01]\.[01]\.1|8\.8\.[48]\.[48]|9\.9\.9\.9")
IPV6 = re.compile(
    r"[^0-9A-Za-z_:.\u0621-\u064a](?<!\w)"
    r"([0-9a-f:][0-9a-f]{0,3}(?::[0-9a-f]{0,4}){1,7}(?::[0-9]{1,3}(?:\.[0-9]{1,3}){3})?)(?![\w:])"
)
_VERSIONED = (
    "v|ver|version|android|ios|firmware|build|driver|update|mise à jour|oracle|release|chapitre|whatsapp|section|"
    "exercice"
)
VERSION_CUE = write_cue(_VERSIONED, _ALPHANUMERIC, _NO_ALPHANUMERIC, reach=12)
VERSION_BEHIND = re.compile(r"[ (]{1,2}(?:version|build|update|release|stable|beta)(?![^\W_])")
