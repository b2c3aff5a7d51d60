"""What classifiers and summarisers make of a text, which they read as they did in training."""

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def classify(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", text: str) -> list[tuple[str, float]]:
    """The probability of each label for a text, which is cut where the model reads no further.

    Args:
        model (`PreTrainedModel`):
            A classifier.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        text (`str`):
            A text as people wrote it. No control token comes of it.
    """
    import torch

    from darija_gpt.classifiers import count_usable_tokens, encode_texts

    max_length = count_usable_tokens(model, tokenizer)
    [encoding], _ = encode_texts(tokenizer, [_mend(text)], max_length=max_length, truncation=True, name="the page")
    inputs = {name: torch.tensor([values], device=model.device) for name, values in encoding.items()}
    with torch.inference_mode():
        logits = model(**inputs).logits[0].float()
    # With several labels at once each has a probability of its own.
    shares = logits.sigmoid() if model.config.problem_type == "multi_label_classification" else logits.softmax(-1)
    return [(str(model.config.id2label[index]), share) for index, share in enumerate(shares.tolist())]


def summarize(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    text: str,
    *,
    source_prefix: str = "",
    max_source_length: int | None = None,
    max_new_tokens: int = 128,
    num_beams: int = 1,
) -> str:
    """What an encoder-decoder model writes of a text, the likeliest words.

    Args:
        model (`PreTrainedModel`):
            An encoder-decoder model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        text (`str`):
            A text as people wrote it. No control token comes of it.
        source_prefix (`str`, *optional*):
            What stands before each text, such as an instruction.
        max_source_length (`int`, *optional*):
            Tokens of a text with its prefix, which is cut behind them; by default what the model reads, or 1,024.
        max_new_tokens (`int`, *optional*, defaults to `128`):
            The longest summary.
        num_beams (`int`, *optional*, defaults to `1`):
            Beginnings that beam search keeps.
    """
    from darija_gpt.seq2seq import encode_texts, generate_texts

    # Other people's configurations need not have the field: T5's positions are relative and without end.
    positions = getattr(model.config, "max_position_embeddings", None) or 1024
    encoded = encode_texts(
        tokenizer,
        [_mend(source_prefix + text)],
        max_length=max_source_length or min(tokenizer.model_max_length, positions),
        name="max_source_length",
    )
    [written] = generate_texts(model, tokenizer, encoded.token_ids, max_new_tokens=max_new_tokens, num_beams=num_beams)
    return written


def _mend(text: str) -> str:
    """A text without halves of characters, which browsers can send."""
    return text.encode("utf-8", "replace").decode()
