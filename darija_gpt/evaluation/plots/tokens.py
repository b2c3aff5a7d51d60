"""Tokens as labels of a picture, in both scripts."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from darija_gpt.data.script_tags import detect_script
from darija_gpt.output import UNPRINTABLE


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def label_token(tokenizer: "PreTrainedTokenizerBase", token_id: int) -> str:
    """What a token stands for, its leading space as a dot; the number of one that is a part of a letter."""
    text = tokenizer.decode([token_id])
    if not text or "\ufffd" in text:
        return f"#{token_id}"
    shown = UNPRINTABLE.sub("", text.replace("\n", "↵").replace("\t", "→"))
    return f"·{shown[1:]}" if shown.startswith(" ") else shown or f"#{token_id}"


def count_tokens(tokenizer: "PreTrainedTokenizerBase", texts: Iterable[str]) -> Counter[int]:
    """How often each token stands in some texts."""
    from darija_gpt.tokenizer import encode_texts

    counts: Counter[int] = Counter()
    for ids in encode_texts(tokenizer, list(texts)):
        counts.update(ids)
    return counts


def choose_words(tokenizer: "PreTrainedTokenizerBase", token_ids: Iterable[int], num_words: int) -> dict[str, int]:
    """The first so many tokens that are words or syllables, each with its id: two letters at least, and only letters.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            A tokenizer.
        token_ids (`Iterable[int]`):
            The candidates, the most frequent first.
        num_words (`int`):
            How many are wanted. Of one word with and without a space before it, the first is taken.
    """
    words: dict[str, int] = {}
    special = set(tokenizer.all_special_ids)
    for token_id in token_ids:
        text = tokenizer.decode([token_id]).strip()
        # Digits are letters in Darija: 3lik.
        is_word = len(text) > 1 and text.isalnum() and not text.isdecimal() and token_id not in special
        if is_word and text not in words:
            words[text] = token_id
        if len(words) == num_words:
            break
    return words


def color_script(text: str) -> str:
    """The colour of a word's script."""
    from darija_gpt.evaluation.plots.figures import SCRIPT_COLORS

    return SCRIPT_COLORS[detect_script(text)]
