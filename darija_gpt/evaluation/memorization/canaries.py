"""Planted numbers: how far a model prefers them to others of the same form, and whether it says them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from darija_gpt.data.canaries import Canary, CanarySet
from darija_gpt.evaluation.memorization.openings import open_document, open_reply
from darija_gpt.evaluation.memorization.prompts import GREETINGS
from darija_gpt.evaluation.memorization.sequences import measure_losses
from darija_gpt.evaluation.memorization.statistics import describe_rate
from darija_gpt.tokenizer import encode_texts


NUM_BEAMS = 8
# Of a number, some tokenizers make one token of each digit and one of each space.
MAX_TOKENS_PER_DIGIT = 2


def _open_canary(tokenizer: PreTrainedTokenizerBase, canary: Canary) -> list[int]:
    """What comes before a canary: of a reply, the turn that it answered is not kept, and any other stands for it."""
    return open_reply(tokenizer, GREETINGS[0]) if canary.in_messages else open_document(tokenizer)


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
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, canaries: Sequence[Canary]
) -> list[bool]:
    """Whether the model says each number behind its phrase: its likeliest words, or one of eight beams."""
    extracted = []
    for canary in canaries:
        [carrier] = encode_texts(tokenizer, [canary.carrier])
        prompt = torch.tensor([[*_open_canary(tokenizer, canary), *carrier]], device=model.device)  # (1, length)
        written: list[torch.Tensor] = []
        for num_beams in (1, NUM_BEAMS):
            outputs = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=MAX_TOKENS_PER_DIGIT * len(canary.secret),
                do_sample=False,
                num_beams=num_beams,
                num_return_sequences=num_beams,
                # The model's own defaults for sampling would only be warned of.
                temperature=None,
                top_k=None,
                top_p=None,
                pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id,
            )
            written += list(outputs[:, prompt.shape[1] :])
        extracted.append(any(canary.secret in tokenizer.decode(ids).replace(" ", "") for ids in written))
    return extracted


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
