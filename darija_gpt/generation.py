"""Replies of a causal language model: sampling, streaming and context cutting, the same wherever one is talked to.

A model whose tokenizer has a chat template replies. Any other continues: its prompt is the text so far, each turn of
the user on a line of its own and what the model wrote behind it.
"""

import string
import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from darija_gpt.control_tokens import END_OF_TEXT, TURN_END


if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Messages = list[dict[str, str]]

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
    min_p: float = field(
        default=0.0,
        metadata={"help": "draw no token below this share of the likeliest one's probability; 0 draws all"},
    )
    num_beams: int = field(
        default=1,
        metadata={"help": "above 1, beam search (with do_sample false) keeps so many beginnings; nothing is streamed"},
    )
    # It also punishes the tokens of the prompt, and with them the one that ends a turn.
    repetition_penalty: float = field(default=1.0, metadata={"help": "above 1 avoids tokens that were there before"})
    seed: int = field(default=0, metadata={"help": "the same seed gives the same reply"})
    stop_strings: list[str] = field(
        default_factory=list, metadata={"help": "a reply ends before any of these, beside the model's own end"}
    )

    def __post_init__(self):
        for name, is_legal, expected in (
            ("max_new_tokens", self.max_new_tokens > 0, "positive; try 128"),
            ("temperature", self.temperature > 0, "positive; try 0.8, or do_sample false for the likeliest tokens"),
            ("top_k", self.top_k >= 0, "0 or more; try 50, or 0 for all tokens"),
            ("top_p", 0 < self.top_p <= 1, "above 0 and at most 1; try 0.95"),
            ("min_p", 0 <= self.min_p < 1, "0 or more and below 1; try 0.05, or 0 for none"),
            ("num_beams", self.num_beams > 0, "positive; try 4, or 1 for no beam search"),
            ("repetition_penalty", self.repetition_penalty > 0, "positive; try 1.1, or 1 for none"),
            ("seed", 0 <= self.seed < 2**63, "between 0 and 2**63 - 1; try 0"),
            ("stop_strings", all(self.stop_strings), "texts that are not empty"),
        ):
            if not is_legal:
                raise ValueError(f"{name}={getattr(self, name)} must be {expected}.")


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
    added = tokenizer.added_tokens_encoder
    return sorted({tokenizer.eos_token_id, added.get(TURN_END), added.get(END_OF_TEXT)} - {None})


