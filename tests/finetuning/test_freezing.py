"""Freezing: what stays as it is, counted from the papers' widths and not from the models."""

import pytest
import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    RobertaConfig,
    RobertaForSequenceClassification,
    T5Config,
    T5ForConditionalGeneration,
)

from darija_gpt.finetuning.freezing import describe_trainable, freeze_by_pattern, freeze_lower_layers, spell_trainable
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForSequenceClassification


def count_layer(width: int, inner: int, *, biased_projections: int) -> int:
    """A layer of Vaswani et al. 2017: four projections, two maps between width and inner width, two LayerNorms."""
    attention = 4 * width * width + biased_projections * width
    feed_forward = 2 * width * inner + inner + width
    return attention + feed_forward + 2 * 2 * width


def build_on_meta(model_class, config):
    with torch.device("meta"):
        return model_class(config)


def test_gpt_2_small_has_the_parameters_that_openai_says():
    model = build_on_meta(GPT2LMHeadModel, GPT2Config())
    expected = 50257 * 768 + 1024 * 768 + 12 * count_layer(768, 3072, biased_projections=4) + 2 * 768
    assert describe_trainable(model)["parameters"] == expected == 124_439_808


@pytest.mark.parametrize(
    ("num_frozen", "share"), [(0, 0.782277), (6, 0.393842), (8, 0.264364), (11, 0.070147), (12, 0.005408)]
)
def test_bert_base_with_frozen_lower_layers_trains_the_share_of_its_paper(num_frozen, share):
    model = build_on_meta(BertForSequenceClassification, BertConfig())
    freeze_lower_layers(model, num_frozen)
    layer = count_layer(768, 3072, biased_projections=4)
    embeddings = (30522 + 512 + 2) * 768 + 2 * 768
    pooler, head = 768 * 768 + 768, 2 * 768 + 2
    counts = describe_trainable(model)
    assert counts["parameters"] == embeddings + 12 * layer + pooler + head == 109_483_778
    assert counts["trainable_parameters"] == (12 - num_frozen) * layer + pooler + head
    assert counts["trainable_parameters"] / counts["parameters"] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize(("num_frozen", "share"), [(6, 0.339580), (10, 0.113202)])
def test_gpt_neo_125m_with_frozen_lower_layers_trains_the_stated_share(num_frozen, share):
    attention_types = [[["global", "local"], 6]]
    config = GPTNeoConfig(hidden_size=768, num_layers=12, num_heads=12, attention_types=attention_types)
    model = build_on_meta(GPTNeoForCausalLM, config)
    freeze_lower_layers(model, num_frozen)
    # Of GPT-Neo's four projections only the last has a bias; its head is tied to the embeddings, so it is frozen too.
    layer = count_layer(768, 3072, biased_projections=1)
    counts = describe_trainable(model)
    assert counts["parameters"] == (50257 + 2048) * 768 + 12 * layer + 2 * 768 == 125_198_592
    assert counts["trainable_parameters"] == (12 - num_frozen) * layer + 2 * 768
    assert counts["trainable_parameters"] / counts["parameters"] == pytest.approx(share, abs=1e-6)


SMALL = {
    "num_hidden_layers": 4,
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "vocab_size": 50,
}
MODELS = {
    "bert": (BertForSequenceClassification, BertConfig(**SMALL), "bert.encoder.layer"),
    "roberta": (RobertaForSequenceClassification, RobertaConfig(**SMALL), "roberta.encoder.layer"),
    "deberta": (DebertaV2ForSequenceClassification, DebertaV2Config(**SMALL), "deberta.encoder.layer"),
    "distilbert": (
        DistilBertForSequenceClassification,
        DistilBertConfig(n_layers=4, dim=16, n_heads=2, hidden_dim=24, vocab_size=50),
        "distilbert.transformer.layer",
    ),
    "darija_gpt": (DarijaGPTForSequenceClassification, DarijaGPTConfig(**SMALL), "model.layers"),
}


@pytest.mark.parametrize("name", MODELS)
def test_embeddings_and_the_lowest_layers_are_frozen_and_nothing_else(name):
    model_class, config, layers = MODELS[name]
    model = model_class(config)
    freeze_lower_layers(model, 3)
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    for name, _ in model.named_parameters():
        is_low = name.startswith(tuple(f"{layers}.{index}." for index in range(3)))
        is_embedding = ".embeddings." in name or "embed_tokens" in name
        assert (name in frozen) == (is_low or is_embedding), name


def test_encoder_and_decoder_are_both_frozen_from_below():
    config = T5Config(d_model=16, d_kv=8, d_ff=24, num_layers=3, num_heads=2, vocab_size=50)
    model = T5ForConditionalGeneration(config)
    freeze_lower_layers(model, 2)
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert all(
        name.startswith(("encoder.block.2.", "decoder.block.2.")) or "final_layer_norm" in name for name in trained
    )
    assert {"encoder.final_layer_norm.weight", "decoder.final_layer_norm.weight"} < trained


def test_training_leaves_frozen_weights_as_they_are():
    torch.manual_seed(0)
    model = DarijaGPTForSequenceClassification(DarijaGPTConfig(**SMALL, pad_token_id=0))
    freeze_lower_layers(model, 2)
    freeze_by_pattern(model, [r"layers\.3\.mlp", "norm"])
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.randint(1, 50, (4, 6)), labels=torch.tensor([0, 1, 0, 1])).loss.backward()
    optimizer.step()
    moved = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    assert moved == {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert not any(part in name for name in moved for part in ("embed", "layers.0.", "layers.3.mlp", "norm"))


def test_the_share_is_spelt_for_people():
    assert spell_trainable({"parameters": 8, "trainable_parameters": 2}) == (
        "2 of 8 parameters are trained (25.0000%)"
    )


@pytest.mark.parametrize(
    ("freeze", "words"),
    [
        (lambda model: freeze_lower_layers(model, 5), r"freeze_layers=5 is none of 0 to 4"),
        (lambda model: freeze_lower_layers(model, -1), r"freeze_layers=-1"),
        (lambda model: freeze_by_pattern(model, ["encoder"]), r"'encoder' finds none of the \d+ parameters"),
        (lambda model: freeze_by_pattern(model, ["("]), r"'\(' is no regular expression"),
    ],
)
def test_what_cannot_be_frozen_is_refused(freeze, words):
    with pytest.raises(ValueError, match=words):
        freeze(DarijaGPTForSequenceClassification(DarijaGPTConfig(**SMALL)))


def test_a_model_without_a_stack_of_layers_asks_for_patterns():
    from transformers import AlbertConfig, AlbertForSequenceClassification

    config = AlbertConfig(**SMALL, embedding_size=8)
    with pytest.raises(ValueError, match="give freeze_patterns"):
        freeze_lower_layers(AlbertForSequenceClassification(config), 1)
