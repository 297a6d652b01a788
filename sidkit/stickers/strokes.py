"""Strokes that the places are drawn with: gradients, discs, clouds, stars, hills."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

CANVAS = 256  # px; every place is drawn at this size and then scaled


def gradient(top: tuple, bottom: tuple, height: int = CANVAS) -> Image.Image:
    """A strip as wide as the canvas that turns from one colour into the other, RGB."""
    ramp = np.linspace(0, 1, height)[:, None, None]
    pixels = (1 - ramp) * np.array(top) + ramp * np.array(bottom)
    return Image.fromarray(np.broadcast_to(pixels, (height, CANVAS, 3)).astype(np.uint8))


def shade(color: tuple, factor: float) -> tuple:
    """The colour, darker (factor below 1) or lighter."""
    return tuple(int(np.clip(c * factor, 0, 255)) for c in color)


def at_height(share: float) -> int:
    """The row of pixels at a share of the height, 0 at the top."""
    return round(share * CANVAS)


def disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, color: tuple) -> None:
    """A filled circle."""
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)


def cloud(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    """Three white discs in a row."""
    for shift, scale in ((-1.2, 0.7), (0, 1), (1.2, 0.75)):
        disc(draw, x + shift * radius, y, radius * scale, (250, 252, 255))


def stars(draw: ImageDraw.ImageDraw, rng: np.random.Generator, count: int, below: float) -> None:
    """Stars between the top and a share `below` of the height."""
    for x, y in zip(rng.uniform(0, CANVAS, count), rng.uniform(0, at_height(below), count)):
        disc(draw, x, y, 1.6, (236, 236, 255))


def hills(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: float, height: float, color: tuple) -> None:
    """A smooth ridge whose foot is at `base` and whose tops reach about `height` above it (shares of the picture)."""
    x = np.arange(0, CANVAS + 8, 8)
    phase, waves = rng.uniform(0, 6.3, 2), rng.uniform(1, 3, 2)
    ridge = sum(np.sin(x / CANVAS * 6.3 * w + p) for w, p in zip(waves, phase)) / 4 + 0.5
    points = [(int(a), at_height(base - height * b)) for a, b in zip(x, ridge)]
    draw.polygon([(0, CANVAS), *points, (CANVAS, CANVAS)], fill=color)
