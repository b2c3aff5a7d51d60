"""Converts a Llama, Qwen3 or GPT-2 model to DarijaGPT, or a DarijaGPT to one of these, with its tokenizer.

python scripts/convert.py --model runs/quickstart/chat --to llama --output_dir runs/quickstart/chat_llama
python scripts/convert.py --model openai-community/gpt2 --output_dir runs/gpt2
"""

from darija_gpt.conversion import ConvertArguments, convert
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(convert, ConvertArguments, description=__doc__)
