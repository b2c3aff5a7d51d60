"""Publishing to a stand-in of the Hub: what goes there, what comes back, and what becomes of a bad day."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from datasets import concatenate_datasets
from hub_stand_in import TOKEN, Repository
from huggingface_hub import HfApi, ModelCard, constants

from darija_gpt.data.dataset_directory import load_dataset_directory
from darija_gpt.evaluation.audit import describe_dataset
from darija_gpt.evaluation.plots.figures import DPI, new_figure, render_png
from darija_gpt.fingerprint import hash_file
from darija_gpt.hub import RESULTS_BEGIN, RESULTS_END, PublishArguments, publish
from darija_gpt.publishing import upload
from darija_gpt.publishing.dataset_files import read_report
from darija_gpt.publishing.files import MODEL_CODE, hash_published_files
from darija_gpt.publishing.gate import Evidence, check_dataset
from darija_gpt.publishing.shipments import pack_shipments
from darija_gpt.publishing.upload import push_files


ROOT = Path(__file__).parents[2]
REPO_ID = "someone/darija-small"
CODE = {path.name for path in MODEL_CODE.glob("*_darija_gpt.py")}
PUBLISHED = CODE | {
    "LICENSE",
    "README.md",
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "plots/loss_curve.png",
    "privacy_audit.json",
    "recipes/pretrain.yaml",
    "tokenizer.json",
    "tokenizer_config.json",
}
NO_DARIJA_GPT = """
import sys

class NoDarijaGPT:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "darija_gpt":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoDarijaGPT())
"""


@pytest.fixture
def arguments(prepare_publication, tmp_path) -> PublishArguments:
    """A chat model with all that may go along with it."""
    arguments = prepare_publication()
    pictures, recipe = tmp_path / "pictures", tmp_path / "pretrain.yaml"
    pictures.mkdir()
    for name in ("loss_curve", "diary"):
        (pictures / f"{name}.png").write_bytes(render_png(new_figure(1, 1)))
        (pictures / f"{name}.csv").write_text("step,train_loss\n1,5.5\n")
    recipe.write_text("num_train_epochs: 3\n")
    arguments.plots, arguments.recipes = [pictures], [recipe]
    return arguments


def run_without_darija_gpt(program: str, hub, tmp_path, *words: str) -> subprocess.CompletedProcess:
    """Runs a program elsewhere, in an interpreter without the project, with nothing but this Hub to load from."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= hub.environment | {"HF_HOME": str(tmp_path / "home"), "PYTHONWARNINGS": "ignore"}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-c", NO_DARIJA_GPT + textwrap.dedent(program), *words],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_without_push_the_card_is_written_and_what_is_missing_is_said(arguments, hub, capsys):
    arguments.push, arguments.audit = False, None
    publish(arguments)
    card = ModelCard.load(arguments.model / "README.md")
    assert card.data.model_name == "Darija small"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"written: {arguments.model / 'README.md'}"
    assert lines[-1].startswith("missing for a push: there is no privacy audit; run audit.py")
    assert hub.repositories == {}


def test_where_nothing_is_missing_it_is_said_how_to_push(arguments, hub, capsys):
    arguments.push = False
    publish(arguments)
    assert capsys.readouterr().out.splitlines()[-1].startswith("nothing is missing for a push: add --push")
    assert hub.repositories == {}


def test_a_push_sends_exactly_the_listed_files_in_one_private_commit(arguments, hub, capsys):
    (arguments.model / "checkpoints").mkdir()
    (arguments.model / "checkpoints" / "model.safetensors").write_bytes(b"")
    publish(arguments)
    repository = hub.repositories[REPO_ID]
    assert repository.private
    assert len(repository.commits) == 1
    assert set(repository.files) == PUBLISHED
    assert TOKEN.encode() not in b"".join(repository.files.values())
    for name in PUBLISHED:
        assert repository.files[name] == (arguments.model / name).read_bytes()
    printed = capsys.readouterr()
    assert f"published: {hub.url}/{REPO_ID}/commit/" in printed.out
    assert "warning" not in printed.err


