"""What `pretrain.py` can train from scratch, by the word that a recipe has for it."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal


if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

Architecture = Literal["darija_gpt", "neural_lm"]
# The files that decide what a model computes, within the package.
CODE = {"darija_gpt": "model/*_darija_gpt.py", "neural_lm": "neural_lm.py"}


def load_classes(architecture: Architecture) -> tuple[type["PreTrainedConfig"], type["PreTrainedModel"]]:
    """Configuration and causal language model; the import takes seconds, and makes them known to the Auto classes."""
    if architecture == "neural_lm":
        from darija_gpt.neural_lm import NeuralLMConfig, NeuralLMForCausalLM

        return NeuralLMConfig, NeuralLMForCausalLM
    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    return DarijaGPTConfig, DarijaGPTForCausalLM


def list_code(architecture: Architecture) -> list[Path]:
    """The files of an architecture, in the order of their names."""
    return sorted(Path(__file__).parent.glob(CODE[architecture]))
