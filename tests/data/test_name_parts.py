"""What of a contact's name is a name; all contacts are invented."""

import pytest

from darija_gpt.data.names.parts import find_forms, list_parts


@pytest.mark.parametrize(
    ("contact", "parts"),
    [
        ("Yassine Zerhouni", ["Yassine", "Zerhouni"]),
        ("Hassan El Amrani plombier", ["Hassan", "El Amrani", "Amrani"]),
        ("Rachid Aït Taleb 2", ["Rachid", "Aït Taleb"]),
        ("Samira Ben Ali", ["Samira", "Ben Ali"]),
        ("Hind Ould Ahmed", ["Hind", "Ould Ahmed"]),
        ("عبد الغني الصقلي", ["عبد الغني", "الصقلي", "صقلي"]),
        ("Abd El Ghani Skalli", ["Abd El Ghani", "Skalli"]),
        ("Nour Eddine Mekouar", ["Nour Eddine", "Nour", "Mekouar"]),
        ("صلاح الدين", ["صلاح الدين", "صلاح"]),
        ("Moulay Driss", ["Moulay Driss", "Driss"]),
        ("Dr Ennaciri", ["Ennaciri", "naciri"]),
        ("Rbi3 🌿", ["Rbi3"]),
        ("Sa3id Boulot", ["Sa3id"]),
        ("Ayoub2", ["Ayoub"]),
        ("Khalti Ménage", []),
        ("Prof Math", []),
        ("Team Lead Adil", ["Adil"]),
        ("Hajar 2BAC", ["Hajar"]),
        ("Simo Tanja", ["Simo"]),
        ("Mama ❤️", []),
        ("Salma Lkhdma", ["Salma"]),
        ("Drari Lhouma", []),
        ("نادية المدرسة", ["نادية"]),
        ("Hassan Alami", ["Hassan", "Alami"]),
        ("Said El Omri", ["Said", "El Omri"]),
        ("محمد العمري", ["محمد", "العمري", "عمري"]),
        ("+212 600-000000", []),
    ],
)
def test_the_parts_of_a_name_are_what_people_are_called_by(contact, parts):
    assert [part.text for part in list_parts(contact)] == parts


def test_a_name_behind_another_or_an_article_is_a_family_s():
    assert [part.is_family for part in list_parts("Hassan El Amrani")] == [False, True, True]
    assert [part.is_family for part in list_parts("El Amrani")] == [True, True]


def test_the_forms_of_a_name_are_its_whole_its_parts_and_their_spellings():
    forms = find_forms("Chaimaa El Alaoui 🌸")
    assert forms[:4] == ["Chaimaa El Alaoui", "Chaimaa", "Chaimae", "Chaima"]
    assert {"شيماء", "El Alaoui", "Alaoui", "العلوي"} <= {*forms} and "El" not in forms
