"""DarijaGPT: a decoder whose every part is chosen by the configuration."""

import torch
from torch import nn
from transformers import initialization as init
from transformers.cache_utils import Cache, DynamicCache
from transformers.generation import GenerationMixin
from transformers.masking_utils import create_causal_mask
from transformers.modeling_layers import GenericForSequenceClassification, GradientCheckpointingLayer
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.modeling_utils import PreTrainedModel, slice_logits_to_keep
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs, can_return_tuple
from transformers.utils.generic import merge_with_config_defaults
from transformers.utils.output_capturing import capture_outputs

from .attention_darija_gpt import ATTENTIONS, DarijaGPTAttention
from .configuration_darija_gpt import DarijaGPTConfig
from .feed_forward_darija_gpt import FEED_FORWARDS, ResidualProjection
from .norms_darija_gpt import NORMS
from .positions_darija_gpt import POSITION_EMBEDDINGS


class DarijaGPTDecoderLayer(GradientCheckpointingLayer):
    """The parts of a layer; a subclass for each norm position puts them in order."""

    def __init__(self, config: DarijaGPTConfig, layer_idx: int):
        super().__init__()
        self.self_attn = ATTENTIONS[config.attention](config, layer_idx)
        self.mlp = FEED_FORWARDS[config.gated_mlp](config)
        self.input_layernorm = NORMS[config.norm](config.hidden_size, eps=config.norm_eps)
        self.post_attention_layernorm = NORMS[config.norm](config.hidden_size, eps=config.norm_eps)
        self.residual_dropout = nn.Dropout(config.residual_dropout)


class DarijaGPTPreNormDecoderLayer(DarijaGPTDecoderLayer):
    """Normalises what enters a sublayer (GPT-2, Llama)."""

    def forward(self, hidden_states: torch.Tensor, **kwargs: Unpack[TransformersKwargs]) -> torch.Tensor:
        attended, _ = self.self_attn(self.input_layernorm(hidden_states), **kwargs)
        hidden_states = hidden_states + self.residual_dropout(attended)
        transformed = self.mlp(self.post_attention_layernorm(hidden_states))
        return hidden_states + self.residual_dropout(transformed)


DECODER_LAYERS = {"pre": DarijaGPTPreNormDecoderLayer}


class DarijaGPTPreTrainedModel(PreTrainedModel):
    """What all DarijaGPT models share: how their weights start, and what transformers may do with them."""

    config_class = DarijaGPTConfig
    config: DarijaGPTConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _no_split_modules = [layer_class.__name__ for layer_class in DECODER_LAYERS.values()]
    _skip_keys_device_placement = ["past_key_values"]
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_flex_attn = True
    _can_compile_fullgraph = True
    _supports_attention_backend = True
    _can_record_outputs = {"hidden_states": DarijaGPTDecoderLayer, "attentions": DarijaGPTAttention}

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        super()._init_weights(module)
        if isinstance(module, ResidualProjection):
            scale = {"plain": 1.0, "scaled": (2 * self.config.num_hidden_layers) ** -0.5, "zero": 0.0}
            init.normal_(module.weight, std=self.config.initializer_range * scale[self.config.residual_init])


class DarijaGPTModel(DarijaGPTPreTrainedModel):
    """The decoder without a head: token ids -> hidden states."""

    def __init__(self, config: DarijaGPTConfig):
        super().__init__(config)
        self.padding_idx = config.pad_token_id
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size, self.padding_idx)
        self.embedding_dropout = nn.Dropout(config.embedding_dropout)
        self.rotary_emb = POSITION_EMBEDDINGS[config.position_embedding](config)
        self.layers = nn.ModuleList(
            [DECODER_LAYERS[config.norm_position](config, layer_idx) for layer_idx in range(config.num_hidden_layers)]
        )
        self.norm = NORMS[config.norm](config.hidden_size, eps=config.norm_eps)
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

        Documents packed into one row are kept apart when `position_ids` start anew at each, `attention_mask` is None
        and `use_cache` is False.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give either input_ids or inputs_embeds.")
        if inputs_embeds is None:
            inputs_embeds = self.embed_tokens(input_ids)
        if use_cache and past_key_values is None:
            past_key_values = DynamicCache(config=self.config)
        if position_ids is None:
            num_cached_tokens = past_key_values.get_seq_length() if past_key_values is not None else 0
            positions = torch.arange(inputs_embeds.shape[1], device=inputs_embeds.device)
            position_ids = (positions + num_cached_tokens).unsqueeze(0)

        causal_mask = create_causal_mask(
            config=self.config,
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            position_ids=position_ids,
        )
        hidden_states = self.embedding_dropout(inputs_embeds)
        position_embeddings = self.rotary_emb(hidden_states, position_ids)
        for decoder_layer in self.layers:
            hidden_states = decoder_layer(
                hidden_states,
                attention_mask=causal_mask,
                position_embeddings=position_embeddings,
                position_ids=position_ids,
                past_key_values=past_key_values,
                use_cache=use_cache,
                **kwargs,
            )
        return BaseModelOutputWithPast(last_hidden_state=self.norm(hidden_states), past_key_values=past_key_values)


class DarijaGPTForCausalLM(DarijaGPTPreTrainedModel, GenerationMixin):
    """DarijaGPT that predicts the next token."""

    _tied_weights_keys = {"lm_head.weight": "model.embed_tokens.weight"}

    def __init__(self, config: DarijaGPTConfig):
        super().__init__(config)
        self.model = DarijaGPTModel(config)
        self.vocab_size = config.vocab_size
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
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
        logits = self.lm_head(slice_logits_to_keep(outputs.last_hidden_state, logits_to_keep))
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


class DarijaGPTForSequenceClassification(GenericForSequenceClassification, DarijaGPTPreTrainedModel):
    """DarijaGPT that classifies a text by the hidden state of its last token."""

    def __init__(self, config: DarijaGPTConfig):
        # Not the generic head's own __init__: it asks AutoModel for the decoder, which code loaded from the Hub is
        # not registered with.
        DarijaGPTPreTrainedModel.__init__(self, config)
        self.num_labels = config.num_labels
        self.model = DarijaGPTModel(config)
        self.score = nn.Linear(config.hidden_size, config.num_labels, bias=False)
        self.post_init()


__all__ = [
    "DarijaGPTForCausalLM",
    "DarijaGPTForSequenceClassification",
    "DarijaGPTModel",
    "DarijaGPTPreTrainedModel",
]
