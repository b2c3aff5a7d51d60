"""Private data found and replaced, on invented numbers and names."""

import gc
import itertools
import json
import math
import random
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pii_generator import (
    ARABIC_INDIC,
    FRAMES,
    FULL_WIDTH,
    HARMLESS,
    HIDDEN_MAKERS,
    MAKERS,
    make_cued_lines,
    make_lines,
)

from darija_gpt.data import privacy
from darija_gpt.data.names.finding import read_roster
from darija_gpt.data.names.spellings import SPELLINGS
from darija_gpt.data.privacy import DETECTORS, Person, PiiSpan, find_names, find_pii, scrub
from darija_gpt.data.private_data.patterns import PLACEHOLDER
from darija_gpt.data.private_data.phrases import words
from darija_gpt.data.private_data.windows import LONGEST_MESSAGE
from darija_gpt.tokenizer import PLACEHOLDERS


CORPUS = Path(__file__).resolve().parents[3] / "shared/data/darija/corpus.jsonl"
CORE = list(make_lines(MAKERS, 150, seed=1))
HIDDEN = list(make_lines(HIDDEN_MAKERS, 150, seed=2))
CUED = [case for seed in range(8) for case in make_cued_lines(seed)]
ROSTER = [
    Person("Yassine Tazi", ("Yassine", "Yassin", "ياسين", "Yassine Tazi", "ياسين التازي")),
    Person("Fatima-Zahra", ("Fatima Zahra", "Fati", "فاطمة الزهراء")),
    Person("Nour Ouali", ("Nour", "نور")),
    Person("Saïd", ("Said", "سعيد")),
]


def is_found(case: tuple[str, str, int, int]) -> bool:
    name, line, start, end = case
    covered = {place for span in find_pii(line) if span.type == name for place in range(span.start, span.end)}
    return covered >= set(range(start, end))


def find_texts(text: str) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in find_pii(text)]


@pytest.mark.parametrize("name", MAKERS)
def test_core_data_is_found_in_every_writing(name):
    cases = [case for case in CORE if case[0] == name]
    assert sum(map(is_found, cases)) >= 0.99 * len(cases), [case[1] for case in cases if not is_found(case)][:5]


@pytest.mark.parametrize("name", HIDDEN_MAKERS)
def test_hiding_does_not_help(name):
    cases = [case for case in HIDDEN if case[0] == name]
    assert sum(map(is_found, cases)) >= 0.95 * len(cases), [case[1] for case in cases if not is_found(case)][:5]


@pytest.mark.parametrize("case", list(make_cued_lines(0)), ids=lambda case: case[1])
def test_the_words_around_it_give_it_away(case):
    assert is_found(case), find_texts(case[1])


def test_an_account_written_onto_words_is_found_by_its_key():
    account = "007780" + "0" * 15 + "1"
    account += f"{97 - int(account) * 100 % 97:02d}"
    assert find_texts(f"rib dyalo{account}ma tnsach") == [("RIB", account)]
    assert find_texts(f"commande{account[:-1]}{(int(account[-1]) + 1) % 10}ma tnsach") == []


def test_little_else_is_taken_than_what_is_private():
    taken = right = 0
    for _, line, start, end in CORE + HIDDEN + CUED:
        for span in find_pii(line):
            taken += span.end - span.start
            right += len(range(max(span.start, start), min(span.end, end)))
    assert right >= 0.97 * taken


@pytest.mark.parametrize("line", HARMLESS)
def test_prices_dates_scores_and_arabizi_are_left_alone(line):
    assert not find_pii(line)


