"""Writes the model card of a trained model and, with --push, sends the model to the Hub.

python scripts/publish.py --config recipes/quickstart/publish.yaml
"""

from darija_gpt.hub import PublishArguments, publish
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(publish, PublishArguments, description=__doc__)
