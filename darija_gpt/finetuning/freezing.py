"""Freezing: which weights of a model stay as they are, by the number of lower layers or by name."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel


def freeze_lower_layers(model: "PreTrainedModel", num_layers: int) -> None:
    """Freezes the embeddings and the lowest layers of a model of transformers; what stands above learns.

    Args:
        model (`PreTrainedModel`):
            Any model made of a stack of layers. Of an encoder and a decoder, both stacks are frozen from below. A
            head that is tied to the embeddings is frozen with them.
        num_layers (`int`):
            Layers to freeze; 0 freezes the embeddings alone. Of a shorter stack, all of them.

    Raises:
        ValueError: If the model has no stack of layers, or none with so many.
    """
    stacks = find_layer_stacks(model.base_model)
    if not stacks:
        raise ValueError(
            f"{type(model).__name__} has no stack of layers that could be frozen by number; give freeze_patterns."
        )
    longest = max(map(len, stacks))
    if not 0 <= num_layers <= longest:
        raise ValueError(f"freeze_layers={num_layers} is none of 0 to {longest}, the layers of the model.")
    _freeze_below(model.base_model, stacks)
    for stack in stacks:
        for layer in stack[:num_layers]:
            layer.requires_grad_(False)


def freeze_by_pattern(model: "nn.Module", patterns: Sequence[str]) -> None:
    """Freezes every parameter whose name a regular expression finds, such as `embed` or `layers\\.[0-3]\\.`.

    Raises:
        ValueError: If an expression is none, or finds no parameter.
    """
    for pattern in patterns:
        try:
            expression = re.compile(pattern)
        except re.error as error:
            raise ValueError(f"freeze_patterns: {pattern!r} is no regular expression: {error}.") from None
        found = [parameter for name, parameter in model.named_parameters() if expression.search(name)]
        if not found:
            names = [name for name, _ in model.named_parameters()]
            raise ValueError(
                f"freeze_patterns: {pattern!r} finds none of the {len(names)} parameters, which are named like "
                f"{names[0]} and {names[-1]}."
            )
        for parameter in found:
            parameter.requires_grad_(False)


def check_trainable(model: "nn.Module") -> None:
    """Refuses a model of which nothing would learn.

    Raises:
        ValueError: If every parameter is frozen.
    """
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("freeze_layers and freeze_patterns leave no weight to train; freeze fewer.")


def find_layer_stacks(model: "nn.Module") -> list["nn.ModuleList"]:
    """The lists of layers that a model runs through one after the other."""
    from torch import nn
    from transformers.modeling_layers import GradientCheckpointingLayer

    return [
        module
        for module in model.modules()
        if isinstance(module, nn.ModuleList)
        and len(module)
        and all(isinstance(layer, GradientCheckpointingLayer) for layer in module)
    ]


def describe_trainable(model: "nn.Module") -> dict[str, int]:
    """All parameters of a model, and those that training changes; weights that are tied count once."""
    import torch

    # bitsandbytes packs two weights of 4 bits into a byte.
    sizes = [
        (parameter.numel() * (2 if parameter.dtype == torch.uint8 else 1), parameter.requires_grad)
        for parameter in model.parameters()
    ]
    return {
        "parameters": sum(size for size, _ in sizes),
        "trainable_parameters": sum(size for size, is_trained in sizes if is_trained),
    }


def spell_trainable(counts: dict[str, int]) -> str:
    """`28,943,618 of 109,483,778 parameters are trained (26.4358 %)`."""
    share = counts["trainable_parameters"] / counts["parameters"]
    return f"{counts['trainable_parameters']:,} of {counts['parameters']:,} parameters are trained ({share:.4%})"


def _freeze_below(module: "nn.Module", stacks: Sequence["nn.ModuleList"]) -> None:
    """Freezes what stands before the first stack of layers: embeddings, their norms, what maps them to their width."""
    holders = [
        child for child in module.children() if any(part is stack for part in child.modules() for stack in stacks)
    ]
    for child in module.children():
        if child is holders[0]:
            break
        child.requires_grad_(False)
    for holder in holders:
        if not any(holder is stack for stack in stacks):
            _freeze_below(holder, stacks)
