"""Tasks of lm-eval on tiny models, all of them local."""

import json
import math
import os
from pathlib import Path

import pytest
import torch
import yaml

from darija_gpt.conversion import export_model
from darija_gpt.evaluation.evaluate_harness import EvaluateHarnessArguments, evaluate_harness
from darija_gpt.evaluation.harness import load_tasks, run_harness


pytest.importorskip("lm_eval")

# Invented, in HellaSwag's format.
TASKS = [
    {
        "ind": number,
        "activity_label": "Cooking",
        "ctx_a": f"A woman puts {number} eggs on the table.",
        "ctx_b": "she",
        "endings": ["cooks them [title] slowly.", "sings.", f"counts to {number} and walks away.", "sleeps under it."],
        "label": number % 4,
    }
    for number in range(8)
]


@pytest.fixture(scope="module")
def jsonl(tmp_path_factory):
    path = tmp_path_factory.mktemp("tasks") / "kitchen.jsonl"
    path.write_text("".join(json.dumps(task) + "\n" for task in TASKS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def ours(tokenizer):
    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    torch.manual_seed(0)
    config = DarijaGPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.2,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return DarijaGPTForCausalLM(config).eval()


@torch.inference_mode()
def score_by_hand(model, tokenizer) -> tuple[float, float]:
    """Accuracy by the likelihood of an ending, and by that over its characters."""

    def read(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    num_right = [0, 0]
    for task in TASKS:
        context = f"{task['activity_label']}: {task['ctx_a']} {task['ctx_b'].capitalize()}"
        scores = []
        for ending in (ending.replace(" [title]", ". ").replace("  ", " ") for ending in task["endings"]):
            ids, num_context = read(f"{context} {ending}"), len(read(context))
            log_probabilities = model(torch.tensor([ids[:-1]])).logits[0].log_softmax(-1)
            total = sum(log_probabilities[place - 1, ids[place]].item() for place in range(num_context, len(ids)))
            scores.append((total, total / len(ending)))
        for kind in (0, 1):
            best = max(range(4), key=lambda choice: scores[choice][kind])
            num_right[kind] += best == task["label"]
    return num_right[0] / len(TASKS), num_right[1] / len(TASKS)


def test_hellaswag_in_a_file_is_scored_as_by_hand_and_equally_for_our_model_and_its_llama(ours, tokenizer, jsonl):
    tasks = load_tasks([str(jsonl)])
    measured = run_harness(ours, tokenizer, tasks)
    assert list(measured) == ["kitchen"] and measured["kitchen"]["examples"] == 8
    metrics = measured["kitchen"]["metrics"]
    accuracy, normalized = score_by_hand(ours, tokenizer)
    assert (metrics["acc"]["value"], metrics["acc_norm"]["value"]) == (accuracy, normalized)
    for metric in metrics.values():
        assert metric["chance"] == 0.25
        # Of a share of n examples: sqrt(p (1 - p) / (n - 1)).
        assert metric["stderr"] == pytest.approx(math.sqrt(metric["value"] * (1 - metric["value"]) / 7), abs=1e-5)
    assert run_harness(export_model(ours, "llama"), tokenizer, tasks) == measured
    assert run_harness(ours, tokenizer, tasks, limit=3)["kitchen"]["examples"] == 3


@pytest.fixture
def write_task(tmp_path):
    """Writes a task of multiple choice and its rows; gives the path of the YAML file."""

    def write(rows: list[dict], **changes) -> Path:
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        config = {
            "task": "own",
            "dataset_path": "json",
            "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
            "output_type": "multiple_choice",
            "test_split": "test",
            "doc_to_text": "{{question}}",
            "doc_to_target": "{{answer}}",
            "doc_to_choice": "choices",
            "metric_list": [{"metric": "acc"}],
        }
        (tmp_path / "own.yaml").write_text(yaml.safe_dump(config | changes))
        return tmp_path / "own.yaml"

    return write


ROWS = [{"question": f"chhal f {number}?", "choices": ["jouj", "tlata"], "answer": 0} for number in range(2)]


@pytest.mark.parametrize(
    "changes",
    [
        {"dataset_kwargs": 3},
        {"dataset_kwargs": {"data_files": 3}},
        {"dataset_path": None},
        {"doc_to_text": "{{walo}}"},
        {"doc_to_text": "{{question"},
        {"doc_to_choice": 3},
        {"doc_to_target": 9},
        {"metric_list": 3},
        {"test_split": "walo"},
        {"output_type": "walo"},
        {"walo": 1},
    ],
)
def test_a_task_that_cannot_be_loaded_is_refused_by_its_name(changes, write_task):
    with pytest.raises(ValueError, match=r"own\.yaml or its data cannot be loaded: \w+"):
        load_tasks([str(write_task(ROWS, **changes))])


def test_a_row_that_lacks_what_a_task_asks_for_is_told_of(ours, tokenizer, write_task):
    tasks = load_tasks([str(write_task([*ROWS, {"question": "chhal?", "answer": 0}]))])
    with pytest.raises(ValueError, match="cannot ask these tasks of this model: TypeError"):
        run_harness(ours, tokenizer, tasks)


def test_a_yaml_task_finds_its_file_beside_it_from_anywhere(ours, tokenizer, write_task, tmp_path, monkeypatch):
    write_task(
        [
            {"question": f"chhal f {number}?", "choices": ["jouj", "tlata"][: 1 + number % 2], "answer": 0}
            for number in range(4)
        ]
    )
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    measured = run_harness(ours, tokenizer, load_tasks([os.path.join("..", "own.yaml")]))["own"]
    # Half of the questions have one choice, half have two.
    assert measured["metrics"]["acc"]["chance"] == pytest.approx((2 * 1 + 2 / 2) / 4)


def test_texts_longer_than_the_model_reads_are_told_of_once(ours, tokenizer, jsonl, tmp_path, capsys):
    load = load_tasks([str(jsonl)])
    run_harness(ours, tokenizer, load)
    assert "warning" not in capsys.readouterr().err
    (tmp_path / "long.jsonl").write_text(json.dumps({**TASKS[0], "ctx_a": "salam " * 400}) + "\n")
    run_harness(ours, tokenizer, load_tasks([str(tmp_path / "long.jsonl")]))
    assert capsys.readouterr().err.count("warning: 4 texts were longer than the 256 tokens") == 1


def test_a_task_that_asks_for_more_than_the_model_reads_is_refused_in_words(ours, tokenizer, tmp_path):
    (tmp_path / "rows.jsonl").write_text((json.dumps({"question": "salam", "answer": "labas"}) + "\n") * 3)
    config = {
        "task": "long_answer",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
        "output_type": "generate_until",
        "generation_kwargs": {"until": ["\n"], "max_gen_toks": 256},
        "test_split": "test",
        "doc_to_text": "{{question}}",
        "doc_to_target": "{{answer}}",
        "metric_list": [{"metric": "exact_match"}],
    }
    (tmp_path / "long_answer.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(ValueError, match=r"cannot ask these tasks of this model: .*256"):
        run_harness(ours, tokenizer, load_tasks([str(tmp_path / "long_answer.yaml")]))
    config["generation_kwargs"]["max_gen_toks"] = 8
    (tmp_path / "long_answer.yaml").write_text(yaml.safe_dump(config))
    measured = run_harness(ours, tokenizer, load_tasks([str(tmp_path / "long_answer.yaml")]))["long_answer"]
    assert measured["metrics"]["exact_match"] == {"value": 0.0, "stderr": 0.0, "chance": None}


def test_our_own_task_of_darija_has_four_replies_to_each_question_and_one_that_is_right(ours, tokenizer):
    path = Path(__file__).resolve().parents[2] / "recipes" / "harness" / "tasks" / "darija_replies.yaml"
    rows = [json.loads(line) for line in path.with_suffix(".jsonl").read_text("utf-8").splitlines()]
    assert all(len(set(row["replies"])) == 4 and row["label"] in range(4) for row in rows)
    # No place gives the answer away.
    assert [sum(row["label"] == place for row in rows) for place in range(4)] == [6] * 4
    measured = run_harness(ours, tokenizer, load_tasks([str(path)]))["darija_replies"]
    assert measured["examples"] == len(rows) == 24 and measured["metrics"]["acc"]["chance"] == 0.25


def test_the_stage_compares_models_and_writes_one_file(ours, tokenizer, jsonl, tmp_path, capsys):
    for name, model in (("ours", ours), ("llama", export_model(ours, "llama"))):
        model.save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
    evaluate_harness(
        EvaluateHarnessArguments(
            models=[str(tmp_path / "ours"), str(tmp_path / "llama")], tasks=[str(jsonl)], output_dir=tmp_path / "out"
        )
    )
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert list(metrics["models"]) == ["ours", "llama"]
    assert metrics["models"]["ours"]["harness"] == metrics["models"]["llama"]["harness"]
    assert metrics["models"]["ours"]["parameters"] == ours.num_parameters()
    printed = capsys.readouterr().out
    assert "ours: " in printed and "acc_norm" in printed and "0.2500" in printed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("no json\n", "line 1 is no JSON"),
        (json.dumps(TASKS[0]) + "\n" + json.dumps({"ctx": "x"}) + "\n", "line 2 has no activity_label"),
        (json.dumps({**TASKS[0], "label": 4}) + "\n", "label=4 is the number of no ending"),
        (json.dumps({**TASKS[0], "ctx_a": None}) + "\n", "line 1: ctx_a is no text"),
        (json.dumps({**TASKS[0], "activity_label": 3}) + "\n", "line 1: activity_label is no text"),
        (json.dumps({**TASKS[0], "endings": [1, 2]}) + "\n", "line 1: endings is no list of texts"),
        (json.dumps({**TASKS[0], "endings": "abcd"}) + "\n", "line 1: endings is no list of texts"),
    ],
)
def test_a_file_that_is_no_hellaswag_is_refused_by_line(tmp_path, content, message):
    path = tmp_path / "tasks.jsonl"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        load_tasks([str(path)])


def test_files_that_are_not_there_and_a_yaml_without_a_task_are_refused(tmp_path):
    for content in ("model: x\n", "task: x\ngroup: y\n"):
        (tmp_path / "recipe.yaml").write_text(content)
        with pytest.raises(ValueError, match="defines no task"):
            load_tasks([str(tmp_path / "recipe.yaml")])
    for content in ("task: [x\n", "task: x\ninclude: nowhere.yaml\n", "task: x\ndoc_to_text: !function no.no\n"):
        (tmp_path / "recipe.yaml").write_text(content)
        with pytest.raises(ValueError, match=r"recipe\.yaml cannot be read: \w+Error: .*"):
            load_tasks([str(tmp_path / "recipe.yaml")])
    with pytest.raises(ValueError, match="no such file"):
        load_tasks([str(tmp_path / "nowhere.jsonl")])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [("models", [], "models is empty"), ("tasks", [], "tasks is empty"), ("limit", 0, "limit=0")],
)
def test_an_argument_that_cannot_be_meant_is_refused(name, value, message, tmp_path):
    settings = {"models": ["m"], "tasks": ["t"], "output_dir": tmp_path, name: value}
    with pytest.raises(ValueError, match=message):
        EvaluateHarnessArguments(**settings)


@pytest.mark.slow
def test_the_tasks_of_the_recipes_are_those_of_lm_eval():
    from lm_eval.tasks import TaskManager

    from darija_gpt.evaluation.harness import FAMILIES

    known = TaskManager().all_tasks
    for name in ("hellaswag", "darijahellaswag", "darijammlu", *FAMILIES["darija_bench"]):
        assert name in known
    with pytest.raises(ValueError, match="helaswag is no task"):
        load_tasks(["helaswag"])
