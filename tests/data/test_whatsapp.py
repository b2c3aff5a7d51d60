"""One chat, every phone: the messages below, written the way each phone exports them, must be read back exactly."""

import copy
import json
import pickle
import random
import re
import tracemalloc
import zipfile
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from darija_gpt.data.corpus import PrepareArguments
from darija_gpt.data.whatsapp import ExportError, Message, detect_format, find_exports, parse_export
from darija_gpt.data.whatsapp_headers import HeaderReader
from darija_gpt.data.whatsapp_phrases import LANGUAGES
from darija_gpt.data.whatsapp_texts import PLACEHOLDERS, find_placeholder


SHARED_CHATS = Path(__file__).parents[3] / "shared" / "data" / "chats"
SHARED_SAMPLES = SHARED_CHATS.parent / "whatsapp" / "chat_miner_mit"

LRM, RLM, NARROW_SPACE = "\u200e", "\u200f", "\u202f"
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

# What WhatsApp itself writes: encryption, group, media (Android, iOS), attached (Android, iOS), deleted, edited.
WORDS = {
    "en": (
        "Messages and calls are end-to-end encrypted. Tap to learn more.",
        'Amal created group "Dar: l3id"',
        ("<Media omitted>", "image omitted"),
        ("IMG-20220413-WA0001.jpg (file attached)", "<attached: 00000007-PHOTO-2022-04-13.jpg>"),
        "This message was deleted",
        "<This message was edited>",
    ),
    "fr": (
        "Les messages et les appels sont chiffrés de bout en bout.",
        "Amal a créé le groupe “Dar: l3id”",
        ("<Médias omis>", "vidéo absente"),
        ("IMG-20220413-WA0001.jpg (fichier joint)", "<pièce jointe : 00000007-PHOTO-2022-04-13.jpg>"),
        "Vous avez supprimé ce message",
        "<Ce message a été modifié>",
    ),
    "ar": (
        "الرسائل والمكالمات مشفرة تمامًا بين الطرفين.",
        "أنشأت Amal المجموعة “Dar: l3id”",
        ("<تم استبعاد الوسائط>", "لم يتم إدراج الصورة"),
        ("IMG-20220413-WA0001.jpg (الملف مرفق)", "<المُرفق: 00000007-PHOTO-2022-04-13.jpg>"),
        "تم حذف هذه الرسالة",
        "<تم تعديل هذه الرسالة>",
    ),
    "es": (
        "Los mensajes y las llamadas están cifrados de extremo a extremo. Toca para obtener más información.",
        'Amal creó el grupo "Dar: l3id"',
        ("<Multimedia omitido>", "imagen omitida"),
        ("IMG-20220413-WA0001.jpg (archivo adjunto)", "<adjunto: 00000007-PHOTO-2022-04-13.jpg>"),
        "Se eliminó este mensaje",
        "<Se editó este mensaje.>",
    ),
    "de": (
        "Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt. Tippe, um mehr zu erfahren.",
        "Amal hat die Gruppe „Dar: l3id“ erstellt.",
        ("<Medien ausgeschlossen>", "Bild weggelassen"),
        ("IMG-20220413-WA0001.jpg (Datei angehängt)", "<Anhang: 00000007-PHOTO-2022-04-13.jpg>"),
        "Diese Nachricht wurde gelöscht",
        "<Diese Nachricht wurde bearbeitet.>",
    ),
    "it": (
        "I messaggi e le chiamate sono crittografati end-to-end. Tocca per saperne di più.",
        "Amal ha creato il gruppo “Dar: l3id”",
        ("<Media omessi>", "immagine omessa"),
        ("IMG-20220413-WA0001.jpg (file allegato)", "<allegato: 00000007-PHOTO-2022-04-13.jpg>"),
        "Questo messaggio è stato eliminato",
        "<Questo messaggio è stato modificato>",
    ),
    "pt_br": (
        "As mensagens e as chamadas são protegidas com a criptografia de ponta a ponta.",
        'Amal criou o grupo "Dar: l3id"',
        ("<Mídia oculta>", "imagem ocultada"),
        ("IMG-20220413-WA0001.jpg (arquivo anexado)", "<anexado: 00000007-PHOTO-2022-04-13.jpg>"),
        "Mensagem apagada",
        "<Mensagem editada>",
    ),
    "pt_pt": (
        "As mensagens e chamadas são encriptadas ponto a ponto.",
        'Amal criou o grupo "Dar: l3id"',
        ("<Ficheiro não revelado>", "imagem não revelada"),
        ("IMG-20220413-WA0001.jpg (ficheiro anexado)", "<anexo: 00000007-PHOTO-2022-04-13.jpg>"),
        "Esta mensagem foi apagada",
        "<Mensagem editada>",
    ),
    "nl": (
        "Berichten en gesprekken worden end-to-end versleuteld. Tik voor meer informatie.",
        'Amal heeft de groep "Dar: l3id" gemaakt',
        ("<Media weggelaten>", "afbeelding weggelaten"),
        ("IMG-20220413-WA0001.jpg (bestand bijgevoegd)", "<bijgevoegd: 00000007-PHOTO-2022-04-13.jpg>"),
        "Dit bericht is verwijderd",
        "<Dit bericht is bewerkt>",
    ),
    "tr": (
        "Mesajlar ve aramalar uçtan uca şifrelidir. Daha fazla bilgi edinmek için dokunun.",
        'Amal "Dar: l3id" grubunu oluşturdu',
        ("<Medya dahil edilmedi>", "görüntü dahil edilmedi"),
        ("IMG-20220413-WA0001.jpg (dosya ekli)", "<eklendi: 00000007-PHOTO-2022-04-13.jpg>"),
        "Bu mesaj silindi",
        "<Bu mesaj düzenlendi>",
    ),
    "id": (
        "Pesan dan panggilan terenkripsi secara end-to-end. Ketuk untuk info selengkapnya.",
        'Amal membuat grup "Dar: l3id"',
        ("<Media tidak disertakan>", "gambar tidak disertakan"),
        ("IMG-20220413-WA0001.jpg (file terlampir)", "<terlampir: 00000007-PHOTO-2022-04-13.jpg>"),
        "Pesan ini dihapus",
        "<Pesan ini diedit>",
    ),
}


