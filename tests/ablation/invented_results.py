"""Results of runs and speeds, as ablations keep them, that nobody measured."""


def make_result(name, seed, bits, **changes):
    measured = {"bits_per_byte": {"all": bits, "Arab": bits - 0.3, "Latn": bits + 0.5}, "intermediate_size": 64}
    run = {"name": name, "seed": seed, "changes": changes, "commit": "c0ffee", "tokens": 5000, "parameters": 1000}
    machine = {"device": "cpu", "mixed_precision": "no", "peak_memory_mib": 700 + seed}
    run |= {"skipped_steps": {"spike": 1}, "recipe": changes, "data": "d0"}
    return {**run, **machine, "epochs": 2.0, "curve": [[2500, bits + 0.5], [5000, bits]], **measured}


RESULTS = [
    make_result("base", 0, 1.60),
    make_result("base", 1, 1.62),
    make_result("norm_layernorm", 0, 1.50, **{"model.norm": "layernorm"}),
    {**make_result("gated_mlp_false", 0, 1.61, **{"model.gated_mlp": False}), "intermediate_size": 96},
]
SPEED = {
    "training_tokens_per_second": 5000,
    "training_ratio": {"median": 0.9, "low": 0.85, "high": 1.01},
    "generation_tokens_per_second": 310.4,
    "generation_ratio": {"median": 1.2, "low": 1.1, "high": 1.3},
    "cache_bytes_per_token": 1024,
    "rounds": 5,
    "machine": {"device": "cpu", "num_threads": 2, "mixed_precision": "bf16"},
}
