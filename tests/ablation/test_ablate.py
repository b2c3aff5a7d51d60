"""An ablation from recipes to a table, on a tiny model."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from darija_gpt.ablation.ablate import AblateArguments, ablate


ROOT = Path(__file__).resolve().parents[2]
MODEL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


@pytest.fixture
def recipe(darija, tmp_path) -> Path:
    """A recipe of ablate.py: a base, one change that alters the parameters, one that does not."""
    rows = (json.dumps({"text": f"{text} {number}"}) for number, text in enumerate(darija * 20))
    (tmp_path / "texts.jsonl").write_text("\n".join(rows))
    texts = {
        "prepare": {
            "sources": [{"path": str(tmp_path / "texts.jsonl")}],
            "output_dir": "dataset",
            "deduplicate": False,
        },
        "tokenize": {"dataset": "dataset", "output_dir": "tokenizer", "vocab_size": 400},
        "base": {
            "dataset": "dataset",
            "dataset_recipe": "prepare.yaml",
            "tokenizer": "tokenizer",
            "tokenizer_recipe": "tokenize.yaml",
            "output_dir": "base",
            "model": {**MODEL, "max_position_embeddings": 32},
            "max_steps": 6,
            "eval_steps": 3,
        },
        "gated_mlp_false": {"extends": "base.yaml", "model": {"gated_mlp": False}},
        "learning_rate_1e-2": {"extends": "base.yaml", "learning_rate": 1e-2},
        "ablate": {
            "base": "base.yaml",
            "recipes": ["gated_*.yaml", "learning_*.yaml"],
            "seeds": {"base": [0, 1]},
            "output_dir": "runs",
            "results": "results",
            "readme": "README.md",
            "section": "changes",
        },
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(text), encoding="utf-8")
    (tmp_path / "README.md").write_text("# Changes\n\n<!-- changes:begin -->\n<!-- changes:end -->\n")
    return tmp_path / "ablate.yaml"


def run(recipe: Path, *flags: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "ablate.py", "--config", recipe.name, *flags],
        cwd=recipe.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def test_recipes_are_run_once_and_compared(recipe):
    process = run(recipe, "--num_processes", "2")
    assert process.returncode == 0, process.stderr
    directory = recipe.parent
    results = {path.stem: json.loads(path.read_text()) for path in sorted((directory / "results").iterdir())}
    assert list(results) == ["base_seed0", "base_seed1", "gated_mlp_false_seed0", "learning_rate_1e-2_seed0"]
    numbers = [result["parameters"] for result in results.values()]
    assert max(numbers) - min(numbers) <= 0.02 * numbers[0]
    assert results["gated_mlp_false_seed0"]["intermediate_size"] == 96
    assert len({result["tokens"] for result in results.values()}) == 1
    assert results["base_seed0"]["bits_per_byte"] != results["base_seed1"]["bits_per_byte"]
    assert [tokens for tokens, _ in results["base_seed0"]["curve"]] == [3 * 256, 6 * 256]
    table = (directory / "README.md").read_text()
    assert "| gated_mlp_false " in table and "`learning_rate` 0.01" in table and "4 runs" in process.stdout
    times = [path.stat().st_mtime_ns for path in sorted((directory / "results").iterdir())]
    assert "4 of 4 runs done, about 0 s left" in process.stdout
    again = run(recipe, "--measure", "speed", "--speed_rounds", "1", "--plots", "plots")
    assert again.returncode == 0 and "4 of them done" in again.stdout, again.stderr
    assert "Cache, bytes per token" in again.stdout
    assert {path.name for path in (directory / "plots").glob("*.png")} == {
        "changes.png",
        "changes_curves.png",
        "changes_speed.png",
    }
    speeds = {path.stem for path in (directory / "results").glob("*_speed.json")}
    assert speeds == {f"{name}_beside_base_speed" for name in ("base", "gated_mlp_false", "learning_rate_1e-2")}
    assert times == [path.stat().st_mtime_ns for path in sorted((directory / "results").glob("*_seed*.json"))]


@pytest.mark.slow
def test_a_run_that_fails_is_named_and_the_others_are_done(recipe):
    broken = recipe.parent / "learning_rate_1e-2.yaml"
    broken.write_text("extends: base.yaml\nlearning_rate: 1.0e+30\nspike_threshold: null\n")
    process = run(recipe)
    assert process.returncode == 2 and "Traceback" not in process.stderr
    assert "1 of 4 runs failed: learning_rate_1e-2, seed 0" in process.stderr.splitlines()[-1]
    assert len(list((recipe.parent / "results").iterdir())) == 3


@pytest.mark.slow
def test_a_stopped_ablation_goes_on_where_it_was(recipe):
    directory = recipe.parent
    command = [sys.executable, ROOT / "scripts" / "ablate.py", "--config", recipe.name, "--common.max_steps", "3000"]
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    log = directory / "runs" / "base" / "seed_0" / "training_log.jsonl"
    while not (log.exists() and len(log.read_text().splitlines()) > 20):
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 143
    (checkpoint,) = [path.name for path in (log.parent / "checkpoints").iterdir() if path.name.startswith("step-")]
    steps = int(checkpoint.removeprefix("step-"))
    assert 0 < steps < 3000
    text = (log.parent.parent / "seed_0.log").read_text()
    assert f"stopped after step {steps}" in text


def test_what_cannot_be_run_is_refused_before_anything_is(recipe, monkeypatch):
    directory = recipe.parent
    monkeypatch.chdir(directory)
    fields = {"base": Path("base.yaml"), "recipes": ["gated_*.yaml"], "output_dir": Path("o"), "results": Path("r")}
    with pytest.raises(ValueError, match="needs one line <!-- other:begin -->"):
        ablate(AblateArguments(**fields, readme=Path("README.md"), section="other"))
    with pytest.raises(ValueError, match="unknown key norm_positon; did you mean norm_position"):
        ablate(AblateArguments(**fields, common={"model": {"norm_positon": "pre"}}))
    with pytest.raises(ValueError, match="num_processes=0"):
        AblateArguments(**fields, num_processes=0)
    with pytest.raises(ValueError, match=r"no run of the base base\.yaml is done"):
        ablate(AblateArguments(**fields, report_only=True))
    assert not Path("o").exists() and not Path("r").exists()
