"""Streaming: lanes of rows -> token blocks, encoded while a model learns from them, in an order that can be resumed.

Block `index` of a run comes from lane `index % num_lanes`. Where a lane stood at the beginning of a chunk is all that
a checkpoint keeps of it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, default_collate, get_worker_info
from transformers import PreTrainedTokenizerFast

from darija_gpt.data.lanes import LaneRows
from darija_gpt.data.row_formats import SourceRow
from darija_gpt.data.streams import StreamArguments
from darija_gpt.encoding import encode_rows
from darija_gpt.lane_blocks import Block, Lane
from darija_gpt.packing import Documents, Packing, start_worker


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
