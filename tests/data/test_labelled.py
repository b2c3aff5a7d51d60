"""Labelled texts: what becomes of rows, and that no split holds a text of another one."""

import json

import datasets
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from darija_gpt.data.labelled import LabelledSource, LabelledText, load_splits, read_labelled, sort_labels


SECRET = "sirr dyali"  # stands in rows, and never in an error


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return LabelledSource(str(path))


def make_rows(count, labels=("good", "bad"), start=0):
    return [{"text": f"hadchi {start + n}", "label": labels[n % len(labels)]} for n in range(count)]


def load(train, validation=None, test=None, **changes):
    options = {"validation_fraction": 0.2, "test_fraction": 0.0, "label_names": None, "seed": 0, **changes}
    return load_splits(train, validation, test, **options)


def test_rows_without_text_or_label_are_left_out_and_counted(tmp_path):
    rows = [{"text": "zwin", "label": "good"}, {"text": " ", "label": "bad"}, {"text": "khayb", "label": None}]
    texts, dropped = read_labelled(write_rows(tmp_path / "rows.jsonl", [*rows, {"text": "x", "label": " "}]), seed=0)
    assert texts == [LabelledText("zwin", "good")]
    assert dropped == {"empty": 1, "without a label": 2}


def test_labels_may_be_numbers_and_get_names(tmp_path):
    source = write_rows(tmp_path / "rows.jsonl", [{"text": "a", "label": 0}, {"text": "b", "label": 1.0}])
    assert [row.label for row in read_labelled(source, seed=0)[0]] == ["0", "1"]
    named, _ = read_labelled(source, seed=0, label_names={0: "ham", "1": "spam"})
    assert [row.label for row in named] == ["ham", "spam"]
    assert sort_labels([LabelledText("", label) for label in ("10", "9", "1")]) == ["1", "9", "10"]


def test_columns_may_have_other_names_and_pairs_have_two(tmp_path):
    write_rows(tmp_path / "rows.jsonl", [{"premise": "kayna chta", "hypothesis": "fazeg", "gold": "yes"}])
    source = LabelledSource(
        str(tmp_path / "rows.jsonl"), text_column="premise", pair_column="hypothesis", label_column="gold"
    )
    assert read_labelled(source, seed=0)[0] == [LabelledText("kayna chta", "yes", "fazeg")]


def test_a_table_without_a_header_is_read_by_the_names_given(tmp_path):
    (tmp_path / "spam.tsv").write_text("ham\tsalam\nspam\trbe7ti 100\n", encoding="utf-8")
    source = LabelledSource(str(tmp_path / "spam.tsv"), column_names=["label", "text"])
    assert [row.text for row in read_labelled(source, seed=0)[0]] == ["salam", "rbe7ti 100"]
    with pytest.raises(ValueError, match="2 fields where column_names has 3"):
        read_labelled(LabelledSource(str(tmp_path / "spam.tsv"), column_names=["label", "text", "x"]), seed=0)


def test_classes_of_the_hub_have_the_names_that_it_gives_them(monkeypatch):
    features = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    dataset = Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    monkeypatch.setattr(datasets, "load_dataset", lambda path, **options: dataset)
    texts, dropped = read_labelled(LabelledSource("someone/reviews"), seed=0)
    assert [row.label for row in texts] == ["pos", "neg"]
    assert dropped == {"without a label": 1}  # -1 is the Hub's way to hide a label


def test_what_is_set_aside_has_every_class_as_often_and_shares_no_text(tmp_path):
    rows = make_rows(90) + make_rows(10, labels=("rare",), start=90) + make_rows(20)
    data = load(write_rows(tmp_path / "rows.jsonl", rows), test_fraction=0.2)
    assert data.labels == ["bad", "good", "rare"] and data.measured_on == "test"
    keys = {name: {row.key for row in split} for name, split in data.splits.items()}
    assert not keys["train"] & keys["validation"] and not keys["train"] & keys["test"]
    assert not keys["validation"] & keys["test"]
    counts = data.describe()
    assert counts["test"]["labels"] == {"bad": 11, "good": 11, "rare": 2}
    copies = sum(split["dropped"].get("also in a split held out", 0) for split in counts.values())
    assert copies and sum(split["rows"] for split in counts.values()) + copies == len(rows)
    assert load(LabelledSource(str(tmp_path / "rows.jsonl")), test_fraction=0.2) == data
    assert load(LabelledSource(str(tmp_path / "rows.jsonl")), test_fraction=0.2, seed=1) != data


