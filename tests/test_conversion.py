"""Conversion against the classes of transformers: the same logits both ways, or a refusal that names the field."""

import json
import subprocess
import sys
import time
import urllib.request
from dataclasses import fields as dataclass_fields

import pytest
import torch
from safetensors.torch import save_file
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from darija_gpt.conversion import ConvertArguments, convert, export_model, import_model, measure_difference
from darija_gpt.formats import FORMATS
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM


SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 96}
LLAMA_SIZES = {**SIZES, "intermediate_size": 48, "num_key_value_heads": 2, "initializer_range": 0.2}
GPT2_FIELDS = {
    "position_embedding": "learned",
    "norm": "layernorm",
    "hidden_act": "gelu_new",
    "gated_mlp": False,
    "attention_bias": True,
    "mlp_bias": True,
}
# Their configurations, in their own words.
SOURCES = {
    "llama": (LlamaForCausalLM, LlamaConfig(**LLAMA_SIZES, vocab_size=97, bos_token_id=0, eos_token_id=0)),
    "llama_3": (
        LlamaForCausalLM,
        LlamaConfig(
            **LLAMA_SIZES,
            vocab_size=97,
            head_dim=16,
            tie_word_embeddings=True,
            attention_bias=True,
            mlp_bias=True,
            rms_norm_eps=1e-5,
            eos_token_id=[0, 1],
            rope_parameters={
                "rope_type": "llama3",
                "rope_theta": 5e5,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 32,
            },
        ),
    ),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**LLAMA_SIZES, vocab_size=97, head_dim=16)),
    "gpt2": (
        GPT2LMHeadModel,
        GPT2Config(**SIZES, vocab_size=97, initializer_range=0.2, bos_token_id=0, eos_token_id=0),
    ),
    "gpt2_wide": (
        GPT2LMHeadModel,
        GPT2Config(
            **SIZES, vocab_size=97, n_inner=40, activation_function="relu", tie_word_embeddings=False,
            bos_token_id=0, eos_token_id=0, initializer_range=0.2, layer_norm_epsilon=1e-3,
        ),
    ),
}  # fmt: skip


