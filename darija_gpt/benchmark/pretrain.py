"""Speed of pretraining: our loop against a bare one around LlamaForCausalLM, and what Muon, checkpoints, tokenizing
and packing take of it.

The loops run in processes of their own, a few steps at a time in turns, so that what disturbs one disturbs all. A
speed is that of the fastest turn; a ratio is given of the fastest turns, and as the median over all.
"""

import multiprocessing
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.benchmark.data import PARTNERS
from darija_gpt.benchmark.model import compute_speed_ratio, time_in_turns
from darija_gpt.benchmark.report import render_table, write_report
from darija_gpt.benchmark.training_loops import BARE, LOOPS, MUON, OURS, LoopSetup, take_turns
from darija_gpt.data.sample_chats import OWNER, PHONES, Chat, draw_messages, load_dialogues
from darija_gpt.hardware import describe_machine, describe_platform, resolve_precision
from darija_gpt.output import require_section


if TYPE_CHECKING:
    from datasets import Dataset

MODEL: dict[str, Any] = {
    "hidden_size": 256,
    "intermediate_size": 704,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
}
TURNS_OF_A_CONVERSATION = 12


@dataclass(frozen=True, kw_only=True)
class PretrainSpeedArguments:
    """What is trained, how often, and where the tables go."""

    rounds: int = field(default=12, metadata={"help": "turns that every loop takes"})
    steps: int = field(default=5, metadata={"help": "training steps of a turn"})
    batch_size: int = field(default=8, metadata={"help": "blocks of a step"})
    block_size: int = field(default=256, metadata={"help": "tokens of a block"})
    vocab_size: int = field(default=8192, metadata={"help": "entries of the output layer"})
    mixed_precision: str = field(default="auto", metadata={"help": "auto, no or bf16"})
    save_steps: int = field(default=200, metadata={"help": "steps between checkpoints, to tell their share"})
    num_messages: int = field(default=100_000, metadata={"help": "sample messages to train on"})
    dataset: Path | None = field(
        default=None, metadata={"help": "directory that prepare_data.py wrote, in place of the sample messages"}
    )
    readme: Path | None = field(
        default=None, metadata={"help": "a Markdown file that holds them, between <!-- pretrain:begin --> and :end"}
    )

    def __post_init__(self):
        if min(self.rounds, self.steps, self.batch_size, self.block_size, self.save_steps, self.num_messages) < 1:
            raise ValueError("rounds, steps, batch_size, block_size, save_steps and num_messages must be at least 1.")
        if self.mixed_precision not in ("auto", "no", "bf16"):
            raise ValueError(f"mixed_precision={self.mixed_precision} must be auto, no or bf16.")


