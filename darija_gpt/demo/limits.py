"""The limits of a model, as its card states them."""

import re
from pathlib import Path

from markdown_it import MarkdownIt


UNSTATED = "<p>The model has no card that states its limits. Whatever it says as a fact may be made up.</p>"
# Limits, Limitations, Bias, Risks, and Limitations, Limites.
_HEADING = re.compile(r"\blimit", re.IGNORECASE)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def read_limits(model: str | Path) -> str:
    """The section on limits of a model's README.md as safe HTML.

    Args:
        model (`str` or `Path`):
            A local directory or an id on the Hub.

    Returns:
        `str`: HTML without links, images and anything of the card's own HTML, which is shown as text.
    """
    from transformers.utils import cached_file

    try:
        # Without a network there is no card, and a page without one is better than no page.
        file = cached_file(
            str(model),
            "README.md",
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        card = Path(file).read_text(encoding="utf-8", errors="replace") if file else ""
    except OSError:
        card = ""
    return render_limits(card) or UNSTATED


def render_limits(card: str) -> str:
    """The section on limits of a card, empty where there is none; see `read_limits`."""
    # A picture would tell its server who reads the page; a link could be any.
    markdown = MarkdownIt("commonmark", {"html": False}).disable(["image", "link", "autolink", "reference"])
    tokens = markdown.parse(_FRONT_MATTER.sub("", card))
    level, section = None, []
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.level == 0:
            if level is not None and token.tag <= level:
                break
            if level is None and _HEADING.search(tokens[index + 1].content):
                level = token.tag
        if level is not None:
            section.append(token)
    # The first three are the heading itself.
    html = markdown.renderer.render(section[3:], markdown.options, {}).strip()
    # Gradio takes HTML for a template; see markup.py.
    return re.sub(r"[$@`{}]", lambda found: f"&#{ord(found[0])};", html)
