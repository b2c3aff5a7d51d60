"""What an ablation runs: recipes, what each changes in the base, their seeds, and equal numbers of parameters."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from darija_gpt.architectures import Architecture, load_classes
from darija_gpt.pretraining import PretrainArguments, build_config
from darija_gpt.recipe import RecipeError, check_keys, load_recipe, merge_recipes


# Where a run writes, and how its inputs are made where they are missing, is no part of what is compared.
FREE_KEYS = {"output_dir", "seed", "dataset_recipe", "tokenizer_recipe"}
WIDTH_STEP = 8  # feed-forward widths are multiples of it, as processors like them
MAX_DIFFERENCE = 0.02  # of parameters, as a share of the base's
LEFT_OUT = "left out"  # for the value of a key that the base has and a recipe has not


@dataclass(frozen=True)
class Variant:
    """A recipe, by its file's name, and the keys in which it differs from the base, spelt `model.norm`."""

    name: str
    recipe: dict[str, Any]
    changes: dict[str, Any]
    seeds: tuple[int, ...]


def plan_variants(
    base: Path, patterns: Sequence[str], seeds: Mapping[str, Sequence[int]], common: Mapping[str, Any]
) -> list[Variant]:
    """The base, then the recipes that patterns name, in the order of the patterns and of their names.

    Args:
        base (`Path`):
            The recipe of pretrain.py that others are compared with.
        patterns (`Sequence[str]`):
            Paths of recipes of pretrain.py; stars are allowed.
        seeds (`Mapping[str, Sequence[int]]`):
            Seeds by patterns of recipes' names; the first that fits counts.
        common (`Mapping`):
            Keys that are changed in every recipe, the base included.

    Raises:
        RecipeError: If a recipe is wrong, a pattern fits none, two have one name, or a seed stands twice.
    """
    paths = [base]
    for pattern in patterns:
        found = sorted(Path().glob(pattern)) if not Path(pattern).is_absolute() else [Path(pattern)]
        if not found:
            raise RecipeError(f"recipes: there is no recipe {pattern}; give paths of recipes of pretrain.py.")
        paths += [path for path in found if path.resolve() not in {taken.resolve() for taken in paths}]
    variants: dict[str, Variant] = {}
    base_recipe = load_pretrain_recipe(base, common)
    for path in paths:
        if path.stem in variants:
            raise RecipeError(f"recipes: two of them are named {path.stem}; rename {path}.")
        recipe = load_pretrain_recipe(path, common)
        variants[path.stem] = Variant(
            path.stem, recipe, find_changes(base_recipe, recipe), _choose_seeds(path.stem, seeds)
        )
    for pattern, chosen in seeds.items():
        if not chosen or len(set(chosen)) < len(chosen):
            raise RecipeError(f"seeds: {pattern} has {list(chosen)}; give one at least, and each once.")
        if not any(fnmatch(name, pattern) for name in variants):
            raise RecipeError(f"seeds: {pattern} fits none of the recipes; take it out, or mend the name.")
    return list(variants.values())


def load_pretrain_recipe(path: Path, common: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe of pretrain.py with some keys changed.

    Raises:
        RecipeError: If it has a key that pretrain.py does not know.
    """
    recipe = merge_recipes(load_recipe(path), common)
    check_keys(recipe, PretrainArguments.__dataclass_fields__, str(path))
    return recipe


def find_changes(base: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Keys in which a recipe differs from another, those of mappings spelt `model.norm`, and their values."""
    flat_base, flat = _flatten(base), _flatten(recipe)
    # A key that is null is not one that is left out: null may be another value than the default.
    return {
        key: flat.get(key, LEFT_OUT)
        for key in sorted(flat_base.keys() | flat.keys())
        if key not in FREE_KEYS and flat.get(key, LEFT_OUT) != flat_base.get(key, LEFT_OUT)
    }


def select_compared(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What of a recipe the runs of an ablation may differ in."""
    return {key: value for key, value in recipe.items() if key not in FREE_KEYS}


def match_parameters(recipe: Mapping[str, Any], tokenizer: Any, num_parameters: int) -> tuple[dict[str, Any], int]:
    """A recipe whose feed-forward is so wide that the model has as many parameters as asked for, as far as it can.

    Args:
        recipe (`Mapping`):
            A recipe of pretrain.py.
        tokenizer (`PreTrainedTokenizerFast`):
            Its tokenizer.
        num_parameters (`int`):
            The number to come near to.

    Returns:
        `tuple`: the recipe with its `model.intermediate_size`, and the number that it then has.

    Raises:
        RecipeError: If no width gives a number within 2 % of what is asked for.
    """
    changed = copy.deepcopy(dict(recipe))
    changed["model"] = {**changed.get("model", {})}

    def count(width: int) -> int:
        changed["model"]["intermediate_size"] = width
        return count_parameters(changed["model"], tokenizer, changed.get("architecture", "darija_gpt"))

    one, two = count(WIDTH_STEP), count(2 * WIDTH_STEP)
    # They grow evenly with the width.
    width = max(1, 1 + round((num_parameters - one) / (two - one))) * WIDTH_STEP
    number = count(width)
    if abs(number - num_parameters) > MAX_DIFFERENCE * num_parameters:
        raise RecipeError(
            f"no width of the feed-forward gives about {num_parameters:,} parameters, the nearest gives {number:,}; "
            "change hidden_size or num_hidden_layers."
        )
    return changed, number


def count_parameters(
    model_fields: Mapping[str, Any], tokenizer: Any, architecture: Architecture = "darija_gpt"
) -> int:
    """Parameters of a model of these fields, without making its weights."""
    import torch

    _, model_class = load_classes(architecture)
    with torch.device("meta"):
        return model_class(build_config(dict(model_fields), tokenizer, architecture)).num_parameters()


def _choose_seeds(name: str, seeds: Mapping[str, Sequence[int]]) -> tuple[int, ...]:
    return next((tuple(chosen) for pattern, chosen in seeds.items() if fnmatch(name, pattern)), (0,))


def _flatten(recipe: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat = {}
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
