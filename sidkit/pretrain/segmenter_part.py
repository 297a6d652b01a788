"""Pretraining of the segmenter: rendered scenes, and where their subjects are."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from sidkit.pretrain.augmentation import blur, move
from sidkit.pretrain.fit import Part
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import compose
from sidkit.stickers.segmenter import SIDE, Segmenter
from sidkit.stickers.tensors import channels_first

SCENES = 6000
HELD_OUT = 300  # scenes of designs that no training shows, for the card's score
ON_SHEET = 8  # pictures


class SegmenterPart(Part):
    """Cross-entropy of each pixel of pictures that are moved, softened, recoloured and made noisy, each a little."""

    def __init__(self, net: Segmenter, pictures: np.ndarray, masks: np.ndarray, batch: int) -> None:
        super().__init__()
        self.net = net
        self.pool = pictures
        self.masks = masks
        self.batch = batch

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        index = drawn.numpy()
        device = next(self.parameters()).device
        masks = 255 * self.masks[index, ..., None].astype(np.uint8)
        together = np.concatenate([self.pool[index], masks], axis=-1)
        moved = move(channels_first(together, device) / 255, generator)
        pictures, wanted = moved[:, :3], moved[:, 3]
        logits = self.net(blur(pictures, generator))
        return F.binary_cross_entropy_with_logits(logits.float(), wanted)

    def sheet(self) -> Image.Image:
        """Pictures, and below them how sure each pixel is the subject's."""
        device = next(self.parameters()).device
        pictures = self.pool[:ON_SHEET]
        logits = self.net(channels_first(pictures, device) / 255)
        shares = logits.sigmoid().cpu().numpy()
        gray = np.hstack(np.uint8(shares * 255))
        below = gray[..., None].repeat(3, axis=2)
        return Image.fromarray(np.vstack([np.hstack(pictures), below]))


def scenes(count: int, *, seed: int, held_out: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (n, side, side, 3) and their subjects' masks (n, side, side); held-out designs are in no training."""
    rng = np.random.default_rng(seed)
    pictures, masks = [], []
    for _ in range(count):
        scene = sample_scene(rng, held_out=held_out)
        composed = compose(scene, SIDE, rng)
        pictures.append(np.asarray(composed.image))
        masks.append(composed.masks["subject"])
    return np.stack(pictures), np.stack(masks)


def overlap(net: Segmenter, pictures: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Intersection over union (n,) of found and true masks, in [0, 1]; 0 where nothing is found."""
    found = net.masks([Image.fromarray(picture) for picture in pictures])
    return np.array([_overlap(mask, truth) for mask, truth in zip(found, masks, strict=True)])


def _overlap(mask: np.ndarray | None, truth: np.ndarray) -> float:
    if mask is None:
        return 0
    return (mask & truth).sum() / (mask | truth).sum()
