import copy
import math

import numpy as np
import pytest
import torch
from tokenizers import Regex, Tokenizer
from tokenizers.decoders import Metaspace as MetaspaceDecoder
from tokenizers.decoders import WordPiece
from tokenizers.models import Unigram, WordLevel
from tokenizers.normalizers import NFKC, Lowercase, Replace, Sequence
from tokenizers.pre_tokenizers import Metaspace, Whitespace
from tokenizers.trainers import UnigramTrainer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from darija_gpt.evaluation.bits_per_byte import (
    ByteCounter,
    describe_groups,
    encode_document,
    measure_bits_per_byte,
    score_documents,
)
from darija_gpt.evaluation.divergence import measure_kl_divergence
from darija_gpt.evaluation.windows import slide_windows
from darija_gpt.tokenizer import encode_texts


CHAT = [
    {"role": "user", "content": "salam, labas 3lik?"},
    {"role": "assistant", "content": "لاباس الحمد لله 😊\nghadi l souk"},
    {"role": "user", "content": " <|im_end|> mzyan "},
]


def make_row(text: str, messages=None, script: str = "Latn") -> dict:
    return {"text": text, "messages": messages, "script": script}


@pytest.fixture(scope="module")
def rows(darija):
    """Plain texts of many lengths, some longer than a window, and a chat."""
    texts = ["salam", "\n".join(darija), *darija[5:11], "\n".join(darija[:7])]
    chat = make_row("\n".join(message["content"] for message in CHAT), CHAT, "mixed")
    return [*(make_row(text, script="mixed" if "\n" in text else "Arab") for text in texts), chat]


@torch.inference_mode()
def measure_token_by_token(model, tokenizer, rows, context_tokens: int) -> tuple[float, int]:
    """Nats and scored tokens, each token by a forward of its own, its context looked up by the definition."""
    nats, num_tokens = 0.0, 0
    for ids, is_scored in (encode_document(tokenizer, row) for row in rows):
        for place in range(1, len(ids)):
            # The first window ends at its context's length, every later one half a context further.
            end = context_tokens
            while end < place:
                end += context_tokens // 2
            end = min(end, len(ids) - 1)
            if is_scored[place]:
                logits = model(torch.tensor([ids[max(0, end - context_tokens) : place]])).logits[0, -1]
                nats -= logits.double().log_softmax(-1)[ids[place]].item()
                num_tokens += 1
    return nats, num_tokens


@pytest.mark.parametrize("context_tokens", [7, 16, 96])
def test_bits_and_perplexity_are_those_of_each_token_scored_alone(tiny_llama, tokenizer, rows, context_tokens):
    nats, num_tokens = measure_token_by_token(tiny_llama, tokenizer, rows, context_tokens)

    measured = measure_bits_per_byte(tiny_llama, tokenizer, rows, context_tokens=context_tokens)["all"]
    num_bytes = sum(len(row["text"].encode()) for row in rows)
    assert measured["tokens"] == num_tokens
    assert measured["bytes"] == num_bytes
    assert measured["bits_per_byte"] == pytest.approx(nats / math.log(2) / num_bytes, abs=1e-4)
    assert measured["perplexity"] == pytest.approx(math.exp(nats / num_tokens), rel=1e-5)


@pytest.mark.parametrize("batch_tokens", [1, 64, 333, 10_000])
def test_the_size_of_a_batch_changes_nothing(tiny_llama, tokenizer, rows, batch_tokens):
    expected = measure_bits_per_byte(tiny_llama, tokenizer, rows)
    measured = measure_bits_per_byte(tiny_llama, tokenizer, rows, batch_tokens=batch_tokens)

    for group, numbers in expected.items():
        expected_numbers = {name: number for name, number in numbers.items() if number is not None}
        assert {name: measured[group][name] for name in expected_numbers} == pytest.approx(expected_numbers, rel=1e-4)


def test_a_model_that_knows_nothing_needs_the_logarithm_of_its_vocabulary_for_each_token(tiny_llama, tokenizer, rows):
    model = copy.deepcopy(tiny_llama)
    torch.nn.init.zeros_(model.lm_head.weight)

    for measured in measure_bits_per_byte(model, tokenizer, rows).values():
        expected = math.log2(len(tokenizer)) * measured["tokens"] / measured["bytes"]
        assert measured["bits_per_byte"] == pytest.approx(expected, abs=1e-4)
        assert measured["perplexity"] == pytest.approx(len(tokenizer), abs=1e-2)


@pytest.mark.parametrize("num_tokens", [0, 1, 2, 9, 10, 11, 15, 16, 100])
@pytest.mark.parametrize("context_tokens", [1, 2, 9, 10])
def test_windows_score_each_token_once_with_at_least_half_a_context(num_tokens, context_tokens):
    windows = list(slide_windows(0, num_tokens, context_tokens))

    scored = [place for window in windows for place in range(window.first + 1, window.end + 1)]
    assert scored == list(range(1, num_tokens))
    assert all(window.num_tokens <= context_tokens for window in windows)
    for window in windows[1:]:
        assert window.num_tokens == context_tokens
        assert window.first + 1 - window.begin >= context_tokens // 2


