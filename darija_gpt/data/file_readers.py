"""File readers: a local file -> its rows, one in memory at a time, as one table by file suffix.

`datasets` has such readers, too, but they copy a private file into a cache that others can read, log what a parser
says, which may quote a value, and take an `NA` in a CSV for nothing and a date in JSON for a timestamp. No error here
quotes a row.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, TextIO

import pyarrow
from pyarrow.parquet import ParquetFile

from darija_gpt.data.row_formats import Row


CHUNK_CHARACTERS = 2**20
# A row beyond this is a file of another kind, and would fill the memory.
MAX_ROW_CHARACTERS = 10_000_000
PARQUET_BATCH_ROWS = 1000
JSON_SEPARATORS = re.compile(r"[\s,]*")


def read_json_lines(path: Path) -> Iterator[Row]:
    """One JSON object a line."""
    with _open_text(path) as file:
        for number, line in enumerate(_list_lines(file), start=1):
            if line.strip():
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    row = None
                yield _check_object(row, f"{path}, line {number}: no JSON object; write one a line.")


def read_json(path: Path) -> Iterator[Row]:
    """A list of JSON objects, parsed piece by piece; a file that opens no list is read as JSON lines."""
    with _open_text(path) as file:
        buffer = file.read(CHUNK_CHARACTERS).lstrip()
        if not buffer.startswith("["):
            yield from read_json_lines(path)
            return
        decoder, place = json.JSONDecoder(), 1
        for number in count(1):
            while True:
                place = JSON_SEPARATORS.match(buffer, place).end()
                if buffer.startswith("]", place):
                    return
                try:
                    row, place = decoder.raw_decode(buffer, place)
                    break
                except (ValueError, RecursionError):
                    # Perhaps the end of the chunk cuts the row. Twice as much each time: a long one costs no more.
                    more = file.read(max(CHUNK_CHARACTERS, len(buffer) - place))
                    if not more or len(buffer) - place > MAX_ROW_CHARACTERS:
                        raise ValueError(
                            f"{path}, row {number}: no JSON; a .json file holds a list of objects, or one a line."
                        ) from None
                    buffer, place = buffer[place:] + more, 0
            yield _check_object(row, f"{path}, row {number}: no JSON object; a .json file holds a list of them.")


def read_parquet(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file, a batch in memory at a time."""
    with path.open("rb") as file:
        num_rows = 0
        try:
            for batch in ParquetFile(file).iter_batches(PARQUET_BATCH_ROWS):
                yield from batch.to_pylist()
                num_rows += len(batch)
        except (pyarrow.ArrowException, OSError, UnicodeDecodeError):
            raise ValueError(f"{path}: no whole Parquet file, {num_rows} rows can be read; fetch it again.") from None


def read_csv(path: Path, column_names: list[str] | None = None) -> Iterator[Row]:
    """Comma-separated columns, named in the first line; quotes go around a field that holds a comma or a newline."""
    return _read_separated(path, column_names, delimiter=",", strict=True)


def read_tsv(path: Path, column_names: list[str] | None = None) -> Iterator[Row]:
    """Tab-separated columns, named in the first line or by `column_names`.

    A field holds neither tab nor newline, and quotes are a part of it: so the media type's definition,
    https://www.iana.org/assignments/media-types/text/tab-separated-values.
    """
    return _read_separated(path, column_names, delimiter="\t", quoting=csv.QUOTE_NONE)


def read_text(path: Path) -> Iterator[Row]:
    """One row a document, the lines between two blank ones."""
    lines: list[str] = []
    num_characters = 0
    with _open_text(path) as file:
        for number, line in enumerate(_list_lines(file), start=1):
            if line.strip():
                lines.append(line)
                num_characters += len(line)
                if num_characters > MAX_ROW_CHARACTERS:
                    raise ValueError(
                        f"{path}, line {number}: a document of over {MAX_ROW_CHARACTERS:,} characters; "
                        "put blank lines between documents, or give them as .jsonl."
                    )
            elif lines:
                yield {"text": "".join(lines).rstrip("\n")}
                lines, num_characters = [], 0
    if lines:
        yield {"text": "".join(lines).rstrip("\n")}


# Files whose columns may be named from outside.
TABLE_READERS: dict[str, Callable[..., Iterator[Row]]] = {".csv": read_csv, ".tsv": read_tsv}

READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".jsonl": read_json_lines,
    ".json": read_json,
    ".parquet": read_parquet,
    **TABLE_READERS,
    ".txt": read_text,
}


def _read_separated(path: Path, column_names: list[str] | None, **dialect: Any) -> Iterator[Row]:
    # 131,072 by default, less than an article.
    csv.field_size_limit(MAX_ROW_CHARACTERS)
    with _open_text(path) as file:
        lines = csv.reader(_list_lines(file), **dialect)
        try:
            header = next(lines, []) if column_names is None else column_names
            named_by = "the first line names" if column_names is None else "column_names has"
            for fields in lines:
                if fields and len(fields) != len(header):
                    raise ValueError(
                        f"{path}, line {lines.line_num}: {len(fields)} fields where {named_by} {len(header)}; save it "
                        "as .jsonl, or mend the line."
                    )
                if fields:
                    yield dict(zip(header, fields, strict=True))
        except csv.Error:
            raise ValueError(
                f"{path}, line {lines.line_num}: quotes that do not match, or a field of over "
                f"{MAX_ROW_CHARACTERS:,} characters; save it as .jsonl, or mend the line."
            ) from None


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield file
    except UnicodeDecodeError:
        raise ValueError(f"{path}: not UTF-8; save it as UTF-8.") from None


def _list_lines(file: TextIO) -> Iterator[str]:
    """The lines of a file; one too long for any row comes in pieces."""
    return iter(lambda: file.readline(MAX_ROW_CHARACTERS + 1), "")


def _check_object(row: Any, problem: str) -> Row:
    if not isinstance(row, dict):
        raise ValueError(problem)
    return row
