"""Benchmarks of lm-eval (Gao et al.), the harness that the field measures with: its own tasks and local ones.

A task is one of lm-eval's by name, a YAML file of yours, or a .jsonl file in HellaSwag's format, for which the task is
made on the spot. Our models need nothing of their own there: importing `darija_gpt.model` makes them known.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# lm-eval keeps these groups in a folder of that name, and has no name for all of them.
FAMILIES = {
    "darija_bench": ["darija_sentiment", "darija_summarization", "darija_translation", "darija_transliteration"]
}
HELLASWAG_TEXTS = ("activity_label", "ctx_a", "ctx_b")
HELLASWAG_FIELDS = (*HELLASWAG_TEXTS, "endings", "label")
INSTALL = "pip install -c constraints.txt -e '.[eval]'"


def load_tasks(tasks: Sequence[str]) -> dict[str, Any]:
    """The tasks of some names and files, with their data.

    Args:
        tasks (`Sequence[str]`):
            Names of lm-eval's tasks, groups and tags, `darija_bench`, paths of YAML files, and paths of .jsonl files
            in HellaSwag's format. Paths within a YAML file are looked for beside it. A YAML file may name functions of
            a Python file beside it, which are run: take none from strangers.

    Returns:
        `dict`: what `lm_eval.tasks.TaskManager.load` gives.

    Raises:
        ValueError: If lm-eval is not installed, there is no such task, or it or its data cannot be loaded.
    """
    try:
        from lm_eval.tasks import TaskManager
    except ImportError:
        raise ValueError(f"harness tasks need lm-eval, which is not installed: {INSTALL}") from None
    logging.getLogger("lm_eval").setLevel(logging.WARNING)
    names = [name for task in tasks for name in FAMILIES.get(task, [task])]
    specs = [_read_task(Path(name)) if Path(name).suffix in (".yaml", ".jsonl") else name for name in names]
    # Its own thousands of files take a while to be listed.
    manager = TaskManager(include_defaults=any(isinstance(spec, str) for spec in specs))
    for spec in specs:
        if isinstance(spec, str) and spec not in manager.all_tasks:
            raise ValueError(
                f"{spec} is no task of lm-eval, and no .yaml or .jsonl file; `lm_eval ls tasks` lists them."
            )
    try:
        return manager.load(specs)
    except Exception as error:  # Of what is wrong with a task lm-eval checks little, and a task has code of its own.
        raise ValueError(f"{', '.join(names)} or its data cannot be loaded: {_name_error(error)}") from error


def build_hellaswag_task(path: Path) -> dict[str, Any]:
    """A task of lm-eval over a local file in HellaSwag's format, measured as lm-eval measures `hellaswag`.

    Args:
        path (`Path`):
            A .jsonl file with `activity_label`, `ctx_a`, `ctx_b`, `endings` and `label` in each line.

    Raises:
        ValueError: If it is no such file; the message names the line.
    """
    from lm_eval.tasks.hellaswag.utils import process_docs

    with path.open(encoding="utf-8") as lines:
        number = 0
        for number, line in enumerate(lines, start=1):
            _check_hellaswag_row(path, number, line)
    if not number:
        raise ValueError(f"{path} is empty; give a file with a task a line.")
    return {
        "task": path.stem,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"validation": str(path.resolve())}},
        "output_type": "multiple_choice",
        "validation_split": "validation",
        "process_docs": process_docs,
        "doc_to_text": "{{query}}",
        "doc_to_target": "{{label}}",
        "doc_to_choice": "choices",
        "metric_list": [
            {"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")
        ],
        "metadata": {"version": 1.0},
    }


def run_harness(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    tasks: dict[str, Any],
    *,
    num_fewshot: int | None = None,
    limit: int | None = None,
    batch_size: int = 8,
    apply_chat_template: bool = False,
    seed: int = 0,
) -> dict[str, dict[str, Any]]:
    """What a model scores on tasks of lm-eval.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        tasks (`dict`):
            Of `load_tasks`.
        num_fewshot (`int`, *optional*):
            Solved examples before each question, the task's own number by default.
        limit (`int`, *optional*):
            The first so many examples of each task only.
        batch_size (`int`, *optional*, defaults to `8`):
            Texts at a time.
        apply_chat_template (`bool`, *optional*, defaults to `False`):
            Ask in the turns of a chat.
        seed (`int`, *optional*, defaults to `0`):
            Of the choice of solved examples and of the bootstrap.

    Returns:
        `dict`: for each task and group `examples`, `num_fewshot` and `metrics`, of each metric `value`, `stderr` and
        `chance`: what guessing scores, the mean of one over the number of choices. None where there is no such number.

    Raises:
        ValueError: If a task asks for more tokens than the model reads, or for what a row does not have.
    """
    from jinja2 import TemplateError
    from lm_eval import simple_evaluate
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    # Of a model that is loaded already lm-eval warns as of a risk.
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    language_model = HFLM(pretrained=model, backend="causal", tokenizer=tokenizer, batch_size=batch_size)
    with _tell_of_cut_texts(language_model.max_length):
        try:
            results = simple_evaluate(
                language_model,
                tasks=[*tasks.get("groups", {}).values(), *_outside_groups(tasks)],
                num_fewshot=num_fewshot,
                limit=limit,
                apply_chat_template=apply_chat_template,
                random_seed=seed,
                numpy_random_seed=seed,
                torch_random_seed=seed,
                fewshot_random_seed=seed,
                log_samples=True,
                task_manager=TaskManager(include_defaults=False),  # The tasks are loaded already.
            )
        except (AssertionError, TemplateError, TypeError, AttributeError, LookupError) as error:
            # Such as an answer that is longer than what the model reads, or a row without a column of the first one.
            raise ValueError(f"lm-eval cannot ask these tasks of this model: {_name_error(error)}") from error
    return {name: _describe_task(name, scores, results) for name, scores in results["results"].items()}


class _CutTexts(logging.Filter):
    """Counts what lm-eval tells of texts that it has cut, and lets none of it through: it tells of each anew."""

    count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        self.count += "truncat" in record.getMessage().lower()
        return record.levelno >= logging.ERROR


@contextmanager
def _tell_of_cut_texts(max_tokens: int) -> Iterator[None]:
    logger, cut = logging.getLogger("lm_eval.models.huggingface"), _CutTexts()
    logger.setLevel(logging.WARNING)
    logger.addFilter(cut)
    try:
        yield
    finally:
        logger.removeFilter(cut)
        logger.setLevel(logging.NOTSET)
    if cut.count:
        print(
            f"warning: {cut.count:,} texts were longer than the {max_tokens:,} tokens that the model reads, and were "
            "cut from the left; their scores are of what remained.",
            file=sys.stderr,
        )


def _read_task(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"{path}: no such file; give a task's .yaml, or a .jsonl in HellaSwag's format.")
    if path.suffix == ".jsonl":
        return build_hellaswag_task(path)
    from lm_eval.tasks._yaml_loader import load_yaml

    try:
        config = load_yaml(path)
    except Exception as error:  # Functions that it names are imported here, too.
        raise ValueError(f"{path} cannot be read: {_name_error(error)}") from error
    if not isinstance(config, dict) or not isinstance(config.get("task"), str) or "group" in config:
        raise ValueError(f"{path} defines no task of lm-eval; it needs task: and a name, and no group.")
    dataset_kwargs = config.get("dataset_kwargs")
    if isinstance(dataset_kwargs, dict) and "data_files" in dataset_kwargs:
        dataset_kwargs["data_files"] = _resolve_files(dataset_kwargs["data_files"], path.parent)
    return config


def _name_error(error: Exception) -> str:
    """What went wrong in somebody else's code, on one line: `TypeError: 'int' object is not iterable`."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _resolve_files(data_files: Any, directory: Path) -> Any:
    """Paths that stand beside a file, wherever the command is run."""
    if isinstance(data_files, Mapping):
        return {split: _resolve_files(files, directory) for split, files in data_files.items()}
    if isinstance(data_files, list):
        return [_resolve_files(file, directory) for file in data_files]
    is_beside = isinstance(data_files, str) and (directory / data_files).is_file()
    return str((directory / data_files).resolve()) if is_beside else data_files


