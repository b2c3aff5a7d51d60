"""A run's data: encoded once, shared, streamed, dealt out; and whatever happens, the weights are the same."""

import io
import json
import multiprocessing
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

import pytest
from datasets import concatenate_datasets
from fault_runs import assert_same, copy_run, make_arguments, read_state, run_to_end, set_steps, start
from test_distributed import STEADY, find_port, pretrain_as, read_losses, run_on, wait_for_end
from test_faults import wait_for_log

from darija_gpt import token_store
from darija_gpt.checkpoint import list_checkpoints
from darija_gpt.data.streams import StreamArguments, StreamSource
from darija_gpt.pretraining import pretrain
from darija_gpt.run_record import check_run, record_run
from darija_gpt.training_step import Updater


README = Path(__file__).resolve().parents[1] / "README.md"
NUM_STEPS = 8


@pytest.fixture
def arguments(dataset_dir, tokenizer_dir, tmp_path):
    """A run of 8 steps of 6 blocks of 128 tokens, with a checkpoint every 3."""
    return make_arguments(dataset_dir, tokenizer_dir, tmp_path / "base", max_steps=NUM_STEPS)


@pytest.fixture
def streamed(arguments, dataset, tmp_path):
    """The same on a stream: the train split from a file of JSON lines, in two lanes."""
    texts = tmp_path / "texts"
    texts.mkdir()
    dataset["train"].select_columns(["text", "messages"]).to_json(texts / "rows.jsonl", force_ascii=False)
    stream = StreamArguments([StreamSource(str(texts))], num_lanes=2, shuffle_buffer=16)
    return replace(arguments, stream=stream)


@pytest.fixture
def refuse_to_encode(monkeypatch):
    def refuse(*arguments):
        raise AssertionError("the tokenizer was asked")

    return lambda: monkeypatch.setattr(token_store, "encode_batches", refuse)


def stop_after(monkeypatch, step: int) -> None:
    update = Updater.update

    def update_and_stop(updater, number):
        if number == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(updater, number)

    monkeypatch.setattr(Updater, "update", update_and_stop)


def test_max_steps_is_the_number_of_steps(arguments):
    pretrain(replace(arguments, num_train_epochs=50))
    summary = json.loads((arguments.output_dir / "training_summary.json").read_text())
    assert summary["steps"] == NUM_STEPS and summary["epochs"] == 0.8


def test_a_second_start_opens_what_the_first_has_encoded(arguments, monkeypatch, refuse_to_encode):
    with monkeypatch.context() as patch:
        stop_after(patch, 4)
        with pytest.raises(SystemExit):
            pretrain(arguments)
    tokens = arguments.output_dir / "tokens"
    assert sorted(path.name.partition("-")[0] for path in tokens.iterdir() if path.is_dir()) == ["train", "validation"]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in [tokens, *tokens.rglob("*")]} == {0}
    refuse_to_encode()
    pretrain(arguments)


def test_a_model_is_not_given_away_with_the_texts_it_learnt_from(arguments):
    pretrain(arguments)
    assert not (arguments.output_dir / "tokens").exists()


def test_runs_that_share_a_cache_encode_once(arguments, refuse_to_encode, tmp_path):
    shared = replace(arguments, token_cache=tmp_path / "cache")
    pretrain(shared)
    reference = read_state(shared.output_dir)
    refuse_to_encode()
    other = replace(shared, output_dir=tmp_path / "other", learning_rate=1e-3)
    pretrain(other)
    assert read_state(other.output_dir)["model"] != reference["model"]
    pretrain(same := replace(shared, output_dir=tmp_path / "same"))
    assert_same(same, reference)


