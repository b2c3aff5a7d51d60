"""A conversation with a model: what was said, what of it the model still reads, and its file."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from darija_gpt.display import neutralize_control_characters
from darija_gpt.generation import (
    Messages,
    SamplingArguments,
    count_prompt_tokens,
    encode_prompt,
    fit_context,
    stream_reply,
)


if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Conversation:
    """What the user and the model have said to each other.

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer. Without a chat template the model continues the text of the conversation.
        sampling (`SamplingArguments`):
            How replies are drawn.
        system_prompt (`str`, *optional*):
            The instruction that opens the conversation and is never forgotten.

    Raises:
        ValueError: If replies leave no room for a prompt, or the model's chat template takes no instruction.
    """

    def __init__(
        self,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        sampling: SamplingArguments,
        system_prompt: str | None = None,
    ) -> None:
        self.model, self.tokenizer, self.sampling = model, tokenizer, sampling
        self.max_tokens = count_prompt_tokens(model, sampling)
        self.opening: Messages = [{"role": "system", "content": system_prompt}] if system_prompt else []
        if self.opening:
            encode_prompt([*self.opening, {"role": "user", "content": "salam"}], tokenizer)
        self.messages = list(self.opening)
        self.num_forgotten = 0

    def reset(self) -> None:
        """Begins anew."""
        self.messages = list(self.opening)
        self.num_forgotten = 0

    def undo(self) -> int:
        """Takes the last exchange back. Gives the number of exchanges left."""
        self.messages = self.messages[: max(len(self.opening), len(self.messages) - 2)]
        return (len(self.messages) - len(self.opening)) // 2

    def reply(self, text: str) -> Iterator[str]:
        """The model's reply to what the user says, piece by piece.

        What came before the iterator was closed counts as said. Where nothing came, the user has said nothing either.
        `num_forgotten` then is the number of the oldest messages that the model did not read any more.

        Raises:
            ValueError: If the message does not fit what the model reads; the conversation stays as it was.
        """
        # A terminal that is not UTF-8 hands over lone surrogates, which no file takes.
        message = {"role": "user", "content": text.encode("utf-8", "replace").decode()}
        messages = [*self.messages, message]
        read, self.num_forgotten = fit_context(messages, self.tokenizer, self.max_tokens)
        return self._speak(messages, read)

    def _speak(self, messages: Messages, read: Messages) -> Iterator[str]:
        said: list[str] = []
        try:
            for piece in stream_reply(self.model, self.tokenizer, read, self.sampling):
                said.append(piece)
                yield piece
        finally:
            # An empty turn stands in no conversation that the model has learnt from.
            content = "".join(said)
            if content.strip():
                self.messages = [*messages, {"role": "assistant", "content": content}]

    def save(self, path: Path) -> None:
        """Writes the whole conversation for its owner alone: as JSON, or as text by any other name.

        Raises:
            ValueError: If there is such a file already.
        """
        if path.suffix == ".json":
            text = json.dumps({"messages": self.messages}, ensure_ascii=False, indent=2)
        else:
            lines = (f"{message['role']}: {message['content']}" for message in self.messages)
            text = neutralize_control_characters("\n".join(lines))
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise ValueError(f"{path} exists already; choose another name.") from None
        with open(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