def encode_prompt(messages: Messages, tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Token ids of a conversation, up to where the assistant's next reply begins.

    Args:
        messages (`list[dict[str, str]]`):
            The conversation. A control token typed in it stays text, whatever the tokenizer's template does.
        tokenizer (`PreTrainedTokenizerBase`):
            The model's tokenizer. Without a chat template, the ids are those of the text that the model continues.

    Raises:
        ValueError: If the chat template refuses the conversation.
    """
    from jinja2 import TemplateError

    # A terminal that is not UTF-8 hands over lone surrogates, which no tokenizer takes.
    messages = [message | {"content": message["content"].encode("utf-8", "replace").decode()} for message in messages]
    if tokenizer.chat_template is None:
        ids = tokenizer(_join_plain(messages), split_special_tokens=True)["input_ids"]
        # A continuation begins where the text ends, not behind an end that the tokenizer adds.
        return ids[:-1] if ids and ids[-1] == tokenizer.eos_token_id and len(ids) > 1 else ids
    try:
        return tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=False, sanitize_control_tokens=True
        )
    except TemplateError as error:
        raise ValueError(f"the model's chat template refuses the conversation: {error}") from error


def _join_plain(messages: Messages) -> str:
    """The text so far: what the model wrote stands right behind what it continues."""
    lines = ["\n" * (message["role"] != "assistant") + message["content"] for message in messages]
    return "".join(lines).removeprefix("\n")


def fit_context(messages: Messages, tokenizer: "PreTrainedTokenizerBase", max_tokens: int) -> tuple[Messages, int]:
    """The latest part of a conversation that fits, beginning with something the user said.

    Args:
        messages (`list[dict[str, str]]`):
            The conversation. A system message that opens it is always kept, and so is the user's last turn.
        tokenizer (`PreTrainedTokenizerBase`):
            The model's tokenizer.
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
            Its tokenizer.
        messages (`list[dict[str, str]]`):
            A conversation that fits the model's context; see `fit_context`.
        sampling (`SamplingArguments`):
            How to draw it. The same conversation and seed give the same reply.

    Yields:
        `str`: whole words, or with beams the whole reply. No control token is among them, no stop string, and no
        character is cut. Closing the iterator stops the model.

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
            output = generate_by(
                model,
                prompt,
                _generation_settings(model, tokenizer, sampling),
                streamer=streamer if sampling.num_beams == 1 else None,
                stopping_criteria=[lambda *_: torch.tensor([must_stop.is_set()], device=prompt.device)],
            )
        if sampling.num_beams > 1:
            # Which beginning is the best is known at the end only.
            text = tokenizer.decode(output[0, prompt.shape[1] :], skip_special_tokens=True)
            streamer.on_finalized_text(text, stream_end=True)

    with ThreadPoolExecutor(max_workers=1) as executor:
        generation = executor.submit(generate)
        # An error ends the stream too: the reader below must not wait for words that never come.
        generation.add_done_callback(lambda _: streamer.text_queue.put(streamer.stop_signal))
        try:
            pieces = _cut_at_stop(streamer, sampling.stop_strings)
            # What continues a text may begin with the space between two words.
            yield from _trim(pieces, from_start=tokenizer.chat_template is not None)
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
    written = draw_tokens(model, tokenizer, prompt_ids, sampling)
    return "".join(_trim([tokenizer.decode(written, skip_special_tokens=True)]))


def draw_tokens(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", prompt_ids: list[int], sampling: SamplingArguments
) -> list[int]:
    """The tokens of what `continue_tokens` gives, the one that ends it among them, if it ends by itself."""
    import torch

    prompt = torch.tensor([prompt_ids], device=model.device)  # (1, length)
    devices = [model.device] if model.device.type == "cuda" else []
    with _ONE_REPLY_AT_A_TIME, torch.random.fork_rng(devices):
        torch.manual_seed(sampling.seed)
        [output] = generate_by(model, prompt, _generation_settings(model, tokenizer, sampling))
    return output[len(prompt_ids) :].tolist()


def generate_by(
    model: "PreTrainedModel", prompts: "torch.Tensor", settings: Mapping[str, Any], **kwargs
) -> "torch.Tensor":
    """What a model writes behind prompts of one length by these settings and no others.

    `generate` fills in what they leave out from the model's own generation_config, in which a ban on repeated n-grams
    would keep a model from reciting what it knows.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        prompts (`torch.Tensor`):
            Token ids, shape (batch, length).
        settings (`Mapping`):
            Fields of a `GenerationConfig`.
        kwargs:
            What else `generate` takes, such as a streamer.

    Returns:
        `torch.Tensor`: the prompts and what was written, shape (batch, longer length).
    """
    import torch
    from transformers import GenerationConfig

    config = GenerationConfig(**settings)
    own, model.generation_config = model.generation_config, config
    try:
        mask = torch.ones_like(prompts)
        return model.generate(prompts, attention_mask=mask, generation_config=config, **kwargs)
    finally:
        model.generation_config = own


def _generation_settings(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", sampling: SamplingArguments
) -> dict[str, int | float | bool | list[int] | None]:
    """Fields of a `GenerationConfig`: how to draw, and where the model or its chat template ends a reply."""
    own_stop = model.generation_config.eos_token_id
    own_stops = own_stop if isinstance(own_stop, list) else [own_stop]
    stops = sorted({*stop_token_ids(tokenizer), *own_stops} - {None})
    warping = ("temperature", "top_k", "top_p", "min_p")
    return {
        "max_new_tokens": sampling.max_new_tokens,
        "do_sample": sampling.do_sample,
        "num_beams": sampling.num_beams,
        "repetition_penalty": sampling.repetition_penalty,
        "eos_token_id": stops,
        "pad_token_id": stops[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
    } | {name: getattr(sampling, name) if sampling.do_sample else None for name in warping}


def _cut_at_stop(pieces: Iterable[str], stop_strings: Sequence[str]) -> Iterator[str]:
    """The pieces up to the first stop string. What may be the beginning of one is held back until it is not."""
    held = ""
    for piece in pieces:
        text = held + piece
        found = [text.index(stop) for stop in stop_strings if stop in text]
        if found:
            yield text[: min(found)]
            return
        begun = (size for stop in stop_strings for size in range(1, len(stop)) if text.endswith(stop[:size]))
        num_shown = len(text) - max(begun, default=0)
        held = text[num_shown:]
        yield text[:num_shown]
    yield held


def _trim(pieces: Iterable[str], from_start: bool = True) -> Iterator[str]:
    """The pieces without the white space around the whole, and without a character whose last bytes never came."""
    has_begun, held = not from_start, ""
    for piece in pieces:
        text = held + piece if has_begun else piece.lstrip()
        shown = text.rstrip(string.whitespace + "\ufffd")
        held = text[len(shown) :]
        if shown:
            has_begun = True
            yield shown
