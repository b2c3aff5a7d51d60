"""How a text begins, for a base model and for a chat model: what every question to a model stands behind."""

from collections.abc import Mapping, Sequence

from transformers import PreTrainedTokenizerBase

from darija_gpt.generation import encode_prompt
from darija_gpt.tokenizer import encode_texts, open_document


def open_reply(tokenizer: PreTrainedTokenizerBase, question: str, lead_in: str = "") -> list[int]:
    """A question up to where its reply begins, or up to behind the reply's first words.

    Without a chat template the question is a line of a document, and the reply the next one.
    """
    if tokenizer.chat_template is None:
        [ids] = encode_texts(tokenizer, [f"{question}\n{lead_in}"])
        return [*open_document(tokenizer), *ids]
    prompt = encode_prompt([{"role": "user", "content": question}], tokenizer)
    return [*prompt, *(encode_texts(tokenizer, [lead_in])[0] if lead_in else ())]


def open_turn(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Mapping[str, str]]) -> list[int]:
    """What was said, up to where the next reply begins; without a chat template, the lines of a document."""
    if tokenizer.chat_template is None:
        text = "".join(f"{message['content']}\n" for message in messages)
        return [*open_document(tokenizer), *(encode_texts(tokenizer, [text])[0] if text else ())]
    return encode_prompt([dict(message) for message in messages], tokenizer)
