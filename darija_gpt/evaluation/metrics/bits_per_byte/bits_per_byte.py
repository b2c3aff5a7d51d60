"""Bits per byte of texts under a causal language model, as a module of `evaluate`."""

import math

import datasets
import evaluate
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


_DESCRIPTION = """
Bits per byte: how many bits a causal language model needs, on average, to write each UTF-8 byte of some texts. Unlike
perplexity it does not depend on the tokenizer, so that models with different vocabularies can be compared. Lower is
better; 8 is guessing blindly.
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions (`list[str]`):
        The texts, each a document of its own. The model reads its bos token (else eos) before each.
    model_id (`str`):
        A causal language model: its id on the Hub or a directory.
    context_tokens (`int`, *optional*):
        Tokens of a window, what the model reads at once by default.
    revision (`str`, *optional*):
        A branch, tag or commit of the model.
    trust_remote_code (`bool`, *optional*, defaults to `False`):
        Run code that comes with the model. Read it first, and name its commit as `revision`.
    device (`str`, *optional*):
        Such as `cuda`, the best there is by default.

Returns:
    `dict`: `bits_per_byte` over all texts, `by_text` with one number for each, `num_bytes` and `num_tokens`.

Examples:
    >>> import evaluate
    >>> bits_per_byte = evaluate.load("darija_gpt/evaluation/metrics/bits_per_byte")
    >>> bits_per_byte.compute(predictions=["salam, labas?"], model_id="openai-community/gpt2")  # doctest: +SKIP
"""

_CITATION = """
@article{gao2020pile,
  title={The Pile: An 800GB Dataset of Diverse Text for Language Modeling},
  author={Gao, Leo and others},
  journal={arXiv:2101.00027},
  year={2020}
}
"""


class BitsPerByte(evaluate.Metric):
    """Bits per byte of texts under a causal language model."""

    def _info(self):
        return evaluate.MetricInfo(
            module_type="metric",
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_KWARGS_DESCRIPTION,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(
        self,
        predictions,
        model_id,
        context_tokens=None,
        revision=None,
        trust_remote_code=False,
        device=None,
    ):
        if not all(predictions):
            raise ValueError("a text is empty, and has no bytes to count; leave it out.")
        model, tokenizer = _load(model_id, revision, trust_remote_code, device)
        context_tokens = context_tokens or model.config.get_text_config().max_position_embeddings
        nats, num_tokens = [], 0
        for text in predictions:
            ids = _encode(tokenizer, text)
            nats.append(_sum_losses(model, ids, context_tokens))
            num_tokens += len(ids) - 1
        num_bytes = [len(text.encode()) for text in predictions]
        return {
            "bits_per_byte": sum(nats) / math.log(2) / sum(num_bytes),
            "by_text": [total / math.log(2) / size for total, size in zip(nats, num_bytes, strict=True)],
            "num_bytes": sum(num_bytes),
            "num_tokens": num_tokens,
        }


def _load(model_id, revision, trust_remote_code, device):
    options = {"revision": revision, "trust_remote_code": trust_remote_code}
    tokenizer = AutoTokenizer.from_pretrained(model_id, **options)
    # Half precision is too coarse to compare models with.
    model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.float32, **options)
    if device is None:
        device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    return model.to(device).eval(), tokenizer


def _encode(tokenizer, text):
    opening = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    if opening is None:
        raise ValueError("the tokenizer has neither a bos nor an eos token to open a text with; set bos_token.")
    return [opening, *tokenizer(text, add_special_tokens=False)["input_ids"]]


def _sum_losses(model, ids, context_tokens):
    """Nats of all tokens but the first, in windows half a context apart."""
    last, first, nats = len(ids) - 1, 0, 0.0
    while first < last:
        end = min(first + (max(1, context_tokens // 2) if first else context_tokens), last)
        begin = max(0, end - context_tokens)
        window = torch.tensor([ids[begin:end]], device=model.device)  # (1, length)
        with torch.inference_mode():
            logits = model(window).logits[0, first - begin :]  # (new tokens, vocab_size)
        expected = torch.tensor(ids[first + 1 : end + 1], device=model.device)
        nats += torch.nn.functional.cross_entropy(logits, expected, reduction="sum").item()
        first = end
    return nats
