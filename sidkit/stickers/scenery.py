"""How the places of Sticker World look, drawn procedurally: `place(name, variant, size, view)`.

Each variant of a place has a few views (other dunes, other houses); a scene picks one at random.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from sidkit.stickers import place_colors as paint
from sidkit.stickers.places import ROWS
from sidkit.stickers.strokes import (
    CANVAS,
    Color,
    around,
    at_height,
    band,
    cloud,
    disc,
    gradient,
    hills,
    scattered,
    shade,
    stars,
)

VIEWS = 12
HORIZON = 0.58  # share of the height where an outdoor ground begins
FLOOR = 0.66  # and where the floor of a room does

Drawer = Callable[[str, np.random.Generator], Image.Image]
DRAWERS: dict[str, Drawer] = {}  # filled by `draws`, by the names of `places.ROWS`


def draws(name: str) -> Callable[[Drawer], Drawer]:
    """Say of a function (variant, rng) that it draws a place, 256 x 256 px. ValueError for a place without a row."""
    if name not in ROWS:
        raise ValueError(f"scenery draws {name!r}, which has no row in places.ROWS; add its variants and its words")

    def register(drawer: Drawer) -> Drawer:
        DRAWERS[name] = drawer
        return drawer

    return register


@lru_cache(maxsize=2048)
def place(name: str, variant: str, size: int, view: int) -> Image.Image:
    """One view of a place as RGB, `size` x `size` px; `view` is in 0..VIEWS-1."""
    if name not in DRAWERS:
        raise ValueError(f"no function in scenery draws {name!r}; write one and say so with @draws")
    if size != CANVAS:
        return place(name, variant, CANVAS, view).resize((size, size), Image.LANCZOS)
    seed = sum(map(ord, name + variant))
    return DRAWERS[name](variant, np.random.default_rng([seed, view]))


def _outdoors(name: str, variant: str, rng: np.random.Generator) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Sky with sun, moon or stars, and the ground below the horizon."""
    image = gradient(*paint.SKIES[variant])
    draw = ImageDraw.Draw(image)
    _sky_lights(draw, variant, rng)
    color = paint.GROUNDS[name][variant]
    horizon = at_height(HORIZON)
    ground = gradient(shade(color, 0.9), shade(color, 1.08), CANVAS - horizon)
    image.paste(ground, (0, horizon))
    return image, draw


def _sky_lights(draw: ImageDraw.ImageDraw, variant: str, rng: np.random.Generator) -> None:
    x = rng.uniform(30, 226)
    y = rng.uniform(24, 56)
    if variant == "night":
        stars(draw, rng, 40, HORIZON)
        disc(draw, x, y, 16, paint.FULL_MOON)
    elif variant == "sunset":
        disc(draw, x, at_height(HORIZON) - 16, 24, paint.SUN)
    elif variant == "daylight":
        for _ in range(3):
            cloud(draw, rng.uniform(10, 246), rng.uniform(16, 80), rng.uniform(10, 18))


