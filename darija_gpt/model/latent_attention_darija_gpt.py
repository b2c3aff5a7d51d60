"""Multi-head latent attention."""

import torch
from torch import nn
from transformers.cache_utils import Cache
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs
from transformers.utils.generic import is_flash_attention_requested

from .feed_forward_darija_gpt import build_residual_projection
from .heads_darija_gpt import DarijaGPTScoredAttention
from .norms_darija_gpt import NORMS, QK_NORMS
from .null_objects_darija_gpt import keep
from .positions_darija_gpt import POSITION_EMBEDDINGS, compute_yarn_scale


class DarijaGPTLatentScores(DarijaGPTScoredAttention):
    """
    Latent attention of one new token, over the latents as they lie in the cache: what would make keys and values of
    them is applied to the query and to what it gathers instead, at no cost for each cached token (DeepSeek-V2).
    """

    def __init__(self, attention: "DarijaGPTLatentAttention"):
        super().__init__()
        self.config = attention.config
        self.num_heads = self.num_key_value_groups = attention.config.num_attention_heads
        self.widths = (attention.nope_dim, attention.value_dim)
        self.scaling = attention.scaling
        self.attention_dropout = attention.attention_dropout

    def forward(
        self,
        query_nope: torch.Tensor,
        query_rope: torch.Tensor,
        latent: torch.Tensor,
        key_rope: torch.Tensor,
        kv_b_weight: torch.Tensor,
        attention_mask: torch.Tensor | None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        to_key, to_value = kv_b_weight.unflatten(0, (self.num_heads, -1)).split(self.widths, dim=1)
        query = torch.cat((query_nope @ to_key, query_rope), dim=-1)  # (batch, heads, 1, kv_lora_rank + rope width)
        key = torch.cat((latent, key_rope), dim=-1)
        # The key is the value too, for the same reason as below.
        gathered, weights = self.attend(query, key, key, attention_mask, **kwargs)
        gathered = gathered.unflatten(-1, (self.num_heads, 1, -1))[..., : latent.shape[-1]]
        return (gathered @ to_value.transpose(1, 2)).flatten(2), weights


class DarijaGPTLatentAttention(DarijaGPTScoredAttention):
    """
    Multi-head latent attention (DeepSeek-V2): key and value of all heads come from one narrow latent vector and one
    rotated key part, and only these two are cached.
    """

    def __init__(self, config, layer_idx: int):
        super().__init__()
        self.config = config
        self.layer_idx = layer_idx
        self.nope_dim = config.qk_nope_head_dim
        self.rope_dim = config.qk_rope_head_dim
        self.value_dim = config.v_head_dim
        self.scaling = (self.nope_dim + self.rope_dim) ** -0.5 * compute_yarn_scale(config)
        self.attention_dropout = config.attention_dropout

        query_size = config.num_attention_heads * (self.nope_dim + self.rope_dim)
        self.build_query_projection(config, query_size)
        self.kv_a_proj_with_mqa = nn.Linear(
            config.hidden_size, config.kv_lora_rank + self.rope_dim, bias=config.attention_bias
        )
        self.kv_a_layernorm = NORMS[config.norm](config.kv_lora_rank, eps=config.norm_eps)
        self.kv_b_proj = nn.Linear(
            config.kv_lora_rank, config.num_attention_heads * (self.nope_dim + self.value_dim), bias=False
        )
        self.o_proj = build_residual_projection(
            config.num_attention_heads * self.value_dim, config.hidden_size, bias=config.attention_bias
        )
        self.q_nope_norm = QK_NORMS[config.qk_norm](config, self.nope_dim)
        self.k_nope_norm = QK_NORMS[config.qk_norm](config, self.nope_dim)
        self.q_rope_norm = QK_NORMS[config.qk_norm](config, self.rope_dim)
        self.k_rope_norm = QK_NORMS[config.qk_norm](config, self.rope_dim)
        self.rotate = POSITION_EMBEDDINGS[config.position_embedding].rotate
        self.latent_scores = DarijaGPTLatentScores(self)

    def build_query_projection(self, config, query_size: int) -> None:
        self.q_proj = nn.Linear(config.hidden_size, query_size, bias=False)

    def project_query(self, hidden_states: torch.Tensor) -> torch.Tensor:
        """Queries of all heads, shape (batch, length, heads * head width)."""
        return self.q_proj(hidden_states)

    def can_read_latents(self) -> bool:
        """Whether the latents will do, and no keys and values need be made of them."""
        projection = self.kv_b_proj
        # Norms of the keys need the keys themselves, and so does a projection that has an adapter, is quantized (by
        # another module or, as torchao does, another tensor), or that accelerate keeps elsewhere until it computes.
        # Flash kernels take heads of up to 256, and a latent with its rotated part is wider.
        return (
            self.k_nope_norm is keep
            and type(projection) is nn.Linear
            and type(projection.weight) is nn.Parameter
            and not projection.weight.is_meta
            and not is_flash_attention_requested(self.config)
        )

    def forward(
        self,
        hidden_states: torch.Tensor,
        position_bias: None,
        position_embeddings: tuple[torch.Tensor, torch.Tensor] | None,
        attention_mask: torch.Tensor | None,
        input_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        query = self.project_query(hidden_states).unflatten(-1, (-1, self.nope_dim + self.rope_dim)).transpose(1, 2)
        query_nope, query_rope = query.split((self.nope_dim, self.rope_dim), dim=-1)  # (batch, heads, length, ...)
        compressed = self.kv_a_proj_with_mqa(hidden_states).unsqueeze(1)
        latent, key_rope = compressed.split((compressed.shape[-1] - self.rope_dim, self.rope_dim), dim=-1)
        latent = self.kv_a_layernorm(latent)  # (batch, 1, length, kv_lora_rank)
        # Decoupled: the latent is never rotated, or it could not be cached before it becomes keys.
        query_rope, key_rope = self.rotate(
            self.q_rope_norm(query_rope), self.k_rope_norm(key_rope), position_embeddings
        )
        if past_key_values is not None:
            latent, key_rope = past_key_values.update(latent, key_rope, self.layer_idx)
        if query.shape[2] == 1 and self.can_read_latents():
            attended, weights = self.latent_scores(
                query_nope, query_rope, latent, key_rope, self.kv_b_proj.weight, attention_mask, **kwargs
            )
            return self.o_proj(attended), weights

        key_value = self.kv_b_proj(latent.squeeze(1)).unflatten(-1, (-1, self.nope_dim + self.value_dim))
        key_nope, value = key_value.transpose(1, 2).split((self.nope_dim, self.value_dim), dim=-1)
        key_rope = key_rope.expand(-1, key_nope.shape[1], -1, -1)
        query = torch.cat((self.q_nope_norm(query_nope), query_rope), dim=-1)
        key = torch.cat((self.k_nope_norm(key_nope), key_rope), dim=-1)
        # Kernels are fastest where key and value have one width.
        width = max(key.shape[-1], self.value_dim)
        value = nn.functional.pad(value, (0, width - self.value_dim))
        attended, weights = self.attend(query, key, value, attention_mask, **kwargs)
        attended = attended.unflatten(-1, (-1, width))[..., : self.value_dim].flatten(2)
        return self.o_proj(attended), weights


class DarijaGPTLowRankLatentAttention(DarijaGPTLatentAttention):
    """The query, too, through a narrow layer with a norm, which saves memory in training (DeepSeek-V2)."""

    def build_query_projection(self, config, query_size: int) -> None:
        self.q_a_proj = nn.Linear(config.hidden_size, config.q_lora_rank, bias=config.attention_bias)
        self.q_a_layernorm = NORMS[config.norm](config.q_lora_rank, eps=config.norm_eps)
        self.q_b_proj = nn.Linear(config.q_lora_rank, query_size, bias=False)

    def project_query(self, hidden_states: torch.Tensor) -> torch.Tensor:
        return self.q_b_proj(self.q_a_layernorm(self.q_a_proj(hidden_states)))


# By whether there is a `q_lora_rank`.
LATENT_ATTENTIONS = {False: DarijaGPTLatentAttention, True: DarijaGPTLowRankLatentAttention}

__all__ = ["LATENT_ATTENTIONS", "DarijaGPTLatentAttention"]
