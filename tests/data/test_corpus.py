"""The prepare stage: everything that came is in a split or in the report."""

import json
from pathlib import Path

import pytest
from datasets import load_from_disk

from darija_gpt.data.corpus import (
    FEATURES,
    SPLITS,
    PrepareArguments,
    detect_script,
    load_dataset_directory,
    prepare_data,
    split_conversations,
)


CHATS = Path(__file__).resolve().parents[3] / "shared" / "data" / "chats"


def write_chat(path: Path, num_sessions: int = 30, partner: str = "Salma") -> Path:
    """An Android export: a notice, and sessions of four messages and a picture, a day apart."""
    lines = ["13/01/2024, 09:00 - Messages and calls are end-to-end encrypted."]
    for session in range(num_sessions):
        day = f"{session % 28 + 1:02}/{session // 28 + 2:02}/2024"
        lines += [
            f"{day}, 10:00 - {partner}: salam {session}",
            f"{day}, 10:01 - {partner}: labas 3lik?",
            f"{day}, 10:02 - Anas: labas {session}",
            f"{day}, 10:03 - {partner}: <Media omitted>",
            f"{day}, 10:04 - Anas: واخا {session}",
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "chats").mkdir()
    write_chat(tmp_path / "chats" / "WhatsApp Chat with Salma.txt")
    write_chat(tmp_path / "chats" / "WhatsApp Chat with Karim.txt", 10, "Karim")
    return PrepareArguments(exports=[tmp_path / "chats"], output_dir=tmp_path / "dataset", assistant="Anas")


def test_every_message_is_kept_or_dropped_for_a_reason(arguments, capsys):
    prepare_data(arguments)
    report = json.loads((arguments.output_dir / "report.json").read_text())
    assert report["messages"] == 2 + 40 * 5 == report["kept"] + sum(report["dropped"].values())
    assert report["dropped"] == {"media": 40, "system": 2}
    assert report["conversations"] == 40
    assert sum(split["messages"] for split in report["splits"].values()) == report["kept"]
    assert [file["messages"] for file in report["files"]] == [51, 151]
    printed = capsys.readouterr().out
    assert "WhatsApp Chat with Salma.txt: 151 messages, 120 kept, dropped 30 media, 1 system" in printed


def test_the_splits_share_no_conversation_and_lose_none(arguments):
    prepare_data(arguments)
    dataset = load_from_disk(arguments.output_dir)
    assert set(dataset) == set(SPLITS)
    ids = [identifier for split in SPLITS for identifier in dataset[split]["conversation_id"]]
    assert len(ids) == len(set(ids)) == 40
    assert all(dataset[split].features == FEATURES and len(dataset[split]) for split in SPLITS)
    row = dataset["train"][0]
    assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
    assert row["text"] == "\n".join(message["content"] for message in row["messages"])


def test_no_name_and_no_file_name_is_in_the_dataset(arguments):
    prepare_data(arguments)
    written = str(load_from_disk(arguments.output_dir)["train"].to_list())
    assert not [name for name in ("Salma", "Karim", "Anas", "WhatsApp Chat") if name in written]


def test_the_same_seed_gives_the_same_splits(arguments, tmp_path):
    prepare_data(arguments)
    for name, seed, is_same in (("again", 0, True), ("other", 1, False)):
        arguments.output_dir, arguments.seed = tmp_path / name, seed
        prepare_data(arguments)
        first, second = (load_from_disk(tmp_path / folder)["test"].to_list() for folder in ("dataset", name))
        assert (first == second) is is_same


def test_without_an_assistant_the_rows_are_plain_text(arguments):
    arguments.assistant = None
    prepare_data(arguments)
    row = load_from_disk(arguments.output_dir)["train"][0]
    assert row["messages"] is None and row["text"].startswith("salam")


def test_an_assistant_who_is_in_no_chat_is_answered_with_who_is(arguments):
    arguments.assistant = "Anass"
    with pytest.raises(ValueError, match="assistant=Anass is not in these chats; they are between Salma, Anas, Karim"):
        prepare_data(arguments)
    assert not arguments.output_dir.exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.txt", "", "empty"),
        ("letter.txt", "Dear all,\nthis is no chat.\n", "letter.txt"),
    ],
)
def test_a_file_that_is_no_chat_is_named_and_nothing_is_written(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=words):
        prepare_data(PrepareArguments(exports=[tmp_path / name], output_dir=tmp_path / "dataset"))
    assert not (tmp_path / "dataset").exists()


def test_exports_that_are_not_there_are_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere"):
        prepare_data(PrepareArguments(exports=[tmp_path / "nowhere"], output_dir=tmp_path / "dataset"))


