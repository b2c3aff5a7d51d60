"""Fine-tuning for summaries: an encoder-decoder model and pairs of texts -> one that writes the second from the first.

The best epoch is chosen on the validation split. The final numbers are ROUGE on the test split where there is one, and
the beginning of each text, taken as its summary, is measured beside them.
"""

import json
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from darija_gpt.data.text_pairs import PairSource, PairSplits, load_pair_splits
from darija_gpt.faults import exit_by_fault
from darija_gpt.output import require_new, write_directory
from darija_gpt.records import write_training_summary


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from darija_gpt.seq2seq import EncodedTexts

# T5's tokenizer makes `▁` and `<unk>` of each word in a script that it does not know.
MAX_UNKNOWN_SHARE = 0.25
NOTED_UNKNOWN_SHARE = 0.01


@dataclass(frozen=True, kw_only=True)
class Seq2SeqArguments:
    """What finetune_seq2seq takes; each field is a key of its recipe and a flag."""

    model: str = field(
        metadata={"help": "directory of an encoder-decoder model, or its id on the Hub such as google/flan-t5-base"}
    )
    train: PairSource = field(
        metadata={"help": "pairs of texts: path, input_column, target_column, ... (as a mapping)"}
    )
    output_dir: Path = field(metadata={"help": "directory to write the model, metrics.json and samples.jsonl to"})
    validation: PairSource | None = field(
        default=None, metadata={"help": "the pairs that choose the best epoch; a share of train by default"}
    )
    test: PairSource | None = field(
        default=None, metadata={"help": "the pairs that the final numbers are of; those of validation by default"}
    )
    validation_fraction: float = field(default=0.1, metadata={"help": "share of train set aside as validation"})
    test_fraction: float = field(default=0.0, metadata={"help": "share of train set aside as test"})
    source_prefix: str = field(default="", metadata={"help": "what stands before each input, such as an instruction"})
    max_source_length: int = field(default=512, metadata={"help": "tokens of an input; longer ones are cut"})
    max_target_length: int = field(default=128, metadata={"help": "tokens of a target; longer ones are cut"})
    adapter: Path | None = field(
        default=None, metadata={"help": "LoRA adapter of an earlier run, merged into the model before it learns"}
    )
    lora: dict[str, Any] | None = field(
        default=None,
        metadata={"help": "fields of PEFT's LoraConfig, use_dora among them; without them all weights are trained"},
    )
    merge: bool = field(
        default=True, metadata={"help": "with lora, write the whole model too; false writes the adapter alone"}
    )
    num_train_epochs: int = field(default=3, metadata={"help": "passes over the training pairs"})
    learning_rate: float = field(default=3e-4, metadata={"help": "highest learning rate"})
    lr_scheduler_type: Literal["linear", "cosine", "constant_with_warmup", "inverse_sqrt"] = field(
        default="linear", metadata={"help": "how the learning rate falls"}
    )
    warmup_ratio: float = field(default=0.03, metadata={"help": "share of the steps in which the learning rate rises"})
    weight_decay: float = field(default=0.0, metadata={"help": "decoupled weight decay"})
    max_grad_norm: float = field(default=1.0, metadata={"help": "gradients are cut to this norm"})
    per_device_train_batch_size: int = field(default=8, metadata={"help": "pairs per device and step"})
    gradient_accumulation_steps: int = field(default=1, metadata={"help": "batches per optimizer step"})
    activation_checkpointing: bool = field(default=False, metadata={"help": "less memory for more time"})
    metric_for_best_model: Literal["rougeL", "loss"] = field(
        default="rougeL", metadata={"help": "what chooses the best epoch; loss saves writing each epoch's summaries"}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "end after so many epochs that were not better"}
    )
    num_beams: int = field(default=4, metadata={"help": "beams of the final summaries; those of each epoch have one"})
    num_samples: int = field(default=20, metadata={"help": "pairs to show in samples.jsonl with what the model wrote"})
    mixed_precision: Literal["auto", "no", "bf16"] = field(
        default="auto", metadata={"help": "auto is bf16 where it is fast, else no; in fp16 T5's activations overflow"}
    )
    seed: int = field(default=0, metadata={"help": "decides the split, the order of pairs, dropout and the samples"})

    def __post_init__(self):
        for name, is_legal, expected in (
            ("validation_fraction", 0 < self.validation_fraction < 1, "between 0 and 1; try 0.1"),
            ("test_fraction", 0 <= self.test_fraction < 1, "0 or a share below 1; try 0.1"),
            ("max_source_length", self.max_source_length > 2, "above 2; try 512"),
            ("max_target_length", self.max_target_length > 2, "above 2; try 128"),
            ("num_train_epochs", self.num_train_epochs > 0, "positive; try 3"),
            ("learning_rate", self.learning_rate > 0, "positive; try 3e-4, or 1e-3 with lora"),
            ("warmup_ratio", 0 <= self.warmup_ratio < 1, "0 or a share below 1; try 0.03"),
            ("weight_decay", self.weight_decay >= 0, "0 or more; try 0"),
            ("max_grad_norm", self.max_grad_norm > 0, "positive; try 1"),
            ("per_device_train_batch_size", self.per_device_train_batch_size > 0, "positive; try 8"),
            ("gradient_accumulation_steps", self.gradient_accumulation_steps > 0, "positive; try 1"),
            (
                "early_stopping_patience",
                self.early_stopping_patience is None or self.early_stopping_patience > 0,
                "positive; try 2",
            ),
            ("num_beams", self.num_beams > 0, "positive; try 4"),
            ("num_samples", self.num_samples >= 0, "0 or more; try 20"),
        ):
            if not is_legal:
                raise ValueError(f"{name}={getattr(self, name)} must be {expected}.")
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to learn from; try 0.1 each.")
        if not self.merge and self.lora is None:
            raise ValueError("merge=False writes an adapter alone, and there is none without lora; give lora.")

    @property
    def method(self) -> str:
        """full or lora."""
        return "full" if self.lora is None else "lora"


