"""People's names in a text: a form of the name, in Latin or Arabic letters, however it is written and prefixed."""

import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from darija_gpt.data.privacy_patterns import words
from darija_gpt.data.privacy_spans import INVISIBLE, Bounds, PiiSpan


class Person(NamedTuple):
    """A participant, and the known spellings of the name in either script."""

    name: str
    forms: tuple[str, ...]


# Folded spellings of names that are words of Darija, Arabic or French too: nour "light", lina "to us".
ORDINARY_WORDS = words(
    """
    nour noor nur amal said saïd karim rabi3 rabie rabia salam iman imane hiba hayat farah sabah badr bader hoda
    huda wafa wafae ikram ihsan najat jamal jamila adil amin amine anwar chams dounia donia dunia fajr ghali hanan
    latif latifa mabrouk malak nasr nada najm rajae raja rahma rida reda safa safae salah tariq wahid ward warda
    zahra zine zin zina aya douaa doua fath ilham islam jihad kamal layla lila leila lina nidal riad riyad saad
    soltan sultan tayeb sana amira mina dina hadi hind hana rose claire pierre olive marie aube jean aziz habib
    sabir sabr taha wissal yosr yousr moulay
    نور امل سعيد سعيده كريم كريمه ربيع سلام ايمان هبه حياه فرح صباح بدر هدي وفاء اكرام احسان نجاه جمال جميله عادل
    امين انوار شمس دنيا فجر غالي لطيف لطيفه مبروك ملاك نصر ندي نجم رجاء رحمه رضي رضا صفاء صلاح وحيد ورد ورده زهره
    زين زينه ايه بشري دعاء فتح الهام اسلام جهاد كمال ليلي نضال رياض سعد صديق سلطان طيب حكيم سناء اسماء اميره ملكه
    علي عليا هادي هند مني عزيز عزيزه حبيب حبيبه صابر صبر يسر عمر
    """
)
# What stands before a person who is called, greeted or spoken of.
VOCATIVES = words(
    """
    a ya si lalla sidi moulay khouya 5ouya khoya khti 5ti khtito 3mmi 3ami khalti khali ostad oustad dr docteur mr
    mme madame monsieur sahbi sa7bi azizi 3zizi 3ziza m3a 3nd 3end wld weld bnt bent mrat rajl khout salam slm slt
    salut cc bonjour bonsoir hi hello hey ahlan mrhba marhba merci chokran chukran choukran labas smiti smito smitha
    smiya bsla7a fin
    ا يا السي سي لاله سيدي مولاي خويا ختي اختي اخي الاخ الاخت الاستاذ الاستاذه استاذ الدكتور عمي خالتي خالي صاحبي
    صاحبتي مع عند ولد بنت سلام اهلا مرحبا عزيزي عزيزتي شكرا سميتو سميتها سميتي وا هيا
    """
)
# What people do and are, and what they are asked.
FOLLOWERS = words(
    """
    gal galt galat galli galo gali galia gallia mcha mchat mchit ja jat jab jabt jabat jay jaya ghadi ghadya kaygol
    katgol 3yt 3yyt 3ayt 3ayta sift sifet tsl tsal jawb jawbat tzwej tzwjat wld weldat rj3 rje3 wsl wslat khrj
    khrjat tlf 9al 9alt 9ali 9alat 9alatli khda khdat bgha bghat dar dart 3ta 3tat 3tatni 3tani jabo chra chrat nsa
    nsat hdr hdrat m3tl mrid mrida 3yan 3yana na3s na3sa nasa mjwj mjwja 3ndo 3ndha smito tu nta nti ntia ntina rak
    raki wach wash fin fink finek chno 3afak 3afaki stp svp aji chof choufi tqdr t9dr t9dri tji bghit ghatji ghayji
    قال قالت قاليا قالتليا گال گالت گاليا كال مشا مشي مشات جا جات جاب جابت غادي غاديه جاي جايه كيقول كتقول عيط عيطات
    صيفط صيفطات تزوج تزوجات رجع رجعات وصل وصلات خرج خرجات دار دارت خدا خدات بغا بغات عطا عطات عطاني عطاتني شرا شرات
    نسا نسات هضر هضرات مريض مريضه عيان عيانه ناعس ناعسه نتا نتي نتينا راك راكي راه راها واش فين فينك شنو عفاك عفاكي
    اجي شوف شوفي تقدر تقدري غايجي غاتجي كايقول كاتقول وصلتي جيتي مشيتي
    """
)
# Verbs after which "l", to, comes before a person.
SPEAKING = re.compile(
    r"(?:s[iy]f|gol|gul|9ol|golt|3ti|3ta|3yt|3ayt|tsl|hdr|dwi|jwb|صيفط|صفط|قول|گول|قلت|عطي|عيط|هضر|جاوب)"
)
FORM_OF_ACTION = re.compile(
    r"(?:ka[ytn]|gha[dytn]|ma[ytkgb])[a-z0-9]{2,}|(?:كي|كت|كاي|كات|غاي|غات|غادي|ماك|مات|ماي)\w{2,}"
)

