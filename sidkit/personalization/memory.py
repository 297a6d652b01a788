"""What makes a training fit a smaller card: 8-bit moments, gradient checkpointing, and models put away while unused."""

from __future__ import annotations

import importlib.util
import resource
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline
from torch import nn

from sidkit.config import Training
from sidkit.models import text_parts

Group = dict[str, Any]  # of an optimizer: `params` and, where it is not the usual one, their `lr`
EIGHT_BIT = "bitsandbytes"
LARGEST_KEPT = 2**25 - 2**14  # bytes; the most that glibc learns to keep for the next time


def make_optimizer(groups: Iterable[Group], training: Training) -> torch.optim.Optimizer:
    """AdamW, with moments in 8 bits where `training.optimizer` says so (tensors of 4096 numbers and more).

    A group may have a learning rate of its own (`methods.groups`). Raises ValueError where 8 bits need a package that
    is not installed.
    """
    settings = dict(lr=training.learning_rate, weight_decay=training.weight_decay)
    if training.optimizer == "adamw":
        return torch.optim.AdamW(groups, **settings, fused=True)
    check_optimizer(training)
    from bitsandbytes.optim import AdamW8bit

    return AdamW8bit(groups, **settings)


def keep_freed_memory(device: torch.device) -> None:
    """Let the next step on a CPU use again what the last one has freed; about a tenth faster in Sticker World.

    glibc returns large pieces to the system, which has to clear each again, until it has seen a larger one freed.
    """
    if device.type == "cpu":
        torch.empty(LARGEST_KEPT, dtype=torch.uint8)


def forget_peak(device: torch.device) -> None:
    """Let `peak` count from here. Of a CPU only Linux can forget; elsewhere the peak is that of the whole process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # see proc(5)


def peak(device: torch.device) -> int:
    """The most memory in use since `forget_peak`, bytes: the card's own, or on a CPU that of the whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def check_optimizer(training: Training) -> None:
    """Raise ValueError unless what `training.optimizer` needs is installed."""
    if training.optimizer == "adamw8bit" and importlib.util.find_spec(EIGHT_BIT) is None:
        fault = f"optimizer adamw8bit: expected the package {EIGHT_BIT}, which is not installed"
        raise ValueError(f"{fault}; pip install {EIGHT_BIT}, or set training's optimizer to adamw")


@contextmanager
def little_memory(pipe: DiffusionPipeline, training: Training, texts_are_encoded: bool) -> Iterator[None]:
    """Within, only what each step needs is on the device, as far as `training` asks for it; results stay the same.

    With `training.unload` the autoencoder, and the text encoders where `texts_are_encoded`, wait in main memory. With
    `training.gradient_checkpointing` the UNet, and text encoders that are trained, compute their activations twice.
    """
    encoders = [part.encoder for part in text_parts(pipe)]
    idle = [pipe.vae, *(encoders if texts_are_encoded else [])] if training.unload else []
    twice = [pipe.unet, *([] if texts_are_encoded else encoders)] if training.gradient_checkpointing else []
    device = pipe.unet.device
    try:
        for part in idle:
            part.to("cpu")
        if idle and device.type == "cuda":
            torch.cuda.empty_cache()
        for part in twice:
            _checkpointing(part, True)
        yield
    finally:
        for part in twice:
            _checkpointing(part, False)
        for part in idle:
            part.to(device)


def _checkpointing(part: nn.Module, on: bool) -> None:
    """diffusers and transformers name it differently; transformers' only works in training mode."""
    if isinstance(part, nn.Module) and hasattr(part, "enable_gradient_checkpointing"):
        part.enable_gradient_checkpointing() if on else part.disable_gradient_checkpointing()
        return
    part.gradient_checkpointing_enable() if on else part.gradient_checkpointing_disable()
    part.train(on)
    for module in part.modules():
        if isinstance(module, nn.Dropout):
            module.eval()  # its randomness would not be ours
