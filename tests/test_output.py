"""An output directory is whole or not there."""

import os
import stat

import pytest

from darija_gpt.output import make_printable, replace_section, write_directory, write_text


def test_a_finished_block_leaves_the_directory_and_nothing_else(tmp_path):
    with write_directory(tmp_path / "out") as directory:
        (directory / "file").write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "file").read_text() == "whole"


def test_a_failed_block_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), write_directory(tmp_path / "out") as directory:
        (directory / "file").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_holds_something_is_refused_and_kept(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").write_text("mine")
    with pytest.raises(ValueError, match="already holds another run"), write_directory(tmp_path / "out"):
        pass
    assert (tmp_path / "out" / "file").read_text() == "mine"


def test_an_empty_directory_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    with write_directory(tmp_path / "out") as directory:
        (directory / "file").touch()
    assert (tmp_path / "out" / "file").exists()


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "out").touch()
    with pytest.raises(ValueError, match="is a file"), write_directory(tmp_path / "out"):
        pass


def test_only_the_owner_can_enter_what_comes_from_chats(tmp_path):
    with write_directory(tmp_path / "out"):
        pass
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_a_terminal_is_shown_what_would_move_it():
    assert make_printable("a\n\x1b[2J\x9b\u202e\udcff.txt") == r"a\n\x1b[2J\x9b\u202e\udcff.txt"
    assert make_printable("دردشة مع 👩\u200d🌾 \u200f+212.txt") == "دردشة مع 👩\u200d🌾 \u200f+212.txt"


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "README.md"
    path.write_text("before")
    path.chmod(0o640)
    write_text(path, "after")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("after", 0o640)

    def fail(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(path, "half")
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


def test_a_readme_that_is_not_there_is_refused_with_what_it_needs(tmp_path):
    with pytest.raises(ValueError, match=r"nope\.md is no file; name one that has a line <!-- state:begin -->"):
        replace_section(tmp_path / "nope.md", "state", "")
