"""Writes sample chats, WhatsApp exports of invented Darija dialogues, for whoever has none at hand.

python scripts/make_sample_chats.py --output_dir runs/sample_chats
"""

from darija_gpt.data.sample_chats import SampleChatsArguments, make_sample_chats
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(make_sample_chats, SampleChatsArguments, description=__doc__)