@pytest.mark.parametrize(
    ("valid", "invalid"),
    [
        ("4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("MA64 0115 1900 0001 2050 0053 4921", "MA64 0115 1900 0001 2050 0053 4922"),
        ("011 519 0000012050005349 21", "011 519 0000012050005349 22"),
    ],
)
def test_a_checksum_decides(valid, invalid):
    assert [span.end - span.start for span in find_pii(valid)] == [len(valid)]
    assert not find_pii(invalid)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("IBAN MA64 0115 1900 0001 2050 0053 4922", [("IBAN", "MA64 0115 1900 0001 2050 0053 4922")]),
        ("l compte dyali: MA64011519000001205000534922 safi", [("IBAN", "MA64011519000001205000534922")]),
        ("carte 4111 1111 1111 1112", [("CARD", "4111 1111 1111 1112")]),
        ("CB: 5412 7512 3412 3456", [("CARD", "5412 7512 3412 3456")]),
        ("hak la carte hiya 4111111111111112 chkran", [("CARD", "4111111111111112")]),
        ("نمرة لاكارط ٤١١١ ١١١١ ١١١١ ١١١٢", [("CARD", "٤١١١ ١١١١ ١١١١ ١١١٢")]),
        ("visa 4111 1111 1111 11121", []),
        ("commande 4111 1111 1111 1112", []),
        ("cvv 737", [("CARD", "737")]),
        ("w lcvv la, cvv hwa 737 safi", [("CARD", "737")]),
        ("cvv makaynch, 150 dh", []),
        ("visa b 4500 dh wla 5500 dh", []),
    ],
)
def test_behind_its_cue_a_number_needs_no_checksum(text, found):
    assert find_texts(text) == found


SPOKEN = "zero sitta wa7ed w sittin tlata w 3chrin khmsa w rb3in sb3a w sittin"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bk123456 hya la cin dyali", [("CIN", "bk123456")]),
        ("ae123456 hadi lcin dyali", [("CIN", "ae123456")]),
        ("f 20000 la cin", []),
        (SPOKEN, [("PHONE", SPOKEN)]),
        ("3ndi 3chrin dirham w 7dach", []),
        ("pin dyal la carte 0912", [("OTP", "0912")]),
        ("lpin dyal carte bancaire howa 0912", [("OTP", "0912")]),
        ("le pin de ma sim c'est 4471", [("OTP", "4471")]),
        ("puk 48291377", [("OTP", "48291377")]),
        ("pin tel 5000 dh", []),
        ("القن السري هو 4471", [("PASSWORD", "4471")]),
        ("lra9m sirri 4471", [("PASSWORD", "4471")]),
        ("code dyal tele 1987", [("OTP", "1987")]),
        ("code dyal guichet 4471", [("OTP", "4471")]),
        ("code guichet 4471", []),
        ("code dyal lbac 2019", []),
        ("code wafacash 509182736455", [("OTP", "509182736455")]),
        ("mtcn 509 182 7364", [("OTP", "509 182 7364")]),
        ("transfert 20000 dh", []),
        ("n compte 00123456 78901234", [("RIB", "00123456 78901234")]),
        ("رقم الحساب: 0012345678901234", [("RIB", "0012345678901234")]),
        ("compte facebook 2", []),
        ("lpassport dyali ab 1234567", [("CIN", "ab 1234567")]),
        ("permis 12/345678, chdito lbar7", [("CIN", "12/345678")]),
        ("cnss 123 456 789", [("CIN", "123 456 789")]),
        ("massar D123456789", [("CIN", "D123456789")]),
        ("permis b 3000 dh f 2 chhour", []),
        ("4111 1111 1111 1111 11/28 737", [("CARD", "4111 1111 1111 1111"), ("CARD", "737")]),
        ("mn 09/27 300 dh", []),
        ("anir.b12 gmail.com", [("EMAIL", "anir.b12 gmail.com")]),
        ("sift l anirb a gmail.com", [("EMAIL", "anirb a gmail.com")]),
        ("gmail dyali anir.b12", [("EMAIL", "anir.b12")]),
        ("email 3la 10h", []),
        ("la carte dyali fiha 3500", []),
    ],
)
def test_cues_and_numerals_stand_as_people_write_them(text, found):
    assert find_texts(text) == found


def test_places_are_those_of_the_text_as_it_was_given():
    text = "\u200f\u200bسلام\u200b ٠٦\u200b١٢ ٣٤ ٥٦ ٧٨\u200f 👍"
    (span,) = find_pii(text)
    assert text[span.start : span.end] == "٠٦\u200b١٢ ٣٤ ٥٦ ٧٨"
    assert find_pii("salam\n0612345678") == [PiiSpan(6, 16, "PHONE")]


