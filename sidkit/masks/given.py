"""Subject masks: given as pictures or as an alpha channel, and applied to references before they are encoded.

A mask is a boolean array (height, width), True on the subject.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from sidkit.config import check_name
from sidkit.files import whole_file

FILLS = {"black": 0, "grey": 128, "white": 255}
MASKS_FOLDER = "masks"  # inside a subject's folder, a PNG for each picture
OPAQUE = 127  # of 255; above, a pixel of an alpha channel is the subject's


def given_mask(image: Path | str) -> np.ndarray | None:
    """The mask (height, width) of a picture's file, boolean, True on the subject; None where there is none.

    It is `masks/NAME.png` beside it (light on the subject), or else its own alpha channel. Raises ValueError for a mask
    of another size than the picture (as its EXIF turns it), for one that covers nothing or everything, and for a file
    that cannot be read.
    """
    image = Path(image)
    path = _mask_file(image)
    if path.is_file():
        return _mask_in(path, image)
    if image.is_file():
        return _alpha_mask(_opened(image), image)
    return None


def write_mask(image: Path | str, mask: np.ndarray) -> Path:
    """Write a picture's mask, boolean (height, width), where `given_mask` reads it; whole, or not at all.

    Returns its file. Raises ValueError where there is a mask already: what a person drew is never written over.
    """
    path = _mask_file(Path(image))
    if path.exists():
        raise ValueError(f"mask {path}: expected none yet, there is one; remove it first to have it made again")
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


def _mask_file(image: Path) -> Path:
    return image.parent / MASKS_FOLDER / f"{image.stem}.png"


def _mask_in(path: Path, image: Path) -> np.ndarray:
    """The mask in a file of its own, light on the subject or, in a cut-out, opaque there."""
    mask_picture = _opened(path)
    picture = _opened(image)
    if mask_picture.size != picture.size:
        expected = f"expected {_size(picture)} px like its picture {image.name}"
        raise ValueError(f"mask {path}: {expected}, got {_size(mask_picture)}")
    alpha = _alpha_mask(mask_picture, path)
    if alpha is not None:
        return alpha
    return _checked(_light_mask(mask_picture), path)


def _alpha_mask(image: Image.Image, source: Path) -> np.ndarray | None:
    """Where a picture is more opaque than not; None for a picture that is opaque throughout."""
    if not image.has_transparency_data:
        return None
    alpha = image.convert("RGBA").getchannel("A")
    is_opaque = np.asarray(alpha) > OPAQUE
    if is_opaque.all():
        return None
    return _checked(is_opaque, source)


def _light_mask(mask_picture: Image.Image) -> np.ndarray:
    """Brighter than half of the brightest, so that masks of 0 and 1 are read like those of 0 and 255."""
    brightness = np.asarray(mask_picture.convert("L")).astype(int)
    brightest = max(brightness.max(), 1)
    return 2 * brightness > brightest


def _checked(mask: np.ndarray, source: Path) -> np.ndarray:
    """The mask, if it parts the picture."""
    if mask.any() and not mask.all():
        return mask
    covered = "everything" if mask.all() else "nothing"
    raise ValueError(f"mask {source}: expected the subject to be a part of the picture, the mask covers {covered}")


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            image.load()
            return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError) as error:  # PNG's decoder raises SyntaxError
        raise ValueError(f"{path}: expected a picture that can be read ({error}); save it again as PNG") from error


def _size(image: Image.Image) -> str:
    return f"{image.width} x {image.height}"
