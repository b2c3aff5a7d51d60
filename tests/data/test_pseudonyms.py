"""Invented names for people, chosen by a key; all people here are invented, too."""

import itertools
import os
import random

import pytest

from darija_gpt.data.names.finding import Person
from darija_gpt.data.names.first_names import NAMES
from darija_gpt.data.names.folding import fold_form, reduce_name
from darija_gpt.data.names.words import ACTIONS, ADDRESSES, ORDINARY_WORDS, VOCATIVES
from darija_gpt.data.privacy import find_names, scrub
from darija_gpt.data.pseudonyms import Pseudonym, choose_pseudonyms, read_key


KEY = bytes(range(32))
ROSTER = [
    Person("Yassine Tazi", ("Yassine", "Yassin", "ياسين", "Yassine Tazi", "ياسين التازي")),
    Person("Fatima-Zahra", ("Fatima Zahra", "Fati", "فاطمة الزهراء")),
    Person("Nour Ouali", ("Nour", "نور")),
    Person("Saïd", ("Said", "سعيد")),
]


def test_a_pool_name_is_no_word_and_stands_there_once():
    assert len(NAMES) >= 200
    for spellings in zip(*NAMES, strict=True):
        assert len({reduce_name(fold_form(name)) for name in spellings}) == len(NAMES)
        assert not {fold_form(name) for name in spellings} & (ORDINARY_WORDS | ACTIONS | ADDRESSES | VOCATIVES)
    assert all(latin.isascii() and latin.istitle() and "\u0600" <= arabic < "\u06ff" for latin, arabic in NAMES)


def test_a_key_is_made_once_and_read_by_its_owner_alone(tmp_path):
    path = tmp_path / "secret" / "names.key"
    key = read_key(path)
    assert len(key) == 32 and read_key(path) == key and read_key(tmp_path / "other") != key
    assert os.listdir(path.parent) == ["names.key"]
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        ("", 0o600, "0 bytes instead of 32"),
        ("ab" * 31, 0o600, "31 bytes instead of 32"),
        ("no key", 0o600, "damaged"),
        ("\u0660" * 64, 0o600, "damaged"),
        ("ab" * 32, 0o644, "chmod 600"),
        ("ab" * 32, 0o640, "chmod 600"),
    ],
)
def test_a_bad_key_is_refused(tmp_path, content, mode, complaint):
    path = tmp_path / "key"
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    with pytest.raises(ValueError, match=complaint):
        read_key(path)
    with pytest.raises(ValueError, match="no file"):
        read_key(tmp_path)


def test_a_pseudonym_depends_on_the_key_and_the_person_only():
    chosen = choose_pseudonyms(ROSTER, KEY)
    assert all(choose_pseudonyms(order, KEY) == chosen for order in itertools.permutations(ROSTER))
    assert choose_pseudonyms(ROSTER, KEY[::-1]) != chosen
    alone = choose_pseudonyms([Person("YASSINE tazi", ())], KEY)
    assert alone["YASSINE tazi"] == chosen["Yassine Tazi"]


def test_a_pseudonym_is_nobody_elses_name():
    source = random.Random(0)
    for _ in range(20):
        roster = [Person(latin, (arabic,)) for latin, arabic in source.sample(NAMES, 60)]
        roster += [Person("Anir Lamine", ("Lamine",)), Person("😀", ()), Person("+212 600-000000", ())]
        chosen = choose_pseudonyms(roster, KEY)
        assert len(chosen) == len({*chosen.values()}) == len(roster)
        for pseudonym in chosen.values():
            assert not find_names(f"a {pseudonym.latin} a {pseudonym.arabic} لـ{pseudonym.arabic}", roster)


def test_a_chat_of_more_people_than_names_gives_each_a_pair():
    roster = [Person(f"Personne{''.join('abcdefghij'[int(digit)] for digit in str(i))}", ()) for i in range(400)]
    chosen = choose_pseudonyms(roster, KEY)
    assert len({*chosen.values()}) == 400
    assert sum(" " in pseudonym.latin for pseudonym in chosen.values()) >= 400 - len(NAMES)


@pytest.mark.parametrize(
    ("found", "written"),
    [("yassine", "anir"), ("YASSINE", "ANIR"), ("Yassine", "Anir"), ("yASSINE", "Anir"), ("ياسين", "أنير")],
)
def test_a_pseudonym_is_written_like_what_it_replaces(found, written):
    assert Pseudonym("Anir", "أنير").write_like(found) == written


def test_a_person_has_one_pseudonym_everywhere():
    pseudonyms = {"Yassine Tazi": Pseudonym("Anir", "أنير"), "Fatima-Zahra": Pseudonym("Tamou", "طامو")}
    assert scrub("Yassiine, ياسين w YASSINE TAZI", ROSTER, pseudonyms) == "Anir, أنير w ANIR"
    assert scrub("هادي لفاطمة الزهراء w d'fati", ROSTER, pseudonyms) == "هادي لطامو w d'tamou"
    assert scrub("a nour 3yti l yassine 0612345678", ROSTER, pseudonyms) == "a [NAME] 3yti l anir [PHONE]"


@pytest.mark.parametrize("spellings", [("Yassine", "أنير"), ("Nour", "أنير"), ("Anir", "وسعيد"), ("a@b.ma", "أنير")])
def test_a_pseudonym_that_would_be_scrubbed_itself_is_refused(spellings):
    with pytest.raises(ValueError, match="pseudonym of person 0"):
        scrub("salam", ROSTER, {"Fatima-Zahra": Pseudonym(*spellings)})


def test_text_with_pseudonyms_scrubbed_again_stays_as_it_is():
    source = random.Random(1)
    words = [form for person in ROSTER for form in person.forms]
    words += ["a", "ya", "l", "d'", "w", "ل", "و", "ال", ",", ".", "fin", "salam", "lAmine"]
    pseudonyms = choose_pseudonyms(ROSTER, KEY)
    for _ in range(2000):
        text = source.choice(("", " ")).join(source.choices(words, k=8))
        scrubbed = scrub(text, ROSTER, pseudonyms)
        assert scrub(scrubbed, ROSTER, pseudonyms) == scrubbed, text


def test_a_chat_of_more_people_than_names_has_a_pseudonym_for_each():
    roster = [Person(f"{latin} {family}", ()) for latin, _ in NAMES for family in ("Zniber", "Lotfi")]
    pseudonyms = choose_pseudonyms(roster, KEY)
    assert len({*pseudonyms.values()}) == len(roster)
    assert "niber" not in scrub("fin Anass Zniber?", roster, pseudonyms)
