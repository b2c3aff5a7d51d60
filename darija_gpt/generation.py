"""Replies of a causal language model: sampling, streaming and context cutting, the same wherever one is talked to."""

import string
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Messages = list[dict[str, str]]

# What a terminal obeys: C0 and C1 without newline and tab, so that no escape sequence can begin, and the marks that
# turn the reading direction of whatever follows. The plain marks LRM, RLM and ALM stay: Arabic is written with them.
_OBEYED = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x09, 0x0A}
_REMOVE_OBEYED = dict.fromkeys(_OBEYED)

# Sampling draws from torch's global state, so that replies to several people at once would change each other.
_ONE_REPLY_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class SamplingArguments:
    """How a reply is drawn. The arguments of every stage that samples inherit these."""

    max_new_tokens: int = field(default=128, metadata={"help": "longest reply, in tokens"})
    do_sample: bool = field(default=True, metadata={"help": "draw each token; false takes the likeliest"})
    temperature: float = field(default=0.8, metadata={"help": "below 1 plays safe, above 1 takes risks"})
    top_k: int = field(default=50, metadata={"help": "draw among this many likeliest tokens; 0 for all"})
    top_p: float = field(default=0.95, metadata={"help": "draw among the likeliest tokens of this total probability"})
    # It also punishes the tokens of the prompt, and with them the one that ends a turn.
    repetition_penalty: float = field(default=1.0, metadata={"help": "above 1 avoids tokens that were there before"})
    seed: int = field(default=0, metadata={"help": "the same seed gives the same reply"})

    def __post_init__(self):
        for name, is_legal, expected in (
            ("max_new_tokens", self.max_new_tokens > 0, "positive; try 128"),
            ("temperature", self.temperature > 0, "positive; try 0.8, or do_sample false for the likeliest tokens"),
            ("top_k", self.top_k >= 0, "0 or more; try 50, or 0 for all tokens"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1; try 0.95"),
            ("repetition_penalty", self.repetition_penalty > 0, "positive; try 1.1, or 1 for none"),
            ("seed", 0 <= self.seed < 2**63, "between 0 and 2**63 - 1; try 0"),
        ):
            if not is_legal:
                raise ValueError(f"{name}={getattr(self, name)} must be {expected}.")


def load_model(path: str | Path) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """A causal language model, ready to reply on the best device there is, and its tokenizer.

    Args:
        path (`str` or `Path`):
            A local directory or the id of a model on the Hub. Code that comes with a model is never run.

    Raises:
        ValueError: If there is no such model, or it is not one that transformers or this project knows.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    import darija_gpt.model  # noqa: F401  its import makes DarijaGPT known to the Auto classes

    is_directory = Path(path).is_dir()
    if is_directory and not any((Path(path) / f"{name}.json").is_file() for name in ("config", "adapter_config")):
        raise ValueError(f"{path} holds no config.json; give a directory that pretrain.py or finetune.py wrote.")
    if is_directory:
        logging.disable_progress_bar()  # A download takes time to see; a file here is read before a bar is drawn.
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
        model, loading = AutoModelForCausalLM.from_pretrained(path, trust_remote_code=False, output_loading_info=True)
    except (OSError, ValueError, SafetensorError) as error:
        if not is_directory:
            raise ValueError(
                f"{path} is no directory, and no model of that name could be loaded from the Hub; give a directory "
                "that pretrain.py or finetune.py wrote, or an id such as owner/name."
            ) from error
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"{path} holds no causal language model that loads without code of its own: {reason}"
        ) from error
    if loading["missing_keys"]:
        raise ValueError(
            f"{path} lacks {len(loading['missing_keys'])} of the weights of {type(model).__name__}, such as "
            f"{min(loading['missing_keys'])}; give the directory of a whole causal language model."
        )
    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    return model.to(device).eval(), tokenizer


def count_context_tokens(model: "PreTrainedModel") -> int:
    """Tokens that a model reads at once.

    Raises:
        ValueError: If the model's configuration does not say.
    """
    # Other people's configurations need not have the field: recurrent models read without end.
    context_tokens = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if context_tokens is None:
        raise ValueError(
            f"the configuration of {type(model).__name__} does not say how many tokens it reads; set "
            "max_position_embeddings in its config.json."
        )
    return context_tokens


def count_prompt_tokens(model: "PreTrainedModel", sampling: SamplingArguments) -> int:
    """Tokens that a prompt may take beside the longest reply.

    Raises:
        ValueError: If the reply leaves no room for a prompt.
    """
    context_tokens = count_context_tokens(model)
    if sampling.max_new_tokens >= context_tokens:
        raise ValueError(
            f"max_new_tokens={sampling.max_new_tokens} leaves no room for a prompt among the {context_tokens} tokens "
            f"that the model reads; try {context_tokens // 2}."
        )
    return context_tokens - sampling.max_new_tokens


def stop_token_ids(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Ids of the tokens that end a reply: the end of a turn, the end of a text, and the tokenizer's own eos."""
    from darija_gpt.tokenizer import END_OF_TEXT, TURN_END

    added = tokenizer.added_tokens_encoder
    return sorted({tokenizer.eos_token_id, added.get(TURN_END), added.get(END_OF_TEXT)} - {None})


def encode_prompt(messages: Messages, tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Token ids of a conversation, up to where the assistant's next reply begins.

    Args:
        messages (`list[dict[str, str]]`):
            The conversation. A control token typed in it stays text, whatever the tokenizer's template does.
        tokenizer (`PreTrainedTokenizerBase`):
            A tokenizer with a chat template.

    Raises:
        ValueError: If the tokenizer has no chat template.
    """
    if tokenizer.chat_template is None:
        raise ValueError("the tokenizer has no chat template, so the model cannot chat; give a chat model.")
    # A terminal that is not UTF-8 hands over lone surrogates, which no tokenizer takes.
    messages = [message | {"content": message["content"].encode("utf-8", "replace").decode()} for message in messages]
    return tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_dict=False, sanitize_control_tokens=True
    )


def fit_context(messages: Messages, tokenizer: "PreTrainedTokenizerBase", max_tokens: int) -> tuple[Messages, int]:
    """The latest part of a conversation that fits, beginning with something the user said.

    Args:
        messages (`list[dict[str, str]]`):
            The conversation. A system message that opens it is always kept, and so is the user's last turn.
        tokenizer (`PreTrainedTokenizerBase`):
            A tokenizer with a chat template.
        max_tokens (`int`):
            Tokens that the rendered conversation may take.

    Returns:
        `tuple`: the messages kept, and the number of those dropped.

    Raises:
        ValueError: If what must be kept does not fit.
    """
    num_system = int(bool(messages) and messages[0]["role"] == "system")
    system, turns = messages[:num_system], messages[num_system:]
    starts = sorted({0} | {index for index, turn in enumerate(turns) if turn["role"] == "user"})

    def fits(start: int) -> bool:
        return len(encode_prompt(system + turns[start:], tokenizer)) <= max_tokens

    first = bisect_left(starts, True, key=fits)
    if first == len(starts):
        num_tokens = len(encode_prompt(system + turns[starts[-1] :], tokenizer))
        what = "the last message, with the system prompt," if system else "the last message"
        raise ValueError(f"{what} takes {num_tokens} tokens and {max_tokens} fit; write a shorter one.")
    return system + turns[starts[first] :], starts[first]


def stream_reply(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", messages: Messages, sampling: SamplingArguments
) -> Iterator[str]:
    """The assistant's next reply, piece by piece while it is being written.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer, with a chat template.
        messages (`list[dict[str, str]]`):
            A conversation that fits the model's context; see `fit_context`.
        sampling (`SamplingArguments`):
            How to draw it. The same conversation and seed give the same reply.

    Yields:
        `str`: whole words. No control token is among them, and no character is cut. Closing the iterator stops the
        model.

    Raises:
        ValueError: If conversation and reply do not fit the model's context.
    """
    import torch
    from transformers import TextIteratorStreamer

    prompt = torch.tensor([encode_prompt(messages, tokenizer)], device=model.device)  # (1, length)
    if prompt.shape[1] > count_prompt_tokens(model, sampling):
        raise ValueError(
            f"the conversation takes {prompt.shape[1]} tokens, and {count_prompt_tokens(model, sampling)} fit beside "
            f"a reply of {sampling.max_new_tokens}; cut it, or lower max_new_tokens."
        )
    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    must_stop = threading.Event()

    def generate() -> None:
        with _ONE_REPLY_AT_A_TIME, torch.random.fork_rng():
            torch.manual_seed(sampling.seed)
            model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                streamer=streamer,
                stopping_criteria=[lambda *_: torch.tensor([must_stop.is_set()], device=prompt.device)],
                **_generation_settings(model, tokenizer, sampling),
            )

    with ThreadPoolExecutor(max_workers=1) as executor:
        generation = executor.submit(generate)
        # An error ends the stream too: the reader below must not wait for words that never come.
        generation.add_done_callback(lambda _: streamer.text_queue.put(streamer.stop_signal))
        try:
            yield from _trim(streamer)
        finally:
            must_stop.set()
        generation.result()


def generate_reply(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", messages: Messages, sampling: SamplingArguments
) -> str:
    """The assistant's next reply, whole; see `stream_reply`."""
    return "".join(stream_reply(model, tokenizer, messages, sampling))


def continue_tokens(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", prompt_ids: list[int], sampling: SamplingArguments
) -> str:
    """What a model writes behind some tokens. The global random generators are afterwards as they were before.

    Args:
        model (`PreTrainedModel`):
            A causal language model, in evaluation mode.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        prompt_ids (`list[int]`):
            They and the longest continuation fit the model's context.
        sampling (`SamplingArguments`):
            How to draw it.
    """
    import torch

    prompt = torch.tensor([prompt_ids], device=model.device)  # (1, length)
    devices = [model.device] if model.device.type == "cuda" else []
    with _ONE_REPLY_AT_A_TIME, torch.random.fork_rng(devices):
        torch.manual_seed(sampling.seed)
        [output] = model.generate(
            prompt, attention_mask=torch.ones_like(prompt), **_generation_settings(model, tokenizer, sampling)
        )
    return "".join(_trim([tokenizer.decode(output[len(prompt_ids) :], skip_special_tokens=True)]))


def neutralize_control_characters(text: str) -> str:
    """The text without the characters that a terminal obeys; of an escape sequence its letters remain."""
    return text.translate(_REMOVE_OBEYED)


def _generation_settings(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", sampling: SamplingArguments
) -> dict[str, int | float | bool | list[int] | None]:
    """Keyword arguments of `generate`, complete, so that a model's own sampling defaults do not mix in."""
    own_stop = model.generation_config.eos_token_id
    own_stops = own_stop if isinstance(own_stop, list) else [own_stop]
    stops = sorted({*stop_token_ids(tokenizer), *own_stops} - {None})
    warping = ("temperature", "top_k", "top_p")
    return {
        "max_new_tokens": sampling.max_new_tokens,
        "do_sample": sampling.do_sample,
        "repetition_penalty": sampling.repetition_penalty,
        "eos_token_id": stops,
        "pad_token_id": stops[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
    } | {name: getattr(sampling, name) if sampling.do_sample else None for name in warping}


def _trim(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces without the white space around the whole, and without a character whose last bytes never came."""
    has_begun, held = False, ""
    for piece in pieces:
        text = held + piece if has_begun else piece.lstrip()
        shown = text.rstrip(string.whitespace + "\ufffd")
        held = text[len(shown) :]
        if shown:
            has_begun = True
            yield shown
