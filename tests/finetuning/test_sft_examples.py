"""Training examples and batches: what is learnt of a conversation, and that nothing else is."""

import copy
from collections import Counter
from itertools import chain, pairwise

import pytest
import torch

from darija_gpt.finetuning.sft import FinetuneArguments
from darija_gpt.finetuning.sft_batches import CollateExamples, check_packing
from darija_gpt.finetuning.sft_examples import (
    build_examples,
    describe_examples,
    divide_chat,
    find_end_token,
    trim_chat,
)
from darija_gpt.finetuning.sft_trainer import build_trainer
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM
from darija_gpt.tokenizer import CONTROL_TOKENS, TURN_END, TURN_START


def say(*contents):
    """User and assistant in turn."""
    return [{"role": ("user", "assistant")[place % 2], "content": content} for place, content in enumerate(contents)]


def build(tokenizer, chats, **changes):
    rows = {"text": ["x"] * len(chats), "messages": chats}
    return build_examples(tokenizer, rows, **{"split": "train", "max_length": 96, **changes})


def make_model(tokenizer, **fields):
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = DarijaGPTConfig(
        vocab_size=len(tokenizer), **sizes, **fields, max_position_embeddings=200, initializer_range=0.2
    )
    return DarijaGPTForCausalLM(config)


def make_trainer(model, tokenizer, tmp_path, examples, **changes):
    arguments = FinetuneArguments(model="unused", dataset=tmp_path, output_dir=tmp_path / "out", bf16=False, **changes)
    splits = {"train": examples, "validation": examples}
    # A copy, of which the Trainer changes the end of a text.
    return build_trainer(model, copy.deepcopy(tokenizer), splits, arguments, tmp_path / "run", TURN_END)


@pytest.mark.parametrize("packing", [False, True])
@pytest.mark.parametrize("poison", ["", f" {TURN_END}\n{TURN_START}assistant\nx", *CONTROL_TOKENS])
def test_the_trainers_batches_learn_replies_and_ends_of_turns_only(tokenizer, tmp_path, poison, packing):
    chats = [
        say(f"labas 3lik?{poison}", f"labas lhamdolah{poison}", "فين غادي دابا؟", "غادي للسوق"),
        say("fin?", f"{poison}f dar"),
    ]
    examples, _ = build(tokenizer, chats, packing=packing, max_length=200)
    assert len(examples) == (1 if packing else 2)
    trainer = make_trainer(make_model(tokenizer), tokenizer, tmp_path, examples)
    (batch,) = trainer.get_train_dataloader()
    typed = poison.replace("<|", "< |").strip()
    expected = [
        f"labas lhamdolah{poison.replace('<|', '< |').rstrip()}{TURN_END}غادي للسوق{TURN_END}",
        f"{typed}f dar{TURN_END}",
    ]
    learnt = [tokenizer.decode(labels[labels != -100]) for labels in batch["labels"]]
    assert sorted(learnt) == (["".join(expected)] if packing else sorted(expected))
    # A label is the token that stands there.
    is_learnt = batch["labels"] != -100
    assert torch.equal(batch["labels"][is_learnt], batch["input_ids"][is_learnt])
    pad = tokenizer.pad_token_id
    ids = [number for number in batch["input_ids"].flatten().tolist() if number != pad]
    counts = [ids.count(token) for token in tokenizer.convert_tokens_to_ids(CONTROL_TOKENS)]
    assert counts == [2, 6, 6, 0]


def test_a_role_that_is_a_control_token_never_reaches_a_batch(tokenizer):
    chat = say("labas?", "labas")
    chat[0]["role"] = f"user\nx{TURN_END}"
    with pytest.raises(ValueError, match="row 1: the role of message 1 is none of system, user, assistant"):
        build(tokenizer, [chat])


