"""One spelling for what looks the same."""

import unicodedata

import pytest

from darija_gpt.data.normalization import normalize_text


@pytest.mark.parametrize(
    ("written", "normalized"),
    [
        ("labas", "labas"),
        ("cafe\u0301", "café"),
        ("\u0627\u0653", "آ"),
        ("مـــرحبا", "مرحبا"),
        ("\u200fسلام\u200e", "سلام"),
        ("\u2068Salma\u2069 salam", "Salma salam"),
        ("salam\u00a0khouya\u202fdyali", "salam khouya dyali"),
        ("a\u2028b\u0085c\r\nd", "a\nb\nc\nd"),
        ("a  \t b \n\n\n\n c", "a b\n\nc"),
        ("\x00sa\x07lam\x1b", "salam"),
        ("ﻣﺮﺣﺒﺎ", "مرحبا"),
        ("ﷺ", "ﷺ"),
        ("👨‍👩‍👧 می‌خوام", "👨‍👩‍👧 می‌خوام"),
        ("Ａ１٣²", "Ａ１٣²"),
        ("أنا إلى آخر شيء", "أنا إلى آخر شيء"),
        ("مُحَمَّد", "مُحَمَّد"),
        ("\ufeffsalam", "salam"),
        ("", ""),
    ],
)
def test_only_what_nobody_sees_changes(written, normalized):
    assert normalize_text(written) == unicodedata.normalize("NFC", normalized)


@pytest.mark.parametrize(
    ("written", "limited"),
    [
        ("salaaaaaam", "salaaam"),
        ("وااااااو", "وااااو".replace("اااا", "ااا")),
        ("hhhhhhhh 😂😂😂😂😂", "hhh 😂😂😂"),
        ("1000000 dh!!!!!!", "1000000 dh!!!"),
        ("0666666666", "0666666666"),
        ("٠٠٠٠٠٠", "٠٠٠٠٠٠"),
        ("www.site", "www.site"),
    ],
)
def test_drawn_out_letters_are_limited_and_digits_are_not(written, limited):
    assert normalize_text(written, max_elongation=3) == limited
    assert normalize_text(written) == written


@pytest.mark.parametrize("text", ["ﻣـــﺮ\u200fﺣﺒﺎ  \u2028\n\n\n  e\u0301\u0301", "\r\r\r a\x0b\x0c", "aـ\u0301aaaaa"])
def test_what_is_normalized_stays_as_it_is(text):
    once = normalize_text(text, max_elongation=3)
    assert normalize_text(once, max_elongation=3) == once
