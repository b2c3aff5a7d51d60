"""WhatsApp chat exports, read as a stream of messages.

A phone writes an export in its own language, digits and date order, and nowhere says which: 03/04/22 is a day in April
or in March, and `Saad: khoya: salam` is by Saad or by `Saad: khoya`. So a file is read twice, line by line: once for
the evidence of all its headers, once for its messages. Memory does not grow with the length of a chat.
"""

import codecs
import functools
import io
import itertools
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import BinaryIO, Literal


Kind = Literal["text", "media", "deleted", "system"]
DateOrder = Literal["day_first", "month_first", "year_first"]

LEFT_TO_RIGHT, RIGHT_TO_LEFT = "\u200e", "\u200f"  # iOS opens with one what the author has not typed.
MARKS = LEFT_TO_RIGHT + RIGHT_TO_LEFT + "\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
SPACES = " \u00a0\u202f\u2009"
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

FIRST_YEAR, LAST_YEAR = 1970, 2099  # 1970 is a phone that lost its clock; other calendars (1403, 2567) fall outside.
MAX_NAME_LENGTH = 128  # WhatsApp cuts the names of groups at 100 characters.
MAX_CHAT_BYTES = 256 * 2**20  # A million messages are some 60 MB: an archive that holds more was made to fill memory.


class ExportError(ValueError):
    """An export that cannot be read. The message names the file, the line where there is one, and the remedy."""


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


@dataclass(frozen=True)
class ExportFormat:
    """How an export is read, for a report.

    Args:
        label (`"android"` or `"ios"`):
            `"ios"` where dates stand in brackets.
        date_order (`"day_first"`, `"month_first"` or `"year_first"`):
            How dates are read.
        decided_by (`str`):
            Why: `"four-digit year first"`, `"a field over 12"`, `"fewer backward steps"`, `"given"`, or
            `"day equal to month"` where every date reads the same in both orders.
        encoding (`str`):
            How bytes are read.
        num_skipped_lines (`int`):
            Lines before the first header, which belong to no message.
        num_quoted_headers (`int`):
            Lines that look like headers of another phone: pasted into a message, and read as its text.
    """

    label: Literal["android", "ios"]
    date_order: DateOrder
    decided_by: str
    encoding: str
    num_skipped_lines: int
    num_quoted_headers: int


@dataclass(frozen=True)
class Phrases:
    """What WhatsApp itself writes in one language, alternatives separated by `|`.

    `notices` and `members` are regular expressions for the beginning of a notice that holds a colon: the first are
    part of no name, the second of some ("Value added services").
    """

    at: str  # between date and time
    media: str = ""
    attached: str = ""  # <attached: FILE>
    file_attached: str = ""  # FILE (file attached)
    poll: str = ""
    deleted: str = ""
    deleted_by: str = ""  # goes on with an admin's name
    edited: str = ""
    call: str = ""
    encryption: str = ""  # begins the encryption notice
    notices: str = ""
    members: str = ""


