"""The index knows what somebody wrote, however it is written again, and tells nothing to who lacks the key."""

import pytest

from darija_gpt.data.privacy import Person
from darija_gpt.data.private_index import INDEX_FILE, PrivateIndexWriter, load_private_index


PEOPLE = [Person("Amina Tazi", ("Amina", "أمينة", "Tazi")), Person("Omar Berrada", ("Omar", "عمر", "Berrada"))]


@pytest.fixture
def index(tmp_path):
    writer = PrivateIndexWriter(PEOPLE, tmp_path / "key")
    writer.note("3yet l Amina f 0612345678 wla amina.tazi@example.com, lcode howa 4821")
    writer.save(tmp_path)
    return load_private_index(tmp_path, tmp_path / "key")


@pytest.mark.parametrize(
    "text", ["06 12 34 56 78", "+212612345678", "nmra: 06-12-34-56-78 safi", "Amina.Tazi@EXAMPLE.com"]
)
def test_private_data_is_known_in_every_spelling(index, text):
    known, invented = index.find_data(text)
    assert known.total() == 1 and not invented


@pytest.mark.parametrize("text", ["0612345679", "karim@example.com", "lcode howa 4821"])
def test_what_nobody_wrote_or_anybody_could_guess_is_not_known(index, text):
    known, invented = index.find_data(text)
    assert not known and invented.total() == 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("fin amina?", 1),
        ("AMIIINA jat", 1),
        ("Amina Tazi jat", 2),
        ("l'Amina w lOmar", 2),
        ("قال ليا عمر", 0),  # also "age"
        ("وأمينة جات", 1),
        ("salam khouya labas", 0),
        ("tazia", 0),
    ],
)
def test_names_are_found_by_their_hashes(index, text, count):
    assert index.count_names(text) == count


def test_the_file_holds_hashes_and_nothing_that_somebody_wrote(index, tmp_path):
    written = (tmp_path / INDEX_FILE).read_text().lower()
    assert not [word for word in ("amina", "tazi", "omar", "0612345678", "612345678", "example") if word in written]


def test_another_key_is_refused_and_without_a_key_there_is_no_index(index, tmp_path):
    assert load_private_index(tmp_path, tmp_path / "nowhere") is None
    PrivateIndexWriter(PEOPLE, tmp_path / "other")
    with pytest.raises(ValueError, match=r"is not the key that .* was made with"):
        load_private_index(tmp_path, tmp_path / "other")


def test_where_nothing_is_private_no_key_and_no_file_are_made(tmp_path):
    writer = PrivateIndexWriter([], tmp_path / "key")
    writer.note("salam labas 3lik")
    writer.save(tmp_path)
    assert not list(tmp_path.iterdir())
