"""One chat, exported several times, must come out once; and different chats must stay apart, whatever they share."""

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from darija_gpt.data.merging import MergedChat, merge_exports
from darija_gpt.data.whatsapp import Message


START = datetime(2022, 3, 1, 9, 0, 5)
WORDS = ["salam", "labas", "hamdullah", "ghedda", "wakha", "mzyan", "chno", "hadchi", "lyoum", "ntla9aw", "bkri"]


def make_chat(num_messages: int, seed: int = 0, authors: tuple[str, ...] = ("Amal", "Karim"), start=START):
    """Messages with seconds, some of which are equal or fall into one minute."""
    generator, messages, now = random.Random(seed), [], start
    for _ in range(num_messages):
        now += timedelta(seconds=generator.choice([1, 5, 20, 300, 4000]))
        kind = generator.choices(["text", "media", "deleted", "system"], [20, 2, 1, 1])[0]
        text = " ".join(generator.choices(WORDS, k=generator.randint(1, 4))) if kind == "text" else ""
        text = "Amal changed the group description" if kind == "system" else text
        messages.append(Message(now, None if kind == "system" else generator.choice(authors), text, kind))
    return messages


def drop_seconds(messages: list[Message]) -> list[Message]:
    return [replace(message, timestamp=message.timestamp.replace(second=0)) for message in messages]


def write(*rows: tuple, author: str = "Amal") -> list[Message]:
    """Messages of (minute, text) or (minute, text, author) with further fields."""
    messages = []
    for minute, text, *rest in rows:
        fields = {"author": author, "kind": "text"} | (rest[0] if rest else {})
        messages.append(Message(START.replace(second=0) + timedelta(minutes=minute), text=text, **fields))
    return messages


# Enough that two exports are known to be of one chat.
COMMON = ((0, "salam khoya"), (1, "labas 3lik"), (2, "fin ghadi"), (3, "l dar"), (9, "bslama"))


@pytest.mark.parametrize("export", [list, drop_seconds], ids=["ios", "android"])
@pytest.mark.parametrize("seed", range(5))
def test_what_two_exports_share_is_kept_once(export, seed):
    chat = export(make_chat(400, seed))
    march, june = chat[:300], chat[100:]
    for exports in ([march, june], [june, march]):
        assert merge_exports(exports) == [MergedChat(chat, (0, 1), 200)]


def test_three_exports_overlap_two_by_two():
    chat = make_chat(600)
    exports = [chat[350:], chat[:250], chat[200:400]]
    assert merge_exports(exports) == [MergedChat(chat, (0, 1, 2), 100)]
    exports = [chat[:400], chat[100:500], chat[200:]]
    assert merge_exports(exports) == [MergedChat(chat, (0, 1, 2), 400)]


def test_an_export_given_twice_is_one():
    chat = make_chat(50)
    assert merge_exports([chat, chat, list(chat)]) == [MergedChat(chat, (0, 1, 2), 50)]


def test_one_chat_of_an_android_and_an_iphone_has_seconds_where_one_has():
    chat = make_chat(300)
    for exports in ([drop_seconds(chat[:200]), chat[100:]], [chat[:200], drop_seconds(chat[100:])]):
        merged = merge_exports(exports)[0]
        assert drop_seconds(merged.messages) == drop_seconds(chat)
        assert merged.messages[100:200] == chat[100:200]
        assert merged.num_repeated == 100


def test_different_chats_stay_apart():
    chats = [make_chat(200, seed, (f"Amal {seed}", "ana")) for seed in range(4)]
    assert merge_exports(chats) == [MergedChat(chat, (index,), 0) for index, chat in enumerate(chats)]


def test_chats_and_their_exports_are_given_in_any_order():
    first, second = make_chat(200, 1), make_chat(200, 2)
    exports = [second[50:], first[:150], [], second[:150], first[50:]]
    assert merge_exports(exports) == [
        MergedChat(second, (0, 3), 100),
        MergedChat(first, (1, 4), 100),
        MergedChat([], (2,), 0),
    ]


def test_messages_forwarded_to_two_chats_do_not_make_them_one():
    forwarded = write(*((minute, f"khbar dyal lyoum {minute}") for minute in range(5)), author="ana")
    answer = write((2, "achmen khbar hada"))
    first = sorted([*make_chat(100, 1, ("Amal", "ana")), *forwarded, *answer], key=lambda message: message.timestamp)
    assert len(merge_exports([first, forwarded])) == 2
    assert len(merge_exports([first, make_chat(100, 2, ("Karim", "ana")) + forwarded])) == 2


def test_wishes_sent_to_two_people_who_answer_do_not_make_their_chats_one():
    wishes = write(*((minute, f"3id mobarak said {minute}") for minute in range(4)), author="ana")
    chats = [[*wishes, *write((minute, "chokran bzaf"), author=name)] for minute, name in ((7, "Amal"), (8, "Karim"))]
    assert [chat.exports for chat in merge_exports(chats)] == [(0,), (1,)]


def test_two_shared_messages_or_trivial_ones_are_not_enough():
    assert len(merge_exports([write(*COMMON[:2])] * 2)) == 2
    assert len(merge_exports([write(*((minute, "ok") for minute in range(20)))] * 2)) == 2
    assert len(merge_exports([write(*COMMON[:3])] * 2)) == 1


def test_exports_that_do_not_overlap_stay_apart():
    chat = make_chat(100)
    assert [merged.exports for merged in merge_exports([chat[:50], chat[50:]])] == [(0,), (1,)]


