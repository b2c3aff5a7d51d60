"""Pretraining: dataset/ and tokenizer/ -> base/, in a run that goes on where it was stopped."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from darija_gpt import durable
from darija_gpt.architectures import Architecture, load_classes
from darija_gpt.data.dataset_directory import load_dataset_directory
from darija_gpt.data.streams import StreamArguments, check_sources
from darija_gpt.encoding import check_opening
from darija_gpt.faults import exit_by_fault, watch_processes
from darija_gpt.hardware import accept_mixed_norms, describe_machine, keep_freed_memory, use_all_cores
from darija_gpt.missing_inputs import make_missing_inputs
from darija_gpt.model_fields import build_config, check_model, choose_block_size
from darija_gpt.records import SUMMARY_FILE
from darija_gpt.run_record import TOKENS, check_run, check_unfinished, own_run
from darija_gpt.stop_request import catch_signals
from darija_gpt.tokenizer import load_tokenizer, save_tokenizer
from darija_gpt.trackers import check_trackers, configure_trackers
from darija_gpt.training_bounds import BOUNDS, check_bounds


@dataclass
class PretrainArguments:
    dataset: Path = field(metadata={"help": "directory that prepare_data.py wrote"})
    tokenizer: Path = field(metadata={"help": "directory that train_tokenizer.py wrote"})
    output_dir: Path = field(metadata={"help": "directory of the run; it ends as the model"})
    dataset_recipe: Path | None = field(
        default=None, metadata={"help": "recipe of prepare_data.py, to make the dataset with where it is missing"}
    )
    tokenizer_recipe: Path | None = field(
        default=None, metadata={"help": "recipe of train_tokenizer.py, to make the tokenizer with where it is missing"}
    )
    architecture: Architecture = field(
        default="darija_gpt", metadata={"help": "what is trained; neural_lm is that of Bengio et al. 2003"}
    )
    model: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "fields of DarijaGPTConfig; one of them: --model.norm layernorm"}
    )
    block_size: int | None = field(
        default=None, metadata={"help": "tokens per block; the model's max_position_embeddings by default"}
    )
    packing: Literal["separate", "wrapped"] = field(
        default="separate",
        metadata={"help": "of documents in a block: attention stays within each (separate) or crosses all (wrapped)"},
    )
    num_train_epochs: float = field(default=3.0, metadata={"help": "passes over the training documents"})
    max_steps: int | None = field(default=None, metadata={"help": "steps of the run, in place of num_train_epochs"})
    stream: StreamArguments | None = field(
        default=None,
        metadata={
            "help": "read and encode training documents on the way, for data too large to be prepared: a mapping with "
            "sources, num_lanes, shuffle_buffer; needs max_steps"
        },
    )
    token_cache: Path | None = field(
        default=None,
        metadata={
            "help": "where encoded splits lie, for other runs too; within output_dir, and for the run, by default"
        },
    )
    dataloader_num_workers: int = field(
        default=0, metadata={"help": "processes beside each that trains, to make its batches ready; 0 for none"}
    )
    per_device_train_batch_size: int = field(default=8, metadata={"help": "blocks per process and forward pass"})
    gradient_accumulation_steps: int = field(default=1, metadata={"help": "forward passes per step"})
    optimizer: Literal["adamw", "muon"] = field(
        default="muon", metadata={"help": "muon trains the hidden matrices, and AdamW the rest then"}
    )
    learning_rate: float = field(default=6e-3, metadata={"help": "highest learning rate of AdamW"})
    schedule: Literal["cosine", "linear", "constant", "wsd"] = field(
        default="linear", metadata={"help": "how learning rates fall; wsd stays high and falls at the end"}
    )
    final_learning_rate_ratio: float = field(default=0.0, metadata={"help": "last learning rate over the highest"})
    warmup_ratio: float = field(default=0.02, metadata={"help": "share of the steps in which the rate rises"})
    cooldown_ratio: float = field(
        default=0.2, metadata={"help": "share of the other steps in which wsd falls; 0 for none"}
    )
    muon_learning_rate: float = field(default=0.01, metadata={"help": "highest learning rate of Muon"})
    muon_momentum: float = field(default=0.95, metadata={"help": "Muon's momentum"})
    muon_weight_decay: float = field(default=0.0, metadata={"help": "of the hidden matrices, with Muon"})
    muon_orthogonalization: Literal["newton_schulz", "polar_express"] = field(
        default="polar_express", metadata={"help": "Muon's iteration: five steps as published, or four better ones"}
    )
    weight_decay: float = field(default=0.1, metadata={"help": "of matrices, not of norms and biases"})
    adam_beta1: float = field(default=0.9, metadata={"help": "AdamW's first beta"})
    adam_beta2: float = field(default=0.95, metadata={"help": "AdamW's second beta"})
    dropout_schedule: Literal["constant", "early", "late"] = field(
        default="constant", metadata={"help": "the part of the run in which the model's dropout is on"}
    )
    dropout_ratio: float = field(default=0.5, metadata={"help": "that part, as a share of the steps"})
    weight_average_decay: float | None = field(
        default=None, metadata={"help": "keep a moving average of the weights, which becomes the model; try 0.999"}
    )
    z_loss: float = field(default=0.0, metadata={"help": "weight of the squared log of the softmax's sum; try 1e-4"})
    goldfish_ratio: float = field(
        default=0.0,
        metadata={
            "help": "share of the tokens that are left out of the loss, the same ones in the same text, so that the "
            "model recites and recognises its texts less; try 0.5, and more epochs"
        },
    )
    max_grad_norm: float = field(default=1.0, metadata={"help": "longer gradients are cut to this norm"})
    mixed_precision: Literal["auto", "no", "bf16", "fp16"] = field(
        default="auto", metadata={"help": "auto is bf16 where it is fast, fp16 on other GPUs, else no"}
    )
    activation_checkpointing: bool = field(default=False, metadata={"help": "less memory for more time"})
    torch_compile: bool = field(default=False, metadata={"help": "compile the layers first; pays in longer runs"})
    spike_threshold: float | None = field(
        default=10.0,
        metadata={"help": "skip steps whose loss or gradient is so many robust deviations too high; null skips none"},
    )
    eval_steps: int = field(default=200, metadata={"help": "steps between two validation losses"})
    save_steps: int = field(default=200, metadata={"help": "steps between two checkpoints"})
    save_total_limit: int = field(default=2, metadata={"help": "newest checkpoints that are kept, beside the best"})
    seed: int = field(default=0, metadata={"help": "of weights, dropout and order"})
    report_to: list[str] = field(
        default_factory=list, metadata={"help": "trackers beside the files: tensorboard, trackio; in output_dir"}
    )
    report_samples: bool = field(default=False, metadata={"help": "show the trackers the samples, too"})
    sample_prompts: list[str] = field(
        default_factory=list,
        metadata={
            "help": "what the model continues at each evaluation, for the screen and samples.jsonl; a model of "
            "private chats may repeat them there"
        },
    )
    sample_max_new_tokens: int = field(default=40, metadata={"help": "longest of these, in tokens"})

    def __post_init__(self):
        for name in BOUNDS:
            check_bounds(name, getattr(self, name))
        if self.stream is not None and self.max_steps is None:
            raise ValueError("a stream has no end that could be known; give max_steps.")
        if self.token_cache is not None and self.token_cache.resolve().is_relative_to(self.output_dir.resolve()):
            place = "is" if self.token_cache.resolve() == self.output_dir.resolve() else "lies in"
            raise ValueError(
                f"token_cache={self.token_cache} {place} the output_dir, where the model will lie; give another "
                "directory, or leave it out."
            )
        if self.weight_average_decay is not None and self.model.get("norm") == "batchnorm":
            raise ValueError(
                f"weight_average_decay={self.weight_average_decay} does not go with model.norm=batchnorm, whose "
                "statistics are those of the last weights and not of their average; leave one of the two out."
            )
        if self.torch_compile and self.architecture != "darija_gpt":
            raise ValueError(
                f"torch_compile compiles decoder layers, and architecture={self.architecture} has none; leave it out."
            )
        if self.report_samples and not (self.report_to and self.sample_prompts):
            raise ValueError("report_samples=true needs trackers and samples; set report_to and sample_prompts.")
        if not all(prompt.strip() for prompt in self.sample_prompts):
            raise ValueError(f"sample_prompts={self.sample_prompts} holds one that says nothing; leave it out.")


def pretrain(arguments: PretrainArguments) -> None:
    """The pretrain stage, to be run by `python` or `accelerate launch`.

    Raises:
        ValueError: If an input is missing or wrong, before anything is written.
        SystemExit: If the run has to end before its last step; `faults` tells the codes.
    """
    with exit_by_fault():
        _pretrain(arguments)


def _pretrain(arguments: PretrainArguments) -> None:
    from accelerate.utils import set_seed

    from darija_gpt.evaluation.bits_per_byte import ByteCounter
    from darija_gpt.memory_watch import describe_lack, watch_memory
    from darija_gpt.sharding import build_accelerator
    from darija_gpt.training_data import load_blocks
    from darija_gpt.training_run import TrainingRun
    from darija_gpt.training_samples import Sampler

    check_trackers(arguments.report_to, arguments.output_dir)
    check_model(arguments.model, arguments.block_size, arguments.architecture)
    check_unfinished(arguments.output_dir)
    make_missing_inputs(arguments)
    tokenizer = load_tokenizer(arguments.tokenizer)
    check_opening(tokenizer, arguments.tokenizer)
    byte_counter = ByteCounter(tokenizer)
    dataset = load_dataset_directory(arguments.dataset)
    config = build_config(arguments.model, tokenizer, arguments.architecture)
    block_size = choose_block_size(arguments.block_size, config.max_position_embeddings)
    check_run(arguments)
    if arguments.stream is not None:
        check_sources(arguments.stream, arguments.dataset)
    sampler = Sampler(
        tokenizer,
        arguments.sample_prompts,
        max_new_tokens=arguments.sample_max_new_tokens,
        seed=arguments.seed,
        is_conversation=bool(dataset["validation"][0]["messages"]),
        context_tokens=config.max_position_embeddings,
    )

    accelerator = build_accelerator(arguments, config, configure_trackers(arguments.report_to, arguments.output_dir))
    use_all_cores(accelerator.state)
    accept_mixed_norms()
    keep_freed_memory(accelerator.state)
    with (
        # Outermost: PyTorch tells of a worker that is gone wherever this process is by then.
        watch_processes(accelerator.num_processes),
        own_run(arguments, accelerator.is_main_process),
        catch_signals() as stop_request,
    ):
        accelerator.wait_for_everyone()
        train_blocks, validation_blocks = load_blocks(
            arguments, dataset, tokenizer, config.vocab_size, block_size, accelerator, stop_request
        )
        set_seed(arguments.seed)
        _, model_class = load_classes(arguments.architecture)
        with watch_memory(describe_lack):
            model = model_class(config)
            run = TrainingRun(
                model, train_blocks, validation_blocks, arguments, accelerator, stop_request, byte_counter, sampler
            )
            run.resume()
        machine = describe_machine(accelerator.state, accelerator.mixed_precision)
        accelerator.print(
            f"{run.num_parameters:,} parameters, {train_blocks.describe()}, "
            f"{run.num_steps:,} steps of {run.tokens_per_step:,} tokens; "
            f"{machine['num_processes']} process(es) on {machine['device']}, "
            f"{machine['num_threads']} threads, precision {machine['mixed_precision']}"
        )
        run.train()
        trained = run.gather_model()
        if accelerator.is_main_process:
            summary = {**run.summarize(), **machine}
            finish_run(trained, tokenizer, arguments, summary)
            loss, bits = summary["validation_loss"], summary["validation_bits_per_byte"]
            print(f"validation loss {loss:.4f}, {bits:.4f} bits per byte -> {arguments.output_dir}")
    # The group of processes must outlive DistributedDataParallel, which would end it while it holds the interpreter's
    # lock: gloo's threads need that lock to end, and the process would wait for ever.
    model, run, trained = accelerator.free_memory(model, run, trained)
    accelerator.end_training()


def finish_run(model, tokenizer, arguments: PretrainArguments, summary: dict[str, Any]) -> None:
    """Makes a directory that is the model's of one that was the run's. The summary comes last: it marks the end.

    Raises:
        DiskFullError: If there is no room for that. What is there by then is what another start goes on with.
    """
    from darija_gpt.checkpoint import DiskFullError

    output_dir, partial = arguments.output_dir, arguments.output_dir / ".model"
    try:
        save_model(model, tokenizer, arguments, partial)
        # The texts, in another spelling: they are for the run, and not for whoever is given the model.
        durable.remove(output_dir / TOKENS)
        durable.replace_text(output_dir / SUMMARY_FILE, json.dumps(summary, indent=2) + "\n")
    except Exception as error:
        if not durable.is_disk_full(error):
            raise
        durable.remove(partial)
        raise DiskFullError(
            f"{output_dir}: the disk is full, so that the trained model is not saved; make room and give the same "
            "command again, which goes on from the last checkpoint."
        ) from error


def save_model(model, tokenizer, arguments: PretrainArguments, partial: Path) -> None:
    """Writes weights, configuration, code and tokenizer to a directory, and then to the run's, each whole."""
    output_dir = arguments.output_dir
    durable.remove(partial)
    durable.make_directory(partial)
    tokenizer.model_max_length = model.config.max_position_embeddings
    durable.write_by(lambda: model.save_pretrained(partial))
    durable.write_by(lambda: save_tokenizer(tokenizer, partial))
    tokenizer_report = arguments.tokenizer / "report.json"
    if tokenizer_report.is_file():
        durable.write_in_place(partial / "tokenizer_report.json", tokenizer_report.read_bytes())
    for path in sorted(partial.iterdir()):
        durable.sync(path)
        durable.rename(path, output_dir / path.name)
    durable.remove(partial)
    durable.sync(output_dir)
