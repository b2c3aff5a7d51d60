"""What a model's training computes, which over what the processor could (`peak_flops`) is model FLOPs utilisation.

As Chowdhery et al. 2022 (PaLM, appendix B) define it: multiplications and additions of the model's matrices, with two
backward passes' worth for each forward pass. What activation checkpointing computes again does not count.
"""

from collections.abc import Callable

from torch import nn

from darija_gpt.model.configuration_darija_gpt import DarijaGPTConfig


def count_flops_per_token(model: nn.Module, length: int) -> int:
    """FLOPs of one token in training, forward and backward: 6 N, and the attention between tokens.

    N are the weights of linear maps, the output layer among them, also where it is tied to the embeddings. Tables that
    tokens are looked up in (embeddings, value embeddings, learnt positions) compute nothing. Norms, activations and
    biases are left out.

    Args:
        model (`nn.Module`):
            A DarijaGPT.
        length (`int`):
            Tokens of a block. As in PaLM, a token counts as if it looked at all of them, though the mask hides half
            and, in packed blocks, other documents; so figures of different models can be compared.
    """
    num_weights = sum(
        module.in_features * module.out_features for module in model.modules() if isinstance(module, nn.Linear)
    )
    config = model.config
    attention = sum(ATTENTION_FLOPS[name](config, length) for name in config.layer_attentions)
    return 6 * num_weights + 3 * attention


def _count_scored(config: DarijaGPTConfig, num_keys: int) -> int:
    """Scores, and the sum of values weighted by them."""
    return 4 * config.num_attention_heads * config.head_dim * num_keys


def _count_bigbird(config: DarijaGPTConfig, length: int) -> int:
    """As far from the beginning, where a token sees all kinds of blocks."""
    num_blocks = 2 + config.num_global_blocks + config.num_random_blocks
    return _count_scored(config, min(length, num_blocks * config.block_size))


def _count_latent(config: DarijaGPTConfig, length: int) -> int:
    """With keys and values made of the latents, as in training; zeros that pad them do not count."""
    width = config.qk_nope_head_dim + config.qk_rope_head_dim + config.v_head_dim
    return 2 * config.num_attention_heads * width * length


def _count_linear(config: DarijaGPTConfig, length: int) -> int:
    """Into the state and out of it, token by token. The chunks in which it is done take some more."""
    return 2 * (config.num_attention_heads + config.num_key_value_heads) * config.head_dim * (config.head_dim + 1)


# Of a forward pass, per token and layer, beside the projections.
ATTENTION_FLOPS: dict[str, Callable[[DarijaGPTConfig, int], int]] = {
    "full": _count_scored,
    "sliding": lambda config, length: _count_scored(config, min(length, config.sliding_window)),
    "linear": _count_linear,
    "latent": _count_latent,
    "bigbird": _count_bigbird,
}
