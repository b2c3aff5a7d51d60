"""Readers of exports as contestants: the parsers of `parsers.py`, once their modules are imported."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from darija_gpt.benchmark.contests import ContestSetup
from darija_gpt.benchmark.parsers import PARSERS


def prepare_parsing(setup: ContestSetup, name: str, export: str) -> tuple[Callable[[], Any], dict[str, Any]]:
    """A parser and one of the exports."""
    parser = PARSERS[name]
    module = import_module(parser.module)
    path = str(Path(setup.directory) / f"{export}.txt")
    return lambda: parser.parse(module, path), {"messages": parser.count(parser.parse(module, path))}
