"""Small pretraining runs that are cut off, and how to tell that nothing came of it."""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from darija_gpt import durable, pretraining
from darija_gpt.checkpoint import list_checkpoints
from darija_gpt.manifest import read_manifest
from darija_gpt.pretraining import PretrainArguments, pretrain


TINY = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 128,
    "residual_dropout": 0.1,
    "attention_dropout": 0.1,
}
# 0.5 million parameters.
SMALL = {**TINY, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 3, "num_attention_heads": 4}
# Of 128 tokens, in the training split of the tests: ten steps of the runs below.
NUM_BLOCKS = 60
OPERATIONS = ("make_directory", "write_by", "write_in_place", "truncate", "sync", "rename", "remove")


def make_arguments(dataset_dir: Path, tokenizer_dir: Path, output_dir: Path, **changes) -> PretrainArguments:
    """A run of two epochs and a bit: 6 blocks a step in two passes, dropout, averaged weights."""
    defaults = {
        "model": TINY,
        "per_device_train_batch_size": 3,
        "gradient_accumulation_steps": 2,
        "optimizer": "adamw",
        "learning_rate": 1e-2,
        "mixed_precision": "no",
        "weight_average_decay": 0.9,
        "eval_steps": 6,
        "save_steps": 3,
    }
    return PretrainArguments(
        dataset=dataset_dir, tokenizer=tokenizer_dir, output_dir=output_dir, **{**defaults, **changes}
    )


def set_steps(arguments: PretrainArguments, num_steps: int) -> PretrainArguments:
    """The same for a number of steps."""
    blocks = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps * num_steps
    return replace(arguments, num_train_epochs=blocks / NUM_BLOCKS)


def read_state(output_dir: Path) -> dict:
    """All that two equal runs must have in common: the files of the last checkpoint, its progress, log and model."""
    manifest = read_manifest(list_checkpoints(output_dir / "checkpoints")[-1])
    progress = {key: value for key, value in manifest["progress"].items() if not key.endswith("_seconds")}
    return {
        "files": {name: file["sha256"] for name, file in manifest["files"].items()},
        "progress": progress,
        "identity": manifest["identity"],
        "log": (output_dir / "training_log.jsonl").read_text(),
        "samples": (output_dir / "samples.jsonl").read_text() if (output_dir / "samples.jsonl").exists() else "",
        "model": (output_dir / "model.safetensors").read_bytes(),
        "summary": json.loads((output_dir / "training_summary.json").read_text())["validation_loss"],
    }


def assert_same(arguments: PretrainArguments, reference: dict) -> None:
    """Compares a finished run to another, to the bit."""
    state = read_state(arguments.output_dir)
    for part, expected in reference.items():
        assert state[part] == expected, f"{part} differs"
    rows = (arguments.output_dir / "loss_curve.csv").read_text().splitlines()[1:]
    steps = {json.loads(line)["step"] for line in reference["log"].splitlines()}
    assert [int(row.split(",")[0]) for row in rows] == sorted(steps), "the curve lacks steps"
    assert (arguments.output_dir / "loss_curve.png").stat().st_size
    assert not list(arguments.output_dir.glob("**/.*")), "something was left behind"


class CutOffError(BaseException):
    """The end of a process: nothing catches it."""


@contextmanager
def torn_writes(monkeypatch, error: BaseException, place: int, *, is_torn: bool) -> Iterator[list[str]]:
    """Raises at one durable operation, before it or in the middle of what it writes; lists the operations."""
    names: list[str] = []
    originals = {name: getattr(durable, name) for name in OPERATIONS}
    with monkeypatch.context() as patch:
        for name in OPERATIONS:

            def perform(*args, name=name):
                names.append(name)
                if len(names) - 1 == place:
                    if is_torn:
                        tear(name, originals[name], args)
                    raise error
                originals[name](*args)

            patch.setattr(durable, name, perform)
        yield names


def tear(name: str, operation: Callable, args: tuple) -> None:
    """Does half of an operation."""
    if name == "write_in_place":
        path, data, *offset = args
        operation(path, data[: len(data) // 2], *offset)
    elif name == "remove" and args[0].is_dir():
        for path in sorted(filter(Path.is_file, args[0].rglob("*")))[::2]:
            path.unlink()
    elif name == "write_by":
        operation(*args)


def copy_run(source: Path, target: Path, *, steps: list[int] | None = None) -> None:
    """Another run at the same place, as if it had been cut off there; with the checkpoints of some steps only."""
    shutil.copytree(source, target)
    (target / "training_summary.json").unlink(missing_ok=True)
    for checkpoint in list_checkpoints(target / "checkpoints"):
        if steps is not None and int(checkpoint.name.removeprefix("step-")) not in steps:
            shutil.rmtree(checkpoint)


_FORKSERVER = multiprocessing.get_context("forkserver")
_FORKSERVER.set_forkserver_preload(
    ["darija_gpt.pretraining", "darija_gpt.training_run", "darija_gpt.model", "accelerate", "fault_runs"]
)


def start(target: Callable, *args) -> multiprocessing.Process:
    """Runs a function in a process that has imported everything: importing takes longer than these runs."""
    process = _FORKSERVER.Process(target=_run_quietly, args=(target, *args))
    process.start()
    return process


def _run_quietly(target: Callable, *args) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    # On a busy machine two threads that wait for each other take ten times as long as one.
    torch.set_num_threads(1)
    pretraining.use_all_cores = lambda state: None
    target(*args)


def run_to_end(arguments: PretrainArguments) -> None:
    """The same in a process of its own, which has to end well."""
    process = start(pretrain, arguments)
    process.join()
    assert process.exitcode == 0
