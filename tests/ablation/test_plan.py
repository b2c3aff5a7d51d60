"""What an ablation is going to run."""

from pathlib import Path

import pytest
import yaml

from darija_gpt.ablation.plan import count_parameters, find_changes, match_parameters, plan_variants
from darija_gpt.pretraining import PretrainArguments
from darija_gpt.recipe import RecipeError, build_arguments, load_recipe


ROOT = Path(__file__).resolve().parents[2]
SWEEP = ROOT / "recipes" / "darija-small" / "sweep"
BASE = {"dataset": "d", "tokenizer": "t", "output_dir": "o", "learning_rate": 1e-3, "model": {"hidden_size": 64}}


def write(directory: Path, name: str, recipe: dict) -> str:
    path = directory / f"{name}.yaml"
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return str(path)


def test_variants_are_the_base_and_what_the_others_change_in_it(tmp_path):
    base = write(tmp_path, "base", BASE)
    write(tmp_path, "norm_layernorm", {"extends": "base.yaml", "model": {"norm": "layernorm"}})
    rate = write(tmp_path, "rate", {"extends": "base.yaml", "learning_rate": 2e-3, "seed": 4, "output_dir": "p"})
    seeds = {"base": [0, 1], "norm_*": [3]}
    variants = plan_variants(Path(base), [rate, str(tmp_path / "norm_layernorm.yaml"), base], seeds, {"max_steps": 5})
    assert [(variant.name, variant.changes, variant.seeds) for variant in variants] == [
        ("base", {}, (0, 1)),
        ("rate", {"learning_rate": 2e-3}, (0,)),
        ("norm_layernorm", {"model.norm": "layernorm"}, (3,)),
    ]
    assert all(variant.recipe["max_steps"] == 5 for variant in variants)


def test_stars_stand_for_recipes_in_the_order_of_their_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("base", "b", "a"):
        write(tmp_path, name, BASE)
    assert [variant.name for variant in plan_variants(Path("base.yaml"), ["*.yaml"], {}, {})] == ["base", "a", "b"]


def test_recipes_that_cannot_be_compared_are_refused(tmp_path):
    base = Path(write(tmp_path, "base", BASE))
    (tmp_path / "other").mkdir()
    twin = write(tmp_path / "other", "base", BASE)
    with pytest.raises(RecipeError, match="two of them are named base"):
        plan_variants(base, [twin], {}, {})
    with pytest.raises(RecipeError, match="there is no recipe nowhere"):
        plan_variants(base, ["nowhere*.yaml"], {}, {})
    misspelt = write(tmp_path, "misspelt", {"extends": "base.yaml", "learnin_rate": 1})
    with pytest.raises(RecipeError, match="unknown key learnin_rate; did you mean learning_rate"):
        plan_variants(base, [misspelt], {}, {})


@pytest.mark.parametrize(
    "fields", [{"gated_mlp": False}, {"num_key_value_heads": 1}, {"num_hidden_layers": 3}, {"value_embeddings": True}]
)
def test_feed_forwards_are_made_as_wide_as_equal_parameters_ask_for(fields, tokenizer):
    base = {"hidden_size": 64, "intermediate_size": 168, "num_hidden_layers": 2, "num_attention_heads": 4}
    target = count_parameters(base, tokenizer)
    recipe, number = match_parameters({"model": {**base, **fields}}, tokenizer, target)
    assert abs(number - target) <= 0.02 * target
    assert number == count_parameters(recipe["model"], tokenizer)
    assert {**recipe["model"], "intermediate_size": 168} == {**base, **fields}


def test_what_no_width_can_make_equal_is_refused(tokenizer):
    big = {"hidden_size": 64, "intermediate_size": 168, "num_hidden_layers": 2, "num_attention_heads": 4}
    target = count_parameters({**big, "num_hidden_layers": 1}, tokenizer) // 2
    with pytest.raises(RecipeError, match="change hidden_size or num_hidden_layers"):
        match_parameters({"model": big}, tokenizer, target)


@pytest.mark.parametrize("path", sorted(SWEEP.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_recipe_of_the_sweep_changes_what_its_name_says(path):
    """`learning_rate_3e-3` changes the key learning_rate; what belongs to one choice may change along with it."""
    along_with = {
        "tokenizer": {"tokenizer_recipe"},
        "max_position_embeddings": {"per_device_train_batch_size"},
        "optimizer": {"learning_rate"},
    }
    recipe = load_recipe(path)
    build_arguments(PretrainArguments, recipe)
    changes = {
        key.removeprefix("model."): value
        for key, value in find_changes(load_recipe(SWEEP / "base.yaml"), recipe).items()
    }
    if path.stem == "base":
        assert not changes
        return
    (key,) = [key for key in changes if path.stem.startswith(f"{key}_")]
    value = path.stem.removeprefix(f"{key}_")
    assert changes.keys() == {key} | along_with.get(key, set())
    assert str(changes[key]).lower().endswith(value) or float(value) == changes[key]
