"""What a model writes beside what people wrote: both continue the same beginnings."""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from darija_gpt.control_tokens import END_OF_TEXT, TURN_END, TURN_START


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from darija_gpt.generation import SamplingArguments

MIN_TEXTS = 40  # with fewer, a divergence between two sets of texts says more of their number than of them
PROMPT_TOKENS = 12  # enough to open a chat and tell its script
BATCH_SIZE = 32
_MARKS = re.compile(f"{re.escape(TURN_START)}[^\\n]*\\n?|{re.escape(TURN_END)}|{re.escape(END_OF_TEXT)}")


def compare_generated_texts(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Iterable[Mapping[str, Any]],
    *,
    num_texts: int,
    sampling: "SamplingArguments",
    features_model: "tuple[PreTrainedModel, PreTrainedTokenizerBase] | None" = None,
) -> dict[str, Any]:
    """MAUVE of a model's continuations and of people's.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        rows (`Iterable[Mapping]`):
            Documents with `text` and `messages`; those too short to be continued are left out.
        num_texts (`int`):
            How many of them are drawn.
        sampling (`SamplingArguments`):
            How the model draws; either continuation is at most `max_new_tokens` long.
        features_model (`tuple`, *optional*):
            A causal language model in float32 whose hidden states are the features, in place of n-grams, and its
            tokenizer.

    Returns:
        `dict`: `mauve`; `mauve_of_human_halves`, of what people wrote in as many texts and in as many others, which
        no model can be expected to surpass; `num_texts`, half of the documents at most,
        `num_human_texts` in the two halves, `features`.

    Raises:
        ValueError: If there are too few documents, or a continuation does not fit the model.
    """
    from darija_gpt.evaluation.divergence import measure_mauve

    prompts, human = draw_documents(model, tokenizer, rows, num_texts=num_texts, sampling=sampling)
    written = continue_prompts(model, tokenizer, prompts, sampling)
    texts = [read_tokens(tokenizer, ids) for ids in [*written, *human]]
    features = _compute_features(texts, features_model)
    theirs, ours = features[len(written) :], features[: len(written)]
    first, second = theirs[: len(ours)], theirs[len(ours) :]
    return {
        "mauve": round(measure_mauve(ours, first, seed=sampling.seed), 4),
        "mauve_of_human_halves": round(measure_mauve(first, second, seed=sampling.seed), 4),
        "num_texts": len(written),
        "num_human_texts": len(human),
        "features": "character n-grams" if features_model is None else "hidden states",
    }


def draw_documents(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Iterable[Mapping[str, Any]],
    *,
    num_texts: int,
    sampling: "SamplingArguments",
) -> tuple[list[list[int]], list[list[int]]]:
    """Beginnings of documents drawn at random, and how people went on: in them first, then in as many others.

    Raises:
        ValueError: If there are too few documents, or a continuation does not fit the model.
    """
    from darija_gpt.evaluation.bits_per_byte import encode_document
    from darija_gpt.generation import count_prompt_tokens

    if count_prompt_tokens(model, sampling) < PROMPT_TOKENS:
        raise ValueError(
            f"max_new_tokens={sampling.max_new_tokens} leaves no room for the {PROMPT_TOKENS} tokens that texts begin "
            "with; lower it."
        )
    documents = [encode_document(tokenizer, row)[0] for row in rows if row["text"]]
    documents = [ids for ids in documents if len(ids) >= 2 * PROMPT_TOKENS]
    if len(documents) < MIN_TEXTS:
        raise ValueError(
            f"only {len(documents)} texts are long enough to be continued, and {MIN_TEXTS} are needed; set "
            "num_generated_texts to 0, or prepare more texts."
        )
    num_texts = min(num_texts, len(documents) // 2)  # What is compared is of one size: MAUVE depends on it.
    drawn = random.Random(sampling.seed).sample(documents, 2 * num_texts)
    end = PROMPT_TOKENS + sampling.max_new_tokens
    return [ids[:PROMPT_TOKENS] for ids in drawn[:num_texts]], [ids[PROMPT_TOKENS:end] for ids in drawn]


def continue_prompts(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[Sequence[int]],
    sampling: "SamplingArguments",
) -> list[list[int]]:
    """The tokens that a model draws behind each prompt, up to the end of the document.

    Args:
        model (`PreTrainedModel`), tokenizer (`PreTrainedTokenizerBase`), sampling (`SamplingArguments`):
            As in `compare_generated_texts`.
        prompts (`Sequence[Sequence[int]]`):
            Token ids, as many in each.
    """
    import torch
    from tqdm import tqdm

    from darija_gpt.generation import generate_by

    # Not what ends a turn, behind which a conversation goes on.
    end = tokenizer.get_vocab().get(END_OF_TEXT, tokenizer.eos_token_id)
    written: list[list[int]] = []
    devices = [model.device] if model.device.type == "cuda" else []
    settings = {
        "max_new_tokens": sampling.max_new_tokens,
        "do_sample": True,
        "eos_token_id": end,
        "pad_token_id": end,
        **{name: getattr(sampling, name) for name in ("temperature", "top_k", "top_p", "min_p")},
    }
    with torch.random.fork_rng(devices), torch.inference_mode():
        torch.manual_seed(sampling.seed)
        for first in tqdm(range(0, len(prompts), BATCH_SIZE), desc="generated texts", unit=" batches"):
            batch = torch.tensor(prompts[first : first + BATCH_SIZE], device=model.device)  # (batch, length)
            output = generate_by(model, batch, settings)
            for ids in output[:, batch.shape[1] :].tolist():
                written.append(ids[: ids.index(end)] if end in ids else ids)
    return written


def read_tokens(tokenizer: "PreTrainedTokenizerBase", ids: Sequence[int]) -> str:
    """The words of some tokens, without what the chat template writes around them."""
    return _MARKS.sub("", tokenizer.decode(ids, skip_special_tokens=False)).strip()


def _compute_features(
    texts: Sequence[str], features_model: "tuple[PreTrainedModel, PreTrainedTokenizerBase] | None"
) -> Any:
    from darija_gpt.evaluation.text_features import count_ngrams, embed_texts

    return count_ngrams(texts) if features_model is None else embed_texts(*features_model, texts)
