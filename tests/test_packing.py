"""Packing against the documents it came from."""

import pytest

from darija_gpt.packing import PackedDataset


# Documents that can be told apart: 100, 101, ... then 200, 201, ...
DOCUMENTS = [[100 * number + place for place in range(length)] for number, length in enumerate((7, 1, 12, 3, 5), 1)]
NUM_TOKENS = sum(map(len, DOCUMENTS))


def unpack(dataset, blocks) -> list[list[int]]:
    """The pieces of documents in some blocks, cut where position_ids start anew."""
    pieces = []
    for index in blocks:
        block = dataset[index]
        for token, position in zip(block["input_ids"].tolist(), block["position_ids"].tolist(), strict=True):
            if position == 0:
                pieces.append([])
            assert len(pieces[-1]) == position
            pieces[-1].append(token)
    return pieces


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("block_size", [1, 4, 5, 28])
def test_an_epoch_holds_every_token_once_but_for_less_than_a_block(seed, block_size):
    dataset = PackedDataset(DOCUMENTS, block_size, seed)
    for epoch in range(3):
        pieces = unpack(dataset, range(epoch * len(dataset), (epoch + 1) * len(dataset)))
        tokens = [token for piece in pieces for token in piece]
        assert len(tokens) == len(dataset) * block_size > NUM_TOKENS - block_size
        assert len(set(tokens)) == len(tokens)
        assert all(piece == list(range(piece[0], piece[0] + len(piece))) for piece in pieces)


def test_without_a_seed_the_documents_keep_their_order():
    dataset = PackedDataset(DOCUMENTS, NUM_TOKENS)
    assert unpack(dataset, [0]) == DOCUMENTS == unpack(dataset, [1])


def test_the_order_depends_on_seed_epoch_and_position_alone():
    one, other = PackedDataset(DOCUMENTS, 4, seed=3), PackedDataset(DOCUMENTS, 4, seed=3)
    forwards = [one[index]["input_ids"].tolist() for index in range(30)]
    backwards = [other[index]["input_ids"].tolist() for index in reversed(range(30))][::-1]
    assert forwards == backwards
    assert forwards[:7] != forwards[7:14]
    assert forwards != [PackedDataset(DOCUMENTS, 4, seed=4)[index]["input_ids"].tolist() for index in range(30)]


def test_too_little_text_for_one_block_is_refused():
    with pytest.raises(ValueError, match="28 tokens do not fill a block of 29"):
        PackedDataset(DOCUMENTS, 29)
