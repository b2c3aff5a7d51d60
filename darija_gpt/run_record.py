"""run.json: what a run is made from, and so who may go on with it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt import durable
from darija_gpt.architectures import list_code
from darija_gpt.data.streams import fingerprint_sources
from darija_gpt.faults import StoppedError
from darija_gpt.fingerprint import hash_file, hash_record, hash_split
from darija_gpt.output import require_new
from darija_gpt.records import SUMMARY_FILE
from darija_gpt.run_lock import LOCK_FILE, lock_directory
from darija_gpt.trackers import TRACKERS
from darija_gpt.training_log import LOG_FILE


if TYPE_CHECKING:
    from darija_gpt.pretraining import PretrainArguments

RUN_FILE = "run.json"
CHECKPOINTS = "checkpoints"
TOKENS = "tokens"
TOKENIZER_CONFIG = "tokenizer_config"

# They leave the weights as they are. Where the inputs stand is no matter, what is in them has a fingerprint. Batch
# size, accumulation and processes count by their product.
_FREE_FIELDS = {
    "dataset",
    "tokenizer",
    "dataset_recipe",
    "tokenizer_recipe",
    "output_dir",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "activation_checkpointing",
    "token_cache",
    "dataloader_num_workers",
    "save_steps",
    "save_total_limit",
    "report_to",
    "report_samples",
    "sample_prompts",
    "sample_max_new_tokens",
}


def describe_run(arguments: "PretrainArguments") -> dict[str, dict[str, Any]]:
    """The recipe, and fingerprints of the data, the tokenizer and the model's code, as JSON gives them back."""
    # As accelerate and torchrun tell their processes.
    num_processes = int(os.environ.get("WORLD_SIZE", 1))
    recipe = {key: value for key, value in asdict(arguments).items() if key not in _FREE_FIELDS}
    recipe["blocks_per_step"] = (
        arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps * num_processes
    )
    data = {"validation": hash_split(arguments.dataset, "validation")}
    if arguments.stream is None or not arguments.stream.sources:
        data["train"] = hash_split(arguments.dataset, "train")
    else:
        for fields, source in zip(recipe["stream"]["sources"], arguments.stream.sources, strict=True):
            fields["path"] = source.label
        data |= fingerprint_sources(arguments.stream)
    description = {
        "recipe": recipe,
        "data": data,
        "tokenizer": {
            path.name: hash_file(path)
            for path in (arguments.tokenizer / "tokenizer.json", arguments.tokenizer / "chat_template.jinja")
            if path.exists()
        },
        TOKENIZER_CONFIG: _describe_tokenizer_config(arguments.tokenizer / "tokenizer_config.json"),
        "code": {path.name: hash_file(path) for path in list_code(arguments.architecture)},
    }
    return json.loads(json.dumps(description, default=str))


def read_run(output_dir: Path) -> dict[str, dict[str, Any]]:
    """What run.json says."""
    return json.loads((output_dir / RUN_FILE).read_text(encoding="utf-8"))


def identify_run(output_dir: Path) -> dict[str, str]:
    """One fingerprint for each part of the run.json of a directory."""
    return {part: hash_record(fields) for part, fields in read_run(output_dir).items()}


def check_run(arguments: "PretrainArguments") -> None:
    """Refuses an `output_dir` that holds anything but an unfinished run of the same recipe, data and code.

    Raises:
        ValueError: With the difference, if it is another run.
    """
    check_unfinished(arguments.output_dir)
    if (arguments.output_dir / RUN_FILE).exists():
        check_same_run(arguments)


def check_unfinished(output_dir: Path) -> None:
    """Refuses a directory that holds anything but an unfinished run, of whatever recipe: for that no input is needed.

    Raises:
        ValueError: If it holds something else.
    """
    if not (output_dir / RUN_FILE).exists():
        # A run that was killed at its very start leaves no more than these.
        if not output_dir.is_dir() or {path.name for path in output_dir.iterdir()} - {LOCK_FILE, f".{RUN_FILE}"}:
            require_new(output_dir)
        return
    if (output_dir / SUMMARY_FILE).exists():
        raise ValueError(f"{output_dir} already holds a finished run; remove it or choose another --output_dir.")


def check_same_run(arguments: "PretrainArguments") -> None:
    """Refuses an `output_dir` whose run, finished or not, is not of this recipe, data and code.

    Raises:
        ValueError: With the difference, if it is another run.
    """
    output_dir = arguments.output_dir
    now = describe_run(arguments)
    try:
        earlier = read_run(output_dir)
        changes = _list_changes(earlier, _describe_as(earlier, now))
    except (ValueError, AttributeError, TypeError):
        raise ValueError(
            f"{output_dir / RUN_FILE} is damaged; remove the run or choose another --output_dir."
        ) from None
    if changes:
        raise ValueError(
            f"{output_dir} already holds another run: {'; '.join(changes)}. Remove it or choose another --output_dir."
        )


