"""The table of ratios: that all contestants do the same work, and what is made of their times."""

import json
import math
import os
import sys
from pathlib import Path

import pytest
import torch

from darija_gpt.benchmark import ratios
from darija_gpt.benchmark.contest_checkpoints import CHECKPOINTS
from darija_gpt.benchmark.contest_models import PLAYERS, prepare_generation, prepare_training
from darija_gpt.benchmark.contest_tokenizers import ENCODINGS, TRAININGS, learn_merges, train_raw
from darija_gpt.benchmark.contests import CONTESTS, OURS, ContestSetup
from darija_gpt.output import mark_section
from darija_gpt.tokenizer import PRE_TOKENIZATION, save_tokenizer


MODULES = {"x_transformers": "x_transformers", "litgpt": "litgpt"}
HOMES = {
    "darija_gpt": (sys.executable, "0.1"),
    "tokenizers": (sys.executable, "9.1"),
    "regex": (sys.executable, "9.2"),
}


@pytest.fixture
def setup(tmp_path, darija, tokenizer) -> ContestSetup:
    save_tokenizer(tokenizer, tmp_path / "tokenizer")
    (tmp_path / "texts.json").write_text(json.dumps(darija))
    made = ContestSetup(
        directory=str(tmp_path),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        vocab_size=300,
        block_size=32,
        batch_size=2,
        num_new_tokens=9,
        num_merges=60,
        text_bytes=sum(len(text.encode()) for text in darija),
        num_threads=1,
        mixed_precision="no",
        turn_seconds=0.01,
    )
    made.save(tmp_path / "setup.json")
    return made


@pytest.fixture(params=PLAYERS)
def player(request):
    if request.param in MODULES:
        pytest.importorskip(MODULES[request.param], reason="a peer that is not installed")
    return request.param


def test_bpe_in_plain_python_learns_the_merges_of_the_library(darija):
    learnt = learn_merges(darija, PRE_TOKENIZATION, 80)
    raw = json.loads(train_raw(darija, 80).to_str())["model"]["merges"]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}
    assert len(learnt) == 80
    assert learnt == [tuple(bytes(map(byte_of.get, piece)) for piece in pair) for pair in raw]


def test_all_tokenizers_encode_into_the_same_pieces(setup, darija):
    ours, raw, plain = (ENCODINGS[name](setup, darija)() for name in ("ours", "raw", "plain"))
    assert ours == raw
    assert [len(ids) for ids in ours] == [len(pieces) for pieces in plain]
    assert [b"".join(pieces).decode() for pieces in plain] == darija


def test_all_tokenizers_learn_as_many_merges(setup, darija):
    ours, raw, plain = (TRAININGS[name](setup, darija)() for name in ("ours", "raw", "plain"))
    num_merges = [len(json.loads(text)["model"]["merges"]) for text in (ours.backend_tokenizer.to_str(), raw.to_str())]
    assert num_merges == [60, 60] and len(plain) == 60


def test_all_models_begin_where_every_token_is_about_as_likely_and_learn(setup, player):
    step, facts = prepare_training(setup, player)
    assert facts["first_loss"] == pytest.approx(math.log(300), rel=0.15)
    for _ in range(20):
        loss = step()
    assert loss < facts["first_loss"]


def test_all_models_are_of_one_size(setup, player):
    _, ours = prepare_generation(setup, "ours")
    _, theirs = prepare_generation(setup, player)
    own = 32 * 32 if player == "gpt2" else 0  # learnt positions, and biases
    assert theirs["parameters"] - own == pytest.approx(ours["parameters"], rel=0.03)


def test_all_models_generate_as_many_tokens_and_the_same_each_time(setup, player):
    generate, facts = prepare_generation(setup, player)
    assert facts["tokens"] == 9
    assert torch.equal(generate(), generate())


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_is_written_where_it_is_read_from_and_old_ones_go(setup, name, tmp_path):
    directory = tmp_path / "run"
    save, resume = CHECKPOINTS[name](setup, directory)
    for _ in range(4):
        save()
    assert len([path for path in directory.iterdir() if path.is_dir()]) == 2
    resume()


def test_contestants_take_turns_in_processes_of_their_own_and_absent_ones_are_named(setup, tmp_path):
    results = ratios.hold_contest("encode", HOMES, tmp_path, rounds=2)
    assert [len(result["seconds"]) for result in results.values()] == [2, 2, 2]
    assert len({result["tokens"] for result in results.values()}) == 1
    homes = {name: home for name, home in HOMES.items() if name != "regex"}
    results = ratios.hold_contest("train_tokenizer", homes, tmp_path, rounds=1)
    assert results["BPE in plain Python"] == {"stopped": "not installed"}
    rows = ratios.render_rows("train_tokenizer", results, {"text_bytes": setup.text_bytes})
    assert rows[1][2:] == ["BPE in plain Python: not installed", "–", "–"]


