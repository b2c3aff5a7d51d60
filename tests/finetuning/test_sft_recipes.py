"""The recipes of finetune.py for other models: each runs on a tiny model of its family and data in its own form."""

import json
import random
from pathlib import Path

import datasets
import pytest
import torch
import yaml
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoConfig,
    GPTNeoForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from darija_gpt.finetuning.sft import FinetuneArguments, finetune
from darija_gpt.recipe import parse_arguments
from darija_gpt.tokenizer import CHAT_TEMPLATE


RECIPES = Path(__file__).resolve().parents[2] / "recipes" / "finetune_others"
PLACES = ("the market", "the house", "the school", "the sea")
PEOPLE = ("Amina", "Youssef", "Salma", "Karim", "Nadia")


def make_facts(count):
    """Who is where: what each row is made of."""
    draw = random.Random(0)
    return [(draw.choice(PEOPLE), draw.choice(PLACES), draw.choice(PEOPLE)) for _ in range(count)]


def make_transcript(person, place):
    talk = f"<s>[INST] Where is {person}? [/INST] {person} is at {place}. </s>"
    return talk + f"<s>[INST] Where is {person} now? [/INST] Still at {place}. </s>"


# The columns of the datasets that the recipes name, with invented texts.
HUB = {
    "tatsu-lab/alpaca": lambda person, place, other: {
        "instruction": f"Say where {person} is.",
        "input": f"{person} went to {place}.",
        "output": f"{person} is at {place}.",
        "text": "Below is an instruction that describes a task.",
    },
    "THUDM/webglm-qa": lambda person, place, other: {
        "question": f"Where is {person}?",
        "answer": f"{person} is at {place}[1].",
        "references": [f"{person} went to {place}.", f"{other} sleeps."],
    },
    "mlabonne/guanaco-llama2-1k": lambda person, place, other: {"text": make_transcript(person, place)},
}