def test_a_number_goes_on_in_the_next_line_only_if_that_makes_it_whole():
    assert find_texts("nmrti\n06 12\n34 56 78") == [("PHONE", "06 12\n34 56 78")]
    assert find_texts("lat: 33.51\nlon: -7.62") == [("GPS", "lat: 33.51\nlon: -7.62")]
    assert find_texts("06 12 34 56 78\n12 34") == [("PHONE", "06 12 34 56 78")]
    assert not find_pii("06 12\n34 56 78 90") + find_pii("06\n12\n18\n24\n30") + find_pii("0612\n")


def test_numbers_in_lines_are_read_as_one_if_that_makes_them_whole():
    assert find_texts("carte\n4111\n1111\n1111\n1111\nsalam") == [("CARD", "4111\n1111\n1111\n1111")]
    assert find_texts("MA64 0115 1900\n0001 2050 0053 4921 iban") == [("IBAN", "MA64 0115 1900\n0001 2050 0053 4921")]
    assert find_texts("0655\n8812\n34 9bel") == [("PHONE", "0655\n8812\n34")]
    assert find_texts("212\n0612345678") == [("PHONE", "0612345678")]
    assert not find_pii("4111\n1111\n1111\n1111\n1111")
    assert find_texts("4111 1111\n1111 1111\n11/28") == [("CARD", "4111 1111\n1111 1111")]
    assert find_texts("0115190000\n01205000534921") == [("RIB", "0115190000\n01205000534921")]


@pytest.mark.parametrize("clitic", ["l", "f", "w", "d", "b", "n"])
@pytest.mark.parametrize("number", ["06 12 34 56 78", "0612-345678", "0512345678", "212 612 34 56 78"])
def test_a_number_begins_behind_a_word_that_is_written_onto_it(clitic, number):
    assert find_texts(f"3yt {clitic}{number} daba") == [("PHONE", number)]
    assert find_texts(f"kitab {number[:-1]}") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chno lcode?\n774411", [("OTP", "774411")]),
        ("sift liya lcode li jak\n774 411", [("OTP", "774 411")]),
        ("شنو الكود؟\n٧٧٤٤١١", [("OTP", "٧٧٤٤١١")]),
        ("chno mdp d wifi?\nKhobz2024!", [("PASSWORD", "Khobz2024!")]),
        ("3tini cin dyalk\nbk 123456", [("CIN", "bk 123456")]),
        ("الرقم السري:\n4471", [("PASSWORD", "4471")]),
        ("rib dyali:\n011519000001205000534922", [("RIB", "011519000001205000534922")]),
        ("lcarte\n4111 1111 1111 1112", [("CARD", "4111 1111 1111 1112")]),
        ("3tini nmrtk?\n6 12 34 56 78", [("PHONE", "6 12 34 56 78")]),
        ("cvv\n737", [("CARD", "737")]),
        ("compte\n2500", []),
        ("num:\n12 34", []),
        ("nsit mot de passe\n3afakom", []),
        ("mot de passe?\nmakan3refch", []),
        ("nsit mot de passe dyal facebook\n2500\n1200", []),
        ("nsit mot de passe\n+212-601-341-136", [("PHONE", "+212-601-341-136")]),
        ("code promo\n2024", []),
        ("3yyt 3la la carte\n2500", []),
        ("lcode\n774411 safi", []),
    ],
)
def test_a_line_that_asks_announces_the_bare_answer(text, found):
    assert find_texts(text) == found


def test_a_bracket_belongs_to_what_opened_one():
    assert find_texts("(voir https://exemple.ma/a_(b))") == [("URL", "https://exemple.ma/a_(b)")]
    assert find_texts("(06)(61)(22)(33)(44)") == [("PHONE", "(06)(61)(22)(33)(44)")]
    assert find_texts("1) 4111 1111 1111 1111 2) 4111 1111 1111 1111") == [("CARD", "4111 1111 1111 1111")] * 2


def test_spans_are_sorted_and_none_overlaps_another():
    text = " / ".join(line for _, line, _, _ in CORE[::7] + HIDDEN[::7] + CUED[::7])
    spans = find_pii(text)
    assert len(spans) > 50
    assert all(first.end <= second.start for first, second in itertools.pairwise(spans))


