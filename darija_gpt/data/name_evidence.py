"""Whether a form that is a word too is a name where it stands: who is called, greeted, spoken of, or does a thing.

The words of these lists are written as `names.fold_name` leaves them: without case, accents and hamzas.
"""

import itertools
import re
from collections.abc import Collection
from typing import NamedTuple

from darija_gpt.data.privacy_words import words


# Folded spellings of names that are words of Darija, Arabic or French too: nour "light", lina "to us".
ORDINARY_WORDS = words(
    """
    nada nour noor nur amal said saïd karim rabi3 rabie rabia salam iman imane hiba hayat farah sabah badr bader
    wafa wafae ikram ihsan najat jamal jamil jamila adil amin amine chams dounia donia dunia fajr ghali latif
    latifa mabrouk malak nasr najm raja rahma rida salah tariq wahid ward warda zahra zine zin zina aya douaa doua
    fath islam jihad kamal lila lina riad riyad saad soltan sultan tayeb amira mina dina hadi hana rose pierre
    olive aube aziz habib sabir sabr moulay
    نور ندي امل سعيد سعيده كريم كريمه ربيع سلام ايمان هبه حياه فرح صباح بدر وفاء اكرام احسان نجاه جمال جميل جميله
    عادل امين انوار شمس دنيا فجر غالي لطيف لطيفه مبروك ملاك نصر نجم رجاء رحمه رضي رضا صلاح وحيد ورد ورده زهره زين
    زينه ايه بشري دعاء فتح اسلام جهاد كمال ليلي رياض سعد صديق سلطان طيب حكيم اسماء اميره ملكه علي عليا هادي هند مني
    عزيز عزيزه حبيب حبيبه صابر صبر يسر عمر صالح صادق كامل ناصر
    """
)
# Of these, what is said before a comma or a question without calling anybody: greetings, "good", "this", "the world".
EXCLAMATIONS = words(
    """
    salam sabah mabrouk zin zine zina jamil latif sabr sabir hayat dounia donia dunia aziz habib hadi hana lina
    mina dina riad kamal saad fajr najm adil wahid tayeb ward warda rahma islam jihad iman fath zahra rose olive
    aube lila soltan sultan moulay
    سلام صباح مبروك زين زينه جميل لطيف صبر صابر حياه دنيا عزيز حبيب هادي طيب وحيد علي عليا مني ورد ورده رحمه اسلام
    جهاد ايمان فتح زهره ليلي سلطان كامل صالح صادق صديق نصر عمر ايه دعاء
    """
)
GREETINGS = words("salam sabah mabrouk سلام صباح مبروك")
GREETED = re.compile(r" {1,2}(?:l?kh?[ei]r|l?5ir|nn?our|noor|3lik|الخير|خير|النور|الورد|عليك)")
# What stands before a person who is called, greeted or spoken of.
VOCATIVES = words(
    """
    a ya si lalla sidi moulay khouya 5ouya khoya khti 5ti khtito 3mmi 3ami khalti khali ostad oustad dr docteur mr
    mme madame monsieur sahbi sa7bi azizi 3zizi 3ziza m3a 3nd 3end wld weld bnt bent mrat rajl khout salam slm slt
    salut cc bonjour bonsoir hi hello hey ahlan mrhba marhba merci chokran chukran choukran labas smiti smito smitha
    smiya bsla7a fin slamtk slamtek anniversaire anniv
    ا يا السي سي لاله سيدي مولاي خويا ختي اختي اخي الاخ الاخت الاستاذ الاستاذه استاذ الدكتور عمي خالتي خالي صاحبي
    صاحبتي مع عند ولد بنت سلام اهلا مرحبا عزيزي عزيزتي شكرا سميتو سميتها سميتي وا هيا سلامتك
    """
)
OWNERS = words("dyal dial dyalt dyawl dyaal ta3 ديال ديالت ديول تاع")
# What people do and are.
ACTIONS = words(
    """
    gal galt galat galli galo gali galia gallia mcha mchat mchit ja jat jab jabt jabat jay jaya ghadi ghadya kaygol
    katgol 3yt 3yyt 3ayt 3ayta sift sifet tsl tsal jawb jawbat tzwej tzwjat wld weldat rj3 rje3 wsl wslat khrj
    khrjat tlf 9al 9alt 9ali 9alat 9alatli khda khdat bgha bghat dar dart 3ta 3tat 3tatni 3tani jabo chra chrat nsa
    nsat hdr hdrat m3tl mrid mrida 3yan 3yana na3s na3sa nasa mjwj mjwja 3ndo 3ndha smito arrive arrivent vient
    viennent demande veut dit appelle envoie travaille habite says said wants is
    قال قالت قاليا قالتليا گال گالت گاليا كال مشا مشي مشات جا جات جاب جابت غادي غاديه جاي جايه كيقول كتقول عيط عيطات
    صيفط صيفطات تزوج تزوجات رجع رجعات وصل وصلات خرج خرجات دار دارت خدا خدات بغا بغات عطا عطات عطاني عطاتني شرا شرات
    نسا نسات هضر هضرات مريض مريضه عيان عيانه ناعس ناعسه
    """
)
# What they are asked and told.
ADDRESSES = words(
    """
    tu nta nti ntia ntina rak raki wach wash fin fink finek chno 3afak 3afaki stp svp aji chof choufi tqdr t9dr t9dri
    tji bghit ghatji ghayji jibi goli sifti 3tini tsnay sm3i 3yti
    نتا نتي نتينا راك راكي راه راها واش فين فينك شنو عفاك عفاكي اجي شوف شوفي تقدر تقدري غايجي غاتجي كايقول كاتقول
    وصلتي جيتي مشيتي جيبي گولي قولي صيفطي عطيني تسناي سمعي عيطي
    """
)
# What is said of somebody whose name begins a sentence.
AUXILIARIES = words("a est va avait etait sera fait ne n'a n'est m'a t'a has was had will asked hwa howa hiya")
# She succeeded, badr is the one who: a verb's ending, and words for one among others. Plurals end alike.
SHE_DID = re.compile(r"(?!ال|(?:بن|حاج|ساع|سنو|مر|صلو|حلوي|ذكري|كلم|معلوم)ات$)\w{3,}ات")
WHO = re.compile(r" (?:هو|هي|h[ow]+a|hiya|hia) (?:اللي|لي|ll?i)(?!\w)")
BLESSED = re.compile(r"الله[^\n]{0,12} (?:فيك|فيكي|عليك|عليكي|والديك) ?$")
ENDS_IN_DOTS = ("...", "…")
# She sent it to me, he told us: a verb of what people do, with what is written onto it.
VERB = re.compile(
    r"(?:s[iy]ft|gal|9al|jab|3ta|khda|wrra|chra|3yy?t|3ayt|jawb|wsl|hdr|kml|3rd|khlls?)(?:at)?(?:ni|na|lia|lina|ha|h|hom|k)?"
    r"|(?:[سص]يفط|صفط|قال|گال|كال|جاب|عطا|خدا|ورا|شرا|عيط|جاوب|وصل|هضر|كمل|عرض|خلص|سول|نسا|بغا|مشا|رجع|خرج|تزوج)"
    r"(?:ا?ت)?(?:ني|نا|ليا|لي|لينا|ها|ه|هم|ك)?"
)
FORM_OF_ACTION = re.compile(
    r"(?:ka[ytn]|gha[dytn]|ma(?!ka[yn]|b[9q])[ytkgb])[a-z0-9]{2,}|(?:كي|كت|كاي|كات|غاي|غات|غادي|ماك|مات|ماي)\w{2,}"
)
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
    r"(?:s[iy]f|gol|gul|9ol|golt|3ti|3ta|3yt|3ayt|tsl|hdr|dwi|jwb|wrri|صيفط|سيفط|صفط|قول|گول|قلت|عطي|عيط|هضر|جاوب|وري)"
)
ASKING = re.compile(
    r"(?:n|t|y|ka[nyt]|gha[nyt])?(?:s[ew]*wl|swwe?l|3awe?n|chke?r|tsnn?|tsenn|s9s)[a-z0-9]{0,3}"
    r"|(?:ن|ت|ي|كن|كي|كت|غن|غي|غت)?(?:سول|سقس|عاون|شكر|تسن|خبر)(?:ت|تي|تو|نا|و|ات|ها)?"
)
COORDINATION = re.compile(r" {1,2}(?:(?:et|w|o|wa|ou|and|و|&) {1,2}|و)")
WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
END_OF_LINE = re.compile(r"[^\w\n,،:]{0,12}(?:\n|\Z)")


