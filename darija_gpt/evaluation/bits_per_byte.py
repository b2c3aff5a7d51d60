"""Bits per byte: how many bits a causal language model needs to write each byte of a text.

Unlike perplexity it does not depend on the tokenizer, so models with different vocabularies can be compared.
"""

import math
import sys
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from darija_gpt.evaluation.intervals import estimate_ratio
from darija_gpt.evaluation.windows import check_window, compute_perplexity, score_windows, slide_windows
from darija_gpt.generation import count_context_tokens
from darija_gpt.tokenizer import TURN_START, encode_texts, open_document, render_messages


LINE_BREAK = "Ċ"  # what a byte-level vocabulary writes for it


@dataclass(frozen=True)
class DocumentScores:
    """What a model needs for each of some documents.

    Args:
        nats (`np.ndarray`):
            Negative log-likelihood of the scored tokens of each, in float64.
        tokens (`np.ndarray`):
            How many tokens of each are scored.
        bytes (`np.ndarray`):
            UTF-8 bytes of the text of each.
        conversations (`np.ndarray`):
            The number of the conversation that each is of; one that was cut into windows has several.
    """

    nats: np.ndarray
    tokens: np.ndarray
    bytes: np.ndarray
    conversations: np.ndarray

    def describe(self, indices: Sequence[int], seed: int = 0) -> dict[str, float]:
        """Bits per byte and perplexity of some of the documents; see `measure_bits_per_byte`."""
        # Windows of one conversation are alike: what chance draws anew are conversations.
        _, places = np.unique(self.conversations[list(indices)], return_inverse=True)
        nats, tokens, num_bytes = (
            np.bincount(places, weights=values[list(indices)]) for values in (self.nats, self.tokens, self.bytes)
        )
        bits = estimate_ratio(nats / math.log(2), num_bytes, seed=seed)
        nats_per_token = estimate_ratio(nats, tokens, seed=seed)
        perplexity = {
            name: value if value is None else compute_perplexity(value) for name, value in nats_per_token.items()
        }
        return {
            "bits_per_byte": round(bits["value"], 6),
            "bits_per_byte_low": _round(bits["low"]),
            "bits_per_byte_high": _round(bits["high"]),
            "perplexity": round(perplexity["value"], 6),
            "perplexity_low": _round(perplexity["low"]),
            "perplexity_high": _round(perplexity["high"]),
            "bytes": int(num_bytes.sum()),
            "tokens": int(tokens.sum()),
            "documents": len(nats),
        }


