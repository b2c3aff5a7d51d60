"""Moroccan first names as people write them, in both scripts: a contact saved as Yassine is called ياسين in a message.

Spelled-out variants and common short forms, not transliteration: the letters of Darija have no single reading.
"""

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
    Ahmed Ahmad 7med Hmed Hmida أحمد حميدة
    Aicha Aïcha Aycha عائشة
    Ali 3li علي
    Amal Amale أمل
    Amina Amyna 2amina أمينة
    Amine Amin أمين
    Anas Anass أنس
    Anwar Anouar أنور
    Asma Asmae Asmaa أسماء
    Assia آسية
    Aya Ayat آية
    Ayman Aymane Aimane أيمن
    Ayoub Ayyoub Ayub أيوب
    Badr Bader بدر
    Bilal Belal بلال
    Bouchra Bochra Bushra بشرى
    Brahim Ibrahim إبراهيم براهيم
    Chaimae Chaima Chaymae Shaimae شيماء
    Dounia Donia Dunia دنيا
    Driss Idriss Drissi إدريس دريس
    Fadwa Fadoua فدوى
    Farah فرح
    Fatima Fatema Fati Fatim فاطمة فاطم فاتي
    Fatima-Zahra Fatimazahra Fatimzahra فاطمةالزهراء
    Fouad Fuad فؤاد
    Ghita Rita غيثة
    Ghizlane Ghizlan Ghizlène غزلان
    Hafsa Hafssa حفصة
    Hajar Hajare هاجر
    Hamid 7amid حميد
    Hamza 7amza Hamzah حمزة
    Hanane Hanan 7anan حنان
    Hassan 7assan Hasan حسن
    Hasnaa Hasnae Hasna حسناء
    Hatim Hatem حاتم
    Hayat 7ayat حياة
    Hiba هبة
    Hicham Hisham Hichem هشام
    Hind هند
    Houda Hoda Huda هدى
    Hussein Houcine Lhoucine Houssine L7oucine حسين الحسين لحسين
    Ikram Ikrame إكرام
    Ilham Ilhame Elham إلهام
    Ilyas Ilyass Elias Ilias إلياس
    Imad 3imad Imade عماد
    Imane Iman Imène إيمان
    Ismail Ismael Smail Sma3il إسماعيل سماعيل
    Issam 3issam Isam عصام
    Jaafar Jafar Ja3far جعفر
    Jalal جلال
    Jamal Jamel جمال
    Jamila Jamyla جميلة
    Jawad Jaouad جواد
    Kamal Kamel كمال
    Karim Kareem كريم
    Karima كريمة
    Kaoutar Kawtar Kawthar كوثر
    Kenza Kinza كنزة
    Khadija Khadidja 5adija Khadouj Khdija خديجة خدوج
    Khalid Khaled 5alid خالد
    Khaoula Khawla 5awla خولة
    Lahcen Lhssen L7cen لحسن
    Laila Leila Layla Lila ليلى
    Lamia Lamiae Lamyae لمياء
    Latifa لطيفة
    Loubna Lobna Lubna لبنى
    Maha مها
    Malak Malake ملاك
    Malika مليكة
    Manal Manale منال
    Mariam Meriem Maryam Meryem Myriam Meryam مريم
    Marwa Maroua مروة مروى
    Marwane Marouane Marwan مروان
    Mehdi Mahdi Mhdi مهدي المهدي
    Mohamed Mohammed Muhammad Mohamad Mohammad Mo7amed Mhamed Simo محمد سيمو امحمد
    Mohcine Mouhcine Mohsin Mo7sin محسن
    Mouad Moad Mo3ad Mouaad معاذ معاد
    Mounia Monia مونية
    Mounir Monir Munir منير
    Mourad Morad Murad مراد
    Mouna Mona Muna منى
    Mostafa Mustapha Mustafa Moustapha Mostapha مصطفى
    Nabil Nabile نبيل
    Nada ندى
    Nadia نادية
    Naima Na3ima نعيمة
    Najat نجاة
    Najib Najeeb نجيب
    Nassim Nasim نسيم
    Nawal Naoual نوال
    Nezha Nozha نزهة
    Nisrine Nesrine Nissrine Nisrin نسرين
    Nora Noura نورة
    Nour Noor نور
    Noureddine Nordine Nourdine نورالدين
    Omar 3omar Omr عمر
    Othmane Othman Otman 3otman Outmane عثمان
    Ouissal Wissal وصال
    Oumaima Omaima Oumayma أميمة
    Oussama Osama Ousama Usama أسامة
    Rabab رباب
    Rabia Rabi3a ربيعة
    Rachid Rashid رشيد
    Rachida رشيدة
    Radouane Redouane Ridouane رضوان
    Rajae Raja Rajaa رجاء
    Rania Ranya رانيا رانية
    Rayane Rayan Ryan ريان
    Reda Rida Réda رضا
    Rim Reem Rym ريم
    Saad Sa3d Sa3ad سعد
    Saadia Sa3dia سعدية
    Safae Safaa Safa صفاء
    Said Saïd Sa3id Saeed سعيد
    Saida Saïda Sa3ida سعيدة
    Salah Sala7 صلاح
    Salaheddine Salahdine صلاحالدين
    Salma Selma سلمى
    Samia Samya سامية
    Samir Samyr سمير
    Samira Samyra سميرة
    Sana Sanae Sanaa سناء
    Sara Sarah سارة
    Siham Sihame Sihem سهام
    Soufiane Sofiane Soufian Sofyan سفيان
    Soukaina Sokaina Soukayna Sokayna سكينة
    Soumia Soumaya Sumaya سمية
    Tarik Tariq Tari9 طارق
    Touria Toria Tourya ثريا تورية
    Wafae Wafaa Wafa وفاء
    Walid Oualid Waleed وليد
    Wiam Ouiam Wiame وئام
    Yahya Ya7ya Yehya يحيى
    Yasmine Yassmine Jasmine Yasmin ياسمين
    Yassine Yassin Yacine Yasin Yasine ياسين
    Yassir Yasser Yasir ياسر
    Younes Younès Yunes Younss يونس
    Youssef Yousef Yusuf Youssof Yosef يوسف
    Youssra Yousra Yosra يسرى
    Zahra Zohra Zahrae زهرة زهراء
    Zakaria Zakariya Zakariae زكرياء زكريا
    Zineb Zaynab Zainab Zeineb زينب
    Ziad Ziyad زياد
    """.strip().splitlines()
]

_ROWS = {spelling.lower(): row for row in SPELLINGS for spelling in row}


def find_spellings(name: str) -> list[str]:
    """Other spellings of a first name, in both scripts; none of a name that is not listed."""
    return [spelling for spelling in _ROWS.get(name.lower(), ()) if spelling.lower() != name.lower()]
