"""What WhatsApp itself writes into an export, one table a language.

A further language is a further entry of `LANGUAGES`. Letter case, direction marks, vowel marks, kinds of spaces and of
apostrophes and a dot at the end make no difference where a table is compared with a line.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """What WhatsApp itself writes in one language, alternatives separated by `|`.

    `at`, `omitted`, `notices`, `members`, `endings` and `right_to_left` are regular expressions. A notice may hold a
    colon, in the name of a group or of a person: `notices` and `members` stand before it, the first in no name, the
    second in some ("Value added services"); `endings` end the line.
    """

    at: str = ""  # between date and time
    media: str = ""
    omitted: str = ""  # in what stands in angle brackets instead of a medium
    attached: str = ""  # <attached: FILE>
    file_attached: str = ""  # FILE (file attached)
    poll: str = ""
    deleted: str = ""
    deleted_by: str = ""  # goes on with an admin's name
    edited: str = ""
    call: str = ""
    encryption: str = ""  # begins the encryption notice
    notices: str = ""
    members: str = ""
    endings: str = ""
    right_to_left: str = ""  # begins a notice that iOS puts under a name and marks


LANGUAGES = {
    "en": Phrases(
        at="at",
        media="<Media omitted>|image omitted|video omitted|audio omitted|sticker omitted|GIF omitted|document omitted|"
        "Contact card omitted|video note omitted|<Video note omitted>|<View once voice message omitted>|"
        "You received a view once message. For added privacy, you can only open it on your phone|"
        "You sent a view once message. For added privacy, you can only open it on your phone|"
        "live location shared|null",
        omitted="omitted",
        attached="attached",
        file_attached="file attached",
        poll="POLL:",
        deleted="This message was deleted|You deleted this message|This message was deleted by an admin|"
        "You deleted this message as admin|Waiting for this message. This may take a while",
        deleted_by="This message was deleted by admin ",
        edited="This message was edited",
        call="Missed voice call|Missed video call|Missed group voice call|Missed group video call|"
        "Missed voice call. Tap to call back|Missed video call. Tap to call back|"
        "Missed voice call, Tap to call back|Missed video call, Tap to call back|Voice call, No answer|"
        "Video call, No answer|Voice call, Answered on other device|Video call, Answered on other device|"
        "Silenced voice call, Focus mode|Silenced video call, Focus mode",
        encryption="Messages and calls are end-to-end encrypted|Messages to this ",
        notices="changed (?:the|this) (?:group|community|subject|description)|"
        "created (?:the |this )?(?:group|community)|changed (?:their|your) phone number|joined (?:using|via|from)|"
        "requested to join|end-to-end encrypt|security code|disappearing messages|message timer|business account|"
        "now an admin|pinned a message|turned (?:on|off) ",
        members=" added | removed | invited ",
    ),
    "fr": Phrases(
        at="à",
        media="<Médias omis>|<Média omis>|<Fichier omis>|<Médias absents>|image absente|vidéo absente|audio omis|"
        "audio absent|sticker omis|sticker absent|GIF retiré|GIF absent|document manquant|document absent|"
        "image omise|vidéo omise|document omis|"
        "GIF omis|fiche contact manquante|fiche contact absente|"
        "note vidéo absente|<Note vidéo omise>|"
        "Localisation en direct partagée|<Message vocal à vue unique omis>|"
        "Vous avez reçu un message à vue unique. Pour plus de confidentialité, vous ne pouvez l'ouvrir que sur votre "
        "téléphone",
        omitted="omise?s?|absente?s?",
        attached="pièce jointe",
        file_attached="fichier joint",
        poll="SONDAGE :|SONDAGE:",
        deleted="Ce message a été supprimé|Vous avez supprimé ce message|Ce message a été supprimé par un admin|"
        "Vous avez supprimé ce message en tant qu'admin|En attente de ce message. Cela peut prendre un moment",
        deleted_by="Ce message a été supprimé par l'admin",
        edited="Ce message a été modifié|Message modifié",
        call="Appel vocal manqué|Appel vidéo manqué|Appel vocal de groupe manqué|Appel vidéo de groupe manqué",
        encryption="Les messages et les appels sont chiffrés|Les messages envoyés dans ce",
        notices="(?:a|avez) (?:changé|modifié|remplacé) (?:le |la |les |l['’]|ce |cette |son |votre )"
        "(?:sujet|objet|nom|description|icône|image|photo|paramètres|numéro|groupe)|"
        "(?:a|avez) créé (?:le groupe|ce groupe|la communauté)|(?:a|avez) rejoint|(?:a|avez) épinglé|"
        "de bout en bout|code de sécurité|messages éphémères|compte professionnel|désormais admin",
        members="(?:a|avez) (?:ajouté|retiré|supprimé|invité) ",
    ),
    "ar": Phrases(
        at="في|الساعة",
        media="<تم استبعاد الوسائط>|لم يتم إدراج الصورة|لم يتم إدراج الفيديو|لم يتم إدراج الفيديوهات|"
        "لم يتم إدراج المقطع الصوتي|لم يتم إدراج المقاطع الصوتية|لم يتم إدراج المستند|لم يتم إدراج صورة GIF|"
        "لم يتم إدراج الملصق|لم يتم إدراج بطاقة جهة اتصال|تم حذف الملصقات|لم يتم إدراج الملصقات|"
        "تمت مشاركة الموقع المباشر",
        omitted="استبعاد|إدراج|مدرجة|تضمين|مضمنة",
        attached="مرفق|المرفق|المُرفق",
        file_attached="الملف مرفق|ملف مرفق",
        poll="استطلاع:|استطلاع رأي:|استطلاع الرأي:",
        deleted="تم حذف هذه الرسالة|لقد حذفت هذه الرسالة|أنت حذفت هذه الرسالة|حذفت هذه الرسالة|"
        "في انتظار هذه الرسالة. قد يستغرق هذا بعض الوقت",
        deleted_by="حذف المشرف ",
        edited="تم تعديل هذه الرسالة",
        call="مكالمة صوتية فائتة|مكالمة فيديو فائتة|مكالمة صوتية جماعية فائتة|مكالمة فيديو جماعية فائتة",
        encryption="الرسائل والمكالمات مشف",
        notices="غيّ?رت? .{0,80}(?:المجموعة|الموضوع|هاتف|رقم)|[أا]نش[أا]ت? .{0,80}(?:مجموعة|المجموعة|المجتمع)|"
        "مشفّ?رة تما|رمز [أا]مان|رمز ال[أا]مان|الرسائل المؤقتة|الرسائل ذاتية الاختفاء|انضمت? .{0,80}رابط",
        members="[أا]ضافت? |[أا]زالت? |ب[إا]ضافة |ب[إا]زالة ",
        right_to_left="غادرت? |[أا]ضافت?ك? |[أا]زالت?ك? |تمت [إا]ضافتك|انضمم?ت? |ت?غيّ?رت? |ثبّ?تت? |مكالمة |حظرت |"
        "[أا]لغيت ",
    ),
    "es": Phrases(
        at="a las?",
        media="<Multimedia omitido>|<Archivo omitido>|<Medios omitidos>|imagen omitida|video omitido|vídeo omitido|"
        "audio omitido|sticker omitido|GIF omitido|documento omitido|Tarjeta de contacto omitida|"
        "nota de video omitida|<Nota de video omitida>|ubicación en tiempo real compartida|"
        "<Mensaje de voz de visualización única omitido>|"
        "Recibiste un mensaje de visualización única. Para mayor privacidad, solo puedes abrirlo en tu teléfono",
        omitted="omitid[oa]s?",
        attached="adjunto",
        file_attached="archivo adjunto|archivo adjuntado",
        poll="ENCUESTA:",
        deleted="Se eliminó este mensaje|Este mensaje fue eliminado|Eliminaste este mensaje|"
        "Este mensaje fue eliminado por un admin|Eliminaste este mensaje como admin|"
        "Esperando este mensaje. Esto puede tomar tiempo",
        deleted_by="Este mensaje fue eliminado por el admin ",
        edited="Se editó este mensaje|Este mensaje fue editado",
        call="Llamada perdida|Llamada de voz perdida|Videollamada perdida|Llamada grupal perdida|"
        "Videollamada grupal perdida",
        encryption="Los mensajes y las llamadas están cifrados|Los mensajes y llamadas",
        notices="(?:cambió|cambiaste) (?:el|la|los|las|su|tu|este) (?:asunto|nombre|descripción|ícono|icono|imagen|"
        "foto|ajustes|configuración|número|grupo)|(?:creó|creaste) (?:el|un|este) grupo|se unió|"
        "(?:fijó|fijaste) un mensaje|cifrados? de extremo|código de seguridad|mensajes temporales|"
        "cuenta de empresa|ahora (?:es|eres) admin",
        members="[Aa]ñadi(?:ó|ste) a |[Aa]greg(?:ó|aste) a |[Ee]limin(?:ó|aste) a |[Ss]ac(?:ó|aste) a ",
    ),
    "de": Phrases(
        at="um",
        media="<Medien ausgeschlossen>|<Medien weggelassen>|Bild weggelassen|Video weggelassen|Audio weggelassen|"
        "Sticker weggelassen|GIF weggelassen|Dokument weggelassen|Kontaktkarte ausgelassen|Kontaktkarte weggelassen|"
        "Videonachricht weggelassen|<Videonachricht weggelassen>|<Videonotiz ausgelassen>|"
        "Live-Standort wird geteilt|<Sprachnachricht zur einmaligen Ansicht weggelassen>|"
        "Du hast eine Nachricht zur einmaligen Ansicht erhalten. Zum Schutz der Privatsphäre kannst du sie nur auf "
        "deinem Telefon öffnen",
        omitted="weggelassen|ausgelassen|ausgeschlossen|nicht enthalten",
        attached="Anhang|angehängt",
        file_attached="Datei angehängt",
        poll="UMFRAGE:",
        deleted="Diese Nachricht wurde gelöscht|Du hast diese Nachricht gelöscht|"
        "Diese Nachricht wurde von einem Admin gelöscht|Du hast diese Nachricht als Admin gelöscht|"
        "Warte auf diese Nachricht. Dies kann etwas dauern",
        deleted_by="Diese Nachricht wurde vom Admin |Diese Nachricht wurde von Admin ",
        edited="Diese Nachricht wurde bearbeitet",
        call="Verpasster Sprachanruf|Verpasster Videoanruf|Verpasster Gruppensprachanruf|"
        "Verpasster Gruppenvideoanruf|Verpasster Gruppenanruf",
        encryption="Nachrichten und Anrufe sind Ende-zu-Ende|Nachrichten in diesem Chat|Nachrichten in dieser Gruppe",
        notices="[Hh]as?t (?:die|das|den|diese|dieses) (?:Gruppe|Gruppenbild|Gruppenbeschreibung|Gruppennamen|"
        "Gruppeneinstellungen|Betreff|Beschreibung|Community)|Telefonnummer|Sicherheitsnummer|Ende-zu-Ende|"
        "[Ss]elbstlöschende|Unternehmenskonto|jetzt (?:ein )?Admin|beigetreten",
        members=" hat | hast | wurde ",
    ),
    "it": Phrases(
        at="alle(?: ore)?",
        media="<Media omessi>|<Media omesso>|immagine omessa|video omesso|audio omesso|sticker non incluso|"
        "sticker omesso|GIF esclusa|GIF omessa|documento omesso|Scheda contatto omessa|videomessaggio omesso|"
        "<Nota video omessa>|<Videomessaggio omesso>|posizione attuale condivisa|posizione in tempo reale condivisa|"
        "<Messaggio vocale visualizzabile una volta omesso>|"
        "Hai ricevuto un messaggio visualizzabile una volta. Per maggiore privacy, puoi aprirlo solo sul tuo telefono",
        omitted="omess[aeio]|non inclus[aeio]",
        attached="allegato",
        file_attached="file allegato",
        poll="SONDAGGIO:",
        deleted="Questo messaggio è stato eliminato|Hai eliminato questo messaggio|"
        "Questo messaggio è stato eliminato da un amministratore|Hai eliminato questo messaggio come amministratore|"
        "In attesa del messaggio. Potrebbe richiedere qualche minuto",
        deleted_by="Questo messaggio è stato eliminato dall'amministratore ",
        edited="Questo messaggio è stato modificato|Messaggio modificato",
        call="Chiamata vocale persa|Videochiamata persa|Chiamata vocale di gruppo persa|Videochiamata di gruppo persa",
        encryption="I messaggi e le chiamate sono crittografati|I messaggi inviati a",
        notices="[Hh]a(?:i)? (?:cambiato|modificato) (?:l['’]|il |lo |la |le |questo |numero)|"
        "[Hh]ai? creato (?:il |questo )?gruppo|si è unit|è entrat[oa]|crittografat|codice di sicurezza|"
        "messaggi effimeri|account business|ora (?:un )?amministratore|[Hh]ai? fissato",
        members="[Hh]ai? aggiunto |[Hh]ai? rimosso ",
    ),
    "pt": Phrases(
        at="às",
        media="<Mídia oculta>|<Mídia omitida>|<Arquivo de mídia oculto>|<Ficheiro não revelado>|imagem ocultada|"
        "vídeo omitido|vídeo ocultado|áudio ocultado|áudio omitido|figurinha omitida|sticker omitido|GIF omitido|"
        "GIF omitida|documento omitido|documento ocultado|Cartão do contato omitido|mensagem de vídeo omitida|"
        "<Mensagem de vídeo omitida>|imagem não revelada|vídeo não revelado|ficheiro de áudio não revelado|"
        "áudio não revelado|sticker não revelado|GIF não revelada|GIF não revelado|documento não revelado|"
        "Contacto não revelado|localização atual compartilhada|localização em tempo real compartilhada|"
        "Está a partilhar a sua localização|<Mensagem de voz de visualização única omitida>|"
        "Você recebeu uma mensagem de visualização única. Para maior privacidade, você só pode abri-la no seu celular",
        omitted="omitid[oa]s?|ocult(?:ad)?[oa]s?|não revelad[oa]s?",
        attached="anexado|anexo",
        file_attached="arquivo anexado|ficheiro anexado",
        poll="ENQUETE:|SONDAGEM:|VOTAÇÃO:",
        deleted="Mensagem apagada|Esta mensagem foi apagada|Você apagou esta mensagem|Apagou esta mensagem|"
        "Eliminou esta mensagem|Esta mensagem foi eliminada|Esta mensagem foi apagada pelo remetente|"
        "Esta mensagem foi apagada por um admin|Você apagou esta mensagem como admin|"
        "Aguardando mensagem. Essa ação pode levar alguns instantes",
        deleted_by="Mensagem apagada pelo admin |Esta mensagem foi apagada pelo admin ",
        edited="Mensagem editada|Esta mensagem foi editada",
        call="Chamada de voz perdida|Ligação de voz perdida|Chamada de vídeo perdida|Ligação de vídeo perdida|"
        "Videochamada perdida|Ligação de voz em grupo perdida|Ligação de vídeo em grupo perdida",
        encryption="As mensagens e as chamadas são protegidas|As mensagens e ligações são protegidas|"
        "Mensagens e chamadas são protegidas|Mensagens e ligações são protegidas|"
        "As mensagens e as ligações são protegidas|As mensagens e chamadas são encriptadas|"
        "As mensagens e as chamadas são encriptadas",
        notices="[Mm]udou (?:o|a|as|os|esta|este|para) |[Aa]lterou (?:o|a|as|os|esta|este|para) |"
        "[Cc]riou (?:o |este )?grupo|[Ee]ntrou (?:usando|através|com|no grupo|neste grupo)|"
        "criptografia|encriptad|código de segurança|mensagens temporárias|conta comercial|agora é (?:um )?admin|"
        "[Ff]ixou uma mensagem",
        members="[Aa]dicionou |[Rr]emoveu ",
    ),
    "nl": Phrases(
        at="om",
        media="<Media weggelaten>|afbeelding weggelaten|video weggelaten|audio weggelaten|sticker weggelaten|"
        "GIF weggelaten|document weggelaten|Visitekaartje weggelaten|Contactkaart weggelaten|"
        "videobericht weggelaten|<Videobericht weggelaten>|live locatie gedeeld|"
        "<Spraakbericht voor eenmalige weergave weggelaten>|"
        "Je hebt een bericht voor eenmalige weergave ontvangen. Vanwege privacy kun je dit alleen op je "
        "telefoon openen",
        omitted="weggelaten",
        attached="bijgevoegd|bijlage",
        file_attached="bestand bijgevoegd",
        poll="PEILING:",
        deleted="Dit bericht is verwijderd|Dit bericht werd verwijderd|U hebt dit bericht verwijderd|"
        "U heeft dit bericht verwijderd|Je hebt dit bericht verwijderd|Dit bericht is verwijderd door een beheerder|"
        "Je hebt dit bericht verwijderd als beheerder|Wachten op dit bericht. Dit kan even duren",
        deleted_by="Dit bericht is verwijderd door beheerder |Dit bericht is door beheerder ",
        edited="Dit bericht is bewerkt",
        call="Gemiste spraakoproep|Gemist spraakgesprek|Gemiste video-oproep|Gemist videogesprek|"
        "Gemiste groepsoproep|Gemiste groepsspraakoproep|Gemiste groepsvideo-oproep|Gemist groepsgesprek|"
        "Gemist groepsvideogesprek",
        encryption="Berichten en gesprekken worden end-to-end|Berichten en oproepen zijn end-to-end|"
        "Berichten en gesprekken zijn end-to-end|Berichten in deze chat",
        notices="[Hh](?:eeft|ebt) (?:het|de|deze|dit) (?:onderwerp|groep|community|pictogram|omschrijving|"
        "beschrijving|instellingen|naam)|nieuw telefoonnummer|end-to-end|beveiligingscode|"
        "zelfvernietigende|verdwijnende berichten|zakelijk account|nu (?:een )?beheerder|neemt nu deel|"
        "toegetreden",
        members=" heeft | hebt ",
    ),
    "tr": Phrases(
        at="saat",
        media="<Medya dahil edilmedi>|<Medya atlanmış>|<Medya atlandı>|görüntü dahil edilmedi|video dahil edilmedi|"
        "ses dahil edilmedi|Çıkartma dahil edilmedi|GIF dahil edilmedi|belge dahil edilmedi|"
        "Kişi kartı dahil edilmedi|görüntülü not çıkarıldı|görüntülü mesaj dahil edilmedi|"
        "<Görüntülü not dahil edilmedi>|Mevcut konum paylaşıldı|canlı konum paylaşıldı|"
        "<Tek seferlik görüntülenebilen sesli mesaj dahil edilmedi>|"
        "Tek seferlik görüntülenebilen bir mesaj aldınız. Daha fazla gizlilik için mesajı yalnızca telefonunuzda "
        "açabilirsiniz",
        omitted=r"dahil edilmedi|atlan\w*|çıkarıl\w*",
        attached="eklendi|ekli",
        file_attached="dosya ekli",
        poll="ANKET:",
        deleted="Bu mesaj silindi|Bu mesajı sildiniz|Bu mesaj bir yönetici tarafından silindi|"
        "Bu mesajı yönetici olarak sildiniz|Bu mesaj bekleniyor. Bu biraz zaman alabilir|"
        "Mesaj bekleniyor. Bu işlem biraz zaman alabilir",
        deleted_by="Bu mesaj yönetici ",
        edited="Bu mesaj düzenlendi",
        call="Cevapsız sesli arama|Cevapsız görüntülü arama|Cevapsız grup sesli araması|"
        "Cevapsız grup görüntülü araması|Cevapsız sesli grup araması|Cevapsız görüntülü grup araması",
        encryption="Mesajlar ve aramalar uçtan uca|Bu sohbetteki mesajlar",
        notices="grubu oluştur|grup (?:açıklamasını|simgesini|resmini|ayarlarını|adını)|bu grubun|uçtan uca|"
        "güvenlik kodu|[Ss]üreli mesaj|işletme hesabı|artık (?:bir )?yönetici|telefon numarasını",
        endings="kişisini (?:ekledi|çıkardı)|kişisini (?:ekledi|çıkardı)niz|kişisini (?:eklediniz|çıkardınız)|"
        "gruptan (?:ayrıldı|çıkardı|çıkarıldı)|güvenlik kodu değişti|konusunu değiştirdi|adını değiştirdi",
    ),
    "id": Phrases(
        at="pukul",
        media="<Media tidak disertakan>|gambar tidak disertakan|video tidak disertakan|audio tidak disertakan|"
        "stiker tidak disertakan|GIF tidak disertakan|dokumen tidak disertakan|Kartu kontak tidak disertakan|"
        "catatan video tidak disertakan|pesan video tidak disertakan|<Catatan video tidak disertakan>|"
        "<Pesan video tidak disertakan>|Lokasi terkini dibagikan|"
        "<Pesan suara sekali lihat tidak disertakan>|"
        "Anda menerima pesan sekali lihat. Demi privasi lebih, Anda hanya dapat membukanya di telepon Anda",
        omitted="tidak disertakan|disingkirkan",
        attached="terlampir",
        file_attached="file terlampir",
        poll="POLLING:|JAJAK PENDAPAT:",
        deleted="Pesan ini dihapus|Pesan ini telah dihapus|Anda menghapus pesan ini|Anda telah menghapus pesan ini|"
        "Pesan ini dihapus oleh admin|Anda menghapus pesan ini sebagai admin|"
        "Menunggu pesan ini. Ini mungkin perlu waktu beberapa saat",
        deleted_by="Pesan ini dihapus oleh admin ",
        edited="Pesan ini diedit|Pesan ini telah diedit",
        call="Panggilan suara tak terjawab|Panggilan video tak terjawab|Panggilan suara grup tak terjawab|"
        "Panggilan video grup tak terjawab",
        encryption="Pesan dan panggilan terenkripsi|Pesan ke chat ini",
        notices="mengubah (?:subjek|judul|nama|deskripsi|ikon|gambar|foto|setelan|pengaturan|nomor|info|grup)|"
        "membuat grup|bergabung (?:menggunakan|melalui|dengan)|terenkripsi|[Kk]ode keamanan|pesan sementara|"
        "akun bisnis|sekarang (?:menjadi |adalah )?admin|menyematkan pesan",
        members="[Mm]enambahkan |[Mm]engeluarkan ",
    ),
}