def test_a_dry_run_needs_no_network_and_shows_what_a_push_then_sends(arguments, hub, capsys, monkeypatch):
    arguments.push, arguments.dry_run = False, True
    with monkeypatch.context() as offline:
        offline.setattr(constants, "HF_HUB_OFFLINE", True)
        offline.delenv("HF_TOKEN")
        publish(arguments)
    printed = capsys.readouterr().out
    assert f"{REPO_ID} (model, private), in one commit: {len(PUBLISHED)} files" in printed
    shown = {
        line.split()[1]: int(line.split()[0].replace(",", ""))
        for line in printed.splitlines()
        if line[:2] == "  " and line.split()[0][0].isdigit()
    }
    assert "stays here: companions.json, tokenizer_report.json, training_summary.json" in printed
    assert hub.repositories == {} and hub.requests == []
    arguments.push, arguments.dry_run = True, False
    publish(arguments)
    assert shown == {name: len(content) for name, content in hub.repositories[REPO_ID].files.items()}


def test_a_dry_run_of_what_is_refused_says_why_and_fails(arguments, hub, capsys):
    arguments.push, arguments.dry_run, arguments.audit = False, True, None
    with pytest.raises(ValueError, match="there is no privacy audit"):
        publish(arguments)
    assert "in one commit" in capsys.readouterr().out


def test_the_same_once_more_makes_no_second_commit_and_a_change_does(arguments, hub):
    publish(arguments)
    publish(arguments)
    arguments.data_description = "All of it invented."
    publish(arguments)
    commits = hub.repositories[REPO_ID].commits
    assert [set(commit) for commit in commits] == [PUBLISHED, {"README.md"}]


def test_pictures_and_recipes_of_an_earlier_card_do_not_stay(arguments, hub):
    publish(arguments)
    arguments.plots, arguments.recipes, arguments.push = [], [], False
    publish(arguments)
    assert not list(arguments.model.glob("plots/*")) and not list(arguments.model.glob("recipes/*"))


def test_nothing_goes_along_with_what_a_picture_shows(arguments, hub):
    picture = arguments.plots[0] / "loss_curve.png"
    shown = picture.read_bytes()
    figure, told = new_figure(1, 1), io.BytesIO()
    figure.savefig(told, format="png", dpi=DPI, metadata={"Software": None, "Comment": "Zerhouni 0612345678"})
    picture.write_bytes(told.getvalue() + b"0612345678")
    assert b"0612345678" in told.getvalue()
    publish(arguments)
    assert hub.repositories[REPO_ID].files["plots/loss_curve.png"] == shown


@pytest.mark.parametrize("content", [b"Zerhouni: 3yet l 0612345678", b"\x89PNG\r\n\x1a\n", b""])
def test_what_is_no_picture_is_refused_before_anything_is_written(content, arguments):
    (arguments.plots[0] / "loss_curve.png").write_bytes(content)
    with pytest.raises(ValueError, match=r"loss_curve\.png is no whole PNG; draw it anew"):
        publish(arguments)
    assert not (arguments.model / "README.md").exists()


ATTENTION = """panel,query,query_token,key,key_token,weight
layer 1,0,<|endoftext|>,0,<|endoftext|>,1.0
layer 1,1,Zer,0,<|endoftext|>,0.33573112
layer 1,1,Zer,1,Zer,0.07589843
layer 1,2,houni,1,Zer,0.5
layer 1,3,·06,1,Zer,0.5
layer 1,4,12,1,Zer,0.5
layer 1,5,34,1,Zer,0.5
layer 1,6,56,1,Zer,0.5
layer 1,7,78,1,Zer,0.5
"""


def test_what_a_picture_shows_is_searched_in_its_table(arguments, hub):
    for name in ("attention", "confusion_matrix", "positions"):
        shutil.copy(arguments.plots[0] / "loss_curve.png", arguments.plots[0] / f"{name}.png")
    (arguments.plots[0] / "attention.csv").write_text(ATTENTION)
    (arguments.plots[0] / "confusion_matrix.csv").write_text("true class,zwin,Mkhitar\nzwin,3,4\nMkhitar,1,2\n")
    with pytest.raises(ValueError) as refusal:
        publish(arguments)
    for words in (
        "confusion_matrix.csv holds the name of somebody who wrote",
        "attention.csv holds private data of the type PHONE",
        "attention.csv holds the name of somebody who wrote",
        "plots/positions.png had no positions.csv beside it that would say what it shows",
    ):
        assert words in str(refusal.value)
    assert "for 4 reasons" in str(refusal.value)
    assert hub.repositories == {}


