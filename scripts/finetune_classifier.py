"""Fine-tunes a model to classify texts, and compares it with TF-IDF and with itself from scratch.

python scripts/finetune_classifier.py --config recipes/finetune_others/bert_darija_sentiment.yaml
"""

from darija_gpt.finetuning.classification import ClassifierArguments, finetune_classifier
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(finetune_classifier, ClassifierArguments, description=__doc__)
