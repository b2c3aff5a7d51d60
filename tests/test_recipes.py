"""The recipes keep what their READMEs say."""

import json
import re
from pathlib import Path

import pytest
import yaml

from darija_gpt.card import render_results
from darija_gpt.evaluation.audit_report import render_audit_results
from darija_gpt.finetuning.alignment_report import RESULTS_FILE as ALIGNMENT_FILE
from darija_gpt.finetuning.alignment_report import SECTION as ALIGNMENT
from darija_gpt.finetuning.alignment_report import render_alignment_results
from darija_gpt.finetuning.classifier_report import RESULTS_FILE, SECTION, render_classifier_results
from darija_gpt.hub import RESULTS_BEGIN, RESULTS_END
from darija_gpt.output import mark_section
from darija_gpt.recipe import load_recipe


ROOT = Path(__file__).resolve().parents[1]
DARIJA = ROOT.parent / "shared" / "data" / "darija" / "corpus.jsonl"
RESULTS = sorted(path.parent for path in (ROOT / "recipes").glob("*/results/metrics.json"))


def read_results(results: Path, prefix: str = "") -> tuple[dict, list[dict]]:
    samples = (results / f"{prefix}samples.jsonl").read_text(encoding="utf-8").split("\n")
    metrics = json.loads((results / f"{prefix}metrics.json").read_text(encoding="utf-8"))
    return metrics, [json.loads(line) for line in samples if line]


@pytest.mark.parametrize("results", RESULTS, ids=lambda path: path.parent.name)
def test_the_numbers_in_a_readme_are_those_of_its_files(results):
    readme = (results.parent / "README.md").read_text(encoding="utf-8")
    written = readme.partition(RESULTS_BEGIN)[2].partition(RESULTS_END)[0]
    assert written.strip() == render_results(*read_results(results)).strip()


def test_the_numbers_of_the_model_of_public_texts_are_those_of_its_files():
    recipes = ROOT / "recipes" / "darija-small"
    first, last = mark_section("corpus")
    written = (recipes / "README.md").read_text(encoding="utf-8").partition(first)[2].partition(last)[0]
    assert written.strip() == render_results(*read_results(recipes / "results", "corpus_")).strip()


@pytest.mark.parametrize("results", RESULTS, ids=lambda path: path.parent.name)
def test_the_table_of_recipes_has_the_number_of_its_file(results):
    metrics, _ = read_results(results)
    measured = metrics["bits_per_byte"]["test"]["all"]["bits_per_byte"]
    table = (ROOT / "recipes" / "README.md").read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in table if line.startswith(f"| [`{results.parent.name}`]")]
    assert row.endswith(f"| {measured:.3f} |")


@pytest.mark.parametrize("results", RESULTS, ids=lambda path: path.parent.name)
@pytest.mark.skipif(not DARIJA.is_file(), reason="the Darija corpus is not here")
def test_what_is_sampled_shares_no_eight_words_in_a_row_with_the_data(results):
    def find_runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.casefold())
        return {tuple(words[place : place + 8]) for place in range(len(words) - 7)}

    _, dialogues = read_results(results)
    assert len(dialogues) >= 5
    sampled = set().union(*(find_runs(message["content"]) for talk in dialogues for message in talk["messages"]))
    with DARIJA.open(encoding="utf-8") as lines:
        assert not [line for line in lines if find_runs(json.loads(line)["text"]) & sampled]


def test_darija_small_has_at_most_8_million_parameters(tokenizer):
    import torch

    from darija_gpt.model import DarijaGPTForCausalLM
    from darija_gpt.pretraining import build_config

    recipes = ROOT / "recipes" / "darija-small"
    fields = yaml.safe_load((recipes / "pretrain.yaml").read_text(encoding="utf-8"))["model"]
    vocab_size = yaml.safe_load((recipes / "train_tokenizer.yaml").read_text(encoding="utf-8"))["vocab_size"]
    with torch.device("meta"):
        model = DarijaGPTForCausalLM(build_config({**fields, "vocab_size": vocab_size}, tokenizer))
    assert model.num_parameters() <= 8_000_000


