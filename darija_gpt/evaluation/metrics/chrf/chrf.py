"""chrF and chrF++ by sacrebleu, as a module of `evaluate`."""

import datasets
import evaluate
from sacrebleu import CHRF


_DESCRIPTION = """
chrF (Popović 2015): the F-score of runs of characters that generated texts share with references, as sacrebleu
computes it; with word_order=2, chrF++ (Popović 2017). It forgives Darija its many spellings more than BLEU does, which
counts whole words.
"""

_KWARGS_DESCRIPTION = """
Args:
    predictions (`list[str]`):
        The generated texts.
    references (`list[str]` or `list[list[str]]`):
        What people wrote: one for each text, or several, as many for each.
    char_order (`int`, *optional*, defaults to `6`):
        The longest run of characters.
    word_order (`int`, *optional*, defaults to `0`):
        The longest run of words; 2 for chrF++.
    beta (`int`, *optional*, defaults to `2`):
        How many times as much as precision recall counts.
    lowercase (`bool`, *optional*, defaults to `False`):
        Take no notice of case.

Returns:
    `dict`: `score`, from 0 to 100, over all texts together, and `signature`, which says how it was computed.

Examples:
    >>> import evaluate
    >>> chrf = evaluate.load("darija_gpt/evaluation/metrics/chrf")
    >>> chrf.compute(predictions=["labas lhamdolah"], references=["labas lhamdolah"])["score"]
    100.0
"""

_CITATION = """
@inproceedings{popovic2015chrf,
  title={chrF: character n-gram F-score for automatic MT evaluation},
  author={Popović, Maja},
  booktitle={Proceedings of the Tenth Workshop on Statistical Machine Translation},
  year={2015}
}
@inproceedings{post2018call,
  title={A Call for Clarity in Reporting BLEU Scores},
  author={Post, Matt},
  booktitle={Proceedings of the Third Conference on Machine Translation},
  year={2018}
}
"""


class ChrF(evaluate.Metric):
    """The F-score of shared runs of characters."""

    def _info(self):
        return evaluate.MetricInfo(
            module_type="metric",
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_KWARGS_DESCRIPTION,
            features=[
                datasets.Features({"predictions": datasets.Value("string"), "references": [datasets.Value("string")]}),
                datasets.Features({"predictions": datasets.Value("string"), "references": datasets.Value("string")}),
            ],
        )

    def _compute(self, predictions, references, char_order=6, word_order=0, beta=2, lowercase=False):
        references = [[reference] if isinstance(reference, str) else reference for reference in references]
        if len({len(some) for some in references}) != 1:
            raise ValueError("sacrebleu takes as many references for each text; repeat one where there are fewer.")
        metric = CHRF(char_order=char_order, word_order=word_order, beta=beta, lowercase=lowercase)
        score = metric.corpus_score(predictions, list(zip(*references, strict=True)))
        return {"score": score.score, "signature": str(metric.get_signature())}
