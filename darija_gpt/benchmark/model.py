"""Speed of the model: against LlamaForCausalLM at equal dimensions, and of each variant by attention kernel.

All that is compared runs in turns within one process. A speed is that of the fastest round, which other programs
disturbed least; a ratio is given of the fastest rounds and as the median over all.
"""

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.benchmark.report import render_table, write_report
from darija_gpt.benchmark.variants import BASE, VARIANTS
from darija_gpt.hardware import describe_machine
from darija_gpt.output import require_section


if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True, kw_only=True)
class ModelArguments:
    """What is timed, how often, and where the table goes."""

    rounds: int = field(default=7, metadata={"help": "turns that everything compared takes"})
    batch_size: int = field(default=4, metadata={"help": "texts in a training step"})
    length: int = field(default=256, metadata={"help": "tokens of each of them"})
    num_new_tokens: int = field(default=100, metadata={"help": "tokens to generate after a prompt of 16"})
    attn_implementations: list[str] = field(
        default_factory=lambda: ["eager", "sdpa"], metadata={"help": "kernels to compare, the first one being 1.0"}
    )
    mixed_precision: str = field(default="no", metadata={"help": "no or bf16"})
    compile: bool = field(default=False, metadata={"help": "also time the default compiled into one graph"})
    readme: Path | None = field(
        default=None, metadata={"help": "a Markdown file that holds the table, between <!-- model:begin --> and :end"}
    )

    def __post_init__(self):
        if self.mixed_precision not in ("no", "bf16"):
            raise ValueError(f"mixed_precision={self.mixed_precision} must be no or bf16.")
        if min(self.rounds, self.batch_size, self.length, self.num_new_tokens) < 1:
            raise ValueError("rounds, batch_size, length and num_new_tokens must be at least 1.")


def time_in_turns(runs: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run in each round, after one round that is not counted.

    Args:
        runs (`dict[str, Callable]`):
            What to run, by name; all of them once a round.
        rounds (`int`):
            Rounds that count.
    """
    import torch

    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    return {name: times[1:] for name, times in seconds.items()}


def compute_speed_ratio(seconds: dict[str, list[float]], of: str, to: str) -> dict[str, float]:
    """How many times as fast one run is as another: by their fastest rounds, and the median over all rounds."""
    return {
        "fastest": min(seconds[to]) / min(seconds[of]),
        "median": statistics.median(other / own for own, other in zip(seconds[of], seconds[to], strict=True)),
    }


def build(fields: dict[str, Any], attn_implementation: str, device: str) -> "PreTrainedModel":
    """A fresh DarijaGPT."""
    import torch

    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    torch.manual_seed(0)
    config = DarijaGPTConfig(**{**BASE, **fields})
    return DarijaGPTForCausalLM._from_config(config, attn_implementation=attn_implementation).to(device)


def build_llama(device: str) -> "PreTrainedModel":
    """LlamaForCausalLM of the default's dimensions and weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    ours = build({}, "sdpa", "cpu")
    fields = {**ours.config.to_dict(), "model_type": "llama", "rms_norm_eps": ours.config.norm_eps}
    llama = LlamaForCausalLM._from_config(LlamaConfig(**fields), attn_implementation="sdpa")
    llama.load_state_dict(ours.state_dict())
    return llama.to(device)


def make_training_step(model: "PreTrainedModel", arguments: ModelArguments) -> Callable[[], None]:
    """Forward and backward over one batch of random tokens."""
    import torch

    shape = (arguments.batch_size, arguments.length)
    input_ids = torch.randint(5, 8192, shape, generator=torch.Generator().manual_seed(0)).to(model.device)
    is_mixed = arguments.mixed_precision == "bf16"

    def step() -> None:
        model.train()
        model.zero_grad(set_to_none=True)
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=is_mixed):
            loss = model(input_ids=input_ids, labels=input_ids, use_cache=False).loss
        loss.backward()

    return step


