"""English words that are names of people: will, mark, hope, may, bill.

In a line of Darija such a word is a name. Among English words it is the word, unless somebody is called, asked, told
or said to do a thing; and where it is written large within a sentence, it is a name.
"""

import itertools
import re

from darija_gpt.data.names.clause_words import COMPANY
from darija_gpt.data.names.clauses import Clause
from darija_gpt.data.names.verbs import TRANSFER
from darija_gpt.data.names.words import ADDRESSES, VOCATIVES
from darija_gpt.data.private_data.phrases import words


AUXILIARIES = words("will may")
VERBS = AUXILIARIES | words(
    """
    mark hope drew sue rob pat bill grant chase wade pierce skip nick josh rose dawn peg buck chip jimmy harry carry
    faith ray wanda trace pace lance page
    """
)
# Of which there is some, and which are and do things in a sentence.
IDEAS = words(
    """
    hope grace joy faith art rose may april june august summer autumn dawn eve melody harmony charity patience destiny
    rich frank christian sunny rocky rusty precious curt trinity victory justice mercy honor honour peace love star sky
    glory constance prudence victoire
    """
)
MONTHS = words("may april june august")
OTHERS = words(
    """
    jack dean gene frank rich max mike guy gay dick bob buddy king prince duke earl bishop mason hunter cooper taylor
    porter carter baker parker penny dolly jewel honey woody curt sterling norm stew herb doc jay drake cliff dale glen
    brook brooke rocky forest rusty stone ivy lily daisy violet ruby amber pearl crystal jade iris heather hazel holly
    ginger basil sandy robin angel sage coral christian miles jean
    """
)
ENGLISH_NAMES = VERBS | IDEAS | MONTHS | OTHERS
# And in French, where they have an article.
FRENCH_NAMES = words(
    """
    aube olive marine claire blanche constance victoire prudence pierre rose florence clement ambre jade perle oceane
    fleur reine ange colombe celeste violette marguerite capucine melodie harmonie france lys luce lune soleil aurore
    desire parfait juste franc noel pascal aimee cerise prune clemence patience grace chance charme max jean martin
    """
)
DETERMINERS = words(
    """
    a an the my your his her its our their this that these those some any no every each another more much good great
    bad le la les un une du des au aux ce cet cette ces mon ma mes ton ta tes son sa ses notre votre leur pur pure l el
    chi wahd wa7d had en sans aucune quelle quel belle beau
    """
)
SUBJECTS = words("y n t kay ki i you u he she it we they who that this there ll to can't won't not")
# Behind a verb that begins a sentence.
OBJECTS = words(
    "you u we i he she it they this that the your my me him her us them a all everyone everybody everything to our"
)
ALL_MONTHS = MONTHS | words("january february march july september october november december juillet juin mai avril")
COMPOUNDS = words("question exclamation prise cable trade full electric electricity audio birth high top")
QUANTITIES = words("peu plein beaucoup manque besoin verre huile jus eau bouquet trop tant assez couleur")
MONTH_PREPOSITIONS = words("in since until till by from before after during of mid early late next last this")
# Words of English, and of no other language of the chats.
ENGLISH = words(
    """
    moves makes takes keeps the is are was were been be being have has had would could should can cannot can't don't
    didn't doesn't isn't i i'm i'll you you're your he she it it's we they my our their his her them us this that these
    those there here what when where who why how which and or but if because so not with from for about into out over
    under of to in at by me please thanks thank sorry hello hey good great bad nice best better happy new old big small
    more most very really too just only also never always sometimes again still already yet today tonight tomorrow
    yesterday week month year day night morning evening afternoon time date people guys man woman friend friends family
    god bless some any all everyone everybody nobody somebody every much many need needs want wants know knows think
    thinks like love loves say says said tell told ask asked go goes going went come comes coming came get gets got
    make made take took give gives gave send sends sent see sees saw look looks feel feels work works call calls called
    pay paid bring buy wait help keep let put try use find found leave left lost meet met talk school house home phone
    car money life world exam exams
    """
)
# Before whom is called, greeted or thanked.
CALLS = words(
    """
    hey hi hello yo thanks thx ty tnx dear bro sis mr mrs miss ms dr bye goodnight sorry congrats congratulations
    welcome birthday bday morning night evening afternoon welldone cheers ok okay yes no oh listen look
    """
)
# Who is asked, told, seen; who is asked about.
PEOPLE_BEFORE = words(
    """
    tell told ask asks asked call called text texted saw met meet know knows remind invite invited visit thank with did
    does is was has where's how's who's what's where're near behind beside inform warn blame bro uncle aunt cousin
    """
)
FROM_WHOM = words("from for about to by like than")
# What a person does, or is.
DOING = words(
    """
    said says told asked called texted wants wanted came went sent thinks knows needs isn't doesn't didn't won't wasn't
    hasn't arrived gave took made lost found left bought paid forgot broke wrote drove met knew got tried said's
    """
)
BEING = words("is was has will can would just already still never always")
STATES = re.compile(
    r"late|here|there|sick|not|my|at|on|in|with|home|ready|busy|fine|ok|okay|out|away|asleep|tired|angry|very|so|also"
    r"|coming|going|\w{3,}ing|\w{3,}ed|a|an|your|our|his|her|from|gone|back|been|got|said|your|still|always|really|too"
)
# Asked of whom is called: bill please, mark are you.
ASKED = words(
    "please pls plz plss stp svp can could would did do are is what when where why how have tell send call come don't"
)
BARE_VERBS = words("do be call send see come go get check let try have ask tell bring make take help give not never")
CONJUNCTIONS = words("and when if because but that while so then ok yes no what why or since after before & w o")
# What such words say together with the next: a grace period, rose water, May God.
WITH_NEXT = words(
    """
    period water gold wine god allah lah allaah day fools exams exam in of to be not gallery class therapy director
    bank ring necklace bag people kids man guys payment pot number fully ly ing up down from 1 2 3 4 5 6 7 8 9
    """
)
NUMBER = re.compile(r"\d+|\d+h\d*|\d+(?:dh|mad|k|%)|dh|mad|dhs|drhm|درهم")


