"""Measures models on benchmarks of lm-eval: its own tasks, HellaSwag in a local file, YAML tasks of yours.

python scripts/evaluate_harness.py --config recipes/harness/darija.yaml
python scripts/evaluate_harness.py --models runs/chat --tasks tasks.jsonl --output_dir runs/harness
"""

from darija_gpt.evaluation.evaluate_harness import EvaluateHarnessArguments, evaluate_harness
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(evaluate_harness, EvaluateHarnessArguments, description=__doc__)
