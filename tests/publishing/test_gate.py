"""The gate by mutation: a clean model passes, and every leak that is put into one is refused for its own reason."""

import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from darija_gpt.data.corpus import PrepareArguments, prepare_data
from darija_gpt.hub import PublishArguments, publish
from darija_gpt.publishing.consent_gate import find_missing_consent
from darija_gpt.publishing.shipments import pack_shipments


PHONE, EMAIL, NAME = "0612345678", "salma.b@gmail.com", "Zerhouni"
TOKEN = "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ01234567"


def add_entry(entry: str) -> Callable[[Path], None]:
    def change(model: Path) -> None:
        """The vocabulary has another entry, as if it had been learnt."""
        path = model / "tokenizer.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        vocabulary = content["model"]["vocab"]
        # In place of an entry that no other is made of, so that nothing else changes.
        parts = {part for merge in content["model"]["merges"] for part in merge}
        last = max((name for name in vocabulary if len(name) > 1 and name not in parts), key=vocabulary.get)
        merges = [merge for merge in content["model"]["merges"] if "".join(merge) != last]
        content["model"] |= {
            "merges": merges,
            "vocab": {entry if name == last else name: number for name, number in vocabulary.items()},
        }
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    return change


def edit_config(**values: Any) -> Callable[[Path], None]:
    def change(model: Path) -> None:
        content = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps(content | values))

    return change


def write(name: str, content: str) -> Callable[[PublishArguments], None]:
    def change(arguments: PublishArguments) -> None:
        (arguments.model / name).write_text(content)

    return change


def set_field(name: str, value: Any) -> Callable[[PublishArguments], None]:
    return lambda arguments: setattr(arguments, name, value)


def edit_weights(arguments: PublishArguments) -> None:
    path = arguments.model / "model.safetensors"
    tensors = load_file(path)
    next(iter(tensors.values())).view(-1)[0] += 1e-3
    save_file(tensors, path, metadata={"format": "pt"})


def edit_code(arguments: PublishArguments) -> None:
    with (arguments.model / "modeling_darija_gpt.py").open("a") as file:
        file.write("print('loaded')\n")


def take_another_audit(arguments: PublishArguments) -> None:
    path = arguments.audit / "privacy_audit.json"
    content = json.loads(path.read_text())
    content["files"] = {group: dict.fromkeys(files, "0" * 64) for group, files in content["files"].items()}
    path.write_text(json.dumps(content))


def publish_without_consent(arguments: PublishArguments) -> None:
    arguments.private, arguments.consent = False, None


@dataclass(frozen=True)
class Leak:
    """What is put into a clean model before the audit and after it, and for what it is then refused."""

    causes: set[str]
    words: str
    kind: str = "chat"
    before: Callable[[Path], None] = lambda model: None
    after: Callable[[PublishArguments], None] = lambda arguments: None
    measured: dict[str, Any] = field(default_factory=dict)


