"""Token store: a split of the dataset as token ids on the disk, written once and mapped into memory.

A store is a directory of Arrow files, which `datasets.Dataset.from_file` opens, too, and a manifest with the SHA-256
of each. Its name tells data, tokenizer and template, so that runs that share them can share it.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset
from tqdm import tqdm
from transformers import PreTrainedTokenizerFast

from darija_gpt import durable
from darija_gpt.encoding import encode_batches
from darija_gpt.manifest import DamagedFilesError, verify_files, write_manifest
from darija_gpt.packing import Documents
from darija_gpt.run_lock import lock_directory


COLUMN = "input_ids"
ROWS_PER_BATCH = 500
# 64 MiB on the disk for a vocabulary of up to 65,536, and some times that in memory while it is written.
TOKENS_PER_SHARD = 2**25


def prepare_tokens(
    rows: Dataset,
    tokenizer: PreTrainedTokenizerFast,
    cache_dir: Path,
    *,
    split: str,
    fingerprint: str,
    check_stop: Callable[[], None] = lambda: None,
) -> Path:
    """The directory of a split's tokens. They are encoded where there are none yet, or none that can be trusted.

    Args:
        rows (`Dataset`):
            Columns `text` and `messages`.
        tokenizer (`PreTrainedTokenizerFast`):
            A tokenizer with a chat template.
        cache_dir (`Path`):
            Where stores lie side by side. One process at a time writes in it, the others wait.
        split (`str`):
            Begins the store's name.
        fingerprint (`str`):
            Of all that the tokens follow from.
        check_stop (`Callable`, *optional*):
            Called now and then. What it raises ends the work, of which nothing stays then.

    Raises:
        ValueError: If the tokenizer gives an id that it has not.
    """
    directory = cache_dir / f"{split}-{fingerprint[:16]}"
    if _find_damage(directory, fingerprint) is None:
        return directory
    durable.make_directory(cache_dir)
    with lock_directory(cache_dir, wait=check_stop):
        # Again: another process may have been here since.
        damage = _find_damage(directory, fingerprint)
        if damage is None:
            return directory
        if directory.exists():
            print(f"warning: the stored tokens are damaged, so the {split} split is encoded again: {damage}")
            durable.remove(directory)
        _write_tokens(directory, rows, tokenizer, split, fingerprint, check_stop)
    return directory


def open_tokens(directory: Path) -> Documents:
    """The documents of a store, whose token ids stay on the disk until they are asked for."""
    shards, lengths = [], []
    paths = sorted(directory.glob("*.arrow"))
    for path in paths:
        with pa.ipc.open_stream(pa.memory_map(str(path))) as reader:
            for batch in reader:
                documents = batch.column(COLUMN)
                shards.append(documents.values.to_numpy(zero_copy_only=True))
                lengths.append(np.diff(documents.offsets.to_numpy(zero_copy_only=True)))
    return Documents(shards, np.concatenate([np.empty(0, dtype=np.int64), *lengths]), [path.name for path in paths])


def encode_documents(
    rows: Dataset, tokenizer: PreTrainedTokenizerFast, split: str = "dataset"
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Token ids of some documents, one behind the other, and the length of each; until all rows are encoded.

    Raises:
        ValueError: With the row and the name of the `split`, if there is nothing to encode in it.
    """
    # Past the dataset's own conversion, which looks at every value.
    batches = rows.select_columns(["text", "messages"]).with_format("arrow").iter(ROWS_PER_BATCH)
    for documents in encode_batches(tokenizer, (batch.to_pydict() for batch in _refuse_gaps(batches, split))):
        yield flatten(documents)


