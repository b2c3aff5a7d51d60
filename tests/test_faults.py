"""Runs that are killed, stopped, fed nonsense: each ends as if nothing had happened, or says why it cannot.

"The same" is to the bit: weights, averaged weights, moments, random generators, data position and training log.
Most tests are marked `faults`; a few of each kind run with the others.
"""

import json
import os
import random
import signal
import threading
import time
from dataclasses import replace

import pytest
from fault_runs import SMALL, assert_same, copy_run, make_arguments, read_state, run_to_end, set_steps, start

from darija_gpt import training_run
from darija_gpt.checkpoint import list_checkpoints
from darija_gpt.faults import LostProcessError, watch_processes
from darija_gpt.pretraining import pretrain


NUM_STEPS = 24  # the epoch ends after step 10 and after step 20


def some(count: int, of: int) -> list:
    """The first few of many, the others marked `faults`."""
    return [number if number < count else pytest.param(number, marks=pytest.mark.faults) for number in range(of)]


@pytest.fixture(scope="module")
def finished(dataset_dir, tokenizer_dir, tmp_path_factory):
    """A run of half a million parameters that nothing disturbed, in a process like those of the others."""
    directory = tmp_path_factory.mktemp("finished") / "base"
    arguments = set_steps(make_arguments(dataset_dir, tokenizer_dir, directory, model=SMALL), NUM_STEPS)
    run_to_end(arguments)
    return arguments


@pytest.fixture(scope="module")
def reference(finished):
    return read_state(finished.output_dir)


@pytest.fixture(scope="module")
def seconds(finished):
    """How long the steps of that run took."""
    return json.loads((finished.output_dir / "training_summary.json").read_text())["wall_seconds"]


def wait_for_log(arguments, num_lines: int = 1) -> None:
    """Until the first step is done, or a later one."""
    deadline, log = time.monotonic() + 120, arguments.output_dir / "training_log.jsonl"
    while not log.exists() or log.read_bytes().count(b"\n") < num_lines:
        assert time.monotonic() < deadline, "the run does not go on"
        time.sleep(0.001)


def wait_at_random(arguments, reference: dict, seconds: float, seed: int) -> None:
    """Until a moment in the first three quarters of a run, however busy the machine is."""
    draw, num_lines = random.Random(seed), len(reference["log"].splitlines())
    wait_for_log(arguments, draw.randint(1, num_lines * 3 // 4))
    time.sleep(draw.uniform(0, seconds / num_lines))


@pytest.mark.parametrize("seed", some(2, 20))
def test_a_run_killed_at_a_random_time_goes_on_the_same(finished, reference, seconds, tmp_path, seed):
    arguments = replace(finished, output_dir=tmp_path / "base")
    process = start(pretrain, arguments)
    wait_at_random(arguments, reference, seconds, seed)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, "it ended before it was killed"
    run_to_end(arguments)
    assert_same(arguments, reference)


def kill_within_a_save(arguments, seed: int) -> None:
    """A run that ends by SIGKILL at a random moment of a random save."""
    draw = random.Random(seed)
    save, place = training_run.save_checkpoint, draw.randrange(1, 4)
    durations = []

    def save_or_die(*args, **kwargs):
        started = time.perf_counter()
        if len(durations) >= place:
            # Again at each further save, should this one be faster than the last was.
            timer = threading.Timer(draw.uniform(0, min(durations)), os.kill, (os.getpid(), signal.SIGKILL))
            timer.start()
            save(*args, **kwargs)
            timer.cancel()
        else:
            save(*args, **kwargs)
        durations.append(time.perf_counter() - started)

    training_run.save_checkpoint = save_or_die
    pretrain(arguments)


@pytest.mark.parametrize("seed", some(2, 20))
def test_a_run_killed_within_a_save_goes_on_the_same(finished, reference, tmp_path, seed):
    arguments = replace(finished, output_dir=tmp_path / "base")
    process = start(kill_within_a_save, arguments, seed)
    process.join()
    assert process.exitcode == -signal.SIGKILL, "every save was over before it was killed"
    run_to_end(arguments)
    assert_same(arguments, reference)


@pytest.mark.parametrize("seed", some(2, 20))
def test_a_run_that_is_stopped_checkpoints_and_goes_on_the_same(finished, reference, seconds, tmp_path, seed):
    arguments = replace(finished, output_dir=tmp_path / "base", save_steps=1000)
    number = (signal.SIGTERM, signal.SIGINT)[seed % 2]
    process = start(pretrain, arguments)
    wait_at_random(arguments, reference, seconds, seed)
    os.kill(process.pid, number)
    process.join(60)
    assert process.exitcode == 128 + number
    log = (arguments.output_dir / "training_log.jsonl").read_text().splitlines()
    (checkpoint,) = list_checkpoints(arguments.output_dir / "checkpoints")
    assert f'"step": {int(checkpoint.name.removeprefix("step-"))},' in log[-1]
    run_to_end(replace(arguments, save_steps=3))
    assert_same(arguments, reference)


@pytest.mark.parametrize("stride", [23, pytest.param(1, marks=pytest.mark.faults)])
def test_a_run_resumed_at_any_step_is_the_same(dataset_dir, tokenizer_dir, tmp_path, stride):
    num_steps = 60
    arguments = make_arguments(
        dataset_dir, tokenizer_dir, tmp_path / "whole", save_steps=1, save_total_limit=num_steps
    )
    arguments = set_steps(arguments, num_steps)
    pretrain(arguments)
    reference = read_state(arguments.output_dir)
    for step in range(1, num_steps + 1, stride):
        resumed = replace(arguments, output_dir=tmp_path / str(step), save_steps=num_steps)
        copy_run(arguments.output_dir, resumed.output_dir, steps=[step])
        pretrain(resumed)
        assert_same(resumed, reference)


@pytest.mark.parametrize("num_processes", [1, 2])
def test_a_lost_worker_is_told_apart_from_what_a_worker_says(num_processes):
    with pytest.raises(LostProcessError, match="set dataloader_num_workers=0"), watch_processes(num_processes):
        raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed. ")
    with pytest.raises(RuntimeError, match="Caught"), watch_processes(num_processes):
        raise RuntimeError("Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback ...")
