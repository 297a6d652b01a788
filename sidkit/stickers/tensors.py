"""Pictures as tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image


def pixels(images: Sequence[Image.Image]) -> torch.Tensor:
    """Pictures of one size as (n, 3, h, w) floats in [0, 1]."""
    arrays = [np.asarray(image.convert("RGB")) for image in images]
    return channels_first(np.stack(arrays)) / 255


def channels_first(pictures: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
    """Pictures (n, h, w, c) uint8 as (n, c, h, w) floats from 0 to 255, on the device."""
    return torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2).float()


def noise_like(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Standard normal noise of the shape of `x` and beside it; drawn on the CPU, so that every device has the same."""
    return torch.randn(x.shape, generator=generator).to(x.device)