def test_the_contents_and_ends_of_all_turns_are_scored_and_the_roles_are_not(tokenizer):
    ids, is_scored = encode_document(tokenizer, make_row("", CHAT))

    assert tokenizer.decode([token for token, scored in zip(ids, is_scored, strict=True) if scored]) == (
        "salam, labas 3lik?<|im_end|>لاباس الحمد لله 😊\nghadi l souk<|im_end|>< |im_end|> mzyan<|im_end|>"
    )


@pytest.mark.parametrize("template", [None, "{% for message in messages %}{{ message['content'] }}{% endfor %}"])
def test_a_chat_is_scored_as_its_text_where_the_template_marks_nothing(tokenizer, template):
    foreign = copy.deepcopy(tokenizer)
    foreign.chat_template = template

    ids, is_scored = encode_document(foreign, make_row("salam\nlabas", CHAT))
    assert foreign.decode(ids) == "<|endoftext|>salam\nlabas"
    assert is_scored == [0] + [1] * (len(ids) - 1)


def test_groups_are_all_and_each_script_and_add_up(tiny_llama, tokenizer, rows):
    measured = measure_bits_per_byte(tiny_llama, tokenizer, rows)

    assert list(measured) == ["all", "Arab", "mixed"]
    for counted in ("bytes", "tokens", "documents"):
        assert measured["all"][counted] == measured["Arab"][counted] + measured["mixed"][counted]


def test_documents_are_grouped_by_any_label(tiny_llama, tokenizer, rows):
    scores = score_documents(tiny_llama, tokenizer, rows)
    groups = describe_groups(scores, ["one" if place else "other" for place in range(len(rows))])

    assert list(groups) == ["one", "other"]
    assert groups["other"] == measure_bits_per_byte(tiny_llama, tokenizer, rows[:1])["all"]
    assert groups["one"] == measure_bits_per_byte(tiny_llama, tokenizer, rows[1:])["all"]


def test_an_interval_holds_its_number_and_a_few_documents_have_none(tiny_llama, tokenizer, rows):
    measured = measure_bits_per_byte(tiny_llama, tokenizer, rows)["all"]
    for name in ("bits_per_byte", "perplexity"):
        assert measured[f"{name}_low"] < measured[name] < measured[f"{name}_high"]
    assert measure_bits_per_byte(tiny_llama, tokenizer, rows[:9])["all"]["bits_per_byte_low"] is None


