"""SVDiff (Han et al., ICCV 2023): shift the singular values of every weight matrix, and keep its directions.

Written from the paper. Which weights are shifted beside the denoiser's matrices follows the re-implementation that the
paper of SID lists (`sources.py`): the norms' weights, with a learning rate of their own, and the text encoder's.
"""

from __future__ import annotations

import torch
from diffusers import DiffusionPipeline
from torch import nn
from torch.nn import Parameter
from torch.nn.utils import parametrize

from sidkit.config import Training
from sidkit.masters import in_full
from sidkit.models import text_parts

MATRICES = (nn.Linear, nn.Conv2d, nn.Embedding)  # what has one as its weight
NORMS = (nn.GroupNorm, nn.LayerNorm)  # whose weight is a vector: a matrix of one row, with one singular value
SHIFT = "parametrizations.weight.0.shift"  # in the names of the parameters


class SpectralShift(nn.Module):
    """W + U (max(s + shift, 0) - s) V^T (equations 1 and 2), which at the start is W to the bit.

    A convolution's weight is a matrix of its output channels and all the rest; a norm's is one row.
    """

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        matrix = _as_matrix(weight.detach().float())
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
    """A shift for every singular value of the denoiser's weights and, with `training.text_encoder`, of the text's.

    Norms are left out without a `training.learning_rate_1d`; biases always.
    """
    shifted = MATRICES if training.learning_rate_1d is None else MATRICES + NORMS
    parts = {"unet": pipe.unet}
    if training.text_encoder:
        parts |= {part.name: part.encoder for part in text_parts(pipe)}
    shifts = {}
    for part_name, part in parts.items():
        for name, weight in part.named_parameters(prefix=part_name):
            weight.data = in_full(pipe, name, weight)  # a bias too, with which a norm on a CPU shares its precision
        for name, module in list(part.named_modules(prefix=part_name)):
            if isinstance(module, shifted) and module.weight is not None:
                shifts[f"{name}.{SHIFT}"] = _shift(module)
    return shifts


def rate_of(pipe: DiffusionPipeline, name: str, training: Training) -> float:
    """The learning rate of a shift; of the one of a norm's weight its own."""
    part_name, _, module_name = name.removesuffix(f".{SHIFT}").partition(".")
    module = getattr(pipe, part_name).get_submodule(module_name)
    return training.learning_rate_1d if isinstance(module, NORMS) else training.learning_rate


def _shift(module: nn.Module) -> Parameter:
    """The shift of a module's weight, which is added where it is not there yet."""
    if not parametrize.is_parametrized(module, "weight"):
        parametrize.register_parametrization(module, "weight", SpectralShift(module.weight))
    return module.parametrizations["weight"][0].shift


def _as_matrix(weight: torch.Tensor) -> torch.Tensor:
    return weight[None] if weight.ndim == 1 else weight.flatten(1)
