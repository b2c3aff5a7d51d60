"""Documents as a model was trained on them: what gives a text away is asked for in the form in which it was learnt."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedTokenizerBase

from darija_gpt.chat_examples import ConversationError, encode_messages, trim_chat
from darija_gpt.evaluation.bits_per_byte import encode_document, has_project_template


def encode_learnt_document(tokenizer: PreTrainedTokenizerBase, row: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Token ids of a row, and a 1 for each of them that somebody said.

    A conversation of a model with a chat template of its own is as finetune.py shows it to that model: all of it is
    read, and what the assistant says is scored. With the project's template it is as pretrain.py and finetune.py show
    it, and everything said is scored. What no template takes is its text, as `encode_document` has it.
    """
    if row["messages"] and tokenizer.chat_template and not has_project_template(tokenizer):
        try:
            encoded = encode_messages(tokenizer, trim_chat(row["messages"], Counter()))
        except ConversationError:
            pass
        else:
            return encoded.input_ids, encoded.assistant_mask
    return encode_document(tokenizer, row)
