"""Sample chats: WhatsApp exports of invented Darija dialogues, so that the quickstart needs nobody's messages.

sample_dialogues.yaml holds what is said and what fits as an answer. Here sessions are drawn from it, a greeting, a few
topics and a farewell, and written as the phones of seven chats would export them. A session may last all day: hours
pass between two exchanges, so that some conversations begin with a question, as people's do.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import yaml

from darija_gpt.data.whatsapp import parse_export
from darija_gpt.output import write_directory


OWNER = "Anas"  # The participant of all chats, whose replies a model learns.

MIN_MESSAGES_PER_CHAT = 30  # A session of three long exchanges fits.
MAX_MESSAGES = 1_000_000  # Some sixty years of each chat. Exports are read up to the end of this century.
# Chances, so chosen that the chats look like chats; no export was measured.
OWNER_OPENS, PAUSE, GOES_ON, CAPITAL, ELONGATED, EMOJI, MEDIA, DELETED = 0.2, 0.5, 0.6, 0.1, 0.06, 0.1, 0.02, 0.01

SLOT = re.compile(r"\{([a-z]+)(2?)\}")
SPELLINGS = re.compile(r"\{([^{}]*/[^{}]*)\}")
LAST_A = re.compile(r"[aا](?=\w?\b)")


@dataclass(frozen=True)
class Phone:
    """How a phone exports a chat.

    `header` is a format string over `time`, `hour` (of 12) and `half` (of the day), `encryption` one over `chat`.
    """

    file_name: str
    header: str
    encryption: str
    media: str
    deleted: tuple[str, str]  # by the other side, by the phone's owner
    halves: tuple[str, str] = ("AM", "PM")
    digits: str = "0123456789"
    line_end: str = "\n"


ENGLISH = {
    "encryption": "Messages and calls are end-to-end encrypted. Only people in this chat can read, listen to, or "
    "share them. Tap to learn more.",
    "media": "<Media omitted>",
    "deleted": ("This message was deleted", "You deleted this message"),
}
FRENCH = {
    "encryption": "Les messages et les appels sont chiffrés de bout en bout. Aucun tiers, pas même WhatsApp, ne peut "
    "les lire ou les écouter. Appuyez pour en savoir plus.",
    "media": "<Médias omis>",
    "deleted": ("Ce message a été supprimé", "Vous avez supprimé ce message"),
}
ARABIC = {
    "encryption": "الرسائل والمكالمات مشفّرة تمامًا بين الطرفين. لا يمكن لأي شخص خارج هذه الدردشة قراءتها أو "
    "الاستماع إليها. انقر لمعرفة المزيد.",
    "media": "<تم استبعاد الوسائط>",
    "deleted": ("تم حذف هذه الرسالة", "لقد حذفت هذه الرسالة"),
}
PHONES = {
    "android_french": Phone("Discussion WhatsApp avec {}.txt", "{time:%d/%m/%Y, %H:%M} - ", **FRENCH),
    "android_english": Phone("WhatsApp Chat with {}.txt", "{time:%d/%m/%Y, %H:%M} - ", **ENGLISH),
    "android_us": Phone(
        "WhatsApp Chat with {}.txt",
        "{time.month}/{time.day}/{time:%y}, {hour}:{time:%M}\u202f{half} - ",
        **ENGLISH,
    ),
    "android_arabic": Phone(
        "دردشة واتساب مع {}.txt",
        "\u200f{time:%d/%m/%Y}، {hour}:{time:%M} {half} - ",
        halves=("ص", "م"),
        digits="٠١٢٣٤٥٦٧٨٩",
        **ARABIC,
    ),
    # iOS sets U+200E before what WhatsApp itself writes, and puts notices under the name of the chat.
    "ios_english": Phone(
        "WhatsApp Chat - {}.txt",
        "[{time:%d/%m/%Y, %H:%M:%S}] ",
        encryption="\u200e{chat}: \u200eMessages and calls are end-to-end encrypted.",
        media="\u200eimage omitted",
        deleted=("\u200eThis message was deleted.", "\u200eYou deleted this message."),
        line_end="\r\n",
    ),
    "ios_french": Phone(
        "Discussion WhatsApp - {}.txt",
        "[{time:%d/%m/%Y %H:%M:%S}] ",
        encryption="\u200e{chat}: \u200eLes messages et les appels sont chiffrés de bout en bout.",
        media="\u200eimage absente",
        deleted=("\u200eCe message a été supprimé.", "\u200eVous avez supprimé ce message."),
        line_end="\r\n",
    ),
}


@dataclass(frozen=True)
class Chat:
    """Who writes with the owner, in which scripts (each exchange keeps to one), and the kind of phone."""

    name: str
    phone: str
    scripts: tuple[str, ...]
    partners: tuple[str, ...]


CHATS = (
    Chat("Karim", "android_french", ("latn",), ("Karim",)),
    Chat("Hamza", "android_us", ("latn",), ("Hamza",)),
    Chat("Lfamila", "android_english", ("latn",), ("Bilal", "Ilyas", "Soufiane")),
    Chat("ياسين", "android_arabic", ("arab",), ("ياسين",)),
    Chat("Ayoub", "android_english", ("arab",), ("Ayoub",)),
    Chat("Reda", "ios_english", ("arab",), ("Reda",)),
    Chat("Mehdi", "ios_french", ("latn", "arab"), ("Mehdi",)),
)


@dataclass(frozen=True)
class Turn:
    """What one side writes before the other does."""

    author: str
    bubbles: list[str]


@dataclass
class SampleChatsArguments:
    output_dir: Path = field(metadata={"help": "directory to write the exports to"})
    num_messages: int = field(default=6000, metadata={"help": "messages in all exports together"})
    seed: int = field(default=0, metadata={"help": "decides what is said, and when"})


def load_dialogues() -> dict[str, Any]:
    """The content of sample_dialogues.yaml, which says what it means."""
    return yaml.safe_load(Path(__file__).with_name("sample_dialogues.yaml").read_text("utf-8"))


def draw_session(
    dialogues: Mapping[str, Any], partners: Sequence[str], scripts: Sequence[str], rng: random.Random
) -> Iterator[list[Turn]]:
    """A session: a greeting, one to three topics, a farewell.

    Args:
        dialogues (`Mapping[str, Any]`):
            What `load_dialogues` gives.
        partners (`Sequence[str]`):
            Who may write with the owner; one of them at a time.
        scripts (`Sequence[str]`):
            `"latn"`, `"arab"`, or both; both sides of an exchange write in the same.
        rng (`random.Random`):
            What is drawn from.

    Yields:
        `list[Turn]`: an exchange, its turns in their order.
    """
    topics = rng.sample(list(dialogues["topics"].values()), k=rng.randint(1, 3))
    num_opened_by_owner = 2 if rng.random() < OWNER_OPENS else 0  # The greeting and the first topic.
    for part_idx, part in enumerate([dialogues["greetings"], *topics, dialogues["farewells"]]):
        partner, script = rng.choice(partners), rng.choice(scripts)
        sides = (OWNER, partner) if part_idx < num_opened_by_owner else (partner, OWNER)
        # Two values of each slot, for {city} and {city2}.
        values = {
            name: [option[script] for option in rng.sample(options, k=2)]
            for name, options in dialogues["slots"].items()
        }
        turns = []
        for author, phrasings in zip(cycle(sides), _draw(part["exchanges"], rng), strict=False):
            line = _fill(_draw(phrasings, rng)[script], values, rng)
            if author != OWNER:  # Who is learnt from spells evenly.
                line = _misspell(line, rng)
            if rng.random() < EMOJI:
                line = f"{line} {rng.choice(part['emoji']) * rng.choice((1, 1, 2))}"
            turns.append(Turn(author, _split_bubbles(line, rng)))
        yield turns


def _draw(options: Sequence[Any], rng: random.Random) -> Any:
    """One option: the second half as often as the first, the third a third as often (Zipf's law of words)."""
    return rng.choices(options, [1 / rank for rank in range(1, len(options) + 1)])[0]


def _fill(line: str, values: Mapping[str, Sequence[str]], rng: random.Random) -> str:
    line = SLOT.sub(lambda slot: values[slot[1]][1 if slot[2] else 0], line)
    line = SPELLINGS.sub(lambda spellings: _draw(spellings[1].split("/"), rng), line)
    return " ".join(line.split())  # An absent spelling leaves its space behind.


def _misspell(line: str, rng: random.Random) -> str:
    """A line as a thumb types it: now and then with a capital or a stretched vowel."""
    if rng.random() < CAPITAL:
        line = line[0].upper() + line[1:]
    if rng.random() < ELONGATED and (vowels := list(LAST_A.finditer(line))):
        vowel = rng.choice(vowels)
        line = line[: vowel.start()] + vowel[0] * rng.randint(2, 4) + line[vowel.end() :]
    return line


def _split_bubbles(line: str, rng: random.Random) -> list[str]:
    """One message, on one line or on several, or several messages."""
    parts = line.split(" | ")
    if rng.random() > GOES_ON:
        return [" ".join(parts)]
    parts = [part.rstrip(",،") for part in parts]
    return parts if rng.random() < 0.7 else ["\n".join(parts)]


def draw_messages(
    chat: Chat, dialogues: Mapping[str, Any], rng: random.Random
) -> Iterator[tuple[datetime, str | None, str]]:
    """The messages of a chat, without end: time, author (`None` for a notice) and text as exported."""
    phone = PHONES[chat.phone]
    # After the 12th, so that the first date tells the order of day and month.
    time = datetime(2022, rng.randint(1, 9), rng.randint(13, 28), 10)
    yield time, None, phone.encryption.format(chat=chat.name)
    while True:
        for exchange in draw_session(dialogues, chat.partners, chat.scripts, rng):
            for turn in exchange:
                time += timedelta(seconds=rng.randint(15, 240))
                for bubble in turn.bubbles:
                    time += timedelta(seconds=rng.randint(3, 60))
                    yield time, turn.author, bubble
                if rng.random() < MEDIA:
                    yield time, turn.author, phone.media
                if rng.random() < DELETED:
                    yield time, turn.author, phone.deleted[turn.author == OWNER]
            if rng.random() < PAUSE:
                time += timedelta(hours=rng.randint(4, 8))
        time += timedelta(hours=rng.randint(6, 60))
        if time.hour < 8:
            time += timedelta(hours=8)


def format_message(phone: Phone, time: datetime, author: str | None, text: str) -> str:
    """A message as a phone exports it, with the end of its line; without an author, a notice."""
    header = phone.header.format(time=time, hour=time.hour % 12 or 12, half=phone.halves[time.hour >= 12])
    header = header.translate(str.maketrans("0123456789", phone.digits))
    return f"{header}{text if author is None else f'{author}: {text}'}{phone.line_end}"


def write_sample_chats(output_dir: str | Path, *, num_messages: int = 6000, seed: int = 0) -> list[Path]:
    """Writes the exports of `CHATS`.

    Args:
        output_dir (`str` or `Path`):
            The directory to write to; made if missing.
        num_messages (`int`, *optional*, defaults to `6000`):
            Messages in all files together, WhatsApp's notices among them.
        seed (`int`, *optional*, defaults to `0`):
            The same seed gives the same bytes.

    Returns:
        `list[Path]`: the files, in the order of `CHATS`.

    Raises:
        ValueError: If `num_messages` is too small for a session in each chat, or too large for its dates.
    """
    if num_messages < MIN_MESSAGES_PER_CHAT * len(CHATS):
        raise ValueError(
            f"num_messages={num_messages} is too few for {len(CHATS)} chats; "
            f"give at least {MIN_MESSAGES_PER_CHAT * len(CHATS)}."
        )
    if num_messages > MAX_MESSAGES:
        raise ValueError(
            f"num_messages={num_messages} would take the chats out of this century; give at most {MAX_MESSAGES}, or "
            "make several with other seeds."
        )
    output_dir = Path(output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    dialogues = load_dialogues()
    paths = []
    for chat_idx, chat in enumerate(CHATS):
        phone, rng = PHONES[chat.phone], random.Random(f"{seed}-{chat.name}")
        share = num_messages * (chat_idx + 1) // len(CHATS) - num_messages * chat_idx // len(CHATS)
        messages = islice(draw_messages(chat, dialogues, rng), share)
        path = output_dir / phone.file_name.format(chat.name)
        path.write_bytes("".join(format_message(phone, *message) for message in messages).encode())
        paths.append(path)
    return paths


def make_sample_chats(arguments: SampleChatsArguments) -> None:
    """The stage before all others: exports for whoever has none at hand."""
    with write_directory(arguments.output_dir) as directory:
        for path in write_sample_chats(directory, num_messages=arguments.num_messages, seed=arguments.seed):
            print(f"{path.name}: {sum(1 for _ in parse_export(path)):,} messages -> {arguments.output_dir}")