LEAKS = {
    "raw phone reproducible": Leak(
        {"audit failed"}, "private_data_in_samples is 1, and may be 0 at most", measured={"with_private_data": 1}
    ),
    "name in the vocabulary": Leak({"audit failed"}, "vocabulary_names is 1", before=add_entry(NAME)),
    "phone in the vocabulary": Leak(
        {"audit failed", "private data"},
        "an entry of tokenizer.json is private data of the type PHONE",
        before=add_entry(PHONE),
    ),
    "e-mail in the card": Leak(
        {"private data"},
        r"README.md, line \d+, holds private data of the type EMAIL",
        after=set_field("data_description", f"Questions to {EMAIL}."),
    ),
    "roster name in id2label": Leak(
        {"name"},
        "config.json under id2label holds the name of somebody who wrote",
        kind="classifier",
        before=edit_config(id2label={"0": "khayb", "1": NAME}),
    ),
    "training_args.bin": Leak(
        {"stray file"}, "training_args.bin is a pickle of training arguments", after=write("training_args.bin", TOKEN)
    ),
    "a chat": Leak(
        {"stray file"}, r"chat\.txt is a text, such as a chat export", after=write("chat.txt", f"{NAME}: salam")
    ),
    "trainer state with samples": Leak(
        {"stray file"},
        "trainer_state.json is the state of a trainer, in which samples",
        after=write("trainer_state.json", json.dumps({"log_history": [{"sample": f"{NAME}: salam"}]})),
    ),
    "a token in the README": Leak(
        {"secret"}, r"README.md, line \d+, holds a token of the Hub", after=set_field("data_description", f"({TOKEN})")
    ),
    "weights edited after the audit": Leak(
        {"changed files"}, "model.safetensors: not the same as when the model was audited", after=edit_weights
    ),
    "code edited after the audit": Leak(
        {"changed files"}, "modeling_darija_gpt.py: not the same as in this darija_gpt", after=edit_code
    ),
    "audit of another model": Leak({"other model"}, "the audit speaks of another model", after=take_another_audit),
    "consent missing": Leak({"consent"}, "nobody's consent is given", after=publish_without_consent),
    "canary extractable": Leak({"audit failed"}, "canaries_extracted is 1, and may be 0", measured={"hits": 1}),
    "a path with a user name": Leak(
        {"path"}, "config.json holds a path with the name of a user", before=edit_config(_name_or_path="/home/salma/x")
    ),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_leak_is_refused_for_its_own_reason_and_nothing_is_sent(leak, prepare_publication, hub, capsys):
    arguments = prepare_publication(leak.kind, leak.before, leak.measured)
    leak.after(arguments)
    with pytest.raises(ValueError, match="nothing is sent, for") as refusal:
        publish(arguments)
    assert hub.repositories == {}
    words = str(refusal.value)
    assert re.search(leak.words, words)
    assert [name for name, other in LEAKS.items() if re.search(other.words, words) and other is not leak] == []
    assert "\n" not in words
    printed = capsys.readouterr()
    assert not [secret for secret in (PHONE, EMAIL, NAME, TOKEN) if secret in words + printed.out + printed.err]
    with pack_shipments(arguments) as shipments:
        assert {refusal.cause for refusal in shipments[0].refusals} == leak.causes


def test_there_are_fifteen_leaks_of_fifteen_reasons():
    assert len(LEAKS) == len({leak.words for leak in LEAKS.values()}) == 15


@pytest.mark.parametrize("kind", ["base", "chat", "merged", "adapter", "classifier"])
@pytest.mark.parametrize("private", [True, False], ids=["private", "public"])
def test_a_clean_model_passes(kind, private, prepare_publication, hub):
    arguments = prepare_publication(kind)
    arguments.private = private
    publish(arguments)
    repository = hub.repositories["someone/darija-small"]
    assert len(repository.commits) == 1 and repository.private is private
    assert {"README.md", "LICENSE", "privacy_audit.json", "tokenizer.json"} <= set(repository.files)
    assert not [name for name in repository.files if "samples" in name or "summary" in name]


@pytest.mark.parametrize(
    ("change", "cause", "words"),
    [
        (set_field("audit", None), "no audit", "there is no privacy audit; run audit.py"),
        (set_field("dataset", None), "no dataset", "name the dataset as --dataset"),
        (set_field("pseudonym_key", Path("nowhere")), "no dataset", "nowhere is not its key"),
    ],
)
def test_without_what_speaks_for_it_nothing_is_sent(change, cause, words, prepare_publication, hub):
    arguments = prepare_publication()
    change(arguments)
    with pytest.raises(ValueError, match=words):
        publish(arguments)
    assert hub.repositories == {}
    with pack_shipments(arguments) as shipments:
        assert {refusal.cause for refusal in shipments[0].refusals} == {cause}


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        ({"max_membership_auc": 1.0, "auc": 0.9}, "membership_auc is 0.9, and may be 0.65 at most"),
        ({"num_samples": 8}, "made with num_samples=8 instead of 10000"),
        ({"prefix_tokens": 1}, "made with prefix_tokens=1 instead of 32"),
        ({"continuation_tokens": 500}, "made with continuation_tokens=500 instead of 32"),
        ({"top_k": 1, "temperature": 50.0}, "made with top_k=1 instead of 40, temperature=50.0 instead of 1.0"),
        ({"auc": float("nan")}, "holds NaN where a number was expected"),
    ],
)
def test_an_audit_with_looser_thresholds_or_a_shorter_look_does_not_count(measured, words, prepare_publication, hub):
    arguments = prepare_publication(measured=measured)
    with pytest.raises(ValueError, match=words):
        publish(arguments)
    assert hub.repositories == {}


