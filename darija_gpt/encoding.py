"""Rows of a dataset as token ids: plain texts, and conversations under the chat template."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerFast

from darija_gpt.control_tokens import TURN_END, TURN_START
from darija_gpt.tokenizer import CHAT_TEMPLATE, ROLES, encode_batch


def check_opening(tokenizer: PreTrainedTokenizerFast, directory: str | Path) -> None:
    """Refuses a tokenizer without the token that opens a document.

    Raises:
        ValueError: With the remedy.
    """
    if tokenizer.bos_token_id is None:
        raise ValueError(
            f"{directory} holds a tokenizer without a token that opens documents; set bos_token in "
            "tokenizer_config.json, to the eos_token if there is no other."
        )


def encode_rows(tokenizer: PreTrainedTokenizerFast, rows: Mapping[str, list]) -> list[list[int]]:
    """Token ids of documents, each opened by `<|endoftext|>`.

    Args:
        tokenizer (`PreTrainedTokenizerFast`):
            A tokenizer with a chat template.
        rows (`Mapping[str, list]`):
            Columns `text` and `messages`. A row with messages is rendered by the chat template, any other is its text.

    Returns:
        `list[list[int]]`: the ids of each row, in the order of the rows.

    Raises:
        ValueError: If the template refuses a conversation.
    """
    [documents] = encode_batches(tokenizer, [rows])
    return documents


def encode_batches(
    tokenizer: PreTrainedTokenizerFast, batches: Iterable[Mapping[str, list]]
) -> Iterator[list[list[int]]]:
    """The same for batches of rows, one after the other.

    The library encodes a batch, in threads of its own, while the next one is read and rendered, and while the caller
    works on the one before.
    """
    opening = tokenizer.bos_token_id
    with ThreadPoolExecutor(max_workers=1) as pool:
        pending: deque[tuple[list, Future, Future]] = deque()
        for rows in batches:
            texts = [text for text, messages in zip(rows["text"], rows["messages"], strict=True) if not messages]
            rendered = _render_batch(tokenizer, [messages for messages in rows["messages"] if messages])
            plain = pool.submit(encode_batch, tokenizer, texts, split_special_tokens=True)
            chats = pool.submit(encode_batch, tokenizer, rendered, split_special_tokens=False)
            pending.append((rows["messages"], plain, chats))
            if len(pending) > 1:
                yield _join_documents(*pending.popleft(), opening)
        while pending:
            yield _join_documents(*pending.popleft(), opening)


def _join_documents(messages: list, plain: Future, chats: Future, opening: int) -> list[list[int]]:
    """Documents in the order of their rows; the template writes the opening token by itself."""
    texts, conversations = iter(plain.result()), iter(chats.result())
    return [next(conversations).ids if each else [opening, *next(texts).ids] for each in messages]


def _render_batch(tokenizer: PreTrainedTokenizerFast, conversations: list[list[dict[str, str]]]) -> list[str]:
    """Conversations under the chat template; that of this project is written here once more, for Jinja takes long."""
    if not conversations:
        return []
    if tokenizer.chat_template == CHAT_TEMPLATE:
        return [_render_by_hand(messages, tokenizer.bos_token) for messages in conversations]
    try:
        return tokenizer.apply_chat_template(conversations, tokenize=False)
    except TemplateError as error:
        raise ValueError(f"a conversation cannot be rendered: {error}") from error


def _render_by_hand(messages: list[dict[str, str]], opening: str) -> str:
    """What CHAT_TEMPLATE writes."""
    pieces = [opening]
    for message in messages:
        role = message["role"]
        if role not in ROLES:
            raise ValueError("a conversation cannot be rendered: A role is system, user or assistant.")
        content = message["content"].strip().replace("<|", "< |")
        pieces += (TURN_START, role, "\n", content, TURN_END, "\n")
    return "".join(pieces)
