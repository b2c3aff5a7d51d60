"""Speed and memory of reading exports, against whatstk and chat-miner, and speed of replacing private data.

The parsers take turns on the same files, each time in a fresh process. A speed is the median of the rounds, because
parsing lasts seconds; in brackets stand the slowest and the fastest round.
"""

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from importlib import metadata
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from darija_gpt import __version__
from darija_gpt.benchmark.parsers import PARSERS
from darija_gpt.benchmark.report import render_table, write_report
from darija_gpt.data.privacy import Person, scrub
from darija_gpt.data.sample_chats import OWNER, PHONES, Chat, draw_messages, format_message, load_dialogues
from darija_gpt.hardware import describe_platform
from darija_gpt.output import require_section


# The two formats that all three parsers read.
EXPORTS = {"Android": "android_english", "iOS": "ios_english"}
OURS = "darija_gpt, one by one"
PEERS = ("whatstk", "chat-miner")
PARTNERS = ("Bilal", "Ilyas", "Soufiane")
NUM_DRAWN_MESSAGES = 20_000  # A chat repeats them, because parsers do not care and drawing takes longer than parsing.
MEBIBYTE = 2**20

# One in fifty is a guess on the high side, as no export was measured; each of a thousand is the worst case.
PRIVATE_SHARES = {"1 message in 50": 0.02, "every message": 1.0}
PRIVATE = (
    *("06 ## ## ## ##", "+2126########", "0033 6 ## ## ## ##", "00212-661-######", "wa.me/2126########"),
    *("anir##@exemple.ma", "@2126########", "https://exemple.ma/p/#####?x=1", "www.exemple##.com"),
    *("cin dyali BK######", "lcode hwa 48####", "code wifi: zitoun####", "33.5####, -7.6####"),
    *("ana sakn f 1# rue Ibn Batouta, appt #", "10.1.2.##", "مفتاح الباب رقم 1# زنقة # حي السلام"),
)


@dataclass(frozen=True, kw_only=True)
class DataArguments:
    """What is read, how often, and where the tables go."""

    rounds: int = field(default=5, metadata={"help": "turns that everything compared takes"})
    num_messages: int = field(default=200_000, metadata={"help": "messages of the exports that all parsers read"})
    memory_messages: list[int] = field(
        default_factory=lambda: [10_000, 100_000, 1_000_000],
        metadata={"help": "messages of the exports whose reading is measured in memory"},
    )
    num_scrubbed_messages: int = field(default=50_000, metadata={"help": "messages to replace private data in"})
    readme: Path | None = field(
        default=None, metadata={"help": "a Markdown file that holds the tables, between <!-- data:begin --> and :end"}
    )

    def __post_init__(self):
        if min(self.rounds, self.num_messages, self.num_scrubbed_messages, *self.memory_messages) < 1:
            raise ValueError("rounds and all numbers of messages must be at least 1.")


def draw_texts(phone: str, seed: int = 0) -> list[tuple[str, str]]:
    """Author and text of the messages that a chat goes on repeating."""
    chat = Chat("Lfamila", phone, ("latn", "arab"), PARTNERS)
    messages = draw_messages(chat, load_dialogues(), random.Random(seed))
    return [(author, text) for _, author, text in islice(messages, NUM_DRAWN_MESSAGES) if author is not None]


def write_export(path: Path, phone: str, num_messages: int, seed: int = 0) -> int:
    """Writes an export without notices, which one peer counts and the other does not. Returns its bytes."""
    rng = random.Random(seed)
    when = datetime(2022, 1, 13, 8)
    with path.open("w", encoding="utf-8", newline="") as file:
        for author, text in islice(cycle(draw_texts(phone, seed)), num_messages):
            when += timedelta(seconds=rng.randint(5, 200))
            file.write(format_message(PHONES[phone], when, author, text))
    return path.stat().st_size


