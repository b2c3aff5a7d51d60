"""Training examples of a conversation or a text: tokens, and a label for each token that is to be learnt."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from datasets import Dataset

from darija_gpt.chat_examples import (
    ConversationError,
    EncodedMessages,
    UnfitTemplateError,
    cut_chat,
    encode_chats,
    encode_pieces,
    encode_plain_texts,
    trim_chat,
)
from darija_gpt.control_tokens import find_control_tokens
from darija_gpt.generation import Messages


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LABEL_PAD = -100  # what cross-entropy leaves out
CHATS_AT_A_TIME = 1000


def build_examples(
    tokenizer: "PreTrainedTokenizerBase",
    rows: Mapping[str, Sequence],
    *,
    split: str,
    max_length: int,
    assistant_only_loss: bool = True,
    skip_unusable: bool = False,
    packing: bool = False,
) -> tuple[Dataset, Counter[str]]:
    """Rows as examples that a model can read at once, none of them cut inside a turn.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            With a chat template, if a row has messages.
        rows (`Mapping[str, Sequence]`):
            Columns `text` and `messages`; a row without messages is its text.
        split (`str`):
            What an error calls the rows.
        max_length (`int`):
            Tokens per example. A longer conversation is divided between exchanges.
        assistant_only_loss (`bool`, *optional*, defaults to `True`):
            Learn what the assistant says. Otherwise all tokens are learnt, and texts, too, one behind the other in
            blocks of `max_length` tokens.
        skip_unusable (`bool`, *optional*, defaults to `False`):
            Leave out and count what cannot be learnt, instead of refusing it.
        packing (`bool`, *optional*, defaults to `False`):
            Put several examples into one row, whose `seq_lengths` tell them apart.

    Returns:
        `Dataset` with columns `input_ids`, `labels` and `length`, and a `Counter` of what was left out and why.

    Raises:
        ValueError: If a row is of no use, unless such are left out, or no example remains.
    """
    left_out: Counter[str] = Counter()
    chats, texts = [], []
    for number, (text, messages) in enumerate(zip(rows["text"], rows["messages"], strict=True), start=1):
        if messages:
            chats.append((number, messages))
        elif assistant_only_loss:
            left_out["plain text"] += 1
        else:
            texts.append(text)
    examples: dict[str, list[np.ndarray]] = {"input_ids": [], "labels": []}
    for example in _encode_fitting(tokenizer, chats, split, max_length, skip_unusable, left_out):
        mask = np.array(example.assistant_mask, dtype=bool) if assistant_only_loss else True
        _add_example(examples, example.input_ids, mask)
    for block in _cut_blocks(tokenizer, texts, max_length):
        _add_example(examples, block, True)
    if not examples["input_ids"]:
        raise ValueError(
            f"{split} has nothing to learn ({_spell(left_out)}); run prepare_data.py with --assistant, raise "
            f"max_length={max_length}, or learn plain texts with --assistant_only_loss false."
        )
    dataset = Dataset.from_dict(examples)
    if packing:
        from trl import pack_dataset

        dataset = pack_dataset(dataset, max_length, "bfd")
    return dataset.add_column("length", [len(ids) for ids in dataset["input_ids"]]), left_out


def describe_examples(split: str, dataset: Dataset, left_out: Counter[str]) -> str:
    """`train: 3,776 examples, 203,113 of 610,022 tokens are learnt; left out: 12 question without a reply`."""
    num_learnt, num_tokens = count_learnt(dataset), sum(dataset["length"])
    return (
        f"{split}: {len(dataset):,} examples, {num_learnt:,} of {num_tokens:,} tokens are learnt; left out: "
        f"{_spell(left_out)}"
    )


def find_end_token(tokenizer: "PreTrainedTokenizerBase", chats: Iterable[Messages | None]) -> str | None:
    """The control token that ends a reply: the last that the assistant says. None if there are texts alone.

    Raises:
        ValueError: If the chat template ends replies with no control token, so that a model would never stop.
    """
    if not any(chats):
        return None
    probe = [{"role": "user", "content": "salam"}, {"role": "assistant", "content": "salam"}]
    example = encode_chats(tokenizer, [probe])[0]
    last = [number for number, is_said in zip(example.input_ids, example.assistant_mask, strict=True) if is_said][-1]
    if last != tokenizer.eos_token_id and last not in tokenizer.added_tokens_decoder:
        raise ValueError(
            "the chat template ends a reply with no control token, so the model would never learn to stop; give it "
            "another one with --chat_template chatml."
        )
    return tokenizer.convert_ids_to_tokens(last)


def count_learnt(dataset: Dataset) -> int:
    """Tokens that are to be learnt."""
    return sum(int((labels != LABEL_PAD).sum()) for labels in dataset.with_format("numpy")["labels"])


def _encode_fitting(
    tokenizer: "PreTrainedTokenizerBase",
    chats: Sequence[tuple[int, Messages]],
    split: str,
    max_length: int,
    skip_unusable: bool,
    left_out: Counter[str],
) -> Iterator[EncodedMessages]:
    """The examples of numbered conversations, those that are too long divided."""
    control_tokens = find_control_tokens(tokenizer)
    for begin in range(0, len(chats), CHATS_AT_A_TIME):
        numbered, pieces_of = [], []
        for number, messages in chats[begin : begin + CHATS_AT_A_TIME]:
            try:
                if chat := trim_chat(messages, left_out):
                    pieces_of.append(cut_chat(tokenizer, chat, control_tokens))
                    numbered.append((number, chat))
            except ConversationError as error:
                if not skip_unusable:
                    is_template = isinstance(error, UnfitTemplateError)
                    remedy = "give the model another one with --chat_template chatml" if is_template else "mend it"
                    raise ValueError(
                        f"{split}: row {number:,}: {error}; {remedy}, or leave such rows out with "
                        "--skip_unusable true."
                    ) from None
                left_out[error.reason] += 1
        encoded = encode_pieces(tokenizer, pieces_of, control_tokens)
        for (number, chat), example in zip(numbered, encoded, strict=True):
            if len(example.input_ids) <= max_length:
                yield example
                continue
            windows, lengths = divide_chat(tokenizer, chat, max_length)
            if lengths and not skip_unusable:
                raise ValueError(
                    f"{split}: row {number:,}: a question and its reply take {max(lengths):,} tokens, and "
                    f"max_length={max_length:,} fit; raise it, or leave such pairs out with --skip_unusable true."
                )
            if lengths:
                left_out["too long"] += len(lengths)
            yield from encode_chats(tokenizer, windows)


def divide_chat(
    tokenizer: "PreTrainedTokenizerBase", messages: Messages, max_length: int
) -> tuple[list[Messages], list[int]]:
    """A conversation in pieces that fit, each with the system message that opened it.

    Returns:
        `tuple`: the pieces, and the tokens of each exchange that is too long on its own and so in none of them.
    """
    opening = messages[: messages[0]["role"] == "system"]
    exchanges = [[*opening, *messages[place : place + 2]] for place in range(len(opening), len(messages), 2)]
    windows: list[Messages] = []
    too_long, room = [], 0
    for exchange, example in zip(exchanges, encode_chats(tokenizer, exchanges), strict=True):
        # What opens a conversation is counted for each exchange, so a piece can only turn out shorter.
        length = len(example.input_ids)
        if length > max_length:
            too_long.append(length)
            room = 0
        elif length > room:
            windows.append(exchange)
            room = max_length - length
        else:
            windows[-1] = windows[-1] + exchange[len(opening) :]
            room -= length
    return windows, too_long


def _add_example(examples: dict[str, list[np.ndarray]], input_ids: list[int], mask: np.ndarray | bool) -> None:
    """Tokens, of which those under the mask are to be learnt. The first follows none, so nobody can predict it."""
    ids = np.array(input_ids, dtype=np.int32)
    labels = np.where(mask, ids, LABEL_PAD)
    labels[0] = LABEL_PAD
    examples["input_ids"].append(ids)
    examples["labels"].append(labels)


def _cut_blocks(tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], max_length: int) -> Iterator[list[int]]:
    """Texts one behind the other, each with the tokens that begin and end it, in blocks; the last may be shorter."""
    begin = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    end = [] if tokenizer.eos_token_id in (None, tokenizer.bos_token_id) else [tokenizer.eos_token_id]
    documents = encode_plain_texts(tokenizer, texts)
    stream = [number for document in documents for number in (*begin, *document, *end)]
    for place in range(0, len(stream) - 1, max_length):
        yield stream[place : place + max_length]


def _spell(left_out: Counter[str]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in left_out.items()) or "nothing"
