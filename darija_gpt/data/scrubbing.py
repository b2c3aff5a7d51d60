"""Scrubbing a corpus: one roster of everybody who wrote, a pseudonym for each, and a count of all replaced."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from darija_gpt.data.chats import Chat
from darija_gpt.data.name_spellings import find_spellings
from darija_gpt.data.privacy import Person, find_names, scrub
from darija_gpt.data.privacy_patterns import PLACEHOLDER
from darija_gpt.data.privacy_words import words
from darija_gpt.data.pseudonyms import choose_pseudonyms, read_key


# Words by which people save others in their telephones, and which in a message are no name.
CONTACT_WORDS = words(
    """
    mama maman mmi walida lwalida baba papa bba walid lwalid khouya khoya 5ouya khti khty 5ti ammi 3ammi 3mi khali
    khalti 3amti jeddi jedda mima hnia weld wld bent bnt mrat rajel oncle tante cousin cousine frere soeur ami amie
    copain hbibi hbiba 7bibi 7biba habibi habiba zwina l3ziz l3ziza sahbi sa7bi sahbti sa7bti jar jara dr docteur
    doctor tbib prof professeur ostad oustad ostada maitre avocat notaire taxi chauffeur chifour plombier
    electricien mecanicien mikanisyan menuisier najjar hanout 7anout epicier boucher coiffeur hallaq pharmacie
    dentiste medecin ecole mdrassa fac bureau travail khedma boulot service client agence banque bank immobilier
    syndic gardien concierge voisin voisine famille 3a2ila dar maison casa rabat fes marrakech tanger agadir maroc
    france groupe group les des the and new nouveau jdid jdida old ancien pro perso home work orange inwi iam
    whatsapp ماما بابا الواليدة الوالدة الوالد خويا ختي عمي عمتي خالي خالتي جدي جدة حبيبي حبيبتي صاحبي صاحبتي ولد
    بنت مرات راجل الدكتور دكتور الطبيب الاستاذ استاذ الأستاذ أستاذ الحاج الحاجة طاكسي الحانوت الجار الجارة العائلة
    الدار الخدمة
    """
)


def list_people(chats: Iterable[Chat]) -> list[Person]:
    """Everybody who wrote in one of the chats, each with the words of the name as further forms of it."""
    names = sorted({name for chat in chats for name in chat.participants})
    return [Person(name, tuple(find_forms(name))) for name in names]


def find_forms(name: str) -> list[str]:
    """The name without its emoji, and each of its words that is a name by itself, in all of its spellings.

    A contact is saved as `Hamid plombier` or as `Mama`: such words stay words.
    """
    words = re.findall(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*", name)
    forms = [" ".join(words)] if len(words) > 1 else []
    for word in words:
        if len(word) >= 3 and word.lower() not in CONTACT_WORDS:
            forms += [word, *find_spellings(word)]
    return forms


class Scrubber:
    """Scrubs texts and counts what it replaces.

    Args:
        people (`list[Person]`):
            Those whose names are replaced.
        key (`Path`):
            The file of the secret that pseudonyms are chosen with; made where there is none.

    Attributes:
        replaced (`Counter[str]`):
            Pieces of private data by type, `NAME` among them.

    Raises:
        ValueError: If the file is no key, or if others may read it.
    """

    def __init__(self, people: list[Person], key: Path):
        self.people = tuple(people)
        self.pseudonyms = choose_pseudonyms(people, read_key(key.expanduser())) if people else {}
        self.replaced: Counter[str] = Counter()

    def scrub(self, text: str) -> str:
        """The text without private data."""
        scrubbed = scrub(text, self.people, self.pseudonyms)
        if scrubbed != text:
            nameless = scrub(text)
            found = Counter(PLACEHOLDER.findall(nameless)) - Counter(PLACEHOLDER.findall(text))
            self.replaced.update({placeholder.strip("[]"): count for placeholder, count in found.items()})
            self.replaced["NAME"] += len(find_names(nameless, self.people))
        return scrubbed
