"""chat.py as people meet it: a process on a pseudo-terminal, driven key by key."""

import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[1]


# For a word to appear: a test that waits in vain shall fail, and not hang.
PATIENCE_SECONDS = 120


class Terminal:
    """A chat on a pseudo-terminal. What it showed stays in `seen`."""

    def __init__(self, *flags: str):
        self.keyboard, its_end = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "scripts/chat.py", *flags],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"},
            stdin=its_end,
            stdout=its_end,
            stderr=its_end,
            # Ctrl-C reaches what has this as its controlling terminal.
            start_new_session=True,
            preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
        )
        os.close(its_end)
        self.seen = b""

    def press(self, keys: str) -> None:
        os.write(self.keyboard, keys.encode())

    def read_until(self, text: str) -> str:
        """What is shown up to a text that has not been shown before."""
        start = len(self.seen)
        while text.encode() not in self.seen[start:]:
            try:
                is_ready = select.select([self.keyboard], [], [], PATIENCE_SECONDS)[0]
                shown = os.read(self.keyboard, 1024) if is_ready else b""
            except OSError:  # Linux's way to say that the other end was closed.
                shown = b""
            assert shown, f"it ended before {text!r}: {self.seen[start:].decode(errors='replace')}"
            self.seen += shown
        return self.seen[start:].decode(errors="replace")

    def read_rest(self) -> str:
        start = len(self.seen)
        while select.select([self.keyboard], [], [], PATIENCE_SECONDS)[0]:
            try:
                shown = os.read(self.keyboard, 1024)
            except OSError:
                break
            if not shown:
                break
            self.seen += shown
        return self.seen[start:].decode(errors="replace")


@pytest.fixture
def open_terminal():
    terminals = []

    def start(*flags: str) -> Terminal:
        terminals.append(Terminal(*flags))
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.keyboard)


@pytest.fixture(scope="module")
def endless_dir(tokenizer, tmp_path_factory):
    """A saved model that writes `labas` for ever."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=100_000,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config).eval()
    [word] = tokenizer.encode(" labas")
    with torch.no_grad():
        # Every hidden state is the same, and only one word looks like it.
        for parameter in model.parameters():
            parameter.zero_()
        model.model.embed_tokens.weight.fill_(1)
        model.model.norm.weight.fill_(1)
        model.lm_head.weight[word] = 1
    directory = tmp_path_factory.mktemp("model") / "endless"
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def test_a_whole_chat_on_a_terminal_in_both_scripts(open_terminal, tiny_llama_dir, tmp_path):
    terminal = open_terminal("--model", str(tiny_llama_dir), "--max_new_tokens", "8")
    greeting = terminal.read_until("> ")
    assert "/quit" in greeting and "96 tokens" in greeting
    assert "\x1b[?2501h" in greeting, "the terminal is asked to show each line in its own direction"

    for text in ("salam khouya", "السلام عليكم"):
        terminal.press(f"{text}\r")
        shown = terminal.read_until("\n> ")
        assert text in shown  # the terminal's echo
        assert len(shown.splitlines()) >= 3
    terminal.press("/undo\r")
    assert "Exchanges left: 1." in terminal.read_until("> ")
    terminal.press(f"/save {tmp_path / 'talk.json'}\r")
    assert "(2 messages)" in terminal.read_until("> ")
    terminal.press("\x04")  # Ctrl-D
    assert terminal.read_rest().endswith("\x1b[?2501l")
    assert terminal.process.wait(PATIENCE_SECONDS) == 0
    assert (tmp_path / "talk.json").stat().st_mode & 0o777 == 0o600


def test_ctrl_c_ends_a_reply_and_a_line_and_never_the_chat(open_terminal, endless_dir):
    terminal = open_terminal("--model", str(endless_dir), "--max_new_tokens", "90000", "--do_sample", "false")
    terminal.read_until("> ")
    terminal.press("salam\r")
    first = terminal.read_until("labas labas")
    second = terminal.read_until("labas labas")  # more of it came later: the reply is streamed
    assert first and second
    terminal.press("\x03")
    assert "Stopped." in terminal.read_until("> ")

    terminal.press("not sent")
    terminal.read_until("not sent")
    # readline sees a signal that comes just before it waits for a key with the next one only.
    while not select.select([terminal.keyboard], [], [], 0.5)[0]:
        terminal.press("\x03")
    assert "Ctrl-D or /quit ends." in terminal.read_until("\n> ")
    assert terminal.process.poll() is None
    terminal.press("/undo\r")
    assert "Exchanges left: 0." in terminal.read_until("> ")
    terminal.press("/quit\r")
    terminal.read_rest()
    assert terminal.process.wait(PATIENCE_SECONDS) == 0


def test_a_pipe_gets_replies_alone_and_its_ctrl_c_is_130(tiny_llama_dir, endless_dir):
    command = [sys.executable, "scripts/chat.py", "--max_new_tokens", "8", "--model"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, tiny_llama_dir], input=b"salam\n", capture_output=True, cwd=ROOT, env=environment)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout and b"\x1b" not in done.stdout and b"> " not in done.stdout

    waiting = subprocess.Popen(
        [*command, endless_dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT,
        env=environment,
    )  # fmt: skip
    waiting.stdin.write(b"salam\n")
    waiting.stdin.flush()
    assert b"labas" in waiting.stdout.readline()
    waiting.send_signal(signal.SIGINT)
    assert waiting.communicate()[1] == b"interrupted\n"
    assert waiting.returncode == 130
