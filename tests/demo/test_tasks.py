import json

import pytest
import torch

from darija_gpt.demo.demo import DemoArguments, _is_loopback, demo
from darija_gpt.demo.tasks import classify, summarize
from darija_gpt.loading import find_task, load_model


@pytest.fixture(scope="module")
def classifier_dir(tokenizer, tmp_path_factory):
    """A random classifier of the project's own, with two labels."""
    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForSequenceClassification

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
    directories = (tiny_llama_dir, classifier_dir, summarizer_dir)
    assert [find_task(directory) for directory in directories] == ["chat", "classification", "summarization"]
    for kind, task in (("SEQ_CLS", "classification"), ("SEQ_2_SEQ_LM", "summarization"), ("CAUSAL_LM", "chat")):
        (tmp_path / "adapter_config.json").write_text(json.dumps({"task_type": kind}))
        assert find_task(tmp_path) == task


def test_a_model_for_another_task_is_refused(tiny_llama_dir, summarizer_dir):
    with pytest.raises(ValueError, match="give the directory of a whole classifier"):
        load_model(tiny_llama_dir, task="classification")
    with pytest.raises(ValueError, match="holds no causal language model"):
        load_model(summarizer_dir, task="chat")


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
    source = torch.tensor([tokenizer.encode("lkhess: salam khouya")])
    written = [model.config.decoder_start_token_id]
    for _ in range(8):
        with torch.no_grad():
            scores = model(input_ids=source, decoder_input_ids=torch.tensor([written])).logits[0, -1]
        written.append(scores.argmax().item())
        if written[-1] == tokenizer.eos_token_id:
            break
    expected = tokenizer.decode(written, skip_special_tokens=True).strip()

    assert summarize(model, tokenizer, "salam khouya", source_prefix="lkhess: ", max_new_tokens=8) == expected


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
