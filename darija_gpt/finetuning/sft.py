"""Supervised fine-tuning with TRL: a causal language model and dataset/ -> a model that replies, or writes in a style.

Of a conversation the loss covers what the assistant says, the token that ends its turn included, and nothing else.
"""

import hashlib
import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import torch
from trl import SFTConfig

from darija_gpt.data.dataset_directory import load_dataset_directory
from darija_gpt.faults import exit_by_fault
from darija_gpt.finetuning.chat_templates import ChatTemplate
from darija_gpt.finetuning.trl_training import check_numbers
from darija_gpt.fingerprint import hash_split
from darija_gpt.hardware import check_fp16, describe_machine, resolve_precision
from darija_gpt.missing_inputs import make_missing_dataset
from darija_gpt.output import require_new, write_directory


# Fields of SFTConfig that this stage does not follow, and what to do instead.
NOT_FOLLOWED = {
    "push_to_hub": "publish.py pushes a model, once it is measured and audited",
    "resume_from_checkpoint": "the same command goes on from its last checkpoint by itself",
    "chat_template_path": "chat_template gives a model a template",
    "model_init_kwargs": "model, quantization and adapter say what is loaded",
    "trust_remote_code": "code that comes with a model is never run",
    "dataset_kwargs": "prepare_data.py makes the dataset",
    "dataset_text_field": "prepare_data.py makes the dataset, with text_column for a column of another name",
    "eos_token": "it is found in the chat template",
    "pad_token": "none is needed",
    "padding_free": "packing spares the padding",
    "packing_strategy": "packing keeps examples whole",
    "eval_packing": "validation is packed as training is",
    "truncation_mode": "conversations are divided between exchanges, never cut",
    "shuffle_dataset": "each epoch draws an order of its own",
    "completion_only_loss": "assistant_only_loss says what is learnt",
}
# Fields that change nothing in the weights of a run.
WITHOUT_INFLUENCE = {
    *("output_dir", "merge", "dataset_recipe", "report_to", "run_name", "disable_tqdm", "use_cpu", "project"),
    *("logging_steps", "logging_strategy", "logging_first_step", "log_level", "log_level_replica", "logging_dir"),
    *("trackio_space_id", "save_total_limit", "dataloader_num_workers", "dataloader_pin_memory", "dataset_num_proc"),
}


