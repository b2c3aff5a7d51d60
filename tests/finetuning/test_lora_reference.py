"""LoRA and DoRA are what their papers say, written out here without PEFT."""

import pytest
import torch
from peft import get_peft_model
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, T5Config, T5ForConditionalGeneration

from darija_gpt.finetuning.adapters import build_lora_config, keep_ties


RANK, ALPHA, LEARNING_RATE, STEPS = 4, 8, 0.1, 5


class Reference(nn.Module):
    """A linear map W0 with an adapter beside it.

    LoRA (Hu et al. 2021, section 4.1): W = W0 + alpha / r · B A, where A is random, B begins with zero, and W0 stays.
    DoRA (Liu et al. 2024, section 4): W = m · V / |V|, with V = W0 + alpha / r · B A, the norm over each output's
    weights, and m, which begins as |W0| and learns, too. The norm is a constant to the gradient (section 4.3).
    """

    def __init__(self, weight: torch.Tensor, down: torch.Tensor, use_dora: bool):
        super().__init__()
        self.weight, self.use_dora = weight, use_dora  # (outputs, inputs)
        self.down = nn.Parameter(down)  # A: (rank, inputs)
        self.up = nn.Parameter(torch.zeros(len(weight), RANK))  # B: (outputs, rank)
        self.magnitude = nn.Parameter(weight.norm(dim=1, keepdim=True)) if use_dora else None  # m: (outputs, 1)

    def adapted(self) -> torch.Tensor:
        direction = self.weight + ALPHA / RANK * self.up @ self.down
        if not self.use_dora:
            return direction
        return self.magnitude * direction / direction.norm(dim=1, keepdim=True).detach()

    def forward(self, inputs):
        return functional.linear(inputs, self.adapted())


def descend(module, forward, inputs, targets):
    """Plain gradient descent on the squared error."""
    learnt = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for _ in range(STEPS):
        loss = (forward(inputs) - targets).pow(2).mean()
        gradients = torch.autograd.grad(loss, learnt)
        with torch.no_grad():
            for parameter, gradient in zip(learnt, gradients, strict=True):
                parameter -= LEARNING_RATE * gradient


@pytest.mark.parametrize("use_dora", [False, True])
def test_what_an_adapter_adds_to_the_weights_is_the_formula_of_its_paper(use_dora):
    torch.manual_seed(0)
    base = nn.Sequential(nn.Linear(12, 10, bias=False)).double()
    weight = base[0].weight.detach().clone()
    inputs, targets = torch.randn(32, 12).double(), torch.randn(32, 10).double()
    config = build_lora_config(
        {"r": RANK, "lora_alpha": ALPHA, "target_modules": ["0"], "task_type": None, "use_dora": use_dora}
    )
    adapted = get_peft_model(base, config, autocast_adapter_dtype=False).double()
    down = adapted.base_model.model[0].lora_A["default"].weight.detach().clone()
    reference = Reference(weight, down, use_dora).double()

    # Before the first step nothing is added.
    torch.testing.assert_close(adapted(inputs), inputs @ weight.T, atol=1e-6, rtol=0)
    descend(adapted, adapted, inputs, targets)
    descend(reference, reference, inputs, targets)
    delta = adapted.merge_and_unload()[0].weight - weight
    assert delta.abs().max() > 0.01
    torch.testing.assert_close(delta, reference.adapted() - weight, atol=1e-6, rtol=0)


def test_lora_counts_two_thin_matrices_and_dora_a_magnitude_besides():
    for use_dora, expected in ((False, RANK * (12 + 10)), (True, RANK * (12 + 10) + 10)):
        config = build_lora_config({"r": RANK, "target_modules": ["0"], "task_type": None, "use_dora": use_dora})
        model = get_peft_model(nn.Sequential(nn.Linear(12, 10)), config)
        assert sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad) == expected


SIZES = {"vocab_size": 97, "pad_token_id": 3, "bos_token_id": 0, "eos_token_id": 0}
GPT2 = GPT2Config(**SIZES, n_embd=32, n_layer=1, n_head=4)
LLAMA = LlamaConfig(
    **SIZES, hidden_size=32, intermediate_size=48, num_hidden_layers=1, num_attention_heads=4, tie_word_embeddings=True
)


@pytest.mark.parametrize(
    ("config", "modules"),
    [(GPT2, ["wte"]), (GPT2, ["lm_head"]), (LLAMA, ["embed_tokens"]), (LLAMA, ["model.embed_tokens", "lm_head"])],
)
def test_embeddings_and_head_that_were_one_are_one_when_they_learnt_whole(config, modules):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    num_parameters = model.num_parameters()
    lora = build_lora_config({"r": 2, "modules_to_save": modules})
    keep_ties(lora, model)
    adapted = get_peft_model(model, lora).eval()
    learnt = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    ids = torch.arange(4, 24)[None]
    with torch.no_grad():
        for parameter in learnt:
            parameter += torch.randn_like(parameter) / 10
        expected = adapted(ids).logits
        merged = adapted.merge_and_unload()
        torch.testing.assert_close(merged(ids).logits, expected, atol=1e-5, rtol=0)
    assert merged.config.tie_word_embeddings and merged.num_parameters() == num_parameters


def test_weights_that_more_than_two_modules_share_do_not_learn_whole():
    sizes = {"d_model": 32, "d_ff": 48, "num_layers": 1, "num_heads": 4, "d_kv": 8}
    model = T5ForConditionalGeneration(T5Config(vocab_size=97, **sizes))
    lora = build_lora_config({"target_modules": ["q"], "modules_to_save": ["shared"]})
    with pytest.raises(ValueError, match="PEFT would train those of shared apart; leave shared out of modules_to_sav"):
        keep_ties(lora, model)


def test_an_unknown_field_is_refused():
    with pytest.raises(ValueError, match=r"lora: unknown key rank; known are .*lora_alpha"):
        build_lora_config({"rank": 4})
