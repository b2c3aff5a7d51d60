"""Words by which `senses` tells what a name means where it is the word, all in one spelling.

Each list is of both scripts. In Latin letters, all spellings that `verbs.spell` makes one are meant.
"""

import re

from darija_gpt.data.names.folding import fold_form
from darija_gpt.data.names.verbs import spell
from darija_gpt.data.names.words import QUALITIES as KNOWN_QUALITIES
from darija_gpt.data.private_data.phrases import words


def _spell(text: str) -> frozenset[str]:
    return frozenset(spell(fold_form(word)) for word in words(text))


# Names that are things, of which something has them: purity of heart, the breeze of the sea.
THINGS = _spell(
    """
    nour noor nur jamal kamal jalal safa safae hana hanae wafa wafae raja rajae farah hayat najat sana sanae doha hoda
    houda iman imane amal rahma ihsan ikram nassim nasim basma ibtissam chourouk fajr chams badr warda zahra ferdaous
    hanan wiam sahar bahja souad nasr fath rida salah siraj malak najma hilal abir arij ilham hiba
    نور جمال كمال جلال صفاء هناء وفاء رجاء فرح حياه نجاه سناء ضحي هدي ايمان امل رحمه احسان اكرام نسيم نسمه بسمه ابتسام
    شروق فجر شمس بدر ورده زهره زهور فردوس حنان ويام سحر بهجه نصر فتح رضا رضي صلاح سراج ملاك نجم نجمه هلال قمر عبير اريج
    شذي الهام هبه دعاء سلام صباح ربيع دنيا نعيم جنه جنات سلوي نجوي اخلاص يقين سماح شرف لهفه حنين شوق اشواق مني حبيب
    حبيبه رفيق رفيقه امير اميره ملك ملكه عمر وصال عزه كرم جود فضل عدل حكمت عفاف ثناء ضياء بهاء سند عماد ريحان ياقوت
    مرجان جوهره غيث ندي كوثر سعاد بشري
    """
)
# Whose or what these are, with an article, or as a part of somebody's.
HAVING = _spell(
    """
    lqlb lqalb roh rroh nfs nnfs lbal bal tabi3a ttabi3a sma smaa ssma lbhr chms chchms lqmr lkhatr l3in l3inin dnia
    ddnia lwaldin lqran lwrd ljbl llil niia l3mr l3ich
    للناس للعالمين للجميع للمتقين للمومنين للبشريه للامه
    السما السماء الشمس القمر البحر الطبيعه القلب القلوب الروح النفس البال العقل الخاطر الفكر الذهن الوجه العين العينين
    العيون الحياه العيش الدنيا العالم الكون الليل الفجر الصبح الرحمان الرحمن النبي الوالدين الناس المومن المومنين
    الاسلام الايمان القران المراه الرجال الشباب الوطن البلاد الحريه الحق العلم الورد الزهور الازهار الياسمين الجبل
    الجبال الربيع المكان المدينه المنظر المناظر اللون الالوان الصوت الخط الكلمه الكلام الاخلاق الخلق اللغه الموسيقي
    الفن الحب الصداقه الاصدقاء العمر الما الماء الهوا الجو السريره النيه المعني الغابه الصحرا الصحراء النصر المستقبل
    الامه الميت الضيف الزوجين الجار الكلب الكلاب البدن الجسم الاسره الشكل المظهر الافعال الصبر الاخره الانسان الارض
    الفضه الذهب قلبي قلبك قلبو قلبها قلوبنا قلوبهم روحي روحك روحو نفسك نفسو بالك بالو عيني عينيا عينيك عينيها عيونك
    عيونها وجهك وجهها وجهو الهدي الام الاب الاباء الدرب الطريق امي يما
    """
)
GOD = _spell("lah llah allah الله ربي ربنا رب")
FROM, ON = _spell("mn من"), _spell("3la علي")
OPTATIVE = re.compile(r"[iy]\w{2,}|[يت]\w{2,}")
GIVEN_BY_GOD = re.compile(r"(?:i?z?id|irzq|i3ti|i?mla)\w{1,3}|(?:ي|ت)(?:زيد|رزق|عطي|ملا)(?:ك|كم|و|ه|ها|هم|نا|ني)")
# Beside which such a thing is one, too: purity and clarity.
GOOD_THINGS = _spell(
    """
    sa3ada mhba sha sehha bsha bsahha raha rahat rzq njah maghfira 3afia salama taqwa hob lhob
    نقاء سعاده سرور محبه عافيه صحه بصحه راحه طمانينه امان بركه رزق نجاح حب ود احترام تقدير مغفره هدوء تقوي السعاده
    المحبه الصحه الراحه العافيه الحب الود
    """
)
EVERYTHING = _spell("kolo kollo kolha kolhom bkol bkl kol كلو كله كلها كلهم بكل كل")
# Of which there is some such thing: a source of hope.
BEFORE_THINGS = _spell(
    """
    khaybat khaibat msdr masdar symbole dmo3 lahdat l7dat qimt 9imt tiqa bala
    مصدر بصيص خيبه دموع قمه دره شعاع اشعه لحظه لحظات رمز عربون قله طاقه معاني عامر عامره مليان مليانه سفينه قارب طوق
    حمامه
    """
)
# Adjectives of such meaning that what somebody has is more often like that than theirs.
ADJECTIVES = KNOWN_QUALITIES | _spell("sadiq sadik نبيل شريف صادق سليم فاضل نعيمه مبارك محمود جليل بديع")
# Names that say what somebody or something is like.
QUALITIES = KNOWN_QUALITIES | _spell(
    """
    said saida khalid khalida charif cherif chrif sadiq sadik saleh salih nabil nabila mounir mounira majid majida
    farid farida wassim wassima salim salima rachid adil anis anissa rafik rafiq najib fadel fadil badi3 hakim hakima
    naim naima zin zine zina tayeb hani sami samia jalil jalila malih
    حسن زين زينه طيب طيبه هاني خالد خالده شريف شريفه صادق صادقه صالح صالحه نبيل نبيله منير منيره ماجد ماجده مجيد فريد
    فريده وسيم وسيمه سليم سليمه رشيد رشيده راشد انيس انيسه رفيق رفيقه نجيب نجيبه فاضل فاضله بديع بديعه حكيم حكيمه نعيمه
    نعيم سامي ساميه جليل جليله حميد حميده رحيم رحيمه امين امينه شاكر صابر كامل طاهر طاهره مبارك مباركه ميمون مسعود ظريف
    ناجح رفيع زاهر زاهيه هادي هاديه هانيه وفي شجاع نافع سالم سالمه عاطف مخلص محبوب محبوبه منصور فايز قاسم ناصح
    """
)
# Bare things and people, behind which stands what they are like rather than whose they are.
DESCRIBED = _spell(
    """
    nhar lila lilt simana chhar 3am 3id rajl mra insan chakhs bnadm jawab hokm zaman mojtama3 film risk dikra nafs nfs
    mostawa khbar kasb 3idkom 3idk 3idkoum
    عيدكم عيدك عيدنا عرسكم زواجكم زواجك صيامكم ضو يوم نهار ليله عام سنه شهر اسبوع سيمانه صباح مساء عيد زمان زمن حظ اثر
    مجد راجل رجل انسان شخص بنادم امراه مرا مراه شاب شابه عبد مومن حكم حاكم قاضي قائد قايد زعيم منظر ليل نجم ضوء حب عشق
    هدف حل قانون اتفاق جنس وطن شعب نهايه بدايه جو طقس هواء مجتمع نظام توزيع ابداع مشهد حدث جزاء اجر حرم قدس مصحف نوع
    مستوي قران القمر الجو الطقس السما الحكم القاضي المدير الحاكم البحر الليل
    """
)
# What may be somebody's as well: only before `ADJECTIVES` is it told what it is like.
DESCRIBED_OR_HAD = _spell(
    """
    ميلاد زواج سفر قرار موقف تصرف سلوك عمل فعل قول فكر شعور احساس فن مكان خبر وعد نفس ملك كسب ضيف جسم انجاز عرض رزق
    حياه حاله عيشه معامله دكري ذكري استقبال ترحيب عقل خلق طبع اصل نسب دم
    """
)
CLITICS = frozenset("وفبلك")
VERY = _spell("bzaf jiddan jidan بزاف جدا كتير")
GOING_ON = re.compile(r"k[an]|ta[ti]|gha|ك[اي]|ت[اي]|غ[ا]|w|و")
# What somebody is like besides: kind and generous.
LIKEWISE = _spell(
    """
    drif drifa mrbbi mrbia mtrbi zwin zwina m39ol m3qol far7an frhan mrta7 na9i nadi hnin hnina mt9i khlo9 nachit
    ظريف ظريفه مربي مربيه متربي زوين زوينه معقول فرحان مرتاح نقي حنين حنينه محترم محترمه متواضع ومزيان مزيان مسرور
    مبارك خلوق قوي ضعيف متسامح
    """
)
# Better or best, behind which is what somebody is.
BEST = _spell("khir khair hsn ahsan a3z 3zz خير احسن افضل اعز اجمل اعظم اقرب اطيب اوفي نعم")
PLANTS = _spell(
    """
    yasmine yasmin warda ward zahra rihane rihan nisrine nesrine nasrine narjis narjiss rose
    ياسمين ورده ورد زهره زهور ريحان نسرين نرجس سوسن
    """
)
SMELLS = _spell(
    """
    riha rihat riht 3tr parfum chjra chjrat nwara ward wrd bouquet zit atay chay jnan sabon krim crème
    ريحه ريحت رايحه عطر عطور بارفان شجره شجرت شجر نواره نوار ورد زهر زهور ازهار باقه بوكي غصن زيت شاي اتاي ماء صابون
    كريمه قطف قطفت قطفات زرع زرعت زرعنا غرس غرست غرسنا
    """
)
OF = _spell("d dyal dial ta3 b ديال تاع من ب")
# Behind which a name is of a part of the Quran, of a prophet, of a street.
HOLY = words("sourat sorat sora sidna سوره سيدنا النبي نبي نبينا الامام")
STREETS = words(
    "rue avenue av bd bld boulevard chari3 zan9at zn9t zan9t stade aeroport شارع زنقه مطار ملعب ساحه جامعه"
)
HOLY_OR_STREET = HOLY | STREETS
BEFORE_OTHERS = re.compile(rf"(?<!\w)[وفبلك]?(?:{'|'.join(HOLY_OR_STREET)}) \Z")
# What else is spoken of where the name is the word: its spellings, and what tells.
TOLD_BY = [
    (_spell(spellings), re.compile(rf"(?<![^\W_])(?:{around})"))
    for spellings, around in (
        (
            "mouna mona mina مني",
            r"(?:ال|لل|ل)?حج(?:اج)?(?![^\W_])|عرف[هة]|بعرف|مزدلف|طواف|الجمرات|7ojjaj|hojjaj|l7ojjaj|3arafa",
        ),
        ("ghita rita غيته غيثه غيطه", r"l?t+[ae]?b[ea]?l(?![^\W_])|[ال]*طبل|[ال]*طبول|3issawa|عيساوه"),
        ("raja rajae rajaa رجا رجاء", r"derby|l?w[iy]dad|lwydad|الوداد|الديربي|ديربي|l?botola|البطوله"),
        ("raja rajae rajaa رجاء", r"رجاء (?:ما ?ت|لا ت|عدم)"),
        ("doha ضحي", r"وقت|صلا|ركع|sla[wt]"),
        ("ghizlan ghizlane rim reem غزلان ريم غزال", r"صيد|قطيع|الغاب|الصحرا|حديقه الحيوان|عيون|[3a]youn|s[iy]d "),
        ("qamar kamar قمر", r"صناعي|اكتمل|l9mer"),
        ("siham سهام", r"سهام (?:مسموم|قاتل|حاد)"),
        ("malika مليكه", r"l?9s?[ae]?r(?![^\W_])|القصر"),
        ("mobarak mbarak mebarek مبارك مسعود messaoud", r"مبارك و ?مسعود|m[eo]?bark w m[ae]s3oud"),
        ("toufik taoufik tawfik tawfi9 toufi9 توفيق", r"ب ?توفيق|b ?ta?[wou]+fi[9qk]"),
        ("farid فريد", r"فريد من نوع|farid mn no3"),
        ("hilal هلال", r"رمضان|العيد|الشهر|الاحمر"),
        ("florence", r"(?:a|visite|vol|hotel|de|to|in) florence|italie|italy|rome"),
        ("france", r"(?:en|la|de|vers|in|to|from|l|f) france|paris"),
        ("bachir bechir بشير", r"بشير (?:خير|شو)|bachir khir"),
        ("jad jadd", r"b ?jad(?![^\W_])"),
        ("widad ouidad wydad وداد", r"derby|l?raja(?![^\W_])|rrja|الرجاء|الديربي|ديربي|l?botola|البطوله"),
        (
            "hajar 7ajar هاجر",
            r"rma\w{0,3} 3l|l?7jar|ل(?:كندا|فرنسا|اسبانيا|ايطاليا|المانيا|بلجيكا|اوروبا|لخارج)",
        ),
        ("marwa safa safae مروه صفا", r"(?:ال)?صفا والمروه|والمروه|safa w ?l?marwa"),
        ("adam ادم", r"bni adam|bani adam|بني ادم|كلنا ولاد|kolna wlad"),
        ("tarik tariq tari9 طارق", r"tari[9qk] (?:ben|bn|ibn) z[iy]+ad|طارق بن زياد|جبل طارق|طارق ليل"),
        ("fath fateh فتح نصر nasr", r"نصر من|فتح قريب|nasr mn|(?:والفتح|نصر الله)"),
        ("siraj sirage سراج", r"شعل|طفا|القنديل|الزيت"),
        ("wissam wisam وسام", r"عطاو|وسام (?:ملكي|شرف|من|ال)|توشيح"),
        ("lobna loubna لبني", r"شجر|نزرع|كتزرع"),
        (
            "mohamed mohammed mohammad mouhamed muhammad mhamed محمد",
            r"(?:و ?)?(?:صل|صلي|صلو|صلوا|صلاه|الصلاه|السلام|سلم|بارك) (?:و ?سلم )?(?:و ?بارك )?"
            r"علي (?:سيدنا |نبينا )?محمد"
            r"|محمد (?:رسول|صلي|عليه ال|سيد الخلق|السادس|الخامس|بن عبد الله)|(?:الملك|السلطان|سيدي) محمد"
            r"|s[ae]l+i? (?:w ?s[ae]l+[ie]m )?3la (?:sidna )?m\w{1,3}m+[ae]d"
            r"|m\w{1,3}m+[ae]d (?:6|vi|v|5|ras[ou]+l)(?![^\W_])",
        ),
        (
            "lahcen lahsen l7sn lhsn l7sen la7sen la7sn 7sn hsn لحسن حسن",
            r"l?a?[h7]+s+[ae]?n m[ae]?n(?![^\W_])|ا?ل?حسن من",
        ),
        (
            "mbarek mobarak mubarak mebarek mobarek mbark مبارك",
            r"مبارك (?:عليك|عليه|علينا|لك|ليك|العيد|العواشر)|(?:عيد|عام|شهر|رمضان|جمعه|زواج) مبارك"
            r"|m\w{0,3}b\w?r[ae]?k (?:3lik|3lih|3lina|l ?3id|l ?3wach)"
            r"|(?:3id|3id[ko]om|3am|ramadan|aid|l?jom3a) m\w{0,3}b\w?r[ae]?k",
        ),
        ("hind هند", r"bollywood|mn l? ?hind|بوليود|نيودلهي"),
    )
]
TOLD = frozenset().union(*(spellings for spellings, _ in TOLD_BY))
SENSES = THINGS | QUALITIES | PLANTS | TOLD
REACH = 64  # characters to either side in which something tells
