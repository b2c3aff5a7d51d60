"""Bounds of the numbers in a recipe of pretraining: what is outside of them would fail late, or mean nothing."""

import math
from collections.abc import Callable


# Whether a value is within, and how a message says that it must be. What is no number never is.
_Bound = tuple[Callable[[float], bool], str]
_AT_LEAST_ONE: _Bound = (lambda value: value >= 1, "be at least 1")
_POSITIVE: _Bound = (lambda value: 0 < value < math.inf, "be positive and finite")
_NOT_NEGATIVE: _Bound = (lambda value: 0 <= value < math.inf, "not be negative, and be finite")
_SHARE: _Bound = (lambda value: 0 <= value <= 1, "be from 0 to 1")
_BELOW_ONE: _Bound = (lambda value: 0 <= value < 1, "be at least 0 and below 1")
BOUNDS: dict[str, _Bound] = {
    "block_size": (
        lambda value: value >= 2,
        "be at least 2, a token to begin with and one to be predicted; null takes model.max_position_embeddings",
    ),
    "num_train_epochs": _POSITIVE,
    "max_steps": (lambda value: value >= 1, "be at least 1; null takes num_train_epochs"),
    "dataloader_num_workers": (lambda value: value >= 0, "not be negative; try 0"),
    "per_device_train_batch_size": _AT_LEAST_ONE,
    "gradient_accumulation_steps": _AT_LEAST_ONE,
    "learning_rate": _POSITIVE,
    "final_learning_rate_ratio": _SHARE,
    "warmup_ratio": _BELOW_ONE,
    "cooldown_ratio": _SHARE,
    "muon_learning_rate": _POSITIVE,
    "muon_momentum": _BELOW_ONE,
    "muon_weight_decay": _NOT_NEGATIVE,
    "weight_decay": _NOT_NEGATIVE,
    "adam_beta1": _BELOW_ONE,
    "adam_beta2": _BELOW_ONE,
    "dropout_ratio": _SHARE,
    "weight_average_decay": (lambda value: 0 < value < 1, "be between 0 and 1; try 0.999"),
    "z_loss": _NOT_NEGATIVE,
    "goldfish_ratio": _BELOW_ONE,
    "max_grad_norm": (lambda value: value > 0, "be positive; inf cuts nothing"),
    "spike_threshold": (lambda value: 0 < value < math.inf, "be positive and finite; null skips no spikes"),
    "eval_steps": _AT_LEAST_ONE,
    "save_steps": _AT_LEAST_ONE,
    "save_total_limit": _AT_LEAST_ONE,
    # As NumPy takes them.
    "seed": (lambda value: 0 <= value < 2**32, "be from 0 to 4294967295"),
    "sample_max_new_tokens": _AT_LEAST_ONE,
}


def check_bounds(name: str, value: float | None) -> None:
    """Refuses a number that is out of the bounds of its field; None has a meaning of its own.

    Raises:
        ValueError: With the bounds.
    """
    is_within, words = BOUNDS[name]
    if value is not None and not is_within(value):
        raise ValueError(f"{name}={value} must {words}.")
