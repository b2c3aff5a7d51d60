"""What the evaluate stage measures on the texts of a dataset, as parts of metrics.json."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.data.rows import CHATS


if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from darija_gpt.evaluation.evaluate import EvaluateArguments


def measure_splits(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    splits: Mapping[str, "Dataset"],
    context_tokens: int,
) -> dict[str, Any]:
    """`bits_per_byte` of each split by script, and `bits_per_byte_by_source`."""
    from darija_gpt.evaluation.bits_per_byte import describe_groups, score_documents

    by_script, by_source = {}, {}
    for split, dataset in splits.items():
        rows = [row for row in dataset if row["text"]]
        scores = score_documents(model, tokenizer, rows, context_tokens=context_tokens, description=split)
        names = name_sources(row["source"] for row in rows)
        by_script[split] = {
            "all": scores.describe(range(len(rows))),
            **describe_groups(scores, [row["script"] for row in rows]),
        }
        by_source[split] = describe_groups(scores, [names[row["source"]] for row in rows])
    return {"bits_per_byte": by_script, "bits_per_byte_by_source": by_source}


def name_sources(sources: Iterable[str]) -> dict[str, str]:
    """What metrics.json calls each source: chats and datasets of the Hub by their names, a file of this machine, whose
    name may be a person's, by a number."""
    names, num_files = {}, 0
    for source in sorted(set(sources)):
        is_public = source == CHATS or "/" in source
        num_files += not is_public
        names[source] = source if is_public else f"file {num_files}"
    return names


def load_reference(path: str, tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedModel":
    """A model to compare another one with, in float32.

    Raises:
        ValueError: If it cannot be loaded, or has another tokenizer than this one.
    """
    from darija_gpt.loading import load_model

    reference, other = load_model(path)
    if other.get_vocab() != tokenizer.get_vocab():
        raise ValueError(
            f"compare_with={path} has another vocabulary ({len(other):,} entries) than the model "
            f"({len(tokenizer):,}): their predictions are of different things; compare bits per byte instead."
        )
    return reference.float()


def load_features_model(path: str) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """A model whose hidden states describe texts, in float32, and its tokenizer.

    Raises:
        ValueError: If it cannot be loaded, or does not say how many tokens it reads.
    """
    from darija_gpt.generation import count_context_tokens
    from darija_gpt.loading import load_model

    model, tokenizer = load_model(path)
    count_context_tokens(model)
    return model.float(), tokenizer


def check_samples(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    dataset: Mapping[str, "Dataset"],
    arguments: "EvaluateArguments",
) -> None:
    """Refuses, before anything is measured, to draw what a model cannot write.

    Raises:
        ValueError: If a reply does not fit the model, there are too few texts to continue, or no question to reply to.
    """
    from darija_gpt.evaluation.generated_texts import draw_documents
    from darija_gpt.evaluation.stop_rate import draw_questions
    from darija_gpt.generation import count_prompt_tokens

    if arguments.prompts:
        count_prompt_tokens(model, arguments)
    if arguments.num_generated_texts:
        rows, num_texts = dataset[arguments.splits[0]], arguments.num_generated_texts
        draw_documents(model, tokenizer, rows, num_texts=num_texts, sampling=arguments)
    if arguments.stop_rate_prompts:
        draw_questions(model, tokenizer, dataset["test"]["messages"], 1, arguments)


def measure_texts(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    dataset: Mapping[str, "Dataset"],
    arguments: "EvaluateArguments",
    context_tokens: int,
    reference: "PreTrainedModel | None",
    features_model: "tuple[PreTrainedModel, PreTrainedTokenizerBase] | None",
) -> dict[str, Any]:
    """What the recipe asks for beside bits per byte, all on the first of its splits: `window_sweep`, `kl_divergence`,
    `generated_texts`."""
    from darija_gpt.evaluation.divergence import measure_kl_divergence
    from darija_gpt.evaluation.generated_texts import compare_generated_texts
    from darija_gpt.evaluation.window_sweep import sweep_windows

    measured: dict[str, Any] = {}
    if arguments.window_sweep:
        learnt_tokens = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        measured["window_sweep"] = {
            "split": arguments.splits[0],
            "learnt": learnt_tokens,
            "windows": sweep_windows(
                model, tokenizer, dataset[arguments.splits[0]], arguments.window_sweep, learnt_tokens
            ),
        }
    if reference is not None:
        measured["kl_divergence"] = {
            "split": arguments.splits[0],
            "reference": name_model(arguments.compare_with),
            **measure_kl_divergence(
                model, reference, tokenizer, dataset[arguments.splits[0]], context_tokens=context_tokens
            ),
        }
    if arguments.num_generated_texts:
        measured["generated_texts"] = {
            "split": arguments.splits[0],
            **compare_generated_texts(
                model,
                tokenizer,
                dataset[arguments.splits[0]],
                num_texts=arguments.num_generated_texts,
                sampling=arguments,
                features_model=features_model,
            ),
        }
    return measured


def name_model(path: str) -> str:
    """What metrics.json calls a model: its id on the Hub, or the name of its directory without the way to it."""
    return Path(path).resolve().name if Path(path).exists() else path
