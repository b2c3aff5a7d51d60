"""Shows a model in the browser: a chat, a classifier or a summariser, by what the model is.

python scripts/demo.py --model runs/quickstart/chat
python scripts/demo.py --model runs/quickstart/chat --repo_id your-name/your-model --space_dir runs/quickstart/space
"""

from darija_gpt.demo.demo import DemoArguments, demo
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(demo, DemoArguments, description=__doc__)