@pytest.mark.parametrize(("num_older", "num_newer", "num_repeated"), [(2, 2, 2), (2, 1, 1), (1, 2, 1), (3, 2, 2)])
def test_the_same_message_twice_within_a_minute_is_kept_twice(num_older, num_newer, num_repeated):
    older = write(*COMMON, *[(10, "wakha")] * num_older)
    newer = write(*COMMON, *[(10, "wakha")] * num_newer, (11, "safi"))
    (merged,) = merge_exports([older, newer])
    assert sum(message.text == "wakha" for message in merged.messages) == max(num_older, num_newer)
    assert merged.num_repeated == len(COMMON) + num_repeated


@pytest.mark.parametrize("order", [1, -1])
def test_a_contact_has_the_name_of_the_newest_export(order):
    chat = make_chat(300, authors=("Amal", "Karim", "ana"))
    names = {"Amal": "+212 600-000000", "Karim": "Karim khedma"}
    older = [replace(message, author=names.get(message.author, message.author)) for message in chat[:200]]
    (merged,) = merge_exports([older, chat[100:]][::order])
    assert (merged.messages, merged.num_repeated) == (chat, 100)


def test_a_name_that_both_exports_have_is_not_replaced():
    chat = make_chat(300, authors=("Amal", "Karim", "ana"))
    left = [replace(message, author="Nora") if index < 20 else message for index, message in enumerate(chat)]
    joined = [replace(message, author="Saad") if index > 280 else message for index, message in enumerate(left)]
    assert merge_exports([joined[:200], joined[100:]])[0].messages == joined


@pytest.mark.parametrize(
    "change",
    [{"text": "fin ghadi nta", "edited": True}, {"text": "", "kind": "deleted"}],
)
@pytest.mark.parametrize("order", [1, -1])
def test_an_edited_or_deleted_message_counts_once_as_the_newest_export_has_it(change, order):
    older, newer = write(*COMMON, (2, "3afak")), write(*COMMON, (2, "3afak"), (20, "hani"))
    newer[2] = replace(newer[2], **change)
    (merged,) = merge_exports([older, newer][::order])
    assert merged.messages == sorted(newer, key=lambda message: message.timestamp)
    assert merged.num_repeated == len(older)


def test_a_message_edited_twice_counts_once():
    exports = [write(*COMMON, (30 + index, f"akhir haja {index}")) for index in range(3)]
    for index in (1, 2):
        exports[index][2] = replace(exports[index][2], text=f"fin ghadi {index}", edited=True)
    (merged,) = merge_exports(exports)
    assert [message.text for message in merged.messages if "fin" in message.text] == ["fin ghadi 2"]


def test_a_notice_in_another_language_counts_once():
    older = write(*COMMON, (4, "Amal left", {"author": None, "kind": "system"}))
    newer = write(*COMMON, (4, "Amal est parti(e)", {"author": None, "kind": "system"}), (20, "hani"))
    (merged,) = merge_exports([older, newer])
    assert [message.text for message in merged.messages if message.kind == "system"] == ["Amal est parti(e)"]


def test_a_message_that_only_the_older_export_has_stays_in_its_place():
    minute = [(5, "bghit nsewlk"), (5, "sowel"), (5, "ch7al f sa3a"), (5, "jouj"), (5, "chokran")]
    older, newer = write(*COMMON, *minute), write(*COMMON, minute[0], *minute[2:], (20, "hani"))
    (merged,) = merge_exports([older, newer])
    assert [message.text for message in merged.messages if message.timestamp.minute == 5] == [row[1] for row in minute]
    starts_late = write(*minute[3:], (6, "w 3lach"), (7, "walo"), (8, "ghir hakak"), (9, "bslama"))
    (merged,) = merge_exports([write(*COMMON, *minute, (6, "w 3lach"), (7, "walo"), (8, "ghir hakak")), starts_late])
    assert [message.text for message in merged.messages if message.timestamp.minute == 5] == [row[1] for row in minute]


def test_an_export_may_begin_within_a_minute():
    rows = [*COMMON[:3], (3, "ana hna", {"author": "Nora"}), *COMMON[3:], (10, "thalla"), (11, "safi khoya")]
    (merged,) = merge_exports([write(*rows[:-1]), write(*rows[4:])])
    assert (merged.messages, merged.num_repeated) == (write(*rows), 3)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_and_time_never_goes_back(seed):
    generator = random.Random(seed)
    chat = make_chat(500, seed, ("Amal", "Karim", "Nora"))
    spans = [sorted(generator.sample(range(500), 2)) for _ in range(4)]
    exports = [[each for each in chat[start:end] if generator.random() > 0.1] for start, end in spans]
    merged = merge_exports([drop_seconds(export) if generator.random() < 0.5 else export for export in exports])
    assert sorted(index for each in merged for index in each.exports) == [0, 1, 2, 3]
    for each in merged:
        times = [message.timestamp for message in each.messages]
        assert times == sorted(times)
        expected = Counter()
        for index in each.exports:
            expected |= Counter(drop_seconds(exports[index]))
        assert Counter(drop_seconds(each.messages)) == expected


def test_many_messages_in_one_minute_cost_no_more_than_many_messages():
    older = write(*((0, f"message {number}") for number in range(20_000)))
    newer = [replace(message, text=f"{message.text}!", edited=True) for message in older[:5_000]] + older[5_001:]
    newer += write((5, "hani"))
    assert len(merge_exports([older, newer])[0].messages) == 20_001
