"""What tests of several floors share: a tokenizer and a tiny model, made on the spot."""

import os
import shutil
import signal
import sys


# Before anything imports huggingface_hub, which reads it then. Subprocesses inherit it.
os.environ["HF_HUB_OFFLINE"] = "1"

# A shell that starts the tests in the background has Ctrl-C ignored, here and in every program they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest


# Invented, in both scripts; every word of it is in many lines, so that a small vocabulary learns whole words.
GREETINGS = ("salam", "salam khouya", "sbah lkhir", "السلام عليكم", "صباح الخير")
QUESTIONS = ("labas 3lik?", "fin ghadi daba?", "chno kayn lyouma?", "لاباس عليك؟", "فين غادي دابا؟", "شنو كاين اليوم؟")
ANSWERS = ("labas lhamdolah 😊", "ghadi l souk m3a khouya", "walo, ana f dar", "لاباس الحمد لله", "غادي للسوق", "والو")
DARIJA = [f"{first}, {second}" for first in GREETINGS for second in QUESTIONS] + [
    f"{question}\n{answer}" for question, answer in zip(QUESTIONS, ANSWERS, strict=True)
]


@pytest.fixture(scope="module", autouse=True)
def no_accelerator_of_another_module():
    """Accelerate keeps precision and devices for a whole process; each module begins without them."""
    state = sys.modules.get("accelerate.state")
    if state:
        state.AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="session")
def darija() -> list[str]:
    """Some forty invented lines of Darija."""
    return DARIJA


@pytest.fixture(scope="session")
def tokenizer(darija):
    """The project's tokenizer, trained on those lines."""
    from darija_gpt.tokenizer import train_tokenizer

    return train_tokenizer(darija, vocab_size=400)


@pytest.fixture(scope="session")
def tiny_llama(tokenizer):
    """A random Llama of 96 tokens of context, in evaluation mode."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=96,
        initializer_range=0.2,  # the usual 0.02 would make every token almost equally likely
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="session")
def tiny_llama_dir(tiny_llama, tokenizer, tmp_path_factory):
    """Both, saved as a stage saves a model."""
    directory = tmp_path_factory.mktemp("model") / "tiny"
    tiny_llama.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture
def scripted_llama(tokenizer):
    """Makes a model that says the given token ids one after the other, whatever it is asked."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    class ScriptedLlama(LlamaForCausalLM):
        def forward(self, input_ids, **kwargs):
            outputs = super().forward(input_ids, **kwargs)
            outputs.logits = torch.full_like(outputs.logits, -1e4)
            outputs.logits[:, -1, next(self.script)] = 1e4
            return outputs

    def make(token_ids, max_position_embeddings=512):
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=8,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            max_position_embeddings=max_position_embeddings,
        )
        model = ScriptedLlama(config).eval()
        model.script = iter(token_ids)
        return model

    return make


@pytest.fixture(scope="session")
def dataset():
    """Short conversations with a rule to learn: the answer belongs to the question."""
    import random

    from datasets import Dataset, DatasetDict

    from darija_gpt.data.dataset_directory import FEATURES

    draw = random.Random(0)

    def make_row(number: int) -> dict:
        places = draw.choices(range(len(QUESTIONS)), k=draw.randint(1, 3))
        messages = [
            {"role": role, "content": lines[place]}
            for place in places
            for role, lines in (("user", QUESTIONS), ("assistant", ANSWERS))
        ]
        text = "\n".join(message["content"] for message in messages)
        return {
            "text": text,
            "messages": messages,
            "source": "invented",
            "script": "mixed",
            "conversation_id": str(number),
        }

    return DatasetDict(
        {
            split: Dataset.from_list([make_row(number) for number in range(size)], features=FEATURES)
            for split, size in (("train", 160), ("validation", 24), ("test", 24))
        }
    )


@pytest.fixture(scope="session")
def dataset_dir(dataset, tmp_path_factory):
    """The same, as prepare_data.py saves it."""
    directory = tmp_path_factory.mktemp("data") / "dataset"
    dataset.save_to_disk(directory)
    return directory


@pytest.fixture(scope="session")
def tokenizer_dir(tokenizer, tmp_path_factory):
    """The tokenizer, as train_tokenizer.py saves it."""
    directory = tmp_path_factory.mktemp("tokenizer") / "tokenizer"
    tokenizer.save_pretrained(directory)
    return directory


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, and the program that drives it, by the names that Debian's packages give them."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    pytest.importorskip(
        "selenium", reason="the browser is driven by selenium: pip install -c constraints.txt -e '.[test]'"
    )
    if chromium is None or driver is None:
        pytest.skip("chromium and its driver are not here (Debian: apt-get install chromium chromium-driver)")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    flags = ["--headless=new", "--window-size=1200,1000", "--disable-dev-shm-usage", "--no-proxy-server"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # Chromium's refuses to work for root, as whom CI runs.
    for flag in flags:
        options.add_argument(flag)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        patch.setenv("no_proxy", "127.0.0.1,localhost")
        window = webdriver.Chrome(options=options, service=Service(driver))
        yield window
        window.quit()