LANGUAGES = {
    "en": Phrases(
        at="at",
        media="<Media omitted>|image omitted|video omitted|audio omitted|sticker omitted|GIF omitted|document omitted|"
        "Contact card omitted|video note omitted|<View once voice message omitted>|"
        "You received a view once message. For added privacy, you can only open it on your phone",
        attached="attached",
        file_attached="file attached",
        poll="POLL:",
        deleted="This message was deleted|You deleted this message|This message was deleted by an admin|"
        "You deleted this message as admin|Waiting for this message. This may take a while",
        deleted_by="This message was deleted by admin ",
        edited="<This message was edited>",
        call="Missed voice call|Missed video call|Missed group voice call|Missed group video call",
        encryption="Messages and calls are end-to-end encrypted|Messages to this ",
        notices="changed (?:the|this) (?:group|community|subject|description)|"
        "created (?:the |this )?(?:group|community)|changed (?:their|your) phone number|joined (?:using|via|from)|"
        "end-to-end encrypt|security code|disappearing messages|message timer|business account|now an admin|"
        "pinned a message",
        members=" added | removed | invited ",
    ),
    "fr": Phrases(
        at="à",
        media="<Médias omis>|<Média omis>|<Fichier omis>|image absente|vidéo absente|audio omis|audio absent|"
        "sticker omis|sticker absent|GIF retiré|GIF absent|document manquant|document absent|"
        "fiche contact manquante|fiche contact absente",
        attached="pièce jointe",
        file_attached="fichier joint",
        poll="SONDAGE :|SONDAGE\u00a0:|SONDAGE:",
        deleted="Ce message a été supprimé|Vous avez supprimé ce message|"
        "En attente de ce message. Cela peut prendre un moment",
        deleted_by="Ce message a été supprimé par l'admin|Ce message a été supprimé par l’admin",
        edited="<Ce message a été modifié>",
        call="Appel vocal manqué|Appel vidéo manqué|Appel vocal de groupe manqué|Appel vidéo de groupe manqué",
        encryption="Les messages et les appels sont chiffrés|Les messages envoyés dans ce",
        notices="(?:a|avez) (?:changé|modifié|remplacé) (?:le |la |les |l['’]|ce |cette |son |votre )"
        "(?:sujet|objet|nom|description|icône|image|photo|paramètres|numéro|groupe)|"
        "(?:a|avez) créé (?:le groupe|ce groupe|la communauté)|(?:a|avez) rejoint|(?:a|avez) épinglé|"
        "de bout en bout|code de sécurité|messages éphémères|compte professionnel|désormais admin",
        members="(?:a|avez) (?:ajouté|retiré|supprimé|invité) ",
    ),
    "ar": Phrases(
        at="في",
        media="<تم استبعاد الوسائط>|لم يتم إدراج الصورة|لم يتم إدراج الفيديو|لم يتم إدراج الفيديوهات|"
        "لم يتم إدراج المقطع الصوتي|لم يتم إدراج المقاطع الصوتية|لم يتم إدراج المستند|لم يتم إدراج صورة GIF|"
        "لم يتم إدراج الملصق|لم يتم إدراج بطاقة جهة اتصال|تم حذف الملصقات",
        attached="مرفق|المرفق|المُرفق",
        file_attached="الملف مرفق|ملف مرفق",
        poll="استطلاع:|استطلاع رأي:",
        deleted="تم حذف هذه الرسالة|لقد حذفت هذه الرسالة|لقد حذَفت هذه الرسالة|أنت حذفت هذه الرسالة|حذفت هذه الرسالة|"
        "في انتظار هذه الرسالة. قد يستغرق هذا بعض الوقت",
        deleted_by="حذف المشرف ",
        edited="<تم تعديل هذه الرسالة>",
        call="مكالمة صوتية فائتة|مكالمة فيديو فائتة|مكالمة صوتية جماعية فائتة|مكالمة فيديو جماعية فائتة",
        encryption="الرسائل والمكالمات مشف",
        notices="غيّ?رت? .{0,80}(?:المجموعة|الموضوع|هاتف|رقم)|[أا]نش[أا]ت? .{0,80}(?:مجموعة|المجموعة|المجتمع)|"
        "مشفّ?رة تما|رمز [أا]مان|رمز ال[أا]مان|الرسائل المؤقتة|الرسائل ذاتية الاختفاء",
        members="[أا]ضافت? |[أا]زالت? |ب[إا]ضافة |ب[إا]زالة ",
    ),
    "de": Phrases(at="um"),
}


def _either(pick: Callable[[Phrases], str]) -> str:
    return "|".join(filter(None, map(pick, LANGUAGES.values())))


def _normalize(line: str) -> str:
    return line.strip(SPACES + MARKS).removesuffix(".").lower()


PLACEHOLDERS: dict[str, Kind] = {
    **{_normalize(phrase): "media" for phrase in _either(lambda phrases: phrases.media).split("|")},
    **{_normalize(phrase): "deleted" for phrase in _either(lambda phrases: phrases.deleted).split("|")},
    **{_normalize(phrase): "system" for phrase in _either(lambda phrases: phrases.call).split("|")},
}
POLLS = {_normalize(phrase) for phrase in _either(lambda phrases: phrases.poll).split("|")}
DELETED_BY = tuple(_either(lambda phrases: phrases.deleted_by).lower().split("|"))
EDIT_MARKS = set(_either(lambda phrases: phrases.edited).lower().split("|"))
ENCRYPTION = tuple(_either(lambda phrases: phrases.encryption).split("|"))
NOTICE = re.compile(_either(lambda phrases: phrases.notices))
MEMBERS = re.compile(_either(lambda phrases: phrases.members))
MAP_URLS = ("https://maps.", "https://www.google.com/maps", "https://foursquare.com/")
FILE_NAME = re.compile(r"[^\n]{0,255}\.\w{1,5}(?: • [^\n]*)?")  # iOS names documents "notes.pdf • 2 pages".

