"""Benchmarks: what they count against arithmetic, and the tables in recipes/README.md against their files."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from darija_gpt.benchmark import data, model, state
from darija_gpt.benchmark.parsers import PARSERS
from darija_gpt.benchmark.variants import BASE, VARIANTS
from darija_gpt.data.privacy import find_pii
from darija_gpt.data.whatsapp import parse_export
from darija_gpt.output import mark_section


ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "recipes" / "README.md"
TINY = {
    "vocab_size": 8192,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
}
FLOAT_BYTES = 4


@pytest.mark.parametrize(
    ("fields", "bytes_per_token", "largest_state"),
    [
        ({}, 2 * 2 * 32 * FLOAT_BYTES, 61 * 2 * 2 * 32 * FLOAT_BYTES),
        ({"num_key_value_heads": 1}, 2 * 2 * 8 * FLOAT_BYTES, 61 * 2 * 2 * 8 * FLOAT_BYTES),
        # The window's last token is the query's own, so one less is kept.
        ({"attention": "sliding", "sliding_window": 16}, 512, 15 * 512),
        ({"attention": "latent", "kv_lora_rank": 20, "qk_rope_head_dim": 6}, 2 * 26 * FLOAT_BYTES, 61 * 208),
        # A matrix for each head, with one column more for the sum of the weights.
        ({"attention": "linear"}, 0, 2 * 4 * 8 * 9 * FLOAT_BYTES),
        ({"attention": ["linear", "full"]}, 256, 61 * 256 + 4 * 8 * 9 * FLOAT_BYTES),
        ({"attention": "bigbird"}, 512, 61 * 512),
    ],
)
def test_the_state_is_what_the_architecture_says(fields, bytes_per_token, largest_state):
    measured = state.measure_state({**TINY, **fields}, num_new_tokens=60)
    assert measured["cache_bytes_per_token"] == bytes_per_token
    assert measured["largest_state_bytes"] == largest_state


def read_section(name: str) -> str:
    first, last = mark_section(name)
    return README.read_text(encoding="utf-8").partition(first)[2].partition(last)[0].strip()


def read_report(name: str) -> dict:
    return json.loads((README.parent / "results" / f"{name}.json").read_text(encoding="utf-8"))


def test_the_table_of_states_is_that_of_its_file():
    report = read_report("state")
    assert report["base"] == BASE and list(report["results"]) == list(VARIANTS)
    assert read_section("state") == state.render_results(report["results"], report["num_new_tokens"])
    latent = report["results"]["latent (MLA)"]
    # kv_lora_rank is 4 and qk_rope_head_dim half a head's width of 32.
    assert latent["cache_bytes_per_token"] == BASE["num_hidden_layers"] * (4 * 32 + 16) * FLOAT_BYTES


def test_the_table_of_speeds_is_that_of_its_file():
    report = read_report("model")
    assert report["base"] == BASE and list(report["results"])[2:] == list(VARIANTS)
    assert read_section("model") == model.render_results(report["results"])


def test_everything_compared_runs_in_turns_after_a_round_that_does_not_count():
    order = []
    seconds = model.time_in_turns({name: lambda name=name: order.append(name) for name in "ab"}, rounds=3)
    assert "".join(order) == "abababab"
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}


def test_a_ratio_is_that_of_the_fastest_rounds_and_the_median_over_all():
    ratio = model.compute_speed_ratio({"a": [1.0, 2.0, 4.0], "b": [2.0, 2.0, 2.0]}, "a", "b")
    assert ratio == {"fastest": 2.0, "median": 1.0}


def test_the_benchmarks_write_their_table_and_where_it_comes_from(tmp_path, monkeypatch, capsys):
    few = {"default": {}, "linear": {"attention": "linear"}, "ALiBi": {"position_embedding": "alibi"}}
    for module in (model, state):
        monkeypatch.setattr(module, "BASE", TINY)
        monkeypatch.setattr(module, "VARIANTS", few)
    readme = tmp_path / "README.md"
    marks = [mark for name in ("state", "model") for mark in mark_section(name)]
    readme.write_text("\n".join(["# Title", *marks, "The end."]))
    state.benchmark_state(state.StateArguments(num_new_tokens=3, readme=readme))
    model.benchmark_model(model.ModelArguments(rounds=1, batch_size=1, length=8, num_new_tokens=2, readme=readme))
    text = readme.read_text()
    assert text.startswith("# Title") and text.endswith("The end.")
    assert text.count("| ALiBi") == 3 and "| LlamaForCausalLM" in text
    report = json.loads((tmp_path / "results" / "model.json").read_text())
    assert set(report["results"]["linear"]["sdpa"]["train"]) == {"tokens_per_second", "ratio"}
    assert report["machine"]["num_threads"] >= 1
    assert "| ALiBi" in capsys.readouterr().out


def test_a_readme_without_the_marks_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(state, "VARIANTS", {"default": {}})
    monkeypatch.setattr(state, "BASE", TINY)
    readme = tmp_path / "README.md"
    readme.write_text("nothing")
    with pytest.raises(ValueError, match="needs one line"):
        state.benchmark_state(state.StateArguments(num_new_tokens=1, readme=readme))
    assert readme.read_text() == "nothing" and [path.name for path in tmp_path.iterdir()] == ["README.md"]


# Packages that are asked as the peers are, and count headers.
STAND_INS = {
    "whatstk": """
