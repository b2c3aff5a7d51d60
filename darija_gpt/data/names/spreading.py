"""Names by which others of their line are names: the same once more, one coordinated with them, to whom they give."""

import itertools
import re

from darija_gpt.data.names.evidence import FoundForm
from darija_gpt.data.names.patterns import has_article
from darija_gpt.data.names.words import GREETINGS


COORDINATION = re.compile(r" {1,2}(?:(?:et|w|o|wa|ou|and|or|w[ae]?l+a|oula|aw|و|ولا|او|&) {1,2}|و)")
GIVERS = re.compile(r"(?<!\w)(?:(?:من|mn|men)(?: ?(?:عند|3[ae]?nd))?|from|de) ?\Z")
RECEIVERS = re.compile(r" {1,2}(?:(?:l|li|ل|to|à|pour|for) {1,2}|l['’-]?|ل)")


def _is_given_by(folded: str, giver: FoundForm, receiver: FoundForm) -> bool:
    """From Samira to Nour."""
    is_giver = GIVERS.search(folded, max(0, giver.clitic - 12), giver.start) is not None
    return is_giver and RECEIVERS.fullmatch(folded, giver.end, receiver.start) is not None


def _is_smaller(text: str, form: FoundForm, other: FoundForm) -> bool:
    return text[form.start].islower() and text[other.start].isupper() and not text[other.start : other.end].isupper()


def spread_evidence(
    text: str, folded: str, forms: list[FoundForm], evident: set[FoundForm], words: set[FoundForm]
) -> set[FoundForm]:
    """The forms that are names because others of their line are: the same once more, or coordinated with one.

    Those that are `words` are none.
    """
    evident = set(evident)
    for ordered, step in ((forms, 1), (forms[::-1], -1)):
        for neighbour, form in itertools.pairwise(ordered):
            first, second = (neighbour, form)[::step]
            is_near = second.start - first.end < 10 and not has_article(folded[second.clitic : second.start])
            if (
                neighbour in evident
                and is_near
                and form not in words
                and folded[form.start : form.end] not in GREETINGS
                and (
                    COORDINATION.fullmatch(folded, first.end, second.start)
                    or (step > 0 and _is_given_by(folded, first, second))
                )
            ):
                evident.add(form)
    lines, line = {}, 0
    for place, form in enumerate(forms):
        line += place > 0 and "\n" in folded[forms[place - 1].end : form.start]
        lines[form] = (line, folded[form.start : form.end])
    named: dict[tuple[int, str], FoundForm] = {}
    for form in sorted(evident, reverse=True):
        named.setdefault(lines[form], form)
    again = {form for form in forms if lines[form] in named and form.clitic == form.start}
    again -= {form for form in again if form in words or folded[form.start : form.end] in GREETINGS}
    # Said and he said are two.
    return evident | {form for form in again if not _is_smaller(text, form, named[lines[form]])}
