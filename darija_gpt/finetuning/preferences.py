"""Preferences as tokens: what is replied to, and behind it the better reply and the worse one."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from datasets import Dataset

from darija_gpt.chat_examples import EncodedMessages, UnfitTemplateError, encode_chats
from darija_gpt.data.preferences import Preference


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def encode_preferences(
    tokenizer: "PreTrainedTokenizerBase", preferences: Sequence[Preference], max_length: int
) -> tuple[Dataset, Counter[str]]:
    """Preferences as TRL's DPOTrainer takes them once they are tokens, none of them cut.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            A tokenizer with a chat template.
        preferences (`Sequence[Preference]`):
            What is replied to, and two replies.
        max_length (`int`):
            Tokens of a prompt with a reply.

    Returns:
        `Dataset` with the columns `prompt_ids`, which ends where the assistant begins, `chosen_ids` and
        `rejected_ids`, which end with the token that ends a turn; and a `Counter` of those left out.

    Raises:
        ValueError: If the chat template shows the prompt differently by what is replied, or is unfit for a pair.
    """
    chats = [
        [*preference.prompt, {"role": "assistant", "content": reply}]
        for preference in preferences
        for reply in (preference.chosen, preference.rejected)
    ]
    try:
        encoded = [_divide(chat) for chat in encode_chats(tokenizer, chats)]
    except UnfitTemplateError as error:
        raise ValueError(f"of a pair, {error}; take a model with another template.") from error
    rows, left_out = [], Counter()
    for (prompt_ids, chosen_ids), (other_prompt_ids, rejected_ids) in zip(encoded[::2], encoded[1::2], strict=True):
        if prompt_ids != other_prompt_ids:
            raise ValueError(
                "the chat template shows one prompt in two ways, by what is replied; take a model whose template "
                "shows it in one."
            )
        if len(prompt_ids) + max(len(chosen_ids), len(rejected_ids)) > max_length:
            left_out["too long"] += 1
        elif chosen_ids == rejected_ids:
            left_out["replies alike as tokens"] += 1
        else:
            rows.append({"prompt_ids": prompt_ids, "chosen_ids": chosen_ids, "rejected_ids": rejected_ids})
    return Dataset.from_list(rows), left_out


def _divide(chat: EncodedMessages) -> tuple[list[int], list[int]]:
    """The tokens before the last reply of a conversation, and those of the reply with the end of its turn."""
    end = len(chat.assistant_mask)
    while not chat.assistant_mask[end - 1]:
        end -= 1  # ChatML has a newline behind the last turn.
    start = end
    while start and chat.assistant_mask[start - 1]:
        start -= 1
    return chat.input_ids[:start], chat.input_ids[start:end]