def make_generation(model: "PreTrainedModel", arguments: ModelArguments) -> Callable[[], None]:
    """Greedy generation with the cache, from a prompt of 16 random tokens."""
    import torch

    prompt = torch.randint(5, 8192, (1, 16), generator=torch.Generator().manual_seed(0)).to(model.device)
    is_mixed = arguments.mixed_precision == "bf16"

    def generate() -> None:
        model.eval()
        with torch.autocast(model.device.type, dtype=torch.bfloat16, enabled=is_mixed):
            model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                min_new_tokens=arguments.num_new_tokens,
                max_new_tokens=arguments.num_new_tokens,
                do_sample=False,
            )

    return generate


KINDS = {"train": make_training_step, "generate": make_generation}


def compare(
    models: dict[str, "PreTrainedModel"], base: str, arguments: ModelArguments, kinds: Iterable[str] = tuple(KINDS)
) -> dict[str, dict[str, Any]]:
    """Tokens per second of each model in training and generation, and its speed against one of them."""
    num_tokens = {"train": arguments.batch_size * arguments.length, "generate": arguments.num_new_tokens}
    results: dict[str, dict[str, Any]] = {name: {} for name in models}
    for kind in kinds:
        runs = {name: KINDS[kind](model, arguments) for name, model in models.items()}
        seconds = time_in_turns(runs, arguments.rounds)
        for name, times in seconds.items():
            results[name][kind] = {
                "tokens_per_second": num_tokens[kind] / min(times),
                "ratio": compute_speed_ratio(seconds, name, base),
            }
    return results


def compare_kernels(fields: dict[str, Any], arguments: ModelArguments, device: str) -> dict[str, dict[str, Any]]:
    """The same for one architecture by attention kernel, as far as it takes them."""
    models = {}
    for implementation in arguments.attn_implementations:
        try:
            models[implementation] = build(fields, implementation, device)
        except ValueError as error:
            if "does not support" not in str(error):
                raise
    return compare(models, arguments.attn_implementations[0], arguments)


def render_results(results: dict[str, dict[str, Any]]) -> str:
    """One line for each architecture and kernel."""

    def render_kind(result: dict[str, Any] | None) -> list[str]:
        if result is None:
            return ["–", "–"]
        ratio = result["ratio"]
        return [f"{result['tokens_per_second']:,.0f}", f"{ratio['fastest']:.2f} ({ratio['median']:.2f})"]

    rows = [
        [architecture, name, *(cell for kind in KINDS for cell in render_kind(result.get(kind)))]
        for architecture, by_name in results.items()
        for name, result in by_name.items()
    ]
    return render_table(
        ["Architecture", "Kernel", "Training, tokens/s", "Ratio", "Generation, tokens/s", "Ratio"], rows
    )


def benchmark_model(arguments: ModelArguments) -> None:
    """The table of speeds, printed and written into a README."""
    import torch
    from accelerate import PartialState

    require_section(arguments.readme, "model")
    state = PartialState()
    device = str(state.device)
    machine = describe_machine(state, arguments.mixed_precision)
    torch.set_float32_matmul_precision("high")
    llama, default = build_llama(device), build({}, "sdpa", device)
    models = {"LlamaForCausalLM": llama, "DarijaGPT": default}
    # More rounds, because here a hundredth counts.
    results = {
        "equal dimensions": compare(models, "LlamaForCausalLM", replace(arguments, rounds=3 * arguments.rounds))
    }
    if arguments.compile:
        compiled = build({}, "sdpa", device)
        compiled.forward = torch.compile(compiled.forward, fullgraph=True)
        models = {"as it is": default, "torch.compile": compiled}
        results["compiled into one graph"] = compare(models, "as it is", arguments, ["train"])
    print(render_results(results), flush=True)
    del models, llama, default
    for name, fields in VARIANTS.items():
        results[name] = compare_kernels(fields, arguments, device)
        print(render_results({name: results[name]}).splitlines()[-1], flush=True)
    table = render_results(results)
    report = {"machine": machine, "base": BASE, "arguments": asdict(arguments) | {"readme": None}, "results": results}
    write_report("model", report, table, arguments.readme)
