"""The loss of a language model, and its gradient, computed while the logits still lie in the cache."""

import functools
from types import MethodType
from typing import Any

import torch
from torch import nn


# Logits that a thread softmaxes at a time, 1 MiB as float32: what a core's own cache holds.
_CHUNK_ELEMENTS = 2**18
# Smallest normal float32. A probability that is lost below it costs 87 nats, and its gradient is right all the same.
_LEAST_PROBABILITY = torch.finfo(torch.float32).tiny


class _CrossEntropy(torch.autograd.Function):
    """Mean cross-entropy, with its gradient made on the way there (Hsu et al. 2024, Liger Kernel): so one softmax
    serves both, and none is held for more than a chunk of the tokens."""

    @staticmethod
    def forward(ctx, logits: torch.Tensor, targets: torch.Tensor, ignore_index: int) -> torch.Tensor:
        is_counted = targets != ignore_index
        weights = (is_counted / is_counted.sum()).unsqueeze(1)  # (tokens, 1)
        targets = targets.where(is_counted, 0).unsqueeze(1)
        probabilities = torch.empty_like(weights)
        gradient = torch.empty_like(logits) if ctx.needs_input_grad[0] else None
        size = max(1, torch.get_num_threads() * _CHUNK_ELEMENTS // logits.shape[1])
        minus_ones = weights.new_full((size, 1), -1.0)
        for first in range(0, len(logits), size):
            rows = slice(first, first + size)
            chunk = torch.softmax(logits[rows], dim=-1, dtype=torch.float32)
            probabilities[rows] = chunk.gather(1, targets[rows])
            if gradient is not None:
                gradient[rows] = chunk.scatter_add_(1, targets[rows], minus_ones).mul_(weights[rows])
        ctx.save_for_backward(gradient)
        return -(probabilities.clamp_(min=_LEAST_PROBABILITY).log_() * weights).sum()

    @staticmethod
    def backward(ctx, loss_gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        # A whole pass over the logits, which only the scaler of fp16 or accumulation ask for.
        return gradient if loss_gradient == 1 else gradient * loss_gradient.to(gradient.dtype), None, None


def compute_causal_lm_loss(
    logits: torch.Tensor, labels: torch.Tensor, vocab_size: int, ignore_index: int = -100, **kwargs: Any
) -> torch.Tensor:
    """Mean cross-entropy of the next token, in nats: transformers' `ForCausalLMLoss` with less traffic to memory.

    That one turns all logits to float32, keeps their log-softmax, and fills two more arrays of this size on the way
    back, which takes a CPU longer than the matrix products of the output layer. Here logits stay as they are (bf16
    under autocast), and so does their gradient.

    Args:
        logits (`torch.Tensor`):
            (batch, length, vocabulary)
        labels (`torch.Tensor`):
            (batch, length), the input ids; `ignore_index` where nothing is to be predicted.
        vocab_size (`int`):
            The last dimension of the logits.
        ignore_index (`int`, *optional*, defaults to `-100`):
            As in `torch.nn.functional.cross_entropy`.
    """
    targets = nn.functional.pad(labels, (0, 1), value=ignore_index)[..., 1:].reshape(-1)
    return compute_cross_entropy(logits.reshape(-1, vocab_size), targets, ignore_index)


def compute_cross_entropy(logits: torch.Tensor, targets: torch.Tensor, ignore_index: int = -100) -> torch.Tensor:
    """`torch.nn.functional.cross_entropy` in the same way: the mean over the targets that are counted, one at least.

    Args:
        logits (`torch.Tensor`):
            (tokens, vocabulary)
        targets (`torch.Tensor`):
            (tokens,), each the id that its logits are to predict.
        ignore_index (`int`, *optional*, defaults to `-100`):
            The target that is not counted.
    """
    return _CrossEntropy.apply(logits, targets, ignore_index)


def leave_out_logits(model: nn.Module) -> None:
    """Lets a model in training give its loss alone: Accelerate would turn all logits to float32, for nobody.

    What Accelerate unwraps in the end has them again.
    """
    forward = type(model).forward

    @functools.wraps(forward)
    def compute(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        outputs = forward(self, *args, **kwargs)
        return type(outputs)(loss=outputs.loss) if self.training else outputs

    model.forward = MethodType(compute, model)
