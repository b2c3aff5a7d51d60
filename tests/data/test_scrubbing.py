"""Everybody who wrote gets one pseudonym, however a message spells the name."""

import stat
from datetime import datetime
from pathlib import Path

import pytest

from darija_gpt.data.chats import Chat
from darija_gpt.data.names.spellings import SPELLINGS, find_spellings
from darija_gpt.data.scrubbing import Scrubber, find_forms, list_people, scrub_together
from darija_gpt.data.whatsapp import Message, parse_export


def make_chat(*authors: str | None) -> Chat:
    return Chat((Path("chat.txt"),), [Message(datetime(2024, 1, 1), author, "salam", "text") for author in authors], 0)


@pytest.fixture
def scrubber(tmp_path):
    people = list_people([make_chat("Yassine Zerhouni", "Nawal 🌸"), make_chat("Nawal 🌸", "+212 600-000000", None)])
    return Scrubber(people, tmp_path / "keys" / "pseudonym.key")


def test_a_person_has_one_pseudonym_in_every_spelling_and_chat(scrubber):
    pseudonym = scrubber.pseudonyms["Yassine Zerhouni"]
    for written, expected in (
        ("fin yassine?", f"fin {pseudonym.latin.lower()}?"),
        ("3yet l Yacine daba", f"3yet l {pseudonym.latin} daba"),
        ("فين ياسين؟", f"فين {pseudonym.arabic}؟"),
        ("Yassine Zerhouni ja", f"{pseudonym.latin} ja"),
    ):
        assert scrubber.scrub(written) == expected
    assert scrubber.pseudonyms["Nawal 🌸"] != pseudonym
    assert scrubber.replaced == {"NAME": 4}


def test_who_is_mentioned_and_never_writes_has_a_pseudonym_too(tmp_path):
    texts = [
        "@\u2068Hamza Tazi\u2069 fin nta?",
        "@\u2068~\u202fIkram\u2069 w @\u2068+212 600-000000\u2069",
        "@\u2068Tout le monde\u2069 ajiw, @\u2068all\u2069, machi @Karim",
    ]
    messages = [Message(datetime(2024, 1, 1), "Saad", text, "text") for text in texts]
    people = list_people([Chat((Path("group.txt"),), messages, 0)])
    assert [person.name for person in people] == ["Hamza Tazi", "Ikram", "Saad"]
    scrubber = Scrubber(people, tmp_path / "pseudonym.key")
    assert scrubber.scrub("hamza ma jach") == f"{scrubber.pseudonyms['Hamza Tazi'].latin.lower()} ma jach"
    assert scrubber.scrub("tout le monde ja") == "tout le monde ja"


def test_who_writes_and_is_mentioned_is_one_person(tmp_path):
    export = tmp_path / "group.txt"
    export.write_text(
        "1/13/24, 10:00 - ~\u202fIkram\u200f Tazi: salam\n"
        "1/13/24, 10:01 - Saad: fin @\u2068~\u202fIkram Tazi\u200e\u2069?\n"
    )
    chat = Chat((export,), list(parse_export(export)), 0)
    assert [person.name for person in list_people([chat])] == ["Ikram Tazi", "Saad"]


def test_the_same_key_gives_the_same_names_and_another_key_others(scrubber, tmp_path):
    again = Scrubber(list(scrubber.people), tmp_path / "keys" / "pseudonym.key")
    assert again.pseudonyms == scrubber.pseudonyms
    others = [Scrubber(list(scrubber.people), tmp_path / str(number)).pseudonyms for number in range(4)]
    assert any(other != scrubber.pseudonyms for other in others)
    assert stat.S_IMODE((tmp_path / "keys" / "pseudonym.key").stat().st_mode) == 0o600


def test_what_is_replaced_is_counted_by_type(scrubber):
    scrubber.scrub("nawal: 0612345678 w 0612345679, nawal@example.com [PHONE]")
    assert scrubber.replaced == {"NAME": 1, "PHONE": 2, "EMAIL": 1}


def test_without_people_no_key_is_made(tmp_path):
    assert Scrubber([], tmp_path / "key").scrub("salam Nawal") == "salam Nawal"
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize(
    ("texts", "scrubbed", "found"),
    [
        (["lcode li wslk howa:", "482913"], ["lcode li wslk howa:", "[OTP]"], ["482913"]),
        (["chno lcode?", "774411", "chkran"], ["chno lcode?", "[OTP]", "chkran"], ["774411"]),
        (["nmrti\nhiya 0612", "345678\nsafi"], ["nmrti\nhiya [PHONE]", "[PHONE]\nsafi"], ["0612\n345678"]),
        (["salam", "", "labas?\n\nhani"], ["salam", "", "labas?\n\nhani"], []),
        (["b 0612 dh", "[PHONE]", "345678 w"], ["b 0612 dh", "[PHONE]", "345678 w"], []),
    ],
)
def test_what_texts_say_together_is_scrubbed_and_each_keeps_its_lines(texts, scrubbed, found):
    written, pieces = scrub_together(texts)
    assert (written, [text for _, text in pieces]) == (scrubbed, found)
    assert scrub_together(written) == (written, [])


@pytest.mark.parametrize(
    ("contact", "some", "none"),
    [
        ("Hamid plombier", ["Hamid", "حميد"], ["plombier"]),
        ("Mama ❤️", [], ["Mama"]),
        ("Dr El Amrani", ["Amrani", "Dr El Amrani"], ["Dr", "El"]),
        ("أمينة", ["أمينة", "Amina"], []),
        ("+212 600-000000", [], ["212"]),
        ("Ayoub mon amour", ["Ayoub", "Ayoub mon amour"], ["mon", "amour"]),
    ],
)
def test_words_that_say_what_a_contact_is_stay_words(contact, some, none):
    forms = find_forms(contact)
    assert set(some) <= set(forms) and not set(none) & set(forms)


def test_every_listed_name_is_spelt_in_both_scripts_and_stands_in_one_line():
    assert all(any(name.isascii() for name in row) and any(name[-1] > "\u0600" for name in row) for row in SPELLINGS)
    spellings = [spelling.lower() for row in SPELLINGS for spelling in row]
    assert len(spellings) == len(set(spellings)), sorted(s for s in spellings if spellings.count(s) > 1)
    assert "ياسين" in find_spellings("yassine") and not find_spellings("Xyz")
