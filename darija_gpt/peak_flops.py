"""FLOPs a second that a processor reaches at best: of GPUs by a table, of a CPU as measured."""

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import torch


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
_DTYPES = {"bf16": "bfloat16", "fp16": "float16", "no": "float32"}


def find_peak_flops(device: "torch.device", mixed_precision: str) -> float | None:
    """FLOPs a second that a device reaches at best in the precision of a run; None where nobody knows.

    Of a GPU by the table above. A CPU has no such figure that holds for every machine of its name, so it is measured:
    the fastest of some products of two matrices, with the threads that training has.
    """
    import torch

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
    import torch

    if mixed_precision == "bf16" and not peak.has_bfloat16:
        return None
    if mixed_precision != "no":
        return peak.half * 1e12
    uses_tfloat32 = torch.get_float32_matmul_precision() != "highest" and peak.tfloat32
    return (peak.tfloat32 if uses_tfloat32 else peak.float32) * 1e12


def measure_peak(mixed_precision: str, size: int = 1024, rounds: int = 3) -> float:
    """FLOPs a second of the fastest of some products of two square matrices on the CPU."""
    import torch

    matrix = torch.ones(size, size, dtype=getattr(torch, _DTYPES[mixed_precision]))
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds)
