"""Preferences: what is read of which columns, what is left out, and that no split knows a prompt of another."""

import json

import pytest
from datasets import Dataset

from darija_gpt.data.preferences import (
    Preference,
    PreferenceSource,
    convert_preference,
    load_preference_splits,
    read_preferences,
)
from darija_gpt.data.row_formats import UnusableRowError


ASKED = {"role": "user", "content": "labas 3lik?"}
EXPECTED = Preference([ASKED], "labas lhamdolah", "walo")
ROWS = [
    {"prompt": f"chno kayn nhar {number // 2}?", "chosen": f"souk {number}", "rejected": "walo"}
    for number in range(40)
]


def reply(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return PreferenceSource(path=str(path))


def split(train, validation=None, *, validation_fraction=0.2, seed=0):
    return load_preference_splits(train, validation, validation_fraction=validation_fraction, seed=seed)


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "labas 3lik?", "chosen": "labas lhamdolah", "rejected": "walo"},
        {"prompt": [ASKED], "chosen": reply("labas lhamdolah"), "rejected": reply("walo")},
        # The form of ultrafeedback_binarized: the replies begin with what the prompt says.
        {
            "prompt": "labas 3lik?",
            "chosen": [ASKED, *reply("labas lhamdolah")],
            "rejected": [ASKED, *reply("walo")],
            "messages": [ASKED, *reply("labas lhamdolah")],
        },
        {"chosen": [ASKED, *reply("labas lhamdolah")], "rejected": [ASKED, *reply("walo")]},
        {
            "chosen": [{"from": "human", "value": "labas 3lik?"}, {"from": "gpt", "value": "labas lhamdolah"}],
            "rejected": [{"from": "human", "value": "labas 3lik?"}, {"from": "gpt", "value": "walo"}],
        },
        # The form of a file of instructions to which preferences were added.
        {"instruction": "labas 3lik?", "input": "", "output": "x", "chosen": "labas lhamdolah", "rejected": " walo "},
        {"system": "", "question": "labas 3lik?", "chosen": "labas lhamdolah", "rejected": "walo"},
    ],
    ids=["texts", "messages", "ultrafeedback", "whole", "sharegpt", "instruction", "question"],
)
def test_every_form_of_a_row_gives_the_same_preference(row):
    assert convert_preference(row) == EXPECTED


def test_input_and_system_stand_where_a_model_would_read_them():
    row = {"instruction": "tarjem", "input": "labas", "system": "Jaweb.", "chosen": "fine", "rejected": "no"}
    assert convert_preference(row).prompt == [
        {"role": "system", "content": "Jaweb."},
        {"role": "user", "content": "tarjem\n\nlabas"},
    ]


def test_earlier_turns_belong_to_the_prompt():
    talk = [ASKED, *reply("labas"), {"role": "user", "content": "fin ghadi?"}]
    row = {"chosen": [*talk, *reply("l souk")], "rejected": [*talk, *reply("walo")]}
    assert convert_preference(row) == Preference(talk, "l souk", "walo")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"chosen": ""}, "empty"),
        ({"rejected": None}, "empty"),
        ({"prompt": " "}, "empty"),
        ({"chosen": 3}, "not text"),
        ({"chosen": "x", "rejected": " x\n"}, "both replies alike"),
        ({"prompt": None}, "reply without a question"),
        ({"prompt": reply("labas")}, "reply without a question"),
        ({"prompt": [ASKED, ASKED]}, "turns out of order"),
        ({"chosen": [ASKED, *reply("x")], "rejected": [{"role": "user", "content": "y"}, *reply("z")]}, "different"),
        ({"chosen": [*reply("x"), ASKED], "rejected": [*reply("x"), ASKED]}, "without a reply"),
    ],
)
def test_a_row_that_prefers_nothing_is_left_out_with_its_reason(changes, reason):
    with pytest.raises(UnusableRowError, match=reason):
        convert_preference({"prompt": "labas?", "chosen": "a", "rejected": "b", **changes})


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_every_kind_of_file_gives_the_same_preferences(tmp_path, kind):
    path = tmp_path / f"rows.{kind}"
    if kind == "jsonl":
        write(path, ROWS)
    elif kind == "json":
        path.write_text(json.dumps(ROWS), encoding="utf-8")
    else:
        Dataset.from_list(ROWS).to_parquet(path)
    preferences, dropped = read_preferences(PreferenceSource(path=str(path)), seed=0)
    assert [preference.chosen for preference in preferences] == [row["chosen"] for row in ROWS] and not dropped


def test_columns_may_have_other_names(tmp_path):
    path = write(tmp_path / "rows.jsonl", [{"question": "labas 3lik?", "good": "labas lhamdolah", "bad": "walo"}]).path
    source = PreferenceSource(path=path, chosen_column="good", rejected_column="bad")
    assert read_preferences(source, seed=0)[0] == [EXPECTED]


def test_prompts_are_held_back_with_all_their_pairs_and_alike_for_a_seed(tmp_path):
    source = write(tmp_path / "rows.jsonl", ROWS)
    data = split(source)
    # Two pairs of each of 20 prompts, a fifth of them held back.
    assert {name: len(pairs) for name, pairs in data.splits.items()} == {"train": 32, "validation": 8}
    prompts = [{pair.key for pair in pairs} for pairs in data.splits.values()]
    assert not prompts[0] & prompts[1] and len(prompts[1]) == 4
    assert split(source) == data != split(source, seed=1)


def test_a_prompt_that_is_spelt_in_another_way_is_the_same_prompt(tmp_path):
    again = [{**row, "prompt": f" {row['prompt'].upper()}!\r\n"} for row in ROWS]
    data = split(write(tmp_path / "rows.jsonl", [*ROWS, *again]))
    words = {
        name: {pair.prompt[0]["content"].strip("!? \r\n").lower() for pair in pairs}
        for name, pairs in data.splits.items()
    }
    assert words["validation"] and not words["train"] & words["validation"]


def test_a_prompt_of_a_validation_file_is_never_learnt_from(tmp_path):
    data = split(write(tmp_path / "train.jsonl", ROWS), write(tmp_path / "validation.jsonl", ROWS[:3]))
    assert {name: len(pairs) for name, pairs in data.splits.items()} == {"train": 36, "validation": 3}
    assert data.dropped == {"train": {"prompt also held back": 4}, "validation": {}}


@pytest.mark.parametrize(
    ("rows", "changes", "words"),
    [
        ([{"prompt": "x", "completion": "y"}], {}, "chosen_column=chosen is not among its columns prompt, completion"),
        (ROWS, {"rejected_column": "worse"}, "rejected_column=worse is not among its columns"),
        (ROWS, {"rejected_column": "chosen"}, "chosen_column and rejected_column are both chosen"),
        (ROWS, {"path": "nowhere.jsonl"}, r"nowhere\.jsonl: no such file"),
        ([{"chosen": "x", "rejected": "y"}], {}, "none of prompt, question, instruction is among its columns"),
        ([{**ROWS[0], "chosen": ""}] * 3, {}, "no two replies to prefer one of: 3 empty"),
        ([{**ROWS[0], "chosen": "walo"}] * 2, {}, "2 both replies alike"),
        (ROWS[:2], {}, "nothing is left for train"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(tmp_path, rows, changes, words):
    source = write(tmp_path / "rows.jsonl", rows)
    with pytest.raises(ValueError, match=words) as error:
        split(PreferenceSource(**{"path": source.path, **changes}))
    assert "\n" not in str(error.value) and "souk" not in str(error.value)