def draw(model):
    """The model with norms and biases drawn at random too, so that none can be swapped unnoticed."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    return model.eval()


@pytest.mark.parametrize("name", SOURCES)
def test_a_model_keeps_its_logits_there_and_back(name):
    model_class, config = SOURCES[name]
    torch.manual_seed(0)
    source = draw(model_class(config))
    ours = import_model(source)
    back = export_model(ours, config.model_type)
    assert isinstance(ours, DarijaGPTForCausalLM) and isinstance(back, model_class)
    assert measure_difference(source, ours) <= 1e-6
    assert measure_difference(source, back) <= 1e-6
    for weight, again in zip(source.state_dict().values(), back.state_dict().values(), strict=True):
        assert torch.equal(weight, again)
    ignored = {"architectures", "_name_or_path", "summary_activation", "dtype"}
    before, after = source.config.to_dict(), back.config.to_dict()
    # GPT-2 writes 4 * hidden_size as null.
    before["n_inner"] = before.get("n_inner") or 4 * source.config.hidden_size
    after.setdefault("n_inner", before["n_inner"])
    assert {key: value for key, value in before.items() if after[key] != value and key not in ignored} == {}


@pytest.mark.parametrize(
    ("to", "fields"),
    [
        ("llama", {}),
        ("llama", {"attention": ["full", "full"], "residual_dropout": 0.1, "tie_word_embeddings": False}),
        ("qwen3", {"qk_norm": True}),
        ("gpt2", GPT2_FIELDS),
        ("gpt2", {**GPT2_FIELDS, "tie_word_embeddings": False, "hidden_act": "gelu"}),
    ],
)
def test_a_darija_gpt_keeps_its_logits(to, fields):
    torch.manual_seed(0)
    heads = {"num_key_value_heads": None} if to == "gpt2" else {}
    ours = draw(DarijaGPTForCausalLM(DarijaGPTConfig(**{**LLAMA_SIZES, **heads, **fields})))
    exported = export_model(ours, to)
    assert isinstance(exported, FORMATS[to].model_class)
    assert measure_difference(ours, exported) <= 1e-6
    assert measure_difference(ours, import_model(exported)) <= 1e-6


@pytest.mark.parametrize(
    ("to", "fields", "word"),
    [
        ("llama", {"position_embedding": "alibi"}, "position_embedding=alibi"),
        ("llama", {"attention": "sliding"}, "attention=sliding"),
        ("llama", {"attention": ["full", "linear"]}, "attention="),
        ("llama", {"norm": "layernorm"}, "norm=layernorm"),
        ("llama", {"norm_position": "sandwich"}, "norm_position=sandwich"),
        ("llama", {"qk_norm": True}, "qk_norm=True"),
        ("llama", {"gated_mlp": False}, "gated_mlp=False"),
        ("llama", {"input_skip": True}, "input_skip=True"),
        ("llama", {"value_embeddings": True}, "value_embeddings=True"),
        ("llama", {"final_logit_softcapping": 15.0}, "final_logit_softcapping=15.0"),
        (
            "llama",
            {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}},
            "partial_rotary_factor=0.5",
        ),
        ("qwen3", {}, "qk_norm=False"),
        ("qwen3", {"qk_norm": True, "mlp_bias": True}, "mlp_bias=True"),
        ("gpt2", {}, "position_embedding=rope"),
        ("gpt2", {**GPT2_FIELDS, "attention_bias": False}, "attention_bias=False"),
        ("gpt2", {**GPT2_FIELDS, "num_key_value_heads": 2}, "num_key_value_heads=2"),
        ("gpt2", {**GPT2_FIELDS, "head_dim": 16}, "head_dim=16"),
    ],
)
def test_a_field_without_a_counterpart_is_named(to, fields, word):
    model = DarijaGPTForCausalLM(DarijaGPTConfig(**{**LLAMA_SIZES, "num_key_value_heads": None, **fields}))
    with pytest.raises(ValueError, match=word) as error:
        export_model(model, to)
    assert FORMATS[to].model_class.__name__ in str(error.value) or "Llama" in str(error.value)


@pytest.mark.parametrize(
    ("model_class", "config", "word"),
    [
        (
            GPT2LMHeadModel,
            GPT2Config(**SIZES, scale_attn_by_inverse_layer_idx=True),
            "scale_attn_by_inverse_layer_idx",
        ),
        (GPT2LMHeadModel, GPT2Config(**SIZES, activation_function="tanh"), "hidden_act"),
        (
            Qwen3ForCausalLM,
            Qwen3Config(**LLAMA_SIZES, use_sliding_window=True, sliding_window=8, max_window_layers=1),
            "use_sliding_window",
        ),
    ],
)
def test_what_darija_gpt_has_not_is_named(model_class, config, word):
    with pytest.raises(ValueError, match=word):
        import_model(model_class(config))


def test_another_class_is_refused_by_name():
    from transformers import MistralConfig, MistralForCausalLM

    with pytest.raises(ValueError, match=r"MistralForCausalLM.*LlamaForCausalLM"):
        import_model(MistralForCausalLM(MistralConfig(**LLAMA_SIZES)))


def test_every_field_is_decided_for_every_format():
    """A new field of the configuration must be named, fixed, or known to say nothing where the fixed ones stand."""
    of_other_values = {
        "relative_attention_num_buckets", "relative_attention_max_distance", "sliding_window", "q_lora_rank",
        "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim", "block_size", "num_global_blocks",
        "num_random_blocks", "allow_future_statistics",
    }  # fmt: skip
    of_training = {"embedding_dropout", "residual_dropout", "residual_init"}
    of_classifiers = {"classifier_pooling"}  # which are not converted
    checked_apart = {"rope_parameters", "num_key_value_heads", "head_dim"}
    inherited = {field.name for field in dataclass_fields(DarijaGPTConfig.__mro__[1])}
    ours = {field.name for field in dataclass_fields(DarijaGPTConfig)} - inherited
    for form in FORMATS.values():
        assert ours - {*form.names, *form.fixed} <= of_other_values | of_training | of_classifiers | checked_apart


@pytest.fixture(scope="module")
def darija_dir(tokenizer, tmp_path_factory):
    directory = tmp_path_factory.mktemp("darija")
    torch.manual_seed(0)
    model = DarijaGPTForCausalLM(
        DarijaGPTConfig(**LLAMA_SIZES, vocab_size=len(tokenizer), residual_dropout=0.1, eos_token_id=[2, 0])
    )
    model.generation_config.eos_token_id = [2, 0]
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def test_the_stage_writes_a_model_with_its_tokenizer(darija_dir, tokenizer, tmp_path, capsys):
    convert(ConvertArguments(model=str(darija_dir), output_dir=tmp_path / "llama", to="llama"))
    printed = capsys.readouterr().out
    assert "residual_dropout=0.1" in printed and "largest difference of logits: 0.0" in printed
    llama = AutoModelForCausalLM.from_pretrained(tmp_path / "llama")
    assert type(llama) is LlamaForCausalLM and llama.generation_config.eos_token_id == [2, 0]
    loaded = AutoTokenizer.from_pretrained(tmp_path / "llama")
    text = "salam, labas 3lik? واخا 😊 <|im_end|>"
    assert loaded(text).input_ids == tokenizer(text).input_ids
    assert loaded.chat_template == tokenizer.chat_template and loaded.pad_token == tokenizer.pad_token
    convert(ConvertArguments(model=str(tmp_path / "llama"), output_dir=tmp_path / "back"))
    original, back = (DarijaGPTForCausalLM.from_pretrained(path) for path in (darija_dir, tmp_path / "back"))
    assert measure_difference(original, back) == 0.0
    assert (tmp_path / "back" / "modeling_darija_gpt.py").is_file()


def test_gpt_2_as_it_lies_on_the_hub_is_converted(tokenizer, tmp_path):
    """OpenAI's file: the decoder without its prefix and head, with the causal mask among the weights."""
    source = draw(GPT2LMHeadModel(GPT2Config(**SIZES, vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=0)))
    source.save_pretrained(tmp_path / "gpt2")
    tokenizer.save_pretrained(tmp_path / "gpt2")
    state = {name.removeprefix("transformer."): weight for name, weight in source.transformer.state_dict().items()}
    state |= {f"h.{layer}.attn.bias": torch.ones(1, 1, 96, 96).tril() for layer in range(SIZES["num_hidden_layers"])}
    save_file({name: weight.contiguous() for name, weight in state.items()}, tmp_path / "gpt2" / "model.safetensors")
    convert(ConvertArguments(model=str(tmp_path / "gpt2"), output_dir=tmp_path / "ours"))
    ours = DarijaGPTForCausalLM.from_pretrained(tmp_path / "ours")
    assert measure_difference(source, ours) <= 1e-6


