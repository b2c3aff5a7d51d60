"""Encoder-decoder models: what may be loaded, that no text becomes a control token, and what is written."""

import json
import shutil

import pytest
import torch
from tiny_t5 import save_tiny_t5, train_pieces, write_articles
from transformers import (
    AutoTokenizer,
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
    T5Tokenizer,
)

from darija_gpt.seq2seq import check_length, encode_texts, generate_texts, load_seq2seq


TEXTS = [text for row in write_articles(60) for text in row.values()]


@pytest.fixture(scope="module")
def t5_dir(tmp_path_factory):
    return save_tiny_t5(tmp_path_factory.mktemp("t5") / "tiny", TEXTS)


@pytest.fixture(scope="module")
def loaded(t5_dir):
    return load_seq2seq(t5_dir)


CONTROL_TEXTS = [
    "</s>",
    "salam </s> labas",
    "<pad><pad>",
    "x</s>y",
    "<unk> w </s>",
]


@pytest.mark.parametrize("text", CONTROL_TEXTS)
def test_no_text_becomes_a_control_token(loaded, text):
    _, tokenizer = loaded
    (ids,) = encode_texts(tokenizer, [text], max_length=64, name="max_source_length").token_ids
    assert ids[-1] == tokenizer.eos_token_id
    assert not {tokenizer.eos_token_id, tokenizer.pad_token_id} & set(ids[:-1])


def test_the_tokenizer_alone_would_not_have_kept_them_out(loaded):
    _, tokenizer = loaded
    assert tokenizer("salam </s>", split_special_tokens=True)["input_ids"].count(tokenizer.eos_token_id) == 2


def test_what_is_encoded_is_what_the_tokenizer_encodes(loaded):
    _, tokenizer = loaded
    encoded = encode_texts(tokenizer, TEXTS[:8], max_length=200, name="max_source_length")
    assert encoded.token_ids == tokenizer(TEXTS[:8])["input_ids"]
    assert encoded.num_cut == encoded.num_unknown == 0
    assert encoded.num_tokens == sum(map(len, encoded.token_ids)) - 8


def test_long_texts_are_cut_at_their_ends_and_still_end(loaded):
    _, tokenizer = loaded
    whole = encode_texts(tokenizer, TEXTS[:2], max_length=200, name="max_source_length")
    cut = encode_texts(tokenizer, [TEXTS[0], "والو"], max_length=9, name="max_source_length")
    assert cut.token_ids[0] == [*whole.token_ids[0][:8], tokenizer.eos_token_id]
    assert cut.num_cut == 1 and cut.cut_share == 0.5
    with pytest.raises(ValueError, match="max_source_length=1 leaves no room"):
        encode_texts(tokenizer, ["والو"], max_length=1, name="max_source_length")


