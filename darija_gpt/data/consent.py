"""Consent: a file per conversation says who agreed that a model learns from what they wrote.

The file is named after the export (`WhatsApp Chat with Salma.txt.yaml`) and maps each participant to yes, no or
unknown. Nobody is taken to agree in silence: who is not in the file is unknown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import yaml

from darija_gpt.data.pseudonyms import hash_with_key
from darija_gpt.data.whatsapp import Message
from darija_gpt.output import make_printable, write_text


Answer = Literal["yes", "no", "unknown"]
STRICTNESS: tuple[Answer, ...] = ("yes", "unknown", "no")
HEADER = "# May a model learn from what they wrote in this conversation? yes, no or unknown; only yes is kept.\n"


def locate_consent(folder: Path, export: Path) -> Path:
    """Where the consent to an export is written."""
    return folder / f"{export.name}.yaml"


def require_own_files(chats: Iterable[Sequence[Path]]) -> None:
    """Checks that no consent file would speak of two chats, as of an iPhone's, which are all called _chat.txt.

    Args:
        chats (`Iterable[Sequence[Path]]`):
            The exports of each chat. Those of one chat may share a name, and the file.

    Raises:
        ValueError: If exports of two chats have the same name.
    """
    owners: dict[str, tuple[int, Path]] = {}
    for number, exports in enumerate(chats):
        for export in exports:
            owner, first = owners.setdefault(export.name, (number, export))
            if owner != number:
                both = make_printable(f"{first} and {export}")
                raise ValueError(f"{both} are two chats, and their consent would be one file; rename one of them.")


def load_consent(folder: Path, exports: Sequence[Path]) -> dict[str, Answer]:
    """Who agreed, in the conversation that one or more exports hold. Where two files differ, the stricter one counts.

    Raises:
        ValueError: If there is no file for any of the exports, or one is no mapping of names to the three answers.
    """
    paths = [path for path in (locate_consent(folder, export) for export in exports) if path.is_file()]
    if not paths:
        raise ValueError(
            f"{folder} holds no consent to {exports[0].name}: write who agreed into "
            f"{locate_consent(folder, exports[0]).name}, or run once with --draft_consent true to have it begun."
        )
    answers: dict[str, Answer] = {}
    for path in paths:
        for name, answer in _read_answers(path):
            answers[name] = max(answer, answers.get(name, "yes"), key=STRICTNESS.index)
    return answers


def _read_answers(path: Path) -> Iterator[tuple[str, Answer]]:
    """The lines of a file, of which two may speak of the same person."""
    remedy = "write one line 'name: yes' for each participant"
    try:
        document = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # yes stays a word
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise ValueError(f"{path}: not YAML; {remedy}.") from None
    if not isinstance(document, yaml.MappingNode):
        raise ValueError(f"{path}: no mapping of names to answers; {remedy}.")
    for name, answer in document.value:
        line = answer.start_mark.line + 1
        if not isinstance(name, yaml.ScalarNode):
            raise ValueError(f"{path}: line {line}: a name that holds brackets needs quotes; {remedy}.")
        if answer.value not in STRICTNESS:
            raise ValueError(f"{path}: line {line} answers neither yes, no nor unknown; {remedy}.")
        yield name.value, answer.value


def draft_consent(folder: Path, export: Path, participants: Iterable[str], owner: str | None) -> bool:
    """Begins the file of an export, everybody unknown but its owner. One that exists is left as it is.

    Returns:
        `bool`: whether a file was written.
    """
    path = locate_consent(folder, export)
    if path.exists():
        return False
    answers = {name: "yes" if name == owner else "unknown" for name in participants}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = yaml.safe_dump(answers, allow_unicode=True, sort_keys=False, width=10**6)
    write_text(path, HEADER + lines)
    return True


def hash_author(name: str, key: bytes) -> str:
    """A participant in a report: nobody without the key can tell who it is, nor check a guess."""
    return hash_with_key(f"consent {name}", key)


def record_answers(
    participants: Iterable[str], consent: Mapping[str, Answer] | None, key: bytes
) -> dict[str, Answer | None]:
    """By which answer each participant's words were kept or left out, under a hash of the name; None: nobody asked.

    Args:
        participants (`Iterable[str]`):
            Who wrote in a chat.
        consent (`Mapping[str, Answer]`, *optional*):
            Who agreed, as `load_consent` read it.
        key (`bytes`):
            The secret of `read_key`.
    """
    answers = {name: None if consent is None else consent.get(name, "unknown") for name in participants}
    return dict(sorted((hash_author(name, key), answer) for name, answer in answers.items()))


def find_consent_reason(message: Message, consent: Mapping[str, Answer] | None) -> str | None:
    """Why a message may not be kept: `consent_no` or `consent_unknown`. None for one that may.

    Notices of WhatsApp's own pass: they are nobody's words, and dropped as such later.
    """
    if consent is None or message.author is None:
        return None
    answer = consent.get(message.author, "unknown")
    return None if answer == "yes" else f"consent_{answer}"