def test_a_picture_that_is_not_in_the_card_stays(arguments, hub):
    (arguments.model / "plots").mkdir()
    shutil.copy(arguments.plots[0] / "loss_curve.png", arguments.model / "plots" / "attention.png")
    with pytest.raises(ValueError, match=r"plots/attention\.png is not in the card; move it elsewhere"):
        publish(arguments)
    # Drawn beside the model it can be.
    (arguments.model / "plots" / "attention.csv").write_text("panel,weight\nlayer 1,0.5\n")
    arguments.plots.append(arguments.model / "plots")
    publish(arguments)
    assert {"plots/attention.png", "plots/loss_curve.png"} <= set(hub.repositories[REPO_ID].files)


def test_what_publish_did_not_write_stays_beside_the_model(arguments):
    arguments.push = False
    own = {"plots/attention.csv": "1,2\n", "plots/my_own.pdf": "%PDF", "recipes/mine.yaml": "seed: 1\n"}
    own |= {"plots/mine.png": "mine", "notes.md": "mine"}
    for name, content in own.items():
        (arguments.model / name).parent.mkdir(exist_ok=True)
        (arguments.model / name).write_text(content)
    publish(arguments)
    # Whoever writes into a file of publish's makes it his own.
    (arguments.model / "recipes" / "pretrain.yaml").write_text("seed: 2\n")
    record = arguments.model / "companions.json"
    (arguments.model.parent / "notes.md").write_text("mine")
    own["../notes.md"] = "mine"
    record.write_text(
        json.dumps(json.loads(record.read_text()) | {"../notes.md": hash_file(arguments.model / "notes.md")})
    )
    arguments.plots, arguments.recipes = [], []
    publish(arguments)
    for name, content in (own | {"recipes/pretrain.yaml": "seed: 2\n"}).items():
        assert (arguments.model / name).read_text() == content
    assert not (arguments.model / "plots" / "loss_curve.png").exists()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_file_that_changes_after_the_check_is_not_sent(name, arguments, hub, monkeypatch):
    create_repo = HfApi.create_repo

    def create_late(*words, **options):
        (arguments.model / name).write_text('{"note": "Zerhouni 0612345678"}')
        return create_repo(*words, **options)

    monkeypatch.setattr(HfApi, "create_repo", create_late)
    with pytest.raises(ValueError, match=rf"{re.escape(name)} has changed since it was checked"):
        publish(arguments)
    assert hub.repositories[REPO_ID].commits == []


def test_a_file_that_changes_between_two_tries_is_not_sent(arguments, hub):
    hub.faults["commit"] = [500]

    def wait(seconds: float) -> None:
        (arguments.model / "config.json").write_text("{}")

    with pytest.raises(ValueError, match="has changed since it was checked"):
        publish(arguments, sleep=wait)
    assert hub.repositories[REPO_ID].commits == []


def test_a_file_that_comes_after_the_check_is_not_sent(arguments, hub):
    with pack_shipments(arguments) as [before]:
        (arguments.model / "added_tokens.json").write_text('{"Zerhouni 0612345678": 1}')
    assert "config.json" in before.files and "added_tokens.json" not in before.files


