"""The gate: every reason for which a model, an adapter, a dataset or a Space may not leave this machine."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import get_token

from darija_gpt.data.canaries import CANARIES_FILE
from darija_gpt.data.private_index import PrivateIndex, load_private_index
from darija_gpt.publishing.audit_gate import (
    find_changed_files,
    find_failed_checks,
    find_other_dataset,
    find_weak_settings,
)
from darija_gpt.publishing.consent_gate import find_missing_consent
from darija_gpt.publishing.evaluations import read_audit
from darija_gpt.publishing.files import MODEL_CODE, Kind, find_kind, find_stray_files
from darija_gpt.publishing.refusals import Refusal
from darija_gpt.publishing.text_scan import TextScan, join_texts


if TYPE_CHECKING:
    from datasets import DatasetDict

# Without these nobody can load what stands on the Hub, or know what it is.
NEEDED: dict[Kind, tuple[str, ...]] = {
    "model": ("README.md", "config.json", "tokenizer.json", "LICENSE"),
    "adapter": ("README.md", "adapter_config.json", "adapter_model.safetensors", "LICENSE"),
    "dataset": ("README.md",),
    "space": ("README.md", "app.py", "requirements.txt"),
}

# What to do about it, where it is no part of a model.
REMEDIES = {"LICENSE": "; name a file with the text of the licence as --license_file"}


@dataclass(frozen=True)
class Evidence:
    """What speaks for a publication.

    Args:
        audit (`Path`, *optional*):
            privacy_audit.json.
        dataset (`Path`, *optional*):
            The directory that prepare_data wrote, with which the audit was made.
        pseudonym_key (`Path`):
            The key that it was prepared with.
        consent (`Path`, *optional*):
            The folder with a consent file for each export.
        is_public (`bool`):
            Whether everybody will see what is published.
        repo_ids (`tuple[str, ...]`, *optional*):
            Names that stand on the Hub and are no secret, even where they are somebody's.
    """

    audit: Path | None
    dataset: Path | None
    pseudonym_key: Path
    consent: Path | None
    is_public: bool
    repo_ids: tuple[str, ...] = ()

    @cached_property
    def index(self) -> PrivateIndex | None:
        """What stood in the chats; None if there is no dataset, or none that was prepared with an index."""
        return None if self.dataset is None else load_private_index(self.dataset, self.pseudonym_key)

    def open_scan(self) -> TextScan:
        return TextScan(self.index, self.repo_ids, [get_token() or ""])


def check_files(directory: Path, kind: Kind, published: Collection[str], evidence: Evidence) -> list[Refusal]:
    """What is wrong with the files of a directory: some that are needed are not there, some hold what is private."""
    refusals = [
        Refusal("missing file", f"{directory} has no {name}{REMEDIES.get(name, '')}")
        for name in NEEDED[kind]
        if name not in published
    ]
    if kind == "model" and not any("/" not in name and name.endswith(".safetensors") for name in published):
        refusals.append(Refusal("missing file", f"{directory} has no weights as *.safetensors"))
    scan = evidence.open_scan()
    return refusals + [refusal for name in published for refusal in scan.scan(name, directory / name)]


def check_model(model: Path, published: Collection[str], evidence: Evidence) -> list[Refusal]:
    """Why a model or an adapter may not be published; nothing, if it may."""
    kind = find_kind(model)
    refusals = list(_check_audit(model, evidence))
    refusals += _check_dataset_given(evidence)
    if evidence.dataset is not None and evidence.is_public:
        refusals += find_missing_consent(evidence.dataset, evidence.consent, evidence.pseudonym_key)
    refusals += _find_other_code(model, published)
    return refusals + find_stray_files(model, kind) + check_files(model, kind, published, evidence)


def _find_other_code(model: Path, published: Collection[str]) -> list[Refusal]:
    """Programs beside a model that are not those of an audit: whoever loads it from the Hub runs them."""
    changed = [
        name
        for name in published
        if name.endswith(".py") and (model / name).read_bytes() != (MODEL_CODE / name).read_bytes()
    ]
    if not changed:
        return []
    remedy = "copy darija_gpt/model/*_darija_gpt.py there, which audits use"
    words = f"{', '.join(changed)}: not the same as in this darija_gpt; {remedy}"
    return [Refusal("changed files", words)]


def _check_audit(model: Path, evidence: Evidence) -> Iterator[Refusal]:
    if evidence.audit is None or not evidence.audit.is_file():
        yield Refusal("no audit", "there is no privacy audit; run audit.py and name its directory as --audit")
        return
    audit = read_audit(evidence.audit)
    others = find_changed_files(audit, model)
    yield from others
    if any(refusal.cause == "other model" for refusal in others):
        return  # What that one gives back says nothing of this one.
    yield from find_failed_checks(audit)
    yield from find_weak_settings(audit)
    if evidence.dataset is not None:
        yield from find_other_dataset(audit, evidence.dataset)


def _check_dataset_given(evidence: Evidence) -> list[Refusal]:
    if evidence.dataset is None:
        return [Refusal("no dataset", "nobody can look for names of the chats; name the dataset as --dataset")]
    if evidence.index is None:
        words = f"{evidence.dataset} has no index of private data, or {evidence.pseudonym_key} is not its key"
        return [Refusal("no dataset", f"{words}; prepare it again, or name the key as --pseudonym_key")]
    return []


def check_dataset(dataset: "DatasetDict", evidence: Evidence, report: dict) -> list[Refusal]:
    """Why the rows of a dataset may not be published; nothing, if they may."""
    from tqdm import tqdm

    refusals = _check_dataset_given(evidence)
    if report.get("private_data") is None:
        refusals.append(Refusal("private data", "nothing was replaced in the dataset; prepare it with --scrub true"))
    if (evidence.dataset / CANARIES_FILE).is_file() or report.get("canaries"):
        words = "the dataset holds canaries, of which no audit could tell anything once they are known"
        refusals.append(Refusal("canaries", f"{words}; prepare it again with --canaries 0"))
    if evidence.is_public:
        refusals += find_missing_consent(evidence.dataset, evidence.consent, evidence.pseudonym_key)
    scan = evidence.open_scan()
    for split, rows in dataset.items():
        # Sources are numbered before they are sent.
        columns = rows.remove_columns("source")
        texts = map(join_texts, tqdm(columns, f"searching {split}", unit=" rows", disable=None))
        refusals += scan.count_rows(f"the split {split}", texts)
    return refusals


def check_plots(plots: Mapping[str, Path], published: Collection[str], evidence: Evidence) -> list[Refusal]:
    """What is wrong with the pictures of a card: they are searched by the numbers beside them.

    Args:
        plots (`Mapping[str, Path]`):
            The pictures that the card shows, by name, where they were drawn.
        published (`Collection[str]`):
            The paths of what would be sent with the card.
        evidence (`Evidence`):
            What speaks for a publication.
    """
    scan, refusals = evidence.open_scan(), []
    for name, path in plots.items():
        table = path.with_suffix(".csv")
        if table.is_file():
            refusals += scan.scan(table.name, table)
        else:
            words = f"plots/{name}.png had no {table.name} beside it that would say what it shows; draw it anew"
            refusals.append(Refusal("missing file", words))
    known = {f"plots/{name}.png" for name in plots}
    others = [name for name in published if name.startswith("plots/") and name not in known]
    return refusals + [Refusal("stray file", f"{name} is not in the card; move it elsewhere") for name in others]


def describe_refusals(refusals: list[Refusal]) -> str:
    """All reasons on one line."""
    return "; ".join(dict.fromkeys(refusal.words for refusal in refusals))
