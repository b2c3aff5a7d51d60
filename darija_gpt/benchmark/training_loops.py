"""Training loops that take turns, each in a process of its own: a bare one around LlamaForCausalLM, and ours."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from darija_gpt.hardware import keep_freed_memory, read_peak_bytes


BETAS = (0.9, 0.95)
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 0.1


@dataclass(frozen=True, kw_only=True)
class LoopSetup:
    """What all loops have in common, and where their inputs lie."""

    dataset: Path
    tokenizer: Path
    model: dict[str, Any]
    block_size: int
    batch_size: int
    mixed_precision: str
    save_steps: int


@dataclass(frozen=True)
class Loop:
    """One of those that are compared: the function that trains, and what it is told beside the setup."""

    train: Callable[["TurnTaker", LoopSetup, Path, dict[str, Any]], None]
    changes: dict[str, Any] = field(default_factory=dict)


class TurnTaker:
    """Stands in for the stop request of a run, which a loop asks once a step: there it waits for its turn.

    Args:
        connection (`Connection`):
            To the process that gives the turns: from there come numbers of steps, and 0 for the end; to there go the
            seconds that they took.
    """

    reason, exit_code = "the benchmark", 0

    def __init__(self, connection: Connection):
        self.connection = connection
        # A run's own measurements, where the loop is one.
        self.progress: dict[str, Any] = {"checkpoint_seconds": 0.0}
        self._steps_left = 1
        self._begin()

    def is_made(self) -> bool:
        """Whether the loop has to end; asked by the loop after it has computed the gradients of a step."""
        self._steps_left -= 1
        if self._steps_left == 0:
            self.connection.send(self._measure())
            self._steps_left = self.connection.recv()
            if self._steps_left == 0:
                return True
            self._begin()
        return False

    def _begin(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()
        self._checkpoint = self.progress["checkpoint_seconds"]

    def _measure(self) -> dict[str, float]:
        checkpoint = self.progress["checkpoint_seconds"] - self._checkpoint
        return {
            "seconds": time.perf_counter() - self._wall - checkpoint,
            "processor_seconds": time.process_time() - self._processor,
            "checkpoint_seconds": checkpoint,
            "peak_mebibytes": read_peak_bytes() / 2**20,
        }


def load_blocks(setup: LoopSetup):
    """The tokenizer and the blocks that a loop trains on."""
    from darija_gpt.data.dataset_directory import load_dataset_directory
    from darija_gpt.encoding import encode_batches
    from darija_gpt.packing import Documents, PackedDataset
    from darija_gpt.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(setup.tokenizer)
    batches = load_dataset_directory(setup.dataset)["train"].select_columns(["text", "messages"]).iter(1000)
    documents = Documents.from_lists(ids for batch in encode_batches(tokenizer, batches) for ids in batch)
    return tokenizer, PackedDataset(documents, setup.block_size, seed=0)


def train_bare(turns: TurnTaker, setup: LoopSetup, output_dir: Path, changes: dict[str, Any]) -> None:
    """What one writes around LlamaForCausalLM in a minute: autocast, AdamW, clipping, and no more."""
    import torch
    from accelerate import PartialState
    from torch.utils.data import DataLoader
    from transformers import LlamaConfig, LlamaForCausalLM

    from darija_gpt.pretraining import build_config

    if changes.get("keep_freed_memory"):
        keep_freed_memory(PartialState())
    tokenizer, blocks = load_blocks(setup)
    fields = build_config(setup.model, tokenizer).to_dict()
    fields = {**fields, "model_type": "llama", "rms_norm_eps": fields["norm_eps"]}
    model = LlamaForCausalLM._from_config(LlamaConfig(**fields), attn_implementation="sdpa")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=BETAS, weight_decay=WEIGHT_DECAY)
    while True:
        for batch in DataLoader(blocks, batch_size=setup.batch_size):
            input_ids = batch["input_ids"].to(device)
            with torch.autocast(device, dtype=torch.bfloat16, enabled=setup.mixed_precision == "bf16"):
                loss = model(input_ids=input_ids, labels=input_ids, use_cache=False).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            if turns.is_made():
                return
            optimizer.step()
            optimizer.zero_grad()


def train_ours(turns: TurnTaker, setup: LoopSetup, output_dir: Path, changes: dict[str, Any]) -> None:
    """A run as scripts/pretrain.py has it: with its guard, log, progress bar and checkpoints."""
    from accelerate import Accelerator
    from accelerate.utils import set_seed

    from darija_gpt.evaluation.bits_per_byte import ByteCounter
    from darija_gpt.faults import StoppedError
    from darija_gpt.model import DarijaGPTForCausalLM
    from darija_gpt.pretraining import PretrainArguments, build_config
    from darija_gpt.run_record import own_run
    from darija_gpt.training_run import TrainingRun
    from darija_gpt.training_samples import Sampler

    arguments = PretrainArguments(
        dataset=setup.dataset,
        tokenizer=setup.tokenizer,
        output_dir=output_dir,
        model=setup.model,
        block_size=setup.block_size,
        per_device_train_batch_size=setup.batch_size,
        mixed_precision=setup.mixed_precision,
        learning_rate=LEARNING_RATE,
        num_train_epochs=1e6,
        eval_steps=10**9,
        save_steps=setup.save_steps,
        **{"optimizer": "adamw", **changes},
    )
    accelerator = Accelerator(mixed_precision=setup.mixed_precision)
    keep_freed_memory(accelerator.state)
    set_seed(arguments.seed)
    tokenizer, blocks = load_blocks(setup)
    sampler = Sampler(tokenizer, [], max_new_tokens=1, seed=0, is_conversation=False, context_tokens=setup.block_size)
    with own_run(arguments, is_main_process=True):
        model = DarijaGPTForCausalLM(build_config(setup.model, tokenizer))
        run = TrainingRun(model, blocks, blocks, arguments, accelerator, turns, ByteCounter(tokenizer), sampler)
        turns.progress = run.progress
        try:
            run.train()
        except StoppedError:
            return


LOOPS: dict[str, Loop] = {
    "LlamaForCausalLM, bare loop": Loop(train_bare),
    "the same, freed memory kept": Loop(train_bare, {"keep_freed_memory": True}),
    "darija_gpt": Loop(train_ours),
    "darija_gpt, Muon": Loop(train_ours, {"optimizer": "muon"}),
    "darija_gpt, torch_compile": Loop(train_ours, {"torch_compile": True}),
}
BARE, KEPT, OURS, MUON, COMPILED = LOOPS


def take_turns(connection: Connection, name: str, setup: LoopSetup, directory: Path, num_threads: int) -> None:
    """The main function of a loop's process; what it prints goes to a file."""
    directory.mkdir()
    # As an empty cache finds it, so that the time to compile is all of it.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(directory / "compiled")
    with (directory / "output.txt").open("w") as output:
        os.dup2(output.fileno(), sys.stdout.fileno())
        os.dup2(output.fileno(), sys.stderr.fileno())
    import torch

    torch.set_num_threads(num_threads)
    loop = LOOPS[name]
    loop.train(TurnTaker(connection), setup, directory / "run", loop.changes)
