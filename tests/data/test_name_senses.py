"""Names that are words too, in sentences that are made for these tests: which is which is told by what is beside."""

import pytest

from darija_gpt.data.names.finding import Person, find_names


# A name of the roster, and a text in which stars are around the name wherever it is one.
WORDS = """
Angel: you're an angel thank you
Karim: ramdan karim lik w l 3a2ila
Zahra: nba7ti zahra f jnan
Rich: he is rich w ma kay3ti walo
Dawn: we woke up at dawn
Hope: there is no hope for this team lol
Faith: faith in god is all we need
Sabah: dima sabah kantji m3tel
Max: max 10 minutes w nkoun 3ndk
Grace: by the grace of god we made it
Sue: they want to sue the company
Nasr: nasr mn 3nd lah
Hope: fingers crossed, let's hope for the best
Rose: eau de rose pour le visage
Malak: 9albha malak
Hayat: hadi hiya l7ayat, hayat kelba
Adil: qanon adil 3la kolchi
Farah: nhar farah kbir 3ndna f dar
Jack: prise jack dyal lkit mhersa
Blanche: une page blanche
Mark: high marks and a bad mark hhh
Rahma: tleb rahma mn lah
Hana: fr7ana w hana f dari
Art: art school 9riba mn hna
Rim: 3youn rim zwinin
Adil: machi adil had lhokm
May: the wedding is in May
Iman: iman b llah 9wi
Iman: l3yalat li fihom iman
Max: vitesse max 60
Dean: the dean cancelled the lecture
Iris: un bouquet d'iris
Nour: ch3el nour f lkouzina
Sami: mostawa sami f l7iwar
Will: will you bring the chairs?
Mark: mark your seat before they come
Hope: hope everybody is fine after the rain
Grace: Grace period sala lbare7
Bill: who keeps the bill of the garage?
Ghita: jabo tbel w ghita l 3ers
Raja: raja wla wydad f derby
إلهام: مصدر إلهام لينا كاملين
Lina: جابو لينا الماكلة
Lina: كيبان لينا مزيان
Lina: شفت *لينا* فالسوق
Lina: *لينا* جات معانا
Lahcen: hadi l7sn mn lokhra
Lahcen: *l7sn* ja lbar7
Mbarek: 3id mbarek
Mbarek: mbarek 3likom
Mbarek: chft *mbarek* lbar7
محمد: اللهم صل على محمد
محمد: الملك محمد السادس
محمد: شفت *محمد* مع خوه
جمال: قافلة جمال دازت فالصحرا
كريم: شهر كريم عليكم كاملين
ضحى: ركعتين ضحى
أمل: عندنا أمل فالله
ندى: قطرات ندى
هبة: هبة من الله هاد الولد
إحسان: دار لخير والإحسان
عزيز: أغلى وأعز عزيز فقدناه
هدى: ربي يزيدك هدى
حكيم: قال كلام حكيم ومشى
وفاء: وفاء الكلب كثر من وفاء بنادم
أمين: آمين يا رب العالمين
هناء: كنتمنى ليكم هناء البال
فرح: ليلة فرح وسرور عند الجيران
Aurore: on a vu une aurore boréale
وفاء: عربون وفاء ومحبة
زهرة: قطع زهرة من الجردة
أمل: ماتفقدش أمل
نبيل: شخص نبيل بزاف
أمل: بصيص أمل مازال كاين
رفيق: رفيق الدرب الله يرحمو
نصر: فوز ونصر كبير للمنتخب
قمر: قمر صناعي جديد
صفاء: خاص صفاء القلب قبل كلشي
كوثر: نهر الكوثر فالجنة
ياسمين: غرسنا ياسمين حدا الباب
هناء: هناء وسرور
آدم: بني آدم خطاء
رجاء: عندي رجاء فيك ماتقولهاش لحد
جمال: ملكة جمال المغرب هاد العام
كريم: عندو يد كريمة
لطيف: لون لطيف وهادي
دعاء: دعاء الوالدين كنز
لطيف: الجو لطيف فإفران
حبيب: رسول الله حبيب الرحمان
رجاء: رجاء ماتنساوش تسدو الباب
فرح: دموع فرح نزلو من عينيها
نسيم: نسيم البحر كيرد الروح
سعيد: عيد سعيد ا *سعيد*
سعيد: سعيد بزاف اليوم ا *سعيد*
خالد: كتب باقي ليها مجد خالد
منى: الحجاج باتو فمنى
ياسمين: شريت عطر ديال ياسمين
أنيس: القط خير أنيس فالشتا
Marwa: كملو السعي بين الصفا والمروة
طارق: طارق بن زياد فتح الأندلس
محمد: سكنا فشارع محمد الخامس
مريم: حفظات سورة مريم
Hope: l7oub zwin ila kan m9ad
Hani: hani jay daba
Mouad: m3ach katsalaw?
هناء: بقاو هنا حتى نرجع
نجيب: واش نجيب معايا الما؟
توفيق: بتوفيق من الله غادي تنجح
فريد: هاد المعرض فريد من نوعو
Bouchra: هاد الخبر بشرى للجميع فالحومة
Rahma: النبي جا رحمة للعالمين
"""
PERSONS = """
خالد: غدا عيد ميلاد *خالد*
رشيد: ما عجبني قرار *رشيد*
هناء: وصلات رسالة *هناء* البارح
صفاء: *صفاء* الزوينة جات
هدى: *هدى* الله يسهل عليك جاوبي
صلاح: *صلاح* الدين ساكن حدانا
Hakim: *hakim* sowl fik
Salah: *salah* gha yt3tel
Mark: *mark* are you coming tonight?
Amal: *amal* wla houda li ghatji?
Rida: *rida* nsiti ljawaz
Rahma: *rahma* ghlbatni f ludo
Amal: jibi *amal* m3ak ghda
Rob: m3a *Rob* kolchi sahl
Latifa: *latifa* wlat f 7alti
Joy: *Joy* is sick today
Nour: wa *nour* sbri lia
Wahid: *wahid* ghbar 3lina
Rim: swlt *rim* galt la
April: *April* is on leave until monday
Hiba: *hiba* jat lwla f classe
Adam: *adam* f9 bkri
Faith: hey *faith* wach kayn chi jdid
Noor: *noor* bghat tbeddel lgroup
Badr: *badr* ghlet f adresse
Will: *Will*, did you book the riad?
Pat: *pat* wach jiti l dar?
Grace: thank you *grace* for the cake
Jamal: *jamal* fhm l3aks
Karim: *karim*, 3tini 5 min
Mark: i told *Mark* to bring his laptop
Islam: wach *islam* dkhel l facebook?
Gene: *Gene* and Patricia arrived
Hope: ask *Hope* if she has the keys
Badr: *badr* 3raf chno w9e3
Amine: *amine* kan 3ndi lbare7
Yasmine: *yasmine* nsat tilifounha
Rabie: *rabie* tfra9 m3a khtibto
Hayat: *hayat* tsatat 3la lmodir
Kamal: *kamal* wsel l agadir?
Sunny: *Sunny* will join us
May: *May* sent me the pictures
Luna: *luna* kat3des bzaf
Hamid: *Hamid*'s car is blocking the gate
Mustapha: *Mstafa* gha yjib lmakla
Tarik: *Tariq* please close the door
Rose: happy birthday *rose*
Max: rah *Max* kaytsnak f lbab
Karim: lbare7 *karim* khla lina dar bou7dna
جهاد: *جهاد* سكن حدانا
حياة: *حياة* شريتي الخضرة؟
رجاء: *رجاء* عافاك ماتعطليش
كوثر: *كوثر* شكون معاها فالدار؟
عزيز: *عزيز* تفاهمنا على الثمن؟
ربيع: *ربيع* كيضحك علينا كاملين
May: appelle *may* pour le gâteau
Blanche: *Blanche* a signé le contrat
نور: *نور* نسات الشارجور عندنا
دعاء: *دعاء* شافت النتيجة وفرحات
طارق: *طارق* شد الطيارة لباريس
جنات: *جنات* كتقرا معايا
نجاة: شكون خدا التيليفون؟ *نجاة*؟
منير: *منير* سارح مع راسو
شريف: جا *شريف* ومشا فالحين
رحمة: *رحمة* بغات تقرا الطب
كمال: *كمال* خونا كيسلم
ملاك: *ملاك* ماقراتش مزيان هاد العام
أمين: *أمين* فين حطيتي الشارجور
Clément: *clement* dit qu'il arrive
مراد: *مراد* ولا رشيد؟ شكون فيهم؟
رضا: *رضا* هز التيليفون
Florence: *Florence* vous attend à l'accueil
بدر: كلس حدا *بدر* فالكار
كريم: *كريم* بغا يبدل الخدمة
فرح: *فرح* عندها امتحان غدا
إكرام: لقيت *إكرام* كتبكي فالدرج
نور: شكون غيرك يا *نور*
نصر: *نصر* وحسام تعشاو عندنا
Christian: *Christian* viendra demain à 10h
إحسان: *إحسان* مشات للحج هي وراجلها
نور: شكرا *نور* على المساعدة
حبيب: ولد *حبيب* ربح فالماراطون
زهرة: *زهرة* بنت الجيران تخطبات
أنيس: *أنيس* ضحك على ختو
خالد: *خالد* تقضى الخبز
ريم: *ريم* سدات الباب
لطيف: *لطيف* شنو وقع ليك
خالد: واش *خالد* أو سمير اللي شرا التذاكر؟
حميد: أ*حميد* واش سديتي الباب
أمين: ولد عاقل بحال*أمين* قليل
بدر: *بدر* خذا الكونجي ديالو
وفاء: *وفاء* الله يخليك سدي الباب
Ghizlane: *Rizlane* nsat lclé
Hana: *hana* w sara tla9aw f café
Bouchra: قولي *بشرى* تعيط ليا من بعد الغدا
"""


