"""Supervised fine-tuning with TRL: base/ and the conversations of dataset/ -> chat/, whole models or LoRA adapters.

The loss covers what the assistant says, `<|im_end|>` included, and nothing else.
"""

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from trl import SFTConfig

from darija_gpt.data.corpus import load_dataset_directory
from darija_gpt.generation import Messages, count_context_tokens
from darija_gpt.hardware import describe_machine, resolve_precision, use_all_cores
from darija_gpt.loading import load_model
from darija_gpt.output import require_new, write_directory
from darija_gpt.recipe import check_keys
from darija_gpt.tokenizer import TURN_END, render_messages, save_tokenizer


@dataclass(kw_only=True)
class FinetuneArguments(SFTConfig):
    """TRL's SFTConfig with the model, the dataset and LoRA; every field of SFTConfig is a key of the recipe."""

    model: str = field(metadata={"help": "directory that pretrain.py wrote, or a causal language model of the Hub"})
    dataset: Path = field(metadata={"help": "directory that prepare_data.py wrote, with messages"})
    output_dir: Path = field(metadata={"help": "directory to write the chat model to"})
    lora: dict[str, Any] | None = field(
        default=None, metadata={"help": "fields of PEFT's LoraConfig; without them all weights are trained"}
    )
    max_length: int | None = field(
        default=None, metadata={"help": "tokens per training example; the model's context by default"}
    )
    assistant_only_loss: bool = field(default=True, metadata={"help": "learn the assistant's turns only"})
    eos_token: str | None = field(default=TURN_END, metadata={"help": "token that ends a reply"})
    bf16: bool | None = field(default=None, metadata={"help": "bf16 where it is fast, unless set"})
    use_cpu: bool | None = field(default=None, metadata={"help": "train on the CPU; by default where there is no GPU"})
    activation_checkpointing: bool | None = field(default=False, metadata={"help": "less memory for more time"})
    learning_rate: float = field(default=5e-4, metadata={"help": "highest learning rate"})
    lr_scheduler_type: str = field(default="cosine", metadata={"help": "how the learning rate falls"})
    warmup_steps: float = field(default=0.05, metadata={"help": "steps of warm-up, or below 1 their share"})
    eval_strategy: str = field(default="epoch", metadata={"help": "when to measure the validation loss"})
    save_strategy: str = field(default="no", metadata={"help": "when to write checkpoints"})
    logging_steps: float = field(default=20, metadata={"help": "steps between two lines of log"})
    report_to: str | list[str] | None = field(default="none", metadata={"help": "tensorboard, trackio or none"})

    def __post_init__(self):
        if self.bf16 is None:
            self.bf16 = resolve_precision("auto") == "bf16"
        if self.use_cpu is None:
            self.use_cpu = not torch.accelerator.is_available()
        self.output_dir = str(self.output_dir)
        super().__post_init__()


def finetune(arguments: FinetuneArguments) -> None:
    """The fine-tune stage: trains on the conversations of the train split and writes the model to `output_dir`."""
    import datasets
    from accelerate import PartialState
    from trl import SFTTrainer

    output_dir = require_new(arguments.output_dir)
    dataset = load_dataset_directory(arguments.dataset)
    peft_config = build_lora_config(arguments.lora)
    model, tokenizer = load_model(arguments.model)
    if tokenizer.chat_template is None:
        raise ValueError(f"{arguments.model} has a tokenizer without a chat template; fine-tune a model that has one.")
    if arguments.max_length is None:
        arguments.max_length = count_context_tokens(model)
    datasets.disable_progress_bars()
    examples, left_out = {}, {}
    for split in ("train", "validation"):
        examples[split], left_out[split] = build_examples(
            dataset[split]["messages"], lambda messages: count_tokens(tokenizer, messages), arguments.max_length
        )
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in left_out[split].items()) or "nothing"
        print(f"{split}: {len(examples[split]):,} examples; left out: {reasons}")
        if not len(examples[split]):
            raise ValueError(
                f"{arguments.dataset} has no reply of the assistant in its {split} split that fits into "
                f"max_length={arguments.max_length}; run prepare_data.py with --assistant, or raise max_length."
            )

    # All processes train, one of them writes.
    is_main_process = PartialState(cpu=arguments.use_cpu).is_main_process
    with write_directory(output_dir) if is_main_process else TemporaryDirectory() as directory:
        arguments.output_dir = str(Path(directory) / "checkpoints")
        trainer = SFTTrainer(
            model=model,
            args=arguments,
            train_dataset=examples["train"],
            eval_dataset=examples["validation"],
            processing_class=tokenizer,
            peft_config=peft_config,
        )
        use_all_cores(trainer.accelerator.state)
        started = time.perf_counter()
        result = trainer.train()
        summary = {
            "stage": "finetune",
            "method": "full" if peft_config is None else "lora",
            **count_parameters(trainer.model),
            "examples": len(examples["train"]),
            "epochs": round(trainer.state.epoch, 2),
            "steps": trainer.state.global_step,
            "wall_seconds": round(time.perf_counter() - started, 1),
            "train_loss": round(result.training_loss, 4),
            "validation_loss": round(trainer.evaluate()["eval_loss"], 4),
            **describe_machine(trainer.accelerator.state, "bf16" if arguments.bf16 else "no"),
        }
        if is_main_process:
            save_chat_model(trainer.model, tokenizer, Path(arguments.model), directory, summary)
            shutil.rmtree(directory / "checkpoints", ignore_errors=True)
            print(
                f"{summary['trainable_parameters']:,} of {summary['parameters']:,} parameters trained, "
                f"validation loss {summary['validation_loss']:.4f} -> {output_dir}"
            )


