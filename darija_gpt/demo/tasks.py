"""What classifiers and summarisers make of a text."""

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

    inputs = _encode(model, tokenizer, text)
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
        max_new_tokens (`int`, *optional*, defaults to `128`):
            The longest summary.
        num_beams (`int`, *optional*, defaults to `1`):
            Beginnings that beam search keeps.
    """
    inputs = _encode(model, tokenizer, source_prefix + text)
    output = model.generate(**inputs, max_new_tokens=max_new_tokens, num_beams=num_beams, do_sample=False)
    return tokenizer.decode(output[0], skip_special_tokens=True).strip()


def _encode(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", text: str) -> dict:
    text = text.encode("utf-8", "replace").decode()
    # Other people's configurations need not have the field: T5's positions are relative and without end. RoBERTa's two
    # first positions are no text's.
    positions = getattr(model.config, "max_position_embeddings", None)
    max_length = min(tokenizer.model_max_length, positions - 2 if positions else 1024)
    inputs = tokenizer(text, truncation=True, max_length=max_length, split_special_tokens=True, return_tensors="pt")
    return {name: values.to(model.device) for name, values in inputs.items()}
