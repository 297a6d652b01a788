"""The factor reader learns what is in a picture: one class, place, style and pose, and any number of things."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from sidkit.pretrain.augmentation import jitter, recolor
from sidkit.pretrain.fit import Part
from sidkit.pretrain.pool import COVERING, Pool, batch_of
from sidkit.stickers.factors import Scene
from sidkit.stickers.heads import ANSWERS, PAIR, PLACE, THINGS, answers
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import compose
from sidkit.stickers.tensors import channels_first

COMPANIONS = 2000  # things cut out of scenes of their own, to stand in another's as well
ACCOMPANIED = 0.4  # share of the plain scenes that get one of them
SMOOTHING = 0.05  # of the labels of factors of which a picture shows one value


class ReaderPart(Part):
    """Cross-entropy of every factor; of things, each by itself.

    The renderer puts one thing beside a subject at most, so a second is pasted into some pictures as they are drawn:
    else the reader would learn that one thing rules out the others.
    """

    def __init__(self, reader: torch.nn.Module, pool: Pool, batch: int) -> None:
        super().__init__()
        self.reader = reader
        self.pool = pool
        self.batch = batch
        self.labels = labels_of(pool.scenes)
        self.plain = torch.tensor([scene.style is None for scene in pool.scenes])
        count, size = min(COMPANIONS, len(pool)), pool.pictures.shape[1]
        self.companions = companions(count, size, np.random.default_rng(0))

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        device = next(self.parameters()).device
        labels = {factor: known[drawn] for factor, known in self.labels.items()}
        x, labels["nearby"] = self.accompanied(drawn, generator)
        x, kept = recolor(jitter(x.to(device), generator), generator)
        logits = self.reader(x)
        losses = [_unread(factor, logits[factor].float(), labels[factor].to(device), kept) for factor in ANSWERS]
        return torch.stack(losses).sum()

    def accompanied(self, drawn: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures (n, 3, side, side) in [0, 1], some with a thing more on the other side, and what is nearby then."""
        chosen = torch.randint(len(self.companions.cuts), (len(drawn),), generator=generator)
        joined = torch.rand(len(drawn), generator=generator) < ACCOMPANIED
        joined &= self.plain[drawn]
        cuts = channels_first(self.companions.cuts[chosen.numpy()]) / 255
        crowded = self.sides(drawn) * _sides(cuts[:, 3]) > 0
        cuts = torch.where(crowded[:, None, None, None], cuts.flip(3), cuts)
        cover = cuts[:, 3:] * joined[:, None, None, None]
        x = batch_of(self.pool, drawn.numpy(), torch.device("cpu"))
        more = self.companions.shown[chosen] * joined[:, None]
        return torch.lerp(x, cuts[:, :3], cover), self.labels["nearby"][drawn].maximum(more)

    def sides(self, drawn: torch.Tensor) -> torch.Tensor:
        """On which side (n,) the thing beside each subject is: below 0 to the left, above to the right, 0 without."""
        cover = self.pool.cover[drawn.numpy(), COVERING.index("nearby")]
        return _sides(torch.from_numpy(cover).float())


class Companions(NamedTuple):
    """Things cut out of scenes, (n, side, side, 4) uint8 RGBA, and which they are, (n, things) of 0 and 1."""

    cuts: np.ndarray
    shown: torch.Tensor


def companions(count: int, size: int, rng: np.random.Generator) -> Companions:
    """So many things as plain scenes of `size` px show them."""
    cuts, scenes = [], []
    while len(cuts) < count:
        scene = replace(sample_scene(rng), style=None, pose="standing")
        composed = compose(scene, size, rng)
        mask = composed.masks["nearby"] & ~composed.masks["subject"] & ~composed.masks["tied"]
        if mask.any():
            cuts.append(np.dstack([np.asarray(composed.image), np.uint8(255 * mask)]))
            scenes.append(scene)
    return Companions(np.stack(cuts), labels_of(scenes)["nearby"])


def labels_of(scenes: Sequence[Scene]) -> dict[str, torch.Tensor]:
    """Of each of ANSWERS the numbers (n,) of the scenes' values; of THINGS which are there, (n, values) of 0 and 1."""
    rows = [answers(scene) for scene in scenes]
    found = {}
    for factor, values in ANSWERS.items():
        column = [row[factor] for row in rows]
        found[factor] = _present(column, len(values)) if factor in THINGS else torch.tensor(column)
    return found


def _present(column: Sequence[int | None], values: int) -> torch.Tensor:
    present = torch.zeros(len(column), values)
    for row, value in enumerate(column):
        if value is not None:
            present[row, value] = 1
    return present


def _sides(cover: torch.Tensor) -> torch.Tensor:
    """How far (n,) what is covered in (n, h, w) lies from the middle."""
    across = torch.linspace(-1, 1, cover.shape[-1])
    return (cover * across).mean((1, 2))


def _unread(factor: str, logits: torch.Tensor, labels: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """A factor's loss; `kept` (n,) tells which pictures have their colours, without which a night is no night."""
    if factor in THINGS:
        return F.binary_cross_entropy_with_logits(logits, labels, reduction="sum") / len(labels)
    losses = F.cross_entropy(logits, labels, label_smoothing=SMOOTHING, reduction="none")
    if factor == PLACE:
        losses = torch.where(kept, losses, _unplaced(logits, labels))
    return losses.mean()


def _unplaced(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The cross-entropy (n,) of the place alone, whichever its variant."""
    places = [pair.split(PAIR)[0] for pair in ANSWERS[PLACE]]
    same = torch.tensor([[one == other for other in places] for one in places], device=logits.device)
    there = logits.masked_fill(~same[labels], -torch.inf)
    return logits.logsumexp(1) - there.logsumexp(1)