def find_version(distribution: str) -> str | None:
    """The version of a package, if it is installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def measure_parser(name: str, path: Path) -> dict[str, Any]:
    """What `run_parser` measures, in a fresh process.

    Raises:
        ValueError: If the parser cannot read the file.
    """
    command = [sys.executable, "-m", "darija_gpt.benchmark.parsers", name, str(path)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise ValueError(f"{name} stopped on {path.name}: {process.stderr.strip().splitlines()[-1]}")
    return json.loads(process.stdout.splitlines()[-1])


def compare_parsers(paths: dict[str, Path], names: Sequence[str], rounds: int) -> dict[str, dict[str, Any]]:
    """Seconds and memory of each parser on each export, in turns.

    Raises:
        ValueError: If they do not find the same number of messages.
    """
    results: dict[str, dict[str, Any]] = {}
    for export, path in paths.items():
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                runs[name].append(measure_parser(name, path))
        counts = {name: [run["num_messages"] for run in of_name] for name, of_name in runs.items()}
        if len({count for of_name in counts.values() for count in of_name}) > 1:
            raise ValueError(f"{export}: the parsers do not find the same number of messages: {counts}")
        results[export] = {
            name: {
                "num_messages": counts[name][0],
                "seconds": [run["seconds"] for run in of_name],
                "imported_bytes": max(run["imported_bytes"] for run in of_name),
                "peak_bytes": max(run["peak_bytes"] for run in of_name),
            }
            for name, of_name in runs.items()
        }
    return results


def draw_private_texts(share: float, num_messages: int, seed: int) -> list[str]:
    """Texts of a chat, a share of which ends in private data that nobody has."""
    rng = random.Random(seed)

    def draw_private() -> str:
        return "".join(str(rng.randrange(10)) if letter == "#" else letter for letter in rng.choice(PRIVATE))

    texts = islice(cycle(draw_texts("android_english", seed)), num_messages)
    return [f"{text} {draw_private()}" if rng.random() < share else text for _, text in texts]


def measure_scrubbing(share: float, roster: Sequence[Person], num_messages: int, rounds: int) -> dict[str, Any]:
    """UTF-8 bytes and seconds of each round, whose private data no other round has, and the messages changed."""
    num_bytes, seconds, num_changed = [], [], 0
    for seed in range(rounds):
        texts = draw_private_texts(share, num_messages, seed)
        num_bytes.append(sum(len(text.encode()) for text in texts))
        start = time.perf_counter()
        scrubbed = [scrub(text, roster) for text in texts]
        seconds.append(time.perf_counter() - start)
        num_changed += sum(before != after for before, after in zip(texts, scrubbed, strict=True))
    return {"bytes": num_bytes, "seconds": seconds, "share_changed": num_changed / (num_messages * rounds)}


def compare_scrubbing(num_messages: int, rounds: int) -> dict[str, dict[str, Any]]:
    """The same by share of private data, without and with the names of the participants."""
    roster = [Person(name, ()) for name in (OWNER, *PARTNERS)]
    results = {share: measure_scrubbing(PRIVATE_SHARES[share], (), num_messages, rounds) for share in PRIVATE_SHARES}
    first = next(iter(PRIVATE_SHARES))
    named = measure_scrubbing(PRIVATE_SHARES[first], roster, num_messages, rounds)
    return {**results, f"{first}, and {len(roster)} names": named}


def compute_ratios(seconds: Sequence[float], peers: Sequence[Sequence[float]]) -> list[float]:
    """How many times as fast as the faster peer a parser was, in each round."""
    return [min(others) / own for own, *others in zip(seconds, *peers, strict=True)]


def _spread(numbers: Sequence[float], template: str) -> str:
    return " ".join(
        (
            template.format(statistics.median(numbers)),
            f"({template.format(min(numbers))} to {template.format(max(numbers))})",
        )
    )


def _render_parsing(report: dict[str, Any]) -> Iterator[list[str]]:
    for export, results in report["parsing"].items():
        peers = [results[peer]["seconds"] for peer in PEERS if peer in results]
        for name, parser in PARSERS.items():
            version = report["versions"][parser.distribution]
            if version is None:
                yield [
                    export,
                    f"{name}: not installed, pip install -c constraints.txt -e '.[bench]' brings it",
                    "–",
                    "–",
                    "–",
                ]
                continue
            result = results[name]
            speeds = [result["num_messages"] / seconds for seconds in result["seconds"]]
            ratio = _spread(compute_ratios(result["seconds"], peers), "{:.2f}") if peers else "–"
            memory = (result["peak_bytes"] - result["imported_bytes"]) / MEBIBYTE
            yield [export, f"{name} ({version})", _spread(speeds, "{:,.0f}"), ratio, f"{memory:,.1f}"]


def _render_memory(report: dict[str, Any]) -> Iterator[list[str]]:
    for result in report["memory"]:
        peak, imported = result["peak_bytes"] / MEBIBYTE, result["imported_bytes"] / MEBIBYTE
        size = result["file_bytes"] / MEBIBYTE
        yield [f"{result['num_messages']:,}", f"{size:,.1f}", f"{peak - imported:,.1f}", f"{peak:,.1f}"]


def _render_scrubbing(report: dict[str, Any]) -> Iterator[list[str]]:
    for name, result in report["scrubbing"].items():
        speeds = [size / seconds / 1e6 for size, seconds in zip(result["bytes"], result["seconds"], strict=True)]
        yield [name, f"{result['share_changed']:.1%}", _spread(speeds, "{:.2f}")]


def render_results(report: dict[str, Any]) -> str:
    """Three tables: parsers, memory, private data."""
    header = ["Export", "Parser", "Messages/s", "Ratio to the faster peer", "Memory above its imports, MiB"]
    tables = [
        render_table(header, list(_render_parsing(report))),
        render_table(
            ["Messages, read one by one", "File, MiB", "Memory above the imports, MiB", "Whole process, MiB"],
            list(_render_memory(report)),
        ),
        render_table(
            ["Private data in", "Messages changed", "Scrubbing, MB/s on one core"], list(_render_scrubbing(report))
        ),
    ]
    return "\n\n".join(tables)


def benchmark_data(arguments: DataArguments) -> None:
    """The tables of parsers, memory and private data, printed and written into a README."""
    require_section(arguments.readme, "data")
    versions = {"darija_gpt": __version__, **{peer: find_version(peer) for peer in PEERS}}
    names = [name for name, parser in PARSERS.items() if versions[parser.distribution] is not None]
    with tempfile.TemporaryDirectory() as directory:
        paths = {export: Path(directory, f"{phone}.txt") for export, phone in EXPORTS.items()}
        for export, path in paths.items():
            write_export(path, EXPORTS[export], arguments.num_messages)
        parsing = compare_parsers(paths, names, arguments.rounds)
        memory = []
        for num_messages in arguments.memory_messages:
            path = Path(directory, "memory.txt")
            file_bytes = write_export(path, EXPORTS["Android"], num_messages)
            memory.append({"file_bytes": file_bytes, **measure_parser(OURS, path)})
    report = {
        "machine": {"python": platform.python_version(), "platform": describe_platform(), "cores": os.cpu_count()},
        "versions": versions,
        "arguments": asdict(arguments) | {"readme": None},
        "parsing": parsing,
        "memory": memory,
        "scrubbing": compare_scrubbing(arguments.num_scrubbed_messages, arguments.rounds),
    }
    table = render_results(report)
    print(table)
    write_report("data", report, table, arguments.readme)
