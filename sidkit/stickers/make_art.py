"""Make the artwork from the npm packages named in `art/sources.json` and `art/further.json`: sheets and their looks.

The result is shipped; nothing but this needs npm and resvg-py.
"""

from __future__ import annotations

import colorsys
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from sidkit.files import whole_file, write_text
from sidkit.image_files import opened
from sidkit.stickers.atlas import (
    ART,
    CELL,
    COLUMNS,
    FURTHER,
    corner,
    designs,
    drawing,
    further_sources,
    names_in,
    sources,
)
from sidkit.stickers.color_names import color_names
from sidkit.stickers.drawing_words import TABLE, drawing_key
from sidkit.stickers.factors import HUES, subject_classes

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
ICON_SIDE = 16  # of an icon that does not say its own
REACHED = 128  # the mark of what lies outside of an icon's lines


def make_art(folder: Path = ART) -> list[Path]:
    """Fetch the packages, render every drawing, and write a lossless WebP sheet a set, one of FURTHER, and the looks.

    Raises CalledProcessError where npm finds no package.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        sheets = [_make_sheet(art_set, Path(scratch), folder) for art_set in sources()["sets"]]
        further = _make_further(Path(scratch), folder)
    return [*sheets, further, write_looks(folder, art=folder)]


def write_looks(folder: Path = ART, art: Path = ART) -> Path:
    """Name the colours of every subject's drawings, in every hue, as they lie in `art`; writes one line a subject."""
    lines = []
    for subject in subject_classes():
        colors = {}
        for design in designs(subject):
            for hue in HUES:
                colors[drawing_key(design, hue)] = color_names(drawing(subject, design, hue, art))
        lines.append(f" {json.dumps(subject)}: {json.dumps(colors)}")
    path = folder / TABLE.name
    write_text(path, "{\n" + ",\n".join(lines) + "\n}\n")
    return path


def two_toned(icon: Image.Image, seed: str) -> Image.Image:
    """A black RGBA icon in one colour, and what its lines enclose in a lighter one; `seed` says which."""
    rng = np.random.default_rng(list(seed.encode()))
    ink_hue, filling_hue = rng.uniform(0, 1, 2)
    ink_gray, filling_gray = rng.uniform(0, 1, 2)
    ink = colorsys.hsv_to_rgb(ink_hue, ink_gray, rng.uniform(0.15, 0.85))
    filling = colorsys.hsv_to_rgb(filling_hue, 0.7 * filling_gray, rng.uniform(0.85, 1))
    lines = icon.getchannel("A")
    colored = Image.new("RGBA", icon.size, _bytes(filling))
    colored.paste(Image.new("RGBA", icon.size, _bytes(ink)), mask=lines)
    colored.putalpha(_filled(lines))
    return colored


def _filled(alpha: Image.Image) -> Image.Image:
    """The alpha channel with all that it encloses made opaque."""
    width, height = alpha.size
    roomy = Image.new("L", (width + 2, height + 2))
    roomy.paste(alpha.point(lambda value: 255 * (value > 127)), (1, 1))
    ImageDraw.floodfill(roomy, (0, 0), REACHED)
    back = roomy.crop((1, 1, width + 1, height + 1))
    enclosed = back.point(lambda value: 255 * (value == 0))
    return ImageChops.lighter(alpha, enclosed)


def _bytes(color: tuple[float, float, float]) -> tuple[int, ...]:
    return tuple(round(255 * channel) for channel in color)


def _make_sheet(art_set: str, scratch: Path, folder: Path) -> Path:
    package = _fetch(sources()["sets"][art_set], scratch)
    files = [sources()["drawings"][name][art_set] for name in names_in(art_set)]
    return _pack([_render(package, file) for file in files], folder / f"{art_set}.webp")


def _make_further(scratch: Path, folder: Path) -> Path:
    package = _fetch(further_sources(), scratch)
    pictures = []
    for icons in further_sources()["drawings"].values():
        pictures += [_further(package, icon) for icon in icons]
    return _pack(pictures, folder / f"{FURTHER}.webp")


def _further(package: Path, name: str) -> Image.Image:
    """The icon `set:picture`; one without colours of its own is given two."""
    art_set, _, picture = name.partition(":")
    icon = _icon(package / "json" / f"{art_set}.json", picture)
    if further_sources()["sets"][art_set]["plain"]:
        return two_toned(icon, seed=name)
    return icon


def _pack(pictures: Sequence[Image.Image], path: Path) -> Path:
    rows = -(-len(pictures) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * CELL, rows * CELL))
    for index, picture in enumerate(pictures):
        sheet.paste(picture, corner(index))
    with whole_file(path) as partial:
        sheet.save(partial, format="WEBP", lossless=True, quality=100, method=6)
    return path


def _fetch(source: dict, scratch: Path) -> Path:
    command = ["npm", "pack", "--silent", f"{source['package']}@{source['version']}"]
    printed = subprocess.run(
        command,
        cwd=scratch,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    archive = printed.split()[-1]
    folder = scratch / archive.removesuffix(".tgz")
    with tarfile.open(scratch / archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / "package"


def _render(package: Path, picture: str) -> Image.Image:
    """A ready-made WebP, or an icon of an Iconify set, at the size of a cell."""
    if not picture.endswith(".webp"):
        return _icon(package / "icons.json", picture)
    image = opened(package / "assets" / picture).convert("RGBA")
    return image.resize((CELL, CELL), Image.LANCZOS)


def _icon(icons: Path, picture: str) -> Image.Image:
    import resvg_py

    svg = _svg(_icons(icons), picture)
    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        width=CELL,
        height=CELL,
        skip_system_fonts=True,
    )
    return Image.open(io.BytesIO(bytes(png)), formats=["PNG"]).convert("RGBA")


@lru_cache(maxsize=None)
def _icons(path: Path) -> dict:
    return json.loads(path.read_text())


def _svg(icons: dict, name: str) -> str:
    aliases = icons.get("aliases", {})
    while name in aliases:
        name = aliases[name]["parent"]
    icon = icons["icons"][name]
    left = icon.get("left", 0)
    top = icon.get("top", 0)
    width = icon.get("width", icons.get("width", ICON_SIDE))
    height = icon.get("height", icons.get("height", ICON_SIDE))
    return f'<svg {NAMESPACES} viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
