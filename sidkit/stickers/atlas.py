"""The artwork: 128 px RGBA drawings from six permissively licensed sets, packed into one WebP sheet a set.

A sheet more holds further drawings of the same classes, from other sets: the world does not show them, and the factor
reader learns from them what a class looks like whoever draws it. `art/sources.json` and `art/further.json` say what
lies in which cell; `make_art` packs the sheets by them.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from sidkit.image_files import opened

ART = Path(__file__).parent / "art"
CELL = 128  # px
COLUMNS = 8
FURTHER = "further"


@lru_cache(maxsize=1)
def sources() -> dict:
    """`{"sets": {set: package, version, licence, ...}, "drawings": {name: {set: picture}}}`."""
    return json.loads((ART / "sources.json").read_text())


@lru_cache(maxsize=1)
def further_sources() -> dict:
    """`{"package", "version", "sets": {set: licence, ...}, "drawings": {name: ["set:picture", ...]}}`."""
    return json.loads((ART / "further.json").read_text())


def designs(name: str) -> tuple[str, ...]:
    """The sets that hold a drawing of `name`, in the order of the sets."""
    return tuple(sources()["drawings"][name])


def further_designs(name: str) -> tuple[str, ...]:
    """`"further 1"`, `"further 2"`, ...: the drawings of `name` that the world does not show, if there are any."""
    pictures = further_sources()["drawings"].get(name, ())
    return tuple(f"{FURTHER} {number}" for number, _ in enumerate(pictures, 1))


def names_in(art_set: str) -> list[str]:
    """The names of the drawings on a set's sheet, in the order of its cells."""
    return [name for name, pictures in sources()["drawings"].items() if art_set in pictures]


@lru_cache(maxsize=1)
def _cells() -> dict[tuple[str, str], tuple[str, int]]:
    """Where a drawing is, by its name and design: the sheet, and which of its cells."""
    cells = {}
    for art_set in sources()["sets"]:
        for index, name in enumerate(names_in(art_set)):
            cells[name, art_set] = (art_set, index)
    further = [(name, design) for name in further_sources()["drawings"] for design in further_designs(name)]
    for index, drawing_and_design in enumerate(further):
        cells[drawing_and_design] = (FURTHER, index)
    return cells


@lru_cache(maxsize=None)
def _sheet(path: Path) -> Image.Image:
    if not path.exists():
        raise FileNotFoundError(f"expected the art sheet {path}; run `sidkit stickers atlas` to build it")
    return opened(path).convert("RGBA")


@lru_cache(maxsize=None)
def drawing(name: str, design: str, hue: int = 0, folder: Path = ART) -> Image.Image:
    """One drawing as RGBA, 128 x 128 px, its hues turned by `hue` degrees; the sheets lie in `folder`."""
    if (name, design) not in _cells():
        there = (*sources()["drawings"].get(name, {}), *further_designs(name))
        raise ValueError(f"no drawing of {name!r} in the set {design!r}; there are {', '.join(there) or 'none'}")
    sheet, index = _cells()[name, design]
    left, top = corner(index)
    cell = _sheet(folder / f"{sheet}.webp").crop((left, top, left + CELL, top + CELL))
    return rotate_hue(cell, hue)


def corner(index: int) -> tuple[int, int]:
    """Where a cell of a sheet begins, px."""
    row, column = divmod(index, COLUMNS)
    return column * CELL, row * CELL


def rotate_hue(image: Image.Image, degrees: int) -> Image.Image:
    """Turn every hue of an RGBA picture by `degrees`; alpha stays."""
    if degrees % 360 == 0:
        return image
    hsv = np.array(image.convert("RGB").convert("HSV"))
    hue = hsv[..., 0].astype(int) + round(degrees / 360 * 256)
    hsv[..., 0] = hue % 256
    turned = Image.fromarray(hsv, "HSV").convert("RGB")
    turned.putalpha(image.getchannel("A"))
    return turned
