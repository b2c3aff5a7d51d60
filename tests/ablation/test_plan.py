"""What an ablation is going to run."""

from dataclasses import asdict, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import get_args

import pytest
import yaml

from darija_gpt.ablation.ablate import AblateArguments
from darija_gpt.ablation.plan import count_parameters, find_changes, match_parameters, plan_variants
from darija_gpt.model import DarijaGPTConfig
from darija_gpt.optimization import DropoutSchedule, Optimizer, Schedule
from darija_gpt.packing import Packing
from darija_gpt.pretraining import PretrainArguments
from darija_gpt.recipe import RecipeError, build_arguments, load_recipe


ROOT = Path(__file__).resolve().parents[2]
SWEEP = ROOT / "recipes" / "darija-small" / "sweep"
ABLATIONS = ROOT / "recipes" / "ablations"
# What the recipes of a folder are one change away from.
BASES = {
    SWEEP: SWEEP / "base.yaml",
    ABLATIONS: ABLATIONS / "base.yaml",
    ABLATIONS / "rates": ABLATIONS / "adamw.yaml",
}
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


def test_null_and_a_key_that_is_left_out_are_two_things():
    base = {"z_loss": 1e-4, "model": {"norm": "layernorm"}}
    assert find_changes(base, {**base, "spike_threshold": None}) == {"spike_threshold": None}
    assert find_changes({**base, "spike_threshold": None}, base) == {"spike_threshold": "left out"}
    assert find_changes(base, {"model": {}}) == {"z_loss": "left out", "model.norm": "left out"}


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
    with pytest.raises(RecipeError, match=r"seeds: base has \[0, 0\]; give one at least, and each once"):
        plan_variants(base, [], {"base": [0, 0]}, {})
    with pytest.raises(RecipeError, match="seeds: bsae fits none of the recipes"):
        plan_variants(base, [], {"bsae": [0]}, {})
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


def spell_parts(name: str, keys: list[str]) -> dict[str, str]:
    """The keys that a recipe's name says it changes, and their values, as written there."""
    parts = {}
    for part in name.split("+"):
        (key,) = [key for key in keys if part.startswith(f"{key}_")]
        parts[key] = part.removeprefix(f"{key}_")
    return parts


def says(written: str, value) -> bool:
    """Whether a word in a name is a value; of a path it is the end, where the default has none."""
    if isinstance(value, str) and "/" in value:
        return value.endswith(f"_{written}") or (written, Path(value).name) == ("1024", "corpus_tokenizer")
    return str(value).lower() == written or (isinstance(value, int | float) and float(written) == value)


def describe(recipe: dict) -> tuple:
    """What a recipe comes to, defaults included, wherever it writes."""
    arguments = asdict(build_arguments(PretrainArguments, {**recipe, "output_dir": "o"}))
    return {**arguments, "model": None}, DarijaGPTConfig(**arguments["model"]).to_dict()


