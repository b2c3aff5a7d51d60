"""Whether a form that is a word too is a name where it stands: who is called, greeted, spoken of, or does a thing.

The words of these patterns are written as `folding.fold_name` leaves them.
"""

import re
from typing import NamedTuple

from darija_gpt.data.names.clauses import WORD, Clause, read_clause
from darija_gpt.data.names.english import ENGLISH_NAMES, FRENCH_NAMES, is_english_word
from darija_gpt.data.names.folding import DRAWN_OUT
from darija_gpt.data.names.frames import is_person, is_thing
from darija_gpt.data.names.patterns import GLUED, has_article
from darija_gpt.data.names.sense_words import BEFORE_OTHERS, REACH, SENSES
from darija_gpt.data.names.senses import is_sense
from darija_gpt.data.names.verbs import FORM_OF_ACTION, SHE_DID, SHE_DID_IN_LATIN, VERB, spell
from darija_gpt.data.names.words import (
    ACTIONS,
    ADDRESSES,
    AUXILIARIES,
    EXCLAMATIONS,
    FOREIGN_ADDRESSES,
    FOREIGN_AUXILIARIES,
    FOREIGN_PREPOSITIONS,
    FOREIGN_WORDS,
    GREETINGS,
    LIKE_NAMES,
    NAMES_AND_WORDS,
    ORDINARY_WORDS,
    OWNERS,
    POSSESSIONS,
    PREPOSITIONS,
    QUALITIES,
    VOCATIVES,
)
from darija_gpt.data.private_data.phrases import words
from darija_gpt.data.private_data.spans import INVISIBLE


GREETED = re.compile(r" {1,2}(?:l?kh?[ei]r|l?5ir|nn?our|noor|3lik|الخير|خير|النور|الورد|عليك)")
# Hayat a perdu, Hayat a été.
FRENCH_PERFECT = re.compile(r" (?:a|avait) (?:\w{2,5} )?\w{2,}(?:e|u|i|is|it|ert)(?![^\W_])")
# Rose m'a dit, Rose nous attend: what is done to somebody has somebody who does it.
FRENCH_TO_SOMEBODY = re.compile(
    r" (?:(?:m|t|l|s)['’](?:a|avait|est|attend|appelle|a(?:ide|ime|dore)\w*|envo(?:ie|ya)\w*)"
    r"|(?:nous|vous|lui|me|te|leur) (?:a|avait|dit|demande|attend|donne|envoie|doit|manque|parle)\w*)(?!\w)"
)
WHO = re.compile(r" (?:هو|هي|h[ow]+a|hiya|hia) (?:اللي|لي|ll?i)(?!\w)")
BLESSED = re.compile(r"الله[^\n]{0,12} (?:فيك|فيكي|عليك|عليكي|والديك) ?$")
HERE_I_AM = words("hani hana هاني هنا")
I_DO = re.compile(r"k[ae]?n|كن|كان")
# God have mercy on Said, and with no word for whom else.
BLESSING = re.compile(
    r"(?<!\w)(?:الله|ربي|[al]*lah|rbi) (?:يرحم|يشافي|يشفي|يحفظ|يخلي|يهدي|ينجح|يعاون"
    r"|y(?:er)?(?:[7h]em|r[7h]em|r[7h]m|chafi|[7h]f[ea]?[dt]|khe?lli|hdi|nj[ea]?7|3awn)) $"
)
# Zahra, where is she?
WHERE = re.compile(r",? (?:\w{3,8} )?(?:fin|فين) ?(?:hiy?a|h[ou]w+a|kayna?|هو|هي|كاينه?)(?!\w)")
ENDS_IN_DOTS = ("...", "…")
# Nour et toi?
AND_YOU = re.compile(r",? (?:(?:et|w|and) (?:toi|vous|nta|nti|ntina|you)|و ?(?:نتا|نتي|انت[اي]?|نتينا))(?!\w)")
# He did not come. What is not there, there is no more of, is a thing.
NEGATED = re.compile(
    r" {1,2}ma ?(?!kay|b[9q]|kan)[a-z0-9]{2,14}ch(?![^\W_])| {1,2}ما ?(?!كاي|بق|كان)\w{2,14}ش(?![^\W_])"
)
SECOND_PERSON = re.compile(
    r"(?:g[ou]l|9[ou]l|ch[oe]?f|j|mch|d[ei]?r|khd|3t|bgh|ws+l|fhe?m|ns|sif[te]t|l[q9]|jb|3[er]?re?f|[q9]r|ghad|ghat\w{1,5})i?ti"
    r"|(?:گل|قل|كل|شف|جي|مشي|در|خدي|عطي|بغي|وصل|فهم|نسي|صيفط|لقي|جب|عرف|قري)تي"
)
# Verbs after which "l", to, comes before a person; and those that take one without.
SPEAKING = re.compile(
    r"(?:s[iy]f|[g9q][ou]+l|[g9]l[tn]|3ti|3ta|3[aei]*y+[aei]*t|tsl|hdr|dwi|jwb|wrri|صيفط|سيفط|صفط|قول|گول|قلت|عطي|عيط|هضر|جاوب|وري)"
)
ASKING = re.compile(
    r"(?:n|t|y|ka[nyt]|gha[nyt])?(?:s[ew]*wl|swwe?l|3awe?n|chke?r|tw[ae]?7[ae]?ch|tsnn?|tsenn|s9s)[a-z0-9]{0,3}"
    r"|(?:ن|ت|ي|كن|كي|كت|غن|غي|غت)?(?:(?:سول|سقس|عاون|شكر|تسن|توحش)(?:ت|تي|تو|نا|و|ات|ها)?|خبر(?:ت|تي|تو|نا|و|ات))"
)
# A preposition, which no quality has before it.
SINGLE_CLITICS = words("ل ب ف د وب وف ول l' l’ l-")
# Who is, was, is here.
BEINGS = words("kan kant kano kayn kayna kanet كان كانت كاين كاينه")
# A queen, some light.
INDEFINITES = words("wa7d wahd wa7ed wahed chi واحد واحدة شي")
# Behind these, a word for "the" is no "to": mn l hind, from India.
BEFORE_ARTICLES = words("mn men f fi 3la dyal dial d b من ف في على ديال")
# Neither light nor anything.
NEITHER = re.compile(r",? {1,2}(?:w[ae]?la|la|ولا|لا)(?!\w)")
POSSESSIVES = ("'s ", "’s ")  # Tarik's place
END_OF_LINE = re.compile(r"[^\w\n,،:]{0,12}(?:\n|\Z)")


