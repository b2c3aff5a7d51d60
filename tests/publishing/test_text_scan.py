"""What is found in the files that would go up, where, and what is left alone."""

import json
import re

import pytest
import torch
from safetensors.torch import save_file

from darija_gpt.data.private_index import PrivateIndex
from darija_gpt.publishing.text_scan import SECRETS, TextScan


LETTERS = "aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789"
EXAMPLES = {
    "a token of the Hub": f"hf_{LETTERS[:34]}",
    "a token of GitHub": f"ghp_{LETTERS}",
    "a token of GitLab": f"glpat-{LETTERS[:20]}",
    "a key of OpenAI or Anthropic": f"sk-proj-{LETTERS}",
    "a key of Google": f"AIza{LETTERS[:35]}",
    "a key of AWS": "AKIA" + LETTERS[:16].upper(),
    "a token of Slack": f"xoxb-{LETTERS[:24]}",
    "a private key": "-----BEGIN OPENSSH PRIVATE KEY-----",
    "a signed token": f"eyJ{LETTERS}.eyJ{LETTERS}.{LETTERS}",
    "a password in an address": "https://salma:bslama@127.0.0.1/x",
    "a key or password of a service": "WANDB_API_KEY=" + "0123456789abcdef" * 2 + "01234567",
}

# Of a PNG as much as says where it begins and ends.
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IEND" + bytes.fromhex("ae426082")


@pytest.fixture
def index() -> PrivateIndex:
    index = PrivateIndex(b"a key of a test, and of nobody's")
    for name in ("Zerhouni", "Amal Zerhouni", "Mkhitar"):
        index.add_name(name)
    index.add_data("https://maps.app/x8Kq2")
    return index


@pytest.fixture
def scan(index, tmp_path):
    def scan(name: str, content: str | bytes, **arguments) -> list[tuple[str, str]]:
        path = tmp_path / "a" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = TextScan(arguments.pop("index", index), **arguments).scan(name, path)
        return [(refusal.cause, refusal.words) for refusal in found]

    return scan


@pytest.mark.parametrize("what", SECRETS)
@pytest.mark.parametrize("name", ["README.md", "config.json", "recipes/x.yaml", "app.py"])
def test_a_secret_is_found_in_every_kind_of_text(what, name, scan):
    content = json.dumps({"note": EXAMPLES[what]}) if name.endswith(".json") else f"note: '{EXAMPLES[what]}'\n"
    [(cause, words), *_] = [found for found in scan(name, content) if found[0] == "secret"]
    assert cause == "secret" and what in words and EXAMPLES[what] not in words


@pytest.mark.parametrize(
    "path",
    ["/home/salma/runs", "/Users/salma", "C:\\Users\\Salma\\runs", "C:\\\\Users\\\\Salma", "C:/Users/salma/x"],
)
def test_a_path_with_a_users_name_is_found(path, scan):
    assert [cause for cause, _ in scan("README.md", f"from {path} it came")] == ["path"]
    assert [cause for cause, _ in scan("config.json", json.dumps({"path": path}))] == ["path"]


def test_the_home_of_who_publishes_is_found_wherever_it_is(scan, monkeypatch):
    monkeypatch.setenv("HOME", "/srv/people/salma")
    assert [cause for cause, _ in scan("config.json", '{"path": "/srv/people/salma/runs"}')] == ["path"]
    assert scan("config.json", '{"path": "/srv/people/salma.b/runs"}') == []


