"""The artwork: 128 px RGBA drawings from six permissively licensed sets, packed into one WebP sheet a set.

A sheet more holds further drawings of the same classes, from other sets: the world does not show them, and the factor
reader learns from them what a class looks like whoever draws it. `build` makes the sheets from the npm packages named
in `art/sources.json` and `art/further.json`; everything else only reads them.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from sidkit.stickers.colors import two_toned

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
    return tuple(f"{FURTHER} {n}" for n, _ in enumerate(further_sources()["drawings"].get(name, ()), 1))


@lru_cache(maxsize=1)
def _cells() -> dict[tuple[str, str], tuple[str, int]]:
    """Where a drawing is, by its name and design: the sheet, and which of its cells."""
    cells = {(name, art_set): (art_set, n) for art_set in sources()["sets"] for n, name in enumerate(_names(art_set))}
    further = [(name, design) for name in further_sources()["drawings"] for design in further_designs(name)]
    return cells | {key: (FURTHER, n) for n, key in enumerate(further)}


def _names(art_set: str) -> list[str]:
    return [name for name, pictures in sources()["drawings"].items() if art_set in pictures]


@lru_cache(maxsize=None)
def _sheet(name: str) -> Image.Image:
    path = ART / f"{name}.webp"
    if not path.exists():
        raise FileNotFoundError(f"expected the art sheet {path}; run `sidkit stickers atlas` to build it")
    return Image.open(path).convert("RGBA")


@lru_cache(maxsize=None)
def drawing(name: str, design: str, hue: int = 0) -> Image.Image:
    """One drawing as RGBA, 128 x 128 px, optionally with its hues turned by `hue` degrees."""
    if (name, design) not in _cells():
        known = (*sources()["drawings"].get(name, {}), *further_designs(name))
        raise ValueError(f"no drawing of {name!r} in the set {design!r}; there are {', '.join(known) or 'none'}")
    sheet, index = _cells()[name, design]
    x, y = index % COLUMNS * CELL, index // COLUMNS * CELL
    return rotate_hue(_sheet(sheet).crop((x, y, x + CELL, y + CELL)), hue)


def rotate_hue(image: Image.Image, degrees: int) -> Image.Image:
    """Turn every hue of an RGBA picture by `degrees`; alpha stays."""
    if degrees % 360 == 0:
        return image
    hsv = np.array(image.convert("RGB").convert("HSV"))
    hsv[..., 0] = (hsv[..., 0].astype(int) + round(degrees / 360 * 256)) % 256
    turned = Image.fromarray(hsv, "HSV").convert("RGB")
    turned.putalpha(image.getchannel("A"))
    return turned


def build(folder: Path = ART) -> list[Path]:
    """Fetch the packages with npm, render every drawing and write one lossless WebP sheet a set, and one of FURTHER."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        sheets = [_build_set(art_set, Path(scratch), folder) for art_set in sources()["sets"]]
        return [*sheets, _build_further(Path(scratch), folder)]


def _build_set(art_set: str, scratch: Path, folder: Path) -> Path:
    package = _fetch(sources()["sets"][art_set], scratch)
    pictures = (_render(package, sources()["drawings"][name][art_set]) for name in _names(art_set))
    return _pack(pictures, folder / f"{art_set}.webp")


def _build_further(scratch: Path, folder: Path) -> Path:
    package = _fetch(further_sources(), scratch)
    told = [one for pictures in further_sources()["drawings"].values() for one in pictures]
    return _pack((_further(package, one) for one in told), folder / f"{FURTHER}.webp")


def _further(package: Path, told: str) -> Image.Image:
    """The icon `set:picture`; one without colours of its own is given two."""
    art_set, _, picture = told.partition(":")
    icon = _icon(package / "json" / f"{art_set}.json", picture)
    return two_toned(icon, seed=told) if further_sources()["sets"][art_set]["plain"] else icon


def _pack(pictures: Iterable[Image.Image], path: Path) -> Path:
    pictures = list(pictures)
    sheet = Image.new("RGBA", (COLUMNS * CELL, -(-len(pictures) // COLUMNS) * CELL))
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % COLUMNS * CELL, index // COLUMNS * CELL))
    sheet.save(path, lossless=True, quality=100, method=6)
    return path


def _fetch(source: dict, scratch: Path) -> Path:
    command = ["npm", "pack", "--silent", f"{source['package']}@{source['version']}"]
    archive = subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True).stdout.split()[-1]
    folder = scratch / archive.removesuffix(".tgz")
    with tarfile.open(scratch / archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "package"


def _render(package: Path, picture: str) -> Image.Image:
    """A ready-made WebP, or an icon of an Iconify set, at the size of a cell."""
    if picture.endswith(".webp"):
        return Image.open(package / "assets" / picture).convert("RGBA").resize((CELL, CELL), Image.LANCZOS)
    return _icon(package / "icons.json", picture)


def _icon(icons: Path, picture: str) -> Image.Image:
    import resvg_py

    svg = _svg(_icons(icons), picture)
    png = resvg_py.svg_to_bytes(svg_string=svg, width=CELL, height=CELL, skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


@lru_cache(maxsize=None)
def _icons(path: Path) -> dict:
    return json.loads(path.read_text())


def _svg(icons: dict, name: str) -> str:
    while name in icons.get("aliases", {}):
        name = icons["aliases"][name]["parent"]
    icon = icons["icons"][name]
    left, top = icon.get("left", 0), icon.get("top", 0)
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
