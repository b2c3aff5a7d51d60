"""Private data that nobody has, in the ways Moroccans write it; checksums hold."""

import random
from collections.abc import Callable, Iterator


FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
KEYCAPS = {ord(digit): f"{digit}\ufe0f\u20e3" for digit in "0123456789"}
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
INKED = str.maketrans("0123456789", "⓿❶❷❸❹❺❻❼❽❾")
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
EASTERN_ARABIC_INDIC = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

FRAMES = (
    "{}",
    "salam hak {}",
    "{} 3afak sift lia",
    "ha howa {} w 3yt lia m3a 7ta 5 d l3chiya",
    "هاك {} وجاوبني",
    "سيفط ليا لهنا: {}",
    "khouya, ha li tlbti: {}.",
    "voilà {}, merci bcp",
    "7it 9bel kan {} w daba tbdel",
)
WORDS = ("anir", "tazi.b", "nadia_x", "k.ouali", "samir99", "salma-r", "h2o.fes")
HOSTS = ("gmail.com", "hotmail.fr", "yahoo.fr", "outlook.com", "menara.ma", "exemple-test.ma", "um5.ac.ma")


FRENCH = (
    *("zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
    *("treize", "quatorze", "quinze", "seize"),
)
FRENCH_TENS = (
    *("", "dix", "vingt", "trente", "quarante", "cinquante", "soixante", "soixante"),
    *("quatre-vingt", "quatre-vingt"),
)
DARIJA = ["sifr", "wa7d", "jouj", "tlata", "reb3a", "khamsa", "setta", "seb3a", "tmenya", "tes3od"]
STANDARD_ARABIC = ["صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"]
ARABIC = ["صفر", "واحد", "جوج", "تلاتة", "ربعة", "خمسة", "ستة", "سبعة", "تمنية", "تسعود"]


def _digits(source: random.Random, count: int) -> str:
    return "".join(source.choices("0123456789", k=count))


def make_rib(source: random.Random) -> str:
    """24 digits, the last two of which make the whole a multiple of 97."""
    body = _digits(source, 22)
    return f"{body}{97 - int(body) * 100 % 97:02d}"


def make_iban(country: str, account: str) -> str:
    """Check digits after ISO 13616 for an account of digits and letters."""
    number = "".join(str(int(letter, 36)) for letter in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02d}{account}"


def make_card(source: random.Random) -> str:
    """A number of one of three networks, with Luhn's last digit."""
    prefix, length = source.choice((("4", 16), ("51", 16), ("37", 15)))
    body = prefix + _digits(source, length - 1 - len(prefix))
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


def group(number: str, sizes: tuple[int, ...], separator: str) -> str:
    """Cut into groups; the last size goes on to the end."""
    pieces = []
    for size in sizes:
        pieces.append(number[:size])
        number = number[size:]
    while number:
        pieces.append(number[: sizes[-1]])
        number = number[sizes[-1] :]
    return separator.join(filter(None, pieces))


def say_french(number: int) -> str:
    """A number below a hundred in words: 71 is soixante-et-onze."""
    if number < 17:
        return FRENCH[number]
    tens, rest = divmod(number, 10)
    if tens in (7, 9):
        rest += 10
    if not rest:
        return FRENCH_TENS[tens]
    joint = "-et-" if rest in (1, 11) and tens < 8 else "-"
    return f"{FRENCH_TENS[tens]}{joint}{say_french(rest)}"


def say_phone(source: random.Random, number: str) -> str:
    """A number as it is said: digit by digit in Darija or Arabic, or in pairs in French, some of them written out."""
    language = source.choice((DARIJA, ARABIC, STANDARD_ARABIC, FRENCH))
    if language is not FRENCH:
        return source.choice((" ", ", ", "، ", "-")).join(language[int(digit)] for digit in number)
    said = [f"{FRENCH[0]} {FRENCH[int(number[1])]}"]
    for pair in (number[place : place + 2] for place in range(2, 10, 2)):
        words = f"{FRENCH[0]} {FRENCH[int(pair[1])]}" if pair[0] == "0" else say_french(int(pair))
        said.append(source.choice((pair, words)))
    return ", ".join(said)


def _phone(source: random.Random) -> str:
    return source.choice(("05", "06", "07")) + _digits(source, 8)


def make_phone(source: random.Random) -> str:
    """National, international or foreign."""
    number, separator = _phone(source), source.choice((" ", ".", "-", "/", ""))
    sizes = source.choice(((2,), (4, 2, 2, 2), (4, 3, 3), (10,), (2, 4, 4)))
    short = number[1:]
    return source.choice(
        (
            group(number, sizes, separator),
            f"+212{short}",
            f"+212 {group(short, (1, 2), separator)}",
            f"+212 (0) {group(short, (3,), separator)}",
            f"00212{short}",
            f"212{short}",
            f"+212-{group(short, (3,), '-')}",
            f"+33 (0)6 {group('1234' + _digits(source, 4), (2,), ' ')}",
            f"0800 {group(_digits(source, 6), (2,), ' ')}",
            f"+33 6 {group('1234' + _digits(source, 4), (2,), ' ')}",
        )
    )


def make_hidden_phone(source: random.Random) -> str:
    """Digits apart, in other scripts, with letters or with what cannot be seen among them."""
    number = _phone(source)
    return source.choice(
        (
            source.choice("oO") + number[1:],
            "o" + group(number[1:], (1, 2), " "),
            number[:2] + number[2:].replace("0", "O").replace("1", "l"),
            group(number, (1,), source.choice((" ", ".", "-"))),
            "\u200b".join((number[:4], number[4:7], number[7:])),
            number[:3] + "\u200f\u2060" + number[3:],
            number.translate(FULL_WIDTH),
            group(number, (2,), " ").translate(ARABIC_INDIC),
            number.translate(EASTERN_ARABIC_INDIC),
            number.translate(KEYCAPS),
            number.translate(SUPERSCRIPT),
            number.translate(CIRCLED),
            group(number, (2,), source.choice((" | ", " _ ", ",", "٫", "    ", "🔸", "…", " ~ "))),
            "".join(f"({pair})" for pair in group(number, (2,), " ").split()),
            say_phone(source, number),
            f"0{FRENCH[int(number[1])]} {group(number[2:], (2,), ' ')}",
            f"plus deux cent douze {FRENCH[int(number[1])]} {group(number[2:], (2,), ' ')}",
            f"{number[:2]} {number[2:4]}\n{group(number[4:], (2,), ' ')}",
            f"+212 ({FRENCH[int(number[1])]}) {group(number[2:], (2,), '.')}",
            f"plus 212 {FRENCH[int(number[1])]} {group(number[2:], (2,), ' ')}",
            f"\U0001f17e\ufe0f{number[1:]}",
            number.translate(INKED),
            number.translate(str.maketrans("06", "Об")),
            "\u0336".join(number) + "\u0336",
            group(number, (1,), source.choice((" = ", "·", ":", "\U0001f539", " * "))),
            group(number, (2,), source.choice(("=", ">", "\\", "][", " w "))) if number[2:] > "5" else number,
            f"{number[:4]}\n{number[4:7]}\n{number[7:]}" if int(number[4:7]) < int(number[:4]) else number,
            f"+212\n{group(number[1:], (3,), ' ')}",
        )
    )


def make_email(source: random.Random) -> str:
    return f"{source.choice(WORDS)}{source.randrange(100)}@{source.choice(HOSTS)}"


def make_hidden_email(source: random.Random) -> str:
    local, host = source.choice(WORDS), source.choice(HOSTS[:4])
    at = source.choice(("[at]", "(at)", " [at] ", " arobase ", " @ "))
    dot = source.choice((".", "[dot]", " point ", " dot ", "(point)"))
    return source.choice(
        (
            f"{local}{at}{host.replace('.', dot)}",
            f"{local}@{host.replace('.', ',')}",
            f"{local} آت {host.replace('.', ' نقطة ')}",
            " ".join(f"{local}@{host}"),
            f"{local} at {host.replace('.', ' dot ')}",
            f"{local}_at_{host.replace('.', '_dot_')}",
            f"{local}<at>{host.replace('.', '<dot>')}",
            f"{local} آت {host.replace('.', ' دوت ')}",
            f"anir tiret b arobaze {host.replace('.', ' point ')}",
            f"anir underscore b arobase {host.replace('.', ' point ')}",
            f"{local}-at-{host.replace('.', '-dot-')}",
            f"{local}*at*{host.replace('.', '*dot*')}",
            f"{local}(a){host}",
            f"{local}@\n{host}",
            f"{local}\n@{host}",
        )
    )


def make_url(source: random.Random) -> str:
    return source.choice(
        (
            f"https://exemple{source.randrange(99)}.com/p/{source.randrange(10**6)}?x=1",
            f"http://www.exemple-{source.randrange(99)}.ma/ar/",
            f"www.exemple{source.randrange(99)}.ma",
            f"wa.me/212600{_digits(source, 6)}",
            f"bit.ly/3x{source.randrange(10**4)}Q",
            f"exemple{source.randrange(99)}.com",
        )
    )


def make_hidden_url(source: random.Random) -> str:
    name = f"exemple{source.randrange(99)}"
    return source.choice(
        (
            f"{name}[.]com/p/{source.randrange(10**4)}",
            f"{name}(.)ma",
            f"{name} (point) net",
            f"www . {name} . ma",
            f"h t t p s://{name}.com/p",
            f"https : // {name} . org",
            f"{name} . com / p / {source.randrange(99)}",
            f"hxxps://{name}.com/p",
            f"{name}-fes point com",
        )
    )


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "PHONE": make_phone,
    "EMAIL": make_email,
    "IBAN": lambda source: source.choice(
        (
            group(make_iban("MA", make_rib(source)), (4,), source.choice((" ", "", "-"))),
            make_iban("MA", make_rib(source)).lower(),
            group(make_iban("FR", _digits(source, 23)), (4,), " "),
            make_iban("DE", _digits(source, 18)),
        )
    ),
    "RIB": lambda source: group(
        make_rib(source), source.choice(((3, 3, 16, 2), (24,), (4,), (3, 3, 4))), source.choice((" ", "-"))
    ),
    "CARD": lambda source: group(make_card(source), (4,), source.choice((" ", "-", ""))),
    "URL": make_url,
}
HIDDEN_MAKERS = {
    "PHONE": make_hidden_phone,
    "EMAIL": make_hidden_email,
    "URL": make_hidden_url,
    "IBAN": lambda source: source.choice(
        (
            group(make_iban("MA", make_rib(source)), source.choice(((1,), (4,))), source.choice(" _·*")),
            group(group(make_iban("MA", make_rib(source)), (4,), " "), (14, 99), "\n"),
        )
    ),
    "RIB": lambda source: group(
        make_rib(source), source.choice(((1,), (2,), (24,))), source.choice((" ", " | ", "."))
    ).replace("0", source.choice("0oO")),
    "CARD": lambda source: group(
        make_card(source), source.choice(((1,), (2,))), source.choice((" ", " | ", "_", "·", "~"))
    ),
}
# With the words that give it away; the private part stands in brackets.
CUED = {
    "PHONE": ("nmra dyali ⟦6{8}⟧", "whatsapp 212 o zid ⟦7{8}⟧", "رقمي ⟦6{2} {2} {2} {2}⟧ بلا صفر"),
    "URL": (
        "⟦https://maps.app.goo.gl/aB{4}⟧",
        "lieu: ⟦goo.gl/maps/q{5}⟧",
        "chof ⟦rdv.exemple.gov.ma⟧",
        "site: ⟦exemple-fes point ma⟧",
    ),
    "IBAN": ("⟦MA64011519000001205000534921⟧w sir",),
    "CIN": (
        "cin dyali ⟦BK{6}⟧",
        "la carte nationale: ⟦AB {6}⟧",
        "رقم البطاقة ⟦J{6}⟧ ديالي",
        "CNIE n° ⟦ee{5}⟧",
        "cin BK123456 ghalat, s7i7a ⟦BK{6}⟧",
        "ب.ت.و عدد ⟦JB {6}⟧",
        "3tihom CIN, hahiya f tswira ⟦Q{6}⟧",
        "my id card number is ⟦BE-{5}⟧",
        "sifto cin dyalkom l souad lyoum: Hamid ⟦EE {6}⟧",
        "cin dyal Hamid EE 412908, w dyal Salwa ⟦G {6}⟧",
        "cin ⟦B K {1} {1} {1} {1} {1}⟧",
        "C.I.N : ⟦D {3} {3}⟧",
    ),
    "GPS": (
        "ana hna ⟦33.5{4}, -7.6{4}⟧",
        "⟦34.0{5};-6.8{5}⟧ hada lmakan",
        "m9hha f⟦34.0{4},-6.8{4}⟧",
        "⟦8C5H+2Q⟧ Fes",
        "dar: ⟦N 34°01'{2}.5\" W 6°50'{2}.1\"⟧",
        "⟦lat: 34.0{3}\nlon: -6.8{3}⟧",
        "gps: ⟦34.{2}, -6.{2}⟧",
    ),
    "MENTION": ("⟦@2126{8}⟧ fin nta", "chof m3a ⟦@sal_wa{2}⟧", "swlo ⟦@nadia-fes{2}⟧", "⟦@\u20682126{8}\u2069⟧ aji"),
    "OTP": (
        *("lcode hwa ⟦48{4}⟧", "Votre code de vérification est ⟦{6}⟧", "الكود ديالك هو ⟦{6}⟧", "رمز التحقق: ⟦{4}⟧"),
        *(
            "sift lia l code li jak ⟦{3}-{3}⟧",
            "⟦G-{6}⟧ is your Google verification code",
            "⟦{6}⟧ hwa lcode",
            "otp ⟦{5}⟧",
            "Use ⟦{6}⟧ to confirm your account",
            "lcode 4821 la, jani ⟦{4}⟧",
            "code transfert cashplus: ⟦{8}{2}⟧",
            "code: ⟦trente-deux soixante et un onze⟧",
            "code de vérification : ⟦K{1}T{2}X⟧",
            "code d activation dkhlo f l'application ⟦{6}⟧",
            "le code de retrait au guichet, note-le ⟦{5}⟧",
            "3tini lcode li 3ndek... safi ⟦{4}7⟧",
            "mot de passe à usage unique: ⟦{6}⟧",
            "code ⟦{1}-{1}-{1}-{1}⟧",
            "lcode sms hwa ⟦sept trois neuf deux⟧",
            "lcode whatsapp:\n⟦{6}⟧",
        ),
    ),
    "PASSWORD": (
        *(
            "mot de passe: ⟦Atlas{4}!⟧",
            "mdp dyal wifi hwa ⟦zitoun{4}⟧",
            "كلمة السر: ⟦fes#{4}⟧",
            "password = ⟦qW{3}xx⟧",
        ),
        *("code secret dyal lbit ⟦Nb!{4}⟧", "⟦karmous*{2}x⟧ hwa lmodpass", "pass word dyal lbox: ⟦rmla{4}⟧"),
        *("code wifi: ⟦{8}⟧", "modpass dyal facebook: ⟦ba7r{4}⟧", "wifi : ⟦DarKbira{2}⟧"),
        *("mot de passe provisoire « ⟦Zr!{4}b⟧ »", "lpassword t bdl: ⟦Zitoun_{3}⟧", "mdp massar ⟦kL{2}xQ⟧, dkhel"),
        *("the password for the box is ⟦k4s-bah{2}⟧ ok", "psw dyal drive howa ⟦zitoun_tp{1}⟧", "pwd👉⟦z.karm{2}!⟧👈"),
        *("root:⟦hK{2}!zz⟧ dyal routeur", "«mot de passe: ⟦tlata d lmchach⟧»", "كلمة سر الحاسوب: ⟦zit-zitoun⟧"),
        *("الموديباس هو ⟦Sba7{1}*⟧ صافي", "bdlt lpassword, jdid howa ⟦Zit.{4}.dar⟧"),
        "الموتدوباس هو ⟦Zit7#x{1}*⟧",
        "mdp d'lbox : ⟦Zit{1}Zitoun⟧",
        "the router pw is ⟦couscous-atay⟧",
        "mdp : ⟦z i t @ {1} {1}⟧ bla espaces",
        "mdp dyal drive:\n⟦zitoun{2}⟧",
    ),
    "IP": (
        "ip dyali ⟦10.1.2.{2}⟧",
        "serveur ⟦192.168.1.1⟧ taye7",
        "⟦2001:db8::a{3}⟧",
        "ping ⟦41.2.3.{2}⟧",
        "b ⟦196.12.230.{2}⟧.3awd",
        "ip ⟦192-168-7-{2}⟧",
    ),
    "ADDRESS": (
        *("ana sakn f ⟦12 rue Ibn Batouta, appt 3⟧", "⟦hay salam rue 5 n° 12⟧", "⟦شارع محمد الخامس رقم 45⟧ الدار"),
        *("⟦Résidence Al Amal, imm B, appt 12⟧ daba", "⟦bd Zerktouni n° 45⟧ f casa", "⟦حي السلام زنقة 5 رقم 12⟧"),
        *(
            "sakna ف⟦زنقة الأطلس رقم 8 الطابق 2⟧",
            "⟦حي الزيتون 3، زنقة 14، رقم 6⟧",
            "⟦tajzi2at zzitoun 3imara 4 cho99a 9⟧",
        ),
        *("⟦Lot. Riad, villa 12⟧", "⟦7 Place Zellaqa, 3ème étage⟧", "⟦avenue Oued Sebou, imm 6, bureau 14⟧"),
        *("⟦zan9at Lalla Aicha nemra 14⟧ 7da jjam3", "⟦رقم 23 زنقة عبد الله بن ياسين⟧ حدا الجامع"),
        *("⟦imm 4 appt 12⟧", "⟦derb Omar, zanqa 7, n° 3⟧", "صيفطها ل ⟦9 زنقة الزيتون، المسيرة، فاس⟧ عفاك"),
    ),
}


