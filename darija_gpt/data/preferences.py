"""Preferences: sources with a better and a worse reply to the same words -> pairs to learn from and to measure on.

No two splits share a prompt, and no error quotes a text.
"""

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
from darija_gpt.data.sources import Source, is_table, read_rows


Messages = list[dict[str, str]]

# The column that a reply answers, and what reads both. The first one that a row has is taken.
PROMPTS: dict[str, Callable[[Row, str, str], SourceRow]] = {
    "prompt": from_prompt,
    "question": from_question,
    "instruction": from_alpaca,
}


@dataclass(frozen=True)
class PreferenceSource:
    """Where preferences come from; each field is a key under `train:` or `validation:` of a recipe.

    A reply is a text or a list of messages, which may begin with what it answers. Otherwise that stands in a column
    `prompt` (a text or a list of messages), `question`, or `instruction` with or without `input`; a column `system`
    goes before it.

    Args:
        path (`str`):
            A local file (.jsonl, .json, .parquet, .csv, .tsv), a folder of them, or the id of a dataset on the Hub.
        subset (`str`, *optional*), split (`str`, *optional*, defaults to `"train"`), revision (`str`, *optional*):
            Which part of a dataset of the Hub.
        chosen_column (`str`, *optional*, defaults to `"chosen"`):
            The column of the better reply.
        rejected_column (`str`, *optional*, defaults to `"rejected"`):
            The column of the worse one.
        max_rows (`int`, *optional*):
            Rows to read, drawn from all of them.
    """

    path: str
    subset: str | None = None
    split: str = "train"
    revision: str | None = None
    chosen_column: str = "chosen"
    rejected_column: str = "rejected"
    max_rows: int | None = None

    def __post_init__(self):
        self.to_source()
        if self.chosen_column == self.rejected_column:
            raise ValueError(
                f"chosen_column and rejected_column are both {self.chosen_column}; name the better reply's column "
                "and the worse one's."
            )

    def to_source(self) -> Source:
        """The same place, as `read_rows` takes it."""
        return Source(
            path=self.path,
            subset=self.subset,
            split=self.split,
            revision=self.revision,
            max_rows=self.max_rows,
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
    def key(self) -> str:
        """What makes two of them answers to the same words."""
        return json.dumps(self.prompt, sort_keys=True)


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
    from datasets.config import HF_DATASETS_CACHE

    preferences, dropped = [], Counter()
    for number, row in enumerate(read_rows(source.to_source(), cache_dir=Path(HF_DATASETS_CACHE), seed=seed)):
        if number == 0:
            _check_columns(source, row)
        try:
            preferences.append(convert_preference(row, source.chosen_column, source.rejected_column))
        except UnusableRowError as reason:
            dropped[str(reason)] += 1
    if not preferences:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items())) or "it is empty"
        raise ValueError(
            f"{source.path} has no two replies to prefer one of: {reasons}; give a file with a prompt, "
            f"{source.chosen_column} and {source.rejected_column} in each row."
        )
    return preferences, dropped


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
    train: PreferenceSource, validation: PreferenceSource | None, *, validation_share: float, seed: int
) -> PreferenceSplits:
    """The splits of a recipe; what is prompted in one is not prompted in the other.

    Args:
        train (`PreferenceSource`), validation (`PreferenceSource`, *optional*):
            Where they come from.
        validation_share (`float`):
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
        keys = set(random.Random(seed).sample(prompts, max(1, round(validation_share * len(prompts)))))
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
    # Without a header, the names of a table's columns are what somebody wrote.
    found = f"its columns {', '.join(row)}"
    if is_table(source.path) or len(row) > 20:
        found = f"the {len(row)} columns of its first line"
    for key, wanted in (("chosen_column", source.chosen_column), ("rejected_column", source.rejected_column)):
        if wanted not in row:
            raise ValueError(f"{source.path}: {key}={wanted} is not among {found}; give one that is.")
    if not any(name in row for name in PROMPTS) and isinstance(row[source.chosen_column], str):
        raise ValueError(
            f"{source.path}: none of {', '.join(PROMPTS)} is among {found}; one has to hold what is replied to, or "
            "the replies are lists of messages that begin with it."
        )
