"""The audit stage: every check has a verdict, and the file says nothing that somebody wrote."""

import hashlib
import json

import pytest
from datasets import Dataset, DatasetDict

from darija_gpt.data.canaries import CANARIES_FILE, load_canaries
from darija_gpt.data.corpus import FEATURES, PrepareArguments, prepare_data
from darija_gpt.evaluation.audit import AuditArguments, audit
from darija_gpt.evaluation.audit_checks import Check, summarize


SMALL = {
    **{"num_samples": 8, "num_prompted_samples": 4, "sample_tokens": 6, "num_prefixes": 20, "num_members": 60},
    **{"prefix_tokens": 4, "continuation_tokens": 4},
}
NAMES = ("Zerhouni", "Anas", "0612345678")


@pytest.fixture(scope="module")
def chats_dataset(darija, tmp_path_factory):
    """A prepared dataset of a chat with a name and a number in it, and with canaries."""
    directory = tmp_path_factory.mktemp("audit")
    lines = []
    for session in range(140):
        day = f"{session % 28 + 1:02}/{session // 28 + 1:02}/2024"
        first, second = darija[session % len(darija)], darija[(session * 7 + 3) % len(darija)]
        first, second = (text.replace("\n", " ") for text in (first, second))
        lines += [f"{day}, 10:00 - Zerhouni: {first} {session}", f"{day}, 10:01 - Anas: {second} {session % 9}"]
    lines.append("20/06/2024, 10:02 - Anas: fin Zerhouni? 3yet l 0612345678")
    (directory / "chat.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = PrepareArguments(
        directory / "dataset",
        [directory / "chat.txt"],
        assistant="Anas",
        pseudonym_key=directory / "key",
        canaries=1,
        deduplicate=False,
        validation_fraction=0.2,
        test_fraction=0.2,
    )
    prepare_data(arguments)
    return directory


def run_audit(directory, model, tmp_path, **changes) -> dict:
    arguments = {"model": str(model), "dataset": directory / "dataset", "pseudonym_key": directory / "key"} | SMALL
    audit(AuditArguments(output_dir=tmp_path / "audit", **arguments | changes))
    return json.loads((tmp_path / "audit" / "privacy_audit.json").read_text("utf-8"))


def test_every_check_of_a_random_model_is_made_and_the_file_is_for_a_gate(
    chats_dataset, tiny_llama_dir, tmp_path, capfd
):
    content = run_audit(chats_dataset, tiny_llama_dir, tmp_path)
    verdicts = {name: check["verdict"] for name, check in content["checks"].items()}
    # Its vocabulary was learnt elsewhere, from rare words.
    assert verdicts.pop("vocabulary_rare_entries") in ("failed", "passed")
    assert verdicts.pop("membership_auc") in ("failed", "passed")  # With few documents, chance decides.
    assert set(verdicts.values()) == {"passed"} and len(verdicts) == 7
    assert content["format"] == 1 and content["passed"] == (content["verdict"] == "passed")
    weights = hashlib.sha256((tiny_llama_dir / "model.safetensors").read_bytes()).hexdigest()
    tokenizer = hashlib.sha256((tiny_llama_dir / "tokenizer.json").read_bytes()).hexdigest()
    assert content["files"]["weights"]["model.safetensors"] == weights
    assert content["files"]["tokenizer"]["tokenizer.json"] == tokenizer
    assert content["dataset"]["report"]["private_data"]["PHONE"] == 1
    printed = "".join(capfd.readouterr())
    assert "names_in_samples" in printed and content["verdict"] in printed


def test_the_audit_and_what_is_printed_hold_no_name_number_or_text(
    chats_dataset, tiny_llama_dir, tmp_path, capfd, darija
):
    written = json.dumps(run_audit(chats_dataset, tiny_llama_dir, tmp_path), ensure_ascii=False)
    written += "".join(capfd.readouterr())
    canary_set = load_canaries(chats_dataset / "dataset")
    secrets = [canary.secret for canary in canary_set.canaries] + [canary.carrier for canary in canary_set.canaries]
    assert not [secret for secret in (*NAMES, *secrets, *darija, str(tmp_path)) if secret in written.split(" -> ")[0]]


def test_what_was_planted_stands_in_the_training_split_alone(chats_dataset):
    dataset = DatasetDict.load_from_disk(str(chats_dataset / "dataset"))
    canaries = load_canaries(chats_dataset / "dataset").canaries
    for split, rows in dataset.items():
        counts = [sum(canary.secret in text for text in rows["text"]) for canary in canaries]
        assert counts == ([canary.copies for canary in canaries] if split == "train" else [0] * 4)
    assert not [name for name in NAMES if name in str(dataset["train"]["text"])]
    written = (chats_dataset / "dataset" / "README.md").read_text() + (
        chats_dataset / "dataset" / "report.json"
    ).read_text()
    assert not [canary for canary in canaries if canary.secret in written]
    assert (chats_dataset / "dataset" / CANARIES_FILE).stat().st_mode & 0o077 == 0


def test_public_texts_leave_checks_unmade_and_nothing_passes_for_it(tiny_llama_dir, darija, tmp_path):
    rows = [
        {"text": text, "messages": None, "source": "web", "script": "Latn", "conversation_id": str(number)}
        for number, text in enumerate(darija)
    ]
    splits = {"train": rows[:20], "validation": rows[20:26], "test": rows[26:]}
    dataset = DatasetDict({name: Dataset.from_list(some, features=FEATURES) for name, some in splits.items()})
    dataset.save_to_disk(tmp_path / "dataset")
    content = run_audit(tmp_path, tiny_llama_dir, tmp_path)
    checks = content["checks"]
    unmade = {name for name, check in checks.items() if check["verdict"] == "not checked"}
    assert {"private_data_in_samples", "names_in_samples", "canaries_extracted", "vocabulary_names"} <= unmade
    assert all(checks[name]["reason"] and checks[name]["value"] is None for name in unmade)
    assert content["passed"] is False


def test_a_verdict_is_the_worst_of_its_checks():
    good, bad, unmade = Check("a", "", 0, 0), Check("b", "", 1, 0.5), Check("c", "", None, 0, "no key")
    for checks, verdict in (([good], "passed"), ([good, unmade], "incomplete"), ([good, unmade, bad], "failed")):
        assert summarize(checks)["verdict"] == verdict and summarize(checks)["passed"] is (verdict == "passed")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_samples": 0}, "num_samples=0 must be positive"),
        ({"temperature": 0.0}, "temperature=0.0 must be positive"),
        ({"max_membership_auc": -1.0}, "max_membership_auc=-1.0 must be 0 or more"),
    ],
)
def test_arguments_that_cannot_work_are_refused(changes, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        AuditArguments(model="m", dataset=tmp_path, output_dir=tmp_path / "out", **changes)