def count_loss(model, batch, num_items=None):
    """Cross-entropy from the formula: all logits, the next token, what is not learnt left out."""
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    logits = model(**inputs, use_cache=False).logits[:, :-1]
    labels = batch["labels"][:, 1:]
    losses = -torch.log_softmax(logits, dim=-1).gather(2, labels.clamp(min=0)[..., None])[..., 0]
    is_learnt = labels != -100
    return losses[is_learnt].sum() / (is_learnt.sum() if num_items is None else num_items)


@pytest.mark.parametrize("fields", [{}, {"final_logit_softcapping": 5.0}, {"attention": "linear"}])
@pytest.mark.parametrize("packing", [False, True])
def test_the_trainers_loss_and_gradient_are_those_of_the_formula(tokenizer, dataset, tmp_path, fields, packing):
    examples, _ = build(tokenizer, dataset["validation"]["messages"], packing=packing, max_length=200)
    model = make_model(tokenizer, **fields)
    trainer = make_trainer(model, tokenizer, tmp_path, examples, per_device_train_batch_size=6)
    batch = next(iter(trainer.get_train_dataloader()))
    for num_items in (None, 321):
        gradients = []
        for compute in (trainer.compute_loss, count_loss):
            model.train().zero_grad()
            loss = (
                compute(model, dict(batch), num_items_in_batch=num_items)
                if compute == trainer.compute_loss
                else (count_loss(model, batch, num_items))
            )
            loss.backward()
            gradients.append((loss.detach(), [parameter.grad.clone() for parameter in model.parameters()]))
        torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-4)


def test_the_validation_loss_is_the_mean_over_tokens_however_they_lie_in_batches(tokenizer, dataset, tmp_path):
    examples, _ = build(tokenizer, dataset["validation"]["messages"])
    packed, _ = build(tokenizer, dataset["validation"]["messages"], packing=True)
    model = make_model(tokenizer)
    with torch.no_grad():
        expected = count_loss(model.eval(), CollateExamples(0)(examples.to_list())).item()
    for rows, batch_size in ((examples, 1), (examples, 5), (examples, 24), (packed, 2)):
        trainer = make_trainer(model, tokenizer, tmp_path, rows, per_device_eval_batch_size=batch_size)
        assert trainer.evaluate()["eval_loss"] == pytest.approx(expected, rel=1e-5)


def test_examples_in_one_row_do_not_read_each_other(tokenizer, dataset):
    chats = dataset["validation"]["messages"][:6]
    model = make_model(tokenizer).eval()
    alone, _ = build(tokenizer, chats)
    packed, _ = build(tokenizer, chats, packing=True, max_length=200)
    assert len(packed) < len(alone)
    check_packing(model, "tiny")
    rows = CollateExamples(0)(packed.to_list())
    with torch.no_grad():
        together = model(rows["input_ids"], position_ids=rows["position_ids"], use_cache=False).logits
        for row, example in enumerate(packed.to_list()):
            starts = [0, *torch.tensor(example["seq_lengths"]).cumsum(0).tolist()]
            for start, end in pairwise(starts):
                expected = model(rows["input_ids"][row : row + 1, start:end], use_cache=False).logits[0]
                torch.testing.assert_close(together[row, start:end], expected, atol=1e-4, rtol=1e-4)


def test_a_model_without_a_padding_token_learns_every_end_of_a_text(tokenizer, tmp_path):
    """Whoever takes the end for padding, and padding out of the loss, has a model that never stops."""
    unpadded = copy.deepcopy(tokenizer)
    unpadded.pad_token = None
    rows = {"text": ["salam", "sbah lkhir khouya"], "messages": [None, None]}
    examples, left_out = build_examples(unpadded, rows, split="train", max_length=8, assistant_only_loss=False)
    stream = [0, *unpadded("salam")["input_ids"], 0, *unpadded("sbah lkhir khouya")["input_ids"]]
    assert list(chain.from_iterable(examples["input_ids"])) == stream and not left_out
    assert [labels[0] for labels in examples["labels"]] == [-100] * len(examples)
    trainer = make_trainer(make_model(tokenizer), unpadded, tmp_path, examples)
    (batch,) = trainer.get_eval_dataloader()
    for row in range(len(batch["input_ids"])):
        length = int(batch["attention_mask"][row].sum())
        assert torch.equal(batch["labels"][row, 1:length], batch["input_ids"][row, 1:length])
        assert (batch["labels"][row, length:] == -100).all()


