"""Files made to do harm: read, or refused in one line. None crashes, hangs, fills memory or leaves its folder."""

import io
import os
import re
import signal
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from darija_gpt.data.whatsapp import ExportError, find_exports, parse_export
from darija_gpt.output import UNPRINTABLE


ROOT = Path(__file__).parents[2]
HEADER = "13/04/2022, 10:00 - "
CHAT = "".join(f"13/04/2022, {hour:02}:00 - {author}: salam\n" for hour in (1, 9, 17) for author in ("Amal", "Karim"))
MEGABYTE = 1_000_000
MAX_MEMORY_MEBIBYTES = 512
TIMEOUT_SECONDS = 60  # Against hanging; how slow something is shows elsewhere.
DAMAGED = "damaged or locked"
TOO_LONG = "over 16,777,216 characters"

# Where the fields of a ZIP archive's central directory and of its end stand.
NEEDED_FLAGS, METHOD, CRC, PACKED_SIZE, SIZE, OFFSET, NAME = 8, 10, 16, 20, 24, 42, 46
END_NUM_HERE, END_NUM, END_SIZE, END_OFFSET, END_COMMENT = 8, 10, 12, 16, 20


def zip_files(*files: tuple[str, str | bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0o100600) -> bytes:
    """The bytes of an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files:
            member = zipfile.ZipInfo(name)
            member.compress_type, member.external_attr = method, mode << 16
            archive.writestr(member, content)
    return buffer.getvalue()


def lie(archive: bytes, place: int, value: bytes, record: bytes = b"PK\1\2") -> bytes:
    """An archive with other bytes in the last record of a kind."""
    start = archive.rindex(record) + place
    return archive[:start] + value + archive[start + len(value) :]


def lie_in_zip64(size: int, packed_size: int, offset: int) -> bytes:
    """An archive whose sizes and offset are said in 64 bits."""
    archive = zip_files(("_chat.txt", CHAT))
    start, end = archive.rindex(b"PK\1\2"), archive.rindex(b"PK\5\6")
    extra = struct.pack("<HHQQQ", 1, 24, size, packed_size, offset)
    record = bytearray(archive[start:end])
    record[PACKED_SIZE : PACKED_SIZE + 8] = b"\xff" * 8
    record[OFFSET : OFFSET + 4] = b"\xff" * 4
    record[30:32] = struct.pack("<H", len(extra))
    archive = archive[:start] + bytes(record) + extra + archive[end:]
    return lie(archive, END_SIZE, struct.pack("<I", len(record) + len(extra)), b"PK\5\6")


def overlap(names: list[str]) -> bytes:
    """An archive whose entries all are the same bytes, as in the bombs of Fifield (2019)."""
    archive = zip_files((names[0], CHAT))
    start, end = archive.rindex(b"PK\1\2"), archive.rindex(b"PK\5\6")
    record = archive[start:end]
    records = [
        record[:28] + struct.pack("<H", len(name)) + record[30:NAME] + name.encode() + record[NAME + len(names[0]) :]
        for name in names
    ]
    whole = archive[:start] + b"".join(records) + archive[end:]
    whole = lie(whole, END_NUM_HERE, struct.pack("<HH", len(names), len(names)), b"PK\5\6")
    return lie(whole, END_SIZE, struct.pack("<I", sum(map(len, records))), b"PK\5\6")


def pump(piece: str, size: int = MEGABYTE) -> str:
    return piece * (size // len(piece))


@dataclass(frozen=True)
class Case:
    """A file, and what becomes of it: so many messages, an error with these words, or either.

    `through_script` says that prepare_data.py must stand it, too.
    """

    make: Callable[[], str | bytes]
    outcome: int | str | None
    name: str = "chat.txt"
    through_script: bool = False


def zipped(make: Callable[[], bytes], outcome: int | str | None, through_script: bool = False) -> Case:
    return Case(make, outcome, "chat.zip", through_script)


def member(name: str) -> Case:
    return zipped(lambda: zip_files((name, CHAT)), 6, through_script=name.startswith("../"))


ARCHIVES = {
    "ratio": zipped(lambda: zip_files(("_chat.txt", CHAT + pump("a", 2**26))), "times its packed size", True),
    "archive in an archive": zipped(lambda: zip_files(("a.zip", zip_files(("_chat.txt", CHAT)))), "0 .txt files"),
    "20,000 media": zipped(
        lambda: zip_files(*((f"{n:08}.jpg", "") for n in range(20_000)), ("_chat.txt", CHAT)), 6, True
    ),
    "20,000 texts": zipped(lambda: zip_files(*((f"{n:08}.txt", "") for n in range(20_000))), "20000 .txt files"),
    "20,000 chats in one": zipped(lambda: overlap(["_chat.txt"] * 20_000), "20000 .txt files"),
    # Later releases of Python look whether entries overlap.
    "overlapping media": zipped(lambda: overlap(["_chat.txt", "a.jpg", "b.jpg"]), None),
    "says that it is small": zipped(lambda: lie(zip_files(("_chat.txt", CHAT)), SIZE, b"\7\0\0\0"), DAMAGED),
    "says that it is large": zipped(lambda: lie(zip_files(("_chat.txt", CHAT)), SIZE, struct.pack("<I", 2**20)), 6),
    "says that it is hardly packed": zipped(
        lambda: lie(zip_files(("_chat.txt", pump("a", 2**26))), PACKED_SIZE, struct.pack("<I", 2**26)), None, True
    ),
    "says that it is enormous": zipped(
        lambda: lie(zip_files(("_chat.txt", CHAT)), SIZE, b"\xfe\xff\xff\xff"), "over 100,663,296 bytes"
    ),
    "64-bit sizes": zipped(lambda: lie_in_zip64(2**63, 2**63, 0), "over 100,663,296 bytes"),
    "64-bit packed size": zipped(lambda: lie_in_zip64(len(CHAT), 2**64 - 1, 0), None),
    "64-bit offset": zipped(lambda: lie_in_zip64(len(CHAT), 60, 2**64 - 1), DAMAGED, True),
    "offset after the end": zipped(lambda: lie_in_zip64(len(CHAT), 60, 2**40), DAMAGED),
    "number of entries": zipped(
        lambda: lie(zip_files(("_chat.txt", CHAT)), END_NUM_HERE, b"\xfe\xff" * 2, b"PK\5\6"), 6
    ),
    "size of the directory": zipped(
        lambda: lie(zip_files(("_chat.txt", CHAT)), END_SIZE, b"\xfe\xff\xff\xff", b"PK\5\6"), DAMAGED
    ),
    "place of the directory": zipped(
        lambda: lie(zip_files(("_chat.txt", CHAT)), END_OFFSET, b"\xfe\xff\xff\xff", b"PK\5\6"), DAMAGED
    ),
    "comment": zipped(lambda: lie(zip_files(("_chat.txt", CHAT)), END_COMMENT, b"\xff\xff", b"PK\5\6"), 6),
    "name longer than the archive": zipped(lambda: lie(zip_files(("_chat.txt", CHAT)), 28, b"\xff\xff"), None),
    "name with other bytes": zipped(
        lambda: lie(lie(zip_files(("_chat.txt", CHAT)), NAME, b"\xff"), NEEDED_FLAGS, b"\0\x08"), DAMAGED
    ),
    "name that is no UTF-8": zipped(
        lambda: zip_files(("aaaa_chat.txt", CHAT)).replace(b"aaaa", b"\xff\xfe\xc3\x28"), 6
    ),
    "name of 60,000 letters": zipped(lambda: zip_files(("a" * 60_000 + ".txt", CHAT)), 6),
    "twice the same name": zipped(lambda: overlap(["_chat.txt", "_chat.txt"]), "2 .txt files"),
    "link": zipped(lambda: zip_files(("_chat.txt", "/etc/passwd"), mode=0o120777), "is a link", True),
    "checksum": zipped(lambda: lie(zip_files(("_chat.txt", CHAT)), CRC, b"\0\0\0\0"), DAMAGED),
    "encrypted": zipped(lambda: lie(zip_files(("_chat.txt", CHAT)), NEEDED_FLAGS, b"\1"), DAMAGED),
    "strongly encrypted": zipped(lambda: lie(zip_files(("_chat.txt", CHAT)), NEEDED_FLAGS, b"\x41"), DAMAGED),
    "method that nobody knows": zipped(lambda: lie(zip_files(("_chat.txt", CHAT)), METHOD, b"\x63"), "do not use"),
    "method of bombs": zipped(lambda: zip_files(("_chat.txt", pump("a")), method=zipfile.ZIP_LZMA), "do not use"),
    "cut off": zipped(lambda: zip_files(("_chat.txt", CHAT))[:-30], DAMAGED),
    "cut off before": zipped(lambda: zip_files(("_chat.txt", CHAT))[60:], DAMAGED),
    "behind a program": zipped(lambda: b"MZ" + bytes(1000) + zip_files(("_chat.txt", CHAT)), 6),
    "no archive": zipped(lambda: CHAT.encode(), DAMAGED),
    "empty": zipped(lambda: b"", DAMAGED),
    "folder that is called a chat": zipped(lambda: zip_files(("_chat.txt/", "")), "0 .txt files"),
    **{
        f"member {name!r}": member(name)
        for name in ("../../x.txt", "/x.txt", "C:\\x.txt", "..\\..\\x.txt", "a\n\x1b[2J.txt")
    },
}

LINES = {
    "letters": lambda size: pump("a", size),
    "digits": lambda size: pump("0123456789", size),
    "letters and an emoji": lambda size: pump("a", size - 1) + "👩",
    "words": lambda size: pump("salam: khouya ", size),
}
# What headers are made of, to be repeated where one more may stand.
PIECES = [
    " ",
    "1",
    "١",
    "\u200e",
    "\u202f",
    "[",
    "]",
    "/",
    "1/",
    ",",
    ":",
    "-",
    "م",
    "a.",
    "\u2067",
    "\ufeff",
    "h",
    "\r",
]
PLACES = ["{}13/04/2022, 10:00 - Amal: x", "13{}/04/2022, 10:00 - Amal: x", "13/04/2022{}, 10:00 - Amal: x"]
PLACES += ["13/04/2022, {}10:00 - Amal: x", "13/04/2022, 10{}:00 - Amal: x", "13/04/2022, 10:00{} - Amal: x"]
PLACES += ["13/04/2022, 10:00 -{} Amal: x", "[13/04/2022, 10:00:00{}] Amal: x", "[13/04/2022, 10:00:00 {}"]


def write_dates(*dates: str) -> str:
    lines = "".join(f"{date}, 10:00 - Amal: salam\n" for date in dates)
    return pump(lines)


TEXTS = {
    **{
        f"10 MB of {name}": Case(lambda make=make: make(10 * MEGABYTE), "no line begins")
        for name, make in LINES.items()
    },
    **{
        f"10 MB of {name} in a message": Case(
            lambda make=make: f"{CHAT}{HEADER}Amal: {make(10 * MEGABYTE)}\n{CHAT}", 13, "chat.txt", name == "digits"
        )
        for name, make in LINES.items()
    },
    **{
        f"16 MiB of {name} in a message": Case(
            lambda make=make: f"{CHAT}{HEADER}Amal: {make(2**24 - 99)}\n{CHAT}", 13, "chat.txt", name == "letters"
        )
        for name, make in LINES.items()
    },
    **{
        f"20 MB of {name} in a message": Case(
            lambda make=make: f"{CHAT}{HEADER}Amal: {make(20 * MEGABYTE)}\n{CHAT}",
            TOO_LONG,
            "chat.txt",
            name == "digits",
        )
        for name, make in LINES.items()
    },
    "10 MB of lines in a message": Case(
        lambda: CHAT + pump("salam khouya, labas 3lik?\n" * 4, 10 * MEGABYTE), TOO_LONG
    ),
    "1 MB of lines in a message": Case(lambda: CHAT + pump("salam khouya\n"), 6, through_script=True),
    "10 MB of line feeds": Case(lambda: CHAT + pump("\n", 10 * MEGABYTE) + CHAT, TOO_LONG, through_script=True),
    "10 MB of carriage returns": Case(lambda: CHAT + pump("\r", 10 * MEGABYTE) + CHAT, 11),
    "10 MB before the first message": Case(lambda: pump("salam\n", 10 * MEGABYTE) + CHAT, 6),
    "zeros": Case(lambda: bytes(MEGABYTE), "no line begins"),
    "zeros in a message": Case(lambda: CHAT + f"{HEADER}Amal: {pump(chr(0))}\n", 7),
    "bytes of all values": Case(
        lambda: CHAT.encode() + bytes(range(256)) * 1000, "line 8: not utf-8", through_script=True
    ),
    "overlong UTF-8": Case(lambda: CHAT.encode() + b"\xc0\xae\xc0\xaf", "line 7: not utf-8"),
    "surrogates in UTF-8": Case(lambda: CHAT.encode() + b"\xed\xa0\x80", "line 7: not utf-8"),
    "cut off in a letter": Case(lambda: CHAT.encode() + "س".encode()[:1], "line 7: not utf-8"),
    "lone surrogates in UTF-16": Case(
        lambda: b"\xff\xfe" + CHAT.encode("utf-16-le") + b"\x00\xd8" * 9, "line 7: not utf-16"
    ),
    "half a letter of UTF-16": Case(lambda: b"\xff\xfe" + CHAT.encode("utf-16-le") + b"a", "line 7: not utf-16"),
    "a byte order mark alone": Case(lambda: b"\xff\xfe", "no line begins"),
    "two byte order marks": Case(lambda: ("\ufeff" * 2 + CHAT).encode(), 6),
    "UTF-32": Case(lambda: CHAT.encode("utf-32"), "no line begins"),
    "overrides of direction": Case(lambda: CHAT + f"{HEADER}\u202eAmal\u202c: {pump(chr(0x202E))}\n", 7),
    "sequences of a terminal": Case(lambda: CHAT + f"{HEADER}Amal\x1b[2J\x07: \x1b]0;x\x07\n" * 2, 8),
    "dates that contradict": Case(
        lambda: write_dates("13/04/2022", "04/13/2022"), "line 2: .* line 1", through_script=True
    ),
    "dates of every order": Case(lambda: write_dates("13/04/2022", "2022/04/13", "4/13/22", "1/2/3"), None),
    "dates of every year": Case(lambda: write_dates(*(f"13/04/{year}" for year in range(10_000))), None),
    "dates that do not exist": Case(lambda: write_dates("31/02/2022", "00/00/0000", "99/99/9999"), "no line begins"),
    "headers of ever another phone": Case(
        lambda: "".join(
            f"13/04/2022{format(n, '020b').translate({48: ',', 49: '.'})} 10:00 - Amal: x\n" for n in range(30_000)
        ),
        "line 101: messages of over 100 phones",
    ),
    "100,000 authors": Case(lambda: "".join(f"{HEADER}Amal {n}: salam\n" for n in range(100_000)), 100_000),
    "100,000 authors with colons": Case(
        lambda: "".join(f"{HEADER}Amal: {n}: salam\n" for n in range(100_000)), 100_000
    ),
    "author of 1 MB": Case(lambda: CHAT + f"{HEADER}{pump('Amal')}: salam\n" * 2, 8, through_script=True),
    "author of 1 MB of spaces": Case(lambda: CHAT + f"{HEADER}{pump(' ')}: salam\n" * 2, 8),
    "author of 1 MB of notices": Case(lambda: CHAT + f"{HEADER}{pump('Amal added Karim ')}: salam\n" * 2, 8),
    **{
        f"{piece!r} in {place!r}": Case(
            lambda piece=piece, place=place: CHAT + place.replace("{}", pump(piece)) + "\n", None
        )
        for piece in PIECES
        for place in PLACES
    },
}
CASES = {**ARCHIVES, **TEXTS}


@pytest.fixture(autouse=True)
def alarm():
    """Ends a test that hangs."""

    def stop(*_):
        pytest.fail("It hangs.")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(TIMEOUT_SECONDS + 10)  # A program that hangs is ended by its launcher.
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def folder(tmp_path):
    """A folder inside others, so that what leaves it is seen."""
    path = tmp_path / "home" / "chats"
    path.mkdir(parents=True)
    return path


def list_all(path: Path) -> set[str]:
    return {str(child.relative_to(path)) for child in path.rglob("*")}


def write(case: Case, folder: Path) -> Path:
    path = folder / case.name
    content = case.make()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refuse(path: Path, **options) -> str:
    """The one line with which a file is refused."""
    with pytest.raises(ExportError) as error:
        list(parse_export(path, **options))
    assert str(error.value).startswith(f"{path}: ")
    return str(error.value).removeprefix(str(path))


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_is_read_or_refused(name, folder, tmp_path):
    case = CASES[name]
    path = write(case, folder)
    try:
        num_messages, problem = sum(1 for _ in parse_export(path)), ""
    except ExportError as error:
        num_messages, problem = 0, str(error)
    assert list_all(tmp_path) == {"home", "home/chats", f"home/chats/{case.name}"}
    assert not problem or (problem.startswith(f"{path}: ") and len(problem) < len(str(path)) + 200)
    assert not UNPRINTABLE.search(problem) and "Errno" not in problem and "salam" not in problem
    if isinstance(case.outcome, int):
        assert (num_messages, problem) == (case.outcome, "")
    else:
        assert (problem or case.outcome is None) and re.search(case.outcome or "", problem)


@pytest.mark.parametrize(
    "encoding", ["klingon", "", "hex", "undefined", "punycode", "a\0b", "\udcff", "utf-16", "utf-32"]
)
def test_an_encoding_that_is_none_is_refused(encoding, folder):
    path = folder / "chat.txt"
    path.write_text(CHAT)
    assert re.search("encoding=|not utf", refuse(path, encoding=encoding))


def test_an_author_after_ten_thousand_others_is_one(folder):
    others = "".join(f"{HEADER}Amal {n}: salam\n" for n in range(10_000))
    lines = ("~Karim: labas", "Karim added Nora: x", "Karim changed the subject to “Dar: x”", "Amal 7: bikhir")
    (folder / "chat.txt").write_text(others + "".join(f"{HEADER}{line}\n" for line in lines), encoding="utf-8")
    *_, first, second, third, last = parse_export(folder / "chat.txt")
    assert (first.author, first.text) == ("Karim", "labas")
    assert second.author is third.author is None
    assert (last.author, last.text) == ("Amal 7", "bikhir")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


# What a path may lead to that is no file, and the words of the refusal.
PLACES_THAT_ARE_NO_FILES = {
    "folder": (Path.mkdir, "a folder"),
    "pipe": (make_pipe, "a device or a pipe"),
    "endless device": (lambda path: path.symlink_to("/dev/zero"), "a device or a pipe"),
    "empty device": (lambda path: path.symlink_to("/dev/null"), "a device or a pipe"),
    "link to itself": (lambda path: path.symlink_to(path.name), "symbolic links"),
    "link to nothing": (lambda path: path.symlink_to("nothing"), "No such file"),
    "link to its folder": (lambda path: path.symlink_to("."), "a folder"),
    "memory": (lambda path: path.symlink_to("/proc/self/mem"), ""),
}


@pytest.mark.parametrize("suffix", ["txt", "zip"])
@pytest.mark.parametrize("name", PLACES_THAT_ARE_NO_FILES)
def test_what_is_no_file_is_refused_and_not_waited_for(name, suffix, folder):
    make, words = PLACES_THAT_ARE_NO_FILES[name]
    make(folder / f"chat.{suffix}")
    assert words in refuse(folder / f"chat.{suffix}")


def test_a_folder_gives_its_files_alone(folder):
    for name, (make, _) in PLACES_THAT_ARE_NO_FILES.items():
        if name != "memory":
            make(folder / f"{name}.txt")
    deep = folder
    for _ in range(100):
        deep = deep / "deeper"
    deep.mkdir(parents=True)
    (deep / "chat.txt").write_text(CHAT)
    with pytest.raises(ExportError, match="holds no"):
        find_exports(folder)
    (folder / "chat.txt").write_text(CHAT)
    assert find_exports(folder) == [folder / "chat.txt"]


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 5000, "a\0b"])
def test_a_path_that_cannot_be_is_refused(name, folder):
    refuse(folder / name)
    with pytest.raises(ExportError):
        find_exports(folder / name)


@pytest.fixture
def closed(folder):
    """A file that may not be read in a folder that may not be entered, and nobody's rights, as root may do all."""
    (folder / "chat.txt").write_text(CHAT)
    (folder / "chat.txt").chmod(0)
    folder.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    folder.chmod(0o700)


def test_what_may_not_be_read_is_refused(closed):
    assert "Permission denied" in refuse(closed / "chat.txt")
    for path in (closed, closed / "chat.txt"):
        with pytest.raises(ExportError, match="Permission denied"):
            find_exports(path)


# Starts a program and writes down the most memory that it took. Linux would count the memory of whoever starts it.
LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[3:], timeout=float(sys.argv[2]))
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


