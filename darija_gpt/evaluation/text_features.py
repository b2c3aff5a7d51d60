"""Texts as vectors, to compare sets of them: by their runs of characters, or as a model reads them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

NUM_NGRAMS = 20_000
NUM_DIMENSIONS = 64


def count_ngrams(texts: Sequence[str]) -> np.ndarray:
    """Weighted counts of the runs of 2 to 4 characters within words, of shape (texts, dimensions).

    They need no model and take every script alike, so that all models are judged by the same measure.

    Args:
        texts (`Sequence[str]`):
            All the texts that are to be compared.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=NUM_NGRAMS, sublinear_tf=True)
    # An empty text is one that says nothing, and no reason to end.
    counts = vectorizer.fit_transform([text or "-" for text in texts])
    return TruncatedSVD(min(NUM_DIMENSIONS, min(counts.shape) - 1), random_state=0).fit_transform(counts)


def embed_texts(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], batch_size: int = 16
) -> np.ndarray:
    """The mean of a model's last hidden states over each text, of shape (texts, hidden_size).

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        texts (`Sequence[str]`):
            What is longer than the model reads is cut.
        batch_size (`int`, *optional*, defaults to `16`):
            Texts at a time. It changes the speed only.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    from darija_gpt.evaluation.bits_per_byte import encode_document
    from darija_gpt.generation import count_context_tokens

    context_tokens = count_context_tokens(model)
    documents = [
        torch.tensor(encode_document(tokenizer, {"text": text, "messages": None})[0][:context_tokens])
        for text in texts
    ]
    pooled = []
    with torch.inference_mode():
        for first in range(0, len(documents), batch_size):
            batch = documents[first : first + batch_size]
            input_ids = pad_sequence(batch, batch_first=True).to(model.device)  # (batch, length)
            attention_mask = pad_sequence([torch.ones_like(ids) for ids in batch], batch_first=True).to(model.device)
            hidden_states = model.base_model(
                input_ids=input_ids, attention_mask=attention_mask, use_cache=False
            ).last_hidden_state  # (batch, length, hidden_size)
            weights = attention_mask[..., None]
            pooled.append(((hidden_states * weights).sum(1) / weights.sum(1)).float().cpu())
    return torch.cat(pooled).numpy()
