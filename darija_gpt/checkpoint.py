"""Checkpoints of a run: whole or absent, proven by a manifest, so that a killed run goes on from the last.

A save writes `.step-N`, waits until every byte is on the disk, and only then gives it the name `step-N`.
"""

import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from safetensors.torch import load_file, save_file
from torch.distributed.checkpoint import CheckpointException

from darija_gpt import durable
from darija_gpt.faults import NoValidCheckpointError
from darija_gpt.manifest import DamagedFilesError, read_manifest, verify_checkpoint, write_manifest


AVERAGE_FILE = "weight_average.safetensors"


class DiskFullError(OSError):
    """A checkpoint that found no room. The earlier ones are as they were."""


def save_checkpoint(
    accelerator: Accelerator,
    directory: Path,
    progress: dict[str, Any],
    *,
    keep: int,
    identity: dict[str, str],
    weight_average: dict[str, torch.Tensor] | None = None,
    sync_log: Callable[[], None] = lambda: None,
) -> None:
    """Writes `directory/step-N` and then removes what is not to be kept. Every process must call.

    Args:
        accelerator (`Accelerator`):
            Holds the prepared model and optimizers.
        directory (`Path`):
            The folder of the run's checkpoints.
        progress (`dict`):
            JSON of how far the run is: its `step`, and `validation_loss` with the `validation_step` it belongs to.
        keep (`int`):
            Newest checkpoints that stay, beside the one with the lowest validation loss.
        identity (`dict[str, str]`):
            Fingerprints of the recipe and of what the run reads.
        weight_average (`dict[str, torch.Tensor]`, *optional*):
            Averaged weights.
        sync_log (`Callable`, *optional*):
            Brings to the disk what must be there before the checkpoint counts.

    Raises:
        DiskFullError: In every process, if one of them found no room.
    """
    target = directory / f"step-{progress['step']:08}"
    partial = directory / f".{target.name}"

    def begin() -> None:
        sync_log()
        durable.make_directory(directory)
        durable.sync(directory.parent)
        _remove_leftovers(directory)
        durable.make_directory(partial)

    def write() -> None:
        # It warns of every tied weight at every save; loading ties them again.
        logging.getLogger("accelerate.utils.other").setLevel(logging.ERROR)
        try:
            durable.write_by(lambda: accelerator.save_state(str(partial)))
        except CheckpointException as error:
            # Of shards. It is no Exception, and holds those of the processes.
            reasons = [reason for reason, _ in error.failures.values()]
            raise next(filter(durable.is_disk_full, reasons), RuntimeError(str(error))) from error

    def finish() -> None:
        if weight_average is not None:
            durable.write_by(lambda: save_file(weight_average, partial / AVERAGE_FILE))
        write_manifest(partial, progress, identity)
        if target.exists():
            _discard(target)
        durable.rename(partial, target)
        durable.sync(directory)
        _remove_old(directory, progress["step"], keep)

    try:
        _run_together(accelerator, begin, only_main=True)
        _run_together(accelerator, write, only_main=False)
        _run_together(accelerator, finish, only_main=True)
    except DiskFullError:
        if accelerator.is_main_process and partial.exists():
            durable.remove(partial)
        raise


def list_checkpoints(directory: Path) -> list[Path]:
    """The checkpoints of a folder, oldest first."""
    return sorted(directory.glob("step-*"))


