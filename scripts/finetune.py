"""Fine-tunes a causal language model on conversations or texts: all its weights, some of them, or adapters.

accelerate launch scripts/finetune.py --config recipes/quickstart/finetune.yaml
"""

from darija_gpt.finetuning.sft import FinetuneArguments, finetune
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(finetune, FinetuneArguments, description=__doc__)
