"""Checkpoints of transformers' Trainer that are proven before anybody goes on from them.

The Trainer goes on from a checkpoint whose files are torn or missing with other weights and without a word, and leaves
in each a pickle of its arguments, which can hold a token. Here files are sealed by their SHA-256, without the pickle.
"""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import TrainerCallback
from transformers.trainer import TRAINER_STATE_NAME, TRAINING_ARGS_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from darija_gpt.adapters import CONFIG_FILE, WEIGHTS_FILE
from darija_gpt.evaluation.audited_files import describe_files
from darija_gpt.faults import NoValidCheckpointError
from darija_gpt.fingerprint import hash_file, hash_record
from darija_gpt.output import write_text
from darija_gpt.run_lock import lock_directory


SEAL_FILE = "seal.json"
ORIGIN_FILE = "run.json"


def locate_checkpoints(output_dir: Path) -> Path:
    """Where the checkpoints of an output directory stand: beside it, so that the same command finds them again."""
    return output_dir.parent / f".{output_dir.name}.checkpoints"


class SealCheckpoints(TrainerCallback):
    """Seals each checkpoint once it is written."""

    def on_save(self, args, state, control, **kwargs):
        if state.is_world_process_zero:
            seal_checkpoint(Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}")


def seal_checkpoint(checkpoint: Path) -> None:
    """Writes down what each file of a checkpoint holds, the pickle of arguments removed."""
    (checkpoint / TRAINING_ARGS_NAME).unlink(missing_ok=True)
    write_text(checkpoint / SEAL_FILE, json.dumps(_hash_files(checkpoint), indent=1))


def is_whole(checkpoint: Path) -> bool:
    """Whether every file of a checkpoint is as it was sealed, and none is missing."""
    try:
        return json.loads((checkpoint / SEAL_FILE).read_text(encoding="utf-8")) == _hash_files(checkpoint)
    except (OSError, ValueError):
        return False


def find_checkpoint(directory: Path) -> Path | None:
    """The newest whole checkpoint whose best checkpoint is whole, too; None where there is none at all.

    Raises:
        NoValidCheckpointError: If there are checkpoints, and all are damaged.
    """
    checkpoints = sorted(
        directory.glob(f"{PREFIX_CHECKPOINT_DIR}-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True
    )
    for checkpoint in checkpoints:
        if is_whole(checkpoint) and _find_best(checkpoint) is not None:
            return checkpoint
        print(f"{checkpoint} is damaged and left out", file=sys.stderr)
    # What was being written when the first save was cut off is no loss.
    if any((checkpoint / SEAL_FILE).is_file() for checkpoint in checkpoints):
        raise NoValidCheckpointError(f"{directory} holds damaged checkpoints only; remove it to start anew.")
    return None


@contextmanager
def claim_directory(directory: Path, identity: dict[str, Any]) -> Iterator[None]:
    """Begins or finds again the directory of a run, and keeps other runs out of it while the block trains.

    What ends before its first checkpoint leaves nothing, so that the next try may be another one.

    Args:
        directory (`Path`):
            Where its checkpoints go.
        identity (`dict`):
            What the run is made from, by name.

    Raises:
        ValueError: If another run's checkpoints are there, or another run is in it.
    """
    state = PartialState()
    with _claim(directory, identity) if state.is_main_process else nullcontext():
        state.wait_for_everyone()
        yield


@contextmanager
def _claim(directory: Path, identity: dict[str, Any]) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    with lock_directory(directory):
        digests = {name: hash_record(value) for name, value in identity.items()}
        if _has_progress(directory):
            _check_claim(directory, digests)
        else:
            for leftover in list(directory.rglob(f"{PREFIX_CHECKPOINT_DIR}-*")):
                shutil.rmtree(leftover)
            write_text(directory / ORIGIN_FILE, json.dumps(digests, indent=1))
        try:
            yield
        except BaseException:
            if not _has_progress(directory):
                discard(directory)
            raise


def _has_progress(directory: Path) -> bool:
    return any(directory.rglob(SEAL_FILE))


def _check_claim(directory: Path, digests: dict[str, str]) -> None:
    try:
        found = json.loads((directory / ORIGIN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = {}
    changed = [name for name, digest in digests.items() if found.get(name) != digest]
    if changed:
        raise ValueError(
            f"{directory} holds the checkpoints of an unfinished run with another {', another '.join(changed)}; give "
            "the same again to go on with it, or remove that directory to start anew."
        )


def describe_origin(model: str | Path, adapter: Path | None) -> dict[str, Any]:
    """What the weights of a run begin as, for its identity: other ones may lie under the same path by and by.

    Args:
        model (`str` or `Path`):
            A local directory or the id of a model on the Hub, which was loaded before.
        adapter (`Path`, *optional*):
            The directory of an adapter that was merged into it.
    """
    of_adapter = None if adapter is None else [hash_file(adapter / name) for name in (CONFIG_FILE, WEIGHTS_FILE)]
    return {"content of the model": describe_files(model), "content of the adapter": of_adapter}


def discard(directory: Path) -> None:
    """Removes the checkpoints of a run that has ended."""
    shutil.rmtree(directory, ignore_errors=True)


def _find_best(checkpoint: Path) -> Path | None:
    state = json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    # Beside it, whatever the path was when the run began.
    best = checkpoint.parent / Path(state["best_model_checkpoint"] or checkpoint).name
    return best if best == checkpoint or is_whole(best) else None


def _hash_files(checkpoint: Path) -> dict[str, str]:
    names = (path.relative_to(checkpoint).as_posix() for path in checkpoint.rglob("*") if path.is_file())
    return {name: hash_file(checkpoint / name) for name in sorted(names) if name != SEAL_FILE}
