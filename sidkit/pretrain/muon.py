"""Muon (Jordan et al., 2024, kellerjordan.github.io/posts/muon): momentum whose steps are orthogonal matrices.

`torch.optim.Muon` takes matrices alone; most of a UNet's weights are convolutions, which here are matrices of
(out, in x height x width), as in the authors' own code.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import torch
from torch import nn

from sidkit.pretrain.plans import Plan

MOMENTUM = 0.95
ROUNDS = 5  # of Newton and Schulz, which bring the singular values between 0.7 and 1.2
QUINTIC = (3.4445, -4.7750, 2.0315)  # that steepest one which still converges, of the authors


class Muon(torch.optim.AdamW):
    """AdamW, but for the groups marked `matrix`: weights of two or more dimensions.

    A step changes a square matrix by the learning rate in each of its directions.
    """

    def __init__(self, groups: list[dict[str, Any]], **adamw: Any) -> None:
        super().__init__(groups, **adamw)
        for group in self.param_groups:
            group.setdefault("matrix", False)

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            if group["matrix"]:
                for weight in group["params"]:
                    self._step(weight, group["lr"], group["weight_decay"])
        super().step()

    def _step(self, weight: nn.Parameter, rate: float, decay: float) -> None:
        """Take the weight's step and its gradient, so that AdamW leaves it alone."""
        if weight.grad is None:
            return
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].lerp_(weight.grad, 1 - MOMENTUM)
        ahead = weight.grad.lerp(state["momentum"], MOMENTUM)  # Nesterov's
        matrix = ahead.flatten(1)
        longer = max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5
        weight.mul_(1 - rate * decay)
        weight.add_(orthogonal(matrix).view_as(weight), alpha=-rate * longer)
        weight.grad = None


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """The nearest matrix (rows, columns) whose singular values are about one; computed in bfloat16."""
    wide = matrix.shape[0] <= matrix.shape[1]
    x = (matrix if wide else matrix.T).bfloat16()
    x = x / (x.norm() + 1e-7)
    a, b, c = QUINTIC
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x if wide else x.T).to(matrix.dtype)


def make_optimizer(parameters: Mapping[str, nn.Parameter], matrices: Set[str], undecayed: Set[str], plan: Plan) -> Muon:
    """AdamW for all weights, or where the plan has a rate for them, Muon for the `matrices` among their names.

    Each group says its `highest` learning rate; no weight decay makes the `undecayed` smaller.
    """
    matrices = matrices if plan.matrix_rate else set()
    undecayed = undecayed - matrices
    decayed = parameters.keys() - matrices - undecayed
    groups = [
        _group(parameters, decayed, plan.learning_rate, weight_decay=plan.weight_decay),
        _group(parameters, undecayed, plan.learning_rate, weight_decay=0.0),
        _group(parameters, matrices, plan.matrix_rate, weight_decay=plan.weight_decay, matrix=True),
    ]
    return Muon([group for group in groups if group["params"]], betas=(0.9, 0.99), fused=True)


def _group(parameters: Mapping[str, nn.Parameter], names: Set[str], highest: float, **options: Any) -> dict[str, Any]:
    """The weights of these names, in the order of all."""
    weights = [weight for name, weight in parameters.items() if name in names]
    return dict(params=weights, highest=highest, **options)
