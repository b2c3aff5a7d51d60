"""Moroccan first names as people write them, in both scripts: a contact saved as Yassine is called ياسين in a message.

Common short forms, and spellings that do not sound alike or of which Arabic writes too little to be sure.
"""

import functools
from typing import NamedTuple

from darija_gpt.data.names.first_names import NAMES
from darija_gpt.data.names.folding import fold_form, reduce_name
from darija_gpt.data.names.sounds import MIN_CONSONANTS, Sounds, compare_sounds, read_sounds


# A line per name. What is listed nowhere else is a form of that name alone.
SPELLINGS = [
    tuple(line.split())
    for line in """
    Abdelali Abdelaali عبدالعالي عبدالعلي
    Abdelaziz Abdel3aziz Aziz عبدالعزيز عزيز
    Abdelilah Abdelillah 3bdelilah عبدالإله عبدالاله
    Abdelkader 3bdelkader عبدالقادر
    Abdelkrim Abdelkarim Krimo عبدالكريم كريمو
    Abdellah Abdallah Abdullah 3bdellah Abdo عبدالله عبدو
    Abdellatif Abdelatif 3bdellatif عبداللطيف
    Abderrahim عبدالرحيم
    Abderrahman Abderrahmane 3bderrahman عبدالرحمان عبدالرحمن
    Abdessamad Abdelsamad عبدالصمد
    Achraf Ashraf أشرف
    Adam آدم
    Adil Adel 3adil عادل
    Adnane Adnan 3adnan عدنان
    Ahlam Ahlame أحلام
    Ahmed Ahmad 7med Hmed Hmida أحمد حميدة
    Aicha Aïcha Aycha 3icha 3aicha عائشة عيشة
    Ali 3li علي
    Amal Amale أمل
    Amani أماني
    Amina Amyna 2amina أمينة
    Amine Amin أمين
    Amir Ameer أمير
    Amira Ameera أميرة
    Anas Anass أنس
    Anwar Anouar Anwer أنور أنوار
    Asma Asmae Asmaa أسماء
    Assia آسية
    Aya Ayat آية
    Ayman Aymane Aimane Aymen أيمن
    Ayoub Ayyoub Ayub Ayoob أيوب
    Azzeddine Azzedine Azdine Azzou عزالدين
    Badr Bader بدر
    Basma بسمة
    Bilal Belal بلال
    Bouchra Bochra Bushra بشرى
    Brahim Ibrahim إبراهيم براهيم
    Chaimae Chaima Chaymae Shaimae شيماء
    Chams شمس
    Dina دينا
    Douaa Doaa Doua دعاء
    Dounia Donia Dunia دنيا
    Driss Idriss Drissi إدريس دريس
    Fadwa Fadoua فدوى
    Fajr فجر
    Farah فرح
    Faris Fares فارس
    Fatima Fatema Fati Fatim فاطمة فاطم فاتي
    Fatima-Zahra Fatimazahra Fatimzahra فاطمةالزهراء
    Fouad Fuad فؤاد
    Ghali Rhali غالي
    Ghita Rita Rhita غيثة
    Ghizlane Ghizlan Ghizlène Rhizlane Rizlane غزلان
    Habib حبيب
    Habiba حبيبة
    Hadi هادي
    Hafsa Hafssa حفصة
    Hajar Hajare هاجر
    Hakim حكيم
    Hamid 7amid حميد
    Hamza 7amza Hamzah حمزة
    Hana Hanaa Hanae هناء
    Hanane Hanan 7anan حنان
    Hasnaa Hasnae Hasna حسناء
    Hassan 7assan Hasan حسن
    Hatim Hatem حاتم
    Hayat 7ayat حياة
    Hiba هبة
    Hicham Hisham Hichem هشام
    Hind هند
    Houda Hoda Huda هدى
    Hussein Houcine Lhoucine Houssine L7oucine حسين الحسين لحسين
    Ihsane Ihsan Ihssane إحسان
    Ikram Ikrame إكرام
    Ilham Ilhame Elham إلهام
    Ilyas Ilyass Lyas Elias Ilias إلياس
    Imad 3imad 3mad Imade عماد
    Imane Iman Imène إيمان
    Islam إسلام
    Ismail Ismael Smail Sma3il إسماعيل سماعيل
    Issam 3issam Isam عصام
    Jaafar Jafar Ja3far جعفر
    Jalal جلال
    Jamal Jamel جمال
    Jamil جميل
    Jamila Jamyla جميلة
    Jawad Jaouad جواد
    Jihad جهاد
    Kamal Kamel كمال
    Kaoutar Kawtar Kawthar كوثر
    Karim Kareem كريم
    Karima كريمة
    Kenza Kinza كنزة
    Khadija Khadidja 5adija Khadouj Khdija خديجة خدوج
    Khalid Khaled 5alid خالد
    Khaoula Khawla 5awla خولة
    Lahcen Lhssen L7cen لحسن
    Laila Leila Layla Lila ليلى
    Lamia Lamiae Lamyae لمياء
    Latif لطيف
    Latifa لطيفة
    Lina لينا
    Loubna Lobna Lubna لبنى
    Maha مها
    Malak Malake ملاك
    Malika مليكة
    Manal Manale منال
    Mariam Meriem Maryam Meryem Myriam Meryam مريم
    Marwa Maroua مروة مروى
    Marwane Marouane Marwan مروان
    Mehdi Mahdi Mhdi مهدي المهدي
    Mesbah Misbah مصباح
    Mina مينة
    Mohamed Mohammed Muhammad Mohamad Mohammad Mo7amed Mhamed Simo Med محمد سيمو امحمد
    Mohcine Mouhcine Mohsin Mo7sin محسن
    Mokhtar Moukhtar مختار المختار
    Mostafa Mstafa Mstapha Mustapha Mustafa Moustapha Mostapha Stof مصطفى
    Mouad Moad Mo3ad M3ad Mouaad معاذ معاد
    Mouna Mona Muna منى
    Mounia Monia مونية
    Mounir Monir Munir منير
    Mourad Morad Murad مراد
    Nabil Nabile نبيل
    Nada ندى
    Nadia نادية
    Naima Na3ima N3ima نعيمة
    Najat نجاة
    Najib Najeeb نجيب
    Najwa نجوى
    Nassim Nasim نسيم
    Nawal Naoual نوال
    Nezha Nozha نزهة
    Nisrine Nesrine Nissrine Nisrin نسرين
    Nora Noura نورة
    Nour Noor نور
    Noureddine Nordine Nourdine نورالدين
    Omar 3omar 3mar Omr عمر
    Othmane Othman Otman 3otman Outmane عثمان
    Ouissal Wissal وصال
    Oumaima Omaima Oumayma أميمة
    Oumkeltoum Oumkaltoum أمكلثوم
    Oussama Osama Ousama Usama أسامة
    Rabab رباب
    Rabah رباح
    Rabia Rabi3a Rbi3a ربيعة
    Rachid Rashid رشيد
    Rachida رشيدة
    Radouane Redouane Ridouane رضوان
    Rahma رحمة
    Rajae Raja Rajaa رجاء
    Rania Ranya رانيا رانية
    Rayane Rayan Ryan ريان
    Reda Rida Réda رضا
    Riad Riyad رياض
    Rim Reem Rym ريم
    Rokia Rkia Rokaya Roqaya Roukaya رقية
    Saad Sa3d S3d Sa3ad سعد
    Saadia Sa3dia S3dia سعدية
    Sabah صباح
    Sabir Saber صابر
    Safae Safaa Safa صفاء
    Said Saïd Sa3id S3id Saeed سعيد
    Saida Saïda Sa3ida S3ida سعيدة
    Salah Sala7 صلاح
    Salaheddine Salahdine صلاحالدين
    Salam سلام
    Salma Selma سلمى
    Samia Samya سامية
    Samir Samyr سمير
    Samira Samyra سميرة
    Sana Sanae Sanaa سناء
    Sara Sarah سارة
    Siham Sihame Sihem سهام
    Soltan Sultan سلطان
    Soufiane Sofiane Soufian Sofyan Souf سفيان
    Soukaina Sokaina Soukayna Sokayna سكينة
    Soumia Soumaya Sumaya سمية
    Taha طه
    Tarik Tariq Tari9 طارق
    Tayeb Taib طيب الطيب
    Touria Toria Tourya ثريا تورية
    Wafae Wafaa Wafa وفاء
    Wahid وحيد
    Walid Oualid Waleed وليد
    Warda وردة
    Wiam Ouiam Wiame وئام
    Yahya Ya7ya Yehya يحيى
    Yasmine Yassmine Jasmine Yasmin ياسمين
    Yassine Yassin Yacine Yasin Yasine ياسين
    Yassir Yasser Yasir ياسر
    Younes Younès Yunes Younss يونس
    Youssef Youssf Yosf Yousef Yusuf Youssof Yosef يوسف
    Youssra Yousra Yosra يسرى
    Zahra Zohra Zahrae زهرة زهراء
    Zakaria Zakariya Zakariae Zak زكرياء زكريا
    Ziad Ziyad زياد
    Zine زين
    Zineb Zaynab Zainab Zeineb زينب
    """.strip().splitlines()
]

