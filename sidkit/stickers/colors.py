"""Colours by name: tinting a drawn object, and turning a subject golden, purple or into chocolate."""

from __future__ import annotations

import numpy as np
from PIL import Image

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


LIGHT_WEIGHTS = np.array([0.299, 0.587, 0.114])  # of red, green and blue in luminance
LEAST_RANGE = 0.2  # of luminance that is stretched: a drawing of one shade stays flat


def tint(image: Image.Image, color: str) -> Image.Image:
    """The RGBA drawing in one colour, its shading kept."""
    light = _luminance(image)[..., None]
    shaded = np.array(TINTS[color]) * (0.45 + 0.55 * light)
    shine = 60 * np.clip(light - 0.8, 0, 1)
    return _with_alpha_of(image, np.clip(shaded + shine, 0, 255))


def recolor(image: Image.Image, attribute: str) -> Image.Image:
    """The RGBA drawing with its luminance mapped on the ramp of a colour or material."""
    light = _luminance(image)
    ramp = np.array(RAMPS[attribute])
    channels = [np.interp(light, (0, 0.5, 1), ramp[:, channel]) for channel in range(3)]
    return _with_alpha_of(image, np.dstack(channels))


def _luminance(image: Image.Image) -> np.ndarray:
    """Luminance 0..1 (height, width) of an RGBA drawing, stretched so that the drawing uses the whole range."""
    rgba = np.asarray(image)
    gray = rgba[..., :3].astype(np.float32) @ LIGHT_WEIGHTS / 255
    opaque = rgba[..., 3] > 127
    low, high = np.quantile(gray[opaque], [0.05, 0.95])
    return np.clip((gray - low) / max(high - low, LEAST_RANGE), 0, 1)


def _with_alpha_of(image: Image.Image, rgb: np.ndarray) -> Image.Image:
    alpha = np.asarray(image)[..., 3]
    return Image.fromarray(np.dstack([rgb.astype(np.uint8), alpha]), "RGBA")
