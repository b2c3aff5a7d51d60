"""The benchmark of pretraining: its loops, what it makes of their times, and the table in recipes/README.md."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from transformers import PreTrainedModel

from darija_gpt.benchmark import pretrain as benchmark
from darija_gpt.benchmark.training_loops import BARE, KEPT, LOOPS, MUON, OURS, LoopSetup, TurnTaker
from darija_gpt.output import mark_section


README = Path(__file__).resolve().parents[1] / "recipes" / "README.md"
TINY = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}


class Connection:
    """Gives turns of these numbers of steps, and then the end."""

    def __init__(self, *steps: int):
        self.steps, self.sent = [*steps, 0], []

    def send(self, measured):
        self.sent.append(measured)

    def recv(self) -> int:
        return self.steps.pop(0)


@pytest.fixture(scope="module")
def setup(tmp_path_factory) -> LoopSetup:
    arguments = benchmark.PretrainSpeedArguments(
        rounds=1, steps=2, batch_size=2, block_size=32, vocab_size=400, mixed_precision="bf16", num_messages=300
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "MODEL", TINY)
        return benchmark.write_inputs(arguments, tmp_path_factory.mktemp("inputs"))


def test_a_loop_is_measured_from_turn_to_turn_and_not_before_its_first_step():
    connection = Connection(2, 3)
    turns = TurnTaker(connection)
    answers = [turns.is_made() for _ in range(6)]
    assert answers == [False] * 5 + [True] and len(connection.sent) == 3
    assert all(measured["seconds"] >= 0 for measured in connection.sent)


def test_time_in_checkpoints_is_not_in_the_time_of_a_turn():
    connection = Connection(1)
    turns = TurnTaker(connection)
    turns.is_made()
    turns.progress["checkpoint_seconds"] += 1000.0
    turns.is_made()
    assert connection.sent[1]["checkpoint_seconds"] == 1000.0 and connection.sent[1]["seconds"] < 0


@pytest.mark.parametrize("name", [BARE, KEPT, OURS, MUON])
def test_every_loop_takes_its_turns_and_learns(name, setup, tmp_path, monkeypatch):
    losses = []
    call = PreTrainedModel.__call__

    def note(model, *args, **kwargs):
        outputs = call(model, *args, **kwargs)
        if getattr(outputs, "loss", None) is not None:
            losses.append(outputs.loss.item())
        return outputs

    monkeypatch.setattr(PreTrainedModel, "__call__", note)
    connection = Connection(2, 2)
    LOOPS[name].train(TurnTaker(connection), setup, tmp_path / "run", LOOPS[name].changes)
    assert len(connection.sent) == 3 and len(losses) == 5
    # All begin where every token is about as likely.
    assert losses[0] == pytest.approx(6.0, abs=0.2)


def test_both_kinds_of_rows_hold_all_that_was_said():
    rows = benchmark.draw_rows(100)
    assert {bool(row["messages"]) for row in rows} == {True, False}
    for row in rows:
        if row["messages"]:
            assert row["text"] == "\n".join(message["content"] for message in row["messages"])
    assert sum(row["text"].count("\n") + 1 for row in rows) >= 100


def test_shares_are_those_of_the_arithmetic():
    loops = {
        OURS: {"seconds": [1.0, 2.0, 3.0], "checkpoint_seconds": [5.0, 7.0, 6.0]},
        MUON: {"seconds": [1.25, 2.0, 4.0], "checkpoint_seconds": []},
    }
    shares = benchmark.compute_shares(loops, steps=4, save_steps=188)
    # 188 steps of half a second, and 6 seconds for the checkpoint.
    assert shares == pytest.approx({"muon_fastest": 0.2, "muon_median": 0.2, "checkpoint": 0.06})


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"mixed_precision": "fp16"}])
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        benchmark.PretrainSpeedArguments(**wrong)


@pytest.mark.slow
def test_loops_take_turns_in_processes_of_their_own(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "MODEL", TINY)
    monkeypatch.setattr(benchmark, "LOOPS", {name: LOOPS[name] for name in (BARE, OURS, MUON)})
    readme = tmp_path / "README.md"
    readme.write_text("\n".join(["# Title", *mark_section("pretrain"), "The end."]))
    benchmark.benchmark_pretrain(
        benchmark.PretrainSpeedArguments(
            rounds=2, steps=1, batch_size=2, block_size=32, vocab_size=400, num_messages=300, readme=readme
        )
    )
    report = json.loads((tmp_path / "results" / "pretrain.json").read_text())
    assert list(report["loops"]) == [BARE, OURS, MUON] and list(report["packing"]) == ["plain texts", "chats"]
    assert all(len(loop["seconds"]) == 2 for loop in report["loops"].values())
    assert report["loops"][OURS]["checkpoint_seconds"] and report["machine"]["cores"] >= 1
    assert benchmark.render_results(report) in readme.read_text()
    assert capsys.readouterr().out.startswith(benchmark.render_results(report))


@pytest.mark.slow
def test_a_loop_that_stops_is_named_with_its_last_word(setup, tmp_path):
    broken = LoopSetup(**{**asdict(setup), "tokenizer": tmp_path / "nowhere"})
    with pytest.raises(ValueError, match=r"bare loop stopped: ValueError: .*nowhere holds no tokenizer\.json"):
        benchmark.time_loops(broken, tmp_path, rounds=1, steps=1, num_threads=1)
