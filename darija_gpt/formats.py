"""Llama, Qwen3 and GPT-2 in the words of DarijaGPT: what each class calls our fields, which of them it leaves no
choice, and how its weights are laid out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from darija_gpt.model import DarijaGPTConfig


State = dict[str, torch.Tensor]

SHARED_NAMES = {
    name: name
    for name in (
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "max_position_embeddings",
        "initializer_range",
        "tie_word_embeddings",
        "use_cache",
        "bos_token_id",
        "eos_token_id",
        "pad_token_id",
    )
}
LLAMA_NAMES = {
    **SHARED_NAMES,
    "intermediate_size": "intermediate_size",
    "num_key_value_heads": "num_key_value_heads",
    "head_dim": "head_dim",
    "hidden_act": "hidden_act",
    "rope_parameters": "rope_parameters",
    "attention_bias": "attention_bias",
    "attention_dropout": "attention_dropout",
    "norm_eps": "rms_norm_eps",
}
# What no format but ours has.
PLAIN = {"norm_position": "pre", "input_skip": False, "value_embeddings": False, "final_logit_softcapping": None}
LLAMA_FIXED = {**PLAIN, "position_embedding": "rope", "norm": "rmsnorm", "gated_mlp": True}


def keep_state(state: State, config: DarijaGPTConfig) -> State:
    """The weights as they are: the format has our names and shapes."""
    return state


# Parts of a GPT-2 layer and of ours. GPT-2's matrices lie transposed (Conv1D).
GPT2_NORMS = {"ln_1": "input_layernorm", "ln_2": "post_attention_layernorm"}
GPT2_PROJECTIONS = {"attn.c_proj": "self_attn.o_proj", "mlp.c_fc": "mlp.up_proj", "mlp.c_proj": "mlp.down_proj"}
GPT2_EMBEDDINGS = {
    "transformer.wte.weight": "model.embed_tokens.weight",
    "transformer.wpe.weight": "model.position_embedding.embed_positions.weight",
    "transformer.ln_f.weight": "model.norm.weight",
    "transformer.ln_f.bias": "model.norm.bias",
    "lm_head.weight": "lm_head.weight",
}


def from_gpt2_state(state: State, config: DarijaGPTConfig) -> State:
    """Our weights from GPT2LMHeadModel's: query, key and value split, matrices turned."""
    ours = {our_name: state[name] for name, our_name in GPT2_EMBEDDINGS.items()}
    for layer_idx in range(config.num_hidden_layers):
        theirs, layer = f"transformer.h.{layer_idx}", f"model.layers.{layer_idx}"
        for kind in ("weight", "bias"):
            for name, our_name in GPT2_NORMS.items():
                ours[f"{layer}.{our_name}.{kind}"] = state[f"{theirs}.{name}.{kind}"]
            for name, our_name in GPT2_PROJECTIONS.items():
                ours[f"{layer}.{our_name}.{kind}"] = state[f"{theirs}.{name}.{kind}"].t()
            parts = state[f"{theirs}.attn.c_attn.{kind}"].t().chunk(3)
            for name, part in zip("qkv", parts, strict=True):
                ours[f"{layer}.self_attn.{name}_proj.{kind}"] = part
    return {name: weight.contiguous() for name, weight in ours.items()}


def to_gpt2_state(state: State, config: DarijaGPTConfig) -> State:
    """GPT2LMHeadModel's weights from ours."""
    theirs = {name: state[our_name] for name, our_name in GPT2_EMBEDDINGS.items()}
    for layer_idx in range(config.num_hidden_layers):
        block, layer = f"transformer.h.{layer_idx}", f"model.layers.{layer_idx}"
        for kind in ("weight", "bias"):
            for name, our_name in GPT2_NORMS.items():
                theirs[f"{block}.{name}.{kind}"] = state[f"{layer}.{our_name}.{kind}"]
            for name, our_name in GPT2_PROJECTIONS.items():
                theirs[f"{block}.{name}.{kind}"] = state[f"{layer}.{our_name}.{kind}"].t()
            parts = [state[f"{layer}.self_attn.{name}_proj.{kind}"] for name in "qkv"]
            theirs[f"{block}.attn.c_attn.{kind}"] = torch.cat(parts).t()
    return {name: weight.contiguous() for name, weight in theirs.items()}


@dataclass(frozen=True)
class Format:
    """A class of transformers, in the words of ours."""

    config_class: type
    model_class: type[PreTrainedModel]
    # Our field -> its name there.
    names: dict[str, str]
    # Our field -> the one value that its models have.
    fixed: dict[str, Any]
    # The same for values that follow from others of our configuration.
    derived: Callable[[DarijaGPTConfig], dict[str, Any]] = lambda config: {}
    # A field that only this class has -> the one value that ours can follow.
    required: dict[str, Any] = field(default_factory=dict)
    from_state: Callable[[State, DarijaGPTConfig], State] = keep_state
    to_state: Callable[[State, DarijaGPTConfig], State] = keep_state


FORMATS = {
    "llama": Format(
        LlamaConfig,
        LlamaForCausalLM,
        names={**LLAMA_NAMES, "mlp_bias": "mlp_bias"},
        fixed={**LLAMA_FIXED, "attention": "full", "qk_norm": False},
    ),
    "qwen3": Format(
        Qwen3Config,
        Qwen3ForCausalLM,
        names=LLAMA_NAMES,
        fixed={**LLAMA_FIXED, "attention": "full", "qk_norm": True, "mlp_bias": False},
        required={"use_sliding_window": False},
    ),
    "gpt2": Format(
        GPT2Config,
        GPT2LMHeadModel,
        names={
            **SHARED_NAMES,
            "intermediate_size": "n_inner",
            "hidden_act": "activation_function",
            "norm_eps": "layer_norm_epsilon",
            "embedding_dropout": "embd_pdrop",
            "attention_dropout": "attn_pdrop",
            "residual_dropout": "resid_pdrop",
        },
        fixed={
            **PLAIN,
            "position_embedding": "learned",
            "attention": "full",
            "norm": "layernorm",
            "qk_norm": False,
            "gated_mlp": False,
            "attention_bias": True,
            "mlp_bias": True,
        },
        derived=lambda config: {
            "num_key_value_heads": config.num_attention_heads,
            "head_dim": config.hidden_size // config.num_attention_heads,
        },
        required={
            "scale_attn_weights": True,
            "scale_attn_by_inverse_layer_idx": False,
            "reorder_and_upcast_attn": False,
            "add_cross_attention": False,
        },
        from_state=from_gpt2_state,
        to_state=to_gpt2_state,
    ),
}