def make_chat(language: str) -> list[Message]:
    """The expected messages. Seconds count up, for the phones that write them."""
    encryption, group, *_ = WORDS[language]
    rows = [
        ("2022-04-03T00:05", None, encryption, "system"),
        ("2022-04-03T00:05", None, group, "system"),
        ("2022-04-03T09:05", "Amal", "salam 3likom", "text"),
        ("2022-04-03T12:30", "Karim: salon", "labas? chouf: 10:30 f lmagaza", "text"),
        ("2022-04-13T13:00", "+212 6 00 00 00 00", "سطر أول\n\nsecond: line, m3a la\u200dst 👩\u200d🌾", "text"),
        ("2022-04-13T23:59", "يوسف", "", "media"),
        ("2022-04-14T11:11", "Karim: salon", "tswira\nmn lb7er", "media"),
        ("2022-04-14T20:20", "Amal", "", "deleted"),
        ("2022-12-31T23:05", "Nora 🌺", "rendez-vous: ghedda", "text"),
        ("2023-01-01T00:00", "Karim: salon", "3am sa3id", "text"),
    ]
    chat = [Message(datetime.fromisoformat(when), author, text, kind) for when, author, text, kind in rows]
    chat = [replace(message, timestamp=message.timestamp + timedelta(seconds=n)) for n, message in enumerate(chat)]
    return [replace(message, edited=message.text == "rendez-vous: ghedda") for message in chat]


@dataclass(frozen=True)
class Phone:
    """How a phone writes headers: a strftime pattern in which {h}, {m}, {d} are unpadded and {p} is am or pm."""

    header: str
    language: str
    order: str = "day_first"
    periods: tuple[str, str] = ("", "")
    digits: dict[int, int] | None = None
    encoding: str = "utf-8"
    newline: str = "\n"

    @property
    def is_ios(self) -> bool:
        return "[" in self.header or self.header.endswith(": ")

    @property
    def has_seconds(self) -> bool:
        return "%S" in self.header

    def write_header(self, timestamp: datetime) -> str:
        header = timestamp.strftime(self.header)
        header = header.format(
            h=timestamp.hour % 12 or 12,
            H=timestamp.hour,
            m=timestamp.month,
            d=timestamp.day,
            p=self.periods[timestamp.hour >= 12],
        )
        return header.translate(self.digits) if self.digits else header

    def write_body(self, message: Message) -> str:
        *_, media, attached, deleted, edited = WORDS[self.language]
        mark = LRM if self.is_ios else ""
        if message.kind == "system":
            return f"Dar: l3id: {mark}{message.text}" if self.is_ios else message.text
        author = f"~{NARROW_SPACE}{message.author}" if message.author == "Nora 🌺" else message.author
        author = f"\u202a{author}\u202c" if author.startswith("+") else author
        if message.kind == "media" and message.text:
            return f"{author}: {LRM}{attached[self.is_ios]}\n{message.text}"
        body = {"media": media[self.is_ios], "deleted": f"{deleted}."}.get(message.kind)
        return f"{author}: {mark}{body}" if body else f"{author}: {message.text}{f' {LRM}{edited}' * message.edited}"

    def write(self, path: Path, chat: list[Message]) -> Path:
        lines = [self.write_header(message.timestamp) + self.write_body(message) + "\n" for message in chat]
        path.write_bytes("".join(lines).replace("\n", self.newline).encode(self.encoding))
        return path

    def expect(self, chat: list[Message]) -> list[Message]:
        if self.has_seconds:
            return chat
        return [replace(message, timestamp=message.timestamp.replace(second=0)) for message in chat]


