"""The files that an audit speaks of, by their hashes: whoever changes one of them needs another audit."""

from pathlib import Path

from darija_gpt.adapters import read_adapter_config
from darija_gpt.fingerprint import hash_file
from darija_gpt.records import read_record, require_record


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


def check_training_split(model: str | Path, base: str | Path | None, train_sha256: str) -> None:
    """Refuses a dataset that a model of pretrain.py was not trained on; of other models nobody knows.

    Args:
        model (`str` or `Path`), base (`str` or `Path`, *optional*):
            As of `describe_files`.
        train_sha256 (`str`):
            The hash of the train split, as pretrain.py notes it in run.json.

    Raises:
        ValueError: If run.json names another train split, or is not what pretrain.py writes.
    """
    adapter_config = read_adapter_config(model)
    directory = locate_model(base or adapter_config["base_model_name_or_path"] if adapter_config else model)
    run = directory / "run.json"
    data = read_record(run, "pretrain").get("data", {})
    trained_on = require_record(data, run, "pretrain").get("train")
    if trained_on not in (None, train_sha256):
        raise ValueError(
            f"{directory} was trained on another dataset, so that this one says nothing of it; give the one that its "
            "recipe names as --dataset."
        )
