"""Colours by name: tinting a drawn object, and turning a subject golden, purple or into chocolate."""

from __future__ import annotations

import colorsys

import numpy as np
from PIL import Image, ImageChops, ImageDraw

# What a coloured object is tinted with.
TINTS = {
    "red": (224, 40, 44),
    "yellow": (252, 208, 36),
    "green": (52, 168, 72),
    "blue": (44, 104, 224),
    "purple": (144, 60, 192),
    "white": (250, 250, 250),
}

# Dark, middle and light colour of a recoloured subject.
RAMPS = {
    "red": ((96, 0, 8), (216, 32, 40), (255, 168, 160)),
    "orange": ((112, 40, 0), (244, 128, 20), (255, 216, 160)),
    "yellow": ((120, 88, 0), (248, 208, 24), (255, 248, 184)),
    "green": ((0, 64, 16), (48, 160, 64), (184, 240, 176)),
    "blue": ((0, 24, 104), (40, 104, 224), (176, 216, 255)),
    "purple": ((48, 0, 88), (136, 56, 192), (224, 184, 248)),
    "pink": ((128, 16, 72), (244, 112, 168), (255, 216, 232)),
    "golden": ((80, 40, 0), (208, 152, 32), (255, 244, 168)),
    "silver": ((48, 52, 60), (152, 160, 172), (248, 250, 255)),
    "chocolate": ((32, 12, 4), (96, 52, 28), (176, 124, 88)),
}


def _luminance(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Luminance 0..1, stretched so that the drawing uses the whole range."""
    gray = rgb @ np.array([0.299, 0.587, 0.114]) / 255
    low, high = np.quantile(gray[alpha > 127], [0.05, 0.95])
    return np.clip((gray - low) / max(high - low, 0.2), 0, 1)


def tint(image: Image.Image, color: str) -> Image.Image:
    """The RGBA drawing in one colour, its shading kept."""
    rgba = np.asarray(image)
    light = _luminance(rgba[..., :3].astype(np.float32), rgba[..., 3])[..., None]
    colored = np.array(TINTS[color]) * (0.45 + 0.55 * light) + 60 * np.clip(light - 0.8, 0, 1)
    return Image.fromarray(np.dstack([np.clip(colored, 0, 255).astype(np.uint8), rgba[..., 3]]), "RGBA")


def recolor(image: Image.Image, attribute: str) -> Image.Image:
    """The RGBA drawing with its luminance mapped on the ramp of a colour or material."""
    rgba = np.asarray(image)
    light = _luminance(rgba[..., :3].astype(np.float32), rgba[..., 3])
    ramp = np.array(RAMPS[attribute])
    channels = [np.interp(light, (0, 0.5, 1), ramp[:, c]) for c in range(3)]
    return Image.fromarray(np.dstack([*channels, rgba[..., 3]]).astype(np.uint8), "RGBA")


def two_toned(icon: Image.Image, seed: str) -> Image.Image:
    """A black RGBA icon in one colour, and what its lines enclose in a lighter one; `seed` says which."""
    rng = np.random.default_rng(list(seed.encode()))
    hues, grays = rng.uniform(0, 1, 2), rng.uniform(0, 1, 2)
    ink = colorsys.hsv_to_rgb(hues[0], grays[0], rng.uniform(0.15, 0.85))
    filling = colorsys.hsv_to_rgb(hues[1], 0.7 * grays[1], rng.uniform(0.85, 1))
    whole = _filled(icon.getchannel("A"))
    drawn = Image.new("RGBA", icon.size, _bytes(filling))
    drawn.paste(Image.new("RGBA", icon.size, _bytes(ink)), mask=icon.getchannel("A"))
    drawn.putalpha(whole)
    return drawn


def _filled(alpha: Image.Image) -> Image.Image:
    """The alpha channel with all that it encloses made opaque."""
    roomy = Image.new("L", (alpha.width + 2, alpha.height + 2))
    roomy.paste(alpha.point(lambda a: 255 * (a > 127)), (1, 1))
    ImageDraw.floodfill(roomy, (0, 0), 128)  # what can be reached from outside
    inside = roomy.crop((1, 1, alpha.width + 1, alpha.height + 1)).point(lambda a: 255 * (a == 0))
    return ImageChops.lighter(alpha, inside)


def _bytes(color: tuple[float, float, float]) -> tuple[int, ...]:
    return tuple(round(255 * channel) for channel in color)