def test_tokens_are_not_kept_where_the_model_will_lie(arguments, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    for within in ("mine", "tokens"):
        with pytest.raises(
            ValueError, match="lies in the output_dir, where the model will lie; give another directory"
        ):
            replace(arguments, token_cache=tmp_path / "link" / "base" / within)
    with pytest.raises(ValueError, match="is the output_dir, where the model will lie; give another directory, or"):
        replace(arguments, token_cache=tmp_path / "link" / "base")


def test_other_data_or_another_template_is_encoded_anew(arguments, dataset, tokenizer, tmp_path, monkeypatch):
    shared = replace(arguments, token_cache=tmp_path / "cache", max_steps=1)
    pretrain(shared)
    calls, encode = [], token_store.encode_batches

    def count(tokenizer, batches):
        for documents in encode(tokenizer, batches):
            calls.append(len(documents))
            yield documents

    monkeypatch.setattr(token_store, "encode_batches", count)
    more = {**dataset, "train": concatenate_datasets([dataset["train"], dataset["test"]])}
    type(dataset)(more).save_to_disk(tmp_path / "more")
    pretrain(replace(shared, output_dir=tmp_path / "one", dataset=tmp_path / "more"))
    # The validation split is the same.
    assert sum(calls) == len(more["train"])
    shutil.copytree(arguments.tokenizer, tmp_path / "tokenizer")
    template = tmp_path / "tokenizer" / "chat_template.jinja"
    template.write_text(template.read_text().replace("'\\n'", "'\\n\\n'"))
    pretrain(replace(shared, output_dir=tmp_path / "two", tokenizer=tmp_path / "tokenizer"))
    assert sum(calls) == len(more["train"]) + len(dataset["train"]) + len(dataset["validation"])


def test_a_damaged_store_is_encoded_again_and_changes_nothing(arguments, tmp_path, capsys):
    pretrain(arguments)
    shared = replace(arguments, output_dir=tmp_path / "other", token_cache=tmp_path / "cache")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
        stop_after(patch, 4)
        pretrain(shared)
    (shard,) = (tmp_path / "cache").glob("train-*/*.arrow")
    shard.write_bytes(shard.read_bytes()[:-100])
    pretrain(shared)
    assert "the stored tokens are damaged, so the train split is encoded again" in capsys.readouterr().out
    assert_same(shared, read_state(arguments.output_dir))


def test_whoever_stops_the_encoding_ends_it(arguments, monkeypatch, capsys):
    encode = token_store.encode_batches

    def encode_and_stop(tokenizer, batches):
        os.kill(os.getpid(), signal.SIGINT)
        return encode(tokenizer, batches)

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(token_store, "encode_batches", encode_and_stop)
        pretrain(arguments)
    assert stop.value.code == 130
    assert "stopped while tokens were encoded, by SIGINT" in capsys.readouterr().err
    pretrain(arguments)


def test_workers_change_nothing(arguments, tmp_path):
    run_to_end(arguments)
    busy = replace(arguments, output_dir=tmp_path / "busy", dataloader_num_workers=2)
    run_to_end(busy)
    assert_same(busy, read_state(arguments.output_dir))


@pytest.mark.slow
def test_a_run_killed_with_workers_goes_on_at_once(arguments, tmp_path):
    run_to_end(arguments)
    busy = set_steps(replace(arguments, output_dir=tmp_path / "busy", dataloader_num_workers=2), NUM_STEPS)

    process = start(kill_at_step_five, busy)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    # Its workers, which live some seconds longer, hold no lock.
    run_to_end(busy)
    assert_same(busy, read_state(arguments.output_dir) | {"identity": read_state(busy.output_dir)["identity"]})


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_to_the_workers_too_ends_a_run_with_a_checkpoint(arguments, tmp_path, number):
    run_to_end(arguments)
    busy = replace(arguments, output_dir=tmp_path / "busy", dataloader_num_workers=2, save_steps=1000)
    process = start(wait_at_step_five, busy)
    wait_for_log(busy, 4)
    os.killpg(process.pid, number)
    process.join(60)
    assert process.exitcode == 128 + number
    assert [path.name for path in list_checkpoints(busy.output_dir / "checkpoints")] == ["step-00000005"]
    run_to_end(replace(busy, save_steps=3))
    assert_same(busy, read_state(arguments.output_dir))


def wait_at_step_five(arguments) -> None:
    """A run in a group of its own, which in one of its steps waits to be stopped."""
    os.setpgid(0, 0)
    # As in a program, and not as these processes start others.
    multiprocessing.set_start_method("fork", force=True)
    update = Updater.update

    def update_when_stopped(updater, number):
        while number == 5 and not updater.stop_request.is_made():
            time.sleep(0.01)
        if number == 5:
            time.sleep(0.3)  # until PyTorch would have heard that its workers are dead
        return update(updater, number)

    Updater.update = update_when_stopped
    pretrain(arguments)


@pytest.mark.slow
def test_workers_end_where_their_run_is_killed(arguments, tmp_path):
    process = start(wait_at_step_five, replace(arguments, dataloader_num_workers=2))
    wait_for_log(arguments, 4)
    workers = [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    assert len(workers) == 2
    os.killpg(process.pid, signal.SIGTERM)  # which none of them heeds
    process.kill()
    process.join()
    # PyTorch's have a look every five seconds.
    wait_for_end(workers, 20)


def kill_a_worker_at_step_five(arguments) -> None:
    multiprocessing.set_start_method("fork", force=True)
    update = Updater.update

    def update_without_worker(updater, number):
        if number == 5:
            updater._batches._workers[0].kill()
        return update(updater, number)

    Updater.update = update_without_worker
    with redirect_stderr(io.StringIO()) as shown, pytest.raises(SystemExit) as stop:
        pretrain(arguments)
    assert stop.value.code == 1, shown.getvalue()
    words = "; set dataloader_num_workers=0, or give the same command again, which goes on from the last checkpoint."
    assert "error: a process that reads data is gone (" in shown.getvalue() and words in shown.getvalue()


def test_a_worker_that_is_killed_ends_the_run_in_words(arguments):
    process = start(kill_a_worker_at_step_five, replace(arguments, dataloader_num_workers=1, max_steps=400))
    process.join(120)
    assert process.exitcode == 0


def kill_at_step_five(arguments) -> None:
    update = Updater.update
    Updater.update = lambda updater, number: os.kill(os.getpid(), 9) if number == 5 else update(updater, number)
    pretrain(arguments)


def test_wrapped_documents_are_another_run(arguments, tmp_path):
    record_run(arguments)
    with pytest.raises(ValueError, match="packing was separate and is wrapped"):
        check_run(replace(arguments, packing="wrapped"))
    pretrain(arguments)
    wrapped = replace(arguments, output_dir=tmp_path / "wrapped", packing="wrapped")
    pretrain(wrapped)
    assert read_losses(wrapped)[0] != read_losses(arguments)[0]


def test_what_does_not_change_the_blocks_is_free_to_change(arguments, tmp_path):
    record_run(arguments)
    check_run(replace(arguments, token_cache=tmp_path / "cache", dataloader_num_workers=2))
    with pytest.raises(ValueError, match="max_steps was 8 and is 9"):
        check_run(replace(arguments, max_steps=9))


@pytest.mark.parametrize("num_workers", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_a_streamed_run_resumed_at_any_step_is_the_same(streamed, tmp_path, num_workers):
    whole = replace(streamed, save_steps=1, save_total_limit=NUM_STEPS)
    run_to_end(whole)
    reference = read_state(whole.output_dir)
    assert set(reference["progress"]["data"]) == {"0", "1"}
    for step in range(1, NUM_STEPS, 1 + 2 * num_workers):
        resumed = replace(
            whole, output_dir=tmp_path / str(step), save_steps=NUM_STEPS, dataloader_num_workers=num_workers
        )
        copy_run(whole.output_dir, resumed.output_dir, steps=[step])
        run_to_end(resumed)
        assert_same(resumed, reference)


def test_a_streamed_run_that_is_killed_goes_on_the_same(streamed, tmp_path):
    run_to_end(streamed)
    killed = replace(streamed, output_dir=tmp_path / "killed")
    process = start(kill_at_step_five, killed)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert [path.name for path in list_checkpoints(killed.output_dir / "checkpoints")] == ["step-00000003"]
    run_to_end(killed)
    assert_same(killed, read_state(streamed.output_dir))
    summary = json.loads((killed.output_dir / "training_summary.json").read_text())
    assert summary["epochs"] is None and summary["rows"]["kept"] > 0


def test_the_train_split_can_be_streamed(arguments):
    pretrain(replace(arguments, stream=StreamArguments(num_lanes=4, shuffle_buffer=16)))
    assert not (arguments.output_dir / "tokens").exists()
    assert len(read_losses(arguments)) == NUM_STEPS + 2


def test_a_stream_moves_from_one_process_to_two_and_back(streamed, tmp_path):
    streamed = replace(streamed, model=STEADY)
    run_to_end(streamed)
    moving = replace(streamed, output_dir=tmp_path / "moving")
    run_on(1, moving, last_step=3)
    run_on(2, replace(moving, gradient_accumulation_steps=1), last_step=5)
    run_on(1, moving)
    assert read_losses(moving) == pytest.approx(read_losses(streamed), rel=1e-5)


def test_a_changed_source_is_refused_by_name(streamed):
    record_run(streamed)
    check_run(streamed)
    (source,) = streamed.stream.sources
    with (source.local / "rows.jsonl").open("a") as file:
        file.write('{"text": "risala jdida"}\n')
    with pytest.raises(ValueError, match="another run: data: source 0, texts has changed"):
        check_run(streamed)
    with pytest.raises(ValueError, match=r"stream was .*'num_lanes': 2.* and is .*'num_lanes': 4"):
        check_run(replace(streamed, stream=replace(streamed.stream, num_lanes=4)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stream": StreamArguments(num_lanes=3), "dataloader_num_workers": 2}, "num_lanes=3 cannot be dealt out"),
        ({"stream": StreamArguments([StreamSource("nowhere.jsonl")])}, r"nowhere\.jsonl: no such file"),
        ({"stream": StreamArguments(num_lanes=161)}, "has 160 training rows for num_lanes=161"),
        ({"stream": StreamArguments(), "max_steps": None}, "a stream has no end that could be known; give max_steps"),
        ({"max_steps": 0}, "max_steps=0 must be at least 1"),
        ({"dataloader_num_workers": -1}, "dataloader_num_workers=-1 must not be negative"),
    ],
)
def test_data_that_cannot_be_read_is_refused_and_leaves_nothing(arguments, changes, words):
    with pytest.raises(ValueError, match=words):
        pretrain(replace(arguments, **changes))
    assert not arguments.output_dir.exists()


def test_two_processes_are_told_alike_what_is_wrong(arguments):
    arguments = replace(arguments, gradient_accumulation_steps=1)
    port = find_port()
    processes = [start(encode_wrongly_in_two, arguments, rank, port) for rank in range(2)]
    for process in processes:
        process.join(120)
    assert {process.exitcode for process in processes} == {0}
    assert not arguments.output_dir.exists()


def encode_wrongly_in_two(arguments, rank: int, port: int) -> None:
    # Only the main process encodes; the other hears of it.
    token_store.encode_batches = lambda tokenizer, batches: ([[4000] for _ in rows["text"]] for rows in batches)
    with pytest.raises(ValueError, match=r"token 0 of row 0 \(00000\.arrow, offset 0\) has the id 4,000"):
        pretrain_as(arguments, rank, 2, port, None)


def test_the_command_in_the_readme_streams(dataset_dir, tokenizer_dir, darija, tmp_path):
    (command,) = re.findall(r"^accelerate launch (scripts/pretrain\.py .* --stream\..*)$", README.read_text(), re.M)
    runs = tmp_path / "runs" / "mine"
    shutil.copytree(dataset_dir, runs / "dataset")
    shutil.copytree(tokenizer_dir, runs / "tokenizer")
    (tmp_path / "my_texts").mkdir()
    (tmp_path / "my_texts" / "texts.txt").write_text("\n\n".join(darija), "utf-8")
    script, *flags = shlex.split(command)
    flags = [str(README.parent / flag) if flag.endswith(".yaml") else flag for flag in flags]
    small = [
        "--max_steps",
        "2",
        "--stream.shuffle_buffer",
        "10",
        "--model.hidden_size",
        "32",
        "--model.num_hidden_layers",
        "1",
        "--block_size",
        "32",
    ]
    command = [sys.executable, README.parent / script, *flags, *small]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    assert "training tokens from a stream in 16 lanes, 2 steps of 128 tokens" in process.stdout
    assert json.loads((runs / "base" / "training_summary.json").read_text())["steps"] == 2
