"""Chats with a model in the terminal.

python scripts/chat.py --model runs/chat
python scripts/chat.py --model runs/chat --prompt "salam, labas?"
"""

from darija_gpt.chat import ChatArguments, chat
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(chat, ChatArguments, description=__doc__)
