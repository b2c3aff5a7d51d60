"""Sources: datasets of the Hub and local files -> rows of text or messages, one at a time."""

import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

import datasets
from datasets.exceptions import DatasetsError

from darija_gpt.data.file_readers import READERS, TABLE_READERS
from darija_gpt.data.row_formats import FORMATS, Row, SourceRow, UnusableRowError, convert_row, find_format


HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")


@dataclass(frozen=True)
class Source:
    """One entry of a recipe's `sources:` list.

    Args:
        path (`str`):
            A local file (.jsonl, .json, .parquet, .csv, .tsv, .txt), a folder of files of one of these kinds, or the
            id of a dataset on the Hub. What exists here is never looked for there.
        subset (`str`, *optional*):
            The dataset's configuration on the Hub.
        split (`str`, *optional*, defaults to `"train"`):
            The dataset's split on the Hub.
        revision (`str`, *optional*):
            A branch, tag or commit on the Hub.
        text_column (`str`, *optional*):
            The column to read as plain text, where a row has no known columns or another one is wanted.
        column_names (`list[str]`, *optional*):
            The columns of a .csv or .tsv file whose first line does not name them.
        weight (`float`, *optional*, defaults to `1.0`):
            How often the training rows are seen: 0.5 is a random half, 2 each twice. The caller applies it.
        max_rows (`int`, *optional*):
            Rows to read, drawn from all of them; with `streaming` reading stops there.
        streaming (`bool`, *optional*, defaults to `False`):
            Read a dataset of the Hub while it comes, without a copy on disk.
        shuffle_buffer (`int`, *optional*, defaults to `10000`):
            With `streaming` and `max_rows`, rows are drawn from so many at a time; 1 takes the first rows.

    Raises:
        ValueError: If the path is empty, or a number not positive.
    """

    path: str
    subset: str | None = None
    split: str = "train"
    revision: str | None = None
    text_column: str | None = None
    column_names: list[str] | None = None
    weight: float = 1.0
    max_rows: int | None = None
    streaming: bool = False
    shuffle_buffer: int = 10_000

    def __post_init__(self):
        if not self.path.strip():
            raise ValueError("path is empty; give a file, a folder or the id of a dataset on the Hub.")
        for name, value, remedy in (
            ("weight", self.weight, "leave the source out instead"),
            ("max_rows", self.max_rows, "try 1000, or leave it out for all rows"),
            ("shuffle_buffer", self.shuffle_buffer, "try 10000, or 1 for the first rows"),
        ):
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name}={value} must be positive; {remedy}.")

    @property
    def label(self) -> str:
        """What its rows are marked with: the dataset's id, or the name of the file without the way to it."""
        return Path(self.path).name if Path(self.path).expanduser().exists() else self.path


def find_files(path: str) -> list[Path]:
    """The files of a local source, in order; none if it must be a dataset of the Hub.

    Raises:
        ValueError: If there is no such file, or a folder holds none or several kinds of them.
    """
    local = Path(os.path.expanduser(path))
    kinds = ", ".join(READERS)
    if local.is_dir():
        files = sorted(
            file
            for file in local.iterdir()
            if file.is_file() and file.suffix.lower() in READERS and not file.name.startswith(".")
        )
        found = sorted({file.suffix.lower() for file in files})
        if len(found) != 1:
            raise ValueError(
                f"{path} holds {'several kinds of files: ' + ', '.join(found) if found else 'no file to read'}; "
                f"give a folder with files of one kind ({kinds}), or the files as sources of their own."
            )
        return files
    if local.exists():
        if local.suffix.lower() not in READERS:
            raise ValueError(f"{path} is a file of an unknown kind; known are {kinds}.")
        return [local]
    if not HUB_ID.fullmatch(path) or local.suffix.lower() in READERS:
        raise ValueError(f"{path}: no such file or folder; give a path that exists, or user/name of the Hub.")
    return []


def read_source(
    source: Source, *, cache_dir: str | Path, seed: int, dropped: Counter[str] | None = None
) -> Iterator[SourceRow]:
    """The rows of a source, read while they are asked for.

    Args:
        source (`Source`):
            What to read.
        cache_dir (`str` or `Path`):
            Where a dataset of the Hub is prepared, unless it is streamed; of local files there is no copy. What
            `huggingface_hub` downloads lies in its own cache, HF_HUB_CACHE.
        seed (`int`):
            Decides which rows `max_rows` draws.
        dropped (`Counter[str]`, *optional*):
            Counts the rows left out, by reason.

    Raises:
        ValueError: If there is nothing to read: at once where a path shows it, otherwise at the row in question. No
            error quotes what stands in a row.
    """
    dropped = Counter() if dropped is None else dropped
    rows = read_rows(source, cache_dir=cache_dir, seed=seed)
    return _convert_rows(source, rows, dropped, has_private_names=is_table(source.path))


def read_rows(source: Source, *, cache_dir: str | Path, seed: int) -> Iterator[Row]:
    """The rows of a source with all their columns; arguments and errors are those of `read_source`."""
    files = find_files(source.path)
    if not files:
        return _read_hub(source, Path(cache_dir), seed)
    for name, value, default in (
        ("subset", source.subset, None),
        ("split", source.split, "train"),
        ("revision", source.revision, None),
    ):
        if value != default:
            raise ValueError(f"{source.path} is here on disk and has no {name}; leave out {name}={value}.")
    if source.column_names is not None and not is_table(source.path):
        raise ValueError(f"{source.path} names its columns itself; leave out column_names.")
    return _read_local(source, files, seed)


def is_table(path: str) -> bool:
    """Whether a source is a table: where its first line names no columns, the names are what somebody wrote."""
    files = find_files(path)
    return bool(files) and files[0].suffix.lower() in TABLE_READERS


