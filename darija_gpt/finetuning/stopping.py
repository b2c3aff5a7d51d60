"""A Trainer that ends when somebody asks for it, with a checkpoint behind it."""

from collections.abc import Iterator
from contextlib import contextmanager

from accelerate import PartialState
from transformers import TrainerCallback

from darija_gpt.faults import StoppedError
from darija_gpt.stop_request import StopRequest, catch_signals


@contextmanager
def catch_signals_of_one() -> Iterator[StopRequest | None]:
    """Catches signals where one process trains: several that stop at different steps would wait for each other."""
    if PartialState().num_processes > 1:
        yield None
        return
    with catch_signals() as request:
        yield request


class StopWhenAsked(TrainerCallback):
    """Writes a checkpoint and ends the run after the step in which somebody asked for it."""

    def __init__(self, request: StopRequest):
        self.request = request

    def on_step_end(self, args, state, control, **kwargs):
        if self.request.is_made():
            control.should_save = True

    def on_save(self, args, state, control, **kwargs):
        if self.request.is_made():
            raise StoppedError(
                f"stopped after step {state.global_step:,} by {self.request.reason}; the same command goes on",
                self.request.exit_code,
            )