def _is_called(form: str, clause: Clause) -> bool:
    before, behind = clause.written_before, clause.written_behind
    first, second = [*behind[:2], "", ""][:2]
    if form in AUXILIARIES and (first in BARE_VERBS and second not in OBJECTS):
        return False
    if before[-1:] == ["you"] and before[-2:-1] and before[-2] in ("thank", "love", "miss", "see", "bless"):
        return True
    if before[-1:] and before[-1] in CALLS | VOCATIVES:
        return form not in VERBS or before[-1] not in ("ok", "okay", "yes", "no", "oh") or first in ASKED
    if before:
        return False
    if not behind:
        return form not in IDEAS or clause.is_begun or clause.is_ended
    return (first in ASKED and (first not in ("is", "have") or second in OBJECTS)) or first in ADDRESSES - OBJECTS


def _is_spoken_of(form: str, clause: Clause) -> bool:
    before, behind = clause.written_before, clause.written_behind
    last, before_last = [*before[:-3:-1], "", ""][:2]
    first, second = [*behind[:2], "", ""][:2]
    if last in SUBJECTS:
        return False
    is_idea = form in IDEAS or form in VERBS
    if last in PEOPLE_BEFORE and (form not in IDEAS or last in ("tell", "told", "ask", "asked")):
        return True
    if last in ("did", "does", "is", "was", "has", "where's", "how's") and before_last in {*CONJUNCTIONS, "", "where"}:
        return STATES.fullmatch(first) is not None or not first or not is_idea
    if last in FROM_WHOM and not is_idea:
        return True
    if last and last not in CONJUNCTIONS:
        return False
    if first in DOING or (first.endswith("ed") and form not in IDEAS):
        return True
    return first in BEING and (not is_idea or STATES.fullmatch(second) is not None)


def _is_joined(clause: Clause) -> bool:
    """Grace and Hamid: beside another name."""
    joints = ("and", "&", "w", "o", "et", "wla", "or", "ou")
    sides = (clause.behind, clause.written_behind), (clause.before[::-1], clause.written_before[::-1])
    return any(len(spelt) > 1 and written[0] in joints and spelt[1] in COMPANY for spelt, written in sides)


def _is_verb_or_thing(form: str, clause: Clause) -> bool:
    """Will you come? Hope all is well. Grace period: what is written large as it begins a sentence."""
    first = clause.written_behind[0] if clause.written_behind else ""
    first = first.replace("’", "'").partition("'")[0]
    if form in VERBS and first in OBJECTS:
        return True
    return first in WITH_NEXT or (form in AUXILIARIES | IDEAS and first in OBJECTS)


def is_english_word(form: str, prefix: str, clause: Clause, is_large: bool) -> bool:
    """Whether a name that is a word of English or French is the word where it stands.

    Args:
        form, prefix (`str`):
            The name and its clitics, folded.
        clause (`Clause`):
            The words around it.
        is_large (`bool`):
            Whether it is written with a capital.
    """
    before, behind = clause.written_before, clause.written_behind
    last = before[-1] if before else ""
    if form in MONTHS and (last in MONTH_PREPOSITIONS or last in MONTHS):
        return True
    if is_large:
        return not before and not prefix and form in ENGLISH_NAMES and _is_verb_or_thing(form, clause)
    is_to = last == "l" and any(map(TRANSFER.fullmatch, clause.before[-4:-1]))
    is_called = last == "a" and ENGLISH.isdisjoint(before[:-1] + behind[:2])
    if (last in DETERMINERS and not is_to and not is_called) or prefix in ("l'", "d'", "l’", "d’"):
        return True
    if form not in ENGLISH_NAMES:
        return False
    if form in MONTHS and not ALL_MONTHS.isdisjoint([*before[-2:], *behind[:2]]):
        return True
    is_some = last == "de" and before[-2:-1] and before[-2] in QUANTITIES
    if is_some or last in COMPOUNDS or (form == "max" and any(map(NUMBER.fullmatch, [last, *behind[:1]]))):
        return True
    num_english = sum(word in ENGLISH for word in itertools.chain(before[-4:], behind[:4]))
    is_beside = not ENGLISH.isdisjoint([*before[-1:], *behind[:1]]) or last in SUBJECTS
    if num_english < 1 or not (is_beside or num_english > 1):
        return False
    return not (_is_called(form, clause) or _is_spoken_of(form, clause) or _is_joined(clause))
