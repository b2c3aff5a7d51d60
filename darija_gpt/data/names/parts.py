"""What of a contact's name is a name by itself: first names, and family names with the particles that belong to them.

A contact is saved as `Hassan El Amrani plombier`, and is called Hassan, Hassan Amrani, El Amrani or Amrani, but never
El, nor plumber.
"""

import itertools
import re
from typing import NamedTuple

from darija_gpt.data.names.folding import fold_form
from darija_gpt.data.names.spellings import find_spellings
from darija_gpt.data.private_data.phrases import words
from darija_gpt.data.private_data.spans import INVISIBLE


MIN_LETTERS = 3  # Of a part that is a form by itself.
# The words of these lists are written as `fold_form` leaves them: without case, accents and hamzas.
# Words by which people save others in their telephones, and which in a message are no name.
CONTACT_WORDS = words(
    """
    mama maman mmi walida baba papa bba lwalid khouya khoya 5ouya khti khty 5ti ammi 3ammi 3mi khali khalti
    3amti jeddi jedda mima hnia weld wld bent bnt mrat rajel oncle tante cousin cousine frere soeur ami amie copain
    copine hbibi hbiba 7bibi 7biba habibi habiba zwina l3ziz l3ziza sahbi sa7bi sahbti sa7bti jar jara tata tonton
    papi papy mamie mamy uncle aunt brother sister mom dad friend boss chef patron patronne mr mme mlle madame
    monsieur miss dr docteur doctor tbib prof professeur teacher ostad oustad ostada maitre avocat avocate notaire
    lawyer taxi chauffeur chifour driver livreur livraison coursier plombier plomberie electricien elec mecanicien
    mecano mikanisyan menuisier peintre macon garage garagiste najjar hanout 7anout epicier boucher coiffeur
    coiffeuse hallaq pharmacie pharma pharmacien dentiste dentaire medecin infirmier infirmiere kine clinique cabinet
    hopital labo ecole mdrassa lycee college classe fac master promo stage stagiaire etudiant bureau office travail
    khedma boulot job service client agence banque bank assurance immobilier syndic location proprio proprietaire
    locataire gardien concierge menage femme bonne nounou voisin voisine neighbor famille family 3a2ila dar house
    maison appart immeuble etage bloc compta comptable secretaire secretariat directeur directrice responsable
    assistant assistante commercial vente vendeur vendeuse achat boutique magasin shop store marche societe ste sarl
    chantier usine depot coach gym salle sport foot football gaming gamer danse musique photo photographe video
    mariage traiteur patisserie boulangerie cafe resto restaurant snack hotel riad voyage tourisme visa association
    casa casablanca rabat fes marrakech tanger agadir meknes oujda kenitra tetouan nador temara mohammedia laayoune
    essaouira ouarzazate maroc france paris lyon belgique espagne italie canada allemagne usa groupe group les des
    the and new nouveau nouvelle jdid jdida old ancien ancienne pro perso home work orange inwi iam sim tel telephone
    phone mobile portable numero num gsm whatsapp
    3ami 3amo 3mmo khalo khalto wlidi wldi bnti lwalda mart zawj zawja rajli mrati marti khtk khok sidna jaddi
    mon ma mes notre mi amour cheri cherie amor love lover bae baby babe bebe honey heart coeur life vie
    bff fiance fiancee mari epouse hayati 7ayati hyati 7yati 9albi 9elbi galbi qalbi omri 3omri rohi ro7i rou7i 3ini
    3youni hobi 7obi hobbi 7obbi l7ob dyali diali dyalna king queen prince princesse lion
    de du d la le l of et avec with my our mn dyal dial ta3 w wa m3a f fi
    insta instagram ig fb facebook meta messenger msn snap snapchat tiktok twitter youtube telegram viber skype discord
    linkedin gmail email mail wtsp wts watsap zoom netflix google internet net wifi adsl fibre telecom web site online
    iphone samsung huawei xiaomi oppo redmi nokia infinix android apple mac laptop lpc pc ordi computer playstation ps4
    ps5 xbox fifa pubg freefire fortnite
    bac 1bac 2bac tronc brevet licence bts dut deug dts ing ingenieur doctorant doctorat these phd fst fsjes fsjs ensa
    ensam encg est ensias emi ehtp inpt iscae uir um5 um6p upm cpge prepa ofppt ista stg tp td cours soutien groupes
    option section tc sm sv svt spc math maths mathematiques physique chimie philo philosophie info informatique
    anglais francais arabe espagnol histoire geo eco economie islamique univ universite faculte amphi school
    university student delegue delegate
    team lead leader head manager project projet ceo cto cfo drh rh hr it dev developer developpeur design
    designer marketing finance logistique transport import export qualite securite support data freelance freelancer
    stagiaires collegue collegues colleague partner associe clients fournisseur supplier admin administration
    call center centre standard accueil reception caisse caissier magasinier serveur serveuse cuisinier cuisiniere
    barbier barber salon spa hammam lavage carwash mecanique electricite clim peinture alu aluminium bois cuir tissu
    couture khiyata lkhadma lmahal m7al taxis
    number nouv neuf bis backup autre other temp temporaire urgent urgence important
    khdma 5dma 5edma drari lbni tomobil tonobil modir mdir houma 9raya 9hwa 9ahwa mol moul banka glovo marjane binome
    chi7aja chihaja 3mti 3mi mdrasa mderssa m3alem ltaxi
    morocco dubai turquie turkey istanbul tunisie algerie egypte qatar europe londres london madrid barcelone milano
    bruxelles montreal suisse hollande pays bas ville city quartier hay
    tanja tanjah tangier sale safi jadida settat berrechid khouribga beni mellal benimellal taza berkane
    errachidia taroudant tiznit guelmim dakhla ifrane azrou chefchaouen chaouen larache asilah hoceima
    khemisset skhirat bouznika benguerir youssoufia midelt sefrou taounate zagora tinghir kalaa bouskoura ain maarif
    agdal gueliz hassania atlas
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre lundi mardi mercredi jeudi
    vendredi samedi dimanche
    حياتي عمري قلبي روحي حبي ديالي ديالنا الحب عمو خالو زوجي زوجتي خطيبي خطيبتي
    انستا انستغرام فيسبوك واتساب تيك توك سناب تليغرام انترنت هاتف تيليفون نمره رقم
    باك الرياضيات الفيزياء الانجليزيه الفرنسيه الجامعه الكليه الثانويه المعهد
    الرباط مراكش فاس طنجه اكادير مكناس وجده القنيطره تطوان سلا تماره المحمديه العيون الصويره اسفي الناظور كازا
    كازابلانكا البيضاء المغرب فرنسا اسبانيا
    ماما بابا الواليده الوالده الوالد خويا ختي عمي عمتي خالي خالتي جدي جده حبيبي حبيبتي صاحبي صاحبتي ولد بنت مرات
    راجل السيد السيده مدام دكتور دكتوره الطبيبه طبيب استاذ استاذه الحاج
    الحاجه المحامي محامي السمسار البناي النجار الصباغ البلومبي الميكانيكي طاكسي الحانوت الجار الجاره العاييله العائله
    الدار الجديد القديم خدمه شركه مدرسه صيدليه قهوه الدراري دراري طوموبيل مدير
    """
)
# What stands before a name and is part of it, but is no name without it; the name behind is one.
ARTICLES = words("el al l ال")
# The same where the contact is saved so; a line for each title.
TITLES = {
    spelling: line.split()[0]
    for line in """
    si سي السي
    sidi سيدي
    moulay mly my مولاي
    lalla lala لاله لالا للا
    haj hajj elhaj lhaj l7aj حاج الحاج
    hajja el7ajja lhajja حاجه الحاجه
    oum om ام
    """.strip().splitlines()
    for spelling in line.split()
}
# What stands before a name that is another one without it.
PARTICLES = words(
    "ben bin ibn bent bou abou abu abi ait ayt at ould ouled oulad oul abd abdel 3abd 3bd"
    " بن ابن بنت بو ابو ابي ايت ولد اولاد عبد"
)
FAITH = words("eddine edine eddin ddine dine addine ud-din الدين")
# The article of Ennaciri and Essaidi, heard as the consonant that follows, and that of الصقلي, who is of a place.
WITHIN_ARTICLE = re.compile(r"[ea]([dnrstz])\1[^\W_]{4}|ال\w{2,}ي\Z")
# Alami is no "al ami", nor العمري "my life": what begins with a vowel or ends in i is a family's name then.
WRITTEN_ARTICLE = re.compile(r"(?:[ea]?l(?![aeiou]\w|\w*i\Z)|ا?ل(?!\w*ي\Z))(?=\w{3})")
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
ARABIC = frozenset(map(chr, range(0x0600, 0x0700)))
# Of Ayoub2, what is no letter of Arabizi.
NUMBER_BEHIND = re.compile(r"[0-24-68]+$")


