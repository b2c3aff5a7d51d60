"""The prepare stage: everything that came is in a split or in the report."""

import json
import random
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from datasets import load_from_disk

from darija_gpt.data.chats import list_exports, read_chats
from darija_gpt.data.corpus import PrepareArguments, prepare_data
from darija_gpt.data.dataset_directory import FEATURES, load_dataset_directory
from darija_gpt.data.deduplication import find_duplicates
from darija_gpt.data.privacy import Person, find_pii
from darija_gpt.data.private_index import load_private_index
from darija_gpt.data.pseudonyms import choose_pseudonyms, read_key
from darija_gpt.data.quality import QualityLimits
from darija_gpt.data.sources import Source
from darija_gpt.data.splits import SPLITS


CHATS = Path(__file__).resolve().parents[3] / "shared" / "data" / "chats"


VOCABULARY = "souk dar khedma tomobil atay khobz lhout zitoun beldi medina 7ouma zenqa qraya imtihan kora matar "
WORDS = VOCABULARY.split()


def write_chat(path: Path, num_sessions: int = 30, partner: str = "Salma") -> Path:
    """An Android export: a notice, and a day apart sessions of four messages and a picture, about different things."""
    lines = ["13/01/2024, 09:00 - Messages and calls are end-to-end encrypted."]
    draw = random.Random(partner)
    for session in range(num_sessions):
        day = f"{session % 28 + 1:02}/{session // 28 + 2:02}/2024"
        question, answer = (" ".join(draw.sample(WORDS, 8)) for _ in range(2))
        lines += [
            f"{day}, 10:00 - {partner}: salam {session}",
            f"{day}, 10:01 - {partner}: {question}?",
            f"{day}, 10:02 - Anas: {answer}",
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
    return PrepareArguments(
        exports=[tmp_path / "chats"],
        output_dir=tmp_path / "dataset",
        assistant="Anas",
        pseudonym_key=tmp_path / "pseudonym.key",
    )


def read_report(directory: Path) -> dict:
    return json.loads((directory / "report.json").read_text(encoding="utf-8"))


def read_texts(directory: Path) -> list[str]:
    return [text for split in load_dataset_directory(directory).values() for text in split["text"]]


def test_every_message_is_kept_or_dropped_for_a_reason(arguments, capsys):
    prepare_data(arguments)
    report = read_report(arguments.output_dir)
    assert report["messages"] == 2 + 40 * 5 == report["kept"] + sum(report["dropped"].values())
    assert report["dropped"] == {"media": 40, "system": 2}
    assert report["conversations"] == 40
    assert sum(split["messages"] for split in report["splits"].values()) == report["kept"]
    assert [file["messages"] for file in report["files"]] == [51, 151]
    printed = capsys.readouterr().out
    assert "WhatsApp Chat with Salma.txt: 151 messages (30 media, 1 system, 120 text), android, day_first" in printed
    assert "chats: 202 messages in 2 chat(s); 160 kept, dropped 40 media, 2 system" in printed


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
    assert row["messages"] is None and "salam" in row["text"]


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


def test_what_a_file_does_not_show_is_given_for_it_alone(arguments, tmp_path):
    folder = arguments.exports[0]
    (folder / "us.txt").write_text("01/25/2024, 10:00 - Nora: hello\n02/03/2024, 10:00 - Nora: hi\n")
    (folder / "short.txt").write_text("".join(f"{date}/24, 10:00 - Hind: {date}\n" for date in ("1/2", "1/3", "2/1")))
    (folder / "eu.txt").write_text("01/02/2024, 10:00 - Nora: salam\n")
    (folder / "old.txt").write_bytes("25/03/2024, 10:00 - Nora: سلام\n".encode("cp1256"))
    chats, files = read_chats(list_exports([folder]), day_first=True, encoding="cp1256")
    months = {chat.files[0].name: [message.timestamp.month for message in chat.messages] for chat in chats}
    assert (months["us.txt"], months["eu.txt"], months["old.txt"]) == ([1, 2], [2], [3])
    assert months["short.txt"] == [1, 1, 2]
    assert {chat.messages[0].text for chat in chats if chat.files[0].name == "old.txt"} == {"سلام"}
    assert {file["file"]: file["encoding"] for file in files}["WhatsApp Chat with Salma.txt"] == "utf-8"
    (folder / "eu.txt").unlink()
    arguments.encoding = "cp1256"
    prepare_data(arguments)
    files = {file["file"]: file for file in read_report(arguments.output_dir)["files"]}
    assert (files["old.txt"]["encoding"], files["us.txt"]["date_order"]) == ("cp1256", "month_first")


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
        PrepareArguments(
            exports=[Path("chats")], output_dir=Path("out"), validation_fraction=validation, test_fraction=test
        )


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
    for content in ("{}", "{"):
        (tmp_path / "splits" / "dataset_dict.json").write_text(content)
        with pytest.raises(ValueError, match="splits: a file of this dataset is damaged or missing"):
            load_dataset_directory(tmp_path / "splits")


@pytest.mark.parametrize("has_file", [False, True])
def test_a_dataset_without_rows_to_measure_on_is_refused(tmp_path, dataset, has_file):
    rows = dataset["validation"]
    empty = rows.filter(lambda row: False) if has_file else rows.select([])
    type(dataset)({**dataset, "validation": empty}).save_to_disk(tmp_path / "mine")
    assert has_file == any((tmp_path / "mine" / "validation").glob("*.arrow"))
    with pytest.raises(ValueError, match="mine/validation holds no rows; give a directory that prepare_data"):
        load_dataset_directory(tmp_path / "mine")


DAMAGES = {
    "data cut off": ("train/data-00000-of-00001.arrow", lambda whole: whole[:-500]),
    "data of zeros": ("train/data-00000-of-00001.arrow", lambda whole: bytes(len(whole))),
    "columns": ("validation/dataset_info.json", lambda whole: whole[:40]),
    "columns that are none": ("validation/dataset_info.json", lambda whole: b'{"features": {"text": 7}}'),
    "state": ("test/state.json", lambda whole: b"{}"),
    "splits": ("dataset_dict.json", lambda whole: b"[]"),
    "splits without a list": ("dataset_dict.json", lambda whole: b"{}"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_dataset_is_named_with_its_remedy(damage, dataset_dir, tmp_path):
    name, change = DAMAGES[damage]
    path = shutil.copytree(dataset_dir, tmp_path / "mine") / name
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(
        ValueError, match=r"/mine: a file of this dataset is damaged or missing \(.*; prepare it again"
    ):
        load_dataset_directory(tmp_path / "mine")


def test_a_dataset_that_lost_a_folder_is_named_with_its_remedy(dataset_dir, tmp_path):
    shutil.copytree(dataset_dir, tmp_path / "mine", ignore=shutil.ignore_patterns("test"))
    with pytest.raises(ValueError, match="/mine: a file of this dataset is damaged or missing"):
        load_dataset_directory(tmp_path / "mine")


@pytest.mark.skipif(not CHATS.is_dir(), reason="the real-text exports are not here")
def test_the_real_exports_are_accounted_for_to_the_last_message(tmp_path):
    manifest = json.loads((CHATS / "manifest.json").read_text(encoding="utf-8"))
    key = tmp_path / "pseudonym.key"
    prepare_data(PrepareArguments(tmp_path / "dataset", [CHATS], assistant=manifest["exporter"], pseudonym_key=key))
    report = read_report(tmp_path / "dataset")
    counts = {file["file"]: file["messages"] for file in report["files"]}
    assert counts == {name: chat["messages"] for name, chat in manifest["chats"].items()}
    assert report["messages"] == 63_414 == report["kept"] + sum(report["dropped"].values())
    assert report["num_chats"] == len(manifest["chats"]) and report["num_groups"] == 2
    assert all(report["private_data"][name] > 30 for name in ("PHONE", "EMAIL", "RIB", "CIN", "OTP", "NAME"))
    assert not [text for text in read_texts(tmp_path / "dataset") if manifest["exporter"] in text]


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
            pseudonym_key=tmp_path / "pseudonym.key",
        )
    )
    text = "\n".join(read_texts(tmp_path / "dataset"))
    assert "0612345678" not in text and "Amina" not in text and "@" not in text
    assert "[PHONE]" in text and "[EMAIL]" in text
    pseudonym = choose_pseudonyms([Person("Amina Tazi", ())], read_key(tmp_path / "pseudonym.key"))["Amina Tazi"]
    assert f"wakha {pseudonym.latin}, ana" in text
    assert "chhal taman? 150 dh" in text and "iyeh 3la 9bel 150 dh" in text
    report = read_report(tmp_path / "dataset")
    assert report["private_data"]["PHONE"] == report["private_data"]["EMAIL"] == report["private_data"]["NAME"] == 1


SPLIT_DATA = (
    ("Salma: lcode li wslk chno howa:", "Salma: 482913"),
    ("Salma: nmrti hiya 0612", "Salma: 345678"),
    ("Anas: mdp d wifi:", "Anas: Khobz2024!"),
    ("Salma: chno lcode?", "Anas: 774411"),
)


@pytest.mark.parametrize("options", [{}, {"assistant": None}, {"window_characters": 100}], ids=str)
def test_private_data_in_two_bubbles_is_replaced_counted_and_known(arguments, options):
    lines = []
    for day, bubbles in enumerate(SPLIT_DATA, start=13):
        salam = f"Salma: salam {' '.join(WORDS)}"  # fills a window
        lines += [f"{day}/05/2024, 10:00 - {text}" for text in (salam, "Anas: salam", *bubbles, "Salma: wakha")]
    (arguments.exports[0] / "WhatsApp Chat with Salma.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for name, value in options.items():
        setattr(arguments, name, value)
    prepare_data(arguments)
    rows = [row for split in load_dataset_directory(arguments.output_dir).values() for row in split]
    assert not [row for row in rows if find_pii(row["text"])]
    assert all(row["text"] == "\n".join(turn["content"] for turn in row["messages"] or []) for row in rows) or options
    assert sum(row["text"].count("[PHONE]\n[PHONE]") for row in rows) == 1
    assert read_report(arguments.output_dir)["private_data"] == {"OTP": 2, "PASSWORD": 1, "PHONE": 1}
    index = load_private_index(arguments.output_dir, arguments.pseudonym_key)
    for text in ("lcode 482913", "0612345678", "mdp: Khobz2024!", "lcode 774411"):
        assert index.find_data(text)[0].total() == 1


def test_private_data_in_two_messages_of_another_dataset_is_replaced(arguments, tmp_path):
    rows = [{"instruction": f"{word}: chno lcode?", "output": str(774411 + place)} for place, word in enumerate(WORDS)]
    (tmp_path / "alpaca.json").write_text(json.dumps(rows), encoding="utf-8")
    arguments.sources = [Source(str(tmp_path / "alpaca.json"))]
    prepare_data(arguments)
    texts = [text for text in read_texts(arguments.output_dir) if "lcode" in text]
    assert texts and all(text.endswith("\n[OTP]") for text in texts)


def test_what_is_said_again_is_in_one_split_only_and_counted(arguments, tmp_path):
    chain = "sift had lmessage l 10 dyal nass, ghadi tsme3 khbar zwin had simana inchallah"
    for hour, name in ((11, "Omar"), (15, "Hiba")):
        path = write_chat(tmp_path / "chats" / f"{name}.txt", 12, "Nadia")  # the same words in both chats
        text = path.read_text(encoding="utf-8").replace("Nadia", name).replace(", 10:", f", {hour}:")
        path.write_text(text + f"20/05/2024, {hour}:00 - {name}: {chain}\n", encoding="utf-8")
    prepare_data(arguments)
    report, texts = read_report(arguments.output_dir), read_texts(arguments.output_dir)
    duplicates = report["duplicates"]
    assert duplicates["messages"]["forwarded"] == report["dropped"]["forwarded"] >= 1
    assert (
        duplicates["rows"]["before"] - duplicates["rows"]["after"]
        == duplicates["rows"]["exact"] + duplicates["rows"]["near"]
    )
    assert sum(chain in text for text in texts) == 1
    assert not any(find_duplicates(texts))
    assert report["messages"] == report["kept"] + sum(report["dropped"].values())
    arguments.output_dir, arguments.deduplicate = tmp_path / "all", False
    prepare_data(arguments)
    assert any(find_duplicates(read_texts(tmp_path / "all"))) and read_report(tmp_path / "all")["duplicates"] is None


def test_two_exports_of_one_chat_count_once(arguments, tmp_path):
    whole = tmp_path / "chats" / "WhatsApp Chat with Salma.txt"
    lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "chats" / "March.txt").write_text("".join(lines[:100]), encoding="utf-8")
    prepare_data(arguments)
    report = read_report(arguments.output_dir)
    assert report["num_files"] == 3 and report["num_chats"] == 2
    assert report["dropped"]["repeated"] == 100 and report["kept"] == 160


def test_a_chat_exported_in_two_time_zones_is_in_one_split_only(arguments, tmp_path):
    draw, lines = random.Random(0), []
    for day in range(40):
        texts = [" ".join(draw.choices(WORDS, k=count)) for count in (4, 18, 7, 3, 20, 8)]
        date = f"{day % 28 + 1:02}/{day // 28 + 2:02}/2024, 10"
        lines += [
            f"{date}:{minute:02} - {'Anas' if minute % 2 else 'Hiba'}: {text}" for minute, text in enumerate(texts)
        ]
    (tmp_path / "chats" / "Fes.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "chats" / "Lyon.txt").write_text("\n".join(lines).replace(", 10:", ", 11:"), encoding="utf-8")
    arguments.exports = [tmp_path / "chats" / "Fes.txt", tmp_path / "chats" / "Lyon.txt"]
    prepare_data(arguments)
    assert read_report(arguments.output_dir)["dropped"]["repeated"] == 40 * 6
    dataset = load_dataset_directory(arguments.output_dir)
    train, *others = ({line for text in dataset[split]["text"] for line in text.split("\n")} for split in SPLITS)
    assert len(train) == 36 * 6 and all(others) and train.isdisjoint({*others[0], *others[1]})


def test_who_did_not_agree_is_left_out_and_the_turns_are_linked_anew(arguments, tmp_path, capsys):
    arguments.consent, arguments.draft_consent = tmp_path / "consent", True
    prepare_data(arguments)
    assert not arguments.output_dir.exists()
    drafts = sorted(path.name for path in arguments.consent.iterdir())
    assert drafts == ["WhatsApp Chat with Karim.txt.yaml", "WhatsApp Chat with Salma.txt.yaml"]
    (arguments.consent / drafts[0]).write_text("Anas: yes\nKarim: yes\n", encoding="utf-8")
    (arguments.consent / drafts[1]).write_text("Anas: yes\nSalma: no\n", encoding="utf-8")
    arguments.draft_consent = False
    prepare_data(arguments)
    report = read_report(arguments.output_dir)
    assert report["dropped"]["consent_no"] == 3 * 30
    # Whoever thinks of it later only is not told to remove what is there.
    arguments.draft_consent = True
    (arguments.consent / drafts[1]).unlink()
    prepare_data(arguments)
    assert (arguments.consent / drafts[1]).is_file()
    rows = [row for split in load_from_disk(arguments.output_dir).values() for row in split]
    of_salma = [row for row in rows if row["conversation_id"].startswith("01")]
    assert len(of_salma) == 30
    assert all([message["role"] for message in row["messages"]] == ["assistant"] for row in of_salma)


def test_a_chat_without_a_consent_file_stops_the_run(arguments, tmp_path):
    arguments.consent = tmp_path
    with pytest.raises(ValueError, match=r"holds no consent to WhatsApp Chat with Karim\.txt"):
        prepare_data(arguments)


def test_where_nobody_has_agreed_yet_the_error_says_so(arguments, tmp_path):
    arguments.consent, arguments.assistant = tmp_path / "consent", None
    prepare_data(replace(arguments, draft_consent=True))
    with pytest.raises(ValueError, match=r"found 0 .* 200 consent_unknown"):
        prepare_data(arguments)
    assert not arguments.output_dir.exists()


@pytest.mark.parametrize("is_draft", [True, False])
def test_one_consent_file_never_speaks_of_two_chats(arguments, tmp_path, is_draft):
    for folder, partner in (("first", "Omar"), ("second", "Hiba")):
        (tmp_path / folder).mkdir()
        write_chat(tmp_path / folder / "_chat.txt", partner=partner)
    arguments.exports = [tmp_path / "first", tmp_path / "second"]
    arguments.consent, arguments.draft_consent = tmp_path / "consent", is_draft
    with pytest.raises(ValueError, match=r"first/_chat\.txt and .*second/_chat\.txt are two chats.*; rename one"):
        prepare_data(arguments)
    assert not arguments.consent.exists() and not arguments.output_dir.exists()
    (tmp_path / "second" / "_chat.txt").rename(tmp_path / "second" / "hiba.txt")
    arguments.draft_consent = True
    prepare_data(arguments)
    assert len(list(arguments.consent.iterdir())) == 2


def test_two_exports_of_one_chat_may_share_a_name_and_the_consent(arguments, tmp_path):
    whole = tmp_path / "chats" / "WhatsApp Chat with Salma.txt"
    (tmp_path / "older").mkdir()
    lines = whole.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "older" / whole.name).write_text("".join(lines[:100]), encoding="utf-8")
    arguments.exports = [whole, tmp_path / "older"]
    arguments.consent, arguments.draft_consent = tmp_path / "consent", True
    prepare_data(arguments)
    assert [path.name for path in arguments.consent.iterdir()] == [f"{whole.name}.yaml"]


def test_the_latest_conversations_are_held_out_by_time(arguments):
    arguments.split_by = "time"
    prepare_data(arguments)
    dataset = load_from_disk(arguments.output_dir)
    # Of the chat with Salma, the last two days are the last two conversations of 40.
    assert [row["conversation_id"] for row in dataset["test"]] == ["01-00028", "01-00029"]
    assert [row["conversation_id"] for row in dataset["validation"]] == ["01-00026", "01-00027"]


def test_long_conversations_are_cut_into_windows_of_one_split(arguments):
    write_chat(arguments.exports[0] / "Omar.txt", 20, "Omar")
    write_chat(arguments.exports[0] / "Hiba.txt", 20, "Hiba")
    arguments.session_gap_minutes, arguments.window_characters = 60 * 24 * 7, 300
    prepare_data(arguments)
    dataset = load_from_disk(arguments.output_dir)
    ids = {name: set(split["conversation_id"]) for name, split in dataset.items()}
    assert sorted(map(len, ids.values())) == [1, 1, 2]
    assert len(set.union(*ids.values())) == 4 < sum(split.num_rows for split in dataset.values())
    assert all(len(text) <= 300 for text in read_texts(arguments.output_dir))


def test_other_datasets_are_mixed_in_by_weight(arguments, tmp_path):
    draw = random.Random(5)
    lines = [" ".join(draw.choices(WORDS, k=9)) for _ in range(60)]
    (tmp_path / "text.jsonl").write_text(
        "".join(json.dumps({"text": line}) + "\n" for line in lines), encoding="utf-8"
    )
    rows = [{"instruction": f"chno hiya {line}?", "input": "", "output": line[::-1]} for line in lines[:40]]
    (tmp_path / "alpaca.json").write_text(json.dumps(rows), encoding="utf-8")
    arguments.sources = [
        Source(str(tmp_path / "text.jsonl"), weight=2.0),
        Source(str(tmp_path / "alpaca.json"), weight=0.5),
    ]
    prepare_data(arguments)
    dataset, report = load_from_disk(arguments.output_dir), read_report(arguments.output_dir)
    texts, alpaca = (
        [row for row in dataset["train"] if row["source"] == source.label] for source in arguments.sources
    )
    assert len(texts) == 2 * len({row["text"] for row in texts}) and all(row["messages"] is None for row in texts)
    assert 8 < len(alpaca) < 28
    assert [message["role"] for message in alpaca[0]["messages"]] == ["user", "assistant"]
    held_out = [row["text"] for split in ("validation", "test") for row in dataset[split]]
    assert len(held_out) == len(set(held_out)) and not set(held_out) & {row["text"] for row in dataset["train"]}
    assert [source["rows"] for source in report["sources"]] == [60, 40]
    assert not list(arguments.output_dir.glob("cache*"))


def test_sources_that_hold_nothing_to_learn_tell_why(tmp_path):
    path, texts = tmp_path / "web.jsonl", ["salam khouya", "salam khouya", "", "привет"]
    arguments = PrepareArguments(
        sources=[Source(str(path), weight=1e-9)], output_dir=tmp_path / "out", pseudonym_key=tmp_path / "key"
    )
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    with pytest.raises(ValueError, match=r"found 1 .* 1 duplicate, 1 empty, 1 foreign_script: give more, or drop"):
        prepare_data(arguments)
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in [*texts, "fin ghadi daba", "labas a khti"]))
    with pytest.raises(ValueError, match="no row to train on"):
        prepare_data(arguments)


