"""Sharding: what a run does otherwise where the weights are cut up over the processes, by FSDP2 or DeepSpeed ZeRO-3.

The launcher decides, by a file of recipes/accelerate. What of a recipe cannot be kept then is refused in words.
"""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, DistributedType, FullyShardedDataParallelPlugin
from torch import nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy

from darija_gpt.hardware import resolve_precision
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM


if TYPE_CHECKING:
    from darija_gpt.pretraining import PretrainArguments

# With fp16 the gradients would be kept in float16 while they are summed; every GPU worth sharding over has bf16.
_PRECISIONS = {"bf16": torch.bfloat16, "no": torch.float32}


class WholeWeights:
    """Every process has all weights: one process, or several with DistributedDataParallel.

    Args:
        accelerator (`Accelerator`):
            Knows the devices, the precision and the other processes.
        arguments (`PretrainArguments`):
            The recipe.
    """

    def __init__(self, accelerator: Accelerator, arguments: "PretrainArguments"):
        self.accelerator, self.arguments = accelerator, arguments
        self.scaler = accelerator.scaler or torch.amp.GradScaler(enabled=False)

    @property
    def layout(self) -> str:
        """How a checkpoint of such a run is written: one of another layout cannot be read."""
        return "whole weights"

    def compile(self, model: nn.Module) -> None:
        """Has the decoder layers compiled when they are first used: one code for all of them that are alike, in a
        fraction of the time that the whole model would take."""
        for layer in model.model.layers:
            layer.compile()

    def prepare(self, model: nn.Module, optimizers: list[torch.optim.Optimizer]):
        """The model, and the optimizers without accelerate's wrappers."""
        model, *optimizers = self.accelerator.prepare(model, *optimizers)
        # Accelerate's wrappers move the scaler on with each optimizer; here it moves once for all.
        return model, [optimizer.optimizer for optimizer in optimizers]

    def clip(self, model: nn.Module) -> torch.Tensor:
        """Cuts the gradient to `max_grad_norm`; gives its norm before, a scalar."""
        return self.accelerator.clip_grad_norm_(model.parameters(), self.arguments.max_grad_norm)

    def step(self, optimizers: Iterable[torch.optim.Optimizer]) -> None:
        """Has the optimizers move the weights."""
        for optimizer in optimizers:
            self.scaler.step(optimizer)

    def get_local(self, model: nn.Module) -> list[torch.Tensor]:
        """What this process holds of each parameter."""
        return [parameter.detach() for parameter in model.parameters()]

    def end_evaluation(self, model: nn.Module) -> None:
        """Leaves forward passes without gradients behind."""

    def gather(self, model: nn.Module) -> DarijaGPTForCausalLM | None:
        """The model as one process can save it; None in all processes but the main one. Every process must call."""
        return self.accelerator.unwrap_model(model) if self.accelerator.is_main_process else None


class FullyShardedWeights(WholeWeights):
    """FSDP2: each process has a share of each weight, its gradient and its moments, as DTensors (Zhao et al. 2023)."""

    @property
    def layout(self) -> str:
        return "FSDP2"

    def clip(self, model: nn.Module) -> torch.Tensor:
        return super().clip(model).full_tensor()

    def get_local(self, model: nn.Module) -> list[torch.Tensor]:
        self.end_evaluation(model)
        return [parameter.detach().to_local() for parameter in model.parameters()]

    def end_evaluation(self, model: nn.Module) -> None:
        # The outermost weights stay gathered after a forward pass, for a backward pass that does not come.
        for module in model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()

    def gather(self, model: nn.Module) -> DarijaGPTForCausalLM | None:
        config, state = model.config, self.accelerator.get_state_dict(model)
        return _assemble(config, state) if self.accelerator.is_main_process else None


class ZeroShardedWeights(WholeWeights):
    """DeepSpeed ZeRO-3, which clips, steps and clears within the backward pass (Rajbhandari et al. 2020).

    A gradient that is no number it leaves out by itself. The weights that gather gives are bf16 where training is.
    """

    @property
    def layout(self) -> str:
        return f"DeepSpeed ZeRO-3 on {self.accelerator.num_processes} processes"

    def prepare(self, model: nn.Module, optimizers: list[torch.optim.Optimizer]):
        arguments = self.arguments
        self.accelerator.gradient_accumulation_steps = arguments.gradient_accumulation_steps
        self.accelerator.state.deepspeed_plugin.deepspeed_config |= {
            "train_micro_batch_size_per_gpu": arguments.per_device_train_batch_size,
            "gradient_accumulation_steps": arguments.gradient_accumulation_steps,
            "gradient_clipping": arguments.max_grad_norm,
        }
        return super().prepare(model, optimizers)

    def clip(self, model: nn.Module) -> torch.Tensor:
        return torch.tensor(super().clip(model), device=self.accelerator.device)

    def step(self, optimizers: Iterable[torch.optim.Optimizer]) -> None:
        pass

    def get_local(self, model: nn.Module) -> list[torch.Tensor]:
        return [parameter.ds_tensor for parameter in model.parameters()]

    def gather(self, model: nn.Module) -> DarijaGPTForCausalLM | None:
        config, state = model.module.config, self.accelerator.get_state_dict(model)
        return _assemble(config, state) if self.accelerator.is_main_process else None


