"""Faults: why a run ends before its last step, in a line for people and an exit code for programs."""


class FaultError(Exception):
    """A reason to end a run. Its checkpoints stay as they are."""

    exit_code = 1


class NoValidCheckpointError(FaultError):
    """All checkpoints of a run are damaged: to start anew is for its owner to decide."""

    exit_code = 3


class NonFiniteError(FaultError):
    """Loss or gradient are no numbers any more."""

    exit_code = 4


class OutOfMemoryError(FaultError):
    """The GPU's memory is too small for the smallest micro-batch."""

    exit_code = 5


class LostProcessError(FaultError):
    """Another process of the run is gone."""

    # How torch's backends say so: gloo, NCCL, the store.
    signs = ("gloo", "NCCL", "onnection closed", "onnection reset", "Broken pipe")

    @classmethod
    def is_behind(cls, error: RuntimeError) -> bool:
        """Whether an exchange between processes failed."""
        return any(sign in str(error) for sign in cls.signs)


class StoppedError(FaultError):
    """Somebody asked the run to stop."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code
