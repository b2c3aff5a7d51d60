"""Streams: sources too large to be prepared -> rows in lanes, each read from where it was left.

A lane is a fixed part of every source, so that whoever reads it, and however often that is interrupted, finds the same
rows in the same order.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from datasets import IterableDataset
from datasets.distributed import split_dataset_by_node
from datasets.iterable_dataset import ExamplesIterable

from darija_gpt.data.corpus import load_dataset_directory
from darija_gpt.data.file_readers import READERS
from darija_gpt.data.normalization import normalize_text
from darija_gpt.data.privacy import scrub
from darija_gpt.data.quality import QualityLimits
from darija_gpt.data.row_formats import Row, SourceRow, UnusableRowError, convert_row
from darija_gpt.data.rows import clean_row
from darija_gpt.data.sources import check_columns, find_files, is_table, load_hub_dataset


COMMIT = re.compile("[0-9a-f]{40}")
# Between two notes of where a source stands; what was read since is read again.
ROWS_PER_READ = 100
SAMPLES_PER_FILE, SAMPLE_BYTES = 16, 2**16


@dataclass(frozen=True)
class StreamSource:
    """One of the sources of a stream.

    Args:
        path (`str`):
            A local file (.jsonl, .json, .parquet, .csv, .tsv, .txt), a folder of files of one of these kinds, a
            directory that prepare_data.py wrote, of which the train split is read, or the id of a dataset on the Hub.
        subset (`str`, *optional*):
            The dataset's configuration on the Hub.
        split (`str`, *optional*, defaults to `"train"`):
            The dataset's split on the Hub.
        revision (`str`, *optional*):
            A commit on the Hub, which a dataset of the Hub needs: branches move, and the order of a run must not.
        text_column (`str`, *optional*):
            The column to read as plain text, where a row has no known columns or another one is wanted.
        weight (`float`, *optional*, defaults to `1.0`):
            How many of the documents are from here, against the weights of the other sources.

    Raises:
        ValueError: If the path is empty, or the weight not positive.
    """

    path: str
    subset: str | None = None
    split: str = "train"
    revision: str | None = None
    text_column: str | None = None
    weight: float = 1.0

    def __post_init__(self):
        if not self.path.strip():
            raise ValueError("path is empty; give a file, a folder or the id of a dataset on the Hub.")
        if not 0 < self.weight < float("inf"):
            raise ValueError(f"weight={self.weight} must be positive; leave the source out instead.")

    @property
    def local(self) -> Path:
        """Where it is, if it is here."""
        return Path(self.path).expanduser()

    @property
    def label(self) -> str:
        """What it is called, wherever it lies: the name of what is here, or the dataset's id."""
        return self.local.name if self.local.exists() else self.path

    @property
    def is_prepared(self) -> bool:
        """Whether it is a directory that prepare_data.py wrote."""
        return (self.local / "dataset_dict.json").is_file()


@dataclass(frozen=True)
class StreamArguments:
    """How training documents are read while a model learns from them.

    Args:
        sources (`list[StreamSource]`, *optional*):
            What is read. None is the train split of `dataset`.
        num_lanes (`int`, *optional*, defaults to `8`):
            Parts of the stream. The processes, times their workers, must divide it.
        shuffle_buffer (`int`, *optional*, defaults to `1000`):
            Documents of a lane that are shuffled together, and held in memory.
        scrub (`bool`, *optional*, defaults to `True`):
            Put placeholders such as [PHONE] for private data, in sources that prepare_data.py has not been over.
        normalize (`bool`, *optional*, defaults to `True`):
            Write what looks the same in one way, in these, too.
        quality (`QualityLimits`, *optional*):
            Within which their rows are kept.

    Raises:
        ValueError: If a number is below 1.
    """

    sources: list[StreamSource] = field(default_factory=list)
    num_lanes: int = 8
    shuffle_buffer: int = 1000
    scrub: bool = True
    normalize: bool = True
    quality: QualityLimits = field(default_factory=QualityLimits)

    def __post_init__(self):
        for name, remedy in (("num_lanes", "try 8"), ("shuffle_buffer", "try 1000, or 1 for no shuffling")):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1; {remedy}.")


def list_sources(stream: StreamArguments, dataset: Path) -> list[StreamSource]:
    """The sources of a stream: its own, or the dataset."""
    return stream.sources or [StreamSource(str(dataset))]


