"""A chat in the terminal, each reply shown while it is being written."""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from darija_gpt.conversation import Conversation
from darija_gpt.display import DETECT_DIRECTION, FORGET_DIRECTION, neutralize_control_characters
from darija_gpt.generation import SamplingArguments, count_context_tokens
from darija_gpt.loading import load_model
from darija_gpt.output import make_printable


HELP = (
    "/reset begins anew, /undo takes the last exchange back, /save FILE keeps the conversation (.json, or text), "
    "/help shows this, /quit or Ctrl-D ends; Ctrl-C stops a reply."
)


@dataclass(frozen=True, kw_only=True)
class ChatArguments(SamplingArguments):
    model: str = field(metadata={"help": "directory of a model or of an adapter, or its id on the Hub"})
    base: str | None = field(
        default=None, metadata={"help": "the model that an adapter belongs to, where its own files do not say"}
    )
    prompt: str | None = field(default=None, metadata={"help": "one message: print the reply to it and end"})
    system_prompt: str | None = field(default=None, metadata={"help": "instruction that opens the conversation"})


def chat(arguments: ChatArguments) -> None:
    """The chat stage: lines from the terminal, or from a pipe, and a reply to each."""
    model, tokenizer = load_model(arguments.model, arguments.base)
    conversation = Conversation(model, tokenizer, arguments, arguments.system_prompt)
    if tokenizer.chat_template is None:
        _note(f"{arguments.model} has no chat template: it does not reply, it continues what you write.")
    if arguments.num_beams > 1:
        _note(f"With num_beams={arguments.num_beams} a reply is shown once it is whole.")
    if arguments.prompt is not None:
        _show_reply(conversation, arguments.prompt)
        return
    # A letter in another encoding must not end the chat, and such a name of a file still be its name.
    sys.stdin.reconfigure(errors="surrogateescape")
    if sys.stdin.isatty():
        _note(f"{arguments.model} reads {count_context_tokens(model):,} tokens. {HELP}")
        with _own_direction():
            _talk(conversation)
    else:
        for line in sys.stdin:
            if not _answer(conversation, line.strip()):
                return


def _talk(conversation: Conversation) -> None:
    """Asks for lines until there are no more."""
    with contextlib.suppress(ImportError):  # Windows has none, and edits lines by itself.
        import readline  # noqa: F401
    while True:
        try:
            # No letter in it: a line that begins with Arabic is read from the right.
            line = input("> ").strip()
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            print()
            _note("Ctrl-D or /quit ends.")
            continue
        try:
            if not _answer(conversation, line):
                return
        except KeyboardInterrupt:
            _note("Stopped.")


def _answer(conversation: Conversation, line: str) -> bool:
    """Does what a line says. Whether the chat goes on."""
    command, _, rest = line.partition(" ")
    if command == "/quit":
        return False
    if command == "/reset":
        conversation.reset()
        _note("The conversation begins anew.")
    elif command == "/undo":
        _note(f"Exchanges left: {conversation.undo()}.")
    elif command == "/save":
        _save(conversation, rest.strip())
    elif command.startswith("/"):
        _note(HELP)
    elif line:
        try:
            _show_reply(conversation, line)
        except ValueError as error:
            _note(f"Not sent: {error}")
    return True


def _show_reply(conversation: Conversation, text: str) -> None:
    """Prints the reply while it is being written; one that is stopped ends its line too.

    Raises:
        ValueError: If the message cannot be sent.
    """
    num_forgotten_before = conversation.num_forgotten
    pieces = conversation.reply(text)
    if conversation.num_forgotten > num_forgotten_before:
        _note(f"The model's context is full: it has forgotten the oldest {conversation.num_forgotten} messages.")
    is_silent = True
    try:
        with contextlib.closing(pieces):
            for piece in pieces:
                print(neutralize_control_characters(piece), end="", flush=True)
                is_silent = is_silent and not piece.strip()
    finally:
        print(flush=True)
    if is_silent:
        _note("The model said nothing.")


def _save(conversation: Conversation, name: str) -> None:
    if not name:
        _note("/save needs a name, such as /save talk.json or /save talk.txt.")
        return
    path = Path(name).expanduser()
    try:
        conversation.save(path)
    except OSError as error:
        _note(f"Not saved: {path}: {error.strerror}.")
    except ValueError as error:
        _note(f"Not saved: {error}")
    else:
        _note(f"Saved: {path} ({len(conversation.messages)} messages), readable for you alone.")


@contextmanager
def _own_direction() -> Iterator[None]:
    """Has a terminal that knows right to left show each line in its own direction."""
    is_asked = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if is_asked:
        print(end=DETECT_DIRECTION, flush=True)
    try:
        yield
    finally:
        if is_asked:
            print(end=FORGET_DIRECTION, flush=True)


def _note(text: str) -> None:
    """Says on stderr what is no reply."""
    print(make_printable(text), file=sys.stderr, flush=True)
