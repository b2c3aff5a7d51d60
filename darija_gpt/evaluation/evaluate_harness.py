"""The harness stage: models on tasks of lm-eval -> metrics.json."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from darija_gpt.loading import load_model
from darija_gpt.output import require_new, write_directory


@dataclass(frozen=True, kw_only=True)
class EvaluateHarnessArguments:
    """What to ask which models; each field is a key of the recipe and a flag."""

    models: list[str] = field(metadata={"help": "directories of models or adapters, or their ids on the Hub"})
    tasks: list[str] = field(
        metadata={
            "help": "names of lm-eval's tasks and groups (hellaswag, darijahellaswag, darijammlu, darija_bench), "
            ".yaml files of your own, or .jsonl files in HellaSwag's format"
        }
    )
    output_dir: Path = field(metadata={"help": "directory to write metrics.json to"})
    num_fewshot: int | None = field(
        default=None, metadata={"help": "solved examples before each question, the task's own number by default"}
    )
    limit: int | None = field(default=None, metadata={"help": "the first so many examples of each task only"})
    batch_size: int = field(default=8, metadata={"help": "texts at a time; it changes the speed only"})
    dtype: Literal["saved", "float32", "bfloat16", "float16"] = field(
        default="saved", metadata={"help": "what the models compute in, by default what their weights are saved in"}
    )
    apply_chat_template: bool = field(default=False, metadata={"help": "ask in the turns of a chat"})
    seed: int = field(default=0, metadata={"help": "of the choice of solved examples and of the errors' bootstrap"})

    def __post_init__(self):
        for name, values in (("models", self.models), ("tasks", self.tasks)):
            if not values:
                raise ValueError(f"{name} is empty; name at least one.")
        for name, least in (("num_fewshot", 0), ("limit", 1), ("batch_size", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name}={value} must be at least {least}.")


def evaluate_harness(arguments: EvaluateHarnessArguments) -> None:
    """The harness stage: models on tasks of lm-eval -> metrics.json.

    Raises:
        ValueError: If a model or a task cannot be loaded, or two models have one name.
    """
    from darija_gpt.evaluation.harness import load_tasks, run_harness
    from darija_gpt.evaluation.measurements import name_model
    from darija_gpt.evaluation.metrics_table import print_harness

    require_new(arguments.output_dir)
    names = [name_model(path) for path in arguments.models]
    if len(set(names)) < len(names):
        raise ValueError(f"models={arguments.models}: two of them have one name; rename a directory.")
    tasks = load_tasks(arguments.tasks)
    measured: dict[str, Any] = {}
    for name, path in zip(names, arguments.models, strict=True):
        model, tokenizer = load_model(path)
        model = convert_dtype(model, arguments.dtype)
        measured[name] = {
            "parameters": model.num_parameters(),
            "dtype": str(model.dtype).removeprefix("torch."),
            "harness": run_harness(
                model,
                tokenizer,
                tasks,
                num_fewshot=arguments.num_fewshot,
                limit=arguments.limit,
                batch_size=arguments.batch_size,
                apply_chat_template=arguments.apply_chat_template,
                seed=arguments.seed,
            ),
        }
        del model  # Before the next one is loaded: two of seven billion need not fit together.
    metrics = {"limit": arguments.limit, "models": measured}
    with write_directory(arguments.output_dir) as directory:
        (directory / "metrics.json").write_text(json.dumps(metrics, indent=2, ensure_ascii=False) + "\n", "utf-8")
    for name, results in measured.items():
        print(f"\n{name}: {results['parameters']:,} parameters, {results['dtype']}")
        print_harness(results["harness"])
    print(f"\nevaluation -> {arguments.output_dir}")


def convert_dtype(model: Any, dtype: str) -> Any:
    """A model that computes in the precision of that name; with `saved` the model as it is."""
    import torch

    return model if dtype == "saved" else model.to(getattr(torch, dtype))