def check_sources(stream: StreamArguments, dataset: Path) -> None:
    """Looks at the first row of each source, so that a wrong one is refused before anything is written.

    Raises:
        ValueError: If there is nothing to read.
    """
    for source in list_sources(stream, dataset):
        files = [] if source.is_prepared else find_files(source.path)
        is_here = source.is_prepared or bool(files)
        for name, default in (("subset", None), ("split", "train"), ("revision", None)):
            if is_here and getattr(source, name) != default:
                raise ValueError(
                    f"{source.path} is here on disk and has no {name}; leave out {name}={getattr(source, name)}."
                )
        if not is_here and not COMMIT.fullmatch(source.revision or ""):
            raise ValueError(
                f"{source.path}: revision={source.revision} is no commit, and what is streamed from the Hub must not "
                "change during a run; give the 40 digits of one, from the dataset's page."
            )
        for rows in _watch(source, open_rows(source, 0, stream.num_lanes).iter(1)):
            if not source.is_prepared:
                row = {name: values[0] for name, values in rows.items()}
                check_columns(source.path, source.text_column, row, is_table(source.path))
            break
        else:
            raise ValueError(f"{source.path} has no rows; leave it out, or look into it.")


def fingerprint_sources(stream: StreamArguments) -> dict[str, str]:
    """What each source of a stream is known by: a commit, or names, sizes and samples of its files."""
    prints = {}
    for number, source in enumerate(stream.sources):
        files = sorted((source.local / "train").glob("*.arrow")) if source.is_prepared else find_files(source.path)
        seen = hashlib.sha256((source.revision or "").encode())
        for file in files:
            size = file.stat().st_size
            seen.update(f"{file.name}\0{size}\0".encode())
            with file.open("rb") as opened:
                for sample in range(SAMPLES_PER_FILE):
                    opened.seek(max(0, size - SAMPLE_BYTES) * sample // (SAMPLES_PER_FILE - 1))
                    seen.update(opened.read(SAMPLE_BYTES))
        prints[f"source {number}, {source.label}"] = seen.hexdigest()
    return prints


def open_rows(source: StreamSource, lane: int, num_lanes: int) -> IterableDataset:
    """The rows of a source that belong to a lane: whole files where there are enough of them, else every n-th row.

    Raises:
        ValueError: If there is nothing to read.
    """
    if source.is_prepared:
        rows = load_dataset_directory(source.local)["train"].select_columns(["text", "messages"])
        if len(rows) < num_lanes:
            raise ValueError(
                f"{source.path} has {len(rows)} training rows for num_lanes={num_lanes}; take fewer lanes."
            )
        dataset = rows.to_iterable_dataset(num_shards=num_lanes)
    elif files := find_files(source.path):
        dataset = IterableDataset(ExamplesIterable(_read_files, {"files": files}))
    else:
        dataset = load_hub_dataset(
            source.path, subset=source.subset, split=source.split, revision=source.revision, streaming=True
        )
    strategy = "shards" if dataset.num_shards >= num_lanes else "examples"
    return split_dataset_by_node(dataset, rank=lane, world_size=num_lanes, strategy=strategy)


def build_converter(source: StreamSource, stream: StreamArguments) -> Callable[[Row], SourceRow]:
    """What makes a document of a row, or raises UnusableRowError."""

    def clean(text: str) -> str:
        # Marks of direction tell a mention from words, so private data is looked for before they go.
        text = scrub(text) if stream.scrub else text
        return normalize_text(text) if stream.normalize else text

    def convert(row: Row) -> SourceRow:
        try:
            converted = convert_row(row, source.text_column)
        except ValueError as error:
            raise ValueError(f"{source.path}: {error}") from None
        text, messages, reason = clean_row(converted, clean, stream.quality)
        if reason is not None:
            raise UnusableRowError(reason)
        return SourceRow(messages=messages) if messages else SourceRow(text=text)

    # Prepared rows are as they shall be.
    return (lambda row: SourceRow(row["text"], row["messages"] or None)) if source.is_prepared else convert


class LaneReader:
    """A lane's documents of one source, over and over.

    Args:
        source (`StreamSource`), stream (`StreamArguments`):
            What is read, and how.
        lane (`int`):
            The number of the lane.

    Attributes:
        counts (`Counter[str]`):
            Documents that were read, as `kept`, and rows that were left out, by reason; from the beginning on.
    """

    def __init__(self, source: StreamSource, stream: StreamArguments, lane: int):
        self.source, self.lane, self.num_lanes = source, lane, stream.num_lanes
        self.convert = build_converter(source, stream)
        self.epoch, self.num_in_epoch, self.counts = 0, 0, Counter()
        self._dataset: IterableDataset | None = None
        # The rows in hand, the next one's place among them, where the source stood before them, and where it stands.
        self._rows: list[Row] = []
        self._place, self._mark, self._next_mark = 0, None, None

    def read(self) -> SourceRow | None:
        """The next document, None once after the last one. Then it begins anew.

        Raises:
            ValueError: If there is none at all, or the source cannot be read.
        """
        while True:
            if self._place == len(self._rows) and not self._fill():
                if not self.num_in_epoch:
                    raise ValueError(
                        f"{self.source.path} has nothing to learn from for lane {self.lane} of {self.num_lanes} "
                        f"(rows left out: {dict(self.counts) or 'none'}); take fewer lanes, or look into it."
                    )
                self.epoch, self.num_in_epoch = self.epoch + 1, 0
                self._go_to(None)
                return None
            row = self._rows[self._place]
            self._place += 1
            try:
                document = self.convert(row)
            except UnusableRowError as reason:
                self.counts[str(reason)] += 1
                continue
            self.counts["kept"] += 1
            self.num_in_epoch += 1
            return document

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, as JSON holds it."""
        return {
            "epoch": self.epoch,
            "num_in_epoch": self.num_in_epoch,
            "counts": dict(self.counts),
            "mark": self._mark,
            "place": self._place,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes there."""
        self.epoch, self.num_in_epoch, self.counts = state["epoch"], state["num_in_epoch"], Counter(state["counts"])
        self._go_to(state["mark"])
        if state["mark"] is not None:
            self._fill()
            self._place = state["place"]

    def _go_to(self, mark: dict[str, Any] | None) -> None:
        """Begins to read where the source once stood, or at its beginning."""
        if self._dataset is None:
            self._dataset = open_rows(self.source, self.lane, self.num_lanes)
            self._first_mark = self._dataset.state_dict()
        self._next_mark = self._first_mark if mark is None else mark
        self._dataset.load_state_dict(self._next_mark)
        # Unlike the dataset's own iterator, this one gives all rows in a DataLoader's worker, too.
        self._batches = _watch(self.source, self._dataset.iter(ROWS_PER_READ))
        self._rows, self._place, self._mark = [], 0, None

    def _fill(self) -> bool:
        """Reads on; False at the end."""
        if self._dataset is None:
            self._go_to(None)
        batch = next(self._batches, None)
        if batch is None:
            return False
        self._rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
        self._place, self._mark, self._next_mark = 0, self._next_mark, self._dataset.state_dict()
        return True


class LaneRows:
    """The documents of a lane, mixed from its sources by their weights and shuffled a chunk at a time.

    The order of a chunk depends on nothing but the seed, the lane and the number of the chunk.

    Args:
        stream (`StreamArguments`):
            The stream.
        dataset (`Path`):
            What it reads if it has no sources of its own.
        lane (`int`):
            The number of the lane.
        seed (`int`):
            Of the order.
    """

    def __init__(self, stream: StreamArguments, dataset: Path, lane: int, seed: int):
        sources = list_sources(stream, dataset)
        self.readers = [LaneReader(source, stream, lane) for source in sources]
        self.shares = np.array([source.weight for source in sources]) / sum(source.weight for source in sources)
        self.lane, self.seed, self.shuffle_buffer = lane, seed, stream.shuffle_buffer
        self.chunk = 0

    def read_chunk(self) -> list[SourceRow]:
        """The next chunk: `shuffle_buffer` documents, or fewer where the only source comes to its end."""
        draw = np.random.default_rng([self.seed, self.lane, self.chunk])
        documents: list[SourceRow] = []
        for owner in draw.choice(len(self.readers), self.shuffle_buffer, p=self.shares):
            document = self.readers[owner].read()
            if document is None and documents and len(self.readers) == 1:
                break
            documents.append(self.readers[owner].read() if document is None else document)
        self.chunk += 1
        return [documents[place] for place in draw.permutation(len(documents))]

    def state_dict(self) -> dict[str, Any]:
        """Where it stands between two chunks, as JSON holds it."""
        return {"chunk": self.chunk, "readers": [reader.state_dict() for reader in self.readers]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes there."""
        self.chunk = state["chunk"]
        for reader, its_state in zip(self.readers, state["readers"], strict=True):
            reader.load_state_dict(its_state)


def _read_files(files: list[Path]) -> Iterator[tuple[str, Row]]:
    for file in files:
        for number, row in enumerate(READERS[file.suffix.lower()](file)):
            yield f"{file.name}-{number}", row


def _watch(source: StreamSource, batches: Iterator[dict[str, list]]) -> Iterator[dict[str, list]]:
    """The same, with errors that quote no row."""
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except ValueError:
            if source.local.exists():
                raise
            raise ValueError(f"{source.path}: a row cannot be read.") from None
        except Exception as error:
            raise ValueError(
                f"{source.path}: {type(error).__name__} while reading; the same command goes on from the last "
                "checkpoint."
            ) from None
        yield batch
