"""A parser of WhatsApp exports at work on one file, in a process of its own: so its memory is nobody else's.

python -m darija_gpt.benchmark.parsers whatstk chat.txt
"""

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from darija_gpt.hardware import read_peak_bytes


def iterate(module: ModuleType, path: str) -> int:
    num_messages = 0
    for _ in module.parse_export(path):
        num_messages += 1
    return num_messages


@dataclass(frozen=True)
class Parser:
    """How a package is asked for all messages of an export.

    Args:
        distribution (`str`):
            What pip calls it.
        module (`str`):
            What is imported before the clock starts.
        parse (`Callable`):
            From that module and a path to whatever holds the messages.
        count (`Callable`):
            From what `parse` gave to the number of messages.
    """

    distribution: str
    module: str
    parse: Callable[[ModuleType, str], Any]
    count: Callable[[Any], int] = len


PARSERS = {
    "darija_gpt, one by one": Parser("darija_gpt", "darija_gpt.data.whatsapp", iterate, int),
    "darija_gpt, in a list": Parser(
        "darija_gpt", "darija_gpt.data.whatsapp", lambda module, path: list(module.parse_export(path))
    ),
    "whatstk": Parser("whatstk", "whatstk", lambda module, path: module.df_from_whatsapp(path)),
    # Its messages come out as a DataFrame only, which is made when the clock has stopped.
    "chat-miner": Parser(
        "chat-miner",
        "chatminer.chatparsers",
        lambda module, path: (parser := module.WhatsAppParser(path)).parse_file() or parser,
        lambda parser: len(parser.parsed_messages.get_df()),
    ),
}


def run_parser(name: str, path: str) -> dict[str, Any]:
    """Messages, seconds, and peak memory of one parser on one file: before it read anything, and in all."""
    parser = PARSERS[name]
    module = import_module(parser.module)
    imported_bytes = read_peak_bytes()
    start = time.perf_counter()
    parsed = parser.parse(module, path)
    seconds = time.perf_counter() - start
    # Linux adds up what the cores count, and only about.
    peak_bytes = max(imported_bytes, read_peak_bytes())
    return {
        "num_messages": parser.count(parsed),
        "seconds": seconds,
        "imported_bytes": imported_bytes,
        "peak_bytes": peak_bytes,
    }


if __name__ == "__main__":
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars
        measured = run_parser(*sys.argv[1:])
    print(json.dumps(measured))
