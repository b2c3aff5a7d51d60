"""Measures a model on the held-out splits of a dataset, and samples dialogues with it.

python scripts/evaluate.py --config recipes/quickstart/evaluate.yaml
python scripts/evaluate.py --model runs/chat --dataset runs/dataset --output_dir runs/evaluation
"""

from darija_gpt.evaluation.evaluate import EvaluateArguments, evaluate
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(evaluate, EvaluateArguments, description=__doc__)
