"""Fine-tuning of classifiers: every family learns by its own recipe, and what is written is what was measured."""

import copy
import json
import math
import os
import random
import re
import signal
from dataclasses import replace
from pathlib import Path

import datasets
import pytest
import torch
import yaml
from datasets import ClassLabel, Dataset, Features, Value
from safetensors.torch import load_file
from tokenizers import AddedToken
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertModel,
    BertTokenizer,
    DebertaV2Config,
    DebertaV2Model,
    DebertaV2Tokenizer,
    DistilBertConfig,
    DistilBertModel,
    DistilBertTokenizer,
    GPT2Config,
    GPT2Model,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizer,
    pipeline,
)

from darija_gpt.classifiers import (
    count_usable_tokens,
    encode_texts,
    find_new_modules,
    frame_texts,
    load_classifier,
    prepare_tokenizer,
)
from darija_gpt.data.labelled import LabelledSource, LabelledSplits, LabelledText
from darija_gpt.finetuning import classifier_trainer
from darija_gpt.finetuning.classification import ClassifierArguments, finetune_classifier
from darija_gpt.finetuning.classifier_preparation import weigh_classes
from darija_gpt.finetuning.classifier_trainer import build_loss
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.recipe import parse_arguments


without_gpu = pytest.mark.skipif(torch.accelerator.is_available(), reason="here is a GPU")
ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "recipes"