def draw_rows(num_messages: int, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of a dataset: sample messages in conversations of a dozen turns, every second row as plain text."""
    chat = Chat("Lfamila", next(iter(PHONES)), ("latn", "arab"), PARTNERS)
    texts: list[tuple[str, str]] = []
    for _, author, text in draw_messages(chat, load_dialogues(), random.Random(seed)):
        if author is not None:
            texts.append((author, text))
        if len(texts) == num_messages:
            break
    rows = []
    for first in range(0, len(texts), TURNS_OF_A_CONVERSATION):
        turns = texts[first : first + TURNS_OF_A_CONVERSATION]
        roles = ("assistant", "user")
        messages = [{"role": roles[author != OWNER], "content": text} for author, text in turns]
        rows.append(
            {
                "text": "\n".join(text for _, text in turns),
                "messages": None if len(rows) % 2 else messages,
                "source": "sample",
                "script": "mixed",
                "conversation_id": str(len(rows)),
            }
        )
    return rows


def write_inputs(arguments: PretrainSpeedArguments, directory: Path) -> LoopSetup:
    """A dataset, where none is given, and a tokenizer trained on it."""
    from datasets import Dataset, DatasetDict

    from darija_gpt.data.dataset_directory import load_dataset_directory
    from darija_gpt.tokenizer import save_tokenizer, train_tokenizer

    dataset = arguments.dataset
    if dataset is None:
        rows = Dataset.from_list(draw_rows(arguments.num_messages))
        dataset = directory / "dataset"
        DatasetDict({"train": rows, "validation": rows.select(range(1)), "test": rows.select(range(1))}).save_to_disk(
            dataset
        )
    texts = load_dataset_directory(dataset)["train"]["text"]
    save_tokenizer(train_tokenizer(texts, vocab_size=arguments.vocab_size), directory / "tokenizer")
    return LoopSetup(
        dataset=dataset,
        tokenizer=directory / "tokenizer",
        model={**MODEL, "vocab_size": arguments.vocab_size, "max_position_embeddings": arguments.block_size},
        block_size=arguments.block_size,
        batch_size=arguments.batch_size,
        mixed_precision=resolve_precision(arguments.mixed_precision),
        # Twice in the turns of a run at least, in the middle of them.
        save_steps=max(1, arguments.rounds * arguments.steps // 3),
    )


@contextmanager
def start_loops(setup: LoopSetup, directory: Path, num_threads: int) -> Iterator[dict[str, Any]]:
    """A connection to each loop. They are to be told the end, unless something went wrong."""
    context = multiprocessing.get_context("spawn")
    processes, connections = {}, {}
    try:
        for number, name in enumerate(LOOPS):
            connections[name], theirs = context.Pipe()
            place = directory / f"loop-{number}"
            process = context.Process(target=take_turns, args=(theirs, name, setup, place, num_threads), daemon=False)
            process.start()
            theirs.close()
            processes[name] = process
        yield connections
        for process in processes.values():
            process.join()
    finally:
        for process in processes.values():
            process.terminate()
            process.join()


def receive(connection: Any, name: str, directory: Path) -> dict[str, float]:
    """What a loop measured.

    Raises:
        ValueError: If it has ended instead, with the last line of what it said.
    """
    try:
        return connection.recv()
    except EOFError:
        number = list(LOOPS).index(name)
        lines = (directory / f"loop-{number}" / "output.txt").read_text().strip().splitlines()
        raise ValueError(f"{name} stopped: {lines[-1] if lines else 'it said nothing'}") from None


def time_loops(
    setup: LoopSetup, directory: Path, rounds: int, steps: int, num_threads: int
) -> dict[str, dict[str, Any]]:
    """Seconds of each loop: to its first gradient, in each turn by clock and by processor, and in checkpoints."""
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in LOOPS}
    results: dict[str, dict[str, Any]] = {}
    with start_loops(setup, directory, num_threads) as connections:
        for name, connection in connections.items():
            first = receive(connection, name, directory)
            results[name] = {"first_step_seconds": first["seconds"]}
        # The first turn does not count.
        for _ in range(rounds + 1):
            for name, connection in connections.items():
                connection.send(steps)
                measured[name].append(receive(connection, name, directory))
        for connection in connections.values():
            connection.send(0)
    for name, turns in measured.items():
        checkpoints = [turn["checkpoint_seconds"] for turn in turns if turn["checkpoint_seconds"]]
        results[name] |= {
            "seconds": [turn["seconds"] for turn in turns[1:]],
            "processor_seconds": [turn["processor_seconds"] for turn in turns[1:]],
            "checkpoint_seconds": checkpoints,
            "peak_mebibytes": turns[-1]["peak_mebibytes"],
        }
    return results


def compare_packing(rows: "Dataset", tokenizer, block_size: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Seconds of tokenizing and packing, and of raw `tokenizers` on the same strings, for both kinds of rows."""
    from darija_gpt.packing import PackedDataset
    from darija_gpt.token_store import open_tokens, prepare_tokens

    raw = tokenizer.backend_tokenizer
    results = {}
    for kind, is_wanted in (("plain texts", lambda row: not row["messages"]), ("chats", lambda row: row["messages"])):
        chosen = rows.filter(is_wanted)
        if not len(chosen):
            continue
        strings = [
            tokenizer.apply_chat_template(row["messages"], tokenize=False) if row["messages"] else row["text"]
            for row in chosen
        ]

        def encode(strings=strings) -> None:
            for first in range(0, len(strings), 1000):
                raw.encode_batch(strings[first : first + 1000], add_special_tokens=False)

        def pack(chosen=chosen) -> PackedDataset:
            # Into files and out of them again, as a run has it.
            with tempfile.TemporaryDirectory() as cache_dir:
                store = prepare_tokens(chosen, tokenizer, Path(cache_dir), split="train", fingerprint="benchmark")
                return PackedDataset(open_tokens(store), block_size)

        seconds = time_in_turns({"tokenizers": encode, "darija_gpt": pack}, rounds)
        tokens = pack().documents.num_tokens
        results[kind] = {
            "tokens": tokens,
            "seconds": seconds,
            "ratio": compute_speed_ratio(seconds, "darija_gpt", "tokenizers"),
        }
    return results


def compute_shares(loops: dict[str, dict[str, Any]], steps: int, save_steps: int) -> dict[str, float]:
    """What Muon takes of our loop's tokens per second, and checkpoints of its time.

    Args:
        loops (`dict`):
            What `time_loops` gives.
        steps (`int`):
            Of a turn.
        save_steps (`int`):
            Steps between two checkpoints.
    """
    seconds = {name: loop["seconds"] for name, loop in loops.items()}
    ratio = compute_speed_ratio(seconds, MUON, OURS)
    checkpoint = statistics.median(loops[OURS]["checkpoint_seconds"])
    between = save_steps * statistics.median(seconds[OURS]) / steps
    return {
        "muon_fastest": 1 - ratio["fastest"],
        "muon_median": 1 - ratio["median"],
        "checkpoint": checkpoint / (between + checkpoint),
    }


def render_results(report: dict[str, Any]) -> str:
    """Two tables: the loops, and what else takes time."""
    arguments, loops = report["arguments"], report["loops"]
    tokens = arguments["steps"] * arguments["batch_size"] * arguments["block_size"]
    rows = []
    for name, loop in loops.items():
        ratios = [
            compute_speed_ratio({each: other[key] for each, other in loops.items()}, name, BARE)
            for key in ("seconds", "processor_seconds")
        ]
        cells = [f"{ratio['fastest']:.2f} ({ratio['median']:.2f})" for ratio in ratios]
        rows.append(
            [
                name,
                f"{tokens / min(loop['seconds']):,.0f}",
                *cells,
                f"{loop['first_step_seconds']:.0f}",
                f"{loop['peak_mebibytes']:,.0f}",
            ]
        )
    header = ["Loop", "Tokens/s", "Ratio", "Ratio by processor time", "Start, s", "Memory, MiB"]
    shares = compute_shares(loops, arguments["steps"], arguments["save_steps"])
    others = [
        ["What Muon takes of AdamW's tokens/s", f"{shares['muon_fastest']:.1%} ({shares['muon_median']:.1%})"],
        [f"A checkpoint every {arguments['save_steps']} steps, of the time", f"{shares['checkpoint']:.1%}"],
    ]
    for kind, result in report["packing"].items():
        ratio = result["ratio"]
        others.append(
            [f"Tokenizing and packing {kind}, to raw tokenizers", f"{ratio['fastest']:.2f} ({ratio['median']:.2f})"]
        )
    return "\n\n".join([render_table(header, rows), render_table(["Beside the loop", "Share or ratio"], others)])


def benchmark_pretrain(arguments: PretrainSpeedArguments) -> None:
    """The tables of pretraining's speed, printed and written into a README."""
    require_section(arguments.readme, "pretrain")
    import torch
    import transformers
    from accelerate import PartialState
    from datasets import disable_progress_bars

    from darija_gpt.data.dataset_directory import load_dataset_directory
    from darija_gpt.tokenizer import load_tokenizer

    started = time.perf_counter()
    disable_progress_bars()
    state = PartialState()
    num_threads = max(torch.get_num_threads(), os.cpu_count() or 1) if state.device.type == "cpu" else 1
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        setup = write_inputs(arguments, directory)
        rows = load_dataset_directory(setup.dataset)["train"]
        packing = compare_packing(rows, load_tokenizer(setup.tokenizer), setup.block_size, min(arguments.rounds, 5))
        loops = time_loops(setup, directory, arguments.rounds, arguments.steps, num_threads)
    report = {
        "machine": {
            **describe_machine(state, setup.mixed_precision),
            "num_threads": num_threads,
            "cores": os.cpu_count(),
            "platform": describe_platform(),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        "model": setup.model,
        "arguments": asdict(arguments) | {"readme": None, "dataset": arguments.dataset and arguments.dataset.name},
        "minutes": round((time.perf_counter() - started) / 60, 1),
        "loops": loops,
        "packing": packing,
    }
    table = render_results(report)
    print(table)
    write_report("pretrain", report, table, arguments.readme)
