"""Pictures: nothing goes along with what they show, and the numbers beside them say what that is."""

import csv
import io
import re
from collections.abc import Iterator


SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Of the chunks of a PNG those that say how it looks; the others hold texts, times and whatever a program likes.
SHOWN = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD", b"pHYs"}
# What is measured; a longer one without a point may be somebody's.
NUMBER = re.compile(r"-?\d{1,8}(?:\.\d+)?(?:e[+-]?\d+)?|nan")


def strip_picture(content: bytes) -> bytes:
    """A PNG without anything that is not seen.

    Raises:
        ValueError: If it is no PNG, or not a whole one.
    """
    kept, place, kind = [SIGNATURE], len(SIGNATURE), b""
    if not content.startswith(SIGNATURE):
        raise ValueError("no PNG")
    while kind != b"IEND":
        num_bytes = int.from_bytes(content[place : place + 4])
        kind, chunk = content[place + 4 : place + 8], content[place : place + num_bytes + 12]
        if len(chunk) < num_bytes + 12:
            raise ValueError("no whole PNG")
        place += len(chunk)
        kept += [chunk] if kind in SHOWN else []
    return b"".join(kept)


def list_table(content: bytes) -> Iterator[tuple[str, str]]:
    """What the CSV beside a picture says: its words, and the sentence of a map of attention in one piece.

    Raises:
        ValueError: If it is no CSV.
    """
    try:
        rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    except csv.Error:
        raise ValueError("no CSV") from None
    for word in dict.fromkeys(word for row in rows for word in row):
        if not NUMBER.fullmatch(word):
            yield "", word
    if rows and {"query", "query_token"} <= set(rows[0]):
        query, token = rows[0].index("query"), rows[0].index("query_token")
        tokens = {row[query]: row[token] for row in rows[1:] if len(row) == len(rows[0])}
        yield "", "".join(tokens.values()).replace("·", " ")