@pytest.mark.parametrize("separator", ["\n", " | ", "   "])
def test_a_text_longer_than_a_message_holds_the_private_data_of_its_pieces(separator):
    source = random.Random(5)
    lines = [line for _, line, _, _ in CORE] * 3 + list(HARMLESS) * 20
    source.shuffle(lines)
    text = separator.join(lines)
    expected, place = [], 0
    for line in lines:
        expected += [(place + span.start, place + span.end, span.type) for span in find_pii(line)]
        place += len(line) + len(separator)
    found = list(map(tuple, find_pii(text)))
    covered = {place for start, end, _ in found for place in range(start, end)}
    missing = [(start, end) for start, end, _ in expected if not covered.issuperset(range(start, end))]
    assert len(text) > 2 * LONGEST_MESSAGE
    # In one line, the words around a piece are its neighbours' too.
    assert found == expected if separator == "\n" else len(missing) <= 0.01 * len(expected)


def test_placeholders_are_those_of_the_tokenizer():
    assert all(PLACEHOLDER.fullmatch(placeholder) for placeholder in PLACEHOLDERS)
    assert {f"[{detector.type}]" for detector in DETECTORS} == {*PLACEHOLDERS} - {"[NAME]"}


def test_scrubbed_text_stays_as_it_is():
    lines = [line for _, line, _, _ in CORE + HIDDEN + CUED] + list(HARMLESS)
    source = random.Random(3)
    pieces = [word for line in lines for word in line.split()] + [
        "@",
        ".",
        "+",
        "\u200b",
        "yassine",
        "نور",
        *PLACEHOLDERS,
    ]
    lines += [source.choice(("", " ")).join(source.choices(pieces, k=source.randrange(12))) for _ in range(3000)]
    for line in lines:
        scrubbed = scrub(line, ROSTER)
        assert scrub(scrubbed, ROSTER) == scrubbed, line
    assert scrub("3yt l 06 12 34 56 78 wla a.b@exemple.ma") == "3yt l [PHONE] wla [EMAIL]"
    assert scrub("06 61\n22 33 44 salam\n07") == "[PHONE] salam\n07"
    assert scrub("a@b.ma@cd") == "[EMAIL][MENTION]"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "\x00" * 99,
        "\ud800 0612345678 \udfff",
        "\u202e" * 9 + "0612345678",
        "[",
        "@",
        "[PHONE",
        "+" * 99,
        "\r\n\n",
    ],
)
def test_no_text_is_too_strange(text):
    assert scrub(scrub(text, ROSTER), ROSTER) == scrub(text, ROSTER)
    assert find_texts(text) == [("PHONE", "0612345678")] * ("0612345678" in text)


def test_random_text_is_read_without_error():
    source = random.Random(4)
    letters = "0123456789oO+@.-/ :()[]\u200b\u200f\u2068\u2069\ud800\x00aeyn٠٦一é،\n"
    for _ in range(2000):
        text = "".join(source.choices(letters, k=60))
        assert scrub(scrub(text, ROSTER), ROSTER) == scrub(text, ROSTER)


@pytest.mark.skipif(not CORPUS.is_file(), reason="needs the shared corpus")
def test_hardly_a_line_of_ordinary_darija_is_touched():
    with CORPUS.open(encoding="utf-8") as rows:
        texts = [json.loads(row)["text"] for _, row in zip(range(20000), rows, strict=False)]
    assert sum(bool(find_pii(text)) for text in texts) < 0.005 * len(texts)


