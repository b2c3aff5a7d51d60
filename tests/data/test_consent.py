"""Who agreed, who did not, and who was not asked."""

from datetime import datetime
from pathlib import Path

import pytest

from darija_gpt.data.consent import draft_consent, find_consent_reason, load_consent, locate_consent
from darija_gpt.data.whatsapp import Message


EXPORT = Path("chats/WhatsApp Chat with Salma.txt")


def write(folder: Path, text: str, export: Path = EXPORT) -> None:
    locate_consent(folder, export).write_text(text, encoding="utf-8")


def test_the_three_answers_are_read_as_words(tmp_path):
    write(tmp_path, "Salma: yes\nKarim: no\n'+212 600-000000': unknown\nأمينة: yes\n")
    assert load_consent(tmp_path, [EXPORT]) == {
        "Salma": "yes",
        "Karim": "no",
        "+212 600-000000": "unknown",
        "أمينة": "yes",
    }


def test_the_stricter_answer_counts(tmp_path):
    other = Path("chats/second.zip")
    write(tmp_path, "Salma: yes\nKarim: yes\nOmar: yes\nOmar: no\n")
    write(tmp_path, "Salma: unknown\n", other)
    assert load_consent(tmp_path, [EXPORT, other]) == {"Salma": "unknown", "Karim": "yes", "Omar": "no"}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Salma: maybe",
            "Salma",
            "- Salma",
            "Salma: [yes]",
            "Salma: {",
            "Salma: true",
            "[Pro]: yes",
            "? {a: b}\n: no",
        ),
        pytest.param("[" * 3000, id="nested deeply"),
    ],
)
def test_anything_else_is_no_answer(tmp_path, text):
    write(tmp_path, text)
    with pytest.raises(ValueError, match="write one line 'name: yes' for each participant"):
        load_consent(tmp_path, [EXPORT])


def test_a_missing_file_is_named_with_its_remedy(tmp_path):
    with pytest.raises(ValueError, match=r"WhatsApp Chat with Salma.txt.yaml, or run once with --draft_consent true"):
        load_consent(tmp_path, [EXPORT])


@pytest.mark.parametrize("name", ["Salma: a", "yes", "#x", "- b", "'q'", "~m", "123", "أمينة 🌸", "null"])
def test_a_draft_asks_everybody_and_reads_back(tmp_path, name):
    folder = tmp_path / "consent"
    assert draft_consent(folder, EXPORT, [name, "Anas"], "Anas")
    assert load_consent(folder, [EXPORT]) == {name: "unknown", "Anas": "yes"}
    assert folder.stat().st_mode & 0o077 == 0 and locate_consent(folder, EXPORT).stat().st_mode & 0o077 == 0


def test_a_draft_never_overwrites_answers(tmp_path):
    write(tmp_path, "Salma: no\n")
    assert not draft_consent(tmp_path, EXPORT, ["Salma"], None)
    assert load_consent(tmp_path, [EXPORT]) == {"Salma": "no"}


@pytest.mark.parametrize(
    ("author", "reason"),
    [
        ("Salma", None),
        ("Karim", "consent_no"),
        ("Omar", "consent_unknown"),
        ("Nobody asked", "consent_unknown"),
        (None, None),
    ],
)
def test_silence_is_no_consent(author, reason):
    consent = {"Salma": "yes", "Karim": "no", "Omar": "unknown"}
    message = Message(datetime(2024, 1, 1), author, "salam", "text")
    assert find_consent_reason(message, consent) == reason
    assert find_consent_reason(message, None) is None
