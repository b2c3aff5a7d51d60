"""Measures a classifier, or several that decide together, on labelled texts.

python scripts/evaluate_classifier.py --config recipes/finetune_others/ensemble_ai_text.yaml
"""

from darija_gpt.evaluation.classifiers import EvaluateClassifierArguments, evaluate_classifier
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(evaluate_classifier, EvaluateClassifierArguments, description=__doc__)
