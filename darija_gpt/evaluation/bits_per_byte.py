"""Bits per byte: how many bits a causal language model needs to write each byte of a text.

Unlike perplexity it does not depend on the tokenizer, so models with different vocabularies can be compared.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from darija_gpt.generation import count_context_tokens
from darija_gpt.tokenizer import TURN_START, encode_texts, render_messages


LOGITS_PER_BATCH = 2**25  # 128 MiB in float32
TOKENS_PER_SOFTMAX = 512
IGNORED = -100  # the target of a position that is not scored
LINE_BREAK = "Ċ"  # what a byte-level vocabulary writes for it


@dataclass(frozen=True)
class Window:
    """A model reads tokens begin, ..., end - 1 of a document and is scored on tokens first + 1, ..., end."""

    document: int
    begin: int
    first: int
    end: int

    @property
    def num_tokens(self) -> int:
        return self.end - self.begin


def encode_document(tokenizer: PreTrainedTokenizerBase, row: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Token ids of a row, and a 1 for each of them that is scored.

    A row with messages is rendered by the chat template: the contents and ends of all turns are scored, the roles are
    not. Any other row is its text, after the token that opens a document.
    """
    if row["messages"] and "mark_all" in (tokenizer.chat_template or ""):
        encoded = render_messages(tokenizer, row["messages"], mark_all=True, return_assistant_tokens_mask=True)
        return encoded["input_ids"], encoded["assistant_masks"]
    opening = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    if opening is None:
        raise ValueError("the tokenizer has neither a bos nor an eos token to open a document with; set bos_token.")
    [ids] = encode_texts(tokenizer, [row["text"]])
    return [opening, *ids], [0] + [1] * len(ids)


