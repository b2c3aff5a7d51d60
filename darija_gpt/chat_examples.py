"""Conversations as tokens: what the chat template writes, what people said, and which of it the assistant learns.

A control token that somebody typed stays text. So the template is rendered with every such string between two marks,
the rendered conversation is cut where the assistant begins and ends to speak, and its pieces are encoded one by one:
what stands between marks as text, and only what the template itself wrote with its control tokens.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from darija_gpt.control_tokens import find_control_tokens
from darija_gpt.data.row_formats import SURROGATE
from darija_gpt.generation import Messages
from darija_gpt.tokenizer import ROLES


if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Two of Unicode's noncharacters, which no text may hold: what is between them was typed by somebody.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_MARKED = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}|[{_OPEN}{_CLOSE}]")


class ConversationError(ValueError):
    """A conversation that nobody can learn from.

    Args:
        reason (`str`):
            Its kind, to be counted by.
        detail (`str`):
            What is wrong, with nothing of what was said.
    """

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason = reason


class UnfitTemplateError(ConversationError):
    """A conversation that nobody can learn from with this chat template."""


@dataclass(frozen=True)
class EncodedMessages:
    """A conversation as a model reads it.

    Args:
        input_ids (`list[int]`):
            Its tokens, with those that the chat template writes.
        assistant_mask (`list[int]`):
            1 for each token that the assistant says, the one that ends its turn included, and 0 for any other.
    """

    input_ids: list[int]
    assistant_mask: list[int]


@dataclass(frozen=True)
class Piece:
    """A piece of a rendered conversation.

    Args:
        text (`str`):
            What it says.
        is_typed (`bool`):
            Whether somebody typed it, so that no control token may come of it.
        is_first (`bool`):
            Whether nothing stands before it.
        is_assistant (`bool`):
            Whether the assistant says it.
    """

    text: str
    is_typed: bool
    is_first: bool
    is_assistant: bool


def check_messages(messages: Messages) -> None:
    """Refuses a conversation that nobody could have had: after a system message, user and assistant take turns.

    Raises:
        ConversationError: With what is wrong in it.
    """
    if not messages:
        raise ConversationError("empty", "there is no message")
    for number, message in enumerate(messages, start=1):
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            raise ConversationError("unknown role", f"the role of message {number} is none of {', '.join(ROLES)}")
        if not isinstance(content, str) or not content.strip():
            raise ConversationError("empty turn", f"message {number}, of the {role}, is empty")
        if SURROGATE.search(content):
            raise ConversationError("broken characters", f"message {number} has half a character, as no file can hold")
    num_system = int(messages[0]["role"] == "system")
    for place, message in enumerate(messages[num_system:]):
        expected = ("user", "assistant")[place % 2]
        if message["role"] != expected:
            raise ConversationError(
                "roles out of order",
                f"message {num_system + place + 1} is the {message['role']}'s where the {expected}'s was expected; "
                "after a system message, user and assistant take turns",
            )


def trim_chat(messages: Messages, left_out: Counter[str]) -> Messages:
    """A conversation without replies before its first question and questions after its last reply; it may be empty.

    Args:
        messages (`list[dict[str, str]]`):
            `role` and `content` each.
        left_out (`Counter[str]`):
            Counts each message that is left out.

    Raises:
        ConversationError: If what remains is malformed.
    """
    if not all(isinstance(message, Mapping) and {"role", "content"} <= message.keys() for message in messages):
        raise ConversationError("no messages", "its messages are no list of {role, content}")
    opening = messages[: messages[0]["role"] == "system"] if messages else []
    turns = list(messages[len(opening) :])
    while turns and turns[0]["role"] == "assistant":
        left_out["reply without a question"] += 1
        del turns[0]
    while turns and turns[-1]["role"] == "user":
        left_out["question without a reply"] += 1
        del turns[-1]
    if not turns:
        return []
    check_messages([*opening, *turns])
    return [*opening, *turns]


def encode_messages(tokenizer: "PreTrainedTokenizerBase", messages: Messages) -> EncodedMessages:
    """A conversation as tokens, none of whose control tokens comes from what somebody typed; see `encode_chats`."""
    return encode_chats(tokenizer, [messages])[0]


def encode_chats(tokenizer: "PreTrainedTokenizerBase", chats: Sequence[Messages]) -> list[EncodedMessages]:
    """Conversations as tokens, with a mask of what the assistant says.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            With a chat template, of any kind that writes a turn the same way whatever follows it.
        chats (`Sequence[list[dict[str, str]]]`):
            `role` and `content` each; a user's turn before each of the assistant's.

    Returns:
        `list[EncodedMessages]`: the ids are those that the model reads when it is talked to, but that a typed control
            token may be spelt in other pieces.

    Raises:
        ConversationError: As `cut_chat` does.
    """
    control_tokens = find_control_tokens(tokenizer)
    pieces_of = [cut_chat(tokenizer, messages, control_tokens) for messages in chats]
    return encode_pieces(tokenizer, pieces_of, control_tokens)


def cut_chat(tokenizer: "PreTrainedTokenizerBase", messages: Messages, control_tokens: Sequence[str]) -> list[Piece]:
    """A conversation as its template writes it, in pieces that are encoded one by one.

    Raises:
        ConversationError: If the conversation is malformed.
        UnfitTemplateError: If the template refuses it, changes its turns or leaves out what the assistant says.
    """
    return _cut_pieces(*_render(tokenizer, messages, control_tokens))


def encode_pieces(
    tokenizer: "PreTrainedTokenizerBase", pieces_of: Sequence[Sequence[Piece]], control_tokens: Sequence[str]
) -> list[EncodedMessages]:
    """Conversations as tokens, each from its pieces; what `encode_chats` gives."""
    ids = _encode_pieces(tokenizer, pieces_of, control_tokens)
    return [
        EncodedMessages(
            input_ids=[number for piece in pieces for number in ids[piece]],
            assistant_mask=[int(piece.is_assistant) for piece in pieces for _ in ids[piece]],
        )
        for pieces in pieces_of
    ]


def encode_plain_texts(tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str]) -> list[list[int]]:
    """Token ids of texts without a template, in which control tokens that somebody typed stay text."""
    control_tokens = find_control_tokens(tokenizer)
    pieces_of = [_cut_pieces(_mark(text, control_tokens), []) for text in texts]
    ids = _encode_pieces(tokenizer, pieces_of, control_tokens)
    return [[number for piece in pieces for number in ids[piece]] for pieces in pieces_of]


def _mark(text: str, control_tokens: Sequence[str]) -> str:
    """A text with every control token that somebody typed between two marks."""
    typed = "|".join(map(re.escape, control_tokens)) or "(?!)"  # the last finds nothing
    return re.sub(typed, f"{_OPEN}\\g<0>{_CLOSE}", re.sub(f"[{_OPEN}{_CLOSE}]", "", text))


def _render(
    tokenizer: "PreTrainedTokenizerBase", messages: Messages, control_tokens: Sequence[str]
) -> tuple[str, list[tuple[int, int]]]:
    """A conversation as its template writes it, typed control tokens marked, and where the assistant speaks in it."""
    from jinja2 import TemplateError

    check_messages(messages)
    marked = [{"role": message["role"], "content": _mark(message["content"], control_tokens)} for message in messages]
    turns = [place for place, message in enumerate(messages) if message["role"] == "assistant"]
    try:
        starts = [
            tokenizer.apply_chat_template(marked[:place], tokenize=False, add_generation_prompt=True)
            for place in turns
        ]
        *ends, chat = (
            tokenizer.apply_chat_template(marked[:place], tokenize=False)
            for place in [*(place + 1 for place in turns), len(marked)]
        )
    except (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
        # Its own raise_exception, and whatever Python has to say of what it reckons.
        raise UnfitTemplateError("refused by the chat template", f"the chat template refuses it: {error}") from error
    spans = [(start, end.rstrip()) for start, end in zip(starts, ends, strict=True)]
    if not all(chat.startswith(start) and chat.startswith(end) and len(start) < len(end) for start, end in spans):
        raise UnfitTemplateError(
            "turns that the chat template changes",
            "the chat template writes a turn in another way once others follow it",
        )
    for place, (start, end) in zip(turns, spans, strict=True):
        # By letters and digits alone: a template may trim a text, and ours takes typed control tokens apart.
        if re.sub(r"\W", "", marked[place]["content"]) not in re.sub(r"\W", "", end[len(start) :]):
            raise UnfitTemplateError(
                "texts that the chat template leaves out", "the chat template leaves out what the assistant says"
            )
    return chat, [(len(start), len(end)) for start, end in spans]


def _cut_pieces(chat: str, spans: Sequence[tuple[int, int]]) -> list[Piece]:
    """A rendered conversation, cut where the assistant begins and ends to speak and around what is marked."""
    borders = [0, *(border for span in spans for border in span), len(chat)]
    pieces: list[Piece] = []
    for number, (start, end) in enumerate(pairwise(borders)):
        # Text, what is between two marks (None where a mark stands alone), text, and so on.
        for place, text in enumerate(_MARKED.split(chat[start:end])):
            if text:
                pieces.append(Piece(text, place % 2 == 1, not pieces, number % 2 == 1))
    return pieces


def _encode_pieces(
    tokenizer: "PreTrainedTokenizerBase", pieces_of: Iterable[Iterable[Piece]], control_tokens: Sequence[str]
) -> dict[Piece, list[int]]:
    """The tokens of each piece; what a template writes again and again is encoded once."""
    pieces = {piece for pieces in pieces_of for piece in pieces}
    control_ids = set(tokenizer.convert_tokens_to_ids(list(control_tokens)))
    ids: dict[Piece, list[int]] = {}
    for is_first in (True, False):
        for is_typed in (True, False):
            group = [piece for piece in pieces if (piece.is_first, piece.is_typed) == (is_first, is_typed)]
            texts = [piece.text for piece in group]
            ids |= zip(group, _encode_texts(tokenizer, texts, is_first=is_first, is_typed=is_typed), strict=True)
    for piece, numbers in ids.items():
        if piece.is_typed and not control_ids.isdisjoint(numbers):
            # A token that was added without being called special is found in any text, but for single characters.
            letters = _encode_texts(tokenizer, list(piece.text), is_first=False, is_typed=True)
            ids[piece] = [number for letter in letters for number in letter]
    return ids


def _encode_texts(
    tokenizer: "PreTrainedTokenizerBase", texts: list[str], *, is_first: bool, is_typed: bool
) -> list[list[int]]:
    """Token ids of texts that stand at the beginning of a conversation, or within one."""

    def encode(texts: list[str]) -> list[list[int]]:
        return tokenizer(texts, add_special_tokens=False, split_special_tokens=is_typed, verbose=False)["input_ids"]

    if not texts:
        return []
    newline, letter, both = encode(["\n", "a", "\na"])
    if is_first or newline + letter == both:
        return encode(texts)
    # SentencePiece puts a space before a text that begins; behind a line break it does not.
    anchored = encode(["\n" + text for text in texts])
    return [
        ids[len(newline) :] if ids[: len(newline)] == newline else encode([text])[0]
        for text, ids in zip(texts, anchored, strict=True)
    ]
