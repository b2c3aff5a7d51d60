"""Encoder-decoder models such as FLAN-T5: loading one, its tokens, and what it writes of a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from darija_gpt.recipe import RecipeError


if TYPE_CHECKING:
    from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class EncodedTexts:
    """Texts as tokens, and what was lost on the way.

    Args:
        token_ids (`list[list[int]]`):
            The tokens of each text, those around it included.
        num_cut (`int`):
            Texts that were longer.
        num_tokens (`int`), num_unknown (`int`):
            Tokens of the texts before they were cut, and how many of them stand for something unknown.
    """

    token_ids: list[list[int]]
    num_cut: int
    num_tokens: int
    num_unknown: int

    @property
    def cut_share(self) -> float:
        """Of the texts."""
        return self.num_cut / len(self.token_ids)

    @property
    def unknown_share(self) -> float:
        """Of the tokens."""
        return self.num_unknown / max(self.num_tokens, 1)


def load_seq2seq(path: str | Path) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """An encoder-decoder model in float32 on the CPU, and its tokenizer.

    Args:
        path (`str` or `Path`):
            A local directory or the id of a model on the Hub. Code that comes with a model is never run.

    Raises:
        ValueError: If there is no such model, it is none that reads a text and writes another, or it cannot be
            trained on batches.
    """
    import torch
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModelForSeq2SeqLM, AutoTokenizer
    from transformers.utils import logging

    import darija_gpt.model  # noqa: F401  its import makes DarijaGPT known to the Auto classes, and to the errors here

    is_directory = Path(path).is_dir()
    if is_directory and not (Path(path) / "config.json").is_file():
        remedy = "give the directory of a whole model"
        if (Path(path) / "adapter_config.json").is_file():
            remedy = "it is an adapter: give its base as model and this as adapter"
        raise ValueError(f"{path} holds no config.json; {remedy}.")
    if is_directory:
        logging.disable_progress_bar()  # A download takes time to see; a file here is read before a bar is drawn.
    verbosity = logging.get_verbosity()
    # That T5 has a head of its own, though its configuration speaks of a shared one, is no news: FLAN-T5 is like that.
    logging.set_verbosity_error()
    try:
        config = AutoConfig.from_pretrained(path, trust_remote_code=False)
        if not config.is_encoder_decoder:
            raise RecipeError(
                f"{path} is no encoder-decoder model but {config.model_type}; give one such as google/flan-t5-base, "
                "or fine-tune it with finetune.py."
            )
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        model, loading = AutoModelForSeq2SeqLM.from_pretrained(
            path, trust_remote_code=False, dtype=torch.float32, output_loading_info=True
        )
    except RecipeError:
        raise
    except StrictDataclassError as error:
        raise ValueError(f"{path} has an invalid config.json: {error.__cause__ or error}") from error
    except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        if not is_directory and isinstance(error, OSError):
            raise ValueError(
                f"{path} is no directory, and no model of that name could be loaded from the Hub; give a directory, "
                "or an id such as google/flan-t5-base."
            ) from error
        raise ValueError(f"{path} holds no encoder-decoder model that loads here: {reason[:300]}") from error
    finally:
        logging.set_verbosity(verbosity)
    if loading["missing_keys"]:
        raise ValueError(
            f"{path} lacks {len(loading['missing_keys'])} of the weights of {type(model).__name__}, such as "
            f"{min(loading['missing_keys'])}; give the directory of a whole model."
        )
    _check_tokens(path, model, tokenizer)
    return model.eval(), tokenizer


def check_length(model: "PreTrainedModel", name: str, length: int) -> None:
    """Refuses a length that a model has no positions for; T5's are relative and without end.

    Raises:
        ValueError: If it is too long.
    """
    # Other people's configurations need not have the field.
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is not None and length > positions:
        raise ValueError(f"{name}={length} is more than the {positions} tokens that the model reads; lower it.")


def encode_texts(
    tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str], *, max_length: int, name: str
) -> EncodedTexts:
    """The tokens of texts, cut at their ends to fit, each with the tokens that the model expects around it.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            The model's tokenizer.
        texts (`Sequence[str]`):
            Texts as people wrote them. No control token comes of them, whatever they spell.
        max_length (`int`):
            Tokens of a text at most, those around it included.
        name (`str`):
            Of the length, for the error.

    Raises:
        ValueError: If the length leaves no room for text.
    """
    # `split_special_tokens` is not enough: T5's vocabulary spells </s> as an ordinary piece, and its normaliser makes
    # one of full-width letters, too. What the tokenizer itself puts around a text is marked, all else is the text's.
    encoded = tokenizer(list(texts), split_special_tokens=True, return_special_tokens_mask=True, verbose=False)
    control_ids = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    all_ids, num_cut, num_tokens, num_unknown = [], 0, 0, 0
    for ids, mask in zip(encoded["input_ids"], encoded["special_tokens_mask"], strict=True):
        first = mask.index(0) if 0 in mask else 0
        before, after = (
            ids[:first],
            [token for token, is_around in zip(ids[first:], mask[first:], strict=True) if is_around],
        )
        if not after and tokenizer.eos_token_id is not None:
            after = [tokenizer.eos_token_id]  # Without it, a model would never learn to stop.
        content = [
            token for token, is_around in zip(ids, mask, strict=True) if not is_around and token not in control_ids
        ]
        room = max_length - len(before) - len(after)
        if room < 1:
            raise ValueError(f"{name}={max_length} leaves no room for a text; try 128.")
        num_cut += len(content) > room
        num_tokens += len(content)
        num_unknown += content.count(tokenizer.unk_token_id)
        all_ids.append(before + content[:room] + after)
    return EncodedTexts(all_ids, num_cut, num_tokens, num_unknown)


def build_generation_config(model: "PreTrainedModel", *, max_new_tokens: int, num_beams: int) -> "GenerationConfig":
    """A model's own generation settings with this length and beam search, whatever they said of both."""
    from transformers import GenerationConfig

    fields = model.generation_config.to_dict()
    fields.pop("_from_model_config", None)  # It would be built anew from a model's config.json, without these.
    return GenerationConfig.from_dict(
        {**fields, "max_length": None, "max_new_tokens": max_new_tokens, "num_beams": num_beams, "do_sample": False}
    )


