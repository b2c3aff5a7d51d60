"""The neural language model of Bengio et al. 2003: a window of words, their vectors side by side, one hidden layer.

    y = b + W x + U tanh(d + H x)

x are the vectors of the last `num_context_tokens` tokens, one behind the other, and y the logits of the next one. It
is here to be compared with: no attention, no depth, no position but a token's place in the window. What it shares with
every language model since is the table of vectors that is learnt along with the rest. `pretrain.py` trains it with
`architecture: neural_lm`. The file travels with the weights, as those of `model/` do, and so imports no sibling.
"""

import torch
from huggingface_hub.dataclasses import strict
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers import initialization as init
from transformers.configuration_utils import PreTrainedConfig
from transformers.generation import GenerationMixin
from transformers.modeling_outputs import CausalLMOutput
from transformers.modeling_utils import PreTrainedModel, slice_logits_to_keep
from transformers.processing_utils import Unpack
from transformers.utils import TransformersKwargs, can_return_tuple


@strict
class NeuralLMConfig(PreTrainedConfig):
    r"""
    What decides a neural language model. Names are those of DarijaGPTConfig where the thing is the same.

    Args:
        vocab_size (`int`, *optional*, defaults to `4096`):
            Entries of the tokenizer, or more.
        hidden_size (`int`, *optional*, defaults to `64`):
            Width of a token's vector, m in the paper, which tried 30 to 100.
        intermediate_size (`int`, *optional*, defaults to `512`):
            Units of the hidden layer, h in the paper, which tried 50 to 200.
        num_context_tokens (`int`, *optional*, defaults to `8`):
            Tokens that the next one is predicted from, n - 1 in the paper, which tried 2 to 5 whole words.
        direct_connections (`bool`, *optional*, defaults to `False`):
            Also maps x to the logits without the hidden layer, W in the paper.
        max_position_embeddings (`int`, *optional*, defaults to `512`):
            Tokens of a training block and of a window that is evaluated. The model reads texts of any length.
        initializer_range (`float`, *optional*, defaults to `0.02`):
            Standard deviation of the fresh weights of the output.
    """

    model_type = "neural_lm"

    vocab_size: int = 4096
    hidden_size: int = 64
    intermediate_size: int = 512
    num_context_tokens: int = 8
    direct_connections: bool = False
    max_position_embeddings: int = 512
    initializer_range: int | float = 0.02

    tie_word_embeddings: bool = False
    use_cache: bool = False
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 0
    pad_token_id: int | None = 3

    @classmethod
    def from_dict(cls, config_dict, **kwargs):
        """As everywhere, but changed fields are there before they are checked."""
        own = cls.__dataclass_fields__.keys() - PreTrainedConfig.__dataclass_fields__.keys()
        changed = {name: kwargs.pop(name) for name in own & kwargs.keys()}
        return super().from_dict({**config_dict, **changed}, **kwargs)

    @property
    def layer_attentions(self) -> list[str]:
        """The attention of each layer: there is none."""
        return []

    def validate_architecture(self):
        """Refuses what cannot be built."""
        for name in ("vocab_size", "hidden_size", "intermediate_size", "num_context_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")
        if self.max_position_embeddings < 2:
            raise ValueError(f"max_position_embeddings={self.max_position_embeddings} must be at least 2.")
        if self.pad_token_id is not None and not 0 <= self.pad_token_id < self.vocab_size:
            raise ValueError(f"pad_token_id={self.pad_token_id} is no token of vocab_size={self.vocab_size}.")
        if self.tie_word_embeddings:
            raise ValueError("tie_word_embeddings must be false: vectors and hidden layer differ in width.")


class NoDirectConnections(nn.Module):
    """Leaves the logits as the hidden layer made them."""

    def __init__(self, config: NeuralLMConfig):
        super().__init__()

    def forward(self, logits: torch.Tensor, contexts: torch.Tensor) -> torch.Tensor:
        return logits


class DirectConnections(nn.Module):
    """Adds a linear map of the context's vectors to the logits."""

    def __init__(self, config: NeuralLMConfig):
        super().__init__()
        self.proj = nn.Linear(config.num_context_tokens * config.hidden_size, config.vocab_size, bias=False)
        self.proj.writes_to_logits = True

    def forward(self, logits: torch.Tensor, contexts: torch.Tensor) -> torch.Tensor:
        return logits + self.proj(contexts)


