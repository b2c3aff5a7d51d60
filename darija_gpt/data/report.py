"""report.json: what came, how it was read, what was dropped and why, and what the splits hold."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from darija_gpt.data.chats import Chat
from darija_gpt.data.rows import Row
from darija_gpt.data.script_tags import count_tokens, detect_script
from darija_gpt.data.sources import Source


# Reasons for which a message is dropped that says again what another has said.
DUPLICATE_REASONS = ("repeated", "forwarded", "greeting", "duplicate")
# What a card may say. Names of files and sources are not on the list: WhatsApp writes contacts into them.
AGGREGATES = (
    *("messages", "kinds", "kept", "dropped", "private_data", "duplicates", "tokens", "conversations", "splits"),
    *("num_chats", "num_groups", "num_files", "formats", "session_gap_minutes", "split_by", "seed", "canaries"),
    "near_duplicate_threshold",
)


def select_aggregates(report: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a report that speaks of no one: counts, and how they came about."""
    return {key: report[key] for key in AGGREGATES if key in report}


def build_report(
    chats: Sequence[Chat],
    files: Sequence[Mapping[str, Any]],
    sources: Sequence[Mapping[str, Any]],
    splits: Mapping[str, Sequence[Row]],
    *,
    dropped: Counter[str],
    row_counts: Mapping[str, int] | None,
    private_data: Counter[str] | None,
) -> dict[str, Any]:
    """The content of report.json.

    Args:
        chats (`Sequence[Chat]`):
            The chats that were read.
        files (`Sequence[Mapping]`), sources (`Sequence[Mapping]`):
            What was read from each export and from each other dataset.
        splits (`Mapping[str, Sequence[Row]]`):
            Rows by split, each once.
        dropped (`Counter[str]`):
            Messages of the chats that are in no row, by reason.
        row_counts (`Mapping[str, int]`, *optional*):
            Rows before and after the search for duplicates. None: nobody looked for any.
        private_data (`Counter[str]`, *optional*):
            What was replaced, by type. None: nobody looked for any.
    """
    num_messages = sum(file["messages"] for file in files)
    described = {name: describe_split(rows) for name, rows in splits.items()}
    num_comparable = num_messages - sum(dropped[reason] for reason in dropped if reason not in DUPLICATE_REASONS)
    duplicates = None
    if row_counts is not None:
        by_reason = {reason: dropped[reason] for reason in DUPLICATE_REASONS}
        duplicates = {
            "messages": {"before": num_comparable, **by_reason, "after": num_comparable - sum(by_reason.values())},
            "rows": dict(row_counts),
        }
    return {
        "files": list(files),
        "sources": list(sources),
        "num_files": len(files),
        "num_chats": len(chats),
        "num_groups": sum(len(chat.participants) > 2 for chat in chats),
        "formats": dict(sorted(Counter(file["format"] for file in files).items())),
        "messages": num_messages,
        "kinds": dict(sorted(sum((Counter(file["kinds"]) for file in files), Counter()).items())),
        "kept": num_messages - dropped.total(),
        "dropped": dict(sorted(dropped.items())),
        "private_data": None if private_data is None else dict(sorted(private_data.items())),
        "duplicates": duplicates,
        "tokens": dict(sorted(sum((Counter(split["tokens"]) for split in described.values()), Counter()).items())),
        "conversations": sum(split["conversations"] for split in described.values()),
        "splits": described,
    }


def describe_source(source: Source, rows: Sequence[Row], dropped: Mapping[str, int]) -> dict[str, Any]:
    """What was read from another dataset."""
    return {
        "source": source.label,
        "subset": source.subset,
        "split": source.split,
        "weight": source.weight,
        "rows": len(rows),
        "dropped": dict(sorted(dropped.items())),
    }


def describe_split(rows: Sequence[Row]) -> dict[str, Any]:
    """What a split holds. A token is a word; `other` are numbers alone."""
    tokens: Counter[str] = Counter()
    for row in rows:
        tokens += count_tokens(row.text)
    return {
        "conversations": len({row.conversation_id for row in rows}),
        "rows": len(rows),
        "messages": sum(row.num_messages for row in rows),
        "turns": sum(row.num_turns for row in rows),
        "words": sum(len(row.text.split()) for row in rows),
        "bytes": sum(len(row.text.encode()) for row in rows),
        "tokens": dict(sorted(tokens.items())),
        "scripts": dict(sorted(Counter(detect_script(row.text) for row in rows).items())),
    }


def print_file(file: Mapping[str, Any]) -> None:
    """A line about an export."""
    print(
        f"{file['file']}: {file['messages']:,} messages ({spell_counts(file['kinds'])}), {file['format']}, "
        f"{file['date_order']} by {file['decided_by']}"
    )


def print_summary(report: Mapping[str, Any], output_dir: Path) -> None:
    """What a user wants to know at the end."""
    if report["files"]:
        print(
            f"chats: {report['messages']:,} messages in {report['num_chats']:,} chat(s); {report['kept']:,} kept, "
            f"dropped {spell_counts(report['dropped'])}"
        )
    for source in report["sources"]:
        print(f"{source['source']}: {source['rows']:,} rows kept, dropped {spell_counts(source['dropped'])}")
    if report["private_data"] is not None:
        print(f"private data replaced: {spell_counts(report['private_data'])}")
    if report["duplicates"] is not None:
        rows = report["duplicates"]["rows"]
        print(
            f"duplicates: of {rows['before']:,} rows {rows['exact']:,} are copies and {rows['near']:,} nearly, "
            f"{rows['after']:,} left"
        )
    for name, split in report["splits"].items():
        print(
            f"  {name:10}  {split['conversations']:6,} conversations  {split['turns']:7,} turns  "
            f"{split['words']:8,} words  {split['bytes'] / 1e6:.2f} MB"
        )
    print(f"{report['conversations']:,} conversations -> {output_dir}")


def spell_counts(counts: Mapping[str, int]) -> str:
    """`12 deleted, 2,100 media`."""
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())) or "none"
