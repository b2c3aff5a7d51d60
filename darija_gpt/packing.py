"""Packing: documents of any length -> blocks of one length, in an order that only seed, epoch and position decide."""

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from darija_gpt.run_lock import leave_locks
from darija_gpt.stop_request import obey_parent_alone


Packing = Literal["separate", "wrapped"]


def number_apart(lengths: np.ndarray) -> np.ndarray:
    """Positions that start anew at every document: attention stays within them."""
    starts = np.cumsum(lengths) - lengths
    return np.arange(lengths.sum()) - np.repeat(starts, lengths)


def number_through(lengths: np.ndarray) -> np.ndarray:
    """Positions that run through the block: attention crosses documents, as in GPT-2's training."""
    return np.arange(lengths.sum())


# Tokens of each document in a block -> position_ids.
POSITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"separate": number_apart, "wrapped": number_through}


def divide_block(ends: np.ndarray, begin: int, block_size: int) -> tuple[int, np.ndarray]:
    """The documents that a block holds: the number of the first, and how many tokens of each are in it.

    Args:
        ends (`np.ndarray`):
            Where each document ends, in tokens from the beginning of the first.
        begin (`int`), block_size (`int`):
            The block's first token, and its number of tokens.
    """
    first = int(np.searchsorted(ends, begin, side="right"))
    last = int(np.searchsorted(ends, begin + block_size, side="left"))
    return first, np.diff(np.concatenate([[begin], ends[first:last], [begin + block_size]]))


def build_block(token_ids: np.ndarray, lengths: np.ndarray, packing: Packing) -> dict[str, torch.Tensor]:
    """`input_ids` and `position_ids` of a block, each of shape (block_size,), in int64."""
    return {
        "input_ids": torch.from_numpy(token_ids.astype(np.int64)),
        "position_ids": torch.from_numpy(POSITIONS[packing](lengths).astype(np.int64)),
    }


def start_worker(worker: int) -> None:
    """Sets up a process that reads blocks for another."""
    obey_parent_alone()
    leave_locks()
    free_progress_bars()
    # Threads of the tokenizer's library do not live through a fork, and it warns of each.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def free_progress_bars() -> None:
    """Gives tqdm a lock of this process's own.

    All bars share one, across processes: who is forked while a thread of the first one draws, or beside a process that
    is ended while it draws, waits for ever with its next bar.
    """
    lock, classes = threading.RLock(), [tqdm]
    while classes:
        bar_class = classes.pop()
        bar_class.set_lock(lock)
        classes += bar_class.__subclasses__()


class Documents:
    """Token ids of documents, one behind the other, in one or several arrays.

    Args:
        shards (`Sequence[np.ndarray]`):
            Token ids, in memory or on the disk. No document is in two of them.
        lengths (`np.ndarray`):
            Tokens of each document.
        names (`Sequence[str]`, *optional*):
            What an error calls each shard.
    """

    def __init__(self, shards: Sequence[np.ndarray], lengths: np.ndarray, names: Sequence[str] | None = None):
        self.shards = list(shards)
        self.names = list(names) if names else [f"shard {number}" for number in range(len(self.shards))]
        self.starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self.shard_starts = np.cumsum([0, *map(len, self.shards)])

    @classmethod
    def from_lists(cls, documents: Iterable[Sequence[int]]) -> "Documents":
        """Documents that are in memory."""
        arrays = [np.asarray(document, dtype=np.int64) for document in documents]
        lengths = np.array([len(array) for array in arrays], dtype=np.int64)
        return cls([np.concatenate([np.empty(0, dtype=np.int64), *arrays])], lengths)

    def __len__(self) -> int:
        """Documents."""
        return len(self.starts) - 1

    @property
    def num_tokens(self) -> int:
        """Tokens of all of them."""
        return int(self.starts[-1])

    def gather(self, places: np.ndarray) -> np.ndarray:
        """The token ids at some places, counted over all shards."""
        if len(self.shards) == 1:
            return self.shards[0][places]
        token_ids = np.empty(len(places), dtype=np.int64)
        owners = np.searchsorted(self.shard_starts, places, side="right") - 1
        for owner in np.unique(owners):
            is_here = owners == owner
            token_ids[is_here] = self.shards[owner][places[is_here] - self.shard_starts[owner]]
        return token_ids

    def check_vocabulary(self, vocab_size: int, split: str) -> None:
        """Refuses a token id that the model has no embedding for, before the model sees it.

        Raises:
            ValueError: With the shard, the row, and the token's place in both.
        """
        for name, start, shard in zip(self.names, self.shard_starts, self.shards, strict=False):
            if len(shard) == 0 or (shard.min() >= 0 and shard.max() < vocab_size):
                continue
            offset = int(np.flatnonzero((shard < 0) | (shard >= vocab_size))[0])
            row = int(np.searchsorted(self.starts, start + offset, side="right")) - 1
            raise ValueError(
                f"{split}: token {start + offset - self.starts[row]:,} of row {row:,} ({name}, offset {offset:,}) has "
                f"the id {shard[offset]:,}, outside the vocabulary of {vocab_size:,}; give the tokenizer that belongs "
                "to the model."
            )


