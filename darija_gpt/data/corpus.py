"""The corpus: chat exports and other datasets -> dataset/, a DatasetDict of conversations, and report.json."""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from datasets import DatasetDict, disable_progress_bars

from darija_gpt.data.canaries import MAX_CANARIES, plant_canaries, save_canaries
from darija_gpt.data.chats import Chat, clean_chats, list_exports, read_chats
from darija_gpt.data.cleaning import Cleaner
from darija_gpt.data.consent import (
    Answer,
    draft_consent,
    load_consent,
    locate_consent,
    record_answers,
    require_own_files,
)
from darija_gpt.data.dataset_card import render_dataset_card
from darija_gpt.data.dataset_directory import build_dataset, purge_dataset
from darija_gpt.data.deduplication import drop_copied, drop_forwarded
from darija_gpt.data.private_index import PrivateIndexWriter
from darija_gpt.data.pseudonyms import read_key
from darija_gpt.data.quality import QualityLimits
from darija_gpt.data.report import build_report, describe_source, print_file, print_summary
from darija_gpt.data.rows import (
    CHATS,
    Row,
    apply_weights,
    build_chat_rows,
    build_source_rows,
    split_off_duplicates,
)
from darija_gpt.data.scrubbing import Scrubber, list_people
from darija_gpt.data.sources import Source
from darija_gpt.data.splits import SplitBy, split_rows
from darija_gpt.markdown import DARIJA
from darija_gpt.output import make_printable, require_new, write_directory


MAX_NUMBER = 10**9  # beyond all texts and lives; what counts in 32 bits, or adds minutes to a date, ends later


@dataclass
class PrepareArguments:
    output_dir: Path = field(metadata={"help": "directory to write the dataset to"})
    exports: list[Path] = field(default_factory=list, metadata={"help": "WhatsApp exports, or folders of them"})
    sources: list[Source] = field(
        default_factory=list,
        metadata={"help": "other datasets to mix in, each a mapping as '{path: FILE_OR_HUB_ID, weight: 0.5}'"},
    )
    assistant: str | None = field(
        default=None,
        metadata={"help": "the participant whose replies the model learns; without one, chats become plain text"},
    )
    consent: Path | None = field(
        default=None,
        metadata={
            "help": "a folder with a file for each export, 'name: yes' for each who agreed; others are left out"
        },
    )
    draft_consent: bool = field(
        default=False, metadata={"help": "only begin those files, everybody's answer unknown, and stop"}
    )
    scrub: bool = field(
        default=True,
        metadata={"help": "put placeholders such as [PHONE] for private data and pseudonyms for participants' names"},
    )
    pseudonym_key: Path = field(
        default=Path("~/.local/share/darija_gpt/pseudonym.key"),
        metadata={"help": "the secret that pseudonyms are made with; made when first used, and never to be shared"},
    )
    canaries: int = field(
        default=0,
        metadata={
            "help": "so many invented numbers are planted in 1 training row each, as many in 2, in 4 and in 8, for an "
            "audit to ask for"
        },
    )
    normalize: bool = field(
        default=True, metadata={"help": "write what looks the same in one way: NFC, no tatweel, no marks of direction"}
    )
    max_elongation: int | None = field(
        default=None, metadata={"help": "letters in a row that are kept: with 3, salaaaam becomes salaaam"}
    )
    quality: QualityLimits = field(
        default_factory=QualityLimits, metadata={"help": "bounds within which a text is kept (see quality.py)"}
    )
    deduplicate: bool = field(default=True, metadata={"help": "drop what is said again, and cap greetings"})
    near_duplicate_threshold: float = field(
        default=0.7, metadata={"help": "similarity from which two texts say the same; 1 for exact copies alone"}
    )
    max_greeting_repeats: int = field(
        default=100, metadata={"help": "how many conversations may open with the same words"}
    )
    session_gap_minutes: int = field(default=180, metadata={"help": "a longer silence ends a conversation"})
    window_characters: int | None = field(
        default=None, metadata={"help": "cut longer conversations, between turns, into rows of at most that length"}
    )
    split_by: SplitBy = field(
        default="conversation", metadata={"help": "hold out conversations at random, or the latest ones (time)"}
    )
    validation_fraction: float = field(default=0.05, metadata={"help": "share of the conversations to measure on"})
    test_fraction: float = field(default=0.05, metadata={"help": "share of the conversations for the last word"})
    dataset_name: str = field(
        default="Conversations in Darija", metadata={"help": "the title of the dataset's card, README.md"}
    )
    license: str = field(default="other", metadata={"help": "the license of the texts, for the card"})
    language: str = field(default=DARIJA, metadata={"help": "the language's code of ISO 639, for the card"})
    data_description: str | None = field(
        default=None, metadata={"help": "one paragraph about the data, in your words, for the card"}
    )
    day_first: bool | None = field(
        default=None, metadata={"help": "order of day and month, where a file does not show it"}
    )
    encoding: str | None = field(
        default=None, metadata={"help": "encoding of those exports that are not UTF-8, such as cp1256"}
    )
    seed: int = field(default=0, metadata={"help": "decides which conversations go to which split"})
    purge: bool = field(
        default=False, metadata={"help": "instead: remove output_dir and all else that this stage made for it"}
    )

    def __post_init__(self):
        if (
            not 0 < self.validation_fraction + self.test_fraction < 1
            or min(self.validation_fraction, self.test_fraction) <= 0
        ):
            raise ValueError(
                f"validation_fraction={self.validation_fraction} and test_fraction={self.test_fraction} must be "
                "positive and leave something to train on; try 0.05 each."
            )
        for name, least, remedy in (
            ("session_gap_minutes", 1, "try 180"),
            ("max_greeting_repeats", 1, "try 100"),
            ("max_elongation", 1, "try 3, or null for no limit"),
            ("window_characters", 100, "try 2000, or null for whole conversations"),
        ):
            if (value := getattr(self, name)) is not None and not least <= value <= MAX_NUMBER:
                raise ValueError(f"{name}={value} must be at least {least} and at most {MAX_NUMBER:,}; {remedy}.")
        if not 0.1 <= self.near_duplicate_threshold <= 1:
            raise ValueError(
                f"near_duplicate_threshold={self.near_duplicate_threshold} must be between 0.1 and 1; try 0.7."
            )
        if not 0 <= self.canaries <= MAX_CANARIES:
            raise ValueError(f"canaries={self.canaries} must be between 0 and {MAX_CANARIES}; try 8, or 0 for none.")
        if self.max_elongation is not None and not self.normalize:
            raise ValueError("max_elongation needs normalize; leave one of the two out.")
        if self.draft_consent and self.consent is None:
            raise ValueError("draft_consent needs a folder to write to; give it as --consent.")
        if not (self.exports or self.sources or self.purge):
            raise ValueError("there is nothing to read; give --exports, or sources in a recipe.")


