"""Pairs of texts: what is read, what is left out, and that no split knows an input of another."""

import csv
import json

import pytest
from datasets import Dataset

from darija_gpt.data.text_pairs import PairSource, TextPair, load_pair_splits, read_pairs


ROWS = [{"article": f"khbar raqm {number}", "headline": f"3onwan {number}"} for number in range(40)]
COLUMNS = {"input_column": "article", "target_column": "headline"}


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return PairSource(path=str(path), **COLUMNS)


def split(train, validation=None, test=None, *, validation_fraction=0.1, test_fraction=0.0, seed=0):
    return load_pair_splits(
        train, validation, test, validation_fraction=validation_fraction, test_fraction=test_fraction, seed=seed
    )


@pytest.mark.parametrize("kind", ["jsonl", "json", "csv", "parquet"])
def test_every_kind_of_file_gives_the_same_pairs(tmp_path, kind):
    path = tmp_path / f"rows.{kind}"
    if kind == "jsonl":
        write(path, ROWS)
    elif kind == "json":
        path.write_text(json.dumps(ROWS), encoding="utf-8")
    elif kind == "parquet":
        Dataset.from_list(ROWS).to_parquet(path)
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(ROWS[0]))
            writer.writeheader()
            writer.writerows(ROWS)
    pairs, dropped = read_pairs(PairSource(path=str(path), **COLUMNS), seed=0)
    assert pairs == [TextPair(row["article"], row["headline"]) for row in ROWS] and not dropped


def test_rows_that_teach_nothing_are_left_out_and_counted(tmp_path):
    bad = [{"article": "", "headline": "x"}, {"article": "x", "headline": " \n"}, {"article": 3, "headline": "x"}]
    pairs, dropped = read_pairs(write(tmp_path / "rows.jsonl", [*ROWS[:2], *bad]), seed=0)
    assert len(pairs) == 2 and dropped == {"empty": 2, "not text": 1}


def test_shares_are_set_aside_once_and_alike_for_a_seed(tmp_path):
    source = write(tmp_path / "rows.jsonl", ROWS)
    first = split(source, test_fraction=0.25)
    assert {name: len(pairs) for name, pairs in first.splits.items()} == {"train": 26, "validation": 4, "test": 10}
    assert len({pair.input for pairs in first.splits.values() for pair in pairs}) == 40
    assert split(source, test_fraction=0.25) == first != split(source, test_fraction=0.25, seed=1)
    assert first.measured_on == "test" and split(source).measured_on == "validation"


def test_an_input_that_is_held_out_is_never_learnt_from(tmp_path):
    train = write(tmp_path / "train.jsonl", ROWS)
    validation = write(tmp_path / "validation.jsonl", ROWS[:5])
    test = write(tmp_path / "test.jsonl", [*ROWS[4:8], {"article": "jdid", "headline": "x"}])
    data = split(train, validation, test)
    assert {name: len(pairs) for name, pairs in data.splits.items()} == {"train": 32, "validation": 4, "test": 5}
    assert data.dropped == {
        "train": {"also in a split held out": 8},
        "validation": {"also in a split held out": 1},
        "test": {},
    }


def test_an_input_that_is_spelt_in_another_way_is_the_same_input(tmp_path):
    again = [{**row, "article": f" {row['article'].upper()}!\r\n"} for row in ROWS]
    data = split(write(tmp_path / "rows.jsonl", [*ROWS, *again]), test_fraction=0.25)
    words = {name: {pair.input.strip("! \r\n").lower() for pair in pairs} for name, pairs in data.splits.items()}
    assert not words["test"] & (words["train"] | words["validation"]) and not words["train"] & words["validation"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"input_column": "dialogue"}, r"input_column=dialogue is not among its columns article, headline"),
        ({"target_column": "summary"}, r"target_column=summary is not among"),
        ({"path": "nowhere.jsonl"}, r"nowhere\.jsonl: no such file"),
        ({"target_column": "article"}, r"input_column and target_column are both article"),
    ],
)
def test_wrong_columns_and_files_are_refused(tmp_path, changes, words):
    write(tmp_path / "rows.jsonl", ROWS)
    with pytest.raises(ValueError, match=words):
        split(PairSource(**{"path": str(tmp_path / "rows.jsonl"), **COLUMNS, **changes}))


def test_a_source_with_nothing_but_empty_texts_is_refused_without_a_word_of_it(tmp_path):
    source = write(tmp_path / "rows.jsonl", [{"article": "sirr dyali", "headline": ""}] * 3)
    with pytest.raises(ValueError, match="no pair of texts in article and headline: 3 empty") as error:
        split(source)
    assert "sirr" not in str(error.value)


def test_too_few_pairs_for_the_splits_are_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing is left for train"):
        split(write(tmp_path / "rows.jsonl", ROWS[:1]))
