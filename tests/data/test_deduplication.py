"""What is said again is found; what only looks alike stays."""

import functools
import itertools
import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from darija_gpt.data import deduplication
from darija_gpt.data.deduplication import GreetingCap, drop_copied, drop_forwarded, find_duplicates, fold_text
from darija_gpt.data.whatsapp import Message


VOCABULARY = (
    "salam labas mzyan bikhir ghadi jay daba ghedda lbare7 souk dar khedma tomobil atay khobz lhout "
    "zitoun beldi medina 7ouma zenqa sahbi khouya khti walidin drari wlad bnat qraya imtihan kora match "
    "matar chta sayf bard skhoun "
)
WORDS = VOCABULARY.split()
START = datetime(2024, 1, 1)


def make_texts(number: int, words: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=words)) for _ in range(number)]


@functools.cache
def cut(text: str) -> frozenset[str]:
    return frozenset("".join(window) for window in zip(*(fold_text(text)[start:] for start in range(5)), strict=False))


def compare(first: str, second: str) -> float:
    """Jaccard's similarity of shingles of five characters, counted anew."""
    return len(cut(first) & cut(second)) / len(cut(first) | cut(second))


def make_chat(texts: list[str]) -> list[Message]:
    return [Message(START + timedelta(minutes=number), "Salma", text, "text") for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    "again",
    [
        "Salam, labas 3lik?",
        "SALAM labas 3lik",
        "salaaaam  labas 3lik!!! 😂",
        "sálam... labas\n3lik",
        "s\u200balam labas 3lik",
    ],
)
def test_a_copy_in_another_spelling_is_exact(again):
    assert find_duplicates(["salam labas 3lik", "fin ghadi", again]) == [None, None, "exact"]


def test_arabic_marks_and_hamzas_make_no_difference():
    assert find_duplicates(["أنا مشيت إلى المدرسة", "انا مَشِيتْ الى المدرسه"])[1] == "exact"


def test_digits_and_emoji_tell_texts_apart():
    assert find_duplicates(["taman 100 dh", "taman 1000 dh", "😂", "❤️", "3la", "7la"]) == [None] * 6


def test_one_changed_word_in_a_long_text_is_near():
    text = make_texts(1, 40)[0]
    assert find_duplicates([text, text.replace(text.split()[20], "haja", 1)]) == [None, "near"]


@pytest.mark.parametrize("threshold", [0.6, 0.7, 0.8])
def test_of_any_two_that_stay_none_is_near_the_other(threshold):
    draw = random.Random(1)
    texts = []
    for text in make_texts(60, 30):
        words = text.split()
        texts += [
            " ".join(word if draw.random() > noise else "x" for word in words) for noise in (0, 0.02, 0.05, 0.1, 0.3)
        ]
    found = find_duplicates(texts, threshold=threshold)
    kept = [text for text, duplicate in zip(texts, found, strict=True) if duplicate is None]
    assert max(compare(*pair) for pair in itertools.combinations(kept, 2)) < threshold
    for number, duplicate in enumerate(found):
        if duplicate is not None:
            assert max(compare(texts[number], earlier) for earlier in texts[:number]) >= threshold