# The same for names of families.
FAMILY_SPELLINGS = [
    tuple(line.split())
    for line in """
    Alaoui Alawi العلوي علوي
    Amrani العمراني عمراني
    Bakkali Bekkali البقالي بقالي
    Belhaj Belhadj بلحاج
    Benali بنعلي
    Bennani بناني
    Berrada برادة
    Bouzidi البوزيدي بوزيدي
    Chraibi Chraïbi الشرايبي شرايبي
    Daoudi الداودي داودي
    Fassi الفاسي فاسي
    Filali الفيلالي فيلالي
    Guessous Gessous Kessous جسوس كسوس
    Hajji Haji حجي
    Hassani الحسني حسني
    Idrissi الإدريسي إدريسي
    Jettou Jetou جطو
    Kabbaj القباج قباج
    Lahlou لحلو
    Mansouri المنصوري منصوري
    Naciri Nasiri الناصري ناصري الناصيري ناصيري
    Ouali الوالي والي
    Ouazzani Wazzani الوزاني وزاني
    Rhazi Ghazi الغازي غازي
    Rifi الريفي ريفي
    Saidi السعيدي سعيدي
    Sbai Sbaï السباعي سباعي
    Sebti السبتي سبتي
    Slaoui Slawi السلاوي سلاوي
    Soussi السوسي سوسي
    Tazi التازي تازي
    Ziani الزياني زياني
    """.strip().splitlines()
]