def _check_hellaswag_row(path: Path, number: int, line: str) -> None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        raise ValueError(f"{path}, line {number} is no JSON; give a file with a task a line.") from None
    missing = [name for name in HELLASWAG_FIELDS if not isinstance(row, dict) or name not in row]
    if missing:
        raise ValueError(f"{path}, line {number} has no {missing[0]}; HellaSwag has {', '.join(HELLASWAG_FIELDS)}.")
    wrong = [name for name in HELLASWAG_TEXTS if not isinstance(row[name], str)]
    if wrong:
        raise ValueError(f"{path}, line {number}: {wrong[0]} is no text.")
    if not isinstance(row["endings"], list) or not all(isinstance(ending, str) for ending in row["endings"]):
        raise ValueError(f"{path}, line {number}: endings is no list of texts.")
    if str(row["label"]) not in map(str, range(len(row["endings"]))):
        raise ValueError(f"{path}, line {number}: label={row['label']!r} is the number of no ending.")


def _outside_groups(tasks: Mapping[str, Any]) -> list[Any]:
    grouped = {task.task_name for group in tasks.get("groups", {}).values() for task in group.get_all_tasks()}
    return [task for name, task in tasks["tasks"].items() if name not in grouped]


def _describe_task(name: str, scores: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, Any]:
    """One task or group of lm-eval's results, whose keys are `acc,none` and `acc_stderr,none`."""
    leaves = _list_tasks(name, results["group_subtasks"])
    chance = _compute_chance(
        [results["configs"][leaf] for leaf in leaves], [results["samples"][leaf] for leaf in leaves]
    )
    metrics = {}
    for key, value in scores.items():
        metric, comma, filter_name = key.partition(",")
        if not comma or metric.endswith("_stderr") or not isinstance(value, int | float):
            continue
        stderr = scores.get(f"{metric}_stderr,{filter_name}")
        label = metric if filter_name == "none" else f"{metric} ({filter_name})"
        metrics[label] = {
            "value": round(float(value), 6),
            "stderr": round(float(stderr), 6) if isinstance(stderr, int | float) else None,
            "chance": chance if metric in ("acc", "acc_norm", "acc_bytes") else None,
        }
    return {
        "examples": sum(results["n-samples"][leaf]["effective"] for leaf in leaves),
        "num_fewshot": results["n-shot"].get(name),
        "metrics": metrics,
    }


def _list_tasks(name: str, children: Mapping[str, Sequence[str]]) -> list[str]:
    """The tasks of a group, of the groups in it too; a task's own name."""
    below = children.get(name) or []
    return [leaf for child in below for leaf in _list_tasks(child, children)] or [name]


def _compute_chance(
    configs: Sequence[Mapping[str, Any]], samples: Sequence[Sequence[Mapping[str, Any]]]
) -> float | None:
    """What guessing scores on all examples of some tasks; None unless all of them offer choices."""
    if any(config.get("output_type") != "multiple_choice" for config in configs):
        return None
    shares = [1 / len(sample["filtered_resps"]) for some in samples for sample in some]
    return round(sum(shares) / len(shares), 6)