@pytest.mark.parametrize("threshold", [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
def test_pairs_just_above_any_threshold_are_found(threshold):
    draw = random.Random(0)

    def write(length: int) -> str:
        return "".join(draw.choice("aeiou" if place % 2 else "bdfghjklmnqrstwxz") for place in range(length))

    shared = round(1000 * threshold / (1 + threshold)) // 2 * 2 + 14  # of 500 letters
    pairs = [(text + write(500 - shared), text + write(500 - shared)) for text in (write(shared) for _ in range(200))]
    assert all(threshold <= compare(*pair) < threshold + 0.07 for pair in pairs)
    found = find_duplicates([text for pair in pairs for text in pair], threshold=threshold)
    assert found == [None, "near"] * len(pairs)


def test_texts_that_share_a_long_part_are_told_apart_and_cut_once_each(monkeypatch):
    long_part, *own_parts = make_texts(51, 12)
    texts = [f"{long_part} {number * 1111} {text}" for number, text in enumerate(own_parts)]
    texts.append(f"{texts[20]} w safi")
    similarities = [[compare(text, other) for other in texts[:number]] for number, text in enumerate(texts)]
    cuts = []
    monkeypatch.setattr(deduplication, "_cut_shingles", lambda folded: cuts.append(folded) or set(cut(folded)))
    monkeypatch.setattr(deduplication, "COMPARED_AT_ONCE", 7)
    assert find_duplicates(texts) == ["near" if max(each, default=0) >= 0.7 else None for each in similarities]
    assert len(cuts) == len(texts) and min(map(max, similarities[1:])) > 0.3


def test_at_a_threshold_of_one_only_copies_go():
    text = make_texts(1, 40)[0]
    assert find_duplicates([text, text + " a", text.upper()], threshold=1) == [None, None, "exact"]


def test_texts_of_a_group_are_not_compared_with_each_other():
    text = make_texts(1, 40)[0]
    texts = [text, text, text + " zid", text, "walo"]
    assert find_duplicates(texts, ["a", "a", "a", "b", "b"]) == [None, None, None, "exact", None]


def test_a_chain_stays_once_and_short_answers_stay_always():
    chain = "Rj3 had lmessage l 10 dyal nass w ghadi tsme3 khbar zwin had simana inchallah"
    chats = [
        make_chat(["salam", chain, "ok", "ok"]),
        make_chat(["ok", chain.upper() + " 🙏🙏", "wakha"]),
        make_chat([chain.replace("10", "20"), "ok"]),
    ]
    kept = [[message.text for message in chat] for chat in drop_forwarded(chats)]
    assert kept == [["salam", chain, "ok", "ok"], ["ok", "wakha"], ["ok"]]


def test_a_conversation_of_two_exports_goes_whole_and_an_answer_to_a_chain_stays():
    chain = "Rj3 had lmessage l 10 dyal nass w ghadi tsme3 khbar zwin had simana inchallah"
    own = ["salam, fin nta daba?", "f dar, 3lach?", "ji 3ndi m3a l 5", "wakha ana jay", "jib m3ak l9ahwa"]
    other = ["hahaha mn gal lik hadchi", "walo ghir siftoh liya f lgroup dyal l3a2ila", "safi ana ma n3tiwch"]
    first = make_chat([*own, chain])
    copy = [replace(message, timestamp=message.timestamp + timedelta(seconds=90)) for message in first]
    chats = [first, copy, make_chat([chain, *other]), make_chat(own), make_chat([chain])]
    assert drop_copied(chats, timedelta(hours=3)) == [chats[0], [], *chats[2:]]
    assert drop_copied(chats[:1] * 2, timedelta(hours=3), threshold=1) == [first, []]


def test_greetings_are_capped_where_conversations_open_and_nowhere_else():
    cap = GreetingCap(2)
    session = make_chat(["salam", "labas?", "salam"])
    texts = [[message.text for message in cap.strip_greetings(session)] for _ in range(5)]
    assert texts == [
        ["salam", "labas?", "salam"],
        ["salam", "labas?", "salam"],
        ["labas?", "salam"],
        ["labas?", "salam"],
        [],
    ]


def test_what_is_too_long_for_a_greeting_is_never_capped():
    cap = GreetingCap(1)
    question = "wach nta jay m3ana ghedda l lb7er wla la, goul liya daba"
    assert [len(cap.strip_greetings(make_chat([question]))) for _ in range(3)] == [1, 1, 1]


def test_without_a_cap_all_greetings_stay():
    cap = GreetingCap(None)
    assert [len(cap.strip_greetings(make_chat(["salam"]))) for _ in range(3)] == [1, 1, 1]
