"""The neural language model of Bengio et al. 2003, against the paper's formula, and as a model of the pipeline."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from huggingface_hub.errors import StrictDataclassError
from transformers import AutoModelForCausalLM

from darija_gpt.evaluation.bits_per_byte import measure_bits_per_byte
from darija_gpt.flops import count_flops_per_token
from darija_gpt.loading import load_model
from darija_gpt.neural_lm import NeuralLMConfig, NeuralLMForCausalLM
from darija_gpt.optimization import build_muon
from darija_gpt.pretraining import PretrainArguments, build_config, pretrain


SIZES = {"vocab_size": 50, "hidden_size": 6, "intermediate_size": 10, "num_context_tokens": 4}
TOKENS = [7, 3, 9, 9, 21, 40, 2, 5, 33, 8]


def build(**fields) -> NeuralLMForCausalLM:
    torch.manual_seed(0)
    model = NeuralLMForCausalLM(NeuralLMConfig(**{**SIZES, **fields})).eval()
    for parameter in model.parameters():  # biases too, which begin at zero
        torch.nn.init.normal_(parameter, std=0.5)
    return model


def predict(model: NeuralLMForCausalLM, before: list[int]) -> np.ndarray:
    """The paper's equation (1) for the word after these: y = b + W x + U tanh(d + H x)."""
    weights = {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}
    vectors = [weights["embed_tokens.weight"][token] for token in reversed(before[-4:])]
    x = np.concatenate([*vectors, *[np.zeros(6)] * (4 - len(vectors))])
    y = weights["lm_head.bias"] + weights["lm_head.weight"] @ np.tanh(
        weights["hidden.bias"] + weights["hidden.weight"] @ x
    )
    return y + weights["connect.proj.weight"] @ x if "connect.proj.weight" in weights else y


@torch.no_grad()
@pytest.mark.parametrize("direct_connections", [False, True])
def test_the_logits_are_those_of_the_papers_formula(direct_connections):
    model = build(direct_connections=direct_connections)
    logits = model(torch.tensor([TOKENS])).logits[0].numpy()
    for place in range(len(TOKENS)):
        np.testing.assert_allclose(logits[place], predict(model, TOKENS[: place + 1]), atol=1e-5)


@torch.no_grad()
def test_changing_a_token_changes_the_window_behind_it_and_no_other_logits():
    model = build()
    changed = [*TOKENS]
    changed[3] = 11
    one, other = (model(torch.tensor([tokens])).logits[0] for tokens in (TOKENS, changed))
    differs = [place for place in range(len(TOKENS)) if not torch.equal(one[place], other[place])]
    assert differs == [3, 4, 5, 6]


@torch.no_grad()
def test_documents_packed_into_a_row_do_not_see_each_other():
    model = build()
    packed = model(torch.tensor([TOKENS]), position_ids=torch.tensor([[0, 1, 0, 1, 2, 3, 4, 5, 0, 1]])).logits[0]
    apart = [model(torch.tensor([TOKENS[part]])).logits[0] for part in (slice(2), slice(2, 8), slice(8, None))]
    torch.testing.assert_close(packed, torch.cat(apart))


def test_the_loss_is_the_mean_over_all_tokens_but_the_first():
    model = build()
    outputs = model(torch.tensor([TOKENS]), labels=torch.tensor([TOKENS]))
    expected = torch.log_softmax(outputs.logits[0, :-1], dim=-1)[range(9), TOKENS[1:]]
    assert outputs.loss.item() == pytest.approx(-expected.mean().item(), rel=1e-5)


def test_fresh_weights_leave_every_token_about_as_likely_and_the_hidden_layer_alive():
    torch.manual_seed(0)
    model = NeuralLMForCausalLM(NeuralLMConfig(vocab_size=500))
    tokens = torch.randint(0, 500, (4, 64))
    assert model(tokens, labels=tokens).loss.item() == pytest.approx(math.log(500), rel=0.05)
    hidden = model.hidden(model._gather_contexts(model.embed_tokens(tokens), torch.arange(64).unsqueeze(0)))
    assert 0.5 < hidden[:, 10:].std().item() < 1.5


@pytest.mark.parametrize("use_cache", [True, False])
def test_it_generates_what_it_finds_likeliest_with_texts_padded_on_the_left(use_cache):
    model = build()
    prompts = torch.tensor([TOKENS[:6], [3, 3, 3, *TOKENS[:3]]])
    mask = torch.tensor([[1] * 6, [0, 0, 0, 1, 1, 1]])
    generated = model.generate(
        prompts, attention_mask=mask, max_new_tokens=7, min_new_tokens=7, do_sample=False, use_cache=use_cache
    )
    for row, start in ((0, 0), (1, 3)):
        tokens = prompts[row, start:].tolist()
        for _ in range(7):
            logits = predict(model, tokens)
            logits[model.config.eos_token_id] = -np.inf  # as min_new_tokens has it
            tokens.append(int(logits.argmax()))
        assert generated[row, start:].tolist() == tokens


