"""Training data: the blocks that a run learns from and is measured on, from dataset/ or from a stream."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator
from datasets import DatasetDict
from transformers import PreTrainedTokenizerFast

from darija_gpt.faults import StoppedError
from darija_gpt.fingerprint import hash_record
from darija_gpt.packing import Documents, PackedDataset
from darija_gpt.run_record import TOKENS, read_run
from darija_gpt.stop_request import StopRequest
from darija_gpt.streaming import StreamedBlocks, check_lanes
from darija_gpt.token_store import open_tokens, prepare_tokens


if TYPE_CHECKING:
    from darija_gpt.pretraining import PretrainArguments

# A change to how rows become tokens gets another number, so that no store of before is taken.
ENCODING = 1
TrainingBlocks = PackedDataset | StreamedBlocks


def load_blocks(
    arguments: "PretrainArguments",
    dataset: DatasetDict,
    tokenizer: PreTrainedTokenizerFast,
    vocab_size: int,
    block_size: int,
    accelerator: Accelerator,
    stop_request: StopRequest,
) -> tuple[TrainingBlocks, PackedDataset]:
    """The blocks for training and for validation. Every process must call; the main one writes the tokens.

    Args:
        arguments (`PretrainArguments`):
            The recipe, with run.json in its `output_dir`.
        dataset (`DatasetDict`), tokenizer (`PreTrainedTokenizerFast`):
            What it names.
        vocab_size (`int`), block_size (`int`):
            Of the model; tokens per block.
        accelerator (`Accelerator`), stop_request (`StopRequest`):
            Of the run.

    Raises:
        ValueError: If there is too little text, a token id is outside the vocabulary, or lanes cannot be dealt out.
        StoppedError: If somebody asked to stop meanwhile.
    """
    stream = arguments.stream
    splits = ("validation",) if stream else ("train", "validation")
    cache_dir = arguments.token_cache or arguments.output_dir / TOKENS
    prints = {split: _fingerprint_tokens(arguments.output_dir, tokenizer, split) for split in splits}

    def check_stop() -> None:
        if stop_request.is_made():
            raise StoppedError(
                f"stopped while tokens were encoded, by {stop_request.reason}; the same command begins that anew",
                stop_request.exit_code,
            )

    def prepare() -> None:
        for split in splits:
            directory = prepare_tokens(
                dataset[split], tokenizer, cache_dir, split=split, fingerprint=prints[split], check_stop=check_stop
            )
            open_tokens(directory).check_vocabulary(vocab_size, split)

    def open_split(split: str) -> Documents:
        documents = open_tokens(cache_dir / f"{split}-{prints[split][:16]}")
        _check_size(documents, split, block_size)
        return documents

    if stream:
        check_lanes(stream, accelerator.num_processes, arguments.dataloader_num_workers)
    run_first(accelerator, prepare)
    validation_blocks = PackedDataset(open_split("validation"), block_size, packing=arguments.packing)
    if stream:
        train_blocks = StreamedBlocks(
            stream, arguments.dataset, tokenizer, vocab_size, block_size, arguments.seed, arguments.packing
        )
    else:
        train_blocks = PackedDataset(open_split("train"), block_size, arguments.seed, arguments.packing)
    return train_blocks, validation_blocks


def run_first(accelerator: Accelerator, operation: Callable[[], None]) -> None:
    """Runs an operation in the main process, while the others wait for it however long it takes.

    Raises:
        ValueError: In every process, if the operation raises it or finds a disk full.
        StoppedError: In every process, if the operation raises it.
    """
    if accelerator.num_processes == 1:
        operation()
        return
    # The run's own group gives up on a process that is silent for some minutes.
    group = torch.distributed.new_group(backend="gloo", timeout=timedelta(days=30))
    outcome: list[tuple[str, int] | None] = [None]
    reason: Exception | None = None
    if accelerator.is_main_process:
        try:
            operation()
        except (ValueError, OSError, StoppedError) as error:
            outcome, reason = [(str(error), error.exit_code if isinstance(error, StoppedError) else 0)], error
    torch.distributed.broadcast_object_list(outcome, src=0, group=group)
    torch.distributed.destroy_process_group(group)
    if reason is not None:
        raise reason
    if outcome[0] is not None:
        message, exit_code = outcome[0]
        raise StoppedError(message, exit_code) if exit_code else ValueError(message)


# What to do where a split is too short.
_REMEDIES = {
    "train": "give more text",
    "validation": "give more text, raise validation_fraction of prepare_data.py",
}


def _check_size(documents: Documents, split: str, block_size: int) -> None:
    if documents.num_tokens < block_size:
        raise ValueError(
            f"the {documents.num_tokens:,} tokens of the {split} split do not fill a block of {block_size:,}; "
            f"{_REMEDIES[split]} or lower block_size."
        )


def _fingerprint_tokens(output_dir: Path, tokenizer: PreTrainedTokenizerFast, split: str) -> str:
    """What the tokens of a split follow from: its rows, the tokenizer, and the template with what it may write."""
    run = read_run(output_dir)
    template = [tokenizer.chat_template, tokenizer.special_tokens_map]
    return hash_record([ENCODING, run["data"][split], run["tokenizer"], *template])
