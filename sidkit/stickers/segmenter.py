"""Where the subject is in a Sticker World picture that a model drew, of which no renderer knows it: a small U-Net.

For photos Grounded-SAM does this (`sidkit.masks.grounded_sam`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from sidkit.stickers.nets import Saved
from sidkit.stickers.tensors import pixels as as_pixels

SIDE = 64  # px that pictures are scaled to
SMALLEST = 0.01  # of the picture; a smaller subject is none
BATCH = 16
FINE = 8  # channels beside the pixels at the end


class Segmenter(Saved):
    """The subject's pixels, without what it wears: a U-Net of `width` channels at half the picture's side."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.config = {"width": width}
        widths = (width, 2 * width, 4 * width, 4 * width)
        levels = list(zip(widths, widths[1:]))
        self.stem = _block(3, width, stride=2)
        self.down = nn.ModuleList(_block(upper, lower, stride=2) for upper, lower in levels)
        self.up = nn.ModuleList(_block(upper + lower, upper) for upper, lower in levels)
        self.fewer = nn.Conv2d(width, FINE, 1)  # at the picture's own side a channel costs four times as much
        self.last = nn.Sequential(_block(FINE + 3, 8), nn.Conv2d(8, 1, 3, padding=1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, 64, 64) in [0, 1] to logits (n, 64, 64)."""
        x = self.stem(pixels - 0.5)
        upper = []
        for layer in self.down:
            upper.append(x)
            x = layer(x)
        for layer in reversed(self.up):
            x = layer(torch.cat([upper.pop(), _twice(x)], dim=1))
        fine = torch.cat([pixels - 0.5, _twice(self.fewer(x))], dim=1)
        return self.last(fine)[:, 0]

    @torch.inference_mode()
    def masks(self, pictures: Sequence[Image.Image]) -> list[np.ndarray | None]:
        """A boolean (height, width) a picture, True on the subject; None where none is found."""
        masks = []
        for start in range(0, len(pictures), BATCH):
            masks += self._masks(pictures[start : start + BATCH])
        return masks

    def _masks(self, pictures: Sequence[Image.Image]) -> list[np.ndarray | None]:
        small = [picture.convert("RGB").resize((SIDE, SIDE), Image.BILINEAR) for picture in pictures]
        logits = self(as_pixels(small))
        return [_mask(logit, picture.size) for logit, picture in zip(logits, pictures, strict=True)]


def _block(before: int, after: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1),
        nn.GroupNorm(4, after),
        nn.SiLU(),
        nn.Conv2d(after, after, 3, 1, 1),
        nn.GroupNorm(4, after),
        nn.SiLU(),
    )


def _twice(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _mask(logits: torch.Tensor, size: tuple[int, int]) -> np.ndarray | None:
    """The logits above 0, at the picture's own size."""
    width, height = size
    large = F.interpolate(logits[None, None], (height, width), mode="bilinear", align_corners=False)
    mask = (large[0, 0] > 0).numpy()
    if mask.mean() < SMALLEST or mask.all():
        return None
    return mask
