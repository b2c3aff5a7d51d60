import io

import pytest
from PIL import Image

from darija_gpt.evaluation.bits_per_byte import measure_bits_per_byte
from darija_gpt.evaluation.plots.figures import render_png
from darija_gpt.evaluation.plots.window_sweep import plot_window_sweep
from darija_gpt.evaluation.window_sweep import sweep_windows


@pytest.fixture(scope="module")
def rows(darija):
    return [{"text": "\n".join(darija[first::5]), "messages": None, "script": "mixed"} for first in range(5)]


def test_each_window_measures_what_it_measures_alone(tiny_llama, tokenizer, rows):
    measured = sweep_windows(tiny_llama, tokenizer, rows, [64, 8, 64, 200])
    assert [row["context_tokens"] for row in measured] == [8, 64, 200]
    for row in measured:
        context_tokens = row.pop("context_tokens")
        assert row == measure_bits_per_byte(tiny_llama, tokenizer, rows, context_tokens=context_tokens)["all"]


@pytest.mark.parametrize("learnt_tokens", [None, 64, 4096])
def test_the_picture_is_a_png(tiny_llama, tokenizer, rows, learnt_tokens):
    for some in (rows, rows[:1]):
        measured = sweep_windows(tiny_llama, tokenizer, some, [8, 32, 128])
        with Image.open(io.BytesIO(render_png(plot_window_sweep(measured, learnt_tokens)))) as picture:
            assert picture.format == "PNG" and picture.width > 800
