"""Several processes: the same run as one, whoever of them dies."""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from fault_runs import TINY, make_arguments, run_to_end, set_steps, start
from torch.nn.parallel import DistributedDataParallel

from darija_gpt.checkpoint import list_checkpoints
from darija_gpt.pretraining import pretrain
from darija_gpt.run_lock import lock_directory
from darija_gpt.training_step import Updater


SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "pretrain.py"
STEADY = {**TINY, "residual_dropout": 0.0, "attention_dropout": 0.0}


@pytest.fixture
def arguments(dataset_dir, tokenizer_dir, tmp_path):
    arguments = make_arguments(dataset_dir, tokenizer_dir, tmp_path / "one", model=STEADY, eval_steps=10)
    return set_steps(arguments, 20)


def read_losses(arguments) -> list[float]:
    lines = (arguments.output_dir / "training_log.jsonl").read_text().splitlines()
    return [record.get("loss", record.get("validation_loss")) for record in map(json.loads, lines)]


def pretrain_as(arguments, rank: int, num_processes: int, port: int, last_step: int | None) -> None:
    """What torchrun makes of a process; it asks itself to stop at a step."""
    os.environ |= {
        "ACCELERATE_USE_CPU": "true",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(num_processes),
        "LOCAL_WORLD_SIZE": str(num_processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    update = Updater.update

    def update_and_stop(updater, number):
        # One is told, and all have to stop.
        if number == last_step and rank == num_processes - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(updater, number)

    def destroy_after_models(*args):
        # One that outlived the group of processes would now and then hang while it is freed.
        alive = [thing for thing in gc.get_objects() if isinstance(thing, DistributedDataParallel)]
        assert not alive
        destroy(*args)

    destroy = torch.distributed.destroy_process_group
    torch.distributed.destroy_process_group = destroy_after_models
    Updater.update = update_and_stop
    pretrain(arguments)


def find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def run_on(num_processes: int, arguments, last_step: int | None = None) -> None:
    port = find_port()
    processes = [start(pretrain_as, arguments, rank, num_processes, port, last_step) for rank in range(num_processes)]
    for process in processes:
        process.join(120)
    assert {process.exitcode for process in processes} == {0 if last_step is None else 143}


def test_two_processes_reach_the_losses_of_one(arguments, tmp_path):
    arguments = replace(arguments, sample_prompts=["salam"], sample_max_new_tokens=3, report_to=["tensorboard"])
    arguments = replace(arguments, goldfish_ratio=0.25)
    two = replace(arguments, output_dir=tmp_path / "two", gradient_accumulation_steps=1)
    run_to_end(arguments)
    run_on(2, two)
    assert len(read_losses(two)) == 22
    assert len((two.output_dir / "samples.jsonl").read_text().splitlines()) == 2
    assert read_losses(two) == pytest.approx(read_losses(arguments), rel=1e-5)


def test_a_run_moves_from_one_process_to_two_and_back(arguments, tmp_path):
    run_to_end(arguments)
    moving = replace(arguments, output_dir=tmp_path / "moving")
    run_on(1, moving, last_step=7)
    run_on(2, replace(moving, gradient_accumulation_steps=1), last_step=13)
    assert (moving.output_dir / "training_log.jsonl").read_text().count("grad_norm") == 13
    run_on(1, moving)
    assert read_losses(moving) == pytest.approx(read_losses(arguments), rel=1e-5)


def build_command(arguments) -> list[str]:
    """The flags of a run that takes long enough to be disturbed."""
    flags = asdict(replace(arguments, num_train_epochs=300))
    model = flags.pop("model")
    return [
        str(SCRIPT),
        *(f"--model.{key}={value}" for key, value in model.items()),
        *(f"--{key}={value}" for key, value in flags.items() if value not in (None, [])),
    ]


def launch(launcher: list[str], arguments, error_file) -> subprocess.Popen:
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, *build_command(arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=error_file)


TORCHRUN = ["-m", "torch.distributed.run", "--nproc_per_node=2", "--standalone"]
ACCELERATE = [
    "-m",
    "accelerate.commands.launch",
    "--cpu",
    "--num_processes=1",
    "--num_machines=1",
    "--mixed_precision=no",
]


def wait_for_steps(arguments, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 180
    while not (arguments.output_dir / "training_log.jsonl").exists():
        assert time.monotonic() < deadline and process.poll() is None, "the run did not begin"
        time.sleep(0.05)
    time.sleep(0.5)


def find_workers(launcher: subprocess.Popen) -> list[int]:
    """Its children that train."""
    children = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    return [int(child) for child in children if b"pretrain.py" in Path(f"/proc/{child}/cmdline").read_bytes()]


def wait_for_end(pids: list[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "a process hangs"
        time.sleep(0.05)


@pytest.mark.faults
@pytest.mark.parametrize("rank", [0, 1])
def test_when_a_rank_is_killed_all_end_within_a_minute(arguments, tmp_path, rank):
    with (tmp_path / "errors").open("w") as error_file:
        process = launch(TORCHRUN, arguments, error_file)
        wait_for_steps(arguments, process)
        workers = find_workers(process)
        assert len(workers) == 2
        os.kill(workers[rank], signal.SIGKILL)
        assert process.wait(60) != 0
        wait_for_end(workers, 5)
    assert "another process of the run is gone" in (tmp_path / "errors").read_text()


@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("launcher", [TORCHRUN, ACCELERATE], ids=["torchrun", "accelerate"])
def test_when_the_launcher_ends_the_workers_checkpoint_and_stop(arguments, tmp_path, launcher, number):
    arguments = replace(arguments, save_steps=100_000)
    with (tmp_path / "errors").open("w") as error_file:
        process = launch(launcher, arguments, error_file)
        wait_for_steps(arguments, process)
        workers = find_workers(process)
        process.send_signal(number)
        assert process.wait(60) != 0
        wait_for_end(workers, 60)
    (checkpoint,) = list_checkpoints(arguments.output_dir / "checkpoints")
    log = (arguments.output_dir / "training_log.jsonl").read_text().splitlines()
    assert f'"step": {int(checkpoint.name.removeprefix("step-"))},' in log[-1]


def test_a_second_run_in_the_same_directory_is_refused_in_one_line(arguments, tmp_path):
    arguments.output_dir.mkdir()
    with lock_directory(arguments.output_dir):
        command = [sys.executable, *build_command(arguments)]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
    (line,) = process.stderr.splitlines()
    assert process.returncode == 2 and line.startswith("error: ") and "is in use by another run" in line
