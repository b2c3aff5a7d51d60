"""Sources: every format and kind of file gives the rows that stand in it, and no error says what they are."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import datasets
import pyarrow
import pytest
from datasets import Dataset
from pyarrow.parquet import write_table

from darija_gpt.data import file_readers
from darija_gpt.data.file_readers import READERS
from darija_gpt.data.row_formats import FORMATS, SourceRow, UnusableRowError, convert_row, find_format
from darija_gpt.data.sources import Source, read_source


DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SECRET = "0612345678 sirr"  # stands in rows, and never in an error
ASKED = {"role": "user", "content": "labas?"}
ANSWERED = {"role": "assistant", "content": "labas"}
EXCHANGE = [ASKED, ANSWERED]

# Format -> a row, the user's words in it.
ROWS = {
    "messages": ({"messages": EXCHANGE}, "labas?"),
    "ShareGPT": (
        {"conversations": [{"from": "human", "value": " labas?\n"}, {"from": "gpt", "value": "labas"}]},
        "labas?",
    ),
    "Alpaca": ({"instruction": "Jawb:\n", "input": "labas?", "output": "labas"}, "Jawb:\n\nlabas?"),
    "prompt and completion": ({"prompt": "labas?", "completion": " labas"}, "labas?"),
    "prompt and response": ({"prompt": [ASKED], "response": "labas"}, "labas?"),
    "question and answer": (
        {"question": "Fin?", "context": "Ana f dar.", "answer": "labas"},
        "Ana f dar.\n\nFin?",
    ),
    "text": ({"text": " salam "}, None),
    "content": ({"content": "salam"}, None),
    "document": ({"document": "salam"}, None),
    "sentence": ({"sentence": "salam"}, None),
}


def write_file(path: Path, rows: list[dict]) -> Path:
    """Rows as the suffix of the path says."""
    suffix = path.suffix
    if suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    elif suffix == ".json":
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False), "utf-8")
    elif suffix == ".parquet":
        write_table(pyarrow.Table.from_pylist(rows), path)
    elif suffix == ".txt":
        path.write_text("\n\n".join(row["text"] for row in rows) + "\n", "utf-8")
    else:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="," if suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)
    return path


def read(path, cache_dir="unused", seed=0, dropped=None, **fields) -> list[SourceRow]:
    return list(read_source(Source(str(path), **fields), cache_dir=cache_dir, seed=seed, dropped=dropped))


def list_texts(*arguments, **fields) -> list[str]:
    return [row.text for row in read(*arguments, **fields)]


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "preferences"])
def test_every_format_becomes_text_or_messages(name):
    row, asked = ROWS[name]
    assert find_format(row) == name
    expected = [{"role": "user", "content": asked}, ANSWERED]
    assert convert_row(row) == (
        SourceRow(text=next(iter(row.values()))) if asked is None else SourceRow(None, expected)
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"instruction": "labas?", "input": None, "output": "labas"}, "labas?"),
        ({"instruction": "labas?", "input": " ", "output": "labas"}, "labas?"),
        ({"instruction": "labas?", "output": "labas"}, "labas?"),
        ({"question": "labas?", "answer": "labas"}, "labas?"),
        ({"question": "labas?", "context": ["a", "", "b"], "answer": "labas"}, "a\n\nb\n\nlabas?"),
        ({"question": "labas?", "references": ["a", "b"], "answer": "labas"}, "[1] a\n\n[2] b\n\nlabas?"),
        ({"prompt": "labas?", "completion": [ANSWERED]}, "labas?"),
        ({"prompt": "labas?", "completion": "labas", "text": None, "messages": None}, "labas?"),
    ],
)
def test_optional_columns_may_be_empty_missing_or_lists(row, expected):
    assert convert_row(row).messages == [{"role": "user", "content": expected}, ANSWERED]


def test_a_row_with_text_and_no_messages_is_text():
    assert convert_row({"text": "salam", "messages": None}) == SourceRow(text="salam")
    assert convert_row({"text": "salam", "messages": EXCHANGE}) == SourceRow(messages=EXCHANGE)
    assert convert_row({"text": "salam", "messages": EXCHANGE}, "text") == SourceRow(text="salam")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": None}, "empty"),
        ({"text": " \n"}, "empty"),
        ({"text": 5}, "not text"),
        ({"text": [SECRET]}, "not text"),
        ({"text": "salam \ud83d"}, "broken characters"),
        ({"instruction": "a", "output": ""}, "empty"),
        ({"instruction": "a", "input": 5, "output": "b"}, "not text"),
        ({"question": "a", "context": {"b": "c"}, "answer": "d"}, "not text"),
        ({"prompt": "a", "completion": None}, "empty"),
        ({"prompt": "a", "completion": [ASKED]}, "without a reply"),
        ({"prompt": "a", "completion": []}, "empty"),
        ({"messages": []}, "empty"),
        ({"messages": None}, "empty"),
        ({"messages": SECRET}, "not a list of messages"),
        ({"messages": [SECRET]}, "not a list of messages"),
        ({"messages": [ASKED]}, "without a reply"),
        ({"messages": [ASKED, {"role": "assistant", "content": " "}]}, "empty"),
        ({"messages": [ASKED, {"role": "assistant", "content": [{"type": "text"}]}]}, "not text"),
        ({"messages": [{"role": SECRET, "content": "a"}]}, "unknown role"),
        ({"messages": [{"role": ["user"], "content": "a"}]}, "unknown role"),
        ({"messages": [*EXCHANGE, {"role": "system", "content": "a"}]}, "system message after the first"),
        ({SECRET: "a"}, "without known columns"),
    ],
)
def test_a_row_that_teaches_nothing_is_left_out_for_a_reason(row, reason):
    with pytest.raises(UnusableRowError) as left_out:
        convert_row(row)
    assert str(left_out.value) == reason


def test_a_system_message_may_come_first():
    messages = [{"role": "system", "content": "jawb b darija"}, *EXCHANGE]
    assert convert_row({"messages": messages}).messages == messages


def test_rows_left_out_are_counted_by_reason(tmp_path):
    rows = [{"text": "salam"}, {"text": ""}, {"id": 3}, {"text": 4}, {"text": None}, {"text": "labas"}]
    dropped = Counter({"empty": 1})
    assert list_texts(write_file(tmp_path / "a.jsonl", rows), dropped=dropped) == ["salam", "labas"]
    assert dropped == {"empty": 3, "without known columns": 1, "not text": 1}


@pytest.mark.parametrize("suffix", READERS)
def test_every_kind_of_file_gives_its_rows(tmp_path, suffix):
    texts = ["salam, khouya", "السلام «عليكم» 😊", 'gal "wakha" w mcha', "NA", "2024-01-31", "12"]
    if suffix != ".tsv":
        texts.append("joj d\nstora")
    if suffix == ".tsv":
        path = tmp_path / "a.tsv"
        path.write_text("id\ttext\r\n" + "".join(f"{n}\t{text}\r\n" for n, text in enumerate(texts)), "utf-8")
    else:
        path = write_file(tmp_path / f"a{suffix}", [{"text": text} for text in texts])
    assert list_texts(path) == texts
    assert list_texts(path.rename(tmp_path / f"b{suffix.upper()}")) == texts


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
def test_messages_survive_every_file_that_can_hold_them(tmp_path, suffix):
    path = write_file(tmp_path / f"a{suffix}", [{"messages": EXCHANGE, "text": None}] * 3)
    assert read(path) == [SourceRow(messages=EXCHANGE)] * 3


def test_a_json_file_is_read_the_same_in_pieces_of_any_size(tmp_path, monkeypatch):
    texts = ["]", "{", '\\"', "salam " * 50, "سلام"]
    path = write_file(tmp_path / "a.json", [{"text": text} for text in texts])
    for size in (1, 2, 7, 64):
        monkeypatch.setattr(file_readers, "CHUNK_CHARACTERS", size)
        assert list_texts(path) == texts


def test_a_json_file_may_hold_one_object_a_line(tmp_path):
    path = write_file(tmp_path / "a.jsonl", [{"text": "salam"}, {"text": "labas"}]).rename(tmp_path / "a.json")
    assert list_texts(path) == ["salam", "labas"]


def test_blank_lines_divide_the_documents_of_a_text_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\r\n\r\nsalam\r\nlabas\r\n \r\n\r\n  wakha")
    assert list_texts(path) == ["salam\nlabas", "  wakha"]


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path):
    for name in ("b", "a", "c"):
        write_file(tmp_path / f"{name}.jsonl", [{"text": name}])
    (tmp_path / "README.md").write_text("about", "utf-8")
    (tmp_path / ".hidden.json").write_text("[]", "utf-8")
    assert list_texts(tmp_path) == ["a", "b", "c"]


def test_what_exists_here_is_not_looked_for_on_the_hub(tmp_path, monkeypatch):
    (tmp_path / "user" / "name").mkdir(parents=True)
    write_file(tmp_path / "user" / "name" / "a.jsonl", [{"text": "salam"}])
    monkeypatch.chdir(tmp_path)
    assert list_texts("user/name") == ["salam"]


@pytest.fixture
def numbers(tmp_path) -> Path:
    return write_file(tmp_path / "numbers.jsonl", [{"text": str(number)} for number in range(200)])


def test_streaming_gives_the_same_rows(numbers):
    assert list_texts(numbers, streaming=True) == list_texts(numbers) == [str(number) for number in range(200)]


@pytest.mark.parametrize("streaming", [False, True])
def test_max_rows_draws_rows_by_the_seed(numbers, streaming):
    options = {"max_rows": 20, "streaming": streaming, "shuffle_buffer": 50}
    first, again, other = (list_texts(numbers, seed=seed, **options) for seed in (0, 0, 1))
    assert first == again != other
    assert len(set(first)) == len(set(other)) == 20
    assert sorted(list_texts(numbers, max_rows=999, streaming=streaming)) == sorted(map(str, range(200)))


def test_streaming_stops_reading_at_max_rows(numbers):
    with numbers.open("a", encoding="utf-8") as file:
        file.write("not JSON\n")
    assert {int(text) for text in list_texts(numbers, max_rows=20, streaming=True, shuffle_buffer=50)} <= set(
        range(70)
    )
    assert list_texts(numbers, max_rows=3, streaming=True, shuffle_buffer=1) == ["0", "1", "2"]
    with pytest.raises(ValueError, match="line 201"):
        list_texts(numbers, max_rows=20)


def test_rows_are_read_while_they_are_asked_for(numbers):
    with numbers.open("a", encoding="utf-8") as file:
        file.write("not JSON\n")
    rows = read_source(Source(str(numbers)), cache_dir="unused", seed=0)
    assert [next(rows).text for _ in range(200)] == [str(number) for number in range(200)]
    with pytest.raises(ValueError, match="line 201"):
        next(rows)


ROW = json.dumps({"text": "salam"})
PREFERENCES = json.dumps({"instruction": SECRET, "output": SECRET, "chosen": SECRET, "rejected": SECRET})


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", f'{ROW}\n\n{{"text": "{SECRET}', "a.jsonl, line 3: no JSON object"),
        ("a.jsonl", f'{ROW}\n["{SECRET}"]\n', "a.jsonl, line 2: no JSON object"),
        ("a.jsonl", f'{{"text": {"9" * 5000}}}\n', "a.jsonl, line 1: no JSON object"),
        ("a.jsonl", "[" * 100_000, "a.jsonl, line 1: no JSON object"),
        ("a.jsonl", "", "has no row to learn from: it is empty"),
        ("a.jsonl", f'{{"text": ["{SECRET}"]}}\n{{"text": null}}', "no row to learn from: 1 empty, 1 not text"),
        ("a.jsonl", f'{{"txt": "{SECRET}", "id": 1}}', "no known format in its columns txt, id; give one as text_col"),
        ("a.jsonl", json.dumps({f"{SECRET}{n}": 1 for n in range(30)}), "in the 30 columns of its first row"),
        ("a.jsonl", PREFERENCES, "rows with chosen and rejected are preferences, which align.py learns from"),
        ("a.json", f'[{ROW}, {{"text": "{SECRET}"', "a.json, row 2: no JSON"),
        ("a.json", f'[{ROW}, "{SECRET}"]', "a.json, row 2: no JSON object"),
        ("a.json", f'{{"train": [\n"{SECRET}"]}}', "a.json, line 1: no JSON object"),
        ("a.json", "[]", "it is empty"),
        ("a.parquet", f"PAR1{SECRET}", "a.parquet: no whole Parquet file, 0 rows can be read"),
        ("a.csv", f"{SECRET};{SECRET}\na;b\n", "no known format in the 1 columns of its first row"),
        ("a.csv", f'text\n"{SECRET}', "a.csv, line 2: quotes that do not match"),
        ("a.csv", f"text,id\n{SECRET}\n", "a.csv, line 2: 1 fields where the first line names 2"),
        ("a.tsv", f"text\tid\n{SECRET}\tb\tc\n", "a.tsv, line 2: 3 fields where the first line names 2"),
        ("a.csv", "", "it is empty"),
        ("a.txt", " \n", "it is empty"),
        ("a.docx", SECRET, "a.docx is a file of an unknown kind; known are .jsonl, .json, .parquet"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_not_quoted(tmp_path, capfd, name, content, expected):
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(ValueError) as error:
        read(tmp_path / name)
    assert expected in str(error.value) and str(tmp_path) in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None
    assert SECRET not in str(error.value) + "".join(capfd.readouterr())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.txt"])
def test_a_file_in_another_encoding_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes('[{"text": "déjà"}]'.encode("latin-1"))
    with pytest.raises(ValueError, match="not UTF-8"):
        read(tmp_path / name)


def test_a_text_file_without_blank_lines_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(file_readers, "MAX_ROW_CHARACTERS", 1000)
    for number, content in enumerate(("salam\n" * 500, "s" * 5000)):
        (tmp_path / f"{number}.txt").write_text(content, "utf-8")
        with pytest.raises(ValueError, match=r"a document of over 1,000 characters; put blank lines"):
            read(tmp_path / f"{number}.txt")


@pytest.mark.parametrize("damage", ["cut", "zeroed"])
def test_a_damaged_parquet_file_is_named(tmp_path, damage):
    path = write_file(tmp_path / "a.parquet", [{"text": f"salam {number}"} for number in range(5000)])
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage == "cut" else content[:9] + bytes(900) + content[909:])
    with pytest.raises(ValueError, match=r"a\.parquet: no whole Parquet file, \d+ rows can be read"):
        read(path)


@pytest.mark.parametrize(
    ("path", "fields", "expected"),
    [
        ("nowhere.jsonl", {}, "nowhere.jsonl: no such file or folder"),
        ("./nowhere", {}, "./nowhere: no such file or folder"),
        ("~/nowhere/at/all", {}, "~/nowhere/at/all: no such file or folder"),
        ("user/nowhere.CSV", {}, "no such file or folder"),
        ("https://host/file.zip", {}, "no such file or folder"),
        ("mixed", {}, "mixed holds several kinds of files: .json, .jsonl"),
        ("empty", {}, "empty holds no file to read"),
        ("mixed/a.jsonl", {"split": "test"}, "is here on disk and has no split; leave out split=test"),
        ("mixed/a.jsonl", {"revision": "main"}, "has no revision"),
        ("mixed/a.jsonl", {"text_column": "body"}, "text_column=body is not among its columns text"),
    ],
)
def test_a_source_that_is_not_there_is_refused_in_the_users_words(tmp_path, monkeypatch, path, fields, expected):
    monkeypatch.chdir(tmp_path)
    for name in ("mixed", "empty"):
        Path(name).mkdir()
    for name in ("a.json", "a.jsonl"):
        write_file(Path("mixed") / name, [{"text": "salam"}])
    with pytest.raises(ValueError) as error:
        read(path, **fields)
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"path": " "}, "path is empty"),
        ({"weight": 0}, "weight=0 must be positive"),
        ({"weight": float("nan")}, "weight=nan must be positive"),
        ({"max_rows": 0}, "max_rows=0 must be positive"),
        ({"shuffle_buffer": -1}, "shuffle_buffer=-1 must be positive"),
    ],
)
def test_a_source_without_path_or_with_numbers_that_are_not_positive_is_refused(fields, expected):
    with pytest.raises(ValueError, match=expected):
        Source(**{"path": "a.jsonl", **fields})


def test_a_dataset_of_the_hub_is_refused_offline_in_one_line(tmp_path):
    for path in ("atlasia/Atlaset", "nonsense"):
        for streaming in (False, True):
            with pytest.raises(ValueError) as error:
                read(path, tmp_path, streaming=streaming)
            assert str(error.value).startswith(f"{path}: no such file or folder here, and the Hub cannot be reached;")
            assert "\n" not in str(error.value)


@pytest.fixture
def hub(monkeypatch) -> dict:
    """`datasets` with a dataset of 200 rows on its Hub; gives what it was asked for."""
    asked = {}
    dataset = Dataset.from_list([{"text": str(number)} for number in range(200)])

    def load_dataset(path, **options):
        asked.update(options, path=path)
        return dataset.to_iterable_dataset() if options["streaming"] else dataset

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


@pytest.mark.parametrize("streaming", [False, True])
def test_a_dataset_of_the_hub_is_read_like_a_file(hub, tmp_path, streaming):
    options = {"streaming": streaming, "subset": "ary", "split": "test", "revision": "v1"}
    assert list_texts("user/name", tmp_path / "cache", **options) == [str(number) for number in range(200)]
    assert hub == {
        "path": "user/name",
        "name": "ary",
        "split": "test",
        "revision": "v1",
        "streaming": streaming,
        "cache_dir": str(tmp_path / "cache"),
    }
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0
    drawn, again, other = (
        list_texts("user/name", tmp_path, seed=seed, streaming=streaming, max_rows=20, shuffle_buffer=50)
        for seed in (0, 0, 1)
    )
    assert drawn == again != other and len(set(drawn)) == 20


def test_a_dataset_of_the_hub_that_breaks_is_named_and_not_quoted(hub, tmp_path, monkeypatch):
    def break_off():
        yield {"text": "salam"}
        raise pyarrow.ArrowInvalid(SECRET)

    broken = datasets.IterableDataset.from_generator(break_off)
    monkeypatch.setattr(datasets, "load_dataset", lambda path, **options: broken)
    with pytest.raises(ValueError, match=r"^user/name, row 2: ArrowInvalid while reading; try again"):
        read("user/name", tmp_path)

    for error, expected in (
        (pyarrow.ArrowInvalid(SECRET), "user/name: the Hub's dataset cannot be loaded: ArrowInvalid"),
        (ValueError("Config name is missing.\nPick a or b"), "cannot be loaded: Config name is missing. Pick a or b"),
    ):

        def refuse(path, _error=error, **options):
            raise _error

        monkeypatch.setattr(datasets, "load_dataset", refuse)
        with pytest.raises(ValueError) as caught:
            read("user/name", tmp_path)
        assert str(caught.value).endswith(expected)


def test_reading_files_writes_nothing_anywhere(tmp_path):
    (tmp_path / "data").mkdir()
    for suffix in READERS:
        write_file(tmp_path / "data" / f"a{suffix}", [{"text": SECRET}] * 50)
    code = (
        "import sys; from pathlib import Path; from darija_gpt.data.sources import Source, read_source\n"
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    for options in ({}, {'streaming': True}, {'max_rows': 9}, {'max_rows': 9, 'streaming': True}):\n"
        "        assert list(read_source(Source(str(path), **options), cache_dir=sys.argv[2], seed=0))\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HF_HOME", "TMPDIR"):
        (home / name).mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "XDG_"))}
    environment |= {"HOME": str(home), "HF_HOME": str(home / "HF_HOME"), "TMPDIR": str(home / "TMPDIR")}
    arguments = [sys.executable, "-c", code, str(tmp_path / "data"), str(tmp_path / "cache")]
    subprocess.run(arguments, env=environment, check=True)
    written = [path for path in home.rglob("*") if path.is_file()]
    assert not [path for path in written if SECRET.encode() in path.read_bytes()]
    assert not list((home / "HF_HOME").rglob("*.arrow")) and not (tmp_path / "cache").exists()


@pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data here")
@pytest.mark.parametrize(
    ("path", "fields", "num_rows", "has_messages"),
    [
        ("darija/corpus.jsonl", {}, 91_167, False),
        ("english/instruction-data.json", {}, 990, True),
        ("sentiment", {}, None, False),
        ("summarization", {"text_column": "article"}, 1584, False),
        ("english/the-verdict.txt", {}, None, False),
    ],
)
def test_real_files_are_read_whole(path, fields, num_rows, has_messages):
    dropped = Counter()
    rows = read(DATA / path, dropped=dropped, **fields)
    assert not dropped and (num_rows is None or len(rows) == num_rows)
    assert all((row.messages is not None) is has_messages and (row.text is None) is has_messages for row in rows)


@pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data here")
def test_real_preferences_are_left_to_align():
    with pytest.raises(ValueError, match="preferences, which align"):
        read(DATA / "english" / "instruction-data-with-preference.json")
