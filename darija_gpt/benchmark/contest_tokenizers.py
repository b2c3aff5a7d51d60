"""Tokenizers as contestants: the project's, the library below it on its own, and BPE in some lines of plain Python."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from darija_gpt.benchmark.contests import ContestSetup


Pair = tuple[bytes, bytes]
Word = tuple[bytes, ...]

# As a byte-level vocabulary numbers them: printable ones, written as themselves, and then those written as others.
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
_OTHERS = [byte for byte in range(256) if byte not in _PRINTABLE]


def learn_merges(texts: Iterable[str], pattern: str, num_merges: int) -> list[Pair]:
    """Byte-pair encoding (Sennrich et al. 2016) in plain Python: the most frequent pair of each round is merged.

    Args:
        texts (`Iterable[str]`):
            The training texts.
        pattern (`str`):
            What a word is: nothing is merged beyond it.
        num_merges (`int`):
            Merges at most; a pair that stands only once is not merged.
    """
    import regex

    # As `tokenizers` has it, of pairs that are as frequent the one with the smaller numbers is taken.
    numbers = {bytes([byte]): number for number, byte in enumerate([*_PRINTABLE, *_OTHERS])}
    counts = Counter(word for text in texts for word in regex.findall(pattern, text))
    words = Counter({tuple(bytes([byte]) for byte in word.encode()): count for word, count in counts.items()})
    merges: list[Pair] = []
    while len(merges) < num_merges:
        pairs: Counter[Pair] = Counter()
        for word, count in words.items():
            for pair in pairwise(word):
                pairs[pair] += count
        best = max(pairs, key=lambda pair: (pairs[pair], -numbers[pair[0]], -numbers[pair[1]]), default=None)
        if best is None or pairs[best] < 2:
            break
        merges.append(best)
        numbers.setdefault(best[0] + best[1], len(numbers))
        words = Counter({merge(word, best): count for word, count in words.items()})
    return merges


def merge(word: Sequence[bytes], pair: Pair) -> tuple[bytes, ...]:
    """A word in which a pair has become one piece, from the left."""
    merged, place = [], 0
    while place < len(word):
        is_pair = tuple(word[place : place + 2]) == pair
        merged.append(pair[0] + pair[1] if is_pair else word[place])
        place += 1 + is_pair
    return tuple(merged)


def split_into_pieces(text: str, pattern: str, ranks: dict[Pair, int], known: dict[str, Word]) -> list[bytes]:
    """A text encoded with those merges, each by the rank in which it was learnt; words that are `known` once."""
    import regex

    pieces: list[bytes] = []
    for found in regex.findall(pattern, text):
        if found not in known:
            known[found] = split_word(tuple(bytes([byte]) for byte in found.encode()), ranks)
        pieces += known[found]
    return pieces


def split_word(word: Word, ranks: dict[Pair, int]) -> Word:
    """The bytes of a word with all pairs merged that can be, the earliest learnt first."""
    while len(word) > 1:
        best = min(pairwise(word), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        word = merge(word, best)
    return word


def prepare_training(setup: ContestSetup, name: str) -> tuple[Callable[[], Any], dict[str, Any]]:
    """One tokenizer trained on all texts."""
    return TRAININGS[name](setup, _load_texts(setup)), {}


def prepare_encoding(setup: ContestSetup, name: str) -> tuple[Callable[[], Any], dict[str, Any]]:
    """All texts encoded with the tokenizer that the setup holds."""
    encode = ENCODINGS[name](setup, _load_texts(setup))
    return encode, {"tokens": sum(map(len, encode()))}


def _load_texts(setup: ContestSetup) -> list[str]:
    return json.loads((Path(setup.directory) / "texts.json").read_text(encoding="utf-8"))


def _train_ours(setup: ContestSetup, texts: list[str]) -> Callable[[], Any]:
    from darija_gpt.control_tokens import CONTROL_TOKENS
    from darija_gpt.data.private_data.patterns import PLACEHOLDERS
    from darija_gpt.tokenizer import train_tokenizer

    vocab_size = 256 + len(CONTROL_TOKENS) + len(PLACEHOLDERS) + setup.num_merges
    return lambda: train_tokenizer(texts, vocab_size=vocab_size)


def train_raw(texts: list[str], num_merges: int):
    """What one writes around `tokenizers` to have the same pieces: its byte-level BPE, split as the project splits."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
    from tokenizers.trainers import BpeTrainer

    from darija_gpt.tokenizer import PRE_TOKENIZATION

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence(
        [Split(Regex(PRE_TOKENIZATION), behavior="isolated"), ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = BpeTrainer(
        vocab_size=256 + num_merges, min_frequency=2, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _train_plain(setup: ContestSetup, texts: list[str]) -> Callable[[], Any]:
    from darija_gpt.tokenizer import PRE_TOKENIZATION

    return lambda: learn_merges(texts, PRE_TOKENIZATION, setup.num_merges)


def _encode_ours(setup: ContestSetup, texts: list[str]) -> Callable[[], Any]:
    from darija_gpt.tokenizer import encode_texts, load_tokenizer

    tokenizer = load_tokenizer(Path(setup.directory) / "tokenizer")
    return lambda: encode_texts(tokenizer, texts)


def _encode_raw(setup: ContestSetup, texts: list[str]) -> Callable[[], Any]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(Path(setup.directory) / "tokenizer" / "tokenizer.json"))
    return lambda: [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]


def _encode_plain(setup: ContestSetup, texts: list[str]) -> Callable[[], Any]:
    from darija_gpt.tokenizer import PRE_TOKENIZATION

    model = json.loads((Path(setup.directory) / "tokenizer" / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    byte_of = {chr(byte): byte for byte in _PRINTABLE} | {chr(256 + place): byte for place, byte in enumerate(_OTHERS)}
    ranks = {
        tuple(bytes(byte_of[character] for character in piece) for piece in pair): rank
        for rank, pair in enumerate(model["merges"])
    }

    def encode() -> list[list[bytes]]:
        known: dict[str, Word] = {}  # anew in each turn
        return [split_into_pieces(text, PRE_TOKENIZATION, ranks, known) for text in texts]

    return encode


TRAININGS: dict[str, Callable[[ContestSetup, list[str]], Callable[[], Any]]] = {
    "ours": _train_ours,
    "raw": lambda setup, texts: lambda: train_raw(texts, setup.num_merges),
    "plain": _train_plain,
}
ENCODINGS: dict[str, Callable[[ContestSetup, list[str]], Callable[[], Any]]] = {
    "ours": _encode_ours,
    "raw": _encode_raw,
    "plain": _encode_plain,
}
