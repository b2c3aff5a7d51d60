"""Fine-tunes an encoder-decoder model such as FLAN-T5 to summarise, and compares it with the beginnings of the texts.

python scripts/finetune_seq2seq.py --config recipes/finetune_others/flan_t5_dialogues.yaml
"""

from darija_gpt.finetuning.seq2seq import Seq2SeqArguments, finetune_seq2seq
from darija_gpt.recipe import run_stage


if __name__ == "__main__":
    run_stage(finetune_seq2seq, Seq2SeqArguments, description=__doc__)
