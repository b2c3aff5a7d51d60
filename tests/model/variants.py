"""The architectures that the model's tests run over, tiny and drawn at random."""

import torch
from torch import nn

from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM


SIZES = {
    "vocab_size": 97,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "tie_word_embeddings": True,
    "initializer_range": 0.2,  # at 0.02 a tiny model says nearly the same whatever it reads
}
# One value away from the default on every axis, and mixed layers. Windows and blocks are much shorter than the texts.
BIGBIRD = {"attention": "bigbird", "block_size": 4, "num_random_blocks": 2}
LATENT = {"attention": "latent", "num_key_value_heads": 4}
SLIDING = {"attention": "sliding", "sliding_window": 8}
VARIANTS = {
    "default": {},
    "none": {"position_embedding": "none"},
    "learned": {"position_embedding": "learned"},
    "sinusoidal": {"position_embedding": "sinusoidal"},
    "relative": {"position_embedding": "relative", "relative_attention_num_buckets": 8},
    "alibi": {"position_embedding": "alibi"},
    "linear_rope": {"rope_parameters": {"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}},
    "partial_rope": {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}},
    "multi_head": {"num_key_value_heads": 4},
    "multi_query": {"num_key_value_heads": 1},
    "sliding": SLIDING,
    "sliding_relative": {**SLIDING, "position_embedding": "relative", "relative_attention_num_buckets": 8},
    "sliding_alibi": {**SLIDING, "position_embedding": "alibi"},
    "linear": {"attention": "linear"},
    "linear_none": {"attention": "linear", "position_embedding": "none"},
    "linear_learned": {"attention": "linear", "position_embedding": "learned", "qk_norm": True},
    "linear_sinusoidal": {"attention": "linear", "position_embedding": "sinusoidal"},
    "latent": LATENT,
    "latent_low_rank_query": {**LATENT, "q_lora_rank": 12, "v_head_dim": 6, "qk_norm": True, "attention_bias": True},
    "latent_none": {**LATENT, "position_embedding": "none"},
    "latent_learned": {**LATENT, "position_embedding": "learned"},
    "latent_sinusoidal": {**LATENT, "position_embedding": "sinusoidal"},
    "bigbird": BIGBIRD,
    "bigbird_alibi": {**BIGBIRD, "position_embedding": "alibi"},
    "bigbird_no_random": {**BIGBIRD, "num_random_blocks": 0, "num_global_blocks": 0},
    "mixed": {**SLIDING, "attention": ["sliding", "linear", "full"]},
    "mixed_latent": {**LATENT, **BIGBIRD, "attention": ["bigbird", "latent", "full"]},
    "mixed_alibi": {**BIGBIRD, **SLIDING, "attention": ["full", "sliding", "bigbird"], "position_embedding": "alibi"},
    "mixed_linear_first": {**SLIDING, "attention": ["linear", "linear", "sliding"]},
    "layernorm": {"norm": "layernorm"},
    "batchnorm": {"norm": "batchnorm", "allow_future_statistics": True},
    "post": {"norm_position": "post"},
    "sandwich": {"norm_position": "sandwich"},
    "qk_norm": {"qk_norm": True},
    "plain_mlp": {"gated_mlp": False},
    **{hidden_act: {"hidden_act": hidden_act} for hidden_act in ("relu", "relu2", "gelu", "gelu_new")},
    "relu2_plain": {"hidden_act": "relu2", "gated_mlp": False},
    "biases": {"attention_bias": True, "mlp_bias": True},
    "untied": {"tie_word_embeddings": False},
    "wide_heads": {"head_dim": 16},
    "plain_init": {"residual_init": "plain"},
    "dropout": {"embedding_dropout": 0.1, "attention_dropout": 0.1, "residual_dropout": 0.1},
    "softcap": {"final_logit_softcapping": 5.0},
    "input_skip": {"input_skip": True},
    "value_embeddings": {"value_embeddings": True},
    "value_embeddings_sliding": {**SLIDING, "value_embeddings": True, "input_skip": True},
}


def build(seed: int = 0, **fields) -> DarijaGPTForCausalLM:
    return draw(start(seed, **fields)).eval()


def start(seed: int = 0, **fields) -> DarijaGPTForCausalLM:
    torch.manual_seed(seed)
    return DarijaGPTForCausalLM(DarijaGPTConfig(**{**SIZES, **fields}))


@torch.no_grad()
def draw(model: nn.Module) -> nn.Module:
    """The model with all that starts at 0 or 1 drawn at random: nothing hides behind a part that does nothing yet."""
    for tensor in [*model.parameters(), *model.buffers()]:
        if tensor.is_floating_point() and (tensor.std(correction=0) == 0 or tensor.dim() == 0):
            tensor.add_(torch.empty_like(tensor).uniform_(0.1, 0.5))
    return model
