"""Sharded runs: the same as one process, over FSDP2 and DeepSpeed on two CPUs; and the files that launch them."""

import errno
import importlib.util
import os
import re
import shlex
import signal
from dataclasses import replace
from functools import partial

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import launch_command_parser
from accelerate.utils.dataclasses import get_module_class_from_name
from fault_runs import TINY, copy_run, make_arguments, run_to_end, set_steps, start
from launches import CONFIGS, ROOT, pretrain_sharded, read_launch
from test_distributed import find_port, read_losses

from darija_gpt.checkpoint import list_checkpoints
from darija_gpt.manifest import read_manifest
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.model.modeling_darija_gpt import DECODER_LAYERS
from darija_gpt.pretraining import pretrain
from darija_gpt.sharding import WholeWeights, build_accelerator
from darija_gpt.training_step import Updater


NUM_STEPS = 8
FSDP2 = "--config_file recipes/accelerate/fsdp2.yaml --num_processes 2 scripts/pretrain.py"
ZERO3 = "--config_file recipes/accelerate/deepspeed_zero3.yaml --num_processes 2 scripts/pretrain.py"
needs_deepspeed = pytest.mark.skipif(
    importlib.util.find_spec("deepspeed") is None, reason="pip install -c constraints.txt -e '.[deepspeed]' brings it"
)
LAUNCHES = [pytest.param(FSDP2, id="fsdp2"), pytest.param(ZERO3, id="deepspeed", marks=needs_deepspeed)]


def leave_as_is(rank: int) -> None:
    """Of the run."""


def stop_at(step: int, rank: int) -> None:
    """Has the last process be told to stop."""
    update = Updater.update

    def update_and_stop(updater, number):
        if number == step and rank == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(updater, number)

    Updater.update = update_and_stop


def fill_disk_at_first_save(rank: int) -> None:
    """Of the second process."""
    from torch.distributed.checkpoint import FileSystemWriter

    write = FileSystemWriter.write_data
    calls = []

    def write_or_fail(writer, *args):
        calls.append(rank)
        if rank == 1 and len(calls) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(writer, *args)

    FileSystemWriter.write_data = write_or_fail


def run_sharded(arguments, launch: str, num_processes: int = 2, change=leave_as_is) -> set[int]:
    """Runs all processes of a launch; gives their exit codes."""
    environment, port = read_launch(launch), find_port()
    processes = [
        start(pretrain_sharded, arguments, environment, rank, num_processes, port, change)
        for rank in range(num_processes)
    ]
    for process in processes:
        process.join(120)
    return {process.exitcode for process in processes}


@pytest.fixture(scope="module")
def whole(dataset_dir, tokenizer_dir, tmp_path_factory):
    """A run of one process."""
    arguments = make_arguments(
        dataset_dir,
        tokenizer_dir,
        tmp_path_factory.mktemp("whole") / "base",
        model={**TINY, "num_hidden_layers": 2, "residual_dropout": 0.0, "attention_dropout": 0.0},
        per_device_train_batch_size=2,
        gradient_accumulation_steps=4,
        weight_average_decay=None,
        spike_threshold=None,
        activation_checkpointing=True,
        eval_steps=4,
    )
    arguments = set_steps(arguments, NUM_STEPS)
    run_to_end(arguments)
    return arguments


@pytest.fixture
def sharded(whole, tmp_path):
    """The same for two processes."""
    return replace(whole, output_dir=tmp_path / "sharded", gradient_accumulation_steps=2)


def assert_same_run(arguments, other) -> None:
    """Losses, and the model that is saved, with its own code."""
    assert read_losses(arguments) == pytest.approx(read_losses(other), rel=1e-5)
    model, expected = (DarijaGPTForCausalLM.from_pretrained(each.output_dir) for each in (arguments, other))
    assert model.config.architectures == ["DarijaGPTForCausalLM"]
    assert {path.name for path in arguments.output_dir.glob("*.py")} == {
        path.name for path in other.output_dir.glob("*.py")
    }
    for name, weights in expected.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], weights, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_sharded_run_is_stopped_and_resumed_and_reaches_the_losses_and_weights_of_one_process(
    whole, sharded, launch
):
    assert run_sharded(sharded, launch, change=partial(stop_at, 5)) == {143}
    (checkpoint, *_) = reversed(list_checkpoints(sharded.output_dir / "checkpoints"))
    # Every process wrote its own, and the manifest knows of all.
    shards = [name for name in read_manifest(checkpoint)["files"] if re.search(r"__[01]_|rank_[01]_", name)]
    assert checkpoint.name == "step-00000005" and len(shards) >= 4
    assert run_sharded(sharded, launch) == {0}
    assert_same_run(sharded, whole)


