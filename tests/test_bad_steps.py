"""Steps that go wrong within a run: no numbers, nonsense for data, no memory."""

import json
import math
from dataclasses import replace

import pytest
import torch
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType
from fault_runs import TINY, assert_same, make_arguments, read_state, set_steps
from safetensors.torch import load_file

from darija_gpt import training_step
from darija_gpt.checkpoint import list_checkpoints, save_checkpoint
from darija_gpt.manifest import read_manifest
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.model.norms_darija_gpt import NORMS
from darija_gpt.pretraining import pretrain
from darija_gpt.running_statistics import RunningStatistics
from darija_gpt.step_guard import StepGuard
from darija_gpt.training_step import Updater, measure_loss


NUM_STEPS = 60


@pytest.fixture
def arguments(dataset_dir, tokenizer_dir, tmp_path):
    return set_steps(make_arguments(dataset_dir, tokenizer_dir, tmp_path / "base", save_steps=20), NUM_STEPS)


@pytest.fixture(autouse=True)
def fresh_accelerate():
    """Precision can be chosen once in a process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


def read_steps(arguments) -> list[dict]:
    lines = (arguments.output_dir / "training_log.jsonl").read_text().splitlines()
    return [record for line in lines if "grad_norm" in (record := json.loads(line))]


def snapshot(updater: Updater) -> list[torch.Tensor]:
    """Weights, averages and moments."""
    moments = [
        value
        for optimizer in updater.optimizers
        for state in optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor)
    ]
    averages = updater.average.averages if updater.average else []
    return [tensor.detach().clone() for tensor in (*updater.model.parameters(), *averages, *moments)]


def spoil_loss(updater: Updater, value: float):
    return lambda model, batch: measure_loss(model, batch) * value


def spoil_gradient(updater: Updater, value: float):
    parameter = next(updater.model.parameters())

    def measure(model, batch):
        loss = measure_loss(model, batch)
        handle = parameter.register_hook(
            lambda gradient: handle.remove() or gradient.index_fill(0, torch.tensor(7), value)
        )
        return loss

    return measure


def spoil_parameter(updater: Updater, value: float):
    with torch.no_grad():
        list(updater.model.parameters())[-1][0] = value
    return measure_loss


def spoil_steps(monkeypatch, numbers: set[int], spoil, value: float) -> dict[int, bool]:
    """Has some steps go wrong; tells of each whether weights, averages and moments stayed the same."""
    update, untouched = Updater.update, {}

    def update_spoilt(updater, number):
        if number not in numbers:
            return update(updater, number)
        before = snapshot(updater)
        with monkeypatch.context() as patch:
            patch.setattr(training_step, "measure_loss", spoil(updater, value))
            step = update(updater, number)
        after = snapshot(updater)
        untouched[number] = all(torch.equal(*pair) for pair in zip(before, after, strict=True))
        return step

    monkeypatch.setattr(Updater, "update", update_spoilt)
    return untouched


@pytest.mark.parametrize(
    ("spoil", "value", "number"),
    [
        (spoil_loss, math.nan, 7),
        (spoil_gradient, math.inf, 7),
        *(
            pytest.param(spoil, value, number, marks=pytest.mark.faults)
            for spoil in (spoil_loss, spoil_gradient)
            for value in (math.nan, math.inf, -math.inf)
            for number in (1, 2, 10, 9)
        ),
    ],
)
def test_a_step_without_numbers_leaves_everything_untouched(arguments, monkeypatch, spoil, value, number):
    untouched = spoil_steps(monkeypatch, {number}, spoil, value)
    pretrain(arguments)
    steps = read_steps(arguments)
    assert untouched == {number: True}
    # 50 steps and more follow, and none of them is skipped.
    assert [step["step"] for step in steps if "skipped" in step] == [number] and len(steps) >= number + 50
    assert all(math.isfinite(step["loss"]) for step in steps if step["step"] != number)
    summary = json.loads((arguments.output_dir / "training_summary.json").read_text())
    assert summary["skipped_steps"] == {"non_finite": 1}


def test_four_bad_steps_in_a_row_are_survived(arguments, monkeypatch):
    untouched = spoil_steps(monkeypatch, {19, 20, 21, 22}, spoil_loss, math.nan)
    pretrain(arguments)
    assert all(untouched.values()) and len(untouched) == 4
    # No checkpoint in the middle of them.
    assert [path.name for path in list_checkpoints(arguments.output_dir / "checkpoints")] == [
        "step-00000040",
        "step-00000060",
    ]


@pytest.mark.parametrize(
    ("spoil", "value"),
    [
        (spoil_parameter, math.nan),
        pytest.param(spoil_parameter, math.inf, marks=pytest.mark.faults),
        pytest.param(spoil_loss, math.nan, marks=pytest.mark.faults),
        pytest.param(spoil_gradient, math.inf, marks=pytest.mark.faults),
    ],
)
@pytest.mark.parametrize("number", [18, pytest.param(25, marks=pytest.mark.faults)])
def test_five_bad_steps_in_a_row_stop_the_run_at_its_last_good_checkpoint(
    arguments, tmp_path, monkeypatch, capsys, spoil, value, number
):
    arguments = replace(arguments, save_steps=10)
    whole = replace(arguments, output_dir=tmp_path / "whole")
    pretrain(whole)
    with monkeypatch.context() as patch:
        spoil_steps(patch, set(range(number, number + 5)), spoil, value)
        with pytest.raises(SystemExit) as stop:
            pretrain(arguments)
    assert stop.value.code == 4
    assert "no finite loss and gradient in 5 steps" in capsys.readouterr().err
    last = list_checkpoints(arguments.output_dir / "checkpoints")[-1]
    assert last.name == f"step-{(number - 1) // 10 * 10:08}"
    assert not (arguments.output_dir / "training_summary.json").exists()
    pretrain(arguments)
    assert_same(arguments, read_state(whole.output_dir))


def judge_by(reasons: list[str | None]):
    """A guard that knows beforehand what it thinks of each step."""
    return lambda guard, loss, grad_norm: reasons.pop(0)


@pytest.fixture
def with_statistics(arguments):
    """A run of a model with batch norm, which keeps running statistics."""
    model = {**arguments.model, "norm": "batchnorm", "allow_future_statistics": True}
    return replace(arguments, model=model, weight_average_decay=None, save_steps=1, max_steps=3)


def test_a_skipped_step_leaves_running_statistics_untouched(with_statistics, monkeypatch):
    monkeypatch.setattr(StepGuard, "judge", judge_by([None, "spike", "spike"]))
    pretrain(replace(with_statistics, save_total_limit=9))
    first, _, last = (
        load_file(path / "model.safetensors") for path in list_checkpoints(with_statistics.output_dir / "checkpoints")
    )
    assert any("running_var" in name for name in first)
    assert [name for name in first if not torch.equal(first[name], last[name])] == []


def test_a_step_that_is_tried_again_counts_once_in_running_statistics(with_statistics, tmp_path, monkeypatch):
    whole = replace(with_statistics, output_dir=tmp_path / "whole")
    halved = replace(with_statistics, per_device_train_batch_size=1, gradient_accumulation_steps=6)
    halved = replace(halved, output_dir=tmp_path / "halved")
    pretrain(halved)
    calls = []

    def measure(model, batch):
        loss = measure_loss(model, batch)
        calls.append(len(batch["input_ids"]))
        if len(batch["input_ids"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return loss

    monkeypatch.setattr(training_step, "measure_loss", measure)
    pretrain(whole)
    assert calls[:2] == [3, 1]
    expected, found = (load_file(each.output_dir / "model.safetensors") for each in (halved, whole))
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_running_statistics_that_are_no_numbers_are_not_kept(with_statistics, monkeypatch, capsys):
    def spoil_statistics(model, batch):
        next(buffer for name, buffer in model.named_buffers() if name.endswith("running_var")).fill_(math.nan)
        return measure_loss(model, batch)

    monkeypatch.setattr(training_step, "measure_loss", spoil_statistics)
    with pytest.raises(SystemExit) as stop:
        pretrain(with_statistics)
    assert stop.value.code == 4
    assert "the weights are not finite" in capsys.readouterr().err
    assert not list_checkpoints(with_statistics.output_dir / "checkpoints")


@pytest.mark.parametrize("norm", NORMS)
def test_only_batch_norm_has_running_statistics(norm):
    config = DarijaGPTConfig(**TINY, norm=norm, allow_future_statistics=True)
    statistics = RunningStatistics(DarijaGPTForCausalLM(config))
    assert bool(statistics.get_floating()) == (norm == "batchnorm")


def test_a_run_that_skipped_every_step_is_no_model(arguments, monkeypatch, capsys):
    spoil_steps(monkeypatch, {1, 2, 3}, spoil_loss, math.nan)
    with pytest.raises(SystemExit) as stop:
        pretrain(replace(arguments, max_steps=3))
    assert stop.value.code == 4
    assert "every one of 3 steps was skipped (non_finite: 3), so that nothing was learnt" in capsys.readouterr().err
    assert not (arguments.output_dir / "training_summary.json").exists()


def make_garbage(kind: str, input_ids: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    if kind == "random":
        return torch.randint(0, 395, input_ids.shape, generator=draw)
    if kind == "repeated":
        return torch.randint(0, 395, (len(input_ids), 1), generator=draw).expand_as(input_ids)
    return input_ids[:, torch.randperm(input_ids.shape[1], generator=draw)]


@pytest.mark.parametrize(
    ("kind", "num_steps"),
    [
        pytest.param("random", 250, marks=pytest.mark.slow),
        pytest.param("random", 1000, marks=pytest.mark.faults),
        *(
            pytest.param(kind, num_steps, marks=pytest.mark.faults)
            for kind in ("repeated", "shuffled")
            for num_steps in (250, 1000)
        ),
    ],
)
def test_garbage_is_kept_from_the_weights_and_nothing_else_is(arguments, monkeypatch, kind, num_steps):
    draw = torch.Generator().manual_seed(0)
    garbage = set((150 + torch.randperm(num_steps - 150, generator=draw)[: num_steps // 50]).tolist())
    state = {}

    def measure(model, batch):
        if state["number"] in garbage:
            batch = {**batch, "input_ids": make_garbage(kind, batch["input_ids"], draw)}
        return measure_loss(model, batch)

    update = Updater.update
    monkeypatch.setattr(Updater, "update", lambda run, number: state.update(number=number) or update(run, number))
    monkeypatch.setattr(training_step, "measure_loss", measure)
    arguments = set_steps(replace(arguments, save_steps=1000, eval_steps=1000), num_steps)
    pretrain(arguments)
    skipped = {step["step"] for step in read_steps(arguments) if "skipped" in step}
    print(f"{len(skipped & garbage)} of {len(garbage)} garbage batches skipped, {len(skipped - garbage)} others")
    assert len(skipped & garbage) >= 0.9 * len(garbage)
    assert len(skipped - garbage) <= num_steps // 1000


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("learning_rate", [1e-3, 1e-2, 3e-2])
def test_normal_data_is_not_skipped(arguments, seed, learning_rate):
    pretrain(
        set_steps(replace(arguments, seed=seed, learning_rate=learning_rate, save_steps=1000, eval_steps=1000), 1000)
    )
    assert sum("skipped" in step for step in read_steps(arguments)) <= 1


def stop_after(arguments, number: int) -> None:
    """A run that is asked to stop in a step."""
    update = Updater.update
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Updater, "update", lambda run, each: replace(update(run, each), must_stop=each == number))
        with pytest.raises(SystemExit) as stop:
            pretrain(arguments)
    assert stop.value.code == 143


def limit_memory(monkeypatch, num_blocks: int) -> list[int]:
    """Has forward passes of more blocks fail; lists the sizes of those that did not."""
    sizes = []

    def measure(model, batch):
        if len(batch["input_ids"]) > num_blocks:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        sizes.append(len(batch["input_ids"]))
        return measure_loss(model, batch)

    monkeypatch.setattr(training_step, "measure_loss", measure)
    return sizes


def test_out_of_memory_halves_the_micro_batch_and_leaves_the_step_as_it_was(arguments, tmp_path, monkeypatch, capsys):
    model = {**arguments.model, "residual_dropout": 0.0, "attention_dropout": 0.0}
    arguments = replace(
        arguments, model=model, per_device_train_batch_size=4, gradient_accumulation_steps=2, num_train_epochs=1.0
    )
    whole = replace(arguments, output_dir=tmp_path / "whole")
    pretrain(whole)
    sizes = limit_memory(monkeypatch, 1)
    pretrain(arguments)
    shown = capsys.readouterr().out
    assert "out of GPU memory with 4 blocks at a time; going on with 2" in shown and "going on with 1" in shown
    steps, expected = read_steps(arguments), read_steps(whole)
    assert set(sizes) == {1} and len(sizes) == 8 * len(steps)
    assert [step["loss"] for step in steps] == pytest.approx([step["loss"] for step in expected], rel=1e-5)


@pytest.mark.slow
def test_a_run_goes_on_with_the_micro_batch_that_was_found_to_fit(arguments, tmp_path, monkeypatch, capsys):
    limit_memory(monkeypatch, 1)
    whole = replace(arguments, output_dir=tmp_path / "whole")
    pretrain(whole)
    stop_after(arguments, 25)
    capsys.readouterr()
    pretrain(arguments)
    assert "out of GPU memory" not in capsys.readouterr().out
    assert_same(arguments, read_state(whole.output_dir))


def test_out_of_memory_elsewhere_ends_the_run_with_5(arguments, monkeypatch, capsys):
    def run_out(run):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("darija_gpt.training_run.TrainingRun._measure_loss", run_out)
    with pytest.raises(SystemExit) as stop:
        pretrain(arguments)
    assert stop.value.code == 5


@pytest.mark.parametrize("place", ["training_step.build_optimizers", "training_run.load_checkpoint"])
def test_out_of_memory_before_the_first_step_ends_the_run_with_5(arguments, monkeypatch, capsys, place):
    def run_out(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has 1 GiB.")

    monkeypatch.setattr(f"darija_gpt.{place}", run_out)
    with pytest.raises(SystemExit) as stop:
        pretrain(arguments)
    assert stop.value.code == 5
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert "out of GPU memory before the first step (CUDA out of memory. Tried to allocate 2.00 GiB.); see" in line


def test_out_of_memory_with_one_block_ends_the_run_with_5(arguments, monkeypatch, capsys):
    limit_memory(monkeypatch, 0)
    with pytest.raises(SystemExit) as stop:
        pretrain(arguments)
    assert stop.value.code == 5
    assert "out of GPU memory with 1 blocks at a time (CUDA out of memory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "muon"},
        {"mixed_precision": "bf16"},
        {"weight_average_decay": None},
        pytest.param({"z_loss": 1e-3}, marks=pytest.mark.slow),
        pytest.param({"activation_checkpointing": True}, marks=pytest.mark.slow),
        pytest.param({"schedule": "wsd", "cooldown_ratio": 0.0}, marks=pytest.mark.slow),
    ],
    ids=lambda changes: "-".join(changes),
)
def test_every_kind_of_run_goes_on_the_same(arguments, tmp_path, changes):
    arguments = set_steps(replace(arguments, save_steps=3, **changes), 8)
    whole = replace(arguments, output_dir=tmp_path / "whole")
    pretrain(whole)
    stop_after(arguments, 4)
    pretrain(arguments)
    assert_same(arguments, read_state(whole.output_dir))


@pytest.mark.parametrize(
    ("schedule", "ratio", "last_step"),
    [
        ("early", 0.5, 4),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("early", 0.5, 6), ("late", 0.5, 2), ("late", 0.0, 6))
        ),
    ],
)
def test_a_run_with_a_schedule_of_dropout_goes_on_the_same(arguments, tmp_path, schedule, ratio, last_step):
    arguments = replace(arguments, dropout_schedule=schedule, dropout_ratio=ratio, save_steps=1, save_total_limit=9)
    arguments = set_steps(arguments, 8)
    whole = replace(arguments, output_dir=tmp_path / "whole")
    pretrain(whole)
    stop_after(arguments, last_step)
    pretrain(arguments)
    assert_same(arguments, read_state(whole.output_dir))
    # What the last one remembers may have begun anew behind the steps in question.
    assert [read_guard(each) for each in list_checkpoints(arguments.output_dir / "checkpoints")] == [
        read_guard(each) for each in list_checkpoints(whole.output_dir / "checkpoints")
    ]


def read_guard(checkpoint) -> dict:
    return read_manifest(checkpoint)["progress"]["guard"]


@pytest.mark.slow
def test_a_compiled_run_goes_on_to_the_same_losses(arguments, tmp_path):
    arguments = set_steps(replace(arguments, save_steps=3, torch_compile=True), 8)
    whole = replace(arguments, output_dir=tmp_path / "whole")
    pretrain(whole)
    torch._dynamo.reset()  # as if each were a process of its own
    stop_after(arguments, 4)
    torch._dynamo.reset()
    pretrain(arguments)
    # Not to the bit: what is compiled anew may add in another order.
    assert [step["loss"] for step in read_steps(arguments)] == pytest.approx(
        [step["loss"] for step in read_steps(whole)], rel=1e-5
    )


def test_a_run_is_not_moved_to_where_auto_is_another_precision(arguments, monkeypatch, capsys):
    arguments = set_steps(replace(arguments, mixed_precision="auto"), 8)
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: True)
    stop_after(arguments, 4)
    AcceleratorState._reset_state(reset_partial_state=True)
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: False)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: False)
    with pytest.raises(ValueError, match="with mixed_precision=bf16, and this run has mixed_precision=no; give --m"):
        pretrain(arguments)
    with pytest.raises(ValueError, match="optimizer was adamw and is muon"):
        pretrain(replace(arguments, mixed_precision="bf16", optimizer="muon"))
    AcceleratorState._reset_state(reset_partial_state=True)
    pretrain(replace(arguments, mixed_precision="bf16"))
    assert "resuming at step 4" in capsys.readouterr().out


def test_a_checkpoint_that_does_not_tell_its_precision_is_gone_on_with(arguments, monkeypatch, capsys):
    arguments = set_steps(arguments, 8)
    monkeypatch.setattr("darija_gpt.training_run.save_checkpoint", save_without_precision)
    stop_after(arguments, 4)
    pretrain(arguments)
    assert "resuming at step 4" in capsys.readouterr().out


def save_without_precision(accelerator, directory, progress, **options) -> None:
    save_checkpoint(accelerator, directory, {k: v for k, v in progress.items() if k != "mixed_precision"}, **options)


def test_settings_that_do_nothing_are_named_once_each(arguments, monkeypatch, capsys):
    arguments = replace(arguments, max_steps=2, dropout_schedule="late", sample_prompts=["salam"])
    arguments = replace(arguments, sample_max_new_tokens=3)
    without = {**arguments.model, "residual_dropout": 0.0, "attention_dropout": 0.0}
    pretrain(replace(arguments, output_dir=arguments.output_dir / "sound"))
    assert "does nothing" not in capsys.readouterr().out
    # As if the weights of this one process were a part of them.
    monkeypatch.setattr("darija_gpt.training_run._SHARDED", (DistributedType.NO,))
    pretrain(replace(arguments, output_dir=arguments.output_dir / "idle", model=without))
    shown = capsys.readouterr().out
    assert shown.count("warning: dropout_schedule=late does nothing, because the model has no dropout") == 1
    assert shown.count("warning: sample_prompts does nothing, because no process has all of the weights") == 1
    assert shown.count("warning") == 2


def scale_gradients(monkeypatch, **changes) -> None:
    """fp16's scaler without fp16, which needs a GPU: scaling by a power of two changes no bit of a float32."""
    build = Updater.__init__

    def build_scaled(updater, model, blocks, arguments, accelerator, stop_request):
        accelerator.scaler = torch.amp.GradScaler("cpu", **changes)
        accelerator.unscale_gradients = lambda: [accelerator.scaler.unscale_(each) for each in updater.optimizers]
        build(updater, model, blocks, arguments, accelerator, stop_request)

    monkeypatch.setattr(Updater, "__init__", build_scaled)


