"""The files that an audit speaks of, by their hashes: whoever changes one of them needs another audit."""

from pathlib import Path

from darija_gpt.adapters import read_adapter_config
from darija_gpt.fingerprint import hash_file
from darija_gpt.records import SUMMARY_FILE, read_record, require_record


WEIGHTS = ("*.safetensors", "model.safetensors.index.json", "config.json", "adapter_config.json", "adapter/adapter_*")
TOKENIZER = (
    *("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json"),
    *("vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "added_tokens.json"),
)


def locate_model(path: str | Path) -> Path:
    """The directory of a model's files: itself, or where the Hub's are kept on this machine."""
    if Path(path).is_dir():
        return Path(path)
    from transformers.utils import cached_file

    names = ("adapter_config.json", "config.json")
    found = (cached_file(str(path), name, _raise_exceptions_for_missing_entries=False) for name in names)
    return Path(next(filter(None, found))).parent


def _hash_matches(directory: Path, patterns: tuple[str, ...]) -> dict[str, str]:
    paths = {path for pattern in patterns for path in directory.glob(pattern) if path.is_file()}
    return {path.relative_to(directory).as_posix(): hash_file(path) for path in sorted(paths)}


def describe_files(model: str | Path, base: str | Path | None = None) -> dict[str, dict[str, str]]:
    """SHA-256 by file, of the weights and of the tokenizer of a model; of an adapter, also of its base.

    Args:
        model (`str` or `Path`):
            A local directory or the id of a model on the Hub, which was loaded before.
        base (`str` or `Path`, *optional*):
            The base of an adapter, where it is not the one that the adapter names.
    """
    directory = locate_model(model)
    files = {"weights": _hash_matches(directory, WEIGHTS), "tokenizer": _hash_matches(directory, TOKENIZER)}
    adapter_config = read_adapter_config(model)
    if adapter_config is not None:
        base_directory = locate_model(base or adapter_config["base_model_name_or_path"])
        files["base_weights"] = _hash_matches(base_directory, WEIGHTS)
        files["base_tokenizer"] = _hash_matches(base_directory, TOKENIZER)
    return files


def list_training_data(*directories: str | Path | None) -> set[str]:
    """SHA-256 of what the models and adapters of some directories have learnt from, as far as their training noted it.

    Raises:
        ValueError: If a note is not what training writes.
    """
    known: set[str] = set()
    for directory in map(Path, filter(None, directories)):
        run, summary = directory / "run.json", directory / SUMMARY_FILE
        data = require_record(read_record(run, "pretrain").get("data", {}), run, "pretrain")
        trained_on = read_record(summary, "training").get("trained_on", [])
        if not isinstance(trained_on, list) or not all(isinstance(digest, str) for digest in trained_on):
            raise ValueError(f"{summary} is not what training writes; train the model again.")
        known |= {*trained_on, *filter(None, [data.get("train")])}
    return known


def count_other_training_data(model: str | Path, base: str | Path | None, train_sha256: str) -> int:
    """From how many other sets of texts a model has learnt; of a model that was trained elsewhere nobody knows.

    Args:
        model (`str` or `Path`), base (`str` or `Path`, *optional*):
            As of `describe_files`.
        train_sha256 (`str`):
            The hash of the train split that is audited, as training notes it.

    Raises:
        ValueError: If the model has learnt from other texts alone, or a note is not what training writes.
    """
    adapter_config = read_adapter_config(model)
    directory = locate_model(base or adapter_config["base_model_name_or_path"] if adapter_config else model)
    known = list_training_data(directory, locate_model(model))
    if known and train_sha256 not in known:
        raise ValueError(
            f"{locate_model(model)} was trained on another dataset, so that this one says nothing of it; give the one "
            "that its recipe names as --dataset."
        )
    return len(known - {train_sha256})