def has_project_template(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a tokenizer has the chat template of this project, which can mark what everybody says."""
    return "mark_all" in (tokenizer.chat_template or "")


def encode_document(tokenizer: PreTrainedTokenizerBase, row: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Token ids of a row, and a 1 for each of them that is scored.

    A row with messages is rendered by the project's chat template: the contents and ends of all turns are scored, the
    roles are not. Any other row, and any of a model with a template of its own, is its text, after the token that
    opens a document: so models with unlike templates are compared by the same words.
    """
    if row["messages"] and has_project_template(tokenizer):
        encoded = render_messages(tokenizer, row["messages"], mark_all=True, return_assistant_tokens_mask=True)
        return encoded["input_ids"], encoded["assistant_masks"]
    [ids] = encode_texts(tokenizer, [row["text"]])
    return [*open_document(tokenizer), *ids], [0] + [1] * len(ids)


def encode_rows(
    tokenizer: PreTrainedTokenizerBase, rows: Sequence[Mapping[str, Any]]
) -> list[tuple[list[int], list[int]]]:
    """The documents of rows as `encode_document` gives them.

    Raises:
        ValueError: If there are none, or one has nothing to score.
    """
    if not rows or not all(row["text"] for row in rows):
        raise ValueError("there is no text to measure a model on; give rows with text.")
    documents = [encode_document(tokenizer, row) for row in rows]
    num_unscored = sum(not any(is_scored) for _, is_scored in documents)
    if num_unscored:
        raise ValueError(
            f"the tokenizer makes no token of {num_unscored:,} of {len(rows):,} texts, which would cost nothing; "
            "leave them out."
        )
    return documents


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


def score_documents(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Mapping[str, Any]],
    *,
    context_tokens: int | None = None,
    batch_tokens: int | None = None,
    description: str = "bits per byte",
) -> DocumentScores:
    """What a model needs for each of some documents; the arguments are those of `measure_bits_per_byte`.

    Raises:
        ValueError: If there is nothing to score, a window is longer than what the model has positions for, or the
            model does not compute in float32 or gives no numbers.
    """
    context_tokens = context_tokens or count_context_tokens(model)
    check_window(model, context_tokens)
    documents = encode_rows(tokenizer, rows)
    _warn_of_losses(tokenizer, rows, documents)
    windows = [
        window
        for document, (ids, _) in enumerate(documents)
        for window in slide_windows(document, len(ids), context_tokens)
    ]
    nats = np.zeros(len(documents))
    for window, total in score_windows(model, documents, windows, batch_tokens, description):
        nats[window.document] += total
    numbers: defaultdict[Hashable, int] = defaultdict(count().__next__)  # of conversations, as they come
    return DocumentScores(
        nats=nats,
        tokens=np.array([sum(is_scored) for _, is_scored in documents]),
        bytes=np.array([len(row["text"].encode()) for row in rows]),
        conversations=np.array([numbers[row.get("conversation_id") or place] for place, row in enumerate(rows)]),
    )


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
            Its tokenizer, of any kind: the bytes are those of the text. One that loses something of them is warned of.
        rows (`Iterable[Mapping]`):
            Documents with `text`, `messages` (None for plain text) and `script`. Those without text are left out.
        context_tokens (`int`, *optional*):
            Tokens of a window, what the model reads at once by default.
        batch_tokens (`int`, *optional*):
            Tokens of a batch, by default as many as `LOGITS_PER_BATCH` allows. It changes the speed only.
        description (`str`, *optional*):
            The words beside the progress bar.

    Returns:
        `dict`: `bits_per_byte`, `perplexity` (per scored token), of both the bounds `_low` and `_high` of the 95 %
        interval by the bootstrap over conversations (None for too few of them), `bytes` (of the column `text`, in
        UTF-8), `tokens` (those scored) and `documents` (conversations, or texts without one), under `all` and under
        each script there is.

    Raises:
        ValueError: As `score_documents`.
    """
    rows = [row for row in rows if row["text"]]
    scores = score_documents(
        model, tokenizer, rows, context_tokens=context_tokens, batch_tokens=batch_tokens, description=description
    )
    return {"all": scores.describe(range(len(rows))), **describe_groups(scores, [row["script"] for row in rows])}


def describe_groups(scores: DocumentScores, labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Bits per byte and perplexity of the documents of each label, in the labels' order.

    Args:
        scores (`DocumentScores`):
            What a model needs for the documents.
        labels (`Sequence[str]`):
            A label for each document, such as its script or its source.
    """
    return {
        label: scores.describe([index for index, other in enumerate(labels) if other == label])
        for label in sorted(set(labels))
    }


def _warn_of_losses(
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Mapping[str, Any]],
    documents: Sequence[tuple[list[int], list[int]]],
) -> None:
    """What no token stands for (characters, capitals, spaces) the model needs no bits for."""
    num_tokens = sum(len(ids) for ids, _ in documents)
    num_unknown = sum(ids.count(tokenizer.unk_token_id) for ids, _ in documents) if tokenizer.unk_token else 0
    texts = [row["text"] for row in rows]
    written = (tokenizer.decode(ids, clean_up_tokenization_spaces=False) for ids in encode_texts(tokenizer, texts))
    num_changed = sum(text != other for text, other in zip(texts, written, strict=True))
    # GPT-2 names as unknown the very token that opens a document.
    if num_unknown and tokenizer.unk_token not in (tokenizer.bos_token, tokenizer.eos_token):
        loss = f"{num_unknown:,} of {num_tokens:,} tokens are unknown to the tokenizer ({tokenizer.unk_token})"
    elif num_changed:
        loss = f"{num_changed:,} of {len(rows):,} texts are others once they are encoded and decoded"
    else:
        return
    print(
        f"warning: {loss}: bits per byte look better than they are; compare them with no other model's.",
        file=sys.stderr,
    )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
