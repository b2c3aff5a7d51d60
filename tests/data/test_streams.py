"""Streams: each lane reads its rows, all lanes read all of them, and one that is put back goes on the same."""

import json
from collections import Counter

import datasets
import pytest
from datasets import Dataset
from test_sources import write_file

from darija_gpt.data import lanes
from darija_gpt.data.lanes import LaneReader, LaneRows
from darija_gpt.data.streams import StreamArguments, StreamSource, check_sources, fingerprint_sources


NUM_ROWS = 230
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TEXTS = [f"hadi risala nmra {number}" for number in range(NUM_ROWS)]


def write_folder(folder, suffix: str, num_files: int):
    folder.mkdir()
    for number in range(num_files):
        write_file(folder / f"{number:03}{suffix}", [{"text": text} for text in TEXTS[number::num_files]])
    return folder


@pytest.fixture
def prepared(dataset, tmp_path):
    """A directory as prepare_data.py writes it, with the texts above in its train split."""
    row = dataset["train"][0]
    rows = [{**row, "text": text, "messages": None} for text in TEXTS]
    directory = tmp_path / "dataset"
    datasets.DatasetDict(
        {**dataset, "train": Dataset.from_list(rows, features=dataset["train"].features)}
    ).save_to_disk(directory)
    return directory


@pytest.fixture(params=["one file", "two parquet files", "twelve files", "prepared", "hub", "hub in shards"])
def source(request, tmp_path, monkeypatch):
    """Every kind of source, with rows for three lanes."""
    kind = request.param
    if kind == "prepared":
        return StreamSource(str(request.getfixturevalue("prepared")))
    if "hub" in kind:
        num_shards = 6 if "shards" in kind else 1
        stored = write_folder(tmp_path / "hub", ".parquet", num_shards)
        load_dataset = datasets.load_dataset

        def load_from_hub(path, **options):
            assert path == "user/name" and options["streaming"] and options["revision"] == COMMIT
            files = {"train": str(stored / "*.parquet")}
            return load_dataset("parquet", data_files=files, split="train", streaming=True)

        monkeypatch.setattr(datasets, "load_dataset", load_from_hub)
        return StreamSource("user/name", revision=COMMIT)
    num_files, suffix = {"one file": (1, ".jsonl"), "two parquet files": (2, ".parquet")}.get(kind, (12, ".txt"))
    return StreamSource(str(write_folder(tmp_path / "files", suffix, num_files)))


@pytest.fixture(autouse=True)
def read_little_at_a_time(monkeypatch):
    monkeypatch.setattr(lanes, "ROWS_PER_READ", 7)


def read_epoch(reader: LaneReader) -> list[str]:
    texts = []
    while (document := reader.read()) is not None:
        texts.append(document.text)
    return texts


def make_stream(*sources, **options) -> StreamArguments:
    return StreamArguments(sources=list(sources), **{"num_lanes": 3, "shuffle_buffer": 20, **options})


def test_the_lanes_share_the_rows_and_read_them_again_in_the_next_epoch(source):
    stream = make_stream(source)
    check_sources(stream, "unused")
    readers = [LaneReader(source, stream, lane) for lane in range(3)]
    first = [read_epoch(reader) for reader in readers]
    assert sorted(text for texts in first for text in texts) == sorted(TEXTS)
    assert all(len(texts) > 50 for texts in first)
    assert [read_epoch(reader) for reader in readers] == first


def test_a_reader_that_is_put_back_anywhere_goes_on_the_same(source):
    stream = make_stream(source)
    reader = LaneReader(source, stream, 1)
    states, read = [], []
    for _ in range(170):
        states.append(json.loads(json.dumps(reader.state_dict())))
        read.append(reader.read())
    assert read.count(None) == 2
    for first in range(0, 170, 9):
        # Put back again and again, each time by what the one before says.
        state = states[first]
        for place in range(first, 170, 30):
            resumed = LaneReader(source, stream, 1)
            resumed.load_state_dict(state)
            assert resumed.state_dict() == state
            assert [resumed.read() for _ in read[place : place + 30]] == read[place : place + 30]
            state = json.loads(json.dumps(resumed.state_dict()))


