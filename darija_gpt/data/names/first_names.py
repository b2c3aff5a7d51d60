"""First names of Morocco, of which pseudonyms are drawn."""

import re


# First names of women and men of Morocco, in Latin and in Arabic letters, none of which is a word of Darija.
NAMES: list[tuple[str, str]] = re.findall(
    r"(\S+)/(\S+)",
    """
    Abdelaziz/عبدالعزيز Abdelghani/عبدالغني Abdelhadi/عبدالهادي Abdelhak/عبدالحق Abdelhamid/عبدالحميد
    Abdelilah/عبدالإله Abdeljalil/عبدالجليل Abdelkader/عبدالقادر Abdelkrim/عبدالكريم Abdellah/عبدالله
    Abdellatif/عبداللطيف Abdelmajid/عبدالمجيد Abdelmalek/عبدالمالك Abdelouahed/عبدالواحد Abderrahim/عبدالرحيم
    Abderrahmane/عبدالرحمان Abderrazak/عبدالرزاق Abdeslam/عبدالسلام Abdessamad/عبدالصمد Achraf/أشرف Adam/آدم
    Adnane/عدنان Aghilas/أغيلاس Ahmed/أحمد Aicha/عائشة Aissa/عيسى Aksel/أكسيل Allal/علال Amnay/أمناي Anass/أنس
    Anir/أنير Aouicha/عويشة Assia/آسية Aymane/أيمن Ayoub/أيوب Azzeddine/عزالدين Bachir/بشير Badia/بديعة Badis/باديس
    Badreddine/بدرالدين Bahija/بهيجة Batoul/بتول Bilal/بلال Bouazza/بوعزة Bouchaib/بوشعيب Brahim/إبراهيم
    Chadia/شادية Chafik/شفيق Chaimae/شيماء Chakib/شكيب Chirine/شيرين Chouaib/شعيب Dalila/دليلة Driss/إدريس
    Fadwa/فدوى Fahd/فهد Faical/فيصل Faouzi/فوزي Farid/فريد Farida/فريدة Fatiha/فتيحة Fatima/فاطمة Fatna/فاطنة
    Ferdaous/فردوس Fettouma/فطومة Fouad/فؤاد Fouzia/فوزية Ghassane/غسان Ghita/غيثة Ghizlane/غزلان Hachem/هاشم
    Hadhoum/هدهوم Hafida/حفيظة Hafsa/حفصة Haitam/هيثم Hajar/هاجر Hakima/حكيمة Halima/حليمة Hamid/حميد Hamza/حمزة
    Haroun/هارون Hasna/حسناء Hatim/حاتم Hicham/هشام Houcine/حسين Houssam/حسام Ibtihal/ابتهال Ilyas/إلياس Imad/عماد
    Imrane/عمران Ines/إيناس Ismail/إسماعيل Issam/عصام Ito/إيطو Izem/إيزم Jalal/جلال Jalila/جليلة Jaouad/جواد
    Jihane/جيهان Jilali/جيلالي Kabbour/كبور Kacem/قاسم Kaddour/قدور Kaouthar/كوثار Kawtar/كوثر Keltoum/كلثوم
    Kenza/كنزة Khadija/خديجة Khadouj/خدوج Khalid/خالد Khalil/خليل Khaoula/خولة Lahcen/لحسن Lamia/لامية Lamiae/لمياء
    Lokman/لقمان Loubna/لبنى Lounja/لونجا Maati/معطي Maha/مها Maher/ماهر Mahjoub/محجوب Mahjouba/محجوبة Mahmoud/محمود
    Majda/ماجدة Manal/منال Mariam/مريم Maroua/مروى Marouane/مروان Marwa/مروة Massine/ماسين Massinissa/ماسينيسا
    Mehdi/مهدي Messaoud/مسعود Miloud/ميلود Milouda/ميلودة Mimoun/ميمون Mohamed/محمد Mohcine/محسن Mostafa/مصطفى
    Mouad/معاذ Mounia/مونية Mounir/منير Mounira/منيرة Mourad/مراد Moussa/موسى Nabil/نبيل Nabila/نبيلة Nadia/نادية
    Nadine/نادين Naima/نعيمة Najia/ناجية Najla/نجلاء Naoufal/نوفل Nassim/نسيم Nassima/نسيمة Nawal/نوال Naziha/نزيهة
    Nermine/نرمين Nihal/نهال Nisrine/نسرين Nizar/نزار Nora/نورة Nouha/نهى Nouhaila/نهيلة Noureddine/نورالدين
    Numidia/نوميديا Othmane/عثمان Ouail/وائل Ouiam/وئام Oumaima/أميمة Oussama/أسامة Rabab/رباب Rachid/رشيد
    Rachida/رشيدة Radoua/رضوى Rahima/رحيمة Rania/رانية Raouf/رؤوف Rayane/ريان Redouane/رضوان Rita/ريتا Rkia/رقية
    Rokhaya/رخية Saadia/سعدية Sabrine/صابرين Safia/صفية Salim/سليم Salma/سلمى Salwa/سلوى Sami/سامي Samia/سامية
    Samiha/سميحة Samir/سمير Samira/سميرة Siham/سهام Sirine/سيرين Slimane/سليمان Sofia/صوفيا Souad/سعاد
    Soufiane/سفيان Souhail/سهيل Soumaya/سمية Soundous/سندس Tamou/طامو Tanirt/تانيرت Taoufik/توفيق Tarik/طارق
    Thami/تهامي Tijani/تيجاني Tilila/تيليلا Titrit/تيتريت Touria/ثريا Wadie/وديع Wassim/وسيم Widad/وداد
    Yaacoub/يعقوب Yahya/يحيى Yamina/يامنة Yassine/ياسين Yassir/ياسر Yassmina/ياسمينة Yemna/يمنة Younes/يونس
    Yousra/يسرى Youssef/يوسف Yuba/يوبا Zahia/زاهية Zakaria/زكرياء Zakia/زكية Zhour/زهور Ziad/زياد Zineb/زينب
    Ziri/زيري Zoubida/زبيدة Zouhair/زهير Zoulikha/زليخة
    """,
)
