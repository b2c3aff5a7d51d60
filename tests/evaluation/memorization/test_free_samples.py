"""What is searched for in samples is found, and a sample says nothing of itself in what is counted."""

import pytest
import torch

from darija_gpt.data.canaries import Canary, CanarySet
from darija_gpt.data.private_index import PrivateIndex
from darija_gpt.evaluation.memorization.free_samples import (
    cut_like,
    describe_runs,
    draw_samples,
    find_secrets,
    index_words,
    list_prompts,
    scan_private_data,
)


def test_what_somebody_wrote_is_told_from_what_a_model_made_up():
    index = PrivateIndex(bytes(32))
    index.add_data("0612345678")
    index.add_name("Zerhouni")
    texts = ["3yet l 06 12 34 56 78", "3yet l 0699999999", "fin zerhouni", "salam"]
    found = scan_private_data(texts, index, ["salam", "chefti Zerhouni?"])
    assert (found["with_private_data"], found["with_names"], found["invented_names"]) == (1, 1, 0)
    assert found["private_data"] == {"PHONE": 1} == found["invented"]


def test_a_name_that_stands_in_no_training_text_is_made_up():
    index = PrivateIndex(bytes(32))
    index.add_name("Zerhouni")
    found = scan_private_data(["fin zerhouni", "zerhouni"], index, ["fin nta", "salam"])
    assert (found["with_names"], found["invented_names"]) == (0, 2)


def test_without_an_index_nothing_is_said_of_what_somebody_wrote():
    found = scan_private_data(["3yet l 0612345678"], None, [])
    assert found["with_private_data"] is None and found["with_names"] is None and found["invented"] == {"PHONE": 1}
    assert scan_private_data(["salam"], PrivateIndex(bytes(32)), [])["with_names"] is None


def test_runs_of_training_words_are_measured():
    words = index_words(["ana ghadi l souk daba", "fin kenti lbare7"])
    runs = describe_runs(["walo", "ghadi l souk", "fin kenti"], words, "")
    assert runs == {"mean": round(5 / 3, 3), "percentile_99": 3.0, "longest": 3}
    assert cut_like(["wahed jouj tlata reb3a khamsa"], ["a b", "c d"]) == ["wahed jouj", "tlata reb3a"]


def test_a_canary_is_found_in_a_sample_however_it_is_spaced():
    canary_set = CanarySet(tuple(Canary("rqm", secret, 1, True) for secret in ("12345678", "87654321")), ())
    assert find_secrets(["walo", "rqm 1234 5678"], canary_set) == [True, False]


@pytest.mark.slow
def test_samples_are_the_same_again_and_hold_the_beginning_of_a_number(parrot, parrot_tokenizer):
    prompts = list_prompts(parrot_tokenizer, 20, 60)
    assert len(prompts) == 80 and {len(prompt.ids) for prompt in prompts[:20]} > {1}
    settings = {"num_tokens": 8, "top_k": 10, "temperature": 1.0, "seed": 0}
    samples = draw_samples(parrot, parrot_tokenizer, prompts, **settings)
    assert samples == draw_samples(parrot, parrot_tokenizer, prompts, **settings)
    assert any(sample.startswith("3yet liya f 06") for sample in samples)
    assert "<|" not in "".join(samples) and len(set(samples)) > 40


def test_a_model_without_a_chat_template_continues_documents(parrot, parrot_tokenizer):
    import copy

    plain = copy.deepcopy(parrot_tokenizer)
    plain.chat_template = None
    prompts = list_prompts(plain, 4, 2)
    assert [prompt.ids for prompt in prompts[:4]] == [[plain.bos_token_id]] * 4
    assert all(prompt.ids[0] == plain.bos_token_id for prompt in prompts)
    with torch.inference_mode():
        assert len(draw_samples(parrot, plain, prompts, num_tokens=4, top_k=5, temperature=1.0, seed=0)) == 6
