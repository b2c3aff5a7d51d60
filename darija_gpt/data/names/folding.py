"""Names and texts as they are compared: without case, accents, hamzas, marks, and letters that are drawn out."""

import functools
import re
import unicodedata

from darija_gpt.data.private_data.spans import INVISIBLE


ARABIC_VARIANTS = str.maketrans("أإآٱىةگڭڤ", "اااايهككف")
MARKS = r"\u0640\u064b-\u0652\u0300-\u036f"
NOT_IN_NAMES = re.compile(rf"[\W_{MARKS}]+")
REPEATED = re.compile(r"(.)(?=\1)")
DRAWN_OUT = re.compile(r"(.)\1{2,}")


class _Folding(dict):
    """Code point -> its letter without case and marks, one for one: É is e, أ is ا."""

    def __missing__(self, code: int) -> str:
        base = unicodedata.normalize("NFKD", chr(code))[:1].lower().translate(ARABIC_VARIANTS)
        self[code] = base if len(base) == 1 else chr(code)
        return self[code]


FOLDING = _Folding()


def fold_name(text: str) -> str:
    """A text of the same length in which no letter has case or accent."""
    return text.lower() if text.isascii() else text.translate(FOLDING)


def fold_form(form: str) -> str:
    """A spelling of a name as texts are compared with it, without what stands around its letters."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", fold_name(INVISIBLE.sub("", form)))


def join_letters(folded: str) -> str:
    """The letters of a name, without what stands between them."""
    return NOT_IN_NAMES.sub("", folded)


@functools.lru_cache(maxsize=1 << 14)
def reduce_name(folded: str) -> str:
    """The letters of a name, each once however long it is drawn."""
    return REPEATED.sub("", join_letters(folded))