def test_a_verdict_that_somebody_has_edited_is_drawn_again(prepare_publication, hub):
    arguments = prepare_publication(measured={"with_names": 2})
    path = arguments.audit / "privacy_audit.json"
    content = json.loads(path.read_text())
    content |= {"passed": True, "verdict": "passed"}
    content["checks"]["names_in_samples"] |= {"verdict": "passed", "passed": True, "at_most": 5}
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="names_in_samples is 2, and may be 0 at most"):
        publish(arguments)
    content["checks"]["names_in_samples"]["value"] = 0
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="names_in_samples: not what follows from the audit's own figures"):
        publish(arguments)
    del content["checks"]["names_in_samples"]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="names_in_samples: not what follows from the audit's own figures"):
        publish(arguments)
    assert hub.repositories == {}


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("checks", "membership_auc", "value"), "0.5", "not what audit"),
        (("checks", "membership_auc", "at_most"), None, "not what audit"),
        (("checks", "membership_auc"), [], "not what audit"),
        (("checks",), ["passed"], "not what audit"),
        (("files", "weights"), "all", "not what audit"),
        (("files", "weights", "model.safetensors"), 1, "not what audit"),
        (("passed",), "yes", "not what audit"),
        (("verdict",), None, "not what audit"),
        (("membership", "attacks"), [], "not what audit"),
        (("membership", "attacks", "loss", "auc"), "high", "not what audit"),
        (("canaries",), [1], "not what audit"),
        (("samples", "invented"), 5, "not what audit"),
        (("continuation", "train"), 0, "not what audit"),
        (("settings", "num_samples"), "many", "made with num_samples=many instead of 10000"),
        (("settings", "continuation_tokens"), "many", "made with continuation_tokens=many instead of 32"),
        (("vocabulary", "entries"), 0, "looked at no entry of the vocabulary"),
        (("membership", "attacks", "loss", "auc"), 0.97, "membership_auc: not what follows"),
        (("samples", "with_private_data"), 3, "private_data_in_samples: not what follows"),
        (("canaries",), None, "canaries_extracted: not what follows"),
        (("dataset", "report"), ["none"], "vocabulary_names, .*: not what follows"),
        (("checks", "membership_auc", "value"), 0.1, "membership_auc: not what follows"),
    ],
)
def test_an_audit_that_somebody_edited_by_hand_is_refused(place, value, words, prepare_publication, hub):
    arguments = prepare_publication()
    path = arguments.audit / "privacy_audit.json"
    content = json.loads(path.read_text())
    *way, last = place
    functools.reduce(lambda part, key: part[key], way, content)[last] = value
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=words):
        publish(arguments)
    assert hub.repositories == {}


@pytest.mark.parametrize("figures", [[1], {}, "none", None])
def test_figures_that_are_none_do_not_stop_the_gate(figures, prepare_publication):
    from darija_gpt.publishing.audit_gate import find_failed_checks

    content = json.loads((prepare_publication().audit / "privacy_audit.json").read_text())
    content["vocabulary"]["names"] = figures
    assert "vocabulary_names" in find_failed_checks(content)[0].words
    assert find_failed_checks(content | {"membership": figures, "samples": figures})


def test_the_gate_knows_every_setting_by_which_an_audit_could_see_less(prepare_publication):
    from darija_gpt.publishing.audit_gate import EFFORTS

    settings = json.loads((prepare_publication().audit / "privacy_audit.json").read_text())["settings"]
    # Thresholds are our own, and any seed is as good as another.
    assert {name for name in settings if not name.startswith("max_")} == {*EFFORTS, "seed"}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("Zerhouni: yes\nMkhitar: unknown\n", "chat.txt.yaml: 1 of 2 have not answered"),
        ("{}\n", "chat.txt.yaml: 2 of 2 have not answered"),
        ("Mkhitar: yes\n", "chat.txt.yaml: 1 of 2 have not answered"),
        ("Zerhouni: no\nMkhitar: yes\n", "chat.txt.yaml: 1 of 2 say no, and the dataset holds their words"),
        (None, "chat.txt.yaml is missing in"),
    ],
)
def test_a_consent_that_is_not_complete_keeps_a_model_private(answers, words, prepare_publication, tmp_path, hub):
    arguments = prepare_publication()
    arguments.private, arguments.consent = False, tmp_path / "consent"
    arguments.consent.mkdir()
    if answers is not None:
        (arguments.consent / "chat.txt.yaml").write_text(answers)
    with pytest.raises(ValueError, match=words):
        publish(arguments)
    assert hub.repositories == {}
    arguments.private = True
    publish(arguments)
    assert hub.repositories["someone/darija-small"].private