def load_checkpoint(
    accelerator: Accelerator, directory: Path, identity: dict[str, str], layout: str
) -> tuple[dict[str, Any] | None, dict[str, torch.Tensor] | None]:
    """Puts the newest checkpoint that is whole into the prepared model, the optimizers and the random generators.

    The damaged ones above it are named and renamed to `damaged-step-N`. Every process must call.

    Returns:
        `(progress, weight_average)`, both None where the folder holds no checkpoint.

    Raises:
        NoValidCheckpointError: If it holds some, and all are damaged.
        ValueError: If the newest is of another layout, as `sharding` calls it, or of another precision.
    """
    found: list[Any] = [None, None, []]
    if accelerator.is_main_process:
        _remove_leftovers(directory)
        found = list(_find_newest(directory, identity))
    checkpoint, progress, damages = broadcast_object_list(found)
    for damage in damages:
        accelerator.print(f"warning: a damaged checkpoint is left out: {damage}")
    if checkpoint is None:
        if damages:
            raise NoValidCheckpointError(
                f"{directory} holds no checkpoint that can be trusted; the last error: {damages[-1]}. Restore one "
                "from a copy, or choose another --output_dir to start anew."
            )
        return None, None
    written = progress.pop("layout", layout)
    if written != layout:
        raise ValueError(
            f"{checkpoint} was written with {written}, and this run has {layout}; launch it with the same file of "
            "recipes/accelerate and as many processes, or choose another --output_dir."
        )
    precision = progress.pop("mixed_precision", accelerator.mixed_precision)
    if precision != accelerator.mixed_precision:
        raise ValueError(
            f"{checkpoint} was written with mixed_precision={precision}, and this run has mixed_precision="
            f"{accelerator.mixed_precision}; give --mixed_precision {precision}, or choose another --output_dir."
        )
    accelerator.load_state(str(checkpoint))
    average = load_file(checkpoint / AVERAGE_FILE) if (checkpoint / AVERAGE_FILE).exists() else None
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        for damaged in list_checkpoints(directory):
            if damaged > checkpoint:
                aside = directory / f"damaged-{damaged.name}"
                durable.remove(aside)
                durable.rename(damaged, aside)
    return progress, average


def _find_newest(directory: Path, identity: dict[str, str]) -> tuple[Path | None, dict[str, Any] | None, list[str]]:
    """The newest checkpoint that is whole, its progress, and what is wrong with those above it."""
    damages = []
    for checkpoint in reversed(list_checkpoints(directory)):
        try:
            return checkpoint, verify_checkpoint(checkpoint, identity), damages
        except DamagedFilesError as error:
            damages.append(str(error))
    return None, None, damages


def _run_together(accelerator: Accelerator, operation: Callable[[], None], *, only_main: bool) -> None:
    """Runs an operation; a disk that is full for one process is full for all."""
    reason = None
    if accelerator.is_main_process or not only_main:
        try:
            operation()
        except Exception as error:
            if not durable.is_disk_full(error):
                raise
            reason = str(error)
    is_full = torch.tensor(float(reason is not None), device=accelerator.device)
    if accelerator.reduce(is_full, "sum").item():
        raise DiskFullError(reason or "the disk is full for another process")


def _remove_old(directory: Path, step: int, keep: int) -> None:
    """Leaves the newest checkpoints up to a step, and the best."""
    checkpoints = [path for path in list_checkpoints(directory) if path.name <= f"step-{step:08}"]
    losses = {path: loss for path in checkpoints if (loss := _read_validation_loss(path)) is not None}
    kept = {*checkpoints[-keep:], *([min(losses, key=losses.get)] if losses else [])}
    for old in checkpoints:
        if old not in kept:
            _discard(old)


def _remove_leftovers(directory: Path) -> None:
    """Of saves and removals that were cut off."""
    for leftover in directory.glob(".step-*"):
        durable.remove(leftover)


def _read_validation_loss(checkpoint: Path) -> float | None:
    """The validation loss of these very weights, where it was measured."""
    try:
        progress = read_manifest(checkpoint)["progress"]
    except DamagedFilesError:
        return None
    loss = progress["validation_loss"]
    return loss if progress["validation_step"] == progress["step"] and math.isfinite(loss) else None


def _discard(checkpoint: Path) -> None:
    """Takes the name away first, so that no half of a checkpoint ever bears it."""
    hidden = checkpoint.with_name(f".{checkpoint.name}.old")
    durable.rename(checkpoint, hidden)
    durable.remove(hidden)