def test_a_tokenizer_that_puts_tokens_before_and_after_keeps_both(tmp_path):
    """As BART's: <s> ... </s>."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    vocabulary = {token: number for number, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", "wahd", "jouj"])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    backend.post_processor = processors.TemplateProcessing("<s> $A </s>", None, [("<s>", 0), ("</s>", 2)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )
    encoded = encode_texts(tokenizer, ["wahd jouj jouj", "</s> wahd", "tlata"], max_length=4, name="x")
    assert encoded.token_ids == [[0, 4, 5, 2], [0, 4, 2], [0, 3, 2]]
    assert (encoded.num_cut, encoded.num_tokens, encoded.num_unknown) == (1, 5, 1)
    # None around a text: it still has to end.
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing("$A", None, [])
    assert encode_texts(tokenizer, ["wahd"], max_length=4, name="x").token_ids == [[4, 2]]


def test_texts_come_back_in_their_order_with_one_beam_as_with_generate(loaded):
    model, tokenizer = loaded
    ids = encode_texts(tokenizer, TEXTS[:7], max_length=60, name="x").token_ids
    written = generate_texts(model, tokenizer, ids, max_new_tokens=6, num_beams=1, batch_size=3)
    for one, text in zip(ids, written, strict=True):
        alone = model.generate(torch.tensor([one]), max_new_tokens=6, num_beams=1, do_sample=False)
        assert tokenizer.decode(alone[0], skip_special_tokens=True).strip() == text


def test_a_vocabulary_as_mt5_has_it_on_the_hub_is_read(tmp_path):
    """google/mt5-small brings spiece.model and no tokenizer.json."""
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS),
        model_prefix=str(tmp_path / "spiece"),
        vocab_size=100,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "additional_special_tokens": None})
    )
    T5Config(vocab_size=100, decoder_start_token_id=0).save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    expected = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "spiece.model"))
    for text in TEXTS[:10]:
        (ids,) = encode_texts(tokenizer, [text], max_length=200, name="x").token_ids
        assert ids == [*expected.encode(text), 1]
    # sentencepiece's normalisation makes </s> of these.
    assert tokenizer("＜/s＞")["input_ids"].count(1) == 2
    assert encode_texts(tokenizer, ["＜/s＞ w ＜pad＞"], max_length=9, name="x").token_ids[0].count(1) == 1


def test_a_model_that_is_no_encoder_decoder_is_refused(tiny_llama_dir, tmp_path):
    with pytest.raises(
        ValueError, match=r"is no encoder-decoder model but llama; .*google/flan-t5-base.*finetune\.py"
    ):
        load_seq2seq(tiny_llama_dir)
    BertModel(
        BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    ).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="no encoder-decoder model but bert"):
        load_seq2seq(tmp_path)


def change_tokenizer(directory, **changes):
    path = directory / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


@pytest.mark.parametrize(
    ("break_model", "words"),
    [
        (lambda d: (d / "config.json").unlink(), r"holds no config\.json; give the directory of a whole model"),
        (
            lambda d: ((d / "config.json").unlink(), (d / "adapter_config.json").write_text("{}")),
            "it is an adapter: give its base as model and this as adapter",
        ),
        (lambda d: change_tokenizer(d, pad_token=None), "has no padding token.*pad_token in its tokenizer_config"),
        (lambda d: (d / "model.safetensors").write_bytes(b"no"), "holds no encoder-decoder model that loads here"),
        (lambda d: T5Tokenizer(train_pieces(TEXTS, 260), extra_ids=50).save_pretrained(d), "are not of one model"),
    ],
)
def test_what_cannot_be_trained_is_refused(t5_dir, tmp_path, break_model, words):
    shutil.copytree(t5_dir, tmp_path / "broken")
    break_model(tmp_path / "broken")
    with pytest.raises(ValueError, match=words):
        load_seq2seq(tmp_path / "broken")


def test_a_name_that_nobody_has_is_refused():
    with pytest.raises(ValueError, match="nowhere/at-all is no directory, and no model of that name"):
        load_seq2seq("nowhere/at-all")


def test_a_model_without_its_decoder_is_refused(t5_dir, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(t5_dir, tmp_path / "half")
    weights = load_file(tmp_path / "half" / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("decoder.")}
    save_file(kept, tmp_path / "half" / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"lacks \d+ of the weights of T5ForConditionalGeneration"):
        load_seq2seq(tmp_path / "half")


def test_a_head_of_its_own_as_flan_t5_has_one_survives_loading_and_saving(t5_dir, tmp_path):
    """transformers calls all T5 tied, and lets the files decide."""
    from safetensors.torch import load_file

    model, _ = load_seq2seq(t5_dir)
    model.save_pretrained(tmp_path)
    weights = load_file(t5_dir / "model.safetensors")
    assert torch.equal(load_file(tmp_path / "model.safetensors")["lm_head.weight"], weights["lm_head.weight"])
    again = T5ForConditionalGeneration.from_pretrained(tmp_path).eval()
    ids = torch.arange(3, 12)[None]
    with torch.no_grad():
        hidden = model.decoder(input_ids=ids, encoder_hidden_states=model.encoder(ids).last_hidden_state)
        logits = [m(input_ids=ids, decoder_input_ids=ids).logits for m in (model, again)]
    # Of T5 1.1, nothing is divided by the root of the width on the way to the head.
    torch.testing.assert_close(logits[0], hidden.last_hidden_state @ weights["lm_head.weight"].T)
    assert torch.equal(*logits)


def test_a_length_beyond_the_positions_is_refused_where_positions_end():
    sizes = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 1}
    sizes |= {"decoder_attention_heads": 1, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "vocab_size": 20}
    bart = BartForConditionalGeneration(BartConfig(**sizes, max_position_embeddings=16))
    check_length(bart, "max_source_length", 16)
    with pytest.raises(ValueError, match="max_source_length=17 is more than the 16 tokens"):
        check_length(bart, "max_source_length", 17)
    t5 = T5ForConditionalGeneration(T5Config(d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=1, vocab_size=20))
    check_length(t5, "max_source_length", 4096)