def build_lora_config(lora: dict[str, Any] | None):
    """PEFT's LoraConfig from a recipe's `lora:` mapping, None without one.

    Raises:
        ValueError: If a field is unknown or its value is refused.
    """
    if lora is None:
        return None
    from peft import LoraConfig

    check_keys(lora, [config_field.name for config_field in fields(LoraConfig)], "lora")
    try:
        return LoraConfig(**{"task_type": "CAUSAL_LM", "target_modules": "all-linear", **lora})
    except TypeError as error:
        raise ValueError(f"lora: {error}") from error


def count_tokens(tokenizer, messages: Messages) -> int:
    """Tokens of messages under the chat template."""
    return len(render_messages(tokenizer, messages)["input_ids"])


def build_examples(
    conversations: Iterable[Messages | None], count: Callable[[Messages], int], max_length: int
) -> tuple[Dataset, Counter]:
    """Conversations as training examples that fit, none of them cut inside a turn.

    Args:
        conversations (`Iterable`):
            The messages of each row, or None for plain text.
        count (`Callable`):
            Tokens of messages.
        max_length (`int`):
            Tokens per example.

    Returns:
        `Dataset` with a column `messages`, and a `Counter` of what was left out and why: rows without messages, turns
        that no reply followed or no question preceded, exchanges that are too long on their own.
    """
    examples, left_out = [], Counter()
    for messages in conversations:
        if not messages:
            left_out["plain text"] += 1
            continue
        window: Messages = []
        for exchange in pair_turns(messages, left_out):
            if window and count(window + exchange) > max_length:
                examples.append(window)
                window = []
            if not window and count(exchange) > max_length:
                left_out["too long"] += 1
                continue
            window = window + exchange
        if window:
            examples.append(window)
    return Dataset.from_dict({"messages": examples}), left_out


def pair_turns(messages: Messages, left_out: Counter) -> Iterable[Messages]:
    """The exchanges of a conversation: a user's turn (behind a system prompt, if there is one) and its reply."""
    pending: Messages = []
    for message in messages:
        pending.append(message)
        if message["role"] != "assistant":
            continue
        if len(pending) == 1:
            left_out["reply without a question"] += 1
        else:
            yield pending
        pending = []
    if pending:
        left_out["question without a reply"] += 1


def count_parameters(model) -> dict[str, int]:
    """All parameters and those that training changes."""
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "trainable_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }


def save_chat_model(model, tokenizer, base: Path, directory: Path, summary: dict[str, Any]) -> None:
    """Writes a model that loads by itself; a LoRA adapter is merged into it and kept in `adapter/` beside it."""
    if summary["method"] == "lora":
        model.save_pretrained(directory / "adapter")
        if base.is_absolute():
            # An adapter is published with the name of its base; what stands above that folder concerns nobody.
            adapter_config = model.active_peft_config
            adapter_config.base_model_name_or_path, adapter_config.inference_mode = base.name, True
            adapter_config.save_pretrained(directory / "adapter")
        # PEFT's own card, which names the path of the base model.
        (directory / "adapter" / "README.md").unlink(missing_ok=True)
        model = model.merge_and_unload()
    model.config.use_cache = True  # TRL turns it off for training
    model.save_pretrained(directory)
    save_tokenizer(tokenizer, directory)
    base_summary, tokenizer_report = base / "training_summary.json", base / "tokenizer_report.json"
    if base_summary.is_file():
        summary = {**summary, "base": json.loads(base_summary.read_text(encoding="utf-8"))}
    if tokenizer_report.is_file():
        shutil.copyfile(tokenizer_report, directory / tokenizer_report.name)
    (directory / "training_summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
