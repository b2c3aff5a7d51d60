"""What a summariser is worth: metrics.json, samples.jsonl, and a table for people."""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.data.text_pairs import PairSplits, TextPair
from darija_gpt.evaluation.intervals import estimate_means, spell_estimate
from darija_gpt.evaluation.lead_baseline import count_usual_words, take_lead_sentence, take_lead_words
from darija_gpt.evaluation.rouge import ROUGE_TYPES, score_rouge


if TYPE_CHECKING:
    from darija_gpt.finetuning.seq2seq import Prepared, Seq2SeqArguments
    from darija_gpt.finetuning.seq2seq_trainer import Training

SPELT = {"model": "the model", "lead_sentence": "the first sentence", "lead_words": "the first {} words"}


def print_data(data: PairSplits, prepared: "Prepared", arguments: "Seq2SeqArguments") -> None:
    """What the model will learn from, be chosen by and be measured on, and what is lost on the way."""
    from darija_gpt.finetuning.seq2seq import NOTED_UNKNOWN_SHARE

    for name, pairs in data.splits.items():
        inputs, targets = prepared.inputs[name], prepared.targets[name]
        dropped = ", ".join(f"{count:,} {reason}" for reason, count in data.dropped[name].items())
        notes = [f"left out: {dropped}"] if dropped else []
        for encoded, what, length in (
            (inputs, "inputs", arguments.max_source_length),
            (targets, "targets", arguments.max_target_length),
        ):
            if encoded.num_cut:
                notes.append(f"{encoded.cut_share:.1%} of the {what} cut to {length} tokens")
        print("; ".join([f"{name}: {len(pairs):,} pairs", *notes]))
    unknown_share = max(prepared.inputs["train"].unknown_share, prepared.targets["train"].unknown_share)
    if unknown_share > NOTED_UNKNOWN_SHARE:
        print(
            f"warning: {unknown_share:.1%} of the tokens are unknown to the vocabulary of {arguments.model}, which "
            "reads and writes nothing there; another model may know them."
        )


def measure_summaries(
    arguments: "Seq2SeqArguments", data: PairSplits, prepared: "Prepared", written: list[str], training: "Training"
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """What metrics.json holds, and the summaries of each system.

    Args:
        arguments (`Seq2SeqArguments`):
            The recipe.
        data (`PairSplits`):
            The pairs.
        prepared (`Prepared`):
            The pairs as the model read them.
        written (`list[str]`):
            What the model wrote of the pairs that are measured on.
        training (`Training`):
            How the training went.
    """
    from accelerate import PartialState

    from darija_gpt.finetuning.freezing import describe_trainable
    from darija_gpt.hardware import describe_machine, resolve_t5_precision

    pairs = data.splits[data.measured_on]
    num_words = count_usual_words([pair.target for pair in data.splits["train"]])
    systems = {
        "model": written,
        "lead_sentence": [take_lead_sentence(pair.input) for pair in pairs],
        "lead_words": [take_lead_words(pair.input, num_words) for pair in pairs],
    }
    scores = {name: score_rouge(texts, [pair.target for pair in pairs]) for name, texts in systems.items()}
    base = Path(arguments.model)
    metrics = {
        "task": "summarization",
        "base_model": base.name if base.is_absolute() else arguments.model,
        "source_prefix": arguments.source_prefix,
        "max_source_length": arguments.max_source_length,
        "max_target_length": arguments.max_target_length,
        "num_beams": arguments.num_beams,
        "data": {name: _describe_split(name, data, prepared) for name in data.splits},
        "measured_on": data.measured_on,
        "lead_words": num_words,
        "results": {
            name: {"texts": len(pairs), **estimate_means(values), "words": _count_mean_words(systems[name])}
            for name, values in scores.items()
        },
        "differences": {
            name: estimate_means({measure: scores["model"][measure] - values[measure] for measure in ROUGE_TYPES})
            for name, values in scores.items()
            if name != "model"
        },
        "training": {
            "stage": "finetune_seq2seq",
            "method": arguments.method,
            "source_prefix": arguments.source_prefix,
            "max_source_length": arguments.max_source_length,
            "max_target_length": arguments.max_target_length,
            "num_beams": arguments.num_beams,
            **describe_trainable(prepared.model),
            "examples": len(data.splits["train"]),
            **asdict(training),
            **describe_machine(PartialState(), resolve_t5_precision(arguments.mixed_precision)),
        },
    }
    return metrics, systems


def write_results(
    metrics: dict[str, Any],
    pairs: Sequence[TextPair],
    systems: dict[str, list[str]],
    directory: Path,
    arguments: "Seq2SeqArguments",
) -> None:
    """Writes metrics.json, and samples.jsonl: texts of the data are in it, so it stays where it is."""
    text = json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"
    (directory / "metrics.json").write_text(text, encoding="utf-8")
    number = min(arguments.num_samples, len(pairs))
    places = sorted(random.Random(arguments.seed).sample(range(len(pairs)), number))
    records = ({**asdict(pairs[place]), **{name: texts[place] for name, texts in systems.items()}} for place in places)
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (directory / "samples.jsonl").write_text("".join(lines), encoding="utf-8")


def print_results(metrics: dict[str, Any], output_dir: Path) -> None:
    """The numbers, with their 95 % intervals."""
    measured = metrics["results"]["model"]["texts"]
    print(f"{measured:,} texts of {metrics['measured_on']}; F1, in brackets the 95 % interval of the bootstrap")
    print(f"{'':20}" + "".join(f"  {name:22}" for name in ("ROUGE-1", "ROUGE-2", "ROUGE-L")) + "  words")
    for name, result in metrics["results"].items():
        spelt = SPELT[name].format(metrics["lead_words"])
        estimates = "".join(f"  {spell_estimate(result[measure]):22}" for measure in ROUGE_TYPES)
        print(f"{spelt:20}{estimates}  {result['words']:5.1f}")
    for name, difference in metrics["differences"].items():
        spelt = SPELT[name].format(metrics["lead_words"])
        print(f"ROUGE-L beside {spelt}: {spell_estimate(difference['rougeL'], signed=True)}")
    print(f"model -> {output_dir}")


def _describe_split(name: str, data: PairSplits, prepared: "Prepared") -> dict[str, Any]:
    described: dict[str, Any] = {"rows": len(data.splits[name]), "dropped": data.dropped[name]}
    for what, encoded in (("inputs", prepared.inputs[name]), ("targets", prepared.targets[name])):
        described[what] = {
            "cut_share": round(encoded.cut_share, 4),
            "unknown_token_share": round(encoded.unknown_share, 4),
            "tokens": encoded.num_tokens,
        }
    return described


def _count_mean_words(texts: Sequence[str]) -> float:
    return round(sum(len(text.split()) for text in texts) / len(texts), 2)
