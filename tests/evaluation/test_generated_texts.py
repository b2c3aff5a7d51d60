import pytest

from darija_gpt.evaluation.bits_per_byte import encode_document
from darija_gpt.evaluation.generated_texts import (
    PROMPT_TOKENS,
    compare_generated_texts,
    continue_prompts,
    read_tokens,
)
from darija_gpt.generation import SamplingArguments


SAMPLING = SamplingArguments(max_new_tokens=16)


def test_what_is_compared_are_words_and_no_marks_of_the_template(tokenizer):
    messages = [{"role": "user", "content": "salam, labas?"}, {"role": "assistant", "content": "لاباس الحمد لله"}]
    ids, _ = encode_document(tokenizer, {"text": "-", "messages": messages})
    assert read_tokens(tokenizer, ids).split() == ["salam,", "labas?", "لاباس", "الحمد", "لله"]


def test_a_continuation_ends_where_the_document_does_and_not_with_a_turn(scripted_llama, tokenizer):
    [salam, turn_end, end] = (
        tokenizer.convert_tokens_to_ids(token) for token in ("salam", "<|im_end|>", "<|endoftext|>")
    )
    model = scripted_llama([salam, turn_end, salam, end, salam, salam])
    written = continue_prompts(model, tokenizer, [[salam] * 4], SamplingArguments(max_new_tokens=6))
    assert written == [[salam, turn_end, salam]]


def test_a_model_without_a_clue_is_further_from_people_than_they_are_from_themselves(tiny_llama, tokenizer, dataset):
    rows = list(dataset["train"])
    measured = compare_generated_texts(tiny_llama, tokenizer, rows, num_texts=60, sampling=SAMPLING)
    assert (measured["num_texts"], measured["num_human_texts"]) == (60, 120) and measured[
        "features"
    ] == "character n-grams"
    assert measured["mauve"] < 0.3 < measured["mauve_of_human_halves"]
    assert measured == compare_generated_texts(tiny_llama, tokenizer, rows, num_texts=60, sampling=SAMPLING)


def test_a_model_that_says_what_people_say_comes_near_them(tiny_llama, tokenizer, dataset, monkeypatch):
    # Each prompt is continued as in a conversation of the other half.
    rows = list(dataset["train"])
    pool = iter([encode_document(tokenizer, row)[0][PROMPT_TOKENS:] for row in rows[80:]])
    monkeypatch.setattr(
        "darija_gpt.evaluation.generated_texts.continue_prompts",
        lambda model, tokenizer, prompts, sampling: [next(pool)[: sampling.max_new_tokens] for _ in prompts],
    )
    measured = compare_generated_texts(tiny_llama, tokenizer, rows[:80], num_texts=60, sampling=SAMPLING)
    assert measured["mauve"] > 0.7


def test_human_halves_are_of_as_many_texts_as_the_model_writes(tiny_llama, tokenizer, dataset, monkeypatch):
    sizes = []
    monkeypatch.setattr(
        "darija_gpt.evaluation.divergence.measure_mauve",
        lambda ours, theirs, seed: sizes.append((len(ours), len(theirs))) or 1,
    )
    compare_generated_texts(tiny_llama, tokenizer, list(dataset["train"]), num_texts=40, sampling=SAMPLING)
    assert sizes == [(40, 40), (40, 40)]
    # Of too few texts, each gets half.
    measured = compare_generated_texts(
        tiny_llama, tokenizer, list(dataset["train"])[:70], num_texts=60, sampling=SAMPLING
    )
    assert sizes[2] == sizes[3] == (measured["num_texts"],) * 2 and measured["num_texts"] < 40


def test_hidden_states_of_a_model_may_be_the_features(tiny_llama, tokenizer, dataset):
    measured = compare_generated_texts(
        tiny_llama,
        tokenizer,
        list(dataset["train"]),
        num_texts=40,
        sampling=SAMPLING,
        features_model=(tiny_llama, tokenizer),
    )
    assert measured["features"] == "hidden states" and 0 < measured["mauve"] <= 1


def test_too_few_texts_and_too_long_continuations_are_refused(tiny_llama, tokenizer, dataset):
    with pytest.raises(ValueError, match="texts are long enough to be continued, and 40 are needed"):
        compare_generated_texts(tiny_llama, tokenizer, list(dataset["train"])[:5], num_texts=40, sampling=SAMPLING)
    with pytest.raises(ValueError, match="leaves no room"):
        compare_generated_texts(tiny_llama, tokenizer, [], num_texts=40, sampling=SamplingArguments(max_new_tokens=90))