# Invented; the words of each class are in no text of another one.
WORDS = {
    "positive": ("zwin bzaf", "3jbni had chi", "زوين بزاف"),
    "negative": ("khayb bzaf", "ma3jbnich", "خايب بزاف"),
    "neutral": ("kayn lyouma", "f dar", "كاين اليوم"),
}
THINGS = ("lmakla", "lfilm", "lkhedma", "ddar", "lbra", "lmatch", "الفيلم", "الماكلة", "الخدمة", "الماتش", "الدار")
# The usual initializer_range of 0.02 makes all words almost equal to a model so narrow.
SIZES = {
    **{"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 48},
    "initializer_range": 0.1,
}


def make_texts(labels, count, seed=0):
    """Rows of text and label that a word tells."""
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        label = labels[number % len(labels)]
        words = list(WORDS.values())[labels.index(label)]
        rows.append({"text": f"{draw.choice(words)} {draw.choice(THINGS)} {draw.choice(THINGS)}", "label": label})
    return rows


def write_rows(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return LabelledSource(str(path))


FAMILIES = {
    "bert": (
        BertTokenizer,
        lambda size, pad: BertModel(BertConfig(**SIZES, vocab_size=size, max_position_embeddings=64)),
    ),
    "roberta": (
        RobertaTokenizer,
        # The padding's position and those before it are none that a text can have; here the padding is token 0.
        lambda size, pad: RobertaModel(
            RobertaConfig(**SIZES, vocab_size=size, max_position_embeddings=65, pad_token_id=pad),
            add_pooling_layer=False,
        ),
    ),
    "distilbert": (
        DistilBertTokenizer,
        lambda size, pad: DistilBertModel(
            DistilBertConfig(
                vocab_size=size,
                n_layers=2,
                dim=32,
                n_heads=2,
                hidden_dim=48,
                max_position_embeddings=64,
                initializer_range=0.1,
            )
        ),
    ),
    "deberta": (
        DebertaV2Tokenizer,
        lambda size, pad: DebertaV2Model(
            DebertaV2Config(
                **SIZES,
                vocab_size=size,
                max_position_embeddings=64,
                relative_attention=True,
                position_buckets=16,
                pos_att_type=["p2c", "c2p"],
                norm_rel_ebd="layer_norm",
                share_att_key=True,
                position_biased_input=False,
            )
        ),
    ),
}


@pytest.fixture(scope="module")
def family_dirs(tmp_path_factory):
    """A tiny pretrained model of each family, as the Hub holds them: without a head."""
    texts = [row["text"] for row in make_texts(list(WORDS), 60)]
    directories = {}
    for name, (tokenizer_class, build) in FAMILIES.items():
        torch.manual_seed(0)
        directory = tmp_path_factory.mktemp("families") / name
        tokenizer = tokenizer_class().train_new_from_iterator(texts, 300)
        model = build(max(len(tokenizer), 300), tokenizer.pad_token_id)
        model.save_pretrained(directory)
        tokenizer.save_pretrained(directory)
        directories[name] = directory
    return directories


@pytest.fixture(scope="module")
def base_dir(tokenizer, tmp_path_factory):
    """A tiny model as pretrain.py leaves it."""
    torch.manual_seed(0)
    directory = tmp_path_factory.mktemp("pretrained") / "base"
    config = DarijaGPTConfig(
        **SIZES, vocab_size=len(tokenizer), max_position_embeddings=64, pad_token_id=tokenizer.pad_token_id
    )
    DarijaGPTForCausalLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    (directory / "training_summary.json").write_text(json.dumps({"stage": "pretrain"}))
    return directory


@pytest.fixture
def texts(tmp_path):
    return write_rows(tmp_path / "texts.jsonl", make_texts(["positive", "negative"], 80))


def build_arguments(model, train, tmp_path, **changes) -> ClassifierArguments:
    settings = {
        "test_fraction": 0.2,
        "validation_fraction": 0.2,
        "num_train_epochs": 3,
        "learning_rate": 5e-3,
        "per_device_train_batch_size": 8,
        "mixed_precision": "no",
    }
    return ClassifierArguments(model=str(model), train=train, output_dir=tmp_path / "out", **settings | changes)


def parse_recipe(name, flags) -> ClassifierArguments:
    """The arguments of a recipe, some of them changed."""
    words = [word for key, value in flags.items() for word in (f"--{key}", str(value))]
    return parse_arguments(ClassifierArguments, ["--config", str(RECIPES / f"{name}.yaml"), *words])


def read_metrics(directory: Path) -> dict:
    return json.loads((directory / "metrics.json").read_text(encoding="utf-8"))


# The columns, classes and splits of the datasets that the recipes name, with invented texts.
HUB = {
    "mteb/AfriSentiClassification": ({"text": "text", "label": "label"}, [0, 2, 1], None),
    "stanfordnlp/imdb": ({"text": "text", "label": "label"}, [1, 0], ["neg", "pos"]),
    "ucirvine/sms_spam": ({"text": "sms", "label": "label"}, [0, 1], ["ham", "spam"]),
    "artem9k/ai-text-detection-pile": ({"text": "text", "label": "source"}, ["human", "ai"], None),
}


@pytest.fixture
def hub(monkeypatch):
    """`datasets` with those on its Hub."""

    def load_dataset(path, name, split, **options):
        columns, labels, class_names = HUB[path]
        rows = make_texts(list(WORDS)[: len(labels)], 160, seed=len(split))
        values = [labels[list(WORDS).index(row["label"])] for row in rows]
        dataset = Dataset.from_dict({columns["text"]: [row["text"] for row in rows], columns["label"]: values})
        if class_names is not None:
            features = Features({columns["text"]: Value("string"), columns["label"]: ClassLabel(names=class_names)})
            dataset = dataset.cast(features)
        return dataset

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)


@pytest.mark.parametrize(
    ("recipe", "labels"),
    [
        ("bert_darija_sentiment", ["positive", "neutral", "negative"]),
        ("bert_imdb", ["neg", "pos"]),
        ("distilbert_spam", ["ham", "spam"]),
        ("roberta_ai_text", ["human", "machine"]),
        ("deberta_ai_text", ["human", "machine"]),
    ],
)
def test_a_recipe_teaches_its_family_to_classify(family_dirs, hub, tmp_path, recipe, labels):
    directory = family_dirs[recipe.partition("_")[0]]
    config = RECIPES / "finetune_others" / f"{recipe}.yaml"
    # Sizes for tiny models, all else is the recipe's.
    flags = {
        "model": directory,
        "output_dir": tmp_path / "out",
        "max_length": 32,
        "per_device_train_batch_size": 4,
        "learning_rate": 3e-3,
        "num_train_epochs": 5,
        "mixed_precision": "no",
    }
    if "freeze_layers" in config.read_text(encoding="utf-8"):
        flags["freeze_layers"] = 1
    finetune_classifier(parse_recipe(f"finetune_others/{recipe}", flags))
    metrics = read_metrics(tmp_path / "out")
    assert metrics["labels"] == labels and metrics["measured_on"] == "test"
    assert metrics["results"]["model"]["macro_f1"]["value"] > 0.8
    wanted = yaml.safe_load(config.read_text(encoding="utf-8"))
    assert set(metrics["results"]) == {"model", *(["baseline"] if wanted.get("baseline") else [])}

    # Anybody's program loads it and says what predictions.jsonl says.
    predictions = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").open(encoding="utf-8")]
    classify = pipeline("text-classification", model=str(tmp_path / "out"), device="cpu")
    for record in predictions[:4]:
        scores = {score["label"]: score["score"] for score in classify(record["text"], top_k=None)}
        assert scores == pytest.approx(record["probabilities"], abs=2e-3)
    names = {path.name for path in (tmp_path / "out").rglob("*")}
    assert {"confusion_matrix.csv", "confusion_matrix.png", "training_summary.json"} <= names
    assert not {"training_args.bin", "trainer_state.json", "optimizer.pt", "seal.json"} & names
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_our_own_base_learns_and_is_compared_with_itself_from_scratch(base_dir, tmp_path):
    readme = tmp_path / "recipe" / "README.md"
    readme.parent.mkdir()
    readme.write_text("# Results\n\n<!-- classifier:begin -->\n<!-- classifier:end -->\n", encoding="utf-8")
    train = write_rows(tmp_path / "train.jsonl", make_texts(["positive", "negative"], 80))
    test = write_rows(tmp_path / "test.jsonl", make_texts(["positive", "negative"], 20, seed=1))
    flags = {
        "model": base_dir,
        "train.path": train.path,
        "test.path": test.path,
        "output_dir": tmp_path / "out",
        "results_readme": readme,
        "per_device_train_batch_size": 8,
        "learning_rate": 5e-3,
        "num_train_epochs": 3,
        "from_scratch_epochs": 1,
        # What spares thousands of tweets leaves too little of eighty sentences.
        "config_fields.residual_dropout": 0.0,
        "config_fields.embedding_dropout": 0.0,
        "mixed_precision": "no",
    }
    finetune_classifier(parse_recipe("darija-small/finetune_classifier", flags))
    metrics = read_metrics(tmp_path / "out")
    assert metrics["results"]["model"]["accuracy"]["value"] > 0.9
    results = {name: result["macro_f1"]["value"] for name, result in metrics["results"].items()}
    for name in ("baseline", "from_scratch"):
        difference = metrics["differences"][name]["macro_f1"]
        assert difference["value"] == pytest.approx(results["model"] - results[name], abs=2e-4)
        assert difference["low"] <= difference["value"] <= difference["high"]
    assert metrics["training"]["from_scratch"]["epochs"] == 1 and metrics["training"]["model"]["epochs"] == 3
    summary = json.loads((tmp_path / "out" / "training_summary.json").read_text())
    assert summary["stage"] == "finetune_classifier" and summary["base"] == {"stage": "pretrain"}
    assert str(tmp_path) not in json.dumps(metrics)
    written = readme.read_text(encoding="utf-8")
    assert f"| fine-tuned | {metrics['results']['model']['accuracy']['value']:.3f} (" in written
    assert json.loads((readme.parent / "results" / "classifier_metrics.json").read_text()) == metrics


def test_a_pair_of_texts_is_judged_together(base_dir, tmp_path):
    draw = random.Random(0)
    things = ["lmakla", "lfilm"]
    pairs = [(first, second) for first in things for second in things] * 30
    rows = [
        {
            "text": f"{first} {draw.randrange(100)}",
            "other": f"{second} {draw.randrange(100)}",
            "label": first == second,
        }
        for first, second in pairs
    ]
    write_rows(tmp_path / "pairs.jsonl", rows)
    source = LabelledSource(str(tmp_path / "pairs.jsonl"), pair_column="other")
    finetune_classifier(
        build_arguments(base_dir, source, tmp_path, num_train_epochs=8, label_names={"True": "same", "False": "other"})
    )
    metrics = read_metrics(tmp_path / "out")
    assert metrics["labels"] == ["same", "other"]
    # Neither text alone says anything, so half would be chance.
    assert metrics["results"]["model"]["accuracy"]["value"] > 0.8
    record = json.loads((tmp_path / "out" / "predictions.jsonl").open(encoding="utf-8").readline())
    assert record["pair"].split()[0] in things


def test_a_lora_adapter_is_kept_and_merged_with_the_head_that_it_learnt(family_dirs, texts, tmp_path):
    from peft import PeftModel

    arguments = build_arguments(family_dirs["distilbert"], texts, tmp_path, lora={"r": 2}, num_train_epochs=1)
    finetune_classifier(arguments)
    merged = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").eval()
    base = AutoModelForSequenceClassification.from_pretrained(family_dirs["distilbert"], num_labels=2).eval()
    before = copy.deepcopy(base.state_dict())
    adapted = PeftModel.from_pretrained(base, tmp_path / "out" / "adapter").eval()
    ids = torch.arange(5, 25)[None]
    with torch.no_grad():
        torch.testing.assert_close(merged(ids).logits, adapted(ids).logits, atol=1e-5, rtol=1e-5)
    # What nobody had trained yet, pre_classifier too, learns whole; the rest stays but for the low-rank part.
    saved = load_file(tmp_path / "out" / "adapter" / "adapter_model.safetensors")
    assert {"base_model.model.pre_classifier.weight", "base_model.model.classifier.weight"} <= set(saved)
    word_embeddings = "distilbert.embeddings.word_embeddings.weight"
    assert torch.equal(merged.state_dict()[word_embeddings], before[word_embeddings])
    metrics = read_metrics(tmp_path / "out")
    assert metrics["training"]["model"]["method"] == "lora"
    learnt = sum(tensor.numel() for tensor in saved.values())
    assert metrics["training"]["model"]["trainable_parameters"] == learnt
    assert not (tmp_path / "out" / "adapter" / "README.md").exists()
    assert str(tmp_path) not in (tmp_path / "out" / "adapter" / "adapter_config.json").read_text()


def test_modules_that_are_to_learn_whole_learn_beside_those_that_are_new(family_dirs, texts, tmp_path):
    lora = {"r": 2, "modules_to_save": ["position_embeddings", "classifier"]}
    finetune_classifier(build_arguments(family_dirs["distilbert"], texts, tmp_path, lora=lora, num_train_epochs=1))
    saved = load_file(tmp_path / "out" / "adapter" / "adapter_model.safetensors")
    whole = {name.removeprefix("base_model.model.") for name in saved if "lora_" not in name}
    heads = {f"{head}.{part}" for head in ("pre_classifier", "classifier") for part in ("weight", "bias")}
    assert whole == heads | {"distilbert.embeddings.position_embeddings.weight"}


def test_a_model_that_was_for_several_labels_at_once_learns_to_choose_one(family_dirs, texts, tmp_path):
    base = tmp_path / "base"
    config = {"num_labels": 6, "problem_type": "multi_label_classification"}
    AutoModelForSequenceClassification.from_pretrained(family_dirs["bert"], **config).save_pretrained(base)
    AutoTokenizer.from_pretrained(family_dirs["bert"]).save_pretrained(base)
    finetune_classifier(build_arguments(base, texts, tmp_path, num_train_epochs=1))
    judge = pipeline("text-classification", model=str(tmp_path / "out"), top_k=None)
    record = json.loads((tmp_path / "out" / "predictions.jsonl").open(encoding="utf-8").readline())
    for judged in judge([record["text"]])[0]:
        assert judged["score"] == pytest.approx(record["probabilities"][judged["label"]], abs=1e-3)
    with pytest.raises(ValueError, match=r"config_fields\.problem_type follows from the classes of the texts; leave"):
        load_classifier(base, ["a", "b"], {"problem_type": "multi_label_classification"})


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("bert", ["bert.pooler", "classifier"]),
        ("roberta", ["classifier"]),
        ("distilbert", ["pre_classifier", "classifier"]),
        ("deberta", ["pooler", "classifier"]),
    ],
)
def test_what_nobody_has_trained_yet_is_known(family_dirs, tmp_path, name, new):
    model, tokenizer, missing = load_classifier(family_dirs[name], ["a", "b"])
    expected = [module for module in new if module != "bert.pooler"]  # it came with the pretrained model
    assert find_new_modules(model, missing) == expected
    assert count_usable_tokens(model, tokenizer) == 64
    if name == "bert":
        BertModel(model.config, add_pooling_layer=False).save_pretrained(tmp_path / "bert")
        tokenizer.save_pretrained(tmp_path / "bert")
        model, _, missing = load_classifier(tmp_path / "bert", ["a", "b"])
        assert find_new_modules(model, missing) == new


