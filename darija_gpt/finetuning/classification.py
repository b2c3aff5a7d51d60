"""Fine-tuning for classification: a model of any family and labelled texts -> a classifier, and how good it is.

The best epoch is chosen on the validation split, and the final numbers are those of the test split where there is one.
A TF-IDF baseline and the same architecture from scratch learn from the same texts and are measured on the same texts.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from darija_gpt.data.labelled import LabelledSource, LabelledSplits, load_splits
from darija_gpt.faults import exit_by_fault
from darija_gpt.finetuning.classifier_preparation import (
    Prepared,
    adapt_model,
    build_fresh,
    prepare,
    save_classifier,
    weigh_classes,
)
from darija_gpt.hardware import resolve_precision
from darija_gpt.output import make_printable, require_new, require_section, write_directory


if TYPE_CHECKING:
    import numpy as np

    from darija_gpt.finetuning.classifier_trainer import Training


@dataclass(frozen=True, kw_only=True)
class ClassifierArguments:
    """What finetune_classifier takes; each field is a key of its recipe and a flag."""

    model: str = field(metadata={"help": "directory of a model, such as pretrain.py wrote, or its id on the Hub"})
    train: LabelledSource = field(
        metadata={"help": "labelled texts to learn from: path, text_column, label_column, ..."}
    )
    output_dir: Path = field(metadata={"help": "directory to write the classifier to"})
    validation: LabelledSource | None = field(
        default=None, metadata={"help": "the texts that choose the best epoch; a share of train by default"}
    )
    test: LabelledSource | None = field(
        default=None, metadata={"help": "the texts that the final numbers are of; those of validation by default"}
    )
    validation_fraction: float = field(default=0.1, metadata={"help": "share of train set aside as validation"})
    test_fraction: float = field(default=0.0, metadata={"help": "share of train set aside as test"})
    label_names: dict[str | int, str] | None = field(
        default=None, metadata={"help": "a name for each value of the label column, in the order of the classes"}
    )
    config_fields: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "fields of the model's configuration to change, such as its dropout"}
    )
    adapter: Path | None = field(
        default=None, metadata={"help": "LoRA adapter of an earlier run, merged into the model before it learns"}
    )
    lora: dict[str, Any] | None = field(
        default=None, metadata={"help": "fields of PEFT's LoraConfig; without them the weights themselves are trained"}
    )
    freeze_layers: int | None = field(
        default=None, metadata={"help": "lower layers to freeze with the embeddings; 0 freezes the embeddings alone"}
    )
    freeze_patterns: list[str] = field(
        default_factory=list, metadata={"help": "regular expressions of the names of weights to freeze"}
    )
    max_length: int | None = field(default=None, metadata={"help": "tokens per text; the model's context by default"})
    truncation: bool = field(default=False, metadata={"help": "cut the end of longer texts instead of refusing them"})
    pad_token: str | None = field(
        default=None, metadata={"help": "a token of the vocabulary to pad with, where the model has none for it"}
    )
    class_weights: dict[str, float] | Literal["balanced"] | None = field(
        default=None,
        metadata={"help": "a weight for each class in the loss; balanced makes all classes count alike"},
    )
    num_train_epochs: int = field(default=4, metadata={"help": "passes over the training texts"})
    learning_rate: float = field(default=3e-5, metadata={"help": "highest learning rate"})
    lr_scheduler_type: Literal["linear", "cosine", "constant_with_warmup", "inverse_sqrt"] = field(
        default="linear", metadata={"help": "how the learning rate falls"}
    )
    warmup_ratio: float = field(default=0.06, metadata={"help": "share of the steps in which the learning rate rises"})
    weight_decay: float = field(default=0.01, metadata={"help": "decoupled weight decay"})
    max_grad_norm: float = field(default=1.0, metadata={"help": "gradients are cut to this norm"})
    per_device_train_batch_size: int = field(default=16, metadata={"help": "texts per device and step"})
    gradient_accumulation_steps: int = field(default=1, metadata={"help": "batches per optimizer step"})
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "end after so many epochs without a better macro F1"}
    )
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = field(
        default="auto", metadata={"help": "auto is bf16 where it is fast, fp16 on other GPUs, else no"}
    )
    seed: int = field(default=0, metadata={"help": "decides the split, the new head, the order of texts and dropout"})
    baseline: bool = field(default=False, metadata={"help": "compare with TF-IDF and logistic regression"})
    from_scratch: bool = field(default=False, metadata={"help": "compare with the same architecture, not pretrained"})
    from_scratch_learning_rate: float | None = field(
        default=None, metadata={"help": "its learning rate, where new weights need another one"}
    )
    from_scratch_epochs: int | None = field(default=None, metadata={"help": "its epochs, where it needs more"})
    results_readme: Path | None = field(
        default=None,
        metadata={"help": "a Markdown file to hold the results between its two classifier marks"},
    )

    def __post_init__(self):
        for name, is_legal, expected in (
            ("validation_fraction", 0 < self.validation_fraction < 1, "between 0 and 1; try 0.1"),
            ("test_fraction", 0 <= self.test_fraction < 1, "0 or a share below 1; try 0.1"),
            ("num_train_epochs", self.num_train_epochs > 0, "positive; try 4"),
            ("learning_rate", self.learning_rate > 0, "positive; try 3e-5, or 5e-4 with lora"),
            ("warmup_ratio", 0 <= self.warmup_ratio < 1, "0 or a share below 1; try 0.06"),
            ("weight_decay", self.weight_decay >= 0, "0 or more; try 0.01"),
            ("max_grad_norm", self.max_grad_norm > 0, "positive; try 1"),
            ("per_device_train_batch_size", self.per_device_train_batch_size > 0, "positive; try 16"),
            ("gradient_accumulation_steps", self.gradient_accumulation_steps > 0, "positive; try 1"),
            (
                "early_stopping_patience",
                self.early_stopping_patience is None or self.early_stopping_patience > 0,
                "positive; try 2",
            ),
            (
                "from_scratch_learning_rate",
                self.from_scratch_learning_rate is None or self.from_scratch_learning_rate > 0,
                "positive; try 3e-4",
            ),
            (
                "from_scratch_epochs",
                self.from_scratch_epochs is None or self.from_scratch_epochs > 0,
                "positive; try 8",
            ),
            ("max_length", self.max_length is None or self.max_length > 2, "above 2; try 128"),
        ):
            if not is_legal:
                raise ValueError(f"{name}={getattr(self, name)} must be {expected}.")
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to learn from; try 0.1 each.")
        if self.lora is not None and (self.freeze_layers is not None or self.freeze_patterns):
            raise ValueError("lora freezes all weights of the model; leave out freeze_layers and freeze_patterns.")

    @property
    def method(self) -> str:
        """full, lora or frozen."""
        if self.lora is not None:
            return "lora"
        return "full" if self.freeze_layers is None and not self.freeze_patterns else "frozen"


def finetune_classifier(arguments: ClassifierArguments) -> None:
    """The classification stage, to be run by `python` or `accelerate launch`.

    Raises:
        ValueError: If an input is missing or wrong, before anything is written.
        SystemExit: If the run has to end before its last step; `faults` tells the codes.
    """
    with exit_by_fault():
        _finetune_classifier(arguments)


def _finetune_classifier(arguments: ClassifierArguments) -> None:
    from accelerate import PartialState
    from accelerate.utils import set_seed

    from darija_gpt.finetuning.classifier_report import SECTION, describe_results, print_results, write_results
    from darija_gpt.finetuning.freezing import describe_trainable, spell_trainable
    from darija_gpt.finetuning.sealed_checkpoints import claim_directory, discard, locate_checkpoints

    output_dir = require_new(arguments.output_dir)
    require_section(arguments.results_readme, SECTION)
    resolve_precision(arguments.mixed_precision)  # which refuses one that this machine has not
    data = load_splits(
        arguments.train,
        arguments.validation,
        arguments.test,
        validation_fraction=arguments.validation_fraction,
        test_fraction=arguments.test_fraction,
        label_names=arguments.label_names,
        seed=arguments.seed,
    )
    class_weights = weigh_classes(arguments.class_weights, data)
    set_seed(arguments.seed)
    prepared = prepare(arguments, data)
    fresh = replace(prepared, model=build_fresh(prepared.model, arguments.seed)) if arguments.from_scratch else None
    adapted = adapt_model(prepared.model, arguments, prepared.new_modules)
    state = PartialState()
    checkpoints = locate_checkpoints(output_dir)
    if state.is_main_process:
        print_data(data, prepared)
        print(f"{arguments.method}: {spell_trainable(describe_trainable(adapted))}")

    probabilities: dict[str, np.ndarray] = {}
    baseline = None
    with claim_directory(checkpoints, identify(arguments, data)):
        if arguments.baseline and state.is_main_process:
            probabilities["baseline"], baseline = run_baseline(data, class_weights, arguments.seed)
        probabilities["model"], training = run_training(
            replace(prepared, model=adapted),
            arguments,
            name="model",
            directory=checkpoints / "model",
            measured_on=data.measured_on,
            class_weights=class_weights,
        )
        trainings = {"model": training}
        if fresh is not None:
            probabilities["from_scratch"], trainings["from_scratch"] = run_training(
                fresh,
                arguments,
                name="from_scratch",
                directory=checkpoints / "from_scratch",
                measured_on=data.measured_on,
                class_weights=class_weights,
            )
    if not state.is_main_process:
        return
    metrics = describe_results(arguments, data, prepared, adapted, probabilities, trainings, baseline)
    with write_directory(output_dir) as directory:
        save_classifier(adapted, prepared, arguments, directory, metrics["training"]["model"])
        write_results(metrics, data, probabilities, directory, arguments.results_readme)
    discard(checkpoints)
    print_results(metrics, output_dir)


def run_baseline(
    data: LabelledSplits, class_weights: Sequence[float] | None, seed: int
) -> tuple["np.ndarray", dict[str, Any]]:
    """The probabilities of TF-IDF and logistic regression, and what became of their settings."""
    from darija_gpt.evaluation.tfidf_baseline import fit_baseline

    baseline = fit_baseline(
        data.splits["train"], data.splits["validation"], data.labels, class_weights=class_weights, seed=seed
    )
    print(f"baseline: TF-IDF of {baseline.num_features:,} n-grams, logistic regression with C={baseline.strength}")
    described = {"features": baseline.num_features, "C": baseline.strength}
    return baseline.predict_probabilities(data.splits[data.measured_on]), described


def run_training(
    prepared: Prepared,
    arguments: ClassifierArguments,
    *,
    name: Literal["model", "from_scratch"],
    directory: Path,
    measured_on: str,
    class_weights: Sequence[float] | None,
) -> "tuple[np.ndarray, Training]":
    """Trains a model in place; its probabilities for the texts that are measured on, and how the training went."""
    from accelerate.utils import set_seed

    from darija_gpt.classifiers import predict_probabilities
    from darija_gpt.finetuning.classifier_trainer import train_classifier

    is_fresh = name == "from_scratch"
    set_seed(arguments.seed)
    training = train_classifier(
        prepared.model,
        prepared.tokenizer,
        prepared.encodings,
        prepared.classes,
        arguments,
        name=name.replace("_", " "),
        directory=directory,
        learning_rate=(arguments.from_scratch_learning_rate if is_fresh else None) or arguments.learning_rate,
        num_train_epochs=(arguments.from_scratch_epochs if is_fresh else None) or arguments.num_train_epochs,
        class_weights=class_weights,
    )
    return predict_probabilities(prepared.model, prepared.tokenizer, prepared.encodings[measured_on]), training


def print_data(data: LabelledSplits, prepared: Prepared) -> None:
    """What the model will learn from, be chosen by and be measured on."""
    for name, described in data.describe().items():
        counts = ", ".join(f"{count:,} {make_printable(label)}" for label, count in described["labels"].items())
        dropped = ", ".join(f"{count:,} {reason}" for reason, count in described["dropped"].items())
        notes = [f"left out: {dropped}"] if dropped else []
        if prepared.num_cut[name]:
            notes.append(f"{prepared.num_cut[name]:,} cut to {prepared.max_length} tokens")
        print("; ".join([f"{name}: {described['rows']:,} texts ({counts})", *notes]))


def identify(arguments: ClassifierArguments, data: LabelledSplits) -> dict[str, Any]:
    """What decides the weights of a run, by name."""
    from darija_gpt.finetuning.sealed_checkpoints import describe_origin

    recipe = {
        key: value
        for key, value in asdict(arguments).items()
        if key not in ("output_dir", "results_readme", "baseline")
    }
    texts = {name: [[row.text, row.pair, row.label] for row in rows] for name, rows in data.splits.items()}
    origin = describe_origin(arguments.model, arguments.adapter)
    return {"recipe": json.loads(json.dumps(recipe, default=str)), **origin, "data": texts}
