"""Text as HTML in which it can only be read, each message in its own direction."""

import re
from collections.abc import Sequence

from darija_gpt.display import find_direction, neutralize_control_characters
from darija_gpt.generation import Messages


# Gradio takes HTML for a template, too: beside <>&"' it would act upon ${...}, {{...}} and @children.
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_SPEAKERS = {"user": "You", "assistant": "Model", "system": "System"}
# Languages by their direction, for screen readers and for the choice of a font.
_LANGUAGES = {"rtl": "ary-Arab", "ltr": "ary-Latn"}


def escape_text(text: str) -> str:
    """The text as HTML. Every mark of punctuation is written as its number, so that no program acts upon it."""
    return _PUNCTUATION.sub(lambda found: f"&#{ord(found[0])};", neutralize_control_characters(text))


def render_text(text: str, class_name: str) -> str:
    """A block of text that runs in the direction of its first letter, and each further line in its own."""
    direction = find_direction(text)
    language = f' lang="{_LANGUAGES[direction]}"' if direction else ""
    return f'<div class="{class_name}" dir="{direction or "auto"}"{language}>{escape_text(text)}</div>'


def render_transcript(messages: Messages) -> str:
    """A conversation as chat bubbles."""
    if not messages:
        return '<div class="empty">Write something below: عربية ولا b l7orof latiniya.</div>'
    turns = (
        f'<div class="turn {message["role"]}"><div class="who">{_SPEAKERS[message["role"]]}</div>'
        f"{render_text(message['content'] or '…', 'bubble')}</div>"
        for message in messages
    )
    return f'<div role="log" aria-live="polite">{"".join(turns)}</div>'


def render_shares(shares: Sequence[tuple[str, float]]) -> str:
    """Labels with their probabilities, the likeliest first, each with a bar."""
    rows = (
        f'<div class="share">{render_text(label, "label")}'
        f'<div class="bar"><div style="width: {100 * share:.1f}%"></div></div>'
        f'<div class="percent">{100 * share:.1f} %</div></div>'
        for label, share in sorted(shares, key=lambda pair: -pair[1])
    )
    return f'<div role="status">{"".join(rows)}</div>'


def render_note(text: str) -> str:
    """What is said beside the conversation; nothing for an empty text."""
    return f'<div class="note" role="status">{escape_text(text)}</div>' if text else ""
