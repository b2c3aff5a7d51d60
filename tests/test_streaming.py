"""Streamed blocks: the same in every process, worker and resumed run, and as a reference makes them."""

import json
from itertools import islice

import pytest
import torch
from datasets import Dataset, DatasetDict

from darija_gpt.data.lanes import LaneReader, LaneRows
from darija_gpt.data.streams import StreamArguments, StreamSource
from darija_gpt.encoding import encode_rows
from darija_gpt.packing import POSITIONS
from darija_gpt.streaming import StreamedBlocks, check_lanes


BLOCK_SIZE = 16
NUM_BLOCKS = 96  # more than one epoch of each of the four lanes


@pytest.fixture(scope="module")
def rows(dataset, tmp_path_factory):
    """A prepared dataset of 40 rows, a third of them conversations."""
    train = dataset["train"].select(range(40)).to_list()
    for number, row in enumerate(train):
        row["messages"] = row["messages"] if number % 3 == 0 else None
        row["text"] = row["text"] if number % 2 else row["text"][: 5 + number]
    directory = tmp_path_factory.mktemp("stream") / "dataset"
    split = Dataset.from_list(train, features=dataset["train"].features)
    DatasetDict({**dataset, "train": split}).save_to_disk(directory)
    return directory


@pytest.fixture
def make(rows, tokenizer):
    """A stream of 4 lanes, with chunks of 3 documents."""

    def make(packing="separate", seed=7, vocab_size=None, stream=None, dataset=rows):
        stream = stream or StreamArguments(num_lanes=4, shuffle_buffer=3)
        vocab_size = vocab_size or len(tokenizer)
        return StreamedBlocks(stream, dataset, tokenizer, vocab_size, BLOCK_SIZE, seed, packing)

    return make


def as_lists(batches) -> list[tuple[list[int], list[int]]]:
    return [
        (ids.tolist(), positions.tolist())
        for batch in batches
        for ids, positions in zip(batch["input_ids"], batch["position_ids"], strict=True)
    ]


def refer(rows, tokenizer, packing: str) -> list[tuple[list[int], list[int]]]:
    """The first blocks, made token by token."""
    stream, lanes = StreamArguments(num_lanes=4, shuffle_buffer=3), []
    for lane in range(4):
        chunks, tokens = LaneRows(stream, rows, lane, seed=7), []
        while len(tokens) < BLOCK_SIZE * NUM_BLOCKS:
            for document in chunks.read_chunk():
                (ids,) = encode_rows(tokenizer, {"text": [document.text], "messages": [document.messages]})
                tokens += [(token, place) for place, token in enumerate(ids)]
        lanes.append(tokens)
    blocks = []
    for index in range(NUM_BLOCKS):
        begin = index // 4 * BLOCK_SIZE
        ids, positions = [], []
        for token, place in lanes[index % 4][begin : begin + BLOCK_SIZE]:
            starts_anew = not positions or (packing == "separate" and place == 0)
            positions.append(0 if starts_anew else positions[-1] + 1)
            ids.append(token)
        blocks.append((ids, positions))
    return blocks


@pytest.mark.parametrize("packing", POSITIONS)
def test_blocks_are_those_of_the_reference(make, rows, tokenizer, packing):
    blocks = as_lists(make(packing).load(range(NUM_BLOCKS), 4, num_workers=0))
    assert blocks == refer(rows, tokenizer, packing)


