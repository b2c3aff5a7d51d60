import json
import subprocess
import sys

import pytest
import torch

from darija_gpt.generation import SamplingArguments, encode_prompt, generate_reply
from darija_gpt.loading import find_task, load_model
from darija_gpt.seq2seq import load_seq2seq


SALAM = [{"role": "user", "content": "salam, labas 3lik?"}]
SHORT = SamplingArguments(max_new_tokens=32)


def test_a_loaded_model_replies_as_the_one_that_was_saved(tiny_llama, tokenizer, tiny_llama_dir):
    loaded, loaded_tokenizer = load_model(tiny_llama_dir)

    assert not loaded.training
    expected = generate_reply(tiny_llama, tokenizer, SALAM, SHORT)
    assert generate_reply(loaded.to("cpu"), loaded_tokenizer, SALAM, SHORT) == expected


def test_the_projects_own_model_loads_without_trusting_remote_code(tokenizer, tmp_path):
    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM

    config = DarijaGPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=96,
    )
    DarijaGPTForCausalLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)

    # In an interpreter of its own, where nothing has imported darija_gpt.model before.
    program = "import sys; from darija_gpt.loading import load_model; print(type(load_model(sys.argv[1])[0]))"
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert "darija_gpt.model.modeling_darija_gpt.DarijaGPTForCausalLM" in done.stdout, done.stderr


def test_a_directory_or_name_without_a_model_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ValueError, match=r"holds no config\.json; give a directory"):
        load_model(tmp_path)
    with pytest.raises(ValueError, match="no such model here is no directory"):
        load_model("no such model here")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"norm": "rmsnrm"}, r"has an invalid config\.json: .*'rmsnorm'.*rmsnrm"),
        ({"norm": "batchnorm"}, r"has an invalid config\.json: norm=batchnorm shows .*; set allow_future"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_with_its_reason(fields, words, tokenizer, tmp_path):
    from darija_gpt.model import DarijaGPTConfig

    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps(DarijaGPTConfig().to_dict() | fields))
    for load in (load_model, find_task, load_seq2seq):
        with pytest.raises(ValueError, match=words):
            load(tmp_path)


def test_a_model_that_brings_its_own_code_is_refused_and_its_code_never_runs(tokenizer, tmp_path):
    config = {"model_type": "foreign", "auto_map": {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    tokenizer.save_pretrained(tmp_path)

    with pytest.raises(ValueError, match="code of its own"):
        load_model(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_a_model_that_lacks_weights_is_refused(tiny_llama, tokenizer, tmp_path):
    tiny_llama.model.save_pretrained(tmp_path)  # without the language model's head
    tokenizer.save_pretrained(tmp_path)

    with pytest.raises(ValueError, match=r"lacks 1 of the weights.*lm_head"):
        load_model(tmp_path)


@pytest.fixture
def save_adapter(tiny_llama_dir, tmp_path):
    """Saves a LoRA adapter with weights that matter; gives its directory and the model with it."""

    def save(base_name=str(tiny_llama_dir), **fields):
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_pretrained(tiny_llama_dir)
        config = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear", init_lora_weights=False, **fields)
        adapted = get_peft_model(model, config).eval()
        adapted.save_pretrained(tmp_path / "adapter")
        (tmp_path / "adapter" / "README.md").unlink()
        change_config(tmp_path / "adapter", base_model_name_or_path=base_name)
        return tmp_path / "adapter", adapted

    return save


def change_config(adapter, **fields):
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | fields))


@pytest.mark.parametrize("use_dora", [False, True])
def test_an_adapter_is_its_base_with_the_adapters_weights(save_adapter, tokenizer, use_dora):
    adapter, adapted = save_adapter(use_dora=use_dora)
    model, own_tokenizer = load_model(adapter)

    ids = torch.tensor([encode_prompt(SALAM, tokenizer)])
    assert encode_prompt(SALAM, own_tokenizer) == ids[0].tolist()
    assert type(model).__name__ == "LlamaForCausalLM"
    with torch.no_grad():
        assert (model.to("cpu")(ids).logits - adapted(ids).logits).abs().max() < 1e-5


def test_the_base_of_an_adapter_can_be_named(save_adapter, tiny_llama_dir):
    adapter, _ = save_adapter(base_name="base")

    with pytest.raises(ValueError, match="an adapter without its base: base is no directory"):
        load_model(adapter)
    assert load_model(adapter, base=tiny_llama_dir)[0].config.model_type == "llama"
    with pytest.raises(ValueError, match="is for an adapter"):
        load_model(tiny_llama_dir, base=tiny_llama_dir)


def test_an_adapter_with_new_tokens_of_its_own_brings_their_embeddings(save_adapter, tiny_llama_dir, tokenizer):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    adapter, _ = save_adapter()
    model = AutoModelForCausalLM.from_pretrained(tiny_llama_dir)
    larger = AutoTokenizer.from_pretrained(tiny_llama_dir)
    larger.add_tokens(["zwina"])
    model.resize_token_embeddings(len(larger), mean_resizing=False)
    adapted = PeftModel.from_pretrained(model, adapter).eval()
    adapted.save_pretrained(adapter, save_embedding_layers=True)
    larger.save_pretrained(adapter)

    loaded, own_tokenizer = load_model(adapter)
    ids = torch.tensor([own_tokenizer.encode("salam zwina")])
    assert own_tokenizer.convert_tokens_to_ids("zwina") in ids
    with torch.no_grad():
        assert (loaded.to("cpu")(ids).logits - adapted(ids).logits).abs().max() < 1e-5


def test_an_adapter_of_another_base_is_refused(save_adapter, tokenizer, tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    adapter, _ = save_adapter()
    shape = {"vocab_size": len(tokenizer), "num_attention_heads": 4, "intermediate_size": 64}
    for name, sizes in (
        ("wider", {"hidden_size": 48, "num_hidden_layers": 2}),
        ("shallower", {"hidden_size": 32, "num_hidden_layers": 1, "num_key_value_heads": 2}),
    ):
        LlamaForCausalLM(LlamaConfig(**shape, **sizes)).save_pretrained(tmp_path / name)
        tokenizer.save_pretrained(tmp_path / name)
        with pytest.raises(ValueError, match="another model's"):
            load_model(adapter, base=tmp_path / name)


def test_a_damaged_adapter_is_refused(save_adapter):
    adapter, _ = save_adapter()
    change_config(adapter, base_model_name_or_path=None)
    with pytest.raises(ValueError, match="names no base model; give it as base"):
        load_model(adapter)
    (adapter / "adapter_config.json").write_text("[]")
    with pytest.raises(ValueError, match=r"adapter_config\.json is no JSON mapping"):
        load_model(adapter)


def test_an_adapter_without_whole_weights_is_refused(save_adapter):
    adapter, _ = save_adapter()
    (adapter / "adapter_model.safetensors").write_bytes(b"cut")
    with pytest.raises(ValueError, match=r"holds no adapter_model\.safetensors that loads"):
        load_model(adapter)


def test_an_adapter_that_changes_no_weights_is_refused(tiny_llama_dir, tmp_path):
    from peft import PromptTuningConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_llama_dir)
    get_peft_model(model, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="of the kind PROMPT_TUNING"):
        load_model(tmp_path)
