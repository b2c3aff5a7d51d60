"""The modules for `evaluate`, loaded by path as anyone would, without a network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from darija_gpt.evaluation.bits_per_byte import measure_bits_per_byte


evaluate = pytest.importorskip("evaluate")

METRICS = Path(__file__).resolve().parents[2] / "darija_gpt" / "evaluation" / "metrics"
MODULES = sorted(path for path in METRICS.iterdir() if path.is_dir() and not path.name.startswith("_"))


@pytest.fixture(scope="module", params=MODULES, ids=lambda path: path.name)
def folder(request):
    return request.param


def load(name: str):
    return evaluate.load(str(METRICS / name))


def test_a_module_says_what_it_takes_and_gives(folder):
    module = evaluate.load(str(folder))
    assert "predictions" in str(module.features) and module.description.strip() and module.citation.strip()
    assert "Args:" in module.inputs_description and "Returns:" in module.inputs_description


def test_a_folder_is_a_space_as_it_stands(folder):
    _, front_matter, body = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    card = yaml.safe_load(front_matter)
    assert card["sdk"] == "gradio" and {"evaluate", "metric"} <= set(card["tags"]) and "license" in card
    assert (folder / card["app_file"]).is_file() and f'"{folder.name}.py"' in (folder / "app.py").read_text()
    assert "evaluate" in (folder / "requirements.txt").read_text() and "## Limits" in body
    # Nothing of the package, which a Space has not got.
    assert "darija_gpt" not in "".join(
        line for line in (folder / f"{folder.name}.py").read_text().splitlines() if "import" in line.split()
    )


def test_bits_per_byte_are_those_of_the_evaluate_stage(tiny_llama, tiny_llama_dir, tokenizer, darija):
    texts = ["salam", "\n".join(darija), *darija[:3]]
    rows = [{"text": text, "messages": None, "script": "mixed"} for text in texts]
    expected = measure_bits_per_byte(tiny_llama, tokenizer, rows)["all"]

    measured = load("bits_per_byte").compute(predictions=texts, model_id=str(tiny_llama_dir))
    assert measured["bits_per_byte"] == pytest.approx(expected["bits_per_byte"], rel=1e-5)
    assert (measured["num_bytes"], measured["num_tokens"]) == (expected["bytes"], expected["tokens"])
    for value, row in zip(measured["by_text"], rows, strict=True):
        alone = measure_bits_per_byte(tiny_llama, tokenizer, [row])["all"]["bits_per_byte"]
        assert value == pytest.approx(alone, rel=1e-5)


def test_perplexity_is_that_of_each_text_and_their_mean(tiny_llama_dir, darija):
    texts = ["\n\n".join(darija), darija[0]]
    options = {"model_id": str(tiny_llama_dir), "max_length": 40, "stride": 15}
    together = load("perplexity").compute(predictions=texts, **options)
    alone = [load("perplexity").compute(predictions=[text], **options)["mean_perplexity"] for text in texts]
    assert together["perplexities"] == pytest.approx(alone)
    assert together["mean_perplexity"] == pytest.approx(sum(alone) / 2)


def test_a_model_without_a_clue_has_the_perplexity_of_its_vocabulary(tiny_llama, tokenizer, tmp_path):
    import copy

    model = copy.deepcopy(tiny_llama)
    torch.nn.init.zeros_(model.lm_head.weight)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    measured = load("perplexity").compute(predictions=["salam khouya"], model_id=str(tmp_path))
    assert measured["mean_perplexity"] == pytest.approx(len(tokenizer), rel=1e-5)


def test_distinct_n_counts_by_hand_in_both_scripts():
    module = load("distinct_n")
    # labas, labas, hamdullah and لاباس, لاباس, 3lik: four different words of six, four different pairs of four.
    measured = module.compute(predictions=["Labas labas hamdullah", "لاباس، لاباس 3lik!"], n=[1, 2, 4])
    assert measured == {"distinct_1": 4 / 6, "distinct_2": 1.0, "distinct_4": 0.0}
    assert module.compute(predictions=["safi"] * 10)["distinct_1"] == 0.1
    with pytest.raises(ValueError, match="at least one word"):
        module.compute(predictions=["safi"], n=[0])


def test_chrf_is_sacrebleus_and_that_of_the_definition():
    module = load("chrf")
    assert module.compute(predictions=["labas 3lik"], references=["labas 3lik"])["score"] == pytest.approx(100)
    assert module.compute(predictions=["labas"], references=["لاباس"])["score"] == 0
    # Of single characters alone: 3 of 4 are right, 3 of 5 found; F2 of 0.75 and 0.6.
    measured = module.compute(predictions=["abcx"], references=["abcde"], char_order=1)
    assert measured["score"] == pytest.approx(100 * 5 * 0.75 * 0.6 / (4 * 0.75 + 0.6))
    several = module.compute(predictions=["labas"], references=[["mzyan", "labas"]])
    assert several["score"] == pytest.approx(100) and "nrefs:2" in several["signature"]
    assert module.compute(predictions=["salam"], references=["salam"], word_order=2)["signature"].count("nw:2") == 1


def test_the_modules_load_where_darija_gpt_is_not_installed_and_nothing_can_be_fetched(tmp_path):
    code = (
        "import sys; sys.modules['darija_gpt'] = None; import socket; socket.socket.connect = None; import evaluate\n"
        "for folder in sys.argv[1:]: print(type(evaluate.load(folder)).__name__)"
    )
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_EVALUATE_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", code, *MODULES]
    process = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert process.returncode == 0, process.stderr
    names = process.stdout.replace("ChrF", "chrf").lower().split()
    assert names == [folder.name.replace("_", "") for folder in MODULES]
