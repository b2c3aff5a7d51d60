"""Streams: sources too large to be prepared, each dealt out into lanes.

A lane is a fixed part of every source, so that whoever reads it, and however often that is interrupted, finds the same
rows in the same order.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datasets import IterableDataset
from datasets.distributed import split_dataset_by_node
from datasets.iterable_dataset import ExamplesIterable

from darija_gpt.data.dataset_directory import load_dataset_directory
from darija_gpt.data.file_readers import READERS
from darija_gpt.data.normalization import normalize_text
from darija_gpt.data.privacy import scrub
from darija_gpt.data.quality import QualityLimits
from darija_gpt.data.row_formats import Row, SourceRow, UnusableRowError, convert_row
from darija_gpt.data.rows import clean_row
from darija_gpt.data.scrubbing import scrub_together
from darija_gpt.data.sources import check_columns, find_files, is_table, load_hub_dataset


COMMIT = re.compile("[0-9a-f]{40}")
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
                f"{source.path}: no such file or folder here, and for a dataset of the Hub revision={source.revision} "
                "is no commit; give the 40 digits of one, for what is streamed must not change during a run."
            )
        for rows in watch_rows(source, open_rows(source, 0, stream.num_lanes).iter(1)):
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

    def clean_together(texts: Sequence[str]) -> Sequence[str]:
        return scrub_together(texts)[0] if stream.scrub else texts

    def convert(row: Row) -> SourceRow:
        try:
            converted = convert_row(row, source.text_column)
        except ValueError as error:
            raise ValueError(f"{source.path}: {error}") from None
        text, messages, reason = clean_row(converted, clean, clean_together, stream.quality)
        if reason is not None:
            raise UnusableRowError(reason)
        return SourceRow(messages=messages) if messages else SourceRow(text=text)

    # Prepared rows are as they shall be.
    return (lambda row: SourceRow(row["text"], row["messages"] or None)) if source.is_prepared else convert


def watch_rows(source: StreamSource, batches: Iterator[dict[str, list]]) -> Iterator[dict[str, list]]:
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


def _read_files(files: list[Path]) -> Iterator[tuple[str, Row]]:
    for file in files:
        for number, row in enumerate(READERS[file.suffix.lower()](file)):
            yield f"{file.name}-{number}", row
