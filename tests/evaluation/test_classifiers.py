"""Classifiers that decide together, and what is refused."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2ForSequenceClassification, pipeline

from darija_gpt.classifiers import frame_texts, prepare_tokenizer
from darija_gpt.data.labelled import LabelledSource
from darija_gpt.evaluation.classifiers import EvaluateClassifierArguments, choose_name, combine, evaluate_classifier
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForSequenceClassification
from darija_gpt.recipe import parse_arguments


TEXTS = [("salam khouya", "good"), ("fin ghadi daba?", "bad"), ("labas lhamdolah", "good"), ("والو", "bad")]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "texts.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in TEXTS))
    return LabelledSource(str(path))


@pytest.fixture(scope="module")
def model_dirs(tokenizer, tmp_path_factory):
    """Random classifiers, the last with its classes in another order."""
    directories = []
    for seed, labels in enumerate((["bad", "good"], ["bad", "good"], ["good", "bad"])):
        torch.manual_seed(seed)
        config = DarijaGPTConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=32,
            initializer_range=1.0,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
        directory = tmp_path_factory.mktemp("classifier") / f"seed{seed}"
        model = DarijaGPTForSequenceClassification(config)
        own_tokenizer = copy.deepcopy(tokenizer)
        prepare_tokenizer(own_tokenizer, model)
        frame_texts(own_tokenizer)
        model.save_pretrained(directory)
        own_tokenizer.save_pretrained(directory)
        directories.append(str(directory))
    return directories


def evaluate(models, data, output_dir, **changes):
    evaluate_classifier(EvaluateClassifierArguments(models=models, data=data, output_dir=output_dir, **changes))
    lines = (output_dir / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return json.loads((output_dir / "metrics.json").read_text(encoding="utf-8")), [json.loads(line) for line in lines]


def test_probabilities_are_averaged_and_votes_counted():
    first, second, third = np.array([[0.9, 0.1, 0.0]]), np.array([[0.4, 0.6, 0.0]]), np.array([[0.45, 0.55, 0.0]])
    together = combine([first, second, third])
    np.testing.assert_allclose(together["mean"], [[1.75 / 3, 1.25 / 3, 0]])
    # Two of three vote for the second class, though the mean is for the first.
    assert together["mean"].argmax() == 0 and together["majority"].argmax() == 1


def test_between_equal_votes_the_mean_probability_decides():
    assert combine([np.array([[0.6, 0.4]]), np.array([[0.1, 0.9]])])["majority"].argmax() == 1
    assert combine([np.array([[0.9, 0.1]]), np.array([[0.4, 0.6]])])["majority"].argmax() == 0


def test_several_models_decide_by_the_mean_whatever_the_order_of_their_classes(model_dirs, data, tmp_path):
    alone = []
    for number, path in enumerate(model_dirs):
        metrics, predictions = evaluate([path], data, tmp_path / str(number))
        assert "ensemble" not in metrics and "others" not in predictions[0]
        alone.append([record["probabilities"] for record in predictions])
    metrics, predictions = evaluate(model_dirs, data, tmp_path / "together")
    assert set(metrics["models"]) == {"seed0", "seed1", "seed2"} and set(metrics["ensemble"]) == {"mean", "majority"}
    for place, record in enumerate(predictions):
        for label in ("good", "bad"):
            mean = np.mean([probabilities[place][label] for probabilities in alone])
            assert record["probabilities"][label] == pytest.approx(mean, abs=1e-4)
        assert record["predicted"] == max(record["probabilities"], key=record["probabilities"].get)
        assert set(record["others"]) == {"seed0", "seed1", "seed2"}
    best = max(metrics["models"].values(), key=lambda result: result["macro_f1"]["value"])
    assert metrics["models"][metrics["best_model"]] == best
    gain = metrics["gains"]["mean"]["accuracy"]["value"]
    assert gain == pytest.approx(
        metrics["ensemble"]["mean"]["accuracy"]["value"] - best["accuracy"]["value"], abs=1e-4
    )


def test_the_recipe_of_the_ensemble_lets_two_decide(model_dirs, data, tmp_path):
    recipe = Path(__file__).resolve().parents[2] / "recipes" / "finetune_others" / "ensemble_ai_text.yaml"
    flags = ["--models", *model_dirs[:2], "--data.path", data.path, "--output_dir", str(tmp_path / "out")]
    evaluate_classifier(parse_arguments(EvaluateClassifierArguments, ["--config", str(recipe), *flags]))
    assert set(json.loads((tmp_path / "out" / "metrics.json").read_text())["models"]) == {"seed0", "seed1"}


def test_what_a_classifier_said_can_be_measured_again(model_dirs, data, tmp_path):
    first, _ = evaluate(model_dirs[:1], data, tmp_path / "first")
    again, _ = evaluate(
        model_dirs[:1], LabelledSource(str(tmp_path / "first" / "predictions.jsonl")), tmp_path / "again"
    )
    assert first == again


@pytest.mark.parametrize("has_padding", [True, False])
def test_somebody_elses_classifier_reads_texts_as_its_own_tokenizer_gives_them(tokenizer, data, tmp_path, has_padding):
    """As on the Hub: GPT-2's tokenizer puts nothing around a text, and has no padding token."""
    own_tokenizer = copy.deepcopy(tokenizer)
    own_tokenizer.pad_token = "<|pad|>" if has_padding else None
    torch.manual_seed(0)
    config = GPT2Config(
        **{"vocab_size": len(tokenizer), "n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64},
        **{"initializer_range": 1.0, "id2label": {0: "bad", 1: "good"}, "label2id": {"bad": 0, "good": 1}},
        pad_token_id=tokenizer.pad_token_id,
    )
    GPT2ForSequenceClassification(config).save_pretrained(tmp_path / "gpt2")
    own_tokenizer.save_pretrained(tmp_path / "gpt2")
    models, changes = [str(tmp_path / "gpt2")], {} if has_padding else {"pad_token": "<|pad|>"}
    if not has_padding:
        with pytest.raises(ValueError, match="no padding token; name one, such as --pad_token"):
            evaluate(models, data, tmp_path / "out")
    _, predictions = evaluate(models, data, tmp_path / "out", **changes)
    judge = pipeline("text-classification", model=models[0], top_k=None)
    for record in predictions:
        for judged in judge([record["text"]])[0]:
            assert judged["score"] == pytest.approx(record["probabilities"][judged["label"]], abs=1e-3)


def test_two_models_of_one_name_are_told_apart(tmp_path):
    assert choose_name("user/name", []) == "user/name"
    (tmp_path / "classifier").mkdir()
    assert choose_name(str(tmp_path / "classifier"), ["classifier"]) == "classifier (2)"


@pytest.mark.parametrize(
    ("models", "changes", "words"),
    [
        (["nowhere/at/all"], {}, "nowhere/at/all"),
        (["{llama}"], {}, "is no classifier: it lacks"),
        (["{good}", "{other}"], {}, "knows ham, spam, and the model before it bad, good"),
        (["{other}"], {}, "4 of 4 texts have a class that"),
        (["{adapter}"], {}, "it is an adapter: give the directory of the merged model"),
        (["{good}"], {"label_names": {"x": "y"}}, "none of the values in label_names"),
    ],
)
def test_models_that_do_not_fit_are_refused_and_nothing_is_written(
    model_dirs, data, tiny_llama_dir, tokenizer, tmp_path, models, changes, words
):
    config = DarijaGPTConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    config.id2label, config.label2id = {0: "ham", 1: "spam"}, {"ham": 0, "spam": 1}
    DarijaGPTForSequenceClassification(config).save_pretrained(tmp_path / "other")
    tokenizer.save_pretrained(tmp_path / "other")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    places = {
        "llama": tiny_llama_dir,
        "good": model_dirs[0],
        "other": tmp_path / "other",
        "adapter": tmp_path / "adapter",
    }
    with pytest.raises(ValueError) as error:
        evaluate([model.format(**places) for model in models], data, tmp_path / "out", **changes)
    assert words in str(error.value)
    assert not (tmp_path / "out").exists()
