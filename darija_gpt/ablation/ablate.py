"""The ablate stage: recipes of pretrain.py -> a result for each run, and a table of what each change did."""

import subprocess
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from darija_gpt.ablation.pictures import draw_all
from darija_gpt.ablation.plan import Variant, count_parameters, match_parameters, plan_variants, select_compared
from darija_gpt.ablation.runs import Run, check_recipe, read_others, read_results, run_all
from darija_gpt.ablation.speed import locate_speed, measure_speeds, read_speeds
from darija_gpt.ablation.tables import Findings, render_results
from darija_gpt.missing_inputs import make_missing_inputs
from darija_gpt.output import replace_section, require_section, write_text
from darija_gpt.pretraining import PretrainArguments
from darija_gpt.recipe import build_arguments


@dataclass(frozen=True, kw_only=True)
class AblateArguments:
    """What is compared, how often each is run, and where the results go."""

    base: Path = field(metadata={"help": "the recipe of pretrain.py that the others are compared with"})
    recipes: list[str] = field(metadata={"help": "the others, as paths; stars are allowed"})
    output_dir: Path = field(metadata={"help": "directory for the runs; those begun there are gone on with"})
    results: Path = field(
        metadata={"help": "directory for a JSON file of each run; one that is there is not run again"}
    )
    seeds: dict[str, list[int]] = field(
        default_factory=dict,
        metadata={
            "help": "seeds by name of a recipe, stars allowed (recipe only); the first that fits counts, else 0"
        },
    )
    common: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "keys to change in all recipes: --common.num_train_epochs 0.5"}
    )
    num_processes: int = field(default=1, metadata={"help": "runs at a time; they share the cores"})
    match_parameters: bool = field(
        default=True, metadata={"help": "widen or narrow feed-forwards, for as many parameters as the base has"}
    )
    readme: Path | None = field(
        default=None,
        metadata={"help": "a Markdown file that holds the table, between <!-- SECTION:begin --> and :end"},
    )
    section: str = field(default="ablation", metadata={"help": "the name of the table in it, and of the pictures"})
    plots: Path | None = field(default=None, metadata={"help": "directory for the pictures"})
    groups: dict[str, list[str]] = field(
        default_factory=dict,
        metadata={"help": "names of recipes, stars allowed, by what they have in common: a table and curves for each"},
    )
    labels: dict[str, str] = field(
        default_factory=dict, metadata={"help": "what recipes are in words, by name, in the order to show them in"}
    )
    report_only: bool = field(default=False, metadata={"help": "run nothing, tell of the results that are there"})
    measure: Literal["learning", "speed"] = field(
        default="learning",
        metadata={
            "help": "learning trains and measures bits per byte; speed takes short turns with the base, on a machine "
            "that does nothing else"
        },
    )
    speed_rounds: int = field(default=5, metadata={"help": "turns that each recipe takes with the base"})

    def __post_init__(self):
        for name in ("num_processes", "speed_rounds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")


def ablate(arguments: AblateArguments) -> None:
    """Runs what has no result yet, or measures what has no speed yet, and writes tables and pictures.

    Raises:
        ValueError: If a recipe is wrong, before anything is run; or if runs failed, after all others.
    """
    require_section(arguments.readme, arguments.section)
    base = arguments.base.stem
    variants = plan_variants(arguments.base, arguments.recipes, arguments.seeds, arguments.common)
    runs = _list_runs(variants, arguments)
    for run in runs:
        check_recipe(run, run.result)
        check_recipe(run, locate_speed(run, base))
    print(f"{len(runs)} runs of {len(variants)} recipes, {sum(run.result.is_file() for run in runs)} of them done")
    failed = []
    if arguments.measure == "speed" and not arguments.report_only:
        measure_speeds(runs, base, arguments.speed_rounds)
    elif not arguments.report_only:
        failed = run_all(runs, arguments.num_processes)
    results = read_results(runs)
    others = read_others(results, arguments.results)
    findings = Findings(results, base, read_speeds(runs, base), arguments.labels, arguments.groups, others)
    if findings.collect_bits(base):
        _report(findings, arguments)
    if failed:
        labels = "; ".join(run.label for run in failed)
        raise ValueError(f"{len(failed)} of {len(runs)} runs failed: {labels}. The same command tries them again.")
    if not findings.collect_bits(base):
        raise ValueError(f"no run of the base {arguments.base} is done: there is nothing to compare with.")


def _report(findings: Findings, arguments: AblateArguments) -> None:
    """Tells of the results that are there: on the screen, in the README, in pictures."""
    table = render_results(findings)
    print(table)
    if arguments.readme is not None:
        write_text(arguments.readme, replace_section(arguments.readme, arguments.section, table))
        print(f"written: {arguments.readme}")
    if arguments.plots is not None:
        names = draw_all(findings, arguments.plots, arguments.section)
        print(f"drawn: {', '.join(names)} in {arguments.plots}")


def _list_runs(variants: list[Variant], arguments: AblateArguments) -> list[Run]:
    """Every recipe with every seed of its own, ready to be run unless they are only told of."""
    ranked, commit = [], _find_commit()
    recipes = {variant.name: variant.recipe for variant in variants}
    if not arguments.report_only:
        recipes = _make_ready(recipes, arguments)
    for variant in variants:
        for rank, seed in enumerate(variant.seeds):
            run = Run(
                name=variant.name,
                seed=seed,
                recipe=recipes[variant.name],
                directory=arguments.output_dir / variant.name / f"seed_{seed}",
                result=arguments.results / f"{variant.name}_seed{seed}.json",
                description={"changes": variant.changes, "recipe": select_compared(variant.recipe), "commit": commit},
            )
            ranked.append((rank, run))
    # Every recipe once, then again: what is stopped early says something of all.
    return [run for _, run in sorted(ranked, key=itemgetter(0))]


def _make_ready(recipes: dict[str, dict[str, Any]], arguments: AblateArguments) -> dict[str, dict[str, Any]]:
    """Recipes of models that are as large as the first, the base; inputs that are missing are made."""
    from darija_gpt.tokenizer import load_tokenizer

    ready, num_parameters = {}, None
    for name, recipe in recipes.items():
        ready[name] = {"token_cache": str(arguments.output_dir / "tokens"), **recipe}
        parsed = build_arguments(PretrainArguments, {**ready[name], "output_dir": arguments.output_dir / name})
        make_missing_inputs(parsed)
        tokenizer = load_tokenizer(parsed.tokenizer)
        own = count_parameters(parsed.model, tokenizer, parsed.architecture)
        num_parameters = num_parameters or own
        if arguments.match_parameters and own != num_parameters:
            ready[name], _ = match_parameters(ready[name], tokenizer, num_parameters)
    return ready


def _find_commit() -> str | None:
    """The commit of this checkout, with `-dirty` where files differ from it; None outside of one."""
    try:
        process = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return process.stdout.strip()
