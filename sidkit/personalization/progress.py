"""How far a personalization has come, kept in a checkpoint from which it goes on to the same bits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

import torch

from sidkit.checkpoint import WEIGHT, Checkpoint, Saved
from sidkit.config import Training

GENERATOR, LOSSES = "generator", "losses"


class Progress:
    """The losses so far, and beside the weights all else that changes: where `generator` and `scaler` are.

    `run` says which training this is (`run_name`); a checkpoint of another one is set aside.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        scaler: torch.amp.GradScaler,
        generator: torch.Generator,
        run: str,
    ) -> None:
        self.checkpoint = checkpoint
        self.scaler = scaler
        self.generator = generator
        self.run = run

    def resume(self) -> list[float]:
        """Take up the state of the same run, if there is one; returns the losses so far."""
        saved = self.checkpoint.load(self._fault)
        if saved is None:
            return []
        self.checkpoint.restore(saved)
        self.generator.set_state(saved.tensors[GENERATOR])
        self.scaler.load_state_dict(json.loads(saved.facts["scaler"]))
        return saved.tensors[LOSSES].tolist()

    def _fault(self, saved: Saved) -> str | None:
        """Why a training cannot go on from it to the same bits."""
        if saved.facts.get("run") != self.run:
            return "it is of another run: other data, settings, seed or method"
        state = self.generator.get_state()
        position = saved.tensors.get(GENERATOR)
        if position is None or position.shape != state.shape or position.dtype != state.dtype:
            return "it does not say where the random numbers are"
        losses = saved.tensors.get(LOSSES)
        if losses is None or losses.dtype != torch.float64 or losses.ndim != 1:
            return "it holds no losses"
        missing = [name for name in self.checkpoint.parameters if WEIGHT + name not in saved.tensors]
        if missing:
            return f"it lacks the weight {missing[0]}"
        return None if _is_object(saved.facts.get("scaler")) else "it does not say how losses are scaled"

    def save(self, losses: list[float]) -> None:
        """Write the state whole, or not at all."""
        tensors = {
            GENERATOR: self.generator.get_state(),
            LOSSES: torch.tensor(losses, dtype=torch.float64),
        }
        self.checkpoint.save(tensors, {"run": self.run, "scaler": json.dumps(self.scaler.state_dict())})


def _is_object(text: str | None) -> bool:
    try:
        return isinstance(json.loads(text or ""), dict)
    except ValueError:
        return False


def run_name(method: str, training: Training, seed: int, data: list[str | torch.Tensor]) -> str:
    """The same for trainings of the same method, settings, seed and data."""
    digest = hashlib.sha256()
    for value in (method, json.dumps(asdict(training)), str(seed), *data):
        digest.update(value.encode() if isinstance(value, str) else value.cpu().numpy().tobytes())
        digest.update(b"\0")
    return digest.hexdigest()
