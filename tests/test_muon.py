"""Muon in batched products, against torch.optim.Muon and exact arithmetic."""

import pytest
import torch
from torch import nn

from darija_gpt.muon import STEPS, Muon, orthogonalize


SHAPES = [(16, 16), (48, 16), (16, 40), (16, 16), (48, 16)]


def make_weights(seed: int = 0) -> list[nn.Parameter]:
    draw = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=draw)) for shape in SHAPES]


def set_gradients(weights: list[nn.Parameter], seed: int) -> None:
    draw = torch.Generator().manual_seed(100 + seed)
    for weight in weights:
        weight.grad = torch.randn(weight.shape, generator=draw)


def orthogonalize_exactly(matrix: torch.Tensor, steps) -> torch.Tensor:
    """By the singular values, which is what the products come to."""
    left, values, right = torch.linalg.svd(matrix.double() / matrix.double().norm(), full_matrices=False)
    for a, b, c in steps:
        values = a * values + b * values**3 + c * values**5
    return left @ values.diag() @ right


@pytest.mark.parametrize("shape", [(16, 16), (64, 32), (32, 64)])
@pytest.mark.parametrize("iteration", STEPS)
def test_products_come_to_polynomials_of_the_singular_values(shape, iteration):
    matrices = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    unit = matrices / matrices.norm(dim=(1, 2), keepdim=True)
    orthogonal = orthogonalize(unit, STEPS[iteration])
    exact = torch.stack([orthogonalize_exactly(matrix, STEPS[iteration]) for matrix in matrices])
    torch.testing.assert_close(orthogonal.double(), exact, rtol=1e-3, atol=1e-4)


def make_falling() -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    left, right = (torch.linalg.qr(torch.randn(64, 64, generator=draw)).Q for _ in range(2))
    return left @ torch.logspace(0, -2, 64).diag() @ right  # the smallest is 0.0022 of the norm


# Of the second matrix all but one singular value is 0, and that one is the norm, which bf16 may round up.
@pytest.mark.parametrize(("matrix", "rank"), [(make_falling(), 64), (torch.ones(64, 64), 1)], ids=["falling", "one"])
@pytest.mark.parametrize("iteration", STEPS)
def test_every_iteration_brings_singular_values_near_one(iteration, matrix, rank):
    unit = (matrix / matrix.norm())[None].bfloat16()
    values = torch.linalg.svdvals(orthogonalize(unit, STEPS[iteration])[0].float())
    assert values[0] < 1.7 and values[rank - 1] > 0.3


@pytest.mark.parametrize("options", [{}, {"nesterov": False}, {"weight_decay": 0.1}, {"momentum": 0.0}], ids=str)
def test_the_updates_are_those_of_torchs_muon(options):
    ours, theirs, exact = make_weights(), make_weights(), make_weights()
    options = {"lr": 0.1, "weight_decay": 0.0, **options}
    optimizers = [Muon(ours, **options), torch.optim.Muon(theirs, **options)]
    for step in range(3):
        before = [weight.detach().clone() for weight in theirs]
        for weights, optimizer in zip((ours, theirs), optimizers, strict=True):
            set_gradients(weights, step)
            optimizer.step()
        for own, other, old in zip(ours, theirs, before, strict=True):
            update = (other - old).norm()
            # bf16 rounds each product to 3 digits.
            assert (own - other).norm() < 0.05 * update
            own.data.copy_(other.data)
    states = [optimizer.state_dict()["state"] for optimizer in optimizers]
    for index in range(len(exact)):
        assert torch.equal(states[0][index]["momentum_buffer"], states[1][index]["momentum_buffer"])


def test_updates_are_the_exact_ones_but_for_the_rounding_of_bf16():
    weights = make_weights()
    before = [weight.detach().clone() for weight in weights]
    set_gradients(weights, 0)
    Muon(weights, lr=1.0, weight_decay=0.0, momentum=0.0, nesterov=False).step()
    for weight, old in zip(weights, before, strict=True):
        exact = orthogonalize_exactly(weight.grad, STEPS["newton_schulz"])
        exact *= max(1, weight.shape[0] / weight.shape[1]) ** 0.5
        assert ((old - weight).double() - exact).norm() < 0.05 * exact.norm()


def test_a_state_of_torchs_muon_goes_on_here_and_back():
    options = {"lr": 0.1, "weight_decay": 0.0}
    weights = make_weights()
    theirs = torch.optim.Muon(weights, **options)
    set_gradients(weights, 0)
    theirs.step()
    ours = Muon(weights, **options)
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    assert ours.param_groups[0].keys() == theirs.param_groups[0].keys()
    buffers = [weight.detach().clone() for weight in weights]
    set_gradients(weights, 1)
    ours.step()
    assert all(not torch.equal(weight, before) for weight, before in zip(weights, buffers, strict=True))


def test_the_same_steps_give_the_same_bits():
    results = []
    for _ in range(2):
        weights = make_weights()
        optimizer = Muon(weights, "polar_express", lr=0.1)
        for step in range(3):
            set_gradients(weights, step)
            optimizer.step()
        results.append([weight.detach() for weight in weights])
    assert all(torch.equal(one, other) for one, other in zip(*results, strict=True))


def test_weights_without_a_gradient_stay():
    weights = make_weights()
    before = [weight.detach().clone() for weight in weights]
    set_gradients(weights, 0)
    weights[0].grad = weights[2].grad = None
    Muon(weights, lr=0.1).step()
    assert [torch.equal(weight, old) for weight, old in zip(weights, before, strict=True)] == [
        True,
        False,
        True,
        False,
        False,
    ]
