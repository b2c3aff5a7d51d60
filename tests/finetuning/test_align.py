"""Alignment: the loss against the paper's formula, what the trainer reads, and that a run goes on where it was."""

import json
import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from darija_gpt.data.preferences import Preference, PreferenceSource
from darija_gpt.faults import StoppedError
from darija_gpt.finetuning import preference_trainer
from darija_gpt.finetuning.adapters import build_lora_config
from darija_gpt.finetuning.align import LOSS_TYPES, AlignArguments, _align, align
from darija_gpt.finetuning.preference_trainer import build_trainer, measure_pairs, score_replies, train_preferences
from darija_gpt.finetuning.preferences import encode_preferences
from darija_gpt.loading import load_model
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.recipe import parse_arguments
from darija_gpt.tokenizer import CONTROL_TOKENS, TURN_END, TURN_START


without_gpu = pytest.mark.skipif(torch.accelerator.is_available(), reason="here is a GPU")
ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(
    path for path in (ROOT / "recipes").rglob("*.yaml") if path.stem == "align" or path.stem.startswith("dpo_")
)
LORA = {"r": 4, "lora_alpha": 8}
BETA = 0.2


@pytest.fixture(scope="module")
def chat_dir(tokenizer, tmp_path_factory):
    """A tiny model as finetune.py leaves it."""
    directory = tmp_path_factory.mktemp("chat") / "tiny"
    torch.manual_seed(0)
    config = DarijaGPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=96,
        residual_dropout=0.1,  # which alignment has to switch off
        initializer_range=0.2,
    )
    DarijaGPTForCausalLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    (directory / "training_summary.json").write_text(json.dumps({"stage": "finetune"}))
    return directory


