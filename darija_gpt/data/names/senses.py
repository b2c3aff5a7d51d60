"""What a name means where it is the word: the sky's purity, a noble man, the scent of jasmine, the pilgrims' Mina.

Most of these names are hardly ever words in a chat, so each is taken for a name but in one of these frames.
"""

from darija_gpt.data.names import sense_words as said
from darija_gpt.data.names.clauses import Clause
from darija_gpt.data.names.verbs import spell


def _is_thing(form: str, prefix: str, clause: Clause) -> bool:
    last, (first, second) = clause.last_two[0], clause.next_two
    if first in ("l", "el", "al"):
        first, second = f"l{second}", ""
    if first in said.HAVING or (first in said.GOD and not said.OPTATIVE.fullmatch(second)):
        return True
    if not prefix and (last in said.BEFORE_THINGS or said.GIVEN_BY_GOD.fullmatch(last)):
        return True
    if (first in said.FROM and not said.GOD.isdisjoint(clause.behind[1:3])) or (first in said.ON and second == form):
        return True  # light upon light
    if last in said.ON and clause.last_two[1] == form and not prefix:
        return True
    joined = second if first == "w" else first[1:] if first[:1] == "و" else ""
    if joined in said.GOOD_THINGS or (last in said.EVERYTHING and not prefix):
        return True
    partner = last if prefix == "و" else clause.last_two[1] if last == "w" and not prefix else ""
    return partner in said.GOOD_THINGS


def _is_what_something_is_like(form: str, prefix: str, clause: Clause) -> bool:
    last = clause.last_two[0]
    first, second = clause.next_two
    joined = second if first == "w" else first[1:] if first[:1] == "و" else ""
    is_very = (first in said.VERY and not said.GOING_ON.match(second)) or joined in said.LIKEWISE
    described = said.DESCRIBED | said.DESCRIBED_OR_HAD if form in said.ADJECTIVES else said.DESCRIBED
    is_described = last in described or (last[:1] in said.CLITICS and last[1:] in described)
    return not prefix and (is_described or last in said.BEST or is_very)


def _is_plant(prefix: str, clause: Clause) -> bool:
    last, before_last = clause.last_two
    if last in said.SMELLS and prefix in ("", "د", "ب", "b"):
        return True
    return not prefix and last in said.OF and before_last in said.SMELLS


def is_sense(form: str, prefix: str, clause: Clause, beside: str) -> bool:
    """Whether a name is the word, however seldom it is one.

    Args:
        form, prefix (`str`):
            The name as it is written, and its clitics.
        clause (`Clause`):
            The words around it.
        beside (`str`):
            What of its line is near it, folded.
    """
    spelt = spell(form)
    before = clause.written_before[-1] if clause.written_before and not prefix else ""
    if before in said.HOLY_OR_STREET or (before[:1] in said.CLITICS and before[1:] in said.HOLY_OR_STREET):
        return True
    if spelt in said.THINGS and _is_thing(spelt, prefix, clause):
        return True
    if spelt in said.QUALITIES and _is_what_something_is_like(spelt, prefix, clause):
        return True
    if spelt in said.PLANTS and _is_plant(prefix, clause):
        return True
    return spelt in said.TOLD and any(
        spelt in spellings and around.search(beside) for spellings, around in said.TOLD_BY
    )
