"""What a pretrain recipe will cost: tokens, computation, memory by part, days and money on assumed GPUs."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from darija_gpt.benchmark.memory import StepMemory, build_meta_model, measure_step
from darija_gpt.benchmark.report import write_report
from darija_gpt.output import require_section
from darija_gpt.peak_flops import look_up_peak
from darija_gpt.pretraining import PretrainArguments
from darija_gpt.recipe import parse_arguments


SECONDS_PER_DAY = 86_400
# Recomputing the forward pass makes 4 parts of the 3 that count (forward once, backward twice).
CHECKPOINTING_SHARE = 3 / 4


@dataclass(frozen=True, kw_only=True)
class BudgetArguments:
    """A recipe, what is assumed of GPUs and prices, and where the tables go."""

    recipe: Path = field(metadata={"help": "a pretrain.yaml, written for one GPU, with max_steps"})
    num_gpus: list[int] = field(
        default_factory=lambda: [1, 8, 64], metadata={"help": "numbers of GPUs, which divide the recipe's step"}
    )
    unique_tokens: float | None = field(default=None, metadata={"help": "tokens that the data has, if that is known"})
    utilization: float = field(default=0.4, metadata={"help": "model FLOPs utilisation that is assumed, 0 to 1"})
    dollars_per_hour: dict[str, float] = field(
        default_factory=lambda: {"A100": 2.0, "H100 SXM": 3.0},
        metadata={"help": "price of a GPU that is assumed; yours: --dollars_per_hour.L40S 1.2"},
    )
    priced_in: str = field(default="November 2026", metadata={"help": "when that was assumed"})
    readme: Path | None = field(
        default=None,
        metadata={"help": "a Markdown file that holds the tables, between <!-- budget:begin --> and :end"},
    )

    def __post_init__(self):
        if not 0 < self.utilization <= 1:
            raise ValueError(f"utilization={self.utilization} must be above 0 and at most 1; try 0.4.")
        for gpu in self.dollars_per_hour:
            if look_up_peak(gpu, "bf16") is None:
                raise ValueError(
                    f"dollars_per_hour: no speed in bf16 is known of {gpu}; take one such as A100, H100 SXM, H200, L4 "
                    "or RTX 4090."
                )
        if any(number < 1 for number in self.num_gpus):
            raise ValueError("num_gpus must be at least 1 each.")


def plan_run(recipe: PretrainArguments, unique_tokens: float | None) -> dict[str, Any]:
    """The size of a model and of its training.

    Raises:
        ValueError: If the recipe does not say how many steps there are, or how large the vocabulary is.
    """
    from darija_gpt.flops import count_flops_per_token

    if recipe.max_steps is None or "vocab_size" not in recipe.model:
        raise ValueError("a budget needs max_steps and model.vocab_size in the recipe.")
    model = build_meta_model(recipe.model)
    length = recipe.block_size or model.config.max_position_embeddings
    blocks = recipe.per_device_train_batch_size * recipe.gradient_accumulation_steps
    num_tokens = recipe.max_steps * blocks * length
    flops_per_token = count_flops_per_token(model, length)
    return {
        "parameters": model.num_parameters(),
        "layer_parameters": sum(parameter.numel() for parameter in model.model.layers[0].parameters()),
        "num_layers": model.config.num_hidden_layers,
        "block_size": length,
        "micro_batch_size": recipe.per_device_train_batch_size,
        "gradient_accumulation_steps": recipe.gradient_accumulation_steps,
        "activation_checkpointing": recipe.activation_checkpointing,
        "tokens_per_step": blocks * length,
        "steps": recipe.max_steps,
        "tokens": num_tokens,
        "tokens_per_parameter": num_tokens / model.num_parameters(),
        "passes": num_tokens / unique_tokens if unique_tokens else None,
        "flops_per_token": flops_per_token,
        "flops": flops_per_token * num_tokens,
    }


def split_accumulation(plan: dict[str, Any], num_gpus: int) -> int:
    """Passes a step on each of several GPUs, so that the step stays the same.

    Raises:
        ValueError: If the step cannot be shared out so.
    """
    passes, rest = divmod(plan["gradient_accumulation_steps"], num_gpus)
    if rest or not passes:
        raise ValueError(
            f"num_gpus={num_gpus} does not divide gradient_accumulation_steps={plan['gradient_accumulation_steps']}; "
            "a step has to stay the same on all of them."
        )
    return passes


def reckon_whole(plan: dict[str, Any], step: StepMemory, num_gpus: int) -> dict[str, int]:
    """Bytes on each GPU with AdamW in float32, where each has all weights; with DistributedDataParallel if several."""
    whole = 4 * plan["parameters"]
    return {"weights": whole, "gradients": whole, "moments": 2 * whole, "gathered": 0, **asdict(step)}


def reckon_sharded(plan: dict[str, Any], step: StepMemory, num_gpus: int) -> dict[str, int]:
    """The same with FSDP2 (ZeRO-3: Rajbhandari et al. 2020), where each has a share.

    Gathered are, in bf16, the weights outside the layers and two layers (one at work, the next on its way), and in
    float32 the gradients before they are shared out: of two layers, or of all where a step has several passes.
    """
    whole = 4 * plan["parameters"]
    two_layers = 2 * plan["layer_parameters"]
    outside = plan["parameters"] - plan["num_layers"] * plan["layer_parameters"]
    is_accumulating = split_accumulation(plan, num_gpus) > 1
    gathered = 2 * (outside + two_layers) + (whole if is_accumulating else 4 * two_layers)
    share = whole // num_gpus
    return {"weights": share, "gradients": share, "moments": 2 * share, "gathered": gathered, **asdict(step)}


def reckon_time(
    plan: dict[str, Any], gpu: str, num_gpus: int, arguments: BudgetArguments, activation_checkpointing: bool
) -> dict[str, float]:
    """How fast training would be at the assumed utilisation, how long it would take, and for what price."""
    share = CHECKPOINTING_SHARE if activation_checkpointing else 1.0
    speed = look_up_peak(gpu, "bf16") * num_gpus * arguments.utilization * share / plan["flops_per_token"]
    seconds = plan["tokens"] / speed
    hours = num_gpus * seconds / 3600
    return {
        "tokens_per_second": speed,
        "days": seconds / SECONDS_PER_DAY,
        "gpu_hours": hours,
        "dollars": hours * arguments.dollars_per_hour[gpu],
    }


def reckon_budget(arguments: BudgetArguments) -> dict[str, Any]:
    """All of it, as JSON holds it."""
    recipe = parse_arguments(PretrainArguments, ["--config", str(arguments.recipe)])
    plan = plan_run(recipe, arguments.unique_tokens)
    steps = {
        (precision, is_checkpointing): measure_step(
            recipe.model,
            plan["micro_batch_size"],
            plan["block_size"],
            precision=precision,
            activation_checkpointing=is_checkpointing,
        )
        for precision in ("autocast", "bf16")
        for is_checkpointing in (False, True)
    }
    memory = [
        {
            "sharded": reckon is reckon_sharded,
            "num_gpus": num_gpus,
            "activation_checkpointing": is_checkpointing,
            "bytes": reckon(plan, steps[precision, is_checkpointing], num_gpus),
        }
        for reckon, precision, counts in (
            (reckon_whole, "autocast", [1]),
            (reckon_sharded, "bf16", [number for number in arguments.num_gpus if number > 1]),
        )
        for num_gpus in counts
        for is_checkpointing in (False, True)
    ]
    time = [
        {"gpu": gpu, "num_gpus": num_gpus}
        | reckon_time(plan, gpu, num_gpus, arguments, plan["activation_checkpointing"])
        | {"gradient_accumulation_steps": split_accumulation(plan, num_gpus)}
        for gpu in arguments.dollars_per_hour
        for num_gpus in arguments.num_gpus
    ]
    assumed = {key: value for key, value in asdict(arguments).items() if key not in ("recipe", "readme")}
    return {"assumed": assumed, "plan": plan, "memory": memory, "time": time}


def benchmark_budget(arguments: BudgetArguments) -> None:
    """The budget of a recipe, printed and written into a README."""
    from darija_gpt.benchmark.budget_tables import render_budget

    require_section(arguments.readme, "budget")
    report = reckon_budget(arguments)
    tables = render_budget(report)
    print(tables)
    write_report("budget", report, tables, arguments.readme)