def shuffle_in_buffer(rows: Iterable[Row], buffer_size: int, seed: int) -> Iterator[Row]:
    """All rows, each drawn from those of a buffer that the next one refills."""
    draw, buffer = random.Random(seed), []
    for row in rows:
        if len(buffer) < buffer_size:
            buffer.append(row)
            continue
        place = draw.randrange(buffer_size)
        yield buffer[place]
        buffer[place] = row
    draw.shuffle(buffer)
    yield from buffer


def _convert_rows(
    source: Source, rows: Iterator[Row], dropped: Counter[str], *, has_private_names: bool
) -> Iterator[SourceRow]:
    num_kept, reasons = 0, Counter()
    for number, row in enumerate(rows):
        if number == 0:
            check_columns(source.path, source.text_column, row, has_private_names)
        try:
            converted = convert_row(row, source.text_column)
        except UnusableRowError as reason:
            reasons[str(reason)] += 1
            dropped[str(reason)] += 1
            continue
        except ValueError as error:
            raise ValueError(f"{source.path}: {error}") from None
        num_kept += 1
        yield converted
    if not num_kept:
        spelled = ", ".join(f"{number:,} {reason}" for reason, number in sorted(reasons.items())) or "it is empty"
        raise ValueError(f"{source.path} has no row to learn from: {spelled}; leave it out, or look into it.")


def check_columns(path: str, text_column: str | None, row: Row, has_private_names: bool) -> None:
    """Refuses a source whose first row has none of the columns that anybody would look for.

    Raises:
        ValueError: With the columns it has, unless they are private or many.
    """
    if text_column in row if text_column is not None else find_format(row) is not None:
        return
    # Objects with many keys are tables turned inside out, their keys no columns.
    is_listed = not has_private_names and len(row) <= 20
    found = f"its columns {', '.join(row)}" if is_listed else f"the {len(row)} columns of its first row"
    if text_column is not None:
        raise ValueError(f"{path}: text_column={text_column} is not among {found}; give one that is.")
    known = ", ".join(" + ".join(columns) for columns, _ in FORMATS.values())
    raise ValueError(f"{path}: no known format in {found}; give one as text_column (known are {known}).")


def _read_local(source: Source, files: list[Path], seed: int) -> Iterator[Row]:
    def read_files() -> Iterator[Row]:
        for file in files:
            if source.column_names is None:
                yield from READERS[file.suffix.lower()](file)
            else:
                yield from TABLE_READERS[file.suffix.lower()](file, source.column_names)

    if source.max_rows is None:
        return read_files()
    if source.streaming:
        return islice(shuffle_in_buffer(read_files(), source.shuffle_buffer, seed), source.max_rows)
    return _pick_rows(read_files, source.max_rows, seed)


def _pick_rows(read: Callable[[], Iterator[Row]], max_rows: int, seed: int) -> Iterator[Row]:
    """Rows drawn from all, in their order, by reading twice instead of holding them."""
    drawn = set(_draw_indices(sum(1 for _ in read()), max_rows, seed))
    yield from (row for index, row in enumerate(read()) if index in drawn)


def _draw_indices(num_rows: int, max_rows: int, seed: int) -> list[int]:
    return sorted(random.Random(seed).sample(range(num_rows), min(max_rows, num_rows)))


def load_hub_dataset(
    path: str,
    *,
    subset: str | None,
    split: str,
    revision: str | None,
    streaming: bool,
    cache_dir: str | Path | None = None,
) -> datasets.Dataset | datasets.IterableDataset:
    """A split of a dataset of the Hub.

    Raises:
        ValueError: If it cannot be loaded. The error quotes no row.
    """
    # It logs what its parsers say, which may quote a value.
    datasets.logging.set_verbosity(datasets.logging.CRITICAL)
    try:
        return datasets.load_dataset(
            path,
            name=subset,
            split=split,
            revision=revision,
            streaming=streaming,
            cache_dir=None if cache_dir is None else str(cache_dir),
        )
    except ConnectionError:
        raise ValueError(
            f"{path}: no such file or folder here, and the Hub cannot be reached; go online without "
            "HF_HUB_OFFLINE, or give the path of a file."
        ) from None
    except Exception as error:
        # Other errors, those of parsers above all, may quote a row.
        is_harmless = isinstance(error, DatasetsError | FileNotFoundError) or type(error) in (ValueError, RuntimeError)
        detail = " ".join(str(error).split()) if is_harmless else type(error).__name__
        raise ValueError(f"{path}: the Hub's dataset cannot be loaded: {detail}") from None


def _read_hub(source: Source, cache_dir: Path, seed: int) -> Iterator[Row]:
    cache_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    dataset = load_hub_dataset(
        source.path,
        subset=source.subset,
        split=source.split,
        revision=source.revision,
        streaming=source.streaming,
        cache_dir=cache_dir,
    )
    if source.max_rows is not None and source.streaming:
        dataset = dataset.shuffle(seed=seed, buffer_size=source.shuffle_buffer).take(source.max_rows)
    elif source.max_rows is not None:
        dataset = dataset.select(_draw_indices(len(dataset), source.max_rows, seed))
    # Numbers that stand for classes, as the names that the dataset gives them; -1 is none.
    classes = {
        column: feature.names
        for column, feature in (dataset.features or {}).items()
        if isinstance(feature, datasets.ClassLabel)
    }
    rows = iter(dataset)
    for number in count(1):
        try:
            row = next(rows)
            for column, names in classes.items():
                row[column] = names[row[column]] if row[column] is not None and row[column] >= 0 else None
        except StopIteration:
            return
        except Exception as error:
            raise ValueError(
                f"{source.path}, row {number}: {type(error).__name__} while reading; try again, or without streaming."
            ) from None
        yield row