class _Row(NamedTuple):
    """A spelling as it is heard, and all spellings of its row."""

    sounds: Sounds
    row: tuple[str, ...]


@functools.cache
def _read_rows() -> tuple[dict[str, tuple[str, ...]], dict[str, list[_Row]]]:
    """The rows by their spellings, as letters, and by the consonants of these."""
    by_letters: dict[str, tuple[str, ...]] = {}
    by_consonants: dict[str, list[_Row]] = {}
    for row in (*SPELLINGS, *FAMILY_SPELLINGS, *NAMES):
        letters = [reduce_name(fold_form(spelling)) for spelling in row]
        if by_letters.keys() & {*letters}:
            continue
        for each in letters:
            sounds = read_sounds(each)
            by_letters[each] = row
            by_consonants.setdefault(sounds.consonants, []).append(_Row(sounds, row))
    return by_letters, by_consonants


def find_spellings(name: str) -> list[str]:
    """Other spellings of a name, in both scripts; none of a name that neither is listed nor sounds like one."""
    letters = reduce_name(fold_form(name))
    by_letters, by_consonants = _read_rows()
    rows = [by_letters[letters]] if letters in by_letters else []
    sounds = read_sounds(letters)
    if not rows and len(sounds.consonants) >= MIN_CONSONANTS:
        listed = by_consonants.get(sounds.consonants, ())
        rows = [known.row for known in listed if compare_sounds(known.sounds, sounds) == 0]
    spellings = dict.fromkeys(spelling for row in rows for spelling in row)
    return [spelling for spelling in spellings if spelling.lower() != name.lower()]
