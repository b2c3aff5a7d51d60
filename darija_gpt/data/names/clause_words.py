"""Words of the clause around a form that is a word too, by which `frames` tells whether it is a name.

Each list is of both scripts. In Latin letters, all spellings that `verbs.spell` makes one are meant.
"""

import itertools
import re

from darija_gpt.data.names.first_names import NAMES
from darija_gpt.data.names.folding import fold_form
from darija_gpt.data.names.spellings import SPELLINGS
from darija_gpt.data.names.verbs import spell
from darija_gpt.data.names.words import ACTIONS as ALL_ACTIONS
from darija_gpt.data.names.words import ADDRESSES as ALL_ADDRESSES
from darija_gpt.data.names.words import GREETINGS, ORDINARY_WORDS
from darija_gpt.data.names.words import POSSESSIONS as ALL_POSSESSIONS
from darija_gpt.data.private_data.phrases import words


def _spell(text: str) -> frozenset[str]:
    return frozenset(map(spell, words(text)))


# With which a sentence begins, and after which its subject stands.
OPENERS = _spell(
    """
    wach yak ila mli hit 7it bli w walakin hta 7ta wakha ok okay oki safi yallah oui non iyeh ah ewa iwa wa daba 3lach
    kifach imta ghir ra ha hahowa hahiya mais et puis alors donc si quand que car parce and but so because yes no if
    when chno
    واش ياك الا ملي حيت بلي و ولكن حتي واخا وخا صافي يالاه يلاه اه ايوا وا دابا علاش كيفاش امتا غير راه ها ان لان نعم
    شنو
    """
)
# After which somebody is called who is not otherwise asked anything.
CALLS = _spell(
    """
    wakha ok okay oki safi yallah oui non iyeh ah ewa iwa wa bravo tfadli tfadl bslama mrhba yes cv cava labas hania
    bikhir sm7i sme7li sm7li sm7ili lia liya chofi chof sm3i sma3 hak haki
    واخا وخا صافي يالاه يلاه اه ايوا وا نعم بسلامه برافو تفضلي تفضل سمحي ليا سمح شوفي شوف سمعي سمع هاك هاكي بخير هانيه
    """
)
# What follows who does or is a thing: she is, needs, has, is still, was, and who.
PREDICATES = _spell(
    """
    rah raha raho rahou khas khass khaso khassou khassha khsso khssha 3ndo 3ando 3ndou 3ndha 3andha m3ah m3aha mazal
    mazala ba9i ba9a baqi ba9ya kan kant li lli tbarkllah tbarklah hahowa howa hiya ra
    far7an far7ana fer7an fer7ana m3sb m3sba mqlq mqlqa jou3an jou3ana khayf khayfa hamla ila mli hit 7it wila
    sra7a sara7a wllah wlah walah bsa7
    راه راها خاص خاصو خاصه خاصها خصو خصها عندو عنده عندها معاه معاها مازال مازالت مازاله باقي باقا باقيه كان كانت
    اللي لي
    هو هي را فرحان فرحانه معصب معصبه مقلق مقلقه جوعان خايف خايفه حامله الا ملي حيت صراحه والله بصح
    """
)
# Behind a verb, to whom.
DATIVES = _spell("lik lih liha liya lia lina likom lihom ليك ليه ليها ليا لينا ليكم ليهم")
PRAYER = re.compile(r"3la slamt|علي سلامت|(?:الله|ربي|a?l?a?l[ae]?h|rbi) [يi]\w{2,}(?:ها|ه|ك|كم|ha|h|o|k|kom)(?!\w)")
ON_YOU = _spell("3lik 3lia 3liya 3lina 3likom 3lih 3liha m3ak m3aya fik عليك عليا علينا عليكم عليه معاك معايا فيك")
TIMES = _spell(
    """
    daba lyoum lyoma ghda ghedda lbare7 lbareh dima dayman deja toujours tani hier demain bzaf chwiya
    دابا اليوم اليوما غدا البارح لبارح ديما دايما تاني شويه بزاف
    """
)
PLACE = re.compile(
    r"f|fi|f(?:l|d|s|t|ch|j|r|z|n)\w{2,}|3nd|m3a\w{0,3}|hna\w{0,2}|tma|hda\w{0,3}|mn|fin|3la"
    r"|في|ف\w{3,}|هنا\w?|تما|عند\w{0,3}|مع\w{0,3}|حدا\w{0,3}|من|علي"
)
# Who somebody is, behind the name; and with what is theirs, joined to it.
KIN = _spell(
    """
    bnti wldi weldi khti khoya khouya mrati rajli 7bibti 7bibi 3zizti sahbti sa7bti sahbi sa7bi jarti jari 3mti khalti
    mol moul mola molat khali 3mi bnt bent wld weld kht khou mrat rajl
    مول مولا مولات بنتي ولدي ختي خويا مراتي راجلي حبيبتي حبيبي صاحبتي صاحبي جارتي جاري عمتي خالتي خالي عمي بنت ولد خت
    خو مرات راجل
    """
)
AND_KIN = re.compile(
    r"(?:w|m3a) (?:khth?a|khoth?a|khoha|khoh|mrato|rajlha|wladh?[ao]|wldh?[ao]|bnth?[ao]|mha|moh?|bbah?a?|sahbt?h?[ao]"
    r"|drarih?[ao]|3a2ilth?[ao])"
    r"|(?:و|مع )(?:ختها|ختو|خوها|خوه|خوتها|مراتو|راجلها|ولادها|ولادو|ولدها|ولدو|بنتها|بنتو|ماماها|مها|مو|باها|باه"
    r"|صاحبتها|صاحبو)"
)
AND_THEIRS = frozenset(itertools.product(("t", "and"), _spell("son sa ses his her")))
OR = _spell("w wla ola oula o ou or aw ولا او")
PRONOUNS = _spell("ana nta nti ntia ntina howa hiya 7na hna ntoma moi toi انا نتا نتي نتيا هو هي حنا")
WITH_YOU = _spell("m3ak m3aki m3akom معاك معاكي معاكم")
THAT_ONE = _spell("hadak hadik dak dik هاداك هاديك هداك هديك")
WHO_IS = _spell("chkoun chkon شكون")
KAYN = _spell("kayn kayna kan kant kaynch makaynch makaynach كاين كاينه كان كانت ماكاينش ماكايناش")
DEGREES = _spell("bzaf chwiya بزاف شويه")
SEASONS_DO = _spell("ja bda dkhl wsl sala sla kan mcha fat 9rb جا بدا دخل وصل سالا كان مشا فات قرب")
HAS = _spell("3ndi 3andi 3ndna 3ndk 3ndkom عندي عندنا عندك عندكم")
PEACE, UPON_YOU = _spell("salam slam slm salamo سلام السلام"), _spell("3likom 3alikom 3lik 3liki عليكم عليك عليكي")
SHE_IS = _spell("raha rah khassha khssha 3ndha hiya mrida راها راه خاصها خصها عندها هي مريضه")
MORNINGS = words("sabah صباح")
# Before a thing of which there is some, none or each.
DETERMINERS = _spell("chi kol kola kolo kollo kolha kollha chno شي كل كلو كلها كله اي شنو")
MORE_MEN = words(
    "badr bader jamal kamal salah بدر جمال كمال صلاح عمر omar 3omar hakim 7akim nasser faris fares malek malik reda"
)
WHETHER = _spell("wach wech wash واش")
# Salah, who is Salah Eddine in full.
FAITHFUL, OF_THE_FAITH = (
    words("salah nour noor badr chams jamal kamal صلاح نور بدر شمس جمال كمال"),
    words("الدين eddine ddine"),
)
LACKS = _spell("bla blach kaynch makaynch makaynach mab9ach بلا ماكاينش ماكايناش مابقاش مابقاتش")
QUANTITIES = _spell("chwiya bzaf ch7al nhar kilo wjeh lwjeh شويه بزاف شحال نهار وجه")
# Which of them there is not, in the form of a man: nour makaynch is light, and nour makaynach a woman.
NONE_OF = re.compile(r"ma ?(?:ka(?:in|n)|bqa|fi)(?:ch)?|ما ?(?:كاين|كان|بقا|في)ش?")
# What is somebody's, behind the name of whom it is: Nour, her telephone.
THEIRS = _spell(
    """
    tilifouno tilifounha telefono telefonha nmirto nmirtha nmrto nmrtha numeroh daro darha bah bbah mah mmah mmo khoh
    khoha khto khtha mrato rajlha weldo weldha wldo wldha bnto bntha khdmto khdmtha tomobilto tomobiltha
    تيليفونو تيليفونها تلفونو تلفونها نمرتو نمرتها رقمو رقمها دارو دارها باه باها مو مها مامتو مامتها خوه خوها ختو ختها
    مراتو راجلها ولدو ولدها بنتو بنتها خدمتو خدمتها طوموبيلتو طوموبيلتها صاحبتها صاحبو عيالو ولادو ولادها
    """
)
# Of what a number is without anything between them, and that has no quality in the form of a man.
NUMBERS = _spell("nmra nmera nmrt nmert نمره نمرت")
# What follows a man's name that is said of a thing or of a quality: where, to whom, how much, and what besides.
NOT_DOING = _spell(
    """
    l li d dyal dial ta3 b mn f fi 3la 3liya 3lia 3lih 3liha 3lik 3likom 3lina m3a m3aya m3ana bhal b7al w o ou ola wla
    wlakin ya a lah llah allah rbi inchallah bzaf bezaf jiddan chwiya tmam daba lyoum ghda hada hadi had dak bla ila
    hit
    mazal gher ghir kamlin kolchi hta tani inch amin
    من في علي عليا عليه عليها عليك عليكم علينا مع معايا معانا معاه معاك بحال ولا ولكن يا الله ربي بزاف جدا شويه تماما
    دابا اليوم غدا هدا هدي هاد داك بلا الا حيت مازال غير كاملين حتي تاني امين او ان شا شاء ليا ليه ليك لينا ديال تاع
    """
)
# Of things, what they are like.
ADJECTIVES = _spell(
    """
    kbir kbira sghir sghira jdid jdida zwin 9wi 9lil 9lila tam s3ib s3iba sa3ba twil twila 9sir 7lwa sa7i kamel hadia
    hania m3a9ola s3ida so3da
    كبير كبيره صغير صغيره جديد جديده قوي قليل قليله صعيب صعيبه طويل طويله قصير افضل احسن سعيده زوجيه هانيه كريمه
    """
)
# Names of women, none of which comes, goes or says in the form of a man.
WOMEN = words(
    """
    nada nour noor nur amal iman imane hiba hayat farah sabah wafa wafae ikram ihsan najat jamila dounia donia dunia
    fajr
    latifa raja rahma warda zahra zina aya douaa doua lila lina amira mina dina hana rose olive aube ahlam amani habiba
    baraka salam hayat
    ندي نور امل سعيده كريمه جميله ايمان هبه حياه فرح صباح وفاء اكرام احسان نجاه دنيا فجر لطيفه رجاء رحمه ورده زهره زينه
    ايه بشري دعاء ليلي اسماء اميره ملكه مني هدي عزيزه احلام اماني سلام
    """
)
SEASONS = words("rabi3 rbi3 rabie rabia sabah fajr salam ربيع صباح فجر سلام")
# What else is "this", "us", "from me".
SMALL_WORDS = words("hani هاني نجيب hadi hana lina mina dina lila zin zine هادي مني هدي لينا زين ايه")
TO_US = words("lina لينا")
# Before which "to us" cannot stand: with, at, of; saw, asked, knows, misses somebody.
BEFORE_SOMEBODY = _spell(
    """
    m3a 3nd dyal dial ta3 chft chaft chftou chfna tla9it tla9ina 3rft kan3rf kat3rf swlt swlat twhcht t7chmt
    مع عند ديال تاع شفت شافت شفنا شفتي شفتو تلاقيت تلاقينا عرفت كنعرف كتعرف سولت سولات توحشت باست بست
    """
)
GOD = re.compile(r"الله|ربي|يا رب|(?<![a-z])(?:[al]*lah|rbi|rebbi|rabi|inchal\w*)(?![a-z])")
# Words of exclamations that call nobody, unless something is asked then.
CRIED = words("latif salam لطيف سلام")
NOBODYS = _spell("rajl mra wahd bnadm راجل مراه واحد بنادم")  # Before what somebody is like.
CRIED_TO_GOD = words("karim aziz hakim latif rahma salam hadi كريم عزيز حكيم لطيف رحمه سلام هادي")
NEXT_TO = _spell("hda 7da bjnb jnb 9ddam mora wra حدا بجنب جنب قدام مورا ورا")
OF = _spell("d dyal dial ta3 د ديال تاع")
# Before what else a preposition stands, so that the l behind it is an article.
BEFORE_ARTICLES = _spell("3nd m3a f d dyal mn 3la b 7da hda w fo9 t7t 9bel mor men l")
# "Light of my eyes".
BODY = _spell("3ini 3yni 3youni 3inia 9lbi 7yati dyali عيني عيوني عينيا قلبي حياتي ديالي")
EVENTS = _spell("milad 3rs l3rs khotba ميلاد عرس خطوبه")
PEOPLE = _spell("drari bnat lbnat wlad mama lwalida lwalid الدراري البنات الولاد ماما الواليده الوالد")
QUESTIONS = _spell(
    "ch7al bch7al fin imta 3lach kifach fo9ach chkoun chkon li lli شحال بشحال فين امتا علاش كيفاش فوقاش شكون اللي لي"
)
ASKED_OF = QUESTIONS | _spell("wach chno chnou achno dima daba واش شنو اشنو ديما دابا")
THANKS = _spell("merci 3afak aji chokran stp svp شكرا عفاك اجي")
WHERE, UNTIL = _spell("fin فين"), _spell("ta hta 7ta تا حتا حتي")
SAYS = _spell("gal galt 9al 9alt قال قالت كال كالت")  # And the beginnings of what else these verbs are.
HERE = _spell("had wla هاد ولا")
GOD_WORDS = _spell("ya يا rab رب rbi 3la علي")
AFTER_SUBJECTS = _spell("bli bach ila فين بلي باش الا ولا") | TIMES
DEFINITE = words("هاد ديك داك هادوك واحد شي ود كل")
LIVES = words("hayat حياه عمر omar 3omar")  # "The life of my son", "the age of my son".
# Said alone, they are words.
SAID_ALONE = GREETINGS | words(
    """
    zin zine zina jamil latif sabr sabir tayeb wahid amine amin lina mina dina hadi hana lila amen
    زين زينه جميل لطيف صبر صابر طيب وحيد امين مني هادي ايه
    """
)
# Feasts and months that are names of people, too, and what stands before the feast.
FEASTS = words("noel ramadan رمضان")
FEASTED = _spell("joyeux bon pere papa a avant apres de ce pour f chhar 9bel b3d merry happy at شهر ف قبل بعد عيد")
OWNED_BY = _spell(
    "frere soeur mere mari femme voiture maison numero tel telephone portable message anniversaire photo"
)
FORMULAS = _spell("ramadan ramdan 3id eid aid lah allah llah mobarak moubarak رمضان عيد عام الله مبارك نهار")
# Words of French and of English sentences, none of which is one of Darija.
FRENCH = words(
    """
    je j'ai tu t'as il elle nous vous ils elles c'est qui est sont avec pour chez vu appele attend attends attendre
    demande
    demander dit dis dire voir vais vas va vient viens viennent sera etait avait connais connait ce cette ces mon ma
    mes
    ton ta tes son sa ses notre votre leur leurs du des les un une pas plus que quoi quand comment pourquoi mais donc
    alors
    hier demain matin soir aujourd'hui maintenant deja encore toujours tout toute tous oublie perdu peux peut veut veux
    doit dans sur sous entre sans aussi bien commencer fait faire ete envoie envoye paye cherche rappelle retard de
    la le
    fille fils mari femme copine frere soeur maman papa malade arrive arrivee rate bus train voiture maison heure jour
    devant derriere dois rappeler appeler merci bonne bon petit petite grand grande
    """
)
ENGLISH = words(
    """
    the is are was were has have had will can tell where who what when why how my your his her our their with from i
    i'm
    you she he they we late here there today tomorrow yesterday sister brother friend about not don't asked told saw
    """
)
FRENCH_HOMOGRAPHS = words(
    """
    rose pierre olive aube mina dina marine claire blanche florence constant clement noel salam islam jihad
    ramadan med
    baraka fassi soussi marrakchi rbati meknassi tanjaoui doukkali sahraoui rifi
    """
)
ENGLISH_HOMOGRAPHS = words("said rose olive dina noel salam islam jihad ramadan med ward sultan")
# "This l", which is an article.
BEFORE_DEFINITE = _spell("had hadak hadik dak dik hadok wahd wa7ed wahda ga3 kol")
# "A riad", and no Riad: whoever is spoken of has no article.
ARTICLES_BEFORE_THINGS = words(
    "le la les un une du des au aux ce cet cette ces mon ma mes ton ta tes son sa ses notre votre leur the a an my"
)
ACTIONS, ADDRESSES, POSSESSIONS = (
    frozenset(map(spell, listed)) for listed in (ALL_ACTIONS, ALL_ADDRESSES, ALL_POSSESSIONS)
)
# Names of others, beside which a name is one.
FIRST_NAMES = frozenset(spell(fold_form(name)) for row in (*SPELLINGS, *NAMES) for name in row) - frozenset(
    map(spell, ORDINARY_WORDS)
)
COMPANY = FIRST_NAMES | PEOPLE | _spell("ana انا")
