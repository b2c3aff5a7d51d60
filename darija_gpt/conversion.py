"""Llama, Qwen3 and GPT-2 checkpoints as DarijaGPT, and DarijaGPT as one of those, with identical logits.

What the other class has no counterpart for is refused by name, unless it acts in training only.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from darija_gpt.output import require_new, write_directory


if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from darija_gpt.model import DarijaGPTForCausalLM


def _check_rope(rope_parameters: dict | None) -> None:
    """Refuses a part of RoPE that DarijaGPT reads and Llama and Qwen3 do not."""
    factor = (rope_parameters or {}).get("partial_rotary_factor", 1.0)
    if factor != 1.0:
        raise ValueError(
            f"rope_parameters.partial_rotary_factor={factor} has no counterpart: Llama and Qwen3 rotate whole heads."
        )


def _rebuild(model_class: type, config, state: dict, source: "PreTrainedModel") -> "PreTrainedModel":
    """A model of another class from weights, in the source's precision and with its generation settings."""
    model, loading = model_class.from_pretrained(
        None, config=config, state_dict=state, dtype=source.dtype, output_loading_info=True
    )
    if loading["missing_keys"] or loading["unexpected_keys"]:
        names = sorted({*loading["missing_keys"], *loading["unexpected_keys"]})
        raise ValueError(f"{len(names)} weights of {model_class.__name__} have no counterpart, such as {names[0]}.")
    model.generation_config = source.generation_config
    return model.to(source.device).eval()


def import_model(model: "PreTrainedModel") -> "DarijaGPTForCausalLM":
    """A Llama, Qwen3 or GPT-2 model as DarijaGPT, with the same logits.

    Args:
        model (`PreTrainedModel`):
            A LlamaForCausalLM, Qwen3ForCausalLM or GPT2LMHeadModel.

    Raises:
        ValueError: If it is another class, or has something that DarijaGPT has not; the message names the field.
    """
    from huggingface_hub.errors import StrictDataclassError

    from darija_gpt.formats import FORMATS
    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    theirs = model.config
    form = FORMATS.get(theirs.model_type)
    if form is None or not isinstance(model, form.model_class):
        known = ", ".join(form.model_class.__name__ for form in FORMATS.values())
        raise ValueError(f"{type(model).__name__} cannot become a DarijaGPT; these can: {known}.")
    for name, value in form.required.items():
        if getattr(theirs, name) != value:
            raise ValueError(f"{name}={getattr(theirs, name)} has no counterpart in DarijaGPT, which has {value}.")
    fields = {our_name: getattr(theirs, name) for our_name, name in form.names.items()}
    _check_rope(fields.get("rope_parameters"))
    if fields["intermediate_size"] is None:
        fields["intermediate_size"] = 4 * theirs.hidden_size  # GPT-2's default
    try:
        config = DarijaGPTConfig(**form.fixed, **fields)
    except StrictDataclassError as error:
        raise ValueError(f"this {theirs.model_type} has no counterpart: {error.__cause__ or error}") from None
    return _rebuild(DarijaGPTForCausalLM, config, form.from_state(model.state_dict(), config), model)


def export_model(model: "DarijaGPTForCausalLM", to: str) -> "PreTrainedModel":
    """A DarijaGPT as LlamaForCausalLM, Qwen3ForCausalLM or GPT2LMHeadModel, with the same logits.

    Args:
        model (`DarijaGPTForCausalLM`):
            The model.
        to (`str`):
            `llama`, `qwen3` or `gpt2`.

    Raises:
        ValueError: If the class has no counterpart of a field; the message names it.
    """
    from darija_gpt.formats import FORMATS

    ours, form = model.config, FORMATS[to]
    for name, value in {**form.fixed, **form.derived(ours)}.items():
        if getattr(ours, name) != value and not (name == "attention" and set(ours.layer_attentions) == {value}):
            raise ValueError(
                f"{name}={getattr(ours, name)} has no counterpart in {form.model_class.__name__}, which has "
                f"{name}={value}."
            )
    if "rope_parameters" in form.names:
        _check_rope(ours.rope_parameters)
    config = form.config_class(**{name: getattr(ours, our_name) for our_name, name in form.names.items()})
    return _rebuild(form.model_class, config, form.to_state(model.state_dict(), ours), model)


def measure_difference(model: "PreTrainedModel", converted: "PreTrainedModel") -> float:
    """The largest difference of logits between two models over two rows of random tokens."""
    import torch

    length = min(64, model.config.max_position_embeddings)
    generator = torch.Generator().manual_seed(0)
    input_ids = torch.randint(model.config.vocab_size, (2, length), generator=generator).to(model.device)
    with torch.no_grad():
        return (model(input_ids).logits - converted(input_ids).logits).abs().max().item()


@dataclass(frozen=True, kw_only=True)
class ConvertArguments:
    """What to convert, and to what."""

    model: str = field(metadata={"help": "directory or Hub id of a DarijaGPT, Llama, Qwen3 or GPT-2 model"})
    output_dir: Path = field(metadata={"help": "directory for the converted model and its tokenizer"})
    to: Literal["darija_gpt", "llama", "qwen3", "gpt2"] = field(
        default="darija_gpt", metadata={"help": "darija_gpt, or for a DarijaGPT: llama, qwen3 or gpt2"}
    )


def convert(arguments: ConvertArguments) -> None:
    """The convert stage: a model and its tokenizer in another format.

    Raises:
        ValueError: If the model cannot be loaded or has no counterpart, or `output_dir` holds something.
    """
    from darija_gpt.formats import FORMATS
    from darija_gpt.loading import load_model
    from darija_gpt.model import DarijaGPTForCausalLM
    from darija_gpt.tokenizer import save_tokenizer

    require_new(arguments.output_dir)
    model, tokenizer = load_model(arguments.model)
    is_ours = isinstance(model, DarijaGPTForCausalLM)
    if is_ours == (arguments.to == "darija_gpt"):
        remedy = "set --to llama, qwen3 or gpt2" if is_ours else "convert it to darija_gpt first"
        raise ValueError(f"{arguments.model} is a {type(model).__name__}; {remedy}.")
    converted = export_model(model, arguments.to) if is_ours else import_model(model)
    difference = measure_difference(model, converted)
    with write_directory(arguments.output_dir) as directory:
        converted.save_pretrained(directory)
        save_tokenizer(tokenizer, directory)
    for name in ("embedding_dropout", "residual_dropout"):
        if is_ours and name not in FORMATS[arguments.to].names and getattr(model.config, name):
            print(f"left out: {name}={getattr(model.config, name)}, which acts in training only")
    print(f"{type(model).__name__} -> {type(converted).__name__}: {converted.num_parameters():,} parameters")
    print(f"largest difference of logits: {difference:.1e}")
    print(f"written: {arguments.output_dir}")
