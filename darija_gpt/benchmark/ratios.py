"""One table of ratios: how many times as fast each part of the pipeline is as others' that do the same.

Ours and its peers take turns on the same work, each in a process of its own; the first turn of each does not count. A
ratio is that of each round, told as the median, the least and the most.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from darija_gpt.benchmark.contest_process import ContestantProcess, ContestantStoppedError
from darija_gpt.benchmark.contests import CONTESTS, OURS, Contest, ContestSetup
from darija_gpt.benchmark.data import EXPORTS, draw_texts, write_export
from darija_gpt.benchmark.report import render_table
from darija_gpt.hardware import count_cores, describe_platform, resolve_precision
from darija_gpt.output import replace_section, require_section, write_text
from darija_gpt.records import read_record


SECTION = "ratios"
# 6.8 million parameters, as `benchmark.py pretrain` has them.
MODEL = {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 6, "num_attention_heads": 4}
LOOK_UP = """
import json, sys
from importlib import metadata

def find(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

print(json.dumps({name: find(name) for name in sys.argv[1:]}))
"""


@dataclass(frozen=True, kw_only=True)
class AllArguments:
    """What is compared, how often, and where the table goes."""

    rounds: int = field(default=7, metadata={"help": "turns that each contestant takes"})
    turn_seconds: float = field(
        default=1.5, metadata={"help": "the least that a turn takes: what is shorter is done again and again in it"}
    )
    contests: list[str] = field(
        default_factory=lambda: list(CONTESTS), metadata={"help": f"which of {', '.join(CONTESTS)}"}
    )
    peers_python: Path | None = field(
        default=None,
        metadata={"help": "a Python with peers that cannot be installed beside the project, as litgpt cannot"},
    )
    num_messages: int = field(default=100_000, metadata={"help": "messages of the exports"})
    num_texts: int = field(default=10_000, metadata={"help": "messages that tokenizers are trained on and encode"})
    num_merges: int = field(default=1000, metadata={"help": "merges that tokenizers learn"})
    vocab_size: int = field(default=8192, metadata={"help": "entries of the models' output layers"})
    batch_size: int = field(default=8, metadata={"help": "blocks of a training step"})
    block_size: int = field(default=256, metadata={"help": "tokens of a block"})
    num_new_tokens: int = field(default=100, metadata={"help": "tokens to generate after a prompt of 16"})
    results: Path = field(
        default=Path("recipes/results/ratios.json"), metadata={"help": "where all that was measured goes"}
    )
    readme: Path | None = field(
        default=None,
        metadata={
            "help": "a Markdown file that holds the table, between <!-- ratios:begin --> and :end; without it nothing "
            "is written"
        },
    )

    def __post_init__(self):
        sizes = ("rounds", "num_messages", "num_texts", "num_merges", "batch_size", "num_new_tokens")
        for name in sizes:
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")
        unknown = [name for name in self.contests if name not in CONTESTS]
        if unknown or not self.contests:
            raise ValueError(f"contests={self.contests} must be some of {', '.join(CONTESTS)}.")
        if self.block_size < self.num_new_tokens + 16:
            raise ValueError(f"block_size={self.block_size} must hold a prompt of 16 and num_new_tokens.")


def benchmark_all(arguments: AllArguments) -> None:
    """The table of ratios, printed and written into a README.

    Raises:
        ValueError: If the README has not the two markers, or there is no such Python for the peers.
    """
    require_section(arguments.readme, SECTION)
    if arguments.peers_python is not None and not arguments.peers_python.is_file():
        raise ValueError(f"peers_python={arguments.peers_python} is no file; give the python of an environment.")
    homes = find_homes(arguments.contests, arguments.peers_python)
    before = _read_before(arguments, homes) if arguments.readme else {}
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        setup = write_inputs(arguments, directory)
        results = {}
        for key in arguments.contests:
            results[key] = hold_contest(key, homes, directory, arguments.rounds)
            print(render_table(HEADER, render_rows(key, results[key], asdict(setup))), flush=True)
    report = {
        "machine": {
            "platform": describe_platform(),
            "cores": os.cpu_count(),
            "num_threads": setup.num_threads,
            "mixed_precision": setup.mixed_precision,
            "python": platform.python_version(),
        },
        "setup": {**asdict(setup), "directory": None, "num_messages": arguments.num_messages},
        "rounds": arguments.rounds,
        "results": results,
    }
    if arguments.readme is None:
        print(render_results(report))
        return
    if set(results) != set(CONTESTS):
        report["results"] = _merge(before, report)
    table = render_results(report)
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    write_text(arguments.results, json.dumps(report, indent=2) + "\n")
    write_text(arguments.readme, replace_section(arguments.readme, SECTION, table))
    print(f"written: {arguments.readme}, {arguments.results}")


def _read_before(arguments: AllArguments, homes: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """The report that is there; a peer in it that is not here any more is not to be lost.

    Raises:
        ValueError: If there is one.
    """
    before = read_record(arguments.results, "benchmark.py all")
    for key in arguments.contests:
        for name, contestant in CONTESTS[key].contestants.items():
            measured = before.get("results", {}).get(key, {}).get(name, {})
            if contestant.distribution not in homes and "seconds" in measured:
                raise ValueError(
                    f"{arguments.results} has {CONTESTS[key].title.lower()} by {name}, which is not installed "
                    "here; install it, name an environment that has it as --peers_python, or leave "
                    "out --readme."
                )
    return before


def _merge(before: dict[str, Any], report: dict[str, Any]) -> dict[str, Any]:
    """The results of all contests, those that were not held now as they were.

    Raises:
        ValueError: If those were held in another way or elsewhere: one table would not tell.
    """
    if not before:
        return report["results"]
    for name in ("machine", "setup", "rounds"):
        if before[name] != report[name]:
            raise ValueError(f"the contests held before had another {name}; hold all of them, or leave out --readme.")
    results = {**before["results"], **report["results"]}
    return {key: results[key] for key in CONTESTS if key in results}


def find_homes(contests: Sequence[str], peers_python: Path | None) -> dict[str, tuple[str, str]]:
    """The interpreter that has each package, this one first, and its version there; absent ones are left out."""
    names = sorted({one.distribution for key in contests for one in CONTESTS[key].contestants.values()})
    homes: dict[str, tuple[str, str]] = {}
    for python in filter(None, [sys.executable, peers_python]):
        process = subprocess.run([python, "-c", LOOK_UP, *names], capture_output=True, text=True, check=True)
        for name, version in json.loads(process.stdout).items():
            if version is not None:
                homes.setdefault(name, (str(python), version))
    return homes


def write_inputs(arguments: AllArguments, directory: Path) -> ContestSetup:
    """Exports, texts and a tokenizer, and the setup that names them."""
    from darija_gpt.tokenizer import save_tokenizer, train_tokenizer

    for export, phone in EXPORTS.items():
        write_export(directory / f"{export}.txt", phone, arguments.num_messages)
    texts = [text for _, text in draw_texts(EXPORTS["Android"])][: arguments.num_texts]
    (directory / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    save_tokenizer(train_tokenizer(texts, vocab_size=2048), directory / "tokenizer")
    setup = ContestSetup(
        directory=str(directory),
        **MODEL,
        vocab_size=arguments.vocab_size,
        block_size=arguments.block_size,
        batch_size=arguments.batch_size,
        num_new_tokens=arguments.num_new_tokens,
        num_merges=arguments.num_merges,
        text_bytes=sum(len(text.encode()) for text in texts),
        num_threads=count_cores(),
        mixed_precision=resolve_precision("auto"),
        turn_seconds=arguments.turn_seconds,
    )
    setup.save(directory / "setup.json")
    return setup


def hold_contest(
    key: str, homes: dict[str, tuple[str, str]], directory: Path, rounds: int
) -> dict[str, dict[str, Any]]:
    """Seconds of each contestant in each round, and what it told of itself; of one that could not, `stopped`."""
    results: dict[str, dict[str, Any]] = {}
    processes: dict[str, ContestantProcess] = {}
    try:
        for number, (name, contestant) in enumerate(CONTESTS[key].contestants.items()):
            if contestant.distribution not in homes:
                results[name] = {"stopped": "not installed"}
                continue
            python, version = homes[contestant.distribution]
            results[name] = {"distribution": contestant.distribution, "version": version, "seconds": []}
            try:
                log = directory / f"{key}-{number}.log"
                process = ContestantProcess(python, key, name, directory / "setup.json", log)
            except ContestantStoppedError as error:
                results[name]["stopped"] = str(error)
                continue
            results[name] |= process.facts
            processes[name] = process
        for number in range(rounds + 1):
            order = list(processes.items())
            for name, process in _rotate(order, number):
                try:
                    seconds = process.take_turn()
                except ContestantStoppedError as error:
                    results[name]["stopped"] = str(error)
                    del processes[name]
                    continue
                results[name]["seconds"] += [seconds] if number else []
    finally:
        for process in processes.values():
            process.close()
    if "stopped" in results[OURS]:
        raise ValueError(f"{CONTESTS[key].title}: ours stopped: {results[OURS]['stopped']}")
    return results


def _rotate(order: list[Any], number: int) -> list[Any]:
    """Another begins in each round."""
    first = number % max(1, len(order))
    return order[first:] + order[:first]


def compute_ratios(ours: Sequence[float], peers: Sequence[float]) -> list[float]:
    """How many times as fast ours was as a peer in each round, the least first."""
    return sorted(other / own for own, other in zip(ours, peers, strict=True))


def count_work(key: str, facts: dict[str, Any], setup: dict[str, Any]) -> float:
    """How much of a contest's unit a turn does."""
    if key.startswith("parse"):
        return facts["messages"]
    if key in ("train_tokenizer", "encode"):
        return setup["text_bytes"] / 1e6
    if key == "train_step":
        return setup["batch_size"] * setup["block_size"]
    return setup["num_new_tokens"] if key == "generate" else 1


HEADER = ["Work", "darija_gpt", "Peer", "Peer's", "Ratio to it"]


def render_rows(key: str, results: dict[str, dict[str, Any]], setup: dict[str, Any]) -> list[list[str]]:
    """A row for each peer."""
    contest: Contest = CONTESTS[key]
    ours = results[OURS]

    def spell_speed(result: dict[str, Any]) -> str:
        speed = count_work(key, result, setup) / statistics.median(result["seconds"])
        return f"{speed:,.0f} {contest.unit}" if speed >= 100 else f"{speed:,.2f} {contest.unit}"

    rows = []
    for name, result in results.items():
        if name == OURS:
            continue
        if "stopped" in result:
            rows.append([contest.title, spell_speed(ours), f"{name}: {result['stopped']}", "–", "–"])
            continue
        ratios = compute_ratios(ours["seconds"], result["seconds"])
        ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        peer = f"{name} ({result['distribution']} {result['version']})"
        rows.append([contest.title, spell_speed(ours), peer, spell_speed(result), ratio])
    return rows


def render_results(report: dict[str, Any]) -> str:
    """The table, and what it was measured on."""
    rows = [row for key, results in report["results"].items() for row in render_rows(key, results, report["setup"])]
    machine = report["machine"]
    return (
        f"{render_table(HEADER, rows)}\n\nMedian of {report['rounds']} alternating turns, and in brackets the least "
        f"and the most; {machine['num_threads']} threads of a machine with {machine['cores']} cores, training in "
        f"{machine['mixed_precision']}."
    )
