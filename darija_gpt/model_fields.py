"""The `model:` of a recipe: what may stand in it, and the configuration that it becomes."""

from typing import Any

from darija_gpt.architectures import Architecture, load_classes
from darija_gpt.recipe import check_keys


CONTROL_TOKEN_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")


def check_model(model_fields: dict[str, Any], block_size: int | None, architecture: Architecture) -> None:
    """Refuses what is wrong with a model whatever its tokenizer will be, which may have to be trained first.

    Raises:
        ValueError: As `build_config` and `choose_block_size`.
    """
    _check_fields(model_fields, architecture)
    own = {name: value for name, value in model_fields.items() if name not in CONTROL_TOKEN_IDS}
    choose_block_size(block_size, _fill_config(own, architecture).max_position_embeddings)


def choose_block_size(block_size: int | None, max_position_embeddings: int) -> int:
    """The tokens of a block: as many as the recipe says, or as the model reads.

    Raises:
        ValueError: If the model cannot read them, or learn from them.
    """
    if max_position_embeddings < 2:
        raise ValueError(
            f"model.max_position_embeddings={max_position_embeddings} leaves no token to be predicted; make it 2 at "
            "least."
        )
    if block_size is not None and block_size > max_position_embeddings:
        raise ValueError(
            f"block_size={block_size} is longer than model.max_position_embeddings={max_position_embeddings}; raise "
            "the one or lower the other."
        )
    return max_position_embeddings if block_size is None else block_size


def build_config(model_fields: dict[str, Any], tokenizer, architecture: Architecture = "darija_gpt"):
    """A configuration from a recipe's `model:` mapping.

    Args:
        model_fields (`dict`):
            Fields of DarijaGPTConfig, or of the configuration of another architecture.
        tokenizer (`PreTrainedTokenizerFast`):
            Gives the ids of the control tokens, and `vocab_size` where the mapping does not.
        architecture (`"darija_gpt"` or `"neural_lm"`, *optional*, defaults to `"darija_gpt"`):
            Which configuration it is.

    Raises:
        ValueError: If a field is unknown, a value is wrong, or fields do not go together.
    """
    _check_fields(model_fields, architecture)
    from_tokenizer = {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    for name in CONTROL_TOKEN_IDS:
        if model_fields.get(name, from_tokenizer[name]) != from_tokenizer[name]:
            raise ValueError(
                f"model.{name}={model_fields[name]} is not the tokenizer's, which is {from_tokenizer[name]}; leave it "
                "out."
            )
    config = _fill_config({**from_tokenizer, **model_fields}, architecture)
    if config.vocab_size < len(tokenizer):
        raise ValueError(
            f"model.vocab_size={config.vocab_size} is smaller than the tokenizer, which has {len(tokenizer)} entries; "
            "leave model.vocab_size out."
        )
    return config


def _check_fields(model_fields: dict[str, Any], architecture: Architecture) -> None:
    """Refuses what is no architecture: every configuration of transformers also has fields of other purposes."""
    config_class, _ = load_classes(architecture)
    check_keys(model_fields, config_class.__annotations__, "model")


def _fill_config(values: dict[str, Any], architecture: Architecture):
    from huggingface_hub.errors import StrictDataclassError

    config_class, _ = load_classes(architecture)
    try:
        return config_class(**values)
    except StrictDataclassError as error:
        # The reason stands in the cause; around it is the name of the validator.
        raise ValueError(f"model: {error.__cause__ or error}") from None
