"""Makes a dataset of conversations from WhatsApp exports.

python scripts/prepare_data.py --exports my_chats/ --assistant "Anas" --output_dir runs/mine/dataset
"""

from darija_gpt.data.corpus import PrepareArguments, prepare_data
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(prepare_data, PrepareArguments, description=__doc__)
