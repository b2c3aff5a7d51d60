"""Publishing: the card is written beside the model, then an allow-list of files goes to the Hub in one commit."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError
from huggingface_hub.utils import validate_repo_id

from darija_gpt.card import render_card, render_results
from darija_gpt.markdown import one_line
from darija_gpt.output import mark_section, replace_section, write_text


# Nothing else leaves the machine: training_args.bin holds a token in clear, samples and datasets hold people's words.
PUBLISHED_FILES = (
    "README.md",
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "*.py",
    "adapter/adapter_*.json",
    "adapter/adapter_*.safetensors",
)
RESULTS_BEGIN, RESULTS_END = mark_section("results")
PUBLISHED_SPACE_FILES = ("README.md", "app.py", "requirements.txt", "darija_gpt/**/*.py")
REFUSALS = {
    401: "your login was refused: run `hf auth login` with a token that may write",
    403: "your login may not write there: use a token that may, or a repo_id of your own",
    404: "there is no such repository for your login: check repo_id",
    429: "too many requests: wait some minutes and run this again",
}


@dataclass
class PublishArguments:
    """What publish takes; each field is a key of its recipe and a flag."""

    model: Path = field(metadata={"help": "the directory that pretrain or finetune wrote; README.md is added to it"})
    evaluation: Path = field(metadata={"help": "the directory that evaluate wrote: metrics.json and samples.jsonl"})
    model_name: str = field(metadata={"help": "the title of the card"})
    license: str = field(default="apache-2.0", metadata={"help": "the license's identifier on the Hub"})
    datasets: list[str] = field(default_factory=list, metadata={"help": "datasets on the Hub that it was trained on"})
    data_description: str | None = field(
        default=None, metadata={"help": "one paragraph about the data, in your words"}
    )
    repo_id: str | None = field(default=None, metadata={"help": "where the model stands on the Hub: user/name"})
    push: bool = field(
        default=False, metadata={"help": "send the model to repo_id, with the login of `hf auth login`"}
    )
    private: bool = field(default=True, metadata={"help": "only you can see the repository on the Hub"})
    space_dir: Path | None = field(
        default=None, metadata={"help": "a Space that demo.py wrote, to be pushed with the model, under the same name"}
    )
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


def check_arguments(arguments: PublishArguments) -> None:
    """Refuses what cannot become a card or a repository, before anything is written.

    Raises:
        ValueError: If a directory lacks what its stage writes, or a name is none that the Hub would take.
    """
    for key, directory, stage, names in (
        ("model", arguments.model, "pretrain or finetune", ["config.json"]),
        ("evaluation", arguments.evaluation, "evaluate", ["metrics.json", "samples.jsonl"]),
    ):
        missing = [name for name in names if not (directory / name).is_file()]
        if missing:
            raise ValueError(f"{key}={directory} has no {missing[0]}; give the directory that {stage} wrote.")
    if arguments.space_dir is not None and not (arguments.space_dir / "app.py").is_file():
        raise ValueError(f"space_dir={arguments.space_dir} has no app.py; write it with demo.py --space_dir.")
    if not any(arguments.model.glob("*.safetensors")):
        raise ValueError(f"model={arguments.model} has no *.safetensors; give the directory of a trained model.")
    if not one_line(arguments.model_name):
        raise ValueError(f"model_name={arguments.model_name!r} is empty; give the card a title.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]*", arguments.license):
        raise ValueError(f"license={arguments.license!r} is no identifier of the Hub; write it as apache-2.0 or mit.")
    for dataset in arguments.datasets:
        _check_hub_id("datasets", dataset)
    if arguments.repo_id is not None:
        _check_hub_id("repo_id", arguments.repo_id)
        if "/" not in arguments.repo_id:
            raise ValueError(f"repo_id={arguments.repo_id} names no owner; write it as user/{arguments.repo_id}.")
    if arguments.push and arguments.repo_id is None:
        raise ValueError("push needs to know where to: add --repo_id user/name.")


def _check_hub_id(key: str, hub_id: str) -> None:
    try:
        validate_repo_id(hub_id)
    except HFValidationError:
        raise ValueError(f"{key}={hub_id!r} is no name on the Hub; write it as user/name.") from None


def read_evaluation(evaluation: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What evaluate measured and sampled.

    Raises:
        ValueError: If a file is no JSON, or a number in it is not finite.
    """
    metrics = _read_json(evaluation / "metrics.json", (evaluation / "metrics.json").read_text(encoding="utf-8"))
    samples = evaluation / "samples.jsonl"
    lines = samples.read_text(encoding="utf-8").split("\n")
    return metrics, [_read_json(samples, line) for line in lines if line.strip()]


