"""The step guard: which steps must not reach the weights."""

import math
from statistics import median
from typing import Any, Literal


SkipReason = Literal["non_finite", "overflow", "spike"]

WINDOW_STEPS = 128
# Fewer give no robust range; and the loss falls steeply before.
MIN_WINDOW_STEPS = 64
# Scale of the deviations from a median, as a normal distribution has it.
_DEVIATION_PER_MAD = 1.4826
# So many in a row are no spikes but another state of the run, such as harder data or dropout that began.
MAX_SPIKES_IN_A_ROW = 20
MAX_NON_FINITE_IN_A_ROW = 5


class StepGuard:
    """Judges a step by its loss and the norm of its gradient, before the optimizer sees it.

    A step is a spike if either is above the median of the last accepted steps by `threshold` robust deviations.
    Norms are compared by their logarithm, because they vary by factors.

    Args:
        threshold (`float`, *optional*):
            None lets spikes pass.
    """

    # Least deviations, in nats and as a logarithm: a window of equal steps must not refuse the first other one, and
    # where texts are of several kinds, a sound gradient is now and then three times as long as most.
    _least_deviations = (0.02, 0.15)

    def __init__(self, threshold: float | None):
        self.threshold = threshold
        self.window: list[tuple[float, float]] = []
        self.spikes_in_a_row = 0
        self.non_finite_in_a_row = 0
        self.counts: dict[SkipReason, int] = {"non_finite": 0, "overflow": 0, "spike": 0}

    def judge(self, loss: float, grad_norm: float) -> SkipReason | None:
        """Why a step is to be skipped, or None."""
        if not (math.isfinite(loss) and math.isfinite(grad_norm)):
            return "non_finite"
        return "spike" if self._is_spike(loss, grad_norm) else None

    def note(self, reason: SkipReason | None, loss: float, grad_norm: float) -> None:
        """Remembers what became of a step."""
        if reason:
            self.counts[reason] += 1
        # With fp16 a scale that was too high is lowered; it says nothing of the weights.
        if reason != "overflow":
            self.non_finite_in_a_row = self.non_finite_in_a_row + 1 if reason == "non_finite" else 0
        self.spikes_in_a_row = self.spikes_in_a_row + 1 if reason == "spike" else 0
        if reason is None:
            self.window = [*self.window[1 - WINDOW_STEPS :], (loss, _log(grad_norm))]
        elif self.spikes_in_a_row == MAX_SPIKES_IN_A_ROW:
            self.forget()

    def forget(self) -> None:
        """Starts a new window, where the losses to come will be others."""
        self.window, self.spikes_in_a_row = [], 0

    @property
    def is_healthy(self) -> bool:
        """Whether the last step gave numbers: only such weights are worth a checkpoint."""
        return self.non_finite_in_a_row == 0

    @property
    def gives_up(self) -> bool:
        """Whether too many steps in a row gave none."""
        return self.non_finite_in_a_row >= MAX_NON_FINITE_IN_A_ROW

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps, as JSON."""
        return {
            "window": self.window,
            "spikes_in_a_row": self.spikes_in_a_row,
            "non_finite_in_a_row": self.non_finite_in_a_row,
            "counts": self.counts,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes back to it."""
        self.window = [tuple(pair) for pair in state["window"]]
        self.spikes_in_a_row = state["spikes_in_a_row"]
        self.non_finite_in_a_row = state["non_finite_in_a_row"]
        self.counts = dict(state["counts"])

    def _is_spike(self, loss: float, grad_norm: float) -> bool:
        if self.threshold is None or len(self.window) < MIN_WINDOW_STEPS:
            return False
        columns = zip(*self.window, strict=True)
        values = (loss, _log(grad_norm))
        for value, column, least in zip(values, columns, self._least_deviations, strict=True):
            middle = median(column)
            deviation = _DEVIATION_PER_MAD * median(abs(each - middle) for each in column)
            if value > middle + self.threshold * max(deviation, least):
                return True
        return False


def _log(norm: float) -> float:
    """Of a norm that may be 0."""
    return math.log(max(norm, 1e-30))