PHONES = {
    "android_en": Phone("%d/%m/%Y, %H:%M - ", "en"),
    "android_us": Phone(f"{{m}}/{{d}}/%y, {{h}}:%M{NARROW_SPACE}{{p}} - ", "en", "month_first", ("AM", "PM")),
    "android_us_lower": Phone("{m}/{d}/%y, {h}:%M{p} - ", "en", "month_first", ("am", "pm")),
    "android_es_12h": Phone("%d/%m/%Y, %I:%M {p} - ", "en", periods=("a.\u00a0m.", "p.\u00a0m.")),
    "android_mx_12h": Phone("%d/%m/%Y %I:%M {p} – ", "en", periods=("a. m.", "p. m.")),
    "android_uk_12h": Phone("%d/%m/%Y, {h}:%M {p} - ", "en", periods=("a.m.", "p.m.")),
    "android_iso": Phone("%Y-%m-%d, %H:%M - ", "en", "year_first"),
    "android_za": Phone("%Y/%m/%d, %H:%M - ", "en", "year_first"),
    "android_hu": Phone("%Y. %m. %d. %H:%M - ", "en", "year_first"),
    "android_ca": Phone("%Y-%m-%d %H h %M - ", "fr", "year_first"),
    "android_nl": Phone("%d-%m-%Y %H:%M - ", "en"),
    "android_cs": Phone("{d}. {m}. %Y {H}:%M - ", "en"),
    "android_it": Phone("%d/%m/%y, %H.%M - ", "en"),
    "android_fr": Phone("%d/%m/%Y, %H:%M - ", "fr", newline="\r\n"),
    "android_fr_old": Phone("%d/%m/%Y à %H:%M - ", "fr"),
    "android_de": Phone("%d.%m.%y um %H:%M – ", "en"),
    "android_seconds": Phone("%d/%m/%Y, %H:%M:%S - ", "en"),
    "android_ar": Phone("{d}/{m}/%Y، %H:%M - ", "ar"),
    "android_ar_digits": Phone(f"{RLM}%d/%m/%Y، {{h}}:%M {{p}} - ", "ar", "day_first", ("ص", "م"), ARABIC_DIGITS),
    "android_ar_marks": Phone(f"%d{RLM}/%m{RLM}/%Y، {{h}}:%M{NARROW_SPACE}{{p}} - ", "ar", periods=("ص", "م")),
    "android_fa": Phone("%Y/%m/%d،\u200f %H:%M - ", "ar", "year_first", digits=PERSIAN_DIGITS),
    "android_bom": Phone("%d/%m/%Y, %H:%M - ", "ar", encoding="utf-8-sig"),
    "android_utf16": Phone("%d/%m/%Y, %H:%M - ", "ar", encoding="utf-16"),
    "ios_en": Phone("[%d/%m/%Y, %H:%M:%S] ", "en", newline="\r\n"),
    "ios_us": Phone(f"[{{m}}/{{d}}/%y, {{h}}:%M:%S{NARROW_SPACE}{{p}}] ", "en", "month_first", ("AM", "PM")),
    "ios_us_at": Phone("[{m}/{d}/%y at {h}:%M:%S {p}] ", "en", "month_first", ("AM", "PM")),
    "ios_mark_first": Phone(f"{LRM}[%d/%m/%Y, %H:%M:%S] ", "en"),
    "ios_fr": Phone("[%d/%m/%Y %H:%M:%S] ", "fr"),
    "ios_fr_at": Phone("[%d/%m/%Y à %H:%M:%S] ", "fr"),
    "ios_de": Phone("[%d.%m.%y, %H:%M:%S] ", "en"),
    "ios_minutes": Phone("[%d/%m/%y %H:%M] ", "en"),
    "ios_ar": Phone(
        f"{RLM}[{{d}}{RLM}/{{m}}{RLM}/%Y، {{h}}:%M:%S {{p}}] ", "ar", "day_first", ("ص", "م"), ARABIC_DIGITS
    ),
    "android_es": Phone("{d}/{m}/%y, {H}:%M - ", "es"),
    "android_es_words": Phone("{d}/{m}/%y a las {H}:%M - ", "es"),
    "android_de_comma": Phone("%d.%m.%y, %H:%M - ", "de"),
    "android_it_comma": Phone("%d/%m/%y, %H:%M - ", "it"),
    "android_br": Phone("%d/%m/%Y %H:%M - ", "pt_br"),
    "android_br_words": Phone("%d/%m/%Y às %H:%M - ", "pt_br"),
    "android_pt": Phone("%d/%m/%y, %H:%M - ", "pt_pt"),
    "android_nl_dutch": Phone("%d-%m-%Y %H:%M - ", "nl"),
    "android_tr": Phone("{d}.%m.%Y %H:%M - ", "tr"),
    "android_tr_12h": Phone("%d.%m.%Y {p} {h}:%M - ", "tr", periods=("ÖÖ", "ÖS")),
    "android_id": Phone("%d/%m/%y %H.%M - ", "id"),
    "android_id_words": Phone("%d/%m/%y pukul %H.%M - ", "id"),
    "android_zh": Phone("%Y/{m}/{d} {p}{h}:%M - ", "en", "year_first", ("上午", "下午")),
    "android_minus": Phone(f"%d/%m/%Y, %H:%M −{RLM} ", "ar"),
    "android_nbsp": Phone("%d/%m/%Y,\u00a0%H:%M\u00a0- ", "fr"),
    "android_isolates": Phone("\u2067%d\u2069/\u2067%m\u2069/\u2067%Y\u2069، %H:%M - ", "ar"),
    "android_utf16_be": Phone("%d/%m/%Y, %H:%M - ", "ar", encoding="utf-16-be"),
    "android_utf16_le": Phone("%d/%m/%Y, %H:%M - ", "fr", encoding="utf-16-le", newline="\r\n"),
    "ios_es": Phone("[{d}/{m}/%y, {H}:%M:%S] ", "es"),
    "ios_es_12h": Phone("[{d}/{m}/%y, {h}:%M:%S {p}] ", "es", periods=("a.\u00a0m.", "p.\u00a0m.")),
    "ios_de_dots": Phone("[%d.%m.%y, %H:%M:%S] ", "de"),
    "ios_it": Phone("[%d/%m/%y, %H:%M:%S] ", "it"),
    "ios_br": Phone("[%d/%m/%Y, %H:%M:%S] ", "pt_br"),
    "ios_pt": Phone("[%d/%m/%y, %H:%M:%S] ", "pt_pt"),
    "ios_nl": Phone("[%d-%m-%Y %H:%M:%S] ", "nl"),
    "ios_tr": Phone("[{d}.%m.%Y %H:%M:%S] ", "tr"),
    "ios_id": Phone("[%d/%m/%y %H.%M.%S] ", "id"),
    "ios_mark_after": Phone(f"[%d/%m/%Y, %H:%M:%S]{RLM} ", "ar"),
    "ios_sv": Phone("[%Y-%m-%d %H:%M:%S] ", "en", "year_first"),
    "ios_ca": Phone("[%Y-%m-%d %H h %M min %S s] ", "fr", "year_first"),
    "ios_fi": Phone("[{d}.{m}.%Y klo {H}.%M.%S] ", "en"),
    "android_sv": Phone("%Y-%m-%d kl. %H:%M - ", "en", "year_first"),
    "ios_2016": Phone("%d/%m/%y %H:%M:%S: ", "fr"),
    "ios_utf16": Phone("[%d/%m/%Y, %H:%M:%S] ", "fr", encoding="utf-16", newline="\r\n"),
}


@pytest.fixture
def write(tmp_path):
    """Writes a chat of which only the lines matter."""

    def write_lines(*lines: str, name: str = "chat.txt") -> Path:
        path = tmp_path / name
        path.write_bytes("".join(f"{line}\n" for line in lines).encode())
        return path

    return write_lines


@pytest.fixture
def read(write):
    """Reads bodies as one sender's Android or iOS lines of a day that only day/month can read."""

    def read_bodies(*bodies: str, ios: bool = False) -> list[tuple]:
        header = "[13/04/2022, 10:00:00] " if ios else "13/04/2022, 10:00 - "
        messages = parse_export(write(*(header + body for body in bodies)))
        return [(message.author, message.text, message.kind) for message in messages]

    return read_bodies


@pytest.mark.parametrize("name", PHONES)
def test_a_header_reads_the_same_whatever_was_read_before(name):
    phone, rng = PHONES[name], random.Random(0)

    def write_line() -> str:
        when = datetime(2000, 1, 1) + timedelta(minutes=rng.randrange(20_000_000), seconds=rng.randrange(60))
        return phone.write_header(when).translate(phone.digits or {}) + "Amal: 10:00 - salam"

    def change(line: str) -> str:
        place = rng.randrange(25)
        return (
            line[:place]
            + rng.choice(["", " ", "1", "٣", ":", "p", "م", LRM, "\ufeff"])
            + line[place + rng.randrange(2) :]
        )

    for _ in range(100):
        reader = HeaderReader()
        reader.read(rng.choice([str, change])(write_line()))
        for line in (write_line(), change(write_line()), change(change(write_line()))):
            assert reader.read(line) == HeaderReader().read(line)


@pytest.mark.parametrize("phrase", PLACEHOLDERS)
def test_a_placeholder_is_found_whatever_its_marks_and_case(phrase):
    for mark in (LRM, RLM, "\u064e", "\ufeff"):
        for place in range(4):
            assert find_placeholder(phrase[:place] + mark + phrase[place:]) == PLACEHOLDERS[phrase]
    assert find_placeholder(f" {phrase[0].upper()}{phrase[1:]}.") == PLACEHOLDERS[phrase]