@dataclass(frozen=True)
class Prepared:
    """A model, its tokenizer, and the pairs as it reads and writes them.

    Args:
        model (`PreTrainedModel` or `PeftModel`):
            With an adapter to train, or without.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        inputs (`dict[str, EncodedTexts]`), targets (`dict[str, EncodedTexts]`):
            The tokens of each split.
    """

    model: Any
    tokenizer: "PreTrainedTokenizerBase"
    inputs: "dict[str, EncodedTexts]"
    targets: "dict[str, EncodedTexts]"


def finetune_seq2seq(arguments: Seq2SeqArguments) -> None:
    """The summarisation stage, to be run by `python` or `accelerate launch`.

    Raises:
        ValueError: If an input is missing or wrong, before anything is written.
        SystemExit: If the run has to end before its last step; `faults` tells the codes.
    """
    with exit_by_fault():
        _finetune_seq2seq(arguments)


def _finetune_seq2seq(arguments: Seq2SeqArguments) -> None:
    from accelerate import PartialState
    from accelerate.utils import set_seed

    from darija_gpt.finetuning.sealed_checkpoints import claim_directory, discard, locate_checkpoints
    from darija_gpt.finetuning.seq2seq_report import measure_summaries, print_data, print_results, write_results
    from darija_gpt.finetuning.seq2seq_trainer import train_seq2seq
    from darija_gpt.seq2seq import generate_texts

    output_dir = require_new(arguments.output_dir)
    data = load_pair_splits(
        arguments.train,
        arguments.validation,
        arguments.test,
        validation_fraction=arguments.validation_fraction,
        test_fraction=arguments.test_fraction,
        seed=arguments.seed,
    )
    set_seed(arguments.seed)
    prepared = prepare(arguments, data)
    state = PartialState()
    checkpoints = locate_checkpoints(output_dir)
    if state.is_main_process:
        print_data(data, prepared, arguments)
    with claim_directory(checkpoints, identify(arguments, data)):
        training = train_seq2seq(prepared, data.splits["validation"], arguments, checkpoints)
    if not state.is_main_process:
        return

    written = generate_texts(
        prepared.model,
        prepared.tokenizer,
        prepared.inputs[data.measured_on].token_ids,
        max_new_tokens=arguments.max_target_length,
        num_beams=arguments.num_beams,
        batch_size=2 * arguments.per_device_train_batch_size,
        description="writing summaries",
    )
    metrics, systems = measure_summaries(arguments, data, prepared, written, training)
    with write_directory(output_dir) as directory:
        save_seq2seq(prepared, arguments, directory, metrics["training"])
        write_results(metrics, data.splits[data.measured_on], systems, directory, arguments)
    discard(checkpoints)
    print_results(metrics, output_dir)


