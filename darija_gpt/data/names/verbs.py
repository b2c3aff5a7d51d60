"""Verbs of Darija by what they say of the word beside them: who does a thing, who gets it, who is spoken of.

In Latin letters everybody spells in his own way, so most of the patterns read words as `spell` leaves them; the first
four, and those of words in Arabic letters, as `folding.fold_name` does.
"""

import functools
import re

from darija_gpt.data.names.folding import REPEATED


_ONE_LETTER = str.maketrans("ذث", "دت")
_ONE_SPELLING = str.maketrans({"9": "q", "7": "h", "u": "o", "y": "i", "e": None})


@functools.lru_cache(maxsize=1 << 14)
def spell(word: str) -> str:
    """A folded word in Latin letters in one of its spellings: lbare7 and lbarh are lbarh, 3endou and 3ndo are 3ndo."""
    return (
        REPEATED.sub("", word.translate(_ONE_SPELLING).replace("oo", "o"))
        if word.isascii()
        else word.translate(_ONE_LETTER)
    )


# She succeeded: a verb's ending. Plurals end alike.
SHE_DID = re.compile(r"(?!ال|(?:بن|حاج|ساع|سنو|مر|صلو|حلوي|ذكري|كلم|معلوم)ات$)\w{3,}ات")
SHE_DID_IN_LATIN = re.compile(
    r"(?!l(?!bs|9|3b|7[9g])|(?:b[ae]?n|sa3|[7h]aj|[mk]r|wra9|tswir|[7h]a?y|s[ae]l|zk|th|wh|ch|pl|et|ach|comb|deb|contr|result|form|c|gre)at$)"
    r"[a-z0-9]*[^aeiouy\W]at"
)
# She sent it to me, he told us: a verb of what people do, with what is written onto it.
VERB = re.compile(
    r"(?:s[iy]ft|gal|9al|jab|3ta|khda|wrra|chra|3yy?t|3ayt|jawb|wsl|hdr|kml|3rd|khlls?)(?:at)?(?:ni|na|lia|lina|ha|h|hom|k)?"
    r"|(?:[سص]يفط|صفط|قال|گال|كال|جاب|عطا|خدا|ورا|شرا|عيط|جاوب|وصل|هضر|كمل|عرض|خلص|سول|نسا|بغا|مشا|رجع|خرج|تزوج)"
    r"(?:ا?ت)?(?:ني|نا|ليا|لي|لينا|ها|ه|هم|ك)?"
)
FORM_OF_ACTION = re.compile(
    r"(?:ka[ytn]|gha[dytn]|ma(?!ka[yn]|kl|b[9q]|brou|tin|tch|ti[ce]|th|gh?r|gas|gana)[ytkgb])[a-z0-9]{2,}|(?:كي|كت|كاي|كات|غاي|غات|غادي|ماك|مات|ماي)\w{2,}"
)
# What somebody does, who is no thing: by the verbs' stems, and what is written onto them.
_LATIN_DONE = """
    khla kml chrb kla l3b rbh khsr ghlt bda hbs tah lbs ghsl taib qra ktb hfd sqt drb srq lqa chaf sm3 fhm 3rf nsa fkr
    hlf kdb sam slm tlb dwa hka saq rkb hjz df3 khls qt3 hz rma bat 3ia bra tlaqa qrb chra ba3 qbt tfrj lgha nqs trba
    tkhrj tchka 3awd qbd da dda sb skn ghbr ghlb ghna khdm dawz dwz chd bdl jm3 srba hawl sona qdr hid gls saib chk wjd
    swl tl3 nzl khtar jrb jra jbd hadr khaf hmaq thrk sjl ch3l 3ql 3awn skt rd tsab tjrh tkhtb tbdl t3lm tqlq t3sb
    tkhl3 tzad tkhasm tsalh twfq trma tnrfz wafq tfrq ndm z3f smn wsa qrr frs zwq dbr khtb
"""
_ARABIC_DONE = """
    خلا كمل شرب كلا لعب ربح خسر غلط بدا حبس طاح لبس غسل طيب قرا كتب حفظ سقط ضرب سرق لقا شاف سمع فهم عرف نسا فكر حلف
    كدب صلا صام سلم طلب دوا حكا ساق ركب حجز دفع خلص قطع حط هز رما بات عيا برا تلاقا قرب باع قبط تفرج لغا تخرج تشكا عاود
    قبض تصور دا سب خطب طلق تخاصم تصالح عطس سبق ربا لحق هرب شكر سلف عزم دعا سكن غلب غنا خدم دوز شد بدل جمع حاول صونا قدر
    حيد صاوب شك وجد طلع نزل ختار جرب جرا جبد حضر خاف حماق تحرك سجل شعل عقل عاون سكت رد تصاب تجرح تخطب تبدل تعلم تقلق
    تعصب تخلع تزاد وافق قرر رفض سمح فشل فرح رفع ضيع تبع تفكر هدر غبر سد حل حط دق عض صب قص تفرق ندم زعف بزق عرق سمن
    ضعاف تنرفز والد ولد رقص دبر
"""