def _read_json(path: Path, text: str) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(f"{path} holds {constant} where a number was expected; train and evaluate the model again.")

    try:
        content = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is not what evaluate writes; run evaluate again.")
    return content


def list_published_files(directory: Path, patterns: Sequence[str] = PUBLISHED_FILES) -> list[Path]:
    """The files of a directory that go to the Hub, by default those of a model."""
    # Not upload_folder: in its patterns a star also crosses a slash, so *.py would take every script below.
    found = {path for pattern in patterns for path in directory.glob(pattern)}
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


@contextmanager
def _hub_errors_in_words(repo_id: str) -> Iterator[None]:
    """Turns what the Hub or the network refuses into one line; the request, which holds the token, stays out of it."""
    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code
        answer = re.sub(r"hf_\w+", "hf_...", one_line(error.server_message or "")) or "try again later"
        raise ValueError(f"{repo_id}: the Hub answered {status}: {REFUSALS.get(status, answer)}.") from None
    except (HTTPError, OSError, RuntimeError, json.JSONDecodeError) as error:
        reason = type(error).__name__
        raise ValueError(f"{repo_id}: the Hub cannot be reached ({reason}): check the network, try again.") from None


def push_model(model: Path, repo_id: str, *, private: bool = True) -> str:
    """Sends the publishable files of a model to the Hub in one commit, with the user's own login.

    Args:
        model (`Path`):
            The directory of the model.
        repo_id (`str`):
            The repository, `user/name`. It is created where it does not exist.
        private (`bool`, *optional*, defaults to `True`):
            Whether only its owner can see the repository.

    Returns:
        `str`: The address of the commit.

    Raises:
        ValueError: If the Hub refuses or cannot be reached, or if `private` and the repository is already public.
    """
    if not private:
        print(f"warning: {repo_id} will be public; everyone who wrote in the chats must agree.", file=sys.stderr)
    return _push(model, list_published_files(model), repo_id, private, "model", {})


def push_space(space_dir: Path, repo_id: str, *, private: bool = True) -> str:
    """Sends the folder that demo.py wrote to the Hub as a Space of gradio; see `push_model`."""
    files = list_published_files(space_dir, PUBLISHED_SPACE_FILES)
    return _push(space_dir, files, repo_id, private, "space", {"space_sdk": "gradio"})


def _push(
    directory: Path,
    files: Sequence[Path],
    repo_id: str,
    private: bool,
    repo_type: Literal["model", "space"],
    kind: dict[str, str],
) -> str:
    operations = [
        CommitOperationAdd(path_in_repo=path.relative_to(directory).as_posix(), path_or_fileobj=path) for path in files
    ]
    api = HfApi()
    with _hub_errors_in_words(repo_id):
        api.create_repo(repo_id, private=private, exist_ok=True, repo_type=repo_type, **kind)
        # For a repository that exists, create_repo changes nothing: it may be public.
        is_public = not api.repo_info(repo_id, repo_type=repo_type).private
    if private and is_public:
        raise ValueError(f"{repo_id} is public on the Hub; make it private in its settings, or use --private false.")
    with _hub_errors_in_words(repo_id):
        commit = api.create_commit(
            repo_id, operations, commit_message=f"Publish the {repo_type} with darija_gpt", repo_type=repo_type
        )
    return commit.commit_url


def publish(arguments: PublishArguments) -> None:
    """Writes the card of a model beside it and, when asked, sends both to the Hub.

    Args:
        arguments (`PublishArguments`):
            The model, its evaluation, and what the card says about them.

    Raises:
        ValueError: If an input is missing or wrong, before anything is written; or if the Hub refuses.
    """
    check_arguments(arguments)
    metrics, dialogues = read_evaluation(arguments.evaluation)
    card = render_card(
        metrics,
        dialogues,
        model_name=arguments.model_name,
        license=arguments.license,
        datasets=arguments.datasets,
        data_description=arguments.data_description,
        repo_id=arguments.repo_id,
    )
    texts = {arguments.model / "README.md": card}
    if arguments.results_readme:
        results = render_results(metrics, dialogues)
        section = arguments.results_section
        texts[arguments.results_readme] = replace_section(arguments.results_readme, section, results)
        # Beside a README that is committed, so is what its numbers come from.
        prefix = "" if section == "results" else f"{section}_"
        for name in ("metrics.json", "samples.jsonl"):
            source = (arguments.evaluation / name).read_text(encoding="utf-8")
            texts[arguments.results_readme.parent / "results" / f"{prefix}{name}"] = source
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        write_text(path, text)
        print(f"written: {path}")
    if arguments.push:
        print(f"published: {push_model(arguments.model, arguments.repo_id, private=arguments.private)}")
        if arguments.space_dir is not None:
            print(f"published: {push_space(arguments.space_dir, arguments.repo_id, private=arguments.private)}")
