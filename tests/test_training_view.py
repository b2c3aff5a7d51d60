"""What is seen of a run: bar, logs, curves, samples and trackers, and that looking changes nothing."""

import json
import math
import os
import re
import socket
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fault_runs import assert_same, copy_run, make_arguments, read_state, set_steps, start

from darija_gpt import trackers
from darija_gpt.encoding import encode_rows
from darija_gpt.evaluation.bits_per_byte import ByteCounter
from darija_gpt.model import DarijaGPTForCausalLM
from darija_gpt.packing import Documents, PackedDataset
from darija_gpt.pretraining import pretrain
from darija_gpt.progress_bar import ProgressBar, Speedometer
from darija_gpt.training_samples import Sampler
from darija_gpt.training_view import draw_loss_curves


NUM_STEPS = 12
PROMPTS = ["salam, labas 3lik?", "السلام عليكم"]


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def finished(dataset_dir, tokenizer_dir, tmp_path_factory):
    """A run that is watched with everything but trackio, which allows one run in a process."""
    directory = tmp_path_factory.mktemp("finished") / "base"
    arguments = make_arguments(
        *(dataset_dir, tokenizer_dir, directory),
        save_total_limit=9,
        sample_prompts=PROMPTS,
        sample_max_new_tokens=8,
        report_to=["tensorboard"],
        report_samples=True,
    )
    arguments = set_steps(arguments, NUM_STEPS)
    pretrain(arguments)
    return arguments


@pytest.fixture(scope="module")
def reference(finished):
    return read_state(finished.output_dir)


def read_events(output_dir: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(output_dir / "tensorboard" / "darija_gpt"), size_guidance={"scalars": 0}).Reload()


def test_a_run_that_nobody_watches_is_the_same(finished, reference, tmp_path):
    unwatched = replace(finished, output_dir=tmp_path / "base", sample_prompts=[], report_to=[], report_samples=False)
    pretrain(unwatched)
    assert not (unwatched.output_dir / "samples.jsonl").exists()
    assert_same(unwatched, {part: value for part, value in reference.items() if part != "samples"})


def test_validation_is_in_bits_for_each_byte_that_the_tokens_stand_for(finished, dataset, tokenizer):
    blocks = PackedDataset(Documents.from_lists(encode_rows(tokenizer, dataset["validation"][:])), 128)
    model, counter = DarijaGPTForCausalLM.from_pretrained(finished.output_dir).eval(), ByteCounter(tokenizer)
    nats, num_bytes = 0.0, 0
    for block in (blocks[index] for index in range(len(blocks))):
        ids = block["input_ids"]
        with torch.no_grad():
            logits = model(ids[None], position_ids=block["position_ids"][None], use_cache=False).logits[0, :-1]
        nats -= logits.log_softmax(-1)[torch.arange(len(ids) - 1), ids[1:]].sum().item()
        num_bytes += counter.count(ids.numpy())
    summary = json.loads((finished.output_dir / "training_summary.json").read_text())
    assert summary["validation_bits_per_byte"] == pytest.approx(nats / math.log(2) / num_bytes, abs=1e-3)
    last = [line for line in read_lines(finished.output_dir / "training_log.jsonl") if "validation_loss" in line][-1]
    assert last["validation_bits_per_byte"] == pytest.approx(summary["validation_bits_per_byte"], abs=1e-4)


def test_each_step_has_a_line_with_how_much_was_read(finished):
    lines = [line for line in read_lines(finished.output_dir / "training_log.jsonl") if "loss" in line]
    assert [line["tokens"] for line in lines] == [step * 6 * 128 for step in range(1, NUM_STEPS + 1)]
    assert lines[9]["epoch"] == 1.0
    assert not any("second" in key for line in lines for key in line), "a time would differ from run to run"


def test_the_curves_are_drawn_again_from_the_log_alone(finished, tmp_path):
    copy = tmp_path / "base"
    copy.mkdir()
    (copy / "training_log.jsonl").write_bytes((finished.output_dir / "training_log.jsonl").read_bytes() + b'{"ste')
    draw_loss_curves(copy)
    for name in ("loss_curve.csv", "loss_curve.png"):
        assert (copy / name).read_bytes() == (finished.output_dir / name).read_bytes()
    assert len((copy / "loss_curve.csv").read_text().splitlines()) == 1 + NUM_STEPS
    assert {path.stat().st_mode & 0o777 for path in copy.glob("loss_curve.*")} == {0o600}


