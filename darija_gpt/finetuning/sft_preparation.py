"""What stands before and after fine-tuning: the model as its method asks for it, and how it is saved."""

import importlib.util
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.adapters import read_adapter_config
from darija_gpt.finetuning.adapters import build_lora_config, check_adapted, check_base, keep_ties, save_adapter
from darija_gpt.finetuning.chat_templates import mend_chat_template, set_chat_template
from darija_gpt.finetuning.freezing import check_trainable, freeze_by_pattern, freeze_lower_layers
from darija_gpt.loading import load_model
from darija_gpt.records import write_training_summary
from darija_gpt.tokenizer import save_tokenizer


if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig, PreTrainedModel, PreTrainedTokenizerBase

    from darija_gpt.finetuning.sft import FinetuneArguments

# Where nobody says how long an example may be; models that read more would fill the memory with one row.
MOST_DEFAULT_TOKENS = 4096


@dataclass(frozen=True)
class Prepared:
    """A model that is about to learn.

    Args:
        model (`PreTrainedModel`):
            With all its weights in float32, or quantised.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        new_tokens (`list[int]`):
            Tokens that it has not met before.
        dtype (`torch.dtype`):
            Of its weights as they were loaded, in which they are saved again.
        max_length (`int`):
            Tokens per example.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    new_tokens: list[int]
    dtype: "torch.dtype"
    max_length: int


def prepare(arguments: "FinetuneArguments", *, has_chats: bool) -> Prepared:
    """Loads model and tokenizer and makes them fit for what is to be learnt.

    Args:
        arguments (`FinetuneArguments`):
            Of the run.
        has_chats (`bool`):
            Whether there are conversations to learn, and not texts alone.

    Raises:
        ValueError: If model, tokenizer, adapter and lengths do not go together.
    """
    if read_adapter_config(arguments.model) is not None:
        raise ValueError(f"{arguments.model} is an adapter; give its base as model, and this as adapter.")
    quantization_config = build_quantization_config() if arguments.quantization else None
    if arguments.adapter is None:
        model, tokenizer = load_model(arguments.model, quantization_config=quantization_config)
    else:
        check_base(arguments.adapter, arguments.model)
        model, tokenizer = load_model(arguments.adapter, arguments.model)
    dtype = model.dtype
    num_embeddings = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > num_embeddings:
        raise ValueError(
            f"{arguments.model}: the tokenizer has {len(tokenizer):,} entries and the model embeddings for "
            f"{num_embeddings:,}; they do not belong together."
        )
    if quantization_config is None:
        model = model.float()
    if arguments.chat_template is not None:
        new_tokens = set_chat_template(model, tokenizer, arguments.chat_template)
    elif has_chats and tokenizer.chat_template is None:
        raise ValueError(
            f"{arguments.model} has a tokenizer without a chat template; give it one with --chat_template chatml, or "
            "fine-tune a model that has one."
        )
    else:
        new_tokens = []
        if has_chats:
            mend_chat_template(tokenizer)
    if new_tokens and (arguments.quantization or not arguments.merge):
        raise ValueError(
            f"chat_template={arguments.chat_template} adds tokens, so an adapter would fit no base as it is; take "
            "llama2, which adds none, or leave out quantization and merge."
        )
    return Prepared(model, tokenizer, new_tokens, dtype, find_max_length(arguments, model))


def find_max_length(arguments: "FinetuneArguments", model: "PreTrainedModel") -> int:
    """Tokens per example: those asked for, or what the model reads, within bounds.

    Raises:
        ValueError: If the model does not read so many.
    """
    # A model without such a field, as recurrent ones are, reads without end.
    context_tokens = getattr(model.config.get_text_config(), "max_position_embeddings", arguments.max_length)
    if context_tokens is None:
        raise ValueError(f"{arguments.model} does not say how many tokens it reads; give max_length, such as 1024.")
    if arguments.max_length is None:
        return min(context_tokens, MOST_DEFAULT_TOKENS)
    if not 1 < arguments.max_length <= context_tokens:
        raise ValueError(
            f"max_length={arguments.max_length:,} must be above 1 and within the {context_tokens:,} tokens that "
            f"{arguments.model} reads; try {min(context_tokens, 512)}."
        )
    return arguments.max_length


def build_quantization_config() -> "BitsAndBytesConfig":
    """Weights in 4 bits as QLoRA has them (Dettmers et al. 2023): NF4, with the constants quantised, too.

    Raises:
        ValueError: If this machine cannot do it.
    """
    import torch
    from transformers import BitsAndBytesConfig

    if importlib.util.find_spec("bitsandbytes") is None:
        raise ValueError(
            "quantization needs bitsandbytes: pip install -c constraints.txt -e '.[qlora]', or leave quantization out."
        )
    if not torch.accelerator.is_available():
        raise ValueError("quantization needs a GPU, and there is none here; leave it out to learn in float32.")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def adapt_model(prepared: Prepared, arguments: "FinetuneArguments"):
    """The model as the method asks: with LoRA beside its weights, with some of them frozen, or as it is.

    With LoRA, the embeddings of tokens that are new learn, too.

    Raises:
        ValueError: If what is to be adapted or frozen is not there.
    """
    model = prepared.model
    if arguments.lora is not None:
        from peft import get_peft_model, prepare_model_for_kbit_training
        from peft.tuners.tuners_utils import BaseTunerLayer

        if arguments.quantization:
            # What is not in 4 bits, norms and embeddings, goes to float32.
            model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        config = build_lora_config(arguments.lora)
        if prepared.new_tokens:
            config.trainable_token_indices = prepared.new_tokens
            if not model.config.get_text_config().tie_word_embeddings:
                head = model.get_output_embeddings()
                name = next(name for name, module in model.named_modules() if module is head)
                config.modules_to_save = [*(config.modules_to_save or []), name]
        keep_ties(config, model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GPT-2's matrices lie transposed: PEFT says so, and turns them.
            model = get_peft_model(model, config)
        if isinstance(model.get_output_embeddings(), BaseTunerLayer):
            raise ValueError(
                "lora: TRL trains no adapter on the head that makes logits; leave it out of target_modules."
            )
        check_adapted(model)
        return model
    if arguments.freeze_layers is not None:
        freeze_lower_layers(model, arguments.freeze_layers)
    freeze_by_pattern(model, arguments.freeze_patterns)
    check_trainable(model)
    # A model learns all rows of a matrix or none.
    learns = all(
        embeddings.weight.requires_grad for embeddings in (model.get_input_embeddings(), model.get_output_embeddings())
    )
    if prepared.new_tokens and not learns:
        raise ValueError(
            f"chat_template={arguments.chat_template} adds tokens, and their embeddings would be frozen before they "
            "have learnt anything; take lora, which trains theirs alone, or llama2, which adds none, or freeze other "
            "weights."
        )
    return model


def save_chat_model(
    model, prepared: Prepared, arguments: "FinetuneArguments", directory: Path, summary: dict[str, Any]
) -> None:
    """Writes a model that loads by itself with its adapter in `adapter/` beside it, or the adapter alone."""
    base = Path(arguments.model)
    if arguments.lora is not None:
        # An adapter goes with its base alone: not with one that another adapter or new tokens have changed.
        is_kept = arguments.adapter is None and not prepared.new_tokens
        if is_kept:
            save_adapter(model, base, directory / "adapter" if arguments.merge else directory)
        if not arguments.merge:
            model = None
        elif arguments.quantization:
            # Into the weights as they were: in 4 bits the sum would be rounded.
            model, _ = load_model(directory / "adapter", arguments.model)
        else:
            model = model.merge_and_unload()
    if model is not None:
        model.config.use_cache = True  # TRL turns it off for training
        text_config = model.config.get_text_config()
        if getattr(text_config, "max_position_embeddings", None) is None:
            # Whoever talks to it, measures or audits it asks how much it reads: as much as it has learnt to.
            text_config.max_position_embeddings = prepared.max_length
        model.to(prepared.dtype).save_pretrained(directory)
    save_tokenizer(prepared.tokenizer, directory)
    tokenizer_report = base / "tokenizer_report.json"
    if tokenizer_report.is_file():
        shutil.copyfile(tokenizer_report, directory / tokenizer_report.name)
    write_training_summary(directory, summary, base)
