import copy
import math

import numpy as np
import pytest
import torch
from scipy.special import beta

from darija_gpt.evaluation.bits_per_byte import encode_document
from darija_gpt.evaluation.divergence import (
    compute_divergence_curve,
    integrate_divergence_curve,
    measure_kl_divergence,
    measure_mauve,
)
from darija_gpt.evaluation.text_features import count_ngrams, embed_texts


@pytest.fixture(scope="module")
def rows(darija):
    return [{"text": text, "messages": None, "script": "mixed"} for text in darija[:12]]


@pytest.fixture(scope="module")
def other(tiny_llama):
    model = copy.deepcopy(tiny_llama)
    torch.manual_seed(1)
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model


@torch.inference_mode()
def test_kl_divergence_is_the_definition_token_by_token(tiny_llama, other, tokenizer, rows):
    total, num_same, num_tokens = 0.0, 0, 0
    for row in rows:
        ids, _ = encode_document(tokenizer, row)
        ours, theirs = (model(torch.tensor([ids[:-1]])).logits[0].double() for model in (tiny_llama, other))
        total += torch.nn.functional.kl_div(
            theirs.log_softmax(-1), ours.log_softmax(-1), log_target=True, reduction="sum"
        ).item()
        num_same += (ours.argmax(-1) == theirs.argmax(-1)).sum().item()
        num_tokens += len(ids) - 1

    measured = measure_kl_divergence(tiny_llama, other, tokenizer, rows)
    assert measured["nats_per_token"] == pytest.approx(total / num_tokens, rel=1e-4)
    assert measured["same_likeliest_token"] == pytest.approx(num_same / num_tokens)
    assert (measured["tokens"], measured["documents"]) == (num_tokens, 12)
    assert measured["nats_per_token_low"] < measured["nats_per_token"] < measured["nats_per_token_high"]


def test_an_export_is_no_way_from_its_original(tokenizer, rows):
    from darija_gpt.conversion import export_model
    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    torch.manual_seed(0)
    config = DarijaGPTConfig(
        vocab_size=len(tokenizer) + 7,  # rows of the embedding that no token has
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    model = DarijaGPTForCausalLM(config).eval()
    measured = measure_kl_divergence(model, export_model(model, "llama"), tokenizer, rows)
    assert measured["nats_per_token"] == pytest.approx(0, abs=1e-6)
    assert measured["same_likeliest_token"] == 1


def test_the_divergence_has_a_direction(tiny_llama, other, tokenizer, rows):
    there = measure_kl_divergence(tiny_llama, other, tokenizer, rows)["nats_per_token"]
    back = measure_kl_divergence(other, tiny_llama, tokenizer, rows)["nats_per_token"]
    assert there > 0 and back > 0 and abs(there - back) > 1e-4


def test_coarse_models_and_no_text_are_refused(tiny_llama, other, tokenizer, rows):
    with pytest.raises(ValueError, match=r"model\.float\(\)"):
        measure_kl_divergence(tiny_llama, copy.deepcopy(other).bfloat16(), tokenizer, rows)
    with pytest.raises(ValueError, match="no text"):
        measure_kl_divergence(tiny_llama, other, tokenizer, [{"text": "", "messages": None}])


def test_the_curve_of_equal_histograms_encloses_everything():
    histogram = np.array([0.5, 0.3, 0.2])
    assert compute_divergence_curve(histogram, histogram)[1:-1] == pytest.approx(np.ones((25, 2)))
    assert integrate_divergence_curve(histogram, histogram) == pytest.approx(1.0)


def test_the_curve_of_histograms_without_overlap_is_the_one_computed_by_hand():
    # KL(theirs || mixture) = -log(1 - weight) and KL(ours || mixture) = -log(weight), so that the points are
    # (1 - weight)^5, weight^5, and the area is 5 B(6, 5).
    curve = compute_divergence_curve(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    weights = np.linspace(1e-6, 1 - 1e-6, 25)
    assert curve[1:-1] == pytest.approx(np.stack([(1 - weights) ** 5, weights**5], axis=1))
    assert integrate_divergence_curve(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(
        5 * beta(6, 5), abs=1.5e-3
    )


def test_a_point_of_the_curve_is_the_one_computed_by_hand():
    # In the middle of (1, 0) and (1/2, 1/2) lies (3/4, 1/4).
    curve = compute_divergence_curve(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    theirs = math.exp(-5 * (0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)))
    assert curve[13] == pytest.approx([theirs, math.exp(-5 * math.log(1 / 0.75))])


def test_the_area_is_the_one_that_mauve_text_gives():
    # mauve-text 0.4.0 for these histograms.
    area = integrate_divergence_curve(np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.2, 0.7]))
    assert area == pytest.approx(0.4836305462169297)


def test_texts_of_one_kind_are_nearer_than_texts_of_two(darija):
    arabic = ["لاباس الحمد لله " + "صافي " * (number % 3) + str(number) for number in range(60)]
    latin = ["labas lhamdolah " + "safi " * (number % 3) + str(number) for number in range(60)]
    features = count_ngrams([*arabic, *latin])
    same = measure_mauve(features[:60:2], features[1:60:2])
    apart = measure_mauve(features[:60:2], features[61::2])
    assert same > 0.6 and apart < 0.05


def test_sets_that_are_the_same_texts_score_1():
    features = np.random.default_rng(0).normal(size=(40, 8))
    assert measure_mauve(features, features) == pytest.approx(1.0)
    assert measure_mauve(np.ones((20, 3)), np.ones((20, 3))) == pytest.approx(1.0)


@torch.inference_mode()
def test_an_embedding_is_the_mean_of_the_last_hidden_states(tiny_llama, tokenizer, darija):
    texts = ["salam", *darija[:4], ""]
    embedded = embed_texts(tiny_llama, tokenizer, texts, batch_size=4)
    for row, text in zip(embedded, texts, strict=True):
        ids, _ = encode_document(tokenizer, {"text": text, "messages": None})
        expected = tiny_llama.model(torch.tensor([ids])).last_hidden_state[0].mean(0)
        assert torch.from_numpy(row).allclose(expected, atol=1e-5)
