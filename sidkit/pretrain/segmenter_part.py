"""Pretraining of the segmenter: rendered scenes, and where their subjects are."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from sidkit.pretrain.fit import Part
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import compose
from sidkit.stickers.segmenter import SIDE, Segmenter

SCENES = 6000
HELD_OUT = 300  # scenes of designs that no training shows, for the card's score
SHOWN = 8  # pictures on a sheet


class SegmenterPart(Part):
    """Cross-entropy of each pixel of pictures that are moved, softened, recoloured and made noisy, each a little."""

    def __init__(self, net: Segmenter, pictures: np.ndarray, masks: np.ndarray, batch: int) -> None:
        super().__init__()
        self.net, self.pool, self.masks, self.batch = net, pictures, masks, batch

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        index, device = drawn.numpy(), next(self.parameters()).device
        both = np.concatenate([self.pool[index], 255 * self.masks[index, ..., None].astype(np.uint8)], axis=-1)
        moved = move(torch.from_numpy(both).to(device).permute(0, 3, 1, 2).float() / 255, generator)
        logits = self.net(blur(moved[:, :3], generator))
        return F.binary_cross_entropy_with_logits(logits.float(), moved[:, 3])

    def sheet(self) -> Image.Image:
        """Pictures, and below them how sure each pixel is the subject's."""
        x = torch.from_numpy(self.pool[:SHOWN]).permute(0, 3, 1, 2).float() / 255
        found = self.net(x.to(next(self.parameters()).device)).sigmoid().cpu().numpy()
        below = np.hstack(np.uint8(found * 255))[..., None].repeat(3, axis=2)
        return Image.fromarray(np.vstack([np.hstack(self.pool[:SHOWN]), below]))


def move(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Pictures (n, c, h, w) mirrored, moved and scaled, all channels of a picture alike."""
    n = len(x)
    r = torch.rand(5, n, generator=generator).to(x.device) * 2 - 1
    zoom, mirror = 1 + 0.1 * r[0], r[1].sign()
    rows = [zoom * mirror, 0.08 * r[2], 0.1 * r[3], -0.08 * r[2] * mirror, zoom, 0.1 * r[4]]
    grid = F.affine_grid(torch.stack(rows, 1).view(n, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)


def blur(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Pictures (n, 3, h, w) in [0, 1] as a model might have drawn them: soft, tinted, noisy."""
    r = torch.rand(3, len(x), 1, 1, 1, generator=generator).to(x.device)
    tint = 1 + 0.15 * (torch.rand(len(x), 3, 1, 1, generator=generator).to(x.device) * 2 - 1)
    x = torch.lerp(x, F.interpolate(F.avg_pool2d(x, 2), x.shape[-2:], mode="bilinear"), r[0])
    noise = torch.randn(x.shape, generator=generator).to(x.device)
    return (x * tint + 0.12 * (r[1] - 0.5) + 0.05 * r[2] * noise).clamp(0, 1)


def scenes(count: int, *, seed: int, held_out: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (n, 64, 64, 3) uint8 and the subjects' masks (n, 64, 64) bool; held-out designs are in no training."""
    rng = np.random.default_rng(seed)
    made = [compose(sample_scene(rng, held_out=held_out), SIDE, rng) for _ in range(count)]
    return np.stack([np.asarray(one.image) for one in made]), np.stack([one.masks["subject"] > 0 for one in made])


def overlap(net: Segmenter, pictures: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Intersection over union (n,) of found and true masks, in [0, 1]; 0 where nothing is found."""
    found = net.masks([Image.fromarray(one) for one in pictures])
    return np.array([0 if one is None else (one & true).sum() / (one | true).sum() for one, true in zip(found, masks)])
