"""Draws what a model attends to, how it encodes positions, which words are near each other, how long its tokens are.

python scripts/plot.py --config recipes/quickstart/plot.yaml
python scripts/plot.py --model openai-community/gpt2 --sentence "salam, labas 3lik?" --output_dir runs/gpt2_plots
"""

from darija_gpt.evaluation.plots.plot import PlotArguments, plot
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(plot, PlotArguments, description=__doc__)
