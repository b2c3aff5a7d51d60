"""Whether a chat model knows when it has said enough: how many of its replies end by themselves."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from darija_gpt.generation import (
    Messages,
    SamplingArguments,
    count_prompt_tokens,
    draw_tokens,
    encode_prompt,
    stop_token_ids,
)


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def draw_questions(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    chats: Iterable[Messages | None],
    num_prompts: int,
    sampling: SamplingArguments,
) -> list[list[int]]:
    """The token ids of the questions that `measure_stop_rate` asks; the arguments are its own.

    Raises:
        ValueError: If the tokenizer has no chat template, or no conversation has a question that fits.
    """
    if tokenizer.chat_template is None:
        raise ValueError(
            "stop_rate_prompts asks for replies, and the model's tokenizer has no chat template; leave it out."
        )
    max_tokens = count_prompt_tokens(model, sampling)
    questions = filter(None, map(_cut_behind_question, filter(None, chats)))
    prompts = (encode_prompt(messages, tokenizer) for messages in questions)
    asked = list(islice((prompt for prompt in prompts if len(prompt) <= max_tokens), num_prompts))
    if not asked:
        raise ValueError(
            "no conversation begins with a question that the model can read; leave out stop_rate_prompts."
        )
    return asked


def measure_stop_rate(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    chats: Iterable[Messages | None],
    num_prompts: int,
    sampling: SamplingArguments,
) -> dict[str, Any]:
    """How replies to the beginnings of conversations end.

    Args:
        model (`PreTrainedModel`):
            A causal language model, in evaluation mode.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer, with a chat template.
        chats (`Iterable`):
            Conversations. Of each its first question is asked, if it fits the model's context beside a reply.
        num_prompts (`int`):
            Questions at most.
        sampling (`SamplingArguments`):
            How replies are drawn, each with a seed of its own.

    Returns:
        `dict`: `prompts` that were asked, `stopped` for the replies that ended before `max_new_tokens`, their `share`,
            and in `ended_by` the number of replies that each token ended.

    Raises:
        ValueError: As `draw_questions`.
    """
    asked = draw_questions(model, tokenizer, chats, num_prompts, sampling)
    stops = set(stop_token_ids(tokenizer))
    ends: Counter[str] = Counter()
    for number, prompt in enumerate(tqdm(asked, "replies", disable=None)):
        written = draw_tokens(model, tokenizer, prompt, replace(sampling, seed=sampling.seed + number))
        if written[-1] in stops:
            ends[tokenizer.convert_ids_to_tokens(written[-1])] += 1
    stopped = ends.total()
    return {
        "prompts": len(asked),
        "stopped": stopped,
        "share": round(stopped / len(asked), 4),
        "ended_by": dict(sorted(ends.items())),
    }


def _cut_behind_question(messages: Messages) -> Messages:
    """A conversation up to the first thing that the user says, behind a system message if there is one; nothing where
    the user says nothing."""
    first = next((place for place, message in enumerate(messages) if message["role"] == "user"), -1)
    return [message for message in messages[: first + 1] if message["role"] != "assistant"]
