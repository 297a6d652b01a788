"""The state of a training run in a file, from which it goes on to the same bits as if it had never stopped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sidkit.config import Training
from sidkit.files import whole_file

FILE = "checkpoint.safetensors"


class Checkpoint:
    """Everything that changes during training. With `folder` None nothing is kept.

    The folder belongs to the caller, who removes it when the result is safe.
    """

    def __init__(
        self,
        folder: Path | None,
        parameters: dict[str, torch.nn.Parameter],
        optimizer: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        generator: torch.Generator,
    ):
        self.path = Path(folder) / FILE if folder else None
        self.parameters, self.optimizer, self.scaler, self.generator = parameters, optimizer, scaler, generator
        self.run = ""

    def resume(self, method: str, training: Training, seed: int, data: list[str | torch.Tensor]) -> list[float]:
        """Take up the state of the same run, if there is one; returns the losses so far."""
        self.run = _digest([method, json.dumps(asdict(training)), str(seed), *data])
        if self.path is None or not self.path.is_file():
            return []
        with safe_open(self.path, "pt") as file:
            kept = file.metadata()
        if kept["run"] != self.run:
            raise ValueError(
                f"{self.path} is of another run: expected the same data, settings and seed; remove it first"
            )
        state = load_file(self.path)
        with torch.no_grad():
            for name, parameter in self.parameters.items():
                parameter.copy_(state[name])
                keys = [key for key in state if key.endswith(f":{name}")]
                moments = {key.removesuffix(f":{name}"): _restored(state[key], parameter.device) for key in keys}
                if moments:
                    self.optimizer.state[parameter] = moments
        self.generator.set_state(state["generator:"])
        self.scaler.load_state_dict(json.loads(kept["scaler"]))
        return state["losses:"].tolist()

    def save(self, losses: list[float]) -> None:
        """Write the state whole, or not at all."""
        if self.path is None:
            return
        state = {"generator:": self.generator.get_state(), "losses:": torch.tensor(losses, dtype=torch.float64)}
        for name, parameter in self.parameters.items():
            state[name] = parameter
            moments = self.optimizer.state[parameter].items()
            state |= {f"{key}:{name}": torch.as_tensor(value) for key, value in moments}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"run": self.run, "scaler": json.dumps(self.scaler.state_dict())}
        # copies, because bitsandbytes' moments share their tables, and a file may hold no tensor twice
        copies = {key: value.detach().to("cpu", copy=True).contiguous() for key, value in state.items()}
        with whole_file(self.path) as partial:
            save_file(copies, partial, kept)


def _restored(value: torch.Tensor, device: torch.device) -> torch.Tensor | int:
    """A moment on its device; bitsandbytes counts steps in a plain number, torch in a tensor of floats."""
    return int(value) if value.ndim == 0 and not value.is_floating_point() else value.to(device)


def _digest(values: list[str | torch.Tensor]) -> str:
    digest = hashlib.sha256()
    for value in values:
        digest.update(value.encode() if isinstance(value, str) else value.cpu().numpy().tobytes())
        digest.update(b"\0")
    return digest.hexdigest()
