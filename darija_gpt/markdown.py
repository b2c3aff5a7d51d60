"""Markdown from templates, in which no text of a user's can do anything but be read.

Whatever a template prints passes through `escape_markdown`, so a name, a description or a sampled reply can neither
bring HTML to life nor break a table. Only what is wrapped in `Markup` here is printed as it is.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import jinja2
from huggingface_hub import CardData, RepoCard
from markupsafe import Markup


TAGS = ["darija", "moroccan-arabic", "arabizi", "whatsapp", "chat", "darija_gpt"]
DARIJA = "ary"  # in ISO 639
_TAGS_OF_DARIJA = {"darija", "moroccan-arabic", "arabizi"}
TEMPLATES = Path(__file__).parents[1] / "model_card"
SCRIPTS = {"all": "all", "Arab": "Arabic script", "Latn": "Latin script", "mixed": "mixed"}
# Of membership inference, in people's words.
ATTACKS = {
    "loss": "how likely the text is to the model",
    "min_k": "its least likely words (Min-K%)",
    "zlib": "its likelihood against how well it compresses (zlib)",
}
SPEAKERS = {"user": "User", "assistant": "Model", "system": "System"}

# ECMA-48: CSI with its parameters, OSC with its text, any other escape with its letter.
_TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?")
# What Markdown or HTML acts upon anywhere, and what opens a list at the start of a line.
_ACTIVE = re.compile(r"[\\`*_{}\[\]<>~|$#!&]|^[-+](?=[-\s]|$)|^\d+(?=[.)](?:\s|$))")
# Zero-width non-joiner and joiner: Arabic and emoji are spelt with them.
_JOINERS = "\u200c\u200d"


def select_tags(language: str, untrue: Collection[str] = ()) -> list[str]:
    """Those of `TAGS` that go with texts of a language, without some that are not true."""
    of_others = () if language == DARIJA else _TAGS_OF_DARIJA
    return [tag for tag in TAGS if tag not in untrue and tag not in of_others]


def one_line(text: str) -> str:
    """The text on one line, without terminal sequences, control characters and invisible formatting."""
    text = _TERMINAL_SEQUENCE.sub("", text)
    # Cc: control; Cf: bidi overrides, tags, byte-order marks; Cs: lone surrogates, which UTF-8 cannot write.
    kept = (c for c in text if c.isspace() or c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return " ".join("".join(kept).split())


def escape_markdown(text: str) -> Markup:
    """One line that reads as it was written in a Markdown paragraph, in a table's cell and in HTML."""
    return Markup(_ACTIVE.sub(lambda found: "".join(f"&#{ord(c)};" for c in found[0]), one_line(text)))


def escape_lines(text: str) -> Markup:
    """As `escape_markdown`, each line in an element of its own, which runs in the direction of its first letter."""
    lines = [line for line in text.splitlines() if one_line(line)] or [""]
    return Markup("").join(Markup(f'<div dir="auto">{escape_markdown(line)}</div>') for line in lines)


def escape_python(text: str) -> Markup:
    """A Python string literal."""
    return Markup(json.dumps(one_line(text), ensure_ascii=False).replace("<", "\\u003c"))


def escape_bibtex(text: str) -> Markup:
    """The value of a BibTeX field."""
    return Markup(re.sub(r"[\\{}<>`]", "", one_line(text)))


def format_count(value: int) -> str:
    """`1,234`, and from a million on `7.3 M`."""
    for size, unit in ((10**9, "B"), (10**6, "M")):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value:,}"


def format_counts(values: Mapping[str, int]) -> str:
    """`2,100 media, 12 system`, the largest first."""
    ordered = sorted(values.items(), key=lambda item: -item[1])
    return ", ".join(f"{format_count(value)} {name.replace('_', ' ')}" for name, value in ordered)


def format_decimal(value: float, digits: int = 2) -> str:
    """`1.93`, with as many digits after the point as asked for."""
    return f"{value:,.{digits}f}"


def format_number(value: float) -> str:
    """`3`, `0.004`, `0.5731`: four significant digits, and no more of them than there are."""
    return f"{value:.4g}"


def format_duration(seconds: float) -> str:
    """`41 s`, `12 min 5 s`, `3 h 20 min`."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _is_absent(value: Any) -> bool:
    return value is None or isinstance(value, jinja2.Undefined)


def _escape_output(value: Any) -> Markup:
    if isinstance(value, Markup):
        return value
    return escape_markdown("–" if _is_absent(value) else str(value))


def _unless_absent(convert: Callable[..., str]) -> Callable[..., str | None]:
    return lambda value, *arguments: None if _is_absent(value) else convert(value, *arguments)


def render_template(template: str, **values: Any) -> str:
    """A file of model_card/ with its values filled in. A value that is absent prints as a dash."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_escape_output,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"attacks": ATTACKS, "scripts": SCRIPTS, "speakers": SPEAKERS}
    filters = {
        "bibtex": escape_bibtex,
        "count": format_count,
        "counts": format_counts,
        "decimal": format_decimal,
        "duration": format_duration,
        "lines": escape_lines,
        "number": format_number,
        "python": escape_python,
    }
    environment.filters |= {name: _unless_absent(convert) for name, convert in filters.items()}
    rendered = environment.get_template(template).render(**values)
    return re.sub(r"\n{3,}", "\n\n", rendered).strip() + "\n"


def join_card(data: CardData, body: str) -> str:
    """A README.md for the Hub: front matter and body.

    Raises:
        ValueError: If the front matter does not read back as it was written.
    """
    card = f"---\n{data.to_yaml()}\n---\n\n{body}"
    if RepoCard(card, ignore_metadata_errors=False).data.to_dict() != data.to_dict():
        raise ValueError("the card's front matter does not read back as it was written; use plainer words in it.")
    return card