def generate_texts(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    token_ids: Sequence[list[int]],
    *,
    max_new_tokens: int,
    num_beams: int,
    batch_size: int = 16,
    description: str | None = None,
) -> list[str]:
    """What a model writes of each text, by beam search.

    Args:
        model (`PreTrainedModel`):
            An encoder-decoder model, with an adapter or without.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        token_ids (`Sequence[list[int]]`):
            The texts, as `encode_texts` gives them.
        max_new_tokens (`int`):
            The longest text to write.
        num_beams (`int`):
            Beginnings that are kept in mind; 1 takes the likeliest token each time.
        batch_size (`int`, *optional*, defaults to `16`):
            Texts at a time.
        description (`str`, *optional*):
            Beside a progress bar; without it there is none.

    Returns:
        `list[str]`: a text for each, without control tokens.
    """
    import torch
    from transformers.utils import logging

    model.eval()
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # It would say, batch by batch, that the model's own length gives way.
    generation_config = build_generation_config(model, max_new_tokens=max_new_tokens, num_beams=num_beams)
    # Those of like length together, so that little is filled up.
    order = sorted(range(len(token_ids)), key=lambda place: len(token_ids[place]))
    written: dict[int, str] = {}
    with tqdm(total=len(order), desc=description, disable=None if description else True, unit=" texts") as bar:
        for start in range(0, len(order), batch_size):
            places = order[start : start + batch_size]
            batch = tokenizer.pad({"input_ids": [token_ids[place] for place in places]}, return_tensors="pt")
            with torch.inference_mode():
                generated = model.generate(**batch.to(model.device), generation_config=generation_config)
            texts = tokenizer.batch_decode(generated, skip_special_tokens=True)
            written |= zip(places, (text.strip() for text in texts), strict=True)
            bar.update(len(places))
    logging.set_verbosity(verbosity)
    return [written[place] for place in range(len(token_ids))]


def _check_tokens(path: str | Path, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
    """Refuses a tokenizer and a model that cannot be trained together."""
    if tokenizer.pad_token_id is None:
        raise ValueError(
            f"the tokenizer of {path} has no padding token, so texts of different lengths make no batch; name one as "
            "pad_token in its tokenizer_config.json."
        )
    if tokenizer.eos_token_id is None:
        raise ValueError(
            f"the tokenizer of {path} has no token that ends a text, so the model would never stop; name one as "
            "eos_token in its tokenizer_config.json."
        )
    if model.generation_config.decoder_start_token_id is None and model.config.decoder_start_token_id is None:
        raise ValueError(
            f"the configuration of {path} does not say with which token a text begins; set decoder_start_token_id in "
            "its config.json."
        )
    num_embeddings = model.get_input_embeddings().num_embeddings
    if len(tokenizer) > num_embeddings:
        raise ValueError(
            f"the tokenizer of {path} has {len(tokenizer):,} entries and the model embeddings for {num_embeddings:,}; "
            "they are not of one model."
        )
