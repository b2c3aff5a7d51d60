"""What publish takes, and what of it cannot become a card or a repository."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id

from darija_gpt.evaluation.audit import AUDIT_FILE
from darija_gpt.markdown import DARIJA, one_line
from darija_gpt.output import mark_section
from darija_gpt.publishing.dataset_files import read_report
from darija_gpt.publishing.files import find_kind
from darija_gpt.records import read_record


RESULTS_BEGIN, RESULTS_END = mark_section("results")


@dataclass
class PublishArguments:
    """What publish takes; each field is a key of its recipe and a flag."""

    model: Path = field(
        metadata={"help": "the directory of a model or an adapter; README.md and what goes with it are added to it"}
    )
    evaluation: Path = field(
        metadata={"help": "the directory that evaluate wrote (metrics.json, samples.jsonl), or that of a classifier"}
    )
    model_name: str = field(metadata={"help": "the title of the card"})
    audit: Path | None = field(
        default=None, metadata={"help": f"the directory that audit wrote: {AUDIT_FILE}; nothing is sent without it"}
    )
    dataset: Path | None = field(
        default=None, metadata={"help": "the dataset that the model was audited with; nothing is sent without it"}
    )
    pseudonym_key: Path = field(
        default=Path("~/.local/share/darija_gpt/pseudonym.key"),
        metadata={"help": "the key that the dataset was prepared with, to look for its names in what would be sent"},
    )
    consent: Path | None = field(
        default=None,
        metadata={"help": "the folder with a consent file for each export; nothing becomes public without it"},
    )
    plots: list[Path] = field(
        default_factory=list,
        metadata={"help": "directories with pictures for the card, such as plot and pretrain wrote them"},
    )
    recipes: list[Path] = field(default_factory=list, metadata={"help": "recipes to be published with the model"})
    license: str = field(default="apache-2.0", metadata={"help": "the license's identifier on the Hub"})
    license_file: Path | None = field(
        default=None, metadata={"help": "the text of the license; of apache-2.0 it is there already"}
    )
    language: str = field(default=DARIJA, metadata={"help": "the language's code of ISO 639"})
    datasets: list[str] = field(default_factory=list, metadata={"help": "datasets on the Hub that it was trained on"})
    data_description: str | None = field(
        default=None, metadata={"help": "one paragraph about the data, in your words"}
    )
    base_repo_id: str | None = field(
        default=None, metadata={"help": "of an adapter: where its base stands on the Hub, if it names a directory"}
    )
    repo_id: str | None = field(default=None, metadata={"help": "where the model stands on the Hub: user/name"})
    push: bool = field(
        default=False, metadata={"help": "send the model to repo_id, with the login of `hf auth login`"}
    )
    dry_run: bool = field(
        default=False,
        metadata={"help": "show what would be sent, and why not; needs no network and no login"},
    )
    private: bool = field(default=True, metadata={"help": "only you can see the repository on the Hub"})
    space_dir: Path | None = field(
        default=None, metadata={"help": "a Space that demo.py wrote, to be pushed with the model, under the same name"}
    )
    dataset_repo_id: str | None = field(
        default=None, metadata={"help": "send the rows of the dataset there, too: user/name"}
    )
    dataset_name: str = field(default="Darija conversations", metadata={"help": "the title of the dataset's card"})
    dataset_license: str = field(default="other", metadata={"help": "the license's identifier of the dataset"})
    results_readme: Path | None = field(
        default=None,
        metadata={
            "help": f"a Markdown file to hold the results, between {RESULTS_BEGIN} and {RESULTS_END}; the files that "
            "its numbers come from go into results/ beside it"
        },
    )
    results_section: str = field(
        default="results",
        metadata={"help": "another name for these two marks, which then stands before those of the files, too"},
    )

    @property
    def audit_file(self) -> Path | None:
        return self.audit and self.audit / AUDIT_FILE

    @property
    def plot_folders(self) -> list[Path]:
        """Where pictures for the card may be."""
        return [*self.plots, self.evaluation, self.model]


def check_arguments(arguments: PublishArguments) -> None:
    """Refuses what cannot become a card or a repository, before anything is written.

    Raises:
        ValueError: If a directory lacks what its stage writes, a report is none, or a name is none that the Hub would
            take.
    """
    for key, directory, stage, names in (
        ("model", arguments.model, "pretrain or finetune", ["config.json", "adapter_config.json"]),
        ("evaluation", arguments.evaluation, "evaluate", ["metrics.json"]),
        ("audit", arguments.audit, "audit", [AUDIT_FILE]),
        ("dataset", arguments.dataset, "prepare_data", ["dataset_dict.json"]),
        ("space_dir", arguments.space_dir, "demo", ["app.py"]),
    ):
        if directory is not None and not any((directory / name).is_file() for name in names):
            raise ValueError(f"{key}={directory} has no {names[0]}; give the directory that {stage} wrote.")
    for key, paths in (("plots", arguments.plots), ("recipes", arguments.recipes), ("consent", [arguments.consent])):
        for path in filter(None, paths):
            if not path.exists():
                raise ValueError(f"{key}={path} is not there; give what is, or leave it out.")
    names = [path.name for path in arguments.recipes]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"recipes has {name} more than once, and they go into one folder; rename all but one.")
    if not any(arguments.model.glob("*.safetensors")):
        raise ValueError(f"model={arguments.model} has no *.safetensors; give the directory of a trained model.")
    if not one_line(arguments.model_name):
        raise ValueError(f"model_name={arguments.model_name!r} is empty; give the card a title.")
    for key in ("license", "dataset_license", "language"):
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", getattr(arguments, key)):
            example = DARIJA if key == "language" else "apache-2.0 or mit"
            raise ValueError(f"{key}={getattr(arguments, key)!r} is no identifier of the Hub; write it as {example}.")
    for dataset in arguments.datasets:
        _check_hub_id("datasets", dataset)
    for key in ("repo_id", "base_repo_id", "dataset_repo_id"):
        hub_id = getattr(arguments, key)
        if hub_id is not None:
            _check_hub_id(key, hub_id)
            if "/" not in hub_id:
                raise ValueError(f"{key}={hub_id} names no owner; write it as user/{hub_id}.")
    if arguments.dataset is not None:
        read_report(arguments.dataset)
    if arguments.push and arguments.repo_id is None:
        raise ValueError("push needs to know where to: add --repo_id user/name.")
    if arguments.dataset_repo_id is not None and arguments.dataset is None:
        raise ValueError("dataset_repo_id needs the dataset whose rows are to be sent; name it as --dataset.")


def _check_hub_id(key: str, hub_id: str) -> None:
    try:
        validate_repo_id(hub_id)
    except HFValidationError:
        raise ValueError(f"{key}={hub_id!r} is no name on the Hub; write it as user/name.") from None


def find_base(arguments: PublishArguments) -> str | None:
    """The base that an adapter goes with, as others find it; None for a whole model.

    Raises:
        ValueError: If the adapter is to be sent and names a directory of this machine.
    """
    if find_kind(arguments.model) == "model":
        return None
    named = read_record(arguments.model / "adapter_config.json", "finetune").get("base_model_name_or_path") or ""
    base = arguments.base_repo_id or named
    is_on_hub = base.count("/") == 1 and (arguments.base_repo_id is not None or not Path(base).exists())
    if (arguments.push or arguments.dry_run) and not is_on_hub:
        raise ValueError(f"the adapter names its base {base!r}; say where that stands on the Hub: --base_repo_id.")
    return base if is_on_hub else Path(base).name
