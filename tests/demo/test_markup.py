from html.parser import HTMLParser

import pytest

from darija_gpt.demo.limits import UNSTATED, read_limits, render_limits
from darija_gpt.demo.markup import escape_text, render_note, render_shares, render_text, render_transcript


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</div><iframe srcdoc='<script>alert(1)</script>'>",
    "${alert(1)} {{#each x}} {{{value}}} @children `${1}`",
    "&lt;b&gt; &#60;b&#62; javascript:alert(1)",
    "**bold** [a](javascript:alert(1)) $$x$$ | # -",
]


class Reader(HTMLParser):
    """What a browser makes of HTML: its elements and the text between them."""

    def __init__(self, html: str):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_is_shown_as_it_was_written_and_nothing_of_it_acts(text):
    html = render_text(text, "bubble")
    page = Reader(html)

    assert page.text == text
    assert [tag for tag, _ in page.elements] == ["div"]
    assert not set("${}`@") & set(html)  # what gradio's templates act upon


def test_what_commands_a_terminal_or_turns_text_around_does_not_reach_the_page():
    assert escape_text("a\x00\x1b\u202eb\u2066c") == "abc"


@pytest.mark.parametrize(
    ("text", "direction", "language"),
    [
        ("سلام labas", "rtl", "ary-Arab"),
        ("labas سلام", "ltr", "ary-Latn"),
        ("3lach? لا", "ltr", "ary-Latn"),
        ("123 😊", "auto", None),
    ],
)
def test_a_message_has_the_direction_of_its_first_letter(text, direction, language):
    [(_, attributes)] = Reader(render_text(text, "bubble")).elements
    assert (attributes["dir"], attributes.get("lang")) == (direction, language)


def test_a_transcript_has_a_bubble_for_each_message_in_order():
    page = Reader(render_transcript([{"role": "user", "content": "سلام"}, {"role": "assistant", "content": "labas"}]))
    bubbles = [attributes["dir"] for _, attributes in page.elements if attributes.get("class") == "bubble"]
    assert bubbles == ["rtl", "ltr"]
    assert page.text == "YouسلامModellabas"
    assert "bubble" not in render_transcript([])


def test_labels_stand_by_their_share_and_cannot_act_either():
    page = Reader(render_shares([("zwin", 0.25), ("<b>khayb</b>", 0.75)]))
    assert page.text == "<b>khayb</b>75.0 %zwin25.0 %"
    assert {tag for tag, _ in page.elements} == {"div"}


def test_no_note_is_nothing():
    assert render_note("") == ""
    assert Reader(render_note("<i>")).text == "<i>"


CARD = """---
license: apache-2.0
---
# A model

Its [Limits](#limits) stand below.

## Limits

- It is **small**.
- <script>alert(1)</script> ![pixel](http://127.0.0.1/pixel.png) [a link](javascript:alert(1)) <http://127.0.0.1/>
- ${alert(1)} {{value}}

### More of them

They go on.

## Citation

none
"""


def test_the_limits_of_a_card_are_its_section_and_only_read():
    html = render_limits(CARD)
    page = Reader(html)

    assert {tag for tag, _ in page.elements} == {"ul", "li", "p", "strong", "h3"}
    assert "It is small." in page.text and "They go on." in page.text and "<script>alert(1)</script>" in page.text
    assert "Citation" not in page.text and "stand below" not in page.text
    assert not set("${}`@") & set(html)


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("# Bias, Risks, and Limitations\n\nMany.", "<p>Many.</p>"),
        ("```\n## Limits\n```\n\n## Out-of-scope use\n\nx", ""),
        ("Limits\n------\nFew.\n\nOther\n-----\nx", "<p>Few.</p>"),
        ("## Limits", ""),
        ("", ""),
    ],
)
def test_the_section_is_found_however_the_card_writes_its_heading(card, expected):
    assert render_limits(card) == expected


def test_the_projects_own_cards_state_limits(tmp_path):
    from darija_gpt.card import CardFacts, render_card

    metrics = {"model": {"parameters": 7345152, "context_tokens": 512}}
    (tmp_path / "README.md").write_text(
        render_card(metrics, [], CardFacts(model_name="Darija small")), encoding="utf-8"
    )
    assert "made up" in read_limits(tmp_path) and "No privacy audit" in read_limits(tmp_path)
    (tmp_path / "README.md").unlink()
    assert read_limits(tmp_path) == UNSTATED
    assert read_limits("nobody/nothing") == UNSTATED
