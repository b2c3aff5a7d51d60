import io

import numpy as np
import pytest
import torch
from PIL import Image

from darija_gpt.evaluation.plots.attention import compute_attention, list_attention, plot_attention, select_panels
from darija_gpt.evaluation.plots.figures import render_png
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM


def build(tokenizer, **fields):
    torch.manual_seed(0)
    config = DarijaGPTConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_attention_heads=4, **fields
    )
    return DarijaGPTForCausalLM(config).eval()


def test_weights_of_each_layer_are_shares_of_what_came_before(tiny_llama):
    implementation = tiny_llama.config._attn_implementation
    weights = compute_attention(tiny_llama, [5, 9, 13, 17])
    assert list(weights) == [0, 1] and tiny_llama.config._attn_implementation == implementation
    for heads in weights.values():
        assert heads.shape == (4, 4, 4)
        assert heads.sum(axis=-1) == pytest.approx(np.ones((4, 4)), abs=1e-5)
        assert not np.triu(heads, 1).any()


def test_a_weight_is_the_softmax_of_query_and_key(tiny_llama):
    ids = [5, 9, 13]
    with torch.inference_mode():
        states = tiny_llama.model.embed_tokens(torch.tensor([ids]))
        layer = tiny_llama.model.layers[0]
        states = layer.input_layernorm(states)
        query, key = (
            projection(states).view(1, 3, -1, 8).transpose(1, 2)
            for projection in (layer.self_attn.q_proj, layer.self_attn.k_proj)
        )
        cos, sin = tiny_llama.model.rotary_emb(states, torch.arange(3)[None])
        turn = lambda x: x * cos[:, None] + torch.cat((-x[..., 4:], x[..., :4]), -1) * sin[:, None]  # noqa: E731
        scores = turn(query) @ turn(key).repeat_interleave(2, dim=1).transpose(2, 3) / 8**0.5
        expected = scores.masked_fill(torch.ones(3, 3).triu(1).bool(), -torch.inf).softmax(-1)[0].numpy()
    assert compute_attention(tiny_llama, ids)[0] == pytest.approx(expected, abs=1e-5)


def test_layers_keep_their_numbers_where_others_have_no_weights(tokenizer):
    model = build(tokenizer, num_hidden_layers=3, attention=["linear", "full", "linear"])
    weights = compute_attention(model, [5, 9, 13])
    assert list(weights) == [1] and list(select_panels(weights)) == ["layer 2"]
    with pytest.raises(ValueError, match="attention is linear"):
        compute_attention(build(tokenizer, num_hidden_layers=2, attention="linear"), [5, 9, 13])


def test_panels_are_the_means_of_layers_or_the_heads_of_one(tiny_llama):
    weights = compute_attention(tiny_llama, [5, 9, 13])
    assert select_panels(weights)["layer 2"] == pytest.approx(weights[1].mean(0))
    heads = select_panels(weights, 1)
    assert list(heads) == [f"layer 1, head {head}" for head in (1, 2, 3, 4)]
    assert heads["layer 1, head 3"] == pytest.approx(weights[0][2])
    with pytest.raises(ValueError, match="attention_layer=3 is none of those with weights: 1, 2"):
        select_panels(weights, 3)


def test_the_rows_behind_a_picture_are_its_weights(tiny_llama):
    panels = select_panels(compute_attention(tiny_llama, [5, 9, 13]))
    rows = list(list_attention(panels, ["a", "b", "ج"]))
    assert len(rows) == 2 * 6
    assert [row["key_token"] for row in rows[3:6]] == ["a", "b", "ج"] and rows[5]["query_token"] == "ج"
    assert sum(row["weight"] for row in rows[3:6]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("num_layers", [1, 5])
def test_the_picture_is_a_png_also_with_labels_that_look_like_formulas(num_layers):
    panels = {f"layer {number}": np.tri(3) / 3 for number in range(num_layers)}
    with Image.open(io.BytesIO(render_png(plot_attention(panels, ["$x_{", "سلام", "😊"])))) as picture:
        assert picture.format == "PNG" and picture.width > 300


def test_a_sentence_too_short_or_too_long_is_refused(tiny_llama):
    for ids in ([5], [5] * 49):
        with pytest.raises(ValueError, match="2 to 48"):
            compute_attention(tiny_llama, ids)