@pytest.mark.parametrize("changes", [{"freeze_layers": 1}, {"freeze_patterns": ["embeddings", r"layer\.0\."]}])
def test_frozen_weights_are_those_of_the_base_and_the_head_learns(family_dirs, texts, tmp_path, changes, capsys):
    finetune_classifier(build_arguments(family_dirs["bert"], texts, tmp_path, num_train_epochs=1, **changes))
    before = load_file(family_dirs["bert"] / "model.safetensors")
    after = load_file(tmp_path / "out" / "model.safetensors")
    for name, weights in before.items():
        stays = name.startswith(("embeddings.", "encoder.layer.0."))
        assert torch.equal(after[f"bert.{name}"], weights) == stays, name
    summary = json.loads((tmp_path / "out" / "training_summary.json").read_text())
    frozen = sum(w.numel() for name, w in before.items() if name.startswith(("embeddings.", "encoder.layer.0.")))
    assert summary["method"] == "frozen"
    assert summary["trainable_parameters"] == summary["parameters"] - frozen
    assert (
        f"frozen: {summary['trainable_parameters']:,} of {summary['parameters']:,} parameters"
        in capsys.readouterr().out
    )


def test_the_loss_weighs_classes_and_texts_as_the_formula_says():
    torch.manual_seed(0)
    logits, labels = torch.randn(8, 3), torch.tensor([0, 1, 2, 0, 0, 1, 2, 2])
    weights = [0.5, 1.0, 3.0]
    by_hand = sum(
        -weights[label] * torch.log_softmax(row, dim=0)[label]
        for row, label in zip(logits, labels.tolist(), strict=True)
    )
    compute_loss = build_loss(weights)
    torch.testing.assert_close(compute_loss({"logits": logits}, labels), by_hand / 8)
    # Two batches of a step that is accumulated, of unequal sizes, are worth the whole.
    parts = [compute_loss({"logits": logits[part]}, labels[part], 8) for part in (slice(0, 6), slice(6, 8))]
    torch.testing.assert_close(sum(parts), by_hand / 8)


