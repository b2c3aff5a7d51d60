"""The speed of a recipe, in turns with the base."""

import pytest

from darija_gpt.ablation.runs import Run
from darija_gpt.ablation.speed import locate_speed, measure_speed, measure_speeds, read_speeds


MODEL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture
def base(tokenizer_dir) -> dict:
    return {
        "dataset": "unused",
        "tokenizer": str(tokenizer_dir),
        "model": {**MODEL, "max_position_embeddings": 32},
        "per_device_train_batch_size": 2,
        "mixed_precision": "no",
    }


@pytest.mark.parametrize(
    ("changes", "cache_bytes"),
    [
        # Two vectors of 32 numbers in each of two layers.
        ({}, 2 * 2 * 32 * 4),
        ({"optimizer": "muon", "packing": "wrapped"}, 512),
        ({"architecture": "neural_lm", "model": {"hidden_size": 8, "max_position_embeddings": 32}}, 0),
    ],
)
def test_a_recipe_and_the_base_take_turns_in_training_and_generation(base, changes, cache_bytes):
    speed = measure_speed({**base, **changes}, base, rounds=3)
    assert speed["cache_bytes_per_token"] == cache_bytes
    for kind in ("training", "generation"):
        assert speed[f"{kind}_tokens_per_second"] > 0
        ratio = speed[f"{kind}_ratio"]
        assert 0 < ratio["low"] <= ratio["median"] <= ratio["high"]


def test_each_recipe_is_measured_once_whatever_its_seeds(base, tmp_path, capsys):
    runs = [
        Run(name, seed, base, tmp_path / name, tmp_path / "results" / f"{name}_seed{seed}.json", {"commit": "c0ffee"})
        for name in ("base", "other")
        for seed in (0, 1)
    ]
    measure_speeds(runs, "base", rounds=1)
    speeds = read_speeds(runs, "base")
    assert set(speeds) == {"base", "other"} and speeds["other"]["commit"] == "c0ffee"
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        "base_beside_base_speed.json",
        "other_beside_base_speed.json",
    ]
    # Ratios to another base are others.
    assert read_speeds(runs, "other") == {}
    locate_speed(runs[0], "base").unlink()
    capsys.readouterr()
    measure_speeds(runs, "base", rounds=1)
    said = capsys.readouterr().out
    assert "speed of 2 recipes, 1 of them measured" in said and "base: training" in said and "other:" not in said