def make_lines(makers: dict[str, Callable], count: int, seed: int) -> Iterator[tuple[str, str, int, int]]:
    """Type, line, start and end of the private part, `count` lines a type."""
    source = random.Random(seed)
    for name, maker in makers.items():
        for _ in range(count):
            secret, frame = maker(source), source.choice(FRAMES)
            start = frame.index("{}")
            yield name, frame.replace("{}", secret), start, start + len(secret)


def make_cued_lines(seed: int) -> Iterator[tuple[str, str, int, int]]:
    """The same for what only the words around it give away."""
    source = random.Random(seed)
    for name, templates in CUED.items():
        for template in templates:
            for count in range(9):
                template = template.replace(f"{{{count}}}", str(source.randrange(1, 10)) + _digits(source, count - 1))
            start = template.index("⟦")
            yield name, template.replace("⟦", "").replace("⟧", ""), start, template.index("⟧") - 1


HARMLESS = (
    *(
        "b 150dh",
        "no9at: 05/20 06/20, 07/20 11/20",
        "1.200,50 DH 3la chhar",
        "20 000 درهم",
        "2000 ryal",
        "tman 12500 dh hors taxe",
        "3tini 100 000 000 centimes",
    ),
    *(
        "06/12/2024 18:30",
        "08/09/24 10.30",
        "nhar 05-07-2023 f 14h30",
        "2024-06-12 08:15",
        "من 10:30 حتى 11:45",
        "f 1999 wla 2005",
    ),
    *(
        "3la 7it 9bel 3afak 2mar m3a 7ta 5ouya",
        "3ndi 3 dyal lkmamr w 12 tbesil",
        "sala match 3-2 f 90+4",
        "7/10 f lmath",
    ),
    *(
        "commande 123456 wslat",
        "vol AT200 m3a 6h",
        "Samsung A52 wla iPhone 13",
        "code postal 20000",
        "ref AB12345",
        "colis LX123456",
    ),
    *(
        "nsit mot de passe dyal facebook",
        "mot de passe est incorrect",
        "version 1.2.3.4",
        "android 14.0.1",
        "plaque 12345-A-6",
    ),
    *(
        "sir de9 3lihom lbab lkbir dyal sser",
        "hay mohammadi zwin",
        "had zen9a mdy9a",
        "7ay lyoum",
        "rue kbira",
        "sakn f derb sultan",
        "الحي ديالنا زوين",
        "الشارع عامر",
    ),
    *(
        "la carte graphique b 25000 dh",
        "confirmation de la commande 458796",
        "lcode de la route fih 4000 soual",
        "les 05, 06, 07, 08, 09 et 10 juin",
        "طريق طويلة 300 كلم",
        "serveur Oracle 19.3.0.0 jdid",
        "zero faute, un deux trois",
        "zéro six zéro, match khasrin",
        "3yt l 141",
        "m3a 19 wla 177",
        "ok.merci bzaf",
        "m3a9ol.be happy khouya",
        "WhatsApp 2.21.4.18 jdid",
        "chapitre 2.4.1.3",
        "had 4.3.2.1 d lmo9arrar",
        "loto: 06 11 22 35 41",
        "07 12 19 26 33 45 hado rb7o",
        "autre point net w wade7",
        "lcode HTTP404",
        "code iPhone15 jdid",
        "mot de passe khass ykon fih 8 harf",
        "mzyan.ma kayn walo",
        "salam.labas 3lik",
        "la page 254",
    ),
    *(
        "hay riad rah 5 dyal nas",
        "wifi 100 mega b 299 dh",
        "الساعة 10 و 30 دقيقة",
        "1 2 3 4 5 6 7 8 9 10",
        "1234567890123456",
    ),
    *(
        "code promo 2024",
        "lcode dyal lbab",
        "wifi ta7 hadi 3 iyam",
        "imm 4 étages",
        "rqm wa7d 1",
        "رقم 1 فالمغرب",
        "3la 10 d sba7",
    ),
    *(
        "4-2-3-1 wla 4-3-3",
        "code 1-2-3 soleil",
        "06\n07\n08\n09 juin",
        "lait 06\nbeurre 12 50\nsucre 14 30 20",
        "2500\n1200\n4800\n3600",
        "0,5 0,6 0,7 1,2 3,4",
        "06/12 13/12 20/12 27/12",
        "3 . 5 . 2 . 1",
        "plus 212 articles en promo",
        "oh six mois déjà",
        "f(a)=b w f(x)=0",
        "prix (a) 120 (b) 130",
        "password is case-sensitive",
        "mdp peut-être nsitih",
        "code:\nmabghach ydouz",
        "code postal:\n20250",
        "c i n lmohim",
        "la carte B 250 000 dh",
        "dkhel l point ma kayn",
    ),
    *(
        "taux 3.14159 f lmath",
        "12,5 kg w 1.75 m",
        "+20% f lprix",
        "+1000 dh",
        "2 + 2 = 4",
        "100km/h",
        "4x4 7dach",
        "F 2h15 n9dro nmchiw",
    ),
)