def test_its_flops_are_those_of_its_matrices():
    model = build()
    assert count_flops_per_token(model, 128) == 6 * (4 * 6 * 10 + 10 * 50)


def test_muon_trains_the_hidden_layer_alone():
    model = build(direct_connections=True)
    rates = {"learning_rate": 1e-3, "muon_learning_rate": 0.02, "weight_decay": 0.0, "muon_weight_decay": 0.0}
    muon, _ = build_muon(model, **rates, muon_momentum=0.9, betas=(0.9, 0.95))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert [names[id(parameter)] for parameter in muon.param_groups[0]["params"]] == ["hidden.weight"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"num_context_tokens": 0}, "num_context_tokens=0 must be at least 1"),
        ({"tie_word_embeddings": True}, "tie_word_embeddings must be false"),
        ({"num_hidden_layers": 2}, "unknown key num_hidden_layers"),
    ],
)
def test_what_cannot_be_built_is_refused(fields, words, tokenizer):
    with pytest.raises(ValueError, match=words):
        build_config(fields, tokenizer, "neural_lm")


def test_a_field_that_is_changed_in_loading_is_checked_as_one_that_was_saved(tmp_path):
    NeuralLMConfig().save_pretrained(tmp_path)
    assert NeuralLMConfig.from_pretrained(tmp_path, hidden_size=32).hidden_size == 32
    with pytest.raises(StrictDataclassError, match="num_context_tokens=0 must be at least 1"):
        NeuralLMConfig.from_pretrained(tmp_path, num_context_tokens=0)


@torch.no_grad()
@pytest.mark.parametrize("direct_connections", [False, True])
def test_a_larger_vocabulary_keeps_the_old_logits(direct_connections):
    model, ids = build(direct_connections=direct_connections), torch.tensor([TOKENS])
    before = model(ids).logits
    model.resize_token_embeddings(60)
    after = model(ids).logits
    assert after.shape[-1] == 60
    torch.testing.assert_close(after[..., :50], before)


def test_what_no_window_is_made_of_is_refused():
    with pytest.raises(ValueError, match="input_ids is missing"):
        build()(inputs_embeds=torch.zeros(1, 3, 6))
    with pytest.raises(StrictDataclassError, match="pad_token_id=50 is no token of vocab_size=50"):
        NeuralLMConfig(**SIZES, pad_token_id=50)


def test_layers_that_are_not_there_are_not_compiled():
    with pytest.raises(ValueError, match="architecture=neural_lm has none"):
        PretrainArguments(dataset="d", tokenizer="t", output_dir="o", architecture="neural_lm", torch_compile=True)


def test_it_is_pretrained_evaluated_and_loaded_elsewhere(dataset_dir, dataset, tokenizer_dir, tmp_path):
    arguments = PretrainArguments(
        dataset=dataset_dir,
        tokenizer=tokenizer_dir,
        output_dir=tmp_path / "base",
        architecture="neural_lm",
        model={"hidden_size": 16, "intermediate_size": 64, "num_context_tokens": 6, "max_position_embeddings": 64},
        per_device_train_batch_size=4,
        max_steps=60,
        learning_rate=1e-2,
        sample_prompts=["labas 3lik?"],
        mixed_precision="no",
    )
    pretrain(arguments)
    summary = json.loads((arguments.output_dir / "training_summary.json").read_text())
    assert summary["validation_loss"] < math.log(400) - 2
    model, tokenizer = load_model(arguments.output_dir)
    assert isinstance(model, NeuralLMForCausalLM)
    rows = dataset["test"].to_list()
    assert measure_bits_per_byte(model, tokenizer, rows)["all"]["bits_per_byte"] < 4
    elsewhere = (
        "import sys, torch; from transformers import AutoModelForCausalLM as M; "
        f"m = M.from_pretrained({str(arguments.output_dir)!r}, trust_remote_code=True); "
        "print(m(torch.tensor([[7, 8, 9]])).logits.sum().item(), 'darija_gpt' in sys.modules)"
    )
    process = subprocess.run([sys.executable, "-I", "-c", elsewhere], capture_output=True, text=True, check=True)
    total, knows_us = process.stdout.split()
    assert float(total) == pytest.approx(model(torch.tensor([[7, 8, 9]])).logits.sum().item(), rel=1e-4)
    assert knows_us == "False"
    assert isinstance(AutoModelForCausalLM.from_pretrained(arguments.output_dir), NeuralLMForCausalLM)
