"""Subject masks: given as pictures or as an alpha channel, and applied to references before they are encoded.

A mask is a boolean array (height, width), True on the subject.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from sidkit.config import check_name
from sidkit.files import whole_file
from sidkit.image_files import opened, size_of
from sidkit.picture_folder import MASKS_FOLDER, mask_file, twins_of
from sidkit.two_values import light_part

FILLS = {"black": 0, "grey": 128, "white": 255}
OPAQUE = 127  # of 255; above, a pixel of an alpha channel is the subject's


def given_mask(image: Path | str) -> np.ndarray | None:
    """The mask (height, width) of a picture's file, boolean, True on the subject; None where there is none.

    It is a file of its own (`sidkit.picture_folder` tells its names), light on the subject, or else the picture's alpha
    channel. Raises ValueError for a mask of another size than the picture (as its EXIF turns it), for one of more than
    two values, for one that covers nothing or everything, for one that two pictures could claim, for two masks of one
    picture, and for a file that cannot be read.
    """
    image = Path(image)
    path = mask_file(image)
    if path is not None:
        return _mask_in(path, image)
    if image.is_file():
        return _alpha_mask(opened(image), image)
    return None


def write_mask(image: Path | str, mask: np.ndarray) -> Path:
    """Write a picture's mask, boolean (height, width), where `given_mask` reads it; whole, or not at all.

    Returns its file. Raises ValueError where there is a mask already: what a person drew is never written over.
    """
    image = Path(image)
    there = mask_file(image)
    if there is not None:
        raise ValueError(f"mask {there}: expected none yet, there is one; remove it first to have it made again")
    stem = image.name if twins_of(image) else image.stem
    path = image.parent / MASKS_FOLDER / f"{stem}.png"
    path.parent.mkdir(exist_ok=True)
    with whole_file(path) as partial:
        picture_of(mask).save(partial, format="PNG")
    return path


def apply_mask(image: Image.Image, mask: np.ndarray, fill: str = "black") -> Image.Image:
    """The picture in RGB with all that lies outside of the mask filled, one of FILLS; `~mask` fills the subject.

    The paper multiplies by the mask (section 6), which is black, and does not say whether before or after CLIP's
    normalisation: here before. Raises ValueError for an unknown fill and for a mask that is not boolean and of the
    picture's size (height, width).
    """
    check_name("fill", fill, FILLS)
    if mask.shape != (image.height, image.width) or mask.dtype != bool:
        got = f"{' x '.join(map(str, mask.shape))} of {mask.dtype}"
        raise ValueError(f"mask: expected {image.height} x {image.width} of bool (height x width), got {got}")
    pixels = np.asarray(image.convert("RGB"))
    shade = np.uint8(FILLS[fill])
    return Image.fromarray(np.where(mask[..., None], pixels, shade))


def picture_of(mask: np.ndarray) -> Image.Image:
    """A mask, boolean (height, width), as a grey picture: 255 on the subject, 0 elsewhere."""
    return Image.fromarray(np.uint8(mask) * 255)


def _mask_in(path: Path, image: Path) -> np.ndarray:
    """The mask in a file of its own, light on the subject or, in a cut-out, opaque there."""
    mask_picture = opened(path)
    size = size_of(image)
    if mask_picture.size != size:
        expected = f"expected {_size(size)} px like its picture {image.name}"
        raise ValueError(f"mask {path}: {expected}, got {_size(mask_picture.size)}")
    alpha = _alpha_mask(mask_picture, path)
    if alpha is not None:
        return alpha
    try:
        mask = light_part(mask_picture)
    except ValueError as error:
        raise ValueError(f"mask {path}: {error}") from error
    return _checked(mask, path)


def _alpha_mask(image: Image.Image, source: Path) -> np.ndarray | None:
    """Where a picture is more opaque than not; None for a picture that is opaque throughout."""
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    is_opaque = np.asarray(alpha) > OPAQUE
    if is_opaque.all():
        return None
    return _checked(is_opaque, source)


def _checked(mask: np.ndarray, source: Path) -> np.ndarray:
    """The mask, if it parts the picture."""
    if mask.any() and not mask.all():
        return mask
    covered = "everything" if mask.all() else "nothing"
    raise ValueError(f"mask {source}: expected the subject to be a part of the picture, the mask covers {covered}")


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