# Quantifiers are possessive: a line matches or fails in one walk over it, whatever it holds.
_GAP = f"[{SPACES}{MARKS}]*+"
HEADER = re.compile(
    rf"[{MARKS}]*+(\[)?+{_GAP}"
    rf"(\d{{1,4}}){_GAP}([/.-]){_GAP}(\d{{1,2}}){_GAP}\3{_GAP}(\d{{1,4}})"
    rf"[{SPACES}{MARKS},،.]++(?:(?:{_either(lambda phrases: phrases.at)})[{SPACES}]++)?+"
    rf"(\d{{1,2}}){_GAP}[:.h]{_GAP}(\d\d)(?:{_GAP}[:.]{_GAP}(\d\d))?+{_GAP}"
    rf"([AaPp]\.?+{_GAP}[Mm]\.?+|(?:صباح|مساء)[\w\u064b]*+|[صم]\.?+|[قب]\.?+ظ\.?+)?+{_GAP}"
    rf"(?(1)\][{SPACES}]?+|[-–—](?:[{SPACES}]|$))"
)
AFTERNOON = "pPمب"  # What pm begins with in Latin, Arabic and Persian.
ATTACHMENT = re.compile(
    rf"<{_GAP}(?:{_either(lambda phrases: phrases.attached)}){_GAP}:[^<>]*>"
    rf"|.*\.\w{{0,5}} \((?:{_either(lambda phrases: phrases.file_attached)})\)"
)
# A name ends at a colon before a space. An empty text may lose that space; of a view-once message a dot is left.
NAME_END = re.compile(r":(?= |\.?$)")


@functools.lru_cache(maxsize=1024)  # Lines that follow one another share their date.
def _read_dates(first: str, second: str, third: str) -> dict[DateOrder, date]:
    """The date that three fields give in every order in which they give one."""
    orders: dict[DateOrder, tuple[str, str, str]] = {
        "day_first": (third, second, first),
        "month_first": (third, first, second),
    }
    if len(first) == 4:
        orders = {"year_first": (first, second, third)}
    dates = {}
    for order, (year, month, day) in orders.items():
        number = int(year) + (2000 if len(year) == 2 else 0)
        try:
            if FIRST_YEAR <= number <= LAST_YEAR:
                dates[order] = date(number, int(month), int(day))
        except ValueError:
            continue
    return dates


@functools.lru_cache(maxsize=4096)
def _read_time(hour: str, minute: str, second: str | None, period: str | None) -> time | None:
    number = int(hour)
    if period and number <= 12:
        number = number % 12 + (12 if period[0] in AFTERNOON else 0)
    try:
        return time(number, int(minute), int(second or 0))
    except ValueError:
        return None


# Bracket, separator, year first. A phone writes all headers of a file in one shape.
Shape = tuple[bool, str, bool]


def _read_header(header: re.Match[str]) -> tuple[Shape, dict[DateOrder, date], time | None]:
    bracket, first, separator, second, third, hour, minute, seconds, period = header.groups()
    shape = (bracket is not None, separator, len(first) == 4)
    return shape, _read_dates(first, second, third), _read_time(hour, minute, seconds, period)


def _share_beginning(first: str, second: str) -> str:
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))
    return first[: sum(1 for _ in same)]


