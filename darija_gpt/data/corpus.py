"""The corpus: chat exports -> dataset/, a DatasetDict of conversations, and report.json, which counts every drop."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from datasets import Dataset, DatasetDict, Features, Value, disable_progress_bars, load_from_disk

from darija_gpt.data.conversations import Conversation, build_conversations, find_drop_reason
from darija_gpt.data.privacy import Person, scrub
from darija_gpt.data.privacy_patterns import PLACEHOLDER
from darija_gpt.data.whatsapp import Message, detect_format, find_exports, parse_export
from darija_gpt.output import make_printable, require_new, write_directory


SPLITS = ("train", "validation", "test")
FEATURES = Features(
    {
        "text": Value("string"),
        "messages": [{"role": Value("string"), "content": Value("string")}],
        "source": Value("string"),
        "script": Value("string"),
        "conversation_id": Value("string"),
    }
)

Script = Literal["Arab", "Latn", "mixed"]


@dataclass
class PrepareArguments:
    exports: list[Path] = field(metadata={"help": "WhatsApp exports, or folders of them"})
    output_dir: Path = field(metadata={"help": "directory to write the dataset to"})
    assistant: str | None = field(
        default=None,
        metadata={"help": "the participant whose replies the model learns; without one, rows hold plain text"},
    )
    scrub: bool = field(
        default=False,
        metadata={"help": "put placeholders such as [PHONE] in place of private data and participants' names"},
    )
    session_gap_minutes: int = field(default=180, metadata={"help": "a longer silence ends a conversation"})
    validation_fraction: float = field(default=0.05, metadata={"help": "share of the conversations to measure on"})
    test_fraction: float = field(default=0.05, metadata={"help": "share of the conversations for the last word"})
    day_first: bool | None = field(
        default=None, metadata={"help": "order of day and month, where a file does not show it"}
    )
    seed: int = field(default=0, metadata={"help": "decides which conversations go to which split"})

    def __post_init__(self):
        if (
            not 0 < self.validation_fraction + self.test_fraction < 1
            or min(self.validation_fraction, self.test_fraction) <= 0
        ):
            raise ValueError(
                f"validation_fraction={self.validation_fraction} and test_fraction={self.test_fraction} must be "
                "positive and leave something to train on; try 0.05 each."
            )
        if self.session_gap_minutes <= 0:
            raise ValueError(f"session_gap_minutes={self.session_gap_minutes} must be positive; try 180.")


def detect_script(text: str) -> Script:
    """The script of a text: one that nine of ten letters belong to, else `mixed`.

    A text without a letter is `mixed`.
    """
    num_arabic = sum("\u0600" <= letter <= "\u06ff" for letter in text if letter.isalpha())
    num_letters = sum(letter.isalpha() for letter in text)
    if num_letters and num_arabic >= 0.9 * num_letters:
        return "Arab"
    if num_letters and num_arabic <= 0.1 * num_letters:
        return "Latn"
    return "mixed"


def split_conversations(
    rows: list[dict[str, Any]], *, validation_fraction: float, test_fraction: float, seed: int
) -> dict[str, list[dict[str, Any]]]:
    """Rows by split, whole conversations, each split in the order of the rows.

    Raises:
        ValueError: If there are fewer conversations than splits.
    """
    if len(rows) < len(SPLITS):
        raise ValueError(
            f"found {len(rows)} conversation(s), and train, validation and test need one each; "
            "give more exports or a smaller session_gap_minutes."
        )
    num_validation, num_test = (max(1, round(share * len(rows))) for share in (validation_fraction, test_fraction))
    splits = ["validation"] * num_validation + ["test"] * num_test
    splits += ["train"] * (len(rows) - len(splits))
    random.Random(seed).shuffle(splits)
    return {name: [row for row, split in zip(rows, splits, strict=True) if split == name] for name in SPLITS}


def load_dataset_directory(directory: str | Path) -> DatasetDict:
    """The dataset of a directory that `prepare_data` wrote.

    Raises:
        ValueError: If the directory is not one.
    """
    directory = Path(directory)
    remedy = "give a directory that prepare_data.py wrote"
    if not (directory / "dataset_dict.json").is_file():
        raise ValueError(f"{directory} is no dataset directory (no dataset_dict.json in it); {remedy}.")
    dataset = load_from_disk(directory)
    for split in SPLITS:
        if split not in dataset:
            raise ValueError(f"{directory} has no {split} split; {remedy}.")
        missing = set(FEATURES) - set(dataset[split].column_names)
        if missing:
            raise ValueError(f"{directory}/{split} lacks the column {', '.join(sorted(missing))}; {remedy}.")
    return dataset


def list_people(messages: Iterable[Message]) -> list[Person]:
    """The participants of a chat, each with the words of the name as further forms of it."""
    authors = sorted({message.author for message in messages if message.author})
    return [Person(author, tuple(word for word in re.findall(r"[^\W\d_]{3,}", author))) for author in authors]


def scrub_messages(messages: Iterable[Message], people: list[Person]) -> tuple[list[Message], Counter[str]]:
    """Messages without private data, and how many pieces of each type were replaced.

    Args:
        messages (`Iterable[Message]`):
            Messages of one chat.
        people (`list[Person]`):
            Those whose names are replaced by `[NAME]`.
    """
    scrubbed, replaced = [], Counter()
    for message in messages:
        text = scrub(message.text, people)
        replaced.update(placeholder.strip("[]") for placeholder in PLACEHOLDER.findall(text))
        replaced.subtract(placeholder.strip("[]") for placeholder in PLACEHOLDER.findall(message.text))
        scrubbed.append(replace(message, text=text))
    return scrubbed, +replaced


def prepare_data(arguments: PrepareArguments) -> None:
    """The prepare stage: exports -> dataset/, with report.json beside the splits."""
    require_new(arguments.output_dir)
    disable_progress_bars()
    paths = [path for source in arguments.exports for path in find_exports(source)]
    participants: Counter[str] = Counter()
    files, rows = [], []
    replaced: Counter[str] = Counter()
    for number, path in enumerate(paths):
        messages = list(parse_export(path, day_first=arguments.day_first))
        participants.update(message.author for message in messages if message.author)
        file_report = _describe_file(path, messages, arguments.day_first)
        _print_file(file_report)
        files.append(file_report)
        kept = [message for message in messages if find_drop_reason(message) is None]
        if arguments.scrub:
            kept, replaced_here = scrub_messages(kept, list_people(messages))
            replaced += replaced_here
        conversations = build_conversations(
            kept,
            assistant=arguments.assistant,
            gap=timedelta(minutes=arguments.session_gap_minutes),
        )
        rows += [
            _make_row(conversation, f"{number:02}-{index:05}", has_roles=arguments.assistant is not None)
            for index, conversation in enumerate(conversations)
        ]
    if arguments.assistant is not None and arguments.assistant not in participants:
        names = ", ".join(name for name, _ in participants.most_common())
        raise ValueError(f"assistant={arguments.assistant} is not in these chats; they are between {names}.")

    splits = split_conversations(
        rows,
        validation_fraction=arguments.validation_fraction,
        test_fraction=arguments.test_fraction,
        seed=arguments.seed,
    )
    report = {
        "files": files,
        "messages": sum(file["messages"] for file in files),
        "kept": sum(file["kept"] for file in files),
        "dropped": dict(sum((Counter(file["dropped"]) for file in files), Counter())),
        # null: nobody looked for any.
        "private_data": dict(sorted(replaced.items())) if arguments.scrub else None,
        "conversations": len(rows),
        "splits": {name: _describe_split(split) for name, split in splits.items()},
        "session_gap_minutes": arguments.session_gap_minutes,
        "seed": arguments.seed,
    }
    with write_directory(arguments.output_dir) as directory:
        DatasetDict(
            {
                name: Dataset.from_list([{key: row[key] for key in FEATURES} for row in split], features=FEATURES)
                for name, split in splits.items()
            }
        ).save_to_disk(directory)
        (directory / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    _print_summary(report, arguments.output_dir)


def _make_row(conversation: Conversation, conversation_id: str, *, has_roles: bool) -> dict[str, Any]:
    return {
        "text": conversation.text,
        "messages": conversation.messages if has_roles else None,
        # Not the file's name, in which WhatsApp writes a contact.
        "source": "whatsapp",
        "script": detect_script(conversation.text),
        "conversation_id": conversation_id,
        "num_messages": conversation.num_messages,
        "num_turns": len(conversation.turns),
    }


def _describe_file(path: Path, messages: list[Message], day_first: bool | None) -> dict[str, Any]:
    reasons = Counter(find_drop_reason(message) for message in messages)
    kept = reasons.pop(None, 0)
    export_format = detect_format(path, day_first=day_first)
    return {
        "file": make_printable(path.name),
        "format": export_format.label,
        "date_order": export_format.date_order,
        "decided_by": export_format.decided_by,
        "encoding": export_format.encoding,
        "messages": len(messages),
        "kept": kept,
        "dropped": dict(sorted(reasons.items())),
        # Before the first header, so no messages.
        "skipped_lines": export_format.num_skipped_lines,
    }


def _describe_split(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "conversations": len(rows),
        "messages": sum(row["num_messages"] for row in rows),
        "turns": sum(row["num_turns"] for row in rows),
        "words": sum(len(row["text"].split()) for row in rows),
        "bytes": sum(len(row["text"].encode()) for row in rows),
        "scripts": dict(sorted(Counter(row["script"] for row in rows).items())),
    }


def _print_file(file: dict[str, Any]) -> None:
    print(
        f"{file['file']}: {file['messages']:,} messages, {file['kept']:,} kept, dropped {_spell(file['dropped'])} "
        f"({file['format']}, {file['date_order']} by {file['decided_by']})"
    )


def _print_summary(report: dict[str, Any], output_dir: Path) -> None:
    print(
        f"all: {report['messages']:,} messages, {report['kept']:,} kept, dropped {_spell(report['dropped'])}; "
        f"{report['conversations']:,} conversations -> {output_dir}"
    )
    if report["private_data"] is not None:
        print(f"private data replaced: {_spell(report['private_data'])}")
    for name, split in report["splits"].items():
        print(
            f"  {name:10}  {split['conversations']:6,} conversations  {split['turns']:7,} turns  "
            f"{split['words']:8,} words  {split['bytes'] / 1e6:.2f} MB"
        )


def _spell(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items())) or "none"
