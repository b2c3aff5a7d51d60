"""Steps of pretraining as recipes have them: tokens a second, model FLOPs utilisation and memory on this GPU."""

import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.benchmark.report import render_table, write_report
from darija_gpt.benchmark.updates import build_updater
from darija_gpt.faults import OutOfMemoryError
from darija_gpt.hardware import describe_machine, resolve_precision
from darija_gpt.output import require_section
from darija_gpt.peak_flops import look_up_peak
from darija_gpt.pretraining import PretrainArguments
from darija_gpt.recipe import parse_arguments


if TYPE_CHECKING:
    from accelerate import Accelerator
    from transformers import PreTrainedModel

    from darija_gpt.training_step import Updater

GIB = 2**30
DOCUMENT_TOKENS = 128  # as long as conversations are, about
WARM_UP_STEPS = 3


@dataclass(frozen=True, kw_only=True)
class GpuArguments:
    """Which recipes, how many steps, and where the table goes."""

    recipes: list[Path] = field(
        default_factory=lambda: [
            Path("recipes") / name / "pretrain.yaml" for name in ("bodmagh-42m", "gpt2-124m", "darija-1.5b")
        ],
        metadata={"help": "pretrain.yaml files"},
    )
    attn_implementations: list[str] = field(
        default_factory=lambda: ["sdpa", "flash_attention_2"], metadata={"help": "kernels to compare"}
    )
    compile: list[bool] = field(
        default_factory=lambda: [False, True], metadata={"help": "whether torch.compile is used: one or both"}
    )
    num_steps: int = field(default=10, metadata={"help": "steps that are timed, after three that are not"})
    num_passes: int = field(default=2, metadata={"help": "micro-batches in a step; more of them change little"})
    peak_teraflops: float | None = field(
        default=None, metadata={"help": "of this GPU in bf16, where it is none that is known"}
    )
    readme: Path | None = field(
        default=None, metadata={"help": "a Markdown file with the table, between <!-- gpu:begin --> and :end"}
    )

    def __post_init__(self):
        if min(self.num_steps, self.num_passes) < 1:
            raise ValueError("num_steps and num_passes must be at least 1.")


def build_model(recipe: PretrainArguments, attn_implementation: str) -> "PreTrainedModel":
    """A recipe's model with fresh weights."""
    import torch

    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    torch.manual_seed(recipe.seed)
    config = DarijaGPTConfig(**recipe.model)
    return DarijaGPTForCausalLM._from_config(config, attn_implementation=attn_implementation)


def measure_recipe(
    recipe: PretrainArguments,
    attn_implementation: str,
    is_compiled: bool,
    arguments: GpuArguments,
    accelerator: "Accelerator",
) -> dict[str, Any]:
    """Some steps as pretraining makes them, with fewer micro-batches in each.

    Returns:
        `tokens_per_second`, `flops_per_token` and `peak_bytes` (None on a CPU); or `error`, where memory is too small
        or the kernel not to be had.
    """
    import torch

    from darija_gpt.flops import count_flops_per_token

    # The accelerator holds on to what it has prepared before.
    accelerator.free_memory()
    recipe = replace(recipe, gradient_accumulation_steps=arguments.num_passes, torch_compile=is_compiled)
    try:
        model = build_model(recipe, attn_implementation)
        updater = build_updater(model, recipe, accelerator, DOCUMENT_TOKENS)
        seconds = _time_steps(updater, arguments.num_steps)
    except (torch.OutOfMemoryError, OutOfMemoryError):
        return {"error": "out of memory"}
    except ImportError:
        return {"error": "not installed"}
    except ValueError as error:
        if "does not support" not in str(error):
            raise
        return {"error": "not supported"}
    if updater.shrunk_size is not None:
        return {"error": f"out of memory; {updater.shrunk_size} blocks at a time fit"}
    length = updater.blocks.block_size
    return {
        "tokens_per_second": arguments.num_steps * updater.blocks_per_step * length / seconds,
        "flops_per_token": count_flops_per_token(model, length),
        "peak_bytes": torch.cuda.max_memory_allocated() if accelerator.device.type == "cuda" else None,
    }


def _time_steps(updater: "Updater", num_steps: int) -> float:
    """Seconds of some steps; each of them waits for the device, for it looks at the loss."""
    for number in range(1, WARM_UP_STEPS + 1):
        updater.update(number)
    start = time.perf_counter()
    for number in range(WARM_UP_STEPS + 1, WARM_UP_STEPS + num_steps + 1):
        updater.update(number)
    return time.perf_counter() - start


def render_results(report: dict[str, Any]) -> str:
    """One line for each recipe, kernel and compiler."""
    peak = report["peak_flops"]
    rows = []
    for result in report["results"]:
        names = [result["recipe"], result["attn_implementation"], "yes" if result["compiled"] else "no"]
        if "error" in result:
            rows.append([*names, result["error"], "–", "–"])
            continue
        speed, peak_bytes = result["tokens_per_second"], result["peak_bytes"]
        utilization = f"{speed * result['flops_per_token'] / peak:.0%}" if peak else "–"
        rows.append([*names, f"{speed:,.0f}", utilization, f"{peak_bytes / GIB:.1f}" if peak_bytes else "–"])
    header = ["Recipe", "Kernel", "Compiled", "Tokens a second", "Of the peak", "Memory, GiB"]
    machine = report["machine"]
    return f"{machine['device']}, {machine['mixed_precision']}.\n\n{render_table(header, rows)}"


def benchmark_gpu(arguments: GpuArguments) -> None:
    """The table of recipes on this machine's GPU, printed and written into a README."""
    import torch
    from accelerate import Accelerator

    require_section(arguments.readme, "gpu")
    recipes = {
        path.parent.name: parse_arguments(PretrainArguments, ["--config", str(path)]) for path in arguments.recipes
    }
    for name, recipe in recipes.items():
        if "vocab_size" not in recipe.model:
            raise ValueError(f"{name}: model.vocab_size is not in the recipe, so its model cannot be built here.")
    precision, *others = {resolve_precision(recipe.mixed_precision) for recipe in recipes.values()}
    if others:
        raise ValueError("the recipes differ in mixed_precision; measure them one by one.")
    accelerator = Accelerator(mixed_precision=precision)
    machine = describe_machine(accelerator.state, precision)
    peak = arguments.peak_teraflops and arguments.peak_teraflops * 1e12
    results = []
    for name, recipe in recipes.items():
        for attn_implementation in arguments.attn_implementations:
            for is_compiled in arguments.compile:
                if accelerator.device.type == "cuda":
                    torch.cuda.reset_peak_memory_stats()
                torch.compiler.reset()
                measured = measure_recipe(recipe, attn_implementation, is_compiled, arguments, accelerator)
                results.append(
                    {"recipe": name, "attn_implementation": attn_implementation, "compiled": is_compiled, **measured}
                )
                print(", ".join(f"{key}: {value}" for key, value in results[-1].items()), flush=True)
    report = {
        "machine": machine,
        "peak_flops": peak or look_up_peak(machine["device"], precision),
        "arguments": {**asdict(arguments), "recipes": list(recipes), "readme": None},
        "results": results,
    }
    table = render_results(report)
    print(table)
    write_report("gpu", report, table, arguments.readme)