def test_samples_are_what_the_averaged_weights_write(finished, tokenizer, dataset):
    lines = read_lines(finished.output_dir / "samples.jsonl")
    assert [(line["step"], line["prompt"]) for line in lines] == [(step, text) for step in (6, 12) for text in PROMPTS]
    assert (finished.output_dir / "samples.jsonl").stat().st_mode & 0o777 == 0o600
    sampler = Sampler(
        *(tokenizer, PROMPTS),
        max_new_tokens=8,
        seed=finished.seed,
        is_conversation=True,
        context_tokens=128,
    )
    # The model that the run became is the average of its weights.
    model = DarijaGPTForCausalLM.from_pretrained(finished.output_dir).eval()
    before = torch.get_rng_state()
    assert sampler.sample(model) == [(line["prompt"], line["text"]) for line in lines[-2:]]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("is_conversation", "opening"), [(True, "<|im_start|>user\nsalam"), (False, "salam")])
def test_a_prompt_is_put_as_the_model_has_learnt_to_read(tokenizer, is_conversation, opening):
    sampler = Sampler(
        tokenizer, ["salam"], max_new_tokens=8, seed=0, is_conversation=is_conversation, context_tokens=64
    )
    assert tokenizer.decode(sampler.prompts["salam"]).startswith("<|endoftext|>" + opening)


def test_a_resumed_run_cuts_what_was_seen_of_later_steps(finished, reference, tmp_path):
    resumed = replace(finished, output_dir=tmp_path / "base")
    copy_run(finished.output_dir, resumed.output_dir, steps=[3])
    pretrain(resumed)
    assert_same(resumed, reference)
    events = read_events(resumed.output_dir)
    assert [event.step for event in events.Scalars("train/loss")] == list(range(1, NUM_STEPS + 1))


def test_tensorboard_is_told_numbers_and_only_the_samples_that_were_asked_for(finished, reference, tmp_path):
    events = read_events(finished.output_dir)
    lines = [line for line in read_lines(finished.output_dir / "training_log.jsonl") if "loss" in line]
    for name in ("loss", "grad_norm", "learning_rate", "tokens", "epoch"):
        told = {event.step: event.value for event in events.Scalars(f"train/{name}")}
        assert told == pytest.approx({line["step"]: line[name] for line in lines}, rel=1e-6)
    assert len(events.Scalars("speed/tokens_per_second")) == NUM_STEPS
    assert [event.step for event in events.Scalars("validation/bits_per_byte")] == [6, 12]
    assert sorted(events.Tags()["tensors"]) == ["sample/1/text_summary", "sample/2/text_summary"]

    silent = replace(finished, output_dir=tmp_path / "base", report_samples=False)
    pretrain(silent)
    assert not read_events(silent.output_dir).Tags()["tensors"]
    (file,) = (silent.output_dir / "tensorboard" / "darija_gpt").iterdir()
    assert not any(prompt.encode() in file.read_bytes() for prompt in PROMPTS)


def test_a_disk_that_is_full_for_a_tracker_ends_no_run(finished, reference, tmp_path, monkeypatch, capsys):
    def refuse(accelerator, values, step):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("accelerate.Accelerator.log", refuse)
    arguments = replace(finished, output_dir=tmp_path / "base")
    pretrain(arguments)
    assert_same(arguments, reference)
    assert capsys.readouterr().out.count("warning: tracking ends, the disk is full") == 1


def pretrain_with_trackio(arguments, record: Path) -> None:
    """A run by somebody who is logged in to the Hub; any address that a socket is to reach goes on record."""
    from huggingface_hub import constants

    os.environ["HF_TOKEN"] = "hf_invented"
    constants.HF_HUB_OFFLINE = False

    def refuse(connection, address):
        with record.open("a") as file:
            file.write(f"{address}\n")
        raise OSError("no network")

    socket.socket.connect = refuse
    pretrain(arguments)