@pytest.fixture
def prepare(folder, tmp_path, tmp_path_factory):
    """Runs prepare_data.py in the folder and holds it to what it may do. Returns its exit code and its output."""

    def run_script(*exports: str) -> tuple[int, str]:
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        before = list_all(tmp_path)
        launcher = [sys.executable, "-c", LAUNCHER, str(elsewhere / "memory"), str(TIMEOUT_SECONDS)]
        script = [sys.executable, str(ROOT / "scripts" / "prepare_data.py")]
        process = subprocess.run(
            [*launcher, *script, "--exports", *exports, "--output_dir", "out"],
            capture_output=True,
            cwd=folder,
            env={**os.environ, "HOME": str(elsewhere), "PYTHONWARNINGS": "ignore"},
            check=False,
        )
        shown = (process.stdout + process.stderr).decode()
        assert process.returncode in (0, 2) and "Traceback" not in shown
        assert not UNPRINTABLE.search(shown.replace("\n", ""))
        assert len(process.stderr.splitlines()) == (1 if process.returncode else 0)
        made = {name for name in list_all(tmp_path) - before if not name.startswith("home/chats/out/")}
        assert made == (set() if process.returncode else {"home/chats/out"}) and before <= list_all(tmp_path)
        assert int((elsewhere / "memory").read_text()) < MAX_MEMORY_MEBIBYTES * 1024
        return process.returncode, shown

    return run_script


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.through_script])
def test_the_script_stands_a_hostile_file(name, folder, prepare):
    case = CASES[name]
    write(case, folder)
    code, shown = prepare(case.name)
    if isinstance(case.outcome, str):
        assert code == 2 and re.search(case.outcome, shown)


