"""Packing against the documents it came from, and against a reference that goes token by token."""

import io
import multiprocessing
import signal
from itertools import chain

import datasets
import numpy as np
import pytest
import torch
from fault_runs import start
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.packing import POSITIONS, Documents, PackedDataset, start_worker


# Documents that can be told apart: 100, 101, ... then 200, 201, ...
DOCUMENTS = [[100 * number + place for place in range(length)] for number, length in enumerate((7, 1, 12, 3, 5), 1)]
NUM_TOKENS = sum(map(len, DOCUMENTS))


def in_memory(cut_at: tuple[int, ...] = ()) -> Documents:
    """The documents in one array, or in several that are cut before some of them."""
    groups = [DOCUMENTS[first:last] for first, last in zip((0, *cut_at), (*cut_at, None), strict=True)]
    shards = [np.array(list(chain.from_iterable(group)), dtype=np.uint16) for group in groups]
    return Documents(shards, np.array(list(map(len, DOCUMENTS))))


def refer(seed: int | None, epoch: int, block_size: int, packing: str) -> list[tuple[list[int], list[int]]]:
    """The blocks of an epoch, as one would make them by hand."""
    order = range(len(DOCUMENTS))
    if seed is not None:
        order = np.random.default_rng([seed, epoch]).permutation(len(DOCUMENTS))
    tokens = [(token, place) for row in order for place, token in enumerate(DOCUMENTS[row])]
    blocks = []
    for begin in range(0, NUM_TOKENS - block_size + 1, block_size):
        ids, positions = [], []
        for token, place in tokens[begin : begin + block_size]:
            starts_anew = not positions or (packing == "separate" and place == 0)
            positions.append(0 if starts_anew else positions[-1] + 1)
            ids.append(token)
        if packing == "wrapped":
            positions = list(range(block_size))
        blocks.append((ids, positions))
    return blocks


def as_lists(blocks) -> list[tuple[list[int], list[int]]]:
    return [(block["input_ids"].tolist(), block["position_ids"].tolist()) for block in blocks]


@pytest.mark.parametrize("packing", POSITIONS)
@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("block_size", [1, 4, 5, 28])
@pytest.mark.parametrize("cut_at", [(), (2,), (1, 2, 4)], ids=["one shard", "two", "four"])
def test_blocks_are_those_of_the_reference(cut_at, block_size, seed, packing):
    dataset = PackedDataset(in_memory(cut_at), block_size, seed, packing)
    for epoch in range(3):
        indices = range(epoch * len(dataset), (epoch + 1) * len(dataset))
        assert as_lists(dataset[index] for index in indices) == refer(seed, epoch, block_size, packing)


@pytest.mark.parametrize("block_size", [1, 4, 5, 28])
def test_an_epoch_holds_every_token_once_but_for_less_than_a_block(block_size):
    dataset = PackedDataset(in_memory(), block_size, seed=0)
    for epoch in range(3):
        blocks = as_lists(dataset[index] for index in range(epoch * len(dataset), (epoch + 1) * len(dataset)))
        tokens = [token for ids, _ in blocks for token in ids]
        assert len(tokens) == len(dataset) * block_size > NUM_TOKENS - block_size
        assert len(set(tokens)) == len(tokens)


def test_the_order_depends_on_seed_epoch_and_position_alone():
    one, other = PackedDataset(in_memory(), 4, seed=3), PackedDataset(in_memory(), 4, seed=3)
    forwards = as_lists(one[index] for index in range(30))
    backwards = as_lists(other[index] for index in reversed(range(30)))[::-1]
    assert forwards == backwards
    assert forwards[:7] != forwards[7:14]
    assert forwards != as_lists(PackedDataset(in_memory(), 4, seed=4)[index] for index in range(30))


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.parametrize("num_processes", [1, 2, 4])
def test_any_number_of_processes_and_workers_deals_out_the_same_order(num_processes, num_workers):
    dataset = PackedDataset(in_memory((2,)), 4, seed=3)
    expected = as_lists(dataset[index] for index in range(8, 40))
    dealt = [None] * 32
    for process in range(num_processes):
        batches = dataset.load(range(8 + process, 40, num_processes), 2, num_workers=num_workers)
        blocks = [
            (ids.tolist(), positions.tolist())
            for batch in batches
            for ids, positions in zip(batch["input_ids"], batch["position_ids"], strict=True)
        ]
        dealt[process::num_processes] = blocks
    assert dealt == expected


