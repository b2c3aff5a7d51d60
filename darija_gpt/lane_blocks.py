"""The blocks of one lane: its documents, encoded some at a time and cut as `PackedDataset` cuts an epoch."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from darija_gpt.data.lanes import LaneRows
from darija_gpt.data.row_formats import SourceRow
from darija_gpt.fingerprint import hash_record
from darija_gpt.packing import Documents, Packing, build_block, divide_block
from darija_gpt.token_store import flatten


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
