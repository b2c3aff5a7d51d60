"""The index knows what somebody wrote, however it is written again, and tells nothing to who lacks the key."""

import pytest

from darija_gpt.data.privacy import Person
from darija_gpt.data.private_index import INDEX_FILE, PrivateIndexWriter, find_words, load_private_index
from darija_gpt.data.pseudonyms import read_key


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


@pytest.mark.parametrize(
    "link",
    [
        "wa.me/212612345678",
        "@212612345678",
        "https://x.ma/?tel=%2B212612345678",
        "https://x.ma/?m=Amina.Tazi%40example.com",
    ],
)
def test_private_data_is_known_in_links_and_behind_an_at_and_without_them(index, link, tmp_path):
    known, invented = index.find_data(link)
    assert known and known.total() + invented.total() == 2  # the link itself may be new
    writer = PrivateIndexWriter([], tmp_path / "key")
    writer.note(link)
    writer.save(tmp_path)
    known, invented = load_private_index(tmp_path, tmp_path / "key").find_data("0612345678, amina.tazi@example.com")
    assert known.total() == 1 and invented.total() == 1


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


def test_the_words_of_a_name_are_looked_for_in_texts(index):
    [name] = index.find_names("salam AMINA")
    assert find_words(["fin Amina?", "salam"], {*name, "omar"}) == {"amina"}


def test_the_file_holds_hashes_and_nothing_that_somebody_wrote(index, tmp_path):
    written = (tmp_path / INDEX_FILE).read_text().lower()
    assert not [word for word in ("amina", "tazi", "omar", "0612345678", "612345678", "example") if word in written]


def test_another_key_is_refused_and_without_a_key_there_is_no_index(index, tmp_path):
    assert load_private_index(tmp_path, tmp_path / "nowhere") is None
    read_key(tmp_path / "other")
    with pytest.raises(ValueError, match=r"is not the key that .* was made with"):
        load_private_index(tmp_path, tmp_path / "other")


def test_where_nothing_is_private_no_key_is_made_and_the_index_says_so_without_one(tmp_path):
    writer = PrivateIndexWriter([], tmp_path / "key")
    writer.note("salam labas 3lik")
    writer.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [INDEX_FILE]
    known, invented = load_private_index(tmp_path, tmp_path / "key").find_data("3yet l 0612345678")
    assert not known and invented.total() == 1


def test_a_found_spelling_that_is_a_word_elsewhere_is_no_name_and_what_people_are_called_stays_one(tmp_path):
    writer = PrivateIndexWriter([Person("Salma", ("Salma",))], tmp_path / "key")
    writer._found_names.update(["Selema", "Salama"])
    writer.note_words("yallah bsalama, salma")
    writer.save(tmp_path)
    index = load_private_index(tmp_path, tmp_path / "key")
    assert [index.count_names(text) for text in ("fin salma", "fin selema", "yallah bslama", "salama")] == [
        1,
        1,
        0,
        0,
    ]


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 9, "private_data": [], "names": [], "key_check": null}'])
def test_a_damaged_index_is_named(content, tmp_path):
    (tmp_path / INDEX_FILE).write_text(content)
    with pytest.raises(ValueError, match=r"private_data_index\.json is not what prepare_data\.py writes"):
        load_private_index(tmp_path, tmp_path / "key")
