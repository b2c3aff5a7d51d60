"""Overlap: how much of the data a generated text repeats word for word."""

import re
from array import array
from collections import defaultdict
from collections.abc import Iterable

import numpy as np


def split_words(text: str) -> list[str]:
    """The words of a text as they are compared: without case, punctuation, emoji and Arabic vowel marks."""
    words = (re.sub(r"[\W_]+", "", word) for word in text.casefold().split())
    return [word for word in words if word]


class WordRunIndex:
    """Where each word of a collection of texts stands, to find what another text has in common with them.

    Args:
        texts (`Iterable[str]`):
            The texts. A run of words never reaches from one into the next.
    """

    def __init__(self, texts: Iterable[str]):
        places: defaultdict[str, array] = defaultdict(lambda: array("q"))
        self._num_places = 1
        for text in texts:
            for word in split_words(text):
                places[word].append(self._num_places)
                self._num_places += 1
            self._num_places += 1  # the gap between two texts
        self._places = {word: np.array(found) for word, found in places.items()}

    def longest_shared_run(self, text: str) -> int:
        """Words of the longest run that stands both in this text and in one of the collection."""
        nowhere = np.array([], dtype=np.int64)
        # run_lengths[place] is how long the run is that ends there and with the word read last.
        run_lengths = np.zeros(self._num_places, dtype=np.int32)
        longest, ends = 0, nowhere
        for word in split_words(text):
            places = self._places.get(word, nowhere)
            continued = run_lengths[places - 1] + 1
            run_lengths[ends] = 0
            run_lengths[places] = continued
            longest, ends = max(longest, int(continued.max(initial=0))), places
        return longest
