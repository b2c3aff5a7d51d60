"""A model that has learnt its rows by heart, and a random one, on data with canaries."""

import copy
import random

import pytest
import torch

from darija_gpt.data.canaries import plant_canaries
from darija_gpt.data.rows import Row


VOCABULARY = "souk dar khedma tomobil atay khobz lhout zitoun beldi medina 7ouma zenqa qraya imtihan kora matar "
WORDS = VOCABULARY.split()


def make_row(number: int, draw: random.Random) -> Row:
    question, answer = (" ".join(draw.choices(WORDS, k=6)) for _ in range(2))
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return Row(f"{question}\n{answer}", messages, "invented", str(number), 2, 2)


@pytest.fixture(scope="package")
def planted():
    """Training rows with canaries, held-out rows, and what was planted."""
    draw = random.Random(0)
    rows = [make_row(number, draw) for number in range(120)]
    train, canary_set = plant_canaries(rows[:60], 2, seed=0)
    as_dicts = [[{"text": row.text, "messages": row.messages} for row in some] for some in (train, rows[60:])]
    return *as_dicts, canary_set


@pytest.fixture(scope="package")
def parrot_tokenizer(planted):
    from darija_gpt.tokenizer import train_tokenizer

    return train_tokenizer([row["text"] for rows in planted[:2] for row in rows], vocab_size=420)


@pytest.fixture(scope="package")
def novice(parrot_tokenizer):
    """A random model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(parrot_tokenizer),
        hidden_size=80,
        intermediate_size=160,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=128,
        bos_token_id=parrot_tokenizer.bos_token_id,
        eos_token_id=parrot_tokenizer.eos_token_id,
        pad_token_id=parrot_tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="package")
def parrot(novice, planted, parrot_tokenizer):
    """The same, trained on the training rows until it knows them by heart."""
    from torch.nn.utils.rnn import pad_sequence

    from darija_gpt.evaluation.bits_per_byte import encode_document

    documents = [torch.tensor(encode_document(parrot_tokenizer, row)[0]) for row in planted[0]]
    ids = pad_sequence(documents, batch_first=True, padding_value=parrot_tokenizer.pad_token_id)
    labels = ids.masked_fill(ids == parrot_tokenizer.pad_token_id, -100)
    model = copy.deepcopy(novice).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for step in range(160):
        if step == 120:
            optimizer.param_groups[0]["lr"] = 1e-3
        loss = model(input_ids=ids, labels=labels, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval()