# By `direct_connections`.
CONNECTIONS = {False: NoDirectConnections, True: DirectConnections}


class NeuralLMForCausalLM(PreTrainedModel, GenerationMixin):
    """Predicts each token from the window before it. Slots of the window before a document's beginning hold zeros."""

    config_class = NeuralLMConfig
    config: NeuralLMConfig
    base_model_prefix = ""

    def __init__(self, config: NeuralLMConfig):
        super().__init__(config)
        self.vocab_size = config.vocab_size
        self.num_context_tokens = config.num_context_tokens
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.hidden = nn.Linear(config.num_context_tokens * config.hidden_size, config.intermediate_size)
        self.lm_head = nn.Linear(config.intermediate_size, config.vocab_size)
        self.connect = CONNECTIONS[config.direct_connections](config)
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module):
        super()._init_weights(module)
        # No norm follows: what goes into the tanh has to be of size 1 by itself.
        if module is self.embed_tokens:
            init.normal_(module.weight, std=1.0)
        if module is self.hidden:
            init.normal_(module.weight, std=module.in_features**-0.5)

    def _resize_token_embeddings(self, new_num_tokens: int, *args, **kwargs) -> nn.Embedding:
        if self.config.direct_connections:
            self.connect.proj = self._get_resized_lm_head(self.connect.proj, new_num_tokens)
            self.connect.proj.writes_to_logits = True
        return super()._resize_token_embeddings(new_num_tokens, *args, **kwargs)

    @classmethod
    def _supports_default_dynamic_cache(cls) -> bool:
        return False

    @can_return_tuple
    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        labels: torch.LongTensor | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        **kwargs: Unpack[TransformersKwargs],
    ) -> CausalLMOutput:
        r"""
        Logits of shape (batch, length, vocab_size), and with `labels` (shifted inside, -100 is left out) the loss.

        A window ends where `position_ids` start anew, and so within its document. `attention_mask` is not looked at:
        what is padded on the right is seen by nobody, and for padding on the left `generate` counts positions.
        """
        if input_ids is None:
            raise ValueError("input_ids is missing, and windows are made of tokens; inputs_embeds has no use here.")
        if position_ids is None:
            position_ids = torch.arange(input_ids.shape[1], device=input_ids.device).unsqueeze(0)
        contexts = self._gather_contexts(self.embed_tokens(input_ids), position_ids)
        contexts = slice_logits_to_keep(contexts, logits_to_keep)
        logits = self.connect(self.lm_head(torch.tanh(self.hidden(contexts))), contexts)
        loss = None
        if labels is not None:
            loss = self.loss_function(logits=logits, labels=labels, vocab_size=self.config.vocab_size, **kwargs)
        return CausalLMOutput(loss=loss, logits=logits)

    def prepare_inputs_for_generation(
        self, input_ids: torch.LongTensor, attention_mask: torch.Tensor | None = None, **kwargs
    ) -> dict[str, torch.Tensor]:
        """The last window: all that the next token depends on, so that nothing need be cached."""
        window = slice(-self.num_context_tokens, None)
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        position_ids = (mask.cumsum(dim=1) - 1).clamp(min=0)
        return {"input_ids": input_ids[:, window], "position_ids": position_ids[:, window], "logits_to_keep": 1}

    def _gather_contexts(self, embeddings: torch.Tensor, position_ids: torch.Tensor) -> torch.Tensor:
        """The vectors of each token and of those before it in its document, the latest first, side by side."""
        size = self.num_context_tokens
        padded = nn.functional.pad(embeddings, (0, 0, size - 1, 0))
        slots = padded.unfold(1, size, 1).flip(-1).transpose(2, 3)  # (batch, length, num_context_tokens, hidden_size)
        is_inside = torch.arange(size, device=embeddings.device) <= position_ids.unsqueeze(-1)
        return (slots * is_inside.unsqueeze(-1)).flatten(2)  # (batch, length, num_context_tokens * hidden_size)


AutoConfig.register(NeuralLMConfig.model_type, NeuralLMConfig)
AutoModelForCausalLM.register(NeuralLMConfig, NeuralLMForCausalLM)
NeuralLMConfig.register_for_auto_class()
NeuralLMForCausalLM.register_for_auto_class("AutoModelForCausalLM")