def _write_past(stems: str, a: str, at: str) -> str:
    """A pattern for what he and she did: dwa and dwat, 3rf, 3raf and 3rfat, chaf and chaft."""
    patterns = []
    for stem in stems.split():
        if stem[-1] == a:
            patterns.append(f"{stem[:-1]}(?:{a}|{at})")
        else:
            patterns.append(f"{stem[:-1]}a?{stem[-1]}(?:{at}|t)?" if stem.isascii() else f"{stem}(?:{at}|ت)?")
    return "|".join(patterns)


DID = re.compile(
    rf"(?:{_write_past(_LATIN_DONE, 'a', 'at')})(?:ha?|hom|ni|na|k|lia|lina|lih|liha|lik|ch)?"
    rf"|(?:{_write_past(_ARABIC_DONE, 'ا', 'ات')})(?:ه|ها|هم|ني|نا|ك|ليا|لينا|ليه|ليها|ليك)?"
)
_LATIN_AT_IT = (
    "dair|taib|mskin|m3gaz|m3ssb|hmq|jals|gals|waqf|katb|chari|jaib|wakhd|haz|kharj|dakhl|tal3|habt|raj3|machi|saiq|rakb|labs|saim|fatr|3arf|fahm"
    "|nasi|baghi|mhtaj|hadr|taif|haml|qat3|khasr|rabh|chad|mtfq|mkalf|mqlq|mwa3d|mrid|talf|mslm|khatb|mghib|mjroh|mtzwj|mzwj|mkhtob|wakl"
    "|charb|m3rod|mkhasm|mdabz|3aich|haj|sad|fath|qari|ha?ss"
)
_ARABIC_AT_IT = (
    "داير|مسكين|معكاز|معصب|جالس|كالس|واقف|كاتب|شاري|جايب|واخد|هاز|خارج|داخل|طالع|هابط|راجع|ماشي|سايق|راكب|لابس|صايم|فاطر|عارف|فاهم|ناسي|باغي"
    "|محتاج|حاضر|حامل|قاطع|خاسر|رابح|شاد|متفق|مكلف|مواعد|تالف|مخاصم|مدابز|واكل|شارب|معروض|مزوج|متزوج|مخطوب|حاسب|ساد|محرج|عايش"
)
AT_IT = re.compile(rf"(?:{_LATIN_AT_IT})(?:a|in)?|(?:{_ARABIC_AT_IT})(?:ه|ين)?")
# What is asked of somebody who did it, man or woman, and no noun with "my".
YOU_DID = re.compile(
    r"(?!(?:hia|bn|kh|mra|sahb|dni|frh|wq|bni|hbib|3ziz|3m|khal|jd|jar|lm|khdm|shi?|th|3a?il|qs|swr|mo|ro|bi|mdrs|b)ti\Z)"
    r"(?:ma)?\w+(?:i|[^aeiou\W])ti(?:ha?|hom|ni|na|lia|lina|lih|liha|ch)?"
    r"|(?!(?:حيا|بن|خ|اخ|مرا|دني|فرح|وق|بي|صح|خدم|حبيب|عزيز|صاحب|جار|خال|عم|جد|عايل|مدرس|صور|قص|بلد|امني|دا|يا|كيا|لم|زوج|سيد|انس"
    r"|استاد|امير|زهر|ورد|نجم|ملك|مو|ام|وح|نعم|جن|راح|نصيح|حكاي|رحل|سعاد|طفل|قو|صلا|حاج)تي\Z)"
    r"(?:ما)?\w{2,}تي(?:ه|ها|هم|ني|نا|ليا|لينا|ليه|ليها|ش)?"
)
# Verbs that take no thing: of who comes, goes, says, sleeps, marries, calls. By their stems, past and present.
_LATIN_OPEN, _LATIN_CLOSED = (
    "ja|mcha|gal|qal|nad|bka|faq|bqa|bgha|sla|sala",
    "wsl|dkhl|khrj|rj3|n3s|hdr|tzwj|njh|safr|mrd|dhk|t3tl|jawb|3it|wld",
)
_LATIN_PRESENT = "ji|mchi|wsl|gol|qol|dkhl|khrj|rj3|n3s|hdr|nod|tzwj|njh|safr|3it|jawb|bqa|khdm|skn|t3tl|fiq|bghi"
_ARABIC_OPEN, _ARABIC_CLOSED = (
    "جا|مشا|قال|كال|ناض|بكا|فاق|بقا|بغا",
    "وصل|دخل|خرج|رجع|نعس|هضر|تزوج|نجح|سافر|مرض|ضحك|تعطل|جاوب|عيط|ولد",
)
_ARABIC_PRESENT = "جي|مشي|وصل|قول|كول|دخل|خرج|رجع|نعس|هضر|نوض|تزوج|نجح|سافر|عيط|جاوب|بقا|خدم|سكن|تعطل|فيق|بغي"
SHE_COMES = re.compile(
    rf"(?:ma)?(?:(?:{_LATIN_OPEN})t|(?:{_LATIN_CLOSED})at|(?:ka|gha|kha)?t(?:{_LATIN_PRESENT}))(?:ch)?"
    rf"|(?:ما)?(?:(?:{_ARABIC_OPEN})ت|(?:{_ARABIC_CLOSED})ات|(?:كا?|غا?)?ت(?:{_ARABIC_PRESENT}))(?:ش)?"
)
HE_COMES = re.compile(
    rf"(?:ma)?(?:{_LATIN_OPEN}|mat|{_LATIN_CLOSED}|(?:ka|gha|kha)?i(?:{_LATIN_PRESENT}))(?:ch)?"
    rf"|(?:ما)?(?:{_ARABIC_OPEN}|مات|{_ARABIC_CLOSED}|(?:كا?|غا?)?ي(?:{_ARABIC_PRESENT}))(?:ش)?"
)
NOT_DOING = re.compile(r"ma ?(?!ka(?:n|in)|ba?q|3nd|fi|khas)\w{3,}ch|ما ?(?!كان|كاين|بق|عند|في|خاص)\w{3,}ش")
# What is done to her of whom it is said, and to me: khtboha, wa3dni.
DONE_TO_HER = re.compile(r"\w{2,}(?:o|w|at|na|ti|t)ha|\w{2,}(?:و|ات|نا|تي|ت)ها")
DONE_TO_ME = re.compile(r"\w{3,}(?:ni|lia)|\w{3,}(?:ني|ليا)")
# What two do: jaw, mchaw, jayin.
THEY_DO = re.compile(r"\w{1,}(?:aw|ao|in)|(?:ka|gha)i\w+o|\w{2,}(?:او|ين|وا)|[كغ]ا?ي\w+و|غادي\w*|ghad\w*")
# What somebody is asked to do for another: 3tini, goli liya.
ASKED = re.compile(
    r"\w{2,}i(?:ni|lia|lina|li)|(?:sir|fiq|nod|gls|jr|hz|khod|3t|g?ol|gol|qol|chof|sm3|tsna|3it|rj3|jib|dir|skt|ktb|jawb|khl|hl|sd)"
    r"i?(?:h|ha|hom|lih|liha|ni|lia|y)?"
    r"|\w{2,}ي(?:ني|ليا|لينا)|(?:سير|فيق|نوض|كلس|جلس|هز|خود|عط|قول|كول|شوف|سمع|تسنا|عيط|رجع|جيب|دير|سكت|كتب|جاوب|خل|حل|سد)"
    r"ي?(?:ه|ها|هم|ليه|ليها|ني|ليا)?"
)
# Verbs that take nobody but a person.
WITH_PEOPLE = re.compile(
    r"(?:ma)?(?:ka|gha|ta)?[nti]?(?:s[ao]?wl|sol|3awn|chkr|twhch|tsna|sqs|3rd|tlaq|fiq|twhs)\w{0,4}"
    r"|(?:ما)?(?:[كغ]ا?)?[نتي]?(?:سول|عاون|شكر|توحش|تسنا|تسني|سق[سص]|عرض|تلاق|فيق)\w{0,4}"
)
# He prays, she does: with the ta of Casablanca.
TA_DOES = re.compile(r"ta[int]\w{3,}|تا[يتن]\w{3,}")
# Verbs after which "l" or ل stands before whoever gets something.
TRANSFER = re.compile(
    r"(?:ma)?(?:ka|gha)?[nti]?(?:si[fv]t|safd|3it|3t[ai]|chr[ai]|j[ai]b|jbt|wr[ia]|khl[ia]|g[ao]l|q[ao]l|glt|qlt|slf|b[ai]3|hd[ia]|wsl|ktb|"
    r"khls|rj3|rd|di|da|dwz|3awd|hk[ai]|wjd|sawb|tib|hz|slm|bat|chra|saib|part)\w{0,5}"
    r"|(?:ما)?(?:[كغ]ا?)?[نتي]?(?:صيفط|سيفط|صفط|عيط|عطي|عطا|عطيت|شري|شرا|جيب|جاب|جبت|وري|ورا|خلي|خلا|قول|كول|قال|كال|قلت|كلت|سلف|"
    r"بيع|باع|هدي|هدا|وصل|كتب|خلص|رجع|رد|دي|دا|دوز|عاود|حكي|حكا|وجد|صاوب|طيب|هز|سلم|بعت|بعث)\w{0,5}"
)
# And after which 3la or على stands before whoever is spoken of.
TALK = re.compile(
    r"(?:ka|gha)?[nti]?(?:hdr|dw[ia]|hk[ai]|swl|sol|kdb|g[ao]l|q[ao]l|glt|qlt|slm|sm3|ht[ai]k|dor|qlb|3rd|3it|dhk|khaf)\w{0,5}"
    r"|(?:[كغ]ا?)?[نتي]?(?:هضر|دوي|دوا|حكي|حكا|سول|سقس|كدب|قول|كول|قال|كال|قلت|كلت|سلم|سمع|دور|قلب|عرض|عيط|ضحك|خاف)\w{0,5}"
)
# Verbs of one who is far away, behind which stands to whom: she called me, he sent you.
CALLED_OR_SENT = re.compile(
    r"(?:ka|gha)?[ti]?(?:3(?:ai?|i)t|s[ai]*ft|jawa?b|hdr|ktb|rsl|wsa|hka|tsl)\w{0,4}"
    r"|(?:[كغ]ا?)?[تي]?(?:عيط|صيفط|سيفط|جاوب|هضر|كتب|رسل|وصا|حكا|تاصل|اتصل)\w{0,4}"
)
# What is felt for a person: happy with, proud of.
FEELING = re.compile(
    r"tlaq\w{0,3}|f[ae]?rhan\w{0,2}|frh(?:t|na|o|at)|fakhor\w?|(?:ka)?[nti]?tiq\w{0,2}|waqil\w?|wat?iq\w?|m3jb\w?|mfrhin"
    r"|تلاق\w{0,3}|فرحان\w{0,2}|فرح(?:ت|نا|و|ات)|فخور\w?|(?:ك)?[نتي]?[تث]يق\w{0,2}|وا[تث]ق\w?|معجب\w{0,2}|مهلي\w{0,2}|تهلا\w{0,2}"
)
# Verbs that take a person, or a thing with an article: she saw, met, invited, took along Nour.
MEETING = re.compile(
    r"(?:ka|gha)?[nti]?(?:ch[ao]?f|chft|chf|lq[ia]|3rd|3it|tlaq|di|da|jib|jab|jbt|khl[ia]|tsna|stn|twhch|sowl|sqs|3awn|tfkr|n3r[fd]|3rft|"
    r"b[a]?rk|fiq|wsl|hz|ns[ai]|tlf|msk|chd)\w{0,4}"
    r"|(?:[كغ]ا?)?[نتي]?(?:شوف|شاف|شفت|شفنا|لقي|لقا|لاقي|عرض|عيط|دي|دا|جيب|جاب|جبت|خلي|خلا|تسنا|تسني|توحش|سول|سقس|عاون|فكر|عرف|"
    r"فيق|وصل|هز|بارك|نسي|نسا)\w{0,4}"
)
# From whom something is had or heard.
GETTING = re.compile(
    r"(?:ka|gha)?[nti]?(?:kh(?:a)?d|khod|sm3|tslf|slf|chr[ai]|j[ai]b|jbt|wsl|tlb|khaf|frq|tlq|thn|qrib|b3id)\w{0,4}"
    r"|(?:[كغ]ا?)?[نتي]?(?:خد|خاد|سمع|تسلف|شري|شرا|جيب|جاب|جبت|وصل|طلب|خاف|فرق|قريب|بعيد)\w{0,4}"
)
# Who is spoken to: you, a verb's ending for you, or an object that you are.
YOU = re.compile(r"nt[aio]a?(?:na)?|\w{2,}ti|\w{2,}k|نت[اي]\w{0,2}|\w{3,}تي|\w{2,}ك")
# What a woman is asked to do: tkemli, tjibi.
YOU_DO = re.compile(r"(?:ka|gha)?t\w{3,}i|(?:كا?|غا?)?ت\w{3,}ي")