def test_balanced_weights_let_every_class_count_alike():
    rows = [LabelledText(str(n), label) for n, label in enumerate(["a"] * 6 + ["b"] * 3 + ["c"])]
    data = LabelledSplits(["a", "b", "c"], {"train": rows}, {"train": {}})
    weights = weigh_classes("balanced", data)
    assert [count * weight for count, weight in zip((6, 3, 1), weights, strict=True)] == pytest.approx([10 / 3] * 3)
    assert weigh_classes({"c": 1.0, "a": 2.0, "b": 3.0}, data) == [2.0, 3.0, 1.0]
    with pytest.raises(
        ValueError, match=r"class_weights={a: 2.0}; give a positive and finite weight for each of a, b, c"
    ):
        weigh_classes({"a": 2.0}, data)


def test_an_accumulated_step_is_the_step_of_the_whole_batch(base_dir, texts, tmp_path):
    """All texts are one step: at once, and in three batches of 16 and a smaller one."""
    weights = []
    for batch_size, num_batches in ((64, 1), (16, 4)):
        arguments = build_arguments(
            base_dir,
            texts,
            tmp_path,
            num_train_epochs=2,
            per_device_train_batch_size=batch_size,
            gradient_accumulation_steps=num_batches,
            class_weights={"negative": 2.0, "positive": 1.0},
        )
        output_dir = tmp_path / str(batch_size)
        finetune_classifier(replace(arguments, output_dir=output_dir))
        assert 48 < read_metrics(output_dir)["data"]["train"]["rows"] < 64
        assert read_metrics(output_dir)["training"]["model"]["steps"] == 2
        weights.append(load_file(output_dir / "model.safetensors"))
    torch.testing.assert_close(weights[1], weights[0], atol=2e-4, rtol=0)