def test_a_message_that_was_read_is_like_one_that_was_made(tmp_path):
    (tmp_path / "chat.txt").write_text("13/04/2022, 10:00 - Amal: salam\n" * 2)
    made = Message(datetime(2022, 4, 13, 10), "Amal", "salam", "text")
    for read in parse_export(tmp_path / "chat.txt"):
        assert type(read) is Message and read == made and hash(read) == hash(made) and repr(read) == repr(made)
        assert pickle.loads(pickle.dumps(read)) == copy.deepcopy(read) == replace(read) == made
        with pytest.raises(FrozenInstanceError):
            read.text = ""


@pytest.mark.parametrize("name", PHONES)
def test_every_phone_gives_the_same_messages(name, tmp_path):
    phone, chat = PHONES[name], make_chat(PHONES[name].language)
    assert list(parse_export(phone.write(tmp_path / "chat.txt", chat))) == phone.expect(chat)


@pytest.mark.parametrize("name", PHONES)
def test_the_report_says_how_every_phone_was_read(name, tmp_path):
    phone = PHONES[name]
    found = detect_format(phone.write(tmp_path / "chat.txt", make_chat(phone.language)))
    assert (found.label, found.date_order) == ("ios" if phone.is_ios else "android", phone.order)
    assert found.decided_by == ("four-digit year first" if phone.order == "year_first" else "a field over 12")
    assert (found.num_skipped_lines, found.num_quoted_headers) == (0, 0)


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        ("12:00 AM", 0),
        ("00:08 a. m.", 0),
        ("1:00 am", 1),
        ("12:00 PM", 12),
        ("0:30 p.m.", 12),
        ("11:59 P.M.", 23),
        ("١٢:٠٠ ص", 0),
        ("١٢:٠٠ م", 12),
        ("3:00 مساءً", 15),
        ("3:00 صباحًا", 3),
        ("۳:۰۰ ب.ظ.", 15),
        ("14:00 PM", 14),
    ],
)
def test_twelve_hour_clocks_are_read_in_every_spelling(hour, expected, write):
    (message,) = parse_export(write(f"13/04/2022, {hour} - Amal: salam"))
    assert message.timestamp.hour == expected


def test_a_field_over_twelve_decides_for_the_whole_file(write):
    path = write("03/04/22, 10:00 - Amal: wa7ed", "04/13/22, 10:00 - Amal: jouj")
    assert [message.timestamp.month for message in parse_export(path)] == [3, 4]


def test_fewer_steps_back_in_time_decide_where_no_field_does(write):
    path = write(*(f"{day:02}/{month:02}/2022, 10:00 - Amal: salam" for month in (1, 2) for day in (5, 9)))
    assert [message.timestamp.day for message in parse_export(path)] == [5, 9, 5, 9]
    assert detect_format(path).decided_by == "fewer backward steps"


def test_dates_that_read_in_both_orders_ask_for_day_first(write):
    path = write("03/04/2022, 10:00 - Amal: salam", "03/04/2022, 10:01 - Karim: labas")
    with pytest.raises(ExportError, match=r"chat\.txt: line 1: .*day_first"):
        parse_export(path)
    assert [message.timestamp.month for message in parse_export(path, day_first=True)] == [4, 4]
    assert [message.timestamp.month for message in parse_export(path, day_first=False)] == [3, 3]
    assert detect_format(path, day_first=False).decided_by == "given"


def test_dates_that_mean_the_same_in_both_orders_need_no_decision(write):
    (message,) = parse_export(write("05/05/2022, 10:00 - Amal: salam"))
    assert message.timestamp == datetime(2022, 5, 5, 10)


def test_dates_in_both_orders_are_an_error_that_names_both_lines(write):
    path = write("13/04/2022, 10:00 - Amal: wa7ed", "04/13/2022, 10:00 - Amal: jouj")
    with pytest.raises(ExportError, match=r"line 2: .* line 1 "):
        parse_export(path)


def test_where_dates_come_in_both_orders_the_given_one_counts_and_the_others_are_text(write):
    path = write("13/04/2022, 10:00 - Amal: wa7ed", "04/13/2022, 10:00 - Amal: jouj")
    assert [message.text for message in parse_export(path, day_first=True)] == [
        "wa7ed\n04/13/2022, 10:00 - Amal: jouj",
    ]
    assert [message.text for message in parse_export(path, day_first=False)] == ["jouj"]


def test_a_date_among_ten_of_the_other_order_is_pasted_text(write):
    days = [f"{day}/04/2022, 10:00 - Amal: salam" for day in range(13, 23)]
    pasted = "04/13/2022, 10:00 - Karim: labas"
    messages = list(parse_export(write(*days, pasted)))
    assert [message.timestamp.day for message in messages] == list(range(13, 23))
    assert messages[-1].text == f"salam\n{pasted}"
    with pytest.raises(ExportError, match=r"line 10: .* line 1 .*indent it by a space"):
        parse_export(write(*days[1:], pasted))
    with pytest.raises(ExportError, match=r"line 1: .*day_first=False"):
        parse_export(write(*days, pasted), day_first=False)


@pytest.mark.parametrize("space", [" ", "\u00a0", f"{LRM} "])
@pytest.mark.parametrize(
    "line", ["04/13/2022, 10:00 - Amal: x", "13/04/2022, 10:00 - Amal: x", "[13/04/2022, 10:00:00] Amal: x"]
)
def test_an_indented_header_is_text(line, space, write, read):
    assert read(f"Amal: chouf\n{space}{line}") == [("Amal", f"chouf\n{space}{line}", "text")]
    assert read(f"Amal: chouf\n{space}{line}", ios=True) == [("Amal", f"chouf\n{space}{line}", "text")]


def test_a_given_order_that_the_dates_contradict_is_an_error(write):
    with pytest.raises(ExportError, match=r"line 1: .*day_first=False"):
        parse_export(write("13/04/2022, 10:00 - Amal: salam"), day_first=False)


