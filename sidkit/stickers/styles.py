"""Whole-picture styles: `stylize(image, style)` turns a plain sticker scene into a pencil sketch, a mosaic, ...

Every style scales with the picture: a mosaic has the same number of stones at 64 px and at 256 px.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

BASE = 64  # px; sizes below are given at this resolution


def stylize(image: Image.Image, style: str | None) -> Image.Image:
    """An RGB picture in the named style; `None` leaves it a plain sticker scene."""
    return image if style is None else STYLES[style](image, image.width / BASE)


def _pixel_art(image: Image.Image, scale: float) -> Image.Image:
    small = image.resize((BASE // 2, BASE // 2), Image.BOX)
    return small.quantize(12).convert("RGB").resize(image.size, Image.NEAREST)


def _edges(image: Image.Image, scale: float) -> np.ndarray:
    """Strength of the luminance edges, 0..1, (height, width)."""
    gray = np.asarray(image.convert("L").filter(ImageFilter.GaussianBlur(0.5 * scale)), dtype=np.float32)
    dy, dx = np.gradient(gray)
    return np.clip(np.hypot(dx, dy) * scale / 40, 0, 1)


def _pencil_sketch(image: Image.Image, scale: float) -> Image.Image:
    gray = np.asarray(image.convert("L"), dtype=np.float32) / 255
    paper = 0.72 + 0.26 * gray - 0.75 * _edges(image, scale)
    tone = np.clip(paper, 0.05, 1)[..., None] * np.array([250, 246, 236])
    return Image.fromarray(tone.astype(np.uint8))


def _neon(image: Image.Image, scale: float) -> Image.Image:
    hue = np.asarray(ImageOps.autocontrast(image).convert("HSV"))[..., 0]
    glow = np.clip(_edges(image, scale) * 1.6, 0, 1) * 255
    lines = np.stack([hue, np.full_like(hue, 210), np.maximum(glow, 24).astype(np.uint8)], axis=-1)
    lit = Image.fromarray(lines, "HSV").convert("RGB")
    return ImageChops.screen(lit, lit.filter(ImageFilter.GaussianBlur(1.2 * scale)))


def _watercolor(image: Image.Image, scale: float) -> Image.Image:
    soft = image.filter(ImageFilter.GaussianBlur(0.5 * scale))
    pale = np.asarray(soft, dtype=np.float32) * 0.55 + 255 * 0.43
    rim = _edges(image, scale)[..., None] * 60
    return Image.fromarray(np.clip(pale - rim, 0, 255).astype(np.uint8))


def _mosaic(image: Image.Image, scale: float) -> Image.Image:
    stone = round(3 * scale)
    count = -(-image.width // stone)
    grid = image.resize((count, count), Image.BOX).resize((count * stone, count * stone), Image.NEAREST)
    joint = np.where((np.arange(image.width) % stone) < max(1, round(scale)), 0.62, 1.12)
    pixels = np.asarray(grid.crop((0, 0, *image.size))) * np.minimum(joint[:, None], joint)[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _blueprint(image: Image.Image, scale: float) -> Image.Image:
    line = _edges(image, scale)[..., None]
    grid = ((np.arange(image.width) % round(8 * scale)) < max(1, round(scale / 2))) * 0.12
    line = np.maximum(line, np.maximum(grid[None, :, None], grid[:, None, None]))
    return Image.fromarray((np.array([28, 68, 140]) * (1 - line) + np.array([232, 240, 252]) * line).astype(np.uint8))


def _pop_art(image: Image.Image, scale: float) -> Image.Image:
    bold = ImageOps.posterize(ImageOps.autocontrast(image), 2)
    hsv = np.array(bold.convert("HSV"))
    hsv[..., 1] = np.clip(hsv[..., 1].astype(int) * 2, 0, 255)
    pixels = np.asarray(Image.fromarray(hsv, "HSV").convert("RGB")).astype(np.float32)
    return Image.fromarray(np.clip(pixels - 180 * (_edges(image, scale)[..., None] > 0.6), 0, 255).astype(np.uint8))


STYLES = {
    "pixel art": _pixel_art,
    "pencil sketch": _pencil_sketch,
    "neon": _neon,
    "watercolor": _watercolor,
    "mosaic": _mosaic,
    "blueprint": _blueprint,
    "pop art": _pop_art,
}
