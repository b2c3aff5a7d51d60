"""Why something is not published."""

from dataclasses import dataclass
from typing import Literal


Cause = Literal[
    "no audit",
    "audit failed",
    "edited audit",
    "other model",
    "changed files",
    "weak audit",
    "other dataset",
    "no dataset",
    "stray file",
    "private data",
    "name",
    "secret",
    "path",
    "consent",
    "canaries",
    "missing file",
]


@dataclass(frozen=True)
class Refusal:
    """One reason, and what to do about it. It says where private data stands, and never repeats it.

    Args:
        cause (`str`):
            The same for reasons of one kind.
        words (`str`):
            What is said.
    """

    cause: Cause
    words: str
