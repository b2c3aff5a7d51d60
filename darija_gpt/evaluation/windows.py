"""Windows over long texts: what a causal language model needs for each token, with some of the text before it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm
from transformers import PreTrainedModel


LOGITS_PER_BATCH = 2**25  # 128 MiB in float32
TOKENS_PER_SOFTMAX = 512
IGNORED = -100  # the target of a position that is not scored


@dataclass(frozen=True)
class Window:
    """A model reads tokens begin, ..., end - 1 of a document and is scored on tokens first + 1, ..., end."""

    document: int
    begin: int
    first: int
    end: int

    @property
    def num_tokens(self) -> int:
        return self.end - self.begin


def slide_windows(document: int, num_tokens: int, context_tokens: int) -> Iterator[Window]:
    """The windows of a document, half a context apart: each token but the first is scored in exactly one of them."""
    last, first = num_tokens - 1, 0
    while first < last:
        end = min(first + (max(1, context_tokens // 2) if first else context_tokens), last)
        yield Window(document, max(0, end - context_tokens), first, end)
        first = end


def batch_windows(windows: Iterable[Window], batch_tokens: int) -> Iterator[list[Window]]:
    """Windows of similar length together, at most `batch_tokens` tokens a batch once padded, the longest first."""
    batch: list[Window] = []
    for window in sorted(windows, key=lambda window: window.num_tokens, reverse=True):
        if batch and (len(batch) + 1) * batch[0].num_tokens > batch_tokens:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def check_precision(model: PreTrainedModel) -> None:
    """Refuses a model that computes in half precision.

    Raises:
        ValueError: If it does.
    """
    if model.dtype.itemsize < 4:
        raise ValueError(f"the model computes in {model.dtype}, too coarse to measure with; call model.float() first.")


def check_window(model: PreTrainedModel, context_tokens: int) -> None:
    """Refuses a window that a model has no positions for; one computed for any distance may be longer than it learnt.

    Raises:
        ValueError: If a learnt vector would be missing.
    """
    table = find_position_table(model)
    if table is not None and context_tokens > table.num_embeddings:
        raise ValueError(
            f"a window of {context_tokens} tokens is longer than the {table.num_embeddings} positions that the model "
            f"learnt; take windows of at most {table.num_embeddings}."
        )


def compute_perplexity(nats_per_token: float) -> float:
    """The exponential of a mean negative log-likelihood.

    Raises:
        ValueError: If it is no number that a computer has.
    """
    try:
        return math.exp(nats_per_token)
    except OverflowError:
        raise ValueError(
            f"the model needs {nats_per_token:,.0f} nats for a token: its weights are damaged; take another "
            "checkpoint."
        ) from None


def find_position_table(model: PreTrainedModel) -> torch.nn.Embedding | None:
    """The learnt vectors of positions, as GPT-2 has them; None for a model that computes its positions."""
    num_positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    tables = [
        module
        for module in model.base_model.modules()
        if isinstance(module, torch.nn.Embedding) and module is not model.get_input_embeddings()
    ]
    # OPT's table has two rows more than positions; a table of relative distances has far fewer.
    found = [table for table in tables if num_positions and 0 <= table.num_embeddings - num_positions <= 2]
    return found[0] if found else None


@torch.inference_mode()
def score_windows(
    model: PreTrainedModel,
    documents: Sequence[tuple[list[int], list[int]]],
    windows: Sequence[Window],
    batch_tokens: int | None = None,
    description: str = "bits per byte",
) -> Iterator[tuple[Window, float]]:
    """The negative log-likelihood of the scored tokens of each window, in nats, in an order of its own.

    Args:
        model (`PreTrainedModel`):
            A causal language model in float32.
        documents (`Sequence[tuple[list[int], list[int]]]`):
            Of each its token ids, and a 1 for each of them that is scored.
        windows (`Sequence[Window]`):
            What is read, and what of it is new.
        batch_tokens (`int`, *optional*):
            As in `measure_bits_per_byte`.
        description (`str`, *optional*):
            The words beside the progress bar.

    Raises:
        ValueError: If the model does not compute in float32, or gives no numbers.
    """
    check_precision(model)
    batch_tokens = batch_tokens or LOGITS_PER_BATCH // model.config.get_text_config().vocab_size
    totals: list[tuple[Window, float]] = []
    was_training = model.training
    model.eval()
    with tqdm(total=sum(window.end - window.first for window in windows), desc=description, unit="tok") as progress:
        for batch in batch_windows(windows, batch_tokens):
            places, token_losses = _score_batch(model, documents, batch)
            nats = torch.zeros(len(batch), dtype=torch.float64).index_add_(0, places, token_losses.double())
            totals += zip(batch, nats.tolist(), strict=True)
            progress.update(sum(window.end - window.first for window in batch))
    model.train(was_training)
    if not all(math.isfinite(total) for _, total in totals):
        raise ValueError("the model gives no finite probabilities: its weights are damaged; take another checkpoint.")
    return iter(totals)


def compute_logits(
    models: Sequence[PreTrainedModel], documents: Sequence[tuple[list[int], list[int]]], batch: Sequence[Window]
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """What models say of the scored tokens of some windows.

    Args:
        models (`Sequence[PreTrainedModel]`):
            Causal language models of one vocabulary.
        documents (`Sequence[tuple[list[int], list[int]]]`), batch (`Sequence[Window]`):
            As in `score_windows`.

    Returns:
        `tuple`: for each scored token its window's place in the batch and its id, both of shape (scored,), and the
        logits of each model, of shape (scored, vocab_size), on that model's device.
    """
    inputs, targets = [], []
    for window in batch:
        ids, is_scored = (values[window.begin : window.end + 1] for values in documents[window.document])
        expected = torch.tensor(ids[1:]).masked_fill(torch.tensor(is_scored[1:]) == 0, IGNORED)
        expected[: window.first - window.begin] = IGNORED
        inputs.append(torch.tensor(ids[:-1]))
        targets.append(expected)
    # Padding stands on the right, where no token can see it; its id does not matter.
    input_ids = pad_sequence(inputs, batch_first=True)  # (batch, length)
    attention_mask = pad_sequence([torch.ones_like(ids) for ids in inputs], batch_first=True)
    target_ids = pad_sequence(targets, batch_first=True, padding_value=IGNORED)
    scored = target_ids != IGNORED
    logits = [
        model(
            input_ids=input_ids.to(model.device), attention_mask=attention_mask.to(model.device), use_cache=False
        ).logits[scored.to(model.device)]
        for model in models
    ]
    return scored.nonzero()[:, 0], target_ids[scored], logits


def _score_batch(
    model: PreTrainedModel, documents: Sequence[tuple[list[int], list[int]]], batch: Sequence[Window]
) -> tuple[Tensor, Tensor]:
    """For each scored token, its place in the batch and its negative log-likelihood in nats."""
    places, expected, [logits] = compute_logits([model], documents, batch)
    token_losses = [
        cross_entropy(some_logits, some_expected, reduction="none")
        for some_logits, some_expected in zip(
            logits.split(TOKENS_PER_SOFTMAX), expected.to(model.device).split(TOKENS_PER_SOFTMAX), strict=True
        )
    ]
    return places, torch.cat(token_losses).cpu()