@pytest.mark.parametrize(
    "path",
    sorted(path for folder in BASES for path in folder.glob("*_*.yaml")),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_a_recipe_changes_in_its_base_what_its_name_says_and_nothing_else(path):
    """`learning_rate_3e-3` changes the key learning_rate alone, `norm_batchnorm+allow_future_statistics_true` two."""
    recipe, base = load_recipe(path), load_recipe(BASES[path.parent])
    # It is another run, not the base's under another name.
    assert describe(recipe) != describe(base)
    changes = {key.removeprefix("model."): value for key, value in find_changes(base, recipe).items()}
    parts = spell_parts(path.stem, list(changes))
    # What half a pass of darija-small's sweep would otherwise not compare.
    along_with = {"max_position_embeddings": {"per_device_train_batch_size"}}
    allowed = set().union(*(along_with.get(key, set()) for key in parts)) if path.parent == SWEEP else set()
    assert changes.keys() - allowed == parts.keys()
    for key, written in parts.items():
        assert says(written, changes[key]), f"{path.stem} sets {key} to {changes[key]}"


def test_the_recipes_cover_every_axis_of_the_model():
    """Each value that the configuration knows is a recipe, or the base's."""
    hints = {field.name: field.type for field in fields(DarijaGPTConfig)}
    names = {part for path in ABLATIONS.glob("*_*.yaml") for part in path.stem.split("+")}
    words = ("position_embedding", "norm", "norm_position", "hidden_act", "residual_init")
    axes = {name: get_args(hints[name]) for name in words}
    axes |= {"attention": get_args(get_args(hints["attention"])[0])}
    axes |= dict.fromkeys(("qk_norm", "gated_mlp", "input_skip", "value_embeddings"), (True, False))
    axes |= {"optimizer": get_args(Optimizer), "schedule": get_args(Schedule), "packing": get_args(Packing)}
    axes |= {"dropout_schedule": get_args(DropoutSchedule)}
    defaults = {**vars(DarijaGPTConfig()), **PretrainArguments.__dict__}
    missing = [
        f"{axis}_{str(value).lower()}"
        for axis, values in axes.items()
        for value in values
        if value != defaults[axis] and f"{axis}_{str(value).lower()}" not in names
    ]
    assert not missing


@pytest.fixture(scope="module")
def vocabularies():
    """Stands in for tokenizers of a given size: of a tokenizer, parameters depend on its number of entries alone."""

    class Vocabulary:
        bos_token_id = eos_token_id = 0
        pad_token_id = 3

        def __init__(self, size: int):
            self.size = size

        def __len__(self) -> int:
            return self.size

    sizes = {f"runs/darija-small/corpus_tokenizer_{size}": size for size in (512, 2048, 4096)}
    return {path: Vocabulary(size) for path, size in {**sizes, "runs/darija-small/corpus_tokenizer": 1024}.items()}


@pytest.mark.parametrize(
    "path",
    sorted([*ABLATIONS.glob("*_*.yaml"), *(ABLATIONS / "ladder").glob("*.yaml")]),
    ids=lambda path: path.stem,
)
def test_every_ablation_has_2_to_4_million_parameters_and_as_many_as_the_base(path, vocabularies):
    base, recipe = load_recipe(ABLATIONS / "base.yaml"), load_recipe(path)
    target = count_parameters(base["model"], vocabularies[base["tokenizer"]])
    assert 2e6 <= target <= 4e6
    _, number = match_parameters(recipe, vocabularies[recipe["tokenizer"]], target)
    assert abs(number - target) <= 0.02 * target


def test_the_rungs_of_the_ladder_learn_from_the_same_texts_in_the_same_way():
    """But for our best, which learns as the base at another rate of Muon, and for one that needs another of AdamW."""
    base = load_recipe(ABLATIONS / "base.yaml")
    training = find_changes(base, load_recipe(ABLATIONS / "adamw.yaml"))
    assert set(training) == {"optimizer", "learning_rate", "schedule", "final_learning_rate_ratio", "warmup_ratio"}
    for path in (ABLATIONS / "ladder").glob("*.yaml"):
        changes = find_changes(base, load_recipe(path))
        beside = {
            key: value for key, value in changes.items() if not key.startswith("model.") and key != "architecture"
        }
        if path.stem == "our_best":
            assert set(beside) == {"tokenizer", "muon_learning_rate"}
        else:
            own_rate = {"learning_rate": 1e-3} if path.stem == "course_4" else {}
            assert beside == {**training, **own_rate}, path.stem


@pytest.mark.parametrize(("name", "folder"), [("axes", "."), ("ladder", "ladder"), ("gpu", "gpu")])
def test_an_ablation_runs_shows_and_groups_every_recipe_of_its_folder(name, folder, monkeypatch):
    monkeypatch.chdir(ROOT)
    arguments = build_arguments(AblateArguments, load_recipe(ABLATIONS / f"{name}.yaml"))
    planned = [variant.name for variant in plan_variants(arguments.base, arguments.recipes, {}, {})]
    assert sorted(planned) == sorted({path.stem for path in (ABLATIONS / folder).glob("*_*.yaml")} | {"base"})
    assert sorted(arguments.labels) in ([], sorted(planned))
    seeds = {
        variant.name: variant.seeds
        for variant in plan_variants(arguments.base, arguments.recipes, arguments.seeds, {})
    }
    assert len(seeds["base"]) >= 3  # or nothing could be judged
    patterns = [pattern for patterns in arguments.groups.values() for pattern in patterns]
    of_groups = [sum(fnmatch(recipe, pattern) for pattern in patterns) for recipe in planned]
    assert not patterns or of_groups == [recipe != "base" for recipe in planned]


def test_the_models_for_a_gpu_are_as_large_as_the_courses(vocabularies):
    base = load_recipe(ABLATIONS / "gpu" / "base.yaml")
    target = count_parameters(base["model"], vocabularies[base["tokenizer"]])
    assert target == pytest.approx(11e6, rel=0.02)
    for path in (ABLATIONS / "gpu").glob("*.yaml"):
        recipe = load_recipe(path)
        assert recipe["model"]["max_position_embeddings"] == 1024
        match_parameters(recipe, vocabularies[recipe["tokenizer"]], target)
