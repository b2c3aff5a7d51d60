"""Invented names for the participants of a chat: the same for a person everywhere, and nobody's secret but the key's.

A first name is drawn by HMAC-SHA256 of the person's name. Who has the chats but not the key cannot tell who is behind
one, nor check a guess; who has the key gives the same names again, in chats exported later, too.
"""

import contextlib
import hmac
import itertools
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from darija_gpt.data.names import Person, fold_form, read_roster, reduce_name


KEY_BYTES = 32
ARABIC_LETTERS = range(0x0600, 0x0700)
# What may be written onto a name, and must not make a name of the roster with it: l + Amine, Lamine.
CLITICS = ("", *"ldbfw", *"وفبلك", "ال", "ا", "لا")

# First names of women and men of Morocco, in Latin and in Arabic letters, none of which is a word of Darija.
NAMES: list[tuple[str, str]] = re.findall(
    r"(\S+)/(\S+)",
    """
    Abdelaziz/عبدالعزيز Abdelghani/عبدالغني Abdelhadi/عبدالهادي Abdelhak/عبدالحق Abdelhamid/عبدالحميد
    Abdelilah/عبدالإله Abdeljalil/عبدالجليل Abdelkader/عبدالقادر Abdelkrim/عبدالكريم Abdellah/عبدالله
    Abdellatif/عبداللطيف Abdelmajid/عبدالمجيد Abdelmalek/عبدالمالك Abdelouahed/عبدالواحد Abderrahim/عبدالرحيم
    Abderrahmane/عبدالرحمان Abderrazak/عبدالرزاق Abdeslam/عبدالسلام Abdessamad/عبدالصمد Achraf/أشرف Adam/آدم
    Adnane/عدنان Aghilas/أغيلاس Ahmed/أحمد Aicha/عائشة Aissa/عيسى Aksel/أكسيل Allal/علال Amnay/أمناي Anass/أنس
    Anir/أنير Aouicha/عويشة Assia/آسية Aymane/أيمن Ayoub/أيوب Azzeddine/عزالدين Bachir/بشير Badia/بديعة Badis/باديس
    Badreddine/بدرالدين Bahija/بهيجة Batoul/بتول Bilal/بلال Bouazza/بوعزة Bouchaib/بوشعيب Brahim/إبراهيم
    Chadia/شادية Chafik/شفيق Chaimae/شيماء Chakib/شكيب Chirine/شيرين Chouaib/شعيب Dalila/دليلة Driss/إدريس
    Fadwa/فدوى Fahd/فهد Faical/فيصل Faouzi/فوزي Farid/فريد Farida/فريدة Fatiha/فتيحة Fatima/فاطمة Fatna/فاطنة
    Ferdaous/فردوس Fettouma/فطومة Fouad/فؤاد Fouzia/فوزية Ghassane/غسان Ghita/غيثة Ghizlane/غزلان Hachem/هاشم
    Hadhoum/هدهوم Hafida/حفيظة Hafsa/حفصة Haitam/هيثم Hajar/هاجر Hakima/حكيمة Halima/حليمة Hamid/حميد Hamza/حمزة
    Haroun/هارون Hasna/حسناء Hatim/حاتم Hicham/هشام Houcine/حسين Houssam/حسام Ibtihal/ابتهال Ilyas/إلياس Imad/عماد
    Imrane/عمران Ines/إيناس Ismail/إسماعيل Issam/عصام Ito/إيطو Izem/إيزم Jalal/جلال Jalila/جليلة Jaouad/جواد
    Jihane/جيهان Jilali/جيلالي Kabbour/كبور Kacem/قاسم Kaddour/قدور Kaouthar/كوثار Kawtar/كوثر Keltoum/كلثوم
    Kenza/كنزة Khadija/خديجة Khadouj/خدوج Khalid/خالد Khalil/خليل Khaoula/خولة Lahcen/لحسن Lamia/لامية Lamiae/لمياء
    Lokman/لقمان Loubna/لبنى Lounja/لونجا Maati/معطي Maha/مها Maher/ماهر Mahjoub/محجوب Mahjouba/محجوبة Mahmoud/محمود
    Majda/ماجدة Manal/منال Mariam/مريم Maroua/مروى Marouane/مروان Marwa/مروة Massine/ماسين Massinissa/ماسينيسا
    Mehdi/مهدي Messaoud/مسعود Miloud/ميلود Milouda/ميلودة Mimoun/ميمون Mohamed/محمد Mohcine/محسن Mostafa/مصطفى
    Mouad/معاذ Mounia/مونية Mounir/منير Mounira/منيرة Mourad/مراد Moussa/موسى Nabil/نبيل Nabila/نبيلة Nadia/نادية
    Nadine/نادين Naima/نعيمة Najia/ناجية Najla/نجلاء Naoufal/نوفل Nassim/نسيم Nassima/نسيمة Nawal/نوال Naziha/نزيهة
    Nermine/نرمين Nihal/نهال Nisrine/نسرين Nizar/نزار Nora/نورة Nouha/نهى Nouhaila/نهيلة Noureddine/نورالدين
    Numidia/نوميديا Othmane/عثمان Ouail/وائل Ouiam/وئام Oumaima/أميمة Oussama/أسامة Rabab/رباب Rachid/رشيد
    Rachida/رشيدة Radoua/رضوى Rahima/رحيمة Rania/رانية Raouf/رؤوف Rayane/ريان Redouane/رضوان Rita/ريتا Rkia/رقية
    Rokhaya/رخية Saadia/سعدية Sabrine/صابرين Safia/صفية Salim/سليم Salma/سلمى Salwa/سلوى Sami/سامي Samia/سامية
    Samiha/سميحة Samir/سمير Samira/سميرة Siham/سهام Sirine/سيرين Slimane/سليمان Sofia/صوفيا Souad/سعاد
    Soufiane/سفيان Souhail/سهيل Soumaya/سمية Soundous/سندس Tamou/طامو Tanirt/تانيرت Taoufik/توفيق Tarik/طارق
    Thami/تهامي Tijani/تيجاني Tilila/تيليلا Titrit/تيتريت Touria/ثريا Wadie/وديع Wassim/وسيم Widad/وداد
    Yaacoub/يعقوب Yahya/يحيى Yamina/يامنة Yassine/ياسين Yassir/ياسر Yassmina/ياسمينة Yemna/يمنة Younes/يونس
    Yousra/يسرى Youssef/يوسف Yuba/يوبا Zahia/زاهية Zakaria/زكرياء Zakia/زكية Zhour/زهور Ziad/زياد Zineb/زينب
    Ziri/زيري Zoubida/زبيدة Zouhair/زهير Zoulikha/زليخة
    """,
)


