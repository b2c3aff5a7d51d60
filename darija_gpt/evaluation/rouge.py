"""ROUGE in any script: the words, pairs of words and subsequences that a summary shares with the one people wrote.

The measures are rouge_score's (Lin 2004), and so are the words of English. Other scripts need another tokenizer: its
own takes `[a-z0-9]` for letters, so that an Arabic text has nothing in common even with itself.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from darija_gpt.data.deduplication import fold_letters


if TYPE_CHECKING:
    import numpy as np

ROUGE_TYPES = ("rouge1", "rouge2", "rougeL")


class WordTokenizer:
    """The tokenizer that rouge_score asks: words of any script, one spelling for what is spelt in several ways.

    Case, punctuation, accents, vowel marks and tatweel count as little as the kinds of alef and hamza seats, ة and ه,
    ى and ي. There is no stemming: rouge_score's stemmer knows English alone.
    """

    def tokenize(self, text: str) -> list[str]:
        """The words of a text."""
        return fold_letters(text).split()


def score_rouge(predictions: Sequence[str], references: Sequence[str]) -> "dict[str, np.ndarray]":
    """F1 of each text by ROUGE-1, ROUGE-2 and ROUGE-L.

    Args:
        predictions (`Sequence[str]`), references (`Sequence[str]`):
            The summaries of a model and those of people, in the same order.

    Returns:
        `dict`: the name of each measure and its scores, shape (texts,).
    """
    import numpy as np
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(ROUGE_TYPES, tokenizer=WordTokenizer())
    scores = [
        scorer.score(reference, prediction) for prediction, reference in zip(predictions, references, strict=True)
    ]
    return {name: np.array([score[name].fmeasure for score in scores]) for name in ROUGE_TYPES}
