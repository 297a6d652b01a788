"""SVDiff (Han et al., ICCV 2023): shift the singular values of every weight matrix, and keep its directions."""

from __future__ import annotations

import torch
from diffusers import DiffusionPipeline
from torch import nn
from torch.nn import Parameter
from torch.nn.utils import parametrize

from sidkit.config import Training

MATRICES = (nn.Linear, nn.Conv2d)  # what has one as its weight
SHIFT = "parametrizations.weight.0.shift"  # in the names of the parameters


class SpectralShift(nn.Module):
    """W + U (max(s + shift, 0) - s) V^T (equations 1 and 2), which at the start is W to the bit.

    A convolution's weight is a matrix of its output channels and all the rest.
    """

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        matrix = weight.detach().float().flatten(1)
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        # not persistent: a file holds the shifts alone
        self.register_buffer("left", left, persistent=False)
        self.register_buffer("values", values, persistent=False)
        self.register_buffer("right", right, persistent=False)
        self.shift = Parameter(torch.zeros_like(values))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The shifted weight, of the same shape and precision."""
        values = torch.relu(self.values + self.shift)
        change = values - self.values
        matrix = (self.left * change) @ self.right
        difference = matrix.view_as(weight)
        return weight + difference.to(weight.dtype)


def svdiff(
    pipe: DiffusionPipeline,
    training: Training,
) -> dict[str, Parameter]:
    """A shift for every singular value of the denoiser's matrices and convolutions."""
    modules = list(pipe.unet.modules())
    for module in modules:
        has_matrix = isinstance(module, MATRICES)
        if has_matrix and not parametrize.is_parametrized(module):
            shift = SpectralShift(module.weight)
            parametrize.register_parametrization(module, "weight", shift)
    named = pipe.unet.named_parameters(prefix="unet")
    return {name: shift for name, shift in named if name.endswith(SHIFT)}
