"""The step guard: what it lets through, and what it keeps from the weights."""

import json
import math

import numpy as np
import pytest

from darija_gpt.step_guard import MAX_SPIKES_IN_A_ROW, MIN_WINDOW_STEPS, WINDOW_STEPS, StepGuard


THRESHOLD = 10.0


def feed(guard: StepGuard, loss: float, grad_norm: float = 1.0):
    reason = guard.judge(loss, grad_norm)
    guard.note(reason, loss, grad_norm)
    return reason


def fill(guard: StepGuard, num_steps: int = WINDOW_STEPS, level: float = 2.0) -> None:
    draw = np.random.default_rng(0)
    for _ in range(num_steps):
        assert feed(guard, level + 0.1 * draw.standard_normal(), math.exp(0.2 * draw.standard_normal())) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("place", ["loss", "grad_norm"])
def test_what_is_no_number_is_skipped_from_the_first_step_on(value, place):
    guard = StepGuard(None)
    assert guard.judge(**{"loss": 1.0, "grad_norm": 1.0, place: value}) == "non_finite"


def test_five_in_a_row_are_too_many_and_one_good_step_begins_the_count_anew():
    guard = StepGuard(THRESHOLD)
    for loss in (math.nan, math.nan, math.nan, math.nan, 1.0, math.nan, math.nan, math.nan, math.nan):
        feed(guard, loss)
        assert not guard.gives_up
    assert not guard.is_healthy
    feed(guard, math.inf)
    assert guard.gives_up and guard.counts["non_finite"] == 9


def test_a_scale_that_was_too_high_is_no_fault_of_the_weights():
    guard = StepGuard(THRESHOLD)
    for _ in range(20):
        guard.note("overflow", 1.0, math.inf)
    assert not guard.gives_up and guard.is_healthy and guard.counts["overflow"] == 20


def test_spikes_are_skipped_once_the_window_says_what_is_usual():
    guard = StepGuard(THRESHOLD)
    assert feed(guard, 2.0) is None and feed(guard, 20.0) is None
    fill(guard)
    assert feed(guard, 4.0) == "spike"
    assert feed(guard, 2.0, 50.0) == "spike"
    assert feed(guard, 2.1) is None and feed(guard, 0.5) is None


def test_nothing_is_a_spike_in_the_first_steps_or_without_a_threshold():
    guard = StepGuard(THRESHOLD)
    fill(guard, MIN_WINDOW_STEPS - 1)
    assert feed(guard, 100.0) is None
    guard = StepGuard(None)
    fill(guard)
    assert feed(guard, 100.0) is None


def test_a_window_of_equal_steps_lets_a_slightly_other_one_pass():
    guard = StepGuard(THRESHOLD)
    for _ in range(WINDOW_STEPS):
        feed(guard, 2.0)
    assert feed(guard, 2.1, 1.2) is None and feed(guard, 3.0) == "spike"


def test_a_loss_that_stays_high_is_no_spike_but_a_new_level():
    guard = StepGuard(THRESHOLD)
    fill(guard)
    reasons = [feed(guard, 5.0) for _ in range(MAX_SPIKES_IN_A_ROW + WINDOW_STEPS)]
    assert reasons == ["spike"] * MAX_SPIKES_IN_A_ROW + [None] * WINDOW_STEPS


def test_the_state_goes_through_json():
    guard, again = StepGuard(THRESHOLD), StepGuard(THRESHOLD)
    fill(guard)
    feed(guard, 9.0)
    feed(guard, math.nan)
    again.load_state_dict(json.loads(json.dumps(guard.state_dict())))
    assert again.state_dict() == guard.state_dict()
    for loss in np.random.default_rng(1).normal(2.0, 0.4, 300):
        assert feed(guard, loss) == feed(again, loss)


def test_a_gradient_three_times_as_long_is_no_spike_and_one_of_five_times_is():
    guard = StepGuard(THRESHOLD)
    assert not any(feed(guard, 2.0, 1.0) for _ in range(100))
    assert feed(guard, 2.0, 3.0) is None and feed(guard, 2.0, 5.0) == "spike"


@pytest.mark.parametrize("seed", range(5))
def test_heavy_tails_are_no_spikes(seed):
    draw = np.random.default_rng(seed)
    guard = StepGuard(THRESHOLD)
    # Falling losses; logarithms of norms with Student's t of 5 degrees, as heavy as what small batches show.
    losses = 2 + 4 * np.exp(-np.arange(5000) / 500) + 0.1 * draw.standard_normal(5000)
    norms = np.exp(0.2 * draw.standard_t(5, 5000))
    skipped = sum(feed(guard, loss, norm) is not None for loss, norm in zip(losses, norms, strict=True))
    assert skipped <= 5