class PackedDataset(Dataset):
    """An endless sequence of token blocks: the documents, shuffled anew each epoch, one behind the other.

    Block `index` belongs to epoch `index // num_blocks` and depends on nothing but (seed, epoch, position), so any
    number of processes and workers, and any point of resumption, see the same order. A document cut by the end of a
    block goes on in the next one as a document of its own. Each epoch leaves out fewer than `block_size` tokens at its
    end.

    Args:
        documents (`Documents`):
            Token ids of each document, its opening token included.
        block_size (`int`):
            Tokens per block.
        seed (`int`, *optional*):
            Of the order. None keeps the documents in the order they came in.
        packing (`"separate"` or `"wrapped"`, *optional*, defaults to `"separate"`):
            Whether attention stays within a document or crosses all of a block.

    Raises:
        ValueError: If the documents do not fill one block.
    """

    def __init__(self, documents: Documents, block_size: int, seed: int | None = None, packing: Packing = "separate"):
        self.documents, self.block_size, self.seed, self.packing = documents, block_size, seed, packing
        self.num_blocks = documents.num_tokens // block_size
        self._epoch, self._order, self._ends = None, None, None
        if self.num_blocks == 0:
            raise ValueError(
                f"{documents.num_tokens:,} tokens do not fill a block of {block_size:,}; give more text or smaller "
                "blocks."
            )

    def __len__(self) -> int:
        """Blocks of one epoch."""
        return self.num_blocks

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """`input_ids` and `position_ids`, each of shape (block_size,)."""
        epoch, position = divmod(index, self.num_blocks)
        self._set_epoch(epoch)
        begin = position * self.block_size
        first, lengths = divide_block(self._ends, begin, self.block_size)
        rows = slice(first, first + len(lengths))
        # How far each document is in this epoch's order from where it is in the store.
        shifts = self.documents.starts[self._order[rows] + 1] - self._ends[rows]
        places = np.arange(begin, begin + self.block_size) + np.repeat(shifts, lengths)
        return build_block(self.documents.gather(places), lengths, self.packing)

    def load(self, indices: range, batch_size: int, *, num_workers: int) -> DataLoader:
        """Batches of the blocks with these indices, in this order."""
        # A generator of its own: without one, every iteration draws from the generator that dropout uses.
        generator = torch.Generator().manual_seed(0)
        return DataLoader(
            self,
            batch_size,
            sampler=indices,
            num_workers=num_workers,
            generator=generator,
            worker_init_fn=start_worker,
        )

    def describe(self) -> str:
        """How much there is, for people."""
        return f"{self.documents.num_tokens:,} training tokens"

    def locate(self, num_blocks: int) -> dict[str, Any]:
        """Where in the documents a run stands after so many blocks."""
        return {"epoch": round(num_blocks / self.num_blocks, 4)}

    def summarize(self, num_blocks: int, state: dict[str, Any]) -> dict[str, Any]:
        """What the summary of a run says of so many blocks: how many passes over the documents they are."""
        return {"epochs": round(num_blocks / self.num_blocks, 2)}

    def state_dict(self, index: int) -> dict[str, Any]:
        """What a run that goes on at this block needs to know: nothing."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes that back."""

    def _set_epoch(self, epoch: int) -> None:
        if epoch == self._epoch:
            return
        lengths = np.diff(self.documents.starts)
        if self.seed is None:
            self._order = np.arange(len(lengths))
        else:
            self._order = np.random.default_rng([self.seed, epoch]).permutation(len(lengths))
        self._ends = np.cumsum(lengths[self._order])
        self._epoch = epoch
