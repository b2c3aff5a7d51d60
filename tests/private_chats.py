"""An invented chat for audits and for the gate: with a name and a number in it that nobody may get back."""

from collections.abc import Sequence
from pathlib import Path


def write_private_chat(path: Path, darija: Sequence[str], other: str) -> None:
    """An export of 140 conversations between Zerhouni and another, who writes a number in the last line."""
    lines = []
    for session in range(140):
        day = f"{session % 28 + 1:02}/{session // 28 + 1:02}/2024"
        first, second = darija[session % len(darija)], darija[(session * 7 + 3) % len(darija)]
        first, second = (text.replace("\n", " ") for text in (first, second))
        lines += [f"{day}, 10:00 - Zerhouni: {first} {session}", f"{day}, 10:01 - {other}: {second} {session % 9}"]
    lines.append(f"20/06/2024, 10:02 - {other}: fin Zerhouni? 3yet l 0612345678")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
