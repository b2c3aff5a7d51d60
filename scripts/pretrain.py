"""Pretrains a DarijaGPT on a dataset.

accelerate launch scripts/pretrain.py --config recipes/quickstart/pretrain.yaml
"""

from darija_gpt.pretraining import PretrainArguments, pretrain
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(pretrain, PretrainArguments, description=__doc__)
