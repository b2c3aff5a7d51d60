"""The scripts as programs: `--help`, exit codes, and one line for bad input."""

import importlib.util
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from darija_gpt.recipe import load_recipe, parse_arguments


ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
# Where the first word names one of several stages.
STAGES = {"benchmark": ["all", "budget", "data", "gpu", "model", "pretrain", "state"]}
COMMANDS = [[script, *stage] for script in SCRIPTS for stage in ([[word] for word in STAGES.get(script, [])] or [[]])]
# The script that a recipe belongs to, where the file's name says more than that.
SCRIPT_OF = {
    "finetune_lora": "finetune",
    **{f"{stage}_corpus": stage for stage in ("prepare_data", "train_tokenizer", "pretrain", "evaluate", "publish")},
    "audit_corpus": "audit",
    **{f"{stage}_unscrubbed": stage for stage in ("prepare_data", "train_tokenizer", "pretrain", "audit")},
    **{f"train_tokenizer_corpus_{size}": "train_tokenizer" for size in (512, 2048, 4096)},
    "sweep": "ablate",
    "ensemble_ai_text": "evaluate_classifier",
    **dict.fromkeys(["gpt2_and_zephyr", "darija", "hellaswag_local", "own_task"], "evaluate_harness"),
    **dict.fromkeys(
        ["bert_darija_sentiment", "bert_imdb", "distilbert_spam", "roberta_ai_text", "deberta_ai_text"],
        "finetune_classifier",
    ),
    **dict.fromkeys(["flan_t5_dialogues", "mt5_headlines"], "finetune_seq2seq"),
    **dict.fromkeys(["gpt2_instructions", "qwen_questions", "gpt_neo_style", "llama2_guanaco"], "finetune"),
    **{f"{name}_dataset": "prepare_data" for name in ("instructions", "questions", "style", "guanaco")},
    **dict.fromkeys(["dpo_instructions", "dpo_lora"], "align"),
}
# Of what is compared with a base, tests/ablation takes care, and of lm-eval's tasks tests/evaluation/test_harness.py.
RECIPES = sorted(
    path
    for path in (ROOT / "recipes").rglob("*.yaml")
    if "ablations" not in path.parts and path.parent.name not in ("accelerate", "sweep", "tasks")
)


def run(script: str, *flags, cwd=ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / f"{script}.py", *map(str, flags)],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


@pytest.fixture
def run_here(tmp_path, monkeypatch, capsys):
    """Runs a script in this process, in an empty folder: there are many to run, and some take seconds to start."""

    def run_script(script: str, *flags) -> subprocess.CompletedProcess:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [f"{script}.py", *map(str, flags)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(ROOT / "scripts" / f"{script}.py"), run_name="__main__")
        return subprocess.CompletedProcess(script, stop.value.code, *capsys.readouterr())

    return run_script


def assert_refused(process, *words):
    """Exit code 2 and one line on stderr, the user's words in it and no traceback."""
    assert process.returncode == 2, process.stderr
    (line,) = process.stderr.splitlines()
    assert line.startswith("error: ") and all(word in line for word in words), line


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_the_command_and_the_flags(command):
    process = run(*command, "--help")
    assert process.returncode == 0 and not process.stderr
    assert f"scripts/{command[0]}.py" in process.stdout and "--config" in process.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_flag_is_refused(command, run_here):
    assert_refused(run_here(*command, "--outputdir", "x"), "unknown key outputdir")


@pytest.mark.parametrize("script", STAGES)
def test_a_script_of_several_stages_lists_them(script):
    process = run(script, "--help")
    assert process.returncode == 0 and all(stage in process.stdout for stage in STAGES[script])
    assert_refused(run(script, "modle"), "modle", *STAGES[script])


def test_a_program_that_refuses_ends_with_2_and_one_line(tmp_path):
    flags = ["--exports", "nowhere.txt", "--output_dir", "out"]
    assert_refused(run("prepare_data", *flags, cwd=tmp_path), "nowhere.txt")
    assert_refused(run("pretrain", "--outputdir", "x", cwd=tmp_path), "unknown key outputdir")
    assert not list(tmp_path.iterdir())


