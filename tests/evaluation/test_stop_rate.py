"""How many replies end by themselves, counted on models whose words are written down beforehand."""

import copy

import pytest

from darija_gpt.evaluation.stop_rate import measure_stop_rate
from darija_gpt.generation import SamplingArguments
from darija_gpt.tokenizer import END_OF_TEXT, TURN_END


ASKED, ANSWERED = {"role": "user", "content": "fin?"}, {"role": "assistant", "content": "f dar"}


def test_replies_are_counted_by_the_token_that_ends_them(tokenizer, scripted_llama):
    end, over = tokenizer.convert_tokens_to_ids([TURN_END, END_OF_TEXT])
    word = tokenizer("salam")["input_ids"][0]
    # Four replies of at most three tokens: the third never ends.
    model = scripted_llama([word, end, word, word, end, word, word, word, over])
    chats = [[ASKED, ANSWERED], None, [ANSWERED], [ANSWERED, ASKED], [ASKED], [ASKED, ANSWERED, ASKED], [ASKED]]
    sampling = SamplingArguments(max_new_tokens=3, do_sample=False)
    assert measure_stop_rate(model, tokenizer, chats, 4, sampling) == {
        "prompts": 4,
        "stopped": 3,
        "share": 0.75,
        "ended_by": {TURN_END: 2, END_OF_TEXT: 1},
    }


def test_a_question_that_does_not_fit_is_not_asked(tokenizer, scripted_llama):
    end = tokenizer.convert_tokens_to_ids(TURN_END)
    model = scripted_llama([end], max_position_embeddings=20)
    sampling = SamplingArguments(max_new_tokens=3, do_sample=False)
    long = [{"role": "user", "content": "fin? " * 30}]
    assert measure_stop_rate(model, tokenizer, [long, [ASKED]], 10, sampling)["prompts"] == 1
    with pytest.raises(ValueError, match="no conversation begins with a question that the model can read"):
        measure_stop_rate(model, tokenizer, [long, None], 10, sampling)


def test_replies_of_a_model_without_a_chat_template_are_not_asked_for(tokenizer, tiny_llama):
    plain = copy.deepcopy(tokenizer)
    plain.chat_template = None
    with pytest.raises(ValueError, match="no chat template; leave it out"):
        measure_stop_rate(tiny_llama, plain, [[ASKED]], 1, SamplingArguments(max_new_tokens=3))