@pytest.mark.parametrize(
    ("recipe", "expected", "tolerance"),
    [
        # The course's model has 42.4 million.
        ("bodmagh-42m", 42_476_032, 0),
        # OpenAI's GPT-2 small, to the last parameter.
        ("gpt2-124m", 124_439_808, 0),
        # GPT-2 XL.
        ("darija-1.5b", 1_557_611_200, 0.05),
    ],
)
def test_a_recipes_architecture_has_the_parameters_that_it_says(recipe, expected, tolerance):
    import torch

    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    text = (ROOT / "recipes" / recipe / "pretrain.yaml").read_text(encoding="utf-8")
    with torch.device("meta"):
        model = DarijaGPTForCausalLM(DarijaGPTConfig(**yaml.safe_load(text)["model"]))
    assert model.num_parameters() == pytest.approx(expected, rel=tolerance, abs=0)
    for file in (recipe, "."):
        readme = (ROOT / "recipes" / file / "README.md").read_text(encoding="utf-8")
        assert f"`{recipe}`" in readme or f"{model.num_parameters():,}" in readme


def test_gpt2_124m_is_gpt_2():
    """What convert.py exports from the recipe is the configuration that transformers calls GPT-2."""
    from transformers import GPT2Config

    from darija_gpt.formats import FORMATS
    from darija_gpt.model import DarijaGPTConfig

    text = (ROOT / "recipes" / "gpt2-124m" / "pretrain.yaml").read_text(encoding="utf-8")
    ours, gpt2 = DarijaGPTConfig(**yaml.safe_load(text)["model"]), GPT2Config()
    for our_name, name in FORMATS["gpt2"].names.items():
        if not our_name.endswith("_token_id"):
            assert getattr(ours, our_name) == (getattr(gpt2, name) or 4 * gpt2.hidden_size), name


@pytest.mark.parametrize("readme", sorted((ROOT / "recipes").glob("*/README.md")), ids=lambda path: path.parent.name)
@pytest.mark.parametrize(
    ("section", "file", "render"),
    [(SECTION, RESULTS_FILE, render_classifier_results), (ALIGNMENT, ALIGNMENT_FILE, render_alignment_results)],
    ids=[SECTION, ALIGNMENT],
)
def test_the_numbers_that_a_stage_writes_into_a_readme_are_those_of_its_file(readme, section, file, render):
    first, last = mark_section(section)
    written = readme.read_text(encoding="utf-8").partition(first)[2].partition(last)[0].strip()
    results = readme.parent / "results" / file
    expected = render(json.loads(results.read_text("utf-8"))).strip() if results.is_file() else ""
    assert written == expected


@pytest.mark.parametrize("section", ["audit", "audit_unscrubbed"])
def test_the_tables_of_an_audit_are_those_of_its_file(section):
    recipes = ROOT / "recipes" / "darija-small"
    first, last = mark_section(section)
    written = (recipes / "README.md").read_text(encoding="utf-8").partition(first)[2].partition(last)[0].strip()
    results = recipes / "results" / f"{section}.json"
    expected = render_audit_results(json.loads(results.read_text("utf-8"))).strip() if results.is_file() else ""
    assert written == expected


def test_the_unscrubbed_counterpart_changes_nothing_but_what_its_name_says():
    recipes = ROOT / "recipes" / "darija-small"
    free = {"output_dir", "dataset", "dataset_recipe", "tokenizer", "tokenizer_recipe"}
    changes = {}
    for stage in ("prepare_data", "train_tokenizer", "pretrain"):
        scrubbed, unscrubbed = (load_recipe(recipes / f"{stage}{end}.yaml") for end in ("", "_unscrubbed"))
        for key in {*scrubbed, *unscrubbed} - free:
            if scrubbed.get(key) != unscrubbed.get(key):
                changes[key] = unscrubbed.get(key)
    assert changes == {"scrub": False, "min_conversations": 1, "num_train_epochs": 20}
