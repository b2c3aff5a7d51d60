"""The configuration of DarijaGPT: one field an axis, and what may be combined."""

import math
from typing import Literal

from huggingface_hub.dataclasses import strict
from transformers.configuration_utils import PreTrainedConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS, RopeParameters


# The name in transformers' own list of layer types, by which caches are made; "full_attention" fits whatever keeps
# the keys of all tokens.
LAYER_TYPES = {
    "full": "full_attention",
    "sliding": "sliding_attention",
    "linear": "linear_attention",
    "latent": "full_attention",
    "bigbird": "full_attention",
}

PositionEmbedding = Literal["none", "learned", "sinusoidal", "relative", "alibi", "rope"]
Attention = Literal["full", "sliding", "linear", "latent", "bigbird"]

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
    Qwen3's) at the size of a model for a small corpus. Each axis is one field; any one of them may be changed alone.

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
            Width of a head. In a model whose layers are all latent it is `qk_rope_head_dim`, the part that RoPE turns.
        max_position_embeddings (`int`, *optional*, defaults to `512`):
            Longest context, in tokens.
        position_embedding (`str`, *optional*, defaults to `"rope"`):
            How the model knows the order of tokens: `none` (the causal mask alone), `learned` (a vector a position,
            GPT-2) or `sinusoidal` (Vaswani et al. 2017) added to the embeddings, `relative` (a learnt bias for each
            distance bucket, T5, Raffel et al. 2020) or `alibi` (a linear penalty on distance, Press et al. 2022) added
            to the attention scores, `rope` (Su et al. 2021) turning queries and keys as `rope_parameters` says.
        rope_parameters (`dict`, *optional*):
            For `rope`: `rope_type` and its parameters, as everywhere in transformers.
        relative_attention_num_buckets (`int`, *optional*, defaults to `32`):
            For `relative`: distances that are told apart.
        relative_attention_max_distance (`int`, *optional*, defaults to `128`):
            For `relative`: the distance from which on all are one.
        attention (`str` or `list[str]`, *optional*, defaults to `"full"`):
            What a token may look at, one for all layers or a list with one for each: `full`, all earlier tokens;
            `sliding`, the last `sliding_window` (Longformer, Mistral); `linear`, all through a state of constant size
            (Katharopoulos et al. 2020); `latent`, all through a compressed key and value (DeepSeek-V2's MLA);
            `bigbird`, near, first and some random blocks (Zaheer et al. 2020).
        sliding_window (`int`, *optional*, defaults to a quarter of `max_position_embeddings`):
            For `sliding`: tokens that a token sees, itself among them.
        q_lora_rank (`int`, *optional*):
            For `latent`: width to which the query is compressed; not at all by default, as DeepSeek-V2-Lite.
        kv_lora_rank (`int`, *optional*, defaults to `4 * head_dim`):
            For `latent`: width to which key and value are compressed, which is what the cache holds.
        qk_rope_head_dim (`int`, *optional*, defaults to `head_dim // 2`):
            For `latent`: width of the key part that carries the position and is shared by all heads. Beside layers
            of another kind it is `head_dim`, because all layers share one rotary embedding.
        qk_nope_head_dim, v_head_dim (`int`, *optional*, defaults to `head_dim`):
            For `latent`: width of each head's own key part and of its value.
        block_size (`int`, *optional*, defaults to `32`):
            For `bigbird`: tokens in a block. A token sees its own block and the one before.
        num_global_blocks, num_random_blocks (`int`, *optional*, defaults to `1` and `2`):
            For `bigbird`: blocks at the start of the text that every token sees, and blocks in between that the
            tokens of a block see; drawn once and for all, by position.
        norm (`str`, *optional*, defaults to `"rmsnorm"`):
            `layernorm` (Ba et al. 2016), `rmsnorm` (Zhang and Sennrich 2019) or `batchnorm` (Ioffe and Szegedy 2015).
        allow_future_statistics (`bool`, *optional*, defaults to `False`):
            Says that you know what `batchnorm` does: in training its statistics contain later tokens.
        norm_position (`str`, *optional*, defaults to `"pre"`):
            `pre` normalises what enters a sublayer (GPT-2, Llama), `post` the stream after it (Vaswani et al. 2017,
            GPT-1), `sandwich` what enters and what leaves a sublayer (Gemma 2).
        qk_norm (`bool`, *optional*, defaults to `False`):
            Normalises each head's query and key before RoPE, as Qwen3.
        hidden_act (`str`, *optional*, defaults to `"silu"`):
            Activation of the feed-forward. `gelu` is the erf form, `gelu_new` the tanh form of GPT-2.
        gated_mlp (`bool`, *optional*, defaults to `True`):
            Multiplies the activation with a second projection (Shazeer 2020). Gated silu is SwiGLU.
        input_skip (`bool`, *optional*, defaults to `False`):
            Each layer reads the stream and the embeddings, weighted by two learnt scalars (nanochat).
        value_embeddings (`bool`, *optional*, defaults to `False`):
            Every other layer adds to its values a vector looked up by the token, gated by the stream (nanochat).
        embedding_dropout, attention_dropout, residual_dropout (`float`, *optional*, defaults to `0.0`):
            Share of values zeroed in training: of the embeddings, the attention weights, each sublayer's output.
        residual_init (`str`, *optional*, defaults to `"scaled"`):
            Of the projections that write to the residual stream: `plain` draws them like all others, `scaled` by
            1/sqrt(2 * num_hidden_layers) smaller (GPT-2), `zero` leaves every layer an identity at first.
        final_logit_softcapping (`float`, *optional*):
            Bends the logits into this range by tanh (Gemma 2, nanochat).
        classifier_pooling (`str`, *optional*, defaults to `"last"`):
            For classifiers: `last` judges a text by the state of its last token, `mean` by the mean over its tokens.
        tie_word_embeddings (`bool`, *optional*, defaults to `True`):
            The output layer is the embedding.
        attention_bias, mlp_bias (`bool`, *optional*, defaults to `False`):
            Biases in the projections of attention and feed-forward.
        initializer_range (`float`, *optional*, defaults to `0.02`):
            Standard deviation of fresh weights.
        norm_eps (`float`, *optional*, defaults to `1e-6`):
            Added under the root in every norm.
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

    position_embedding: PositionEmbedding = "rope"
    rope_parameters: RopeParameters | dict | None = None
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128

    attention: Attention | list[Attention] = "full"
    sliding_window: int | None = None
    q_lora_rank: int | None = None
    kv_lora_rank: int | None = None
    qk_rope_head_dim: int | None = None
    qk_nope_head_dim: int | None = None
    v_head_dim: int | None = None
    block_size: int = 32
    num_global_blocks: int = 1
    num_random_blocks: int = 2

    norm: Literal["layernorm", "rmsnorm", "batchnorm"] = "rmsnorm"
    allow_future_statistics: bool = False
    norm_position: Literal["pre", "post", "sandwich"] = "pre"
    qk_norm: bool = False
    hidden_act: Literal["relu", "relu2", "gelu", "gelu_new", "silu"] = "silu"
    gated_mlp: bool = True
    input_skip: bool = False
    value_embeddings: bool = False
    embedding_dropout: int | float = 0.0
    attention_dropout: int | float = 0.0
    residual_dropout: int | float = 0.0
    residual_init: Literal["plain", "scaled", "zero"] = "scaled"
    final_logit_softcapping: int | float | None = None
    classifier_pooling: Literal["last", "mean"] = "last"
    tie_word_embeddings: bool = True
    attention_bias: bool = False
    mlp_bias: bool = False
    initializer_range: int | float = 0.02
    norm_eps: int | float = 1e-6

    use_cache: bool = True
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 0
    pad_token_id: int | None = 3

    @classmethod
    def from_dict(cls, config_dict, **kwargs):
        """As everywhere, but changed fields are there before sizes are derived and combinations checked."""
        own = cls.__dataclass_fields__.keys() - PreTrainedConfig.__dataclass_fields__.keys()
        changed = {name: kwargs.pop(name) for name in own & kwargs.keys()}
        return super().from_dict({**config_dict, **changed}, **kwargs)

    def __post_init__(self, **kwargs):
        if self.head_dim is None and self.num_attention_heads and self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size={self.hidden_size} is not a multiple of num_attention_heads={self.num_attention_heads}; "
                "change one of them or set head_dim."
            )
        self.derive_sizes()
        kwargs.setdefault("auto_map", dict(AUTO_MAP))
        if kwargs.pop("layer_types", self.layer_types) != self.layer_types:
            raise ValueError("layer_types is derived from attention; set attention, one mechanism for each layer.")
        super().__post_init__(**kwargs)

    def derive_sizes(self):
        """Fills the sizes that were left out."""
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.head_dim is None and self.num_attention_heads:
            self.head_dim = self.hidden_size // self.num_attention_heads
        if "sliding" in self.attention and self.sliding_window is None:
            self.sliding_window = max(2, self.max_position_embeddings // 4)
        if "latent" in self.attention and self.head_dim is not None:
            self._derive_latent_sizes()

    def _derive_latent_sizes(self):
        """Fills the sizes of latent attention that were left out, in DeepSeek-V2's proportions."""
        is_all_latent = set(self.layer_attentions) == {"latent"}
        for name, size in {
            "kv_lora_rank": 4 * self.head_dim,
            "qk_nope_head_dim": self.head_dim,
            "v_head_dim": self.head_dim,
            "qk_rope_head_dim": max(2, self.head_dim // 4 * 2) if is_all_latent else self.head_dim,
        }.items():
            if getattr(self, name) is None:
                setattr(self, name, size)
        if is_all_latent:
            # The rotary embedding, with all its scalings, is computed for heads of this width.
            self.head_dim = self.qk_rope_head_dim

    @property
    def layer_attentions(self) -> list[str]:
        """The mechanism of each layer."""
        return self.attention if isinstance(self.attention, list) else [self.attention] * self.num_hidden_layers

    @property
    def layer_types(self) -> list[str]:
        """transformers' word for the cache of each layer."""
        return [LAYER_TYPES.get(attention, attention) for attention in self.layer_attentions]

    def validate_architecture(self):
        """Refuses, in the user's words, what cannot be built; runs before any tensor exists."""
        self._check_ranges()
        self._check_heads()
        attentions = set(self.layer_attentions)
        if isinstance(self.attention, list) and len(self.attention) != self.num_hidden_layers:
            raise ValueError(
                f"attention lists {len(self.attention)} mechanisms for num_hidden_layers={self.num_hidden_layers}; "
                "give one for each layer, or one word for all."
            )
        if self.position_embedding in ("relative", "alibi") and attentions & {"linear", "latent"}:
            (attention,) = sorted(attentions & {"linear", "latent"})[:1]
            raise ValueError(
                f"position_embedding={self.position_embedding} is a bias on scores, and attention={attention} has "
                "none that it could be added to; try position_embedding=rope, sinusoidal, learned or none."
            )
        if self.value_embeddings and attentions - {"full", "sliding"}:
            (attention,) = sorted(attentions - {"full", "sliding"})[:1]
            raise ValueError(
                f"value_embeddings=True adds to the values of full and sliding attention, and attention={attention} "
                "is neither; choose one of the two."
            )
        if "linear" in attentions and self.attention_dropout:
            raise ValueError(
                f"attention=linear has no attention weights for attention_dropout={self.attention_dropout} to drop; "
                "set attention_dropout=0, and residual_dropout instead."
            )
        if self.norm == "batchnorm" and not self.allow_future_statistics:
            raise ValueError(
                "norm=batchnorm shows each token the statistics of later ones in training, so that its training loss "
                "means little; set allow_future_statistics to true if you want to study just that."
            )
        if self.position_embedding == "sinusoidal" and self.hidden_size % 2:
            raise ValueError(
                f"position_embedding=sinusoidal fills pairs, and hidden_size={self.hidden_size} is odd; make it even."
            )

    def validate_rope(self):
        """Refuses, where positions are rotated, what transformers only warns of, and what it refuses."""
        if self.position_embedding != "rope":
            return
        rope_type = self.rope_parameters.get("rope_type")
        if rope_type not in ("default", *ROPE_INIT_FUNCTIONS):
            raise ValueError(
                f"rope_parameters: rope_type={rope_type} is none of default, {', '.join(ROPE_INIT_FUNCTIONS)}."
            )
        numbers = "rope_theta partial_rotary_factor factor low_freq_factor high_freq_factor"
        for name in (*numbers.split(), "original_max_position_embeddings"):
            value = self.rope_parameters.get(name, 1)
            if not (isinstance(value, int | float) and 0 < value < math.inf):
                raise ValueError(f"rope_parameters: {name}={value!r} must be a finite number above 0.")
        share = self.rope_parameters.get("partial_rotary_factor", 1)
        if not 1 <= int(share * self.head_dim) <= self.head_dim:
            raise ValueError(
                f"rope_parameters: partial_rotary_factor={share} is the share of head_dim={self.head_dim} that is "
                "rotated; it must be at most 1 and leave at least one number of the head."
            )
        try:
            super().validate_rope()
        except KeyError as error:  # of a parameter that is missing
            raise ValueError(f"rope_parameters: {error.args[0]}") from None

    def _check_ranges(self):
        """Refuses numbers that mean nothing."""
        at_least = {
            1: "vocab_size hidden_size intermediate_size num_hidden_layers num_attention_heads num_key_value_heads "
            "head_dim max_position_embeddings q_lora_rank kv_lora_rank qk_rope_head_dim qk_nope_head_dim v_head_dim "
            "block_size relative_attention_max_distance",
            # The cache of a window keeps one token less than the window.
            2: "sliding_window relative_attention_num_buckets",
            0: "num_global_blocks num_random_blocks",
        }
        for minimum, names in at_least.items():
            for name in names.split():
                value = getattr(self, name)
                if value is not None and value < minimum:
                    raise ValueError(f"{name}={value} must be at least {minimum}.")
        for name in ("embedding_dropout", "attention_dropout", "residual_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 0 and below 1.")
        for name in ("initializer_range", "norm_eps"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)} must be above 0 and finite.")
        if self.final_logit_softcapping is not None and not 0 < self.final_logit_softcapping < math.inf:
            raise ValueError(
                f"final_logit_softcapping={self.final_logit_softcapping} must be above 0 and finite, or null for none."
            )
        # A negative one counts from the end, as everywhere in PyTorch.
        if self.pad_token_id is not None and not -self.vocab_size <= self.pad_token_id < self.vocab_size:
            raise ValueError(
                f"pad_token_id={self.pad_token_id} is no token of vocab_size={self.vocab_size}; choose one that is, "
                "or null for none."
            )
        if self.relative_attention_max_distance <= self.relative_attention_num_buckets // 2:
            raise ValueError(
                f"relative_attention_max_distance={self.relative_attention_max_distance} must exceed half of "
                f"relative_attention_num_buckets={self.relative_attention_num_buckets}, which hold one distance each."
            )

    def _check_heads(self):
        """Refuses widths that do not divide."""
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"num_attention_heads={self.num_attention_heads} is not a multiple of "
                f"num_key_value_heads={self.num_key_value_heads}; try 1, or leave it out."
            )
        if self.position_embedding == "rope" and self.head_dim % 2:
            raise ValueError(
                f"position_embedding=rope rotates pairs, and head_dim={self.head_dim} is odd; "
                "change head_dim, hidden_size or num_attention_heads."
            )
        if "latent" not in self.layer_attentions:
            return
        if self.num_key_value_heads != self.num_attention_heads:
            raise ValueError(
                f"attention=latent gives each head its own key, so num_key_value_heads={self.num_key_value_heads} "
                f"must be num_attention_heads={self.num_attention_heads}; leave it out."
            )
        if self.qk_rope_head_dim != self.head_dim:
            raise ValueError(
                f"attention mixes latent with other mechanisms, which share one rotary embedding, so qk_rope_head_dim="
                f"{self.qk_rope_head_dim} must be head_dim={self.head_dim}; leave it out."
            )


__all__ = ["DarijaGPTConfig"]