def flatten(documents: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Documents as one array, and the length of each."""
    lengths = np.fromiter(map(len, documents), np.int64, len(documents))
    return np.fromiter(chain.from_iterable(documents), np.uint32, lengths.sum()), lengths


def _refuse_gaps(batches: Iterable[pa.Table], split: str) -> Iterator[pa.Table]:
    """The batches, whose rows all have a text or whole messages."""
    first = 0
    for batch in batches:
        if _has_gap(batch):
            for row, values in enumerate(batch.to_pylist(), start=first):
                messages = values["messages"]
                if any(message is None or message["content"] is None for message in messages or []):
                    raise ValueError(f"{split}: row {row:,} has a message without content (null); {_REMEDY}")
                if not messages and values["text"] is None:
                    raise ValueError(f"{split}: row {row:,} has no text (null) and no messages; {_REMEDY}")
        first += len(batch)
        yield batch


_REMEDY = "take it out of the dataset, or prepare that again."


def _has_gap(batch: pa.Table) -> bool:
    """Whether anything is null that may be no text."""
    messages = batch["messages"]
    if batch["text"].null_count or pa.types.is_null(messages.type):
        return bool(batch["text"].null_count)
    return pc.struct_field(pc.list_flatten(messages), "content").null_count > 0


def _find_damage(directory: Path, fingerprint: str) -> str | None:
    """What is wrong with a store, None if nothing is."""
    try:
        verify_files(directory, {"tokens": fingerprint})
    except DamagedFilesError as error:
        return str(error)
    return None


def _write_tokens(
    directory: Path,
    rows: Dataset,
    tokenizer: PreTrainedTokenizerFast,
    split: str,
    fingerprint: str,
    check_stop: Callable[[], None],
) -> None:
    """Writes a store under a hidden name, and gives it its own once all of it is on the disk."""
    partial = directory.with_name(f".{directory.name}")
    durable.remove(partial)
    durable.make_directory(partial)
    num_documents, num_tokens = 0, 0
    try:
        batches = _show_progress(encode_documents(rows, tokenizer, split), len(rows), split, check_stop)
        for number, (token_ids, lengths) in enumerate(_fill_shards(batches)):
            shard = Documents([token_ids], lengths, [f"{number:05}.arrow"])
            shard.check_vocabulary(_count_ids(tokenizer), split)
            durable.write_in_place(partial / shard.names[0], _to_arrow(token_ids, lengths, _count_ids(tokenizer)))
            num_documents, num_tokens = num_documents + len(shard), num_tokens + shard.num_tokens
        write_manifest(partial, {"documents": num_documents, "tokens": num_tokens}, {"tokens": fingerprint})
    except Exception:
        # A full disk has use for the room.
        durable.remove(partial)
        raise
    durable.rename(partial, directory)
    durable.sync(directory.parent)


def _show_progress(
    batches: Iterator[tuple[np.ndarray, np.ndarray]], num_rows: int, split: str, check_stop: Callable[[], None]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    with tqdm(desc=f"encoding {split}", total=num_rows, unit=" rows", disable=None, delay=1.0) as bar:
        for token_ids, lengths in batches:
            check_stop()
            yield token_ids, lengths
            bar.update(len(lengths))


def _fill_shards(batches: Iterator[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batches, as many together as make a shard."""
    held: list[tuple[np.ndarray, np.ndarray]] = []
    num_tokens = 0
    for token_ids, lengths in batches:
        held.append((token_ids, lengths))
        num_tokens += len(token_ids)
        if num_tokens >= TOKENS_PER_SHARD:
            yield _join(held)
            held, num_tokens = [], 0
    if held:
        yield _join(held)


def _join(batches: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    token_ids, lengths = zip(*batches, strict=True)
    return np.concatenate(token_ids), np.concatenate(lengths)


def _to_arrow(token_ids: np.ndarray, lengths: np.ndarray, num_ids: int) -> memoryview:
    """An Arrow stream of one column and one batch, with two bytes a token where the vocabulary allows."""
    values = pa.array(token_ids.astype(np.uint16 if num_ids <= 2**16 else np.uint32))
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    batch = pa.record_batch([pa.ListArray.from_arrays(offsets, values)], names=[COLUMN])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return memoryview(sink.getvalue())


def _count_ids(tokenizer: PreTrainedTokenizerFast) -> int:
    """The highest id of a tokenizer and one more; a vocabulary may have gaps."""
    return max(tokenizer.get_vocab().values()) + 1
