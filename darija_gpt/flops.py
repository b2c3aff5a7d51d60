"""Model FLOPs utilisation: what a model's training computes, over what the processor could.

As Chowdhery et al. 2022 (PaLM, appendix B) define it: multiplications and additions of the model's matrices, with two
backward passes' worth for each forward pass. What gradient checkpointing computes again does not count.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from darija_gpt.model.configuration_darija_gpt import DarijaGPTConfig


def count_flops_per_token(model: nn.Module, length: int) -> int:
    """FLOPs of one token in training, forward and backward: 6 N, and the attention between tokens.

    N are the weights of linear maps, the output layer among them, also where it is tied to the embeddings. Tables that
    tokens are looked up in (embeddings, value embeddings, learnt positions) compute nothing. Norms, activations and
    biases are left out.

    Args:
        model (`nn.Module`):
            A DarijaGPT.
        length (`int`):
            Tokens of a block. As in PaLM, a token counts as if it looked at all of them, though the mask hides half
            and, in packed blocks, other documents; so figures of different models can be compared.
    """
    num_weights = sum(
        module.in_features * module.out_features for module in model.modules() if isinstance(module, nn.Linear)
    )
    config = model.config
    attention = sum(ATTENTION_FLOPS[name](config, length) for name in config.layer_attentions)
    return 6 * num_weights + 3 * attention


def _count_scored(config: DarijaGPTConfig, num_keys: int) -> int:
    """Scores, and the sum of values weighted by them."""
    return 4 * config.num_attention_heads * config.head_dim * num_keys


def _count_bigbird(config: DarijaGPTConfig, length: int) -> int:
    """As far from the beginning, where a token sees all kinds of blocks."""
    num_blocks = 2 + config.num_global_blocks + config.num_random_blocks
    return _count_scored(config, min(length, num_blocks * config.block_size))


def _count_latent(config: DarijaGPTConfig, length: int) -> int:
    """With keys and values made of the latents, as in training; zeros that pad them do not count."""
    width = config.qk_nope_head_dim + config.qk_rope_head_dim + config.v_head_dim
    return 2 * config.num_attention_heads * width * length


def _count_linear(config: DarijaGPTConfig, length: int) -> int:
    """Into the state and out of it, token by token. The chunks in which it is done take some more."""
    return 2 * (config.num_attention_heads + config.num_key_value_heads) * config.head_dim * (config.head_dim + 1)


# Of a forward pass, per token and layer, beside the projections.
ATTENTION_FLOPS: dict[str, Callable[[DarijaGPTConfig, int], int]] = {
    "full": _count_scored,
    "sliding": lambda config, length: _count_scored(config, min(length, config.sliding_window)),
    "linear": _count_linear,
    "latent": _count_latent,
    "bigbird": _count_bigbird,
}


@dataclass(frozen=True)
class Peak:
    """Dense teraflops a second: half precision (with sums in float32, as PyTorch), TF32, float32."""

    half: float
    tfloat32: float | None
    float32: float
    has_bfloat16: bool = True


# NVIDIA's data sheets and architecture white papers, without sparsity, which doubles the printed figure. By the name
# that the driver gives, without the words of _BRANDS.
PEAKS = {
    r"B200": Peak(2250, 1125, 75),
    r"H200 NVL|H100 NVL": Peak(835, 417, 60),
    r"H200|GH200.*|H100 80GB HBM3|H100 SXM.*": Peak(989.4, 494.7, 66.9),
    r"H100 PCIe": Peak(756, 378, 51.2),
    r"A100.*": Peak(312, 156, 19.5),
    r"L40S": Peak(362, 183, 91.6),
    r"L40": Peak(181, 90.5, 90.5),
    r"L4": Peak(121, 60, 30.3),
    r"A40": Peak(149.7, 74.8, 37.4),
    r"RTX A6000": Peak(154.8, 77.4, 38.7),
    r"RTX 6000 Ada Generation": Peak(364.2, 182.1, 91.1),
    r"A10G": Peak(70, 35, 31.5),
    r"A10": Peak(125, 62.5, 31.2),
    r"T4": Peak(65, None, 8.1, has_bfloat16=False),
    r"V100-SXM.*": Peak(125, None, 15.7, has_bfloat16=False),
    r"V100-PCIE.*": Peak(112, None, 14, has_bfloat16=False),
    r"RTX 3090": Peak(71, 35.6, 35.6),
    r"RTX 4090": Peak(165.2, 82.6, 82.6),
    r"RTX 5090": Peak(209.5, 104.8, 104.8),
}
_BRANDS = re.compile("NVIDIA |Tesla |GeForce ")
_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "no": torch.float32}


def find_peak_flops(device: torch.device, mixed_precision: str) -> float | None:
    """FLOPs a second that a device reaches at best in the precision of a run; None where nobody knows.

    Of a GPU by the table above. A CPU has no such figure that holds for every machine of its name, so it is measured:
    the fastest of some products of two matrices, with the threads that training has.
    """
    if device.type == "cuda":
        return look_up_peak(torch.cuda.get_device_name(device), mixed_precision)
    return measure_peak(mixed_precision) if device.type == "cpu" else None


def look_up_peak(device_name: str, mixed_precision: str) -> float | None:
    """FLOPs a second of a GPU by its name, or None."""
    name = _BRANDS.sub("", device_name)
    for pattern, peak in PEAKS.items():
        if re.fullmatch(pattern, name):
            return _choose_rate(peak, mixed_precision)
    return None


def _choose_rate(peak: Peak, mixed_precision: str) -> float | None:
    if mixed_precision == "bf16" and not peak.has_bfloat16:
        return None
    if mixed_precision != "no":
        return peak.half * 1e12
    uses_tfloat32 = torch.get_float32_matmul_precision() != "highest" and peak.tfloat32
    return (peak.tfloat32 if uses_tfloat32 else peak.float32) * 1e12


def measure_peak(mixed_precision: str, size: int = 1024, rounds: int = 3) -> float:
    """FLOPs a second of the fastest of some products of two square matrices on the CPU."""
    matrix = torch.ones(size, size, dtype=_DTYPES[mixed_precision])
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds)
