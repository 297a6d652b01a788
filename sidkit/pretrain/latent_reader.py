"""Reads the factors of a scene from its latents: what tells the text-to-image model whether it draws what it was told.

It measures nothing: the scores come from the factor reader, another network, which looks at the pictures themselves.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from sidkit.pretrain.fit import Part
from sidkit.pretrain.pool import Pool, pool_labels
from sidkit.stickers.heads import HEADS
from sidkit.stickers.nets import Saved

UNSAID = -100  # a label that the cross-entropy leaves out
MADE_UP = "made up"  # what the reader may see instead of a value
HARD = {"class": 2.0, "tied": 2.0, "pose": 2.0}  # weights of the factors that are learnt last
READS = {head: (*values, MADE_UP) if head in HARD else values for head, values in HEADS.items()}
NOISE = 1.0  # the most noise mixed in, in standard deviations of a latent


class LatentReader(Saved):
    """A small residual network; `heads` maps each factor to the values it can take."""

    def __init__(self, channels: int, heads: dict[str, list[str]]) -> None:
        super().__init__()
        values = {head: list(names) for head, names in heads.items()}
        self.config = {"channels": channels, "heads": values}
        self.net = nn.Sequential(
            nn.Conv2d(channels, 64, 3, padding=1),
            Residual(64, 64),
            Residual(64, 128, 2),
            Residual(128, 128),
            Residual(128, 256, 2),
            Residual(256, 256),
            nn.GroupNorm(8, 256),
            nn.SiLU(),
        )
        self.heads = nn.ModuleDict({head: nn.Linear(2 * 256, len(names)) for head, names in heads.items()})

    def forward(self, latents: torch.Tensor) -> dict[str, torch.Tensor]:
        """(n, channels, h, w) latents of about unit variance to logits (n, values) of each factor."""
        maps = self.net(latents)
        means = maps.mean((2, 3))
        peaks = maps.amax((2, 3))
        features = torch.cat([means, peaks], dim=1)
        return {name: head(features) for name, head in self.heads.items()}


class Residual(nn.Module):
    """Two convolutions beside a shortcut; `stride` 2 halves the sides."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(8, before)
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1)
        self.norm2 = nn.GroupNorm(8, after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.shortcut = nn.Conv2d(before, after, 1) if before != after else nn.Identity()
        self.smaller = nn.AvgPool2d(stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.conv1(F.silu(self.norm1(x)))
        inner = self.conv2(F.silu(self.norm2(inner)))
        return self.shortcut(self.smaller(x)) + inner


class LatentReaderPart(Part):
    """Cross-entropy over every factor of latents with some noise, so that its gradient points at shapes.

    It can go on learning beside the text-to-image model: a drawing that only looks like a dog to it is shown to it as
    MADE_UP, so that the next such drawing counts as missed (the discriminator of arXiv 1606.03498, section 5).
    """

    def __init__(self, reader: LatentReader, pool: Pool, latents: np.ndarray, batch: int) -> None:
        super().__init__()
        self.reader = reader
        self.pool = pool
        self.latents = latents
        self.batch = batch
        self.labels = pool_labels(pool)

    def loss(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        device = next(self.parameters()).device
        latents = torch.from_numpy(self.latents[drawn.numpy()]).float().to(device)
        logits = self.reader(glance(latents, generator))
        losses = []
        for head in HEADS:
            truth = self.labels[head][drawn].to(device)
            losses.append(F.cross_entropy(logits[head].float(), truth))
        return torch.stack(losses).sum()

    def loss_on_drawn(self, drawn: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """How far from knowing that these latents (n, c, h, w) are the text-to-image model's; 0 or more."""
        logits = self.reader(glance(drawn.detach(), generator))
        losses = []
        for head in HARD:
            made_up = torch.full((len(drawn),), len(HEADS[head]), device=drawn.device)
            losses.append(F.cross_entropy(logits[head].float(), made_up))
        return torch.stack(losses).sum()

    def missed(
        self,
        latents: torch.Tensor,
        asked: dict[str, torch.Tensor],
        generator: torch.Generator,
        doubt: bool,
    ) -> torch.Tensor:
        """How far from seeing what was `asked` (labels (n,) a factor, or UNSAID): a cross-entropy, 0 or more.

        With `doubt`, being seen as drawn is a miss as well. Teaches what made the latents, and not the reader.
        """
        self.reader.requires_grad_(False)
        logits = self.reader(glance(latents, generator))
        self.reader.requires_grad_(True)
        losses = [_missed(logits[head], head, asked[head], doubt) for head in HEADS]
        return torch.stack(losses).sum()


def _missed(logits: torch.Tensor, head: str, asked: torch.Tensor, doubt: bool) -> torch.Tensor:
    logits = logits.float()
    if not doubt:
        logits = logits[:, : len(HEADS[head])]
    total = F.cross_entropy(logits, asked, ignore_index=UNSAID, reduction="sum")
    return HARD.get(head, 1.0) * total / len(logits)


def glance(latents: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Latents (n, c, h, w) moved by at most a place, with noise of another strength for each, mostly little."""
    left, top = torch.randint(3, (2,), generator=generator).tolist()
    height, width = latents.shape[2:]
    roomy = F.pad(latents, (1, 1, 1, 1), mode="replicate")
    moved = roomy[:, :, top : top + height, left : left + width]
    strength = NOISE * torch.rand(len(latents), 1, 1, 1, generator=generator) ** 2
    noise = torch.randn(latents.shape, generator=generator)
    return moved + (strength * noise).to(latents.device)