# For each detector, in their order, what makes its pattern begin again and again and never find an end.
PUMPS = (
    ('"mdp : a ', "mdp d d d « ", '"mot de passe:'),
    ("password : a ", "mdp : pass ", "pass a1 "),
    ("abc123!x est pass ", "a1! comme "),
    ("mdp aa bb aa ", "mdp aa1 "),
    ("admin:", "user:a ", "root : aA1"),
    ("a@b.", "a.b@", "a at ", "a arobase b point ", "a @ b "),
    ("a-at-a-", "a*at*b.", "a-a"),
    ("abc1 gmail ", "abc a ", "abc1 a yahoo . "),
    ("mail dyali hwa ", "email : ab.", "gmail a1."),
    ("https : // a", "a[.]", "a . b ", "www . a ", "h t t p "),
    ("site : a point ", "a point ", "www dot ", "abcd dot "),
    ("http://", "a.b.c.", "www.", "a-1."),
    ("MA64 ", "MA64 0115 1900 0001 2050 0053 4922 ", "M A 6 4 "),
    ("12 ", "1 ", "123 456 "),
    ("33.5123 ", "33.5123,", "lat 33.5 ", "8C5H+2", "///a.", "33°"),
    ("4111 1111 1111 1112 ", "4 ", "4444 "),
    ("cvv ", "cvv 12 ", "cryptogramme a "),
    ("09/27 ", "4111 1111 1111 1111 09/27 12 "),
    ("@1234567 ", "@a.", "@"),
    ("+212 ", "212 ", "(212"),
    ("+1234567 ", "00 33 ", "+(((("),
    ("06 12 34 ", "(0", "06-", "0_6_", "o6"),
    ("zero six ", "06 et ", "sifr tlata w ", "212 deux "),
    ("n compte ", "n compte 12 34 ", "compte bancaire a "),
    ("mtcn ", "code cash plus ", "code retrait 12 "),
    ("6 12 34 56 ", "212 612345678 "),
    ("1.1.1.", "1.1.1.1 ", "1[.]"),
    ("ip 1 2 3 ", "ip 10,20,", "ip "),
    ("1:", "::", "a:b:", "12:34:56:"),
    ("cin ", "la carte AB ", "cin AB 1234 ", "c.i.n A 1.2.3."),
    ("ab123456 hya ", "ab12345 hadi la cin ", "cin ab123456, "),
    ("cin AB123456 a ", "cin AB123456 AB12345"),
    ("cnss 12 ", "passeport ", "permis 1/", "massar a 123 "),
    ("AB12345", "AB "),
    ("code ", "code 12 ", "lcode a1 "),
    ("123456 is your ", "1234 hwa "),
    ("use 123456 to ", "enter 1234 "),
    ("code 1234 jani ", "code 1234 machi 1"),
    ("code : un ", "code un deux ", "pin "),
    ("G-12345", "G-"),
    ("hay salam ", "rue 1 ", "imm 4 ", "n° 5, ", "rue ibn ben rue ", "حي السلام ", "12 rue "),
)


@pytest.mark.parametrize(
    ("detector", "pump"),
    [(detector, pump) for detector, pumps in zip(DETECTORS, PUMPS, strict=True) for pump in pumps],
    ids=lambda value: value if isinstance(value, str) else value.type,
)
def test_text_made_to_be_slow_is_read_in_linear_time(detector, pump):
    text = (pump * 30_000)[:30_000]
    assert not list(detector.pattern.finditer(text))[30_000:]
    spans = find_pii(f"{text}\n0612345678")
    assert spans[-1] == PiiSpan(30_001, 30_011, "PHONE")
    assert all(first.end <= second.start for first, second in itertools.pairwise(spans))
    scrubbed = scrub(text, ROSTER)
    assert scrub(scrubbed, ROSTER) == scrubbed


# What is found over and over, or nearly: of each type a valid writing, one that stops short, and one that a checksum
# or the words around it refuse. A # is another digit each time, or a letter of a hexadecimal number.
DENSE = {
    "phones in pairs": "06 ## ## ## ## ",
    "phones": "06######## ",
    "phones that stop short": "06 ## ## ## # ",
    "phones of elsewhere": "+33 6 ## ## ## ## ",
    "phones with letters": "o6 ## l# ## S# ",
    "phones in brackets": "(06)(##)(##)(##)(##) ",
    "spoken phones": "zero six ## quarante ## huit ## ",
    "cards": "4### #### #### #### ",
    "accounts": "rib ### ### ################ ## ",
    "IBANs": "MA## #### #### #### #### #### #### ",
    "IBANs that stop short": "MA## #### #### #### #### #### ### ",
    "digits": "#",
    "digits apart": "# ",
    "pairs": "## ",
    "times": "##:##:## ",
    "addresses of machines": "##.##.##.## ",
    "quads of a machine": "##a#:##b#:",
    "bytes of a machine": "a#:b#:c#:",
    "coordinates": "33.####, -7.#### ",
    "codes": "code #### ",
    "codes before their cue": "###### hwa lcode ",
    "identity cards": "BK###### ",
    "mail": "anir##@exemple.ma ",
    "mail that stops short": "anir##@exemple ",
    "sites": "exemple##.com ",
    "mentions": "@sal_wa## ",
    "passwords": "mdp : zit##!ab ",
    "houses": "## rue Ibn Batouta, appt # ",
}
FORMS = {
    "latin": lambda text: text,
    "Arabic-Indic": lambda text: text.translate(ARABIC_INDIC),
    "full width": lambda text: text.translate(FULL_WIDTH),
    "with what cannot be seen": lambda text: "\u200b".join(re.findall(".{1,3}", text)),
}


