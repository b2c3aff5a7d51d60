"""What each architecture holds while it generates: parameters, cache per token, and the largest state."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.benchmark.report import render_table, write_report
from darija_gpt.benchmark.variants import BASE, VARIANTS
from darija_gpt.output import require_section


if TYPE_CHECKING:
    from transformers import Cache, PreTrainedModel


@dataclass(frozen=True, kw_only=True)
class StateArguments:
    """What to generate, and where the table goes."""

    num_new_tokens: int = field(default=1000, metadata={"help": "tokens to generate with each architecture"})
    readme: Path | None = field(
        default=None, metadata={"help": "a Markdown file that holds the table, between <!-- state:begin --> and :end"}
    )


def count_cache_bytes(cache: "Cache | None") -> int:
    """Bytes of all keys, values and recurrent states in a cache; None, of a model that needs none, has no byte."""
    tensors = []
    for layer in cache.layers if cache is not None else ():
        tensors += [getattr(layer, "keys", None), getattr(layer, "values", None)]
        tensors += getattr(layer, "recurrent_states", {}).values()
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors if tensor is not None)


def measure_state(fields: dict[str, Any], num_new_tokens: int) -> dict[str, int]:
    """Parameters, bytes that the second token adds to the cache, and the largest cache over greedy generation.

    Args:
        fields (`dict`):
            Fields of DarijaGPTConfig.
        num_new_tokens (`int`):
            Tokens to generate, one at a time, after the first.
    """
    import torch

    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    torch.manual_seed(0)
    model = DarijaGPTForCausalLM(DarijaGPTConfig(**fields)).eval()
    sizes = measure_cache(model, num_new_tokens)
    return {
        "parameters": model.num_parameters(),
        "cache_bytes_per_token": sizes[1] - sizes[0],
        "largest_state_bytes": max(sizes),
    }


def measure_cache(model: "PreTrainedModel", num_new_tokens: int) -> list[int]:
    """Bytes of the cache behind each token of greedy generation, the first token among them."""
    import torch

    sizes, cache, input_ids = [], None, torch.tensor([[5]], device=model.device)
    with torch.no_grad():
        for _ in range(num_new_tokens + 1):
            outputs = model(input_ids, past_key_values=cache, use_cache=True)
            cache, input_ids = outputs.get("past_key_values"), outputs.logits[:, -1:].argmax(-1)
            sizes.append(count_cache_bytes(cache))
    return sizes


def render_results(results: dict[str, dict[str, int]], num_new_tokens: int) -> str:
    """One line for each architecture."""
    header = [
        "Architecture",
        "Parameters",
        "Cache bytes per token",
        f"Largest state in {num_new_tokens} tokens, bytes",
    ]
    rows = [[name, *(f"{number:,}" for number in result.values())] for name, result in results.items()]
    return render_table(header, rows)


def benchmark_state(arguments: StateArguments) -> None:
    """The table of what each architecture holds, printed and written into a README."""
    require_section(arguments.readme, "state")
    results = {name: measure_state({**BASE, **fields}, arguments.num_new_tokens) for name, fields in VARIANTS.items()}
    table = render_results(results, arguments.num_new_tokens)
    print(table)
    report = {"base": BASE, "num_new_tokens": arguments.num_new_tokens, "results": results}
    write_report("state", report, table, arguments.readme)
