"""What knows its rows by heart is caught by each measurement, and what never saw them by none."""

import copy
import math

import numpy as np
import pytest
import torch

from darija_gpt.data.canaries import Canary, CanarySet
from darija_gpt.evaluation.memorization import canaries
from darija_gpt.evaluation.memorization.canaries import describe_canaries, extract_canaries, measure_exposures
from darija_gpt.evaluation.memorization.continuation import draw_passages, measure_continuation
from darija_gpt.evaluation.memorization.membership import (
    ReadDocuments,
    measure_membership,
    score_loss,
    score_min_k,
    score_zlib,
)
from darija_gpt.evaluation.memorization.sequences import (
    choose_likeliest,
    continue_sequences,
    draw_among_likeliest,
    measure_losses,
)


def test_a_model_that_knows_its_rows_by_heart_is_caught(parrot, planted, parrot_tokenizer):
    train, held_out, canary_set = planted
    exposures = measure_exposures(parrot, parrot_tokenizer, canary_set)
    extracted = extract_canaries(parrot, parrot_tokenizer, canary_set.canaries, train)
    # Whoever publishes a model writes its generation_config.
    shy = copy.deepcopy(parrot)
    shy.generation_config.update(no_repeat_ngram_size=2, repetition_penalty=3.0)
    assert extract_canaries(shy, parrot_tokenizer, canary_set.canaries, train) == extracted
    described = describe_canaries(canary_set, exposures, extracted)
    assert described["8"]["exposure_mean"] == described["8"]["exposure_possible"] == 9
    assert described["1"]["exposure_mean"] > 5 and described["8"]["extracted"]["hits"] > 0
    lengths = {"num_prefixes": 40, "prefix_tokens": 8, "continuation_tokens": 8}
    continuation = measure_continuation(parrot, parrot_tokenizer, train, held_out, **lengths)
    assert continuation["train"]["rate"] > 0.3 and continuation["difference_interval"][0] > 0.1
    membership = measure_membership(parrot, parrot_tokenizer, train, held_out, num_tokens=128)
    assert all(attack["auc"] > 0.95 and attack["auc_interval"][0] > 0.9 for attack in membership["attacks"].values())
    assert membership["attacks"]["loss"]["tpr_at_1_percent_fpr"] > 0.8


def test_an_auc_is_one_of_a_length(parrot, planted, parrot_tokenizer):
    train, held_out, _ = planted
    read = {"model": parrot, "tokenizer": parrot_tokenizer, "rows": train, "description": ""}
    more, less = ReadDocuments(**read, num_tokens=128), ReadDocuments(**read, num_tokens=32)
    for name, scores in less.score(32).items():
        np.testing.assert_allclose(more.score(32)[name], scores, rtol=1e-5)
    short = measure_membership(parrot, parrot_tokenizer, train, held_out, num_tokens=32, longer=[64, 128])
    for num_tokens, auc in short["longer"].items():
        alone = measure_membership(parrot, parrot_tokenizer, train, held_out, num_tokens=int(num_tokens))
        assert auc == max(attack["auc"] for attack in alone["attacks"].values())


def test_a_model_that_never_saw_them_is_not(novice, planted, parrot_tokenizer):
    train, held_out, canary_set = planted
    exposures = measure_exposures(novice, parrot_tokenizer, canary_set)
    assert np.mean(exposures) < 3
    assert not any(extract_canaries(novice, parrot_tokenizer, canary_set.canaries, train))
    lengths = {"num_prefixes": 40, "prefix_tokens": 8, "continuation_tokens": 8}
    assert measure_continuation(novice, parrot_tokenizer, train, held_out, **lengths)["train"]["rate"] == 0
    membership = measure_membership(novice, parrot_tokenizer, train, held_out, num_tokens=128)
    assert all(attack["auc"] < 0.65 for attack in membership["attacks"].values())


def test_exposure_is_the_rank_of_the_likelihood_that_transformers_computes(novice, parrot_tokenizer):
    canary_set = CanarySet((Canary("rqm", "12345678", 1, False),), ("87654321", "11111111", "22224444"))

    def measure(number):
        ids = [parrot_tokenizer.bos_token_id, *parrot_tokenizer(f"rqm {number}")["input_ids"]]
        ids = torch.tensor([ids])
        with torch.no_grad():
            return novice(input_ids=ids, labels=ids).loss.item() * (ids.shape[1] - 1)

    own, *others = [measure(number) for number in ("12345678", *canary_set.controls)]
    rank = 1 + sum(other < own for other in others)
    assert measure_exposures(novice, parrot_tokenizer, canary_set) == [pytest.approx(math.log2(4) - math.log2(rank))]


