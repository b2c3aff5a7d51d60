"""The loss that runs on a CPU minimise, against transformers' own."""

import copy
import math

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from transformers.loss.loss_utils import ForCausalLMLoss

from darija_gpt import training_loss
from darija_gpt.training_loss import compute_causal_lm_loss, leave_out_logits


VOCAB_SIZE = 50


def draw_batch(dtype=torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(3, 7, VOCAB_SIZE, generator=draw)
    labels = torch.randint(0, VOCAB_SIZE, (3, 7), generator=draw)
    labels[0, 3:5] = -100
    return logits.to(dtype).requires_grad_(), labels


def differentiate(compute, logits, labels, factor=1.0):
    loss = factor * compute(logits, labels, VOCAB_SIZE)
    return loss, torch.autograd.grad(loss, logits)[0]


@pytest.mark.parametrize("rows", [1, 2, 21, 100])
@pytest.mark.parametrize("factor", [1.0, 1 / 3, 1024.0])
def test_loss_and_gradient_are_those_of_transformers(monkeypatch, rows, factor):
    monkeypatch.setattr(training_loss, "_CHUNK_ELEMENTS", rows * VOCAB_SIZE)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    logits, labels = draw_batch()
    loss, gradient = differentiate(compute_causal_lm_loss, logits, labels, factor)
    expected, expected_gradient = differentiate(ForCausalLMLoss, logits, labels, factor)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradient, expected_gradient)


def test_with_bf16_the_loss_is_float32_and_the_gradient_off_by_its_rounding():
    logits, labels = draw_batch(torch.bfloat16)
    loss, gradient = differentiate(compute_causal_lm_loss, logits, labels)
    expected, expected_gradient = differentiate(ForCausalLMLoss, logits, labels)
    assert loss.dtype == torch.float32 and gradient.dtype == torch.bfloat16
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradient, expected_gradient, rtol=2**-8, atol=0)


def test_the_logits_are_left_as_they_were():
    logits, labels = draw_batch()
    before = logits.detach().clone()
    differentiate(compute_causal_lm_loss, logits, labels)
    assert torch.equal(logits, before)


def test_without_a_gradient_there_is_the_loss_alone():
    logits, labels = draw_batch()
    with torch.no_grad():
        loss = compute_causal_lm_loss(logits, labels, VOCAB_SIZE)
    assert not loss.requires_grad
    torch.testing.assert_close(loss, ForCausalLMLoss(logits, labels, VOCAB_SIZE).detach())


def test_a_token_of_no_probability_costs_87_nats_and_pulls_with_all_its_weight():
    logits = torch.zeros(1, 2, VOCAB_SIZE)
    logits[0, 0, 1] = 1000.0
    logits.requires_grad_()
    loss, gradient = differentiate(compute_causal_lm_loss, logits, torch.tensor([[0, 2]]))
    assert 87 < loss.item() < 88
    torch.testing.assert_close(gradient, differentiate(ForCausalLMLoss, logits, torch.tensor([[0, 2]]))[1])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_logits_that_are_no_numbers_give_a_loss_that_is_none(bad):
    logits, labels = draw_batch()
    logits.data[1, 2, 3] = bad
    assert not compute_causal_lm_loss(logits, labels, VOCAB_SIZE).isfinite()


def test_a_model_without_logits_learns_the_same(tiny_llama):
    tiny_llama.train()
    input_ids = torch.arange(20).view(2, 10)

    def compute_gradients():
        tiny_llama.zero_grad()
        outputs = tiny_llama(input_ids=input_ids, labels=input_ids, use_cache=False)
        outputs.loss.backward()
        return outputs, [parameter.grad.clone() for parameter in tiny_llama.parameters()]

    whole, gradients = compute_gradients()
    try:
        leave_out_logits(tiny_llama)
        outputs, same_gradients = compute_gradients()
        tiny_llama.eval()
        assert tiny_llama(input_ids=input_ids).logits is not None
    finally:
        tiny_llama.eval()
        del tiny_llama.forward
        tiny_llama.zero_grad()
    assert whole.logits is not None and outputs.logits is None
    assert torch.equal(outputs.loss, whole.loss)
    assert all(torch.equal(one, other) for one, other in zip(gradients, same_gradients, strict=True))


@pytest.mark.parametrize("mixed_precision", ["no", "bf16"])
def test_a_model_that_accelerate_unwraps_has_its_logits_again(tiny_llama, mixed_precision):
    model = copy.deepcopy(tiny_llama).train()
    leave_out_logits(model)
    AcceleratorState._reset_state()
    accelerator = Accelerator(mixed_precision=mixed_precision, cpu=True)
    input_ids = torch.arange(20).view(2, 10)
    prepared = accelerator.prepare(model)
    outputs = prepared(input_ids=input_ids, labels=input_ids, use_cache=False)
    assert outputs.logits is None and outputs.loss.dtype == torch.float32
    unwrapped = accelerator.unwrap_model(prepared, keep_fp32_wrapper=False)
    AcceleratorState._reset_state()
    if mixed_precision == "bf16":  # else there was nothing to unwrap
        assert unwrapped(input_ids=input_ids, use_cache=False).logits.shape == (2, 10, model.config.vocab_size)