def test_loading_draws_no_number_from_the_generator_of_dropout():
    state = torch.get_rng_state()
    list(PackedDataset(in_memory(), 4, seed=3).load(range(8), 2, num_workers=0))
    assert torch.equal(torch.get_rng_state(), state)


def test_too_little_text_for_one_block_is_refused():
    with pytest.raises(ValueError, match="28 tokens do not fill a block of 29"):
        PackedDataset(in_memory(), 29)
    with pytest.raises(ValueError, match="0 tokens do not fill a block of 1"):
        PackedDataset(Documents.from_lists([]), 1)


def test_a_token_outside_the_vocabulary_is_named_with_its_shard_row_and_place():
    documents = Documents(
        [np.array([1, 2, 3]), np.array([4, 5, 99, 6, 7])], np.array([3, 4, 1]), ["a.arrow", "b.arrow"]
    )
    documents.check_vocabulary(100, "train")
    words = r"train: token 2 of row 1 \(b\.arrow, offset 2\) has the id 99, outside the vocabulary of 50"
    with pytest.raises(ValueError, match=words):
        documents.check_vocabulary(50, "train")
    with pytest.raises(ValueError, match=r"validation: token 0 of row 0 \(shard 0, offset 0\) has the id -1"):
        Documents.from_lists([[-1, 2]]).check_vocabulary(50, "validation")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = DarijaGPTConfig(
        vocab_size=600,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        initializer_range=0.2,
        max_position_embeddings=32,
    )
    return DarijaGPTForCausalLM(config).eval()


def look_back(model, block) -> torch.Tensor:
    """How much the prediction after the block's last token depends on each token, shape (block_size,)."""
    embeddings = model.get_input_embeddings()(block["input_ids"][None]).detach().requires_grad_()
    logits = model(inputs_embeds=embeddings, position_ids=block["position_ids"][None], use_cache=False).logits
    logits[0, -1].square().sum().backward()
    return embeddings.grad[0].abs().sum(-1)


def test_attention_stays_within_documents_that_are_packed_apart(model):
    block = PackedDataset(in_memory(), NUM_TOKENS)[0]
    logits = model(block["input_ids"][None], position_ids=block["position_ids"][None], use_cache=False).logits[0]
    alone = [model(torch.tensor([document]), use_cache=False).logits[0] for document in DOCUMENTS]
    torch.testing.assert_close(logits, torch.cat(alone), atol=1e-4, rtol=1e-4)
    dependence = look_back(model, block)
    assert (dependence[:-5] == 0).all() and (dependence[-5:] > 0).all()


def test_attention_crosses_documents_that_are_wrapped(model):
    block = PackedDataset(in_memory(), NUM_TOKENS, packing="wrapped")[0]
    logits = model(block["input_ids"][None], position_ids=block["position_ids"][None], use_cache=False).logits
    as_one_text = model(block["input_ids"][None], use_cache=False).logits
    torch.testing.assert_close(logits, as_one_text, atol=0, rtol=0)
    assert (look_back(model, block) > 0).all()


def test_a_worker_draws_its_bars_while_the_lock_of_another_process_is_held():
    """As the lock of one that was ended in the middle of a bar."""
    context = multiprocessing.get_context("fork")
    tqdm.set_lock(tqdm.get_lock())
    with tqdm.get_lock():
        worker = context.Process(target=draw_a_bar, daemon=True)
        worker.start()
        worker.join(60)
    worker.kill()
    assert worker.exitcode == 0


def draw_a_bar() -> None:
    start_worker(0)
    # The library of datasets has a class of its own.
    for bar_class in (tqdm, datasets.utils.tqdm):
        list(bar_class(range(3), file=io.StringIO()))


class StuckBlocks(Dataset):
    """One of them is never read."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int):
        signal.pause()


def leave_with_stuck_worker(start_method: str) -> None:
    multiprocessing.set_start_method(start_method, force=True)
    # Alive when the process ends, as where an error holds on to the step that it came from.
    global batches
    batches = iter(DataLoader(StuckBlocks(), num_workers=1, worker_init_fn=start_worker))


@pytest.mark.parametrize("start_method", ["fork", "forkserver"])
def test_a_process_ends_its_workers_wherever_they_are(start_method):
    process = start(leave_with_stuck_worker, start_method)
    process.join(120)
    process.kill()
    assert process.exitcode == 0
