"""Street addresses of Morocco, in French, Darija and Arabic: a way and a number, or a flat in a house.

The patterns read folded text with its capitals, unless they say otherwise.
"""

import re

from darija_gpt.data.private_data.phrases import NO_WORD, either, glimpse
from darija_gpt.data.private_data.spans import Bounds, Reading


_PARTICLES = either(
    "de|des|du|d|el|al|l|la|le|les|ibn|ben|bnou|bnu|bint|bni|beni|bani|oued|wad|moulay|my|sidi|lalla|ain|aïn|ait|aït|bir|dar|bab|"
    "abou|bou|cité|ابن|بن|بني|مولاي|سيدي|لالة|عين|باب|واد|وادي|أيت|ايت|آيت|أبي|ابي|أبو|ابو",
    is_cased=True,
)
_WORD = r"(?:[2-9](?=[^\W\d_]))?[^\W\d_][^\W_]{1,23}"
_CAPITALISED = r"[A-ZÀ-Ý][^\W\d_]{0,23}"
_SON_OF = either("ibn|ben|bnou|bnu|bin|bint|بن|ابن|بنت", is_cased=True)
_NEXT_WORD = rf"{_CAPITALISED}|{_PARTICLES}[ '’\-]{_CAPITALISED}|ال{_WORD}|{_SON_OF}[ \-]{_WORD}"
_MORE_OF_A_NAME = rf"(?:[ \-](?:{_NEXT_WORD})){{0,3}}"
_PLACE_NAME = rf"(?:{_PARTICLES}[ '’\-]){{0,3}}{_WORD}{_MORE_OF_A_NAME}"
_CAPITALISED_NAME = rf"(?:{_PARTICLES}[ '’\-]){{0,3}}{_CAPITALISED}{_MORE_OF_A_NAME}"
_ARABIC_WAY_WORDS = (
    "شارع|الشارع|زنقة|الزنقة|زنقت|زنقه|حي|الحي|درب|الدرب|إقامة|اقامة|الإقامة|تجزئة|التجزئة|دوار|ممر|زقاق|ساحة"
)
_LATIN_WAY_WORDS = (
    "rue|angle rue|avenue|av.|av|ave|bd|bd.|bld|blvd|blvd.|boulevard|bvd|lotissement|résidence|residence|rés.|"
    "res.|quartier|qrt|"
    "derb|zanqa|zanqat|zankat|zenqat|zan9a|zan9at|zn9a|zn9at|zen9a|zen9at|zanka|zen9et|zn9et|znqa|impasse|allée|allee|"
    "hay|7ay|l7ay|douar|tajzi2a|tajzi2at|tajzia|tajziat|i9amat|i9ama|iqamat|ikamat|chari3|char3|ruelle"
)
# Words of other things, too: they take a name with a capital.
_CAPITALISED_WAY_WORDS = "place|pl.|route|passage|lot|lot.|cité|cite|rond-point|square|esplanade|cours"
_ARABIC_WAYS = either(_ARABIC_WAY_WORDS)
# An Arabic clitic is written onto the word: فزنقة, "in the street".
_CLITICS = "[وفبل]"
_WAYS = rf"(?:{_CLITICS}{{0,2}}{_ARABIC_WAYS}|{either(_LATIN_WAY_WORDS, is_cased=True)})"
_CAPITALISED_WAYS = either(_CAPITALISED_WAY_WORDS, is_cased=True)
_NUMBERED_WAYS = either(
    "rue|derb|zanqa|zanqat|zankat|zan9a|zan9at|zn9a|zn9at|zen9a|zen9at|zanka|avenue|زنقة|الزنقة|درب|فزنقة|بزنقة|لزنقة",
    is_cased=True,
)
_UNIT_WORDS = (
    "n°|n |no|rqm|no.|nr|num|numéro|numero|nmra|"
    "nemra|nimero|nemero|nimro|ra9m|r9m|ra9em|raqm|imm|imm.|immeuble|bloc|blok|bloque|bât|bat|"
    "bât.|bat.|"
    "bâtiment|batiment|appt|appt.|appart|appartement|app|app.|apt|apt.|apprt|étage|etage|villa|porte|lot|lot.|tranche|"
    "gh|secteur|ent|entrée|bureau|magasin|local|3imara|3omara|3imarat|l3imara|cho99a|cho9a|cha9a|ch9a|tab9|taba9|dar|"
    "رقم|الرقم|عمارة|العمارة|عماره|شقة|الشقة|شقه|بلوك|الطابق|طابق|باب|فيلا|بقعة|القطعة|الدار|دار|منزل|محل|مكتب"
)
_UNITS = either(_UNIT_WORDS, is_cased=True)
_HOUSE_NUMBER = r"[0-9]{1,4}(?: ?bis| ?ter|[A-Za-z])?(?![\w]|[.,][0-9])"
_FLOOR = r"[0-9]{1,2}(?:er|[èe]me|e|°)? ?[ée]tage"
_UNIT = (
    rf"(?:{_UNITS} ?[.:°]? ?(?:[A-Z]{{0,2}}[0-9]{{1,4}}(?: ?bis|[A-Za-z])?|[A-Z]{{1,2}}|[ابتجدهوز])(?![\w])|{_FLOOR})"
)
_NOT_A_COUNT = (
    r"(?! ?(?:dh|dhs|d|h|min|minutes?|km|m|kg|jours?|ans|mois|fois|personnes?|dyal|dial|nas|we?ld|bnat|yam|yom|iyam|"
    r"chhour|3am|étoiles?|etoiles?|درهم|دقيقة|دقايق|سنين|سنة|ايام|أيام|ديال|مرات|كيلو|كلم|متر|عام|شهر|الناس|ساعة)(?![\w]))"
)
_JOIN = r"(?: {0,2}[,،\-/;] {0,2}| {1,2})(?:(?:f|fi|ف|في) )?"
_NAMED_WAY = rf"(?:{_WAYS} {{1,2}}{_PLACE_NAME}|{_CAPITALISED_WAYS} {{1,2}}{_CAPITALISED_NAME})"
_WAY = (
    rf"(?:{_HOUSE_NUMBER},? {{1,2}}{_NAMED_WAY}|{_NUMBERED_WAYS} {{1,2}}{_HOUSE_NUMBER}{_NOT_A_COUNT}"
    rf"|{_NAMED_WAY})"
)
# The number of a quarter, before the next part: حي المسيرة 2، زنقة 41
_QUARTER_NUMBER = rf"(?: {{1,2}}[0-9]{{1,2}}(?={_JOIN}(?:{_UNIT}|{_WAYS} )))?"
# With what an address begins, on the line in lower case: a word for a house or a way, or the number before it.
_ANY_WAY_WORDS = f"{_LATIN_WAY_WORDS}|{_CAPITALISED_WAY_WORDS}|{_ARABIC_WAY_WORDS}"
_BEHIND_A_NUMBER = rf"[0-9]{{0,3}}+(?: ?bis| ?ter|[a-z])?,? {{1,2}}{_CLITICS}{{0,2}}{either(_ANY_WAY_WORDS)} "
_BEHIND_A_FLOOR = r"[0-9]?(?:er|[èe]me|e|°)? ?[ée]tage"
_NUMBER_SOON = r"(?=[^0-9\n]{0,255}+[0-9])"
ADDRESS_BEGINS = re.compile(
    rf"{NO_WORD}(?:{either(_UNIT_WORDS)} ?[.:°]? ?(?:[a-z]{{0,2}}[0-9]|[a-z]{{1,2}}(?!\w))"
    rf"|(?:{either(_ANY_WAY_WORDS)}|{_CLITICS}{{1,2}}{_ARABIC_WAYS}) {_NUMBER_SOON}"
    rf"|[0-9](?=[0-9]{{0,3}}+[^0-9\n:](?:[^0-9\n]|7a))(?:{_BEHIND_A_NUMBER}|{_BEHIND_A_FLOOR}))"
)
# Where a letter is sent to.
_CITIES = (
    "(?:Casablanca|Casa|Rabat|Fès|Fes|Marrakech|Mrrakch|Kech|Tanger|Tanja|Meknès|Meknes|Oujda|Kénitra|Kenitra|"
    "Agadir|Tétouan|Tetouan|Salé|Sale|Safi|Mohammedia|Mohammédia|Khouribga|El Jadida|Jadida|Béni Mellal|"
    "Beni Mellal|Nador|Taza|Settat|Berrechid|Khémisset|Khemisset|Larache|Guelmim|Laâyoune|Laayoune|Dakhla|"
    "Essaouira|Ouarzazate|Errachidia|Témara|Temara|Inezgane|Ksar El Kébir|Al Hoceïma|Al Hoceima|Taroudant|Tiznit|"
    "Azrou|Ifrane|Sefrou|Chefchaouen|Berkane|Taourirt|Skhirat|Bouznika|Benslimane|Sidi Kacem|Sidi Slimane|"
    "Youssoufia|Midelt|Khénifra|Khenifra|Asilah|Zagora|الدار البيضاء|البيضاء|كازا|الرباط|فاس|مراكش|طنجة|مكناس|"
    "وجدة|القنيطرة|أكادير|اكادير|تطوان|سلا|آسفي|أسفي|المحمدية|خريبكة|الجديدة|بني ملال|الناظور|تازة|سطات|برشيد|"
    "الخميسات|العرائش|كلميم|العيون|الداخلة|الصويرة|ورزازات|الرشيدية|تمارة|إنزكان|انزكان|القصر الكبير|الحسيمة|"
    "تارودانت|تيزنيت|أزرو|إفران|صفرو|شفشاون|بركان|تاوريرت|الصخيرات|بوزنيقة|بنسليمان|سيدي قاسم|سيدي سليمان|"
    "اليوسفية|ميدلت|خنيفرة|أصيلة|زاكورة)"
)
# And the quarter between two commas: زنقة 12، أكدال، الرباط
_QUARTER = rf"(?: ?[,،] {{0,2}}{_PLACE_NAME}(?= ?[,،]))?"
_CITY = rf"(?:{_QUARTER}{_JOIN}(?:[1-9][0-9]{{4}},? )?{_CITIES}(?![\w]))?"
_MORE_UNITS = rf"(?>{_JOIN})(?>{_UNIT})"
_WAY_AND_MORE = (
    rf"{_WAY}{_QUARTER_NUMBER}(?:{_JOIN}(?:{_UNIT}|{_WAY})){{0,5}}"
    rf"(?:{_JOIN}{_HOUSE_NUMBER}(?! ?[:h][0-9]){_NOT_A_COUNT}(?:{_JOIN}{_UNIT}){{0,3}})?"
)
# A way with a house number before, behind or among its units; or a flat in a house.
ADDRESS = re.compile(
    rf"(?<![\w])(?:{_WAY_AND_MORE}"
    rf"|(?>{_UNIT})(?:(?:{_MORE_UNITS}){{0,3}}{_JOIN}{_WAY_AND_MORE}|(?:{_MORE_UNITS}){{1,4}})){_CITY}"
)
_HOUSE_WORDS = (
    "3omara|imm|imm.|immeuble|bloc|blok|bloque|app|app.|appt|appt.|appart|appartement|apt|apt.|villa|étage|etage|3imara|l3imara|"
    "cho99a|cho9a|bureau|عمارة|العمارة|شقة|الشقة|بلوك|فيلا"
)
_ALPHANUMERIC, _NO_LETTER = r"[^\W_]", r"(?![^\W\d_])"
# Of what is found, what makes it an address: a way or a house, and a number that is part of no word (7ay, zn9a).
HOUSE_CUE = re.compile(
    rf"(?<![\w])(?:{_WAYS}|{either(f'{_CAPITALISED_WAY_WORDS}|{_HOUSE_WORDS}', is_cased=True)}){_NO_LETTER}|[ée]tage"
)
HOUSE_DIGIT = re.compile(r"(?<![^\W_])[0-9]{1,5}(?: ?bis|[a-zA-Z])?(?![^\W_])|[A-Zmtpcnal][0-9]{1,4}(?![\w])")
COUNTED_AREA = re.compile(r"الحي [^0-9]{2,60} [0-9]{1,4}")  # 302 cases in a quarter
CLITIC = re.compile(rf"{_CLITICS}{{1,2}}(?={_ARABIC_WAYS} )")

_HOUSES = f"{_LATIN_WAY_WORDS}|{_CAPITALISED_WAY_WORDS}|{_ARABIC_WAY_WORDS}|{_HOUSE_WORDS}"
_HOUSES += "".join(f"|{first}{word}" for first in "بف" for word in _ARABIC_WAY_WORDS.split("|"))
HOUSE_WORD = glimpse(_HOUSES, _ALPHANUMERIC, _NO_LETTER)
# On a lower-cased line that is not folded: one of these words, and a number before it or further on.
HOUSE_NEAR = re.compile(
    rf"{HOUSE_WORD}"
    r"(?:(?<=\d .)|(?<=\d[, a-z] .)|(?<=bis .)|(?<=bis, .)|[^\n][^\n\d]{0,59}+\d)"
)


def check_address(match: re.Match[str], reading: Reading) -> Bounds | None:
    """A way with a number; of houses and flats, two numbers."""
    text = match.group()
    is_address = HOUSE_DIGIT.search(text) and HOUSE_CUE.search(text)
    if not is_address or COUNTED_AREA.fullmatch(text):
        return None
    # The clitic stays with the sentence.
    clitic = CLITIC.match(text)
    return (match.start() + clitic.end(), match.end()) if clitic else match.span()
