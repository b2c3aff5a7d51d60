"""What an audit asks a model about has the form in which the model learnt it."""

import copy

import pytest

from darija_gpt.chat_examples import encode_messages
from darija_gpt.evaluation.bits_per_byte import encode_document
from darija_gpt.evaluation.memorization.documents import encode_learnt_document
from darija_gpt.finetuning.chat_templates import LLAMA2_TEMPLATE


@pytest.fixture
def foreign(parrot_tokenizer):
    """A tokenizer with a template of another project."""
    tokenizer = copy.deepcopy(parrot_tokenizer)
    tokenizer.chat_template = LLAMA2_TEMPLATE
    return tokenizer


def test_a_conversation_is_what_fine_tuning_shows_a_model_with_a_template_of_its_own(foreign, planted):
    row = planted[1][0]
    ids, is_scored = encode_learnt_document(foreign, row)
    learnt = encode_messages(foreign, row["messages"])
    assert (ids, is_scored) == (learnt.input_ids, learnt.assistant_mask)
    said = foreign.decode([number for number, scored in zip(ids, is_scored, strict=True) if scored])
    assert row["messages"][1]["content"] in said and row["messages"][0]["content"] not in said
    assert ids != encode_document(foreign, row)[0]


def test_messages_that_fine_tuning_leaves_out_are_left_out(foreign, planted):
    messages = planted[1][0]["messages"]
    around = [{"role": "assistant", "content": "wach?"}, *messages, {"role": "user", "content": "safi"}]
    assert encode_learnt_document(foreign, {"text": "-", "messages": around}) == encode_learnt_document(
        foreign, {"text": "-", "messages": messages}
    )


@pytest.mark.parametrize(
    "messages", [None, [{"role": "user", "content": "fin?"}], [{"role": "assistant", "content": "hna"}]]
)
def test_what_no_template_takes_is_its_text(foreign, messages):
    row = {"text": "fin nta? hna", "messages": messages}
    assert encode_learnt_document(foreign, row) == encode_document(foreign, row)


def test_with_the_template_of_the_project_everything_said_is_scored(parrot_tokenizer, planted):
    assert encode_learnt_document(parrot_tokenizer, planted[1][0]) == encode_document(parrot_tokenizer, planted[1][0])
