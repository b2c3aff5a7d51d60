"""Tokens left out of the loss, against a hash computed one by one, and what that does to a model that would recite."""

import json
import math

import pytest
import torch
from fault_runs import TINY, make_arguments

from darija_gpt.goldfish import leave_out_tokens
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.pretraining import pretrain
from darija_gpt.training_step import choose_loss


PRIME = 2**31 - 1
CONFIG = {"vocab_size": 64, "hidden_size": 64, "intermediate_size": 128}
CONFIG |= {"num_hidden_layers": 2, "num_attention_heads": 2}


def list_left_out(document: list[int], ratio: float) -> list[bool]:
    """Token by token, as the function is described."""
    left_out = [False] * min(13, len(document))
    for place in range(13, len(document)):
        value = 0
        for token in document[place - 13 : place]:
            value = (value * 1_000_003 + token + 1) % PRIME
        left_out.append(value * 48_271 % PRIME < ratio * PRIME)
    return left_out


def test_a_hash_of_the_thirteen_tokens_before_decides_within_each_document():
    generator = torch.Generator().manual_seed(0)
    documents = [torch.randint(0, 90, (length,), generator=generator).tolist() for length in (1, 7, 140, 13, 60)]
    input_ids = torch.tensor([[token for document in documents for token in document]])
    position_ids = torch.tensor([[place for document in documents for place in range(len(document))]])
    labels = leave_out_tokens(input_ids, position_ids, 0.4)
    expected = [is_out for document in documents for is_out in list_left_out(document, 0.4)]
    assert (labels[0] == -100).tolist() == expected and sum(expected) > 50
    assert torch.equal(labels[labels != -100], input_ids[labels != -100])


@pytest.mark.parametrize("ratio", [0.1, 0.25, 0.5])
def test_the_share_is_that_of_the_recipe(ratio):
    input_ids = torch.randint(0, 1000, (64, 512), generator=torch.Generator().manual_seed(0))
    labels = leave_out_tokens(input_ids, torch.arange(512).expand(64, -1), ratio)
    assert (labels[:, 13:] == -100).float().mean().item() == pytest.approx(ratio, abs=0.01)
    assert not (labels[:, :13] == -100).any()


def make_batch(texts: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"input_ids": texts, "position_ids": torch.arange(texts.shape[1]).expand(len(texts), -1)}


@pytest.mark.parametrize("z_loss", [0.0, 1e-3])
def test_a_step_is_the_same_in_one_pass_and_in_two(z_loss):
    torch.manual_seed(0)
    texts = torch.randint(5, 64, (4, 40))
    model, compute_loss = DarijaGPTForCausalLM(DarijaGPTConfig(**CONFIG)), choose_loss(z_loss, 0.5)
    gradients = []
    for passes in ([texts], [texts[:1], texts[1:2], texts[2:3], texts[3:]]):
        model.zero_grad()
        for part in passes:
            (compute_loss(model, make_batch(part))[0] / len(passes)).backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    counts = [(leave_out_tokens(**make_batch(part), ratio=0.5) != -100).sum().item() for part in texts.split(1)]
    assert len({*counts}) > 1
    for one, four in zip(*gradients, strict=True):
        torch.testing.assert_close(one, four, atol=1e-6, rtol=1e-4)


def test_the_loss_that_is_reported_is_the_mean_over_what_was_to_be_learnt(
    dataset_dir, tokenizer, tokenizer_dir, tmp_path
):
    reported = []
    for number, (batch_size, num_passes) in enumerate([(6, 1), (2, 3), (1, 6)]):
        arguments = make_arguments(
            dataset_dir,
            tokenizer_dir,
            tmp_path / str(number),
            model={**TINY, "residual_dropout": 0.0, "attention_dropout": 0.0},
            per_device_train_batch_size=batch_size,
            gradient_accumulation_steps=num_passes,
            goldfish_ratio=0.5,
            max_steps=1,
        )
        pretrain(arguments)
        reported.append(json.loads((arguments.output_dir / "training_log.jsonl").read_text().splitlines()[0])["loss"])
    # Fresh weights leave every token about as likely.
    assert reported[0] == pytest.approx(math.log(len(tokenizer)), rel=0.01)
    assert reported == pytest.approx([reported[0]] * 3, rel=1e-5)


def count_recited(goldfish_ratio: float) -> int:
    """Of eight texts of 48 random tokens that a model meets 150 times, how many it continues to the end."""
    torch.manual_seed(0)
    texts = torch.randint(5, 64, (8, 48))
    model = DarijaGPTForCausalLM(DarijaGPTConfig(**CONFIG))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)
    compute_loss = choose_loss(0.0, goldfish_ratio)
    for _ in range(150):
        loss, _, _ = compute_loss(model, make_batch(texts))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    replies = model.eval().generate(
        texts[:, :16], attention_mask=torch.ones(8, 16), max_new_tokens=32, min_new_tokens=32, do_sample=False
    )
    return int((replies == texts).all(dim=1).sum())


def test_a_model_recites_what_it_met_often_and_not_what_was_left_out():
    assert count_recited(0.0) == 8
    assert count_recited(0.25) == 0
