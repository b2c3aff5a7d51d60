"""Sentences in which a form that is a word too is a name, and some in which it is the word.

What Darija says something of has an article, or words behind it that tell what it is of: nour dyal chemch, amal kbir.
So what stands bare before a verb, or where something is given to it, is a person; and so is what stands among the
words of a language in which it is no word.
"""

from darija_gpt.data.names import clause_words as said
from darija_gpt.data.names import verbs
from darija_gpt.data.names.clauses import Clause
from darija_gpt.data.names.words import GREETINGS, NAMES_AND_WORDS, QUALITIES


# What Latin letters have before a name in French.
ELISIONS = ("", "d'", "d’", "qu'", "qu’")


# Men's names that say what somebody is like, or what is no thing of a chat.
MEN = (QUALITIES | said.MORE_MEN) - said.WOMEN - said.SAID_ALONE
SPELT_NAMES = frozenset(map(verbs.spell, NAMES_AND_WORDS))


def _is_verb(word: str) -> bool:
    if word in said.PREDICATES or word in said.ACTIONS:
        return True
    patterns = (
        verbs.VERB,
        verbs.FORM_OF_ACTION,
        verbs.TA_DOES,
        verbs.SHE_COMES,
        verbs.HE_COMES,
        verbs.DID,
        verbs.AT_IT,
    )
    return any(pattern.fullmatch(word) for pattern in patterns)


def _is_asked(clause: Clause) -> bool:
    """Nour nsiti, Nour fin ghatmchi: what somebody did who is spoken to."""
    first, second = clause.next_two
    if verbs.YOU_DID.fullmatch(first):
        return True
    return first in said.ASKED_OF and any(
        verb.fullmatch(second) for verb in (verbs.YOU_DID, verbs.YOU_DO, verbs.AT_IT)
    )


def _may_be_verb(word: str) -> bool:
    """Whether a word behind a man's name with which a line begins says what he does, rather than how he is."""
    if len(word) < 3 or word in said.NOT_DOING or word in said.ADJECTIVES or word in said.TIMES:
        return False
    return not word.startswith(("ال", "و", "ف", "ب", "ل", "l", "w", "f")) and not word[0].isdigit()


def _is_doing(clause: Clause) -> bool:
    """Whether what follows is said or asked of somebody: rah, khassha, dima kat3ttl, jawbini."""
    first, second = clause.next_two
    if first in said.TIMES and (_is_verb(second) or said.PLACE.fullmatch(second)):
        return True
    if _is_asked(clause):
        return True
    if verbs.YOU_DO.fullmatch(second if first in said.UNTIL else first) or second in said.DATIVES:
        return True
    both = f"{first} {second}"
    if verbs.NOT_DOING.match(both) or said.PRAYER.match(both):
        return True
    return _is_verb(first) or first in said.ADDRESSES or verbs.ASKED.fullmatch(first) is not None


def _does_something(form: str, clause: Clause) -> bool:
    """Nour rah f tri9, wach Nour dima kat3ttl, jat Nour, fin kayn Said: who does or is a thing."""
    (last, before_last), (first, second) = clause.last_two, clause.next_two
    is_season = form in said.SEASONS
    if not last and first in said.THEIRS and not is_season:
        return True
    is_begun = not last or last in said.OPENERS or (not before_last and last in said.TIMES - said.DEGREES)
    if clause.is_begun and not last:
        if form in MEN and (_may_be_verb(first) or verbs.DONE_TO_ME.fullmatch(first)):
            return True
        if form in said.WOMEN and verbs.DONE_TO_HER.fullmatch(first):
            return True
    if is_begun and not (is_season and first in said.SEASONS_DO) and _is_doing(clause):
        return True
    if first in said.ADJECTIVES or (is_season and not (first == "w" and _is_verb(second)) and last not in said.SAYS):
        return False
    is_somewhere = first in said.TIMES - said.DEGREES or said.PLACE.fullmatch(first)
    if last in said.KAYN and (before_last in said.WHERE or (form not in said.WOMEN and is_somewhere)):
        return True
    if last in said.DATIVES and before_last[:3] in said.SAYS:
        return True
    if last in said.ON_YOU and form in said.WOMEN and before_last.endswith(("at", "ات")):
        return True
    is_described = first in said.ADJECTIVES or (first.startswith(("l", "ال")) and first not in said.TIMES)
    if last in said.DATIVES and not is_described and verbs.CALLED_OR_SENT.fullmatch(before_last):
        return True
    is_asked = before_last in said.QUESTIONS and last not in said.PREDICATES
    if is_asked and (_is_verb(last) or last.endswith(("at", "ات"))):
        return True
    is_subject = first in said.AFTER_SUBJECTS or first[:1] in ("", "و") or said.PLACE.fullmatch(first)
    if form == "علي" and not is_subject:
        return False  # على, most often
    if verbs.SHE_COMES.fullmatch(last) or (form not in said.WOMEN and verbs.HE_COMES.fullmatch(last)):
        return True
    return form in said.WOMEN and verbs.SHE_COMES.fullmatch(first) is not None and _is_verb(last)


