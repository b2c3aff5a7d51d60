"""Packing: documents of any length -> blocks of one length, whose `position_ids` start anew at every document."""

from collections.abc import Iterable

import numpy as np
import torch
from torch.utils.data import Dataset


class PackedDataset(Dataset):
    """An endless sequence of token blocks: the documents, shuffled anew each epoch, one behind the other.

    Block `index` belongs to epoch `index // num_blocks` and depends on nothing but (seed, epoch, position), so any
    number of processes and any point of resumption see the same order. A document cut by the end of a block goes on in
    the next one as a document of its own. Each epoch leaves out fewer than `block_size` tokens at its end.

    Args:
        documents (`Iterable[list[int]]`):
            Token ids of each document, its opening token included.
        block_size (`int`):
            Tokens per block.
        seed (`int`, *optional*):
            Of the order. None keeps the documents in the order they came in.

    Raises:
        ValueError: If the documents do not fill one block.
    """

    def __init__(self, documents: Iterable[list[int]], block_size: int, seed: int | None = None):
        arrays = [np.asarray(document, dtype=np.int32) for document in documents]
        lengths = np.array([len(array) for array in arrays], dtype=np.int64)
        self.tokens = np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int32)
        self.starts = np.concatenate([[0], np.cumsum(lengths)])
        self.block_size = block_size
        self.seed = seed
        self.num_blocks = len(self.tokens) // block_size
        self._epoch, self._order, self._ends = None, None, None
        if self.num_blocks == 0:
            raise ValueError(
                f"{len(self.tokens):,} tokens do not fill a block of {block_size:,}; give more text or smaller blocks."
            )

    def __len__(self) -> int:
        """Blocks of one epoch."""
        return self.num_blocks

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """`input_ids` and `position_ids`, each of shape (block_size,)."""
        epoch, position = divmod(index, self.num_blocks)
        self._set_epoch(epoch)
        input_ids = np.empty(self.block_size, dtype=np.int64)
        position_ids = np.empty(self.block_size, dtype=np.int64)
        offset = position * self.block_size
        rank = int(np.searchsorted(self._ends, offset, side="right"))
        filled = 0
        while filled < self.block_size:
            document_end = self.starts[self._order[rank] + 1]
            start = document_end - (self._ends[rank] - offset - filled)
            length = int(min(document_end - start, self.block_size - filled))
            input_ids[filled : filled + length] = self.tokens[start : start + length]
            position_ids[filled : filled + length] = np.arange(length)
            filled += length
            rank += 1
        return {"input_ids": torch.from_numpy(input_ids), "position_ids": torch.from_numpy(position_ids)}

    def check_vocabulary(self, vocab_size: int, split: str) -> None:
        """Refuses a token id that the model has no embedding for, before the model sees it.

        Raises:
            ValueError: With the split, the row in it and the token's place in the row.
        """
        wrong = np.flatnonzero((self.tokens < 0) | (self.tokens >= vocab_size))
        if len(wrong) == 0:
            return
        row = int(np.searchsorted(self.starts, wrong[0], side="right")) - 1
        raise ValueError(
            f"{split}: token {wrong[0] - self.starts[row]:,} of row {row:,} has the id {self.tokens[wrong[0]]:,}, "
            f"outside the vocabulary of {vocab_size:,}; give the tokenizer that belongs to the model."
        )

    def _set_epoch(self, epoch: int) -> None:
        if epoch == self._epoch:
            return
        num_documents = len(self.starts) - 1
        if self.seed is None:
            self._order = np.arange(num_documents)
        else:
            self._order = np.random.default_rng([self.seed, epoch]).permutation(num_documents)
        self._ends = np.cumsum(np.diff(self.starts)[self._order])
        self._epoch = epoch
