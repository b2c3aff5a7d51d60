"""Running statistics: what a model changes in a forward pass already, and so also in a step that is skipped."""

import torch
from torch import nn


class RunningStatistics:
    """The buffers that a model is saved with, as those of batch norm. Most models have none.

    Args:
        model (`nn.Module`):
            The model, before Accelerate wraps it: its modules stay the same, their buffers do not.
    """

    def __init__(self, model: nn.Module):
        saved = model.state_dict().keys()
        self._places = [
            (module, name)
            for prefix, module in model.named_modules()
            for name, _ in module.named_buffers(recurse=False)
            if f"{prefix}.{name}".removeprefix(".") in saved
        ]
        self._kept: list[torch.Tensor] = []

    def keep(self) -> None:
        """Remembers them as they are."""
        self._kept = [buffer.clone() for buffer in self._get()]

    @torch.no_grad()
    def restore(self) -> None:
        """Takes back what has changed them since."""
        for buffer, kept in zip(self._get(), self._kept, strict=True):
            buffer.copy_(kept)

    def get_floating(self) -> list[torch.Tensor]:
        """Those that may be no numbers."""
        return [buffer for buffer in self._get() if buffer.is_floating_point()]

    def _get(self) -> list[torch.Tensor]:
        return [module.get_buffer(name) for module, name in self._places]
