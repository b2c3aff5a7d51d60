"""What stands before and after the training of a classifier: the model, its texts as tokens, and how it is saved."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.data.labelled import LabelledSplits, split_pairs
from darija_gpt.records import write_training_summary


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from darija_gpt.finetuning.classification import ClassifierArguments


@dataclass(frozen=True)
class Prepared:
    """A model, its tokenizer, and the texts as it reads them.

    Args:
        model (`PreTrainedModel`):
            With a head for the classes.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        new_modules (`list[str]`):
            Modules that nobody has trained yet.
        encodings (`dict[str, list]`), classes (`dict[str, list[int]]`):
            Tokens and class of each text, by split.
        max_length (`int`):
            Tokens of a text at most.
        num_cut (`dict[str, int]`):
            Texts that were longer, by split.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    new_modules: list[str]
    encodings: dict[str, list]
    classes: dict[str, list[int]]
    max_length: int
    num_cut: dict[str, int]


def prepare(arguments: "ClassifierArguments", data: LabelledSplits) -> Prepared:
    """Loads the model and turns the texts into its tokens.

    Raises:
        ValueError: If model, tokenizer, adapter and texts do not go together.
    """
    from darija_gpt.adapters import merge_adapter
    from darija_gpt.classifiers import (
        count_usable_tokens,
        encode_texts,
        find_new_modules,
        frame_texts,
        load_classifier,
        prepare_tokenizer,
    )
    from darija_gpt.finetuning.adapters import check_base

    model, tokenizer, missing = load_classifier(arguments.model, data.labels, arguments.config_fields)
    new_modules = find_new_modules(model, missing)
    if arguments.adapter is not None:
        check_base(arguments.adapter, arguments.model)
        model = merge_adapter(model, tokenizer, arguments.adapter, arguments.model)
    prepare_tokenizer(tokenizer, model, arguments.pad_token)
    frame_texts(tokenizer)
    usable_tokens = count_usable_tokens(model, tokenizer)
    max_length = arguments.max_length or usable_tokens
    if max_length > usable_tokens:
        raise ValueError(
            f"max_length={max_length} is more than {arguments.model} reads, which is {usable_tokens} tokens; lower it."
        )
    encodings, num_cut = {}, {}
    for name, rows in data.splits.items():
        encodings[name], num_cut[name] = encode_texts(
            tokenizer, *split_pairs(rows), max_length=max_length, truncation=arguments.truncation, name=name
        )
    classes = {name: [data.labels.index(row.label) for row in rows] for name, rows in data.splits.items()}
    return Prepared(model, tokenizer, new_modules, encodings, classes, max_length, num_cut)


def weigh_classes(class_weights: dict[str, float] | str | None, data: LabelledSplits) -> list[float] | None:
    """The weight of each class in the loss; `balanced` gives every class the same sum over the training texts.

    Raises:
        ValueError: If a class is unknown or has no weight, or a weight is not positive.
    """
    if class_weights is None:
        return None
    if class_weights == "balanced":
        train = data.splits["train"]
        counts = [sum(row.label == label for row in train) for label in data.labels]
        return [len(train) / (len(counts) * count) for count in counts]
    is_usable = all(0 < weight < math.inf for weight in class_weights.values())
    if set(class_weights) != set(data.labels) or not is_usable:
        given = ", ".join(f"{label}: {weight}" for label, weight in class_weights.items())
        raise ValueError(
            f"class_weights={{{given}}}; give a positive and finite weight for each of {', '.join(data.labels)}, or "
            "balanced."
        )
    return [class_weights[label] for label in data.labels]


def adapt_model(model: "PreTrainedModel", arguments: "ClassifierArguments", new_modules: Sequence[str]):
    """The model as the method asks: with LoRA beside its weights, with some of them frozen, or as it is.

    Modules that nobody has trained yet learn whole in any case.
    """
    from darija_gpt.finetuning.freezing import check_trainable, freeze_by_pattern, freeze_lower_layers

    if arguments.lora is not None:
        from peft import get_peft_model

        from darija_gpt.finetuning.adapters import build_lora_config, check_adapted, keep_ties

        config = build_lora_config({"task_type": "SEQ_CLS", **arguments.lora})
        config.modules_to_save = list(dict.fromkeys([*new_modules, *(config.modules_to_save or ())]))
        keep_ties(config, model)
        model = get_peft_model(model, config)
        check_adapted(model)
    if arguments.freeze_layers is not None:
        freeze_lower_layers(model, arguments.freeze_layers)
    freeze_by_pattern(model, arguments.freeze_patterns)
    if arguments.method == "frozen":
        for name in new_modules:
            model.get_submodule(name).requires_grad_(True)
    check_trainable(model)
    return model


def build_fresh(model: "PreTrainedModel", seed: int) -> "PreTrainedModel":
    """A model of the same configuration with weights that have learnt nothing."""
    from accelerate.utils import set_seed
    from transformers import AutoModelForSequenceClassification

    set_seed(seed)
    return AutoModelForSequenceClassification.from_config(model.config, trust_remote_code=False).float()


def save_classifier(
    model, prepared: Prepared, arguments: "ClassifierArguments", directory: Path, summary: dict[str, Any]
) -> None:
    """Writes a classifier that loads by itself; a LoRA adapter is merged into it and kept in `adapter/` beside it."""
    from darija_gpt.finetuning.adapters import save_adapter
    from darija_gpt.tokenizer import save_tokenizer

    base = Path(arguments.model)
    if arguments.method == "lora":
        save_adapter(model, base, directory / "adapter")
        model = model.merge_and_unload()
    model.save_pretrained(directory)
    prepared.tokenizer.model_max_length = prepared.max_length
    save_tokenizer(prepared.tokenizer, directory)
    write_training_summary(directory, summary, base)