def test_what_is_to_be_installed_later_leaves_the_project_where_it_is():
    """Without --editable pip makes a copy, in which templates and licence are missing; without pins, it upgrades."""
    written = [
        f"{path.relative_to(ROOT)}: {extra}"
        for pattern in ("*.md", "recipes/**/*.md", "recipes/**/*.yaml", "darija_gpt/**/*.py", "darija_gpt/**/*.md")
        for path in ROOT.glob(pattern)
        for extra in re.findall(r".*pip install.*'\.\[\w+\]'", path.read_text(encoding="utf-8"))
    ]
    assert written
    assert not [line for line in written if not re.search(r"pip install -c constraints\.txt -e '\.\[\w+\]'$", line)]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recipe_is_refused_once_a_key_is_misspelt(recipe, tmp_path, run_here):
    script = SCRIPT_OF.get(recipe.stem, recipe.stem)
    assert script in SCRIPTS, f"{recipe} belongs to no script"
    content = load_recipe(recipe)
    misspelt = tmp_path / "recipe.yaml"
    misspelt.write_text(yaml.safe_dump({**content, "sed": 1}), encoding="utf-8")
    assert_refused(run_here(script, "--config", misspelt), "unknown key sed")


@pytest.mark.parametrize(
    ("script", "flags", "words"),
    [
        ("prepare_data", ["--exports", "nowhere.txt", "--output_dir", "out"], ["nowhere.txt"]),
        ("prepare_data", ["--exports", "empty.txt", "--output_dir", "out"], ["empty.txt", "empty"]),
        ("prepare_data", ["--exports", "letter.txt", "--output_dir", "out"], ["letter.txt"]),
        ("prepare_data", ["--exports", "letter.txt", "--output_dir", "out", "--seed", "x"], ["seed='x'"]),
        ("train_tokenizer", ["--dataset", ".", "--output_dir", "out"], ["no dataset directory"]),
        ("pretrain", ["--dataset", ".", "--tokenizer", ".", "--output_dir", "out"], ["tokenizer.json"]),
        ("finetune", ["--model", ".", "--dataset", ".", "--output_dir", "out"], ["dataset"]),
        (
            "finetune",
            ["--model", ".", "--dataset", ".", "--output_dir", "out", "--quantization", "4bit"],
            ["quantization is for an adapter", "give lora"],
        ),
        (
            "finetune",
            ["--model", ".", "--dataset", ".", "--output_dir", "out", "--push_to_hub"],
            ["push_to_hub is not followed here", "publish.py"],
        ),
        (
            "finetune_classifier",
            ["--model", ".", "--train.path", "nowhere.csv", "--output_dir", "out"],
            ["nowhere.csv", "no such file"],
        ),
        (
            "finetune_classifier",
            ["--model", ".", "--train.path", "reviews.csv", "--output_dir", "out"],
            ["only one class"],
        ),
        (
            "finetune_classifier",
            ["--model", ".", "--train.path", "reviews.csv", "--train.label_column", "stars", "--output_dir", "out"],
            ["label_column=stars is not among"],
        ),
        (
            "evaluate_classifier",
            ["--models", ".", "--data.path", "reviews.csv", "--output_dir", "out"],
            ["config.json"],
        ),
        (
            "finetune_seq2seq",
            ["--model", ".", "--train.path", "nowhere.csv", "--output_dir", "out"],
            ["nowhere.csv", "no such file"],
        ),
        (
            "finetune_seq2seq",
            ["--model", ".", "--train.path", "reviews.csv", "--output_dir", "out"],
            ["target_column=summary is not among"],
        ),
        (
            "finetune_seq2seq",
            ["--model", ".", "--train.path", "reviews.csv", "--train.target_column", "label", "--output_dir", "out"],
            ["config.json"],
        ),
        ("align", ["--model", ".", "--train.path", "nowhere.json", "--output_dir", "out"], ["nowhere.json"]),
        ("align", ["--model", ".", "--train.path", "reviews.csv", "--output_dir", "out"], ["chosen_column=chosen"]),
        ("align", ["--model", ".", "--train.path", "alike.jsonl", "--output_dir", "out"], ["1 both replies alike"]),
        ("align", ["--model", ".", "--train.path", "pairs.jsonl", "--output_dir", "out"], ["config.json"]),
        ("evaluate", ["--model", ".", "--dataset", ".", "--output_dir", "out"], []),
        ("audit", ["--model", ".", "--dataset", ".", "--output_dir", "out"], ["no dataset directory"]),
        ("evaluate_harness", ["--models", ".", "--tasks", "nowhere.jsonl", "--output_dir", "out"], ["nowhere.jsonl"]),
        ("evaluate_harness", ["--models", ".", "--tasks", "letter.yaml", "--output_dir", "out"], ["letter.yaml"]),
        ("plot", ["--model", ".", "--output_dir", "out"], ["config.json"]),
        ("plot", ["--model", ".", "--output_dir", "out", "--projection", "umap"], ["projection='umap'", "tsne"]),
        ("publish", ["--model", ".", "--evaluation", ".", "--model_name", "x"], ["config.json"]),
        ("chat", ["--model", ".", "--prompt", "salam"], ["config.json"]),
        ("chat", ["--model", "adapter", "--prompt", "salam"], ["adapter", "nowhere/base", "name the base as base"]),
        ("chat", ["--model", ".", "--num_beams", "0"], ["num_beams=0"]),
        ("demo", ["--model", "."], ["config.json"]),
        ("demo", ["--model", ".", "--task", "translation"], ["task='translation'", "'chat'"]),
        ("demo", ["--model", ".", "--task", "chat", "--space_dir", "out"], ["--repo_id"]),
        ("convert", ["--model", ".", "--output_dir", "out"], ["config.json"]),
        ("convert", ["--model", ".", "--output_dir", "out", "--to", "mistral"], ["to='mistral'", "llama"]),
        ("benchmark", ["state", "--num_new_tokens", "1", "--readme", "letter.txt"], ["letter.txt", "state:begin"]),
        ("benchmark", ["data", "--readme", "letter.txt"], ["letter.txt", "data:begin"]),
        ("benchmark", ["data", "--rounds", "0"], ["rounds"]),
        ("benchmark", ["pretrain", "--steps", "0"], ["steps"]),
        ("benchmark", ["pretrain", "--readme", "letter.txt"], ["letter.txt", "pretrain:begin"]),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(tmp_path, run_here, script, flags, words):
    (tmp_path / "empty.txt").touch()
    (tmp_path / "letter.txt").write_text("Dear all,\nthis is no chat.\n")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text('{"base_model_name_or_path": "nowhere/base"}')
    (tmp_path / "reviews.csv").write_text("text,label\nzwin,good\nzwin bzaf,good\n")
    (tmp_path / "alike.jsonl").write_text('{"prompt": "labas?", "chosen": "labas", "rejected": "labas"}\n')
    prompts = ("labas?", "fin?")
    pairs = [json.dumps({"prompt": prompt, "chosen": "labas", "rejected": "walo"}) for prompt in prompts]
    (tmp_path / "pairs.jsonl").write_text("\n".join(pairs))
    before = sorted(path.name for path in tmp_path.iterdir())
    assert_refused(run_here(script, *flags), *words)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("script", ["prepare_data", "train_tokenizer"])
def test_an_output_directory_with_another_run_is_refused(tmp_path, run_here, script):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "theirs").touch()
    inputs = {"prepare_data": "--exports", "train_tokenizer": "--dataset"}
    assert_refused(run_here(script, inputs[script], ".", "--output_dir", "out"), "out already holds another run")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["theirs"]


def find_commands() -> list[str]:
    """Every command that calls a script, in the Markdown files and the Makefile."""
    commands = []
    for path in [
        *ROOT.glob("*.md"),
        *(ROOT / "recipes").rglob("*.md"),
        ROOT / "Makefile",
        *(ROOT / "scripts").glob("*.py"),
    ]:
        for line in path.read_text(encoding="utf-8").replace("$(RECIPES)", "recipes/quickstart").splitlines():
            if "scripts/" in line and line.strip().startswith(("python ", "accelerate ", ".venv/bin/", "$(BIN)/")):
                commands.append(line.strip())
    return sorted(set(commands))


@pytest.mark.parametrize("command", find_commands())
def test_a_command_in_the_documentation_has_a_recipe_and_flags_that_exist(command):
    launcher, script, flags = re.fullmatch(r"(.*?)scripts/(\w+)\.py(.*)", command).groups()
    for file in re.findall(r"--config_file (\S+)", launcher):
        assert (ROOT / file).is_file()
    flags = shlex.split(flags)
    spec = importlib.util.spec_from_file_location(script, ROOT / "scripts" / f"{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    classes = {name: value for name, value in vars(module).items() if name.endswith("Arguments")}
    if script in STAGES:
        stage = flags.pop(0)
        assert stage in STAGES[script]
        classes = {name: value for name, value in classes.items() if name.lower().startswith(stage)}
    (arguments_class,) = classes.values()
    arguments = parse_arguments(arguments_class, [str(ROOT / flag) if ".yaml" in flag else flag for flag in flags])
    assert isinstance(arguments, arguments_class)
