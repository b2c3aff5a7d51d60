"""A saved model loads where darija_gpt is not installed, with the same logits; and here without running its code."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from variants import SIZES, VARIANTS, draw

import darija_gpt.model
from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM, DarijaGPTForSequenceClassification, DarijaGPTModel
from darija_gpt.model.configuration_darija_gpt import AUTO_MAP
from darija_gpt.tokenizer import save_tokenizer


CODE = {path.name for path in Path(darija_gpt.model.__file__).parent.glob("*_darija_gpt.py")}
PROMPT = "salam, labas 3lik?"


@pytest.fixture(scope="module")
def saved(tokenizer, tmp_path_factory):
    """A directory with a causal language model and its tokenizer, and one with a classifier."""
    torch.manual_seed(0)
    config = DarijaGPTConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4
    )
    directories = {}
    for model_class in (DarijaGPTModel, DarijaGPTForCausalLM, DarijaGPTForSequenceClassification):
        directories[model_class] = tmp_path_factory.mktemp(model_class.__name__)
        model_class(config).eval().save_pretrained(directories[model_class])
        save_tokenizer(tokenizer, directories[model_class])
    return directories


@pytest.mark.parametrize(
    "model_class", [DarijaGPTModel, DarijaGPTForCausalLM, DarijaGPTForSequenceClassification], ids=lambda c: c.__name__
)
def test_saving_writes_weights_code_and_the_whole_auto_map(saved, model_class):
    files = {path.name for path in saved[model_class].iterdir()}
    assert files >= CODE | {"model.safetensors", "config.json"}
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl"))]
    assert json.loads((saved[model_class] / "config.json").read_text())["auto_map"] == AUTO_MAP


def test_it_loads_in_an_interpreter_without_darija_gpt(saved, tokenizer, tmp_path):
    program = textwrap.dedent(
        f"""
        import json, sys

        class NoDarijaGPT:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] == "darija_gpt":
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, NoDarijaGPT())
        import torch
        from transformers import (AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification,
                                  AutoTokenizer, pipeline)
        directory, classifier, again = sys.argv[1:]
        tokenizer = AutoTokenizer.from_pretrained(directory, trust_remote_code=True)
        ids = tokenizer({PROMPT!r}, return_tensors="pt").input_ids
        model = AutoModelForCausalLM.from_pretrained(directory, trust_remote_code=True)
        chat = pipeline("text-generation", model=directory, trust_remote_code=True)
        reply = chat([{{"role": "user", "content": {PROMPT!r}}}], max_new_tokens=4, do_sample=False)
        # What was loaded from there can be saved and loaded once more.
        model.save_pretrained(again)
        with torch.no_grad():
            results = {{
                "config": type(AutoConfig.from_pretrained(directory, trust_remote_code=True)).__name__,
                "window": AutoConfig.from_pretrained(
                    directory, trust_remote_code=True, attention="sliding").sliding_window,
                "hidden": AutoModel.from_pretrained(directory, trust_remote_code=True)(ids)[0].sum().item(),
                "logits": model(ids).logits.tolist(),
                "again": AutoModelForCausalLM.from_pretrained(again, trust_remote_code=True)(ids).logits.tolist(),
                "classes": AutoModelForSequenceClassification.from_pretrained(
                    classifier, trust_remote_code=True)(ids).logits.tolist(),
                "reply": reply[0]["generated_text"][-1]["role"],
                "is_there": "darija_gpt" in sys.modules,
            }}
        print(json.dumps(results))
        """
    )
    directory, classifier = saved[DarijaGPTForCausalLM], saved[DarijaGPTForSequenceClassification]
    arguments = [str(path) for path in (directory, classifier, tmp_path / "again")]
    process = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert process.returncode == 0, process.stderr[-2000:]
    results = json.loads(process.stdout.splitlines()[-1])

    ids = tokenizer(PROMPT, return_tensors="pt").input_ids
    with torch.no_grad():
        logits = DarijaGPTForCausalLM.from_pretrained(directory)(ids).logits
        hidden = DarijaGPTModel.from_pretrained(directory)(ids)[0].sum().item()
        classes = DarijaGPTForSequenceClassification.from_pretrained(classifier)(ids).logits
    assert torch.equal(torch.tensor(results["logits"]), logits)
    assert torch.equal(torch.tensor(results["again"]), logits)
    assert torch.equal(torch.tensor(results["classes"]), classes)
    assert results["hidden"] == pytest.approx(hidden)
    assert results["window"] == 128  # derived, as in a configuration that is made anew
    assert results["config"] == "DarijaGPTConfig" and results["reply"] == "assistant" and not results["is_there"]


def test_here_the_auto_classes_take_the_projects_own_code(saved, tokenizer):
    directory = saved[DarijaGPTForCausalLM]
    assert type(AutoConfig.from_pretrained(directory)) is DarijaGPTConfig
    assert type(AutoModel.from_pretrained(directory)) is DarijaGPTModel
    assert type(AutoModelForCausalLM.from_pretrained(directory)) is DarijaGPTForCausalLM
    classifier = AutoModelForSequenceClassification.from_pretrained(saved[DarijaGPTForSequenceClassification])
    assert type(classifier) is DarijaGPTForSequenceClassification
    assert AutoTokenizer.from_pretrained(directory).encode(PROMPT) == tokenizer.encode(PROMPT)


def test_weights_that_could_run_code_are_not_loaded(saved, tmp_path):
    directory = saved[DarijaGPTForCausalLM]
    (tmp_path / "config.json").write_bytes((directory / "config.json").read_bytes())
    torch.save(DarijaGPTForCausalLM.from_pretrained(directory).state_dict(), tmp_path / "pytorch_model.bin")
    for load in (DarijaGPTForCausalLM.from_pretrained, AutoModelForCausalLM.from_pretrained):
        with pytest.raises(OSError, match="safetensors"):
            load(tmp_path)
        with pytest.raises(ValueError, match="use_safetensors=False"):
            load(tmp_path, use_safetensors=False)


def test_every_variant_loads_with_all_heads_without_darija_gpt(tmp_path):
    """Saved here with its code, loaded there by that code alone: the same numbers."""
    heads = {
        "AutoModel": DarijaGPTModel,
        "AutoModelForCausalLM": DarijaGPTForCausalLM,
        "AutoModelForSequenceClassification": DarijaGPTForSequenceClassification,
    }
    input_ids = torch.randint(4, 97, (2, 40), generator=torch.Generator().manual_seed(1))
    expected = {}
    for name, fields in VARIANTS.items():
        for auto_class, model_class in heads.items():
            torch.manual_seed(0)
            model = draw(model_class(DarijaGPTConfig(**{**SIZES, **fields}))).eval()
            model.save_pretrained(tmp_path / name / auto_class)
            with torch.no_grad():
                expected[f"{name}/{auto_class}"] = model(input_ids)[0]
    torch.save((input_ids, expected), tmp_path / "expected.pt")
    program = textwrap.dedent(
        """
        import sys

        class NoDarijaGPT:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] == "darija_gpt":
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, NoDarijaGPT())
        import torch
        import transformers
        transformers.logging.disable_progress_bar()
        input_ids, expected = torch.load("expected.pt")
        for directory, output in expected.items():
            auto_class = getattr(transformers, directory.split("/")[1])
            model = auto_class.from_pretrained(directory, trust_remote_code=True)
            with torch.no_grad():
                if not torch.equal(model(input_ids)[0], output):
                    sys.exit(f"{directory} differs")
        """
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env={**os.environ, "HF_MODULES_CACHE": str(tmp_path / "modules")},
    )
    assert process.returncode == 0, process.stderr[-2000:]
