"""Transcripts: a conversation that somebody wrote down as one text, with the marks of a model's template in it."""

import re
from collections.abc import Callable


Turns = list[tuple[str, str]]

# Llama 2's, as in mlabonne/guanaco-llama2-1k: <s>[INST] question [/INST] reply </s>, again and again.
# No search begins with spaces, or it would walk over a run of them once from each.
_INSTRUCTION = re.compile(
    r"\s*+(?:<s>\s*+)?\[INST\](.*?)\[/INST\](.*?)(?:</s>\s*+|(?=(?:<s>\s*+)?\[INST\])|\Z)", re.DOTALL
)
_SYSTEM = re.compile(r"\s*<<SYS>>(.*?)<</SYS>>(.*)", re.DOTALL)
# Guanaco's own, as in timdettmers/openassistant-guanaco: ### Human: question### Assistant: reply
_SPEAKER = re.compile(r"### (Human|Assistant):")


def parse_transcript(text: str) -> Turns | None:
    """(role, content) of each turn, with the spaces around it; None for a text that is no transcript.

    Args:
        text (`str`):
            One that begins with `[INST]`, with or without `<s>`, or with `### Human:`.
    """
    return next((parse(text) for begin, parse in TRANSCRIPTS.items() if text.lstrip().startswith(begin)), None)


def _parse_llama2(text: str) -> Turns | None:
    turns: Turns = []
    end = 0
    while end < len(text):
        match = _INSTRUCTION.match(text, end)
        if match is None:
            return None
        end = match.end()
        asked, replied = match.groups()
        if not turns and (system := _SYSTEM.fullmatch(asked)):
            turns.append(("system", system[1]))
            asked = system[2]
        turns += [("user", asked), ("assistant", replied)]
    return _end_with_reply(turns)


def _parse_guanaco(text: str) -> Turns:
    _, *parts = _SPEAKER.split(text)
    roles = {"Human": "user", "Assistant": "assistant"}
    return _end_with_reply([(roles[name], said) for name, said in zip(parts[::2], parts[1::2], strict=True)])


def _end_with_reply(turns: Turns) -> Turns:
    """The last question has no reply where a conversation was cut."""
    while turns and (turns[-1][0] != "assistant" or not turns[-1][1].strip()):
        turns.pop()
    return turns


# How a transcript begins, and what reads it.
TRANSCRIPTS: dict[str, Callable[[str], Turns | None]] = {
    "<s>[INST]": _parse_llama2,
    "<s> [INST]": _parse_llama2,
    "[INST]": _parse_llama2,
    "### Human:": _parse_guanaco,
}
