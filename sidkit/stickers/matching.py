"""A judge of another origin than the factor reader: finds the world's own drawings in a picture by comparing pixels.

Nothing is learnt. A place is the one whose views differ least from the picture where most of it agrees; a thing is
there if its drawing, in some colour and size, correlates with some part of the picture. It sees plain stickers that
stand: another style changes the drawings themselves, and in another pose what is worn is turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from sidkit.stickers import factors
from sidkit.stickers.heads import ABSENT, HEADS, THINGS
from sidkit.stickers.places import VIEWS, place
from sidkit.stickers.scenes import NEARBY_HEIGHT, POSES
from sidkit.stickers.sprites import NARROWEST, SPRITE, WIDEST, nearby_thing, worn_thing

SIDE = 64  # px that pictures are scaled to for things
PLACE_SIDE = 32  # and for places
AGREEING = 0.4  # share of a picture that nothing stands before
SURE = 0.01  # difference of pixels in [0, 1] by which one place is e times as likely as another
FLAT = 0.03  # deviation of pixels in [0, 1] below which nothing is to be seen
NEARBY_SIZES = tuple(NEARBY_HEIGHT * scale for scale in (0.955, 1.0, 1.045))  # shares of the picture's side
TIED_WIDTHS = tuple(np.linspace(NARROWEST, WIDEST, 5).round().astype(int).tolist())  # px of the sprite's
ENOUGH = {"nearby": 0.60, "tied": 0.64}  # correlation from which on a thing is more likely there than not
STEEP = 0.04  # of correlation, by which the odds change by e
# Where the middle of a thing can be, in shares of the side: across on either side, and down.
ACROSS = {"nearby": ((0.08, 0.26), (0.74, 0.92)), "tied": ((0.15, 0.85),)}
DOWN = {"nearby": (0.6, 0.86), "tied": (0.1, 0.8)}


class SpriteMatcher:
    """Reads places and things as `FactorReader` does: `values`, and `read` with probabilities (n, values)."""

    def __init__(self) -> None:
        self.values = {factor: list(HEADS[factor]) for factor in ("background", *THINGS)}

    @torch.inference_mode()
    def read(self, pictures: Sequence[Image.Image]) -> dict[str, np.ndarray]:
        """Of each place the probability; of things each by itself, and "none" what the likeliest leaves."""
        places = np.stack([_places(picture) for picture in pictures])
        small = torch.cat([_colors(picture) for picture in pictures])
        return {"background": places} | {factor: _things(factor, small) for factor in THINGS}


def _places(picture: Image.Image) -> np.ndarray:
    """Probabilities (places,)."""
    names, views = _views()
    pixels = _pixels(picture, PLACE_SIDE).reshape(1, -1, 3)
    apart = np.abs(views - pixels).mean(2)  # (views, pixels)
    agreeing = round(AGREEING * apart.shape[1])
    distance = np.partition(apart, agreeing, axis=1)[:, :agreeing].mean(1)
    nearest = np.array([distance[names == name].min() for name in factors.PLACES])
    shares = np.exp(-(nearest - nearest.min()) / SURE)
    return shares / shares.sum()


@lru_cache(maxsize=1)
def _views() -> tuple[np.ndarray, np.ndarray]:
    """The names (n,) of all views of all places, mirrored ones too, and their pixels (n, pixels, 3) in [0, 1]."""
    names, views = [], []
    for name, variants in factors.PLACES.items():
        for picture in (place(name, variant, SIDE, view) for variant in variants for view in range(VIEWS)):
            pixels = _pixels(picture, PLACE_SIDE)
            names += [name, name]
            views += [pixels, pixels[:, ::-1]]
    return np.array(names), np.stack(views).reshape(len(views), -1, 3)


def _pixels(picture: Image.Image, side: int) -> np.ndarray:
    return np.asarray(picture.convert("RGB").resize((side, side), Image.BOX), np.float32) / 255


def _colors(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(_pixels(picture, SIDE)).permute(2, 0, 1)[None]


def _things(factor: str, pixels: torch.Tensor) -> np.ndarray:
    """Probabilities (n, values), "none" first."""
    names = [name for name in HEADS[factor] if name != ABSENT]
    alike = torch.stack([correlation(pixels, factor, name) for name in names], dim=1)
    shown = ((alike - ENOUGH[factor]) / STEEP).sigmoid()
    return torch.cat([1 - shown.amax(1, keepdim=True), shown], dim=1).numpy()


def correlation(pixels: torch.Tensor, factor: str, name: str) -> torch.Tensor:
    """How like a thing's drawing the likest part (n,) of pictures (n, 3, 64, 64) in [0, 1] is, from -1 to 1."""
    found = [_alike(pixels, templates, factor) for templates in _templates(factor, name)]
    return torch.stack(found).amax(0)