@dataclass(frozen=True)
class Pseudonym:
    """An invented name in both scripts."""

    latin: str
    arabic: str

    def write_like(self, found: str) -> str:
        """The name in the script of what it replaces and, where all of that is small or large, in its case."""
        if any(ord(letter) in ARABIC_LETTERS for letter in found):
            return self.arabic
        if found.islower():
            return self.latin.lower()
        return self.latin.upper() if found.isupper() else self.latin


def read_key(path: str | Path) -> bytes:
    """The secret of 32 bytes by which pseudonyms are chosen, made when it is first asked for.

    Args:
        path (`str` or `Path`):
            The file of the key, readable by its owner alone. Keep it apart from the data: who has it can tell who is
            behind a pseudonym, and without it nobody can choose the same ones again.

    Raises:
        ValueError: If the file is no key, or if others may read it.
    """
    path = Path(path)
    if not path.exists():
        _write_key(path, secrets.token_bytes(KEY_BYTES))
    if not path.is_file():
        raise ValueError(f"The key {path} is no file; give the path of a file that is a key or does not exist yet.")
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ValueError(f"The key {path} may be read by others; run `chmod 600 {path}`, or delete it for a new one.")
    remedy = "restore it from a copy, or delete it for a new one, which gives everybody another pseudonym"
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        raise ValueError(
            f"The key {path} is damaged: it holds other things than hexadecimal digits; {remedy}."
        ) from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"The key {path} has {len(key)} bytes instead of {KEY_BYTES}; {remedy}.")
    return key


def _write_key(path: Path, key: bytes) -> None:
    """The key is whole or not there, and of two processes that write one, the first wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # Of mode 600.
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{key.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
    finally:
        os.unlink(partial)


def _draw_pseudonyms(name: str, key: bytes) -> Iterator[Pseudonym]:
    """First names in the order that the key gives them for a person; then pairs, where a chat has more people."""
    for counter in itertools.count():
        digest = hmac.digest(key, f"{name}\0{counter}".encode(), "sha256")
        drawn = [NAMES[int.from_bytes(part, "big") % len(NAMES)] for part in (digest[:16], digest[16:])]
        drawn = drawn if counter >= len(NAMES) else drawn[:1]
        yield Pseudonym(*(" ".join(spellings) for spellings in zip(*drawn, strict=True)))


def _list_free_names(roster: Sequence[Person]) -> set[str]:
    """Spellings of the pool that no form of the roster has as a word of it, nor makes with a clitic."""
    names = read_roster(tuple(roster))
    own = {
        reduce_name(fold_form(word))
        for person in roster
        for form in (person.name, *person.forms)
        for word in form.split()
    }
    return {
        spelling
        for pair in NAMES
        for spelling in pair
        if reduce_name(fold_form(spelling)) not in own
        and not any(names.matches(clitic + spelling) for clitic in CLITICS)
    }


def choose_pseudonyms(roster: Sequence[Person], key: bytes) -> dict[str, Pseudonym]:
    """An invented name for everybody in a chat, whatever the order in which they come.

    Args:
        roster (`Sequence[Person]`):
            The people of the chat.
        key (`bytes`):
            The secret of `read_key`.

    Returns:
        `dict[str, Pseudonym]`: `Person.name` -> a name that is nobody's in the roster, and no two people's.
    """
    free = _list_free_names(roster)
    chosen: dict[str, Pseudonym] = {}
    taken: set[Pseudonym] = set()
    for name in sorted({person.name for person in roster}, key=lambda name: (fold_form(name), name)):
        for pseudonym in _draw_pseudonyms(fold_form(name) or name, key):
            is_free = free.issuperset(f"{pseudonym.latin} {pseudonym.arabic}".split())
            if is_free and pseudonym not in taken:
                chosen[name] = pseudonym
                taken.add(pseudonym)
                break
    return chosen
