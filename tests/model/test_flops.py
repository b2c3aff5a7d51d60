"""Model FLOPs: the formula against what PyTorch counts."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from variants import LATENT, SIZES, SLIDING, VARIANTS, build

from darija_gpt.flops import count_flops_per_token


LENGTH, BATCH = 64, 2
EXACT = {
    name: VARIANTS[name]
    for name in (
        *("default", "multi_head", "multi_query", "learned", "sinusoidal", "relative", "alibi", "layernorm", "post"),
        *("sandwich", "qk_norm", "plain_mlp", "biases", "untied", "wide_heads", "softcap", "input_skip"),
        "value_embeddings",
    )
} | {
    # As wide a value as a key: zeros that pad it are counted by PyTorch, and by us not.
    "latent": {**LATENT, "v_head_dim": 12},
    "latent_low_rank_query": {**LATENT, "v_head_dim": 12, "q_lora_rank": 12},
    "sliding_all": {**SLIDING, "sliding_window": LENGTH},
}


def count_by_torch(model) -> float:
    """FLOPs of a token in a forward and a backward pass, as they are executed."""
    model.set_attn_implementation("eager")
    ids = torch.randint(SIZES["vocab_size"], (BATCH, LENGTH))
    with FlopCounterMode(display=False) as counter:
        model(ids, labels=ids, use_cache=False).loss.backward()
    return counter.get_total_flops() / ids.numel()


@pytest.mark.parametrize("name", EXACT)
def test_the_formula_gives_what_pytorch_counts(name):
    model = build(**EXACT[name])
    assert count_flops_per_token(model, LENGTH) == pytest.approx(count_by_torch(model), rel=1e-3)


def test_a_window_counts_as_a_text_of_its_length():
    window = {**SLIDING, "sliding_window": 8}
    assert count_flops_per_token(build(**window), LENGTH) == count_flops_per_token(build(), 8)


def test_linear_attention_counts_its_state_and_costs_little_more():
    model = build(attention="linear", hidden_size=128, intermediate_size=256)
    counted = count_flops_per_token(model, LENGTH)
    assert counted == count_flops_per_token(model, 100 * LENGTH)
    assert counted < count_by_torch(model) < 1.15 * counted


def test_the_published_count_of_palm_comes_out():
    """6 N + 12 L H Q T (PaLM, appendix B), of a model with biases nowhere and the embedding tied."""
    model = build(num_key_value_heads=4)
    num_parameters = sum(weight.numel() for weight in model.parameters() if weight.dim() == 2)
    attention = 12 * SIZES["num_hidden_layers"] * SIZES["num_attention_heads"] * 8 * LENGTH
    assert count_flops_per_token(model, LENGTH) == 6 * num_parameters + attention