def test_a_text_that_is_spelt_in_another_way_is_the_same_text(tmp_path):
    rows = make_rows(40)
    again = [{**row, "text": f" {row['text'].upper()}!\r\n"} for row in rows]
    data = load(write_rows(tmp_path / "rows.jsonl", rows + again), test_fraction=0.2)
    words = {name: {row.text.strip("! \r\n").lower() for row in split} for name, split in data.splits.items()}
    assert not words["test"] & (words["train"] | words["validation"]) and not words["train"] & words["validation"]


def test_a_text_of_the_test_file_is_not_learnt_from(tmp_path):
    train = write_rows(tmp_path / "train.jsonl", make_rows(40))
    test = write_rows(tmp_path / "test.jsonl", make_rows(6, start=0))
    data = load(train, test=test)
    held_out = {row.text for row in data.splits["test"]}
    assert len(held_out) == 6
    assert not held_out & {row.text for name in ("train", "validation") for row in data.splits[name]}


@pytest.mark.parametrize(
    ("rows", "fields", "words"),
    [
        ([], {}, "has no labelled text: it is empty"),
        ([{"text": "", "label": "a"}], {}, "has no labelled text: 1 empty"),
        ([{"body": SECRET, "label": "a"}], {}, "text_column=text is not among its columns body, label"),
        ([{"text": SECRET, "class": "a"}], {}, "label_column=label is not among its columns text, class"),
        (make_rows(4), {"pair_column": "other"}, "pair_column=other is not among"),
        (make_rows(9, labels=("good",)), {}, "has only one class, good"),
        ([{"text": "x", "label": f"{SECRET} {n}"} for n in range(9)], {}, "holds 9 different values in 9 rows"),
        ([{"text": SECRET, "label": ["a"]}], {}, "row 1: label holds list"),
        ([{"text": SECRET, "label": 0.5}], {}, "row 1: label holds float"),
        (make_rows(9) + make_rows(1, labels=("rare",), start=9), {}, "too few to set 20% aside as validation"),
        (make_rows(4), {"column_names": ["a"]}, "names its columns itself"),
        (make_rows(4), {"subset": "ary"}, "is here on disk and has no subset"),
    ],
)
def test_rows_that_cannot_be_learnt_from_are_refused_and_not_quoted(tmp_path, rows, fields, words):
    write_rows(tmp_path / "rows.jsonl", rows)
    with pytest.raises(ValueError) as error:
        load(LabelledSource(str(tmp_path / "rows.jsonl"), **fields))
    assert words in str(error.value) and SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("label_names", "words"),
    [
        (None, "text 3 has a class that is not in train, which knows bad, good; 1 of 3 are like that"),
        ({"good": "+", "bad": "-"}, "row 3: its label is none of the values in label_names (good, bad)"),
    ],
)
def test_a_label_that_train_does_not_know_is_refused(tmp_path, label_names, words):
    train = write_rows(tmp_path / "train.jsonl", make_rows(20))
    test = write_rows(tmp_path / "test.jsonl", [*make_rows(2, start=50), {"text": "x", "label": SECRET}])
    with pytest.raises(ValueError) as error:
        load(train, test=test, label_names=label_names)
    assert words in str(error.value) and SECRET not in str(error.value)


def test_a_split_that_lacks_a_class_is_refused(tmp_path):
    train = write_rows(tmp_path / "train.jsonl", make_rows(20))
    test = write_rows(tmp_path / "test.jsonl", make_rows(3, labels=("good",), start=50))
    with pytest.raises(ValueError, match="test has no text of the class bad among its 3"):
        load(train, test=test)
