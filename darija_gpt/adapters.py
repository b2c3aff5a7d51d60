"""Adapters of PEFT: which model one was trained for, and that model with the adapter's weights added."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CONFIG_FILE, WEIGHTS_FILE = "adapter_config.json", "adapter_model.safetensors"


def read_adapter_config(path: str | Path) -> dict[str, Any] | None:
    """The adapter_config.json of a local directory or of a model on the Hub; None where there is none.

    Raises:
        ValueError: If it is no JSON mapping.
    """
    from transformers.utils.peft_utils import find_adapter_config_file

    try:
        file = find_adapter_config_file(str(path))
    except (OSError, ValueError):
        return None  # No such model: whoever loads it says so.
    if file is None:
        return None
    try:
        config = json.loads(Path(file).read_text(encoding="utf-8"))
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise ValueError(f"{path}: {CONFIG_FILE} is no JSON mapping; save the adapter again.")
    return config


def merge_adapter(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", adapter: str | Path, base: str | Path
) -> "PreTrainedModel":
    """The model with an adapter's weights added to its own.

    Args:
        model (`PreTrainedModel`):
            The model that the adapter was trained for, with any head.
        tokenizer (`PreTrainedTokenizerBase`):
            The tokenizer that goes with the adapter. Where it has more entries than the model, the adapter must hold
            the embeddings.
        adapter (`str` or `Path`):
            A directory that PEFT wrote, or its id on the Hub.
        base (`str` or `Path`):
            Where the model came from, for the errors.

    Raises:
        ValueError: If the adapter is for another model, or of a kind that changes no weights.
    """
    from peft import PeftConfig, PeftModel, get_peft_model_state_dict
    from safetensors import SafetensorError, safe_open
    from transformers.utils import cached_file

    try:
        with safe_open(cached_file(str(adapter), WEIGHTS_FILE), "pt") as file:
            rows_of = {name: file.get_slice(name).get_shape()[0] for name in file.keys()}  # noqa: SIM118
        config = PeftConfig.from_pretrained(str(adapter))
    except (OSError, SafetensorError, TypeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{adapter} holds no {WEIGHTS_FILE} that loads beside {CONFIG_FILE}: {reason}") from error
    if config.is_prompt_learning:
        raise ValueError(
            f"{adapter} is an adapter of the kind {config.peft_type.value}, which changes no weights; give one such "
            "as LoRA."
        )
    config.task_type = None  # PEFT's wrappers ask for more than merging needs, such as `generate`.
    embeddings = model.get_input_embeddings()
    place = next(name for name, module in model.named_modules() if module is embeddings)
    saved_rows = rows_of.get(f"base_model.model.{place}.weight", embeddings.num_embeddings)
    if saved_rows != embeddings.num_embeddings:
        model.resize_token_embeddings(saved_rows, mean_resizing=False)
    if len(tokenizer) > saved_rows:
        raise ValueError(
            f"{adapter} has a tokenizer of {len(tokenizer):,} entries, and {base} embeddings for {saved_rows:,}; they "
            "do not belong together."
        )
    try:
        adapted = PeftModel.from_pretrained(model, str(adapter), config=config)
    except (RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{adapter} does not fit {base}, so it is another model's: {reason}") from error
    known = get_peft_model_state_dict(adapted, save_embedding_layers=True)
    strange = sorted(set(rows_of) - set(known))
    if strange:
        raise ValueError(
            f"{adapter} has {len(strange)} weights that {base} has no place for, such as {strange[0]}; it is another "
            "model's."
        )
    # PEFT has frozen them for the adapter's sake.
    return adapted.merge_and_unload().requires_grad_(True)
