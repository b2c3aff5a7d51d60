"""What processors reach at best: the table against clocks and cores."""

import math

import pytest
import torch

from darija_gpt.peak_flops import look_up_peak, measure_peak


# CUDA cores and boost clock in GHz: two float32 operations a core and tick.
CLOCKS = {
    "NVIDIA B200": (18944, 1.98),
    "NVIDIA H200": (16896, 1.98),
    "NVIDIA H100 80GB HBM3": (16896, 1.98),
    "NVIDIA H100 NVL": (16896, 1.785),
    "NVIDIA H100 PCIe": (14592, 1.755),
    "NVIDIA A100-SXM4-80GB": (6912, 1.41),
    "NVIDIA A100-PCIE-40GB": (6912, 1.41),
    "NVIDIA L40S": (18176, 2.52),
    "NVIDIA L40": (18176, 2.49),
    "NVIDIA L4": (7424, 2.04),
    "NVIDIA A40": (10752, 1.74),
    "NVIDIA RTX A6000": (10752, 1.8),
    "NVIDIA RTX 6000 Ada Generation": (18176, 2.505),
    "NVIDIA A10G": (9216, 1.71),
    "NVIDIA A10": (9216, 1.695),
    "Tesla T4": (2560, 1.59),
    "Tesla V100-SXM2-16GB": (5120, 1.53),
    "Tesla V100-PCIE-32GB": (5120, 1.38),
    "NVIDIA GeForce RTX 3090": (10496, 1.695),
    "NVIDIA GeForce RTX 4090": (16384, 2.52),
    "NVIDIA GeForce RTX 5090": (21760, 2.407),
}


@pytest.fixture(autouse=True)
def without_tensor_cores():
    """As PyTorch begins; a benchmark in the same process asks for them."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.parametrize("name", CLOCKS)
def test_the_float32_peak_of_a_gpu_is_its_cores_times_its_clock(name):
    cores, gigahertz = CLOCKS[name]
    assert look_up_peak(name, "no") == pytest.approx(2 * cores * gigahertz * 1e9, rel=0.01)


@pytest.mark.parametrize(
    ("name", "precision", "teraflops"),
    [
        ("NVIDIA A100-SXM4-40GB", "bf16", 312),
        ("NVIDIA H100 80GB HBM3", "bf16", 989.4),
        ("NVIDIA L4", "bf16", 121),
        ("NVIDIA GeForce RTX 4090", "fp16", 165.2),
        ("Tesla T4", "fp16", 65),
        ("Tesla T4", "bf16", None),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "bf16", None),
        ("AMD Instinct MI300X", "bf16", None),
    ],
)
def test_the_peak_in_half_precision_is_that_of_the_data_sheet_or_unknown(name, precision, teraflops):
    assert look_up_peak(name, precision) == (None if teraflops is None else pytest.approx(teraflops * 1e12))


def test_float32_with_tensor_cores_has_a_peak_of_its_own():
    torch.set_float32_matmul_precision("high")
    assert look_up_peak("NVIDIA A100-SXM4-40GB", "no") == 156e12
    assert look_up_peak("Tesla T4", "no") == 8.1e12


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_the_peak_of_a_cpu_is_measured_without_drawing_numbers(precision):
    before = torch.get_rng_state()
    assert 0 < measure_peak(precision, size=64) < math.inf
    assert torch.equal(torch.get_rng_state(), before)