def record_run(arguments: "PretrainArguments") -> None:
    """Writes run.json where there is none."""
    durable.make_directory(arguments.output_dir)
    if not (arguments.output_dir / RUN_FILE).exists():
        text = json.dumps(describe_run(arguments), indent=2) + "\n"
        durable.replace_text(arguments.output_dir / RUN_FILE, text)
        durable.sync(arguments.output_dir.parent)


@contextmanager
def own_run(arguments: "PretrainArguments", is_main_process: bool) -> Iterator[None]:
    """Holds the directory of a run, for one process to write in. Of a new run that fails in its first step or before
    it, nothing stays: another may begin there.

    Raises:
        ValueError: If another run is in it, now or from before.
    """
    if not is_main_process:
        yield
        return
    output_dir = arguments.output_dir
    was_there = output_dir.exists()
    durable.make_directory(output_dir)
    with lock_directory(output_dir):
        is_new = not (output_dir / RUN_FILE).exists()
        check_run(arguments)  # again: another process may have been here since
        record_run(arguments)
        try:
            yield
        except StoppedError:
            # It is gone on with.
            raise
        except Exception:
            with suppress(OSError):  # What the run failed of is to be told, and nothing else.
                if is_new and not {LOG_FILE, CHECKPOINTS} & {path.name for path in output_dir.iterdir()}:
                    _take_back(output_dir, was_there)
            raise


def warn_of_lost_checkpoints(output_dir: Path) -> None:
    """Says of a run with a log and no checkpoint that it starts anew."""
    log = output_dir / LOG_FILE
    if log.exists() and log.stat().st_size:
        print(f"warning: {output_dir} holds no checkpoint yet, so the run starts at its first step again")


def _take_back(output_dir: Path, was_there: bool) -> None:
    """Removes what a run without a step has written; the record goes last, for without it the rest is refused."""
    for name in (TOKENS, *TRACKERS, RUN_FILE, LOCK_FILE):
        durable.remove(output_dir / name)
    if not was_there and not any(output_dir.iterdir()):
        durable.remove(output_dir)


def _describe_tokenizer_config(path: Path) -> dict[str, Any]:
    """What tokens follow from, and not how that is written, which another version of transformers may do otherwise."""
    config = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    described = {name: _name_token(token) for name, token in config.items() if name.endswith("_token")}
    others = config.get("extra_special_tokens") or config.get("additional_special_tokens") or []
    others = others.values() if isinstance(others, dict) else others
    described["extra_special_tokens"] = sorted(map(_name_token, others))
    if "chat_template" in config:
        described["chat_template"] = hash_record(config["chat_template"])
    # add_bos_token and the like change nothing: nothing is added here that the template does not write.
    return {name: value for name, value in described.items() if value and not isinstance(value, bool)}


def _name_token(token: Any) -> Any:
    return token["content"] if isinstance(token, dict) else token


def _describe_as(earlier: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same, in so far as an earlier description can be compared with it: runs of before lack a part."""
    now = {part: fields for part, fields in now.items() if part in earlier or part != TOKENIZER_CONFIG}
    # The checkpoints know what `auto` was, and refuse what it is not. On another machine it may have to be named.
    if earlier.get("recipe", {}).get("mixed_precision") == "auto":
        now["recipe"] = {**now["recipe"], "mixed_precision": "auto"}
    return now


def _list_changes(earlier: dict[str, dict[str, Any]], now: dict[str, dict[str, Any]]) -> list[str]:
    changes = []
    for part in sorted({*earlier, *now}):
        old, new = earlier.get(part, {}), now.get(part, {})
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                changes.append(_word_change(part, key, old.get(key), new.get(key)))
    return changes


def _word_change(part: str, key: str, old: Any, new: Any) -> str:
    if key == "blocks_per_step":
        return (
            f"a step had {old} blocks and has {new} (keep per_device_train_batch_size * gradient_accumulation_steps * "
            "processes)"
        )
    if part == "recipe":
        return f"{key} was {old} and is {new}"
    if part == TOKENIZER_CONFIG and key != "chat_template":
        return f"tokenizer: {key} was {old} and is {new}"
    return f"{part}: {key} has changed ({str(old)[:12]} was its fingerprint, {str(new)[:12]} is)"