class NamePart(NamedTuple):
    """A name within a name.

    Attributes:
        text (`str`):
            How it is spelt.
        is_family (`bool`):
            Whether it is a family's, which may have an article.
        arabic (`str`):
            The letters of its Arabic spellings, where they are known.
    """

    text: str
    is_family: bool
    arabic: str = ""


def is_contact_word(folded: str) -> bool:
    """Whether a word of a contact's name tells who it is and is none itself, also behind an article: lkhdma."""
    article = WRITTEN_ARTICLE.match(folded)
    return folded in CONTACT_WORDS or (article is not None and folded[article.end() :] in CONTACT_WORDS)


def _list_words(name: str) -> list[str]:
    found = (NUMBER_BEHIND.sub("", word) for word in WORD.findall(INVISIBLE.sub("", name)))
    return [word for word in found if any(map(str.isalpha, word))]


def list_parts(name: str) -> list[NamePart]:
    """The names within a name, in order: of `Hassan El Amrani`, these are Hassan, El Amrani and Amrani."""
    parts: list[NamePart] = []
    before: list[str] = []
    kinds: set[str] = set()
    num_names = 0
    remaining = _list_words(name)
    for place, word in enumerate(remaining):
        folded = fold_form(word)
        if folded in FAITH:
            continue
        kind = "article" if folded in ARTICLES else "title" if folded in TITLES else "particle" * (folded in PARTICLES)
        if kind:
            before.append(word)
            kinds.add(kind)
            continue
        following = remaining[place + 1] if place + 1 < len(remaining) else ""
        core = [word, following] if fold_form(following) in FAITH else [word]
        is_family = num_names > 0 or "article" in kinds
        if not is_contact_word(folded):
            if before or len(core) > 1:
                parts.append(NamePart(" ".join(before + core), is_family))
            if len(folded) >= MIN_LETTERS and "particle" not in kinds:
                parts.append(NamePart(word, is_family))
            if WITHIN_ARTICLE.match(folded) and "particle" not in kinds:
                parts.append(NamePart(word[2:], True))
            num_names += 1
        elif "article" in kinds and folded.endswith("i"):
            parts.append(NamePart(" ".join(before + core), True))  # omri is "my life", El Omri a family
        before, kinds = [], set()
    return parts


def list_spellings(name: str) -> list[NamePart]:
    """The names within a name in all of their spellings."""
    found = _list_words(name)
    parts = list_parts(name)
    pairs = [NamePart(f"{first} {second}", False) for first, second in itertools.pairwise(found)]
    spelt: list[NamePart] = []
    for part in parts + pairs:
        spellings = [part.text] * (part in parts) + find_spellings(part.text)
        arabic = "".join(spelling for spelling in spellings if spelling[-1] in ARABIC) if len(spellings) > 1 else ""
        spelt += (NamePart(spelling, part.is_family, arabic) for spelling in spellings)
    return list(dict.fromkeys(spelt))


def find_forms(name: str) -> list[str]:
    """The name without its emoji, and each of its parts that is a name by itself, in all of its spellings.

    A contact is saved as `Hamid plombier` or as `Mama`: such words stay words.
    """
    found = _list_words(name)
    whole = [" ".join(found)] if len(found) > 1 else []
    return list(dict.fromkeys(whole + [part.text for part in list_spellings(name)]))
