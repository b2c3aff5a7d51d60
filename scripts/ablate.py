"""Runs recipes that change one thing in another, several seeds of each, and says what every change did.

python scripts/ablate.py --config recipes/darija-small/sweep.yaml
"""

from darija_gpt.ablation.ablate import AblateArguments, ablate
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(ablate, AblateArguments, description=__doc__)
