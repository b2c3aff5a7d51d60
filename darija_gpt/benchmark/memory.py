"""Memory of a training step, known without having it: on fake tensors, which have shapes and no contents.

PyTorch's own tracker follows every allocation of the model's real forward and backward pass. What a GPU's allocator
rounds up, and its kernels borrow, comes on top; where it fuses what a CPU does not, as in RMSNorm, some goes off.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal


if TYPE_CHECKING:
    from darija_gpt.model import DarijaGPTForCausalLM

Precision = Literal["no", "autocast", "bf16"]


@dataclass(frozen=True)
class StepMemory:
    """Bytes at the fullest moment of a step, beside weights, gradients and optimizer states.

    Args:
        layers (`int`):
            What all decoder layers keep for the backward pass.
        outside (`int`):
            The rest: above all logits and their loss, in several copies.
    """

    layers: int
    outside: int


def build_meta_model(fields: dict[str, Any]) -> "DarijaGPTForCausalLM":
    """A model without storage.

    Args:
        fields (`dict`):
            Fields of DarijaGPTConfig.
    """
    import torch

    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    with torch.device("meta"):
        return DarijaGPTForCausalLM(DarijaGPTConfig(**fields))


def measure_step(
    fields: dict[str, Any], batch_size: int, length: int, *, precision: Precision, activation_checkpointing: bool
) -> StepMemory:
    """Memory of forward and backward over one micro-batch of packed blocks.

    Args:
        fields (`dict`):
            Fields of DarijaGPTConfig.
        batch_size (`int`), length (`int`):
            Blocks, and tokens of each.
        precision (`"no"`, `"autocast"` or `"bf16"`):
            Everything in float32; float32 weights under bf16 autocast; or weights in bf16, as FSDP2 gathers them.
        activation_checkpointing (`bool`):
            Whether each layer keeps its input only.

    Raises:
        ValueError: If the layers are not alike: two are passed, and the others reckoned.
    """

    config = build_meta_model(fields).config
    if len(set(config.layer_attentions)) > 1 or config.value_embeddings:
        raise ValueError("layers that differ from one another cannot be reckoned up from two of them.")
    one, two = (
        _measure_beside_weights(
            {**fields, "num_hidden_layers": number}, batch_size, length, precision, activation_checkpointing
        )
        for number in (1, 2)
    )
    return StepMemory(layers=config.num_hidden_layers * (two - one), outside=one - (two - one))


def _measure_beside_weights(
    fields: dict[str, Any], batch_size: int, length: int, precision: Precision, activation_checkpointing: bool
) -> int:
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    with FakeTensorMode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = DarijaGPTForCausalLM._from_config(
            # With dropout in attention, a CPU keeps all of the scores; the kernels of a GPU do not.
            DarijaGPTConfig(**{**fields, "attention_dropout": 0.0}),
            attn_implementation="sdpa",
            dtype=torch.bfloat16 if precision == "bf16" else torch.float32,
        ).train()
        if activation_checkpointing:
            model.activation_checkpointing_enable()
        input_ids = torch.zeros(batch_size, length, dtype=torch.long)
        position_ids = torch.arange(length).repeat(batch_size, 1)
        tracker = MemTracker()
        tracker.track_external(model)
        with tracker:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "autocast"):
                loss = model(input_ids, position_ids=position_ids, labels=input_ids, use_cache=False).loss
            loss.backward()
        (peak,) = tracker.get_tracker_snapshot("peak").values()
    sizes = {str(kind).rpartition(".")[2]: size for kind, size in peak.items()}
    return sizes["Total"] - sizes["PARAM"] - sizes["BUFFER"] - sizes["GRAD"]
