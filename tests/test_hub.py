import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub_stand_in import TOKEN, HubStandIn, Repository
from huggingface_hub import ModelCard, constants

from darija_gpt.hub import RESULTS_BEGIN, RESULTS_END, PublishArguments, publish, write_text


REPO_ID = "someone/darija-small"
ROOT = Path(__file__).parents[1]
PUBLISHED = {
    "README.md",
    "adapter/adapter_config.json",
    "adapter/adapter_model.safetensors",
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "model-00001-of-00002.safetensors",
    "model.safetensors",
    "model.safetensors.index.json",
    "modeling_darija_gpt.py",
    "tokenizer.json",
    "tokenizer_config.json",
}
AT_HOME = {
    ".env",
    ".hidden.py",
    "adapter/README.md",
    "adapter/adapter_model.bin",
    "adapter/training_args.bin",
    "checkpoint-10/model.safetensors",
    "dataset/train/data-00000-of-00001.arrow",
    "metrics.json",
    "notes/strange.py",
    "optimizer.pt",
    "pytorch_model.bin",
    "samples.jsonl",
    "training_args.bin",
    "training_summary.json",
}


@pytest.fixture
def hub(monkeypatch):
    with HubStandIn() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield hub


@pytest.fixture
def arguments(tmp_path) -> PublishArguments:
    for name in (PUBLISHED - {"README.md"}) | AT_HOME:
        path = tmp_path / "chat" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name} {TOKEN}" if name == "training_args.bin" else name)
    evaluation = tmp_path / "evaluation"
    evaluation.mkdir()
    measured = {"bits_per_byte": 1.93456, "perplexity": 45.1, "bytes": 1000, "tokens": 300, "documents": 12}
    metrics = {"model": {"parameters": 7345152, "context_tokens": 512}, "bits_per_byte": {"test": {"all": measured}}}
    (evaluation / "metrics.json").write_text(json.dumps(metrics))
    dialogue = {"messages": [{"role": "user", "content": "labas?\u2028"}], "longest_shared_words": 1}
    (evaluation / "samples.jsonl").write_text(json.dumps(dialogue, ensure_ascii=False) + "\n", encoding="utf-8")
    return PublishArguments(
        model=tmp_path / "chat", evaluation=evaluation, model_name="Darija small", repo_id=REPO_ID, push=True
    )


def test_without_push_the_card_is_written_and_nothing_is_sent(arguments, hub, capsys):
    arguments.push = False
    publish(arguments)
    card = ModelCard.load(arguments.model / "README.md")
    assert card.data.model_name == "Darija small"
    assert capsys.readouterr().out == f"written: {arguments.model / 'README.md'}\n"
    assert hub.repositories == {}


def test_a_push_sends_exactly_the_listed_files_in_one_private_commit(arguments, hub, capsys):
    publish(arguments)
    repository = hub.repositories[REPO_ID]
    assert repository.private
    assert len(repository.commits) == 1
    assert set(repository.files) == PUBLISHED
    assert TOKEN.encode() not in b"".join(repository.files.values())
    printed = capsys.readouterr()
    assert f"published: {hub.url}/{REPO_ID}/commit/" in printed.out
    assert "warning" not in printed.err


def test_what_was_pushed_comes_back_from_the_hub_unchanged(arguments, hub, tmp_path):
    publish(arguments)
    fetch = f"from huggingface_hub import snapshot_download as fetch; fetch({REPO_ID!r}, local_dir='fetched')"
    environment = os.environ | hub.environment
    subprocess.run([sys.executable, "-c", fetch], cwd=tmp_path, env=environment, timeout=60, check=True)
    for name in PUBLISHED:
        assert (tmp_path / "fetched" / name).read_bytes() == (arguments.model / name).read_bytes()


def test_a_second_push_is_a_second_commit_of_the_same_repository(arguments, hub):
    publish(arguments)
    publish(arguments)
    assert [set(commit) for commit in hub.repositories[REPO_ID].commits] == [PUBLISHED, PUBLISHED]


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


@pytest.mark.parametrize(("status", "words"), [(401, "hf auth login"), (403, "may not write"), (500, "answered 500")])
def test_a_refusal_of_the_hub_is_one_line_without_the_token(status, words, arguments, hub, capsys):
    hub.refuse_with = status
    with pytest.raises(ValueError, match=words) as refusal:
        publish(arguments)
    printed = capsys.readouterr()
    assert TOKEN not in str(refusal.value) + printed.out + printed.err
    assert "\n" not in str(refusal.value)
    assert refusal.value.__suppress_context__


def test_a_hub_that_cannot_be_reached_is_one_line(arguments, hub, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ValueError, match=r"cannot be reached \(ConnectError\)"):
        publish(arguments)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ValueError, match=r"cannot be reached \(OfflineModeIsEnabled\)"):
        publish(arguments)


def test_the_script_pushes_with_the_users_login_and_ends_with_2_when_it_is_refused(arguments, hub):
    command = [sys.executable, str(ROOT / "scripts" / "publish.py"), "--push", "--model", str(arguments.model)]
    command += ["--evaluation", str(arguments.evaluation), "--model_name", "Darija small", "--repo_id", REPO_ID]
    environment = os.environ | hub.environment | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, set(hub.repositories[REPO_ID].files)) == (0, PUBLISHED)

    refused = subprocess.run(
        command, env=environment | {"HF_TOKEN": "hf_wrong"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"error: {REPO_ID}: the Hub answered 401")
    assert len(refused.stderr.splitlines()) == 1
    assert not {TOKEN, "hf_wrong"} & set((done.stdout + done.stderr + refused.stdout + refused.stderr).split())


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
        ({"space_dir": Path("nowhere")}, "space_dir=nowhere has no app.py; write it with demo.py"),
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
        ("samples.jsonl", '{"messages": [', "is not what evaluate writes"),
    ],
)
def test_an_evaluation_that_evaluate_did_not_write_is_refused(name, content, words, arguments):
    (arguments.evaluation / name).write_text(content)
    with pytest.raises(ValueError, match=words):
        publish(arguments)


def test_the_results_take_the_place_between_the_markers(arguments, tmp_path):
    arguments.push = False
    arguments.results_readme = tmp_path / "README.md"
    arguments.results_readme.write_text(f"# Recipe\n\n{RESULTS_BEGIN}\nold\n{RESULTS_END}\n\nAfter.\n")
    publish(arguments)
    written = arguments.results_readme.read_text()
    assert written.startswith(f"# Recipe\n\n{RESULTS_BEGIN}\n\n### Bits per byte\n")
    assert written.endswith(f"\n\n{RESULTS_END}\n\nAfter.\n")
    assert "old" not in written
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


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "README.md"
    path.write_text("before")
    path.chmod(0o640)
    write_text(path, "after")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after", 0o640)

    def fail(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(path, "half")
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]