def test_a_chat_too_short_to_be_split_is_refused(tmp_path):
    chat = write_chat(tmp_path / "chat.txt", 2)
    with pytest.raises(ValueError, match=r"found 2 conversation\(s\)"):
        prepare_data(PrepareArguments(exports=[chat], output_dir=tmp_path / "dataset"))


@pytest.mark.parametrize(("validation", "test"), [(0, 0.1), (0.5, 0.5), (-0.1, 0.5), (0.1, 0)])
def test_fractions_leave_something_for_each_split(validation, test):
    with pytest.raises(ValueError, match="must be positive and leave something to train on"):
        PrepareArguments(exports=[], output_dir=Path("out"), validation_fraction=validation, test_fraction=test)


@pytest.mark.parametrize("num_rows", [3, 4, 10, 1000])
def test_no_split_is_ever_empty(num_rows):
    rows = [{"number": number} for number in range(num_rows)]
    splits = split_conversations(rows, validation_fraction=0.05, test_fraction=0.05, seed=0)
    assert sum(map(len, splits.values())) == num_rows and all(splits.values())


def test_a_directory_that_is_no_dataset_is_refused(tmp_path, dataset):
    with pytest.raises(ValueError, match="is no dataset directory"):
        load_dataset_directory(tmp_path)
    dataset.remove_columns("script").save_to_disk(tmp_path / "columns")
    with pytest.raises(ValueError, match="lacks the column script"):
        load_dataset_directory(tmp_path / "columns")
    del (splits := type(dataset)(dataset))["test"]
    splits.save_to_disk(tmp_path / "splits")
    with pytest.raises(ValueError, match="has no test split"):
        load_dataset_directory(tmp_path / "splits")


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("labas 3lik?", "Latn"),
        ("لاباس عليك؟ 7", "Arab"),
        ("wakha واخا", "mixed"),
        ("c'est bon, à demain", "Latn"),
        ("لاباس الحمد لله، كلشي بيخير ok", "Arab"),
        ("😂😂", "mixed"),
        ("", "mixed"),
    ],
)
def test_a_script_has_nine_of_ten_letters(text, script):
    assert detect_script(text) == script


@pytest.mark.skipif(not CHATS.is_dir(), reason="the real-text exports are not here")
def test_the_real_exports_are_accounted_for_to_the_last_message(tmp_path):
    manifest = json.loads((CHATS / "manifest.json").read_text(encoding="utf-8"))
    prepare_data(PrepareArguments([CHATS], tmp_path / "dataset", assistant=manifest["exporter"]))
    report = json.loads((tmp_path / "dataset" / "report.json").read_text(encoding="utf-8"))
    counts = {file["file"]: file["messages"] for file in report["files"]}
    assert counts == {name: chat["messages"] for name, chat in manifest["chats"].items()}
    assert report["messages"] == 63_414 == report["kept"] + sum(report["dropped"].values())


def test_private_data_is_replaced_and_counted_when_asked_for(tmp_path):
    """Invented numbers and names, in messages, and in the words of the person who exported the chat."""
    lines = [
        "12/03/2024, 10:00 - Amina Tazi: 3yet liya f 0612345678 3afak",
        "12/03/2024, 10:01 - Omar Berrada: wakha Amina, ana f rue 5",
        "12/03/2024, 18:00 - Amina Tazi: sift l amina.tazi@example.com",
        "12/03/2024, 18:01 - Omar Berrada: safi, chkran",
        "13/03/2024, 10:00 - Amina Tazi: chhal taman? 150 dh",
        "13/03/2024, 10:01 - Omar Berrada: iyeh 3la 9bel 150 dh",
    ]
    (tmp_path / "chat.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    prepare_data(
        PrepareArguments(
            exports=[tmp_path / "chat.txt"],
            output_dir=tmp_path / "dataset",
            assistant="Omar Berrada",
            validation_fraction=0.34,
            test_fraction=0.33,
            scrub=True,
        )
    )
    dataset = load_dataset_directory(tmp_path / "dataset")
    text = "\n".join(text for split in dataset.values() for text in split["text"])
    assert "0612345678" not in text and "Amina" not in text and "@" not in text
    assert "[PHONE]" in text and "[NAME]" in text and "[EMAIL]" in text
    assert "chhal taman? 150 dh" in text and "iyeh 3la 9bel 150 dh" in text
    report = json.loads((tmp_path / "dataset" / "report.json").read_text(encoding="utf-8"))
    assert report["private_data"]["PHONE"] == report["private_data"]["EMAIL"] == report["private_data"]["NAME"] == 1