@pytest.fixture(scope="module")
def family_dirs(tmp_path_factory):
    """A tiny model of each family, as the Hub holds them: only Qwen has a chat template and a padding token."""
    texts = [
        *(f"{value}" for make in HUB.values() for facts in make_facts(40) for value in make(*facts).values()),
        "system user assistant",
    ]

    def train(special, **tokens):
        backend = Tokenizer(BPE())
        backend.pre_tokenizer = ByteLevel(add_prefix_space=False)
        backend.decoder = ByteLevelDecoder()
        backend.train_from_iterator(
            texts, BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=ByteLevel.alphabet())
        )
        return PreTrainedTokenizerFast(tokenizer_object=backend, **tokens)

    end = "<|endoftext|>"
    continues = train([end], bos_token=end, eos_token=end)
    qwen = train(
        [end, "<|im_start|>", "<|im_end|>"],
        eos_token=end,
        pad_token=end,
        # Qwen's own begins every talk with a system message.
        chat_template="{{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}" + CHAT_TEMPLATE,
    )
    llama = train(["<unk>", "<s>", "</s>"], unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    # The usual initializer_range of 0.02 makes all words almost equal to a model so narrow.
    wide = {"initializer_range": 0.1}
    sizes = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 96, **wide}
    models = {
        "gpt2": (
            GPT2LMHeadModel,
            GPT2Config(vocab_size=len(continues), n_embd=48, n_layer=2, n_head=2, n_positions=128, **wide),
            continues,
        ),
        "gpt": (
            GPTNeoForCausalLM,
            GPTNeoConfig(
                vocab_size=len(continues),
                hidden_size=48,
                num_layers=2,
                num_heads=2,
                attention_types=[[["global", "local"], 1]],
                max_position_embeddings=128,
                **wide,
            ),
            continues,
        ),
        "qwen": (
            Qwen2ForCausalLM,
            Qwen2Config(vocab_size=len(qwen), **sizes, num_key_value_heads=2, max_position_embeddings=128),
            qwen,
        ),
        "llama2": (
            LlamaForCausalLM,
            LlamaConfig(vocab_size=len(llama), **sizes, max_position_embeddings=128),
            llama,
        ),
    }
    directories = {}
    for name, (model_class, config, tokenizer) in models.items():
        torch.manual_seed(0)
        config.bos_token_id, config.eos_token_id = tokenizer.bos_token_id, tokenizer.eos_token_id
        directory = tmp_path_factory.mktemp("families") / name
        model_class(config).save_pretrained(directory)
        tokenizer.save_pretrained(directory)
        directories[name] = directory
    return directories


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder to run recipes in, with a Hub of invented data and a book where the recipe looks for it."""

    def load_dataset(path, **options):
        return Dataset.from_list([HUB[path](*facts) for facts in make_facts(120)])

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    book = tmp_path / "shared" / "data" / "english" / "tinyshakespeare.txt"
    book.parent.mkdir(parents=True)
    lines = (f"{person}:\nI went to {place} with {other}, and am back." for person, place, other in make_facts(90))
    book.write_text("\n\n".join(lines), encoding="utf-8")
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def run(project, family_dirs, recipe, **changes) -> tuple[Path, dict]:
    """Runs a recipe with a tiny model; where its output is, and what it says of itself."""
    content = yaml.safe_load((RECIPES / f"{recipe}.yaml").read_text(encoding="utf-8"))
    # Sizes for tiny models, all else is the recipe's.
    sizes = {
        "model": str(family_dirs[recipe.partition("_")[0]]),
        "dataset_recipe": str(RECIPES / Path(content["dataset_recipe"]).name),
        "max_length": 128,
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 1,
        "learning_rate": 1e-2,
        "num_train_epochs": 6,
        "bf16": False,
    }
    (project / "recipe.yaml").write_text(yaml.safe_dump(content | sizes | changes), encoding="utf-8")
    arguments = parse_arguments(FinetuneArguments, ["--config", "recipe.yaml"])
    finetune(arguments)
    directory = project / content["output_dir"]
    return directory, json.loads((directory / "training_summary.json").read_text())


def reply(directory, *messages, base=None) -> str:
    from darija_gpt.generation import SamplingArguments, generate_reply
    from darija_gpt.loading import load_model

    model, tokenizer = load_model(directory, base)
    roles = ("user", "assistant")
    talk = [{"role": roles[place % 2], "content": content} for place, content in enumerate(messages)]
    return generate_reply(model, tokenizer, talk, SamplingArguments(do_sample=False, max_new_tokens=24))


def read_fall(printed: str) -> float:
    """How far the validation loss fell between the first epoch and the last."""
    losses = [float(line.rpartition(" ")[2]) for line in printed.splitlines() if line.startswith("epoch ")]
    return losses[0] - losses[-1]


def test_gpt_2_learns_to_follow_instructions(project, family_dirs):
    directory, summary = run(project, family_dirs, "gpt2_instructions")
    assert summary["method"] == "full" and summary["validation_loss"] < 1
    answer = reply(directory, "Say where Salma is.\n\nSalma went to the sea.")
    assert " is at the " in answer and answer.endswith(".")


def test_qwen_learns_to_answer_from_references(project, family_dirs, capsys):
    directory, summary = run(project, family_dirs, "qwen_questions")
    printed = capsys.readouterr().out
    assert "making dataset" in printed and "lora: " in printed and read_fall(printed) > 0.5
    assert summary["method"] == "lora" and (directory / "adapter" / "adapter_config.json").is_file()
    assert isinstance(reply(directory, "[1] Salma went to the sea.\n\n[2] Karim sleeps.\n\nWhere is Salma?"), str)


def test_gpt_neo_takes_up_the_style_of_a_book(project, family_dirs, capsys):
    _, summary = run(project, family_dirs, "gpt_neo_style", freeze_layers=1, max_length=64)
    assert summary["method"] == "frozen" and read_fall(capsys.readouterr().out) > 0.5
    assert summary["trainable_parameters"] < summary["parameters"] / 2


def test_llama_2_learns_an_adapter_from_transcripts(project, family_dirs, capsys):
    # In 4 bits it needs a GPU; what comes of them is in the tests of the stage.
    directory, summary = run(project, family_dirs, "llama2_guanaco", quantization=None, optim="adamw_torch")
    assert summary["method"] == "lora" and read_fall(capsys.readouterr().out) > 0.5
    assert not (directory / "model.safetensors").exists()
    asked = ("Where is Salma?", "Salma is at the sea.", "Where is Salma now?")
    assert isinstance(reply(directory, *asked, base=family_dirs["llama2"]), str)


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*_dataset.yaml")), ids=lambda path: path.stem)
def test_every_dataset_is_that_of_one_recipe(recipe):
    contents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RECIPES.glob("*.yaml")]
    name = f"recipes/finetune_others/{recipe.name}"
    (user,) = [content for content in contents if content.get("dataset_recipe") == name]
    assert user["dataset"] == yaml.safe_load(recipe.read_text(encoding="utf-8"))["output_dir"]
