"""How far a personalization has come, kept in a checkpoint from which it goes on to the same bits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

import torch

from sidkit.checkpoint import Checkpoint
from sidkit.config import Training

GENERATOR, LOSSES = "generator", "losses"


class Progress:
    """The losses so far, and beside the weights all else that changes: where `generator` and `scaler` are.

    `run` says which training this is (`run_name`); a checkpoint of another one is refused.
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
        """Take up the state of the same run, if there is one; returns the losses so far. ValueError for another run."""
        facts = self.checkpoint.facts()
        if facts is None:
            return []
        if facts["run"] != self.run:
            raise ValueError(
                f"{self.checkpoint.path} is of another run: expected the same data, settings and seed; remove it first"
            )
        state = self.checkpoint.restore()
        self.generator.set_state(state[GENERATOR])
        self.scaler.load_state_dict(json.loads(facts["scaler"]))
        return state[LOSSES].tolist()

    def save(self, losses: list[float]) -> None:
        """Write the state whole, or not at all."""
        tensors = {
            GENERATOR: self.generator.get_state(),
            LOSSES: torch.tensor(losses, dtype=torch.float64),
        }
        self.checkpoint.save(tensors, {"run": self.run, "scaler": json.dumps(self.scaler.state_dict())})


def run_name(method: str, training: Training, seed: int, data: list[str | torch.Tensor]) -> str:
    """The same for trainings of the same method, settings, seed and data."""
    digest = hashlib.sha256()
    for value in (method, json.dumps(asdict(training)), str(seed), *data):
        digest.update(value.encode() if isinstance(value, str) else value.cpu().numpy().tobytes())
        digest.update(b"\0")
    return digest.hexdigest()