def test_trackio_stays_in_the_directory_of_the_run_and_goes_on_with_it(finished, reference, tmp_path):
    arguments = replace(finished, output_dir=tmp_path / "base", report_to=["trackio"], report_samples=False)
    addresses = tmp_path / "addresses"
    for name in ("base", "copy"):
        process = start(pretrain_with_trackio, arguments, addresses)
        process.join()
        assert process.exitcode == 0
        assert_same(arguments, reference)
        with sqlite3.connect(arguments.output_dir / "trackio" / "darija_gpt.db") as connection:
            rows = connection.execute("SELECT run_name, step, metrics FROM metrics ORDER BY step, id").fetchall()
        told = {step: json.loads(metrics) for _, step, metrics in rows if b"train/loss" in metrics}
        lines = [line for line in read_lines(arguments.output_dir / "training_log.jsonl") if "loss" in line]
        assert {step: metrics["train/loss"] for step, metrics in told.items()} == {
            line["step"]: line["loss"] for line in lines
        }
        assert len(rows) == NUM_STEPS + 2 and {name for name, _, _ in rows} == {"pretrain"}
        written = b"".join(path.read_bytes() for path in (arguments.output_dir / "trackio").iterdir())
        assert not any(text.encode() in written for text in (*PROMPTS, str(finished.dataset)))
        if name == "base":
            copy_run(arguments.output_dir, tmp_path / "copy", steps=[3])
            arguments = replace(arguments, output_dir=tmp_path / "copy")
    assert not addresses.exists(), addresses.read_text()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"report_to": ["wandb"]}, "there is no wandb; choose among tensorboard, trackio"),
        ({"report_to": ["tensorboard"]}, r"tensorboard is not installed; run pip install .*\[track\]"),
        ({"sample_prompts": ["labas " * 600]}, "sample_prompts: 'labas .* more than the 128 that the model reads"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_is_written(finished, tmp_path, monkeypatch, changes, words):
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    changes = {"report_to": [], "report_samples": False, **changes}
    with pytest.raises(ValueError, match=words):
        pretrain(replace(finished, output_dir=tmp_path / "base", **changes))
    assert not (tmp_path / "base").exists()


def test_trackio_is_refused_where_it_would_send_what_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_SPACE_ID", "somebody/board")
    with pytest.raises(ValueError, match=r"TRACKIO_SPACE_ID is set, .* unset TRACKIO_SPACE_ID"):
        trackers.check_trackers(["trackio"], tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"report_samples": True}, "report_samples=true needs trackers and samples"),
        ({"sample_prompts": [" "]}, "holds one that says nothing"),
        ({"sample_max_new_tokens": 0}, "sample_max_new_tokens=0 must be at least 1"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(dataset_dir, tokenizer_dir, tmp_path, changes, words):
    with pytest.raises(ValueError, match=words):
        make_arguments(dataset_dir, tokenizer_dir, tmp_path, **changes)


def test_the_bar_shows_losses_speed_and_the_time_that_is_left(capsys):
    speedometer = Speedometer(tokens_per_step=1000, flops_per_token=10, peak_flops=1e6)
    bar = ProgressBar(4, 1, speedometer)
    for loss in (3.25, 3.125):
        speedometer.note(0.5)
        bar.show_step(loss)
    bar.show_validation(1.5)
    bar.close()
    shown = capsys.readouterr().err
    assert "loss=3.125, validation=1.500 bits/byte, tokens/s=2,000, MFU=2.0%" in shown
    assert re.search(r"75%\|.*3/4 \[\d\d:\d\d<\d\d:\d\d, loss", shown)


def test_a_speed_whose_peak_nobody_knows_has_no_utilisation():
    speedometer = Speedometer(1000, 10, None)
    speedometer.note(2.0)
    assert speedometer.tokens_per_second == 500 and speedometer.utilization is None


def test_a_sample_on_the_screen_is_short_and_obeyed_by_no_terminal(capsys):
    bar = ProgressBar(4, 0, Speedometer(1000, 10, None))
    bar.show_sample(1200, "salam", "\x1b[2Jla\nbas\u202e " + "w" * 500)
    bar.close()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("step 1,200: salam → [2Jla bas www") and len(line) == 160 and line.endswith("…")
