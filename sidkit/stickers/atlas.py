"""The artwork: 128 px RGBA drawings from six permissively licensed sets, packed into one WebP sheet a set.

`build` makes the sheets from the npm packages named in `art/sources.json`; everything else only reads them.
"""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

ART = Path(__file__).parent / "art"
CELL = 128  # px
COLUMNS = 8


@lru_cache(maxsize=1)
def sources() -> dict:
    """`{"sets": {set: package, version, licence, ...}, "drawings": {name: {set: picture}}}`."""
    return json.loads((ART / "sources.json").read_text())


def designs(name: str) -> tuple[str, ...]:
    """The sets that hold a drawing of `name`, in the order of the sets."""
    return tuple(sources()["drawings"][name])


def _names(art_set: str) -> list[str]:
    return [name for name, pictures in sources()["drawings"].items() if art_set in pictures]


@lru_cache(maxsize=None)
def _sheet(art_set: str) -> Image.Image:
    path = ART / f"{art_set}.webp"
    if not path.exists():
        raise FileNotFoundError(f"expected the art sheet {path}; run `sidkit stickers atlas` to build it")
    return Image.open(path).convert("RGBA")


@lru_cache(maxsize=None)
def drawing(name: str, art_set: str, hue: int = 0) -> Image.Image:
    """One drawing as RGBA, 128 x 128 px, optionally with its hues turned by `hue` degrees."""
    if art_set not in sources()["drawings"].get(name, {}):
        raise ValueError(
            f"no drawing of {name!r} in the set {art_set!r}; there are {sources()['drawings'].get(name, {})}"
        )
    index = _names(art_set).index(name)
    x, y = index % COLUMNS * CELL, index // COLUMNS * CELL
    return rotate_hue(_sheet(art_set).crop((x, y, x + CELL, y + CELL)), hue)


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
    """Fetch the packages with npm, render every drawing and write one lossless WebP sheet a set."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        return [_build_set(art_set, Path(scratch), folder) for art_set in sources()["sets"]]


def _build_set(art_set: str, scratch: Path, folder: Path) -> Path:
    package = _fetch(art_set, scratch)
    names = _names(art_set)
    sheet = Image.new("RGBA", (COLUMNS * CELL, -(-len(names) // COLUMNS) * CELL))
    for index, name in enumerate(names):
        picture = _render(package, sources()["drawings"][name][art_set])
        sheet.paste(picture, (index % COLUMNS * CELL, index // COLUMNS * CELL))
    path = folder / f"{art_set}.webp"
    sheet.save(path, lossless=True, quality=100, method=6)
    return path


def _fetch(art_set: str, scratch: Path) -> Path:
    source = sources()["sets"][art_set]
    command = ["npm", "pack", "--silent", f"{source['package']}@{source['version']}"]
    archive = subprocess.run(command, cwd=scratch, check=True, capture_output=True, text=True).stdout.split()[-1]
    with tarfile.open(scratch / archive) as tar:
        tar.extractall(scratch / art_set, filter="data")
    return scratch / art_set / "package"


def _render(package: Path, picture: str) -> Image.Image:
    """A ready-made WebP, or an icon of an Iconify set rendered by resvg, at the size of a cell."""
    if picture.endswith(".webp"):
        return Image.open(package / "assets" / picture).convert("RGBA").resize((CELL, CELL), Image.LANCZOS)
    import resvg_py

    png = resvg_py.svg_to_bytes(svg_string=_svg(package, picture), width=CELL, height=CELL, skip_system_fonts=True)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


@lru_cache(maxsize=None)
def _icons(package: Path) -> dict:
    return json.loads((package / "icons.json").read_text())


def _svg(package: Path, name: str) -> str:
    icons = _icons(package)
    while name in icons.get("aliases", {}):
        name = icons["aliases"][name]["parent"]
    icon = icons["icons"][name]
    left, top = icon.get("left", 0), icon.get("top", 0)
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'<svg {spaces} viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