@pytest.mark.parametrize(
    "line",
    [
        "31/02/2022, 10:00 - Amal: x",
        "13/04/2022, 25:70 - Amal: x",
        "13/04/1403, 10:00 - Amal: x",
        "[13/04/2022, 10:00",
        "13/04/202, 10:00 - Amal: x",
        "13/04.2022, 10:00 - Amal: x",
        "le 13/04/2022, 10:00 - Amal",
        "13/04/2022, 10:00 -x",
        "[13/04/2022, 10:00:00] Amal: mn telephone akhor",
        "13/04/2022, 10:00:00 - Amal: mn telephone akhor",
        "13/04/2022, 10:00 AM - Amal: mn telephone akhor",
        "04/13/22, 10:00 - Amal: mn telephone akhor",
        "13/04/2022 10:00 - Amal: mn telephone akhor",
        "13/04/2022, 10:00:60 - Amal: x",
        "13/04/2022, 10:00: x",
        "30/02/2022, 10:00 - Amal: x",
        "13.04.2022, 10:00 - Amal: mn telephone akhor",
    ],
)
def test_a_line_that_is_no_header_of_this_phone_continues_the_message(line, read):
    assert read("Amal: awal satr\n" + line, "Amal: salam") == [
        ("Amal", f"awal satr\n{line}", "text"),
        ("Amal", "salam", "text"),
    ]


def test_only_line_feeds_end_a_line(read):
    text = "wa7ed\u2028jouj\u2029tlata\x85reb3a\x0bkhamsa\x0cstta\rseb3a"
    assert read(f"Amal: {text}") == [("Amal", text, "text")]


def test_text_is_kept_as_written(read):
    text = f" ﬁ\u00a0 {LRM}+212\u200c 👩\u200d🌾 <b> e\u0301 "
    assert read(f"Amal: {text}") == [("Amal", text, "text")]


def test_blank_lines_stay_inside_a_message_and_fall_off_its_end(read):
    assert read("Amal: wa7ed\n\njouj\n\n") == [("Amal", "wa7ed\n\njouj", "text")]


def test_lines_before_the_first_header_are_counted_and_left_out(write):
    path = write("ba9i mn message 9dim", "13/04/2022, 10:00 - Amal: salam")
    assert [message.text for message in parse_export(path)] == ["salam"]
    assert detect_format(path).num_skipped_lines == 1


def test_a_name_with_a_colon_is_told_from_a_text_with_one(read):
    bodies = (
        "Karim: salon: salam",
        "Amal: Rappel: ghedda",
        "Karim: salon: fin: temma",
        "Amal: wakha",
        "Karim: salon:",
    )
    assert read(*bodies) == [
        ("Karim: salon", "salam", "text"),
        ("Amal", "Rappel: ghedda", "text"),
        ("Karim: salon", "fin: temma", "text"),
        ("Amal", "wakha", "text"),
        ("Karim: salon", "", "text"),
    ]


def test_notices_about_a_name_with_a_colon_do_not_blur_it(read):
    notices = ["Karim: salon joined using this group's invite link", "Karim: salon left"]
    texts = ["Karim: salon: fin: temma", "Karim: salon: fin hadi"]
    for bodies in (notices + texts, texts + notices):
        expected = {body: ("Karim: salon", body.removeprefix("Karim: salon: "), "text") for body in texts}
        expected |= {body: (None, body, "system") for body in notices}
        assert read(*bodies) == [expected[body] for body in bodies]


def test_one_text_with_a_colon_sent_twice_makes_no_name(read):
    assert {author for author, *_ in read(*["Amal: Rappel: ghedda"] * 3)} == {"Amal"}


def test_a_word_that_others_begin_with_too_is_no_part_of_a_name(read):
    bodies = ("Nora: Rappel: ghedda", "Nora: Rappel: nhar l7ed", "Amal: wakha", "Amal: Rappel: jib l khobz")
    assert [author for author, *_ in read(*bodies)] == ["Nora", "Nora", "Amal", "Amal"]
    assert [text for _, text, _ in read(*bodies)][:2] == ["Rappel: ghedda", "Rappel: nhar l7ed"]


@pytest.mark.parametrize(
    "proof",
    ["Karim: salon: <Media omitted>", "You added Karim: salon", "Votre code de sécurité avec Karim: salon a changé."],
)
def test_what_only_whatsapp_writes_proves_a_name_with_a_colon(proof, read):
    bodies = ("Amal: salam", "Karim: salon: labas", "Amal: salon: ghedda", proof)
    assert [author for author, *_ in read(*bodies)][:3] == ["Amal", "Karim: salon", "Amal"]


def test_an_author_keeps_neither_marks_nor_tilde(read):
    bodies = (f"~{NARROW_SPACE}Amal: salam", "\u202a+212\u00a06\u2011000\u202c: labas", f"{LRM}~ Nora 🌺: hani")
    assert [author for author, *_ in read(*bodies)] == ["Amal", "+212\u00a06\u2011000", "Nora 🌺"]


@pytest.mark.parametrize(
    "notice",
    [
        "Amal left",
        "Karim: salon left",
        "Amal added Karim: salon",
        "Amal changed the group description to: salam",
        "null",
        'Amal changed the subject from "Dar" to "Dar: l3id"',
        "Your security code with Karim: salon changed.",
        "Amal a modifié le nom du groupe : “Dar” en “Dar: l3id”",
        "Amal a ajouté Karim: salon",
        "Amal est parti(e)",
        "غيّرت Amal وصف المجموعة إلى: salam",
        "أضافت Amal عضو Karim: salon",
        "غادر يوسف",
        'Amal cambió el asunto de "Dar" a "Dar: l3id"',
        "Amal añadió a Karim: salon",
        "Cambió tu código de seguridad con Karim: salon. Pulsa para obtener más información.",
        "Amal hat den Betreff von „Dar“ zu „Dar: l3id“ geändert.",
        "Amal hat Karim: salon hinzugefügt.",
        "Deine Sicherheitsnummer für Karim: salon hat sich geändert.",
        "Amal ha aggiunto Karim: salon",
        "Il tuo codice di sicurezza con Karim: salon è cambiato.",
        "Amal adicionou Karim: salon",
        "Seu código de segurança com Karim: salon mudou.",
        "Amal heeft Karim: salon toegevoegd",
        "Je beveiligingscode voor Karim: salon is gewijzigd.",
        'Amal, grubun konusunu "Dar" yerine "Dar: l3id" olarak değiştirdi',
        "Amal, Karim: salon kişisini ekledi",
        "Amal menambahkan Karim: salon",
        "Kode keamanan Anda dengan Karim: salon telah berubah.",
        "Amal 更改了群组名称 “Dar: l3id”",
    ],
)
def test_a_notice_has_no_author_even_where_it_holds_a_colon(notice, read):
    messages = read("Amal: salam", "Karim: salon: labas", notice, "Karim: salon: hani", "Amal: wakha")
    assert messages[2] == (None, notice, "system")
    assert [author for author, *_ in messages] == ["Amal", "Karim: salon", None, "Karim: salon", "Amal"]