def slide_windows(document: int, num_tokens: int, context_tokens: int) -> Iterator[Window]:
    """The windows of a document, half a context apart: each token but the first is scored in exactly one of them."""
    last, first = num_tokens - 1, 0
    while first < last:
        end = min(first + (max(1, context_tokens // 2) if first else context_tokens), last)
        yield Window(document, max(0, end - context_tokens), first, end)
        first = end


def batch_windows(windows: Iterable[Window], batch_tokens: int) -> Iterator[list[Window]]:
    """Windows of similar length together, at most `batch_tokens` tokens a batch once padded, the longest first."""
    batch: list[Window] = []
    for window in sorted(windows, key=lambda window: window.num_tokens, reverse=True):
        if batch and (len(batch) + 1) * batch[0].num_tokens > batch_tokens:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


class ByteCounter:
    """How many bytes of text the tokens of training blocks stand for.

    A control token stands for none, and so does the role at the head of a turn, down to its line break: the template
    writes both. Any other token stands for the bytes that it is decoded to, also where they are a part of a character.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            A byte-level tokenizer.

    Raises:
        ValueError: If the tokenizer is of another kind.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase):
        if "ByteLevel" not in str(tokenizer.backend_tokenizer.decoder):
            raise ValueError(
                "the tokenizer is not byte-level, so that its tokens do not tell their bytes; train one with "
                "train_tokenizer.py."
            )
        added = tokenizer.added_tokens_decoder
        # In a byte-level vocabulary each character of an entry is a byte.
        entries = {number: len(entry) for entry, number in tokenizer.get_vocab().items()}
        entries |= {number: 0 if token.special else len(token.content.encode()) for number, token in added.items()}
        self._lengths = np.zeros(max(entries) + 1, dtype=np.int64)
        self._lengths[list(entries)] = list(entries.values())
        self._turn_start = tokenizer.get_vocab().get(TURN_START, -1)
        self._line_breaks = [
            number for entry, number in tokenizer.get_vocab().items() if LINE_BREAK in entry and number not in added
        ]

    def count(self, token_ids: np.ndarray) -> int:
        """Bytes of all tokens of a block but the first, which nothing predicts."""
        lengths = self._lengths[token_ids]
        breaks = np.flatnonzero(np.isin(token_ids, self._line_breaks))
        for start in np.flatnonzero(token_ids == self._turn_start):
            later = breaks[np.searchsorted(breaks, start) :]
            lengths[start : later[0] + 1 if len(later) else None] = 0
        return int(lengths[1:].sum())


def convert_to_bits_per_byte(loss: float, num_tokens: int, num_bytes: int) -> float:
    """A mean loss in nats over so many tokens, as bits for each of the bytes that they stand for."""
    return loss * num_tokens / math.log(2) / num_bytes


@torch.inference_mode()
def measure_bits_per_byte(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Iterable[Mapping[str, Any]],
    *,
    context_tokens: int | None = None,
    batch_tokens: int | None = None,
    description: str = "bits per byte",
) -> dict[str, dict[str, float]]:
    """Bits per byte and perplexity of documents, all together and by script.

    Args:
        model (`PreTrainedModel`):
            A causal language model in float32.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        rows (`Iterable[Mapping]`):
            Documents with `text`, `messages` (None for plain text) and `script`. Those without text are left out.
        context_tokens (`int`, *optional*):
            Tokens of a window, what the model reads at once by default.
        batch_tokens (`int`, *optional*):
            Tokens of a batch, by default as many as `LOGITS_PER_BATCH` allows. It changes the speed only.
        description (`str`, *optional*):
            The words beside the progress bar.

    Returns:
        `dict`: `bits_per_byte`, `perplexity` (per scored token), `bytes` (of the column `text`, in UTF-8), `tokens`
        (those scored) and `documents`, under `all` and under each script there is.

    Raises:
        ValueError: If there is nothing to score, or the model does not compute in float32 or gives no numbers.
    """
    if model.dtype.itemsize < 4:
        raise ValueError(f"the model computes in {model.dtype}, too coarse to measure with; call model.float() first.")
    rows = [row for row in rows if row["text"]]
    if not rows:
        raise ValueError("there is no text to measure bits per byte on; give rows with text.")
    context_tokens = context_tokens or count_context_tokens(model)
    batch_tokens = batch_tokens or LOGITS_PER_BATCH // model.config.get_text_config().vocab_size

    documents = [encode_document(tokenizer, row) for row in rows]
    windows = [
        window
        for document, (ids, _) in enumerate(documents)
        for window in slide_windows(document, len(ids), context_tokens)
    ]
    losses = torch.zeros(len(documents), dtype=torch.float64)
    was_training = model.training
    model.eval()
    with tqdm(total=sum(window.end - window.first for window in windows), desc=description, unit="tok") as progress:
        for batch in batch_windows(windows, batch_tokens):
            places, token_losses = _score_batch(model, documents, batch)
            owners = torch.tensor([window.document for window in batch])[places]
            losses.index_add_(0, owners, token_losses.double())
            progress.update(sum(window.end - window.first for window in batch))
    model.train(was_training)
    if not losses.isfinite().all():
        raise ValueError("the model gives no finite probabilities: its weights are damaged; take another checkpoint.")

    groups = {"all": range(len(rows))}
    for script in sorted({row["script"] for row in rows}):
        groups[script] = [index for index, row in enumerate(rows) if row["script"] == script]
    return {
        name: _describe(
            nats=sum(losses[index].item() for index in indices),
            num_bytes=sum(len(rows[index]["text"].encode()) for index in indices),
            num_tokens=sum(sum(documents[index][1]) for index in indices),
            num_documents=len(indices),
        )
        for name, indices in groups.items()
    }


def _score_batch(
    model: PreTrainedModel, documents: list[tuple[list[int], list[int]]], batch: list[Window]
) -> tuple[Tensor, Tensor]:
    """For each scored token, its place in the batch and its negative log-likelihood in nats."""
    inputs, targets = [], []
    for window in batch:
        ids, is_scored = (values[window.begin : window.end + 1] for values in documents[window.document])
        expected = torch.tensor(ids[1:]).masked_fill(torch.tensor(is_scored[1:]) == 0, IGNORED)
        expected[: window.first - window.begin] = IGNORED
        inputs.append(torch.tensor(ids[:-1]))
        targets.append(expected)
    # Padding stands on the right, where no token can see it; its id does not matter.
    input_ids = pad_sequence(inputs, batch_first=True)  # (batch, length)
    attention_mask = pad_sequence([torch.ones_like(ids) for ids in inputs], batch_first=True)
    target_ids = pad_sequence(targets, batch_first=True, padding_value=IGNORED)
    scored = target_ids != IGNORED

    logits = model(
        input_ids=input_ids.to(model.device), attention_mask=attention_mask.to(model.device), use_cache=False
    ).logits  # (batch, length, vocab_size)
    logits = logits[scored.to(model.device)]  # (scored, vocab_size)
    expected = target_ids[scored].to(model.device)
    token_losses = [
        cross_entropy(some_logits, some_expected, reduction="none")
        for some_logits, some_expected in zip(
            logits.split(TOKENS_PER_SOFTMAX), expected.split(TOKENS_PER_SOFTMAX), strict=True
        )
    ]
    return scored.nonzero()[:, 0], torch.cat(token_losses).cpu()


def _describe(nats: float, num_bytes: int, num_tokens: int, num_documents: int) -> dict[str, float]:
    return {
        "bits_per_byte": round(convert_to_bits_per_byte(nats / num_tokens, num_tokens, num_bytes), 4),
        "perplexity": round(math.exp(nats / num_tokens), 3),
        "bytes": num_bytes,
        "tokens": num_tokens,
        "documents": num_documents,
    }
