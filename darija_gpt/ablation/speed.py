"""What a recipe costs in time and memory while it trains and generates, in short turns against the base.

Speeds of runs that trained beside each other, or at another time of the day, say little. Here recipe and base have the
machine to themselves and alternate, so that what disturbs one disturbs both.
"""

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.ablation.runs import Run
from darija_gpt.architectures import load_classes
from darija_gpt.benchmark.model import time_in_turns
from darija_gpt.benchmark.state import measure_cache
from darija_gpt.benchmark.updates import build_updater
from darija_gpt.hardware import (
    accept_mixed_norms,
    describe_machine,
    keep_freed_memory,
    resolve_precision,
    use_all_cores,
)
from darija_gpt.output import write_text
from darija_gpt.pretraining import PretrainArguments, build_config
from darija_gpt.recipe import build_arguments
from darija_gpt.tokenizer import load_tokenizer


if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import PreTrainedModel

STEPS_PER_TURN = 3
NUM_NEW_TOKENS = 64
PROMPT_TOKENS = 16
DOCUMENT_TOKENS = 32  # as long as documents of the public texts are, on average


@dataclass(frozen=True)
class Contestant:
    """A recipe with all that one of its turns needs, and the tokens of a turn."""

    train: Callable[[], None]
    generate: Callable[[], None]
    tokens_per_turn: int
    cache_bytes_per_token: int


def measure_speeds(runs: Sequence[Run], base: str, rounds: int) -> None:
    """Measures each recipe that has no speed yet; one JSON file each, beside those of the runs.

    Args:
        runs (`Sequence[Run]`):
            Of each recipe at least one, of the base too.
        base (`str`):
            The name of the recipe that the others take turns with.
        rounds (`int`):
            Turns of each.
    """
    recipes: dict[str, Run] = {}
    for run in runs:
        recipes.setdefault(run.name, run)
    waiting = [run for run in recipes.values() if not locate_speed(run, base).is_file()]
    print(f"speed of {len(recipes)} recipes, {len(recipes) - len(waiting)} of them measured")
    for run in waiting:
        speed = measure_speed(run.recipe, recipes[base].recipe, rounds)
        path = locate_speed(run, base)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps({"name": run.name, **run.description, **speed}, indent=2) + "\n")
        ratio = speed["training_ratio"]
        print(
            f"{run.name}: training {ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f}) times as fast as "
            f"{base}, generation {speed['generation_tokens_per_second']:,.0f} tokens/s",
            flush=True,
        )


def locate_speed(run: Run, base: str) -> Path:
    """Where the speed of a run's recipe is kept; its ratios are to a base."""
    return run.result.with_name(f"{run.name}_beside_{base}_speed.json")


def read_speeds(runs: Sequence[Run], base: str) -> dict[str, dict[str, Any]]:
    """The speeds beside a base that are there, by the names of their recipes."""
    paths = {run.name: locate_speed(run, base) for run in runs}
    return {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.is_file()}


def measure_speed(recipe: Mapping[str, Any], base: Mapping[str, Any], rounds: int) -> dict[str, Any]:
    """Speeds of a recipe as they are, and as ratios to those of the base in the same round.

    Returns:
        `dict`: tokens per second in training, in the base's precision, and in greedy generation with the cache, in
        float32, as medians over the rounds; `training_ratio` and `generation_ratio` with median, low and high;
        `cache_bytes_per_token`, of a context that is full; and the `machine`.
    """
    from accelerate import Accelerator

    precision = resolve_precision(base.get("mixed_precision", "auto"))
    accelerator = Accelerator(mixed_precision=precision)
    use_all_cores(accelerator.state)
    accept_mixed_norms()
    keep_freed_memory(accelerator.state)
    contestants = {"own": _prepare(recipe, accelerator), "base": _prepare(base, accelerator)}
    tokens = {name: contestant.tokens_per_turn for name, contestant in contestants.items()}
    trained = time_in_turns({name: contestant.train for name, contestant in contestants.items()}, rounds)
    generated = time_in_turns({name: contestant.generate for name, contestant in contestants.items()}, rounds)
    speeds = {name: [tokens[name] / seconds for seconds in trained[name]] for name in contestants}
    return {
        "training_tokens_per_second": round(statistics.median(speeds["own"])),
        "training_ratio": _spread(speeds["own"], speeds["base"]),
        "generation_tokens_per_second": round(NUM_NEW_TOKENS / statistics.median(generated["own"]), 1),
        "generation_ratio": _spread(generated["base"], generated["own"]),
        "cache_bytes_per_token": contestants["own"].cache_bytes_per_token,
        "rounds": rounds,
        "machine": describe_machine(accelerator.state, precision),
    }


def _spread(own: Sequence[float], base: Sequence[float]) -> dict[str, float]:
    ratios = [one / other for one, other in zip(own, base, strict=True)]
    numbers = {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
    return {name: round(number, 4) for name, number in numbers.items()}


def _prepare(recipe: Mapping[str, Any], accelerator: "Accelerator") -> Contestant:
    arguments = build_arguments(PretrainArguments, {**recipe, "output_dir": "unused"})
    config = build_config(arguments.model, load_tokenizer(arguments.tokenizer), arguments.architecture)
    _, model_class = load_classes(arguments.architecture)
    model = model_class(config).to(accelerator.device).eval()
    sizes = measure_cache(model, config.max_position_embeddings - 1)
    updater = build_updater(model_class(config), arguments, accelerator, DOCUMENT_TOKENS)
    numbers = count(1)

    def train() -> None:
        for _ in range(STEPS_PER_TURN):
            updater.update(next(numbers))

    tokens_per_turn = STEPS_PER_TURN * updater.blocks_per_step * updater.blocks.block_size
    return Contestant(train, _make_generation(model), tokens_per_turn, round(sizes[-1] / len(sizes)))


def _make_generation(model: "PreTrainedModel") -> Callable[[], None]:
    import torch

    generator = torch.Generator().manual_seed(0)
    prompt = torch.randint(5, model.config.vocab_size, (1, PROMPT_TOKENS), generator=generator).to(model.device)

    def generate() -> None:
        model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            min_new_tokens=NUM_NEW_TOKENS,
            max_new_tokens=NUM_NEW_TOKENS,
            do_sample=False,
        )

    return generate
