"""What `benchmark.py all` compares: works, and those who can do them.

This module imports nothing but the standard library, because a peer may live where nothing of ours is installed.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any


OURS = "darija_gpt"


@dataclass(frozen=True, kw_only=True)
class ContestSetup:
    """The same for all: where inputs lie, and how large models and batches are. Paths are as text, for JSON."""

    directory: str
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    vocab_size: int
    block_size: int
    batch_size: int
    num_new_tokens: int
    num_merges: int
    text_bytes: int
    num_threads: int
    mixed_precision: str
    turn_seconds: float

    def save(self, path: Path) -> None:
        """Writes it for another process."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "ContestSetup":
        """Reads it there."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Contestant:
    """Who does a work.

    Args:
        distribution (`str`):
            What pip calls it.
        prepare (`str`):
            `module:function` of the function that makes all ready: from the setup to a turn, which takes nothing and
            does the work once, and what is to be told of it, such as its parameters.
        arguments (`tuple`):
            What the function takes beside the setup.
    """

    distribution: str
    prepare: str
    arguments: tuple[Any, ...] = ()

    def make_ready(self, setup: ContestSetup) -> tuple[Callable[[], Any], dict[str, Any]]:
        """Calls that function."""
        module, _, function = self.prepare.partition(":")
        return getattr(import_module(f"darija_gpt.benchmark.{module}"), function)(setup, *self.arguments)


@dataclass(frozen=True)
class Contest:
    """A work, the unit in which its speed is told, and who does it: ours, then the peers."""

    title: str
    unit: str
    contestants: dict[str, Contestant]


def _parse(name: str, distribution: str, export: str) -> Contestant:
    return Contestant(distribution, "contest_parsing:prepare_parsing", (name, export))


def _list_parsers(export: str) -> dict[str, Contestant]:
    return {
        OURS: _parse("darija_gpt, in a list", "darija_gpt", export),
        "whatstk": _parse("whatstk", "whatstk", export),
        "chat-miner": _parse("chat-miner", "chat-miner", export),
    }


def _list_tokenizers(work: str) -> dict[str, Contestant]:
    return {
        OURS: Contestant("darija_gpt", f"contest_tokenizers:prepare_{work}", ("ours",)),
        "tokenizers alone": Contestant("tokenizers", f"contest_tokenizers:prepare_{work}", ("raw",)),
        "BPE in plain Python": Contestant("regex", f"contest_tokenizers:prepare_{work}", ("plain",)),
    }


def _list_models(work: str) -> dict[str, Contestant]:
    return {
        OURS: Contestant("darija_gpt", f"contest_models:prepare_{work}", ("ours",)),
        "LlamaForCausalLM": Contestant("transformers", f"contest_models:prepare_{work}", ("llama",)),
        "GPT2LMHeadModel": Contestant("transformers", f"contest_models:prepare_{work}", ("gpt2",)),
        "x-transformers": Contestant("x-transformers", f"contest_models:prepare_{work}", ("x_transformers",)),
        "litgpt": Contestant("litgpt", f"contest_models:prepare_{work}", ("litgpt",)),
    }


def _list_checkpoints(work: str) -> dict[str, Contestant]:
    return {
        OURS: Contestant("darija_gpt", f"contest_checkpoints:prepare_{work}", ("ours",)),
        "transformers' Trainer": Contestant("transformers", f"contest_checkpoints:prepare_{work}", ("trainer",)),
    }


CONTESTS: dict[str, Contest] = {
    "parse_android": Contest("Reading an export of Android", "messages/s", _list_parsers("Android")),
    "parse_ios": Contest("Reading an export of an iPhone", "messages/s", _list_parsers("iOS")),
    "train_tokenizer": Contest("Training a tokenizer", "MB/s", _list_tokenizers("training")),
    "encode": Contest("Encoding texts", "MB/s", _list_tokenizers("encoding")),
    "train_step": Contest("A training step", "tokens/s", _list_models("training")),
    "generate": Contest("Generation with the cache", "tokens/s", _list_models("generation")),
    "save": Contest("Writing a checkpoint", "a second", _list_checkpoints("saving")),
    "resume": Contest("Resuming from one", "a second", _list_checkpoints("resuming")),
}
