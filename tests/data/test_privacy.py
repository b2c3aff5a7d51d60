"""Private data found and replaced, on invented numbers and names."""

import itertools
import json
import random
from pathlib import Path

import pytest
from pii_generator import HARMLESS, HIDDEN_MAKERS, MAKERS, make_cued_lines, make_lines

from darija_gpt.data.privacy import DETECTORS, Person, PiiSpan, find_names, find_pii, scrub
from darija_gpt.data.privacy_patterns import PLACEHOLDER
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


def name_texts(text: str) -> list[str]:
    return [text[span.start : span.end] for span in find_names(text, ROSTER)]


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


def test_places_are_those_of_the_text_as_it_was_given():
    text = "\u200f\u200bسلام\u200b ٠٦\u200b١٢ ٣٤ ٥٦ ٧٨\u200f 👍"
    (span,) = find_pii(text)
    assert text[span.start : span.end] == "٠٦\u200b١٢ ٣٤ ٥٦ ٧٨"
    assert find_pii("salam\n0612345678") == [PiiSpan(6, 16, "PHONE")]


def test_spans_are_sorted_and_none_overlaps_another():
    text = " / ".join(line for _, line, _, _ in CORE[::7] + HIDDEN[::7] + CUED[::7])
    spans = find_pii(text)
    assert len(spans) > 50
    assert all(first.end <= second.start for first, second in itertools.pairwise(spans))


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
    assert scrub("a@b.ma@cd") == "[EMAIL][MENTION]"


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
    ],
)
def test_a_name_that_is_a_word_needs_evidence(text, is_name):
    assert bool(name_texts(text)) == is_name


def test_a_person_has_one_pseudonym_everywhere():
    pseudonyms = {"Yassine Tazi": "P7", "Fatima-Zahra": "P8"}
    assert scrub("Yassiine, ياسين w Yassine Tazi", ROSTER, pseudonyms) == "P7, P7 w P7"
    assert scrub("هادي لفاطمة الزهراء", ROSTER, pseudonyms) == "هادي لP8"
    assert scrub("a nour 3yti l yassine 0612345678", ROSTER) == "a [NAME] 3yti l [NAME] [PHONE]"
    with pytest.raises(ValueError, match="pseudonym"):
        scrub("salam", ROSTER, {"Fatima-Zahra": "Yassine"})


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
