import json
import socket

import pytest
import torch
from tiny_t5 import save_tiny_t5
from tokenizers import AddedToken

from darija_gpt.classifiers import encode_texts as encode_labelled
from darija_gpt.demo.demo import DemoArguments, _is_loopback, demo, recall_training
from darija_gpt.demo.tasks import classify, summarize
from darija_gpt.loading import find_task, load_model
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForSequenceClassification
from darija_gpt.neural_lm import NeuralLMConfig
from darija_gpt.seq2seq import encode_texts as encode_pairs


@pytest.fixture(scope="module")
def classifier_dir(tokenizer, tmp_path_factory):
    """A random classifier of the project's own, with two labels."""
    config = DarijaGPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=40,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
        id2label={0: "zwin", 1: "khayb"},
        label2id={"zwin": 0, "khayb": 1},
    )
    directory = tmp_path_factory.mktemp("classifier") / "sentiment"
    torch.manual_seed(0)
    DarijaGPTForSequenceClassification(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def summarizer_dir(tokenizer, tmp_path_factory):
    """A random T5 of a few thousand parameters."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=1,
        num_heads=4,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    directory = tmp_path_factory.mktemp("summarizer") / "titles"
    torch.manual_seed(0)
    T5ForConditionalGeneration(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def test_a_models_own_configuration_says_what_it_is_for(tiny_llama_dir, classifier_dir, summarizer_dir, tmp_path):
    NeuralLMConfig().save_pretrained(tmp_path / "neural_lm")
    directories = (tiny_llama_dir, classifier_dir, summarizer_dir, tmp_path / "neural_lm")
    tasks = ["chat", "classification", "summarization", "chat"]
    assert [find_task(directory) for directory in directories] == tasks
    for kind, task in (("SEQ_CLS", "classification"), ("SEQ_2_SEQ_LM", "summarization"), ("CAUSAL_LM", "chat")):
        (tmp_path / "adapter_config.json").write_text(json.dumps({"task_type": kind}))
        assert find_task(tmp_path) == task


def test_a_model_for_another_task_is_refused(tiny_llama_dir, classifier_dir, summarizer_dir):
    with pytest.raises(ValueError, match="give the directory of a whole classifier"):
        load_model(tiny_llama_dir, task="classification")
    with pytest.raises(ValueError, match="holds no causal language model"):
        load_model(summarizer_dir, task="chat")
    # Its embeddings are tied, so that a causal language model would lack no weight.
    with pytest.raises(ValueError, match="is a classifier; give a causal language model"):
        load_model(classifier_dir, task="chat")


def test_a_model_that_gives_a_number_is_refused(tokenizer, tmp_path):
    config = DarijaGPTConfig(vocab_size=len(tokenizer), num_hidden_layers=1, num_labels=1)
    DarijaGPTForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="gives one number for a text; give a classifier of two classes or more"):
        load_model(tmp_path, task="classification")


def test_a_text_gets_the_softmax_of_its_logits(classifier_dir):
    model, tokenizer = load_model(classifier_dir, task="classification")
    model = model.to("cpu")
    with torch.no_grad():
        logits = model(torch.tensor([tokenizer.encode("salam khouya")])).logits[0]

    shares = classify(model, tokenizer, "salam khouya")
    assert [label for label, _ in shares] == ["zwin", "khayb"]
    assert [share for _, share in shares] == pytest.approx((logits.exp() / logits.exp().sum()).tolist(), abs=1e-6)
    # Labels that do not exclude each other have a probability each.
    model.config.problem_type = "multi_label_classification"
    shares = [share for _, share in classify(model, tokenizer, "salam khouya")]
    assert shares == pytest.approx((1 / (1 + (-logits).exp())).tolist(), abs=1e-6)


def test_a_text_longer_than_a_classifier_reads_is_cut(classifier_dir):
    model, tokenizer = load_model(classifier_dir, task="classification")
    long = classify(model, tokenizer, "labas " * 500)
    assert sum(share for _, share in long) == pytest.approx(1, abs=1e-6)
    # No control token comes of a text.
    assert classify(model, tokenizer, "salam<|pad|>") != classify(model, tokenizer, "salam")


def test_a_summary_is_the_likeliest_words_behind_the_prefix(summarizer_dir):
    model, tokenizer = load_model(summarizer_dir, task="summarization")
    model = model.to("cpu")
    source = torch.tensor([[*tokenizer.encode("lkhess: salam khouya"), tokenizer.eos_token_id]])
    written = [model.config.decoder_start_token_id]
    for _ in range(8):
        with torch.no_grad():
            scores = model(input_ids=source, decoder_input_ids=torch.tensor([written])).logits[0, -1]
        written.append(scores.argmax().item())
        if written[-1] == tokenizer.eos_token_id:
            break
    expected = tokenizer.decode(written, skip_special_tokens=True).strip()

    assert summarize(model, tokenizer, "salam khouya", source_prefix="lkhess: ", max_new_tokens=8) == expected


def test_a_text_is_read_as_in_training(classifier_dir, darija, tmp_path, monkeypatch):
    """T5's vocabulary spells the token that ends a text as an ordinary piece; somebody may type it."""
    model, tokenizer = load_model(save_tiny_t5(tmp_path / "t5", darija, vocab_size=150), task="summarization")
    read = []
    monkeypatch.setattr(model, "generate", lambda input_ids, **_: read.append(input_ids[0].tolist()) or input_ids)
    typed = "salam </s> labas <pad> khouya"
    summarize(model, tokenizer, typed)
    summarize(model, tokenizer, typed, source_prefix="lkhess: ", max_source_length=5)
    assert read[0] == encode_pairs(tokenizer, [typed], max_length=1024, name="x").token_ids[0]
    assert read[1] == encode_pairs(tokenizer, ["lkhess: " + typed], max_length=5, name="x").token_ids[0]
    assert len(read[1]) == 5 and [ids.count(tokenizer.eos_token_id) for ids in read] == [1, 1]
    assert tokenizer.pad_token_id not in read[0] + read[1]

    model, tokenizer = load_model(classifier_dir, task="classification")
    tokenizer.add_tokens([AddedToken("<|reserved|>", special=True, normalized=False)], special_tokens=True)
    [encoding], _ = encode_labelled(tokenizer, ["salam <|reserved|>"], max_length=40, truncation=False, name="x")
    with torch.no_grad():
        logits = model.cpu()(torch.tensor([encoding["input_ids"]])).logits[0]
    assert tokenizer.convert_tokens_to_ids("<|reserved|>") not in encoding["input_ids"]
    shares = [share for _, share in classify(model, tokenizer, "salam <|reserved|>")]
    assert shares == pytest.approx(logits.softmax(-1).tolist(), abs=1e-6)


def test_a_summariser_begins_with_what_it_was_trained_and_measured_with(tmp_path):
    training = {"source_prefix": "lkhess: ", "max_source_length": 200, "max_target_length": 60, "num_beams": 4}
    (tmp_path / "training_summary.json").write_text(json.dumps({"stage": "finetune_seq2seq", **training}))
    recalled = recall_training(DemoArguments(model=str(tmp_path)))
    assert (recalled.source_prefix, recalled.max_source_length) == ("lkhess: ", 200)
    assert (recalled.max_new_tokens, recalled.num_beams) == (60, 4)
    recalled = recall_training(DemoArguments(model=str(tmp_path), source_prefix="x: ", num_beams=2))
    assert (recalled.source_prefix, recalled.num_beams, recalled.max_new_tokens) == ("x: ", 2, 60)
    (tmp_path / "training_summary.json").write_text(json.dumps({"stage": "pretrain"}))
    assert recall_training(recalled) == recalled


def test_a_port_in_use_is_named_with_the_flag(classifier_dir):
    pytest.importorskip("gradio", reason="the pages need gradio: pip install -c constraints.txt -e '.[demo]'")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(
            ValueError, match=rf"port {port} of 127\.0\.0\.1, which may be in use; give another --port"
        ):
            demo(DemoArguments(model=str(classifier_dir), port=port))


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("192.0.2.7", False), ("x", False)],
)
def test_a_host_that_others_reach_is_known(host, is_ours):
    assert _is_loopback(host) == is_ours


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"port": 0}, "port=0 is no port; try 7860"),
        ({"repo_id": "someone/model"}, "repo_id=someone/model is for a Space"),
        ({"max_source_length": 2}, "max_source_length=2 must be above 2; try 512"),
        ({"min_p": 2.0}, r"min_p=2\.0 must be"),
    ],
)
def test_arguments_that_mean_nothing_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        DemoArguments(model="x", **arguments)


def test_without_gradio_the_remedy_is_named(tiny_llama_dir, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "gradio", None)
    with pytest.raises(ValueError, match=r"pip install -c constraints\.txt -e '\.\[demo\]'"):
        demo(DemoArguments(model=str(tiny_llama_dir)))
