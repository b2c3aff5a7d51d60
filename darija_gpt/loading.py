"""Loading a model to talk to: whole ones and adapters, of this project and of the Hub."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from darija_gpt.adapters import merge_adapter, read_adapter_config


if TYPE_CHECKING:
    from transformers import BitsAndBytesConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

Task = Literal["chat", "classification", "summarization"]
# The Auto class of transformers that loads a model for a task, and what such a model is called.
AUTO_CLASSES: dict[Task, tuple[str, str]] = {
    "chat": ("AutoModelForCausalLM", "causal language model"),
    "classification": ("AutoModelForSequenceClassification", "classifier"),
    "summarization": ("AutoModelForSeq2SeqLM", "encoder-decoder model"),
}
# By PEFT's names; any other adapter is one of a causal language model.
_TASKS_OF_ADAPTERS: dict[str | None, Task] = {"SEQ_CLS": "classification", "SEQ_2_SEQ_LM": "summarization"}


def load_model(
    path: str | Path,
    base: str | Path | None = None,
    *,
    task: Task = "chat",
    quantization_config: "BitsAndBytesConfig | None" = None,
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """A model, ready to be used on the best device there is, and its tokenizer.

    Args:
        path (`str` or `Path`):
            A local directory or the id of a model on the Hub: a whole model, or an adapter that PEFT wrote, which is
            merged into its base. Code that comes with a model is never run.
        base (`str` or `Path`, *optional*):
            The model that an adapter belongs to; by default the one that its adapter_config.json names.
        task (`str`, *optional*, defaults to `"chat"`):
            What the model is for: a causal language model, a classifier or an encoder-decoder model.
        quantization_config (`BitsAndBytesConfig`, *optional*):
            How a whole model's weights are held in fewer bits.

    Raises:
        ValueError: If there is no such model, it is not one that transformers or this project knows, it is for
            another task, or an adapter does not fit its base.
    """
    import torch

    adapter_config = read_adapter_config(path)
    if adapter_config is None:
        if base is not None:
            raise ValueError(f"base={base} is for an adapter, and {path} is none; leave base out.")
        model, tokenizer = _load_whole_model(path, task, quantization_config)
    else:
        base = base or adapter_config.get("base_model_name_or_path")
        if not base:
            raise ValueError(f"{path} is an adapter that names no base model; give it as base.")
        try:
            model, tokenizer = _load_whole_model(base, task)
        except ValueError as error:
            raise ValueError(f"{path} is an adapter without its base: {error} Or name the base as base.") from error
        tokenizer = _load_adapter_tokenizer(path) or tokenizer
        model = merge_adapter(model, tokenizer, path, base)
    if quantization_config is None:  # Otherwise it is where it belongs, and stays there.
        model = model.to(torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu")
    return model.eval(), tokenizer


def find_task(path: str | Path) -> Task:
    """The task that a model's own configuration, or an adapter's, was made for.

    Raises:
        ValueError: If there is no such model.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    import darija_gpt.model
    import darija_gpt.neural_lm  # noqa: F401  their imports make our models known to the Auto classes

    adapter_config = read_adapter_config(path)
    if adapter_config is not None:
        return _TASKS_OF_ADAPTERS.get(adapter_config.get("task_type"), "chat")
    _check_directory(path)
    try:
        config = AutoConfig.from_pretrained(path, trust_remote_code=False)
    except (OSError, ValueError, StrictDataclassError) as error:
        raise _explain_refusal(path, "model", error) from error
    if _is_classifier(config):
        return "classification"
    return "summarization" if config.is_encoder_decoder else "chat"


def _load_whole_model(
    path: str | Path, task: Task, quantization_config: "BitsAndBytesConfig | None" = None
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    import transformers
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers.utils import logging

    import darija_gpt.model
    import darija_gpt.neural_lm  # noqa: F401  their imports make our models known to the Auto classes

    _check_directory(path)
    if Path(path).is_dir():
        logging.disable_progress_bar()  # A download takes time to see; a file here is read before a bar is drawn.
    auto_class, kind = AUTO_CLASSES[task]
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        model, loading = getattr(transformers, auto_class).from_pretrained(
            path, trust_remote_code=False, output_loading_info=True, quantization_config=quantization_config
        )
    except (OSError, ValueError, StrictDataclassError, SafetensorError) as error:
        raise _explain_refusal(path, kind, error) from error
    if loading["missing_keys"]:
        raise ValueError(
            f"{path} lacks {len(loading['missing_keys'])} of the weights of {type(model).__name__}, such as "
            f"{min(loading['missing_keys'])}; give the directory of a whole {kind}."
        )
    # With embeddings that are the head's, too, nothing is missing of a language model.
    if task == "chat" and _is_classifier(model.config):
        raise ValueError(f"{path} is a classifier; give a {kind}, or show it with demo.py.")
    if task == "classification" and model.config.num_labels == 1:
        raise ValueError(f"{path} gives one number for a text; give a classifier of two classes or more.")
    return model, tokenizer


def _is_classifier(config: "PreTrainedConfig") -> bool:
    return any(name.endswith("ForSequenceClassification") for name in config.architectures or ())


def _check_directory(path: str | Path) -> None:
    if Path(path).is_dir() and not (Path(path) / "config.json").is_file():
        raise ValueError(f"{path} holds no config.json; give a directory that pretrain.py or finetune.py wrote.")


def _explain_refusal(path: str | Path, kind: str, error: Exception) -> ValueError:
    from huggingface_hub.errors import StrictDataclassError

    if isinstance(error, StrictDataclassError):
        # The reason stands in the cause; around it is the name of the validator.
        return ValueError(f"{path} has an invalid config.json: {error.__cause__ or error}")
    if not Path(path).is_dir():
        return ValueError(
            f"{path} is no directory, and no model of that name could be loaded from the Hub; give a directory "
            "that pretrain.py or finetune.py wrote, or an id such as owner/name."
        )
    reason = str(error).strip().partition("\n")[0]
    return ValueError(f"{path} holds no {kind} that loads without code of its own: {reason}")


def _load_adapter_tokenizer(path: str | Path) -> "PreTrainedTokenizerBase | None":
    """The tokenizer saved beside an adapter; None where the adapter goes with that of its base."""
    from transformers import AutoTokenizer
    from transformers.utils import cached_file

    if cached_file(str(path), "tokenizer_config.json", _raise_exceptions_for_missing_entries=False) is None:
        return None
    return AutoTokenizer.from_pretrained(path, trust_remote_code=False)
