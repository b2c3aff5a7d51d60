"""One run of an ablation, in a process of its own: trains and measures bits per byte on held-out texts.

python -m darija_gpt.ablation.one_run recipe.yaml
"""

import json
import sys
from pathlib import Path
from typing import Any

from darija_gpt.checkpoint import list_checkpoints
from darija_gpt.hardware import read_peak_bytes
from darija_gpt.output import write_text
from darija_gpt.pretraining import PretrainArguments, pretrain
from darija_gpt.recipe import run_stage
from darija_gpt.records import SUMMARY_FILE
from darija_gpt.run_record import CHECKPOINTS, check_same_run, identify_run
from darija_gpt.training_log import LOG_FILE


SPLIT = "validation"  # what is compared is to be chosen from: the test split stays for what was chosen
PEAK_FILE = "peak_memory.json"
SUMMARIZED = (
    "parameters",
    "tokens",
    "steps",
    "epochs",
    "skipped_steps",
    "train_loss",
    "validation_loss",
    "validation_bits_per_byte",
    "tokens_per_second",
    "wall_seconds",
    "device",
    "num_processes",
    "num_threads",
    "mixed_precision",
)


def run_once(arguments: PretrainArguments) -> None:
    """Trains, unless the run is finished, and measures; the result stands in the run's directory.

    Raises:
        ValueError: If the directory holds a run of another recipe, of other data or of other code.
    """
    if (arguments.output_dir / SUMMARY_FILE).is_file():
        check_same_run(arguments)
    else:
        # A process that goes on from a checkpoint need not come to the peak of the one before.
        is_resumed = bool(list_checkpoints(arguments.output_dir / CHECKPOINTS))
        pretrain(arguments)
        peak = None if is_resumed else _measure_peak()
        write_text(arguments.output_dir / PEAK_FILE, json.dumps({"peak_memory_mib": peak}) + "\n")
    result = measure_run(arguments)
    write_text(arguments.output_dir / "result.json", json.dumps(result, indent=2) + "\n")


def measure_run(arguments: PretrainArguments) -> dict[str, Any]:
    """What a finished run learnt and took.

    Returns:
        `dict`: of the run's summary what `SUMMARIZED` names; `bits_per_byte` of the validation split, of all and by
        script; `curve`, those of its blocks after so many tokens; `peak_memory_mib` of the process that trained from
        the first step to the last, or of its GPU, None where it was stopped on the way; `data`, the fingerprint of the
        texts.
    """
    from darija_gpt.data.dataset_directory import load_dataset_directory
    from darija_gpt.evaluation.bits_per_byte import measure_bits_per_byte
    from darija_gpt.loading import load_model

    directory = arguments.output_dir
    summary = json.loads((directory / SUMMARY_FILE).read_text(encoding="utf-8"))
    peak = directory / PEAK_FILE
    model, tokenizer = load_model(str(directory))
    rows = load_dataset_directory(arguments.dataset)[SPLIT]
    bits = measure_bits_per_byte(model.float(), tokenizer, rows)
    return {
        **{key: summary[key] for key in SUMMARIZED if key in summary},
        "intermediate_size": model.config.intermediate_size,
        "bits_per_byte": {name: measured["bits_per_byte"] for name, measured in bits.items()},
        "curve": _read_curve(directory / LOG_FILE),
        "peak_memory_mib": json.loads(peak.read_text("utf-8"))["peak_memory_mib"] if peak.is_file() else None,
        "data": identify_run(directory)["data"],
    }


def _measure_peak() -> int:
    import torch

    peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else read_peak_bytes()
    return round(peak / 2**20)


def _read_curve(log: Path) -> list[tuple[int, float]]:
    """(tokens, validation bits per byte) at each evaluation; a line of one may precede or follow its step's own."""
    tokens, curve = {}, []
    for line in log.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if "tokens" in record:
            tokens[record["step"]] = record["tokens"]
        if "validation_bits_per_byte" in record:
            curve.append((record["step"], round(record["validation_bits_per_byte"], 4)))
    return [(tokens[step], bits) for step, bits in curve]


if __name__ == "__main__":
    _, recipe = sys.argv
    run_stage(run_once, PretrainArguments, ["--config", recipe])
