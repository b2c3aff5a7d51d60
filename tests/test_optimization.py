"""The schedule and the parameter groups, against transformers' own."""

import pytest
import torch
from torch import nn
from transformers import get_cosine_with_min_lr_schedule_with_warmup

from darija_gpt.optimization import build_adamw, compute_rate_factor, group_parameters


def test_the_schedule_is_transformers_cosine_with_warmup():
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=2e-3)
    # transformers reaches the end one step after the last update, and starts the warm-up at 0.
    reference = get_cosine_with_min_lr_schedule_with_warmup(optimizer, 10, 99, min_lr_rate=0.1)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        reference.step()
    ours = [2e-3 * compute_rate_factor(step, warmup_steps=10, num_steps=100, final_ratio=0.1) for step in range(100)]
    assert ours[10:] == pytest.approx(rates[10:])
    assert ours[:10] == pytest.approx(rates[1:11])


@pytest.mark.parametrize(("warmup_steps", "num_steps"), [(0, 1), (1, 1), (0, 2), (5, 3)])
def test_short_runs_have_a_learning_rate_too(warmup_steps, num_steps):
    for step in range(num_steps):
        rate = compute_rate_factor(step, warmup_steps=warmup_steps, num_steps=num_steps, final_ratio=0.1)
        assert 0 < rate <= 1


def test_matrices_decay_and_vectors_do_not():
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))
    decaying, others = group_parameters(model, weight_decay=0.1)
    assert [tuple(p.shape) for p in decaying["params"]] == [(4, 3)] and decaying["weight_decay"] == 0.1
    assert len(others["params"]) == 3 and others["weight_decay"] == 0


def test_frozen_parameters_are_not_optimized():
    model = nn.Linear(3, 4)
    model.weight.requires_grad_(False)
    optimizer = build_adamw(model, learning_rate=1e-3, weight_decay=0.1, betas=(0.9, 0.95))
    assert [len(group["params"]) for group in optimizer.param_groups] == [0, 1]
