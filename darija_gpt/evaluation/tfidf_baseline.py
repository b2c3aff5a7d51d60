"""The baseline that a neural classifier has to beat: TF-IDF of words and of characters, and logistic regression."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from darija_gpt.data.labelled import LabelledText
from darija_gpt.evaluation.classification_metrics import compute_macro_f1


# Inverse strengths of regularisation that are tried; the best on the validation split is taken.
STRENGTHS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline.

    Args:
        classifier (`sklearn.pipeline.Pipeline`):
            Takes texts, gives numbers of classes.
        strength (`float`):
            The C that did best on the validation split.
        num_features (`int`):
            Different n-grams.
    """

    classifier: object
    strength: float
    num_features: int

    def predict_probabilities(self, rows: Sequence[LabelledText]) -> np.ndarray:
        """Shape (texts, classes)."""
        return self.classifier.predict_proba([join_pair(row) for row in rows])


def fit_baseline(
    train: Sequence[LabelledText],
    validation: Sequence[LabelledText],
    labels: Sequence[str],
    *,
    class_weights: Sequence[float] | None = None,
    seed: int = 0,
) -> Baseline:
    """Logistic regression on word 1- and 2-grams and on 2- to 5-grams of characters within words.

    Args:
        train (`Sequence[LabelledText]`):
            What it learns from.
        validation (`Sequence[LabelledText]`):
            Chooses the strength of regularisation, by macro F1.
        labels (`Sequence[str]`):
            The classes.
        class_weights (`Sequence[float]`, *optional*):
            A weight for each class in the loss.
        seed (`int`, *optional*, defaults to `0`):
            Of the solver.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    # Sublinear counts, and no word that stands in one text only: what scikit-learn's own examples do.
    vectorizer = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\w+|[^\w\s]"),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2),
    )
    features = vectorizer.fit_transform([join_pair(row) for row in train])
    held_out = vectorizer.transform([join_pair(row) for row in validation])
    index = {label: number for number, label in enumerate(labels)}
    targets, held_out_targets = ([index[row.label] for row in rows] for rows in (train, validation))
    weights = None if class_weights is None else dict(enumerate(class_weights))

    best_score, best = -1.0, None
    for strength in STRENGTHS:
        classifier = LogisticRegression(C=strength, class_weight=weights, max_iter=1000, random_state=seed)
        classifier.fit(features, targets)
        predicted = classifier.predict(held_out)
        score = float(compute_macro_f1(np.asarray(held_out_targets), predicted, len(labels)))
        if score > best_score:
            best_score, best = score, classifier
    return Baseline(make_pipeline(vectorizer, best), best.C, features.shape[1])


def join_pair(row: LabelledText) -> str:
    """The words of a text, or of both of a pair."""
    return row.text if row.pair is None else f"{row.text}\n{row.pair}"
