"""How long tokens are in texts of each script."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from darija_gpt.evaluation.plots.figures import GREY, SCRIPT_COLORS, new_figure, style_axes
from darija_gpt.markdown import SCRIPTS


if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from transformers import PreTrainedTokenizerBase

LONGEST = 12  # This long and longer is one bar.


def measure_token_lengths(
    tokenizer: "PreTrainedTokenizerBase", texts: Mapping[str, list[str]]
) -> dict[str, Counter[int]]:
    """How many tokens of each length, in characters, the texts of each script have.

    Args:
        tokenizer (`PreTrainedTokenizerBase`):
            A tokenizer.
        texts (`Mapping[str, list[str]]`):
            Texts by script. A token that is a part of a character has length 0, a leading space counts.
    """
    from darija_gpt.evaluation.plots.tokens import count_tokens

    lengths: dict[str, Counter[int]] = {}
    for script, some in texts.items():
        lengths[script] = Counter()
        for token_id, count in count_tokens(tokenizer, some).items():
            text = tokenizer.decode([token_id])
            lengths[script][0 if "\ufffd" in text else min(len(text), LONGEST)] += count
    return lengths


def plot_token_lengths(lengths: Mapping[str, Counter[int]]) -> "Figure":
    """The share of tokens of each length, the bars of each script beside each other.

    Args:
        lengths (`Mapping[str, Counter[int]]`):
            What `measure_token_lengths` gives.
    """
    figure = new_figure(8, 4.2)
    axes = figure.subplots()
    style_axes(axes)
    width = 0.8 / len(lengths)
    for number, (script, counts) in enumerate(lengths.items()):
        total = counts.total()
        mean = sum(length * count for length, count in counts.items()) / total
        places = [length - 0.4 + width * (number + 0.5) for length in range(LONGEST + 1)]
        axes.bar(
            places,
            [counts[length] / total for length in range(LONGEST + 1)],
            width,
            color=SCRIPT_COLORS[script],
            label=f"{SCRIPTS[script]}: {mean:.2f} characters a token, {total:,} tokens",
        )
    axes.set_xticks(range(LONGEST + 1), ["part", *map(str, range(1, LONGEST)), f"{LONGEST}+"])
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set_xlabel("characters of a token", color=GREY)
    axes.set_ylabel("share of the tokens", color=GREY)
    axes.legend(frameon=False, fontsize=9)
    return figure


def list_token_lengths(lengths: Mapping[str, Counter[int]]) -> list[dict[str, Any]]:
    """A row for each script and length."""
    return [
        {"script": script, "characters": length, "tokens": counts[length]}
        for script, counts in lengths.items()
        for length in range(LONGEST + 1)
    ]
