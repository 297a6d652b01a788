"""Strokes that the places are drawn with: gradients, bands, discs, clouds, stars, hills."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

CANVAS = 256  # px; every place is drawn at this size and then scaled

Color = tuple[float, ...]


def gradient(top: Color, bottom: Color, height: int = CANVAS) -> Image.Image:
    """A strip as wide as the canvas that turns from one colour into the other, RGB."""
    ramp = np.linspace(0, 1, height)[:, None, None]
    column = (1 - ramp) * np.array(top) + ramp * np.array(bottom)
    pixels = np.broadcast_to(column, (height, CANVAS, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def shade(color: Color, factor: float) -> Color:
    """The colour, darker (factor below 1) or lighter."""
    return tuple(int(np.clip(channel * factor, 0, 255)) for channel in color)


def at_height(share: float) -> int:
    """The row of pixels at a share of the height, 0 at the top."""
    return round(share * CANVAS)


def scattered(
    rng: np.random.Generator,
    count: int,
    top: float,
    bottom: float,
) -> Iterator[tuple[float, float]]:
    """Points (x, y) anywhere across the canvas, between two rows of pixels."""
    across = rng.uniform(0, CANVAS, count)
    down = rng.uniform(top, bottom, count)
    return zip(across, down, strict=True)


def band(draw: ImageDraw.ImageDraw, top: float, bottom: float, color: Color) -> None:
    """Fill all between two shares of the height."""
    draw.rectangle((0, at_height(top), CANVAS, at_height(bottom)), fill=color)


def disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, color: Color) -> None:
    """A filled circle."""
    draw.ellipse(around(x, y, radius), fill=color)


def around(
    x: float,
    y: float,
    half: float,
    tall: float | None = None,
) -> tuple[float, float, float, float]:
    """The box of half a width and half a height (the same, if not given) around a point."""
    tall = half if tall is None else tall
    return (x - half, y - tall, x + half, y + tall)


def cloud(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    """Three white discs in a row."""
    for shift, scale in ((-1.2, 0.7), (0, 1), (1.2, 0.75)):
        disc(draw, x + shift * radius, y, radius * scale, (250, 252, 255))


def stars(draw: ImageDraw.ImageDraw, rng: np.random.Generator, count: int, below: float) -> None:
    """Stars between the top and a share `below` of the height."""
    for x, y in scattered(rng, count, 0, at_height(below)):
        disc(draw, x, y, 1.6, (236, 236, 255))


def hills(
    draw: ImageDraw.ImageDraw,
    rng: np.random.Generator,
    base: float,
    height: float,
    color: Color,
) -> None:
    """A smooth ridge whose foot is at `base` and whose tops reach about `height` above it (shares of the picture)."""
    across = np.arange(0, CANVAS + 8, 8)
    phases = rng.uniform(0, 6.3, 2)
    frequencies = rng.uniform(1, 3, 2)
    angle = across / CANVAS * 6.3
    waves = [np.sin(angle * frequency + phase) for frequency, phase in zip(frequencies, phases, strict=True)]
    ridge = sum(waves) / 4 + 0.5
    points = [(int(x), at_height(base - height * top)) for x, top in zip(across, ridge, strict=True)]
    draw.polygon([(0, CANVAS), *points, (CANVAS, CANVAS)], fill=color)
