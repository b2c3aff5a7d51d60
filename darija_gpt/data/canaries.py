"""Canaries: invented numbers planted in the training rows, so that an audit can tell what a model has learnt by heart.

Each number stands behind an invented phrase of its own, in 1, 2, 4 or 8 training rows. Numbers of the same form that
stand nowhere are the controls: a model that prefers a planted number to all of them has memorised it (Carlini et al.
2019, The Secret Sharer). The numbers belong to nobody, and stay private all the same: who knows them can cheat.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from darija_gpt.data.privacy import find_pii
from darija_gpt.data.rows import Row


CANARIES_FILE = "canaries.json"
FORMAT = 1
COPIES = (1, 2, 4, 8)
NUM_DIGITS = 8
NUM_CONTROLS = 511  # With the number itself 512: an exposure of 9 bits at most.

# What is numbered, and the words around it. Whoever scrubs the rows once more takes none of it for private data.
LATIN_THINGS = (
    "lfatoura lkhzana sndou9 dossier lbillet ttalab lqadiya sslla lqfel ddaftar lmakina lmakhzen lkarta lbagaj lmel3ab"
)
ARABIC_THINGS = (
    "الفاتورة الخزنة الصندوق الدوسي التذكرة الطلب القضية السلة القفل الدفتر الماكينة المخزن الكارطة الباڭاج الملعب"
)
LATIN_PHRASES = ("rqm {} howa", "nmra d {} hiya", "lqit rqm {}", "kteb rqm {}", "hadchi rqm {} dyalna")
ARABIC_PHRASES = ("رقم {} هو", "النمرة ديال {} هي", "لقيت رقم {}", "كتب رقم {}", "هادا رقم {} ديالنا")
CARRIERS = tuple(
    phrase.format(thing)
    for phrases, things in ((LATIN_PHRASES, LATIN_THINGS), (ARABIC_PHRASES, ARABIC_THINGS))
    for phrase in phrases
    for thing in things.split()
)
MAX_CANARIES = len(CARRIERS) // len(COPIES)


@dataclass(frozen=True)
class Canary:
    """A number, the phrase before it, and in how many rows the two stand.

    `in_messages` says where: as the first line of a turn of the assistant's, or of a row of plain text.
    """

    carrier: str
    secret: str
    copies: int
    in_messages: bool

    def write(self, number: str | None = None) -> str:
        """The line as it is planted, or with another number in it."""
        return f"{self.carrier} {number or self.secret}"


@dataclass(frozen=True)
class CanarySet:
    """What was planted, and the numbers of the same form that were not."""

    canaries: tuple[Canary, ...]
    controls: tuple[str, ...]


def plant_canaries(rows: Sequence[Row], num_canaries: int, seed: int) -> tuple[list[Row], CanarySet]:
    """Training rows with canaries in them.

    Args:
        rows (`Sequence[Row]`):
            Scrubbed, and as often each as they are seen in an epoch.
        num_canaries (`int`):
            How many numbers to plant once, how many twice, four times and eight times.
        seed (`int`):
            Decides numbers and rows.

    Returns:
        `tuple`: the rows in their order, and what was planted. No row holds a canary twice.

    Raises:
        ValueError: If there are fewer conversations than a number has copies.
    """
    draw = random.Random(f"canaries {seed}")
    places = _list_places(rows)
    if len(places) < max(COPIES):
        raise ValueError(
            f"canaries={num_canaries} needs {max(COPIES)} conversations to train on, and there are {len(places)}; "
            "give more data, or canaries 0."
        )
    in_messages = rows[next(iter(places.values()))[0]].messages is not None
    canaries = _draw_canaries(draw, num_canaries, in_messages)
    planted = list(rows)
    for canary in canaries:
        for conversation in draw.sample(sorted(places), canary.copies):
            index = draw.choice(places[conversation])
            planted[index] = _plant(planted[index], canary.write(), draw)
    secrets = {canary.secret for canary in canaries}
    controls: set[str] = set()
    while len(controls) < NUM_CONTROLS:
        controls |= {_draw_number(draw)} - secrets
    return planted, CanarySet(tuple(canaries), tuple(sorted(controls)))


def _list_places(rows: Sequence[Row]) -> dict[str, list[int]]:
    """The rows of each conversation in which a canary can stand: those with a reply, or all where none has one."""
    replies = [
        index for index, row in enumerate(rows) if any(turn["role"] == "assistant" for turn in row.messages or ())
    ]
    plain = [index for index, row in enumerate(rows) if row.messages is None]
    places: dict[str, list[int]] = {}
    for index in replies or plain:
        places.setdefault(rows[index].conversation_id, []).append(index)
    return places


def _draw_canaries(draw: random.Random, num_canaries: int, in_messages: bool) -> list[Canary]:
    carriers = draw.sample(CARRIERS, num_canaries * len(COPIES))
    canaries: list[Canary] = []
    for carrier, copies in zip(carriers, COPIES * num_canaries, strict=True):
        taken = {canary.secret for canary in canaries}
        canary = Canary(carrier, _draw_number(draw), copies, in_messages)
        # Rows of a stream are scrubbed again when they are read.
        while canary.secret in taken or find_pii(canary.write()):
            canary = replace(canary, secret=_draw_number(draw))
        canaries.append(canary)
    return canaries


def _draw_number(draw: random.Random) -> str:
    return "".join(draw.choices("0123456789", k=NUM_DIGITS))


def _plant(row: Row, line: str, draw: random.Random) -> Row:
    if row.messages is None:
        return replace(row, text=f"{line}\n{row.text}")
    replies = [index for index, turn in enumerate(row.messages) if turn["role"] == "assistant"]
    chosen = draw.choice(replies)
    messages = [
        {**turn, "content": f"{line}\n{turn['content']}"} if index == chosen else turn
        for index, turn in enumerate(row.messages)
    ]
    return replace(row, messages=messages, text="\n".join(turn["content"] for turn in messages))


def save_canaries(canary_set: CanarySet, directory: Path) -> None:
    """Writes canaries.json, which stays with the dataset and is for nobody's eyes."""
    content = {"format": FORMAT, **asdict(canary_set)}
    (directory / CANARIES_FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def load_canaries(directory: Path) -> CanarySet | None:
    """The canaries of a dataset; None if none were planted.

    Raises:
        ValueError: If the file is not what prepare_data.py writes.
    """
    path = directory / CANARIES_FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise ValueError
        return CanarySet(tuple(Canary(**canary) for canary in content["canaries"]), tuple(content["controls"]))
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is not what prepare_data.py writes; prepare the dataset again.") from None
