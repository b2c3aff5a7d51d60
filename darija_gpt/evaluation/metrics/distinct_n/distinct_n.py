"""Distinct-n: how little generated texts repeat, as a module of `evaluate`."""

import re

import datasets
import evaluate


_DESCRIPTION = """
Distinct-n (Li et al. 2016): the number of different n-grams over the number of all n-grams, in all texts together. A
model that always says the same has a low one.
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions (`list[str]`):
        The generated texts. Words are what white space and punctuation separate, without case, in any script.
    n (`list[int]`, *optional*, defaults to `[1, 2, 3]`):
        Lengths of n-grams.

Returns:
    `dict`: `distinct_1`, `distinct_2`, ... for each n, between 0 and 1; 0 where no text is that long.

Examples:
    >>> import evaluate
    >>> distinct_n = evaluate.load("darija_gpt/evaluation/metrics/distinct_n")
    >>> distinct_n.compute(predictions=["labas labas", "labas hamdullah"], n=[1, 2])
    {'distinct_1': 0.5, 'distinct_2': 1.0}
"""

_CITATION = """
@inproceedings{li2016diversity,
  title={A Diversity-Promoting Objective Function for Neural Conversation Models},
  author={Li, Jiwei and Galley, Michel and Brockett, Chris and Gao, Jianfeng and Dolan, Bill},
  booktitle={Proceedings of NAACL-HLT},
  year={2016}
}
"""

# A word may hold digits (3lik), an apostrophe and Arabic vowel marks.
_WORD = re.compile(r"[\w\u064b-\u0652\u0670]+(?:['’][\w\u064b-\u0652\u0670]+)*")


class DistinctN(evaluate.Metric):
    """The share of different n-grams among all n-grams."""

    def _info(self):
        return evaluate.MetricInfo(
            module_type="metric",
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_KWARGS_DESCRIPTION,
            features=datasets.Features({"predictions": datasets.Value("string")}),
        )

    def _compute(self, predictions, n=(1, 2, 3)):
        if any(length < 1 for length in n):
            raise ValueError(f"n={list(n)}: an n-gram has at least one word.")
        texts = [_WORD.findall(text.casefold()) for text in predictions]
        return {f"distinct_{length}": _count_distinct(texts, length) for length in n}


def _count_distinct(texts, length):
    ngrams = [tuple(words[i : i + length]) for words in texts for i in range(len(words) - length + 1)]
    return len(set(ngrams)) / len(ngrams) if ngrams else 0.0
