"""The scan finds what should be in no vocabulary, and a vocabulary of this project holds none of it."""

import pytest
from transformers import PreTrainedTokenizerFast

from darija_gpt.data.private_index import PrivateIndex
from darija_gpt.evaluation.memorization.vocabulary_scan import scan_vocabulary
from darija_gpt.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def index():
    index = PrivateIndex(bytes(32))
    for name in ("Zerhouni", "زرهوني"):
        index.add_name(name)
    return index


def scan(tokenizer, texts, index, **settings) -> dict:
    return scan_vocabulary(tokenizer, texts, range(len(texts)), index=index, min_conversations=3, **settings)


def test_a_vocabulary_of_common_words_is_clean(darija, index):
    tokenizer = train_tokenizer(darija, vocab_size=400, conversations=range(len(darija)))
    found = scan(tokenizer, darija, index)
    assert (found["numbers"], found["names"], found["rare"]) == (0, 0, 0) and found["entries"] > 300


def test_a_name_and_a_rare_word_that_bpe_has_learnt_are_found(darija, index):
    texts = [*darija, "fin zerhouni? " * 200, "qrbalina " * 200, "زرهوني " * 200]
    tokenizer = train_tokenizer(texts, vocab_size=600)
    found = scan(tokenizer, texts, index)
    assert found["names"] == 2 and found["rare"] > 5 and found["numbers"] == 0


def test_a_name_of_three_letters_counts_where_it_is_a_whole_word(darija):
    index = PrivateIndex(bytes(32))
    index.add_name("Ilk")
    whole = train_tokenizer([*darija, "fin ilk? " * 200], vocab_size=600)
    assert "Ġilk" in whole.get_vocab() and scan(whole, darija, index)["names"] == 1
    piece = train_tokenizer([*darija, "filk " * 200, "milko " * 200], vocab_size=600)
    assert "ilk" in piece.get_vocab() and scan(piece, darija, index)["names"] == 0


def test_entries_that_were_added_by_hand_are_found(darija, index):
    tokenizer = train_tokenizer(darija, vocab_size=400, conversations=range(len(darija)))
    tokenizer.add_tokens(["0612345678", "Zerhouni", "06 12"])
    found = scan(tokenizer, darija, index)
    assert found["numbers"] == 2 and found["names"] == 1 and found["rare"] == 3
    public = scan(tokenizer, darija, index, known={"0612345678", "Zerhouni", "06 12"})
    assert (public["numbers"], public["names"], public["rare"]) == (0, 0, 0)


def test_what_cannot_be_looked_for_is_none(darija, index):
    tokenizer = train_tokenizer(darija, vocab_size=400)
    assert scan(tokenizer, darija, None)["names"] is None
    backend = tokenizer.backend_tokenizer
    whole = PreTrainedTokenizerFast(tokenizer_object=type(backend)(backend.model))
    assert scan(whole, darija, index)["rare"] is None