def test_a_run_on_two_shards_goes_on_with_one(whole, sharded):
    assert run_sharded(sharded, FSDP2, change=partial(stop_at, 5)) == {143}
    assert run_sharded(replace(sharded, gradient_accumulation_steps=4), FSDP2, num_processes=1) == {0}
    assert_same_run(sharded, whole)


def test_a_disk_that_is_full_for_one_shard_costs_the_checkpoint_and_not_the_run(whole, sharded):
    arguments = replace(sharded, save_steps=4, save_total_limit=9)
    assert run_sharded(arguments, FSDP2, change=fill_disk_at_first_save) == {0}
    assert [path.name for path in list_checkpoints(arguments.output_dir / "checkpoints")] == ["step-00000008"]
    assert read_losses(arguments) == pytest.approx(read_losses(whole), rel=1e-5)


def test_bf16_shards_stay_near_float32(whole, sharded):
    assert run_sharded(replace(sharded, mixed_precision="bf16"), FSDP2) == {0}
    losses = read_losses(sharded)
    assert losses == pytest.approx(read_losses(whole), rel=2e-3)
    # Two digits and a bit is what bf16 would leave of a loss.
    assert any(loss != float(torch.tensor(loss).bfloat16()) for loss in losses)


@pytest.mark.slow
def test_shards_are_compiled_layer_by_layer(whole, sharded):
    assert run_sharded(replace(sharded, torch_compile=True), FSDP2) == {0}
    assert read_losses(sharded) == pytest.approx(read_losses(whole), rel=1e-5)


def test_whole_weights_are_not_resumed_as_shards(whole, tmp_path, monkeypatch):
    arguments = replace(whole, output_dir=tmp_path / "base")
    copy_run(whole.output_dir, arguments.output_dir)
    monkeypatch.setattr(WholeWeights, "layout", "FSDP2")
    with pytest.raises(ValueError, match="was written with whole weights, and this run has FSDP2; launch it with the"):
        pretrain(arguments)
    assert list_checkpoints(arguments.output_dir / "checkpoints")


@pytest.mark.parametrize(
    ("variable", "changes", "words"),
    [
        (
            "ACCELERATE_USE_FSDP",
            {"optimizer": "muon"},
            "optimizer=muon does not go with FSDP2; take --optimizer adamw",
        ),
        ("ACCELERATE_USE_FSDP", {"weight_average_decay": 0.9}, "weight_average_decay does not go with FSDP2; set it"),
        ("ACCELERATE_USE_FSDP", {"mixed_precision": "fp16"}, "mixed_precision=fp16 does not go with FSDP2; give"),
        ("ACCELERATE_USE_FSDP", {"model": {"input_skip": True}}, "input_skip .* does not go with FSDP2"),
        ("ACCELERATE_USE_FSDP", {}, "fsdp_version=1 is not supported; set fsdp_version: 2"),
        (
            "ACCELERATE_USE_DEEPSPEED",
            {"spike_threshold": 10.0},
            "spike_threshold .* does not go with DeepSpeed; set it",
        ),
        ("ACCELERATE_USE_DEEPSPEED", {"optimizer": "muon"}, "optimizer=muon does not go with DeepSpeed"),
        ("ACCELERATE_USE_DEEPSPEED", {"torch_compile": True}, "torch_compile does not go with DeepSpeed"),
    ],
)
def test_what_shards_cannot_do_is_refused_with_the_remedy(whole, monkeypatch, variable, changes, words):
    monkeypatch.setenv(variable, "true")
    monkeypatch.setattr("darija_gpt.hardware.check_fp16", lambda *_: None)  # as where there is a GPU
    arguments = replace(whole, **{"mixed_precision": "no", **changes})
    with pytest.raises(ValueError, match=words):
        build_accelerator(arguments, DarijaGPTConfig(vocab_size=400, **changes.get("model", {})), {})


