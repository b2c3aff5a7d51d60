"""Shipments: what goes to which repository, and everything that speaks against it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from darija_gpt.output import make_printable
from darija_gpt.publishing.arguments import PublishArguments
from darija_gpt.publishing.companions import find_plots
from darija_gpt.publishing.files import Kind, find_kind, hash_published_files, list_files
from darija_gpt.publishing.gate import Evidence, check_dataset, check_files, check_model, check_plots
from darija_gpt.publishing.refusals import Refusal
from darija_gpt.publishing.upload import RepoType


@dataclass(frozen=True)
class Shipment:
    """What goes to one repository, and why it must not.

    Args:
        kind (`str`), directory (`Path`), repo_id (`str`, *optional*):
            What it is, where it is, and where it goes.
        files (`dict[str, str]`):
            What goes of the directory: SHA-256 by path, taken before anything was checked.
        refusals (`list[Refusal]`):
            What speaks against it.
    """

    kind: Kind
    directory: Path
    repo_id: str | None
    files: dict[str, str]
    refusals: list[Refusal]

    @property
    def repo_type(self) -> RepoType:
        return "model" if self.kind == "adapter" else self.kind


@contextmanager
def pack_shipments(arguments: PublishArguments) -> Iterator[list[Shipment]]:
    """Everything that is to be sent, checked; the rows of a dataset lie in a directory that is gone afterwards."""
    evidence = Evidence(
        audit=arguments.audit_file,
        dataset=arguments.dataset,
        pseudonym_key=arguments.pseudonym_key,
        consent=arguments.consent,
        is_public=not arguments.private,
        repo_ids=tuple(
            filter(None, (arguments.repo_id, arguments.base_repo_id, arguments.dataset_repo_id, *arguments.datasets))
        ),
    )
    model, kind = arguments.model, find_kind(arguments.model)
    files = hash_published_files(model, kind)
    refusals = check_model(model, files, evidence)
    refusals += check_plots(find_plots(arguments.plot_folders), files, evidence)
    shipments = [Shipment(kind, model, arguments.repo_id, files, refusals)]
    if arguments.space_dir is not None:
        files = hash_published_files(arguments.space_dir, "space")
        refusals = check_files(arguments.space_dir, "space", files, evidence)
        shipments.append(Shipment("space", arguments.space_dir, arguments.repo_id, files, refusals))
    with tempfile.TemporaryDirectory() as directory:
        if arguments.dataset_repo_id is not None and (arguments.push or arguments.dry_run):
            shipments.append(_pack_dataset(arguments, evidence, Path(directory)))
        yield shipments


def _pack_dataset(arguments: PublishArguments, evidence: Evidence, directory: Path) -> Shipment:
    from darija_gpt.data.dataset_directory import load_dataset_directory
    from darija_gpt.publishing.dataset_files import read_report, write_dataset_files

    dataset, report = load_dataset_directory(arguments.dataset), read_report(arguments.dataset)
    write_dataset_files(
        dataset,
        directory,
        report=report,
        dataset_name=arguments.dataset_name,
        license=arguments.dataset_license,
        language=arguments.language,
        data_description=arguments.data_description,
        repo_id=arguments.dataset_repo_id,
    )
    files = hash_published_files(directory, "dataset")
    refusals = check_dataset(dataset, evidence, report) + check_files(directory, "dataset", files, evidence)
    return Shipment("dataset", directory, arguments.dataset_repo_id, files, refusals)


def print_shipments(shipments: list[Shipment], private: bool) -> None:
    """What would be sent where, file by file, what stays, and what speaks against it."""
    for shipment in shipments:
        seen_by = "private" if private else "public"
        where = shipment.repo_id or "user/name"
        print(f"{where} ({shipment.kind}, {seen_by}), in one commit: {len(shipment.files)} files")
        for name in shipment.files:
            print(f"  {(shipment.directory / name).stat().st_size:13,}  {make_printable(name)}")
        stays = [name for name in list_files(shipment.directory) if name not in shipment.files]
        if stays:
            print(f"  stays here: {', '.join(map(make_printable, stays))}")
