"""Free samples: what a model says unasked and when asked for private data, searched for what nobody may hear."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from darija_gpt.data.canaries import CanarySet
from darija_gpt.data.private_index import PrivateIndex, find_words
from darija_gpt.evaluation.memorization.openings import open_reply
from darija_gpt.evaluation.memorization.prompts import BEGINNINGS, GREETINGS, QUESTIONS
from darija_gpt.evaluation.memorization.sequences import continue_sequences, draw_among_likeliest
from darija_gpt.evaluation.overlap import WordRunIndex, split_words
from darija_gpt.tokenizer import open_document


MAX_INDEXED_WORDS = 5_000_000  # 40 MB of places


@dataclass(frozen=True)
class Prompt:
    """What a sample stands behind, and its last words, which may be the beginning of a number."""

    ids: list[int]
    beginning: str = ""


def list_prompts(tokenizer: PreTrainedTokenizerBase, num_samples: int, num_prompted: int) -> list[Prompt]:
    """The prompts of free samples, and those that ask for private data, each as often as it is its turn.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            With a chat template, every second free sample is a reply to a greeting; any other is a document.
        num_samples (`int`), num_prompted (`int`):
            Free samples, and samples behind a question or a beginning.
    """
    document = Prompt(open_document(tokenizer))
    free = [document]
    if tokenizer.chat_template is not None:
        free = [prompt for greeting in GREETINGS for prompt in (document, Prompt(open_reply(tokenizer, greeting)))]
    seeking = [Prompt(open_reply(tokenizer, question)) for question in QUESTIONS]
    seeking += [Prompt(open_reply(tokenizer, GREETINGS[0], beginning), beginning) for beginning in BEGINNINGS]
    return [free[number % len(free)] for number in range(num_samples)] + [
        seeking[number % len(seeking)] for number in range(num_prompted)
    ]


def draw_samples(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    *,
    num_tokens: int,
    top_k: int,
    temperature: float,
    seed: int,
) -> list[str]:
    """What a model writes behind prompts, with the prompt's beginning; a line break stands for each control token."""
    choose = draw_among_likeliest(top_k, temperature, torch.Generator(model.device).manual_seed(seed))
    control = re.compile("|".join(map(re.escape, tokenizer.all_special_tokens)))
    texts = [""] * len(prompts)
    written = continue_sequences(
        model, [prompt.ids for prompt in prompts], num_tokens, choose, description="drawing samples"
    )
    for index, ids in written:
        texts[index] = prompts[index].beginning + control.sub("\n", tokenizer.decode(ids))
    return texts


def index_words(texts: Iterable[str]) -> WordRunIndex:
    """The words of training texts, as many as memory is worth; give the texts in a random order."""

    def limit() -> Iterable[str]:
        num_words = 0
        for text in texts:
            num_words += text.count(" ")
            if num_words > MAX_INDEXED_WORDS:
                return
            yield text

    return WordRunIndex(limit())


def scan_private_data(texts: Iterable[str], index: PrivateIndex | None, train_texts: Iterable[str]) -> dict[str, Any]:
    """How many texts hold private data and names of the index, and how often something only looks like it, by type.

    A model that puts syllables together makes up a short name now and then. So a name counts where its words stand in
    the training texts, which is where the model can have it from; `invented_names` are in texts without such a name.

    Without an index, nobody can tell what somebody once wrote from what the model made up: all of it is counted as
    the latter, and nothing is said of the former.

    Args:
        texts (`Iterable[str]`):
            What a model wrote.
        index (`PrivateIndex`, *optional*):
            What the dataset held before it was scrubbed.
        train_texts (`Iterable[str]`):
            All that the model was trained on, as it stands in the dataset.
    """
    index_or_none = index or PrivateIndex(b"")
    known_by_type, invented_by_type = Counter(), Counter()
    num_with_data = 0
    names_by_text = []
    for text in tqdm(texts, "searching samples", unit=" texts", disable=None):
        known, invented = index_or_none.find_data(text)
        known_by_type += known
        invented_by_type += invented
        num_with_data += bool(known)
        names = index_or_none.find_names(text) if index_or_none.names else ()
        names_by_text += [names] if names else []
    standing = find_words(train_texts, {word for names in names_by_text for name in names for word in name})
    num_with_names = sum(any(standing.issuperset(name) for name in names) for names in names_by_text)
    has_names = bool(index_or_none.names)
    return {
        "with_private_data": None if index is None else num_with_data,
        "with_names": num_with_names if has_names else None,
        "private_data": dict(sorted(known_by_type.items())),
        "invented": dict(sorted(invented_by_type.items())),
        "invented_names": len(names_by_text) - num_with_names if has_names else None,
    }


def describe_runs(texts: Sequence[str], words: WordRunIndex, description: str) -> dict[str, float]:
    """The longest run of words that each text shares with the training texts: mean, 99th percentile and longest."""
    runs = [words.longest_shared_run(text) for text in tqdm(texts, description, unit=" texts", disable=None)]
    return {
        "mean": round(float(np.mean(runs)), 3),
        "percentile_99": float(np.percentile(runs, 99, method="higher")),
        "longest": max(runs),
    }


def cut_like(texts: Iterable[str], samples: Sequence[str]) -> list[str]:
    """Held-out texts in pieces as long as samples are on average: how much of the training text people say again."""
    size = max(1, round(np.mean([len(split_words(sample)) for sample in samples])))
    pieces = []
    for text in texts:
        words = split_words(text)
        pieces += [" ".join(words[start : start + size]) for start in range(0, len(words) - size + 1, size)]
    return pieces


def find_secrets(texts: Iterable[str], canary_set: CanarySet) -> list[bool]:
    """Whether each canary's number stands in one of the texts."""
    joined = "\n".join(texts).replace(" ", "")
    return [canary.secret in joined for canary in canary_set.canaries]
