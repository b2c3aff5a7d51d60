"""What a run needs and is not there yet: made by the recipes that its own recipe names."""

import os
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.data.corpus import PrepareArguments, prepare_data
from darija_gpt.recipe import RecipeError, parse_arguments
from darija_gpt.tokenizer import TokenizerArguments, train_tokenizer_on_dataset


if TYPE_CHECKING:
    from darija_gpt.pretraining import PretrainArguments


def make_missing_inputs(arguments: "PretrainArguments") -> None:
    """Prepares the dataset and trains the tokenizer of a run, each where it is missing and a recipe for it is named.

    Of several processes the first does that, and the others wait for it; should it fail, their launcher ends them.

    Raises:
        ValueError: If a recipe is wrong, or makes something else than the input.
    """
    stages = (
        ("dataset", arguments.dataset_recipe, prepare_data, PrepareArguments),
        ("tokenizer", arguments.tokenizer_recipe, train_tokenizer_on_dataset, TokenizerArguments),
    )
    for name, recipe, run_stage, arguments_class in stages:
        _make_missing_input(name, getattr(arguments, name), recipe, run_stage, arguments_class)


def make_missing_dataset(directory: Path, recipe: Path | None) -> None:
    """Prepares a dataset where it is missing and a recipe for it is named; otherwise as `make_missing_inputs`."""
    _make_missing_input("dataset", directory, recipe, prepare_data, PrepareArguments)


def _make_missing_input(
    name: str, directory: Path, recipe: Path | None, run_stage: Callable[[Any], None], arguments_class: type
) -> None:
    if recipe is None or directory.exists():
        return
    if int(os.environ.get("RANK", 0)) > 0:
        # A stage writes beside its output, and gives it its name when it is whole.
        while not directory.exists():
            time.sleep(0.5)
        return
    stage_arguments = parse_arguments(arguments_class, ["--config", str(recipe)])
    if stage_arguments.output_dir.resolve() != directory.resolve():
        raise RecipeError(
            f"{recipe} writes to {stage_arguments.output_dir}, and not to the {name}={directory} of this recipe; "
            "make the two the same."
        )
    print(f"making {name} {directory}, as {shlex.quote(str(recipe))} says")
    run_stage(stage_arguments)
