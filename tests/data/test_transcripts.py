"""Transcripts become the turns that they tell of, and other texts stay texts."""

import pytest

from darija_gpt.data.row_formats import UnusableRowError, convert_row
from darija_gpt.data.transcripts import parse_transcript


TALK = [("user", "labas?"), ("assistant", "labas\n\nlhamdolah"), ("user", "fin?"), ("assistant", "f dar")]


@pytest.mark.parametrize(
    "text",
    [
        "<s>[INST] labas? [/INST] labas\n\nlhamdolah </s><s>[INST] fin? [/INST] f dar </s>",
        "<s> [INST] labas? [/INST] labas\n\nlhamdolah</s> <s>[INST] fin? [/INST] f dar",
        "[INST]labas?[/INST]labas\n\nlhamdolah[INST]fin?[/INST]f dar\n",
        "<s>[INST] labas? [/INST] labas\n\nlhamdolah </s><s>[INST] fin? [/INST] f dar </s><s>[INST] w nta? [/INST]",
        "### Human: labas?### Assistant: labas\n\nlhamdolah### Human: fin?### Assistant: f dar",
        "### Human: labas?\n### Assistant: labas\n\nlhamdolah\n\n### Human: fin?### Assistant: f dar### Human: w nta?",
    ],
)
def test_every_way_to_write_a_talk_down_gives_its_turns(text):
    assert [(role, said.strip()) for role, said in parse_transcript(text)] == TALK
    messages = convert_row({"text": text}).messages
    assert [(message["role"], message["content"]) for message in messages] == TALK


def test_the_system_message_of_llama_2_opens_the_talk():
    text = "<s>[INST] <<SYS>>\nJawb b darija.\n<</SYS>>\n\nlabas? [/INST] labas </s>"
    messages = convert_row({"text": text}).messages
    assert messages[0] == {"role": "system", "content": "Jawb b darija."}
    assert messages[1] == {"role": "user", "content": "labas?"}


@pytest.mark.parametrize("text", ["salam", "the mark [INST] is Llama's", "[INST] never ends", "#### Human: a heading"])
def test_any_other_text_stays_text(text):
    assert parse_transcript(text) is None
    assert convert_row({"text": text}).text == text


def test_a_column_that_was_asked_for_is_read_as_it_stands():
    text = "[INST] labas? [/INST] labas"
    assert convert_row({"text": text}, text_column="text").text == text


def test_a_transcript_without_a_reply_is_left_out():
    with pytest.raises(UnusableRowError, match="without a reply"):
        convert_row({"text": "<s>[INST] labas? [/INST]"})


@pytest.mark.parametrize("begin", ["", "[INST] a [/INST] b", "### Human: a### Assistant: b"])
@pytest.mark.parametrize("piece", ["[INST]", "<s>[INST]", " ", "<s> ", "</s> ", "[INST][/INST]", "### Human:"])
def test_marks_again_and_again_cost_no_more_than_their_length(begin, piece):
    text = begin + piece * (300_000 // len(piece))
    turns = parse_transcript(text)
    assert turns is None or sum(len(said) for _, said in turns) < len(text)
