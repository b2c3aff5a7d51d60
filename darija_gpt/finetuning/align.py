"""Alignment with TRL: a chat model and pairs of replies -> the model that gives the better one more often.

Direct preference optimisation (Rafailov et al. 2023): the model learns to find the better of two replies likelier than
it did at the beginning, and the worse one less so. The model that it was at the beginning stays as the reference.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from trl import DPOConfig

from darija_gpt.data.preferences import Preference, PreferenceSource, PreferenceSplits, load_preference_splits
from darija_gpt.faults import exit_by_fault
from darija_gpt.finetuning.adapters import build_lora_config
from darija_gpt.finetuning.sft import WITHOUT_INFLUENCE
from darija_gpt.finetuning.trl_training import check_numbers
from darija_gpt.fingerprint import hash_record
from darija_gpt.hardware import check_fp16, describe_machine, resolve_precision
from darija_gpt.output import require_new, require_section, write_directory
from darija_gpt.recipe import check_keys


if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

# Fields of DPOConfig that this stage does not follow, and what to do instead.
NOT_FOLLOWED = {
    "push_to_hub": "publish.py pushes a model, once it is measured and audited",
    "resume_from_checkpoint": "the same command goes on from its last checkpoint by itself",
    "model_init_kwargs": "model and adapter say what is loaded",
    "trust_remote_code": "code that comes with a model is never run",
    "pad_token": "none is needed",
    "padding_free": "TRL has none at present",
    "truncation_mode": "a pair that is too long is left out, never cut",
}
# What TRL's DPOTrainer knows; it looks at the name when the first batch comes.
LOSS_TYPES = (
    *("sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired"),
    *("apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm"),
)


@dataclass(kw_only=True)
class AlignArguments(DPOConfig):
    """TRL's DPOConfig with the model, the preferences and LoRA; every field of DPOConfig is a key of the recipe."""

    model: str = field(metadata={"help": "directory that finetune.py wrote, or a chat model of the Hub"})
    train: PreferenceSource = field(
        metadata={"help": "pairs of replies: path, chosen_column, rejected_column, ... (as a mapping)"}
    )
    output_dir: Path = field(metadata={"help": "directory to write the aligned model to"})
    validation: PreferenceSource | None = field(
        default=None, metadata={"help": "the pairs to measure on; a share of train by default"}
    )
    validation_fraction: float = field(default=0.1, metadata={"help": "share of the prompts of train to hold back"})
    lora: dict[str, Any] | None = field(
        default=None,
        metadata={"help": "fields of PEFT's LoraConfig, use_dora among them; without them all weights are trained"},
    )
    adapter: Path | None = field(
        default=None, metadata={"help": "LoRA adapter of an earlier run, merged into the model before it learns"}
    )
    merge: bool = field(
        default=True, metadata={"help": "with lora, write the whole model too; false writes the adapter alone"}
    )
    max_length: int | None = field(
        default=None,
        metadata={"help": "tokens of a prompt and a reply; what the model reads, up to 4096, by default"},
    )
    bf16: bool | None = field(default=None, metadata={"help": "bf16 where it is fast, unless set"})
    use_cpu: bool | None = field(default=None, metadata={"help": "train on the CPU; by default where there is no GPU"})
    activation_checkpointing: bool | None = field(default=False, metadata={"help": "less memory for more time"})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "how the learning rate falls"})
    warmup_steps: float = field(default=0.1, metadata={"help": "steps of warm-up, or below 1 their share"})
    num_train_epochs: float = field(default=1, metadata={"help": "passes over the pairs"})
    eval_strategy: str = field(default="epoch", metadata={"help": "when to measure on the pairs held back"})
    save_strategy: str = field(default="epoch", metadata={"help": "when to write checkpoints to go on from"})
    save_total_limit: int | None = field(default=2, metadata={"help": "checkpoints to keep; all go at the end"})
    disable_tqdm: bool | None = field(default=True, metadata={"help": "no progress bar beside the lines"})
    logging_steps: float = field(default=20, metadata={"help": "steps between two lines of log"})
    report_to: str | list[str] | None = field(default="none", metadata={"help": "tensorboard, trackio or none"})
    results_readme: Path | None = field(
        default=None,
        metadata={"help": "a Markdown file to hold the results between its two alignment marks"},
    )

    # As of fine-tuning: what is aligned replies already, and its weights are as they were saved.
    chat_template = quantization = None

    def __post_init__(self):
        for name, remedy in NOT_FOLLOWED.items():
            if getattr(self, name) != DPOConfig.__dataclass_fields__[name].default:
                raise ValueError(f"{name} is not followed here: {remedy}; leave it out.")
        if self.bf16 is None:
            self.bf16 = not self.fp16 and resolve_precision("auto") == "bf16"
        if self.fp16:
            check_fp16("fp16=true", "leave it out, or set bf16=true")
        if self.use_cpu is None:
            self.use_cpu = not torch.accelerator.is_available()
        self.output_dir = str(self.output_dir)
        super().__post_init__()
        check_numbers(self)
        check_keys(self.loss_type, LOSS_TYPES, "loss_type")
        for name, is_legal, expected in (
            ("beta", self.beta > 0, "positive; try 0.1"),
            ("validation_fraction", 0 < self.validation_fraction < 1, "between 0 and 1; try 0.1"),
            (
                "sync_ref_model",
                not self.sync_ref_model or self.lora is None,
                "false with lora, where the reference is the model without its adapter",
            ),
            ("merge", self.merge or self.lora is not None, "true without lora, as there is no adapter to write alone"),
        ):
            if not is_legal:
                raise ValueError(f"{name}={getattr(self, name)} must be {expected}.")
        if self.disable_dropout and (self.lora or {}).get("lora_dropout"):
            raise ValueError(
                "lora.lora_dropout does nothing while disable_dropout is true, as alignment is used to; leave it out, "
                "or say disable_dropout: false."
            )

    @property
    def method(self) -> str:
        """full, lora or dora."""
        if self.lora is None:
            return "full"
        return "dora" if self.lora.get("use_dora") else "lora"