def list_chunks(rows: LaneRows, count: int) -> list[list[str]]:
    return [[document.text for document in rows.read_chunk()] for _ in range(count)]


def test_a_lane_is_shuffled_in_chunks_and_anew_in_every_epoch(source):
    stream = make_stream(source)
    rows = LaneRows(stream, "unused", 2, seed=5)
    in_order = read_epoch(LaneReader(source, stream, 2))
    sizes = [20] * (len(in_order) // 20) + [len(in_order) % 20] * (len(in_order) % 20 > 0)
    first, second = list_chunks(rows, len(sizes)), list_chunks(rows, len(sizes))
    assert list(map(len, first)) == sizes == list(map(len, second))
    for number, chunk in enumerate(first):
        assert sorted(chunk) == sorted(in_order[20 * number : 20 * number + 20])
        assert set(chunk) == set(second[number])
    assert first != second and first[0] != in_order[:20]
    assert list_chunks(LaneRows(stream, "unused", 2, seed=5), len(sizes)) == first
    assert list_chunks(LaneRows(stream, "unused", 2, seed=6), len(sizes)) != first


def test_a_lane_that_is_put_back_at_any_chunk_goes_on_the_same(source):
    stream = make_stream(source)
    rows, states, chunks = LaneRows(stream, "unused", 0, seed=5), [], []
    for _ in range(12):
        states.append(json.loads(json.dumps(rows.state_dict())))
        chunks += list_chunks(rows, 1)
    for number in range(12):
        resumed = LaneRows(stream, "unused", 0, seed=5)
        resumed.load_state_dict(states[number])
        assert list_chunks(resumed, 12 - number) == chunks[number:]


def test_several_sources_are_mixed_by_their_weights(tmp_path, prepared):
    (tmp_path / "few.txt").write_text("\n\n".join(f"qlila {number}" for number in range(9)))
    stream = make_stream(StreamSource(str(prepared), weight=3), StreamSource(str(tmp_path / "few.txt")), num_lanes=1)
    rows = LaneRows(stream, "unused", 0, seed=0)
    chunks = list_chunks(rows, 40)
    assert {len(chunk) for chunk in chunks} == {20}
    texts = Counter(text for chunk in chunks for text in chunk)
    num_few = sum(count for text, count in texts.items() if text.startswith("qlila"))
    assert 160 < num_few < 240  # a quarter of 800, within three deviations
    # Each source goes through its own rows before any comes again.
    assert max(texts[text] for text in TEXTS) - min(texts[text] for text in TEXTS) <= 1
    states = json.loads(json.dumps(rows.state_dict()))
    resumed = LaneRows(stream, "unused", 0, seed=0)
    resumed.load_state_dict(states)
    assert list_chunks(resumed, 3) == list_chunks(rows, 3)


def test_without_sources_the_train_split_is_read(prepared):
    stream = make_stream(num_lanes=1)
    check_sources(stream, prepared)
    rows = LaneRows(stream, prepared, 0, seed=0)
    assert sorted(text for chunk in list_chunks(rows, 12) for text in chunk) == sorted(TEXTS)


def test_what_a_prepared_dataset_holds_is_read_as_it_is(tmp_path, dataset, prepared):
    row = {**dataset["train"][0], "text": "ـسلام  0612345678", "messages": None}
    turns = [{"role": "user", "content": " salam "}]
    rows = [row, {**row, "text": "salam", "messages": turns}]
    directory = tmp_path / "other"
    split = Dataset.from_list(rows, features=dataset["train"].features)
    datasets.DatasetDict({**dataset, "train": split}).save_to_disk(directory)
    reader = LaneReader(StreamSource(str(directory)), make_stream(num_lanes=1), 0)
    first, second = reader.read(), reader.read()
    assert first.text == row["text"] and first.messages is None and second.messages == turns


def test_other_rows_are_scrubbed_normalised_and_filtered(tmp_path):
    rows = [
        {"text": "سـلام 3eyyet l 0612345678"},
        {"text": ""},
        {"text": "привет как дела"},
        {"messages": [{"role": "user", "content": "fin?"}, {"role": "assistant", "content": "f dar, 0612345678"}]},
        {"messages": [{"role": "user", "content": "chno lcode?"}, {"role": "assistant", "content": "774411"}]},
    ]
    source = StreamSource(str(write_file(tmp_path / "rows.jsonl", rows)))
    reader = LaneReader(source, make_stream(num_lanes=1), 0)
    text, talk, told, end = (reader.read() for _ in range(4))
    assert text.text == "سلام 3eyyet l [PHONE]" and end is None
    assert talk.messages[1]["content"] == "f dar, [PHONE]" and talk.text is None
    assert told.messages[1]["content"] == "[OTP]"
    assert reader.counts == {"kept": 3, "empty": 1, "foreign_script": 1}
    plain = LaneReader(source, make_stream(num_lanes=1, scrub=False, normalize=False), 0)
    assert plain.read().text == rows[0]["text"]


@pytest.mark.parametrize(
    ("write", "options", "words"),
    [
        (lambda path: path.write_text('{"text": "salam"}\n'), {"split": "test"}, "leave out split=test"),
        (lambda path: path.write_text('{"wrd": "sirr"}\n'), {}, "no known format in its columns wrd"),
        (lambda path: path.write_text('{"text": "a"}\n'), {"text_column": "body"}, "text_column=body is not among"),
        (lambda path: path.touch(), {}, "has no rows"),
        (lambda path: path.write_text("sirr\n"), {}, "line 1: no JSON object"),
    ],
)
def test_a_source_with_nothing_to_read_is_refused_at_once(tmp_path, write, options, words):
    path = tmp_path / "rows.jsonl"
    write(path)
    with pytest.raises(ValueError, match=words) as refused:
        check_sources(make_stream(StreamSource(str(path), **options)), "unused")
    assert "sirr" not in str(refused.value)


def test_a_dataset_of_the_hub_needs_a_commit():
    for revision in (None, "main", COMMIT[:7]):
        with pytest.raises(ValueError, match=f"user/name: no such file .* revision={revision} is no commit"):
            check_sources(make_stream(StreamSource("user/name", revision=revision)), "unused")
    with pytest.raises(ValueError, match="user/name: no such file or folder here, and the Hub cannot be reached"):
        check_sources(make_stream(StreamSource("user/name", revision=COMMIT)), "unused")


def test_a_lane_without_a_document_is_refused(tmp_path):
    source = StreamSource(str(write_file(tmp_path / "rows.jsonl", [{"text": "salam"}, {"text": ""}])))
    stream = make_stream(source)
    with pytest.raises(ValueError, match=r"nothing to learn from for lane 1 of 3 \(rows left out: {'empty': 1}\)"):
        LaneReader(source, stream, 1).read()
    with pytest.raises(ValueError, match=r"lane 2 of 3 \(rows left out: none\); take fewer lanes"):
        LaneReader(source, stream, 2).read()


def test_a_fingerprint_goes_with_what_is_in_the_files(tmp_path, prepared):
    one, other = write_folder(tmp_path / "texts", ".txt", 2), tmp_path / "elsewhere"
    stream = make_stream(
        StreamSource(str(one)), StreamSource(str(prepared)), StreamSource("user/name", revision=COMMIT)
    )
    prints = fingerprint_sources(stream)
    assert list(prints) == ["source 0, texts", "source 1, dataset", "source 2, user/name"]
    other.mkdir()
    one.rename(other / "texts")
    moved = make_stream(StreamSource(str(other / "texts")), *stream.sources[1:])
    assert fingerprint_sources(moved) == prints
    (file, _) = sorted((other / "texts").iterdir())
    file.write_text(file.read_text().replace("nmra 2\n", "nmra 3\n"))
    changed = fingerprint_sources(moved)
    assert [changed[name] == prints[name] for name in prints] == [False, True, True]
    (of_other_commit,) = fingerprint_sources(make_stream(StreamSource("user/name", revision=COMMIT[::-1]))).values()
    assert of_other_commit not in prints.values()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: StreamSource(" "), "path is empty"),
        (lambda: StreamSource("x", weight=0), "weight=0 must be positive"),
        (lambda: StreamArguments(num_lanes=0), "num_lanes=0 must be at least 1"),
        (lambda: StreamArguments(shuffle_buffer=0), "shuffle_buffer=0 must be at least 1"),
    ],
)
def test_a_stream_that_cannot_be_read_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