def df_from_whatsapp(path):
    return [line for line in open(path, encoding="utf-8") if {header!r} in line]
""",
    "chatminer/chatparsers": """
import sys

class WhatsAppParser:
    def __init__(self, path):
        self.path, self.parsed_messages = path, self

    def parse_file(self):
        print("100%", file=sys.stderr)
        self.lines = [line for line in open(self.path, encoding="utf-8") if {header!r} in line]

    def get_df(self):
        return self.lines
""",
}
FEW = {"rounds": 2, "num_messages": 60, "memory_messages": [30, 300], "num_scrubbed_messages": 50}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Makes the stand-ins the only peers there are; all of them, or those named."""

    def install_peers(*names: str, header: str = "/2022, ") -> None:
        monkeypatch.setattr(
            data, "find_version", {"whatstk": "9.1", "chat-miner": "9.2"}.get if names else lambda _: None
        )
        for name in names:
            path = tmp_path / "peers" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()  # else an installed package of this name comes first
            path.write_text(STAND_INS[name].format(header=header))
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'peers'}{os.pathsep}{ROOT}")

    return install_peers


@pytest.fixture
def readme(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("\n".join(["# Title", *mark_section("data"), "The end."]))
    return path


@pytest.mark.parametrize("export", data.EXPORTS)
def test_an_export_to_measure_on_holds_the_messages_that_it_should(export, tmp_path):
    path = tmp_path / "chat.txt"
    num_bytes = data.write_export(path, data.EXPORTS[export], 500)
    messages = list(parse_export(path))
    assert num_bytes == len(path.read_bytes())
    assert len(messages) == 500 and {message.author for message in messages} == {data.OWNER, *data.PARTNERS}


@pytest.mark.parametrize("private", data.PRIVATE)
def test_all_that_is_scrubbed_to_measure_is_found(private):
    assert find_pii(f"salam {private.replace('#', '3')}")


def test_private_data_is_in_the_share_of_messages_that_it_should_be_in_and_new_each_round():
    plain, first, second = (data.draw_private_texts(share, 500, seed) for share, seed in ((0, 1), (1.0, 1), (1.0, 2)))
    assert all(text.startswith(before) and text != before for before, text in zip(plain, first, strict=True))
    assert not {text.split()[-1] for text in first if text[-6:].isdigit()} & {text.split()[-1] for text in second}
    share = data.measure_scrubbing(0.5, (), num_messages=400, rounds=2)["share_changed"]
    assert 0.4 < share < 0.6


def test_the_ratio_of_a_round_is_that_to_its_faster_peer():
    assert data.compute_ratios([1.0, 2.0], [[3.0, 8.0], [4.0, 6.0]]) == [3.0, 3.0]


def test_parsers_are_compared_in_turns_with_the_peers_that_are_there(install, readme, capsys):
    install("whatstk", "chatminer/chatparsers")
    data.benchmark_data(data.DataArguments(**FEW, readme=readme))
    report = json.loads((readme.parent / "results" / "data.json").read_text())
    for results in report["parsing"].values():
        assert list(results) == list(PARSERS)
        assert all(len(result["seconds"]) == 2 and result["num_messages"] == 60 for result in results.values())
        assert all(result["peak_bytes"] >= result["imported_bytes"] > 0 for result in results.values())
    assert [result["num_messages"] for result in report["memory"]] == [30, 300]
    text = readme.read_text()
    assert text.startswith("# Title") and text.endswith("The end.")
    assert "whatstk (9.1)" in text and "chat-miner (9.2)" in text and "not installed" not in text
    assert capsys.readouterr().out.startswith(data.render_results(report))


def test_a_peer_that_is_not_installed_is_said_in_words(install, readme):
    install()
    data.benchmark_data(data.DataArguments(**FEW, readme=readme))
    text = readme.read_text()
    for peer in data.PEERS:
        assert text.count(f"{peer}: not installed, pip install -c constraints.txt -e '.[bench]' brings it") == len(
            data.EXPORTS
        )


def test_parsers_that_find_other_messages_are_not_compared(install):
    install("whatstk", "chatminer/chatparsers", header="7/01/2022, ")
    with pytest.raises(ValueError, match="same number of messages"):
        data.benchmark_data(data.DataArguments(**FEW))


def test_a_parser_that_stops_is_named(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear all,")
    with pytest.raises(ValueError, match=r"one by one stopped on letter\.txt: .*no line begins like a message"):
        data.measure_parser(data.OURS, tmp_path / "letter.txt")


def test_the_tables_of_reading_chats_are_those_of_their_file():
    report = read_report("data")
    assert read_section("data") == data.render_results(report)
    assert all(report["versions"][peer] for peer in data.PEERS)
    assert report["arguments"] == json.loads(
        json.dumps(asdict(data.DataArguments(rounds=report["arguments"]["rounds"])))
    )
