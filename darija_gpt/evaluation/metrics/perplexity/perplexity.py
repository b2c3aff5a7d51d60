"""Perplexity of texts under a causal language model, as a module of `evaluate`."""

import math

import datasets
import evaluate
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


_DESCRIPTION = """
Perplexity: the exponential of the mean negative log-likelihood of the tokens of a text, in windows that move by a
stride, as the documentation of transformers computes it ("Perplexity of fixed-length models"). It depends on the
tokenizer: compare models with the same one, or use bits per byte.
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions (`list[str]`):
        The texts, of two tokens or more each. Nothing is put before them but what the tokenizer itself adds.
    model_id (`str`):
        A causal language model: its id on the Hub or a directory.
    max_length (`int`, *optional*):
        Tokens of a window, what the model reads at once by default.
    stride (`int`, *optional*):
        By how many tokens a window is moved, half of `max_length` by default.
    revision (`str`, *optional*):
        A branch, tag or commit of the model.
    trust_remote_code (`bool`, *optional*, defaults to `False`):
        Run code that comes with the model. Read it first, and name its commit as `revision`.
    device (`str`, *optional*):
        Such as `cuda`, the best there is by default.

Returns:
    `dict`: `perplexities` with one for each text, and `mean_perplexity`.

Examples:
    >>> import evaluate
    >>> perplexity = evaluate.load("darija_gpt/evaluation/metrics/perplexity")
    >>> perplexity.compute(predictions=["salam, labas?"], model_id="openai-community/gpt2")  # doctest: +SKIP
"""

_CITATION = """
@article{jelinek1977perplexity,
  title={Perplexity -- a measure of the difficulty of speech recognition tasks},
  author={Jelinek, Fred and Mercer, Robert L. and Bahl, Lalit R. and Baker, James K.},
  journal={The Journal of the Acoustical Society of America},
  year={1977}
}
"""


class Perplexity(evaluate.Metric):
    """Perplexity of texts under a causal language model."""

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
        max_length=None,
        stride=None,
        revision=None,
        trust_remote_code=False,
        device=None,
    ):
        options = {"revision": revision, "trust_remote_code": trust_remote_code}
        tokenizer = AutoTokenizer.from_pretrained(model_id, **options)
        # Half precision is too coarse to compare models with.
        model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.float32, **options)
        if device is None:
            device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
        model = model.to(device).eval()
        max_length = max_length or model.config.get_text_config().max_position_embeddings
        stride = stride or max(1, max_length // 2)
        if max_length < 2 or not 1 <= stride <= max_length:
            raise ValueError(f"max_length={max_length} must be at least 2, and stride={stride} between 1 and it.")
        perplexities = [
            math.exp(_mean_loss(model, tokenizer(text, return_tensors="pt").input_ids, max_length, stride))
            for text in predictions
        ]
        return {"perplexities": perplexities, "mean_perplexity": sum(perplexities) / len(perplexities)}


def _mean_loss(model, input_ids, max_length, stride):
    """Nats per token, the mean loss of each window weighted as the documentation weights it."""
    num_tokens = input_ids.shape[1]
    if num_tokens < 2:
        raise ValueError(f"a text of {num_tokens} tokens predicts nothing; leave it out.")
    nats, weights, end = 0.0, 0, 0
    for begin in range(0, num_tokens, stride):
        previous, end = end, min(begin + max_length, num_tokens)
        window = input_ids[:, begin:end].to(model.device)  # (1, length)
        labels = window.clone()
        labels[:, : previous - begin] = -100  # What the window before has scored.
        weight = end - previous - 1
        if weight:
            with torch.inference_mode():
                nats += model(window, labels=labels).loss.item() * weight
            weights += weight
        if end == num_tokens:
            break
    return nats / weights
