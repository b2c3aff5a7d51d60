"""What a file says, a text at a time with its place in words, however the file spells it.

What cannot be read is a ValueError, or a RecursionError if it is nested too deeply.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from darija_gpt.data.private_index import MIN_CHARACTERS
from darija_gpt.data.splits import SPLITS
from darija_gpt.evaluation.audited_files import TOKENIZER, WEIGHTS
from darija_gpt.output import make_printable
from darija_gpt.publishing.files import matches


SHA256 = re.compile(r"[0-9a-f]{64}")
# Of an object in JSON, so that a key that stands twice is seen twice.
PAIRS = tuple
# Places in a file of weights, of which one may look like a telephone number.
TENSOR_NUMBERS = re.compile(r"(?:shape|data_offsets): \d+")


def list_lines(content: bytes) -> Iterator[tuple[str, str]]:
    """The lines of a text."""
    for number, line in enumerate(content.decode().split("\n"), start=1):
        # Of a table each cell by itself: numbers of several would look like one.
        for part in line.split(" | ") if line.startswith("|") else (line,):
            yield f", line {number},", part


def list_json(content: bytes) -> Iterator[tuple[str, str]]:
    """What a JSON file says, a value at a time with its key: `phone: 0612345678`."""
    return _list_leaves(json.loads(content, object_pairs_hook=PAIRS))


def list_yaml(content: bytes) -> Iterator[tuple[str, str]]:
    """What a recipe says once its escapes and folded lines are read, like `list_json`."""
    try:
        document = yaml.load(content.decode(), Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        raise ValueError("not YAML") from None
    return _list_leaves(document)


def _list_leaves(value: Any, place: str = "", key: str = "") -> Iterator[tuple[str, str]]:
    """Values with their keys, and keys alone where a value says nothing: a fraction, a truth, a hash, a container."""
    if isinstance(value, dict):
        value = tuple(value.items())
    if isinstance(value, str | int) and not isinstance(value, bool) and not _is_digest(key, value):
        yield place, f"{key}: {value}"
        return
    yield place, key
    if isinstance(value, tuple):
        for inner_key, inner in value:
            is_container = isinstance(inner, dict | list | tuple)
            yield from _list_leaves(
                inner, place or (f" under {make_printable(inner_key)}" if is_container else ""), inner_key
            )
    elif isinstance(value, list):
        for inner in value:
            yield from _list_leaves(inner, place, key)


def _is_digest(key: str, value: str | int) -> bool:
    """Whether a value is the hash of a file in an audit; of other keys nobody knows what it is."""
    is_hashed = key in SPLITS or key.endswith("_sha256") or matches(key, (*WEIGHTS, *TOKENIZER))
    return is_hashed and SHA256.fullmatch(str(value)) is not None


def list_tensor_names(path: Path) -> Iterator[tuple[str, str]]:
    """What the header of a file of weights says: names of tensors, and metadata."""
    with path.open("rb") as file:
        num_bytes = int.from_bytes(file.read(8), "little")
        if num_bytes > path.stat().st_size:
            raise ValueError("the header is longer than the file")
        header = json.loads(file.read(num_bytes), object_pairs_hook=PAIRS)
    if not isinstance(header, PAIRS):
        raise ValueError("no header")
    for place, text in _list_leaves(header):
        if not TENSOR_NUMBERS.fullmatch(text):
            yield place, text


def list_settings(content: bytes) -> Iterator[tuple[str, str]]:
    """A tokenizer.json but for its vocabulary; one whose entries could be listed."""
    return _list_leaves(
        tuple(
            (key, tuple(pair for pair in value if pair[0] not in ("vocab", "merges")) if key == "model" else value)
            for key, value in json.loads(content, object_pairs_hook=PAIRS)
        )
    )


def list_entries(content: bytes) -> Iterator[str]:
    """What the entries of the vocabulary of a tokenizer.json stand for, where they are long enough to be anything."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(content.decode())
    except Exception:  # tokenizers raises no narrower one.
        raise ValueError("no tokenizer") from None
    for entry in tokenizer.get_vocab(with_added_tokens=False):
        text = tokenizer.decoder.decode([entry]) if tokenizer.decoder else entry
        if len(text) >= MIN_CHARACTERS:
            yield text
