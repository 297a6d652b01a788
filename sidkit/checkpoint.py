"""The state of a training in one file, from which it goes on to the same bits as if it had never stopped."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sidkit.files import whole_file

FILE = "checkpoint.safetensors"
WEIGHT = "model."  # before a weight's name
MOMENT = "optimizer."  # before the name of an optimizer's moment and that of its weight


class Checkpoint:
    """What changes while `optimizer` trains `parameters`: they, its moments, and what else the caller keeps.

    With `folder` None nothing is kept. The folder belongs to the caller, who removes it when the result is safe.
    """

    def __init__(
        self,
        folder: Path | None,
        parameters: dict[str, torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
    ) -> None:
        self.path = Path(folder) / FILE if folder else None
        self.parameters = parameters
        self.optimizer = optimizer

    def facts(self) -> dict[str, str] | None:
        """What was saved beside the tensors; None where there is no checkpoint."""
        if self.path is None or not self.path.is_file():
            return None
        with safe_open(self.path, "pt") as file:
            return file.metadata()

    def save(self, tensors: dict[str, torch.Tensor], facts: dict[str, str]) -> None:
        """Write the state whole, or not at all; `tensors` and `facts` are the caller's own, by name."""
        if self.path is None:
            return
        state = dict(tensors)
        for name, parameter in self.parameters.items():
            state[WEIGHT + name] = parameter
            for moment, value in self.optimizer.state[parameter].items():
                state[f"{MOMENT}{moment}.{name}"] = torch.as_tensor(value)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(self.path) as partial:
            save_file({name: _alone(value) for name, value in state.items()}, partial, facts)

    def restore(self) -> dict[str, torch.Tensor]:
        """Give weights and moments their saved values; returns everything saved. What was not saved stays as it is."""
        state = load_file(self.path)
        for name, parameter in self.parameters.items():
            if WEIGHT + name in state:
                _fill(parameter, state[WEIGHT + name])
        for name, value in state.items():
            if name.startswith(MOMENT):
                self._restore_moment(name.removeprefix(MOMENT), value)
        return state

    def _restore_moment(self, name: str, value: torch.Tensor) -> None:
        moment, _, weight = name.partition(".")
        if weight in self.parameters:
            parameter = self.parameters[weight]
            moments = self.optimizer.state[parameter]
            moments[moment] = _beside(parameter, value)


@torch.no_grad()
def _fill(parameter: torch.nn.Parameter, value: torch.Tensor) -> None:
    parameter.copy_(value)


def _beside(parameter: torch.nn.Parameter, value: torch.Tensor) -> torch.Tensor | int:
    """A moment as the optimizer keeps it: beside its weight, in the weight's own order in memory.

    bitsandbytes counts steps in a plain number, torch in a tensor of floats.
    """
    if value.ndim == 0 and not value.is_floating_point():
        return int(value)
    if value.shape != parameter.shape:
        return value.to(parameter.device)
    return torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)


def _alone(value: torch.Tensor) -> torch.Tensor:
    """A copy on the CPU: bitsandbytes' moments share their tables, and a file may hold no tensor twice."""
    return value.detach().to("cpu", copy=True).contiguous()