class _Names:
    """The names that lines begin with.

    Names may hold colons, and so may texts. The name is the longest that all lines with the same first colon begin
    with, if two different lines put a colon after it: each line of `Saad: khoya` has both of his colons, and only some
    of Salma's have a second one. A line that has the name without its colon is a notice: `Saad: khoya left`.
    """

    def __init__(self):
        self._shared: dict[str, str] = {}  # what stands before the first colon -> what all lines with it begin with
        self._first_lines: dict[str, str] = {}  # possible name -> first line with it
        self._recurring: set[str] = set()  # possible names of several lines; the same text sent twice is one

    def observe(self, line: str) -> None:
        end = NAME_END.search(line)
        if end is None:
            return
        shortest, start = line[: end.start()], line[:MAX_NAME_LENGTH]
        shared = self._shared.get(shortest)
        if shared is None:
            if NOTICE.search(shortest):
                return
            shared = start
        elif len(shared) <= end.start() + 2 and shortest in self._recurring:
            return
        self._shared[shortest] = shared = _share_beginning(shared, start)
        for end in NAME_END.finditer(line):
            name = line[: end.start()]
            if not shared.startswith(name):
                return
            if self._first_lines.setdefault(name, start) != start:
                self._recurring.add(name)

    def resolve(self) -> dict[str, tuple[str, str]]:
        """What stands before the first colon -> the name as written, and as it reads."""
        names = {}
        for shortest, shared in self._shared.items():
            recurring = [name for name in self._recurring if f"{name}:".startswith(f"{shortest}:")]
            name = max((name for name in recurring if shared.startswith(name)), key=len, default=shortest)
            plain = "".join(letter for letter in name if letter not in MARKS).strip(SPACES)
            plain = plain.removeprefix("~").strip(SPACES)
            if plain and (recurring or not MEMBERS.search(shortest)):
                names[shortest] = (name, plain)
        return names


@dataclass
class _Evidence:
    """What the headers of one shape tell."""

    first_line: int
    num_headers: int = 0
    only: dict[DateOrder, int] = field(default_factory=dict)  # order -> first line that reads in no other
    backward_steps: Counter[DateOrder] = field(default_factory=Counter)
    latest: dict[DateOrder, datetime] = field(default_factory=dict)
    orders_differ: bool = False
    names: _Names = field(default_factory=_Names)

    def observe(self, line_number: int, dates: dict[DateOrder, date], clock: time) -> None:
        self.num_headers += 1
        if len(dates) == 1:
            self.only.setdefault(next(iter(dates)), line_number)
        elif not self.only:
            self.orders_differ |= dates["day_first"] != dates["month_first"]
            for order, day in dates.items():
                moment = datetime.combine(day, clock)
                self.backward_steps[order] += moment < self.latest.get(order, moment)
                self.latest[order] = moment

    def decide_order(self, path: Path, day_first: bool | None) -> tuple[DateOrder, str]:
        """The date order, and why."""
        if "year_first" in self.only:
            return "year_first", "four-digit year first"
        if len(self.only) == 2:
            raise ExportError(
                f"{path}: line {self.only['month_first']}: the date is month/day, but on line "
                f"{self.only['day_first']} it is day/month; if one of them is pasted text, indent it by a space."
            )
        if day_first is not None:
            given: DateOrder = "day_first" if day_first else "month_first"
            if self.only and given not in self.only:
                line_number = next(iter(self.only.values()))
                raise ExportError(
                    f"{path}: line {line_number}: the date does not read with day_first={day_first}; leave it out."
                )
            return given, "given"
        if self.only:
            return next(iter(self.only)), "a field over 12"
        if not self.orders_differ:
            return "day_first", "day equal to month"
        day_steps, month_steps = self.backward_steps["day_first"], self.backward_steps["month_first"]
        if day_steps == month_steps:
            raise ExportError(
                f"{path}: line {self.first_line}: this and all other dates read both as day/month and as month/day; "
                "give day_first=True or day_first=False."
            )
        return "day_first" if day_steps < month_steps else "month_first", "fewer backward steps"


@dataclass(frozen=True)
class _Survey:
    """What the first reading hands to the second."""

    export_format: ExportFormat
    shape: Shape
    names: dict[str, tuple[str, str]]


