"""Position encodings, by their name in the configuration. Each acts at one of three places, and does nothing at the
others: it is added to the embeddings, it rotates query and key, or it is a bias on the attention scores."""

import math

import torch
from torch import nn
from transformers.cache_utils import Cache
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS, dynamic_rope_update


def keep_query_and_key(
    query: torch.Tensor, key: torch.Tensor, position_embeddings: None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Query and key of an encoding that does not rotate."""
    return query, key


class DarijaGPTNoPositions(nn.Module):
    """Only the causal mask tells the order (Haviv et al. 2022)."""

    rotate = staticmethod(keep_query_and_key)

    def __init__(self, config):
        super().__init__()

    def add(self, inputs_embeds: torch.Tensor, position_ids: torch.LongTensor) -> torch.Tensor:
        """The embeddings with their positions, shape (batch, length, hidden_size)."""
        return inputs_embeds

    def prepare(
        self, hidden_states: torch.Tensor, position_ids: torch.LongTensor
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        """What `rotate` gets in every layer: cos and sin, each (batch, 1, length, rotary width), or None."""
        return None

    def bias(
        self,
        hidden_states: torch.Tensor,
        position_ids: torch.LongTensor,
        past_key_values: Cache | None,
        layer_idx: int,
    ) -> torch.Tensor | None:
        """What is added to the scores of layers like this one, shape (batch, heads, length, key length), or None."""
        return None


class DarijaGPTLearnedPositions(DarijaGPTNoPositions):
    """A learnt vector for each position up to `max_position_embeddings`, as GPT-2."""

    def __init__(self, config):
        super().__init__(config)
        self.embed_positions = nn.Embedding(config.max_position_embeddings, config.hidden_size)

    def add(self, inputs_embeds: torch.Tensor, position_ids: torch.LongTensor) -> torch.Tensor:
        try:
            return inputs_embeds + self.embed_positions(position_ids)
        except IndexError:  # on a CPU; to ask a GPU beforehand would be to wait for it
            if position_ids.min() < 0:
                raise ValueError(
                    f"position_ids holds {position_ids.min()}, and positions begin with 0; clamp it where there is "
                    "padding."
                ) from None
            raise ValueError(
                f"a text of {position_ids.max() + 1} tokens exceeds max_position_embeddings="
                f"{self.embed_positions.num_embeddings}, beyond which no position was learnt; cut it, or generate "
                "fewer tokens."
            ) from None


class DarijaGPTSinusoidalPositions(DarijaGPTNoPositions):
    """Waves of geometrically growing length, added to embeddings scaled by sqrt(hidden_size) (Vaswani et al. 2017)."""

    def add(self, inputs_embeds: torch.Tensor, position_ids: torch.LongTensor) -> torch.Tensor:
        hidden_size = inputs_embeds.shape[-1]
        exponents = torch.arange(0, hidden_size, 2, device=position_ids.device) / hidden_size
        angles = position_ids[..., None] / 10000.0**exponents  # (batch, length, hidden_size / 2)
        waves = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(-2)  # sin and cos take turns
        return inputs_embeds * math.sqrt(hidden_size) + waves.to(inputs_embeds.dtype)


def compute_distances(
    position_ids: torch.LongTensor, past_key_values: Cache | None, layer_idx: int
) -> torch.LongTensor:
    """
    How far each key of a layer lies behind each query, shape (batch, length, key length). Where the cache holds other
    tokens their slots are counted, which padding moves alike; otherwise the given positions are.
    """
    length = position_ids.shape[-1]
    key_length, key_offset = length, 0
    if past_key_values is not None:
        key_length, key_offset = past_key_values.get_mask_sizes(length, layer_idx)
    if key_length == length:
        return position_ids[:, :, None] - position_ids[:, None, :]
    slots = torch.arange(key_offset, key_offset + key_length, device=position_ids.device)
    queries = torch.arange(length, device=position_ids.device) + past_key_values.get_query_offset(layer_idx)
    return (queries[:, None] - slots).expand(position_ids.shape[0], -1, -1)


class DarijaGPTRelativePositions(DarijaGPTNoPositions):
    """A learnt bias for each head and bucket of distances, shared by all layers (T5, Raffel et al. 2020)."""

    def __init__(self, config):
        super().__init__(config)
        self.max_distance = config.relative_attention_max_distance
        self.relative_attention_bias = nn.Embedding(config.relative_attention_num_buckets, config.num_attention_heads)

    def bias(
        self,
        hidden_states: torch.Tensor,
        position_ids: torch.LongTensor,
        past_key_values: Cache | None,
        layer_idx: int,
    ) -> torch.Tensor:
        distance = compute_distances(position_ids, past_key_values, layer_idx).clamp(min=0)
        # Half of the buckets hold one distance each, the others ever more up to the maximum.
        num_buckets = self.relative_attention_bias.num_embeddings
        num_exact = num_buckets // 2
        growth = torch.log(distance.clamp(min=1).float() / num_exact) / math.log(self.max_distance / num_exact)
        far = (num_exact + (growth * (num_buckets - num_exact)).long()).clamp(max=num_buckets - 1)
        buckets = torch.where(distance < num_exact, distance, far)
        return self.relative_attention_bias(buckets).permute(0, 3, 1, 2)


class DarijaGPTAlibi(DarijaGPTNoPositions):
    """A penalty that grows linearly with distance, at another slope in each head (Press et al. 2022)."""

    def __init__(self, config):
        super().__init__(config)
        self.num_heads = config.num_attention_heads

    def bias(
        self,
        hidden_states: torch.Tensor,
        position_ids: torch.LongTensor,
        past_key_values: Cache | None,
        layer_idx: int,
    ) -> torch.Tensor:
        distance = compute_distances(position_ids, past_key_values, layer_idx)[:, None]
        # 2^(-8/n), 2^(-16/n), ... for n heads, a power of two; others take every second slope of the next power.
        num_slopes = 2 ** math.floor(math.log2(self.num_heads))
        steps = torch.arange(1, self.num_heads + 1, device=distance.device)
        exponents = torch.where(steps <= num_slopes, steps, steps - num_slopes - 0.5) * (8 / num_slopes)
        bias = -(2.0**-exponents)[:, None, None] * distance
        return bias.to(hidden_states.dtype)


def compute_default_rope_parameters(config, device=None, seq_len=None, **kwargs) -> tuple[torch.Tensor, float]:
    """Inverse frequencies, shape (rotary width / 2,), of RoPE as first published, and a scale of 1 for cos and sin."""
    rotary_dim = int(config.head_dim * config.rope_parameters.get("partial_rotary_factor", 1.0))
    exponents = torch.arange(0, rotary_dim, 2, dtype=torch.float, device=device) / rotary_dim
    return 1.0 / config.rope_parameters["rope_theta"] ** exponents, 1.0


def compute_yarn_scale(config) -> float:
    """The factor on latent attention's scores that YaRN's `mscale_all_dim` asks for, as DeepSeek-V2; 1 without it."""
    mscale = config.rope_parameters.get("mscale_all_dim", 0)
    return (0.1 * mscale * math.log(config.rope_parameters.get("factor", 1.0)) + 1) ** 2 if mscale else 1.0


def apply_rotary_pos_emb(
    query: torch.Tensor, key: torch.Tensor, position_embeddings: tuple[torch.Tensor, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Query and key, each (batch, heads, length, head_dim), rotated by their positions; with a partial rotary factor
    only their first dimensions."""
    cos, sin = position_embeddings
    rotary_dim = cos.shape[-1]
    if rotary_dim < query.shape[-1]:
        kept = query[..., rotary_dim:], key[..., rotary_dim:]
        rotated = apply_rotary_pos_emb(query[..., :rotary_dim], key[..., :rotary_dim], position_embeddings)
        return tuple(torch.cat(parts, dim=-1) for parts in zip(rotated, kept, strict=True))
    states = torch.cat((query, key), dim=1)  # one rotation for both takes fewer steps
    # Rolled by half its width, a head has its second half first.
    states = states * cos + states.roll(rotary_dim // 2, dims=-1) * sin
    return states.split((query.shape[1], key.shape[1]), dim=1)


class DarijaGPTRotaryEmbedding(DarijaGPTNoPositions):
    """Rotary position embedding (Su et al. 2021), with every scaling that transformers knows."""

    rotate = staticmethod(apply_rotary_pos_emb)
    # PreTrainedModel fills the buffers again through this name when it loads on the meta device.
    compute_default_rope_parameters = staticmethod(compute_default_rope_parameters)

    def __init__(self, config):
        super().__init__(config)
        self.config = config
        # Names that `dynamic_rope_update` reads.
        self.max_seq_len_cached = self.original_max_seq_len = config.max_position_embeddings
        self.rope_type = config.rope_parameters["rope_type"]
        self.rope_init_fn = {"default": compute_default_rope_parameters, **ROPE_INIT_FUNCTIONS}[self.rope_type]
        inv_freq, self.attention_scaling = self.rope_init_fn(config)
        self.inv_freq = nn.Buffer(inv_freq, persistent=False)
        self.original_inv_freq = nn.Buffer(inv_freq.clone(), persistent=False)

    def _apply(self, fn, recurse=True):
        """As of every module, but `model.to(torch.bfloat16)` leaves the frequencies in float32: rounded, they turn."""
        before = {name: getattr(self, name) for name in ("inv_freq", "original_inv_freq")}
        super()._apply(fn, recurse)
        for name, frequencies in before.items():
            moved = getattr(self, name)
            if moved.dtype != frequencies.dtype:
                setattr(self, name, frequencies.to(moved.device))
        return self

    def prepare(
        self, hidden_states: torch.Tensor, position_ids: torch.LongTensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        cos, sin = self(hidden_states, position_ids)
        return cos.unsqueeze(1), sin.unsqueeze(1)

    @torch.no_grad()
    @dynamic_rope_update
    def forward(
        self, hidden_states: torch.Tensor, position_ids: torch.LongTensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        angles = position_ids[..., None].float() * self.inv_freq.float()  # (batch, length, rotary width / 2)
        cos, sin = angles.cos() * self.attention_scaling, angles.sin() * self.attention_scaling
        # The sign that the first half's sine has in a rotation is put here, once, and not in every layer.
        cos, sin = torch.cat((cos, cos), dim=-1), torch.cat((-sin, sin), dim=-1)  # (batch, length, rotary width)
        return cos.to(hidden_states.dtype), sin.to(hidden_states.dtype)


POSITION_EMBEDDINGS = {
    "none": DarijaGPTNoPositions,
    "learned": DarijaGPTLearnedPositions,
    "sinusoidal": DarijaGPTSinusoidalPositions,
    "relative": DarijaGPTRelativePositions,
    "alibi": DarijaGPTAlibi,
    "rope": DarijaGPTRotaryEmbedding,
}

__all__ = ["POSITION_EMBEDDINGS", "compute_yarn_scale"]