class FoundForm(NamedTuple):
    """Where a form stands in a text, and where the clitic before it begins."""

    clitic: int
    start: int
    end: int


class _Surroundings(NamedTuple):
    """What a text has around a form; folded, but for what shows the case."""

    form: str
    prefix: str  # its clitics
    mark: str  # the character before
    line_before: str
    before: list[str]  # the words of it
    previous: str  # the last of them, unless a sentence has ended
    after: str  # the next word, likewise
    behind: str  # the next characters
    is_first: bool  # in its line
    is_large: bool  # its first letter, and not all of them
    is_followed_by_large: bool
    is_exclamation: bool
    is_quality: bool  # and not a thing


def _look_around(text: str, folded: str, found: FoundForm) -> _Surroundings:
    clitic, start, end = found
    form = DRAWN_OUT.sub(r"\1", INVISIBLE.sub("", folded[start:end]))
    line_before = folded[max(0, clitic - 40) : clitic].rpartition("\n")[2]
    before = WORD.findall(line_before)
    is_joined = text[clitic - 1 : clitic] in (" ", ",", "،", "-", "/", "")
    following = WORD.match(text, end + 1) if text[end : end + 1] in (" ", ",", "،") else None
    return _Surroundings(
        form=form,
        prefix=folded[clitic:start],
        mark=text[clitic - 1 : clitic],
        line_before=line_before,
        before=before,
        previous=before[-1] if before and is_joined else "",
        after=folded[slice(*following.span())] if following else "",
        behind=folded[end : end + 48],
        is_first=not line_before.strip() and (clitic <= 40 or "\n" in folded[clitic - 40 : clitic]),
        is_large=text[start].isupper() and not text[start:end].isupper(),
        is_followed_by_large=bool(following) and following[0][0].isupper() and not following[0].isupper(),
        # Nor is much evidence enough where a word only sounds like a name.
        is_exclamation=not {form, folded[clitic:end]}.isdisjoint(EXCLAMATIONS) or form not in NAMES_AND_WORDS,
        is_quality=form in QUALITIES,
    )


