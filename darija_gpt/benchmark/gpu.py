"""Steps of pretraining as recipes have them: tokens a second, model FLOPs utilisation and memory on this GPU."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.benchmark.budget import PEAK_FLOPS, count_flops_per_token
from darija_gpt.benchmark.report import render_table, require_section, write_report
from darija_gpt.hardware import describe_machine, resolve_precision
from darija_gpt.pretraining import PretrainArguments
from darija_gpt.recipe import parse_arguments


if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

GIB = 2**30


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


def find_peak_flops(device_name: str, peak_teraflops: float | None) -> float | None:
    """FLOPs a second that a utilisation is of; None where nobody has said."""
    if peak_teraflops is not None:
        return peak_teraflops * 1e12
    return next((peak for name, peak in PEAK_FLOPS.items() if name in device_name), None)


def build_model(recipe: PretrainArguments, attn_implementation: str, device: str) -> "PreTrainedModel":
    """A recipe's model with fresh weights."""
    import torch

    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    torch.manual_seed(recipe.seed)
    config = DarijaGPTConfig(**recipe.model)
    model = DarijaGPTForCausalLM._from_config(config, attn_implementation=attn_implementation).to(device).train()
    if recipe.gradient_checkpointing:
        model.gradient_checkpointing_enable()
    return model


def draw_batch(recipe: PretrainArguments, length: int, vocab_size: int, device: str) -> dict[str, "torch.Tensor"]:
    """A micro-batch of random tokens, in documents of 128, as packed blocks of chats are made of."""
    import torch

    shape = (recipe.per_device_train_batch_size, length)
    input_ids = torch.randint(5, vocab_size, shape, generator=torch.Generator().manual_seed(0))
    position_ids = (torch.arange(length) % 128).expand(shape)
    return {"input_ids": input_ids.to(device), "position_ids": position_ids.to(device)}


def measure_recipe(
    recipe: PretrainArguments, attn_implementation: str, is_compiled: bool, arguments: GpuArguments, device: str
) -> dict[str, Any]:
    """Some steps of AdamW as pretraining makes them, on one GPU.

    Returns:
        `tokens_per_second`, `flops_per_token` and `peak_bytes` (None on a CPU); or `error`, where memory is too small
        or the kernel not to be had.
    """
    import torch

    from darija_gpt.optimization import build_optimizers

    try:
        model = build_model(recipe, attn_implementation, device)
        length = recipe.block_size or model.config.max_position_embeddings
        batch = draw_batch(recipe, length, model.config.vocab_size, device)
        optimizers = build_optimizers(model, recipe)
        if is_compiled:
            model.compile()
        seconds = _time_steps(model, batch, optimizers, recipe, arguments)
    except torch.OutOfMemoryError:
        return {"error": "out of memory"}
    except ImportError:
        return {"error": "not installed"}
    except ValueError as error:
        if "does not support" not in str(error):
            raise
        return {"error": "not supported"}
    tokens = arguments.num_steps * arguments.num_passes * batch["input_ids"].numel()
    return {
        "tokens_per_second": tokens / seconds,
        "flops_per_token": count_flops_per_token(model, length),
        "peak_bytes": torch.cuda.max_memory_allocated() if device == "cuda" else None,
    }


def _time_steps(model, batch, optimizers, recipe: PretrainArguments, arguments: GpuArguments) -> float:
    import torch

    from darija_gpt.training_step import measure_loss

    device = model.device.type
    is_mixed = resolve_precision(recipe.mixed_precision) == "bf16"

    def step() -> None:
        for _ in range(arguments.num_passes):
            with torch.autocast(device, dtype=torch.bfloat16, enabled=is_mixed):
                loss = measure_loss(model, batch)
            (loss / arguments.num_passes).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()

    def synchronize() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    for _ in range(3):
        step()
    synchronize()
    start = time.perf_counter()
    for _ in range(arguments.num_steps):
        step()
    synchronize()
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
    from accelerate import PartialState

    require_section("gpu", arguments.readme)
    recipes = {
        path.parent.name: parse_arguments(PretrainArguments, ["--config", str(path)]) for path in arguments.recipes
    }
    for name, recipe in recipes.items():
        if "vocab_size" not in recipe.model:
            raise ValueError(f"{name}: model.vocab_size is not in the recipe, so its model cannot be built here.")
    state = PartialState()
    machine = describe_machine(state, resolve_precision("auto"))
    torch.set_float32_matmul_precision("high")
    results = []
    for name, recipe in recipes.items():
        for attn_implementation in arguments.attn_implementations:
            for is_compiled in arguments.compile:
                if state.device.type == "cuda":
                    torch.cuda.empty_cache()
                    torch.cuda.reset_peak_memory_stats()
                torch.compiler.reset()
                measured = measure_recipe(recipe, attn_implementation, is_compiled, arguments, state.device.type)
                results.append(
                    {"recipe": name, "attn_implementation": attn_implementation, "compiled": is_compiled, **measured}
                )
                print(", ".join(f"{key}: {value}" for key, value in results[-1].items()), flush=True)
    report = {
        "machine": machine,
        "peak_flops": find_peak_flops(machine["device"], arguments.peak_teraflops),
        "arguments": {**asdict(arguments), "recipes": list(recipes), "readme": None},
        "results": results,
    }
    table = render_results(report)
    print(table)
    write_report("gpu", report, table, arguments.readme)