@pytest.mark.slow
def test_a_model_an_adapter_and_a_classifier_load_from_the_hub_without_darija_gpt(prepare_publication, hub, tmp_path):
    def publish_as(kind: str, repo_id: str, **changes) -> PublishArguments:
        arguments = prepare_publication(kind)
        arguments.repo_id = repo_id
        for name, value in changes.items():
            setattr(arguments, name, value)
        publish(arguments)
        (tmp_path / "evaluation").rename(tmp_path / f"evaluation of {kind}")
        return arguments

    publish_as("base", "someone/darija-base")
    (tmp_path / "run" / "base").rename(tmp_path / "run" / "the base itself")
    publish_as("adapter", "someone/darija-adapter")
    publish_as("classifier", "someone/darija-classifier")
    done = run_without_darija_gpt(
        """
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline
        tokenizer = AutoTokenizer.from_pretrained("someone/darija-base", trust_remote_code=True)
        ids = tokenizer("salam, labas 3lik?", return_tensors="pt").input_ids
        base = AutoModelForCausalLM.from_pretrained("someone/darija-base", trust_remote_code=True)
        before = base(ids).logits
        adapted = PeftModel.from_pretrained(base, "someone/darija-adapter")(ids).logits
        classify = pipeline("text-classification", model="someone/darija-classifier", trust_remote_code=True)
        print(type(base).__name__, tuple(before.shape[::2]), torch.equal(before, adapted))
        print(sorted(classify("salam")[0]), "darija_gpt" in sys.modules)
        """,
        hub,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["DarijaGPTForCausalLM (1, 400) False", "['label', 'score'] False"]


@pytest.mark.slow
def test_a_dataset_loads_from_the_hub_with_every_row_and_no_name_of_a_file(arguments, hub, tmp_path, make_dataset):
    other = make_dataset(canaries=0)
    rows = load_dataset_directory(other.directory)
    push_dataset(arguments, other)
    files = set(hub.repositories["datasets/someone/chats"].files)
    assert files == {"README.md", *(f"data/{split}-00000-of-00001.parquet" for split in rows)}
    done = run_without_darija_gpt(
        """
        from datasets import load_dataset
        dataset = load_dataset("someone/chats")
        for split, rows in dataset.items():
            print([split, len(rows), rows[0]["text"], rows[0]["messages"], rows.unique("source")])
        """,
        hub,
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    expected = [
        str([split, len(some), some[0]["text"], some[0]["messages"], some.unique("source")])
        for split, some in rows.items()
    ]
    assert done.stdout.splitlines()[-3:] == expected


def push_dataset(arguments: PublishArguments, prepared) -> None:
    """Sends a dataset along with a model that was audited with it."""
    path = arguments.audit / "privacy_audit.json"
    audit = json.loads(path.read_text())
    path.write_text(json.dumps(audit | {"dataset": describe_dataset(prepared.directory)}))
    arguments.dataset, arguments.pseudonym_key = prepared.directory, prepared.key
    arguments.dataset_repo_id = "someone/chats"
    publish(arguments)


def test_a_dataset_with_canaries_or_names_stays_here(arguments, hub, make_dataset):
    with pytest.raises(ValueError, match="the dataset holds canaries"):
        push_dataset(arguments, make_dataset(canaries=1))
    with pytest.raises(
        ValueError, match=r"nothing was replaced in the dataset; .* rows of the split train hold the name"
    ):
        push_dataset(arguments, make_dataset(canaries=0, scrub=False))
    assert hub.repositories == {}


def test_a_dataset_keeps_its_canaries_when_their_file_is_gone(arguments, hub, make_dataset):
    prepared = make_dataset(canaries=1)
    (prepared.directory / "canaries.json").unlink()
    with pytest.raises(ValueError, match="the dataset holds canaries"):
        push_dataset(arguments, prepared)
    assert hub.repositories == {}


def test_what_stands_in_messages_alone_is_searched_too(make_dataset):
    prepared = make_dataset(canaries=0)
    rows = load_dataset_directory(prepared.directory)

    def say(row: dict) -> dict:
        return row | {"messages": [*row["messages"], {"role": "user", "content": "Zerhouni 0612345678"}]}

    rows["validation"] = concatenate_datasets([rows["validation"].select([0]).map(say), rows["validation"]])
    evidence = Evidence(None, prepared.directory, prepared.key, consent=None, is_public=False)
    words = [refusal.words for refusal in check_dataset(rows, evidence, read_report(prepared.directory))]
    assert words == [
        f"1 rows of the split validation hold {what}; prepare the dataset again"
        for what in ("the name of somebody who wrote", "private data of the type PHONE")
    ]


def test_a_space_is_pushed_beside_its_model_with_what_demo_writes_and_nothing_else(arguments, hub, tmp_path):
    space = {"README.md", "app.py", "requirements.txt", "darija_gpt/__init__.py", "darija_gpt/demo/pages.py"}
    for name in space | {".env", "darija_gpt/notes.txt", "runs/chat/config.json", "more.py"}:
        path = tmp_path / "space" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    arguments.space_dir = tmp_path / "space"
    publish(arguments)

    assert set(hub.repositories) == {REPO_ID, f"spaces/{REPO_ID}"}
    pushed = hub.repositories[f"spaces/{REPO_ID}"]
    assert set(pushed.files) == space and pushed.private and len(pushed.commits) == 1
    assert set(hub.repositories[REPO_ID].files) == PUBLISHED


def test_a_space_that_says_a_name_keeps_its_model_here_too(arguments, hub, tmp_path):
    (tmp_path / "space").mkdir()
    for name in ("README.md", "requirements.txt"):
        (tmp_path / "space" / name).write_text(name)
    (tmp_path / "space" / "app.py").write_text("system_prompt = 'nta howa Zerhouni'")
    arguments.space_dir = tmp_path / "space"
    with pytest.raises(ValueError, match=r"app\.py, line 1, holds the name of somebody who wrote"):
        publish(arguments)
    assert hub.repositories == {}


def test_a_public_push_warns_once(arguments, hub, capsys):
    arguments.private = False
    publish(arguments)
    assert not hub.repositories[REPO_ID].private
    assert capsys.readouterr().err.count("warning: ") == 1


def test_a_private_push_to_a_public_repository_sends_nothing(arguments, hub):
    hub.repositories[REPO_ID] = Repository(private=False)
    with pytest.raises(ValueError, match="is public on the Hub"):
        publish(arguments)
    assert hub.repositories[REPO_ID].commits == []


def test_a_public_push_to_a_private_repository_sends_nothing(arguments, hub):
    publish(arguments)
    arguments.private, arguments.data_description = False, "All of it invented."
    with pytest.raises(ValueError, match="is private on the Hub, and so is whatever was sent there before"):
        publish(arguments)
    assert hub.repositories[REPO_ID].private and len(hub.repositories[REPO_ID].commits) == 1


def test_a_push_removes_what_an_earlier_one_sent_and_nothing_else(arguments, hub, sleeps):
    arguments.plots = []
    publish(arguments)
    others = {"notes.md": b"mine", "model-00001-of-00002.safetensors": b"", "adapter_config.json": b"{}"}
    hub.repositories[REPO_ID].commits.append(others)
    arguments.recipes = []
    hub.faults["commit"] = ["lost"]
    publish(arguments, sleep=sleeps.append)
    repository = hub.repositories[REPO_ID]
    assert set(repository.files) == PUBLISHED - {"recipes/pretrain.yaml", "plots/loss_curve.png"} | {"notes.md"}
    assert len(repository.commits) == 3


def test_a_dataset_of_fewer_files_leaves_none_of_the_earlier_ones(tmp_path, hub):
    repository = Repository(private=True)
    repository.commits.append({"data/train-00001-of-00002.parquet": b"", "LICENSE": b"", "README.md": b""})
    hub.repositories["datasets/someone/chats"] = repository
    (tmp_path / "README.md").write_text("new")
    files = hash_published_files(tmp_path, "dataset")
    push_files(tmp_path, files, "someone/chats", repo_type="dataset", private=True)
    assert repository.files == {"LICENSE": b"", "README.md": b"new"}


@pytest.mark.parametrize(
    ("status", "words"), [(401, "hf auth login"), (403, "may not write"), (400, "answered 400: ")]
)
def test_a_refusal_of_the_hub_is_one_line_without_the_token_and_is_not_repeated(
    status, words, arguments, hub, capsys, sleeps
):
    hub.refuse_with = status
    with pytest.raises(ValueError, match=words) as refusal:
        publish(arguments, sleep=sleeps.append)
    printed = capsys.readouterr()
    assert TOKEN not in str(refusal.value) + printed.out + printed.err
    assert "\n" not in str(refusal.value)
    assert refusal.value.__suppress_context__
    assert sleeps == []


# For which huggingface_hub waits and tries again by itself, before we do.
BACKED_OFF = ("preupload", "large")
FAULTS = [
    ("create", 500),
    ("create", "silent"),
    ("info", 503),
    ("preupload", 500),
    ("preupload", "cut"),
    ("large", 500),
    ("large", "cut"),
    ("large", "silent"),
    ("commit", 500),
    ("commit", 429),
    ("commit", "cut"),
    ("commit", "silent"),
]


@pytest.mark.parametrize(("kind", "fault"), FAULTS, ids=lambda value: str(value))
def test_what_fails_for_good_publishes_nothing_and_says_so_in_one_line(
    kind, fault, arguments, hub, capsys, sleeps, monkeypatch, caplog
):
    monkeypatch.setattr(upload, "TIMEOUT_SECONDS", 0.3)
    hub.repositories[REPO_ID] = Repository(private=True, commits=[{"README.md": b"before"}])
    hub.faults[kind] = [fault] * 100
    with pytest.raises(ValueError) as refusal:
        publish(arguments, sleep=sleeps.append)
    assert hub.repositories[REPO_ID].commits == [{"README.md": b"before"}]
    words = str(refusal.value)
    assert words.startswith(f"{REPO_ID}: the Hub ") and "\n" not in words
    assert ("cannot be reached" in words) == isinstance(fault, str) and (f"answered {fault}" in words) == isinstance(
        fault, int
    )
    printed = capsys.readouterr()
    assert TOKEN not in words + printed.out + printed.err + caplog.text
    if kind not in BACKED_OFF:
        assert sleeps == [1, 4, 16]


@pytest.mark.parametrize(("kind", "fault"), FAULTS, ids=lambda value: str(value))
def test_what_passes_is_waited_for_and_ends_in_one_commit(kind, fault, arguments, hub, sleeps, monkeypatch):
    monkeypatch.setattr(upload, "TIMEOUT_SECONDS", 0.3)
    hub.faults[kind] = [fault, fault]
    publish(arguments, sleep=sleeps.append)
    repository = hub.repositories[REPO_ID]
    assert len(repository.commits) == 1 and set(repository.files) == PUBLISHED
    if kind not in BACKED_OFF:
        assert sleeps == [1, 4]


def test_a_commit_of_which_the_answer_was_lost_is_not_made_twice(arguments, hub, sleeps):
    hub.faults["commit"] = ["lost"]
    publish(arguments, sleep=sleeps.append)
    assert [set(commit) for commit in hub.repositories[REPO_ID].commits] == [PUBLISHED]
    assert sleeps == [1]


def test_a_hub_that_cannot_be_reached_is_one_line(arguments, hub, monkeypatch, sleeps):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ValueError, match=r"cannot be reached \(ConnectError\)"):
        publish(arguments, sleep=sleeps.append)
    assert sleeps == [1, 4, 16]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match=r"cannot be reached \(OfflineModeIsEnabled\)"):
        publish(arguments, sleep=sleeps.append)
    assert sleeps == [1, 4, 16]