def test_a_contact_may_be_named_like_a_notice(read):
    assert {author for author, *_ in read("Value added shop: promo", "Value added shop: jdid")} == {"Value added shop"}


@pytest.mark.parametrize("notice", ["Missed voice call", "Amal changed this group's icon", "~ Nora added you"])
def test_ios_marks_its_notices_and_puts_them_under_a_name(notice, read):
    assert read(f"Dar: {LRM}{notice}", f"{LRM}{notice}", ios=True) == [(None, notice, "system")] * 2


@pytest.mark.parametrize(
    "notice",
    [
        "انضم \u202a+212 600-000000\u202c باستخدام رابط المجموعة",
        "غادر يوسف",
        "أضافت أمل يوسف",
        "مكالمة صوتية، ‏5 دقائق",
        "مكالمة صوتية فائتة، ‏انقر لمعاودة الاتصال",
    ],
)
def test_ios_marks_arabic_notices_from_right_to_left(notice, read):
    assert read(f"Amal: {RLM}{notice}", ios=True) == [(None, notice, "system")]
    text = f"{RLM}غادر القطار {'w mcha b7alo ' * 20}"
    assert read(f"Amal: {text}", ios=True) == [("Amal", text, "text")]


@pytest.mark.parametrize("call", ["Voice call, No answer", "Missed video call, Tap to call back"])
def test_a_call_is_known_where_an_editor_has_lost_its_marks(call, read):
    assert read(f"Amal: {call}", f"Amal: {call}?", ios=True) == [(None, call, "system"), ("Amal", f"{call}?", "text")]


def test_a_notice_keeps_its_paired_marks_together(read):
    notice = "\u202a+212 600-000000\u202c left"
    assert read(notice, f"{LRM}{notice}") == [(None, notice, "system")] * 2


def test_an_ios_group_with_a_colon_in_its_name_is_no_author(read):
    notice, text = read(f"Dar: l3id: {LRM}Amal changed this group's icon", "Dar: salam", ios=True)
    assert notice == (None, "Amal changed this group's icon", "system")
    assert text == ("Dar", "salam", "text")


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("mark", ["", LRM])
def test_every_medium_is_known_and_gives_its_caption(language, mark, read):
    for placeholder in (*WORDS[language][2], *WORDS[language][3]):
        assert read(f"Amal: {mark}{placeholder}", ios=bool(mark)) == [("Amal", "", "media")]
        assert read(f"Amal: {mark}{placeholder}\nchouf: hadi\nzwina") == [("Amal", "chouf: hadi\nzwina", "media")]


@pytest.mark.parametrize("mark", ["", LRM])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_of_every_language_is_known(language, mark, read):
    phrases = LANGUAGES[language]
    for kind, texts in (("media", phrases.media), ("deleted", phrases.deleted)):
        bodies = [f"Amal: {mark}{text}{dot}" for text in texts.split("|") for dot in ("", ".")]
        assert read(*bodies, ios=bool(mark)) == [("Amal", "", kind)] * len(bodies)
    calls = phrases.call.split("|")
    assert read("Amal: salam", *(f"Amal: {mark}{call}" for call in calls))[1:] == [
        (None, call, "system") for call in calls
    ]
    for poll in phrases.poll.split("|"):
        assert read(f"Amal: {mark}{poll}\nfin?\n{mark}OPTION: dar") == [("Amal", "", "media")]
    for edited in phrases.edited.split("|"):
        for dot in ("", "."):
            assert read(f"Amal: wakha {mark}<{edited}{dot}>") == [("Amal", "wakha", "text")]


@pytest.mark.parametrize(
    "attachment",
    ["<ek: 00000007-PHOTO-2022-04-13.jpg>", "PTT-20220413-WA0001.opus (csatolt fájl)", "Nora.vcf (file attached)"],
)
def test_files_are_told_by_what_phones_call_them(attachment, read):
    assert read(f"Amal: {LRM}{attachment}", f"Amal: {attachment}\nzwina") == [
        ("Amal", "", "media"),
        ("Amal", "zwina", "media"),
    ]


@pytest.mark.parametrize("placeholder", ["audio omitted", "sticker omitted", "GIF omitted", "Contact card omitted"])
def test_ios_names_the_medium_that_it_leaves_out(placeholder, read):
    assert read(f"Amal: {LRM}{placeholder}", ios=True) == [("Amal", "", "media")]
    assert read(f"Amal: chouf hadi {LRM}{placeholder}", ios=True) == [("Amal", "chouf hadi", "media")]


@pytest.mark.parametrize("mark", ["", LRM])
@pytest.mark.parametrize("name", ["dars.pdf • {mark}2 pages {mark}", "lista d sokkar.txt {mark}"])
@pytest.mark.parametrize("medium", ["document omitted", "document manquant", "<attached: 00000007-dars.pdf>"])
def test_the_name_of_a_document_is_no_caption(medium, name, mark, read):
    assert read(f"Amal: {name.format(mark=mark)}{medium}", ios=True) == [("Amal", "", "media")]


@pytest.mark.parametrize("mark", ["", LRM])
def test_android_may_name_the_pages_of_a_document(mark, read):
    assert read(f"Amal: {mark}dars.pdf • {mark}3 pages {mark}(fichier joint)\nchouf") == [("Amal", "chouf", "media")]


@pytest.mark.parametrize(
    ("body", "caption"),
    [
        (f"chouf hadi {RLM}لم يتم إدراج الصورة", "chouf hadi"),
        (f"chouf hadi {RLM}<المُرفق: 00000007-PHOTO-2022-04-13.jpg>", "chouf hadi"),
        (f"dars.pdf • {RLM}22 صفحة {RLM}لم يتم إدراج المستند", ""),
        ("chouf hadi <attached: 00000007-PHOTO-2022-04-13.jpg>", "chouf hadi"),
        (f"{LRM}chouf hadi\n{LRM}<attached: 00000007-VIDEO-2022-04-13.mp4>", "chouf hadi"),
    ],
)
def test_a_caption_on_ios_stands_before_its_medium(body, caption, read):
    assert read(f"Amal: {body}", ios=True) == [("Amal", caption, "media")]


