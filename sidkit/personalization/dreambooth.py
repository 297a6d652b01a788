"""DreamBooth (Ruiz et al., CVPR 2023): train the whole denoiser."""

from __future__ import annotations

from diffusers import DiffusionPipeline
from torch.nn import Parameter

from sidkit.config import Training
from sidkit.models import text_parts


def dreambooth(pipe: DiffusionPipeline, training: Training) -> dict[str, Parameter]:
    """Every weight of the UNet and, with `training.text_encoder`, of the text encoders."""
    parts = {"unet": pipe.unet}
    if training.text_encoder:
        parts |= {part.name: part.encoder for part in text_parts(pipe)}
    return {f"{name}.{key}": weight for name, part in parts.items() for key, weight in part.named_parameters()}
