"""How much of a picture has a colour: what an edit like "a purple [v] dog" has painted, and where (Fig. 11)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from sidkit.config import check_name
from sidkit.stickers.looks import HUE_NAMES, HUE_STARTS

COLORS = tuple(dict.fromkeys(HUE_NAMES))  # red, orange, yellow, green, blue, purple, pink
COLORFUL, BRIGHT = 0.15, 0.2  # least saturation and value, of 1: below, a pixel is white, gray or black


def has_color(picture: Image.Image, color: str) -> np.ndarray:
    """Boolean (height, width): the pixels whose hue goes by the name `color`, and that are not nearly gray or black.

    Raises ValueError for a colour that is none of COLORS.
    """
    check_name("color", color, COLORS)
    hsv = np.asarray(picture.convert("RGB").convert("HSV")).astype(float)
    hue, saturation, value = hsv[..., 0] * (360 / 256), hsv[..., 1] / 255, hsv[..., 2] / 255
    named = np.array(HUE_NAMES)[np.searchsorted(HUE_STARTS, hue, side="right") - 1]
    return (named == color) & (saturation >= COLORFUL) & (value >= BRIGHT)


def color_shares(picture: Image.Image, color: str, mask: np.ndarray | None) -> tuple[float, float]:
    """Share in [0, 1] of the pixels that have `color`, on the subject and off it; NaN without a mask.

    `mask` is boolean (height, width), True on the subject. Raises ValueError for one of another size.
    """
    if mask is None:
        return np.nan, np.nan
    seen = has_color(picture, color)
    if mask.shape != seen.shape or mask.dtype != bool:
        raise ValueError(f"mask: expected {seen.shape} of bool (height, width), got {mask.shape} of {mask.dtype}")
    return tuple(float(seen[where].mean()) if where.any() else np.nan for where in (mask, ~mask))
