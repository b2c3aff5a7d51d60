"""The evaluate stage: a model and dataset/ -> metrics.json, samples.jsonl and plots."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.data.dataset_directory import load_dataset_directory
from darija_gpt.data.report import select_aggregates
from darija_gpt.data.splits import SPLITS
from darija_gpt.display import neutralize_control_characters
from darija_gpt.evaluation.generated_texts import MIN_TEXTS
from darija_gpt.evaluation.metrics_table import print_metrics
from darija_gpt.evaluation.overlap import WordRunIndex
from darija_gpt.generation import (
    SamplingArguments,
    count_context_tokens,
    count_prompt_tokens,
    fit_context,
    generate_reply,
)
from darija_gpt.loading import load_model
from darija_gpt.output import require_new, write_directory
from darija_gpt.records import SUMMARY_FILE, read_record, require_record


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

NUM_FURTHER_DRAWS = 10


@dataclass(frozen=True, kw_only=True)
class EvaluateArguments(SamplingArguments):
    model: str = field(metadata={"help": "directory of a model, or its id on the Hub"})
    dataset: Path = field(metadata={"help": "directory that prepare_data.py wrote"})
    output_dir: Path = field(metadata={"help": "directory to write metrics.json and samples.jsonl to"})
    splits: list[str] = field(
        default_factory=lambda: ["validation", "test"], metadata={"help": "splits to measure bits per byte on"}
    )
    context_tokens: int | None = field(
        default=None, metadata={"help": "tokens of a window of text, what the model reads at once by default"}
    )
    prompts: list[list[str]] = field(
        default_factory=list,
        metadata={"help": "dialogues to sample (recipe only), each a list of user turns to be replied to in turn"},
    )
    stop_rate_prompts: int = field(
        default=0,
        metadata={"help": "questions of the test split to reply to, to see how many replies end by themselves"},
    )
    max_shared_words: int = field(
        default=8, metadata={"help": "a reply that repeats this many words of the data in a row is not published"}
    )

    window_sweep: list[int] = field(
        default_factory=list,
        metadata={
            "help": "tokens of further windows, such as 64 256 1024, to draw bits per byte of the first split by"
        },
    )
    compare_with: str | None = field(
        default=None,
        metadata={
            "help": "another model with the same tokenizer (its base, its export): how far the predictions of the two "
            "are apart on the first split"
        },
    )
    num_generated_texts: int = field(
        default=0,
        metadata={
            "help": "texts of the first split whose beginnings the model continues, to compare its words with theirs "
            "as MAUVE does; 0 for none"
        },
    )
    features_model: str | None = field(
        default=None,
        metadata={"help": "a model whose hidden states describe these texts, in place of their runs of characters"},
    )
    harness_tasks: list[str] = field(
        default_factory=list,
        metadata={"help": "tasks of lm-eval, as evaluate_harness.py takes them; they need the extra [eval]"},
    )

    def __post_init__(self):
        super().__post_init__()
        for window in self.window_sweep:
            if window < 2:
                raise ValueError(f"window_sweep={self.window_sweep}: {window} is no window; try 64, 256 and 1024.")
        if self.num_generated_texts < 0 or self.num_generated_texts in range(1, MIN_TEXTS):
            raise ValueError(
                f"num_generated_texts={self.num_generated_texts} are too few to compare; try 200, or 0 for none."
            )
        if not self.splits and (self.window_sweep or self.compare_with or self.num_generated_texts):
            raise ValueError("splits is empty, and what is measured on the first of them needs one; try validation.")
        for split in self.splits:
            if split not in SPLITS:
                raise ValueError(f"splits={self.splits}: there is no {split}; choose among {', '.join(SPLITS)}.")
        if self.context_tokens is not None and self.context_tokens < 2:
            raise ValueError(f"context_tokens={self.context_tokens} is no window; try 512.")
        if self.stop_rate_prompts < 0:
            raise ValueError(f"stop_rate_prompts={self.stop_rate_prompts} must be 0 or more; try 100.")
        if self.max_shared_words < 1:
            raise ValueError(f"max_shared_words={self.max_shared_words} must be positive; try 8.")
        for turns in self.prompts:
            if not turns or not all(turn.strip() for turn in turns):
                raise ValueError(f"prompts holds {turns!r}, which says nothing; write what the user says.")


def sample_dialogue(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    user_turns: list[str],
    index: WordRunIndex,
    *,
    max_shared_words: int,
    sampling: SamplingArguments,
    seeds: Iterator[int],
) -> tuple[dict[str, Any] | None, int]:
    """A conversation in which the model replies to each turn of the user and never quotes the data.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer, with a chat template.
        user_turns (`list[str]`):
            What the user says.
        index (`WordRunIndex`):
            The data.
        max_shared_words (`int`):
            A reply that repeats a run of this many words or more is drawn again.
        sampling (`SamplingArguments`):
            How replies are drawn.
        seeds (`Iterator[int]`):
            A seed for each draw: with one for all, a model that is unsure begins every reply alike.

    Returns:
        `tuple`: `messages` and `longest_shared_words`, None if a reply still quotes after ten further draws; and how
        many replies were drawn again.
    """
    messages: list[dict[str, str]] = []
    longest, num_redrawn = 0, 0
    for turn in user_turns:
        messages.append({"role": "user", "content": turn})
        prompt, _ = fit_context(messages, tokenizer, count_prompt_tokens(model, sampling))
        for number, seed in enumerate(islice(seeds, 1 + NUM_FURTHER_DRAWS if sampling.do_sample else 1)):
            num_redrawn += number > 0
            reply = generate_reply(model, tokenizer, prompt, replace(sampling, seed=seed))
            num_shared = index.longest_shared_run(reply)
            if num_shared < max_shared_words:
                break
        else:
            return None, num_redrawn
        messages.append({"role": "assistant", "content": reply})
        longest = max(longest, num_shared)
    return {"messages": messages, "longest_shared_words": longest}, num_redrawn


def read_training_summaries(model_dir: str | Path) -> list[dict[str, Any]]:
    """What each training stage of a model reported, the first stage first; empty for a model trained elsewhere.

    Raises:
        ValueError: If training_summary.json is not what training writes.
    """
    path = Path(model_dir) / SUMMARY_FILE
    summaries: list[dict[str, Any]] = []
    summary = read_record(path, "training")
    while summary:
        base = summary.pop("base", None) or {}
        summaries.insert(0, summary)
        summary = require_record(base, path, "training")
    return summaries


def evaluate(arguments: EvaluateArguments) -> None:
    """The evaluate stage: a model and dataset/ -> metrics.json, samples.jsonl and plots."""
    from darija_gpt.evaluation.measurements import (
        check_samples,
        load_features_model,
        load_reference,
        measure_splits,
        measure_texts,
    )
    from darija_gpt.evaluation.plots.figures import write_plot
    from darija_gpt.evaluation.plots.window_sweep import plot_window_sweep
    from darija_gpt.evaluation.stop_rate import measure_stop_rate
    from darija_gpt.evaluation.windows import check_window

    started = time.monotonic()
    require_new(arguments.output_dir)
    dataset = load_dataset_directory(arguments.dataset)
    model, tokenizer = load_model(arguments.model)
    model = model.float()
    # What cannot be read or measured ends the stage here, before the long measurements.
    records = {
        "training": read_training_summaries(arguments.model),
        "dataset": select_aggregates(read_record(arguments.dataset / "report.json", "prepare_data")),
        "tokenizer": read_record(Path(arguments.model) / "tokenizer_report.json", "train_tokenizer"),
    }
    context_tokens = arguments.context_tokens or count_context_tokens(model)
    check_window(model, max(context_tokens, *arguments.window_sweep, 0))
    reference = load_reference(arguments.compare_with, tokenizer) if arguments.compare_with else None
    check_samples(model, tokenizer, dataset, arguments)
    wants_features = arguments.num_generated_texts and arguments.features_model
    features_model = load_features_model(arguments.features_model) if wants_features else None
    harness = None
    if arguments.harness_tasks:
        from darija_gpt.evaluation.harness import load_tasks, run_harness

        harness = run_harness(model, tokenizer, load_tasks(arguments.harness_tasks))

    index = WordRunIndex(text for split in SPLITS for text in dataset[split]["text"])
    seeds = count(arguments.seed)
    sampled = [
        sample_dialogue(
            model,
            tokenizer,
            turns,
            index,
            max_shared_words=arguments.max_shared_words,
            sampling=arguments,
            seeds=seeds,
        )
        for turns in arguments.prompts
    ]
    dialogues = [dialogue for dialogue, _ in sampled if dialogue is not None]
    metrics = {
        "model": {"parameters": model.num_parameters(), "context_tokens": context_tokens},
        **records,
        **measure_splits(model, tokenizer, {split: dataset[split] for split in arguments.splits}, context_tokens),
        **measure_texts(model, tokenizer, dataset, arguments, context_tokens, reference, features_model),
    }
    if sampled:
        metrics["sampled_dialogues"] = {
            "asked": len(sampled),
            "left_out": len(sampled) - len(dialogues),
            "redrawn": sum(num_redrawn for _, num_redrawn in sampled),
            "max_shared_words": arguments.max_shared_words,
        }
    if arguments.stop_rate_prompts:
        metrics["stop_rate"] = measure_stop_rate(
            model, tokenizer, dataset["test"]["messages"], arguments.stop_rate_prompts, arguments
        )
    if harness is not None:
        metrics["harness"] = harness
    metrics["wall_seconds"] = round(time.monotonic() - started, 1)
    with write_directory(arguments.output_dir) as directory:
        (directory / "metrics.json").write_text(json.dumps(metrics, indent=2, ensure_ascii=False) + "\n", "utf-8")
        lines = (json.dumps(dialogue, ensure_ascii=False) + "\n" for dialogue in dialogues)
        (directory / "samples.jsonl").write_text("".join(lines), "utf-8")
        if arguments.window_sweep:
            swept = metrics["window_sweep"]["windows"]
            write_plot(directory, "window_sweep", plot_window_sweep(swept, metrics["window_sweep"]["learnt"]), swept)

    print_metrics(metrics)
    if "stop_rate" in metrics:
        print("{stopped} of {prompts} replies end by themselves".format(**metrics["stop_rate"]))
    for dialogue in dialogues:
        _print_dialogue(dialogue)
    if len(dialogues) < len(sampled):
        print(
            f"{len(sampled) - len(dialogues)} of {len(sampled)} dialogues are left out: a reply kept repeating "
            f"{arguments.max_shared_words} words or more of the data."
        )
    print(f"evaluation -> {arguments.output_dir}")


def _print_dialogue(dialogue: dict[str, Any]) -> None:
    print()
    for message in dialogue["messages"]:
        print(f"{message['role']}: {neutralize_control_characters(message['content'])}")
    print(f"(repeats at most {dialogue['longest_shared_words']} words of the data in a row)")
