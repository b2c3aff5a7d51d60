"""Sending files to the Hub: one commit, a bounded number of tries, and no word of the login."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeVar

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token, set_client_factory
from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled
from huggingface_hub.utils._http import default_client_factory  # Its hooks are wanted, and no other way leads to them.

from darija_gpt.markdown import one_line
from darija_gpt.output import make_printable
from darija_gpt.publishing.files import PUBLISHED_FILES, matches


Result = TypeVar("Result")
RepoType = Literal["model", "dataset", "space"]
# Answers of a Hub that may give another one soon.
PASSING = {408, 429, 500, 502, 503, 504}
# Of connections: httpx's, and those of the program that sends large files.
BREAKDOWNS = (HTTPError, ConnectionError, TimeoutError)
WAITS_SECONDS = (1, 4, 16)  # before each further try
MAX_WAIT_SECONDS = 60  # whatever the Hub asks for
# Without an answer for so long, nobody is there; a file that is on its way is no silence.
TIMEOUT_SECONDS = 60
# Too large to be held in memory; a Hub takes them by their SHA-256.
LARGE = (".safetensors", ".parquet")
REFUSALS = {
    401: "your login was refused: run `hf auth login` with a token that may write",
    403: "your login may not write there: use a token that may, or a repo_id of your own",
    404: "there is no such repository for your login: check repo_id",
    412: "somebody else has changed the repository meanwhile: run this again",
    429: "too many requests: wait some minutes and run this again",
}


class HubError(ValueError):
    """The Hub refused or could not be reached. `is_passing`: another try may help, `wait_seconds` from now."""

    def __init__(self, words: str, *, is_passing: bool = False, wait_seconds: float = 0):
        super().__init__(words)
        self.is_passing, self.wait_seconds = is_passing, wait_seconds


@contextmanager
def errors_in_words(repo_id: str) -> Iterator[None]:
    """Turns what the Hub or the network refuses into one line; the request, which holds the token, stays out of it."""
    try:
        yield
    except (HTTPError, OSError, RuntimeError, json.JSONDecodeError) as error:
        # An upload that fails in a thread is a RuntimeError with the true reason behind it.
        raise _explain(repo_id, error.__cause__ if isinstance(error, RuntimeError) else error) from None


def _explain(repo_id: str, error: BaseException | None) -> HubError:
    if not isinstance(error, HfHubHTTPError):
        return HubError(
            f"{repo_id}: the Hub cannot be reached ({type(error).__name__}): check the network, try again.",
            is_passing=isinstance(error, BREAKDOWNS) and not isinstance(error, OfflineModeIsEnabled),
        )
    status = error.response.status_code
    answer = hide_token(one_line(error.server_message or "")) or "try again later"
    asked = error.response.headers.get("Retry-After", "")
    return HubError(
        f"{repo_id}: the Hub answered {status}: {REFUSALS.get(status, answer)}.",
        is_passing=status in PASSING,
        wait_seconds=min(int(asked), MAX_WAIT_SECONDS) if asked.isdigit() else 0,
    )


def hide_token(text: str) -> str:
    """A text without the login of this machine, or any that looks like one."""
    token = get_token()
    text = text.replace(token, "hf_...") if token else text
    return re.sub(r"hf_\w+", "hf_...", text)


def retry(attempt: Callable[[], Result], sleep: Callable[[float], None] = time.sleep) -> Result:
    """What an attempt returns, made again some times where the Hub may answer otherwise soon.

    Args:
        attempt (`Callable`):
            What is tried. To be tried again must do no harm.
        sleep (`Callable`, *optional*):
            Waits for so many seconds.

    Raises:
        HubError: The last one.
    """
    for wait_seconds in WAITS_SECONDS:
        try:
            return attempt()
        except HubError as error:
            if not error.is_passing:
                raise
            sleep(max(wait_seconds, error.wait_seconds))
    return attempt()


@contextmanager
def bounded_silence() -> Iterator[None]:
    """Lets no request to the Hub wait for ever, as they do by default."""

    def open_client():
        client = default_client_factory()
        client.timeout = TIMEOUT_SECONDS
        return client

    set_client_factory(open_client)
    try:
        yield
    finally:
        set_client_factory(default_client_factory)


def _add_checked(directory: Path, name: str, digest: str) -> CommitOperationAdd:
    path = directory / name
    # What is in memory stays what it is while the Hub keeps us waiting.
    operation = CommitOperationAdd(name, path if name.endswith(LARGE) else path.read_bytes())
    if operation.upload_info.sha256.hex() != digest:
        raise ValueError(f"{make_printable(name)} has changed since it was checked, so it is not sent; publish again.")
    return operation


def _delete_replaced(api: HfApi, files: Mapping[str, str], repo_id: str, repo_type: RepoType) -> list:
    """Removals of what an earlier push sent and this one does not: weights in other pieces, a recipe taken out."""
    there = [sibling.rfilename for sibling in api.repo_info(repo_id, repo_type=repo_type).siblings or ()]
    kinds = ("model", "adapter") if repo_type == "model" else (repo_type,)
    # A licence that its owner put there himself is no part of what is pushed as a dataset.
    sent_before = {pattern for kind in kinds for pattern in PUBLISHED_FILES[kind]} - {"LICENSE"}
    return [CommitOperationDelete(name) for name in there if name not in files and matches(name, sent_before)]


def push_files(
    directory: Path,
    files: Mapping[str, str],
    repo_id: str,
    *,
    repo_type: RepoType,
    private: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Sends files to a repository of the Hub in one commit, with the user's own login: all of them or none.

    The same commit removes what an earlier push sent there and this one does not; files of other names stay.

    Args:
        directory (`Path`), files (`Mapping[str, str]`):
            Where the files are, and their SHA-256 by their paths in there and on the Hub: as they were checked.
        repo_id (`str`):
            The repository, `user/name`. It is created where it does not exist.
        repo_type (`str`):
            model, dataset or space.
        private (`bool`):
            Whether only its owner can see the repository.
        sleep (`Callable`, *optional*):
            Waits between tries.

    Returns:
        `str`: the address of the commit.

    Raises:
        ValueError: If a file is no longer what was checked, if the Hub refuses or cannot be reached, or if the
            repository is there already and seen by others than `private` says.
    """
    api = HfApi()
    kind = {"space_sdk": "gradio"} if repo_type == "space" else {}

    def create() -> bool:
        with errors_in_words(repo_id):
            api.create_repo(repo_id, private=private, exist_ok=True, repo_type=repo_type, **kind)
            # For a repository that exists, create_repo changes nothing: it may be public.
            return api.repo_info(repo_id, repo_type=repo_type).private

    def commit() -> str:
        # Made anew for each try. A file that is there already is not sent again, so that a commit of which the answer
        # was lost is not made twice.
        operations = [_add_checked(directory, name, digest) for name, digest in files.items()]
        with errors_in_words(repo_id):
            message = f"Publish the {repo_type} with darija_gpt"
            operations += _delete_replaced(api, files, repo_id, repo_type)
            return api.create_commit(repo_id, operations, commit_message=message, repo_type=repo_type).commit_url

    with bounded_silence():
        is_private = retry(create, sleep)
        if private and not is_private:
            raise ValueError(
                f"{repo_id} is public on the Hub; make it private in its settings, or use --private false."
            )
        if is_private and not private:
            raise ValueError(
                f"{repo_id} is private on the Hub, and so is whatever was sent there before: make it public in its "
                "settings, or choose another repository."
            )
        return retry(commit, sleep)
