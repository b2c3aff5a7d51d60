"""Adapters: how LoRA is told what to adapt, how it is saved, and an earlier one merged into its base and no other."""

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.recipe import check_keys


if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel


def build_lora_config(lora: dict[str, Any]) -> "LoraConfig":
    """PEFT's LoraConfig from a recipe's `lora:` mapping: of a causal language model, and of all its linear layers.

    Raises:
        ValueError: If a field is unknown or its value is refused.
    """
    from peft import LoraConfig

    check_keys(lora, [config_field.name for config_field in fields(LoraConfig)], "lora")
    try:
        return LoraConfig(**{"task_type": "CAUSAL_LM", "target_modules": "all-linear", **lora})
    except TypeError as error:
        raise ValueError(f"lora: {error}") from error


def merge_adapter(model: "PreTrainedModel", adapter: Path, model_path: str) -> "PreTrainedModel":
    """The model with an adapter's weights added to its own.

    Args:
        model (`PreTrainedModel`):
            The model, with any head.
        adapter (`Path`):
            A directory that PEFT wrote, such as `adapter/` beside a merged model.
        model_path (`str`):
            Where the model came from.

    Raises:
        ValueError: If there is no adapter, or it is one for another model.
    """
    from peft import PeftConfig, PeftModel, TaskType, get_peft_model_state_dict
    from safetensors import safe_open

    weights = adapter / "adapter_model.safetensors"
    if not (adapter / "adapter_config.json").is_file() or not weights.is_file():
        raise ValueError(f"adapter={adapter} holds no adapter_config.json with adapter_model.safetensors beside it.")
    base = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8")).get("base_model_name_or_path")
    if base and Path(base).name != Path(model_path).name:
        raise ValueError(
            f"adapter={adapter} was trained on {base}, and the model is {model_path}; give its own base as model (if "
            "this is it under another name, say so in adapter_config.json)."
        )
    config = PeftConfig.from_pretrained(adapter)
    if config.task_type == TaskType.CAUSAL_LM:
        config.task_type = None  # PEFT's wrapper for it would look for `generate`.
    try:
        adapted = PeftModel.from_pretrained(model, adapter, config=config)
    except (RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"adapter={adapter} does not fit {model_path}, so it is another model's: {reason}") from None
    with safe_open(weights, "pt") as file:
        strange = sorted(set(file.keys()) - set(get_peft_model_state_dict(adapted, save_embedding_layers=False)))
    if strange:
        raise ValueError(
            f"adapter={adapter} has {len(strange)} weights that {model_path} has no place for, such as {strange[0]}; "
            "it is another model's."
        )
    # PEFT has frozen them for the adapter's sake.
    return adapted.merge_and_unload().requires_grad_(True)


def save_adapter(model, base: Path, directory: Path) -> None:
    """Writes an adapter with the name of its base and nothing of where that stands."""
    # Embeddings stay as they are; to find that out, PEFT would ask the Hub for the base.
    model.save_pretrained(directory, save_embedding_layers=False)
    if base.is_absolute():
        config = model.active_peft_config
        config.base_model_name_or_path, config.inference_mode = base.name, True
        config.save_pretrained(directory)
    # PEFT's own card, which names the path of the base model.
    (directory / "README.md").unlink(missing_ok=True)