@pytest.mark.parametrize(
    ("name", "content", "cause", "words"),
    [
        (
            "README.md",
            "a\n\nb 0612345678\n",
            "private data",
            "README.md, line 3, holds .* PHONE",
        ),
        ("README.md", "| User | <div>06 12</div><div>345678</div> |", "private data", "line 1, .* PHONE"),
        ("README.md", "salma&#95;b@gmail.com", "private data", "EMAIL"),
        ("README.md", "see https://maps.app/x8Kq2", "private data", "URL"),
        ("README.md", "trained by Amal ZERHOUNI", "name", "line 1, holds the name of somebody"),
        ("README.md", "و الزرهوني؟ mkhitar gal", "name", "line 1, holds the name of somebody"),
        ("recipes/x.yaml", "assistant: Mkhitar", "name", "recipes/x.yaml, line 1, holds the name"),
        *(
            ("recipes/x.yaml", f"run_name: {name}", "name", "line 1, holds the name")
            for name in ("MkhitarGPT", "ChatMkhitar", "mkhitarLora", "mkhitar2024", "06mkhitar", "Mkhi\u200btar")
        ),
        ("README.md", "[x](https://x.ma/in/%4Dkhitar)", "name", "line 1, holds the name"),
        *(
            ("README.md", f"Write to {link}", "private data", f"line 1, holds private data of the type {kind}")
            for link, kind in (
                ("https://wa.me/212612345678", "PHONE"),
                ("https://api.whatsapp.com/send?phone=212612345678", "PHONE"),
                ("https://t.me/+212612345678", "PHONE"),
                ("https://x.ma/?tel=06%2012%2034%2056%2078", "PHONE"),
                ("%2B212612345678", "PHONE"),
                ("@212612345678", "PHONE"),
                ("@0612345678", "PHONE"),
                ("https://x.ma/?email=salma%40gmail.com", "EMAIL"),
                ("https://maps.google.com/?q=31.7917,-8.1204", "GPS"),
                ("https://maps.google.com/@31.7917,-8.1204,15z", "GPS"),
            )
        ),
        ("config.json", '{"id2label": {"0": "zwin", "1": "Zerhouni"}}', "name", "config.json under id2label holds"),
        ("config.json", '{"label2id": {"Zerhouni": 1}}', "name", "config.json under label2id holds the name"),
        ("config.json", '{"numero": 212612345678}', "private data", "config.json holds .* PHONE"),
        ("plots/Zerhouni.png", PICTURE, "name", "the name of the file plots/Zerhouni.png holds the name"),
        ("plots/x.png", PICTURE + b"Zerhouni", "private data", "plots/x.png holds more than is seen"),
        ("plots/x.png", "Zerhouni: salam", "private data", "plots/x.png cannot be read"),
        ("config.json", '{"Zerhouni": 0.5}', "name", "^config.json holds the name"),
        ("config.json", '{"x": {"Zerhouni": null}}', "name", "^config.json under x holds the name"),
        ("config.json", '{"Zerhouni": []}', "name", "^config.json holds the name"),
        ("config.json", '{"Zerhouni": true}', "name", "^config.json holds the name"),
        ("config.json", '{"a": "Zerhouni", "a": "x"}', "name", "^config.json holds the name"),
        ("config.json", '{"Zerhouni": {"x": "/home/salma"}}', None, "^config.json holds"),
        ("config.json", '{"wandb_api_key": "' + "0f1e2d3c" * 5 + '"}', "secret", "a key or password of a service"),
        ("recipes/x.yaml", "api_key: s3cr3tS3cr3tS3cr3tXYZ", "secret", "line 1, holds a key or password"),
        ("recipes/x.yaml", 'a: 1\nassistant: "\\x5aerhouni"', "name", "^recipes/x.yaml holds the name"),
        ("recipes/x.yaml", 'a:\n- "\\u0030612345678"', "private data", "^recipes/x.yaml under a holds .* PHONE"),
        ("recipes/x.yaml", "a: [", "private data", "recipes/x.yaml cannot be read"),
        ("config.json", "[" * 100_000, "private data", "config.json cannot be read"),
        ("model.safetensors", b"garbage", "private data", "model.safetensors cannot be read"),
        ("model.safetensors", b"\xff" * 64, "private data", "model.safetensors cannot be read"),
        ("model.safetensors", b"\x03" + bytes(7) + b"[1]", "private data", "model.safetensors cannot be read"),
        ("tokenizer.json", "{}", "private data", "tokenizer.json cannot be read"),
        ("config.json", "{", "private data", "config.json cannot be read"),
        ("README.md", b"\xff\xfe", "private data", "README.md cannot be read"),
    ],
)
def test_what_is_private_is_found_and_its_place_is_named(name, content, cause, words, scan):
    found = scan(name, content)
    for reason, said in found:
        assert reason == (cause or reason) and re.search(words, said)
    assert len(found) == (1 if cause else 2)
    said = " ".join(said for _, said in found)
    assert not [secret for secret in ("0612", "212612", "gmail", "x8Kq2", "Amal", "ZERHOUNI") if secret in said]


