"""Lanes: a fixed part of every source each, read from where it was left, mixed and shuffled a chunk at a time."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from datasets import IterableDataset

from darija_gpt.data.row_formats import Row, SourceRow, UnusableRowError
from darija_gpt.data.streams import StreamArguments, StreamSource, build_converter, list_sources, open_rows, watch_rows


# Between two notes of where a source stands; what was read since is read again.
ROWS_PER_READ = 100


class LaneReader:
    """A lane's documents of one source, over and over.

    Args:
        source (`StreamSource`), stream (`StreamArguments`):
            What is read, and how.
        lane (`int`):
            The number of the lane.

    Attributes:
        counts (`Counter[str]`):
            Documents that were read, as `kept`, and rows that were left out, by reason; from the beginning on.
    """

    def __init__(self, source: StreamSource, stream: StreamArguments, lane: int):
        self.source, self.lane, self.num_lanes = source, lane, stream.num_lanes
        self.convert = build_converter(source, stream)
        self.epoch, self.num_in_epoch, self.counts = 0, 0, Counter()
        self._dataset: IterableDataset | None = None
        # The rows in hand, the next one's place among them, where the source stood before them, and where it stands.
        self._rows: list[Row] = []
        self._place, self._mark, self._next_mark = 0, None, None

    def read(self) -> SourceRow | None:
        """The next document, None once after the last one. Then it begins anew.

        Raises:
            ValueError: If there is none at all, or the source cannot be read.
        """
        while True:
            if self._place == len(self._rows) and not self._fill():
                if not self.num_in_epoch:
                    raise ValueError(
                        f"{self.source.path} has nothing to learn from for lane {self.lane} of {self.num_lanes} "
                        f"(rows left out: {dict(self.counts) or 'none'}); take fewer lanes, or look into it."
                    )
                self.epoch, self.num_in_epoch = self.epoch + 1, 0
                self._go_to(None)
                return None
            row = self._rows[self._place]
            self._place += 1
            try:
                document = self.convert(row)
            except UnusableRowError as reason:
                self.counts[str(reason)] += 1
                continue
            self.counts["kept"] += 1
            self.num_in_epoch += 1
            return document

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, as JSON holds it."""
        return {
            "epoch": self.epoch,
            "num_in_epoch": self.num_in_epoch,
            "counts": dict(self.counts),
            "mark": self._mark,
            "place": self._place,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes there."""
        self.epoch, self.num_in_epoch, self.counts = state["epoch"], state["num_in_epoch"], Counter(state["counts"])
        self._go_to(state["mark"])
        if state["mark"] is not None:
            self._fill()
            self._place = state["place"]

    def _go_to(self, mark: dict[str, Any] | None) -> None:
        """Begins to read where the source once stood, or at its beginning."""
        if self._dataset is None:
            self._dataset = open_rows(self.source, self.lane, self.num_lanes)
            self._first_mark = self._dataset.state_dict()
        self._next_mark = self._first_mark if mark is None else mark
        self._dataset.load_state_dict(self._next_mark)
        # Unlike the dataset's own iterator, this one gives all rows in a DataLoader's worker, too.
        self._batches = watch_rows(self.source, self._dataset.iter(ROWS_PER_READ))
        self._rows, self._place, self._mark = [], 0, None

    def _fill(self) -> bool:
        """Reads on; False at the end."""
        if self._dataset is None:
            self._go_to(None)
        batch = next(self._batches, None)
        if batch is None:
            return False
        self._rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
        self._place, self._mark, self._next_mark = 0, self._next_mark, self._dataset.state_dict()
        return True


class LaneRows:
    """The documents of a lane, mixed from its sources by their weights and shuffled a chunk at a time.

    The order of a chunk depends on nothing but the seed, the lane and the number of the chunk.

    Args:
        stream (`StreamArguments`):
            The stream.
        dataset (`Path`):
            What it reads if it has no sources of its own.
        lane (`int`):
            The number of the lane.
        seed (`int`):
            Of the order.
    """

    def __init__(self, stream: StreamArguments, dataset: Path, lane: int, seed: int):
        sources = list_sources(stream, dataset)
        self.readers = [LaneReader(source, stream, lane) for source in sources]
        self.shares = np.array([source.weight for source in sources]) / sum(source.weight for source in sources)
        self.lane, self.seed, self.shuffle_buffer = lane, seed, stream.shuffle_buffer
        self.chunk = 0

    def read_chunk(self) -> list[SourceRow]:
        """The next chunk: `shuffle_buffer` documents, or fewer where the only source comes to its end."""
        draw = np.random.default_rng([self.seed, self.lane, self.chunk])
        documents: list[SourceRow] = []
        for owner in draw.choice(len(self.readers), self.shuffle_buffer, p=self.shares):
            document = self.readers[owner].read()
            if document is None and documents and len(self.readers) == 1:
                break
            documents.append(self.readers[owner].read() if document is None else document)
        self.chunk += 1
        return [documents[place] for place in draw.permutation(len(documents))]

    def state_dict(self) -> dict[str, Any]:
        """Where it stands between two chunks, as JSON holds it."""
        return {"chunk": self.chunk, "readers": [reader.state_dict() for reader in self.readers]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes there."""
        self.chunk = state["chunk"]
        for reader, its_state in zip(self.readers, state["readers"], strict=True):
            reader.load_state_dict(its_state)
