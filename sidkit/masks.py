"""Subject masks: given as pictures, or read from an alpha channel; applied to references before they are encoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

FILLS = {"black": 0, "grey": 128, "white": 255}
FOLDER = "masks"  # inside a subject's folder, a PNG for each image


def given_mask(image: Path) -> np.ndarray | None:
    """The mask beside an image, `masks/NAME.png`, as booleans (height, width), True on the subject; None without one."""
    path = image.parent / FOLDER / f"{image.stem}.png"
    if not path.is_file():
        return None
    return checked(np.asarray(Image.open(path).convert("L")) > 127, path)


def alpha_mask(image: Image.Image) -> np.ndarray | None:
    """Where an RGBA picture is more opaque than not; None for a picture without alpha."""
    if "A" not in image.getbands():
        return None
    return checked(np.asarray(image.getchannel("A")) > 127, "alpha channel")


def checked(mask: np.ndarray, source: Path | str) -> np.ndarray:
    """The mask, if it parts the picture. Raises ValueError where it covers nothing or everything."""
    if mask.all() or not mask.any():
        what = "everything" if mask.all() else "nothing"
        raise ValueError(f"mask {source}: expected the subject to be a part of the picture, the mask covers {what}")
    return mask


def apply_mask(image: Image.Image, mask: np.ndarray, fill: str = "black") -> Image.Image:
    """The picture with all that lies outside the mask filled ("black", "grey" or "white"), size unchanged.

    The paper multiplies by the mask (section 6), which is black; it does not say whether before or after CLIP's
    normalisation. Here it is before.
    """
    if mask.shape != (image.height, image.width):
        raise ValueError(f"mask: expected {image.height} x {image.width} like its picture, got {mask.shape[0]} x {mask.shape[1]}")
    pixels = np.asarray(image.convert("RGB"))
    return Image.fromarray(np.where(mask[..., None], pixels, np.uint8(FILLS[fill])))