def test_shards_without_a_gpu_are_refused(whole, monkeypatch):
    for name, value in read_launch(FSDP2).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="FSDP2 shards weights over GPUs, and here is none"):
        build_accelerator(whole, DarijaGPTConfig(vocab_size=400), {})


@pytest.mark.parametrize("norm_position", DECODER_LAYERS)
def test_a_model_names_the_class_of_its_layers_and_no_other(norm_position):
    with torch.device("meta"):
        model = DarijaGPTForCausalLM(DarijaGPTConfig(vocab_size=400, norm_position=norm_position, num_hidden_layers=2))
    (name,) = model._no_split_modules
    assert get_module_class_from_name(model, name) is type(model.model.layers[0])


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_accelerate_reads_a_launch_file_and_knows_all_of_its_keys(path):
    load_config_from_file(str(path))  # raises for a key it does not know, except within a mapping
    known = {action.dest for action in launch_command_parser()._actions}
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    for mapping in ("fsdp_config", "deepspeed_config"):
        assert set(config.get(mapping, {})) <= known


def test_launch_files_say_what_they_are_for():
    cpu, ddp, zero3, fsdp2, gpu = (read_launch(f"--config_file {path} x.py") for path in CONFIGS)
    assert [each["num_processes"] for each in (cpu, gpu, ddp, fsdp2, zero3)] == ["1", "1", "8", "8", "8"]
    assert cpu["ACCELERATE_USE_CPU"] == "True" and gpu["ACCELERATE_USE_CPU"] == "False"
    assert not {"ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"} & set(ddp)
    assert fsdp2["ACCELERATE_USE_FSDP"] == "true" and fsdp2["FSDP_VERSION"] == "2"
    assert fsdp2["FSDP_AUTO_WRAP_POLICY"] == "TRANSFORMER_BASED_WRAP"
    assert fsdp2["FSDP_STATE_DICT_TYPE"] == "SHARDED_STATE_DICT"
    assert zero3["ACCELERATE_USE_DEEPSPEED"] == "true" and zero3["ACCELERATE_DEEPSPEED_ZERO_STAGE"] == "3"
    # Accelerate would make a number of it, and fail.
    assert "ACCELERATE_GRADIENT_ACCUMULATION_STEPS" not in zero3


def find_launches() -> list[str]:
    """What stands behind `accelerate launch` in the Markdown files, continued lines joined."""
    texts = [path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *(ROOT / "recipes").rglob("*.md")]]
    lines = "\n".join(texts).replace("\\\n", " ").splitlines()
    return sorted({line.partition("accelerate launch ")[2] for line in lines if line.startswith("accelerate launch ")})


@pytest.mark.parametrize("command", find_launches())
def test_a_launch_in_the_documentation_is_one_that_accelerate_takes(command, monkeypatch):
    # As on the second of several machines.
    monkeypatch.setenv("MACHINE_RANK", "1")
    monkeypatch.setenv("MAIN_IP", "10.0.0.1")
    launch = read_launch(os.path.expandvars(command))
    assert int(launch["num_processes"]) % int(launch["num_machines"]) == 0
    script, *_ = [word for word in shlex.split(command) if word.startswith("scripts/")]
    assert (ROOT / script).is_file()
    # No shell has these; they are what somebody has to fill in.
    assert set(re.findall(r"\$(\w+)", command)) <= {"MACHINE_RANK", "MAIN_IP"}


def test_flags_of_a_launch_win_over_its_file():
    launch = read_launch(
        "--config_file recipes/accelerate/fsdp2.yaml --num_processes 16 --num_machines 2 --machine_rank 1 "
        "--main_process_ip 10.0.0.1 scripts/pretrain.py --config x.yaml"
    )
    assert launch["num_processes"] == "16" and launch["num_machines"] == "2"
