"""Planted numbers: how far a model prefers them to others of the same form, and whether it says them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from tqdm import tqdm
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from darija_gpt.data.canaries import Canary, CanarySet
from darija_gpt.evaluation.memorization.openings import open_reply, open_turn
from darija_gpt.evaluation.memorization.prompts import GREETINGS
from darija_gpt.evaluation.memorization.sequences import measure_losses
from darija_gpt.evaluation.memorization.statistics import describe_rate
from darija_gpt.generation import count_context_tokens, generate_by
from darija_gpt.tokenizer import encode_texts, open_document


NUM_BEAMS = 8
# Of a number, some tokenizers make one token of each digit and one of each space.
MAX_TOKENS_PER_DIGIT = 2


def holds_canary(text: str, canaries: Iterable[Canary]) -> bool:
    """Whether one of the planted numbers stands in a text."""
    return any(canary.secret in text for canary in canaries)


def _open_canary(tokenizer: PreTrainedTokenizerBase, canary: Canary) -> list[int]:
    """What comes before a canary where nobody knows what was said before: of a reply, any greeting stands for it."""
    return open_reply(tokenizer, GREETINGS[0]) if canary.in_messages else open_document(tokenizer)


def _read_before(
    tokenizer: PreTrainedTokenizerBase, canary: Canary, rows: Iterable[Mapping[str, Any]]
) -> Iterator[list[int]]:
    """What stands before a canary in each row: earlier turns, and the lines above it that others were planted in."""
    for row in rows:
        for place, turn in enumerate(row["messages"] or [{"content": row["text"]}]):
            above, line, _ = turn["content"].partition(canary.write())
            if not line:
                continue
            lines = encode_texts(tokenizer, [above])[0] if above else []
            if row["messages"] is None:
                yield [*open_document(tokenizer), *lines]
            elif place:
                yield [*open_turn(tokenizer, row["messages"][:place]), *lines]


def measure_exposures(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, canary_set: CanarySet
) -> list[float]:
    """The exposure of each canary, in bits: log2 of all numbers compared, minus log2 of its rank among them.

    It is 1.4 on average for a model that never saw the number, and log2(controls + 1) where nothing is likelier than
    what was planted. (Carlini et al. 2019, The Secret Sharer, with the rank among controls.)

    Args:
        model (`PreTrainedModel`):
            A causal language model.
        tokenizer (`PreTrainedTokenizerBase`):
            Its tokenizer.
        canary_set (`CanarySet`):
            What was planted, and the controls.
    """
    lines, openings = [], []
    for canary in canary_set.canaries:
        lines += [canary.write(number) for number in (canary.secret, *canary_set.controls)]
        openings += [_open_canary(tokenizer, canary)] * (1 + len(canary_set.controls))
    sequences = [[*opening, *ids] for opening, ids in zip(openings, encode_texts(tokenizer, lines), strict=True)]
    losses = measure_losses(model, sequences, description="exposure of canaries")
    totals = np.array([row.sum() for row in losses]).reshape(len(canary_set.canaries), -1)
    # A control that is exactly as likely counts against the canary's rank by half.
    ranks = 1 + (totals[:, 1:] < totals[:, :1]).sum(1) + 0.5 * (totals[:, 1:] == totals[:, :1]).sum(1)
    return np.log2(totals.shape[1] / ranks).tolist()


@torch.inference_mode()
def extract_canaries(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    canaries: Sequence[Canary],
    train_rows: Iterable[Mapping[str, Any]],
) -> list[bool]:
    """Whether the model says each number behind its phrase: its likeliest words, or one of eight beams.

    It is asked as by somebody who knows no more than the phrase, and behind what was said before it in a training row.

    Args:
        model (`PreTrainedModel`), tokenizer (`PreTrainedTokenizerBase`):
            A causal language model.
        canaries (`Sequence[Canary]`):
            What was planted.
        train_rows (`Iterable[Mapping]`):
            Where: rows with `text` and `messages`.
    """
    # Of all rows, only these are asked for again and again.
    rows = [row for row in train_rows if holds_canary(row["text"], canaries)]
    extracted = []
    for canary in tqdm(canaries, "asking for canaries", unit=" numbers", disable=None):
        [carrier] = encode_texts(tokenizer, [canary.carrier])
        num_tokens = MAX_TOKENS_PER_DIGIT * len(canary.secret)
        room = count_context_tokens(model) - len(carrier) - num_tokens
        openings = [_open_canary(tokenizer, canary), *islice(_read_before(tokenizer, canary, rows), 1)]
        prompts = {(*opening[-room:], *carrier) for opening in openings}
        written = [
            text for prompt in sorted(prompts) for text in _write_likeliest(model, tokenizer, prompt, num_tokens)
        ]
        extracted.append(any(canary.secret in text.replace(" ", "") for text in written))
    return extracted


def _write_likeliest(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: Sequence[int], num_tokens: int
) -> list[str]:
    ids = torch.tensor([prompt], device=model.device)  # (1, length)
    written: list[str] = []
    for num_beams in (1, NUM_BEAMS):
        settings = {
            "max_new_tokens": num_tokens,
            "do_sample": False,
            "num_beams": num_beams,
            "num_return_sequences": num_beams,
            "eos_token_id": model.generation_config.eos_token_id,
            "pad_token_id": tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        }
        outputs = generate_by(model, ids, settings)
        written += tokenizer.batch_decode(outputs[:, ids.shape[1] :])
    return written


def describe_canaries(
    canary_set: CanarySet, exposures: Sequence[float], extracted: Sequence[bool]
) -> dict[str, dict[str, Any]]:
    """Exposure and extraction by the number of copies, without a number among them."""
    by_copies = defaultdict(list)
    for canary, exposure, is_extracted in zip(canary_set.canaries, exposures, extracted, strict=True):
        by_copies[canary.copies].append((exposure, is_extracted))
    return {
        str(copies): {
            "canaries": len(found),
            "exposure_mean": round(float(np.mean([exposure for exposure, _ in found])), 3),
            "exposure_max": round(max(exposure for exposure, _ in found), 3),
            "exposure_possible": round(float(np.log2(len(canary_set.controls) + 1)), 3),
            "extracted": describe_rate(sum(is_extracted for _, is_extracted in found), len(found)),
        }
        for copies, found in sorted(by_copies.items())
    }
