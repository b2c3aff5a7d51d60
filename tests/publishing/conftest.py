"""Five models that may be published, the dataset and the audit that speak for them, and a Hub to send them to."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest
from card_examples import CLASSIFIER, DIALOGUES, METRICS
from hub_stand_in import TOKEN, HubStandIn
from huggingface_hub import constants
from private_chats import write_private_chat

from darija_gpt.data.corpus import PrepareArguments, prepare_data
from darija_gpt.data.dataset_directory import load_dataset_directory
from darija_gpt.data.private_index import load_private_index
from darija_gpt.hub import PublishArguments


REPO_ID = "someone/darija-small"
SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
KINDS = ("base", "chat", "merged", "adapter", "classifier")
RATE = {"rate": 0.0, "interval": [0.0, 0.004], "hits": 0, "of": 1000}
AUC = {"auc": 0.52, "auc_interval": [0.49, 0.55], "tpr_at_1_percent_fpr": 0.01, "tpr_interval": [0.0, 0.02]}


@dataclass(frozen=True)
class Prepared:
    """A dataset of a chat with a name and a number in it, and the key and the consent that belong to it."""

    directory: Path
    key: Path
    consent: Path


def prepare_dataset(directory: Path, darija: list[str], **changes: Any) -> Prepared:
    write_private_chat(directory / "chat.txt", darija, "Mkhitar")
    consent = directory / "consent"
    consent.mkdir()
    (consent / "chat.txt.yaml").write_text("Zerhouni: yes\nMkhitar: yes\n")
    arguments = {"canaries": 1, "deduplicate": False, "validation_fraction": 0.2, "test_fraction": 0.2} | changes
    prepare_data(
        PrepareArguments(
            directory / "dataset",
            [directory / "chat.txt"],
            assistant="Mkhitar",
            pseudonym_key=directory / "key",
            consent=consent,
            **arguments,
        )
    )
    return Prepared(directory / "dataset", directory / "key", consent)


@pytest.fixture(scope="session")
def prepared(darija, tmp_path_factory) -> Prepared:
    return prepare_dataset(tmp_path_factory.mktemp("prepared"), darija)


@pytest.fixture
def make_dataset(darija, tmp_path_factory) -> Callable[..., Prepared]:
    """Prepares the same chat with other arguments."""
    return lambda **changes: prepare_dataset(tmp_path_factory.mktemp("prepared"), darija, **changes)


@pytest.fixture(scope="session")
def clean_models(prepared, tmp_path_factory) -> dict[str, Path]:
    """A model of each kind, by its name; nobody changes them."""
    import torch
    from peft import LoraConfig, get_peft_model

    from darija_gpt.finetuning.adapters import save_adapter
    from darija_gpt.model import DarijaGPTConfig, DarijaGPTForCausalLM, DarijaGPTForSequenceClassification
    from darija_gpt.tokenizer import save_tokenizer, train_tokenizer

    train = load_dataset_directory(prepared.directory)["train"]
    tokenizer = train_tokenizer(train["text"], vocab_size=400, conversations=train["conversation_id"])
    special = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    config = DarijaGPTConfig(vocab_size=len(tokenizer), max_position_embeddings=96, **SIZES, **special)
    torch.manual_seed(0)
    base = DarijaGPTForCausalLM(config)
    models = tmp_path_factory.mktemp("models")
    directories = {kind: models / kind for kind in KINDS}
    base.save_pretrained(directories["base"])
    base.generation_config.max_new_tokens = 20
    base.save_pretrained(directories["chat"])
    labels = {0: "khayb", 1: "zwin"}
    names = {"id2label": labels, "label2id": {label: number for number, label in labels.items()}}
    classifier_config = DarijaGPTConfig(**config.to_diff_dict() | names | {"num_labels": 2})
    DarijaGPTForSequenceClassification(classifier_config).save_pretrained(directories["classifier"])
    lora = LoraConfig(task_type="CAUSAL_LM", target_modules=["q_proj", "v_proj"], r=2, init_lora_weights=False)
    adapted = get_peft_model(DarijaGPTForCausalLM.from_pretrained(directories["base"]), lora)
    for directory in (directories["adapter"], directories["merged"] / "adapter"):
        save_adapter(adapted, directories["base"], directory)
    adapted.merge_and_unload().save_pretrained(directories["merged"])
    for directory in directories.values():
        save_tokenizer(tokenizer, directory)
        # Records of the training, which stay where they are.
        (directory / "training_summary.json").write_text("{}")
        (directory / "tokenizer_report.json").write_text("{}")
    (directories["base"] / "samples.jsonl").write_text('{"text": "3yet l 0612345678"}\n')
    return directories


def write_audit(model: Path, prepared: Prepared, directory: Path, **measured: Any) -> Path:
    """An audit of a model: its files, its dataset and its vocabulary as they are, and its words as they are given.

    Args:
        model (`Path`), prepared (`Prepared`), directory (`Path`):
            What is audited, and where privacy_audit.json is written to.
        measured:
            `with_private_data`, `with_names`, `hits` of canaries, `train` and `auc` where they are not clean; any
            setting of AuditArguments.
    """
    from transformers import AutoTokenizer

    from darija_gpt.evaluation.audit import FORMAT, AuditArguments, describe_dataset
    from darija_gpt.evaluation.audit_checks import list_checks, summarize
    from darija_gpt.evaluation.audited_files import TOKENIZER, WEIGHTS, describe_files
    from darija_gpt.evaluation.memorization.vocabulary_scan import scan_vocabulary

    settings = {field.name: measured[field.name] for field in fields(AuditArguments) if field.name in measured}
    arguments = AuditArguments(model=str(model), dataset=prepared.directory, output_dir=directory, **settings)
    train = load_dataset_directory(prepared.directory)["train"]
    vocabulary = scan_vocabulary(
        AutoTokenizer.from_pretrained(model, trust_remote_code=False),
        train["text"],
        train["conversation_id"],
        index=load_private_index(prepared.directory, prepared.key),
        min_conversations=arguments.min_conversations,
    )
    attack = AUC | {"auc": measured.get("auc", 0.52)}
    learning = {
        "continuation": {
            "train": measured.get("train", RATE),
            "held_out": RATE,
            "difference": measured.get("train", RATE)["rate"],
            "difference_interval": [-0.004, 0.004],
            "prefix_tokens": 32,
            "continuation_tokens": 32,
        },
        "membership": {"members": 1000, "others": 1000, "num_tokens": 64, "attacks": {"loss": attack}, "longer": {}},
    }
    samples = {
        "free": arguments.num_samples,
        "prompted": arguments.num_prompted_samples,
        "with_private_data": measured.get("with_private_data", 0),
        "with_names": measured.get("with_names", 0),
        "private_data": {},
        "invented": {"PHONE": 3},
        "invented_names": 0,
        "words_shared_with_training": {"longest": 5},
        "words_shared_by_held_out_texts": None,
    }
    canaries = {
        str(copies): {
            "canaries": 1,
            "exposure_mean": 1.4,
            "exposure_max": 2.0,
            "exposure_possible": 9.0,
            "extracted": RATE | {"hits": measured.get("hits", 0), "of": 1},
        }
        for copies in (1, 2, 4, 8)
    }
    checks = list_checks(
        arguments, learning, {"samples": samples}, vocabulary, canaries, has_index=True, were_planted=True
    )
    # Of an adapter the base is in no directory that an adapter could name.
    is_adapter = (model / "adapter_config.json").is_file()
    content = {
        "format": FORMAT,
        **summarize(checks),
        "files": describe_files(model, model.parent / "base" if is_adapter else None),
        "model": {"parameters": 30_000, "class": "DarijaGPTForCausalLM"},
        "dataset": describe_dataset(prepared.directory),
        **learning,
        "canaries": canaries,
        "samples": samples,
        "vocabulary": vocabulary,
        "settings": {
            field.name: getattr(arguments, field.name)
            for field in fields(arguments)
            if isinstance(getattr(arguments, field.name), int | float)
        },
        "wall_seconds": 1.0,
    }
    assert set(content["files"]) >= {"weights", "tokenizer"} and WEIGHTS and TOKENIZER
    directory.mkdir(exist_ok=True)
    (directory / "privacy_audit.json").write_text(json.dumps(content, indent=2))
    return directory


@pytest.fixture
def prepare_publication(clean_models, prepared, tmp_path) -> Callable[..., PublishArguments]:
    """Makes the arguments that publish a copy of a clean model; `change` is applied to the copy before the audit."""

    def prepare(
        kind: str = "chat", change: Callable[[Path], None] = lambda model: None, measured: dict[str, Any] | None = None
    ) -> PublishArguments:
        model = tmp_path / "run" / kind
        shutil.copytree(clean_models[kind], model)
        if kind == "adapter":
            shutil.copytree(clean_models["base"], model.parent / "base")
        change(model)
        evaluation = tmp_path / "evaluation"
        evaluation.mkdir()
        metrics = CLASSIFIER if kind == "classifier" else METRICS
        (evaluation / "metrics.json").write_text(json.dumps(metrics))
        if kind != "classifier":
            lines = (json.dumps(dialogue, ensure_ascii=False) + "\n" for dialogue in DIALOGUES)
            (evaluation / "samples.jsonl").write_text("".join(lines), encoding="utf-8")
        return PublishArguments(
            model=model,
            evaluation=evaluation,
            model_name="Darija small",
            audit=write_audit(model, prepared, tmp_path / "audit", **measured or {}),
            dataset=prepared.directory,
            pseudonym_key=prepared.key,
            consent=prepared.consent,
            base_repo_id="someone/darija-base" if kind == "adapter" else None,
            repo_id=REPO_ID,
            push=True,
        )

    return prepare


@pytest.fixture
def hub(monkeypatch):
    with HubStandIn() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield hub


@pytest.fixture
def sleeps(monkeypatch) -> list[float]:
    """The seconds that somebody wanted to wait; nobody does."""
    waited: list[float] = []
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", waited.append)
    return waited
