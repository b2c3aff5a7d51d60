"""Stop requests: a signal, or the death of the launcher, waits until the step is finished."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Set by torchrun and by `accelerate launch` for their workers. Without a launcher the parent is a shell, which may go.
_LAUNCHER_VARIABLES = ("TORCHELASTIC_RUN_ID", "ACCELERATE_MIXED_PRECISION")


class StopRequest:
    """Whether somebody wants the run to stop, and why."""

    def __init__(self):
        self.signal: signal.Signals | None = None
        self._launcher = os.getppid() if any(name in os.environ for name in _LAUNCHER_VARIABLES) else None

    def is_made(self) -> bool:
        """Whether a signal came or the launcher is gone: `accelerate launch` dies of a SIGTERM and passes none on."""
        return self.signal is not None or (self._launcher is not None and os.getppid() != self._launcher)

    @property
    def exit_code(self) -> int:
        """What a shell says of a program that a signal ended."""
        return 128 + (self.signal or signal.SIGTERM)

    @property
    def reason(self) -> str:
        """In the words of the message."""
        return self.signal.name if self.signal else "a signal to another process, or the end of the launcher"

    def _note(self, number: int, frame) -> None:
        self.signal = self.signal or signal.Signals(number)


@contextmanager
def catch_signals() -> Iterator[StopRequest]:
    """Gives the request that SIGTERM and SIGINT make while the block runs."""
    request = StopRequest()
    # Python lets only the main thread handle signals.
    signals = SIGNALS if threading.current_thread() is threading.main_thread() else ()
    earlier = {number: signal.signal(number, request._note) for number in signals}
    try:
        yield request
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def obey_parent_alone() -> None:
    """Lets a process that works for another outlive a signal to both, as Ctrl-C, Slurm and systemd send it.

    The other one needs it until its step is finished, and ends it then.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A parent that has no more use for its workers ends them by SIGTERM, too, and waits for that as long as it takes.
    # Where the system does not tell who sent it, on macOS, all are obeyed.
    if hasattr(signal, "sigwaitinfo"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # Not os.getppid(): a server of forks may stand between the two.
    parent = multiprocessing.parent_process().pid
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)