@pytest.mark.parametrize("to", ["darija_gpt", "qwen3"])
def test_what_cannot_be_converted_leaves_nothing_behind(darija_dir, tmp_path, to):
    with pytest.raises(ValueError, match=r"qk_norm=False|--to llama, qwen3 or gpt2"):
        convert(ConvertArguments(model=str(darija_dir), output_dir=tmp_path / "out", to=to))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_llama_export_is_served(darija_dir, tmp_path):
    """By `transformers serve`, which takes no custom class: the reply is the one that our model gives."""
    convert(ConvertArguments(model=str(darija_dir), output_dir=tmp_path / "llama", to="llama"))
    port = 18742
    server = subprocess.Popen(
        [sys.executable, "-m", "transformers.cli.transformers", "serve", "--host", "127.0.0.1", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"
    question = [{"role": "user", "content": "salam, labas?"}]
    request = {"model": str(tmp_path / "llama"), "messages": question, "max_tokens": 8, "temperature": 0.0}
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{url}/health", timeout=5)
                break
            except OSError:
                assert server.poll() is None, server.stdout.read().decode()[-2000:]
                time.sleep(0.5)
        answer = urllib.request.urlopen(
            urllib.request.Request(
                f"{url}/v1/chat/completions",
                data=json.dumps({**request, "stream": False}).encode(),
                headers={"Content-Type": "application/json"},
            ),
            timeout=120,
        ).read()
    finally:
        server.terminate()
        server.wait(timeout=30)
    served = json.loads(answer)["choices"][0]["message"]["content"]

    model, tokenizer = DarijaGPTForCausalLM.from_pretrained(darija_dir), AutoTokenizer.from_pretrained(darija_dir)
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt")
    reply = model.generate(**prompt, max_new_tokens=8, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert served == tokenizer.decode(reply, skip_special_tokens=True)
