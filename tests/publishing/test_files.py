"""What goes, what stays, and what must not lie there."""

import pytest

from darija_gpt.publishing.files import find_kind, find_stray_files, hash_published_files, matches


@pytest.mark.parametrize(
    ("name", "pattern", "is_match"),
    [
        ("config.json", "config.json", True),
        ("a/config.json", "config.json", False),
        ("model-00001-of-00002.safetensors", "model-*.safetensors", True),
        ("checkpoints/model-1.safetensors", "model-*.safetensors", False),
        ("checkpoints/step-1/model.safetensors", "checkpoints/**", True),
        ("checkpoints", "checkpoints/**", False),
        ("darija_gpt/__init__.py", "darija_gpt/**/*.py", True),
        ("darija_gpt/demo/pages.py", "darija_gpt/**/*.py", True),
        ("other/darija_gpt/pages.py", "darija_gpt/**/*.py", False),
        ("darija_gpt/notes.txt", "darija_gpt/**/*.py", False),
        ("data/train-00000-of-00001.parquet", "data/*.parquet", True),
        ("data/more/train.parquet", "data/*.parquet", False),
    ],
)
def test_a_star_stays_within_a_folder_and_two_do_not(name, pattern, is_match):
    assert matches(name, [pattern]) is is_match


def write_files(directory, names):
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


GOES = {"README.md", "config.json", "model.safetensors", "adapter/adapter_model.safetensors", "modeling_darija_gpt.py"}
STAYS = {"samples.jsonl", "run.json", "checkpoints/step-1/optimizer.bin", "training_summary.json", "trackio/a.db"}
STRAY = {
    "training_args.bin": "a pickle of training arguments",
    "adapter/training_args.bin": "a pickle of training arguments",
    "pytorch_model.bin": "a pickle, which can run programs",
    "model.pt": "a pickle, which can run programs",
    "state.pkl": "a pickle, which can run programs",
    "trainer_state.json": "the state of a trainer",
    "checkpoint-10/optimizer.pt": "the state of an optimizer",
    "WhatsApp Chat with Salma.txt": "a text, such as a chat export",
    "chats.ZIP": "an archive, such as a chat export",
    "rows.jsonl": "rows of data",
    "dataset/train/data-00000-of-00001.arrow": "rows of data",
    "pseudonym.key": "a key",
    "strange.py": "a program, and no part of this project's architecture",
    ".env": "a file that belongs to no model",
    "notes/diary.txt": "a text, such as a chat export",
    "vocab.txt": "a vocabulary of an older form, which nobody needs beside tokenizer.json",
    "spiece.model": "a vocabulary of an older form, which nobody needs beside tokenizer.json",
    "checkpoint-10/model.safetensors": "a file that belongs to no model",
}


def test_what_goes_what_stays_and_what_must_not_be_there(tmp_path):
    write_files(tmp_path, GOES | STAYS | set(STRAY))
    assert set(hash_published_files(tmp_path, "model")) == GOES
    words = [refusal.words for refusal in find_stray_files(tmp_path, "model")]
    assert len(words) == len(STRAY)
    for name, reason in STRAY.items():
        assert [said for said in words if said.startswith(f"{name} is {reason}")], name


def test_a_link_is_neither_followed_nor_overlooked(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "loss_curve.png").write_text("private")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").symlink_to(tmp_path / "elsewhere" / "loss_curve.png")
    (tmp_path / "model" / "plots").symlink_to(tmp_path / "elsewhere")
    assert hash_published_files(tmp_path / "model", "model") == {}
    words = [refusal.words for refusal in find_stray_files(tmp_path / "model", "model")]
    assert len(words) == 2 and all("a link, and what it leads to may be anything" in said for said in words)


def test_a_name_that_commands_a_terminal_is_only_shown(tmp_path):
    write_files(tmp_path, ["\x1b[2J.txt"])
    [refusal] = find_stray_files(tmp_path, "model")
    assert "\x1b" not in refusal.words and "\\x1b[2J.txt" in refusal.words


def test_an_adapter_is_told_from_a_model_that_has_one(tmp_path):
    write_files(tmp_path / "adapter", ["adapter_config.json"])
    write_files(tmp_path / "merged", ["config.json", "adapter/adapter_config.json"])
    assert (find_kind(tmp_path / "adapter"), find_kind(tmp_path / "merged")) == ("adapter", "model")
