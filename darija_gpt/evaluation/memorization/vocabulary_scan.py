"""The vocabulary: entries that hold a number, a name, or a word that hardly anybody wrote."""

import re
from collections.abc import Collection, Hashable, Iterable
from typing import Any

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from darija_gpt.control_tokens import CONTROL_TOKENS
from darija_gpt.data.private_data.patterns import PLACEHOLDERS
from darija_gpt.data.private_index import MIN_LETTERS, PrivateIndex
from darija_gpt.tokenizer import ROLES


NUMBER = re.compile(r"\d[\W_]*\d")
# A shorter piece begins many words, and says no name; a whole word of three letters, as the index takes them, does.
MIN_NAME_LETTERS = 4
WORD_MARKS = ("Ġ", "▁")  # what begins a word, in byte-level vocabularies and in SentencePiece's


def list_entries(tokenizer: PreTrainedTokenizerBase, known: Collection[str] = ()) -> dict[str, str]:
    """The entries of a vocabulary that may have come from its training texts, each with what it stands for.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            The tokenizer.
        known (`Collection[str]`, *optional*):
            Entries that are public, because another tokenizer has them.
    """
    # Control tokens and placeholders are this project's, and the template's roles are in its every vocabulary.
    own = {*CONTROL_TOKENS, *PLACEHOLDERS, *known}
    entries = sorted(set(tokenizer.get_vocab()) - own)
    return {entry: tokenizer.convert_tokens_to_string([entry]) for entry in entries}


def find_numbers(entries: dict[str, str]) -> list[str]:
    """Entries with more than one digit, together or with signs between them."""
    return [entry for entry, text in entries.items() if NUMBER.search(text)]


def find_names(entries: dict[str, str], index: PrivateIndex) -> list[str]:
    """Entries that are names of the index."""
    return [
        entry
        for entry, text in entries.items()
        if len(text.strip()) >= (MIN_LETTERS if entry.startswith(WORD_MARKS) else MIN_NAME_LETTERS)
        and index.is_name(text.strip())
    ]


def find_rare(
    entries: Collection[str],
    tokenizer: Tokenizer,
    texts: Iterable[str],
    conversations: Iterable[Hashable],
    min_conversations: int,
) -> list[str]:
    """Entries that stand, as a part of a word at least, in fewer conversations than asked for.

    Args:
        entries (`Collection[str]`):
            Entries as the vocabulary writes them. Those of one character are no one's, nor are pieces of roles.
        tokenizer (`Tokenizer`):
            The tokenizer, with a pre-tokenizer.
        texts (`Iterable[str]`), conversations (`Iterable[Hashable]`):
            The training texts, and the conversation of each.
        min_conversations (`int`):
            How many are enough.
    """
    # Lists of conversations, by entry; what has enough of them is no longer searched for.
    pending: dict[str, set[Hashable]] = {
        entry: set() for entry in entries if len(entry) > 1 and not any(entry in role for role in ROLES)
    }
    longest = max(map(len, pending), default=0)
    held_by: dict[str, set[Hashable]] = {}
    for text, conversation in zip(texts, conversations, strict=True):
        if not pending:
            break
        normal = tokenizer.normalizer.normalize_str(text) if tokenizer.normalizer else text
        for word in {word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normal)}:
            holders = held_by.setdefault(word, set())
            # What enough conversations hold has been searched as often as is needed.
            if conversation in holders or len(holders) >= min_conversations:
                continue
            holders.add(conversation)
            for entry in _list_pieces(word, pending, longest):
                pending[entry].add(conversation)
                if len(pending[entry]) >= min_conversations:
                    del pending[entry]
    return sorted(pending)


def _list_pieces(word: str, entries: Collection[str], longest: int) -> set[str]:
    return {
        piece
        for start in range(len(word) - 1)
        for end in range(start + 2, min(len(word), start + longest) + 1)
        if (piece := word[start:end]) in entries
    }


def scan_vocabulary(
    tokenizer: PreTrainedTokenizerBase,
    texts: Iterable[str],
    conversations: Iterable[Hashable],
    *,
    index: PrivateIndex | None,
    min_conversations: int,
    known: Collection[str] = (),
) -> dict[str, Any]:
    """How many entries of a vocabulary are numbers, names, or seen in too few conversations, and none of the entries.

    Args:
        tokenizer (`PreTrainedTokenizerBase`), known (`Collection[str]`, *optional*):
            As of `list_entries`.
        texts (`Iterable[str]`), conversations (`Iterable[Hashable]`), min_conversations (`int`):
            As of `find_rare`.
        index (`PrivateIndex`, *optional*):
            The names. None, or an index without names: nobody can look for any.

    Returns:
        `dict`: `entries` searched, and how many of them are `numbers`, `names` and `rare`; None for what could not be
        looked for.
    """
    entries = list_entries(tokenizer, known)
    backend = tokenizer.backend_tokenizer
    can_split = backend.pre_tokenizer is not None
    rare = find_rare(entries, backend, texts, conversations, min_conversations) if can_split else None
    return {
        "entries": len(entries),
        "numbers": len(find_numbers(entries)),
        "names": len(find_names(entries, index)) if index and index.names else None,
        "rare": None if rare is None else len(rare),
    }
