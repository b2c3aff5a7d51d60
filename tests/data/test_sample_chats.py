"""The sample chats must be good Darija material: parsed by our own reader, answered fittingly, and nobody's data."""

import random
import re
from itertools import islice

import pytest

from darija_gpt.data.sample_chats import (
    CHATS,
    MAX_MESSAGES,
    OWNER,
    PHONES,
    SampleChatsArguments,
    draw_messages,
    draw_session,
    load_dialogues,
    make_sample_chats,
    write_sample_chats,
)
from darija_gpt.data.whatsapp import detect_format, parse_export
from darija_gpt.data.whatsapp_headers import LAST_YEAR


SCRIPTS = ("latn", "arab")
# With a vowel stretched or not: "labaaas", "لاباااس".
GREETING = re.compile(r"sala+m|slm|la+ba+s|hamdulla+h|bikhir|nour|سلا+م|لا+با+س|الحمد|بخير|النور", re.IGNORECASE)
SALAM_LABAS = re.compile(r"(salam|slm|slam)\W*(labas|lbas|la bas|labass)|سلام\W*(لاباس|لا باس|لباس)", re.IGNORECASE)

DIALOGUES = load_dialogues()
PARTS = {"greetings": DIALOGUES["greetings"], "farewells": DIALOGUES["farewells"], **DIALOGUES["topics"]}


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    return write_sample_chats(tmp_path_factory.mktemp("chats"), num_messages=6000, seed=0)


@pytest.fixture(scope="module")
def texts(exports):
    return [message.text for path in exports for message in parse_export(path) if message.kind == "text"]


def draw_sessions(num_sessions, scripts):
    rng = random.Random(0)
    sessions = (draw_session(DIALOGUES, ("Karim",), scripts, rng) for _ in range(num_sessions))
    return [[turn for exchange in session for turn in exchange] for session in sessions]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path):
    first, again, other = (
        [path.read_bytes() for path in write_sample_chats(tmp_path / name, num_messages=400, seed=seed)]
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )
    assert first == again
    assert all(left != right for left, right in zip(first, other, strict=True))


@pytest.mark.parametrize("chat", CHATS, ids=lambda chat: chat.name)
def test_an_export_is_read_back_as_it_was_drawn(chat, exports):
    path = exports[CHATS.index(chat)]
    messages = list(parse_export(path))
    drawn = list(islice(draw_messages(chat, DIALOGUES, random.Random(f"0-{chat.name}")), len(messages)))
    phone = PHONES[chat.phone]
    kinds = {phone.media: "media", **dict.fromkeys(phone.deleted, "deleted")}

    assert detect_format(path).decided_by == "a field over 12"
    assert [message.author for message in messages] == [author for _, author, _ in drawn]
    assert {message.author for message in messages} == {None, OWNER, *chat.partners}
    for message, (time, author, text) in zip(messages, drawn, strict=True):
        assert message.timestamp.replace(second=0) == time.replace(second=0)
        assert message.kind == ("system" if author is None else kinds.get(text, "text"))
        assert message.text == text or message.kind != "text"


def test_all_exports_together_hold_the_messages_asked_for(exports):
    assert sum(1 for path in exports for _ in parse_export(path)) == 6000


def test_each_phone_exports_a_chat():
    assert {chat.phone for chat in CHATS} == set(PHONES)


def test_a_quarter_of_the_messages_are_different_texts(texts):
    assert len(set(texts)) >= 1500


def test_no_text_holds_a_number_an_address_or_a_notation_of_the_dialogues(texts):
    assert [text for text in texts if re.search(r"\d{4}|[@{}|/]|www|\.\w|  ", text)] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_greeting_is_answered_by_a_greeting(script):
    for question, answer, *_ in draw_sessions(300, (script,)):
        assert GREETING.search(answer.bubbles[0]), (question, answer)


@pytest.mark.parametrize("script", SCRIPTS)
def test_salam_labas_opens_a_quarter_of_the_sessions(script):
    openings = [" ".join(session[0].bubbles) for session in draw_sessions(400, (script,))]
    assert sum(bool(SALAM_LABAS.match(opening)) for opening in openings) >= 100


def test_the_partner_opens_four_sessions_of_five():
    openers = [session[0].author for session in draw_sessions(1000, SCRIPTS)]
    assert 0.75 < openers.count("Karim") / 1000 < 0.85


def test_an_answer_agrees_with_its_question():
    exchange = [[dict.fromkeys(SCRIPTS, "{city}?")], [dict.fromkeys(SCRIPTS, "{city} machi {city2}")]]
    part = {"emoji": ["👍"], "exchanges": [exchange]}
    dialogues = {**DIALOGUES, "greetings": part, "farewells": part, "topics": dict.fromkeys("abc", part)}
    for question, answer in draw_session(dialogues, ("Karim",), ("arab",), random.Random(0)):
        asked = re.sub(r"ا+", "ا", question.bubbles[0].partition("?")[0])  # Stretched now and then.
        same, _, other, *_ = answer.bubbles[0].split()
        assert asked == same != other


@pytest.mark.parametrize("part", PARTS)
def test_a_line_says_the_same_in_both_scripts(part):
    slots = re.compile(r"\{[a-z]+2?\}")
    for exchange in PARTS[part]["exchanges"]:
        assert 2 <= len(exchange) <= 6
        for line in (line for turn in exchange for line in turn):
            assert set(line) == set(SCRIPTS)
            assert sorted(slots.findall(line["latn"])) == sorted(slots.findall(line["arab"]))
            assert {slot.strip("{}2") for slot in slots.findall(line["latn"])} <= set(DIALOGUES["slots"])
            assert not re.search(r"[a-z]", slots.sub("", line["arab"]), re.IGNORECASE), line
            assert not re.search(r"[\u0600-\u06ff]", line["latn"]), line


@pytest.mark.parametrize("topic", DIALOGUES["topics"])
def test_the_side_that_is_asked_has_the_last_word(topic):
    assert all(len(exchange) % 2 == 0 for exchange in PARTS[topic]["exchanges"])


def test_too_few_messages_are_refused(tmp_path):
    with pytest.raises(ValueError, match="num_messages=50 is too few for 7 chats; give at least"):
        write_sample_chats(tmp_path, num_messages=50)


def test_more_messages_than_a_century_holds_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"num_messages=1610000 would take .* give at most 1000000"):
        write_sample_chats(tmp_path, num_messages=1_610_000)


def test_the_most_messages_of_a_chat_end_before_the_last_year_that_is_read():
    messages = draw_messages(CHATS[0], DIALOGUES, random.Random(0))
    time, *_ = next(islice(messages, MAX_MESSAGES // len(CHATS), None))
    assert time.year < LAST_YEAR


def test_the_stage_writes_a_directory_and_a_line_for_each_file(tmp_path, capsys):
    make_sample_chats(SampleChatsArguments(output_dir=tmp_path / "chats", num_messages=400))
    lines = capsys.readouterr().out.splitlines()
    assert {path.name for path in (tmp_path / "chats").iterdir()} == {line.split(":")[0] for line in lines}