@dataclass(kw_only=True)
class FinetuneArguments(SFTConfig):
    """TRL's SFTConfig with the model, the dataset and the method; every field of SFTConfig is a key of the recipe."""

    model: str = field(metadata={"help": "directory that pretrain.py wrote, or a causal language model of the Hub"})
    dataset: Path = field(metadata={"help": "directory that prepare_data.py wrote"})
    output_dir: Path = field(metadata={"help": "directory to write the chat model to"})
    dataset_recipe: Path | None = field(
        default=None, metadata={"help": "the recipe of prepare_data.py that makes the dataset where it is missing"}
    )
    chat_template: ChatTemplate | None = field(
        default=None,
        metadata={"help": "chatml or llama2: a template for a model without one, with the control tokens it needs"},
    )
    lora: dict[str, Any] | None = field(
        default=None,
        metadata={"help": "fields of PEFT's LoraConfig, use_dora among them; without them all weights are trained"},
    )
    quantization: Literal["4bit"] | None = field(
        default=None, metadata={"help": "4bit holds the weights that lora leaves alone in 4 bits (QLoRA), on a GPU"}
    )
    adapter: Path | None = field(
        default=None, metadata={"help": "LoRA adapter of an earlier run, merged into the model before it learns"}
    )
    merge: bool = field(
        default=True, metadata={"help": "with lora, write the whole model too; false writes the adapter alone"}
    )
    freeze_layers: int | None = field(
        default=None, metadata={"help": "lower layers to freeze with the embeddings; 0 freezes the embeddings alone"}
    )
    freeze_patterns: list[str] = field(
        default_factory=list, metadata={"help": "regular expressions of the names of weights to freeze"}
    )
    max_length: int | None = field(
        default=None, metadata={"help": "tokens per example; what the model reads, up to 4096, by default"}
    )
    skip_unusable: bool = field(
        default=False, metadata={"help": "leave out and count what cannot be learnt, instead of refusing it"}
    )
    assistant_only_loss: bool = field(
        default=True, metadata={"help": "learn what the assistant says; false learns all tokens, and plain texts too"}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "end after so many validations that were not better"}
    )
    bf16: bool | None = field(default=None, metadata={"help": "bf16 where it is fast, unless set"})
    use_cpu: bool | None = field(default=None, metadata={"help": "train on the CPU; by default where there is no GPU"})
    activation_checkpointing: bool | None = field(default=False, metadata={"help": "less memory for more time"})
    learning_rate: float = field(default=5e-4, metadata={"help": "highest learning rate"})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "how the learning rate falls"})
    warmup_steps: float = field(default=0.05, metadata={"help": "steps of warm-up, or below 1 their share"})
    train_sampling_strategy: str = field(
        default="group_by_length", metadata={"help": "batches of examples of like length, for less padding; or random"}
    )
    eval_strategy: str = field(default="epoch", metadata={"help": "when to measure the validation loss"})
    save_strategy: str | None = field(
        default=None, metadata={"help": "when to write checkpoints; as eval_strategy by default"}
    )
    save_steps: float | None = field(default=None, metadata={"help": "as eval_steps by default"})
    save_total_limit: int | None = field(default=2, metadata={"help": "checkpoints to keep, the best among them"})
    load_best_model_at_end: bool | None = field(
        default=None, metadata={"help": "keep the weights of the lowest validation loss, unless none is measured"}
    )
    restore_callback_states_from_checkpoint: bool = field(
        default=True, metadata={"help": "go on counting validations without progress after a resumption"}
    )
    logging_steps: float = field(default=20, metadata={"help": "steps between two lines of log"})
    disable_tqdm: bool | None = field(default=True, metadata={"help": "no progress bar beside the lines"})
    report_to: str | list[str] | None = field(default="none", metadata={"help": "tensorboard, trackio or none"})

    def __post_init__(self):
        self._check()
        if self.bf16 is None:
            self.bf16 = not self.fp16 and resolve_precision("auto") == "bf16"
        if self.fp16:
            check_fp16("fp16=true", "leave it out, or set bf16=true")
        if self.use_cpu is None:
            self.use_cpu = not torch.accelerator.is_available()
        if self.save_strategy is None:
            self.save_strategy = self.eval_strategy if self.eval_strategy != "no" else "epoch"
        if self.save_steps is None:
            self.save_steps = self.eval_steps or self.logging_steps
        if self.load_best_model_at_end is None:
            self.load_best_model_at_end = self.eval_strategy != "no"
        self.output_dir = str(self.output_dir)
        super().__post_init__()

    def _check(self) -> None:
        for name, remedy in NOT_FOLLOWED.items():
            if getattr(self, name) != SFTConfig.__dataclass_fields__[name].default:
                raise ValueError(f"{name} is not followed here: {remedy}; leave it out.")
        check_numbers(self)
        if self.lora is not None and (self.freeze_layers is not None or self.freeze_patterns):
            raise ValueError("lora freezes all weights of the model; leave out freeze_layers and freeze_patterns.")
        if self.lora is None and (self.quantization or not self.merge):
            name = "quantization" if self.quantization else "merge=False"
            raise ValueError(f"{name} is for an adapter, and there is none without lora; give lora.")
        if self.quantization and self.adapter:
            raise ValueError("an adapter cannot be merged into quantised weights; leave out adapter or quantization.")
        if self.early_stopping_patience is not None and (
            self.early_stopping_patience < 1 or self.eval_strategy == "no" or self.load_best_model_at_end is False
        ):
            raise ValueError(
                f"early_stopping_patience={self.early_stopping_patience} must be positive, and it needs a validation "
                "loss to watch and to keep the best weights of; leave out eval_strategy and load_best_model_at_end."
            )

    @property
    def method(self) -> str:
        """full, frozen, lora, dora, or the last two with a q before them."""
        if self.lora is not None:
            return ("q" if self.quantization else "") + ("dora" if self.lora.get("use_dora") else "lora")
        return "full" if self.freeze_layers is None and not self.freeze_patterns else "frozen"


