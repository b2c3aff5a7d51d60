"""Consent as a gate: nothing becomes public while somebody who wrote in a chat has not been asked."""

import json
from pathlib import Path

from darija_gpt.data.consent import load_consent, locate_consent
from darija_gpt.output import make_printable
from darija_gpt.publishing.refusals import Refusal


def find_missing_consent(dataset: Path, consent: Path | None) -> list[Refusal]:
    """Exports of a dataset to which not everybody has answered, or of which words were kept without a yes.

    Args:
        dataset (`Path`):
            The directory that prepare_data wrote.
        consent (`Path`, *optional*):
            The folder with a file for each export.

    Raises:
        ValueError: If a file of the folder is no consent file.
    """
    path = dataset / "report.json"
    if not path.is_file():
        return [Refusal("consent", f"{dataset} has no report.json that would say whose chats it holds")]
    report = json.loads(path.read_text("utf-8"))
    exports = [str(file["file"]) for file in report.get("files", [])]
    if not exports:
        return []
    if consent is None:
        words = f"{len(exports)} chats are in the dataset, and nobody's consent is given"
        return [Refusal("consent", f"{words}; name the folder as --consent")]
    refusals = []
    for export in exports:
        shown = make_printable(locate_consent(consent, Path(export)).name)
        if not locate_consent(consent, Path(export)).is_file():
            refusals.append(Refusal("consent", f"{shown} is missing in {consent}; begin it with --draft_consent"))
            continue
        answers = list(load_consent(consent, [Path(export)]).values())
        if answers.count("unknown") or not answers:
            num = f"{answers.count('unknown')} of {len(answers)}"
            refusals.append(Refusal("consent", f"{shown}: {num} have not answered; ask them, and write yes or no"))
        elif "no" in answers and not any(reason.startswith("consent") for reason in report.get("dropped", {})):
            refusals.append(
                Refusal(
                    "consent", f"{shown} has a no, and the dataset was prepared without --consent; prepare it again"
                )
            )
    return refusals