GROUP = ("Zerhouni", "Mkhitar", "Benkiran")


@pytest.fixture
def group(tmp_path) -> Callable[..., None]:
    """Prepares two exports of one chat of three people, of whom two agree; writes what they answer later."""
    consent = tmp_path / "consent"
    consent.mkdir()
    lines = [
        f"{number % 28 + 1:02}/{number // 28 + 1:02}/2024, 10:0{place} - {name}: labas {number} {place}"
        for number in range(60)
        for place, name in enumerate(GROUP)
    ]

    def answer(answers: dict[str, str], export: str) -> None:
        (consent / f"{export}.yaml").write_text("".join(f"{name}: {word}\n" for name, word in answers.items()))

    for number, part in enumerate((lines[:100], lines[80:])):
        (tmp_path / f"{number}.txt").write_text("\n".join(part) + "\n")
        answer({"Zerhouni": "yes", "Mkhitar": "yes", "Benkiran": "no"}, f"{number}.txt")
    exports = [tmp_path / "0.txt", tmp_path / "1.txt"]
    prepare_data(
        PrepareArguments(tmp_path / "dataset", exports, consent=consent, pseudonym_key=tmp_path / "key", canaries=0)
    )
    return answer


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"Zerhouni": "yes", "Mkhitar": "yes", "Benkiran": "no"}, []),
        # Whose words were left out may agree later.
        ({"Zerhouni": "yes", "Mkhitar": "yes", "Benkiran": "yes", "Alami": "unknown"}, []),
        ({"Zerhouni": "no", "Mkhitar": "yes", "Benkiran": "no"}, ["1 of 3 say no, and the dataset holds their words"]),
        ({"Mkhitar": "yes", "Benkiran": "no"}, ["1 of 3 have not answered"]),
        ({"Mkhitar": "no"}, ["2 of 3 have not answered", "1 of 3 say no"]),
    ],
)
def test_who_withdraws_a_consent_keeps_the_dataset_private(answers, words, group, tmp_path):
    group(answers, "1.txt")
    group(answers, "0.txt")
    refusals = find_missing_consent(tmp_path / "dataset", tmp_path / "consent", tmp_path / "key")
    assert len(refusals) == len(words)
    for refusal, said in zip(refusals, words, strict=True):
        assert refusal.words.startswith(f"0.txt.yaml, 1.txt.yaml: {said}")
        assert not [name for name in GROUP if name in refusal.words]


def test_a_report_says_who_answered_what_to_nobody_without_the_key(group, tmp_path):
    report = (tmp_path / "dataset" / "report.json").read_text()
    [chat] = json.loads(report)["chats"]
    assert chat["files"] == ["0.txt", "1.txt"] and sorted(chat["answers"].values()) == ["no", "yes", "yes"]
    assert not [name for name in GROUP if name in report]
    (tmp_path / "key").unlink()
    [refusal] = find_missing_consent(tmp_path / "dataset", tmp_path / "consent", tmp_path / "key")
    assert "name the key as --pseudonym_key" in refusal.words and not (tmp_path / "key").exists()


@pytest.mark.parametrize("chats", [None, 3, [1], [{"files": ["0.txt"]}], [{"files": 1, "answers": {}}]])
def test_a_dataset_that_does_not_say_who_wrote_is_to_be_prepared_again(chats, group, tmp_path):
    path = tmp_path / "dataset" / "report.json"
    report = json.loads(path.read_text()) | {"chats": chats}
    path.write_text(json.dumps({key: value for key, value in report.items() if value is not None}))
    [refusal] = find_missing_consent(tmp_path / "dataset", tmp_path / "consent", tmp_path / "key")
    assert refusal.words.endswith("does not say who wrote in its chats; prepare it again")


def test_an_adapter_whose_base_is_a_directory_needs_to_know_where_that_stands(prepare_publication, hub):
    arguments = prepare_publication("adapter")
    arguments.base_repo_id = None
    with pytest.raises(ValueError, match="say where that stands on the Hub: --base_repo_id"):
        publish(arguments)
    assert hub.repositories == {}
