"""Muon for matrices by the dozen: those of one shape are orthogonalized together."""

from collections import defaultdict
from typing import Any, Literal

import torch
from torch.optim._muon import DEFAULT_A, DEFAULT_B, DEFAULT_C, DEFAULT_NS_STEPS, _adjust_lr


Orthogonalization = Literal["newton_schulz", "polar_express"]

# Of Amsel et al.: bf16 may round a singular value of 1 up, and beyond 1 their polynomials leap to infinity.
_SAFETY = 1.02

# (a, b, c) of each step: a singular value x becomes a x + b x^3 + c x^5.
STEPS: dict[Orthogonalization, list[tuple[float, float, float]]] = {
    # Jordan et al. 2024, as torch.optim.Muon has them.
    "newton_schulz": [(DEFAULT_A, DEFAULT_B, DEFAULT_C)] * DEFAULT_NS_STEPS,
    # Amsel et al. 2025, algorithm 1, the first four: each polynomial is the best for what the one before left, so that
    # four raise a small singular value 445 times, and the five above 485 times.
    "polar_express": [
        (a / _SAFETY, b / _SAFETY**3, c / _SAFETY**5)
        for a, b, c in (
            (8.28721201814563, -23.595886519098837, 17.300387312530933),
            (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
            (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
            (3.3184196573706015, -2.488488024314874, 0.51004894012372),
        )
    ],
}


def orthogonalize(matrices: torch.Tensor, steps: list[tuple[float, float, float]]) -> torch.Tensor:
    """Matrices with the same singular vectors, and singular values near 1.

    Args:
        matrices (`torch.Tensor`):
            (number, rows, columns), of norm 1 at most.
        steps (`list`):
            Coefficients of each step.
    """
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonalize(matrices.mT, steps).mT
    for a, b, c in steps:
        gram = matrices @ matrices.mT  # (number, rows, rows), the fewer of both
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        # On the diagonal `a` costs nothing. torch.optim.Muon adds a X to the product, a pass over larger matrices that
        # is rounded less: updates are 1 to 4 hundredths off exact ones there, and 2 to 5 here.
        polynomial.diagonal(dim1=1, dim2=2).add_(a)
        matrices = polynomial @ matrices
    return matrices


class Muon(torch.optim.Muon):
    """torch.optim.Muon (Jordan et al. 2024) in fewer, larger products. Its state_dict is the same.

    Args:
        params (`Iterable[nn.Parameter]`):
            Matrices.
        orthogonalization (`"newton_schulz"` or `"polar_express"`, *optional*, defaults to `"newton_schulz"`):
            The iteration; the first is torch.optim.Muon's, up to the rounding of bf16.
        kwargs:
            As torch.optim.Muon.
    """

    def __init__(self, params, orthogonalization: Orthogonalization = "newton_schulz", **kwargs: Any):
        super().__init__(params, **kwargs)
        self._steps = STEPS[orthogonalization]

    @torch.no_grad()
    def step(self, closure=None):
        """Changes the weights."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            weights, gradients, averages = [], [], []
            self._init_group(group, weights, gradients, averages)
            of_shape = defaultdict(list)
            for weight, gradient, average in zip(weights, gradients, averages, strict=True):
                of_shape[weight.shape].append((weight, gradient, average))
            for matrices in of_shape.values():
                self._step_together(group, matrices)
        return loss

    def _step_together(self, group: dict[str, Any], matrices: list[tuple[torch.Tensor, ...]]) -> None:
        """Changes weights of one shape, each given with its gradient and its momentum."""
        shape = matrices[0][0].shape
        updates = torch.empty((len(matrices), *shape), dtype=torch.bfloat16, device=matrices[0][0].device)
        for (_, gradient, average), update in zip(matrices, updates, strict=True):
            average.lerp_(gradient, 1 - group["momentum"])
            direction = gradient.lerp(average, group["momentum"]) if group["nesterov"] else average
            update.copy_(direction / direction.norm().clamp(min=group["eps"]))
        updates = orthogonalize(updates, self._steps)
        rate = _adjust_lr(group["lr"], group["adjust_lr_fn"], shape)
        for (weight, _, _), update in zip(matrices, updates, strict=True):
            if group["weight_decay"]:
                weight.mul_(1 - group["lr"] * group["weight_decay"])
            weight.add_(update, alpha=-rate)
