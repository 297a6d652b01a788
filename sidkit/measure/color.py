"""How much of a picture has a colour: what an edit like "a purple [v] dog" has painted, and where (Fig. 11)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sidkit.config import check_name
from sidkit.stickers.color_names import HUE_NAMES, HUE_STARTS

COLORS = tuple(dict.fromkeys(HUE_NAMES))  # red, orange, yellow, green, blue, purple, pink
COLORFUL, BRIGHT = 0.15, 0.2  # least saturation and value, of 1: below, a pixel is white, gray or black


def has_color(picture: Image.Image, color: str) -> np.ndarray:
    """Boolean (height, width): the pixels whose hue goes by the name `color`, and that are not nearly gray or black.

    Raises ValueError for a colour that is none of COLORS.
    """
    check_name("color", color, COLORS)
    hsv = picture.convert("RGB").convert("HSV")
    channels = np.asarray(hsv).astype(float)
    hue, saturation, value = np.moveaxis(channels, -1, 0)
    degrees = hue * (360 / 256)
    arcs = np.searchsorted(HUE_STARTS, degrees, side="right") - 1
    named = np.array(HUE_NAMES)[arcs] == color
    colorful = saturation / 255 >= COLORFUL
    bright = value / 255 >= BRIGHT
    return named & colorful & bright


def color_shares(
    picture: Image.Image,
    color: str,
    mask: np.ndarray | None,
) -> tuple[float, float]:
    """Share in [0, 1] of the pixels that have `color`, on the subject and off it; NaN without a mask.

    `mask` is boolean (height, width), True on the subject. Raises ValueError for one of another size, and for a colour
    that is none of COLORS.
    """
    if mask is None:
        return np.nan, np.nan
    colored = has_color(picture, color)
    if mask.shape != colored.shape or mask.dtype != bool:
        got = f"{mask.shape} of {mask.dtype}"
        raise ValueError(f"mask: expected {colored.shape} of bool (height, width), got {got}")
    return _share(colored[mask]), _share(colored[~mask])


def _share(pixels: np.ndarray) -> float:
    """Of boolean pixels (n,) that are True; NaN of none."""
    if not pixels.size:
        return np.nan
    return float(pixels.mean())
