"""The four control tokens, and those of any tokenizer, which must not come of what somebody typed."""

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

END_OF_TEXT = "<|endoftext|>"  # opens every document; bos and eos of a base model
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
PADDING = "<|pad|>"
CONTROL_TOKENS = (END_OF_TEXT, TURN_START, TURN_END, PADDING)


def find_control_tokens(tokenizer: "PreTrainedTokenizerBase") -> list[str]:
    """What must not come of a typed text: special tokens, and added ones that the chat template writes."""
    template = "" if tokenizer.chat_template is None else tokenizer.get_chat_template()
    found = {
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if token.special or (token.content in template and not token.content.isspace())
    }
    # Longest first, so that a token is found before another one that it contains.
    return sorted(found.union(tokenizer.all_special_tokens), key=len, reverse=True)