@pytest.mark.parametrize(
    "placeholder",
    [
        "<View once photo omitted>",
        "< Media omitted >",
        "<Il messaggio vocale visualizzabile una volta è stato omesso>",
        "<الوسائط غير مدرجة>",
    ],
)
def test_what_is_left_out_is_known_by_its_brackets(placeholder, read):
    assert read(f"Amal: {placeholder}") == [("Amal", "", "media")]
    assert read(f"Amal: ktbat {placeholder}") == [("Amal", f"ktbat {placeholder}", "text")]
    assert read("Amal: <promis>") == [("Amal", "<promis>", "text")]


def test_ios_puts_a_space_before_the_mark_of_a_location(read):
    assert read(f"Amal:  {LRM}Location: https://maps.google.com/?q=0,0", ios=True) == [("Amal", "", "media")]


@pytest.mark.parametrize("poll", ["POLL:", "SONDAGE :", "استطلاع:"])
def test_polls_and_marked_locations_are_media(poll, read):
    assert read(f"Amal: {LRM}{poll}\nfin?\n{LRM}OPTION: dar ({LRM}1 vote)", ios=True) == [("Amal", "", "media")]
    assert read(f"Amal: {LRM}Location: https://maps.google.com/?q=0,0", ios=True) == [("Amal", "", "media")]
    text = "location: https://maps.google.com/?q=0,0"
    assert read(f"Amal: {text}") == [("Amal", text, "text")]


@pytest.mark.parametrize(
    "text",
    [
        "This message was deleted",
        "You deleted this message",
        "This message was deleted by admin Nora",
        "Ce message a été supprimé",
        "Vous avez supprimé ce message",
        "تم حذف هذه الرسالة",
        "لقد حذفت هذه الرسالة",
    ],
)
@pytest.mark.parametrize("dot", ["", "."])
def test_a_deleted_message_is_empty_and_keeps_its_author(text, dot, read):
    assert read(f"Amal: {text}{dot}") == [("Amal", "", "deleted")]
    assert read(f"Amal: {LRM}{text}{dot}", ios=True) == [("Amal", "", "deleted")]
    assert read(f"Amal: gal liya {text}") == [("Amal", f"gal liya {text}", "text")]


def test_a_view_once_message_leaves_a_dot_without_a_space(read):
    assert read("Amal:.", "Amal: .") == [("Amal", "", "deleted"), ("Amal", ".", "text")]


@pytest.mark.parametrize("mark", ["", LRM, RLM])
@pytest.mark.parametrize("language", WORDS)
def test_the_edit_mark_is_taken_off(language, mark, write):
    path = write(f"13/04/2022, 10:00 - Amal: awal\nsatr {mark}{WORDS[language][-1]}", "13/04/2022, 10:01 - Amal: <3>")
    assert [(message.text, message.edited) for message in parse_export(path)] == [("awal\nsatr", True), ("<3>", False)]
    path = write(f"13/04/2022, 10:00 - Amal: awal\n{mark}{WORDS[language][-1]}")
    assert [(message.text, message.edited) for message in parse_export(path)] == [("awal", True)]


def test_an_archive_is_read_in_place(tmp_path):
    phone, chat = PHONES["ios_en"], make_chat("en")
    text = phone.write(tmp_path / "written.txt", chat)
    with zipfile.ZipFile(tmp_path / "WhatsApp Chat - Dar.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(text, "_chat.txt")
        archive.writestr("00000007-lista.txt", "sokkar, atay")
        archive.writestr("__MACOSX/_chat.txt", "x")
    text.unlink()
    assert list(parse_export(tmp_path / "WhatsApp Chat - Dar.zip")) == chat
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("members", [(), ("a.txt", "b.txt"), ("a.jpg",)])
def test_an_archive_without_exactly_one_chat_is_an_error(members, tmp_path):
    with zipfile.ZipFile(tmp_path / "chat.zip", "w") as archive:
        for member in members:
            archive.writestr(member, "13/04/2022, 10:00 - Amal: salam")
    with pytest.raises(
        ExportError, match=rf"chat\.zip: {len([name for name in members if '.txt' in name])} \.txt files"
    ):
        parse_export(tmp_path / "chat.zip")


def test_the_chat_of_an_archive_is_known_by_its_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("Discussion WhatsApp avec Amal.txt", "13/04/2022, 10:00 - Amal: salam\n")
        archive.writestr("lista.txt", "sokkar, atay")
        archive.writestr("akhor.zip", "PK")
        archive.writestr("IMG-20220413-WA0001.jpg", b"\xff\xd8")
    assert [message.text for message in parse_export(tmp_path / "export.zip")] == ["salam"]


def pack(path: Path, content: str, method: int = zipfile.ZIP_DEFLATED, mode: int = 0o100600) -> Path:
    member = zipfile.ZipInfo("_chat.txt")
    member.compress_type, member.external_attr = method, mode << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    return path


def test_an_archive_that_was_made_to_do_harm_is_refused(tmp_path):
    chat = "13/04/2022, 10:00 - Amal: salam\n"
    path = tmp_path / "chat.zip"
    with pytest.raises(ExportError, match="is a link"):
        parse_export(pack(path, "/etc/passwd", mode=0o120777))
    with pytest.raises(ExportError, match="phones do not use"):
        parse_export(pack(path, chat, method=zipfile.ZIP_BZIP2))
    with pytest.raises(ExportError, match="times its packed size"):
        parse_export(pack(path, chat + "a" * 2**22))
    whole = pack(path, chat * 100).read_bytes()
    bits = whole.rindex(b"PK\x01\x02") + 8
    crc = whole.rindex(b"PK\x01\x02") + 16
    size = whole.rindex(b"PK\x01\x02") + 24
    for broken in (
        whole[:-30],
        whole[:40] + bytes([whole[40] ^ 255]) + whole[41:],
        whole[:bits] + b"\x01" + whole[bits + 1 :],  # encrypted
        whole[:crc] + b"\0\0\0\0" + whole[crc + 4 :],
        whole[:size] + b"\x09\0\0\0" + whole[size + 4 :],
    ):
        path.write_bytes(broken)
        with pytest.raises(ExportError, match="damaged or locked"):
            parse_export(path)


def test_an_archive_that_unpacks_to_too_much_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("darija_gpt.data.whatsapp.MAX_CHAT_BYTES", 1000)
    with zipfile.ZipFile(tmp_path / "chat.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_chat.txt", "a" * 1001)
    with pytest.raises(ExportError, match="1,000 bytes"):
        parse_export(tmp_path / "chat.zip")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty"),
        (b"\n\n", "no line"),
        (b"ktab\n13/04/2022\n", "no line"),
        (b"31/02/2022, 10:00 - A: b\n", "no line"),
        ("13/04/2022, 10:00 - Amal: salam\nmerçi\n".encode("latin-1"), "line 2: not utf-8"),
    ],
)
def test_a_file_that_is_no_export_is_an_error_at_the_call(content, problem, tmp_path):
    (tmp_path / "chat.txt").write_bytes(content)
    with pytest.raises(ExportError, match=problem) as error:
        parse_export(tmp_path / "chat.txt")
    assert str(error.value).startswith(str(tmp_path / "chat.txt"))
    assert len(str(error.value).splitlines()) == 1
    assert not any(word in str(error.value) for word in ("ktab", "salam", "mer"))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_known_in_spite_of_emoji(encoding, tmp_path):
    text = "hhh \U0001f600 \u0600 عام"  # half a code unit of each of the first two is zero
    (tmp_path / "chat.txt").write_bytes(f"13/04/2022, 10:00 - Amal: {text}\n".encode(encoding))
    assert next(parse_export(tmp_path / "chat.txt")).text == text