@dataclass(frozen=True)
class Templates:
    """One drawing in several colours, (colors, 3, k, k): each band with mean 0, each colour with norm 1.

    `where` (3, 1, k, k) is what the drawing covers, with sum 1.
    """

    drawn: torch.Tensor
    where: torch.Tensor
    norm: float  # of what has a deviation of 1 there, in all bands


def _alike(pixels: torch.Tensor, templates: Templates, factor: str) -> torch.Tensor:
    side = templates.drawn.shape[-1]
    margin = side // 4  # a thing may reach over the edge
    padded = F.pad(pixels, [margin] * 4, mode="replicate")
    mean, square = (F.conv2d(image, templates.where, groups=3) for image in (padded, padded**2))
    variance = (square - mean**2).mean(1, keepdim=True)
    found = F.conv2d(padded, templates.drawn) / (variance.clamp(min=FLAT**2).sqrt() * templates.norm)
    middle = (torch.arange(found.shape[-1]) - margin + side / 2) / SIDE
    across = torch.stack([(middle > left) & (middle < right) for left, right in ACROSS[factor]]).any(0)
    top, bottom = DOWN[factor]
    possible = ((middle > top) & (middle < bottom))[:, None] & across
    return found.masked_fill(~possible, -1).amax((1, 2, 3))


@lru_cache(maxsize=None)
def _templates(factor: str, name: str) -> list[Templates]:
    colors = (None, *factors.OBJECT_COLORS)
    if factor == "nearby":
        things = [nearby_thing(name, color) for color in colors]
        return [_of_scale(things, size * SIDE / max(things[0].size)) for size in NEARBY_SIZES]
    worn = [[worn_thing(name, color, width) for color in colors] for width in TIED_WIDTHS]
    worn += [[thing.transpose(Image.FLIP_LEFT_RIGHT) for thing in things] for things in worn]
    return [_of_scale(things, POSES["standing"][0] * SIDE / SPRITE) for things in worn]


def _of_scale(arts: Sequence[Image.Image], scale: float) -> Templates:
    """Templates of drawings of one size, made smaller by `scale`."""
    scaled = [_scaled(art, scale) for art in arts]
    where = scaled[0][1]
    area = float(where.sum())
    drawn = torch.stack([colors for colors, _ in scaled])
    drawn = drawn - (where * drawn).sum((2, 3), keepdim=True) / area
    norm = (where * drawn**2).sum((1, 2, 3), keepdim=True).sqrt()
    return Templates(where * drawn / norm, where.expand(3, 1, -1, -1) / area, (3 * area) ** 0.5)


def _scaled(art: Image.Image, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Its colours (3, k, k) and its cover (k, k) in [0, 1], in the middle of a square."""
    small = art.resize([max(1, round(side * scale)) for side in art.size], Image.BOX)
    longest = max(small.size)
    square = Image.new("RGBA", (longest, longest), (128, 128, 128, 0))
    square.paste(small, ((longest - small.width) // 2, (longest - small.height) // 2))
    pixels = torch.from_numpy(np.asarray(square, np.float32) / 255).permute(2, 0, 1)
    return pixels[:3], pixels[3]
