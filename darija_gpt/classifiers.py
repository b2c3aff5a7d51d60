"""Classifiers: sequence classification models of any family, their tokenizers, and what they predict.

A model of ours reads `<|endoftext|>`, the text and `<|endoftext|>` again, by whose hidden state it decides: the same
token after every text. Encoders (BERT and its kin) read what their tokenizers put around a text.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darija_gpt.control_tokens import find_control_tokens
from darija_gpt.recipe import RecipeError, check_keys


if TYPE_CHECKING:
    import numpy as np
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Encoding = dict[str, list[int]]


def load_classifier(
    path: str | Path, labels: Sequence[str] | None = None, config_fields: Mapping[str, Any] | None = None
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase", set[str]]:
    """A model with a classification head, in float32 on the CPU, and its tokenizer.

    Args:
        path (`str` or `Path`):
            A local directory or the id of a model on the Hub. Code that comes with a model is never run.
        labels (`Sequence[str]`, *optional*):
            The classes to learn: the model gets a head for them, anew where it has none of that size. Without them
            the model must be a classifier already.
        config_fields (`Mapping`, *optional*):
            Fields of the configuration to change, such as its dropout.

    Returns:
        `tuple`: the model, its tokenizer, and the names of the weights that were not in its files.

    Raises:
        ValueError: If there is no such model, or it cannot classify.
    """
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    import darija_gpt.model  # noqa: F401  its import makes DarijaGPT known to the Auto classes

    is_directory = Path(path).is_dir()
    if is_directory and not (Path(path) / "config.json").is_file():
        remedy = "give the directory of a whole model"
        if (Path(path) / "adapter_config.json").is_file():
            remedy = (
                "it is an adapter: give the directory of the merged model, or the base as model and this as adapter"
            )
        raise ValueError(f"{path} holds no config.json; {remedy}.")
    if is_directory:
        logging.disable_progress_bar()  # A download takes time to see; a file here is read before a bar is drawn.
    changed = dict(config_fields or {})
    if labels is not None:
        of_labels = {
            "id2label": dict(enumerate(labels)),
            "label2id": {label: index for index, label in enumerate(labels)},
            # A model that was for several labels at once would tell whoever loads it to read it as such.
            "problem_type": "single_label_classification",
        }
        if taken := sorted(of_labels.keys() & changed.keys()):
            raise ValueError(f"config_fields.{taken[0]} follows from the classes of the texts; leave it out.")
        changed |= of_labels
    previous_verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # That a head is new is no news.
    try:
        config = AutoConfig.from_pretrained(path, trust_remote_code=False)
        check_keys(config_fields or {}, config.to_dict(), "config_fields")
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            path,
            trust_remote_code=False,
            dtype=torch.float32,
            ignore_mismatched_sizes=labels is not None,
            output_loading_info=True,
            **changed,
        )
    except RecipeError:
        raise
    except StrictDataclassError as error:
        subject = "config_fields: " if config_fields else f"{path} has an invalid config.json: "
        raise ValueError(f"{subject}{error.__cause__ or error}") from error
    except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().partition("\n")[0]
        if not is_directory and isinstance(error, OSError):
            raise ValueError(
                f"{path} is no directory, and no model of that name could be loaded from the Hub; give a directory, "
                "or an id such as owner/name."
            ) from error
        raise ValueError(f"{path} holds no model with a classification head that loads here: {reason}") from error
    finally:
        logging.set_verbosity(previous_verbosity)
    missing = set(loading["missing_keys"]) | {key[0] for key in loading["mismatched_keys"]}
    if labels is None and missing:
        raise ValueError(
            f"{path} is no classifier: it lacks {min(missing)}; give a directory that finetune_classifier.py wrote."
        )
    of_base = {name for name in missing if name.startswith(f"{model.base_model_prefix}.")}
    if resized := of_base & {key[0] for key in loading["mismatched_keys"]}:
        remedy = "give a model whose files are of one run"
        if config_fields:
            remedy = "leave out the config_fields that decide sizes"
        raise ValueError(f"{path}: {len(resized)} weights have other sizes, such as {min(resized)}; {remedy}.")
    if len(of_base) > len(model.base_model.state_dict()) / 2:
        raise ValueError(f"{path} lacks most weights of {type(model).__name__}, such as {min(of_base)}.")
    return model.eval(), tokenizer, missing


def find_new_modules(model: "PreTrainedModel", missing: set[str]) -> list[str]:
    """The outermost modules that were not trained yet: the head, and what is new below it, such as BERT's pooler.

    Args:
        model (`PreTrainedModel`):
            A model with a classification head.
        missing (`set[str]`):
            Names of the weights that were not in its files.

    Returns:
        `list[str]`: names of modules.
    """
    found: list[str] = []
    for name, module in model.named_modules():
        names = [f"{name}.{parameter}" for parameter, _ in module.named_parameters()]
        if not name or not names or any(name.startswith(f"{outer}.") for outer in found):
            continue
        is_head = "." not in name and name != model.base_model_prefix
        if is_head or missing.issuperset(names):
            found.append(name)
    return found


def prepare_tokenizer(
    tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel", pad_token: str | None = None
) -> None:
    """Makes tokenizer and model agree on how a text is read and how a batch is filled up.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            Pads on the right from now on.
        model (`PreTrainedModel`):
            Gets the tokenizer's padding token.
        pad_token (`str`, *optional*):
            A token of the vocabulary, for a tokenizer that has no padding token.

    Raises:
        ValueError: If there is no padding token, or the model has fewer embeddings than the tokenizer entries.
    """
    if pad_token is not None:
        if pad_token not in tokenizer.get_vocab():
            raise ValueError(f"pad_token={pad_token} is no token of the model; give one of its vocabulary.")
        tokenizer.pad_token = pad_token
    if tokenizer.pad_token_id is None:
        known = tokenizer.eos_token or tokenizer.unk_token or "one of its tokens"
        raise ValueError(f"the model's tokenizer has no padding token; name one, such as --pad_token {known!r}.")
    num_embeddings = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > num_embeddings:
        raise ValueError(
            f"the tokenizer has {len(tokenizer):,} entries and the model embeddings for {num_embeddings:,}; they are "
            "not of one model."
        )
    tokenizer.padding_side = tokenizer.truncation_side = "right"
    if "token_type_ids" not in inspect.signature(model.forward).parameters:
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id


def frame_texts(tokenizer: "PreTrainedTokenizerBase") -> None:
    """Lets a tokenizer that puts nothing around a text put its end-of-text token there, and between two of a pair.

    It is for a model that is about to learn: one that has learnt reads texts as its saved tokenizer gives them.
    """
    from tokenizers.processors import TemplateProcessing

    if tokenizer("")["input_ids"] or tokenizer.eos_token_id is None:
        return
    first = tokenizer.bos_token or tokenizer.eos_token
    last = tokenizer.eos_token
    ids: dict[str, Any] = {token: tokenizer.convert_tokens_to_ids(token) for token in (first, last)}
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} $B {last}", special_tokens=list(ids.items())
    )


def count_usable_tokens(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> int:
    """Tokens that a model reads at once, those around the text included."""
    from torch import nn

    limits = [tokenizer.model_max_length]
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if positions is not None:
        # RoBERTa counts its positions from behind the padding's: of 514 it can use 512.
        offsets = [
            module.padding_idx + 1
            for name, module in model.named_modules()
            if name.endswith("position_embeddings")
            and isinstance(module, nn.Embedding)
            and module.padding_idx is not None
        ]
        limits.append(positions - max(offsets, default=0))
    return min(limits)


def encode_texts(
    tokenizer: "PreTrainedTokenizerBase",
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    *,
    max_length: int,
    truncation: bool,
    name: str,
) -> tuple[list[Encoding], int]:
    """The tokens of texts, and how many of them were cut.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            As `prepare_tokenizer` and, before training, `frame_texts` left it. A control token that somebody typed
            stays text.
        texts (`Sequence[str]`):
            Texts as people wrote them.
        pairs (`Sequence[str]`, *optional*):
            The second text of each, where pairs are judged.
        max_length (`int`):
            Tokens of an example.
        truncation (`bool`):
            Cut the end of what is longer, of a pair from the longer text, instead of refusing it.
        name (`str`):
            Of the split, for the error.

    Raises:
        ValueError: If a text is too long, or nothing of it would remain.
    """
    first, second = (None if each is None else _break_controls(tokenizer, each) for each in (texts, pairs))
    encoded = tokenizer(first, second, verbose=False)
    columns = list(encoded)
    lengths = [len(ids) for ids in encoded["input_ids"]]
    num_long = sum(length > max_length for length in lengths)
    if num_long and not truncation:
        raise ValueError(
            f"{num_long:,} of {len(texts):,} texts of {name} are longer than {max_length} tokens, the longest has "
            f"{max(lengths):,}; raise max_length where the model reads more, or say --truncation true to judge texts "
            "by their beginnings."
        )
    if num_long:
        if tokenizer.num_special_tokens_to_add(pair=pairs is not None) >= max_length:
            raise ValueError(f"max_length={max_length} leaves no room for the text; try 128.")
        encoded = tokenizer(first, second, truncation="longest_first", max_length=max_length)
    return [{column: encoded[column][index] for column in columns} for index in range(len(texts))], num_long


def predict_probabilities(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    encodings: Sequence[Encoding],
    *,
    batch_size: int = 32,
) -> "np.ndarray":
    """The probability of each class for each text, shape (texts, classes), in float32 whatever the training was in."""
    import numpy as np
    import torch

    model.eval()
    probabilities = np.zeros((len(encodings), model.config.num_labels), dtype=np.float64)
    for places in _batch_by_length(encodings, batch_size):
        batch = tokenizer.pad([encodings[place] for place in places], return_tensors="pt").to(model.device)
        with torch.inference_mode():
            logits = model(**batch).logits.double()
        probabilities[places] = logits.softmax(dim=-1).cpu().numpy()
    return probabilities


def list_labels(model: "PreTrainedModel") -> list[str]:
    """The classes of a classifier, in the order of their numbers."""
    names: dict[int, str] = model.config.id2label
    return [names[index] for index in range(model.config.num_labels)]


def _break_controls(tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str]) -> list[str]:
    """Texts with a blank inside each control token that somebody typed, so that it stays text.

    Not `split_special_tokens`: where a token stands in the vocabulary itself, as `[SEP]` in DeBERTa's, that misses it.
    """
    controls = "|".join(re.escape(token) for token in find_control_tokens(tokenizer) if len(token) > 1) or "(?!)"
    return [re.sub(controls, lambda found: f"{found[0][0]} {found[0][1:]}", text) for text in texts]


def _batch_by_length(encodings: Sequence[Encoding], batch_size: int) -> Iterator[list[int]]:
    """Places of texts, those of like length together, so that little is filled up."""
    order = sorted(range(len(encodings)), key=lambda place: len(encodings[place]["input_ids"]))
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]
