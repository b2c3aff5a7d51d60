"""The tables of a budget, from its JSON alone."""

from typing import Any

from darija_gpt.benchmark.report import render_table
from darija_gpt.peak_flops import look_up_peak


GIB = 2**30
_PARTS = {
    "weights": "Weights",
    "gradients": "Gradients",
    "moments": "Moments",
    "gathered": "Gathered",
    "layers": "Layers",
    "outside": "Logits, loss",
}


def render_budget(report: dict[str, Any]) -> str:
    """Size, memory and time as three tables, each with what it rests on."""
    assumed, plan = report["assumed"], report["plan"]
    prices = " and ".join(f"${price:.2f} for an {gpu}" for gpu, price in assumed["dollars_per_hour"].items())
    peaks = " and ".join(f"{look_up_peak(gpu, 'bf16') / 1e12:.0f} ({gpu})" for gpu in assumed["dollars_per_hour"])
    share = (
        " Layers are computed twice (`activation_checkpointing: true`), so three quarters of it count."
        if plan["activation_checkpointing"]
        else ""
    )
    return "\n\n".join(
        [
            render_plan(report),
            "GiB on each GPU, with AdamW in float32 and bf16 for computation, for micro-batches of "
            f"{plan['micro_batch_size']} blocks of {plan['block_size']:,} tokens. Layers, and logits with their loss, "
            "are what the forward pass keeps for the backward pass, counted over PyTorch's own allocations; add a "
            "tenth for what the allocator rounds up. *Gathered* are weights in bf16, and gradients before they are "
            "shared out.",
            render_memory(report["memory"]),
            f"Assumed, not measured: {assumed['utilization']:.0%} of the peak of {peaks} TFLOP/s in "
            f"bf16 reached by all GPUs together.{share} Prices of a GPU-hour, assumed in {assumed['priced_in']}: "
            f"{prices}. Data, validation and checkpoints take some percent more.",
            render_time(report["time"]),
        ]
    )


def render_plan(report: dict[str, Any]) -> str:
    """One line for each figure."""
    plan, unique = report["plan"], report["assumed"]["unique_tokens"]
    rows = [
        ["Parameters", f"{plan['parameters']:,}"],
        ["Tokens in a step", f"{plan['tokens_per_step']:,}"],
        ["Steps", f"{plan['steps']:,}"],
        ["Tokens", f"{plan['tokens'] / 1e9:.2f} billion"],
        ["Tokens for each parameter", f"{plan['tokens_per_parameter']:.1f}"],
        ["Computation", f"{plan['flops']:.2e} FLOPs, {plan['flops_per_token'] / 1e9:.2f} billion a token"],
    ]
    if unique:
        rows.insert(5, ["Passes over the data", f"{plan['passes']:.1f}, if it has {unique / 1e9:.1f} billion tokens"])
    return render_table(["", "Budget"], rows)


def render_memory(memory: list[dict[str, Any]]) -> str:
    """One line for each way to spread the weights."""
    rows = []
    for entry in memory:
        name = f"FSDP2 on {entry['num_gpus']}" if entry["sharded"] else "One GPU, or DDP"
        sizes = [entry["bytes"][part] / GIB for part in _PARTS]
        # Summed before it is rounded.
        cells = [f"{size:.1f}" for size in [*sizes, sum(sizes)]]
        rows.append([name, "yes" if entry["activation_checkpointing"] else "no", *cells])
    return render_table(["GPUs", "Checkpointing", *_PARTS.values(), "Sum, GiB"], rows)


def render_duration(days: float) -> str:
    """In the largest unit of which it is one or more."""
    if days >= 1:
        return f"{days:.1f} days"
    hours = 24 * days
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} minutes"


def render_time(time: list[dict[str, Any]]) -> str:
    """One line for each kind and number of GPUs."""
    rows = [
        [
            f"{entry['num_gpus']} × {entry['gpu']}",
            f"{entry['gradient_accumulation_steps']}",
            f"{entry['tokens_per_second']:,.0f}",
            render_duration(entry["days"]),
            f"{entry['gpu_hours']:,.{1 if entry['gpu_hours'] < 100 else 0}f}",
            f"${entry['dollars']:,.{2 if entry['dollars'] < 10 else 0}f}",
        ]
        for entry in time
    ]
    header = ["GPUs", "gradient_accumulation_steps", "Tokens a second", "Time", "GPU-hours", "Price"]
    return render_table(header, rows)