def begin_consent(chats: Iterable[Chat], folder: Path, owner: str | None) -> None:
    """Writes a file per export in which each participant's answer can be put."""
    for chat in chats:
        for export in chat.files:
            is_new = draft_consent(folder, export, chat.participants, owner)
            print(f"{locate_consent(folder, export)}: {'written' if is_new else 'is there already, left as it is'}")


def check_assistant(assistant: str | None, chats: Iterable[Chat]) -> None:
    """Refuses a name that nobody in the chats has."""
    participants = Counter(message.author for chat in chats for message in chat.messages if message.author)
    if assistant is not None and participants and assistant not in participants:
        names = ", ".join(name for name, _ in participants.most_common())
        raise ValueError(f"assistant={assistant} is not in these chats; they are between {names}.")


def _describe_chats(
    arguments: PrepareArguments, chats: Sequence[Chat], consents: Sequence[Mapping[str, Answer] | None]
) -> list[dict[str, Any]]:
    """Of each chat its exports, and by whose consent it was read."""
    # Without anybody in the chats there is nothing to keep secret, and no key is made.
    key = read_key(arguments.pseudonym_key.expanduser()) if any(chat.participants for chat in chats) else b""
    return [
        {
            "files": [make_printable(path.name) for path in chat.files],
            "answers": record_answers(chat.participants, consent, key),
        }
        for chat, consent in zip(chats, consents, strict=True)
    ]


