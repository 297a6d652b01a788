"""Pictures (n, c, h, w) in [0, 1] changed at random, each a little, so that a model that looks learns what stays."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from sidkit.stickers.tensors import noise_like

COLOR_MIX = 0.6  # deviation of the numbers that mix the colours of a recoloured picture
NEGATIVE_SHARE = 0.3  # of the recoloured pictures
KEPT_SHARE = 0.5  # of all pictures, whose colours stay


def jitter(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Moved, scaled, blurred by rescaling, recoloured and mixed with noise.

    Sampled pictures are softer and noisier than rendered ones; a reader must not mind.
    """
    zoom, lean, across, down, soft, contrast, light, noise = _between(-1, 1, 8, x, generator)
    stretch = 1 + 0.08 * zoom
    rows = [stretch, 0.05 * lean, 0.08 * across, -0.05 * lean, stretch, 0.08 * down]
    x = _moved(x, rows)
    x = torch.lerp(x, _softened(x), _per_picture(soft.clamp(0)))
    x = x * (1 + 0.12 * _per_picture(contrast)) + 0.06 * _per_picture(light)
    strength = 0.05 * _per_picture(noise.clamp(0))
    return (x + strength * noise_like(x, generator)).clamp(0, 1)


def recolor(x: torch.Tensor, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Half of the pictures with their colours mixed at random, some of these as a negative; and which were kept (n,).

    A design that the reader never saw may be a black cat where all others are orange: it must read shapes.
    """
    count = len(x)
    mix = torch.eye(3) + COLOR_MIX * torch.randn(count, 3, 3, generator=generator)
    mix = mix / mix.abs().sum(dim=2, keepdim=True)
    shares = torch.tensor([[NEGATIVE_SHARE], [KEPT_SHARE]])
    chosen = torch.rand(2, count, generator=generator) < shares
    negative, kept = chosen.to(x.device)
    mixed = torch.einsum("nij,njhw->nihw", mix.to(x.device), x - 0.5)
    mixed = torch.where(_per_picture(negative), -mixed, mixed) + 0.5
    return torch.where(_per_picture(kept), x, mixed.clamp(0, 1)), kept


def move(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirrored, moved and scaled, all channels of a picture alike."""
    zoom, side, lean, across, down = _between(-1, 1, 5, x, generator)
    stretch = 1 + 0.1 * zoom
    mirror = side.sign()
    turn = 0.08 * lean
    rows = [stretch * mirror, turn, 0.1 * across, -turn * mirror, stretch, 0.1 * down]
    return _moved(x, rows)


def blur(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """RGB pictures as a model might have drawn them: soft, tinted, noisy."""
    count = len(x)
    soft, light, noise = torch.rand(3, count, 1, 1, 1, generator=generator).to(x.device)
    color = torch.rand(count, 3, 1, 1, generator=generator).to(x.device)
    tint = 1 + 0.15 * (color * 2 - 1)
    x = torch.lerp(x, _softened(x), soft)
    brightness = 0.12 * (light - 0.5)
    grain = 0.05 * noise * noise_like(x, generator)
    return (x * tint + brightness + grain).clamp(0, 1)


def _between(low: float, high: float, rows: int, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Random numbers (rows, n), n for each picture."""
    shares = torch.rand(rows, len(x), generator=generator)
    return shares.to(x.device) * (high - low) + low


def _per_picture(values: torch.Tensor) -> torch.Tensor:
    return values[:, None, None, None]


def _softened(x: torch.Tensor) -> torch.Tensor:
    """Halved, and enlarged again."""
    return F.interpolate(F.avg_pool2d(x, 2), x.shape[-2:], mode="bilinear")


def _moved(x: torch.Tensor, rows: list[torch.Tensor]) -> torch.Tensor:
    """Each picture under its affine map, whose six numbers (n,) each are given by rows."""
    turn = torch.stack(rows, 1).view(len(x), 2, 3)
    grid = F.affine_grid(turn, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