def write_densely(piece: str, form: str, size: int) -> str:
    """A line of so many characters, in which hardly two numbers are the same."""
    source = random.Random(size)
    pieces = [FORMS[form](piece)] * (size // len(piece) + 1)
    return re.sub("#", lambda _: str(source.randrange(10)), "".join(pieces))[:size]


LEAST_ROUNDS, MOST_ROUNDS = 3, 30


def grows_like_a_line(*works: Callable[[], object], slack: float = 0.0) -> bool:
    """Whether each of some works, all twice as large as the one before, takes at most 2.5 times its time.

    Of what grows with the square it takes four times as long; caches alone make it 2.2. Works take turns, and the
    least time of each counts, without collecting garbage. What other programs add goes with the rounds, squares stay.
    """
    least = [math.inf] * len(works)
    gc.disable()
    try:
        for number in range(1, MOST_ROUNDS + 1):
            for place, work in enumerate(works):
                start = time.process_time()
                work()
                least[place] = min(least[place], time.process_time() - start)
            is_line = all(second <= 2.5 * first + slack for first, second in itertools.pairwise(least))
            if is_line and number >= LEAST_ROUNDS:
                return True
    finally:
        gc.enable()
    return False


@pytest.mark.slow
@pytest.mark.parametrize("size", [LONGEST_MESSAGE // 2, 2 * LONGEST_MESSAGE], ids=["whole", "in windows"])
@pytest.mark.parametrize("name", DENSE)
def test_twice_the_text_takes_about_twice_the_time(name, size):
    short, long = (write_densely(DENSE[name], "latin", size * times) for times in (1, 2))
    assert grows_like_a_line(lambda: find_pii(short), lambda: find_pii(long))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", DENSE)
def test_a_megabyte_takes_about_four_times_as_long_as_a_quarter_of_it(name, form):
    texts = [write_densely(DENSE[name], form, size) for size in (250_000, 500_000, 1_000_000)]
    assert grows_like_a_line(*(lambda text=text: find_pii(text) for text in texts))


NAMED = {
    "names": "yassine ",
    "names that are words": "nour ",
    "names that are called": "a nour ",
    "names in lines": "nour\n",
    "names drawn out": "yassiiiine ",
    "names behind clitics": "ولياسين ",
    "halves of names": "abd el ",
    "letters of a name": "yas",
    "names joined": "nour w amal w ",
    "names told by each other": "nour amal, said karim, ",
    "other words": "salam khouya labas 3lik ",
}
CROWD = [Person(name, ()) for row in SPELLINGS[:26] for name in row[:1]] + ROSTER


@pytest.mark.parametrize("roster", [ROSTER, CROWD], ids=["of 4", "of 30"])
@pytest.mark.parametrize("name", NAMED)
def test_names_are_found_and_replaced_in_a_long_line(name, roster):
    text = (NAMED[name] * 1_000_000)[: 4 * LONGEST_MESSAGE]
    spans = find_names(text, roster)
    assert all(first.end <= second.start for first, second in itertools.pairwise(spans))
    scrubbed = scrub(text, roster)
    assert scrub(scrubbed, roster) == scrubbed
    twice = text + text
    assert grows_like_a_line(lambda: find_names(text, roster), lambda: find_names(twice, roster), slack=0.05)


def test_names_that_tell_each_other_one_by_one_end_after_some_rounds(monkeypatch):
    rounds = []

    def find_first_name(names, text, is_strict=False):
        rounds.append(is_strict)
        places = [match.start() for match in re.finditer("nour", text)]
        return ((place, place + 4) for place in (places if is_strict else places[:1]))

    monkeypatch.setattr("darija_gpt.data.names.finding.RosterNames.find", find_first_name)
    assert scrub("nour 0612345678 " * 50, ROSTER) == "[NAME] [PHONE] " * 50
    assert len(rounds) < 12


def test_text_that_repeats_itself_is_read_once(monkeypatch):
    windows = []
    find = privacy._find_in_lines
    monkeypatch.setattr(
        privacy, "_find_in_lines", lambda text, **options: windows.append(text) or find(text, **options)
    )
    source = random.Random(6)
    lines = [line for _, line, _, _ in CORE]
    source.shuffle(lines)
    period = " ".join(lines * 2)
    spans = find_pii(period * 20)
    assert len(period) > LONGEST_MESSAGE and sum(map(len, windows)) < 4 * len(period)
    assert len(spans) > 19 * len(find_pii(" ".join(lines)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["0612345678 ", "1 2", "a", "@", "1.1.1.1 ", "rue 1 ", "+212 ", "a1 B.2@", *DENSE.values()]
)
def test_a_line_of_ten_million_characters_is_read(piece):
    text = write_densely(piece, "latin", 10_000_000)
    spans = find_pii(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMED)
def test_a_line_of_ten_million_characters_is_scrubbed_of_names(name):
    text = (NAMED[name] * 10_000_000)[:10_000_000]
    scrubbed = scrub(text, CROWD)
    assert scrub(scrubbed, CROWD) == scrubbed


@pytest.mark.parametrize("seed", range(4))
def test_whatever_stands_side_by_side_is_scrubbed_once(seed):
    source = random.Random(seed)
    makers = [*MAKERS.values(), *HIDDEN_MAKERS.values()]
    cued = [line for _, line, _, _ in make_cued_lines(seed)]
    names = words("yassine nour said نور سعيد ياسين فاتي ولياسين لنور b-Nour yassiiine nouuur Yassine_Tazi @nour")
    between = words(
        """
        a ya يا w و l ل mn m3a rah راه ja جا galt قالت 3la على chi شي wakha واخا dyal ديال bnti katjawb lah الله , ، .
        ? ! : @ + ( ) [ ] - _ / ٠٦ 🙏
        """
    )
    names, between = sorted(names), sorted(between)
    kinds = (
        lambda: source.choice(makers)(source),
        lambda: source.choice(cued),
        lambda: source.choice(HARMLESS),
        lambda: source.choice(names),
        lambda: source.choice(names),
        lambda: source.choice(between),
        lambda: source.choice(between),
        lambda: source.choice((*PLACEHOLDERS, "\n", "\u200b", "\u200f")),
    )
    for _ in range(400):
        pieces = [source.choice(kinds)() for _ in range(source.randrange(1, 9))]
        scrubbed = scrub(source.choice((" ", " ", " ", "", "\n", ", ")).join(pieces), ROSTER)
        assert scrub(scrubbed, ROSTER) == scrubbed


def test_words_that_are_plain_stay_so_beside_others():
    names = read_roster(tuple(ROSTER))
    pieces = {word for _, line, _, _ in CORE + HIDDEN + CUED for word in line.split()}
    pieces |= {word for line in (*HARMLESS, *FRAMES) for word in line.split()}
    pieces |= words(
        """
        cent douze واي فاي دو باس باسورد at chez point dot نقطة / .
        : [ ( <at (dot zero. code: rue hay imm 3imara a² 5 3la ٦
        """
    )
    for word in sorted(pieces) * 2:
        scrub(word, ROSTER)
    plain = sorted(names.plain_chunks)
    assert len(plain) > 200
    source = random.Random(8)
    for _ in range(4000):
        text = source.choice((" ", " ", "\n")).join(source.choices(plain, k=source.randrange(1, 12)))
        assert not find_pii(text) and not find_names(text, ROSTER), text