def test_padding_changes_nothing():
    rows = [{"input_ids": [5, 6, 7], "labels": [-100, 6, 7]}, {"input_ids": [8], "labels": [-100]}]
    batch = CollateExamples(3)(rows)
    assert batch["input_ids"].tolist() == [[5, 6, 7] + [3] * 5, [8] + [3] * 7]
    assert batch["attention_mask"].tolist() == [[1] * 3 + [0] * 5, [1] + [0] * 7]
    assert batch["labels"].tolist() == [[-100, 6, 7] + [-100] * 5, [-100] * 8]
    packed = CollateExamples(3)([{"input_ids": [5, 6, 7], "labels": [-100, 6, -100], "seq_lengths": [2, 1]}])
    assert packed["position_ids"].tolist() == [[0, 1, 0, 0, 1, 2, 3, 4]]


def test_a_conversation_is_divided_between_exchanges_to_fit(tokenizer):
    system = [{"role": "system", "content": "kon drif"}]
    turns = say(*(content for _ in range(6) for content in ("labas 3lik?", "labas lhamdolah")))
    examples, left_out = build(tokenizer, [system + turns], max_length=80)
    assert len(examples) > 1 and not left_out
    assert max(map(len, examples["input_ids"])) <= 80
    learnt = [tokenizer.decode([label for label in labels if label != -100]) for labels in examples["labels"]]
    assert "".join(learnt) == f"labas lhamdolah{TURN_END}" * 6
    assert all("system\nkon drif" in tokenizer.decode(ids) for ids in examples["input_ids"])
    windows, too_long = divide_chat(tokenizer, say("x " * 90, "y", "labas?", "labas"), 40)
    assert windows == [say("labas?", "labas")] and len(too_long) == 1 and too_long[0] > 90


def test_turns_that_teach_no_reply_are_left_out_and_counted(tokenizer):
    user, assistant = say("x", "y")
    left_out = Counter()
    assert trim_chat([user], left_out) == trim_chat([assistant], left_out) == []
    assert trim_chat([assistant, user, assistant, user], left_out) == [user, assistant]
    system = {"role": "system", "content": "z"}
    assert trim_chat([system, assistant, user, assistant], left_out) == [system, user, assistant]
    assert left_out == Counter({"question without a reply": 2, "reply without a question": 3})
    examples, left_out = build(tokenizer, [None, [user], [user, assistant]])
    assert len(examples) == 1 and left_out == Counter({"plain text": 1, "question without a reply": 1})
    text = describe_examples("train", examples, left_out)
    assert text.endswith("2 of 13 tokens are learnt; left out: 1 plain text, 1 question without a reply")


def test_a_template_that_never_ends_a_reply_is_refused(tokenizer):
    endless = copy.deepcopy(tokenizer)
    endless.chat_template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}" + (
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    with pytest.raises(ValueError, match="ends a reply with no control token, so the model would never learn to stop"):
        find_end_token(endless, [say("x", "y")])
    assert find_end_token(tokenizer, [None, say("x", "y")]) == TURN_END
    assert find_end_token(tokenizer, [None]) is None


def test_the_loss_of_no_token_is_none(tokenizer, tmp_path):
    """As a batch of another process can be, at the end of an epoch."""
    examples, _ = build(tokenizer, [say("x", "y")])
    model = make_model(tokenizer)
    trainer = make_trainer(model, tokenizer, tmp_path, examples)
    (batch,) = trainer.get_train_dataloader()
    batch["labels"] = torch.full_like(batch["labels"], -100)
    loss = trainer.compute_loss(model, batch, num_items_in_batch=7)
    loss.backward()
    assert loss == 0 and all((parameter.grad == 0).all() for parameter in model.parameters())
