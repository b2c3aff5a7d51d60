"""Classifiers: the last token's state against transformers' own head, the mean against each text alone."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForSequenceClassification

from darija_gpt.model import DarijaGPTConfig, DarijaGPTForSequenceClassification


LENGTHS = (3, 9, 6)
PADDING = 3


def build(**fields) -> DarijaGPTForSequenceClassification:
    torch.manual_seed(0)
    sizes = {"vocab_size": 97, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    config = DarijaGPTConfig(**sizes, num_attention_heads=4, initializer_range=0.2, num_labels=3, **fields)
    return DarijaGPTForSequenceClassification(config).eval()


@pytest.fixture
def batch():
    """Texts of different lengths, padded behind, and their attention mask."""
    generator = torch.Generator().manual_seed(1)
    input_ids = torch.full((len(LENGTHS), max(LENGTHS)), PADDING)
    for row, length in enumerate(LENGTHS):
        input_ids[row, :length] = torch.randint(4, 97, (length,), generator=generator)
    return {"input_ids": input_ids, "attention_mask": (input_ids != PADDING).long()}


def test_the_last_tokens_state_is_judged_as_llamas_head_judges_it(batch):
    model = build()
    fields = {**model.config.to_dict(), "model_type": "llama", "rms_norm_eps": 1e-6, "num_labels": 3}
    reference = LlamaForSequenceClassification(LlamaConfig(**fields)).eval()
    reference.load_state_dict(model.state_dict(), strict=True)
    labels = torch.tensor([0, 2, 1])
    ours, expected = model(**batch, labels=labels), reference(**batch, labels=labels)
    torch.testing.assert_close(ours.logits, expected.logits, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.loss, expected.loss)


@torch.no_grad()
def test_the_mean_is_that_of_each_text_alone(batch):
    model = build(classifier_pooling="mean")
    for row, length in enumerate(LENGTHS):
        states = model.model(batch["input_ids"][row : row + 1, :length]).last_hidden_state
        expected = model.score(states.mean(1))[0]
        torch.testing.assert_close(model(**batch).logits[row], expected, atol=1e-6, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_no_text_on_either_side_with_a_mask_or_without(pooling, side, batch):
    model = build(classifier_pooling=pooling)
    expected = model(**batch).logits
    if side == "left":
        batch = {
            name: torch.stack([row.roll(-length) for row, length in zip(rows, LENGTHS, strict=True)])
            for name, rows in batch.items()
        }
        torch.testing.assert_close(model(**batch).logits, expected, atol=1e-5, rtol=0)
    else:
        torch.testing.assert_close(model(batch["input_ids"]).logits, expected, atol=1e-6, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_vectors_are_classified_as_their_tokens(pooling, batch):
    model = build(classifier_pooling=pooling)
    vectors = model.get_input_embeddings()(batch["input_ids"])
    logits = model(inputs_embeds=vectors, attention_mask=batch["attention_mask"]).logits
    torch.testing.assert_close(logits, model(**batch).logits, atol=1e-6, rtol=0)
    alone = model(inputs_embeds=vectors[1:2]).logits  # the longest, without padding
    torch.testing.assert_close(alone, logits[1:2], atol=1e-6, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_an_exported_classifier_takes_batches_of_other_sizes(pooling, batch):
    model = build(classifier_pooling=pooling)
    dims = {0: torch.export.Dim("texts", max=64), 1: torch.export.Dim("length", max=64)}
    shapes = {"input_ids": dims, "attention_mask": dims, "use_cache": None}
    program = torch.export.export(
        model, (), {**batch, "use_cache": False}, dynamic_shapes=shapes, strict=False
    ).module()
    larger = {name: rows.repeat(2, 1)[:, :7] for name, rows in batch.items()}
    torch.testing.assert_close(program(**larger, use_cache=False).logits, model(**larger).logits)


def test_an_unknown_pooling_is_refused():
    with pytest.raises(Exception, match="classifier_pooling"):
        build(classifier_pooling="middle")
