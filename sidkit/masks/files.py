"""Subject masks: given as pictures or as an alpha channel, and applied to references before they are encoded.

A mask is a boolean array (height, width), True on the subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from sidkit.config import check_name
from sidkit.files import whole_file

FILLS = {"black": 0, "grey": 128, "white": 255}
FOLDER = "masks"  # inside a subject's folder, a PNG for each picture
SHEET = "contact_sheet.png"  # inside FOLDER
TILE, CAPTION, COLUMNS = 256, 40, 4  # of a contact sheet: px, px, pictures a row
FOUND, MISSING = (230, 40, 160), (200, 30, 30)  # colours


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


@dataclass(frozen=True)
class Shown:
    """A picture on a contact sheet: its name, its mask (None: there is none), detected boxes, what is said of it."""

    name: str
    picture: Image.Image
    mask: np.ndarray | None
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    told: str = ""


def write_mask(image: Path | str, mask: np.ndarray) -> Path:
    """Write a picture's mask where `given_mask` reads it; whole, or not at all. Returns its file.

    Raises ValueError where there is a mask already: what a person drew is never written over.
    """
    path = Path(image).parent / FOLDER / f"{Path(image).stem}.png"
    if path.exists():
        raise ValueError(f"mask {path}: expected none yet, there is one; remove it first to have it made again")
    path.parent.mkdir(exist_ok=True)
    with whole_file(path) as partial:
        Image.fromarray(np.uint8(mask) * 255).save(partial, format="PNG")
    return path


def contact_sheet(shown: Sequence[Shown]) -> Image.Image:
    """All pictures in one, to check masks by eye: what is outside of a mask is dimmed, boxes are drawn, gaps red."""
    rows = -(-len(shown) // COLUMNS)
    sheet = Image.new("RGB", (TILE * min(len(shown), COLUMNS), (TILE + CAPTION) * rows), "white")
    for index, one in enumerate(shown):
        row, column = divmod(index, COLUMNS)
        sheet.paste(_tile(one), (TILE * column, (TILE + CAPTION) * row))
    return sheet


def scene_masks(folder: Path | str) -> tuple[Path, list[np.ndarray]]:
    """Break-a-Scene's layout: `img.jpg` with `mask0.png`, `mask1.png`, ..., one for each thing in it.

    Returns the picture's file and the masks in order. Raises ValueError for a folder of another layout, and for masks
    that do not fit.
    """
    folder = Path(folder)
    images = sorted(folder.glob("img.*"))
    files = sorted(folder.glob("mask[0-9]*.png"), key=lambda path: int(path.stem.removeprefix("mask")))
    if len(images) != 1 or not files:
        found = f"{len(images)} img.* and {len(files)} mask*.png"
        raise ValueError(f"{folder}: expected Break-a-Scene's layout (img.jpg, mask0.png, ...), found {found}")
    picture, masks = _opened(images[0]), [_opened(path) for path in files]
    for path, mask in zip(files, masks):
        if mask.size != picture.size:
            raise ValueError(f"mask {path}: expected {_size(picture)} px like {images[0].name}, got {_size(mask)}")
    return images[0], [_checked(_light(mask), path) for path, mask in zip(files, masks)]


def _tile(one: Shown) -> Image.Image:
    """A picture with its mask, and its caption below."""
    tile = Image.new("RGB", (TILE, TILE + CAPTION), "white")
    seen = one.picture.convert("RGB")
    if one.mask is not None:
        dimmed = Image.blend(seen, Image.new("RGB", seen.size, "black"), 0.75)
        seen = Image.composite(seen, dimmed, Image.fromarray(np.uint8(one.mask) * 255))
    scale = TILE / max(seen.size)
    small = seen.resize((max(1, round(seen.width * scale)), max(1, round(seen.height * scale))), Image.LANCZOS)
    draw = ImageDraw.Draw(small)
    for box in one.boxes:
        draw.rectangle([side * scale for side in box], outline=FOUND, width=2)
    tile.paste(small, ((TILE - small.width) // 2, (TILE - small.height) // 2))
    font, colour = ImageFont.load_default(12), "black" if one.mask is not None else MISSING
    ImageDraw.Draw(tile).multiline_text((4, TILE + 2), f"{one.name}\n{one.told}"[:90], fill=colour, font=font)
    return tile


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