def test_a_peer_that_stops_is_named_with_its_last_words_and_ours_must_not(setup, tmp_path):
    (tmp_path / "texts.json").write_text("[1, 2]")
    with pytest.raises(ValueError, match="Encoding texts: ours stopped: "):
        ratios.hold_contest("encode", HOMES, tmp_path, rounds=1)
    results = {
        OURS: {"seconds": [1.0], "version": "0.1"},
        "tokenizers alone": {"stopped": "TypeError: no", "version": "9.1", "seconds": []},
    }
    ((_, speed, peer, *_),) = ratios.render_rows("encode", results, {"text_bytes": 2e6})
    assert (speed, peer) == ("2.00 MB/s", "tokenizers alone: TypeError: no")


def test_a_ratio_is_that_of_each_round_and_a_speed_that_of_the_median():
    assert ratios.compute_ratios([1.0, 2.0, 4.0], [2.0, 2.0, 2.0]) == [0.5, 1.0, 2.0]
    results = {
        OURS: {"seconds": [1.0, 2.0, 4.0], "version": "0.1"},
        "litgpt": {"seconds": [2.0, 2.0, 2.0], "distribution": "litgpt", "version": "9.3"},
    }
    (row,) = ratios.render_rows("train_step", results, {"batch_size": 4, "block_size": 200})
    assert row == ["A training step", "400 tokens/s", "litgpt (litgpt 9.3)", "400 tokens/s", "1.00 (0.50 to 2.00)"]


def test_a_peer_is_found_in_another_environment(tmp_path):
    (tmp_path / "site" / "litgpt-9.3.dist-info").mkdir(parents=True)
    (tmp_path / "site" / "litgpt-9.3.dist-info" / "METADATA").write_text("Name: litgpt\nVersion: 9.3\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path / "site"} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    homes = ratios.find_homes(["train_step"], python)
    assert homes["litgpt"][1] == "9.3" or homes["litgpt"][0] == sys.executable
    assert homes["transformers"][0] == sys.executable


def test_every_contest_is_one_of_ours_against_peers():
    for contest in CONTESTS.values():
        assert next(iter(contest.contestants)) == OURS and len(contest.contestants) > 1


@pytest.mark.parametrize(
    "wrong", [{"rounds": 0}, {"contests": ["trian"]}, {"block_size": 20}, {"peers_python": Path("nowhere/python")}]
)
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ratios.benchmark_all(ratios.AllArguments(**wrong))


def test_the_table_is_written_with_what_it_was_made_from(tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text("\n".join(["# Title", *mark_section("ratios"), "The end."]))
    results = tmp_path / "results" / "ratios.json"
    ratios.benchmark_all(
        ratios.AllArguments(
            rounds=1,
            turn_seconds=0.01,
            contests=["parse_ios", "encode"],
            num_messages=50,
            num_texts=100,
            num_merges=20,
            readme=readme,
            results=results,
        )
    )
    report = json.loads(results.read_text())
    assert list(report["results"]) == ["parse_ios", "encode"] and os.fspath(tmp_path) not in results.read_text()
    assert ratios.render_results(report) in readme.read_text()
    assert "| Encoding texts " in capsys.readouterr().out


def test_contests_that_are_not_held_again_stay_in_the_table(tmp_path):
    readme, results = tmp_path / "README.md", tmp_path / "ratios.json"
    readme.write_text("\n".join(mark_section("ratios")))
    small = {"rounds": 1, "turn_seconds": 0.01, "num_messages": 50, "num_texts": 100, "num_merges": 20}
    for contests in (["encode"], ["train_tokenizer"]):
        ratios.benchmark_all(ratios.AllArguments(**small, contests=contests, readme=readme, results=results))
    assert list(json.loads(results.read_text())["results"]) == ["train_tokenizer", "encode"]
    assert "| Encoding texts " in readme.read_text() and "| Training a tokenizer " in readme.read_text()
    held = readme.read_text()
    with pytest.raises(ValueError, match="the contests held before had another rounds; hold all of them"):
        ratios.benchmark_all(
            ratios.AllArguments(**{**small, "rounds": 2}, contests=["encode"], readme=readme, results=results)
        )
    report = json.loads(results.read_text())
    report["results"]["train_step"] = {"litgpt": {"seconds": [1.0]}}
    results.write_text(json.dumps(report))
    homes = ratios.find_homes(["train_step"], None)
    if "litgpt" not in homes:
        with pytest.raises(ValueError, match="a training step by litgpt, which is not installed here"):
            ratios.benchmark_all(ratios.AllArguments(**small, contests=["train_step"], readme=readme, results=results))
    assert readme.read_text() == held
