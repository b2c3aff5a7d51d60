"""Benchmarks: what they count against arithmetic, and the tables in recipes/README.md against their files."""

import json
from pathlib import Path

import pytest

from darija_gpt.benchmark import model, state
from darija_gpt.benchmark.variants import BASE, VARIANTS
from darija_gpt.output import mark_section


ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "recipes" / "README.md"
TINY = {
    "vocab_size": 8192,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
}
FLOAT_BYTES = 4


@pytest.mark.parametrize(
    ("fields", "bytes_per_token", "largest_state"),
    [
        ({}, 2 * 2 * 32 * FLOAT_BYTES, 61 * 2 * 2 * 32 * FLOAT_BYTES),
        ({"num_key_value_heads": 1}, 2 * 2 * 8 * FLOAT_BYTES, 61 * 2 * 2 * 8 * FLOAT_BYTES),
        # The window's last token is the query's own, so one less is kept.
        ({"attention": "sliding", "sliding_window": 16}, 512, 15 * 512),
        ({"attention": "latent", "kv_lora_rank": 20, "qk_rope_head_dim": 6}, 2 * 26 * FLOAT_BYTES, 61 * 208),
        # A matrix for each head, with one column more for the sum of the weights.
        ({"attention": "linear"}, 0, 2 * 4 * 8 * 9 * FLOAT_BYTES),
        ({"attention": ["linear", "full"]}, 256, 61 * 256 + 4 * 8 * 9 * FLOAT_BYTES),
        ({"attention": "bigbird"}, 512, 61 * 512),
    ],
)
def test_the_state_is_what_the_architecture_says(fields, bytes_per_token, largest_state):
    measured = state.measure_state({**TINY, **fields}, num_new_tokens=60)
    assert measured["cache_bytes_per_token"] == bytes_per_token
    assert measured["largest_state_bytes"] == largest_state


def read_section(name: str) -> str:
    first, last = mark_section(name)
    return README.read_text(encoding="utf-8").partition(first)[2].partition(last)[0].strip()


def read_report(name: str) -> dict:
    return json.loads((README.parent / "results" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_table_of_states_is_that_of_its_file():
    report = read_report("state")
    assert report["base"] == BASE and list(report["results"]) == list(VARIANTS)
    assert read_section("state") == state.render_results(report["results"], report["num_new_tokens"])
    latent = report["results"]["latent (MLA)"]
    # kv_lora_rank is 4 and qk_rope_head_dim half a head's width of 32.
    assert latent["cache_bytes_per_token"] == BASE["num_hidden_layers"] * (4 * 32 + 16) * FLOAT_BYTES


def test_the_table_of_speeds_is_that_of_its_file():
    report = read_report("model")
    assert report["base"] == BASE and list(report["results"])[2:] == list(VARIANTS)
    assert read_section("model") == model.render_results(report["results"])


def test_everything_compared_runs_in_turns_after_a_round_that_does_not_count():
    order = []
    seconds = model.time_in_turns({name: lambda name=name: order.append(name) for name in "ab"}, rounds=3)
    assert "".join(order) == "abababab"
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}


def test_a_ratio_is_that_of_the_fastest_rounds_and_the_median_over_all():
    ratio = model.compute_speed_ratio({"a": [1.0, 2.0, 4.0], "b": [2.0, 2.0, 2.0]}, "a", "b")
    assert ratio == {"fastest": 2.0, "median": 1.0}


def test_the_benchmarks_write_their_table_and_where_it_comes_from(tmp_path, monkeypatch, capsys):
    few = {"default": {}, "linear": {"attention": "linear"}, "ALiBi": {"position_embedding": "alibi"}}
    for module in (model, state):
        monkeypatch.setattr(module, "BASE", TINY)
        monkeypatch.setattr(module, "VARIANTS", few)
    readme = tmp_path / "README.md"
    marks = [mark for name in ("state", "model") for mark in mark_section(name)]
    readme.write_text("\n".join(["# Title", *marks, "The end."]))
    state.benchmark_state(state.StateArguments(num_new_tokens=3, readme=readme))
    model.benchmark_model(model.ModelArguments(rounds=1, batch_size=1, length=8, num_new_tokens=2, readme=readme))
    text = readme.read_text()
    assert text.startswith("# Title") and text.endswith("The end.")
    assert text.count("| ALiBi") == 3 and "| LlamaForCausalLM" in text
    report = json.loads((tmp_path / "results" / "model.json").read_text())
    assert set(report["results"]["linear"]["sdpa"]["train"]) == {"tokens_per_second", "ratio"}
    assert report["machine"]["num_threads"] >= 1
    assert "| ALiBi" in capsys.readouterr().out


def test_a_readme_without_the_marks_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "VARIANTS", {"default": {}})
    monkeypatch.setattr(state, "BASE", TINY)
    readme = tmp_path / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="needs one line"):
        state.benchmark_state(state.StateArguments(num_new_tokens=1, readme=readme))
    assert readme.read_text() == "nothing" and [path.name for path in tmp_path.iterdir()] == ["README.md"]
