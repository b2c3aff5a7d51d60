"""Loading a causal language model to talk to: whole ones and adapters, of this project and of the Hub."""

from pathlib import Path
from typing import TYPE_CHECKING

from darija_gpt.adapters import merge_adapter, read_adapter_config


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_model(
    path: str | Path, base: str | Path | None = None
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """A causal language model, ready to reply on the best device there is, and its tokenizer.

    Args:
        path (`str` or `Path`):
            A local directory or the id of a model on the Hub: a whole model, or an adapter that PEFT wrote, which is
            merged into its base. Code that comes with a model is never run.
        base (`str` or `Path`, *optional*):
            The model that an adapter belongs to; by default the one that its adapter_config.json names.

    Raises:
        ValueError: If there is no such model, it is not one that transformers or this project knows, or an adapter
            does not fit its base.
    """
    import torch

    adapter_config = read_adapter_config(path)
    if adapter_config is None:
        if base is not None:
            raise ValueError(f"base={base} is for an adapter, and {path} is none; leave base out.")
        model, tokenizer = _load_whole_model(path)
    else:
        base = base or adapter_config.get("base_model_name_or_path")
        if not base:
            raise ValueError(f"{path} is an adapter that names no base model; give it as base.")
        try:
            model, tokenizer = _load_whole_model(base)
        except ValueError as error:
            raise ValueError(
                f"{path} is an adapter, and its base cannot be had: {error} Or name it as base."
            ) from error
        tokenizer = _load_adapter_tokenizer(path) or tokenizer
        model = merge_adapter(model, tokenizer, path, base)
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    return model.to(device).eval(), tokenizer


def _load_whole_model(path: str | Path) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    import darija_gpt.model  # noqa: F401  its import makes DarijaGPT known to the Auto classes

    is_directory = Path(path).is_dir()
    if is_directory and not (Path(path) / "config.json").is_file():
        raise ValueError(f"{path} holds no config.json; give a directory that pretrain.py or finetune.py wrote.")
    if is_directory:
        logging.disable_progress_bar()  # A download takes time to see; a file here is read before a bar is drawn.
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        model, loading = AutoModelForCausalLM.from_pretrained(path, trust_remote_code=False, output_loading_info=True)
    except (OSError, ValueError, SafetensorError) as error:
        if not is_directory:
            raise ValueError(
                f"{path} is no directory, and no model of that name could be loaded from the Hub; give a directory "
                "that pretrain.py or finetune.py wrote, or an id such as owner/name."
            ) from error
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"{path} holds no causal language model that loads without code of its own: {reason}"
        ) from error
    if loading["missing_keys"]:
        raise ValueError(
            f"{path} lacks {len(loading['missing_keys'])} of the weights of {type(model).__name__}, such as "
            f"{min(loading['missing_keys'])}; give the directory of a whole causal language model."
        )
    return model, tokenizer


def _load_adapter_tokenizer(path: str | Path) -> "PreTrainedTokenizerBase | None":
    """The tokenizer saved beside an adapter; None where the adapter goes with that of its base."""
    from transformers import AutoTokenizer
    from transformers.utils import cached_file

    if cached_file(str(path), "tokenizer_config.json", _raise_exceptions_for_missing_entries=False) is None:
        return None
    return AutoTokenizer.from_pretrained(path, trust_remote_code=False)
