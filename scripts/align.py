"""Aligns a chat model with preferences by DPO: of two replies, the better one becomes likelier.

accelerate launch scripts/align.py --config recipes/english-instructions/align.yaml
"""

from darija_gpt.finetuning.align import AlignArguments, align
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(align, AlignArguments, description=__doc__)