def test_other_datasets_need_no_chats(tmp_path):
    draw = random.Random(5)
    (tmp_path / "text.txt").write_text("\n\n".join(" ".join(draw.choices(WORDS, k=9)) for _ in range(30)))
    prepare_data(PrepareArguments(tmp_path / "dataset", sources=[Source(str(tmp_path / "text.txt"))], scrub=False))
    report = read_report(tmp_path / "dataset")
    assert report["messages"] == 0 and report["conversations"] == 30 and report["private_data"] is None


def test_spellings_stay_as_they_are_when_asked_for(arguments):
    with (arguments.exports[0] / "WhatsApp Chat with Salma.txt").open("a", encoding="utf-8") as file:
        file.write("20/05/2024, 10:00 - Salma: مـــرحبا\n")
    arguments.normalize = False
    prepare_data(arguments)
    assert any("مـــرحبا" in text for text in read_texts(arguments.output_dir))


def test_only_the_owner_can_read_what_was_derived(arguments, tmp_path):
    prepare_data(arguments)
    written = [arguments.output_dir, *arguments.output_dir.rglob("*")]
    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in written}
    assert modes == {True: 0o700, False: 0o600}
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in written} == {0}


def test_a_purge_removes_what_was_derived_and_nothing_else(arguments, tmp_path, capsys):
    prepare_data(arguments)
    (tmp_path / ".dataset.abcd1234").mkdir()
    (tmp_path / ".dataset.mine").mkdir()
    prepare_data(PrepareArguments(arguments.output_dir, purge=True))
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == [".dataset.mine", "chats", "pseudonym.key"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").touch()
    with pytest.raises(ValueError, match=r"mine was not written by prepare_data.py, so nothing in it was removed"):
        prepare_data(PrepareArguments(tmp_path / "mine", purge=True))
    assert (tmp_path / "mine" / "diary.txt").exists()


def test_quality_limits_are_a_part_of_the_recipe(arguments):
    arguments.quality = QualityLimits(max_characters=20)
    prepare_data(arguments)
    report = read_report(arguments.output_dir)
    assert report["dropped"]["too_long"] == 80 and max(len(text) for text in read_texts(arguments.output_dir)) < 60


def test_no_word_of_a_message_is_printed(arguments, capfd):
    prepare_data(arguments)
    printed = "".join(capfd.readouterr())
    assert not [word for word in (*WORDS, "salam", "واخا") if word in printed.replace("WhatsApp Chat with Salma", "")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"session_gap_minutes": 0}, "session_gap_minutes=0 must be at least 1"),
        ({"max_elongation": 0}, "try 3, or null"),
        ({"max_elongation": 99999999999}, "at most 1,000,000,000; try 3, or null"),
        ({"session_gap_minutes": 10**15}, "at most 1,000,000,000; try 180"),
        ({"window_characters": 5}, "window_characters=5 must be at least 100"),
        ({"near_duplicate_threshold": 0}, r"must be between 0\.1 and 1"),
        ({"max_elongation": 3, "normalize": False}, "max_elongation needs normalize"),
        ({"draft_consent": True}, "give it as --consent"),
        ({"exports": []}, "there is nothing to read"),
    ],
)
def test_arguments_that_cannot_work_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        PrepareArguments(**{"output_dir": Path("out"), "exports": [Path("chats")], **changes})
