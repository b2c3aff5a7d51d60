"""Batches of examples: one to a row, or several packed into one and kept apart by their positions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from darija_gpt.finetuning.sft_examples import LABEL_PAD


if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Matrix products are fastest on whole tiles of this many rows.
PAD_TO_MULTIPLE = 8


@dataclass(frozen=True)
class CollateExamples:
    """Fills examples up to one length, on the right.

    Args:
        pad_token_id (`int`):
            Any token: what is filled up is neither read nor learnt, whatever stands there.
    """

    pad_token_id: int

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = max(len(example["input_ids"]) for example in examples)
        length = -(-longest // PAD_TO_MULTIPLE) * PAD_TO_MULTIPLE

        def fill(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
            return torch.tensor([[*row, *[value] * (length - len(row))] for row in rows])  # (batch, length)

        batch = {
            "input_ids": fill([example["input_ids"] for example in examples], self.pad_token_id),
            "labels": fill([example["labels"] for example in examples], LABEL_PAD),
        }
        if "seq_lengths" in examples[0]:
            # Without an attention mask, positions that begin anew tell the examples of a row apart.
            positions = [
                [place for size in (*example["seq_lengths"], length) for place in range(size)][:length]
                for example in examples
            ]
            return batch | {"position_ids": torch.tensor(positions)}
        return batch | {"attention_mask": fill([[1] * len(example["input_ids"]) for example in examples], 0)}


@torch.no_grad()
def check_packing(model: "PreTrainedModel", model_path: str) -> None:
    """Refuses a model whose examples would read each other once they share a row.

    Raises:
        ValueError: If position_ids that begin anew do not keep them apart, as with linear attention.
    """
    size = 8
    vocabulary = model.get_input_embeddings().num_embeddings
    ids = torch.arange(2 * size, device=model.device)[None] * 7919 % vocabulary  # (1, 16); any ids, none alike
    positions = torch.arange(size, device=model.device).repeat(2)[None]
    model.eval()
    try:
        together = model(ids, position_ids=positions, use_cache=False).logits[:, size:]
    except TypeError:
        raise ValueError(
            f"{model_path} takes no position_ids, so it cannot learn packed; leave packing out."
        ) from None
    alone = model(ids[:, size:], position_ids=positions[:, :size], use_cache=False).logits
    joined = model(ids, use_cache=False).logits[:, size:]
    if (together - alone).abs().max() > 0.1 * (joined - alone).abs().max():
        raise ValueError(
            f"{model_path} cannot keep examples apart that share a row, so they would read each other; leave packing "
            "out."
        )
