"""A run whose recipe names the recipes of its inputs needs one command."""

import json
from pathlib import Path

import pytest

from darija_gpt.missing_inputs import make_missing_dataset, make_missing_inputs
from darija_gpt.pretraining import PretrainArguments


@pytest.fixture
def arguments(darija, tmp_path):
    rows = (json.dumps({"text": f"{text} {number}"}) for number, text in enumerate(darija * 20))
    (tmp_path / "texts.jsonl").write_text("\n".join(rows))
    (tmp_path / "prepare.yaml").write_text(
        f"sources: [{{path: {tmp_path / 'texts.jsonl'}}}]\noutput_dir: {tmp_path / 'dataset'}\ndeduplicate: false\n"
    )
    (tmp_path / "tokenize.yaml").write_text(
        f"dataset: {tmp_path / 'dataset'}\noutput_dir: {tmp_path / 'tokenizer'}\nvocab_size: 400\n"
    )
    return PretrainArguments(
        dataset=tmp_path / "dataset",
        tokenizer=tmp_path / "tokenizer",
        output_dir=tmp_path / "base",
        dataset_recipe=tmp_path / "prepare.yaml",
        tokenizer_recipe=tmp_path / "tokenize.yaml",
    )


def list_times(*directories: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for directory in directories for path in directory.rglob("*")}


def test_missing_inputs_are_made_and_others_left_alone(arguments):
    make_missing_inputs(arguments)
    assert (arguments.dataset / "dataset_dict.json").is_file()
    assert (arguments.tokenizer / "tokenizer.json").is_file()
    made = list_times(arguments.dataset, arguments.tokenizer)
    make_missing_inputs(arguments)
    assert list_times(arguments.dataset, arguments.tokenizer) == made


def test_a_recipe_that_makes_something_else_is_refused(arguments, tmp_path):
    arguments.dataset = tmp_path / "other"
    with pytest.raises(ValueError, match=r"prepare\.yaml writes to .*dataset, and not to the dataset=.*other"):
        make_missing_inputs(arguments)
    assert not (tmp_path / "dataset").exists()


def test_without_a_recipe_nothing_is_made(arguments):
    arguments.dataset_recipe = arguments.tokenizer_recipe = None
    make_missing_inputs(arguments)
    assert not arguments.dataset.exists()


def test_a_missing_dataset_is_made_by_itself(arguments):
    make_missing_dataset(arguments.dataset, None)
    assert not arguments.dataset.exists()
    make_missing_dataset(arguments.dataset, arguments.dataset_recipe)
    assert (arguments.dataset / "dataset_dict.json").is_file() and not arguments.tokenizer.exists()