def prepare(arguments: Seq2SeqArguments, data: PairSplits) -> Prepared:
    """Loads the model and turns the pairs into its tokens.

    Raises:
        ValueError: If model, adapter, lengths and texts do not go together.
    """
    from darija_gpt.adapters import merge_adapter
    from darija_gpt.finetuning.adapters import check_base
    from darija_gpt.seq2seq import check_length, encode_texts, load_seq2seq

    model, tokenizer = load_seq2seq(arguments.model)
    if arguments.adapter is not None:
        check_base(arguments.adapter, arguments.model)
        model = merge_adapter(model, tokenizer, arguments.adapter, arguments.model)
    for name in ("max_source_length", "max_target_length"):
        check_length(model, name, getattr(arguments, name))
    inputs, targets = {}, {}
    for name, pairs in data.splits.items():
        inputs[name] = encode_texts(
            tokenizer,
            [arguments.source_prefix + pair.input for pair in pairs],
            max_length=arguments.max_source_length,
            name="max_source_length",
        )
        targets[name] = encode_texts(
            tokenizer,
            [pair.target for pair in pairs],
            max_length=arguments.max_target_length,
            name="max_target_length",
        )
    unknown_share = targets["train"].unknown_share
    if unknown_share > MAX_UNKNOWN_SHARE:
        raise ValueError(
            f"{arguments.model} cannot write these texts: {unknown_share:.0%} of the tokens of the targets are "
            "unknown to its vocabulary. Take a model that knows their script: for Arabic google/mt5-small, as "
            "FLAN-T5 has no Arabic letter."
        )
    return Prepared(adapt_model(model, arguments), tokenizer, inputs, targets)


def adapt_model(model: "PreTrainedModel", arguments: Seq2SeqArguments):
    """The model with LoRA beside its weights, or as it is.

    Raises:
        ValueError: If PEFT does not know where LoRA belongs in this model.
    """
    from accelerate import PartialState

    from darija_gpt.finetuning.freezing import describe_trainable, spell_trainable

    if arguments.lora is not None:
        from peft import get_peft_model

        from darija_gpt.finetuning.adapters import build_lora_config, check_adapted, keep_ties

        # None is PEFT's table of what each family adapts: of T5 the queries and values, as Hu et al. 2021.
        config = build_lora_config({"task_type": "SEQ_2_SEQ_LM", "target_modules": None, **arguments.lora})
        keep_ties(config, model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # PEFT asks transformers in a way that it has renamed
            model = get_peft_model(model, config)
        check_adapted(model)
    if PartialState().is_main_process:
        print(f"{arguments.method}: {spell_trainable(describe_trainable(model))}")
    return model


def identify(arguments: Seq2SeqArguments, data: PairSplits) -> dict[str, Any]:
    """What decides the weights of a run, by name."""
    from darija_gpt.finetuning.sealed_checkpoints import describe_origin

    recipe = {
        key: value
        for key, value in asdict(arguments).items()
        if key not in ("output_dir", "merge", "num_samples", "num_beams")
    }
    texts = {name: [[pair.input, pair.target] for pair in pairs] for name, pairs in data.splits.items()}
    origin = describe_origin(arguments.model, arguments.adapter)
    return {"recipe": json.loads(json.dumps(recipe, default=str)), **origin, "data": texts}


def save_seq2seq(prepared: Prepared, arguments: Seq2SeqArguments, directory: Path, summary: dict[str, Any]) -> None:
    """Writes a model that loads by itself with its adapter in `adapter/` beside it, or the adapter alone."""
    from darija_gpt.finetuning.adapters import save_adapter
    from darija_gpt.seq2seq import build_generation_config
    from darija_gpt.tokenizer import save_tokenizer

    model, base = prepared.model, Path(arguments.model)
    if arguments.method == "lora":
        save_adapter(model, base, directory / "adapter" if arguments.merge else directory)
        with warnings.catch_warnings():
            # FLAN-T5's head was never tied to its embeddings, and PEFT believes that it was.
            warnings.filterwarnings("ignore", message="Input and output embeddings are no longer tied")
            model = model.merge_and_unload() if arguments.merge else None
    if model is not None:
        # So that whoever loads the model gets the summaries that were measured.
        model.generation_config = build_generation_config(
            model, max_new_tokens=arguments.max_target_length, num_beams=arguments.num_beams
        )
        model.save_pretrained(directory)
    save_tokenizer(prepared.tokenizer, directory)
    write_training_summary(directory, summary, base)
