"""What personalization changed in a pipeline, as one safetensors file that says how it was made."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from diffusers import DiffusionPipeline
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from sidkit.config import Training
from sidkit.personalize.methods import freeze, trained_parameters

FILE = "personalized.safetensors"


def save(pipe: DiffusionPipeline, folder: Path, method: str, training: Training) -> Path:
    """Write the parameters that `method` trains, with its settings in the file's metadata; returns the file."""
    parameters = trained_parameters(pipe, method, training)
    freeze(pipe)
    tensors = {name: value.detach().cpu().contiguous() for name, value in parameters.items()}
    folder.mkdir(parents=True, exist_ok=True)
    path, partial = folder / FILE, folder / f".{FILE}"
    save_file(tensors, partial, {"method": method, "training": json.dumps(asdict(training))})
    os.replace(partial, path)
    return path


def load(pipe: DiffusionPipeline, folder: Path) -> tuple[str, Training]:
    """Put saved parameters into a pipeline of the same base model, in place; returns the method and its settings.

    Raises ValueError for a file that is missing, damaged, or of another base model.
    """
    path = Path(folder) / FILE
    try:
        with safe_open(path, "pt") as file:
            told = file.metadata()
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"expected personalized weights at {path}: {error}; personalize the subject again") from error
    method, training = told["method"], Training(**json.loads(told["training"]))
    parameters = trained_parameters(pipe, method, training)
    freeze(pipe)
    shapes = {name: tuple(value.shape) for name, value in parameters.items()}
    if shapes != {name: tuple(value.shape) for name, value in tensors.items()}:
        raise ValueError(f"{path} is of another base model than the pipeline; load the pipeline of its profile")
    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(tensors[name])
    return method, training
