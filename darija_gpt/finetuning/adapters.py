"""Adapters: how LoRA is told what to adapt, how it is saved, and whose base the model of an earlier one is."""

import typing
from collections import defaultdict
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.adapters import CONFIG_FILE, WEIGHTS_FILE, read_adapter_config
from darija_gpt.recipe import check_keys, convert_value


if TYPE_CHECKING:
    from peft import LoraConfig
    from torch import nn
    from transformers import PreTrainedModel


def build_lora_config(lora: dict[str, Any]) -> "LoraConfig":
    """PEFT's LoraConfig from a recipe's `lora:` mapping: of a causal language model, and of all its linear layers.

    Raises:
        ValueError: If a field is unknown, or its value of another type or refused.
    """
    from peft import LoraConfig

    hints = typing.get_type_hints(LoraConfig)
    check_keys(lora, [config_field.name for config_field in fields(LoraConfig)], "lora")
    lora = {name: convert_value(f"lora.{name}", value, hints[name]) for name, value in lora.items()}
    try:
        return LoraConfig(**{"task_type": "CAUSAL_LM", "target_modules": "all-linear", **lora})
    except TypeError as error:
        raise ValueError(f"lora: {error}") from error


def keep_ties(config: "LoraConfig", model: "PreTrainedModel") -> None:
    """Lets embeddings and a head that share their weights share them still where `modules_to_save` names one of them.

    PEFT would train a copy for that one, and merging would untie the two.

    Args:
        config (`LoraConfig`):
            Is changed in place, before PEFT reads it.
        model (`PreTrainedModel`):
            The model that is to be adapted.

    Raises:
        ValueError: If modules are named that share their weights otherwise.
    """
    names_of = defaultdict(list)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names_of[id(parameter)].append(name.removesuffix(".weight"))
    head = model.get_output_embeddings()
    for names in names_of.values():
        wanted = [entry for entry in config.modules_to_save or () if any(name.endswith(entry) for name in names)]
        if len(names) == 1 or not wanted:
            continue
        places = [name for name in names if model.get_submodule(name) is head]
        if len(names) > 2 or not places:
            raise ValueError(
                f"lora: {' and '.join(names)} share their weights, and PEFT would train those of {wanted[0]} apart; "
                f"leave {wanted[0]} out of modules_to_save."
            )
        # By the head PEFT knows a tie in every family, by the embeddings not in GPT-2's.
        config.modules_to_save = [entry for entry in config.modules_to_save if entry not in wanted] + places
        config.ensure_weight_tying = True


def check_base(adapter: Path, model_path: str) -> None:
    """Refuses an earlier adapter that names another base than the model that it is to be merged into.

    Args:
        adapter (`Path`):
            A directory that PEFT wrote, such as `adapter/` beside a merged model.
        model_path (`str`):
            Where the model comes from. Its name alone is compared, as it may have been moved.

    Raises:
        ValueError: If there is no adapter, or it is one for another model.
    """
    config = read_adapter_config(adapter)
    if config is None:
        raise ValueError(f"adapter={adapter} holds no {CONFIG_FILE} with {WEIGHTS_FILE} beside it.")
    base = config.get("base_model_name_or_path")
    if base and Path(base).name != Path(model_path).name:
        raise ValueError(
            f"adapter={adapter} was trained on {base}, and the model is {model_path}; give its own base as model (if "
            f"this is it under another name, say so in {CONFIG_FILE})."
        )


def check_adapted(model: "nn.Module") -> None:
    """Refuses LoRA on weights that two modules share, as embeddings and a head that is tied to them.

    Beside the weights it changes what one of the modules does, and merged into them what both do.

    Raises:
        ValueError: With the modules, and the remedy.
    """
    from peft.tuners.lora import LoraLayer

    names_of = defaultdict(list)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names_of[id(parameter)].append(name.removesuffix(".weight").removesuffix(".base_layer").rpartition(".")[2])
    for name, module in model.named_modules():
        if isinstance(module, LoraLayer) and len(names := names_of[id(module.get_base_layer().weight)]) > 1:
            adapted = name.rpartition(".")[2]
            raise ValueError(
                f"lora: {' and '.join(names)} share their weights, and an adapter on {adapted} could not be merged. "
                f"Leave {adapted} out of target_modules, or name it in modules_to_save to train it whole."
            )


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