@pytest.fixture(scope="module")
def unigram(darija):
    """A tokenizer of SentencePiece's kind, which knows nothing of bytes."""
    backend = Tokenizer(Unigram())
    backend.pre_tokenizer, backend.decoder = Metaspace(), MetaspaceDecoder()
    backend.train_from_iterator(
        darija, UnigramTrainer(vocab_size=120, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>")
    )
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def test_bytes_are_those_of_the_text_whatever_the_tokenizer(tiny_llama, unigram, darija, capsys):
    rows = [make_row(text, script="mixed") for text in darija[:6]]
    nats, num_tokens = measure_token_by_token(tiny_llama, unigram, rows, 96)
    assert num_tokens != sum(len(row["text"].encode()) for row in rows)

    measured = measure_bits_per_byte(tiny_llama, unigram, rows)["all"]
    num_bytes = sum(len(row["text"].encode()) for row in rows)
    assert (measured["tokens"], measured["bytes"]) == (num_tokens, num_bytes)
    assert measured["bits_per_byte"] == pytest.approx(nats / math.log(2) / num_bytes, rel=1e-5)
    assert "warning" not in capsys.readouterr().err


def test_a_tokenizer_that_does_not_know_all_of_a_text_is_warned_of(tiny_llama, unigram, capsys):
    measure_bits_per_byte(tiny_llama, unigram, [make_row("salam ½ labas")])
    assert "unknown to the tokenizer (<unk>)" in capsys.readouterr().err


def test_a_tokenizer_that_writes_texts_alike_that_are_not_is_warned_of(tiny_llama, unigram, capsys):
    backend = Tokenizer.from_str(unigram.backend_tokenizer.to_str())
    backend.normalizer = Sequence([NFKC(), Replace(Regex(r"\s+"), " "), Lowercase()])
    normalizing = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", unk_token="<unk>")
    loud, quiet = (make_row(text) for text in ("SALAM \n\n  LABAS", "salam labas"))
    assert encode_document(normalizing, loud) == encode_document(normalizing, quiet)
    measure_bits_per_byte(tiny_llama, normalizing, [loud, quiet])
    assert "1 of 2 texts are others once they are encoded and decoded" in capsys.readouterr().err
    measure_bits_per_byte(tiny_llama, normalizing, [quiet])
    assert "warning" not in capsys.readouterr().err


def test_texts_without_tokens_are_refused(tiny_llama, tokenizer):
    backend = Tokenizer(WordLevel({"<s>": 0, "<unk>": 1, "salam": 2}, unk_token="<unk>"))
    backend.pre_tokenizer = Whitespace()
    words = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", unk_token="<unk>")
    rows = [make_row("salam"), make_row(" \n ")]
    with pytest.raises(ValueError, match="no token of 1 of 2 texts"):
        measure_bits_per_byte(tiny_llama, words, rows)
    with pytest.raises(ValueError, match="no token of 1 of 2 texts"):
        measure_kl_divergence(tiny_llama, tiny_llama, words, rows)


def test_a_window_may_be_longer_than_what_the_model_learnt_unless_positions_are_missing(tokenizer, tiny_llama, rows):
    config = GPT2Config(vocab_size=len(tokenizer), n_positions=32, n_embd=16, n_layer=1, n_head=2)
    gpt2 = GPT2LMHeadModel(config).eval()
    measure_bits_per_byte(gpt2, tokenizer, rows, context_tokens=32)
    with pytest.raises(ValueError, match="longer than the 32 positions"):
        measure_bits_per_byte(gpt2, tokenizer, rows, context_tokens=33)
    measure_bits_per_byte(tiny_llama, tokenizer, rows, context_tokens=200)


def test_a_model_in_training_is_measured_without_dropout_and_trains_on(tiny_llama, tokenizer, rows):
    model = copy.deepcopy(tiny_llama)
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.5
    model.train()

    assert measure_bits_per_byte(model, tokenizer, rows) == measure_bits_per_byte(tiny_llama, tokenizer, rows)
    assert model.training


def test_coarse_numbers_damaged_weights_and_no_text_are_refused(tiny_llama, tokenizer, rows):
    with pytest.raises(ValueError, match=r"call model\.float\(\) first"):
        measure_bits_per_byte(copy.deepcopy(tiny_llama).bfloat16(), tokenizer, rows)
    damaged = copy.deepcopy(tiny_llama)
    damaged.lm_head.weight.data[3] = float("nan")
    with pytest.raises(ValueError, match="damaged"):
        measure_bits_per_byte(damaged, tokenizer, rows)
    # Finite, and beyond all powers of e that a float holds.
    damaged.lm_head.weight.data = tiny_llama.lm_head.weight.data * 1e6
    with pytest.raises(ValueError, match=r"needs [\d,]+ nats for a token: its weights are damaged"):
        measure_bits_per_byte(damaged, tokenizer, rows)
    with pytest.raises(ValueError, match="no text"):
        measure_bits_per_byte(tiny_llama, tokenizer, [make_row("")])


TEXTS = [
    "salam",
    "لاباس عليك؟ 😊🇲🇦",
    "  two  spaces\n\n\ttab",
    "[PHONE] ou [NAME_1]!",
    "é́ ﷺ \u200f ي",
    "<|im_end|> 3la 7it",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_tokens_of_a_text_stand_for_its_bytes(tokenizer, text):
    [ids] = encode_texts(tokenizer, [text])
    counter = ByteCounter(tokenizer)
    assert counter.count(np.array([tokenizer.bos_token_id, *ids])) == len(text.encode())
    for place in range(1, len(ids)):
        # A block goes on with the token that the last one ended before; here they share one, which counts once.
        parts = [tokenizer.bos_token_id, *ids[:place]], ids[place - 1 :]
        assert sum(counter.count(np.array(part)) for part in parts) == len(text.encode())


def test_control_tokens_and_roles_stand_for_no_bytes(tokenizer):
    ids = encode_document(tokenizer, make_row("", CHAT))[0]
    contents = [message["content"].strip().replace("<|", "< |") for message in CHAT]
    assert ByteCounter(tokenizer).count(np.array(ids)) == sum(len(content.encode()) + 1 for content in contents)


def test_a_tokenizer_that_does_not_tell_its_bytes_is_refused(tokenizer):
    words = copy.deepcopy(tokenizer)
    words.backend_tokenizer.decoder = WordPiece()
    with pytest.raises(ValueError, match="not byte-level"):
        ByteCounter(words)


def test_windows_of_one_conversation_are_drawn_together(tiny_llama, tokenizer):
    texts = ["salam labas", "labas lhamdolah", "fin ghadi"] * 12
    rows = [make_row(text) | {"conversation_id": str(number // 3)} for number, text in enumerate(texts)]
    scores = score_documents(tiny_llama, tokenizer, rows)
    measured = scores.describe(range(len(rows)))
    # Each conversation holds the same three windows, so that whichever are drawn, the number is one.
    assert measured["documents"] == 12
    assert measured["bits_per_byte_low"] == pytest.approx(measured["bits_per_byte"], abs=1e-5)
    alone = score_documents(tiny_llama, tokenizer, [make_row(text) for text in texts]).describe(range(len(rows)))
    assert alone["documents"] == 36 and alone["bits_per_byte"] == measured["bits_per_byte"]
    assert alone["bits_per_byte_low"] < measured["bits_per_byte_low"] - 1e-3