@pytest.mark.parametrize("optimizer", [pytest.param("adamw", marks=pytest.mark.slow), "muon"])
def test_the_scaler_of_fp16_changes_nothing_and_is_kept_in_checkpoints(arguments, tmp_path, monkeypatch, optimizer):
    arguments = set_steps(replace(arguments, optimizer=optimizer), 20)
    plain, whole = (replace(arguments, output_dir=tmp_path / name) for name in ("plain", "whole"))
    pretrain(plain)
    scale_gradients(monkeypatch, init_scale=2.0**10, growth_interval=6)
    pretrain(whole)
    assert read_steps(whole) == read_steps(plain)
    stop_after(arguments, 9)
    assert (list_checkpoints(arguments.output_dir / "checkpoints")[-1] / "scaler.pt").exists()
    pretrain(arguments)
    assert_same(arguments, read_state(whole.output_dir))


def test_a_scale_that_is_too_high_is_lowered_until_it_fits(arguments, monkeypatch):
    scale_gradients(monkeypatch, init_scale=2.0**127)
    monkeypatch.setattr(training_step, "measure_loss", lambda model, batch: measure_loss(model, batch) * 64)
    pretrain(set_steps(arguments, 20))
    reasons = [step.get("skipped") for step in read_steps(arguments)]
    assert reasons[:5] == ["overflow"] * 5 and reasons[-5:] == [None] * 5 and set(reasons) == {"overflow", None}
