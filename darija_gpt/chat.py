"""A chat in the terminal, each reply shown while it is being written."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from darija_gpt.generation import (
    SamplingArguments,
    count_context_tokens,
    count_prompt_tokens,
    fit_context,
    load_model,
    neutralize_control_characters,
    stream_reply,
)


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HELP = "/reset begins anew, /undo takes the last exchange back, /help shows this, /quit ends; Ctrl-C stops a reply."


@dataclass(frozen=True, kw_only=True)
class ChatArguments(SamplingArguments):
    model: str = field(metadata={"help": "directory of a model, or its id on the Hub"})
    prompt: str | None = field(default=None, metadata={"help": "one message: print the reply to it and end"})
    system_prompt: str | None = field(default=None, metadata={"help": "instruction that opens the conversation"})


class Conversation:
    """What the user and the model have said, as far back as the model reads."""

    def __init__(
        self, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", arguments: ChatArguments
    ) -> None:
        self.model, self.tokenizer, self.sampling = model, tokenizer, arguments
        self.max_tokens = count_prompt_tokens(model, arguments)
        instruction = arguments.system_prompt
        self.opening = [{"role": "system", "content": instruction}] if instruction else []
        self.messages = list(self.opening)

    def reset(self) -> None:
        self.messages = list(self.opening)
        _note("The conversation begins anew.")

    def undo(self) -> None:
        self.messages = self.messages[: max(len(self.opening), len(self.messages) - 2)]
        _note(f"Exchanges left: {(len(self.messages) - len(self.opening)) // 2}.")

    def hear(self, text: str) -> None:
        """Takes in what the user says.

        Raises:
            ValueError: If it does not fit what the model reads; the conversation stays as it was.
        """
        messages = [*self.messages, {"role": "user", "content": text}]
        self.messages, num_dropped = fit_context(messages, self.tokenizer, self.max_tokens)
        if num_dropped:
            _note(f"The model's context is full: it has forgotten the oldest {num_dropped} messages.")

    def reply(self) -> None:
        """Prints the model's reply while it is being written. What came before Ctrl-C counts as said."""
        said: list[str] = []
        try:
            for piece in stream_reply(self.model, self.tokenizer, self.messages, self.sampling):
                print(neutralize_control_characters(piece), end="", flush=True)
                said.append(piece)
        finally:
            print(flush=True)
            self.messages = [*self.messages, {"role": "assistant", "content": "".join(said)}]


def chat(arguments: ChatArguments) -> None:
    """The chat stage: lines from the terminal, or from a pipe, and a reply to each."""
    model, tokenizer = load_model(arguments.model)
    conversation = Conversation(model, tokenizer, arguments)
    if arguments.prompt is not None:
        conversation.hear(arguments.prompt)
        conversation.reply()
        return

    if sys.stdin.isatty():
        _note(f"{arguments.model} reads {count_context_tokens(model):,} tokens. {HELP}")
    for line in _read_lines():
        if line == "/quit":
            return
        if line == "/reset":
            conversation.reset()
        elif line == "/undo":
            conversation.undo()
        elif line.startswith("/"):
            _note(HELP)
        elif line:
            try:
                conversation.hear(line)
            except ValueError as error:
                _note(f"Not sent: {error}")
                continue
            try:
                conversation.reply()
            except KeyboardInterrupt:
                _note("Stopped.")


def _read_lines() -> Iterator[str]:
    """What the user types, line by line, until the input ends."""
    if not sys.stdin.isatty():
        yield from map(str.strip, sys.stdin)
        return
    with contextlib.suppress(ImportError):  # Windows has none, and edits lines by itself.
        import readline  # noqa: F401
    try:
        while True:
            yield input("you> ").strip()
    except EOFError:
        print()


def _note(text: str) -> None:
    """Says on stderr what is no reply."""
    print(text, file=sys.stderr, flush=True)
