"""What is done to every text of a dataset, and what the private index takes from it."""

from collections.abc import Sequence

from darija_gpt.data.normalization import normalize_text
from darija_gpt.data.private_index import PrivateIndexWriter
from darija_gpt.data.scrubbing import Scrubber, scrub_together


class Cleaner:
    """Scrubs and normalises texts, and notes the private data that they held.

    Args:
        scrubber (`Scrubber`, *optional*):
            Replaces private data; without it, that stays.
        index (`PrivateIndexWriter`):
            Learns what was there. Also of texts that stay as they are: what they hold, a model must not say.
        normalize (`bool`):
            Whether spellings are made alike.
        max_elongation (`int`):
            As of `normalize_text`.
    """

    def __init__(self, scrubber: Scrubber | None, index: PrivateIndexWriter, *, normalize: bool, max_elongation: int):
        self.scrubber, self.index = scrubber, index
        self.normalize, self.max_elongation = normalize, max_elongation

    def clean(self, text: str) -> str:
        """A text as it goes into the dataset."""
        # Marks of direction tell a mention from words, so private data is looked for before they go.
        scrubbed = self.scrubber.scrub(text) if self.scrubber else text
        if self.scrubber and scrubbed == text:
            self.index.note_words(text)
        else:
            self.index.note(text)
        return normalize_text(scrubbed, max_elongation=self.max_elongation) if self.normalize else scrubbed

    def clean_together(self, texts: Sequence[str]) -> Sequence[str]:
        """Texts that stand one below the other, each of which is clean."""
        scrubbed, found = scrub_together(texts)
        self.index.note_data(written for _, written in found)
        if self.scrubber is None:
            return texts
        self.scrubber.replaced.update(kind for kind, _ in found)
        return scrubbed
