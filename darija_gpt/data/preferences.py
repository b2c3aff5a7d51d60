"""Preferences: sources with a better and a worse reply to the same words -> pairs to learn from and to measure on.

No two splits share a prompt, be it with other spaces, marks or letter cases, and no error quotes a text.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from darija_gpt.data.column_source import ColumnSource, read_examples
from darija_gpt.data.deduplication import fold_key
from darija_gpt.data.row_formats import (
    Row,
    SourceRow,
    UnusableRowError,
    check_text,
    from_alpaca,
    from_messages,
    from_prompt,
    from_question,
)


Messages = list[dict[str, str]]

# The column that a reply answers, and what reads both. The first one that a row has is taken.
PROMPTS: dict[str, Callable[[Row, str, str], SourceRow]] = {
    "prompt": from_prompt,
    "question": from_question,
    "instruction": from_alpaca,
}


@dataclass(frozen=True)
class PreferenceSource(ColumnSource):
    """Where preferences come from; each field is a key under `train:` or `validation:` of a recipe.

    A reply is a text or a list of messages, which may begin with what it answers. Otherwise that stands in a column
    `prompt` (a text or a list of messages), `question`, or `instruction` with or without `input`; a column `system`
    goes before it.

    Args:
        path (`str`), subset (`str`), split (`str`), revision (`str`), column_names (`list[str]`), max_rows (`int`):
            As in [`ColumnSource`].
        chosen_column (`str`, *optional*, defaults to `"chosen"`):
            The column of the better reply.
        rejected_column (`str`, *optional*, defaults to `"rejected"`):
            The column of the worse one.
    """

    chosen_column: str = "chosen"
    rejected_column: str = "rejected"

    def __post_init__(self):
        super().__post_init__()
        if self.chosen_column == self.rejected_column:
            raise ValueError(
                f"chosen_column and rejected_column are both {self.chosen_column}; name the better reply's column "
                "and the worse one's."
            )


@dataclass(frozen=True, slots=True)
class Preference:
    """Two replies to the same words.

    Args:
        prompt (`list[dict[str, str]]`):
            What is replied to; its last message is the user's.
        chosen (`str`), rejected (`str`):
            The better reply and the worse one.
    """

    prompt: Messages
    chosen: str
    rejected: str

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """What makes two of them answers to the same words, however these are spelt."""
        return tuple((message["role"], fold_key(message["content"])) for message in self.prompt)


@dataclass(frozen=True)
class PreferenceSplits:
    """What a model learns from, and what it is measured on.

    Args:
        splits (`dict[str, list[Preference]]`):
            `train` and `validation`.
        dropped (`dict[str, Counter[str]]`):
            Rows left out of each split, by reason.
    """

    splits: dict[str, list[Preference]]
    dropped: dict[str, Counter[str]]


def read_preferences(source: PreferenceSource, *, seed: int) -> tuple[list[Preference], Counter[str]]:
    """The preferences of a source, and how many rows were left out, by reason.

    Args:
        source (`PreferenceSource`):
            What to read.
        seed (`int`):
            Decides which rows `max_rows` draws.

    Raises:
        ValueError: If a column is not there, or nothing is left.
    """
    return read_examples(
        source,
        lambda row: _check_columns(source, row),
        lambda row, _: convert_preference(row, source.chosen_column, source.rejected_column),
        seed=seed,
        wanted="two replies to prefer one of",
        remedy=f"give a file with a prompt, {source.chosen_column} and {source.rejected_column} in each row",
    )


def convert_preference(row: Row, chosen_column: str = "chosen", rejected_column: str = "rejected") -> Preference:
    """The preference that a row holds.

    Args:
        row (`dict`):
            Column -> value.
        chosen_column (`str`, *optional*), rejected_column (`str`, *optional*):
            The columns of the replies.

    Raises:
        UnusableRowError: If the row is to be left out.
    """
    (*prompt, chosen), (*other_prompt, rejected) = (
        _read_conversation(row, column) for column in (chosen_column, rejected_column)
    )
    if prompt != other_prompt:
        raise UnusableRowError("replies to different words")
    if chosen["role"] != "assistant" or rejected["role"] != "assistant":
        raise UnusableRowError("without a reply")
    if not prompt or prompt[-1]["role"] != "user":
        raise UnusableRowError("reply without a question")
    turns = [message["role"] for message in prompt[prompt[0]["role"] == "system" :]]
    if turns != ["user", "assistant"] * (len(turns) // 2) + ["user"]:
        raise UnusableRowError("turns out of order")
    if chosen == rejected:
        raise UnusableRowError("both replies alike")
    return Preference(prompt, chosen["content"], rejected["content"])


def load_preference_splits(
    train: PreferenceSource, validation: PreferenceSource | None, *, validation_fraction: float, seed: int
) -> PreferenceSplits:
    """The splits of a recipe; what is prompted in one is not prompted in the other.

    Args:
        train (`PreferenceSource`), validation (`PreferenceSource`, *optional*):
            Where they come from.
        validation_fraction (`float`):
            Share of the prompts of `train` to hold back where `validation` has no source of its own.
        seed (`int`):
            Decides which.

    Raises:
        ValueError: If a source cannot be used, or a split has nothing left.
    """
    learnt, dropped = read_preferences(train, seed=seed)
    counts = {"train": dropped, "validation": Counter()}
    if validation is not None:
        held_back, counts["validation"] = read_preferences(validation, seed=seed)
        keys = {preference.key for preference in held_back}
        counts["train"]["prompt also held back"] += sum(preference.key in keys for preference in learnt)
    else:
        prompts = list(dict.fromkeys(preference.key for preference in learnt))
        keys = set(random.Random(seed).sample(prompts, max(1, round(validation_fraction * len(prompts)))))
        held_back = [preference for preference in learnt if preference.key in keys]
    kept = [preference for preference in learnt if preference.key not in keys]
    if not kept:
        raise ValueError(
            f"nothing is left for train: {train.path} has {len(learnt):,} preferences; give more, or validation as a "
            "source of other prompts."
        )
    return PreferenceSplits(
        {"train": kept, "validation": held_back}, {name: +dropped for name, dropped in counts.items()}
    )


def _read_conversation(row: Row, column: str) -> Messages:
    """What is replied to, and the reply of a column."""
    reply = row.get(column)
    column_of_prompt = next((name for name in PROMPTS if row.get(name)), None)
    is_whole = isinstance(reply, list) and any(_is_turn_of_another(message) for message in reply)
    if is_whole or column_of_prompt is None:
        messages = from_messages(row, column).messages if isinstance(reply, list) else None
        if messages is None:
            check_text(reply)
            raise UnusableRowError("reply without a question")
    else:
        messages = PROMPTS[column_of_prompt](row, column_of_prompt, column).messages
    system = row.get("system")
    if isinstance(system, str) and system.strip() and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": check_text(system).strip()}, *messages]
    return messages


def _is_turn_of_another(message: object) -> bool:
    return isinstance(message, dict) and (message.get("role") or message.get("from")) in ("user", "human", "system")


def _check_columns(source: PreferenceSource, row: Row) -> None:
    source.require_columns(row, "chosen_column", "rejected_column")
    if not any(name in row for name in PROMPTS) and isinstance(row[source.chosen_column], str):
        raise ValueError(
            f"{source.path}: none of {', '.join(PROMPTS)} is among {source.describe_columns(row)}; one has to hold "
            "what is replied to, or the replies are lists of messages that begin with it."
        )