@pytest.mark.parametrize(
    ("tensor", "metadata", "words"),
    [
        ("a", {"format": "pt", "made_by": "Zerhouni"}, "model.safetensors under __metadata__ holds the name"),
        ("model.Zerhouni.weight", {"format": "pt"}, "model.safetensors holds the name"),
    ],
)
def test_the_metadata_of_weights_and_the_names_of_tensors_are_read_too(tensor, metadata, words, index, tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({tensor: torch.zeros(2), "model.layers.10.lora_A.weight": torch.zeros(2)}, path, metadata=metadata)
    [refusal] = TextScan(index).scan("model.safetensors", path)
    assert refusal.cause == "name" and words in refusal.words


def test_places_of_tensors_are_no_telephone_numbers(index, scan):
    header = json.dumps(
        {"a": {"dtype": "F32", "shape": [212612345678], "data_offsets": [212612345678, 212612345679]}}
    ).encode()
    assert scan("model.safetensors", len(header).to_bytes(8, "little") + header) == []
    assert scan("added_tokens.json", json.dumps({"data_offsets": [212612345678]})) != []


def test_a_secret_in_a_vocabulary_is_found(scan):
    from tokenizers import Tokenizer, models

    content = Tokenizer(models.WordPiece({"[UNK]": 0, EXAMPLES["a token of the Hub"]: 1, "0612345678": 2})).to_str()
    words = " ".join(words for _, words in scan("tokenizer.json", content))
    assert "an entry of tokenizer.json holds a token of the Hub" in words
    assert "an entry of tokenizer.json is private data of the type PHONE" in words


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("README.md", "[paper](https://arxiv.org/abs/2102.01454), http://127.0.0.1:7860, `@misc{darija_gpt_model,`"),
        (
            "README.md",
            "https://doi.org/10.5281/zenodo.1234567 https://hf.co/x/resolve/0123456789/y @article @dataclass",
        ),
        ("README.md", "https://huggingface.co/a/b/commit/d527cc1ad8c7e456c7f9e3170bdfe640bd7ab06"),
        (
            "README.md",
            "https://doi.org/10.1007/978-3-030-58517-4_12 https://www.nature.com/articles/s41586-024-07421-0",
        ),
        ("README.md", "The loss is 0.0612345678, its deviation (0.612345678)."),
        ("README.md", "MkhitarW, an optimizer, m3amal, DarijaGPTForCausalLM, XLMRoberta, q4_K_M, 50%de"),
        ("README.md", "| 0.552 | 6.4 | 6,373 | 1,449 | 38 |\n|:---|---:|\n| 0.5 | 06 | 12 | 34 | 56 | 78 |"),
        ("README.md", "The audit **passed**; 63,414 messages, 60,713 kept, in 12 min 5 s, 2026-11-21."),
        ("privacy_audit.json", json.dumps({"files": {"weights": {"model.safetensors": "ab12cd34" * 8}}})),
        ("privacy_audit.json", json.dumps({"interval": [33.573112, -7.589843], "seconds": 612345678.5})),
        ("modeling_x.py", "@strict\nclass X(Y):  # see https://huggingface.co/docs, p. 12\n    eps = 1e-6"),
        ("tokenizer_config.json", json.dumps({"model_max_length": 1000000000000000019884624838656})),
        ("recipes/x.yaml", "pseudonym_key: runs/x/pseudonym.key\neos_token: '<|im_end|>'\nseed: 612345678.5"),
        ("recipes/x.yaml", "model: runs/darija-small/chat\nwords: [salam, bzaf, سلام, الدار]\nseed: 0"),
    ],
)
def test_what_only_looks_like_it_is_left_alone(name, content, scan):
    assert scan(name, content) == []


def test_the_owner_of_a_repository_may_be_somebody_who_wrote(scan):
    card = 'model="mkhitar/darija" https://huggingface.co/mkhitar/darija'
    assert [cause for cause, _ in scan("README.md", card)] == ["name"]
    assert scan("README.md", card, public=["mkhitar/darija"]) == []
    assert [cause for cause, _ in scan("README.md", f"{card} by Mkhitar", public=["mkhitar/darija"])] == ["name"]
    assert [cause for cause, _ in scan("README.md", f"{card}-of-omar", public=["mkhitar/darija"])] == ["name"]


@pytest.mark.parametrize("text", ["0612345678", "06 12 34 56 78", "salma06@gmail.com"])
def test_the_id_of_a_dataset_hides_no_part_of_a_number_or_an_address(text, scan):
    assert [cause for cause, _ in scan("README.md", text, public=["06", "salma"])] == ["private data"]


def test_words_of_the_project_itself_are_nobodys_name(index, scan):
    index.add_name("Vocabulary")
    assert scan("README.md", "| Vocabulary | 400 tokens |", index=index) == []


def test_the_login_is_found_in_whatever_is_sent(scan):
    chunk = len(b"hf_mine").to_bytes(4) + b"IDAT" + b"hf_mine" + bytes(4)
    for name, content in (("plots/loss_curve.png", PICTURE[:8] + chunk + PICTURE[8:]), ("README.md", "hf_mine")):
        [(cause, words)] = scan(name, content, tokens=["hf_mine"])
        assert cause == "secret" and "hf_mine" not in words


def test_without_an_index_private_data_is_found_and_names_are_not(scan):
    found = scan("README.md", "Zerhouni 0612345678", index=None)
    assert [cause for cause, _ in found] == ["private data"]