def test_a_remedy_names_the_flags_of_the_scripts(write, tmp_path):
    (tmp_path / "old.txt").write_bytes("13/04/2022, 10:00 - Amal: سلام\n".encode("cp1256"))
    paths = [tmp_path / "old.txt", write("03/04/2022, 10:00 - Amal: salam"), write("salam", name="letter.txt")]
    flags = {f"--{field.name}" for field in fields(PrepareArguments)}
    for path in paths:
        with pytest.raises(ExportError) as error:
            parse_export(path)
        named = set(re.findall(r"--\w+", str(error.value)))
        assert named and named <= flags


def test_a_given_encoding_is_used(tmp_path):
    (tmp_path / "chat.txt").write_bytes("13/04/2022, 10:00 - Amal: merçi\n".encode("latin-1"))
    assert next(parse_export(tmp_path / "chat.txt", encoding="latin-1")).text == "merçi"
    with pytest.raises(ExportError, match="encoding=klingon"):
        parse_export(tmp_path / "chat.txt", encoding="klingon")


def test_a_path_that_holds_no_export_is_an_error(tmp_path):
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 nothing")
    for path in (tmp_path / "missing.txt", tmp_path / "missing.zip", tmp_path / "broken.zip", tmp_path):
        with pytest.raises(ExportError):
            parse_export(path)


def test_exports_are_found_in_a_folder(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ExportError):
            find_exports(path)
    for name in ("b.txt", "a.ZIP", "c.jpg", "._b.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in find_exports(str(tmp_path))] == ["a.ZIP", "b.txt"]
    assert find_exports(tmp_path / "b.txt") == [tmp_path / "b.txt"]


def test_exports_that_were_unpacked_into_folders_are_found(tmp_path):
    folder = tmp_path / "WhatsApp Chat - Salma"
    for place in (folder, tmp_path / "__MACOSX", tmp_path / "phone", tmp_path / ".hidden"):
        place.mkdir()
    for name in ("_chat.txt", "notes.txt", "._chat.txt"):
        (folder / name).touch()
    (tmp_path / "__MACOSX" / "._chat.txt").touch()
    (tmp_path / ".hidden" / "_chat.txt").touch()
    (tmp_path / "phone" / "Discussion WhatsApp avec Amal.zip").touch()
    (tmp_path / "phone" / "دردشة واتساب مع أمل.txt").touch()
    (tmp_path / "own.txt").touch()
    assert [str(path.relative_to(tmp_path)) for path in find_exports(tmp_path)] == [
        "WhatsApp Chat - Salma/_chat.txt",
        "own.txt",
        "phone/Discussion WhatsApp avec Amal.zip",
        "phone/دردشة واتساب مع أمل.txt",
    ]


@pytest.mark.parametrize(
    "piece",
    [
        LRM,
        " ",
        "1/",
        "1/1/",
        "[",
        "13/04/2022, ",
        "1:",
        ": ",
        "<",
        "غير ",
        "a. ",
        ".a",
        ".a • ",
        '"',
        f": {LRM}",
        " hat ",
    ],
)
def test_hostile_lines_cost_no_more_than_long_ones(piece, read):
    line = piece * (200_000 // len(piece))
    assert len(read("Amal: salam", f"{line}\n{line}", f"Amal: {line}\n{line}>", "Amal: wakha")) == 4


def test_many_names_with_colons_cost_no_more_than_many_names(read):
    lines = [f"Amal {n}: kelma {n % 50}: {n}" for n in range(20_000)]
    assert len({author for author, *_ in read(*lines)}) == len(lines)


def test_memory_does_not_grow_with_the_chat(write):
    def measure_peak(num_messages: int) -> int:
        path = write(*(f"{1 + n % 28}/04/2022, 10:{n % 60:02} - Amal: {n}: salam" for n in range(num_messages)))
        tracemalloc.start()
        assert sum(1 for _ in parse_export(path)) == num_messages
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    measure_peak(200)  # fills the caches
    assert measure_peak(10_000) < 2 * measure_peak(1_000)


@pytest.mark.skipif(not SHARED_SAMPLES.is_dir(), reason="the samples of chat-miner are not on this machine")
def test_the_samples_of_chat_miner_hold_what_it_expects():
    rows = json.loads((SHARED_SAMPLES / "target.json").read_text("utf-8"))
    expected = {(row["timestamp"], row["author"], row["message"]) for row in rows}
    paths = sorted(SHARED_SAMPLES.glob("*.txt"))
    assert len(paths) == 5
    for path in paths:
        messages = [message for message in parse_export(path) if message.kind == "text"]
        found = {(each.timestamp.isoformat(), each.author, each.text.replace("\n", " ")) for each in messages}
        assert found == expected, path.name


@pytest.mark.skipif(not SHARED_CHATS.is_dir(), reason="the shared development chats are not on this machine")
def test_the_shared_chats_hold_what_their_manifest_says():
    for name, chat in json.loads((SHARED_CHATS / "manifest.json").read_text("utf-8"))["chats"].items():
        messages = list(parse_export(SHARED_CHATS / name))
        assert len(messages) == chat["messages"], name
        assert {message.author for message in messages} - {None} == set(chat["participants"]), name