def test_the_script_stands_a_hostile_folder(folder, prepare):
    for name, (make, _) in PLACES_THAT_ARE_NO_FILES.items():
        if name != "memory":
            make(folder / f"{name}.txt")
    sessions = "".join(f"{day}/04/2024, 10:15 - Amal: {day**9} {day**8} {day**7}\n" for day in range(13, 30))
    for name in (b"\x1b[2J\x07.txt", b"line\nfeed.txt", b"\xe2\x80\xaegpj.txt", b"\xff\xfe.txt"):
        (folder / os.fsdecode(name)).write_text(sessions)
    code, shown = prepare(".")
    assert code == 0 and r"\x1b[2J\x07.txt" in shown and r"line\nfeed.txt" in shown


@pytest.mark.parametrize("name", ["pipe", "link to itself", "endless device"])
def test_the_script_does_not_wait_for_what_is_no_file(name, folder, prepare):
    PLACES_THAT_ARE_NO_FILES[name][0](folder / "chat.txt")
    assert prepare("chat.txt")[0] == 2


def test_the_script_shows_no_name_as_it_is(folder, prepare):
    name = "\x1b[2J\n\x9b31m.txt"
    (folder / name).write_text("salam\n")
    code, shown = prepare(name)
    assert code == 2 and r"\x1b[2J" in shown