class _Export:
    """The lines of a file, as often as wanted."""

    def __init__(self, path: Path, encoding: str | None):
        self.path = path
        try:
            self._data = _read_zip(path) if path.suffix.lower() == ".zip" and path.is_file() else None
            with self._open() as file:
                start = file.read(4)
            io.TextIOWrapper(io.BytesIO(), encoding)
        except IsADirectoryError:
            raise ExportError(f"{path}: this is a folder; give one of the files that find_exports lists.") from None
        except OSError as error:
            raise ExportError(f"{path}: {error.strerror or 'cannot be opened'}; check the path.") from None
        except LookupError:
            raise ExportError(f"{path}: encoding={encoding} is unknown; leave it out, or try cp1256.") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):
            raise ExportError(f"{path}: the archive is damaged or locked; unpack it and give the .txt.") from None
        if not start:
            raise ExportError(f"{path}: the file is empty; export the chat again.")
        by_mark = (name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark))
        self.encoding = encoding or next(by_mark, "utf-8")

    def _open(self) -> BinaryIO:
        return self.path.open("rb") if self._data is None else io.BytesIO(self._data)

    def read_lines(self) -> Iterator[str]:
        """Lines without their ends. Only a line feed ends one; all other separators belong to a message."""
        num_lines = 0
        with io.TextIOWrapper(self._open(), self.encoding, newline="\n") as file:
            try:
                for line in file:
                    num_lines += 1
                    yield line.rstrip("\r\n")
            except UnicodeDecodeError as error:
                line_number = num_lines + 1 + error.object[: error.start].count(b"\n")
                raise ExportError(  # The decoder's own error holds a piece of the chat.
                    f"{self.path}: line {line_number}: not {self.encoding}; save the file as UTF-8, or give encoding=."
                ) from None

    def survey(self, day_first: bool | None) -> _Survey:
        """The first reading: which shape headers have, in which order dates are read, which names there are."""
        shapes: dict[Shape, _Evidence] = {}
        for line_number, line in enumerate(self.read_lines(), start=1):
            header = HEADER.match(line)
            if header is None:
                continue
            shape, dates, clock = _read_header(header)
            if dates and clock is not None:
                if shape not in shapes:
                    shapes[shape] = _Evidence(line_number)
                shapes[shape].observe(line_number, dates, clock)
                shapes[shape].names.observe(line[header.end() :])
        if not shapes:
            raise ExportError(
                f"{self.path}: no line begins like a message ('31/12/2024, 18:30 - Name: text' or '[31/12/2024, "
                "18:30:00] Name: text'); export the chat again, or give encoding= if it is not UTF-8."
            )
        shape, evidence = max(shapes.items(), key=lambda item: item[1].num_headers)
        date_order, reason = evidence.decide_order(self.path, day_first)
        export_format = ExportFormat(
            label="ios" if shape[0] else "android",
            date_order=date_order,
            decided_by=reason,
            encoding=self.encoding,
            num_skipped_lines=evidence.first_line - 1,
            num_quoted_headers=sum(each.num_headers for each in shapes.values()) - evidence.num_headers,
        )
        return _Survey(export_format, shape, evidence.names.resolve())


def _read_zip(path: Path) -> bytes:
    """The chat of an archive, which is never unpacked to disk."""
    with zipfile.ZipFile(path) as archive:
        texts = [member for member in archive.infolist() if member.filename.lower().endswith(".txt")]
        texts = [member for member in texts if not member.filename.startswith("__MACOSX/")]
        # Beside the chat lie the files that were sent in it, if they were exported too.
        chats = [member for member in texts if Path(member.filename).name in ("_chat.txt", f"{path.stem}.txt")]
        chats = chats or texts
        if len(chats) != 1:
            raise ExportError(f"{path}: {len(chats)} .txt files, one chat is expected; unpack it and give the chat.")
        if chats[0].file_size > MAX_CHAT_BYTES:
            raise ExportError(f"{path}: the chat is over {MAX_CHAT_BYTES:,} bytes; unpack it and give the .txt.")
        return archive.read(chats[0])


def _find_placeholder(line: str) -> Kind | None:
    """The kind of message in whose place WhatsApp wrote a line."""
    if line.endswith((">", ")")) and ATTACHMENT.fullmatch(line.strip(SPACES + MARKS)):
        return "media"
    line = _normalize(line)
    return PLACEHOLDERS.get(line) or ("deleted" if line.startswith(DELETED_BY) else None)


