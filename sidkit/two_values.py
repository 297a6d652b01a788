"""Whether a picture is a mask: two values, with no more between them than the soft edges that scaling and JPEG leave.

Other tools write label numbers (0, 1, 2, 3), palettes (VOC, DAVIS), trimaps (0, 128, 255) or whole photos under the
same names. Which of their values is the subject cannot be known, so they are refused, with what was found.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

FEW = 16  # values at most that are looked at one by one
NARROW = 32  # of 255: with less between dark and light, each value is a label
TINY = 8  # px; in a smaller picture, nothing between is taken for an edge
PLATEAU = 0.0005  # share of the picture whose surroundings, too, have a third value: no edge is as broad as that
MARGIN = 0.15  # of the way from dark to light, and from light to dark, that JPEG's noise may go
EVEN = 6  # of 255: JPEG's noise within a plateau
MOST_BETWEEN = 0.25  # share of the picture; more between dark and light is no edge
_WANTED = "expected two values, light on the subject and dark elsewhere"
_REMEDY = "paint the subject white and the rest black, and save it as PNG"


def light_part(picture: Image.Image) -> np.ndarray:
    """Boolean (height, width), True where a picture of two values is light; an edge goes to the nearer one.

    ValueError, which does not name the file, for a picture of other values.
    """
    brightness = _brightness(picture)
    dark, light = brightness.min(), brightness.max()
    if dark == light:
        return brightness > 0
    colors = _few_colors(picture, brightness)
    if colors is None:
        _check_shades(brightness, float(dark), float(light))
    elif len(colors) > 2:
        _check_colors(picture, colors, brightness)
    return brightness > (float(dark) + float(light)) / 2


def is_mask(picture: Image.Image) -> bool:
    """Whether a picture is grey and has two values, as a mask is mostly written; a drawing in ink is one, too."""
    try:
        part = light_part(picture) if _is_grey(picture) else None
    except ValueError:
        return False
    return part is not None and part.any() and not part.all()


def _brightness(picture: Image.Image) -> np.ndarray:
    """Numbers (height, width), as they stand in a grey picture of any depth."""
    if _is_deep(picture):
        numbers = np.asarray(picture)
        if not np.isfinite(numbers).all():
            raise ValueError(f"{_WANTED}, got pixels that are no numbers; {_REMEDY}")
        return numbers.astype(np.float32)
    return np.asarray(picture.convert("L"))


def _is_deep(picture: Image.Image) -> bool:
    """Whether its pixels are one number each, of more than 8 bits."""
    return picture.mode.startswith(("I", "F"))


def _few_colors(picture: Image.Image, brightness: np.ndarray) -> list[tuple[int, ...]] | None:
    """The values of a picture, each as a tuple, the darkest first; None where there are more than FEW."""
    if _is_deep(picture):
        numbers = np.unique(brightness)
        return [(int(number),) for number in numbers] if len(numbers) <= FEW else None
    plain = picture.convert("L" if _is_grey(picture) else "RGB")
    counted = plain.getcolors(FEW)
    if counted is None:
        return None
    colors = [color if isinstance(color, tuple) else (color,) for _, color in counted]
    return sorted(colors, key=lambda color: (sum(color), color))


def _is_grey(picture: Image.Image) -> bool:
    if picture.mode in ("1", "L", "LA", "La"):
        return True
    red, green, blue = picture.convert("RGB").split()
    return red.tobytes() == green.tobytes() == blue.tobytes()


def _check_colors(picture: Image.Image, colors: list[tuple[int, ...]], brightness: np.ndarray) -> None:
    """ValueError where a third value, told exactly, covers more than edges do."""
    codes = _codes(picture, colors, brightness)
    narrow = not _is_deep(picture) and brightness.max() - brightness.min() < NARROW
    if not narrow and min(codes.shape) >= TINY:
        flat = codes[1:-1, 1:-1][_over_3(codes, np.maximum) == _over_3(codes, np.minimum)]
        shares = np.bincount(flat, minlength=len(colors)) / codes.size
        ends = (brightness.argmin(), brightness.argmax())
        others = np.delete(shares, list({codes.flat[end] for end in ends}))
        if others.max() < PLATEAU:
            return
    if len(colors[0]) == 1:
        values = ", ".join(str(value) for (value,) in colors)
        raise ValueError(f"{_WANTED}, got {len(colors)} ({values}); {_REMEDY}")
    values = ", ".join("#{:02x}{:02x}{:02x}".format(*color) for color in colors)
    kind = "a palette of " if picture.mode == "P" else ""
    raise ValueError(f"{_WANTED}, got {kind}{len(colors)} colours ({values}); {_REMEDY}")


def _codes(picture: Image.Image, colors: list[tuple[int, ...]], brightness: np.ndarray) -> np.ndarray:
    """The place of each pixel's value among the colours, (height, width)."""
    if len(colors[0]) == 1:
        values = np.array([value for (value,) in colors], brightness.dtype)
        return np.searchsorted(values, brightness)
    pixels = np.asarray(picture.convert("RGB"))
    codes = np.zeros(brightness.shape, np.intp)
    for code, color in enumerate(colors):
        codes[(pixels == color).all(axis=-1)] = code
    return codes


def _check_shades(brightness: np.ndarray, dark: float, light: float) -> None:
    """ValueError where what is neither dark nor light has an extent of its own, or is too much for edges."""
    is_flat = np.zeros(brightness.shape, bool)
    if min(brightness.shape) >= TINY:
        spread = _over_3(brightness, np.maximum).astype(float) - _over_3(brightness, np.minimum)
        is_flat[1:-1, 1:-1] = spread <= EVEN * (light - dark) / 255
    if is_flat.any():  # JPEG goes beyond both values along edges
        dark, light = np.quantile(brightness[is_flat], [PLATEAU, 1 - PLATEAU])
    reach = light - dark
    is_between = (brightness > dark + MARGIN * reach) & (brightness < light - MARGIN * reach)
    is_third = is_flat.copy()
    is_third[1:-1, 1:-1] &= _over_3(is_between, np.logical_and)
    between, even = is_between.mean(), is_third.mean()
    if between > MOST_BETWEEN and even < between / 2:
        raise ValueError(f"{_WANTED}, got shades between on {between:.0%} of it, as a photo has; {_REMEDY}")
    if even >= PLATEAU:
        third = np.median(brightness[is_third])
        raise ValueError(f"{_WANTED}, got a third, about {third:.0f}, on {even:.1%} of it; {_REMEDY}")


def _over_3(values: np.ndarray, reduce: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """(height - 2, width - 2): each pixel's square of 3 x 3, reduced to one value."""
    rows = reduce(reduce(values[:-2], values[1:-1]), values[2:])
    return reduce(reduce(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
