"""The architectures that are measured: the default, and one axis away from it at a time."""

from typing import Any


# Wide enough for every mechanism, and quick on two cores: 11 million parameters.
BASE: dict[str, Any] = {
    "vocab_size": 8192,
    "hidden_size": 320,
    "intermediate_size": 864,
    "num_hidden_layers": 7,
    "num_attention_heads": 10,
    "max_position_embeddings": 1024,
}
NUM_LAYERS = BASE["num_hidden_layers"]

VARIANTS: dict[str, dict[str, Any]] = {
    "default (MHA, RoPE, RMSNorm, SwiGLU)": {},
    "GQA, 5 key heads": {"num_key_value_heads": 5},
    "MQA, 1 key head": {"num_key_value_heads": 1},
    "sliding, 128 tokens": {"attention": "sliding", "sliding_window": 128},
    "linear": {"attention": "linear"},
    "latent (MLA)": {"attention": "latent"},
    "bigbird": {"attention": "bigbird"},
    "sliding, full last": {"attention": ["sliding"] * (NUM_LAYERS - 1) + ["full"], "sliding_window": 128},
    "linear, full last": {"attention": ["linear"] * (NUM_LAYERS - 1) + ["full"]},
    "no positions": {"position_embedding": "none"},
    "learned positions": {"position_embedding": "learned"},
    "sinusoidal positions": {"position_embedding": "sinusoidal"},
    "relative positions (T5)": {"position_embedding": "relative"},
    "ALiBi": {"position_embedding": "alibi"},
    "LayerNorm": {"norm": "layernorm"},
    "post-norm": {"norm_position": "post"},
    "sandwich norm": {"norm_position": "sandwich"},
    "QK-norm": {"qk_norm": True},
    "plain ReLU squared": {"hidden_act": "relu2", "gated_mlp": False},
    "input skips": {"input_skip": True},
    "value embeddings": {"value_embeddings": True},
}