def align(arguments: AlignArguments) -> None:
    """The alignment stage, to be run by `python` or `accelerate launch`.

    Raises:
        ValueError: If an input is missing or wrong, before anything is written.
        SystemExit: If the run has to end before its last step; `faults` tells the codes.
    """
    with exit_by_fault():
        _align(arguments)


def _align(arguments: AlignArguments) -> None:
    import datasets
    from accelerate import PartialState

    from darija_gpt.evaluation.audited_files import list_training_data
    from darija_gpt.finetuning.alignment_report import SECTION, print_results, write_results
    from darija_gpt.finetuning.freezing import describe_trainable, spell_trainable
    from darija_gpt.finetuning.preference_trainer import build_trainer, measure_pairs, train_preferences
    from darija_gpt.finetuning.sealed_checkpoints import claim_directory, discard, locate_checkpoints
    from darija_gpt.finetuning.sft_preparation import prepare, save_chat_model
    from darija_gpt.finetuning.trl_training import keep_event_files

    output_dir = require_new(arguments.output_dir)
    require_section(arguments.results_readme, SECTION)
    data = load_preference_splits(
        arguments.train, arguments.validation, validation_fraction=arguments.validation_fraction, seed=arguments.seed
    )
    lora = None if arguments.lora is None else build_lora_config(arguments.lora)
    datasets.disable_progress_bars()
    state = PartialState(cpu=arguments.use_cpu)
    prepared = prepare(arguments, has_chats=False)
    examples = encode_splits(arguments, prepared.tokenizer, data, prepared.max_length, is_shown=state.is_main_process)
    pairs = hash_record(_list_pairs(data.splits["train"]))
    trained_on = {*list_training_data(arguments.model, arguments.adapter), pairs}
    checkpoints = locate_checkpoints(output_dir)
    with claim_directory(checkpoints, identify(arguments, data)):
        trainer = build_trainer(prepared.model, prepared.tokenizer, examples, arguments, lora, checkpoints)
        counts = describe_trainable(trainer.model)
        if state.is_main_process:
            print(f"{arguments.method}: {spell_trainable(counts)}")
        reference = measure_pairs(trainer)
        training = train_preferences(trainer, checkpoints)
    aligned = measure_pairs(trainer)
    if not state.is_main_process:
        return

    summary = {
        "stage": "align",
        "method": arguments.method,
        **counts,
        "beta": arguments.beta,
        "loss_type": arguments.loss_type,
        "trained_on": sorted(trained_on),
        "pairs": {split: len(rows) for split, rows in examples.items()},
        **vars(training),
        "validation_loss": round(aligned.loss, 4),
        "before": reference.describe(reference, arguments.beta),
        "after": aligned.describe(reference, arguments.beta),
        **describe_machine(state, "bf16" if arguments.bf16 else "no"),
    }
    with write_directory(output_dir) as directory:
        save_chat_model(trainer.model, prepared, arguments, directory, summary)
        keep_event_files(checkpoints, directory)
    discard(checkpoints)
    if arguments.results_readme is not None:
        write_results(summary, arguments.results_readme)
    print_results(summary, output_dir)


def encode_splits(
    arguments: AlignArguments,
    tokenizer: "PreTrainedTokenizerBase",
    data: PreferenceSplits,
    max_length: int,
    *,
    is_shown: bool,
) -> dict[str, "Dataset"]:
    """The preferences of each split as tokens, with a line of what was left out where it is shown.

    Raises:
        ValueError: If the model does not reply to people, or a split has nothing that it can read.
    """
    from darija_gpt.finetuning.chat_templates import mend_chat_template
    from darija_gpt.finetuning.preferences import encode_preferences

    if tokenizer.chat_template is None:
        raise ValueError(f"{arguments.model} has a tokenizer without a chat template; align a model that has one.")
    mend_chat_template(tokenizer)
    examples = {}
    for split, preferences in data.splits.items():
        examples[split], left_out = encode_preferences(tokenizer, preferences, max_length)
        if is_shown:
            counts = sorted((data.dropped[split] + left_out).items())
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts) or "nothing"
            print(f"{split}: {len(examples[split]):,} pairs of replies; left out: {reasons}")
        if not len(examples[split]):
            raise ValueError(
                f"no pair of {split} fits into max_length={max_length} tokens; give shorter ones, or a model that "
                "reads more."
            )
    return examples


def _list_pairs(preferences: Sequence[Preference]) -> list[list[Any]]:
    return [[pair.prompt, pair.chosen, pair.rejected] for pair in preferences]


def identify(arguments: AlignArguments, data: PreferenceSplits) -> dict[str, Any]:
    """What decides the weights of a run, by name."""
    from darija_gpt.finetuning.sealed_checkpoints import describe_origin

    recipe = {
        entry.name: json.loads(json.dumps(getattr(arguments, entry.name), default=str))
        for entry in fields(arguments)
        if entry.init and entry.name not in {*WITHOUT_INFLUENCE, "results_readme"}
    }
    pairs = {split: _list_pairs(preferences) for split, preferences in data.splits.items()}
    origin = describe_origin(arguments.model, arguments.adapter)
    return {**recipe, **origin, "content of the preferences": pairs}
