"""Recipes and command lines: what is accepted, what wins, and how errors read."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from darija_gpt.recipe import RecipeError, convert_value, parse_arguments, run_stage


@dataclass(frozen=True)
class Entry:
    path: str
    weight: float = 1.0

    def __post_init__(self):
        if self.weight <= 0:
            raise ValueError(f"weight={self.weight} must be positive.")


@dataclass
class StageArguments:
    output_dir: Path
    learning_rate: float = 1e-3
    steps: int | None = None
    norm: Literal["layernorm", "rmsnorm"] = "rmsnorm"
    push: bool = False
    names: list[str] = field(default_factory=list)
    model: dict[str, Any] = field(default_factory=dict)
    entries: list[Entry] | None = None
    entry: Entry | None = None


def write(tmp_path, text) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_recipe_fills_the_arguments_with_values_of_their_types(tmp_path):
    recipe = write(
        tmp_path,
        "output_dir: out\nlearning_rate: 3e-3\nsteps: 5\npush: true\nnames: [a, b]\n"
        "model: {eps: 1e-6, norm: layernorm}",
    )
    arguments = parse_arguments(StageArguments, ["--config", recipe])
    assert arguments == StageArguments(
        Path("out"), 3e-3, 5, "rmsnorm", True, ["a", "b"], {"eps": 1e-6, "norm": "layernorm"}
    )


def test_mappings_become_the_dataclasses_that_a_field_names(tmp_path):
    recipe = write(tmp_path, "output_dir: out\nentries: [{path: a}, {path: b, weight: 2}]\nentry: {path: c}")
    arguments = parse_arguments(StageArguments, ["--config", recipe, "--entry.weight", "3"])
    assert arguments.entries == [Entry("a"), Entry("b", 2.0)] and arguments.entry == Entry("c", 3.0)


@pytest.mark.parametrize(
    "words",
    [
        ["{path: a}", "{path: b, weight: 2}"],
        ["[{path: a}, {path: b, weight: 2}]"],
        ["[{path: a}]", "{path: b, weight: 2}"],
    ],
)
def test_mappings_stand_on_the_command_line_as_in_yaml(words):
    flags = ["--entries", *words, "--entry", "{path: c}", "--entry.weight", "3", "--model", "{eps: 1e-6}"]
    arguments = parse_arguments(StageArguments, ["--output_dir", "out", *flags])
    assert arguments.entries == [Entry("a"), Entry("b", 2.0)] and arguments.entry == Entry("c", 3.0)
    assert arguments.model == {"eps": 1e-6}


def test_a_mapping_may_take_over_another_by_a_merge_key(tmp_path):
    text = "output_dir: out\nmodel: {a: &a {x: 1, y: 2}, b: {c: &b {<<: *a, x: 3}}, d: {<<: *b}, e: {<<: [*b, *a]}}"
    model = parse_arguments(StageArguments, ["--config", write(tmp_path, text)]).model
    assert model["b"]["c"] == model["d"] == model["e"] == {"x": 3, "y": 2}


@pytest.mark.parametrize(("value", "where"), [("", "output_dir"), (["a", ""], r"output_dir\[1\]")])
def test_an_empty_path_is_refused(value, where):
    hint = list[Path] if isinstance(value, list) else Path | None
    with pytest.raises(RecipeError, match=f"{where} is empty, where a path was expected"):
        convert_value("output_dir", value, hint)


def test_null_on_the_command_line_is_none_where_a_field_takes_it(tmp_path):
    recipe = write(tmp_path, "output_dir: out\nsteps: 5")
    arguments = parse_arguments(StageArguments, ["--config", recipe, "--steps", "null", "--output_dir", "null"])
    assert arguments.steps is None and arguments.output_dir == Path("null")


def test_a_flag_may_have_hyphens_and_its_value_stays_as_it_is():
    flags = ["--output-dir", "my-runs", "--learning-rate=2e-3", "--names", "a-b", "--model.rope-type", "x-y"]
    arguments = parse_arguments(StageArguments, flags)
    assert (arguments.output_dir, arguments.learning_rate, arguments.names) == (Path("my-runs"), 2e-3, ["a-b"])
    assert arguments.model == {"rope-type": "x-y"}
    with pytest.raises(RecipeError, match="unknown key out-dir"):
        parse_arguments(StageArguments, ["--out-dir", "x"])


def test_the_command_line_wins_over_the_recipe_wherever_it_stands(tmp_path):
    recipe = write(tmp_path, "output_dir: out\nlearning_rate: 3e-3\nmodel: {hidden_size: 64, norm: layernorm}")
    flags = ["--learning_rate", "1e-4", "--model.norm", "rmsnorm", "--model.eps=1e-5", "--names", "x", "y", "--push"]
    before = parse_arguments(StageArguments, [*flags, "--config", recipe])
    after = parse_arguments(StageArguments, ["--config", recipe, *flags])
    assert before == after
    assert after.learning_rate == 1e-4 and after.push and after.names == ["x", "y"]
    assert after.model == {"hidden_size": 64, "norm": "rmsnorm", "eps": 1e-5}


@pytest.mark.parametrize(
    ("text", "flags", "expected"),
    [
        ("output_dir: o\nlerning_rate: 1", [], "unknown key lerning_rate; did you mean learning_rate?"),
        ("output_dir: o\nlearning_rate: fast", [], "learning_rate='fast': input should be a valid number"),
        ("output_dir: o\nnorm: batchnorm", [], "norm='batchnorm': input should be 'layernorm' or 'rmsnorm'"),
        ("output_dir: o\nsteps: [1]", [], "steps=[1]"),
        ("output_dir: o\nlearning_rate: true", [], "learning_rate=True: a number was expected."),
        ("output_dir: o\nsteps: no", [], "steps=False: a number was expected."),
        ("output_dir: o\nentries: [{path: a, weight: on}]", [], "entries[0].weight=True: a number was expected."),
        ("output_dir: o\nentry: {path: a, weight: true}", [], "entry.weight=True: a number was expected."),
        (
            "output_dir: o",
            ["--entry.weight", "true", "--entry.path", "a"],
            "entry.weight=True: a number was expected.",
        ),
        ("learning_rate: 1", [], "output_dir is missing"),
        ("output_dir: o\nentries: [{path: a, wieght: 2}]", [], "entries[0]: unknown key wieght; did you mean weight?"),
        ("output_dir: o\nentry: {path: a, colour: red}", [], "entry: unknown key colour; known are path, weight."),
        ("output_dir: o\nentries: [{path: a}, {weight: 2}]", [], "entries[1].path is missing"),
        ("output_dir: o\nentries: [{path: a, weight: heavy}]", [], "entries[0].weight='heavy': input should be"),
        ("output_dir: o\nentries: [{path: a, weight: 0}]", [], "entries[0]: weight=0.0 must be positive."),
        ("output_dir: o\nentries: [a]", [], "entries[0]='a': input should be a dictionary"),
        ("output_dir: o\nenv: {HF_ENDPOINT: http://elsewhere}", [], "env: is refused"),
        ("output_dir: o\noutput_dir: p", [], "output_dir stands twice"),
        ("- a list", [], "a recipe is a mapping"),
        ("a: [", [], "not YAML"),
        pytest.param("model: " + "[" * 3000, [], "not YAML", id="nested deeply"),
        ("output_dir: o\nmodel: {1: a, 1: b}", [], "1 stands twice"),
        ("output_dir: o", ["--model.norm", "["], "--model.norm: not YAML"),
        ("output_dir: o", ["--entry", "{path: a"], "--entry: not YAML"),
        ("output_dir: o", ["--entries", "a.jsonl"], "entries[0]='a.jsonl': input should be a dictionary"),
        ("output_dir: o", ["--entry", "{path: a, wieght: 2}"], "entry: unknown key wieght; did you mean weight?"),
        ("output_dir: o", ["--lerning_rate", "1"], "unknown key lerning_rate; did you mean learning_rate?"),
        ("output_dir: o", ["--moddel.norm", "x"], "unknown key moddel; did you mean model?"),
        ("output_dir: o", ["--model.norm"], "--model.norm needs a value"),
        ("output_dir: o", ["--learning_rate.peak", "1"], "learning_rate"),
        ("output_dir: o", ["stray"], "stray stands where no value was expected"),
    ],
)
def test_what_cannot_be_run_is_refused_in_the_users_words(tmp_path, text, flags, expected):
    with pytest.raises(RecipeError) as error:
        parse_arguments(StageArguments, ["--config", write(tmp_path, text), *flags])
    assert expected in str(error.value)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"nowhere\.yaml: no such recipe"):
        parse_arguments(StageArguments, ["--config", str(tmp_path / "nowhere.yaml")])


def test_what_is_there_and_no_recipe_is_named(tmp_path):
    with pytest.raises(RecipeError, match="is a directory; give the path of a YAML file"):
        parse_arguments(StageArguments, ["--config", str(tmp_path)])
    (tmp_path / "latin.yaml").write_bytes("output_dir: caf\xe9".encode("latin-1"))
    with pytest.raises(RecipeError, match=r"latin\.yaml is no UTF-8; save it in this encoding"):
        parse_arguments(StageArguments, ["--config", str(tmp_path / "latin.yaml")])
    with pytest.raises(RecipeError, match=r"latin\.yaml is no UTF-8"):
        parse_arguments(StageArguments, ["--config", write(tmp_path, "extends: latin.yaml")])


def test_bad_input_is_one_line_on_stderr_and_exit_code_2(capsys):
    def stage(arguments):
        raise ValueError("two\nlines")

    with pytest.raises(SystemExit) as stop:
        run_stage(stage, StageArguments, ["--output_dir", "out"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: two lines\n"


def test_an_error_moves_no_cursor(capsys):
    def stage(arguments):
        raise FileNotFoundError(2, "No such file", "\x1b[2J\udcff")

    with pytest.raises(SystemExit):
        run_stage(stage, StageArguments, ["--output_dir", "out"])
    assert capsys.readouterr().err == "error: \\x1b[2J\\udcff: No such file\n"


def test_a_defect_of_the_program_keeps_its_traceback():
    def stage(arguments):
        raise TypeError("a defect")

    with pytest.raises(TypeError):
        run_stage(stage, StageArguments, ["--output_dir", "out"])


def test_help_names_every_field(capsys):
    with pytest.raises(SystemExit) as stop:
        parse_arguments(StageArguments, ["--help"], description="What it does.")
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "(required)" in text.partition("--output_dir OUTPUT_DIR")[2]
    assert "(default: none)" in text and "(default: 0.001)" in text and "MISSING" not in text
    assert "What it does." in text and all(f"--{name}" in text for name in StageArguments.__dataclass_fields__)


def test_a_recipe_takes_over_what_it_does_not_change_from_the_one_it_extends(tmp_path):
    (tmp_path / "base.yaml").write_text("output_dir: out\nsteps: 5\nmodel: {norm: layernorm, hidden_size: 64}")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "middle.yaml").write_text("extends: ../base.yaml\nsteps: 6")
    recipe = write(tmp_path, "extends: more/middle.yaml\nlearning_rate: 3e-3\nmodel: {hidden_size: 32}")
    arguments = parse_arguments(StageArguments, ["--config", recipe, "--model.norm", "rmsnorm"])
    assert arguments == StageArguments(Path("out"), 3e-3, 6, model={"norm": "rmsnorm", "hidden_size": 32})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("extends: nowhere.yaml", r"recipe\.yaml extends .*nowhere\.yaml, which is no such recipe"),
        ("extends: recipe.yaml", r"recipe\.yaml extends itself"),
        ("extends: [a, b]", r"extends=\['a', 'b'\] must be the path"),
        ("extends: danger.yaml", r"danger\.yaml: env: is refused"),
    ],
)
def test_a_recipe_that_extends_nothing_good_is_refused(tmp_path, text, words):
    (tmp_path / "danger.yaml").write_text("env: {HF_ENDPOINT: x}")
    with pytest.raises(RecipeError, match=words):
        parse_arguments(StageArguments, ["--config", write(tmp_path, f"{text}\noutput_dir: out")])