class FoundForm(NamedTuple):
    """Where a form stands in a text, and where the clitic before it begins."""

    clitic: int
    start: int
    end: int


def is_evident(text: str, folded: str, found: FoundForm, family_names: Collection[str]) -> bool:
    """Whether a word is a name here: of who is called, greeted, written large, or does a thing."""
    clitic, start, end = found
    form, prefix = folded[start:end], folded[clitic:start]
    if prefix.endswith("ال") or (form in GREETINGS and GREETED.match(folded, end)):
        return False  # Words have an article.
    if prefix and folded[clitic:end] in ORDINARY_WORDS:
        return False  # kamil "all" is not "like Amal".
    line_before = folded[max(0, clitic - 40) : clitic].rpartition("\n")[2]
    before = WORD.findall(line_before)
    is_joined = text[clitic - 1 : clitic] in (" ", ",", "،", "-", "/", "")
    previous = before[-1] if before and is_joined else ""
    following = WORD.match(text, end + 1) if text[end : end + 1] in (" ", ",", "،") else None
    after = folded[slice(*following.span())] if following else ""
    is_exclamation = form in EXCLAMATIONS
    if previous in VOCATIVES or after in family_names or after in ACTIONS or VERB.fullmatch(after):
        return True
    is_large = text[start].isupper() and not text[start:end].isupper()
    if is_large and form not in GREETINGS and after in ADDRESSES:
        return True
    if not is_exclamation and (SHE_DID.fullmatch(after) or WHO.match(folded, end) or BLESSED.search(line_before)):
        return True
    if FORM_OF_ACTION.fullmatch(after) or text[clitic:start] in ("أ", "آ", "ا"):
        return True
    if not is_exclamation and (after in ADDRESSES or SECOND_PERSON.fullmatch(after) or NEGATED.match(folded, end)):
        return True
    if not is_exclamation and not prefix and (previous in OWNERS or ASKING.fullmatch(previous)):
        return True
    is_first = not line_before.strip() and (clitic <= 40 or "\n" in folded[clitic - 40 : clitic])
    if is_large and is_first and not is_exclamation and (after in AUXILIARIES or text.startswith(ENDS_IN_DOTS, end)):
        return True
    is_called = (is_first and text[end : end + 1] in (",", "،")) or (
        line_before.endswith((", ", "، ")) and END_OF_LINE.match(folded, end)
    )
    if is_called and not is_exclamation and not prefix:
        return True
    speaker = before[-2:-1] if previous in ("l", "li", "ل") else before[-1:] if prefix in ("l", "ل", "l'") else ()
    if any(SPEAKING.match(word) for word in speaker):
        return True
    if is_large and (following and following.group()[0].isupper() and not following.group().isupper()):
        return True
    return is_large and bool(previous) and text[clitic - 2 : clitic - 1] not in (".", "!", "?", "\n", ":")


def spread_evidence(folded: str, forms: list[FoundForm], evident: set[FoundForm]) -> set[FoundForm]:
    """The forms that are names because others of their line are: the same once more, or coordinated with one."""
    evident = set(evident)
    for ordered, step in ((forms, 1), (forms[::-1], -1)):
        for neighbour, form in itertools.pairwise(ordered):
            first, second = (neighbour, form)[::step]
            is_near = second.start - first.end < 10 and not folded[second.clitic : second.start].endswith("ال")
            if (
                neighbour in evident
                and is_near
                and folded[form.start : form.end] not in GREETINGS
                and COORDINATION.fullmatch(folded, first.end, second.start)
            ):
                evident.add(form)
    lines, line = {}, 0
    for place, form in enumerate(forms):
        line += place > 0 and "\n" in folded[forms[place - 1].end : form.start]
        lines[form] = (line, folded[form.start : form.end])
    named = {lines[form] for form in evident}
    return evident | {form for form in forms if lines[form] in named and form.clitic == form.start}
