"""The plot stage: a model, and texts if there are any -> pictures and the numbers behind them."""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from darija_gpt.evaluation.plots.embeddings import Projection
from darija_gpt.output import require_new, write_directory


if TYPE_CHECKING:
    from collections import Counter

    import numpy as np
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MAX_DOCUMENTS = 2000  # enough to tell which tokens are frequent


@dataclass(frozen=True, kw_only=True)
class PlotArguments:
    """What to draw; each field is a key of the recipe and a flag."""

    model: str = field(metadata={"help": "directory of a model or an adapter, or its id on the Hub"})
    output_dir: Path = field(metadata={"help": "directory to write pictures (.png) and their numbers (.csv) to"})
    dataset: Path | None = field(
        default=None,
        metadata={"help": "directory that prepare_data.py wrote: which tokens are frequent, and how long they are"},
    )
    sentence: str = field(
        default="سلام خويا، labas 3lik؟ غادي للسوق", metadata={"help": "the sentence whose attention is drawn"}
    )
    attention_layer: int | None = field(
        default=None, metadata={"help": "draw every head of this layer, from 1; by default the mean of each layer"}
    )
    words: list[str] = field(
        default_factory=list,
        metadata={"help": "words whose neighbours are shown, by default the most frequent tokens"},
    )
    num_neighbours: int = field(default=6, metadata={"help": "neighbours of each word"})
    num_map_tokens: int = field(default=250, metadata={"help": "tokens on the map, the most frequent ones"})
    projection: Projection = field(
        default="tsne", metadata={"help": "how the map is made: tsne keeps neighbours together, pca is linear"}
    )
    seed: int = field(default=0, metadata={"help": "of the map"})

    def __post_init__(self):
        if not self.sentence.strip():
            raise ValueError("sentence is empty; write one.")
        for name, least in (("num_neighbours", 1), ("num_map_tokens", 4)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)} must be at least {least}.")


def plot(arguments: PlotArguments) -> None:
    """The plot stage: a model, and texts if there are any -> pictures and the numbers behind them.

    Raises:
        ValueError: If the model cannot be loaded, or has nothing to be drawn of a kind that was asked for.
    """
    from darija_gpt.data.dataset_directory import load_dataset_directory
    from darija_gpt.evaluation.plots.tokens import count_tokens
    from darija_gpt.loading import load_model

    require_new(arguments.output_dir)
    texts: dict[str, list[str]] = defaultdict(list)
    if arguments.dataset is not None:
        train = load_dataset_directory(arguments.dataset)["train"]
        for row in train.select(range(min(MAX_DOCUMENTS, len(train)))):
            texts[row["script"]].append(row["text"])
    model, tokenizer = load_model(arguments.model)
    counts = count_tokens(tokenizer, (text for some in texts.values() for text in some))
    with write_directory(arguments.output_dir) as directory:
        draw_attention(model, tokenizer, arguments, directory)
        draw_positions(model, directory)
        draw_embeddings(model, tokenizer, counts, arguments, directory)
        if texts:
            draw_token_lengths(tokenizer, dict(sorted(texts.items())), directory)
        names = sorted(path.name for path in directory.glob("*.png"))
    print(f"{', '.join(names)} -> {arguments.output_dir}")


def draw_attention(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", arguments: PlotArguments, directory: Path
) -> None:
    """Writes attention.png and attention.csv."""
    from darija_gpt.evaluation.bits_per_byte import encode_document
    from darija_gpt.evaluation.plots.attention import (
        compute_attention,
        list_attention,
        plot_attention,
        select_panels,
    )
    from darija_gpt.evaluation.plots.figures import write_plot
    from darija_gpt.evaluation.plots.tokens import label_token

    ids, _ = encode_document(tokenizer, {"text": arguments.sentence, "messages": None})
    labels = [label_token(tokenizer, token_id) for token_id in ids]
    panels = select_panels(compute_attention(model, ids), arguments.attention_layer)
    write_plot(directory, "attention", plot_attention(panels, labels), list_attention(panels, labels))


def draw_positions(model: "PreTrainedModel", directory: Path) -> None:
    """Writes positions.png and positions.csv."""
    from darija_gpt.evaluation.plots.figures import write_plot
    from darija_gpt.evaluation.plots.positions import list_positions, measure_positions, plot_positions

    curves, similarities, own = measure_positions(model)
    write_plot(directory, "positions", plot_positions(curves, similarities, own), list_positions(curves))


def draw_embeddings(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    counts: "Counter[int]",
    arguments: PlotArguments,
    directory: Path,
) -> None:
    """Writes embedding_map and embedding_neighbours, each as .png and .csv."""
    from darija_gpt.evaluation.plots.embeddings import find_neighbours, plot_map, plot_neighbours, project_vectors
    from darija_gpt.evaluation.plots.figures import write_plot
    from darija_gpt.evaluation.plots.tokens import choose_words

    table = model.get_input_embeddings().weight.detach().float().cpu().numpy()
    # Without texts the order of the vocabulary, in which BPE learnt frequent tokens first.
    candidates = [token_id for token_id, _ in counts.most_common()] or range(len(tokenizer))
    words = choose_words(tokenizer, candidates, len(tokenizer))
    labels, vectors = list(words), table[list(words.values())]
    if len(labels) < 4:
        raise ValueError(f"only {len(labels)} tokens are words, too few for a map of embeddings.")
    shown = min(arguments.num_map_tokens, len(labels))
    points = project_vectors(vectors[:shown], arguments.projection, arguments.seed)
    rows = [
        {"token": label, "x": round(float(x), 6), "y": round(float(y), 6)}
        for label, (x, y) in zip(labels, points, strict=False)
    ]
    write_plot(directory, "embedding_map", plot_map(points, labels[:shown], arguments.projection), rows)
    targets = {word: embed_word(tokenizer, table, word) for word in arguments.words or labels[:12]}
    neighbours = find_neighbours(vectors, labels, targets, arguments.num_neighbours)
    rows = [
        {"word": word, "rank": rank, "neighbour": neighbour, "cosine": round(cosine, 6)}
        for word, found in neighbours.items()
        for rank, (neighbour, cosine) in enumerate(found, start=1)
    ]
    write_plot(directory, "embedding_neighbours", plot_neighbours(neighbours), rows)


def draw_token_lengths(tokenizer: "PreTrainedTokenizerBase", texts: dict[str, list[str]], directory: Path) -> None:
    """Writes token_lengths.png and token_lengths.csv."""
    from darija_gpt.evaluation.plots.figures import write_plot
    from darija_gpt.evaluation.plots.token_lengths import (
        list_token_lengths,
        measure_token_lengths,
        plot_token_lengths,
    )

    lengths = measure_token_lengths(tokenizer, texts)
    write_plot(directory, "token_lengths", plot_token_lengths(lengths), list_token_lengths(lengths))


def embed_word(tokenizer: "PreTrainedTokenizerBase", table: "np.ndarray", word: str) -> "np.ndarray":
    """The vector of a word: of its token behind a space, or the mean over its tokens.

    Raises:
        ValueError: If the word has no token.
    """
    from darija_gpt.tokenizer import encode_texts

    spellings = [ids for ids in encode_texts(tokenizer, [f" {word}", word]) if ids]
    if not spellings:
        raise ValueError(f"words: {word!r} has no token; write another word.")
    return table[min(spellings, key=len)].mean(axis=0)
