"""DarijaGPT: a decoder whose every part is chosen by the configuration."""

import inspect

import torch
from torch import nn
from transformers import initialization as init
from transformers.cache_utils import Cache, DynamicCache
from transformers.generation import GenerationMixin
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import (
    BaseModelOutputWithPast,
    CausalLMOutputWithPast,
    SequenceClassifierOutputWithPast,
)
from transformers.modeling_utils import PreTrainedModel, slice_logits_to_keep
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs, can_return_tuple
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from .attention_darija_gpt import ATTENTIONS, DarijaGPTAttention
from .configuration_darija_gpt import DarijaGPTConfig
from .feed_forward_darija_gpt import FEED_FORWARDS
from .heads_darija_gpt import DarijaGPTValueEmbedding
from .latent_attention_darija_gpt import DarijaGPTLatentAttention
from .linear_attention_darija_gpt import DarijaGPTLinearCache
from .masks_darija_gpt import create_masks
from .norms_darija_gpt import NORMS
from .null_objects_darija_gpt import build_dropout, keep
from .pooling_darija_gpt import POOLINGS, find_text
from .positions_darija_gpt import POSITION_EMBEDDINGS


class DarijaGPTInputSkip(nn.Module):
    """The stream and the embeddings, each weighted by a learnt scalar (nanochat)."""

    def __init__(self):
        super().__init__()
        self.stream_weight = nn.Parameter(torch.ones(()))
        self.input_weight = nn.Parameter(torch.zeros(()))

    def forward(self, hidden_states: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        return self.stream_weight * hidden_states + self.input_weight * inputs


INPUT_SKIPS = {False: lambda: keep, True: DarijaGPTInputSkip}


class DarijaGPTDecoderLayer(GradientCheckpointingLayer):
    """The parts of a layer; a subclass for each norm position names its norms and puts all in order."""

    norms: tuple[str, ...] = ()

    def __init__(self, config: DarijaGPTConfig, layer_idx: int):
        super().__init__()
        self.input_skip = INPUT_SKIPS[config.input_skip]()
        self.self_attn = ATTENTIONS[config.layer_attentions[layer_idx]](config, layer_idx)
        self.mlp = FEED_FORWARDS[config.gated_mlp](config)
        for name in self.norms:
            setattr(self, name, NORMS[config.norm](config.hidden_size, eps=config.norm_eps))
        self.residual_dropout = build_dropout(config.residual_dropout)


class DarijaGPTPreNormDecoderLayer(DarijaGPTDecoderLayer):
    """Normalises what enters a sublayer (GPT-2, Llama)."""

    norms = ("input_layernorm", "post_attention_layernorm")

    def forward(self, hidden_states: torch.Tensor, inputs: torch.Tensor, position_bias, **kwargs) -> torch.Tensor:
        hidden_states = self.input_skip(hidden_states, inputs)
        attended, _ = self.self_attn(self.input_layernorm(hidden_states), position_bias, **kwargs)
        hidden_states = hidden_states + self.residual_dropout(attended)
        transformed = self.mlp(self.post_attention_layernorm(hidden_states))
        return hidden_states + self.residual_dropout(transformed)


class DarijaGPTPostNormDecoderLayer(DarijaGPTDecoderLayer):
    """Normalises the stream after each sublayer has been added (Vaswani et al. 2017, GPT-1)."""

    norms = ("post_attention_layernorm", "post_feedforward_layernorm")

    def forward(self, hidden_states: torch.Tensor, inputs: torch.Tensor, position_bias, **kwargs) -> torch.Tensor:
        hidden_states = self.input_skip(hidden_states, inputs)
        attended, _ = self.self_attn(hidden_states, position_bias, **kwargs)
        hidden_states = self.post_attention_layernorm(hidden_states + self.residual_dropout(attended))
        transformed = self.mlp(hidden_states)
        return self.post_feedforward_layernorm(hidden_states + self.residual_dropout(transformed))


class DarijaGPTSandwichNormDecoderLayer(DarijaGPTDecoderLayer):
    """Normalises what enters and what leaves a sublayer (Gemma 2)."""

    norms = (
        "input_layernorm",
        "post_attention_layernorm",
        "pre_feedforward_layernorm",
        "post_feedforward_layernorm",
    )

    def forward(self, hidden_states: torch.Tensor, inputs: torch.Tensor, position_bias, **kwargs) -> torch.Tensor:
        hidden_states = self.input_skip(hidden_states, inputs)
        attended, _ = self.self_attn(self.input_layernorm(hidden_states), position_bias, **kwargs)
        hidden_states = hidden_states + self.residual_dropout(self.post_attention_layernorm(attended))
        transformed = self.mlp(self.pre_feedforward_layernorm(hidden_states))
        return hidden_states + self.residual_dropout(self.post_feedforward_layernorm(transformed))


DECODER_LAYERS = {
    "pre": DarijaGPTPreNormDecoderLayer,
    "post": DarijaGPTPostNormDecoderLayer,
    "sandwich": DarijaGPTSandwichNormDecoderLayer,
}

# After the last layer, by `norm_position`: where each layer ends in a norm, none is left to do.
FINAL_NORMS = {
    "pre": lambda config: NORMS[config.norm](config.hidden_size, eps=config.norm_eps),
    "post": lambda config: keep,
    "sandwich": lambda config: NORMS[config.norm](config.hidden_size, eps=config.norm_eps),
}


class DarijaGPTSoftCap(nn.Module):
    """Bends the logits into (-cap, cap) by tanh (Gemma 2)."""

    def __init__(self, cap: float):
        super().__init__()
        self.cap = cap

    def forward(self, logits: torch.Tensor) -> torch.Tensor:
        return self.cap * torch.tanh(logits / self.cap)


class DarijaGPTPreTrainedModel(PreTrainedModel):
    """What all DarijaGPT models share: how their weights start, and what transformers may do with them."""

    config_class = DarijaGPTConfig
    config: DarijaGPTConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _skip_keys_device_placement = ["past_key_values"]
    _supports_sdpa = True
    _supports_flex_attn = True
    _can_compile_fullgraph = True
    _supports_attention_backend = True
    _can_record_outputs = {
        "hidden_states": DarijaGPTDecoderLayer,
        "attentions": [DarijaGPTAttention, DarijaGPTLatentAttention],
    }

    def __init__(self, config: DarijaGPTConfig):
        # Fields may have been changed since it was made.
        config.derive_sizes()
        config.validate()
        super().__init__(config)
        # Whoever shards a model looks for every class that is named here.
        self._no_split_modules = [DECODER_LAYERS[config.norm_position].__name__]

    @property
    def _supports_flash_attn(self) -> bool:
        # Flash kernels take neither a bias on the scores nor a mask of any pattern.
        has_bias = self.config.position_embedding in ("relative", "alibi")
        return not has_bias and "bigbird" not in self.config.layer_attentions

    @classmethod
    def from_pretrained(cls, *args, use_safetensors: bool | None = None, **kwargs):
        """As everywhere in transformers, but from safetensors only: a pickle may run code when it is opened."""
        if use_safetensors is False:
            raise ValueError(
                "use_safetensors=False would open pickles, which may run code; convert the weights first."
            )
        return super().from_pretrained(*args, use_safetensors=True, **kwargs)

    def _resize_token_embeddings(self, new_num_tokens: int, *args, **kwargs) -> nn.Embedding:
        for module in self.modules():
            if isinstance(module, DarijaGPTValueEmbedding):
                module.embed_values = self._get_resized_embeddings(
                    module.embed_values, new_num_tokens, *args, **kwargs
                )
        return super()._resize_token_embeddings(new_num_tokens, *args, **kwargs)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        super()._init_weights(module)
        if isinstance(module, DarijaGPTInputSkip):
            init.ones_(module.stream_weight)
            init.zeros_(module.input_weight)
        if getattr(module, "writes_to_residual", False):
            scale = {"plain": 1.0, "scaled": (2 * self.config.num_hidden_layers) ** -0.5, "zero": 0.0}
            init.normal_(module.weight, std=self.config.initializer_range * scale[self.config.residual_init])


class DarijaGPTModel(DarijaGPTPreTrainedModel):
    """The decoder without a head: token ids -> hidden states."""

    def __init__(self, config: DarijaGPTConfig):
        super().__init__(config)
        self.padding_idx = config.pad_token_id
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, self.padding_idx)
        self.position_embedding = POSITION_EMBEDDINGS[config.position_embedding](config)
        self.embedding_dropout = build_dropout(config.embedding_dropout)
        self.layers = nn.ModuleList(
            [DECODER_LAYERS[config.norm_position](config, layer_idx) for layer_idx in range(config.num_hidden_layers)]
        )
        self.layer_attentions = config.layer_attentions
        self.adopt_cache = DarijaGPTLinearCache.adopt if set(self.layer_attentions) == {"linear"} else keep
        self.norm = FINAL_NORMS[config.norm_position](config)
        self.gradient_checkpointing = False
        self.post_init()

    @merge_with_config_defaults
    @capture_outputs
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.FloatTensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> BaseModelOutputWithPast:
        r"""
        Hidden states of shape (batch, length, hidden_size).

        Documents packed into one row are kept apart when `position_ids` start anew at each, and neither
        `attention_mask` nor `past_key_values` is given.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give either input_ids or inputs_embeds.")
        if inputs_embeds is None:
            inputs_embeds = self.embed_tokens(input_ids)
        self.adopt_cache(past_key_values)
        masks = attention_mask
        if not isinstance(attention_mask, dict):  # generate has made them already for a static cache
            masks = create_masks(self.config, inputs_embeds, attention_mask, past_key_values, position_ids)
        # After the masks, because documents may be packed only where nothing is cached yet.
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
            self.adopt_cache(past_key_values)
        if position_ids is None:
            num_cached_tokens = past_key_values.get_seq_length() if past_key_values is not None else 0
            position_ids = torch.arange(inputs_embeds.shape[1], device=inputs_embeds.device) + num_cached_tokens
            position_ids = position_ids.unsqueeze(0)

        hidden_states = self.embedding_dropout(self.position_embedding.add(inputs_embeds, position_ids))
        position_embeddings = self.position_embedding.prepare(hidden_states, position_ids)
        position_biases = {
            attention: self.position_embedding.bias(
                hidden_states, position_ids, past_key_values, self.layer_attentions.index(attention)
            )
            for attention in masks
        }
        inputs = hidden_states
        for attention, decoder_layer in zip(self.layer_attentions, self.layers, strict=True):
            # Reentrant checkpointing gives gradients to positional arguments alone.
            hidden_states = decoder_layer(
                hidden_states,
                inputs,
                position_biases[attention],
                position_embeddings=position_embeddings,
                attention_mask=masks[attention],
                input_ids=input_ids,
                position_ids=position_ids,
                past_key_values=past_key_values,
                use_cache=use_cache,
                **kwargs,
            )
        return BaseModelOutputWithPast(last_hidden_state=self.norm(hidden_states), past_key_values=past_key_values)


class DarijaGPTForCausalLM(DarijaGPTPreTrainedModel, GenerationMixin):
    """DarijaGPT that predicts the next token."""

    # For static caches, whose masks `generate` makes itself.
    create_masks_for_generate = staticmethod(create_masks)
    _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight"}

    def __init__(self, config: DarijaGPTConfig):
        super().__init__(config)
        self.model = DarijaGPTModel(config)
        self.vocab_size = config.vocab_size
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        cap = config.final_logit_softcapping
        # What a linear layer has read it cannot take back, as generating with an assistant would need.
        self._is_stateful = "linear" in config.layer_attentions
        self.logit_softcap = keep if cap is None else DarijaGPTSoftCap(cap)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.FloatTensor | None = None,
        labels: torch.LongTensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        **kwargs: Unpack[TransformersKwargs],
    ) -> CausalLMOutputWithPast:
        r"""
        Logits of shape (batch, length, vocab_size), and with `labels` (shifted inside, -100 is left out) the loss.
        """
        outputs: BaseModelOutputWithPast = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )
        logits = self.logit_softcap(self.lm_head(slice_logits_to_keep(outputs.last_hidden_state, logits_to_keep)))
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs)
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )

    def _prepare_cache_for_generation(self, generation_config, model_kwargs, *args):
        super()._prepare_cache_for_generation(generation_config, model_kwargs, *args)
        self.model.adopt_cache(model_kwargs.get("past_key_values"))


# `generate` looks at it before each token of a model whose code is not transformers' own.
DarijaGPTForCausalLM.forward.__signature__ = inspect.signature(DarijaGPTForCausalLM.forward)


class DarijaGPTForSequenceClassification(DarijaGPTPreTrainedModel):
    """DarijaGPT that classifies a text by the hidden state of its last token, or the mean of all."""

    # The Trainer divides by the steps that it accumulates: this loss is the mean over the texts of one.
    accepts_loss_kwargs = False

    def __init__(self, config: DarijaGPTConfig):
        super().__init__(config)
        self.num_labels = config.num_labels
        self.model = DarijaGPTModel(config)
        self.pool = POOLINGS[config.classifier_pooling]
        self.score = nn.Linear(config.hidden_size, config.num_labels, bias=False)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.LongTensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Unpack[TransformersKwargs],
    ) -> SequenceClassifierOutputWithPast:
        """Logits of the classes, shape (batch, num_labels), and with `labels` the loss."""
        outputs = self.model(
            input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            **kwargs,
        )
        states = outputs.last_hidden_state
        is_text = find_text(states, input_ids, attention_mask, self.config.pad_token_id)
        logits = self.score(self.pool(states, is_text))
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, pooled_logits=logits, config=self.config)
        return SequenceClassifierOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )


__all__ = [
    "DarijaGPTForCausalLM",
    "DarijaGPTForSequenceClassification",
    "DarijaGPTModel",
    "DarijaGPTPreTrainedModel",
]
