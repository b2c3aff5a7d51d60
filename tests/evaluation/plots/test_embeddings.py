import io

import numpy as np
import pytest
from PIL import Image

from darija_gpt.evaluation.plots.embeddings import find_neighbours, plot_map, plot_neighbours, project_vectors
from darija_gpt.evaluation.plots.figures import render_png


LABELS = ["salam", "سلام", "dar", "دار"]
VECTORS = np.array([[1.0, 0.0], [2.0, 0.2], [0.0, 1.0], [0.1, -1.0]])


def test_neighbours_are_the_words_with_the_largest_cosines_and_never_the_word_itself():
    found = find_neighbours(VECTORS, LABELS, {"salam": VECTORS[0], "new": np.array([0.0, 3.0])}, 2)
    assert [word for word, _ in found["salam"]] == ["سلام", "دار"]
    assert found["salam"][0][1] == pytest.approx(2 / np.hypot(2, 0.2))
    assert found["new"][0] == ("dar", pytest.approx(1.0))


def test_words_that_are_near_each_other_are_so_on_the_map():
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(2, 16))
    vectors = np.concatenate([centre + 0.1 * draw.normal(size=(20, 16)) for centre in centres])
    for projection in ("pca", "tsne"):
        points = project_vectors(vectors, projection)
        assert points.shape == (40, 2)
        for place in range(40):
            distances = np.linalg.norm(points - points[place], axis=1)
            nearest = np.argsort(distances)[1:6]
            assert ((nearest < 20) == (place < 20)).all()
        assert np.array_equal(points, project_vectors(vectors, projection))


def test_the_pictures_are_pngs_in_both_scripts():
    labels = [*LABELS, "$_$", "3lik"] * 6
    points = np.random.default_rng(0).normal(size=(36, 2))
    neighbours = find_neighbours(VECTORS, LABELS, dict(zip(LABELS, VECTORS, strict=True)), 3)
    for figure in (plot_map(points, labels, "tsne"), plot_neighbours(neighbours)):
        with Image.open(io.BytesIO(render_png(figure))) as picture:
            assert picture.format == "PNG" and picture.width > 500


def test_arabic_letters_are_joined_and_run_from_right_to_left():
    """The glyphs that matplotlib sets: joined forms, the first letter rightmost."""
    from fontTools.ttLib import TTFont
    from matplotlib import font_manager
    from matplotlib._text_helpers import layout
    from matplotlib.ft2font import FT2Font

    path = font_manager.findfont("DejaVu Sans")
    items = list(layout("بيت", FT2Font(path)))
    order = TTFont(path).getGlyphOrder()
    names = [order[item.glyph_index] for item in sorted(items, key=lambda item: item.x)]
    # Final teh, medial yeh, initial beh, from left to right.
    assert len(names) == 3
    isolated = {TTFont(path).getBestCmap()[ord(letter)] for letter in "بيت"}
    assert not isolated & set(names)
    forms = TTFont(path).getBestCmap()
    assert names == [forms[0xFE96], forms[0xFEF4], forms[0xFE91]]
