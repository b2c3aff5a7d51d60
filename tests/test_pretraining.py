"""The pretrain stage, on a tiny model and a dataset made on the spot."""

import json
import math
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