def _is_word(around: _Surroundings) -> bool:
    """Whether nothing else needs to be asked: words have an article."""
    if has_article(around.prefix) or (around.form in GREETINGS and GREETED.match(around.behind)):
        return True
    if around.prefix == "l" and around.previous in VOCATIVES:
        return True
    is_some = around.previous in INDEFINITES and not around.prefix
    if is_some or (around.previous in ("la", "لا") and NEITHER.match(around.behind)):
        return True
    if around.previous in ("l", "el") and not BEFORE_ARTICLES.isdisjoint(around.before[-2:-1]):
        return True
    # Call me, speak to me: عيط علي.
    if around.form == "علي" and not around.prefix and SPEAKING.match(around.previous):
        return True
    # kamil "all" is not "like Amal".
    return bool(around.prefix) and around.prefix + around.form in ORDINARY_WORDS


def _is_called(around: _Surroundings) -> bool:
    """Ya Nour, Nour?, Nour t'es où, mabrouk Nour."""
    if around.previous in VOCATIVES or around.prefix in ("آ", "يا") or around.mark in ("@", "#"):
        return True
    if around.is_large and around.form not in GREETINGS and around.after in ADDRESSES:
        return True
    is_asked_back = around.is_first and not around.prefix and AND_YOU.match(around.behind)
    if is_asked_back and not around.is_exclamation and around.form not in GREETINGS | QUALITIES:
        return True
    if around.is_exclamation or BLESSED.search(around.line_before) or BLESSING.search(around.line_before):
        return not around.is_exclamation
    if around.after in ADDRESSES or around.after in FOREIGN_ADDRESSES or SECOND_PERSON.fullmatch(around.after):
        return True
    if around.prefix:
        return False
    is_sentence = around.is_first or around.line_before.rstrip().endswith((".", "!", "?", "؟", "…"))
    if (is_sentence and around.behind[:1] in ("?", "!", "؟")) or (around.is_first and around.behind[:1] in (",", "،")):
        return True
    return around.line_before.endswith((", ", "، ")) and bool(END_OF_LINE.match(around.behind))


def _is_subject(around: _Surroundings) -> bool:
    """Nour gal, Nour ma jatch, Nour est malade: who does a thing."""
    after = around.after
    if around.form in HERE_I_AM and not after.endswith(("at", "ات")):
        return False
    is_mine = around.form in GREETINGS and I_DO.match(after)
    if after in ACTIONS or VERB.fullmatch(after) or (FORM_OF_ACTION.fullmatch(after) and not is_mine):
        return True
    is_begun = around.is_large and around.is_first
    if is_begun and FRENCH_PERFECT.match(around.behind):
        return around.form not in GREETINGS | FOREIGN_WORDS | LIKE_NAMES
    if around.is_large and not around.previous and FRENCH_TO_SOMEBODY.match(around.behind):
        return True
    if around.form in GREETINGS or around.form not in NAMES_AND_WORDS:
        return False
    if SHE_DID.fullmatch(after) or SHE_DID_IN_LATIN.fullmatch(after) or WHERE.match(around.behind):
        return True
    if after in FOREIGN_AUXILIARIES and (not around.is_exclamation or around.form in FRENCH_NAMES):
        return True  # French has an article before a thing.
    if around.is_exclamation:
        return False
    if WHO.match(around.behind) or NEGATED.match(around.behind) or (around.is_quality and after in BEINGS):
        return True
    return is_begun and (after in AUXILIARIES or around.behind.startswith(ENDS_IN_DOTS))