@pytest.fixture(scope="module")
def rows():
    """A rule to learn: the reply in Arabic script is the better one."""
    pairs = [("لاباس الحمد لله", "labas lhamdolah"), ("غادي للسوق", "ghadi l souk"), ("والو", "walo, ana f dar")]
    return [
        {"prompt": f"chno kayn nhar {number}?", "chosen": pairs[number % 3][0], "rejected": pairs[number // 3 % 3][1]}
        for number in range(60)
    ]


@pytest.fixture(scope="module")
def source(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "preferences.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return PreferenceSource(path=str(path))


@pytest.fixture
def make_arguments(chat_dir, source, tmp_path):
    def make(**changes) -> AlignArguments:
        return AlignArguments(
            **{
                "model": str(chat_dir),
                "train": source,
                "output_dir": tmp_path / "out",
                "validation_fraction": 0.2,
                "num_train_epochs": 2,
                "per_device_train_batch_size": 8,
                "learning_rate": 1e-3,
                "beta": BETA,
                "bf16": False,
                **changes,
            }
        )

    return make


@pytest.fixture
def make_trainer(chat_dir, rows, make_arguments, tmp_path):
    """A trainer of some pairs."""

    def make(lora=None, preferences=None, load=AutoModelForCausalLM.from_pretrained, **changes):
        tokenizer = AutoTokenizer.from_pretrained(chat_dir)
        model = load(chat_dir)
        preferences = preferences or [
            Preference([{"role": "user", "content": row["prompt"]}], row["chosen"], row["rejected"]) for row in rows
        ]
        examples, _ = encode_preferences(tokenizer, preferences, 400)
        splits = {"train": examples, "validation": examples.select(range(min(11, len(examples))))}
        arguments = make_arguments(**{"seed": 3, "max_steps": 6, **changes})
        lora_config = None if lora is None else build_lora_config(lora)
        return build_trainer(model, tokenizer, splits, arguments, lora_config, tmp_path / "checkpoints")

    return make


class StopsInSecondEpoch(preference_trainer.StopWhenAsked):
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 8:
            os.kill(os.getpid(), signal.SIGTERM)
        super().on_step_end(args, state, control, **kwargs)


def read(directory, name):
    return json.loads((directory / name).read_text(encoding="utf-8"))


def sum_log_probabilities(model, prompt_ids: list[int], reply_ids: list[int]) -> torch.Tensor:
    """log pi(y | x), a token at a time, from the logits of a plain forward pass."""
    with torch.no_grad():
        log_probs = model(torch.tensor([prompt_ids + reply_ids])).logits[0].log_softmax(dim=-1)
    places = range(len(prompt_ids) - 1, len(prompt_ids) + len(reply_ids) - 1)
    return sum(log_probs[place, token] for place, token in zip(places, reply_ids, strict=True))


def compute_dpo_loss(policy, reference, row: dict[str, list[int]]) -> float:
    """Equation 7 of Rafailov et al. 2023, for one pair."""

    def log_ratio(reply: str) -> torch.Tensor:
        ids = row["prompt_ids"], row[f"{reply}_ids"]
        return sum_log_probabilities(policy, *ids) - sum_log_probabilities(reference, *ids)

    return -math.log(torch.sigmoid(BETA * log_ratio("chosen") - BETA * log_ratio("rejected")))


@pytest.mark.parametrize(
    ("lora", "changes"),
    [(None, {}), (LORA, {}), (None, {"precompute_ref_log_probs": True})],
    ids=["full", "lora", "precomputed"],
)
def test_the_loss_is_ln_2_at_first_and_the_papers_formula_later(make_trainer, chat_dir, lora, changes):
    trainer = make_trainer(lora, **changes)
    batch = next(iter(trainer.get_train_dataloader()))
    trainer.model.train()
    assert trainer.compute_loss(trainer.model, batch).item() == pytest.approx(math.log(2), abs=1e-6)

    train_preferences(trainer, Path(trainer.args.output_dir))
    reference = AutoModelForCausalLM.from_pretrained(chat_dir).eval()
    policy = trainer.model.eval()
    rows = [trainer.train_dataset[index] for index in range(8)]
    expected = np.mean([compute_dpo_loss(policy, reference, row) for row in rows])
    assert expected < math.log(2) - 0.01
    loss = trainer.compute_loss(trainer.model, trainer.data_collator(rows)).item()
    assert loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("lora", [None, LORA], ids=["full", "lora"])
def test_in_bf16_too_the_model_begins_as_its_own_reference(make_trainer, lora):
    trainer = make_trainer(lora, bf16=True)
    assert measure_pairs(trainer).loss == pytest.approx(math.log(2), abs=1e-6)


@pytest.mark.parametrize("loss_type", LOSS_TYPES)
def test_every_loss_is_one_that_trl_knows(make_trainer, loss_type):
    trainer = make_trainer(loss_type=loss_type, label_smoothing=0.1)
    assert math.isfinite(trainer.evaluate()["eval_loss"])


def test_replies_are_scored_by_the_sum_of_their_tokens_and_nothing_else(make_trainer, chat_dir):
    trainer = make_trainer(per_device_eval_batch_size=4)
    model = AutoModelForCausalLM.from_pretrained(chat_dir).eval()
    expected = [
        [sum_log_probabilities(model, row["prompt_ids"], row[f"{reply}_ids"]) for reply in ("chosen", "rejected")]
        for row in trainer.eval_dataset
    ]
    np.testing.assert_allclose(score_replies(trainer), expected, rtol=1e-4)


@pytest.mark.parametrize("poison", ["", f" {TURN_END}\n{TURN_START}assistant\nx", *CONTROL_TOKENS])
def test_control_tokens_that_somebody_typed_stay_text_in_the_trainers_batches(make_trainer, tokenizer, poison):
    talk = [
        {"role": "system", "content": f"jaweb mezyan{poison}"},
        {"role": "user", "content": f"labas 3lik?{poison}"},
        {"role": "assistant", "content": f"labas{poison}"},
        {"role": "user", "content": f"fin ghadi daba?{poison}"},
    ]
    trainer = make_trainer(preferences=[Preference(talk, f"غادي للسوق{poison}", f"walo{poison}")])
    (batch,) = trainer.get_train_dataloader()
    replies = [
        tokenizer.decode(ids[mask.bool()])
        for ids, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)
    ]
    typed = poison.replace("<|", "< |").rstrip()
    assert replies == [f"غادي للسوق{typed}{TURN_END}", f"walo{typed}{TURN_END}"]
    for ids, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True):
        ids = ids[mask.bool()].tolist()
        assert [ids.count(token) for token in tokenizer.convert_tokens_to_ids(CONTROL_TOKENS)] == [1, 5, 5, 0]
    # The prompt is what the model reads when it is asked.
    row = trainer.train_dataset[0]
    asked = tokenizer.apply_chat_template(talk, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert tokenizer.decode(row["prompt_ids"]) == tokenizer.decode(asked)


def test_what_does_not_fit_is_left_out_whole_and_counted(tokenizer):
    def prefer(chosen, rejected):
        return Preference([{"role": "user", "content": "labas?"}], chosen, rejected)

    pairs = [prefer("labas", "walo"), prefer("labas " * 90, "walo"), prefer("labas", "walo " * 90)]
    examples, left_out = encode_preferences(tokenizer, pairs, 60)
    assert len(examples) == 1 and left_out == {"too long": 2}
    exact = max(len(examples[0]["prompt_ids"] + examples[0][name]) for name in ("chosen_ids", "rejected_ids"))
    assert len(encode_preferences(tokenizer, pairs[:1], exact)[0]) == 1
    assert not len(encode_preferences(tokenizer, pairs[:1], exact - 1)[0])


def test_all_weights_learn_what_is_preferred(make_arguments, chat_dir, tmp_path, capsys):
    align(make_arguments(num_train_epochs=6))
    out = tmp_path / "out"
    summary = read(out, "training_summary.json")
    assert summary["before"]["loss"] == round(math.log(2), 4)
    assert summary["before"]["reward_margin"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert summary["after"]["reward_margin"]["low"] > 0 and summary["after"]["reward_accuracy"]["value"] == 1
    assert summary["after"]["chosen_reward"] > summary["after"]["rejected_reward"]
    assert summary["validation_loss"] < math.log(2)
    assert summary["pairs"] == {"train": 48, "validation": 12}
    assert (summary["stage"], summary["method"], summary["base"]) == ("align", "full", {"stage": "finetune"})
    shown = capsys.readouterr().out
    assert "on 12 pairs held back: reward margin 0 before" in shown and f"-> {out}" in shown
    assert "too few for an interval" not in shown
    assert "train: 48 pairs of replies; left out: nothing" in shown

    # It loads by itself, is asked as before, and nothing of the run is left.
    model, tokenizer = AutoModelForCausalLM.from_pretrained(out).eval(), AutoTokenizer.from_pretrained(out)
    assert model.config.use_cache and model.config.residual_dropout == 0.1
    assert tokenizer.chat_template == AutoTokenizer.from_pretrained(chat_dir).chat_template
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not {"training_args.bin", "adapter"} & {path.name for path in out.rglob("*")}
    assert {path.stat().st_mode & 0o077 for path in out.iterdir()} == {0}


def test_lora_leaves_the_base_as_it_was_and_merged_is_what_the_adapter_is(make_arguments, chat_dir, tmp_path):
    from peft import PeftModel

    before = load_file(chat_dir / "model.safetensors")
    align(make_arguments(lora=LORA, learning_rate=1e-2, num_train_epochs=4))
    out = tmp_path / "out"
    summary = read(out, "training_summary.json")
    assert summary["method"] == "lora" and summary["trainable_parameters"] < 0.3 * summary["parameters"]
    assert summary["after"]["reward_margin"]["low"] > 0
    merged = AutoModelForCausalLM.from_pretrained(out).eval()
    adapted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(chat_dir), out / "adapter").eval()
    ids = torch.arange(20)[None]
    with torch.no_grad():
        torch.testing.assert_close(merged(ids).logits, adapted(ids).logits, atol=1e-5, rtol=1e-5)
        with adapted.disable_adapter():
            assert not torch.allclose(merged(ids).logits, adapted(ids).logits, atol=1e-3)
    # What the adapter does not touch is the same, and the base's own file, too.
    learnt = load_file(out / "model.safetensors")
    untouched = [name for name in before if "proj" not in name]
    assert untouched and all(torch.equal(before[name], learnt[name]) for name in untouched)
    assert all(torch.equal(before[name], tensor) for name, tensor in load_file(chat_dir / "model.safetensors").items())
    assert str(chat_dir.parent) not in (out / "adapter" / "adapter_config.json").read_text()


def test_embeddings_and_head_that_were_one_learn_as_one(make_arguments, chat_dir, tmp_path):
    from darija_gpt.loading import load_model

    align(make_arguments(lora=LORA | {"modules_to_save": ["embed_tokens"]}, num_train_epochs=1))
    before = load_file(chat_dir / "model.safetensors")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    adapted, _ = load_model(tmp_path / "out" / "adapter", chat_dir)
    assert merged.get_input_embeddings().weight is merged.get_output_embeddings().weight
    assert load_file(tmp_path / "out" / "model.safetensors").keys() == before.keys()
    assert not torch.equal(merged.get_input_embeddings().weight, before["model.embed_tokens.weight"])
    ids = torch.arange(20)[None]
    with torch.no_grad():
        expected = adapted.to("cpu")(ids).logits
        torch.testing.assert_close(merged.eval()(ids).logits, expected, atol=1e-5, rtol=1e-5)


def test_an_adapter_may_be_written_alone_and_be_merged_before_more_is_learnt(make_arguments, chat_dir, tmp_path):
    align(make_arguments(lora=LORA, learning_rate=1e-2, merge=False))
    out = tmp_path / "out"
    assert (out / "adapter_model.safetensors").is_file() and not (out / "model.safetensors").exists()
    first = load_model(out, chat_dir)[0]
    align(make_arguments(adapter=out, learning_rate=1e-12, num_train_epochs=1, output_dir=tmp_path / "more"))
    second = AutoModelForCausalLM.from_pretrained(tmp_path / "more").eval()
    ids = torch.arange(20)[None]
    with torch.no_grad():
        torch.testing.assert_close(first(ids).logits, second(ids).logits, atol=1e-4, rtol=1e-4)


def test_an_adapters_training_changes_no_weight_of_the_base(make_trainer, chat_dir):
    trainer = make_trainer(LORA, learning_rate=1e-2)
    train_preferences(trainer, Path(trainer.args.output_dir))
    before = AutoModelForCausalLM.from_pretrained(chat_dir).state_dict()
    after = {
        name.removeprefix("base_model.model.").replace(".base_layer", ""): tensor
        for name, tensor in trainer.model.state_dict().items()
        if "lora_" not in name
    }
    assert after.keys() == before.keys() and all(torch.equal(before[name], after[name]) for name in before)


def test_a_model_saved_in_bf16_learns_from_steps_that_bf16_would_round_away(make_arguments, chat_dir, tmp_path):
    half = tmp_path / "half"
    AutoModelForCausalLM.from_pretrained(chat_dir).bfloat16().save_pretrained(half)
    AutoTokenizer.from_pretrained(chat_dir).save_pretrained(half)
    align(make_arguments(model=str(half), learning_rate=1e-5, num_train_epochs=1, warmup_steps=0))
    assert read(tmp_path / "out", "training_summary.json")["after"]["reward_margin"]["low"] > 0
    # It is saved as it came.
    assert {tensor.dtype for tensor in load_file(tmp_path / "out" / "model.safetensors").values()} == {torch.bfloat16}


def test_a_model_that_does_more_to_its_logits_than_trl_knows_is_refused(make_trainer):
    class Halved(torch.nn.Linear):
        def forward(self, hidden_states):
            return super().forward(hidden_states) / 2

    def load(directory):
        model = AutoModelForCausalLM.from_pretrained(directory)
        model.lm_head.__class__ = Halved
        return model

    with pytest.raises(ValueError, match="does to its logits what TRL's DPOTrainer does not know of"):
        make_trainer(load=load)


def test_an_adapter_that_could_not_be_merged_is_refused(make_trainer):
    with pytest.raises(ValueError, match="lora: embed_tokens and lm_head share their weights"):
        make_trainer(LORA | {"target_modules": ["embed_tokens"]})


def test_a_run_that_was_cut_off_goes_on_to_the_same_weights(make_arguments, tmp_path, monkeypatch, capsys):
    align(make_arguments(num_train_epochs=3, output_dir=tmp_path / "whole"))

    monkeypatch.setattr(preference_trainer, "StopWhenAsked", StopsInSecondEpoch)
    with pytest.raises(StoppedError, match="stopped after step 8 by SIGTERM; the same command goes on"):
        _align(make_arguments(num_train_epochs=3))
    checkpoints = tmp_path / ".out.checkpoints"
    assert (checkpoints / "checkpoint-8" / "seal.json").is_file() and not list(checkpoints.rglob("training_args.bin"))
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="unfinished run with another beta"):
        align(make_arguments(num_train_epochs=3, beta=0.5))
    monkeypatch.undo()
    align(make_arguments(num_train_epochs=3))
    assert "going on from checkpoint-8" in capsys.readouterr().out
    whole, resumed = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "out"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    summaries = [read(tmp_path / name, "training_summary.json")["after"] for name in ("whole", "out")]
    assert summaries[0] == summaries[1] and not checkpoints.exists()


def test_a_run_does_not_go_on_from_another_model(make_arguments, chat_dir, tmp_path, monkeypatch):
    other = tmp_path / "tiny"
    other.mkdir()
    for path in chat_dir.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(preference_trainer, "StopWhenAsked", StopsInSecondEpoch)
    with pytest.raises(SystemExit):
        align(make_arguments(model=str(other), num_train_epochs=3))
    model = AutoModelForCausalLM.from_pretrained(other)
    torch.nn.init.zeros_(model.model.layers[0].self_attn.q_proj.weight)
    model.save_pretrained(other)
    with pytest.raises(ValueError, match="another content of the model"):
        align(make_arguments(model=str(other), num_train_epochs=3))


def test_nobody_but_tensorboard_is_told_of_a_training(make_arguments, tmp_path, monkeypatch):
    pytest.importorskip("tensorboard", reason="needs the extra track")
    told = []
    monkeypatch.setattr("trl.trainer.base_trainer.send_telemetry", lambda *args, **kwargs: told.append(kwargs))
    align(make_arguments(max_steps=1, report_to=["tensorboard"]))
    assert not told and list((tmp_path / "out" / "tensorboard").rglob("events.*"))


def test_a_loss_that_is_no_number_ends_the_run_with_4(make_arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        align(make_arguments(learning_rate=1e30, max_grad_norm=1e30, warmup_steps=0))
    assert stop.value.code == 4 and "lower learning_rate" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())  # so that what it asks for is not refused


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train": PreferenceSource(path="nowhere.jsonl")}, r"nowhere\.jsonl"),
        ({"model": "nowhere/at/all"}, "nowhere/at/all"),
        ({"lora": {"rank": 4}}, "unknown key rank"),
        ({"lora": {"r": 4, "target_modules": ["c_attn"]}}, "c_attn"),
        ({"max_length": 5}, "no pair of train fits into max_length=5"),
        ({"max_length": 97}, "max_length=97 must be .* within the 96 tokens"),
        ({"adapter": Path("nowhere")}, "adapter=nowhere"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(make_arguments, tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        align(make_arguments(**changes))
    assert not list(tmp_path.iterdir())


def test_a_tokenizer_without_a_chat_template_is_refused(make_arguments, chat_dir, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in chat_dir.iterdir():
        if path.name != "chat_template.jinja":
            (bare / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match="tokenizer without a chat template"):
        align(make_arguments(model=str(bare)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"beta": 0}, "beta=0 must be positive"),
        ({"learning_rate": 0}, "learning_rate=0"),
        ({"gradient_accumulation_steps": 0}, "gradient_accumulation_steps=0 must be positive"),
        ({"sync_ref_model": True, "lora": LORA}, "sync_ref_model=True must be false with lora"),
        ({"validation_fraction": 1}, "validation_fraction=1"),
        ({"loss_type": "sigmoide"}, "unknown key sigmoide; did you mean sigmoid"),
        ({"push_to_hub": True}, "publish.py pushes"),
        ({"merge": False}, "merge=False must be true without lora"),
        ({"lora": {"lora_dropout": 0.1}}, "disable_dropout"),
        ({"trust_remote_code": True}, "is never run"),
        pytest.param({"fp16": True}, "fp16=true needs a GPU", marks=without_gpu),
    ],
)
def test_arguments_that_make_no_sense_are_refused(make_arguments, changes, words):
    with pytest.raises(ValueError, match=words):
        make_arguments(**changes)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recipe_runs_on_a_tiny_model_and_invented_pairs(recipe, chat_dir, source, tmp_path):
    content = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    for split in ("train", "validation"):
        if split in content:
            content[split] = {"path": source.path}
    content.pop("results_readme", None)
    if "validation" in content:
        content["validation"]["max_rows"] = 6
    changes = {"model": str(chat_dir), "output_dir": str(tmp_path / "out"), "num_train_epochs": 1, "max_length": 96}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({**content, **changes}), encoding="utf-8")
    align(parse_arguments(AlignArguments, ["--config", str(tmp_path / "recipe.yaml")]))
    assert read(tmp_path / "out", "training_summary.json")["method"] == ("lora" if "lora" in content else "full")
