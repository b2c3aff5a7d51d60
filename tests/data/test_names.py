"""People's names found in texts; all of them are invented."""

import pytest

from darija_gpt.data.name_evidence import ORDINARY_WORDS
from darija_gpt.data.names import Person, find_names, read_roster


ROSTER = [
    Person("Yassine Tazi", ("Yassine", "Yassin", "ياسين", "Yassine Tazi", "ياسين التازي")),
    Person("Fatima-Zahra", ("Fatima Zahra", "Fati", "فاطمة الزهراء")),
    Person("Nour Ouali", ("Nour", "نور")),
    Person("Saïd", ("Said", "سعيد")),
    Person("El Mahjoub", ("Mahjoub", "المحجوب", "محجوب")),
    Person("Mehdi ✨", ("مهدي",)),
    Person("Hamza", ()),
    Person("Amal", ()),
    Person("Sabah", ("صباح",)),
    Person("Jamil", ("جميل",)),
]


def name_texts(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_names(text, ROSTER)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("fin nta yassine?", ["yassine"]),
        ("YASSIIIINE aji", ["YASSIIIINE"]),
        ("ياسيييين فين راك", ["ياسيييين"]),
        ("ياســين فين راك", ["ياســين"]),
        ("شفت ياسين وفاطمة الزهراء", ["ياسين", "فاطمة الزهراء"]),
        ("هادي لياسين", ["ياسين"]),
        ("مشيت بياسين لدارهم", ["ياسين"]),
        ("hadchi d-Yassine w l'Yassine", ["Yassine", "Yassine"]),
        ("gal lia yassine tazi", ["yassine tazi"]),
        ("fatimazahra w fatima-zahra", ["fatimazahra", "fatima-zahra"]),
        ("yassinek yassinat", []),
        ("l7aj El Mahjoub jay", ["El Mahjoub"]),
        ("السي المحجوب ولمحجوب", ["المحجوب", "محجوب"]),
        ("مهدي/mehdi: fin ntoma", ["مهدي", "mehdi"]),
    ],
)
def test_names_are_found_under_clitics_and_drawn_out_letters(text, names):
    assert name_texts(text) == names


@pytest.mark.parametrize(
    ("text", "is_name"),
    [
        ("sbah nour", False),
        ("صباح النور", False),
        ("ana said bzaf lyouma", False),
        ("نهار سعيد", False),
        ("nour dyal chemch", False),
        ("a nour fin nti", True),
        ("يا نور فين نتي", True),
        ("salam Nour", True),
        ("chft lbare7 Nour f souk", True),
        ("nour ouali jat", True),
        ("سعيد قال ليا", True),
        ("نور كاتقلب عليك", True),
        ("صيفطها لسعيد دابا", True),
        ("gol l said yji", True),
        ("nour ma jatch lyoum", True),
        ("amal golti liya ghadi tji", True),
        ("swlt said 3la lkhedma", True),
        ("سولت نور على الخدمة", True),
        ("نور سيفطات ليا التصاور", True),
        ("nour w hamza jaw", True),
        ("ktab dyal said", True),
        ("Nour, fin lktab", True),
        ("mabrouk 3lik, nour!", True),
        ("Nour... fin mchiti", True),
        ("Said a perdu ses papiers", True),
        ("نور هي اللي ربحات", True),
        ("الله يحفظ والديك نور", True),
        ("نور دخلات للدار", True),
        ("نور ساعات", False),
        ("nour... w dlam", False),
        ("nour makan walo", False),
        ("nour ma kaynch", False),
        ("مع صباح الخير", False),
        ("sabah, mzyan", False),
        ("dyal sabah", False),
        ("يا سلام على منظر جميل", False),
        ("bhal nour f dlam", False),
        ("النور واش رجع", False),
    ],
)
def test_a_name_that_is_a_word_needs_evidence(text, is_name):
    assert bool(name_texts(text)) == is_name


def test_the_same_word_twice_in_a_line_is_the_same_person():
    assert name_texts("amal, amal, AMAL aji") == ["amal", "amal", "AMAL"]
    assert name_texts("amal, aji\namal kbir") == ["amal"]


def test_a_word_that_begins_like_a_clitic_is_no_name():
    assert find_names("هادشي كامل كايدوز دغيا", [Person("Amal", ("أمل",))]) == []


def test_a_name_is_found_among_those_of_a_thousand_people():
    crowd = [
        Person(f"Xan{first}{second} Ybo", (f"xan{first}{second}",)) for first in range(40) for second in "abcdefghjk"
    ]
    text = "ya yassine w fatima zahra, hamzaw l'xan7b; dyal Xan12k ybo"
    found = [text[span.start : span.end] for span in find_names(text, ROSTER + crowd)]
    assert found == ["yassine", "fatima zahra", "hamza", "xan7b", "Xan12k ybo"]


def test_a_word_of_another_line_is_no_evidence():
    assert name_texts("yallah a\nnour dyal chemch") == []
    assert name_texts("a nour") == ["nour"]


def test_whose_a_shared_first_name_is_depends_on_no_order():
    roster = [Person("Anir Tazi", ("Anir",)), Person("Anir Alami", ("Anir",)), Person("Tamou", ("Tamou", "Anir Tazi"))]
    for people in (roster, roster[::-1]):
        assert read_roster(tuple(people)).find_person("aniiir").name == "Anir Alami"
        assert read_roster(tuple(people)).find_person("Anir Tazi").name == "Anir Tazi"


def test_an_empty_roster_and_nameless_people_are_nowhere():
    assert find_names("salam 3likom", []) == []
    assert find_names("salam 😀 +212 6 a", [Person("😀", ()), Person("+212 6", ()), Person("a", ())]) == []


@pytest.mark.parametrize("word", sorted(ORDINARY_WORDS))
def test_ordinary_words_alone_are_no_names(word):
    assert find_names(f"chwiya {word} hna", [Person(word, ())]) == []