def _read_marked_text(text: str, is_ios: bool) -> tuple[Kind, str]:
    """Kind and text of what holds a direction mark, which may be WhatsApp's or the author's."""
    caption, _, rest = text.rpartition(LEFT_TO_RIGHT)
    if _find_placeholder(rest) == "media":
        is_file_name = FILE_NAME.fullmatch(caption.strip(SPACES + MARKS))
        return "media", "" if is_file_name else caption.rstrip(SPACES + "\n")
    if not is_ios:
        return "text", text
    if text.startswith(LEFT_TO_RIGHT) or (text.startswith(RIGHT_TO_LEFT) and NOTICE.search(text)):
        return ("media", "") if any(url in text for url in MAP_URLS) else ("system", text.lstrip(MARKS))
    notice = text.partition(f": {LEFT_TO_RIGHT}")[2]  # Before it stands the rest of a group's name with a colon.
    return ("system", notice) if NOTICE.search(notice) else ("text", text)


def _read_text(text: str, is_ios: bool) -> tuple[Kind, str, bool]:
    """Kind and text of what stands under a name, and whether it was edited."""
    is_edited = False
    if text.endswith(">"):
        start = text.rfind("<")
        if text[start:].lower() in EDIT_MARKS:
            text, is_edited = text[:start].rstrip(MARKS).rstrip(SPACES), True
    first_line, _, caption = text.partition("\n")
    kind = _find_placeholder(first_line)
    if kind == "media":
        return "media", caption, is_edited
    if kind and not caption:
        return kind, "" if kind == "deleted" else text.lstrip(MARKS), is_edited
    if caption and _normalize(first_line) in POLLS:
        return "media", "", is_edited
    if is_ios and text.startswith(ENCRYPTION):
        return "system", text, is_edited
    if LEFT_TO_RIGHT in text or RIGHT_TO_LEFT in text:
        return *_read_marked_text(text, is_ios), is_edited
    return "text", text, is_edited


def _build_message(timestamp: datetime, lines: list[str], survey: _Survey) -> Message:
    text = lines[0] if len(lines) == 1 else "\n".join(lines).rstrip("\n")
    end = NAME_END.search(lines[0])
    name, author = survey.names.get(lines[0][: end.start()], ("", None)) if end else ("", None)
    # Where a name holds a colon, a line may have the first of its colons and not the last: a notice about that name.
    if author is None or not text.startswith(name) or not NAME_END.match(lines[0], len(name)):
        return Message(timestamp, None, text.lstrip(MARKS), "system")
    if text.endswith(":.") and len(text) == len(name) + 2:
        return Message(timestamp, author, "", "deleted")
    kind, text, is_edited = _read_text(text[len(name) + 2 :], survey.export_format.label == "ios")
    return Message(timestamp, None if kind == "system" else author, text, kind, is_edited)


def _read_messages(lines: Iterator[str], survey: _Survey) -> Iterator[Message]:
    """The second reading. A line that is no header, or that gives no time, continues the message before it."""
    order = survey.export_format.date_order
    timestamp, message_lines = None, []
    for line in lines:
        header = HEADER.match(line)
        if header is not None:
            shape, dates, clock = _read_header(header)
            if shape == survey.shape and order in dates and clock is not None:
                if timestamp is not None:
                    yield _build_message(timestamp, message_lines, survey)
                timestamp, message_lines = datetime.combine(dates[order], clock), [line[header.end() :]]
                continue
        if timestamp is not None:
            message_lines.append(line)
    if timestamp is not None:
        yield _build_message(timestamp, message_lines, survey)


def find_exports(path: str | Path) -> list[Path]:
    """The exports of a folder, its .txt and .zip files, sorted. Of a file, that file.

    Raises:
        ExportError: If there is none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise ExportError(f"{path}: no such file or folder; check the path.")
    files = [child for child in path.iterdir() if child.is_file() and not child.name.startswith(".")]
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
            changes nothing.
        encoding (`str`, *optional*):
            By default UTF-8, or UTF-16 if the file begins with its byte order mark.

    Returns:
        `Iterator[Message]`: reads on while it is consumed, and holds one message at a time.

    Raises:
        ExportError: At the call, if the file cannot be read or holds no message, or if its dates contradict one
            another or read in either order.
    """
    export = _Export(Path(path), encoding)
    survey = export.survey(day_first)
    return _read_messages(export.read_lines(), survey)
