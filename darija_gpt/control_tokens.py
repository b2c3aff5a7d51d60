"""The four control tokens. What loads a model to talk to it needs their names and nothing else of the tokenizer."""

END_OF_TEXT = "<|endoftext|>"  # opens every document; bos and eos of a base model
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
PADDING = "<|pad|>"
CONTROL_TOKENS = (END_OF_TEXT, TURN_START, TURN_END, PADDING)
