"""Fine-tuning for summaries: what is learnt, what is written, and that a run goes on where it was cut off."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file
from tiny_t5 import HEADLINES, save_tiny_t5, write_articles, write_rows
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, T5Config, T5ForConditionalGeneration

from darija_gpt.data.text_pairs import PairSource, TextPair
from darija_gpt.faults import StoppedError
from darija_gpt.finetuning import seq2seq_trainer
from darija_gpt.finetuning.seq2seq import Seq2SeqArguments, _finetune_seq2seq, finetune_seq2seq, prepare
from darija_gpt.finetuning.seq2seq_trainer import build_trainer
from darija_gpt.recipe import parse_arguments


ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(
    path
    for path in (ROOT / "recipes" / "finetune_others").glob("*.yaml")
    if "max_target_length" in path.read_text(encoding="utf-8")
)
SUMMARIES = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def rows():
    return write_articles(96)


@pytest.fixture(scope="module")
def t5_dir(rows, tmp_path_factory):
    texts = [text for row in rows for text in row.values()]
    return save_tiny_t5(tmp_path_factory.mktemp("t5") / "tiny", texts)


@pytest.fixture(scope="module")
def source(rows, tmp_path_factory):
    path = write_rows(tmp_path_factory.mktemp("rows") / "articles.jsonl", rows)
    return PairSource(path=str(path), input_column="article", target_column="headline")


@pytest.fixture
def make_arguments(t5_dir, source, tmp_path):
    def make(**changes) -> Seq2SeqArguments:
        return Seq2SeqArguments(
            **{
                "model": str(t5_dir),
                "train": source,
                "output_dir": tmp_path / "out",
                "test_fraction": 0.1,
                "max_source_length": 64,
                "max_target_length": 24,
                "num_train_epochs": 2,
                "learning_rate": 1e-2,
                "num_beams": 2,
                "num_samples": 3,
                "mixed_precision": "no",
                **changes,
            }
        )

    return make


def read(directory, name):
    return json.loads((directory / name).read_text(encoding="utf-8"))


@pytest.mark.slow
def test_full_fine_tuning_learns_the_rule_and_beats_the_lead(make_arguments, tmp_path, capsys):
    finetune_seq2seq(make_arguments(num_train_epochs=30, metric_for_best_model="loss"))
    metrics = read(tmp_path / "out", "metrics.json")
    model, lead = metrics["results"]["model"], metrics["results"]["lead_sentence"]
    assert model["rougeL"]["low"] > lead["rougeL"]["high"] and model["rougeL"]["value"] > 0.8
    assert metrics["differences"]["lead_sentence"]["rougeL"]["low"] > 0
    assert metrics["measured_on"] == "test" and metrics["results"]["lead_words"]["words"] <= metrics["lead_words"]
    assert metrics["data"]["train"]["targets"] == {
        "cut_share": 0.0,
        "unknown_token_share": 0.0,
        "tokens": metrics["data"]["train"]["targets"]["tokens"],
    }
    shown = capsys.readouterr().out
    assert "the first sentence" in shown and f"model -> {tmp_path / 'out'}" in shown

    # Whoever loads it gets what was measured, and nothing of the run is left.
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    loaded = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "out").eval()
    assert (loaded.generation_config.max_new_tokens, loaded.generation_config.num_beams) == (24, 2)
    samples = [json.loads(line) for line in (tmp_path / "out" / "samples.jsonl").read_text("utf-8").splitlines()]
    assert len(samples) == 3 and all(sample["target"] in HEADLINES.values() for sample in samples)
    for sample in samples:
        written = loaded.generate(**tokenizer(sample["input"], return_tensors="pt"))
        assert tokenizer.decode(written[0], skip_special_tokens=True).strip() == sample["model"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not list((tmp_path / "out").rglob("training_args.bin"))
    summary = read(tmp_path / "out", "training_summary.json")
    assert summary["stage"] == "finetune_seq2seq" and summary["method"] == "full"
    assert set(summary["validation"]) == {"loss"} and summary["epochs"] == 30
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "out").iterdir()} == {0}


@pytest.mark.parametrize(
    "lora", [{"r": 4}, pytest.param({"r": 4, "use_dora": True}, marks=pytest.mark.slow)], ids=["lora", "dora"]
)
def test_an_adapter_is_kept_and_merged_or_written_alone(make_arguments, t5_dir, tmp_path, lora):
    from peft import PeftModel

    finetune_seq2seq(make_arguments(lora=lora))
    merged = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "out").eval()
    base = AutoModelForSeq2SeqLM.from_pretrained(t5_dir).eval()
    adapted = PeftModel.from_pretrained(base, tmp_path / "out" / "adapter").eval()
    ids = torch.arange(3, 20)[None]
    with torch.no_grad():
        first, second = (m(input_ids=ids, decoder_input_ids=ids[:, :5]).logits for m in (merged, adapted))
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)
    config = read(tmp_path / "out" / "adapter", "adapter_config.json")
    assert set(config["target_modules"]) == {"q", "v"} and config["base_model_name_or_path"] == t5_dir.name
    summary = read(tmp_path / "out", "training_summary.json")
    assert summary["method"] == "lora" and summary["trainable_parameters"] < 0.2 * summary["parameters"]

    finetune_seq2seq(make_arguments(lora=lora, merge=False, output_dir=tmp_path / "alone"))
    names = {path.name for path in (tmp_path / "alone").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "metrics.json"} <= names
    assert "model.safetensors" not in names and "README.md" not in names
    weights = [load_file(tmp_path / d / "adapter_model.safetensors") for d in ("out/adapter", "alone")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

    # The next run begins where this one ended.
    finetune_seq2seq(
        make_arguments(
            adapter=tmp_path / "alone", output_dir=tmp_path / "more", learning_rate=1e-9, num_train_epochs=1
        )
    )
    more = AutoModelForSeq2SeqLM.from_pretrained(tmp_path / "more").eval()
    with torch.no_grad():
        third = more(input_ids=ids, decoder_input_ids=ids[:, :5]).logits
    torch.testing.assert_close(first, third, atol=1e-4, rtol=1e-4)


def test_lora_of_rank_16_trains_06_percent_of_flan_t5_large():
    """google/flan-t5-large's config.json, on PyTorch's meta device."""
    from peft import get_peft_model

    from darija_gpt.finetuning.adapters import build_lora_config
    from darija_gpt.finetuning.freezing import describe_trainable, spell_trainable

    config = T5Config(
        d_ff=2816,
        d_kv=64,
        d_model=1024,
        decoder_start_token_id=0,
        dropout_rate=0.1,
        eos_token_id=1,
        feed_forward_proj="gated-gelu",
        initializer_factor=1.0,
        is_encoder_decoder=True,
        layer_norm_epsilon=1e-06,
        num_decoder_layers=24,
        num_heads=16,
        num_layers=24,
        pad_token_id=0,
        relative_attention_max_distance=128,
        relative_attention_num_buckets=32,
        tie_word_embeddings=False,
        vocab_size=32128,
    )
    with torch.device("meta"):
        model = T5ForConditionalGeneration(config)
        # Its files have a head of their own, which transformers then keeps apart from the embeddings.
        model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.shared.weight))
        assert model.num_parameters() == 783_150_080
        lora = {"task_type": "SEQ_2_SEQ_LM", "target_modules": ["q", "v"], "r": 16}
        model = get_peft_model(model, build_lora_config(lora))
    counts = describe_trainable(model)
    # Queries and values of 24 layers' self-attention twice and of 24 cross-attentions, two matrices each.
    assert counts["trainable_parameters"] == 3 * 24 * 2 * 2 * 16 * 1024
    assert f"{counts['trainable_parameters'] / counts['parameters']:.4%}" == "0.5989%"
    assert spell_trainable(counts).startswith("4,718,592 of 787,868,672")


def test_the_trainers_batches_hold_the_targets_and_pad_them_with_what_the_loss_leaves_out(make_arguments, tmp_path):
    pairs = [TextPair("wahd </s> السوق <pad>", "الأثمنة </s> طالعة"), TextPair("tran", "tran t3etel bezzaf")]
    data = _Splits({"train": pairs, "validation": pairs})
    prepared = prepare(make_arguments(source_prefix="lkhbira "), data)
    trainer = build_trainer(prepared, pairs, make_arguments(), tmp_path)
    (batch,) = trainer.get_train_dataloader()
    tokenizer = prepared.tokenizer
    is_padding = batch["labels"] == -100
    assert is_padding.any() and not (batch["labels"] == tokenizer.pad_token_id).any()

    def read_off(ids) -> str:
        return " ".join(tokenizer.decode(ids).replace("<pad>", "").split()).replace(" </s>", "</s>")

    learnt = {read_off(labels[labels != -100]) for labels in batch["labels"]}
    assert learnt == {"الأثمنة طالعة</s>", "tran t3etel bezzaf</s>"}
    assert {read_off(ids) for ids in batch["input_ids"]} == {"lkhbira wahd السوق</s>", "lkhbira tran</s>"}
    ends = (batch["input_ids"] == tokenizer.eos_token_id).sum(dim=1)
    assert ends.tolist() == [1, 1]


class _Splits:
    def __init__(self, splits):
        self.splits = splits


def test_a_run_that_was_cut_off_goes_on_to_the_same_weights(make_arguments, t5_dir, tmp_path, monkeypatch):
    """T5 has dropout, so that the random generators count, too; and the best epoch is behind the cut."""
    longer = {"num_train_epochs": 3, "learning_rate": 1e-3, "metric_for_best_model": "loss"}
    finetune_seq2seq(make_arguments(**longer, output_dir=tmp_path / "whole"))

    class StopsInSecondEpoch(seq2seq_trainer.StopWhenAsked):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 14:
                os.kill(os.getpid(), signal.SIGTERM)
            super().on_step_end(args, state, control, **kwargs)

    arguments = make_arguments(**longer)
    monkeypatch.setattr(seq2seq_trainer, "StopWhenAsked", StopsInSecondEpoch)
    with pytest.raises(StoppedError, match="stopped after step 14 by SIGTERM; the same command goes on"):
        _finetune_seq2seq(arguments)
    assert not arguments.output_dir.exists()
    checkpoints = tmp_path / ".out.checkpoints"
    assert (checkpoints / "checkpoint-14" / "seal.json").is_file() and not list(checkpoints.rglob("training_args.bin"))
    with pytest.raises(ValueError, match="unfinished run with another recipe"):
        finetune_seq2seq(replace(arguments, learning_rate=2e-3))
    weights = (t5_dir / "model.safetensors").read_bytes()
    with pytest.raises(ValueError, match="unfinished run with another content of the model"):
        (t5_dir / "model.safetensors").write_bytes(weights[:-4] + b"\0\0\0\0")
        finetune_seq2seq(arguments)
    (t5_dir / "model.safetensors").write_bytes(weights)
    monkeypatch.undo()
    finetune_seq2seq(arguments)
    whole, resumed = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "out"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert read(tmp_path / "whole", "training_summary.json")["best_epoch"] == 3
    assert not checkpoints.exists()
    results = [read(tmp_path / name, "metrics.json")["results"] for name in ("whole", "out")]
    assert results[0] == results[1]


def test_a_loss_that_is_no_number_ends_the_run_with_4(make_arguments, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        finetune_seq2seq(make_arguments(learning_rate=1e30, max_grad_norm=1e30, warmup_ratio=0))
    assert stop.value.code == 4 and "lower learning_rate" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())  # so that what it asks for is not refused


def test_an_epoch_is_chosen_by_the_rouge_that_its_weights_have_in_the_end(make_arguments, tmp_path):
    finetune_seq2seq(make_arguments(num_train_epochs=12, test_fraction=0, num_beams=1))
    metrics = read(tmp_path / "out", "metrics.json")
    assert metrics["measured_on"] == "validation"
    measured = metrics["results"]["model"]
    assert measured["rougeL"]["value"] > 0.2
    for name in ("rouge1", "rouge2", "rougeL"):
        assert metrics["training"]["validation"][name] == pytest.approx(measured[name]["value"], abs=1e-3)


def test_a_run_that_gets_no_better_ends_early_with_its_best_epoch(make_arguments, tmp_path):
    finetune_seq2seq(make_arguments(num_train_epochs=9, learning_rate=1e-12, early_stopping_patience=1))
    summary = read(tmp_path / "out", "training_summary.json")
    assert (summary["epochs"], summary["best_epoch"]) == (2, 1)
    assert set(summary["validation"]) == {"loss", "rouge1", "rouge2", "rougeL"}


def test_texts_that_the_vocabulary_cannot_spell_are_refused(make_arguments, tmp_path):
    """As FLAN-T5's: each Arabic word is an unknown token behind a space."""
    latin = save_tiny_t5(tmp_path / "latin", ["lferqa dyalna rebhat lbareh", "tran t3etel bezzaf"] * 9, vocab_size=40)
    rows = [{"article": f"khbar {number}", "headline": "الأثمنة طالعة فالسوق"} for number in range(20)]
    source = PairSource(
        path=str(write_rows(tmp_path / "rows.jsonl", rows)), input_column="article", target_column="headline"
    )
    with pytest.raises(ValueError, match=r"cannot write these texts: 50% .*for Arabic google/mt5-small"):
        finetune_seq2seq(make_arguments(model=str(latin), train=source))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train": PairSource(path="nowhere.jsonl")}, r"nowhere\.jsonl"),
        ({"model": "nowhere/at-all"}, "nowhere/at-all"),
        ({"lora": {"rank": 4}}, "unknown key rank"),
        ({"lora": {"r": 4, "target_modules": ["c_attn"]}}, "c_attn"),
        ({"lora": {"r": 4, "target_modules": ["shared"]}}, "lora: shared and .* share their weights"),
        ({"adapter": Path("nowhere")}, "adapter=nowhere"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(make_arguments, tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        finetune_seq2seq(make_arguments(**changes))
    assert not list(tmp_path.iterdir())


def test_an_adapter_for_another_model_is_refused(make_arguments, tmp_path):
    texts = ["wahd jouj tlata rb3a khmsa"] * 4
    other = save_tiny_t5(tmp_path / "other", texts, d_model=16, vocab_size=30)
    finetune_seq2seq(make_arguments(lora={"r": 2}, merge=False, num_train_epochs=1))
    arguments = make_arguments(model=str(other), adapter=tmp_path / "out", output_dir=tmp_path / "wrong")
    with pytest.raises(ValueError, match=r"was trained on tiny, and the model is .*other"):
        finetune_seq2seq(arguments)
    # Under the right name its weights still do not fit.
    (tmp_path / "named").mkdir()
    other.rename(tmp_path / "named" / "tiny")
    with pytest.raises(ValueError, match=r"does not fit|no place for"):
        finetune_seq2seq(replace(arguments, model=str(tmp_path / "named" / "tiny")))
    assert {path.name for path in tmp_path.iterdir()} == {"out", "named"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rate": 0}, "learning_rate=0 must be positive"),
        ({"num_beams": 0}, "num_beams=0"),
        ({"early_stopping_patience": 0}, "early_stopping_patience=0"),
        ({"validation_fraction": 0.6, "test_fraction": 0.5}, "leave nothing to learn from"),
        ({"merge": False}, "there is none without lora"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(make_arguments, changes, words):
    with pytest.raises(ValueError, match=words):
        make_arguments(**changes)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_runs_on_a_tiny_model_and_texts_of_its_columns(recipe, t5_dir, rows, tmp_path):
    content = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    assert content["model"].startswith("google/")
    columns = content["train"]["input_column"], content["train"]["target_column"]
    for number, split in enumerate(("train", "validation", "test")):
        if split in content:
            assert (content[split]["input_column"], content[split]["target_column"]) == columns
            part = [dict(zip(columns, row.values(), strict=True)) for row in rows[number::3]]
            content[split] = {
                "path": str(write_rows(tmp_path / f"{split}.jsonl", part)),
                **{key: value for key, value in content[split].items() if key.endswith("_column")},
            }
    changes = {"model": str(t5_dir), "output_dir": str(tmp_path / "out"), "num_train_epochs": 1}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({**content, **changes}, allow_unicode=True), encoding="utf-8")
    finetune_seq2seq(parse_arguments(Seq2SeqArguments, ["--config", str(tmp_path / "recipe.yaml")]))
    metrics = read(tmp_path / "out", "metrics.json")
    assert set(metrics["results"]) == {"model", "lead_sentence", "lead_words"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("summarization/train.jsonl", ("article", "headline")),
        ("english/dialogsum.jsonl", ("dialogue", "summary")),
    ],
)
@pytest.mark.skipif(not SUMMARIES.is_dir(), reason="the public summaries are not here")
def test_a_tiny_t5_learns_from_public_summaries(file, columns, tmp_path):
    """200 pairs show that the way is right, not that so small a model can summarise."""
    with (SUMMARIES / file).open(encoding="utf-8") as lines:
        texts = [json.loads(line)[column] for _, line in zip(range(200), lines, strict=False) for column in columns]
    finetune_seq2seq(
        Seq2SeqArguments(
            model=str(save_tiny_t5(tmp_path / "t5", texts, vocab_size=1000)),
            train=PairSource(
                path=str(SUMMARIES / file), input_column=columns[0], target_column=columns[1], max_rows=200
            ),
            test_fraction=0.1,
            output_dir=tmp_path / "out",
            max_source_length=64,
            max_target_length=32,
            num_train_epochs=3,
            learning_rate=1e-2,
            num_beams=1,
            mixed_precision="no",
        )
    )
    metrics = read(tmp_path / "out", "metrics.json")
    # The first sentence of an article has words of its headline in either script.
    assert metrics["results"]["lead_sentence"]["rouge1"]["low"] > 0.05
    assert metrics["training"]["validation"]["loss"] < 7  # of ln 1000 = 6.9 and what random weights add to it
