"""SVDiff (Han et al., ICCV 2023): shift the singular values of every weight matrix, and keep its directions."""

from __future__ import annotations

import torch
from diffusers import DiffusionPipeline
from torch import nn
from torch.nn import Parameter
from torch.nn.utils import parametrize

from sidkit.config import Training

SHIFT = "parametrizations.weight.0.shift"


class SpectralShift(nn.Module):
    """W + U (max(s + shift, 0) - s) V^T (equations 1 and 2), which at the start is W to the bit.

    A convolution's weight is a matrix of its output channels and all the rest.
    """

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        left, values, right = torch.linalg.svd(weight.detach().float().flatten(1), full_matrices=False)
        for name, value in dict(left=left, values=values, right=right).items():
            self.register_buffer(name, value, persistent=False)  # a file holds the shifts alone
        self.shift = Parameter(torch.zeros_like(values))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """The shifted weight, of the same shape and precision."""
        change = torch.relu(self.values + self.shift) - self.values
        return weight + ((self.left * change) @ self.right).view_as(weight).to(weight.dtype)


def svdiff(pipe: DiffusionPipeline, training: Training) -> dict[str, Parameter]:
    """A shift for every singular value of the denoiser's matrices and convolutions."""
    for module in _layers(pipe):
        if not parametrize.is_parametrized(module):
            parametrize.register_parametrization(module, "weight", SpectralShift(module.weight))
    return {f"unet.{name}": shift for name, shift in pipe.unet.named_parameters() if name.endswith(SHIFT)}


def fold(pipe: DiffusionPipeline) -> None:
    """Write the shifted weights in the place of the weights: a plain pipeline that draws the same pictures."""
    for module in _layers(pipe):
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def _layers(pipe: DiffusionPipeline) -> list[nn.Module]:
    return [module for module in pipe.unet.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
