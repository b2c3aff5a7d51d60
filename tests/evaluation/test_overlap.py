import random

import pytest

from darija_gpt.evaluation.overlap import WordRunIndex, split_words


def list_runs(text: str) -> set[tuple[str, ...]]:
    words = split_words(text)
    return {tuple(words[start:end]) for end in range(len(words) + 1) for start in range(end)}


@pytest.mark.parametrize("seed", range(20))
def test_the_longest_run_is_the_one_found_by_trying_all(seed):
    draw = random.Random(seed)
    texts = [" ".join(draw.choices("abc", k=draw.randrange(9))) for _ in range(4)]
    reply = " ".join(draw.choices("abcd", k=12))

    shared = list_runs(reply) & set().union(*map(list_runs, texts))
    assert WordRunIndex(texts).longest_shared_run(reply) == max(map(len, shared), default=0)


def test_a_run_never_reaches_from_one_text_into_the_next():
    assert WordRunIndex(["ana ghadi", "l souk daba"]).longest_shared_run("ana ghadi l souk daba") == 3


def test_case_punctuation_emoji_and_vowel_marks_do_not_hide_a_quotation():
    index = WordRunIndex(["Salam, fin  ghadi?\nلاباس الحمد لله"])

    assert index.longest_shared_run("«SALAM» fin... 😊 GHADI! لَابَاس الحمد، لله") == 6


def test_nothing_in_common_is_zero():
    assert WordRunIndex([]).longest_shared_run("salam") == 0
    assert WordRunIndex(["salam"]).longest_shared_run("") == 0
    assert WordRunIndex(["salam !"]).longest_shared_run("! labas") == 0
