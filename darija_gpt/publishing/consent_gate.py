"""Consent as a gate: nothing becomes public while somebody who wrote in a chat has not been asked, or has said no."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from darija_gpt.data.consent import hash_author, load_consent, locate_consent
from darija_gpt.data.pseudonyms import read_key
from darija_gpt.output import make_printable
from darija_gpt.publishing.dataset_files import read_report
from darija_gpt.publishing.refusals import Refusal


def find_missing_consent(dataset: Path, consent: Path | None, pseudonym_key: Path) -> list[Refusal]:
    """Chats of a dataset in which not everybody has answered by now, or somebody whose words it holds says no.

    Args:
        dataset (`Path`):
            The directory that prepare_data wrote.
        consent (`Path`, *optional*):
            The folder with a file for each export, as it is today.
        pseudonym_key (`Path`):
            The key that the dataset was prepared with.

    Raises:
        ValueError: If a file of the folder is no consent file, or the key or the report is none.
    """
    report = read_report(dataset)
    if not report:
        return [Refusal("consent", f"{dataset} has no report.json that would say whose chats it holds")]
    if not report.get("files"):
        return []
    if consent is None:
        words = f"{len(report['files'])} chats are in the dataset, and nobody's consent is given"
        return [Refusal("consent", f"{words}; name the folder as --consent")]
    chats = _read_chats(report)
    if not chats:
        return [Refusal("consent", f"{dataset} does not say who wrote in its chats; prepare it again")]
    if not pseudonym_key.expanduser().is_file():
        words = f"{pseudonym_key} is not there, and nobody else knows who wrote in the chats"
        return [Refusal("consent", f"{words}; name the key as --pseudonym_key")]
    key = read_key(pseudonym_key.expanduser())
    return [refusal for exports, answers in chats for refusal in _compare(exports, answers, consent, key)]


def _read_chats(report: Mapping[str, Any]) -> list[tuple[list[Path], dict[str, str | None]]]:
    """Of each chat its exports, and the answers that it was prepared with; nothing of a dataset that was made before
    they were written down."""
    try:
        return [([Path(name) for name in chat["files"]], dict(chat["answers"])) for chat in report["chats"]]
    except (LookupError, TypeError, ValueError):
        return []


def _compare(exports: list[Path], answers: Mapping[str, str | None], consent: Path, key: bytes) -> list[Refusal]:
    files = [locate_consent(consent, export) for export in exports]
    shown = ", ".join(make_printable(file.name) for file in files)
    missing = [make_printable(file.name) for file in files if not file.is_file()]
    if missing:
        return [
            Refusal("consent", f"{name} is missing in {consent}; begin it with --draft_consent") for name in missing
        ]
    today = {hash_author(name, key): answer for name, answer in load_consent(consent, exports).items()}
    silent = [author for author in answers if today.get(author, "unknown") == "unknown"]
    against = [author for author, answer in answers.items() if today.get(author) == "no" and answer in ("yes", None)]
    refusals = []
    if silent:
        words = f"{shown}: {len(silent)} of {len(answers)} have not answered; ask them, and write yes or no"
        refusals.append(Refusal("consent", words))
    if against:
        words = f"{shown}: {len(against)} of {len(answers)} say no, and the dataset holds their words"
        refusals.append(Refusal("consent", f"{words}; prepare it again with --consent, and train again"))
    return refusals
