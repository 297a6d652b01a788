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

SIDE = 128  # px that pictures are scaled to
SMALLEST = 0.01  # of the picture; a smaller subject is none
BATCH = 16
FINE = 8  # channels beside the pixels at the end


class Segmenter(Saved):
    """The subject's pixels, without what it wears: a U-Net for pictures of `side` px.

    It has `width` channels at half the side, twice as many a level lower, and four times as many below that.
    """

    def __init__(self, width: int = 16, levels: int = 5, side: int = SIDE) -> None:
        super().__init__()
        self.config = {"width": width, "levels": levels, "side": side}
        widths = (width, 2 * width, *[4 * width] * (levels - 2))
        self.stem = _block(3, width, stride=2)
        self.down = nn.ModuleList(_block(a, b, stride=2) for a, b in zip(widths, widths[1:]))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in zip(widths, widths[1:]))
        self.fewer = nn.Conv2d(width, FINE, 1)  # at the picture's own side a channel costs four times as much
        self.last = nn.Sequential(_block(FINE + 3, 8), nn.Conv2d(8, 1, 3, padding=1))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """(n, 3, side, side) in [0, 1] to logits (n, side, side)."""
        maps = [self.stem(pixels - 0.5)]
        for layer in self.down:
            maps.append(layer(maps[-1]))
        x = maps.pop()
        for layer in reversed(self.up):
            x = layer(torch.cat([maps.pop(), _twice(x)], dim=1))
        return self.last(torch.cat([pixels - 0.5, _twice(self.fewer(x))], dim=1))[:, 0]

    @torch.inference_mode()
    def masks(self, pictures: Sequence[Image.Image]) -> list[np.ndarray | None]:
        """A boolean (height, width) a picture, True on the subject; None where none is found."""
        return [mask for start in range(0, len(pictures), BATCH) for mask in self._masks(pictures[start:][:BATCH])]

    def _masks(self, pictures: Sequence[Image.Image]) -> list[np.ndarray | None]:
        side = (self.config["side"],) * 2
        small = [np.asarray(one.convert("RGB").resize(side, Image.BILINEAR)) for one in pictures]
        logits = self(torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255)
        return [_mask(one, picture.size) for one, picture in zip(logits, pictures)]


def _block(before: int, after: int, stride: int = 1) -> nn.Sequential:
    layers = []
    for count, step in ((before, stride), (after, 1)):
        layers += [nn.Conv2d(count, after, 3, step, 1), nn.GroupNorm(4, after), nn.SiLU()]
    return nn.Sequential(*layers)


def _twice(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _mask(logits: torch.Tensor, size: tuple[int, int]) -> np.ndarray | None:
    """The logits above 0, at the picture's own size."""
    large = F.interpolate(logits[None, None], size[::-1], mode="bilinear", align_corners=False)[0, 0]
    mask = (large > 0).numpy()
    return mask if mask.mean() >= SMALLEST and not mask.all() else None
