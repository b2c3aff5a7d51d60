import io

import pytest
from PIL import Image

from darija_gpt.evaluation.bits_per_byte import measure_bits_per_byte
from darija_gpt.evaluation.plots.figures import render_png
from darija_gpt.evaluation.plots.window_sweep import plot_window_sweep
from darija_gpt.evaluation.window_sweep import sweep_windows


@pytest.fixture(scope="module")
def rows(darija):
    return [{"text": "\n".join(darija[first::12]), "messages": None, "script": "mixed"} for first in range(12)]


def test_each_window_measures_what_it_measures_alone(tiny_llama, tokenizer, rows):
    measured = sweep_windows(tiny_llama, tokenizer, rows, [64, 8, 64, 200])
    assert [row["context_tokens"] for row in measured] == [8, 64, 200]
    for row in measured:
        context_tokens = row.pop("context_tokens")
        assert row == measure_bits_per_byte(tiny_llama, tokenizer, rows, context_tokens=context_tokens)["all"]


def test_the_difference_from_the_window_learnt_is_paired(tiny_llama, tokenizer, rows):
    short, learnt, long = sweep_windows(tiny_llama, tokenizer, rows, [4, 16, 200], 32)
    for row in (short, long):
        difference = row["bits_per_byte"] - learnt["bits_per_byte"]
        assert row["difference"] == pytest.approx(difference, abs=2e-6)
        assert row["difference_low"] <= row["difference"] <= row["difference_high"]
        # What one document needs more than another is in both numbers, and so in neither's difference.
        width = row["difference_high"] - row["difference_low"]
        assert width < (row["bits_per_byte_high"] - row["bits_per_byte_low"]) / 2
    assert learnt["difference"] == learnt["difference_low"] == learnt["difference_high"] == 0
    assert "difference" not in sweep_windows(tiny_llama, tokenizer, rows, [64], 32)[0]


@pytest.mark.parametrize("learnt_tokens", [None, 64, 4096])
def test_the_picture_is_a_png(tiny_llama, tokenizer, rows, learnt_tokens):
    for some in (rows, rows[:1]):
        measured = sweep_windows(tiny_llama, tokenizer, some, [8, 32, 128], learnt_tokens)
        with Image.open(io.BytesIO(render_png(plot_window_sweep(measured, learnt_tokens)))) as picture:
            assert picture.format == "PNG" and picture.width > 800