def _is_definite(before: list[str]) -> bool:
    """Whether a thing has an article: lktab, الكتاب."""
    thing = before[-1] if before else ""
    return thing in said.POSSESSIONS or (thing[:1] == "l" and len(thing) > 3) or thing.startswith("ال")


def _is_given(form: str, prefix: str, clause: Clause) -> bool:
    """Chrit lkado l Nour, farhan b Nour: behind a preposition, to whom or of whom."""
    before, (last, before_last) = clause.before, clause.last_two
    if prefix == "ل":
        return any(map(verbs.TRANSFER.fullmatch, before[-6:]))
    if prefix in ("l'", "l’", "l-") or (not prefix and last in ("l", "li", "ل")):
        # Right behind the verb, l may be an article.
        things = before if prefix else before[:-1]
        is_given = any(map(verbs.TRANSFER.fullmatch, things[-6:-1]))
        return is_given and things[-1] not in said.BEFORE_ARTICLES
    if prefix in ("ب", "ف") or (not prefix and last in ("b", "f")):
        return any(map(verbs.FEELING.fullmatch, before[-2:]))
    if prefix:
        return False
    if last in ("3la", "علي"):
        return any(map(verbs.TALK.fullmatch, before[-3:-1]))
    if form in said.SEASONS:
        return False
    if last in said.NUMBERS:
        return form in QUALITIES - said.WOMEN or form in said.WOMEN - QUALITIES
    if last in ("mn", "من"):
        return any(map(verbs.GETTING.fullmatch, before[-4:-1]))
    if last in said.OF:
        return _is_definite(before[:-1])
    return last in said.NEXT_TO or (last in ("ghir", "غير") and before_last in ("mn", "من"))


def _is_met(form: str, prefix: str, clause: Clause) -> bool:
    """Swlt Nour, chft Nour f lqahwa, 3rs Nour: who is asked, or seen somewhere, or celebrated."""
    last, (first, second) = clause.last_two[0], clause.next_two
    if prefix:
        return False
    if last in said.EVENTS:
        return form not in QUALITIES
    if verbs.WITH_PEOPLE.fullmatch(last):
        return True
    is_somewhere = first in said.TIMES or first in said.HERE or said.PLACE.fullmatch(first) or _is_verb(first)
    if not is_somewhere or said.GOD.search(f"{first} {second}") or form in said.SEASONS:
        return False
    return verbs.MEETING.fullmatch(last) is not None


def _is_somebodys(form: str, prefix: str, clause: Clause) -> bool:
    """Nour bnti, Nour w khtha, ana w Nour, hadik Nour li hdrt m3aha: who is told by those beside."""
    (last, before_last), (first, second) = clause.last_two, clause.next_two
    both = f"{first} {second}"
    if said.AND_KIN.fullmatch(first) or said.AND_KIN.fullmatch(both) or tuple(both.split(" ")) in said.AND_THEIRS:
        return True
    if first in said.KIN and (form not in said.LIVES or _is_verb(second) or second.endswith(("at", "ات"))):
        return True
    joined = second if first in said.OR else first[1:] if first[:1] == "و" else ""
    if joined in said.COMPANY:
        return True
    third = (*clause.behind[1:], "", "")[first not in ("", joined) and first[:1] != "و"]
    if joined in SPELT_NAMES and (last in said.WHETHER or (not last and verbs.THEY_DO.fullmatch(third))):
        return True
    if prefix == "و" or last in said.OR:
        partner = last if prefix == "و" else before_last
        return partner in said.PRONOUNS or partner in said.FIRST_NAMES
    if prefix:
        return False
    if last in said.WITH_YOU or (last in said.THAT_ONE and (form not in QUALITIES or first)):
        return True
    if last in said.WHO_IS and clause.is_ended and not first:
        return True
    is_said = first in ("", "w", "mn", "من") or first[0] == "و"
    return last in ("ana", "انا") and form not in QUALITIES and is_said