def test_no_document_comes_again_before_all_have_come(make, rows, tokenizer):
    stream = StreamArguments(num_lanes=1, shuffle_buffer=3)
    texts = Dataset.from_file(str(next((rows / "train").glob("*.arrow"))))[:]
    num_tokens = sum(map(len, encode_rows(tokenizer, texts)))
    one_epoch = make(stream=stream).load(range(num_tokens // BLOCK_SIZE), 1, num_workers=0)
    openings = sum(ids.count(tokenizer.bos_token_id) for ids, _ in as_lists(one_epoch))
    reader = LaneReader(StreamSource(str(rows)), stream, 0)
    assert openings == sum(1 for _ in iter(reader.read, None)) == 40


@pytest.mark.filterwarnings("ignore:This DataLoader will create 4 worker processes")
@pytest.mark.parametrize(
    ("num_processes", "num_workers"), [(1, 0), (1, 1), (1, 2), (1, 4), (2, 0), (2, 2), (4, 0), (4, 1)]
)
def test_any_number_of_processes_and_workers_deals_out_the_same_order(make, num_processes, num_workers):
    expected = as_lists(make().load(range(NUM_BLOCKS), 1, num_workers=0))
    dealt = [None] * NUM_BLOCKS
    for process in range(num_processes):
        batches = make().load(range(process, NUM_BLOCKS, num_processes), 2, num_workers=num_workers)
        dealt[process::num_processes] = as_lists(batches)
    assert dealt == expected


def test_a_process_opens_only_its_own_lanes(make, monkeypatch):
    opened, open_lane = [], StreamedBlocks.open_lane
    monkeypatch.setattr(
        StreamedBlocks, "open_lane", lambda blocks, lane: opened.append(lane) or open_lane(blocks, lane)
    )
    list(make().load(range(1, NUM_BLOCKS, 2), 2, num_workers=0))
    assert opened == [1, 3]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_stream_resumed_at_any_step_is_the_same(make, num_workers):
    blocks_per_step = 4
    whole, states = make(), {}
    batches = whole.load(range(NUM_BLOCKS), 2, num_workers=num_workers)
    expected = []
    for step in range(NUM_BLOCKS // blocks_per_step):
        states[step] = json.loads(json.dumps(whole.state_dict(step * blocks_per_step)))
        expected += as_lists(islice(batches, 2))
    assert states[0] == {} and len(states[1]) == 4
    for step in range(0, NUM_BLOCKS // blocks_per_step, 1 + 4 * num_workers):
        resumed = make()
        resumed.load_state_dict(states[step])
        first = step * blocks_per_step
        assert as_lists(resumed.load(range(first, NUM_BLOCKS), 2, num_workers=num_workers)) == expected[first:]
        assert resumed.state_dict(NUM_BLOCKS) == whole.state_dict(NUM_BLOCKS)


def test_the_processes_may_change_at_every_resumption(make):
    expected = as_lists(make().load(range(NUM_BLOCKS), 1, num_workers=0))
    dealt, state = [], {}
    for first, num_processes in ((0, 1), (24, 2), (40, 4), (64, 1), (72, 2)):
        last = {0: 24, 24: 40, 40: 64, 64: 72, 72: NUM_BLOCKS}[first]
        part, states = [None] * (last - first), {}
        for process in range(num_processes):
            blocks = make()
            blocks.load_state_dict(json.loads(json.dumps(state)))
            batches = blocks.load(range(first + process, last, num_processes), 2, num_workers=0)
            part[process::num_processes] = as_lists(batches)
            its_state = blocks.state_dict(last)
            assert not set(its_state) & set(states)
            states |= its_state
        dealt, state = dealt + part, states
        assert sorted(state) == ["0", "1", "2", "3"]
    assert dealt == expected


def test_a_step_that_is_tried_again_has_the_same_blocks(make):
    blocks = make()
    expected = as_lists(make().load(range(NUM_BLOCKS), 1, num_workers=0))
    batches = blocks.load(range(NUM_BLOCKS), 4, num_workers=0)
    taken = as_lists(islice(batches, 9))
    # In the middle of the fourth step of ten blocks memory ran out.
    assert taken == expected[:36]
    again = blocks.load(range(30, NUM_BLOCKS), 2, num_workers=0)
    assert as_lists(again) == expected[30:]


def test_what_was_read_before_a_chunk_is_not_encoded_again(make, monkeypatch):
    whole = make()
    list(whole.load(range(80), 4, num_workers=0))
    state = whole.state_dict(80)
    encoded, encode = [], StreamedBlocks._encode
    monkeypatch.setattr(StreamedBlocks, "_encode", lambda blocks, rows: encoded.extend(rows) or encode(blocks, rows))
    resumed = make()
    resumed.load_state_dict(state)
    list(resumed.load(range(80, 84), 4, num_workers=0))
    assert len(encoded) <= 4 * 2 * 3  # two chunks of three documents a lane


def test_no_more_is_read_ahead_than_a_chunk_of_each_lane(make, tokenizer, monkeypatch):
    num_read, num_used, read_chunk = [], 0, LaneRows.read_chunk

    def count(rows):
        num_read.append(len(chunk := read_chunk(rows)))
        return chunk

    monkeypatch.setattr(LaneRows, "read_chunk", count)
    for batch in make().load(range(NUM_BLOCKS), 1, num_workers=0):
        num_used += (batch["input_ids"] == tokenizer.bos_token_id).sum()
        # A chunk, and those of the chunk before that do not fill a block.
        assert sum(num_read) <= num_used + 4 * (3 + 3)


def test_a_stream_that_is_not_what_it_was_is_refused_when_resumed(make, rows, tmp_path, dataset):
    whole = make()
    list(whole.load(range(40), 4, num_workers=0))
    resumed = make(dataset=rows)
    resumed.load_state_dict(whole.state_dict(40))
    other = DatasetDict({**dataset})
    other.save_to_disk(tmp_path / "dataset")
    changed = make(dataset=tmp_path / "dataset")
    changed.load_state_dict(whole.state_dict(40))
    with pytest.raises(ValueError, match=r"lane \d of the stream is not what it was when the checkpoint was written"):
        list(changed.load(range(40, 44), 4, num_workers=0))


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_token_outside_the_vocabulary_is_named_with_its_lane_and_offset(make, num_workers):
    words = (
        r"stream: token \d+ of row \d+ \(lane \d, chunk 0, from its document 0 on, offset \d+\) has the id \d+, out"
    )
    with pytest.raises(ValueError, match=words) as refused:
        list(make(vocab_size=300).load(range(8), 2, num_workers=num_workers))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("num_processes", "num_workers", "words"),
    [
        (3, 0, r"num_lanes=8 cannot be dealt out to 3 process\(es\); take .* a multiple of 3 lanes"),
        (2, 3, r"cannot be dealt out to 2 process\(es\) \* dataloader_num_workers=3; take .* a multiple of 6 lanes"),
    ],
)
def test_lanes_that_cannot_be_dealt_out_are_refused_with_a_remedy(num_processes, num_workers, words):
    check_lanes(StreamArguments(num_lanes=8), 2, 4)
    with pytest.raises(ValueError, match=words):
        check_lanes(StreamArguments(num_lanes=8), num_processes, num_workers)


def test_reading_a_stream_draws_no_number_from_the_generator_of_dropout(make):
    state = torch.get_rng_state()
    list(make().load(range(8), 2, num_workers=0))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_summary_counts_what_was_read(make):
    blocks = make()
    list(blocks.load(range(NUM_BLOCKS), 4, num_workers=0))
    summary = blocks.summarize(NUM_BLOCKS, blocks.state_dict(NUM_BLOCKS))
    assert summary["epochs"] is None and summary["rows"]["kept"] > 40
