"""Words that are told apart from names by what stands around them, and the words that tell.

They are written as `folding.fold_name` leaves them: without case, accents and hamzas.
"""

from darija_gpt.data.private_data.phrases import words


# Names that are words of Darija, Arabic or French too: nour "light", lina "to us".
NAMES_AND_WORDS = words(
    """
    nada nour noor nur amal said saïd karim rabi3 rbi3 rabie rabia salam iman imane hiba hayat farah sabah badr bader
    wafa wafae ikram ihsan najat jamal jamil jamila adil amin amine chams dounia donia dunia fajr ghali latif latifa
    mabrouk malak nasr najm raja rahma rida salah tariq wahid ward warda zahra zine zin zina aya douaa doua fath
    islam jihad kamal lila lina riad riyad saad soltan sultan tayeb amira mina dina hadi hana rose pierre olive aube
    aziz habib sabir sabr moulay amir ahlam amani habiba faris 3adil 3amer 3amir 7abib 7ajar 7akim 7anan 7ayat baraka
    fara7 hakem haji kadiri malki radi med rim reem hakim clement blanche claire marine florence constant
    3mar 3mad s3d kbir lkbir
    haddad najjar nejjar khayat khayyat attar sebbagh hajjam tabib fellah fassi soussi rbati marrakchi doukkali
    meknassi sahraoui rifi tanjaoui noel ramadan hani sadi9 sana
    نور ندي امل سعيد سعيده كريم كريمه ربيع سلام ايمان هبه حياه فرح صباح بدر وفاء اكرام احسان نجاه جمال جميل جميله
    عادل امين انوار شمس دنيا فجر غالي لطيف لطيفه مبروك ملاك نصر نجم رجاء رحمه رضي رضا صلاح وحيد ورد ورده زهره زين
    زينه ايه بشري دعاء فتح اسلام جهاد كمال ليلي رياض سعد صديق سلطان طيب حكيم اسماء اميره ملكه علي عليا هادي هند مني
    هدي لينا عزيز عزيزه حبيب حبيبه صابر صبر يسر عمر صالح صادق كامل ناصر امير احلام اماني فارس حداد حسني حجي شاكر شاهد
    شهيد خياط عطار حجام طبيب فلاح فاسي سوسي مراكشي
    كبير لكبير هاني نجيب ريم رمضان طالب غازي غزال فاضل كندي لبناني مالك معروف مرابط نجار الاخضر العربي المالكي المغربي
    """
)
# Words that sound like a name, 3amal "work" and samedi, or like one behind a clitic: basma, diman, فعلي.
LIKE_NAMES = words(
    """
    3ziz 3zzez 3amal 3amali a3mal 3adl 3ali 3alia 3omri 3azza amen amene asma2 barka bali dali bghitha careme camel
    dayman dima diman dress famine famines fanan far7a fines finis finit jito kaml kamil kat3ani kat3ni kemel kemmel
    kmal kmel kmmel lbni lham lhem lilah liman limen limin lines llila lwalid walida mena moulin mrad nadi nouvel
    m3ach m3ax mach 7essen 7ellel 3ber nouvelle novel pannes peines penis rada ready rime sad sada safa safi sal3a
    sala sam3i samedi sayd sba3 sbah sber
    sed sedd sellem semer separe serein sereine sidi siren sirene slem souci soucie soucis syrien taman tari9 ttari9
    tri9 wahed wali wines yemen
    هنا كتر اكتر احسن احسّن اجمل اعلي امني امها اصلاح ارباب املاك ارجاء ارضا ارضي اسعد انهي اندي اكمال اقسام اوايل
    اشراف باسماء
    باطل بارده بايه بداييه بدايه بعشر بطلب بركه باركا بنيه بني البني تري حسنا حسنه داييه درجه دخوله دريم ثوريه سنه
    صفه اسمه طرق طريق فارض فعلي فمها فعهد فهذ قادر قبور قسام قسم كاتعني كتعاني كتعني كلامها كلهم لاربع لحم لهم مال
    مالي ملك معارف معلق معلقه مساعد مصعد نادي ناس نجا هذي هاذي وايه وصل وفاتها والي واللي ولايه ملل عهد وعد الخضر
    اخضر الاربع الربع الربيع العربيه العمر
    """
)
ORDINARY_WORDS = NAMES_AND_WORDS | LIKE_NAMES
# Names that are another one behind a clitic, or none: Basma, and b Asma.
BEHIND_CLITICS = words("basma daya بسمه")
# Of the names, the words end in ي, and the names in ى: منى "Mouna" and مني "from me".
NAMES_IN_ALEF = words("مني هدي بشري")
# First names that have their article in Morocco, whatever stands before it: والمختار.
NAMES_WITH_ARTICLE = words("مختار مهدي محجوب عربي طاهر معطي تهامي جيلالي مكي مدني حبيب بشير عياشي كبير غزواني")
# Names that are words behind an article: التوفيق "success", and football clubs.
WORDS_WITH_ARTICLE = words(
    """
    فرج اسراء شروق نعمه حسناء سلوي تقوي عفاف اخلاص ويام ضحي كوثر خلود ابتسام اشواق غفران جنان يقين نجوي سهام نوال
    ماجد طارق سراج عماد نبيل جلال فواد وسيم وسام حسام ضياء بهاء علاء شهاب هلال انس ليث نضال كفاح ثريا الهام
    عبير اريج ريحان نسيم نسرين نرجس دلال غزلان سناء سماح مرجان ياقوت خير
    وداد رجاء توفيق ملك جواد فهد فردوس زهور مراد منال حنان شرف امال شريف سليم حميد مجيد حكيم بشير ياسمين ماهر محسن
    عادل فريد فريده سامي ساميه ايمن نبيله عمران زهراء سعديه ليلي يسري نجاه سالم
    """
)
# Of these, what is said before a comma or a question without calling anybody: greetings, "good", "this", "the world".
EXCLAMATIONS = LIKE_NAMES | words(
    """
    salam sabah mabrouk zin zine zina jamil latif sabr sabir hayat dounia donia dunia aziz habib hadi hana lina mina
    dina riad kamal saad fajr najm adil wahid tayeb ward warda rahma islam jihad iman fath zahra rose olive aube lila
    soltan sultan moulay
    سلام صباح مبروك زين زينه جميل لطيف صبر صابر حياه دنيا عزيز حبيب هادي طيب وحيد علي عليا مني ورد ورده رحمه اسلام
    جهاد ايمان فتح زهره ليلي لينا سلطان كامل صالح صادق صديق نصر عمر ايه دعاء
    """
)
GREETINGS = words("salam sabah mabrouk سلام صباح مبروك")
# Of these, what somebody or something is: it is said of what stands before it, and a name behind a preposition.
QUALITIES = words(
    """
    said karim karima jamil jamila ghali latif latifa amin amine adil aziz habib sabir salah wahid tayeb saida
    سعيد سعيده كريم كريمه جميل جميله غالي لطيف لطيفه عادل امين عزيز عزيزه حبيب صابر وحيد طيب حكيم ناصر رضي
    """
)
# What stands before a name, and before a thing that is named rather than before a quality.
PREPOSITIONS = words(
    """
    mn 3la 3el 7da b7al bhal bin bla gher ghir chft cheft chefti chftk l9it 3reft kan3ref khllit sm3t twe7cht
    من علي حدا بحال بين بلا غير شفت شفتي شفنا لقيت لقينا عرفت كنعرف خليت سمعت توحشت توحشنا
    """
)
# The same in French and English, whose texts have a name where they have a word of Darija.
FOREIGN_PREPOSITIONS = words("avec chez pour sans with for from to ask tell about")
FOREIGN_WORDS = words("rose pierre olive aube mina dina")
# Who is spoken to, where Darija has no words of that spelling.
FOREIGN_ADDRESSES = words(
    """
    tu vous toi t'es t'as t'etais t'inquiete reponds viens appelle rappelle dis arrete regarde envoie attends
    n'oublie t’es t’as n’oublie
    """
)
# What stands before a person who is called, greeted or spoken of.
VOCATIVES = words(
    """
    a ya si lalla sidi moulay khouya 5ouya khoya khti 5ti khtito 3mmi 3ami khalti khali ostad oustad dr docteur mr
    mme madame monsieur sahbi sa7bi azizi 3zizi 3ziza m3a 3nd 3end wld weld bnt bent mrat rajl khout salam slm slt
    salut cc coucou allo bonjour bonsoir hi hello hey ahlan mrhba marhba merci chokran chukran choukran labas smiti
    smito smitha smiya bsla7a fin fink slamtk slamtek anniversaire anniv thanks thx birthday bday sorry dear cher chere
    ا يا السي سي لاله لالا للا الحاج الحاجه سيدي مولاي خويا ختي اختي اخي الاخ الاخت الاستاذ الاستاذه استاذ الدكتور
    عمي خالتي خالي صاحبي صاحبتي مع عند ولد بنت سلام اهلا مرحبا عزيزي عزيزتي شكرا سميتو سميتها سميتي وا هيا سلامتك
    """
)
# What somebody has; the world and hope have none of them.
POSSESSIONS = words(
    """
    tel ltel tilifoun telephone portable lportable pc lpc dar ldar tomobil tonobil motor num numero nmra nmira lcompte
    compte bureau lbureau sac lsac saq carte lkhedma chargeur vocal lmsg msg tswira weld bent mama bba khou kht mrat
    تيليفون التيليفون دار الدار طوموبيل الطوموبيل نمره النمره ولد بنت خو خت مرات ماما الصاك الميساج تصويره
    """
)
OWNERS = words("dyal dial dyalt dyawl dyaal ta3 ديال ديالت ديول تاع")
# What people do and are.
ACTIONS = words(
    """
    gal galt galat galli galo gali galia gallia mcha mchat mchit ja jat jab jabt jabat jay jaya ghadi ghadya kaygol
    katgol 3yt 3yyt 3ayt 3ayta sift sifet tsl tsal jawb jawbat tzwej tzwjat wld weldat rj3 rje3 wsl wslat khrj khrjat
    tlf 9al 9alt 9ali 9alat 9alatli khda khdat bgha bghat dar dart 3ta 3tat 3tatni 3tani jabo chra chrat nsa nsat hdr
    hdrat m3tl mrid mrida 3yan 3yana na3s na3sa nasa mjwj mjwja 3ndo 3ndha smito arrive arrivent vient viennent
    demande veut dit appelle envoie travaille habite says said wants is ghayb ghayba msafr msafra mchghol mchghola
    gha ka khdam khdama sakn sakna jales jalsa m3ttl m3ttla m3atla fay9 fay9a
    قال قالت قاليا قالتليا گال گالت گاليا كال مشا مشي مشات جا جات جاب جابت غادي غاديه جاي جايه كيقول كتقول عيط عيطات
    صيفط صيفطات تزوج تزوجات رجع رجعات وصل وصلات خرج خرجات دار دارت خدا خدات بغا بغات عطا عطات عطاني عطاتني شرا شرات
    نسا نسات هضر هضرات مريض مريضه عيان عيانه ناعس ناعسه غايب غايبه مسافر مسافره مشغول مشغوله خدام خدامه ساكن ساكنه
    جالس جالسه معطل معطله فايق فايقه
    """
)
# What they are asked and told.
ADDRESSES = words(
    """
    tu nta nti ntia ntina rak raki wach wash fin fink finek chno 3afak 3afaki stp svp aji chof choufi tqdr t9dr t9dri
    tji bghit ghatji ghayji jibi goli sifti 3tini tsnay sm3i 3yti please pls plz plss yak labas kidayr kidayra kidayer
    kidayra 3afakom 3fak 3afek
    نتا نتي نتينا راك راكي راه راها واش فين فينك شنو ياك باركا لاباس كيداير كيدايره كيف عفاك عفاكي عافاك عافاكي اجي
    شوف شوفي تقدر تقدري غايجي غاتجي كايقول كاتقول
    وصلتي جيتي مشيتي جيبي گولي قولي صيفطي عطيني تسناي سمعي عيطي
    """
)
# What is said of somebody whose name begins a sentence.
AUXILIARIES = words("a ne rah raha hwa howa hiya had asked")
FOREIGN_AUXILIARIES = words(
    """
    elle il est va avait etait sera fait n'a n'est m'a t'a s'est vient veut peut doit has was will is m’a t’a s’est
    n’est
    """
)
