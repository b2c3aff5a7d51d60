"""The perplexity of `evaluate`'s module, held to the computation that the documentation of transformers writes out."""

import copy
import math
from pathlib import Path

import pytest
import torch

from darija_gpt.evaluation.bits_per_byte import measure_bits_per_byte
from darija_gpt.tokenizer import encode_texts


evaluate = pytest.importorskip("evaluate")

METRIC = Path(__file__).resolve().parents[2] / "darija_gpt" / "evaluation" / "metrics" / "perplexity"


def measure(model, token_ids: list[int], max_length: int, stride: int) -> float:
    """The perplexity of tokens, as the module measures that of texts."""
    from darija_gpt.evaluation.metrics.perplexity.perplexity import _mean_loss

    return math.exp(_mean_loss(model, torch.tensor([token_ids]), max_length, stride))


def compute_as_documented(model, input_ids: torch.Tensor, max_length: int, stride: int) -> float:
    """The loop of "Perplexity of fixed-length models", in its own order and with its own weights."""
    seq_len = input_ids.size(1)
    nll_sum, n_tokens, prev_end_loc = 0.0, 0, 0
    for begin_loc in range(0, seq_len, stride):
        end_loc = min(begin_loc + max_length, seq_len)
        trg_len = end_loc - prev_end_loc
        window = input_ids[:, begin_loc:end_loc]
        target_ids = window.clone()
        target_ids[:, :-trg_len] = -100
        with torch.no_grad():
            neg_log_likelihood = model(window, labels=target_ids).loss
        num_valid_tokens = (target_ids != -100).sum().item()
        num_loss_tokens = num_valid_tokens - target_ids.size(0)
        nll_sum += neg_log_likelihood * num_loss_tokens
        n_tokens += num_loss_tokens
        prev_end_loc = end_loc
        if end_loc == seq_len:
            break
    return torch.exp(nll_sum / n_tokens).item()


@pytest.fixture(scope="module")
def token_ids(tokenizer, darija) -> list[int]:
    [ids] = encode_texts(tokenizer, ["\n\n".join(darija)])
    return ids


@pytest.fixture(scope="module")
def learnt(tiny_llama, token_ids):
    """A model that has seen the text, so that its perplexity is near 1 and has many exact decimals."""
    model = copy.deepcopy(tiny_llama).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    windows = torch.tensor(token_ids[: len(token_ids) // 32 * 32]).view(-1, 32)
    for _ in range(40):
        model(windows, labels=windows).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()


@pytest.mark.parametrize(
    ("max_length", "stride"), [(96, 48), (96, 96), (96, 1), (64, 20), (17, 5), (2, 1), (2, 2), (5000, 500)]
)
def test_it_is_that_of_the_documentation(learnt, token_ids, max_length, stride):
    if stride < 5:
        token_ids = token_ids[:160]
    expected = compute_as_documented(learnt, torch.tensor([token_ids]), max_length, stride)
    measured = measure(learnt, token_ids, max_length, stride)
    assert measured == pytest.approx(expected, abs=1e-4, rel=0)


def test_it_is_so_for_a_model_that_knows_nothing_too(tiny_llama, token_ids):
    # Of a perplexity of hundreds single precision knows no fourth decimal.
    expected = compute_as_documented(tiny_llama, torch.tensor([token_ids]), 96, 40)
    assert measure(tiny_llama, token_ids, 96, 40) == pytest.approx(expected, rel=1e-5)


def test_by_default_windows_are_what_the_model_reads_and_half_of_that_apart(
    tiny_llama, tiny_llama_dir, tokenizer, darija
):
    text = "\n\n".join(darija)
    expected = compute_as_documented(tiny_llama, tokenizer(text, return_tensors="pt").input_ids, 96, 48)
    measured = evaluate.load(str(METRIC)).compute(predictions=[text], model_id=str(tiny_llama_dir))
    assert measured["mean_perplexity"] == pytest.approx(expected, rel=1e-5)


def test_on_a_text_of_one_window_bits_per_byte_and_the_documentation_agree(tiny_llama, tokenizer):
    text = "salam khouya, labas 3lik? لاباس الحمد لله"
    row = {"text": text, "messages": None, "script": "mixed"}
    measured = measure_bits_per_byte(tiny_llama, tokenizer, [row])["all"]
    ids = torch.tensor([[tokenizer.bos_token_id, *encode_texts(tokenizer, [text])[0]]])
    expected = compute_as_documented(tiny_llama, ids, 96, 48)
    assert measured["perplexity"] == pytest.approx(expected, rel=1e-5)
    num_bytes = len(text.encode())
    assert measured["bits_per_byte"] == pytest.approx(math.log2(expected) * (ids.numel() - 1) / num_bytes, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("a", {}, "leave it out"),
        ("salam", {"max_length": 8, "stride": 9}, "stride=9"),
        ("salam", {"max_length": 1}, "max_length=1"),
    ],
)
def test_what_cannot_be_measured_is_refused(text, settings, message, tiny_llama_dir):
    with pytest.raises(ValueError, match=message):
        evaluate.load(str(METRIC)).compute(predictions=[text], model_id=str(tiny_llama_dir), **settings)