SHARDINGS: dict[DistributedType, type[WholeWeights]] = {
    DistributedType.FSDP: FullyShardedWeights,
    DistributedType.DEEPSPEED: ZeroShardedWeights,
}


def build_sharding(accelerator: Accelerator, arguments: "PretrainArguments") -> WholeWeights:
    """What goes with the accelerator."""
    return SHARDINGS.get(accelerator.distributed_type, WholeWeights)(accelerator, arguments)


def build_accelerator(
    arguments: "PretrainArguments", config: DarijaGPTConfig, trackers: dict[str, Any]
) -> Accelerator:
    """The accelerator that the launcher asks for.

    Args:
        arguments (`PretrainArguments`):
            The recipe.
        config (`DarijaGPTConfig`):
            Of the model.
        trackers (`dict`):
            What `configure_trackers` gives.

    Raises:
        ValueError: If the recipe asks for what does not go with shards, or if nothing can be sharded here.
    """
    precision = resolve_precision(arguments.mixed_precision)
    wanted = [kind for kind, variable in _VARIABLES.items() if os.environ.get(variable, "").lower() == "true"]
    for kind in wanted:
        _refuse_what_shards_cannot_do(kind, precision, arguments, config)
    plugin = _build_fsdp_plugin(precision) if DistributedType.FSDP in wanted else None
    # Gradients lie where they are exchanged from, not beside a copy.
    handler = DistributedDataParallelKwargs(gradient_as_bucket_view=True)
    accelerator = Accelerator(mixed_precision=precision, fsdp_plugin=plugin, kwargs_handlers=[handler], **trackers)
    for kind in wanted:
        # Accelerate goes over to DistributedDataParallel without a word.
        if accelerator.distributed_type != kind:
            raise ValueError(f"{_NAMES[kind]} shards weights over GPUs, and here is none; {_REMEDY}.")
    return accelerator


_VARIABLES = {DistributedType.FSDP: "ACCELERATE_USE_FSDP", DistributedType.DEEPSPEED: "ACCELERATE_USE_DEEPSPEED"}
_NAMES = {DistributedType.FSDP: "FSDP2", DistributedType.DEEPSPEED: "DeepSpeed"}
_REMEDY = "give `accelerate launch` another --config_file of recipes/accelerate, such as ddp.yaml"


def _build_fsdp_plugin(precision: str) -> FullyShardedDataParallelPlugin:
    """As the launcher says, but gradients are summed in float32 and the loss is not rounded to bf16 on its way out."""
    version = os.environ.get("FSDP_VERSION", "1")
    if version != "2":
        raise ValueError(f"fsdp_version={version} is not supported; set fsdp_version: 2 in the launcher's file.")
    policy = MixedPrecisionPolicy(param_dtype=_PRECISIONS[precision], reduce_dtype=torch.float32)
    return FullyShardedDataParallelPlugin(mixed_precision_policy=policy)


# (whether a recipe wants it, how it is written, what to do instead), by what shards the weights.
_Refusal = tuple[Callable[["PretrainArguments", DarijaGPTConfig], Any], str, str]
_EVERYWHERE: list[_Refusal] = [
    (lambda arguments, config: arguments.architecture != "darija_gpt", "architecture", "leave it out"),
    (lambda arguments, config: arguments.optimizer == "muon", "optimizer=muon", "take --optimizer adamw"),
    (lambda arguments, config: arguments.weight_average_decay, "weight_average_decay", "set it to null"),
]
_REFUSALS: dict[DistributedType, list[_Refusal]] = {
    DistributedType.FSDP: [
        *_EVERYWHERE,
        (lambda arguments, config: config.input_skip, "model.input_skip (weights of no dimension)", "set it to false"),
    ],
    DistributedType.DEEPSPEED: [
        *_EVERYWHERE,
        (
            lambda arguments, config: arguments.spike_threshold,
            "spike_threshold (it steps within the backward pass)",
            "set it to null",
        ),
        (lambda arguments, config: arguments.torch_compile, "torch_compile", "set it to false"),
    ],
}


def _refuse_what_shards_cannot_do(
    kind: DistributedType, precision: str, arguments: "PretrainArguments", config: DarijaGPTConfig
) -> None:
    if precision not in _PRECISIONS:
        raise ValueError(f"mixed_precision={precision} does not go with {_NAMES[kind]}; {_REMEDY}.")
    for is_wanted, name, remedy in _REFUSALS[kind]:
        if is_wanted(arguments, config):
            raise ValueError(f"{name} does not go with {_NAMES[kind]}; {remedy}, or {_REMEDY}.")


def _assemble(config: DarijaGPTConfig, state: dict[str, torch.Tensor]) -> DarijaGPTForCausalLM:
    """A model of its own class around gathered weights; FSDP2 changes the class, DeepSpeed wraps it."""
    with torch.device("meta"):
        model = DarijaGPTForCausalLM(config)
    model.load_state_dict(state, assign=True)
    model.tie_weights()
    return model
