"""The state of a training in one file, from which it goes on to the same bits as if it had never stopped.

The file holds a hash of all that is in it. One that is cut, empty, changed, or of another model than the one in
training is set aside, and the training begins anew: nobody trains on from damage, and none stops a training for ever.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from sidkit.files import is_there, make_folder, partial_path, remove, set_aside, whole_file

FILE = "checkpoint.safetensors"
SCRATCH = ".tmp??????"  # where safetensors writes, before it gives a file its name
WEIGHT = "model."  # before a weight's name
MOMENT = "optimizer."  # before the name of an optimizer's moment and that of its weight
HASH = "sha256"  # of all tensors and facts, among the facts of the file


@dataclass(frozen=True)
class Saved:
    """What a checkpoint held: tensors by name, and the caller's facts."""

    tensors: dict[str, torch.Tensor]
    facts: dict[str, str]


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

    def save(self, tensors: dict[str, torch.Tensor], facts: dict[str, str]) -> None:
        """Write the state whole, or not at all; `tensors` and `facts` are the caller's own, by name."""
        if self.path is None:
            return
        state = dict(tensors)
        for name, parameter in self.parameters.items():
            state[WEIGHT + name] = parameter
            for moment, value in self.optimizer.state[parameter].items():
                state[f"{MOMENT}{moment}.{name}"] = torch.as_tensor(value)
        state = {name: _alone(value) for name, value in state.items()}
        make_folder(self.path.parent)
        _remove_unfinished(self.path.parent)
        with whole_file(self.path) as partial:
            save_file(state, partial, {**facts, HASH: _hash(state, facts)})

    def load(self, fault: Callable[[Saved], str | None]) -> Saved | None:
        """What was saved; None where nothing was, or nothing that this training can go on from, which is set aside.

        `fault` says in words what the caller misses in it. Raises OSError where the file cannot be read just now.
        """
        if self.path is None or not is_there(self.path):
            return None
        try:
            saved = read_checkpoint(self.path)
            wrong = self._misfit(saved) or fault(saved)
        except ValueError as error:
            wrong = str(error)
        if wrong:
            set_aside(self.path, wrong)
            return None
        return saved

    def restore(self, saved: Saved) -> None:
        """Give weights and moments their saved values. What was not saved stays as it is."""
        for name, parameter in self.parameters.items():
            if WEIGHT + name in saved.tensors:
                _fill(parameter, saved.tensors[WEIGHT + name])
        for name, value in saved.tensors.items():
            if name.startswith(MOMENT):
                self._restore_moment(name.removeprefix(MOMENT), value)

    def _misfit(self, saved: Saved) -> str | None:
        """Which weight of the file is of another model."""
        for name, parameter in self.parameters.items():
            value = saved.tensors.get(WEIGHT + name, parameter)
            if value.shape != parameter.shape or value.dtype != parameter.dtype:
                return f"{name} is {_form(value)} in it, and {_form(parameter)} in the model"
        return None

    def _restore_moment(self, name: str, value: torch.Tensor) -> None:
        moment, _, weight = name.partition(".")
        if weight in self.parameters:
            parameter = self.parameters[weight]
            moments = self.optimizer.state[parameter]
            moments[moment] = _beside(parameter, value)


def read_checkpoint(path: Path) -> Saved:
    """What a checkpoint file holds.

    Raises ValueError for one that is damaged, OSError where it cannot be read just now.
    """
    if not path.is_file():
        raise ValueError("it is no file")
    path.open("rb").close()  # what may not be read is an OSError, and no damage
    try:
        with safe_open(path, "pt") as file:  # once: a training may put a newer one in its place meanwhile
            facts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.offset_keys()}
    except SafetensorError as error:
        raise ValueError(f"it is no checkpoint: {error}") from error
    known = facts.pop(HASH, None)
    if known is not None and known != _hash(tensors, facts):  # older ones have none
        raise ValueError("its bytes have changed since it was written")
    return Saved(tensors, facts)


def forget(folder: Path) -> None:
    """Remove the checkpoint in a folder, whole or half-written, and the folder; what was set aside there stays."""
    _remove_unfinished(folder)
    if is_there(folder / FILE):
        remove(folder / FILE)
    with suppress(OSError):  # it is not empty
        folder.rmdir()


def _remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed have left in a checkpoint's folder."""
    for path in (partial_path(folder / FILE), *folder.glob(SCRATCH)):
        if is_there(path):
            remove(path)


def _hash(tensors: Mapping[str, torch.Tensor], facts: Mapping[str, str]) -> str:
    total = hashlib.sha256(json.dumps(dict(facts), sort_keys=True).encode())
    for name in sorted(tensors):
        value = tensors[name]
        total.update(f"{name} {_form(value)}".encode())
        total.update(value.reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()


def _form(value: torch.Tensor) -> str:
    return f"{'x'.join(map(str, value.shape)) or 'a number'} {str(value.dtype).removeprefix('torch.')}"


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
