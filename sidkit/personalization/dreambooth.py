"""DreamBooth (Ruiz et al., CVPR 2023): train the whole denoiser."""

from __future__ import annotations

from diffusers import DiffusionPipeline
from torch.nn import Parameter

from sidkit.config import Training
from sidkit.models import text_parts


def dreambooth(pipe: DiffusionPipeline, training: Training) -> dict[str, Parameter]:
    """Every weight of the UNet and, with `training.text_encoder`, of the text encoders."""
    trained = dict(pipe.unet.named_parameters(prefix="unet"))
    if training.text_encoder:
        for part in text_parts(pipe):
            trained.update(part.encoder.named_parameters(prefix=part.name))
    return trained
