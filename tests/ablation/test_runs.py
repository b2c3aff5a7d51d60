"""How far the runs of an ablation are, by what they have logged."""

import json
from types import SimpleNamespace

import pytest

from darija_gpt.ablation import one_run
from darija_gpt.ablation import runs as module
from darija_gpt.ablation.runs import Progress, Run, check_recipe, spell_duration


def make_run(directory, name, **recipe) -> Run:
    return Run(name, 0, recipe, directory / name / "seed_0", directory / f"{name}.json", {})


def log(run, *records, end=""):
    run.directory.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(record) + "\n" for record in records) + end
    (run.directory / "training_log.jsonl").write_text(text)


def test_runs_on_the_way_count_by_the_share_of_their_steps(tmp_path):
    done, half, third, new = (
        make_run(tmp_path, name, num_train_epochs=2) for name in ("done", "half", "third", "new")
    )
    done.result.write_text("{}")
    # A validation says nothing of the epoch, and a line may be half written.
    log(half, {"step": 9, "epoch": 1.0}, {"step": 9, "validation_loss": 3.0}, end='{"step": 10, "epo')
    log(third, {"step": 5, "epoch": 0.7}, {"step": 6, "epoch": 2 / 3})
    assert Progress([done, half, third, new]).look() == pytest.approx(1 + 1 / 2 + 1 / 3)
    by_steps = make_run(tmp_path, "by_steps", max_steps=40)
    log(by_steps, {"step": 10, "epoch": 7.0})
    assert Progress([by_steps]).look() == 0.25


def test_a_result_of_another_recipe_is_refused_with_the_difference(tmp_path):
    run = Run("x", 0, {}, tmp_path / "x" / "seed_0", tmp_path / "x.json", {"recipe": {"max_steps": 5, "model": {}}})
    check_recipe(run, run.result)  # there is none
    for recipe in ({"max_steps": 5, "model": {}}, {"model": {}, "max_steps": 5.0}):
        run.result.write_text(json.dumps({"recipe": recipe}))
        check_recipe(run, run.result)
    run.result.write_text(json.dumps({"recipe": {"max_steps": 9, "model": {"norm": "layernorm"}}}))
    with pytest.raises(
        ValueError, match=r"x\.json is of another recipe .* max_steps \(now 5\), model\.norm \(now left"
    ):
        check_recipe(run, run.result)


def test_the_time_left_is_reckoned_from_the_pace_since_the_start_alone(tmp_path, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: clock[0])
    runs = [make_run(tmp_path, name, num_train_epochs=2) for name in ("one", "two", "three")]
    log(runs[0], {"step": 5, "epoch": 1.0})  # before this command was started
    progress = Progress(runs)
    assert progress.spell_time() == "time left unknown yet"
    clock[0] += 60
    log(runs[0], {"step": 5, "epoch": 1.0 + 1e-12})
    assert progress.spell_time() == "time left unknown yet"
    log(runs[0], {"step": 8, "epoch": 1.5})
    # A quarter of a run in a minute, and two runs and a quarter to go.
    assert progress.spell_time() == "about 9 min left"
    progress.finish(runs[0])
    assert progress.spell() == "1 of 3 runs done, about 4 min left"


def test_durations_are_spelt_for_people():
    assert [spell_duration(seconds) for seconds in (12, 100, 3600, 7500)] == [
        "12 s",
        "2 min",
        "1 h 0 min",
        "2 h 5 min",
    ]


@pytest.mark.parametrize("stopped_at", [None, 400])
def test_memory_is_told_of_a_run_that_one_process_trained_alone(stopped_at, tmp_path, monkeypatch):
    if stopped_at:
        (tmp_path / "checkpoints" / f"step-{stopped_at}").mkdir(parents=True)
    monkeypatch.setattr(
        one_run, "pretrain", lambda arguments: (tmp_path / "checkpoints" / "step-510").mkdir(parents=True)
    )
    monkeypatch.setattr(one_run, "measure_run", lambda arguments: {})
    one_run.run_once(SimpleNamespace(output_dir=tmp_path))
    peak = json.loads((tmp_path / one_run.PEAK_FILE).read_text())["peak_memory_mib"]
    assert peak is None if stopped_at else peak > 0
