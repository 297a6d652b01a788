"""Subject masks: given as pictures or as an alpha channel, and applied to references before they are encoded.

A mask is a boolean array (height, width), True on the subject.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from sidkit.config import check_name

FILLS = {"black": 0, "grey": 128, "white": 255}
FOLDER = "masks"  # inside a subject's folder, a PNG for each picture


def given_mask(image: Path | str) -> np.ndarray | None:
    """The mask of a picture's file: `masks/NAME.png` beside it (light on the subject), or else its own alpha channel.

    None where there is neither. Raises ValueError for a mask of another size than the picture (as its EXIF turns it),
    for one that covers nothing or everything, and for a file that cannot be read.
    """
    image = Path(image)
    path = image.parent / FOLDER / f"{image.stem}.png"
    if not path.is_file():
        return alpha_mask(_opened(image), image) if image.is_file() else None
    mask, picture = _opened(path), _opened(image)
    if mask.size != picture.size:
        raise ValueError(f"mask {path}: expected {_size(picture)} px like its picture {image.name}, got {_size(mask)}")
    alpha = alpha_mask(mask, path)
    return _checked(_light(mask), path) if alpha is None else alpha


def alpha_mask(image: Image.Image, source: Path | str = "of an alpha channel") -> np.ndarray | None:
    """Where a picture is more opaque than not; None for a picture that is opaque throughout."""
    if not image.has_transparency_data:
        return None
    opaque = np.asarray(image.convert("RGBA").getchannel("A")) > 127
    return None if opaque.all() else _checked(opaque, source)


def apply_mask(image: Image.Image, mask: np.ndarray, fill: str = "black") -> Image.Image:
    """The picture in RGB with all that lies outside of the mask filled, one of FILLS; `~mask` fills the subject.

    The paper multiplies by the mask (section 6), which is black, and does not say whether before or after CLIP's
    normalisation: here before. Raises ValueError for an unknown fill and a mask of another size.
    """
    shade = FILLS[check_name("fill", fill, FILLS)]
    if mask.shape != (image.height, image.width) or mask.dtype != bool:
        got = f"{' x '.join(map(str, mask.shape))} of {mask.dtype}"
        raise ValueError(f"mask: expected {image.height} x {image.width} of bool (height x width), got {got}")
    return Image.fromarray(np.where(mask[..., None], np.asarray(image.convert("RGB")), np.uint8(shade)))


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            image.load()
            return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError) as error:  # PNG's decoder raises SyntaxError
        raise ValueError(f"{path}: expected a picture that can be read ({error}); save it again as PNG") from error


def _light(mask: Image.Image) -> np.ndarray:
    """Brighter than half of the brightest, so that masks of 0 and 1 are read like those of 0 and 255."""
    brightness = np.asarray(mask.convert("L")).astype(int)
    return 2 * brightness > max(brightness.max(), 1)


def _checked(mask: np.ndarray, source: Path | str) -> np.ndarray:
    """The mask, if it parts the picture."""
    if mask.all() or not mask.any():
        found = "everything" if mask.all() else "nothing"
        raise ValueError(f"mask {source}: expected the subject to be a part of the picture, the mask covers {found}")
    return mask


def _size(image: Image.Image) -> str:
    return f"{image.width} x {image.height}"