def _is_called(form: str, clause: Clause, line_before: str) -> bool:
    """Wakha Nour; twe7chtek Nour; Nour alone."""
    if form in said.SAID_ALONE:
        return False
    before, first = clause.before, clause.next_two[0]
    if clause.is_begun and clause.is_ended and not before and not first:
        return True
    if first and first not in said.THANKS:
        return False
    if before and said.CALLS.issuperset(before) and form not in said.SEASONS:
        return True
    if not clause.is_ended or not before or form in QUALITIES or said.GOD.search(line_before):
        return False
    return verbs.YOU.fullmatch(before[-1]) is not None


def _is_among_foreign_words(form: str, clause: Clause) -> bool:
    before, behind = clause.written_before, clause.written_behind
    beside = {*before[-1:], *behind[: 2 if behind[:1] == ["a"] else 1]}
    around = {*before, *behind}
    if not said.ARTICLES_BEFORE_THINGS.isdisjoint(before[-1:]):
        return False
    languages = ((said.FRENCH, said.FRENCH_HOMOGRAPHS), (said.ENGLISH, said.ENGLISH_HOMOGRAPHS))
    return any(
        len(around & language) > 1 and not beside.isdisjoint(language) and form not in homographs
        for language, homographs in languages
    )


def is_thing(form: str, prefix: str, clause: Clause) -> bool:
    """Whether the word stands there, whatever else is said: chi nour, ya latif, joyeux Noël, ramadan karim."""
    (last, before_last), (first, second) = clause.last_two, clause.next_two
    if form in said.FEASTS:
        return last in said.FEASTED and before_last not in said.OWNED_BY
    if prefix == "يا" or last in ("ia", "a", "يا"):
        is_cried = form in said.CRIED and first not in said.ADDRESSES
        return is_cried or (form in said.CRIED_TO_GOD and first in said.GOD_WORDS)
    if form in said.SEASONS and (prefix == "ف" or last in ("f", "fi", "في")):
        return True
    if prefix:
        return prefix == "l" and last in said.BEFORE_DEFINITE
    is_definite = first in said.DEFINITE or (first.startswith("ال") and first not in said.TIMES | said.PREDICATES)
    if form == "علي" and is_definite:
        return True  # على
    if form in said.WOMEN and (said.NONE_OF.fullmatch(first) or said.NONE_OF.fullmatch(f"{first} {second}")):
        return True
    if last in said.HAS and form in said.WOMEN:
        return True
    if last in said.DETERMINERS or first in said.BODY or (last in said.OF and before_last in said.QUANTITIES):
        return True
    if form in QUALITIES:
        return last in said.FORMULAS or last in said.NOBODYS
    return last in said.LACKS and form in said.WOMEN


def is_person(form: str, prefix: str, clause: Clause, line_before: str) -> bool:
    """Whether the sentence speaks of a person, or to one."""
    if form in said.SMALL_WORDS and not clause.before and clause.behind[:1] == ["w"]:
        return clause.next_two[1] in said.FIRST_NAMES
    if form in said.TO_US and clause.last_two[0] in said.BEFORE_SOMEBODY:
        return True
    if form in said.MORNINGS and not clause.before and (_is_asked(clause) or clause.next_two[0] in said.SHE_IS):
        return True
    if form not in NAMES_AND_WORDS or form in said.SMALL_WORDS or form in GREETINGS:
        return False
    if clause.written_behind[:1] and clause.written_behind[0] in said.OF_THE_FAITH and form in said.FAITHFUL:
        return True
    if clause.last_two[0] in said.UPON_YOU and clause.last_two[1] in said.PEACE:
        return True
    if prefix in ELISIONS and _is_among_foreign_words(form, clause):
        return True
    if not prefix and (_is_called(form, clause, line_before) or _does_something(form, clause)):
        return True
    first = clause.next_two[0]
    is_described = first in said.ADJECTIVES or (first.startswith("ال") and first not in said.TIMES)
    if not is_described and (_is_given(form, prefix, clause) or _is_met(form, prefix, clause)):
        return True
    return _is_somebodys(form, prefix, clause)
