"""The page of this metric as a Space: type texts, read scores."""

from pathlib import Path

import evaluate
from evaluate.utils import launch_gradio_widget


if __name__ == "__main__":
    launch_gradio_widget(evaluate.load(str(Path(__file__).resolve().parent / "chrf.py")))