def test_the_token_is_found_wherever_it_would_go_up(arguments, hub):
    arguments.data_description = f"made with {TOKEN}"
    with pytest.raises(ValueError, match=r"README\.md, line \d+, holds your own login of the Hub") as refusal:
        publish(arguments)
    assert TOKEN not in str(refusal.value) and hub.repositories == {}


def list_flags(arguments: PublishArguments) -> list[str]:
    flags = []
    for name in ("model", "evaluation", "model_name", "audit", "dataset", "pseudonym_key", "repo_id"):
        flags += [f"--{name}", str(getattr(arguments, name))]
    return flags


def test_the_script_pushes_with_the_users_login_and_ends_with_2_when_it_is_refused(arguments, hub):
    command = [sys.executable, str(ROOT / "scripts" / "publish.py"), *list_flags(arguments)]
    environment = os.environ | hub.environment | {"PYTHONPATH": str(ROOT)}
    dry = subprocess.run(
        [*command, "--dry-run"], env=environment | {"HF_HUB_OFFLINE": "1"}, capture_output=True, text=True, check=False
    )
    assert dry.returncode == 0 and "(model, private), in one commit" in dry.stdout and hub.repositories == {}
    command.append("--push")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, set(hub.repositories[REPO_ID].files)) == (
        0,
        PUBLISHED - {"plots/loss_curve.png", "recipes/pretrain.yaml"},
    )

    refused = subprocess.run(
        command, env=environment | {"HF_TOKEN": "hf_wrong"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: {REPO_ID}: the Hub answered 401")
    assert len(refused.stderr.splitlines()) == 1
    assert not {TOKEN, "hf_wrong"} & set((done.stdout + done.stderr + refused.stdout + refused.stderr).split())


@pytest.mark.parametrize("flag", ["--force", "--skip_audit", "--no_audit"])
def test_no_flag_leads_around_the_gate(flag, arguments):
    command = [sys.executable, str(ROOT / "scripts" / "publish.py"), *list_flags(arguments), flag]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "unknown key" in done.stderr


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"model": Path("nowhere")},
            r"model=nowhere has no config.json; give the directory that pretrain or finetune",
        ),
        ({"evaluation": Path("nowhere")}, r"evaluation=nowhere has no metrics.json; give the directory that evaluate"),
        ({"model_name": " \x1b[31m\n"}, "is empty"),
        ({"license": "Apache 2.0\ntags: []"}, "no identifier of the Hub"),
        ({"datasets": ["user/chats", "a b"]}, "datasets='a b' is no name on the Hub"),
        ({"repo_id": "../../etc"}, "repo_id='../../etc' is no name on the Hub"),
        ({"repo_id": "darija"}, "write it as user/darija"),
        ({"repo_id": None}, "add --repo_id user/name"),
        ({"audit": Path("nowhere")}, r"audit=nowhere has no privacy_audit.json; give the directory that audit"),
        ({"dataset": Path("nowhere")}, r"dataset=nowhere has no dataset_dict.json"),
        ({"consent": Path("nowhere")}, "consent=nowhere is not there"),
        ({"plots": [Path("nowhere")]}, "plots=nowhere is not there"),
        (
            {"recipes": [ROOT / "recipes" / name / "pretrain.yaml" for name in ("quickstart", "darija-small")]},
            "recipes has pretrain.yaml more than once",
        ),
        ({"language": "Darija!"}, "write it as ary"),
        ({"dataset_repo_id": "a/b", "dataset": None}, "dataset_repo_id needs the dataset"),
        ({"space_dir": Path("nowhere")}, "space_dir=nowhere has no app.py; give the directory that demo wrote"),
    ],
)
def test_a_wrong_input_is_refused_before_anything_is_written(changes, words, arguments, hub):
    model = arguments.model
    for name, value in changes.items():
        setattr(arguments, name, value)
    with pytest.raises(ValueError, match=words):
        publish(arguments)
    assert not (model / "README.md").exists()
    assert hub.repositories == {}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("metrics.json", '{"wall_seconds": NaN}', "holds NaN"),
        ("metrics.json", "[]", "is not what evaluate writes"),
        ("metrics.json", '{"bits_per_byte": 3}', "metrics.json is not what evaluate writes"),
        ("metrics.json", '{"training": "x", "bits_per_byte": {}}', "metrics.json is not what evaluate writes"),
        ("metrics.json", '{"model": {"parameters": "many"}}', "metrics.json is not what evaluate writes"),
        ("metrics.json", '{"task": "text-classification"}', "metrics.json is not what evaluate writes"),
        ("metrics.json", "[" * 100_000, "metrics.json is not what evaluate writes"),
        ("samples.jsonl", '{"messages": [', "samples.jsonl is not what evaluate writes"),
        ("samples.jsonl", '{"messages": 3}', "samples.jsonl is not what evaluate writes"),
        ("samples.jsonl", "\xe9", "samples.jsonl is not what evaluate writes"),
    ],
)
def test_an_evaluation_that_evaluate_did_not_write_is_refused(name, content, words, arguments):
    (arguments.evaluation / name).write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=words):
        publish(arguments)
    assert not (arguments.model / "README.md").exists()