@draws("beach")
def _beach(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("beach", variant, rng)
    sea = paint.SEAS[variant]
    band(draw, 0.48, 0.66, sea)
    for height in (0.52, 0.57, 0.62):
        x = rng.uniform(0, 180)
        y = at_height(height)
        draw.line((x, y, x + 60, y), fill=shade(sea, 1.5), width=3)  # foam
    hills(draw, rng, 0.68, 0.04, paint.GROUNDS["beach"][variant])
    return image


@draws("snow")
def _snow(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("snow", variant, rng)
    ground = paint.GROUNDS["snow"][variant]
    hills(draw, rng, 0.62, 0.14, shade(ground, 0.9))
    hills(draw, rng, 0.72, 0.08, ground)
    for x, y in scattered(rng, 40, 0, CANVAS):
        disc(draw, x, y, 2.4, paint.WHITE)
    return image


@draws("city")
def _city(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("city", variant, rng)
    wall = paint.TOWERS[variant]
    x = -rng.uniform(0, 20)
    while x < CANVAS:
        width = rng.uniform(36, 56)
        top = at_height(rng.uniform(0.12, 0.36))
        _tower(draw, x, width, top, shade(wall, rng.uniform(0.8, 1.15)), paint.WINDOWS[variant])
        x += width
    band(draw, 0.7, 0.72, paint.STRIPE)
    return image


def _tower(draw: ImageDraw.ImageDraw, x: float, width: float, top: int, wall: Color, window: Color) -> None:
    draw.rectangle((x, top, x + width, at_height(0.66)), fill=wall)
    for left in np.arange(x + 7, x + width - 8, 14):
        for upper in range(top + 8, at_height(0.6), 18):
            draw.rectangle((left, upper, left + 6, upper + 9), fill=window)


@draws("meadow")
def _meadow(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("meadow", variant, rng)
    ground = paint.GROUNDS["meadow"][variant]
    hills(draw, rng, 0.62, 0.1, shade(ground, 0.85))
    hills(draw, rng, 0.7, 0.06, ground)
    light = 0.55 if variant == "night" else 1
    places = list(scattered(rng, 24, at_height(0.72), CANVAS))
    kinds = rng.integers(0, 3, 24)
    for (x, y), kind in zip(places, kinds, strict=True):
        disc(draw, x, y, 4, shade(paint.PETALS[kind], light))
    return image


@draws("desert")
def _desert(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("desert", variant, rng)
    ground = paint.GROUNDS["desert"][variant]
    for base, height, factor in ((0.6, 0.22, 0.78), (0.68, 0.14, 0.9), (0.8, 0.1, 1.04)):
        hills(draw, rng, base, height, shade(ground, factor))
    return image


@draws("forest")
def _forest(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("forest", variant, rng)
    crown = paint.CROWNS[variant]
    trunk = paint.TRUNKS[variant]
    trees = np.arange(-10, CANVAS + 20, 30) + rng.uniform(-6, 6)
    for x in trees:
        foot = at_height(rng.uniform(0.6, 0.68))
        draw.rectangle((x - 5, 60, x + 5, foot), fill=trunk)
        middle = rng.uniform(40, 76)
        radius = rng.uniform(28, 38)
        disc(draw, x, middle, radius, shade(crown, rng.uniform(0.75, 1.2)))
    return image


@draws("mountains")
def _mountains(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("mountains", variant, rng)
    peaks = np.arange(20, CANVAS + 60, 84) + rng.uniform(-30, 20)
    for x in peaks:
        top = at_height(rng.uniform(0.14, 0.3))
        half = rng.uniform(60, 84)
        _peak(draw, x, top, half, shade(paint.ROCKS[variant], rng.uniform(0.85, 1.1)))
    band(draw, 0.64, 1, paint.GROUNDS["mountains"][variant])
    return image


def _peak(draw: ImageDraw.ImageDraw, x: float, top: int, half: float, rock: Color) -> None:
    foot = at_height(0.65)
    draw.polygon([(x - half, foot), (x, top), (x + half, foot)], fill=rock)
    cap = 0.28  # the share that snow covers
    wide = half * cap
    edge = top + (foot - top) * cap
    light = 1 if sum(rock) > 300 else 0.7
    draw.polygon([(x - wide, edge), (x, top), (x + wide, edge)], fill=shade(paint.SNOW_CAP, light))


def _room(wall: Color, floor: Color) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """A wall, a skirting board and a floor."""
    image = gradient(shade(wall, 1.05), shade(wall, 0.92))
    draw = ImageDraw.Draw(image)
    band(draw, FLOOR, 1, floor)
    band(draw, 0.64, FLOOR, shade(wall, 0.7))
    return image, draw


@draws("living room")
def _living_room(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _room(paint.LIVING_ROOMS[variant], paint.PARQUET)
    for y in range(at_height(0.7), CANVAS, 16):
        draw.line((0, y, CANVAS, y), fill=paint.GROOVE, width=2)
    x = rng.uniform(20, 150)
    draw.rectangle((x, 30, x + 76, 96), fill=paint.WINDOW_FRAME)
    draw.rectangle((x + 6, 36, x + 70, 90), fill=paint.PANE)
    draw.line((x + 38, 30, x + 38, 96), fill=paint.WINDOW_FRAME, width=5)
    return image


@draws("kitchen")
def _kitchen(variant: str, rng: np.random.Generator) -> Image.Image:
    wall = paint.KITCHENS[variant]
    image, draw = _room(wall, paint.FLAGSTONE)
    offset = int(rng.integers(0, 24))
    _tiles(draw, offset, shade(wall, 0.82))
    for row in range(4):
        top = at_height(FLOOR) + row * 22
        shift = (row % 2) * 16 + offset // 2
        for column in range(-1, 10):
            x = column * 32 + shift
            draw.rectangle((x, top, x + 15, top + 21), fill=paint.TILE)
    return image


def _tiles(draw: ImageDraw.ImageDraw, offset: int, joint: Color) -> None:
    bottom = at_height(0.64)
    for step in range(-24, CANVAS + 24, 24):
        x = step + offset
        draw.line((x, 0, x, bottom), fill=joint, width=2)
        across = (0, step, CANVAS, step) if step < bottom else (0, 0, 0, 0)
        draw.line(across, fill=joint, width=2)


@draws("sea floor")
def _sea_floor(variant: str, rng: np.random.Generator) -> Image.Image:
    surface, depth = paint.WATERS[variant]
    image = gradient(surface, depth)
    draw = ImageDraw.Draw(image)
    hills(draw, rng, 0.8, 0.06, paint.SANDS[variant])
    plants = 3 if variant == "deep" else 7
    for x in rng.uniform(0, CANVAS, plants):
        _sea_growth(draw, x, variant, rng)
    for x, y in scattered(rng, 10, 0, 160):
        draw.ellipse(around(x, y, 5), outline=shade(surface, 1.5), width=2)
    return image


def _sea_growth(draw: ImageDraw.ImageDraw, x: float, variant: str, rng: np.random.Generator) -> None:
    height = rng.uniform(30, 70)
    color = paint.SEA_PLANTS[variant]
    width = 9 if variant == "coral" else 6
    foot = at_height(0.82)
    for lean in (-14, 0, 14):
        draw.line((x, foot, x + lean, foot - height), fill=color, width=width)


@draws("moon")
def _moon(variant: str, rng: np.random.Generator) -> Image.Image:
    image = gradient(*paint.SPACE)
    draw = ImageDraw.Draw(image)
    stars(draw, rng, 70 if variant == "stars" else 30, HORIZON)
    hills(draw, rng, 0.64, 0.06, paint.DUST)
    for x, y in scattered(rng, 9, at_height(0.7), CANVAS):
        draw.ellipse(around(x, y, 16, 6), fill=paint.CRATER)
    x = rng.uniform(30, 226)
    if variant == "earth":
        disc(draw, x, 48, 28, paint.OCEANS)
        disc(draw, x - 8, 42, 11, paint.CONTINENT)
        disc(draw, x + 10, 58, 9, paint.CONTINENT)
    if variant == "flag":
        draw.line((x, 70, x, 160), fill=paint.POLE, width=5)
        draw.rectangle((x, 70, x + 44, 98), fill=paint.FLAG)
    return image


@draws("stage")
def _stage(variant: str, rng: np.random.Generator) -> Image.Image:
    curtain = paint.CURTAINS[variant]
    image = gradient(shade(curtain, 0.9), shade(curtain, 0.6))
    draw = ImageDraw.Draw(image)
    fold = int(rng.integers(18, 26))
    for x in range(0, CANVAS, fold * 2):
        draw.rectangle((x, 0, x + fold, at_height(0.7)), fill=shade(curtain, 1.15))
    spot = rng.uniform(90, 166)
    image.paste(paint.SPOTLIGHT, mask=_light_cone(spot))
    band(draw, 0.68, 1, paint.BOARDS)
    draw.ellipse((spot - 90, at_height(0.74), spot + 90, at_height(0.98)), fill=paint.LIT_BOARDS)
    return image


def _light_cone(x: float) -> Image.Image:
    """Where the spotlight above `x` shines, and how brightly, 0 to 255."""
    light = Image.new("L", (CANVAS, CANVAS))
    floor = at_height(0.76)
    corners = [(x - 16, 0), (x + 16, 0), (x + 80, floor), (x - 80, floor)]
    ImageDraw.Draw(light).polygon(corners, fill=70)
    return light.filter(ImageFilter.GaussianBlur(4))
