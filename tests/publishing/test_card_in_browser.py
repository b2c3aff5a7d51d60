"""The card of a run in headless Chromium, as people see it on the Hub; its picture stays in tests/output."""

import json
from pathlib import Path

import pytest
from card_examples import DIALOGUES
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from darija_gpt.hub import publish


PICTURES = Path(__file__).resolve().parents[1] / "output"
# Nearly as wide as the Hub shows a card, and as it sets one.
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.6 "Noto Sans", "DejaVu Sans", sans-serif; max-width: 860px; margin: 2rem auto; color: #1f2933; }}
table {{ border-collapse: collapse; display: block; max-width: 100%; overflow-x: auto; font-size: 14px; }}
th, td {{ border: 1px solid #d5dae0; padding: 4px 10px; }}
pre {{ background: #f4f6f8; padding: 12px; overflow-x: auto; font-size: 13px; }}
code {{ background: #f4f6f8; }} img {{ max-width: 100%; }}
</style><body>{body}</body></html>"""


def render_page(card: Path) -> str:
    content = ModelCard.load(card)
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    return PAGE.format(title=content.data.model_name, body=markdown.render(content.text))


@pytest.fixture
def card(prepare_publication, prepared, tmp_path) -> Path:
    """What publish writes for a tiny model that evaluate and plot have measured."""
    from darija_gpt.evaluation.evaluate import EvaluateArguments, evaluate
    from darija_gpt.evaluation.plots.plot import PlotArguments, plot

    arguments = prepare_publication()
    model = str(arguments.model)
    evaluation = tmp_path / "measured"
    evaluate(EvaluateArguments(model=model, dataset=prepared.directory, output_dir=evaluation, window_sweep=[16, 64]))
    lines = (json.dumps(dialogue, ensure_ascii=False) + "\n" for dialogue in DIALOGUES)
    (evaluation / "samples.jsonl").write_text("".join(lines), encoding="utf-8")
    plot(PlotArguments(model=model, dataset=prepared.directory, output_dir=tmp_path / "plots"))
    arguments.push, arguments.evaluation, arguments.plots = False, evaluation, [tmp_path / "plots"]
    publish(arguments)
    return arguments.model / "README.md"


@pytest.mark.slow
def test_a_card_has_whole_tables_visible_pictures_and_arabic_from_right_to_left(card, browser):
    page = card.parent / "card.html"
    page.write_text(render_page(card), encoding="utf-8")
    browser.get(page.as_uri())
    tables = browser.execute_script(
        "return [...document.querySelectorAll('table')].map(table => [table.scrollWidth - table.clientWidth, "
        "new Set([...table.rows].map(row => row.cells.length)).size])"
    )
    assert len(tables) >= 7 and all(columns == 1 for _, columns in tables)
    assert all(hidden <= 0 for hidden, _ in tables), tables
    pictures = browser.execute_script("return [...document.images].map(image => [image.naturalWidth, image.width])")
    assert len(pictures) >= 6 and all(natural > 100 and shown > 100 for natural, shown in pictures)
    turns = browser.execute_script(
        "return [...document.querySelectorAll('div[dir]')].map("
        "turn => [turn.innerText, getComputedStyle(turn).direction, getComputedStyle(turn).textAlign])"
    )
    assert {direction for text, direction, _ in turns if "\u0600" <= text[0] <= "\u06ff"} == {"rtl"}
    assert {direction for text, direction, _ in turns if text[0].isascii()} == {"ltr"}
    # Each on its own side.
    assert {alignment for *_, alignment in turns} == {"start"}
    PICTURES.mkdir(exist_ok=True)
    height = browser.execute_script("return document.documentElement.scrollHeight")
    browser.set_window_size(1200, height + 200)
    browser.save_screenshot(PICTURES / "card.png")
