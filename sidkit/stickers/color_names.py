"""The names of a drawing's colours, from its pixels."""

from __future__ import annotations

import numpy as np
from PIL import Image

SECOND_COLOR_SHARE = 0.2  # of the drawing; less than this does not earn a mention
OPAQUE = 128  # alpha above which a pixel counts

# Hue in degrees where each chromatic name begins; red also ends the circle.
HUE_STARTS = (0, 14, 40, 68, 178, 252, 292, 345)
HUE_NAMES = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "red")


def color_names(drawing: Image.Image) -> tuple[str, ...]:
    """One or two colour names of an RGBA drawing, the larger share first. ValueError for one without opaque pixels."""
    opaque = np.array(drawing.getchannel("A")) > OPAQUE
    if not opaque.any():
        raise ValueError("expected a drawing with opaque pixels, got an empty one; check its place in the art sheet")
    hsv = np.array(drawing.convert("RGB").convert("HSV"))
    by_pixel = _name_pixels(hsv[opaque])
    names, counts = np.unique(by_pixel, return_counts=True)
    first, *others = np.argsort(-counts, kind="stable")[:2]
    large = [index for index in others if counts[index] >= SECOND_COLOR_SHARE * len(by_pixel)]
    return tuple(str(names[index]) for index in (first, *large))


def _name_pixels(hsv: np.ndarray) -> np.ndarray:
    """Colour names (n,) of PIL HSV pixels (n, 3), 0-255 each; later rules win over earlier ones."""
    hue = hsv[:, 0] * (360 / 256)
    saturation = hsv[:, 1] / 255
    value = hsv[:, 2] / 255
    arcs = np.searchsorted(HUE_STARTS, hue, side="right") - 1
    names = np.array(HUE_NAMES, dtype="<U6")[arcs]
    warm = (hue >= 4) & (hue < 40)
    dull = (value < 0.9) | (saturation < 0.52)
    names[warm & (saturation < 0.66) & dull] = "brown"
    names[warm & (value < 0.72)] = "brown"
    names[(names == "yellow") & (value < 0.6)] = "brown"
    names[(names == "red") & (value < 0.45)] = "brown"
    reddish = (hue < 19) | (names == "red")
    names[reddish & (saturation < 0.5) & (value > 0.85)] = "pink"
    names[(saturation < 0.22) & (value < 0.85)] = "gray"
    names[(saturation < 0.15) & (value >= 0.85)] = "white"
    names[value < 0.25] = "black"
    return names
