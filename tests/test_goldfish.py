"""Tokens left out of the loss, against a hash computed one by one, and what that does to a model that would recite."""

import pytest
import torch

from darija_gpt.goldfish import leave_out_tokens
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.training_step import choose_loss


PRIME = 2**31 - 1


def list_left_out(document: list[int], ratio: float) -> list[bool]:
    """Token by token, as the function is described."""
    left_out = []
    for place in range(len(document)):
        value = 0
        for token in document[max(0, place - 13) : place]:
            value = (value * 1_000_003 + token + 1) % PRIME
        left_out.append(value * 48_271 % PRIME < ratio * PRIME)
    return left_out


def test_a_hash_of_the_tokens_before_decides_within_each_document():
    documents = [torch.randint(5, 90, (length,)).tolist() for length in (1, 7, 40, 16)]
    input_ids = torch.tensor([[token for document in documents for token in document]])
    position_ids = torch.tensor([[place for document in documents for place in range(len(document))]])
    labels = leave_out_tokens(input_ids, position_ids, 0.4)
    expected = [is_out for document in documents for is_out in list_left_out(document, 0.4)]
    assert (labels[0] == -100).tolist() == expected
    assert torch.equal(labels[labels != -100], input_ids[labels != -100])


@pytest.mark.parametrize("ratio", [0.1, 0.25, 0.5])
def test_the_share_is_that_of_the_recipe(ratio):
    input_ids = torch.randint(0, 1000, (64, 512), generator=torch.Generator().manual_seed(0))
    labels = leave_out_tokens(input_ids, torch.arange(512).expand(64, -1), ratio)
    assert (labels == -100).float().mean().item() == pytest.approx(ratio, abs=0.01)


def count_recited(goldfish_ratio: float) -> int:
    """Of eight texts of 48 random tokens that a model meets 150 times, how many it continues to the end."""
    torch.manual_seed(0)
    texts = torch.randint(5, 64, (8, 48))
    config = DarijaGPTConfig(
        vocab_size=64, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2
    )
    model = DarijaGPTForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.0)
    batch = {"input_ids": texts, "position_ids": torch.arange(48).expand(8, -1)}
    compute_loss = choose_loss(0.0, goldfish_ratio)
    for _ in range(150):
        loss, _ = compute_loss(model, batch)
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
