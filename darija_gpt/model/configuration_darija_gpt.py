"""The configuration of DarijaGPT: one field an axis, and what may be combined."""

from typing import Literal

from huggingface_hub.dataclasses import strict
from transformers.configuration_utils import PreTrainedConfig
from transformers.modeling_rope_utils import RopeParameters


# Saving a model copies its code; this tells the Auto classes which file and class to take from there.
AUTO_MAP = {
    "AutoConfig": "configuration_darija_gpt.DarijaGPTConfig",
    "AutoModel": "modeling_darija_gpt.DarijaGPTModel",
    "AutoModelForCausalLM": "modeling_darija_gpt.DarijaGPTForCausalLM",
    "AutoModelForSequenceClassification": "modeling_darija_gpt.DarijaGPTForSequenceClassification",
}


@strict
class DarijaGPTConfig(PreTrainedConfig):
    r"""
    Everything that decides a DarijaGPT's architecture. The defaults are Llama's architecture (with `qk_norm=True`
    Qwen3's) at the size of a model for a small corpus.

    Args:
        vocab_size (`int`, *optional*, defaults to `4096`):
            Entries of the tokenizer, or more.
        hidden_size (`int`, *optional*, defaults to `256`):
            Width of the residual stream.
        intermediate_size (`int`, *optional*, defaults to `704`):
            Width inside the feed-forward.
        num_hidden_layers (`int`, *optional*, defaults to `6`):
            Decoder layers.
        num_attention_heads (`int`, *optional*, defaults to `8`):
            Heads of the query.
        num_key_value_heads (`int`, *optional*):
            Heads of key and value. Equal to `num_attention_heads` (the default) is multi-head attention, fewer is
            grouped-query attention (Ainslie et al. 2023), 1 is multi-query attention (Shazeer 2019).
        head_dim (`int`, *optional*, defaults to `hidden_size // num_attention_heads`):
            Width of a head.
        max_position_embeddings (`int`, *optional*, defaults to `512`):
            Longest context, in tokens.
        position_embedding (`str`, *optional*, defaults to `"rope"`):
            How the model knows the order of tokens. `rope` (Su et al. 2021) reads `rope_parameters`.
        attention (`str`, *optional*, defaults to `"full"`):
            What a token may look at: all earlier tokens.
        norm (`str`, *optional*, defaults to `"rmsnorm"`):
            `layernorm` (Ba et al. 2016) or `rmsnorm` (Zhang and Sennrich 2019).
        norm_position (`str`, *optional*, defaults to `"pre"`):
            `pre` normalises what enters a sublayer (GPT-2, Llama).
        qk_norm (`bool`, *optional*, defaults to `False`):
            Normalises each head's query and key before RoPE, as Qwen3.
        hidden_act (`str`, *optional*, defaults to `"silu"`):
            Activation of the feed-forward. `gelu` is the erf form, `gelu_new` the tanh form of GPT-2.
        gated_mlp (`bool`, *optional*, defaults to `True`):
            Multiplies the activation with a second projection (Shazeer 2020). Gated silu is SwiGLU.
        embedding_dropout, attention_dropout, residual_dropout (`float`, *optional*, defaults to `0.0`):
            Share of values zeroed in training: of the embeddings, the attention weights, each sublayer's output.
        residual_init (`str`, *optional*, defaults to `"scaled"`):
            Of the projections that write to the residual stream: `plain` draws them like all others, `scaled` by
            1/sqrt(2 * num_hidden_layers) smaller (GPT-2), `zero` leaves every layer an identity at first.
        tie_word_embeddings (`bool`, *optional*, defaults to `True`):
            The output layer is the embedding.
        attention_bias, mlp_bias (`bool`, *optional*, defaults to `False`):
            Biases in the projections of attention and feed-forward.
        initializer_range (`float`, *optional*, defaults to `0.02`):
            Standard deviation of fresh weights.
        norm_eps (`float`, *optional*, defaults to `1e-6`):
            Added under the root in every norm.
        rope_parameters (`dict`, *optional*):
            `rope_type` and its parameters, as everywhere in transformers.
    """

    model_type = "darija_gpt"
    keys_to_ignore_at_inference = ["past_key_values"]

    vocab_size: int = 4096
    hidden_size: int = 256
    intermediate_size: int = 704
    num_hidden_layers: int = 6
    num_attention_heads: int = 8
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    max_position_embeddings: int = 512

    position_embedding: Literal["rope"] = "rope"
    attention: Literal["full"] = "full"
    norm: Literal["layernorm", "rmsnorm"] = "rmsnorm"
    norm_position: Literal["pre"] = "pre"
    qk_norm: bool = False
    hidden_act: Literal["relu", "relu2", "gelu", "gelu_new", "silu"] = "silu"
    gated_mlp: bool = True
    embedding_dropout: int | float = 0.0
    attention_dropout: int | float = 0.0
    residual_dropout: int | float = 0.0
    residual_init: Literal["plain", "scaled", "zero"] = "scaled"
    tie_word_embeddings: bool = True
    attention_bias: bool = False
    mlp_bias: bool = False
    initializer_range: int | float = 0.02
    norm_eps: int | float = 1e-6
    rope_parameters: RopeParameters | dict | None = None

    use_cache: bool = True
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 0
    pad_token_id: int | None = 3

    def __post_init__(self, **kwargs):
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.head_dim is None and self.num_attention_heads:
            self.head_dim = self.hidden_size // self.num_attention_heads
        kwargs.setdefault("auto_map", dict(AUTO_MAP))
        super().__post_init__(**kwargs)

    def validate_architecture(self):
        """Refuses, in the user's words, what cannot be built; runs before any tensor exists."""
        for name in ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")
        for name in ("num_key_value_heads", "head_dim", "max_position_embeddings"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")
        for name in ("embedding_dropout", "attention_dropout", "residual_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 0 and below 1.")
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_attention_heads={self.num_attention_heads} is not a multiple of "
                f"num_key_value_heads={self.num_key_value_heads}; try num_key_value_heads=1 or None."
            )
        derived_head_dim, remainder = divmod(self.hidden_size, self.num_attention_heads)
        if remainder and self.head_dim == derived_head_dim:
            raise ValueError(
                f"hidden_size={self.hidden_size} is not a multiple of num_attention_heads={self.num_attention_heads}; "
                "change one of them or set head_dim."
            )
        if self.head_dim % 2:
            raise ValueError(
                f"position_embedding=rope rotates pairs, and head_dim={self.head_dim} is odd; "
                "change head_dim, hidden_size or num_attention_heads."
            )


__all__ = ["DarijaGPTConfig"]
