"""Arabic script, Latin script, both."""

import pytest

from darija_gpt.data.script_tags import count_tokens, detect_script


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("labas 3lik?", "Latn"),
        ("لاباس عليك؟ 7", "Arab"),
        ("wakha واخا", "mixed"),
        ("c'est bon, à demain", "Latn"),
        ("لاباس الحمد لله، كلشي بيخير ok", "Arab"),
        ("😂😂", "mixed"),
        ("", "mixed"),
    ],
)
def test_a_script_has_nine_of_ten_letters(text, script):
    assert detect_script(text) == script


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("labas 3lik? 7", {"Latn": 2, "other": 1}),
        ("c'est bon واخا", {"Latn": 2, "Arab": 1}),
        ("٣٠ درهم", {"Arab": 1, "other": 1}),
        ("😂 ...", {}),
    ],
)
def test_words_are_counted_by_script_and_numbers_apart(text, tokens):
    assert count_tokens(text) == tokens