def finetune(arguments: FinetuneArguments) -> None:
    """The fine-tune stage, to be run by `python` or `accelerate launch`.

    Raises:
        ValueError: If an input is missing or wrong, before anything is written.
        SystemExit: If the run has to end before its last step; `faults` tells the codes.
    """
    with exit_by_fault():
        _finetune(arguments)


def _finetune(arguments: FinetuneArguments) -> None:
    import datasets
    from accelerate import PartialState
    from accelerate.utils import set_seed

    from darija_gpt.evaluation.audited_files import list_training_data
    from darija_gpt.finetuning.freezing import describe_trainable, spell_trainable
    from darija_gpt.finetuning.sealed_checkpoints import claim_directory, discard, locate_checkpoints
    from darija_gpt.finetuning.sft_batches import check_packing
    from darija_gpt.finetuning.sft_examples import build_examples, describe_examples, find_end_token
    from darija_gpt.finetuning.sft_preparation import adapt_model, prepare, save_chat_model
    from darija_gpt.finetuning.sft_trainer import train_sft
    from darija_gpt.finetuning.trl_training import check_packages, keep_event_files

    output_dir = require_new(arguments.output_dir)
    make_missing_dataset(arguments.dataset, arguments.dataset_recipe)
    rows = load_dataset_directory(arguments.dataset)
    trained_on = {*list_training_data(arguments.model, arguments.adapter), hash_split(arguments.dataset, "train")}
    datasets.disable_progress_bars()
    state = PartialState(cpu=arguments.use_cpu)
    set_seed(arguments.seed)
    prepared = prepare(arguments, has_chats=any(rows["train"]["messages"]))
    examples = {}
    for split in ("train", "validation"):
        examples[split], left_out = build_examples(
            prepared.tokenizer,
            rows[split],
            split=split,
            max_length=prepared.max_length,
            assistant_only_loss=arguments.assistant_only_loss,
            skip_unusable=arguments.skip_unusable,
            packing=arguments.packing,
        )
        if state.is_main_process:
            print(describe_examples(split, examples[split], left_out))
    if arguments.packing:
        check_packing(prepared.model, arguments.model)
    model = adapt_model(prepared, arguments)
    check_packages(arguments, model)
    counts = describe_trainable(model)
    end_token = find_end_token(prepared.tokenizer, rows["train"]["messages"])
    checkpoints = locate_checkpoints(output_dir)
    if state.is_main_process:
        print(f"{arguments.method}: {spell_trainable(counts)}")
    with claim_directory(checkpoints, identify(arguments, examples)):
        training = train_sft(model, prepared.tokenizer, examples, arguments, checkpoints, end_token)
    if not state.is_main_process:
        return
    summary = {
        "stage": "finetune",
        "method": arguments.method,
        **counts,
        "examples": len(examples["train"]),
        "trained_on": sorted(trained_on),
        **vars(training),
        **describe_machine(state, "bf16" if arguments.bf16 else "no"),
    }
    with write_directory(output_dir) as directory:
        save_chat_model(model, prepared, arguments, directory, summary)
        keep_event_files(checkpoints, directory)
    discard(checkpoints)
    print(f"validation loss {training.validation_loss:.4f} after epoch {training.best_epoch:g} -> {output_dir}")


def identify(arguments: FinetuneArguments, examples: dict[str, Any]) -> dict[str, Any]:
    """What decides the weights of a run, by name."""
    from darija_gpt.finetuning.sealed_checkpoints import describe_origin

    recipe = {
        entry.name: json.loads(json.dumps(getattr(arguments, entry.name), default=str))
        for entry in fields(arguments)
        if entry.init and entry.name not in WITHOUT_INFLUENCE
    }
    digests = {}
    for name, dataset in examples.items():
        digest = hashlib.sha256()
        for row in dataset.with_format("numpy", columns=["input_ids", "labels"]):
            digest.update(row["input_ids"].tobytes() + row["labels"].tobytes())
        digests[name] = digest.hexdigest()
    origin = describe_origin(arguments.model, arguments.adapter)
    return {**recipe, **origin, "content of the dataset": digests}
