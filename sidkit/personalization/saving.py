"""What personalization changed in a pipeline, as one safetensors file that says how it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from diffusers import DiffusionPipeline
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from sidkit.config import Training
from sidkit.files import whole_file
from sidkit.personalization.methods import METHODS, freeze, trained_parameters

FILE = "personalized.safetensors"


def save_personalized(
    pipe: DiffusionPipeline,
    folder: Path,
    method: str,
    training: Training,
) -> Path:
    """Write the parameters that `method` trains, with its settings in the file's metadata; returns the file.

    Plain diffusers reads the file of `lora` by `load_lora_weights` and that of `textual_inversion` by
    `load_textual_inversion`.
    """
    parameters = _stored(pipe, method, training)
    tensors = {name: value.detach().cpu().contiguous() for name, value in parameters.items()}
    facts = {"method": method, "training": json.dumps(asdict(training))}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    with whole_file(path) as partial:
        save_file(tensors, partial, facts)
    return path


def load_personalized(pipe: DiffusionPipeline, folder: Path) -> tuple[str, Training]:
    """Put saved parameters into a pipeline of the same base model, in place; returns the method and its settings.

    Raises ValueError for a file that is missing, damaged, or of another base model.
    """
    path = Path(folder) / FILE
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata()
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"expected personalized weights at {path}: {error}; personalize the subject again") from error
    method = facts["method"]
    training = Training(**json.loads(facts["training"]))
    parameters = _stored(pipe, method, training)
    if _shapes(parameters) != _shapes(tensors):
        raise ValueError(f"{path} is of another base model than the pipeline; load the pipeline of its profile")
    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(tensors[name])
    return method, training


def _stored(
    pipe: DiffusionPipeline,
    method: str,
    training: Training,
) -> dict[str, torch.nn.Parameter]:
    """What the method trains, by the names of its file; frozen, since nothing is trained here."""
    parameters = trained_parameters(pipe, method, training)
    freeze(pipe)
    stored_as = METHODS[method].stored_as
    return {stored_as(pipe, name): value for name, value in parameters.items()}


def _shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}
