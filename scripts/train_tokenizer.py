"""Trains a byte-level BPE tokenizer with a chat template on a dataset.

python scripts/train_tokenizer.py --config recipes/quickstart/train_tokenizer.yaml
"""

from darija_gpt.recipe import run_stage
from darija_gpt.tokenizer import TokenizerArguments, train_tokenizer_on_dataset


if __name__ == "__main__":
    run_stage(train_tokenizer_on_dataset, TokenizerArguments, description=__doc__)