@pytest.mark.parametrize("line", filter(None, (WORDS + PERSONS).split("\n")))
def test_a_word_is_told_from_the_name_that_it_is_too(line):
    name, _, marked = line.partition(": ")
    text = marked.replace("*", "")
    found = [text[span.start : span.end] for span in find_names(text, [Person(name, ())])]
    assert found == marked.split("*")[1::2]


def test_who_gives_to_whom_are_two():
    text = "هاد الكتاب من عند سميرة لنور"
    found = find_names(text, [Person("Samira", ()), Person("Nour", ())])
    assert [text[span.start : span.end] for span in found] == ["سميرة", "نور"]


def test_one_of_two_is_a_name_if_the_other_is():
    for text in ("wach karim wla nour?", "واش كريم ولا نور اللي جا؟"):
        assert len(find_names(text, [Person("Karim", ()), Person("Nour", ())])) == 2, text


def test_of_one_line_the_word_stays_a_word_beside_the_name():
    text = "nhar said, said stp jawb"
    assert [span.start for span in find_names(text, [Person("Said", ())])] == [11]


def test_at_before_a_name_is_no_part_of_it():
    text = "he is at Tarik’s office"
    assert [text[span.start : span.end] for span in find_names(text, [Person("Tarik Belkadi", ())])] == ["Tarik"]


@pytest.mark.parametrize("text", ["ya latif, latif bina", "يا لطيف الطف بنا"])
def test_two_spellings_of_one_name_are_no_whole_name(text):
    assert find_names(text, [Person("Latif", ())]) == []