ARABIC_VARIANTS = str.maketrans("أإآٱىةگڭڤ", "اااايهككف")
MARKS = r"\u0640\u064b-\u0652\u0300-\u036f"
WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
NOT_IN_NAMES = re.compile(rf"[\W_{MARKS}]+")
REPEATED = re.compile(r"(.)(?=\1)")
DRAWN_OUT = re.compile(r"(.)\1{2,}")


class _Folding(dict):
    """Code point -> its letter without case and marks, one for one: É is e, أ is ا."""

    def __missing__(self, code: int) -> str:
        base = unicodedata.normalize("NFKD", chr(code))[:1].lower().translate(ARABIC_VARIANTS)
        self[code] = base if len(base) == 1 else chr(code)
        return self[code]


FOLDING = _Folding()


def fold_name(text: str) -> str:
    """A text of the same length in which no letter has case or accent."""
    return text.lower() if text.isascii() else text.translate(FOLDING)


def fold_form(form: str) -> str:
    """A spelling of a name as texts are compared with it, without what stands around its letters."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", fold_name(INVISIBLE.sub("", form)))


def reduce_name(folded: str) -> str:
    """The letters of a name, each once however long it is drawn."""
    return REPEATED.sub("", NOT_IN_NAMES.sub("", folded))


def _write_run(letter: str, count: int, is_short: bool) -> str:
    """A pattern for a letter that stands `count` times in a name and may be drawn out: Yassine, Yassiiine."""
    letter = re.escape(letter)
    if not letter.isascii():
        return f"{letter}{{{count}}}{letter}*+[{MARKS}]{{0,4}}"
    # Of ali and alli, one is a name; aliii is the same again.
    return f"{letter}{{{count}}}" + (f"(?:{letter}{letter}++)?+" if is_short else f"{letter}*+")


def _write_form(form: str, num_read: int = 0) -> str:
    """A pattern for a form of a name of which the reader has read that many letters, none or one."""
    pieces = []
    for run in re.finditer(r"(.)\1*", form):
        count = len(run[0]) - (num_read if run.start() == 0 else 0)
        pieces.append(_write_run(run[1], count, len(form) <= 3) if run[1].isalnum() else r"[ '’_\-]{0,2}")
    return "".join(pieces)


def _group_forms(forms: Iterable[str]) -> dict[str, str]:
    """First letter -> a pattern for the rest of the forms that begin with it, the longest first."""
    rests: dict[str, list[str]] = {}
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        rests.setdefault(re.escape(form[0]), []).append(_write_form(form, num_read=1))
    return {first: f"(?:{'|'.join(patterns)})" for first, patterns in rests.items()}


def _write_pattern(forms: set[str]) -> str:
    """A pattern for forms, bare or behind a clitic, where a group holds the form.

    It begins with a class of letters, to which `re` skips quickly, and looks back from there only.
    """
    latin = _group_forms(form for form in forms if form[0].isascii())
    other = _group_forms(form for form in forms if not form[0].isascii())
    bare = [f"(?<={first}){rest}" for first, rest in (latin | other).items()]
    alternatives = [f"(?:{'|'.join(bare)})"]
    if latin:
        joined = "|".join(first + rest for first, rest in latin.items())
        alternatives.append(rf"(?<=[ldbfw])['’\-]?({joined})")
    if other:
        joined = "|".join(first + rest for first, rest in other.items())
        alternatives.append(rf"(?:(?<=[وفبلك])[وفبلك]?(?:ال)?ا?|(?<=ا)(?:لا?)?)({joined})")
    firsts = "".join((*latin, *other, "ldbfw" if latin else "", "وفبلكا" if other else ""))
    return rf"[{firsts}](?<![^\W_].)(?:{'|'.join(alternatives)})(?![^\W_])"


class RosterNames:
    """The pattern of all forms of a roster, and whose each form is."""

    def __init__(self, roster: Iterable[Person]):
        self.people: dict[str, Person] = {}  # by form, as folded and with each letter once
        self.family_names: set[str] = set()
        forms: set[str] = set()
        people = sorted(roster, key=lambda person: (fold_form(person.name), person.name))
        # A whole name is its bearer's before it is a first name of somebody else.
        claims = [(person.name, person) for person in people]
        claims += [(form, person) for person in people for form in sorted(person.forms)]
        for form, person in claims:
            folded = fold_form(form)
            if len(folded) < 2 or not any(letter.isalpha() for letter in folded):
                continue
            forms.add(folded)
            self.people.setdefault(reduce_name(folded), person)
            self.family_names.update(word for word in folded.split()[1:] if len(word) > 2)
        self.pattern = re.compile(_write_pattern(forms) if forms else r"(?!)")

    def matches(self, text: str) -> bool:
        """Whether a form stands anywhere in a text, as a name or as a word."""
        return self.pattern.search(fold_name(text)) is not None

    def find_person(self, found: str) -> Person:
        return self.people[reduce_name(fold_name(found))]

    def find(self, text: str) -> Iterator[Bounds]:
        folded = fold_name(text)
        for match in self.pattern.finditer(folded):
            start, end = match.span(match.lastindex or 0)
            form = DRAWN_OUT.sub(r"\1", INVISIBLE.sub("", folded[start:end]))
            if form not in ORDINARY_WORDS or self._is_evident(text, folded, match.start(), start, end):
                yield start, end

    def _is_evident(self, text: str, folded: str, clitic: int, start: int, end: int) -> bool:
        """Whether what is a word too is a name here: of who is called, greeted, written large, or does a thing."""
        prefix = folded[clitic:start]
        if prefix.endswith("ال"):
            return False  # Words have an article.
        before = WORD.findall(folded[max(0, clitic - 40) : clitic].rpartition("\n")[2])
        is_joined = text[clitic - 1 : clitic] in (" ", ",", "،", "-", "/", "")
        previous = before[-1] if before and is_joined else ""
        following = WORD.match(text, end + 1) if text[end : end + 1] in (" ", ",", "،") else None
        after = fold_name(following.group()) if following else ""
        if previous in VOCATIVES or after in self.family_names or after in FOLLOWERS:
            return True
        if FORM_OF_ACTION.fullmatch(after) or text[clitic:start] in ("أ", "آ", "ا"):
            return True
        speaker = before[-2:-1] if previous in ("l", "li", "ل") else before[-1:] if prefix in ("l", "ل") else ()
        if any(SPEAKING.match(word) for word in speaker):
            return True
        is_large = text[start].isupper() and not text[start:end].isupper()
        if is_large and (following and following.group()[0].isupper() and not following.group().isupper()):
            return True
        return is_large and bool(previous) and text[clitic - 2 : clitic - 1] not in (".", "!", "?", "\n", ":")


@functools.lru_cache(maxsize=16)
def read_roster(roster: tuple[Person, ...]) -> RosterNames:
    return RosterNames(roster)


def find_names(text: str, roster: Sequence[Person]) -> list[PiiSpan]:
    """Where a text names the people of a chat.

    Case, accents, drawn-out letters and clitics do not hide a name. A form that is a word too (nour, "light") counts
    only where something around it says that a person is meant.

    Args:
        text (`str`):
            Any text.
        roster (`Sequence[Person]`):
            The people to find. Forms of one or two letters are better left out.

    Returns:
        `list[PiiSpan]`: of type NAME, sorted, none overlapping another, without clitics.
    """
    return [PiiSpan(start, end, "NAME") for start, end in read_roster(tuple(roster)).find(text)]