@pytest.mark.parametrize("content", ['{"files": [', "[1]", "\xe9"])
def test_a_report_that_prepare_data_did_not_write_is_named(content, arguments, tmp_path):
    shutil.copytree(arguments.dataset, tmp_path / "dataset")
    arguments.dataset = tmp_path / "dataset"
    (arguments.dataset / "report.json").write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=r"report\.json is not what prepare_data writes; run prepare_data again"):
        publish(arguments)
    assert not (arguments.model / "README.md").exists()


def test_the_results_take_the_place_between_the_markers(arguments, tmp_path):
    arguments.push = False
    arguments.results_readme = tmp_path / "README.md"
    arguments.results_readme.write_text(f"# Recipe\n\n{RESULTS_BEGIN}\nbefore\n{RESULTS_END}\n\nAfter.\n")
    publish(arguments)
    written = arguments.results_readme.read_text()
    assert written.startswith(f"# Recipe\n\n{RESULTS_BEGIN}\n\n### Data\n")
    assert written.endswith(f"\n\n{RESULTS_END}\n\nAfter.\n")
    assert "before\n" not in written
    publish(arguments)
    assert arguments.results_readme.read_text() == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        RESULTS_BEGIN,
        RESULTS_END + RESULTS_BEGIN,
        (RESULTS_BEGIN + RESULTS_END) * 2,
        RESULTS_BEGIN * 2 + RESULTS_END,
    ],
)
def test_a_readme_without_its_two_markers_is_left_alone(text, arguments, tmp_path):
    arguments.results_readme = tmp_path / "README.md"
    arguments.results_readme.write_text(text)
    with pytest.raises(ValueError, match="needs one line"):
        publish(arguments)
    assert arguments.results_readme.read_text() == text
    assert not (arguments.model / "README.md").exists()