def _read_rows_of_chats(
    arguments: PrepareArguments,
    chats: Sequence[Chat],
    consents: Sequence[Mapping[str, Answer] | None],
    cleaner: Cleaner,
) -> tuple[list[Row], Counter[str]]:
    """The rows of all chats, and how many messages were dropped for which reason."""
    cleaned, dropped = clean_chats(chats, consents, clean=cleaner.clean, limits=arguments.quality)
    gap = timedelta(minutes=arguments.session_gap_minutes)
    if arguments.deduplicate:
        num_messages = sum(map(len, cleaned))
        own = drop_copied(cleaned, gap, threshold=arguments.near_duplicate_threshold)
        cleaned = drop_forwarded(own, threshold=arguments.near_duplicate_threshold)
        dropped["repeated"] += num_messages - sum(map(len, own))
        dropped["forwarded"] = sum(map(len, own)) - sum(map(len, cleaned))
    rows, dropped["greeting"] = build_chat_rows(
        cleaned,
        assistant=arguments.assistant,
        gap=gap,
        clean_together=cleaner.clean_together,
        window_characters=arguments.window_characters,
        max_greeting_repeats=arguments.max_greeting_repeats if arguments.deduplicate else None,
    )
    return rows, dropped


def prepare_data(arguments: PrepareArguments) -> None:
    """The prepare stage: exports and other datasets -> dataset/, with report.json beside the splits."""
    if arguments.purge:
        purge_dataset(arguments.output_dir)
        return
    if not arguments.draft_consent:
        require_new(arguments.output_dir)
    disable_progress_bars()
    chats, files = read_chats(
        list_exports(arguments.exports), day_first=arguments.day_first, encoding=arguments.encoding
    )
    for file in files:
        print_file(file)
    if arguments.consent:
        require_own_files([chat.files for chat in chats])
    if arguments.draft_consent:
        begin_consent(chats, arguments.consent, arguments.assistant)
        return
    check_assistant(arguments.assistant, chats)

    people = list_people(chats)
    scrubber = Scrubber(people, arguments.pseudonym_key) if arguments.scrub else None
    index = PrivateIndexWriter(people, arguments.pseudonym_key)
    cleaner = Cleaner(scrubber, index, normalize=arguments.normalize, max_elongation=arguments.max_elongation)
    consents = [load_consent(arguments.consent, chat.files) if arguments.consent else None for chat in chats]
    rows, dropped = _read_rows_of_chats(arguments, chats, consents, cleaner)
    row_counts, source_reports, lost = None, [], Counter()
    with write_directory(arguments.output_dir) as directory:
        for number, source in enumerate(arguments.sources):
            source_rows, unfit = build_source_rows(
                source,
                f"s{number}",
                clean=cleaner.clean,
                clean_together=cleaner.clean_together,
                limits=arguments.quality,
                cache_dir=directory / "cache",
                seed=arguments.seed,
            )
            source_reports.append(describe_source(source, source_rows, unfit))
            rows += source_rows
            lost += unfit
        shutil.rmtree(directory / "cache", ignore_errors=True)
        if arguments.deduplicate:
            rows, duplicates, row_counts = split_off_duplicates(rows, arguments.near_duplicate_threshold)
            dropped["duplicate"] = sum(row.num_messages for row in duplicates if row.source == CHATS)
            lost["duplicate"] += sum(row.source != CHATS for row in duplicates)
        splits = split_rows(
            rows,
            split_by=arguments.split_by,
            validation_fraction=arguments.validation_fraction,
            test_fraction=arguments.test_fraction,
            seed=arguments.seed,
            dropped=dropped + lost,
        )
        report = build_report(
            chats,
            files,
            source_reports,
            splits,
            dropped=+dropped,
            row_counts=row_counts,
            private_data=scrubber and scrubber.replaced,
        )
        report |= {
            "session_gap_minutes": arguments.session_gap_minutes,
            "split_by": arguments.split_by,
            "seed": arguments.seed,
            "canaries": arguments.canaries,
            "chats": _describe_chats(arguments, chats, consents),
            "near_duplicate_threshold": arguments.near_duplicate_threshold if arguments.deduplicate else None,
        }
        splits["train"] = apply_weights(splits["train"], arguments.seed)
        if not splits["train"]:
            raise ValueError("the weights of the sources leave no row to train on; give greater ones.")
        if arguments.canaries:
            splits["train"], planted = plant_canaries(splits["train"], arguments.canaries, arguments.seed)
            save_canaries(planted, directory)
        index.save(directory)
        DatasetDict({name: build_dataset(split) for name, split in splits.items()}).save_to_disk(directory)
        (directory / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
        card = render_dataset_card(
            report,
            dataset_name=arguments.dataset_name,
            license=arguments.license,
            language=arguments.language,
            data_description=arguments.data_description,
        )
        (directory / "README.md").write_text(card, "utf-8")
    print_summary(report, arguments.output_dir)
