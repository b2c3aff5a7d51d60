"""WhatsApp chat exports, read as a stream of messages.

What a phone writes depends on its language and says neither the order of dates nor where names end. So a file is read
twice, line by line: once for the evidence of all its headers (whatsapp_headers.py, whatsapp_names.py), once for its
messages (whatsapp_texts.py). Memory does not grow with the length of a chat.
"""

import codecs
import errno
import io
import itertools
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, make_dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from darija_gpt.data.whatsapp_headers import (
    PLAIN_MARKS,
    DateEvidence,
    DateOrder,
    ExportError,
    HeaderReader,
    Shape,
    is_ios,
)
from darija_gpt.data.whatsapp_names import Names, find_name_end, read_name
from darija_gpt.data.whatsapp_texts import Kind, read_text


BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
SAMPLE_BYTES = 1024
BLOCK_BYTES = 2**16  # holds a thousand messages

# Of an export, on Android in every language, and of an iPhone's once it is unpacked.
EXPORT_NAME = re.compile(r"_chat\.txt|(?!\.).*(?:whatsapp|واتساب).*\.(?:txt|zip)", re.IGNORECASE)
MAX_CHAT_BYTES = 96 * 2**20  # A million messages are some 60 MB: an archive that holds more was made to fill memory.
MAX_RATIO = 250  # Chats shrink to a fifth, and to a fiftieth where everybody says the same.
MAX_MESSAGE_CHARACTERS = 2**24  # WhatsApp sends 65,536: what goes on for longer was made to fill memory.
LINE_CHARACTERS = 64  # What a line of its own takes in memory, beside its characters
MAX_SHAPES = 100  # of headers, that of the phone and those of pasted messages
NOBODY = ("", None)  # no name as written, no author


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat, or one notice of WhatsApp's own.

    Args:
        timestamp (`datetime`):
            Local time of the phone, without a time zone.
        author (`str`, *optional*):
            Name or number as the phone knows it, without bidi marks and a leading `~`. None for a notice.
        text (`str`):
            As written, lines joined by newlines, without the edit mark. Of media the caption, else empty; of deleted
            messages empty; of notices the notice.
        kind (`"text"`, `"media"`, `"deleted"` or `"system"`):
            Polls, contacts and the locations iOS marks are media; calls are system.
        edited (`bool`, *optional*, defaults to `False`):
            Whether the author changed the message after sending it.
    """

    timestamp: datetime
    author: str | None
    text: str
    kind: Kind
    edited: bool = False


# A frozen dataclass sets its fields one by one around its own guard, which takes four times as long.
_Draft = make_dataclass("_Draft", Message.__annotations__, slots=True)


def _make_message(timestamp: datetime, author: str | None, text: str, kind: Kind, is_edited: bool) -> Message:
    message = _Draft(timestamp, author, text, kind, is_edited)
    message.__class__ = Message
    return message


@dataclass(frozen=True)
class ExportFormat:
    """How an export is read, for a report.

    Args:
        label (`"android"` or `"ios"`):
            `"ios"` where dates stand in brackets.
        date_order (`"day_first"`, `"month_first"` or `"year_first"`):
            How dates are read.
        decided_by (`str`):
            Why: `"four-digit year first"`, `"a field over 12"` in all dates that read in one order alone, or in ten
            times as many as read in the other, `"fewer backward steps"`, `"given"`, or `"day equal to month"` where
            every date reads the same in both orders.
        encoding (`str`):
            How bytes are read.
        num_skipped_lines (`int`):
            Lines before the first header, which belong to no message.
        num_quoted_headers (`int`):
            Lines whose shape is that of another phone's headers: pasted into a message, and read as its text.
    """

    label: Literal["android", "ios"]
    date_order: DateOrder
    decided_by: str
    encoding: str
    num_skipped_lines: int
    num_quoted_headers: int


@dataclass(frozen=True)
class _Survey:
    """What the first reading hands to the second."""

    export_format: ExportFormat
    shape: Shape
    names: dict[str, tuple[str, str]]
    has_more_names: bool
    is_ios: bool


def _find_chat(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    """The chat of an archive. Beside it lie the files that were sent in it, if they were exported too."""
    texts = [member for member in archive.infolist() if member.filename.lower().endswith(".txt")]
    texts = [member for member in texts if not member.filename.startswith("__MACOSX/")]
    names = {member.filename: Path(member.filename).name.lower() for member in texts}
    chats = [member for member in texts if names[member.filename] in ("_chat.txt", f"{path.stem.lower()}.txt")]
    chats = chats or [member for member in texts if {"whatsapp", "واتساب"} & set(names[member.filename].split())]
    chats = chats or texts
    if len(chats) != 1:
        raise ExportError(f"{path}: {len(chats)} .txt files, one chat is expected; unpack it and give the chat.")
    if stat.S_ISLNK(chats[0].external_attr >> 16):
        raise ExportError(f"{path}: the chat is a link; give the file that it points to.")
    if chats[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ExportError(f"{path}: packed in a way that phones do not use; unpack it and give the .txt.")
    if chats[0].file_size > MAX_CHAT_BYTES:
        raise ExportError(f"{path}: the chat is over {MAX_CHAT_BYTES:,} bytes; unpack it and give the .txt.")
    if chats[0].file_size > max(2**20, MAX_RATIO * chats[0].compress_size):
        raise ExportError(f"{path}: the chat is over {MAX_RATIO} times its packed size; unpack it and give the .txt.")
    return chats[0]


def _detect_encoding(start: bytes) -> str:
    for mark, name in BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return name
    # Digits and spaces of every script's headers are ASCII in part, and ASCII is half zeros in UTF-16. The other half
    # of an emoji may be zero too.
    for offset, name in ((0, "utf-16-be"), (1, "utf-16-le")):
        if start[offset::2].count(0) > max(len(start) // 16, 4 * start[1 - offset :: 2].count(0)):
            return name
    return "utf-8"


class _Export:
    """The lines of a file, as often as wanted."""

    def __init__(self, path: Path, encoding: str | None):
        self.path = path
        try:
            self._is_archive = self._require_file() and path.suffix.lower() == ".zip"
            with self._open() as file:
                start = file.read(SAMPLE_BYTES)
            io.TextIOWrapper(io.BytesIO(), encoding)
        except IsADirectoryError:
            raise ExportError(f"{path}: this is a folder; give one of the files that find_exports lists.") from None
        except OSError as error:
            raise ExportError(f"{path}: {error.strerror or 'cannot be opened'}; check the path.") from None
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise self._refuse_archive() from None
        except (LookupError, ValueError) as error:
            if isinstance(error, ExportError):
                raise
            raise ExportError(f"{path}: encoding={encoding} is unknown; leave it out, or try cp1256.") from None
        if not start:
            raise ExportError(f"{path}: the file is empty; export the chat again.")
        self.encoding = encoding or _detect_encoding(start)

    def _require_file(self) -> bool:
        """Refuses what has no end, and pipes, which can be read but once and let wait."""
        if "\0" in str(self.path):
            raise ExportError(f"{self.path}: no path holds a zero byte; check the path.")
        mode = self.path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise ExportError(f"{self.path}: this is a device or a pipe; save it as a file.")
        return stat.S_ISREG(mode)

    def _open(self) -> BinaryIO:
        if not self._is_archive:
            return self.path.open("rb")
        try:
            with zipfile.ZipFile(self.path) as archive:  # never unpacked to disk
                return archive.open(_find_chat(archive, self.path))
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise error if isinstance(error, ExportError) else self._refuse_archive() from None
        except OSError as error:  # A place before the beginning of the file is an invalid argument.
            raise self._refuse_archive() if error.errno == errno.EINVAL else error from None

    def _refuse_archive(self) -> ExportError:
        return ExportError(f"{self.path}: the archive is damaged or locked; unpack it and give the .txt.")

    def read_lines(self) -> Iterator[str]:
        """Lines without their ends. Only a line feed ends one; all other separators belong to a message."""
        return itertools.chain.from_iterable(self._read_blocks())

    def _read_blocks(self) -> Iterator[list[str]]:
        decoder = codecs.getincrementaldecoder(self.encoding)()
        num_lines, num_characters, has_returns, has_more = 0, 0, False, True
        pieces: list[str] = []  # of a line that goes on in the next block
        with self._open() as file:
            try:
                while has_more:
                    block = file.read(BLOCK_BYTES)
                    has_more = bool(block)
                    text = decoder.decode(block, not has_more)
                    has_returns = has_returns or "\r" in text
                    lines = text.split("\n")
                    pieces.append(lines[0])
                    num_characters += len(lines[0])
                    if num_characters >= MAX_MESSAGE_CHARACTERS:
                        raise self._refuse_length(num_lines + 1)
                    if len(lines) > 1:
                        lines[0] = "".join(pieces)
                        pieces = [lines.pop()]
                        num_characters = len(pieces[0])
                        num_lines += len(lines)
                        yield [line.rstrip("\r") for line in lines] if has_returns else lines
                if num_characters:
                    yield ["".join(pieces).rstrip("\r")]
            except UnicodeDecodeError as error:
                line_number = num_lines + 1 + error.object[: error.start].count(b"\n")
                raise ExportError(  # The decoder's own error holds a piece of the chat.
                    f"{self.path}: line {line_number}: not {self.encoding}; save it as UTF-8, or give --encoding."
                ) from None
            except UnicodeError:  # of encodings that are none, like "undefined"
                raise ExportError(
                    f"{self.path}: not to be read with encoding={self.encoding}; leave it out, or try cp1256."
                ) from None
            except (zipfile.BadZipFile, zlib.error, EOFError):
                raise self._refuse_archive() from None

    def _refuse_length(self, line_number: int) -> ExportError:
        return ExportError(
            f"{self.path}: line {line_number}: over {MAX_MESSAGE_CHARACTERS:,} characters in which no message begins; "
            "give the chat as the phone exported it."
        )

    def survey(self, day_first: bool | None) -> _Survey:
        """The first reading: which shape headers have, in which order dates are read, which names there are."""
        shapes: dict[Shape, tuple[DateEvidence, Names]] = {}
        reader = HeaderReader()
        latest_shape, num_characters = None, 0
        for line_number, line in enumerate(self.read_lines(), start=1):
            header = reader.read(line)
            if header is None:
                num_characters += len(line) + LINE_CHARACTERS
                if shapes and num_characters > MAX_MESSAGE_CHARACTERS:
                    raise self._refuse_length(line_number)
                continue
            num_characters = len(line)
            shape, line_dates, _, _, end = header
            if shape != latest_shape:
                if shape not in shapes and len(shapes) == MAX_SHAPES:
                    raise ExportError(
                        f"{self.path}: line {line_number}: messages of over {MAX_SHAPES} phones; give the file of one."
                    )
                dates, names = shapes.setdefault(shape, (DateEvidence(line_number), Names()))
                latest_shape = shape
            dates.observe(line_number, line_dates)
            names.observe(line, end)
        if not shapes:
            raise ExportError(
                f"{self.path}: no line begins like a message ('31/12/2024, 18:30 - Name: text' or '[31/12/2024, "
                "18:30:00] Name: text'); export the chat again, or give --encoding if it is not UTF-8."
            )
        shape, (dates, names) = max(shapes.items(), key=lambda item: item[1][0].num_headers)
        date_order, reason = dates.decide_order(self.path, day_first)
        if names.has_doubtful():
            for line in self.read_lines():
                header = reader.read(line)
                if header is not None and header[0] == shape:
                    names.weigh(line[header[-1] :])
        export_format = ExportFormat(
            label="ios" if is_ios(shape) else "android",
            date_order=date_order,
            decided_by=reason,
            encoding=self.encoding,
            num_skipped_lines=dates.first_line - 1,
            num_quoted_headers=sum(each.num_headers for each, _ in shapes.values()) - dates.num_headers,
        )
        return _Survey(export_format, shape, names.resolve(), names.is_full, is_ios(shape))


def _build_message(timestamp: datetime, line: str, more: list[str], survey: _Survey) -> Message:
    text = "\n".join([line, *more]).rstrip("\n") if more else line
    end = line.find(": ")
    if end < 0:
        end = find_name_end(line)
    name, author = survey.names.get(line[:end], NOBODY) if end >= 0 else NOBODY
    if survey.has_more_names and author is None and end >= 0:
        name, author = read_name(line, end)
    if len(name) > end and not (line.startswith(name) and find_name_end(line, len(name)) == len(name)):
        author = None  # A line may have the first colon of a name and not the last: a notice about that name.
    if author is None:
        return _make_message(timestamp, None, text.lstrip(PLAIN_MARKS), "system", False)
    text = text[len(name) + 2 :]
    if not text and line.endswith(":."):
        return _make_message(timestamp, author, "", "deleted", False)
    kind, text, is_edited = read_text(text, survey.is_ios)
    return _make_message(timestamp, None if kind == "system" else author, text, kind, is_edited)


def _read_messages(lines: Iterator[str], survey: _Survey) -> Iterator[Message]:
    """The second reading. A line that is no header of this phone continues the message before it."""
    shape, order = survey.shape, survey.export_format.date_order
    read_header = HeaderReader().read
    timestamp, first_line, more = None, "", []
    for line in lines:
        header = read_header(line)
        if header is not None and header[0] == shape and order in header[1]:
            if timestamp is not None:
                yield _build_message(timestamp, first_line, more, survey)
            _, dates, clock, seconds, end = header
            timestamp = datetime.combine(dates[order], clock) + seconds
            first_line, more = line[end:], []
        elif timestamp is not None:
            more.append(line)
    if timestamp is not None:
        yield _build_message(timestamp, first_line, more, survey)


def find_exports(path: str | Path) -> list[Path]:
    """The exports of a folder, its .txt and .zip files, sorted. Of a file, that file.

    Of the folders in it, what is called like an export: macOS unpacks an iPhone's `WhatsApp Chat - Salma.zip` into a
    folder of that name, with `_chat.txt` in it beside other files.

    Raises:
        ExportError: If there is none.
    """
    path = Path(path)
    try:
        if not path.exists():
            raise ExportError(f"{path}: no such file or folder; check the path.")
        if not path.is_dir():
            return [path]
        children = [child for child in path.iterdir() if not child.name.startswith(".")]
        folders = [child for child in children if child.is_dir() and not child.is_symlink()]
        unpacked = [file for folder in folders for file in folder.iterdir() if EXPORT_NAME.fullmatch(file.name)]
        files = [file for file in (*children, *unpacked) if file.is_file()]
    except OSError as error:
        raise ExportError(f"{error.filename or path}: {error.strerror}; check the path.") from None
    exports = sorted(file for file in files if file.suffix.lower() in (".txt", ".zip"))
    if not exports:
        raise ExportError(f"{path}: the folder holds no .txt or .zip file; put the exported chats into it.")
    return exports


def detect_format(path: str | Path, *, day_first: bool | None = None, encoding: str | None = None) -> ExportFormat:
    """How `parse_export` reads a file, and why. Arguments and errors are the same."""
    return _Export(Path(path), encoding).survey(day_first).export_format


def parse_export(path: str | Path, *, day_first: bool | None = None, encoding: str | None = None) -> Iterator[Message]:
    """The messages of a chat export, in the order of the file.

    Args:
        path (`str` or `Path`):
            A .txt file as Android or iOS exports it, or a .zip file that holds one.
        day_first (`bool`, *optional*):
            Whether 03/04 is a day in April. By default the dates of the file tell; where they begin with the year, it
            changes nothing. Lines whose date does not read so are pasted text.
        encoding (`str`, *optional*):
            By default UTF-8, or UTF-16 if the file begins with its byte order mark or is half zeros.

    Returns:
        `Iterator[Message]`: reads on while it is consumed, and holds one message at a time.

    Raises:
        ExportError: At the call, if the file cannot be read or holds no message, or if its dates contradict one
            another or the given order, or read in either order.
    """
    export = _Export(Path(path), encoding)
    survey = export.survey(day_first)
    return _read_messages(export.read_lines(), survey)