def _is_object(around: _Surroundings) -> bool:
    """Dyal Nour, swlt Nour, sifto l Nour, avec Nour: who is had, asked, told, met."""
    previous, prefix = around.previous, around.prefix
    speaker = around.before[-2:-1] if previous in ("l", "li", "ل") else ()
    speaker = around.before[-1:] if prefix in ("l", "ل", "l'", "l-") else speaker
    if any(SPEAKING.match(word) for word in speaker):
        return True
    if previous in FOREIGN_PREPOSITIONS or (prefix in ("d'", "d’") and around.previous not in FOREIGN_PREPOSITIONS):
        return around.form not in GREETINGS | FOREIGN_WORDS | LIKE_NAMES
    if previous in OWNERS and not prefix and not POSSESSIONS.isdisjoint(around.before[-2:-1]):
        return around.form in NAMES_AND_WORDS - GREETINGS
    if around.is_exclamation:
        return False
    if around.is_quality and (prefix in SINGLE_CLITICS or (previous in PREPOSITIONS and not prefix)):
        return True
    return prefix in ("", "د") and (prefix == "د" or previous in OWNERS or bool(ASKING.fullmatch(previous)))


def is_preposition(text: str, folded: str, found: FoundForm) -> bool:
    """Whether a form is على and not علي."""
    return text[found.end - 1] == "ى" and folded[found.start : found.end] in PREPOSITIONS


def _read_line(folded: str, found: FoundForm) -> str:
    """What of the line of a form is near it."""
    before = folded[max(0, found.clitic - REACH) : found.clitic].rpartition("\n")[2]
    return before + folded[found.clitic : found.end + REACH].partition("\n")[0]


def _is_other_sense(text: str, folded: str, found: FoundForm, clause: Clause) -> bool:
    form, prefix = folded[found.start : found.end], folded[found.clitic : found.start]
    if text.startswith(POSSESSIVES, found.end):
        return False
    if form in ENGLISH_NAMES or form in FRENCH_NAMES:
        is_large = text[found.start].isupper() and not text[found.start : found.end].isupper()
        if is_english_word(form, prefix, clause, is_large):
            return True
    return is_sense(form, prefix, clause, _read_line(folded, found))


def is_word_after_all(text: str, folded: str, found: FoundForm) -> bool:
    """Whether what is mostly a name is a word here: purity of heart, what will be."""
    form = folded[found.start : found.end]
    may_be_word = form in ENGLISH_NAMES or form in FRENCH_NAMES or spell(DRAWN_OUT.sub(r"\1", form)) in SENSES
    if not may_be_word and not BEFORE_OTHERS.search(folded, max(0, found.clitic - 10), found.clitic):
        return False
    return _is_other_sense(text, folded, found, read_clause(folded, found.clitic, found.end))


def judge(text: str, folded: str, found: FoundForm) -> bool | None:
    """Whether a word is a name here: of who is called, greeted, spoken of, written large, or does a thing.

    None is neither: nothing says so, nor that it is the word.
    """
    around = _look_around(text, folded, found)
    clause = read_clause(folded, found.clitic, found.end)
    if text.startswith(POSSESSIVES, found.end):
        return True
    if _is_word(around) or is_thing(around.form, around.prefix, clause):
        return False
    if _is_other_sense(text, folded, found, clause):
        return False
    return _is_called_at_once(around) or _is_evident(text, found, around, clause) or None


def _is_called_at_once(around: _Surroundings) -> bool:
    """أكوثر واش فقتي: the vocative or another word is written onto the name."""
    if around.prefix == "ا" and len(around.form) > 3 and around.prefix + around.form not in ORDINARY_WORDS:
        is_twice = around.prefix + around.form in (around.previous, around.after)
        return is_twice or (not around.previous and (not around.after or around.after in ADDRESSES))
    is_glued = not around.prefix.isascii() and GLUED.fullmatch(around.prefix) is not None
    return is_glued and not around.is_exclamation and around.form not in GREETINGS


def _is_evident(text: str, found: FoundForm, around: _Surroundings, clause: Clause) -> bool:
    # A clitic is written small, whatever begins a sentence.
    if around.is_large and found.clitic < found.start and text[found.clitic].islower():
        return True
    if is_person(around.form, around.prefix, clause, around.line_before):
        return True
    if _is_called(around) or _is_subject(around) or _is_object(around):
        return True
    if around.is_large and around.is_followed_by_large:
        return True
    is_within = text[found.clitic - 2 : found.clitic - 1] not in (".", "!", "?", "\n", ":")
    return around.is_large and bool(around.previous) and is_within
