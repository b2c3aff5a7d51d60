"""The pretrain stage, on a tiny model and a dataset made on the spot."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import torch
from transformers import AutoTokenizer

from darija_gpt.encoding import encode_rows
from darija_gpt.model import DarijaGPTForCausalLM
from darija_gpt.packing import Documents, PackedDataset
from darija_gpt.pretraining import PretrainArguments, build_config, pretrain
from darija_gpt.run_record import check_run, record_run
from darija_gpt.training_bounds import BOUNDS


without_gpu = pytest.mark.skipif(torch.accelerator.is_available(), reason="here is a GPU")
SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "pretrain.py"
MODEL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32,
    "residual_dropout": 0.1,
}


@pytest.fixture
def arguments(dataset_dir, tokenizer_dir, tmp_path):
    return PretrainArguments(
        dataset=dataset_dir,
        tokenizer=tokenizer_dir,
        output_dir=tmp_path / "base",
        model=MODEL,
        num_train_epochs=2,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        mixed_precision="no",
        eval_steps=10,
        save_steps=10,
    )


def read_log(output_dir) -> list[dict]:
    return [json.loads(line) for line in (output_dir / "training_log.jsonl").read_text().splitlines()]


def test_a_run_ends_as_a_model_that_has_learnt(arguments, dataset, tokenizer):
    pretrain(arguments)
    log = read_log(arguments.output_dir)
    losses = [line["loss"] for line in log if "loss" in line]
    validation = [line["validation_loss"] for line in log if "validation_loss" in line]
    assert losses[-1] < losses[0] - 0.5 and validation[-1] < validation[0]

    model = DarijaGPTForCausalLM.from_pretrained(arguments.output_dir).eval()
    assert model.config.vocab_size == len(tokenizer)
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert AutoTokenizer.from_pretrained(arguments.output_dir).model_max_length == 32
    summary = json.loads((arguments.output_dir / "training_summary.json").read_text())
    assert summary["steps"] == len(losses)
    assert summary["parameters"] == model.num_parameters()
    assert summary["tokens"] == summary["steps"] * 8 * 32

    blocks = PackedDataset(Documents.from_lists(encode_rows(tokenizer, dataset["validation"][:])), 32)
    with torch.no_grad():
        measured = [
            model(
                block["input_ids"][None],
                position_ids=block["position_ids"][None],
                labels=block["input_ids"][None],
                use_cache=False,
            ).loss
            for block in (blocks[index] for index in range(len(blocks)))
        ]
    assert torch.stack(measured).mean().item() == pytest.approx(summary["validation_loss"], abs=1e-3)


def test_a_directory_with_another_run_is_refused_with_the_difference(arguments):
    record_run(arguments)
    with pytest.raises(ValueError, match=r"already holds another run: learning_rate was 0\.006 and is 0\.1"):
        check_run(replace(arguments, learning_rate=0.1))
    check_run(arguments)


def test_a_directory_with_something_else_is_refused(arguments):
    arguments.output_dir.mkdir()
    (arguments.output_dir / "letter.txt").write_text("mine")
    with pytest.raises(ValueError, match="already holds another run"):
        check_run(arguments)


def test_a_finished_run_is_kept(arguments):
    record_run(arguments)
    (arguments.output_dir / "training_summary.json").write_text("{}")
    with pytest.raises(ValueError, match="already holds a finished run"):
        check_run(arguments)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": {**MODEL, "norm": "batchnorm"}}, "model: .*norm.*batchnorm"),
        ({"model": {**MODEL, "nrom": "layernorm"}}, "model: unknown key nrom; did you mean norm"),
        ({"model": {**MODEL, "num_key_value_heads": 3}}, "num_attention_heads=4.*num_key_value_heads=3"),
        ({"model": {**MODEL, "vocab_size": 100}}, "model.vocab_size=100 is smaller than the tokenizer"),
        ({"model": {**MODEL, "rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}}, "model: .*yarn.*factor"),
        ({"model": {**MODEL, "norm_eps": -1}}, "model: norm_eps=-1 must be above 0 and finite"),
        ({"block_size": 64}, "block_size=64 is longer than model.max_position_embeddings=32"),
        ({"dataset": Path("nowhere")}, "nowhere is no dataset directory"),
        ({"tokenizer": Path("nowhere")}, r"nowhere holds no tokenizer\.json"),
        ({"model": {**MODEL, "max_position_embeddings": 1}}, "max_position_embeddings=1 leaves no token to be predic"),
        ({"block_size": 0}, "block_size=0 must be at least 2, .*; null takes model.max_position_embeddings"),
        ({"block_size": 1}, "block_size=1 must be at least 2"),
        ({"num_train_epochs": 0}, "num_train_epochs=0 must be positive"),
        ({"num_train_epochs": math.inf}, "num_train_epochs=inf must be positive and finite"),
        ({"learning_rate": math.inf}, "learning_rate=inf must be positive and finite"),
        ({"muon_learning_rate": 0}, "muon_learning_rate=0 must be positive"),
        ({"muon_momentum": 1}, "muon_momentum=1 must be at least 0 and below 1"),
        ({"adam_beta2": 1}, "adam_beta2=1 must be at least 0 and below 1"),
        ({"weight_decay": math.inf}, "weight_decay=inf must not be negative, and be finite"),
        ({"max_grad_norm": 0}, "max_grad_norm=0 must be positive; inf cuts nothing"),
        ({"spike_threshold": math.inf}, "spike_threshold=inf must be positive and finite; null skips no spikes"),
        ({"seed": 2**32}, "seed=4294967296 must be from 0 to 4294967295"),
        pytest.param(
            {"mixed_precision": "fp16"}, "mixed_precision=fp16 needs a GPU; set auto, bf16 or no", marks=without_gpu
        ),
        ({"model": {**MODEL, "transformers_version": "4"}}, "model: unknown key transformers_version"),
        ({"model": {**MODEL, "is_encoder_decoder": True}}, "model: unknown key is_encoder_decoder"),
        ({"model": {**MODEL, "dtype": "bfloat16"}}, "model: unknown key dtype"),
        ({"model": {**MODEL, "bos_token_id": 5}}, "model.bos_token_id=5 is not the tokenizer's, which is 0; leave it"),
        ({"model": {**MODEL, "eos_token_id": [0, 2]}}, "model.eos_token_id=.* is not the tokenizer's, which is 0"),
        (
            {
                "model": {**MODEL, "norm": "batchnorm", "allow_future_statistics": True},
                "weight_average_decay": 0.9,
            },
            r"weight_average_decay=0\.9 does not go with model.norm=batchnorm, .*; leave one of the two out",
        ),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(arguments, changes, words):
    with pytest.raises(ValueError, match=words):
        pretrain(replace(arguments, **changes))
    assert not arguments.output_dir.exists()


def test_every_number_of_a_recipe_has_its_bounds():
    hints = get_type_hints(PretrainArguments)
    assert set(BOUNDS) == {name for name, hint in hints.items() if {int, float} & {hint, *get_args(hint)}}


@pytest.mark.parametrize("value", [math.nan, -math.inf, -1])
@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_no_number_or_negative_is_refused_by_name(arguments, name, value):
    with pytest.raises(ValueError, match=f"^{name}={value} must .*[a-z0-9]\\.$"):
        replace(arguments, **{name: value})


def test_a_gradient_may_be_as_long_as_it_likes(arguments):
    pretrain(replace(arguments, max_grad_norm=math.inf, max_steps=2))
    assert json.loads((arguments.output_dir / "training_summary.json").read_text())["skipped_steps"] == {}


@pytest.mark.parametrize(
    ("short", "words"),
    [
        ("train", r"train split do not fill a block of 32; give more text or lower block_size"),
        ("validation", r"validation split do not .*; give more text, raise validation_fraction of prepare_data\.py"),
    ],
)
def test_too_little_text_leaves_nothing(arguments, dataset, tmp_path, short, words):
    few = [{**dataset[short][0], "text": "salam", "messages": None}]
    split = dataset[short].from_list(few, features=dataset[short].features)
    type(dataset)({**dataset, short: split}).save_to_disk(tmp_path / "few")
    with pytest.raises(ValueError, match=f"the 2 tokens of the {words}"):
        pretrain(replace(arguments, dataset=tmp_path / "few"))
    assert not arguments.output_dir.exists()


def fail(*args, **kwargs):
    raise TypeError("something else")


@pytest.mark.parametrize(
    "place", ["training_data.prepare_tokens", "training_run.Updater", "training_run.load_checkpoint"]
)
@pytest.mark.parametrize("was_there", [False, True])
def test_a_new_run_that_fails_before_its_first_step_makes_way_for_another(arguments, monkeypatch, place, was_there):
    if was_there:
        arguments.output_dir.mkdir()
    with monkeypatch.context() as patch, pytest.raises(TypeError, match="something else"):
        patch.setattr(f"darija_gpt.{place}", fail)
        pretrain(arguments)
    assert arguments.output_dir.exists() == was_there
    pretrain(replace(arguments, model={**MODEL, "num_hidden_layers": 1}, max_steps=1))


def test_what_fails_later_or_was_begun_before_stays(arguments, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(TypeError, match="something else"):
        patch.setattr("darija_gpt.training_run.TrainingRun._measure_loss", fail)
        pretrain(replace(arguments, eval_steps=1))
    assert {"run.json", "tokens", "training_log.jsonl"} <= {path.name for path in arguments.output_dir.iterdir()}
    other = replace(arguments, output_dir=arguments.output_dir.with_name("other"))
    record_run(other)
    with monkeypatch.context() as patch, pytest.raises(TypeError, match="something else"):
        patch.setattr("darija_gpt.training_run.Updater", fail)
        pretrain(other)
    assert (other.output_dir / "run.json").exists()


def test_files_of_others_in_the_directory_of_a_failed_run_stay(arguments, monkeypatch):
    def leave_a_letter(*args, **kwargs):
        (arguments.output_dir / "letter.txt").write_text("mine")
        raise TypeError("something else")

    monkeypatch.setattr("darija_gpt.training_run.Updater", leave_a_letter)
    with pytest.raises(TypeError, match="something else"):
        pretrain(arguments)
    assert [path.name for path in arguments.output_dir.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("record", ["null", "[]", "{", '{"recipe": 3}'])
def test_a_damaged_record_is_named(arguments, record):
    arguments.output_dir.mkdir()
    (arguments.output_dir / "run.json").write_text(record)
    with pytest.raises(ValueError, match=r"run\.json is damaged; remove the run or choose another --output_dir"):
        check_run(arguments)


@pytest.mark.parametrize("fields", [{"hidden_size": 2_000_000_000}, {"vocab_size": 100_000_000_000}])
def test_a_model_larger_than_any_memory_ends_the_run_with_5(arguments, capsys, fields):
    model = {**MODEL, "num_attention_heads": 1, "num_key_value_heads": 1, **fields}
    with pytest.raises(SystemExit) as stop:
        pretrain(replace(arguments, model=model))
    assert stop.value.code == 5
    assert "error: out of memory before the first step (" in capsys.readouterr().err
    assert not arguments.output_dir.exists()


def test_a_tokenizer_without_an_opening_token_is_refused_with_the_remedy(arguments, tmp_path):
    shutil.copytree(arguments.tokenizer, tmp_path / "tokenizer")
    path = tmp_path / "tokenizer" / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in config.items() if name != "bos_token"}))
    with pytest.raises(ValueError, match=r"tokenizer holds a tokenizer without a token that opens .*set bos_token in"):
        pretrain(replace(arguments, tokenizer=tmp_path / "tokenizer"))
    assert not arguments.output_dir.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": None, "messages": None}, r"train: row 3 has no text \(null\) and no messages; take it out of the"),
        ({"messages": [{"role": "user", "content": None}]}, r"train: row 3 has a message without content \(null\)"),
    ],
)
def test_a_row_without_text_is_named_and_nothing_of_it_is_quoted(arguments, dataset, tmp_path, changes, words):
    rows = [{**row, **(changes if number == 3 else {})} for number, row in enumerate(dataset["train"])]
    train = dataset["train"].from_list(rows, features=dataset["train"].features)
    type(dataset)({**dataset, "train": train}).save_to_disk(tmp_path / "gaps")
    with pytest.raises(ValueError, match=words):
        pretrain(replace(arguments, dataset=tmp_path / "gaps"))
    assert not arguments.output_dir.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": {"hiden_size": 3}}, "model: unknown key hiden_size; did you mean hidden_size"),
        ({"model": {"num_key_value_heads": 3}}, "num_key_value_heads=3"),
        ({"block_size": 5000}, "block_size=5000 is longer than"),
        ({"output_dir": "finished"}, "finished already holds a finished run"),
        ({"output_dir": "foreign"}, "foreign already holds another run"),
    ],
)
def test_what_needs_no_input_is_checked_before_one_is_made(arguments, monkeypatch, tmp_path, changes, words):
    for name, file in (("finished", "training_summary.json"), ("foreign", "letter.txt")):
        (tmp_path / name).mkdir()
        (tmp_path / name / file).write_text("{}")
    (tmp_path / "finished" / "run.json").write_text("{}")
    monkeypatch.setattr("darija_gpt.pretraining.make_missing_inputs", fail)
    if "output_dir" in changes:
        changes = {"output_dir": tmp_path / changes["output_dir"]}
    with pytest.raises(ValueError, match=words):
        pretrain(replace(arguments, **changes))


@pytest.mark.parametrize(
    ("max_steps", "words"),
    [(None, "no finite loss and gradient in 5 steps"), (3, "the last validation loss is nan, up to step 3")],
)
def test_a_loss_that_is_not_finite_ends_the_run_with_4(arguments, capsys, max_steps, words):
    changes = {"optimizer": "adamw", "learning_rate": 1e12, "max_grad_norm": 1e30, "max_steps": max_steps}
    changed = replace(arguments, **changes, sample_prompts=["salam"], sample_max_new_tokens=3)
    for _ in range(2):  # a second start says the same
        with pytest.raises(SystemExit) as stop:
            pretrain(changed)
        assert stop.value.code == 4
        assert words in capsys.readouterr().err
    assert not (arguments.output_dir / "training_summary.json").exists()
    assert not (arguments.output_dir / "samples.jsonl").exists()
    assert not (arguments.output_dir / "checkpoints").exists()


def test_the_model_takes_vocabulary_and_control_tokens_from_the_tokenizer(tokenizer):
    config = build_config({}, tokenizer)
    assert config.vocab_size == len(tokenizer)
    assert (config.bos_token_id, config.pad_token_id) == (tokenizer.bos_token_id, tokenizer.pad_token_id)
    assert build_config({"vocab_size": 512}, tokenizer).vocab_size == 512
