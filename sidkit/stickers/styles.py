"""Whole-picture styles: `stylize(image, style)` turns a plain sticker scene into a pencil sketch, a mosaic, ...

Every style scales with the picture: a mosaic has the same number of stones at 64 px and at 256 px.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageFilter, ImageOps

BASE = 64  # px; sizes below are given at this resolution
PAPER = np.array([250, 246, 236])
BLUE = np.array([28, 68, 140])
CHALK = np.array([232, 240, 252])


def stylize(image: Image.Image, style: str | None) -> Image.Image:
    """An RGB picture in the named style; `None` leaves it a plain sticker scene."""
    if style is None:
        return image
    return PAINTERS[style](image, image.width / BASE)


def _pixel_art(image: Image.Image, scale: float) -> Image.Image:
    small = image.resize((BASE // 2, BASE // 2), Image.BOX)
    few_colors = small.quantize(12).convert("RGB")
    return few_colors.resize(image.size, Image.NEAREST)


def _pencil_sketch(image: Image.Image, scale: float) -> Image.Image:
    gray = np.asarray(image.convert("L"), dtype=np.float32) / 255
    paper = 0.72 + 0.26 * gray - 0.75 * _edges(image, scale)
    tone = np.clip(paper, 0.05, 1)
    return _picture(tone[..., None] * PAPER)


def _neon(image: Image.Image, scale: float) -> Image.Image:
    hsv = ImageOps.autocontrast(image).convert("HSV")
    hue = np.asarray(hsv)[..., 0]
    glow = np.clip(_edges(image, scale) * 1.6, 0, 1) * 255
    value = np.maximum(glow, 24).astype(np.uint8)
    lines = np.stack([hue, np.full_like(hue, 210), value], axis=-1)
    lit = Image.fromarray(lines, "HSV").convert("RGB")
    return ImageChops.screen(lit, _blurred(lit, 1.2 * scale))


def _watercolor(image: Image.Image, scale: float) -> Image.Image:
    soft = _blurred(image, 0.5 * scale)
    pale = np.asarray(soft, dtype=np.float32) * 0.55 + 255 * 0.43
    rim = _edges(image, scale)[..., None] * 60
    return _picture(pale - rim)


def _mosaic(image: Image.Image, scale: float) -> Image.Image:
    stone = round(3 * scale)
    count = -(-image.width // stone)
    side = count * stone
    stones = image.resize((count, count), Image.BOX).resize((side, side), Image.NEAREST)
    is_joint = _every(image.width, stone, max(1, round(scale)))
    joint = np.where(is_joint, 0.62, 1.12)
    grid = np.minimum(joint[:, None], joint)
    pixels = np.asarray(stones.crop((0, 0, *image.size)))
    return _picture(pixels * grid[..., None])


def _blueprint(image: Image.Image, scale: float) -> Image.Image:
    grid = _every(image.width, round(8 * scale), max(1, round(scale / 2))) * 0.12
    crossed = np.maximum(grid[None, :, None], grid[:, None, None])
    line = np.maximum(_edges(image, scale)[..., None], crossed)
    return _picture(BLUE * (1 - line) + CHALK * line)


def _pop_art(image: Image.Image, scale: float) -> Image.Image:
    bold = ImageOps.posterize(ImageOps.autocontrast(image), 2)
    hsv = np.array(bold.convert("HSV"))
    vivid = hsv[..., 1].astype(int) * 2
    hsv[..., 1] = np.clip(vivid, 0, 255)
    rgb = Image.fromarray(hsv, "HSV").convert("RGB")
    pixels = np.asarray(rgb).astype(np.float32)
    is_line = _edges(image, scale)[..., None] > 0.6
    return _picture(pixels - 180 * is_line)


def _edges(image: Image.Image, scale: float) -> np.ndarray:
    """Strength of the luminance edges, 0..1, (height, width)."""
    soft = _blurred(image.convert("L"), 0.5 * scale)
    down, across = np.gradient(np.asarray(soft, dtype=np.float32))
    return np.clip(np.hypot(across, down) * scale / 40, 0, 1)


def _blurred(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def _every(length: int, step: int, width: int) -> np.ndarray:
    """Which of `length` px lie on a line of a grid: the first `width` of every `step`, (length,) boolean."""
    return np.arange(length) % step < width


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


PAINTERS = {
    "pixel art": _pixel_art,
    "pencil sketch": _pencil_sketch,
    "neon": _neon,
    "watercolor": _watercolor,
    "mosaic": _mosaic,
    "blueprint": _blueprint,
    "pop art": _pop_art,
}
