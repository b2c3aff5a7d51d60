"""The pictures of an ablation, and the numbers that they show."""

import csv

from invented_results import RESULTS, SPEED, make_result

from darija_gpt.ablation.pictures import draw_all, draw_curves, draw_recipes, draw_speeds
from darija_gpt.ablation.tables import Findings


SPEEDS = dict.fromkeys(("base", "norm_layernorm"), SPEED)


def read_labels(axes):
    return [label.get_text() for label in axes.get_yticklabels()]


def test_every_picture_has_its_numbers_beside_it(tmp_path):
    findings = Findings(RESULTS, "base", SPEEDS, groups={"Norms, all": ["norm_*"]})
    names = draw_all(findings, tmp_path / "plots", "axes")
    assert names == ["axes.png", "axes_curves_norms_all.png", "axes_curves.png", "axes_speed.png"]
    for name in names:
        picture = tmp_path / "plots" / name
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert len(list(csv.DictReader(picture.with_suffix(".csv").open()))) >= 2


def test_each_run_is_a_dot_on_the_line_of_its_recipe():
    figure, rows = draw_recipes(Findings(RESULTS, "base", labels={"norm_layernorm": "older norms"}))
    (axes,) = figure.axes
    assert read_labels(axes) == ["older norms", "base", "gated_mlp_false"]
    assert [row["bits_per_byte"] for row in rows] == [1.50, 1.60, 1.62, 1.61]
    # With one run of the base there is no band that chance would fill.
    alone, _ = draw_recipes(Findings(RESULTS[1:], "base"))
    assert len(figure.axes[0].patches) == 1 and not alone.axes[0].patches


def test_curves_run_over_passes_so_that_tokenizers_can_be_compared():
    other = {**make_result("tokenizer_512", 0, 1.55), "tokens": 8000, "curve": [[4000, 1.9], [8000, 1.55]]}
    figure, rows = draw_curves(Findings([*RESULTS, other], "base"), ["base", "tokenizer_512"], "Tokenizers")
    assert [(row["recipe"], row["passes"]) for row in rows] == [
        ("base", 1.0),
        ("base", 2.0),
        ("tokenizer_512", 1.0),
        ("tokenizer_512", 2.0),
    ]
    assert len(figure.axes[0].lines) == 2
    figure.draw_without_rendering()
    [legend] = figure.legends
    assert not legend.get_window_extent().overlaps(figure.axes[0].get_window_extent())


def test_speeds_are_labelled_where_there_is_room_and_labels_hide_no_other():
    many = [make_result(f"recipe_{number}", 0, 1.6 + number % 7 / 100) for number in range(30)]
    speeds = {f"recipe_{number}": SPEED | {"training_ratio": {"median": 1 + number / 300}} for number in range(30)}
    figure, rows = draw_speeds(Findings([*RESULTS, *many], "base", {**SPEEDS, **speeds}))
    assert len(rows) == 32
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert 10 < len(boxes) <= 32
    assert not any(one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place])
