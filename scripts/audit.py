"""Measures what a model gives back of its training texts: privacy_audit.json, without which nothing is published.

python scripts/audit.py --config recipes/quickstart/audit.yaml
python scripts/audit.py --model runs/chat --dataset runs/dataset --output_dir runs/audit
"""

from darija_gpt.evaluation.audit import AuditArguments, audit
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(audit, AuditArguments, description=__doc__)
