"""Streaming: lanes of rows -> token blocks, encoded while a model learns from them, in an order that can be resumed.

Block `index` of a run comes from lane `index % num_lanes`. A lane cuts its documents into blocks as `PackedDataset`
does; where it stood at the beginning of a chunk is all that a checkpoint keeps of it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, default_collate, get_worker_info
from transformers import PreTrainedTokenizerFast

from darija_gpt.data.row_formats import SourceRow
from darija_gpt.data.streams import LaneRows, StreamArguments
from darija_gpt.fingerprint import hash_record
from darija_gpt.packing import Documents, Packing, build_block, divide_block, start_worker
from darija_gpt.token_store import flatten
from darija_gpt.tokenizer import encode_rows


# Encoded at a time: few, so that no step waits for a whole chunk.
DOCUMENTS_PER_BATCH = 64
Block = dict[str, torch.Tensor]


class Lane:
    """The blocks of one lane.

    Args:
        rows (`LaneRows`):
            Its documents, at the beginning of the lane.
        encode (`Callable`):
            Token ids of some of them.
        block_size (`int`), packing (`"separate"` or `"wrapped"`):
            As of `PackedDataset`.
        check (`Callable[[Documents, str], None]`):
            Refuses token ids that the model has not, and names them by the text.
    """

    def __init__(
        self,
        rows: LaneRows,
        encode: Callable[[list[SourceRow]], list[list[int]]],
        block_size: int,
        packing: Packing,
        check: Callable[[Documents, str], None],
    ):
        self.rows, self.encode, self.check = rows, encode, check
        self.block_size, self.packing = block_size, packing

    def read_blocks(self, number: int, anchor: dict[str, Any] | None = None) -> Iterator[tuple[dict[str, Any], Block]]:
        """The blocks from a number on, each with the anchor of the chunk in which it begins.

        Args:
            number (`int`):
                The first block.
            anchor (`dict`, *optional*):
                Of it, or of an earlier one: what was read before is not read again.

        Raises:
            ValueError: If the chunk is no longer what it was, or a row cannot be used.
        """
        begin = number * self.block_size
        anchors: list[dict[str, Any]] = []
        # The token ids of some documents from `base` on, and where each ends; counted from the lane's first token.
        base, token_ids, ends = anchor["token"] if anchor else 0, np.empty(0, np.uint32), np.empty(0, np.int64)
        for more_ids, lengths, its_anchor in self._encode_chunks(base, anchor):
            if its_anchor is not None:
                anchors.append(its_anchor)
            token_ids = np.concatenate([token_ids, more_ids])
            last = ends[-1] if len(ends) else base
            ends = np.concatenate([ends, last + np.cumsum(lengths)])
            while begin + self.block_size <= base + len(token_ids):
                while len(anchors) > 1 and anchors[1]["token"] <= begin:
                    del anchors[0]
                _, pieces = divide_block(ends, begin, self.block_size)
                taken = token_ids[begin - base : begin - base + self.block_size]
                yield anchors[0], build_block(taken, pieces, self.packing)
                begin += self.block_size
            # What blocks were made of goes; so does what lies before the first one.
            used = min(begin - base, len(token_ids))
            base, token_ids = base + used, token_ids[used:]
            ends = ends[np.searchsorted(ends, base, side="right") :]

    def _encode_chunks(
        self, token: int, anchor: dict[str, Any] | None
    ) -> Iterator[tuple[np.ndarray, np.ndarray, dict[str, Any] | None]]:
        """Token ids and lengths of some documents at a time, without end; with the anchor of a chunk that begins."""
        if anchor is not None:
            self.rows.load_state_dict(anchor["rows"])
        while True:
            state, number = self.rows.state_dict(), self.rows.chunk
            chunk = self.rows.read_chunk()
            digest = hash_record([[row.text, row.messages] for row in chunk])
            if anchor is not None and digest != anchor["digest"]:
                raise ValueError(
                    f"lane {self.rows.lane} of the stream is not what it was when the checkpoint was written; restore "
                    "the data, or choose another --output_dir to start anew."
                )
            begun: dict[str, Any] | None = {"token": token, "rows": state, "digest": digest}
            anchor = None
            for first in range(0, len(chunk), DOCUMENTS_PER_BATCH):
                token_ids, lengths = flatten(self.encode(chunk[first : first + DOCUMENTS_PER_BATCH]))
                shard = f"lane {self.rows.lane}, chunk {number}, from its document {first} on"
                self.check(Documents([token_ids], lengths, [shard]), "stream")
                token += len(token_ids)
                yield token_ids, lengths, begun
                begun = None


class StreamedBlocks:
    """The training blocks of a stream.

    Args:
        stream (`StreamArguments`), dataset (`Path`):
            What is read.
        tokenizer (`PreTrainedTokenizerFast`):
            A tokenizer with a chat template.
        vocab_size (`int`):
            Of the model.
        block_size (`int`), seed (`int`), packing (`"separate"` or `"wrapped"`):
            As of `PackedDataset`.
    """

    def __init__(
        self,
        stream: StreamArguments,
        dataset: Path,
        tokenizer: PreTrainedTokenizerFast,
        vocab_size: int,
        block_size: int,
        seed: int,
        packing: Packing,
    ):
        self.stream, self.dataset, self.tokenizer, self.vocab_size = stream, dataset, tokenizer, vocab_size
        self.block_size, self.seed, self.packing = block_size, seed, packing
        # Of each lane: those of the blocks that were taken, as far as a step that is tried again may go back.
        self._anchors: dict[int, list[dict[str, Any]]] = {}

    def open_lane(self, lane: int) -> Lane:
        """A lane at its beginning."""
        rows = LaneRows(self.stream, self.dataset, lane, self.seed)
        return Lane(rows, self._encode, self.block_size, self.packing, self._check)

    def load(self, indices: range, batch_size: int, *, num_workers: int) -> Iterator[Block]:
        """Batches of the blocks with these indices, in this order.

        Args:
            indices (`range`):
                In steps of the number of processes.
            batch_size (`int`):
                Blocks per batch.
            num_workers (`int`):
                Processes that read and encode; this one if there are none.

        Raises:
            ValueError: If the lanes cannot be dealt out to processes and workers, or a row cannot be used.
        """
        check_lanes(self.stream, indices.step, num_workers)
        process = indices.start % indices.step
        self._anchors = {lane: its for lane, its in self._anchors.items() if lane % indices.step == process}
        anchors = {lane: self._choose_anchor(lane, indices.start - process) for lane in self._anchors}
        # A generator of its own, as of PackedDataset; a batch has blocks of several workers, so they come one by one.
        loader = DataLoader(
            _LaneBlocks(self, indices, anchors),
            batch_size=None,
            collate_fn=_keep,
            num_workers=num_workers,
            generator=torch.Generator().manual_seed(0),
            worker_init_fn=start_worker,
        )
        batch: list[Block] = []
        for lane, anchor, block in _unwrap(loader):
            if anchor is not None:
                self._anchors.setdefault(lane, []).append(anchor)
            batch.append(block)
            if len(batch) == batch_size:
                yield default_collate(batch)
                batch = []

    def state_dict(self, index: int) -> dict[str, Any]:
        """The anchors, by lane, with which a run goes on at a block: those of the lanes that this process reads."""
        for lane, anchors in self._anchors.items():
            self._anchors[lane] = anchors[anchors.index(self._choose_anchor(lane, index)) :]
        return {str(lane): anchors[0] for lane, anchors in self._anchors.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes those of all lanes back."""
        self._anchors = {int(lane): [anchor] for lane, anchor in state.items()}

    def describe(self) -> str:
        """How much there is, for people."""
        return f"training tokens from a stream in {self.stream.num_lanes} lanes"

    def locate(self, num_blocks: int) -> dict[str, Any]:
        """Where in the documents a run stands after so many blocks: nobody knows how many an epoch has."""
        return {}

    def summarize(self, num_blocks: int, state: dict[str, Any]) -> dict[str, Any]:
        """What the summary of a run says: documents read as `kept` and rows left out, up to the anchors of all lanes.

        Nobody knows how many blocks an epoch has.
        """
        counts = Counter()
        for anchor in state.values():
            for reader in anchor["rows"]["readers"]:
                counts.update(reader["counts"])
        return {"epochs": None, "rows": dict(counts)}

    def _choose_anchor(self, lane: int, index: int) -> dict[str, Any]:
        """The last anchor that is not behind the first block of a lane from an index on."""
        number = -((lane - index) // self.stream.num_lanes)  # blocks of the lane before the index, rounded up
        before = [anchor for anchor in self._anchors[lane] if anchor["token"] <= number * self.block_size]
        return before[-1]

    def _encode(self, rows: list[SourceRow]) -> list[list[int]]:
        columns = {"text": [row.text for row in rows], "messages": [row.messages for row in rows]}
        return encode_rows(self.tokenizer, columns)

    def _check(self, documents: Documents, name: str) -> None:
        documents.check_vocabulary(self.vocab_size, name)


def check_lanes(stream: StreamArguments, num_processes: int, num_workers: int) -> None:
    """Refuses processes and workers that the lanes cannot be dealt out to in equal parts.

    Raises:
        ValueError: With numbers that go together.
    """
    num_readers = num_processes * max(num_workers, 1)
    if stream.num_lanes % num_readers:
        workers = f" * dataloader_num_workers={num_workers}" if num_workers else ""
        raise ValueError(
            f"stream.num_lanes={stream.num_lanes} cannot be dealt out to {num_processes} process(es){workers}; take "
            f"processes and workers whose product divides it, or start a run with a multiple of {num_readers} lanes."
        )


class _LaneBlocks(IterableDataset):
    """(lane, anchor, block) for each index that falls to a worker; the anchor where it is another than before."""

    def __init__(self, blocks: StreamedBlocks, indices: range, anchors: dict[int, dict[str, Any]]):
        self.blocks, self.indices, self.anchors = blocks, indices, anchors

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any] | None, Block] | ValueError]:
        worker = get_worker_info()
        first, step = (worker.id, worker.num_workers) if worker else (0, 1)
        lanes, shown = {}, {}
        try:
            for index in self.indices[first::step]:
                number, lane = divmod(index, self.blocks.stream.num_lanes)
                if lane not in lanes:
                    lanes[lane] = self.blocks.open_lane(lane).read_blocks(number, self.anchors.get(lane))
                anchor, block = next(lanes[lane])
                yield lane, None if anchor is shown.get(lane) else anchor, block
                shown[lane] = anchor
        except ValueError as error:
            # Raised here, it would come out of a worker with a traceback for a message.
            yield error


def _keep(item: Any) -> Any:
    return item


def _unwrap(items: Iterable[Any]) -> Iterator[tuple[int, dict[str, Any] | None, Block]]:
    for item in items:
        if isinstance(item, ValueError):
            raise item
        yield item
