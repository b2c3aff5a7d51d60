import io

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import GPT2Config, GPT2LMHeadModel

from darija_gpt.evaluation.plots.figures import render_png
from darija_gpt.evaluation.plots.positions import (
    average_by_distance,
    compare_learned,
    compare_phases,
    compute_frequencies,
    list_positions,
    measure_positions,
    plot_positions,
)
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM


def build(**fields):
    torch.manual_seed(0)
    config = DarijaGPTConfig(
        vocab_size=50,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=40,
        **fields,
    )
    return DarijaGPTForCausalLM(config).eval()


def test_sinusoids_are_as_alike_as_what_the_model_adds():
    model = build(position_embedding="sinusoidal")
    waves = model.model.position_embedding.add(torch.zeros(1, 40, 32), torch.arange(40)[None])[0].numpy()
    expected = [np.dot(waves[7], waves[7 + distance]) / np.dot(waves[7], waves[7]) for distance in range(33)]
    curves, similarities, own = measure_positions(model)
    assert curves["sinusoidal"][:33] == pytest.approx(expected, abs=1e-5)
    assert similarities is None and own == {"sinusoidal"}


@pytest.mark.parametrize("base", [10_000.0, 500.0])
def test_rope_is_as_alike_as_a_vector_that_the_model_has_turned(base):
    model = build(rope_parameters={"rope_type": "default", "rope_theta": base})
    rotary = model.model.position_embedding
    position_embeddings = rotary.prepare(torch.zeros(1, 40, 32), torch.arange(40)[None])
    ones = torch.ones(1, 1, 40, 16)
    turned, _ = rotary.rotate(ones, ones, position_embeddings)
    expected = (turned[0, 0] @ turned[0, 0, 0]) / 16
    curves, _, own = measure_positions(model)
    assert curves["rope"] == pytest.approx(expected.numpy(), abs=1e-5) and own == {"rope"}


@pytest.mark.parametrize("kind", ["darija_gpt", "gpt2"])
def test_learned_positions_are_compared_by_their_cosines(kind):
    if kind == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=40, n_embd=32, n_layer=1, n_head=2)).eval()
        table = model.transformer.wpe.weight
    else:
        model = build(position_embedding="learned")
        table = model.model.position_embedding.embed_positions.weight
    curves, similarities, own = measure_positions(model)
    cosine = torch.nn.functional.cosine_similarity(table[3], table[11], dim=0).item()
    assert similarities.shape == (40, 40) and similarities[3, 11] == pytest.approx(cosine, abs=1e-5)
    expected = torch.nn.functional.cosine_similarity(table[:-4], table[4:], dim=1).mean().item()
    assert curves["learned"][4] == pytest.approx(expected, abs=1e-5) and own == {"learned"}


def test_frequencies_and_phases_are_those_of_the_papers():
    assert compute_frequencies(4) == pytest.approx([1.0, 0.01])
    assert compare_phases(np.array([1.0, 0.01]), 3) == pytest.approx(
        [1, (np.cos(1) + np.cos(0.01)) / 2, (np.cos(2) + np.cos(0.02)) / 2]
    )
    assert average_by_distance(compare_learned(np.eye(3))) == pytest.approx([1, 0, 0])


@pytest.mark.parametrize("position_embedding", ["rope", "learned", "none", "alibi"])
def test_the_picture_is_a_png_and_its_rows_are_the_distances(position_embedding):
    curves, similarities, own = measure_positions(build(position_embedding=position_embedding))
    with Image.open(io.BytesIO(render_png(plot_positions(curves, similarities, own)))) as picture:
        assert picture.format == "PNG"
    rows = list_positions(curves)
    assert [row["distance"] for row in rows] == list(range(40)) and rows[0]["rope"] == 1