def cut_off(monkeypatch, name: str, epoch: int):
    """Ends a training at the end of an epoch, before it is saved, as a power cut would."""
    report = classifier_trainer.ReportEpochs.on_evaluate

    def end(self, args, state, control, metrics=None, **kwargs):
        report(self, args, state, control, metrics=metrics, **kwargs)
        if self.name == name and round(state.epoch) == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(classifier_trainer.ReportEpochs, "on_evaluate", end)


def test_a_run_that_was_cut_off_ends_with_the_weights_that_it_would_have_had(base_dir, texts, tmp_path, monkeypatch):
    arguments = build_arguments(
        base_dir, texts, tmp_path, learning_rate=5e-4, from_scratch=True, config_fields={"residual_dropout": 0.1}
    )
    finetune_classifier(replace(arguments, output_dir=tmp_path / "whole"))

    for name, epoch in (("model", 3), ("from scratch", 2)):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            cut_off(patch, name, epoch)
            finetune_classifier(arguments)
    checkpoints = tmp_path / ".out.checkpoints"
    assert not list(checkpoints.rglob("training_args.bin"))
    with pytest.raises(ValueError, match=r"unfinished run with another recipe; give the same again"):
        finetune_classifier(replace(arguments, weight_decay=0.1))
    weights = (base_dir / "model.safetensors").read_bytes()
    with pytest.raises(ValueError, match=r"unfinished run with another content of the model; give the same again"):
        (base_dir / "model.safetensors").write_bytes(weights[:-4] + b"\0\0\0\0")
        finetune_classifier(arguments)
    (base_dir / "model.safetensors").write_bytes(weights)
    finetune_classifier(arguments)
    assert not checkpoints.exists()
    for name, weights in load_file(tmp_path / "whole" / "model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "out" / "model.safetensors")[name], weights), name
    whole, resumed = read_metrics(tmp_path / "whole"), read_metrics(tmp_path / "out")
    assert whole["results"] == resumed["results"]
    assert json.loads((tmp_path / "out" / "config.json").read_text())["residual_dropout"] == 0.1


def test_a_run_stops_when_asked_and_goes_on_to_the_same_weights(base_dir, texts, tmp_path, monkeypatch, capsys):
    arguments = build_arguments(
        base_dir, texts, tmp_path, learning_rate=5e-4, from_scratch=True, config_fields={"residual_dropout": 0.1}
    )
    finetune_classifier(replace(arguments, output_dir=tmp_path / "whole"))
    ends = signal.getsignal(signal.SIGTERM)

    def run_until(directory, step):
        class Stops(classifier_trainer.StopWhenAsked):
            def on_step_end(self, args, state, control, **kwargs):
                if Path(args.output_dir).name == directory and state.global_step == step:
                    os.kill(os.getpid(), signal.SIGTERM)
                super().on_step_end(args, state, control, **kwargs)

        with monkeypatch.context() as patch, pytest.raises(SystemExit) as end:
            patch.setattr(classifier_trainer, "StopWhenAsked", Stops)
            finetune_classifier(arguments)
        assert end.value.code == 143
        assert f"stopped after step {step} by SIGTERM; the same command goes on" in capsys.readouterr().err
        assert (tmp_path / ".out.checkpoints" / directory / f"checkpoint-{step}" / "seal.json").is_file()

    run_until("model", 5)  # within the second epoch
    run_until("from_scratch", 2)  # within the first
    assert signal.getsignal(signal.SIGTERM) is ends and not (tmp_path / "out").exists()
    finetune_classifier(arguments)
    for name, weights in load_file(tmp_path / "whole" / "model.safetensors").items():
        assert torch.equal(load_file(tmp_path / "out" / "model.safetensors")[name], weights), name
    assert read_metrics(tmp_path / "whole")["results"] == read_metrics(tmp_path / "out")["results"]


@pytest.mark.parametrize("damage", ["cut", "flip", "remove"])
def test_a_damaged_checkpoint_is_never_gone_on_from(base_dir, texts, tmp_path, monkeypatch, capsys, damage):
    arguments = build_arguments(base_dir, texts, tmp_path)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        cut_off(patch, "model", 2)
        finetune_classifier(arguments)
    optimizer = next((tmp_path / ".out.checkpoints").rglob("optimizer.pt"))
    content = bytearray(optimizer.read_bytes())
    if damage == "remove":
        optimizer.unlink()
    else:
        content[len(content) // 2] ^= 1
        optimizer.write_bytes(content[: len(content) // 2] if damage == "cut" else content)
    with pytest.raises(SystemExit) as end:
        finetune_classifier(arguments)
    assert end.value.code == 3
    assert re.search(r"checkpoint-\d+ is damaged and left out", capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_no_number_ends_the_run(base_dir, texts, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        finetune_classifier(build_arguments(base_dir, texts, tmp_path, learning_rate=1e30, warmup_ratio=0.0))
    assert end.value.code == 4
    assert "the loss is no number any more; lower learning_rate" in capsys.readouterr().err
    assert not list(tmp_path.glob("*out*"))  # so that what it asks for is not refused


def test_training_stops_early_and_takes_the_best_epoch(base_dir, texts, tmp_path):
    arguments = build_arguments(base_dir, texts, tmp_path, num_train_epochs=20, early_stopping_patience=2)
    finetune_classifier(arguments)
    training = read_metrics(tmp_path / "out")["training"]["model"]
    assert training["epochs"] == training["best_epoch"] + 2 < 20
    # Another look at the model that was kept finds the numbers of that epoch.
    assert training["validation"]["macro_f1"] == 1.0


def test_a_typed_control_token_stays_text_and_the_frame_is_the_tokenizers(family_dirs, base_dir, tmp_path):
    for directory in [*family_dirs.values(), base_dir]:
        model, tokenizer, _ = load_classifier(directory, ["a", "b"])
        prepare_tokenizer(tokenizer, model)
        frame_texts(tokenizer)
        # Some have control tokens that no list of special ones names.
        tokenizer.add_tokens([AddedToken("<|reserved_5|>", special=True, normalized=False)], special_tokens=True)
        tokenizer.save_pretrained(tmp_path / directory.name)
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / directory.name)
        controls = [*tokenizer.all_special_tokens, "<|reserved_5|>"]
        texts = ["lmakla", f"lmakla {' '.join(controls)}"]
        (plain, typed), _ = encode_texts(tokenizer, texts, max_length=200, truncation=False, name="train")
        special = set(tokenizer.convert_tokens_to_ids(controls)) - {tokenizer.unk_token_id}
        frame = [token for token in plain["input_ids"] if token in special]
        assert len(frame) == 2, directory
        assert [token for token in typed["input_ids"] if token in special] == frame


def test_long_texts_are_cut_at_their_end_when_asked_to(base_dir):
    model, tokenizer, _ = load_classifier(base_dir, ["a", "b"])
    prepare_tokenizer(tokenizer, model)
    frame_texts(tokenizer)
    texts = ["lmakla " * 50, "lmakla"]
    encodings, num_cut = encode_texts(tokenizer, texts, max_length=10, truncation=True, name="train")
    assert num_cut == 1 and len(encodings[0]["input_ids"]) == 10
    end = tokenizer.eos_token_id
    assert encodings[0]["input_ids"][0] == encodings[0]["input_ids"][-1] == end


def test_a_sentencepiece_model_becomes_debertas_tokenizer(family_dirs, tmp_path):
    """microsoft/deberta-v3-base has its tokenizer as spm.model only."""
    pytest.importorskip("sentencepiece", reason="needs pip install -c constraints.txt -e '.[sentencepiece]'")
    import sentencepiece

    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(row["text"] for row in make_texts(list(WORDS), 60)), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(tmp_path / "spm"),
        vocab_size=60,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="[PAD]",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        unk_piece="[UNK]",
        minloglevel=2,
    )
    directory = tmp_path / "deberta"
    DebertaV2Model.from_pretrained(family_dirs["deberta"]).save_pretrained(directory)
    (tmp_path / "spm.model").rename(directory / "spm.model")
    (directory / "tokenizer_config.json").write_text('{"do_lower_case": false, "vocab_type": "spm"}')
    model, tokenizer, _ = load_classifier(directory, ["a", "b"])
    prepare_tokenizer(tokenizer, model)
    (encoding,), _ = encode_texts(tokenizer, ["lmakla zwin bzaf"], max_length=64, truncation=False, name="train")
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(directory / "spm.model")).encode(
        "lmakla zwin bzaf", out_type=str
    )
    assert tokenizer.convert_ids_to_tokens(encoding["input_ids"]) == ["[CLS]", *pieces, "[SEP]"]


def test_an_adapter_is_merged_before_training_and_one_of_another_base_is_refused(
    base_dir, family_dirs, texts, tmp_path
):
    from peft import LoraConfig, get_peft_model

    from darija_gpt.adapters import merge_adapter
    from darija_gpt.finetuning.adapters import save_adapter

    torch.manual_seed(1)
    config = LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    adapted = get_peft_model(DarijaGPTForCausalLM.from_pretrained(base_dir), config)
    save_adapter(adapted, base_dir, tmp_path / "adapter")
    expected = adapted.merge_and_unload().state_dict()
    model, tokenizer, _ = load_classifier(base_dir, ["a", "b"])
    merged = merge_adapter(model, tokenizer, tmp_path / "adapter", base_dir).state_dict()
    for name, weights in merged.items():
        assert name == "score.weight" or torch.equal(weights, expected[name]), name

    # Known by its name, by its weights where the name is the same, and where the shapes are others.
    for directory, rename, words in (
        (family_dirs["bert"], False, "was trained on base, and the model is"),
        (family_dirs["bert"], True, "it is another model's|so it is another model's"),
    ):
        if rename:
            file = tmp_path / "adapter" / "adapter_config.json"
            file.write_text(json.dumps(json.loads(file.read_text()) | {"base_model_name_or_path": "bert"}))
        arguments = build_arguments(directory, texts, tmp_path, adapter=tmp_path / "adapter")
        with pytest.raises(ValueError, match=words):
            finetune_classifier(arguments)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "nowhere/at/all"}, "nowhere/at/all"),
        ({"max_length": 400}, r"max_length=400 is more than .* reads, which is 64 tokens"),
        ({"max_length": 4}, r"texts of train are longer than 4 tokens, .*--truncation true"),
        ({"config_fields": {"dropout": 0.1}}, "config_fields: unknown key dropout; did you mean .*_dropout"),
        ({"config_fields": {"hidden_size": 48}}, r"\d+ weights have other sizes, such as model\..*; leave out"),
        ({"config_fields": {"num_attention_heads": 1}}, r"config_fields: .*num_attention_heads=1 is not a multiple"),
        ({"config_fields": {"num_attention_heads": 4}}, r"\d+ weights have other sizes, such as .*_proj"),
        ({"config_fields": {"attention_dropout": 2}}, r"config_fields: attention_dropout=2 must be at least 0 and b"),
        ({"config_fields": {"norm": "batchnorm"}}, r"config_fields: norm=batchnorm shows .*; set allow_future_stat"),
        ({"config_fields": {"classifier_pooling": "max"}}, r"classifier_pooling.* expected one of \('last', 'mean'\)"),
        ({"early_stopping_patience": 0}, "early_stopping_patience=0 must be positive"),
        ({"from_scratch_epochs": -1}, "from_scratch_epochs=-1 must be positive"),
        ({"from_scratch_learning_rate": 0.0}, "from_scratch_learning_rate=0.0 must be positive"),
        ({"lora": {"rank": 4}}, "unknown key rank"),
        ({"lora": {"r": 4}, "freeze_layers": 1}, "leave out freeze_layers"),
        ({"freeze_layers": 3}, "freeze_layers=3 is none of 0 to 2"),
        ({"class_weights": {"x": 1.0}}, r"class_weights={x: 1.0}; give a positive and finite weight"),
        *(
            ({"class_weights": {"positive": 1.0, "negative": weight}}, f"class_weights=.*negative: {weight}")
            for weight in (math.nan, math.inf, 0.0, -1.0)
        ),
        ({"lora": {"modules_to_save": "pooler"}}, r"lora\.modules_to_save='pooler': input should be a valid list"),
        ({"lora": {"modules_to_save": [3]}}, r"lora\.modules_to_save\[0\]=3: input should be a valid string"),
        ({"validation_fraction": 1.0}, "validation_fraction=1.0 must be between 0 and 1"),
        ({"learning_rate": 0.0}, "learning_rate=0.0 must be positive"),
        ({"results_readme": Path("nowhere.md")}, "nowhere.md"),
        ({"adapter": Path("nowhere")}, "adapter=nowhere holds no adapter_config.json"),
        pytest.param({"mixed_precision": "fp16"}, "mixed_precision=fp16 needs a GPU", marks=without_gpu),
        ({"pad_token": "<none>"}, "pad_token=<none> is no token of the model"),
    ],
)
def test_bad_input_is_refused_and_leaves_nothing(base_dir, texts, tmp_path, changes, words):
    with pytest.raises((ValueError, OSError), match=words):
        finetune_classifier(build_arguments(**{"model": base_dir, "train": texts, "tmp_path": tmp_path, **changes}))
    assert [path.name for path in tmp_path.iterdir()] == ["texts.jsonl"]


