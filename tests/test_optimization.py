"""Optimizers, schedules, dropout, averaged weights and z-loss, against formulas and transformers' own."""

import itertools
import math

import pytest
import torch
from torch import nn
from transformers import get_cosine_with_min_lr_schedule_with_warmup

from darija_gpt.model import DarijaGPTForCausalLM
from darija_gpt.optimization import (
    SCHEDULES,
    DropoutSwitch,
    WeightAverage,
    build_adamw,
    build_muon,
    compute_rate_factor,
    compute_z_loss,
    group_parameters,
)
from darija_gpt.pretraining import build_config
from darija_gpt.training_step import choose_loss


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


def rates(schedule, **changes):
    arguments = {"warmup_steps": 10, "num_steps": 111, "final_ratio": 0.1} | changes
    return [compute_rate_factor(step, schedule=schedule, **arguments) for step in range(arguments["num_steps"])]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_rises_in_a_line_and_ends_where_it_should(schedule):
    factors = rates(schedule)
    assert factors[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
    assert factors[10] == pytest.approx(1.0)
    assert factors[-1] == pytest.approx(1.0 if schedule == "constant" else 0.1)
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(factors[10:]))


def test_schedules_are_their_closed_forms():
    shares = [step / 100 for step in range(101)]
    assert rates("linear")[10:] == pytest.approx([1 - 0.9 * share for share in shares])
    assert rates("cosine")[10:] == pytest.approx([0.55 + 0.45 * math.cos(math.pi * share) for share in shares])
    assert rates("constant")[10:] == [1.0] * 101
    wsd = [1.0 if share <= 0.75 else 0.1 + 0.9 * (1 - share) / 0.25 for share in shares]
    assert rates("wsd", cooldown_ratio=0.25)[10:] == pytest.approx(wsd)
    assert rates("wsd", cooldown_ratio=0.0) == rates("constant")
    assert rates("wsd", cooldown_ratio=1.0) == pytest.approx(rates("linear"))


@pytest.fixture
def model(tokenizer):
    return DarijaGPTForCausalLM(
        build_config(
            {
                "hidden_size": 16,
                "intermediate_size": 24,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "max_position_embeddings": 32,
                "position_embedding": "learned",
                "value_embeddings": True,
                "mlp_bias": True,
                "residual_dropout": 0.1,
                "embedding_dropout": 0.2,
                "attention_dropout": 0.3,
                "tie_word_embeddings": False,
            },
            tokenizer,
        )
    )


def test_muon_trains_the_hidden_matrices_and_adamw_all_others(model):
    muon, adamw = build_muon(
        model,
        learning_rate=1e-3,
        muon_learning_rate=2e-2,
        weight_decay=0.1,
        muon_weight_decay=0.01,
        muon_momentum=0.9,
        betas=(0.9, 0.95),
    )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    of_muon = {names[id(parameter)] for group in muon.param_groups for parameter in group["params"]}
    of_adamw = {names[id(parameter)] for group in adamw.param_groups for parameter in group["params"]}
    assert of_muon | of_adamw == set(names.values()) and not of_muon & of_adamw
    layers = {
        name for name in names.values() if "_proj.weight" in name or name.endswith("value_embedding.gate.weight")
    }
    assert of_muon == layers
    assert {"lm_head.weight", "model.embed_tokens.weight"} <= of_adamw
    assert any("embed_values" in name for name in of_adamw) and any("norm" in name for name in of_adamw)
    assert [group["weight_decay"] for group in adamw.param_groups] == [0.1, 0.0]


def test_muon_steps_are_orthogonal_whatever_the_gradient():
    weight = nn.Parameter(torch.zeros(8, 8))
    layer = nn.Linear(8, 8, bias=False)
    layer.weight = weight
    muon = torch.optim.Muon([weight], lr=1.0, weight_decay=0.0, momentum=0.0, nesterov=False)
    weight.grad = 1000 * torch.randn(8, 8, generator=torch.Generator().manual_seed(0))
    muon.step()
    assert torch.linalg.svdvals(weight.detach()).min() > 0.3 and torch.linalg.svdvals(weight.detach()).max() < 1.5


@pytest.mark.parametrize(
    ("schedule", "ratio", "on"), [("constant", 0.5, range(10)), ("early", 0.3, range(3)), ("late", 0.3, range(7, 10))]
)
def test_dropout_is_on_in_its_part_of_the_run(model, schedule, ratio, on):
    def read_probabilities():
        modules = [module.p for module in model.modules() if isinstance(module, nn.Dropout)]
        return modules + [layer.self_attn.attention_dropout for layer in model.model.layers]

    configured = read_probabilities()
    assert {0.1, 0.2, 0.3} == set(configured)
    switch = DropoutSwitch(model, schedule, ratio)
    changes = []
    for step in range(10):
        changes.append(switch.set_step(step, 10))
        assert read_probabilities() == (configured if step in on else [0.0] * len(configured))
    assert sum(changes) == {"constant": 0, "early": 1, "late": 2}[schedule]


def test_the_weight_average_is_its_formula_and_swaps_without_loss():
    draw = torch.Generator().manual_seed(0)
    parameter = nn.Parameter(torch.randn(3, 4, generator=draw))
    average = WeightAverage([parameter], decay=0.9)
    expected = parameter.detach().double().clone()
    for step in range(200):
        with torch.no_grad():
            parameter.copy_(torch.randn(3, 4, generator=draw))
        average.update(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * parameter.detach().double()
    torch.testing.assert_close(average.averages[0].double(), expected, rtol=1e-5, atol=1e-6)

    weights, averages = parameter.detach().clone(), average.averages[0].clone()
    average.swap()
    assert torch.equal(parameter, averages) and torch.equal(average.averages[0], weights)
    average.swap()
    assert torch.equal(parameter, weights) and torch.equal(average.averages[0], averages)

    again = WeightAverage([parameter], decay=0.9)
    again.load_state_dict(average.state_dict())
    assert torch.equal(again.averages[0], averages)


def test_the_z_loss_is_its_formula():
    draw = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, 5, 7, generator=draw)
    labels = torch.randint(0, 7, (2, 5), generator=draw)
    labels[0, 3:] = -100
    squares = [
        math.log(sum(math.exp(logit) for logit in logits[row, place].tolist())) ** 2
        for row in range(2)
        for place in range(4)
        if labels[row, place + 1] != -100
    ]
    assert compute_z_loss(logits, labels).item() == pytest.approx(sum(squares) / len(squares), rel=1e-5)


def test_the_z_loss_is_minimised_and_not_reported(model):
    model.eval()
    batch = {"input_ids": torch.arange(20).view(2, 10), "position_ids": torch.arange(10).expand(2, -1)}
    objective, plain, _ = choose_loss(0.0)(model, batch)
    assert objective is plain
    with_z, reported, _ = choose_loss(0.5)(model, batch)
    logits = model(**batch, use_cache=False).logits
    assert reported.item() == pytest.approx(plain.item())
    assert with_z.item() == pytest.approx(plain.item() + 0.5 * compute_z_loss(logits, batch["input_ids"]).item())