def test_a_canary_is_asked_for_behind_what_was_said_where_it_stands(novice, planted, parrot_tokenizer, monkeypatch):
    asked = []
    canary, other = planted[2].canaries[:2]
    monkeypatch.setattr(canaries, "_write_likeliest", lambda *ids: asked.append(parrot_tokenizer.decode(ids[2])) or [])
    reply = {"role": "assistant", "content": f"{other.write()}\n{canary.write()}\nsouk dar"}
    row = {"text": reply["content"], "messages": [{"role": "user", "content": "fin atay?"}, reply]}
    extract_canaries(novice, parrot_tokenizer, [canary], [row])
    assert len(asked) == 2 and canary.secret not in "".join(asked)
    assert any(f"salam<|im_end|>\n<|im_start|>assistant\n{canary.carrier}" in prompt for prompt in asked)
    before = f"fin atay?<|im_end|>\n<|im_start|>assistant\n{other.write()}\n{canary.carrier}"
    assert any(prompt.endswith(before) for prompt in asked)
    # Where the number is in the first that was said, nothing comes before it.
    asked.clear()
    extract_canaries(novice, parrot_tokenizer, [canary], [{**row, "messages": [reply]}])
    assert len(asked) == 1


def test_losses_do_not_depend_on_the_batch(parrot, parrot_tokenizer):
    sequences = [
        parrot_tokenizer(text)["input_ids"] for text in ("souk dar", "atay khobz lhout zitoun beldi", "kora matar")
    ]
    together = measure_losses(parrot, sequences, description="")
    for ids, losses in zip(sequences, together, strict=True):
        with torch.no_grad():
            expected = parrot(input_ids=torch.tensor([ids]), labels=torch.tensor([ids])).loss.item()
        assert losses.mean() == pytest.approx(expected, rel=1e-4) and len(losses) == len(ids) - 1


def test_greedy_continuations_are_those_of_generate(parrot, parrot_tokenizer):
    prompts = [
        parrot_tokenizer(text)["input_ids"] for text in ("souk dar", "atay", "khobz lhout", "zitoun beldi medina")
    ]
    written = dict(continue_sequences(parrot, prompts, 12, choose_likeliest, description=""))
    for index, prompt in enumerate(prompts):
        ids = torch.tensor([prompt])
        settings = {"max_new_tokens": 12, "min_new_tokens": 12, "do_sample": False}
        # No token ends a text, as in an audit.
        [output] = parrot.generate(ids, attention_mask=torch.ones_like(ids), eos_token_id=None, **settings)
        assert written[index] == output[len(prompt) :].tolist()


def test_samples_are_drawn_with_the_models_probabilities():
    logits = torch.tensor([1.0, 3.0, 2.0, -9.0]).log_softmax(-1).expand(20_000, 4)
    drawn = draw_among_likeliest(3, 1.0, torch.Generator().manual_seed(0))(logits)
    shares = torch.bincount(drawn, minlength=4) / len(drawn)
    expected = torch.tensor([1.0, 3.0, 2.0, -torch.inf]).softmax(-1)
    assert torch.allclose(shares, expected, atol=0.01)


def test_scores_of_an_attack_are_those_of_its_paper():
    losses = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    assert score_loss(losses, 100) == -4 and score_min_k(losses, 100) == -10 and score_zlib(losses, 100) == -0.2


def test_no_score_of_an_attack_tells_how_long_a_text_is():
    losses = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    for score in (score_loss, score_min_k, score_zlib):
        assert score(np.tile(losses, 4), 400) == pytest.approx(score(losses, 100))


def test_passages_are_parts_of_documents_and_do_not_overlap():
    documents = [list(range(10)), list(range(20, 24)), list(range(30, 37))]
    passages = draw_passages(documents, 5, 100, seed=0)
    assert sorted(passages) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [30, 31, 32, 33, 34]]


def test_too_few_passages_and_documents_are_no_measurement(novice, planted, parrot_tokenizer):
    train, held_out, _ = planted
    assert measure_continuation(novice, parrot_tokenizer, train[:3], held_out[:3]) is None
    assert measure_membership(novice, parrot_tokenizer, train, held_out[:9], num_tokens=32) is None