def test_a_model_without_a_padding_token_asks_for_one(tokenizer, texts, tmp_path):
    own_tokenizer = copy.deepcopy(tokenizer)
    own_tokenizer.pad_token = None
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=64)
    GPT2Model(config).save_pretrained(tmp_path / "gpt2")
    own_tokenizer.save_pretrained(tmp_path / "gpt2")
    arguments = build_arguments(tmp_path / "gpt2", texts, tmp_path, num_train_epochs=1)
    with pytest.raises(ValueError, match=r"no padding token; name one, such as --pad_token '<\|endoftext\|>'"):
        finetune_classifier(arguments)
    finetune_classifier(replace(arguments, pad_token="<|endoftext|>"))
    assert AutoTokenizer.from_pretrained(tmp_path / "out").pad_token == "<|endoftext|>"
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").config.pad_token_id is not None


def test_a_tokenizer_of_another_model_is_refused(family_dirs, tokenizer, texts, tmp_path):
    model = BertModel(BertConfig(**SIZES, vocab_size=50, max_position_embeddings=64))
    model.save_pretrained(tmp_path / "mixed")
    tokenizer.save_pretrained(tmp_path / "mixed")
    with pytest.raises(ValueError, match=r"the tokenizer has \d+ entries and the model embeddings for 50"):
        finetune_classifier(build_arguments(tmp_path / "mixed", texts, tmp_path))
