"""All masks of a folder in one picture, to be checked by eye before anything is measured with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sidkit.masks.given import picture_of

TILE = 256  # px that a picture takes
CAPTION = 40  # px below it
COLUMNS = 4  # pictures a row
LETTERS = 90  # of a caption, at most
DIMMED = 0.75  # of the way to black: what is outside of a mask
BOX_COLOR = (230, 40, 160)
MISSING_COLOR = (200, 30, 30)  # of the caption where there is no mask


@dataclass(frozen=True)
class MaskedPicture:
    """A picture on a contact sheet, with its mask, boolean (height, width), or None where there is none.

    `boxes` are detections, each x0, y0, x1, y1 in px of the picture; `remark` says where the mask comes from.
    """

    name: str
    picture: Image.Image
    mask: np.ndarray | None
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    remark: str = ""


def shrunk(masked: MaskedPicture) -> MaskedPicture:
    """The same no larger than it is shown, so that a sheet of many photos fits into memory."""
    width, height = masked.picture.size
    scale = TILE / max(width, height)
    if scale >= 1:
        return masked
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    mask = masked.mask
    if mask is not None:
        mask = np.asarray(picture_of(mask).resize(size, Image.BOX)) > 127
    boxes = tuple(tuple(coordinate * scale for coordinate in box) for box in masked.boxes)
    return replace(masked, picture=masked.picture.resize(size, Image.LANCZOS), mask=mask, boxes=boxes)


def contact_sheet(pictures: Sequence[MaskedPicture]) -> Image.Image:
    """All pictures in one, RGB: what is outside of a mask is dimmed, boxes are drawn, missing masks are red."""
    columns = min(len(pictures), COLUMNS)
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGB", (TILE * columns, (TILE + CAPTION) * rows), "white")
    for index, masked in enumerate(pictures):
        row, column = divmod(index, COLUMNS)
        corner = (TILE * column, (TILE + CAPTION) * row)
        sheet.paste(_tile(masked), corner)
    return sheet


def _tile(masked: MaskedPicture) -> Image.Image:
    """A picture with its mask in the middle of a square, and its caption below."""
    tile = Image.new("RGB", (TILE, TILE + CAPTION), "white")
    small = _small(masked)
    left = (TILE - small.width) // 2
    top = (TILE - small.height) // 2
    tile.paste(small, (left, top))
    caption = f"{masked.name}\n{masked.remark}"
    ImageDraw.Draw(tile).multiline_text(
        (4, TILE + 2),
        caption[:LETTERS],
        fill=MISSING_COLOR if masked.mask is None else "black",
        font=ImageFont.load_default(12),
    )
    return tile


def _small(masked: MaskedPicture) -> Image.Image:
    """The picture as large as a tile allows, with its mask and its boxes."""
    picture = _dimmed_outside(masked)
    scale = TILE / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    small = picture.resize((width, height), Image.LANCZOS)
    draw = ImageDraw.Draw(small)
    for box in masked.boxes:
        corners = [coordinate * scale for coordinate in box]
        draw.rectangle(corners, outline=BOX_COLOR, width=2)
    return small


def _dimmed_outside(masked: MaskedPicture) -> Image.Image:
    picture = masked.picture.convert("RGB")
    if masked.mask is None:
        return picture
    black = Image.new("RGB", picture.size, "black")
    dimmed = Image.blend(picture, black, DIMMED)
    return Image.composite(picture, dimmed, picture_of(masked.mask))
