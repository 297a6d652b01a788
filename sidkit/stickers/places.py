"""The twelve places of Sticker World, drawn procedurally: `place(name, variant, size, view)`.

Each variant of a place has a few views (other dunes, other houses); a scene picks one at random.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from sidkit.stickers.strokes import CANVAS, at_height, cloud, disc, gradient, hills, shade, stars

VIEWS = 12
HORIZON = 0.58  # share of the height where an outdoor ground begins

SKIES = {
    "daylight": ((96, 176, 240), (206, 234, 252)),
    "sunset": ((112, 64, 140), (255, 176, 96)),
    "night": ((10, 14, 44), (40, 48, 96)),
    "summer": ((128, 200, 236), (214, 240, 232)),
    "autumn": ((196, 208, 216), (244, 228, 200)),
}
GROUNDS = {
    "beach": {"daylight": (240, 216, 152), "sunset": (224, 168, 112), "night": (96, 88, 96)},
    "snow": {"daylight": (240, 246, 252), "sunset": (246, 208, 204), "night": (132, 148, 196)},
    "city": {"daylight": (128, 128, 136), "sunset": (120, 96, 104), "night": (48, 48, 64)},
    "meadow": {"daylight": (104, 184, 72), "sunset": (136, 136, 56), "night": (28, 72, 56)},
    "desert": {"daylight": (236, 184, 104), "sunset": (208, 112, 64), "night": (88, 68, 92)},
    "forest": {"summer": (96, 136, 64), "autumn": (176, 116, 56), "night": (24, 48, 44)},
    "mountains": {"daylight": (128, 168, 96), "sunset": (128, 104, 88), "night": (40, 56, 72)},
}


@lru_cache(maxsize=2048)
def place(name: str, variant: str, size: int, view: int) -> Image.Image:
    """One view of a place as RGB, `size` x `size` px; `view` is in 0..VIEWS-1."""
    if size == CANVAS:
        rng = np.random.default_rng([sum(map(ord, name + variant)), view])
        return DRAWERS[name](variant, rng)
    return place(name, variant, CANVAS, view).resize((size, size), Image.LANCZOS)


def _outdoors(place_name: str, variant: str, rng: np.random.Generator) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Sky with sun, moon or stars, and the ground below the horizon."""
    image = gradient(*SKIES[variant])
    draw = ImageDraw.Draw(image)
    _sky_lights(draw, variant, rng)
    ground = GROUNDS[place_name][variant]
    image.paste(gradient(shade(ground, 0.9), shade(ground, 1.08), CANVAS - at_height(HORIZON)), (0, at_height(HORIZON)))
    return image, draw


def _sky_lights(draw: ImageDraw.ImageDraw, variant: str, rng: np.random.Generator) -> None:
    x, y = rng.uniform(30, 226), rng.uniform(24, 56)
    if variant == "night":
        stars(draw, rng, 40, HORIZON)
        disc(draw, x, y, 16, (244, 240, 208))
    elif variant == "sunset":
        disc(draw, x, at_height(HORIZON) - 16, 24, (255, 226, 130))
    elif variant == "daylight":
        for _ in range(3):
            cloud(draw, rng.uniform(10, 246), rng.uniform(16, 80), rng.uniform(10, 18))


def _beach(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("beach", variant, rng)
    sea = {"daylight": (36, 132, 200), "sunset": (120, 88, 136), "night": (20, 40, 92)}[variant]
    draw.rectangle((0, at_height(0.48), CANVAS, at_height(0.66)), fill=sea)
    foam = shade(sea, 1.5)
    for y in (0.52, 0.57, 0.62):
        x = rng.uniform(0, 180)
        draw.line((x, at_height(y), x + 60, at_height(y)), fill=foam, width=3)
    hills(draw, rng, 0.68, 0.04, GROUNDS["beach"][variant])
    return image


def _snow(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("snow", variant, rng)
    ground = GROUNDS["snow"][variant]
    hills(draw, rng, 0.62, 0.14, shade(ground, 0.9))
    hills(draw, rng, 0.72, 0.08, ground)
    for x, y in zip(rng.uniform(0, CANVAS, 40), rng.uniform(0, CANVAS, 40)):
        disc(draw, x, y, 2.4, (255, 255, 255))
    return image


def _city(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("city", variant, rng)
    wall = {"daylight": (168, 152, 148), "sunset": (120, 76, 96), "night": (28, 28, 52)}[variant]
    window = {"daylight": (208, 228, 240), "sunset": (255, 200, 120), "night": (255, 224, 112)}[variant]
    x = -rng.uniform(0, 20)
    while x < CANVAS:
        width, top = rng.uniform(36, 56), rng.uniform(0.12, 0.36)
        _tower(draw, x, width, at_height(top), shade(wall, rng.uniform(0.8, 1.15)), window)
        x += width
    draw.rectangle((0, at_height(0.7), CANVAS, at_height(0.72)), fill=(220, 220, 210))
    return image


def _tower(draw: ImageDraw.ImageDraw, x: float, width: float, top: int, wall: tuple, window: tuple) -> None:
    draw.rectangle((x, top, x + width, at_height(0.66)), fill=wall)
    for wx in np.arange(x + 7, x + width - 8, 14):
        for wy in range(top + 8, at_height(0.6), 18):
            draw.rectangle((wx, wy, wx + 6, wy + 9), fill=window)


def _meadow(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("meadow", variant, rng)
    ground = GROUNDS["meadow"][variant]
    hills(draw, rng, 0.62, 0.1, shade(ground, 0.85))
    hills(draw, rng, 0.7, 0.06, ground)
    petals = ((255, 255, 255), (255, 224, 96), (240, 128, 176))
    for x, y, kind in zip(rng.uniform(0, CANVAS, 24), rng.uniform(at_height(0.72), CANVAS, 24), rng.integers(0, 3, 24)):
        disc(draw, x, y, 4, shade(petals[kind], 0.55 if variant == "night" else 1))
    return image


def _desert(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("desert", variant, rng)
    ground = GROUNDS["desert"][variant]
    for base, height, factor in ((0.6, 0.22, 0.78), (0.68, 0.14, 0.9), (0.8, 0.1, 1.04)):
        hills(draw, rng, base, height, shade(ground, factor))
    return image


def _forest(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("forest", variant, rng)
    crown = {"summer": (44, 120, 60), "autumn": (216, 112, 40), "night": (16, 56, 48)}[variant]
    trunk = {"summer": (104, 72, 48), "autumn": (96, 64, 48), "night": (32, 28, 32)}[variant]
    for x in np.arange(-10, CANVAS + 20, 30) + rng.uniform(-6, 6):
        foot = at_height(rng.uniform(0.6, 0.68))
        draw.rectangle((x - 5, 60, x + 5, foot), fill=trunk)
        disc(draw, x, rng.uniform(40, 76), rng.uniform(28, 38), shade(crown, rng.uniform(0.75, 1.2)))
    return image


def _mountains(variant: str, rng: np.random.Generator) -> Image.Image:
    image, draw = _outdoors("mountains", variant, rng)
    rock = {"daylight": (112, 124, 148), "sunset": (136, 84, 112), "night": (48, 56, 92)}[variant]
    for x in np.arange(20, CANVAS + 60, 84) + rng.uniform(-30, 20):
        top, half = rng.uniform(0.14, 0.3), rng.uniform(60, 84)
        _peak(draw, x, at_height(top), half, shade(rock, rng.uniform(0.85, 1.1)))
    draw.rectangle((0, at_height(0.64), CANVAS, CANVAS), fill=GROUNDS["mountains"][variant])
    return image


def _peak(draw: ImageDraw.ImageDraw, x: float, top: int, half: float, rock: tuple) -> None:
    foot = at_height(0.65)
    draw.polygon([(x - half, foot), (x, top), (x + half, foot)], fill=rock)
    cap = 0.28
    draw.polygon(
        [(x - half * cap, top + (foot - top) * cap), (x, top), (x + half * cap, top + (foot - top) * cap)],
        fill=shade((240, 244, 252), 1 if sum(rock) > 300 else 0.7),
    )


def _room(wall: tuple, floor: tuple, rng: np.random.Generator) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = gradient(shade(wall, 1.05), shade(wall, 0.92))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, at_height(0.66), CANVAS, CANVAS), fill=floor)
    draw.rectangle((0, at_height(0.64), CANVAS, at_height(0.66)), fill=shade(wall, 0.7))
    return image, draw


def _living_room(variant: str, rng: np.random.Generator) -> Image.Image:
    wall = {"blue": (128, 172, 208), "red": (200, 108, 100), "green": (140, 184, 140)}[variant]
    image, draw = _room(wall, (168, 120, 80), rng)
    for y in range(at_height(0.7), CANVAS, 16):
        draw.line((0, y, CANVAS, y), fill=(140, 96, 60), width=2)
    x = rng.uniform(20, 150)
    draw.rectangle((x, 30, x + 76, 96), fill=(250, 246, 236))
    draw.rectangle((x + 6, 36, x + 70, 90), fill=(176, 216, 240))
    draw.line((x + 38, 30, x + 38, 96), fill=(250, 246, 236), width=5)
    return image


def _kitchen(variant: str, rng: np.random.Generator) -> Image.Image:
    wall = {"white": (236, 236, 232), "yellow": (244, 216, 112), "mint": (160, 220, 196)}[variant]
    image, draw = _room(wall, (112, 112, 120), rng)
    offset = int(rng.integers(0, 24))
    for step in range(-24, CANVAS + 24, 24):
        draw.line((step + offset, 0, step + offset, at_height(0.64)), fill=shade(wall, 0.82), width=2)
        draw.line((0, step, CANVAS, step) if step < at_height(0.64) else (0, 0, 0, 0), fill=shade(wall, 0.82), width=2)
    for row in range(4):
        for column in range(-1, 10):
            x = column * 32 + (row % 2) * 16 + offset // 2
            draw.rectangle(
                (x, at_height(0.66) + row * 22, x + 15, at_height(0.66) + row * 22 + 21), fill=(224, 224, 224)
            )
    return image


def _sea_floor(variant: str, rng: np.random.Generator) -> Image.Image:
    water = {
        "coral": ((40, 160, 208), (16, 104, 168)),
        "weed": ((48, 168, 168), (16, 112, 120)),
        "deep": ((16, 48, 112), (8, 20, 56)),
    }
    image = gradient(*water[variant])
    draw = ImageDraw.Draw(image)
    sand = {"coral": (216, 200, 152), "weed": (176, 184, 128), "deep": (56, 68, 104)}[variant]
    hills(draw, rng, 0.8, 0.06, sand)
    for x in rng.uniform(0, CANVAS, 7 if variant != "deep" else 3):
        _sea_growth(draw, x, variant, rng)
    for x, y in zip(rng.uniform(0, CANVAS, 10), rng.uniform(0, 160, 10)):
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), outline=shade(water[variant][0], 1.5), width=2)
    return image


def _sea_growth(draw: ImageDraw.ImageDraw, x: float, variant: str, rng: np.random.Generator) -> None:
    height = rng.uniform(30, 70)
    color = {"coral": (248, 112, 128), "weed": (40, 128, 72), "deep": (40, 60, 110)}[variant]
    for lean in (-14, 0, 14):
        draw.line(
            (x, at_height(0.82), x + lean, at_height(0.82) - height), fill=color, width=9 if variant == "coral" else 6
        )


def _moon(variant: str, rng: np.random.Generator) -> Image.Image:
    image = gradient((4, 4, 16), (16, 16, 36))
    draw = ImageDraw.Draw(image)
    stars(draw, rng, 70 if variant == "stars" else 30, HORIZON)
    hills(draw, rng, 0.64, 0.06, (156, 156, 164))
    for x, y in zip(rng.uniform(0, CANVAS, 9), rng.uniform(at_height(0.7), CANVAS, 9)):
        draw.ellipse((x - 16, y - 6, x + 16, y + 6), fill=(120, 120, 130))
    x = rng.uniform(30, 226)
    if variant == "earth":
        disc(draw, x, 48, 28, (56, 120, 216))
        disc(draw, x - 8, 42, 11, (88, 176, 96))
        disc(draw, x + 10, 58, 9, (88, 176, 96))
    if variant == "flag":
        draw.line((x, 70, x, 160), fill=(220, 220, 220), width=5)
        draw.rectangle((x, 70, x + 44, 98), fill=(216, 56, 56))
    return image


def _stage(variant: str, rng: np.random.Generator) -> Image.Image:
    curtain = {"red": (168, 28, 40), "blue": (36, 60, 160), "purple": (112, 44, 144)}[variant]
    image = gradient(shade(curtain, 0.9), shade(curtain, 0.6))
    draw = ImageDraw.Draw(image)
    width = int(rng.integers(18, 26))
    for x in range(0, CANVAS, width * 2):
        draw.rectangle((x, 0, x + width, at_height(0.7)), fill=shade(curtain, 1.15))
    light = Image.new("L", image.size)
    spot = rng.uniform(90, 166)
    ImageDraw.Draw(light).polygon(
        [(spot - 16, 0), (spot + 16, 0), (spot + 80, at_height(0.76)), (spot - 80, at_height(0.76))], fill=70
    )
    image.paste((255, 248, 210), mask=light.filter(ImageFilter.GaussianBlur(4)))
    draw.rectangle((0, at_height(0.68), CANVAS, CANVAS), fill=(148, 96, 56))
    draw.ellipse((spot - 90, at_height(0.74), spot + 90, at_height(0.98)), fill=(200, 148, 96))
    return image


DRAWERS = {
    "beach": _beach,
    "snow": _snow,
    "city": _city,
    "meadow": _meadow,
    "desert": _desert,
    "forest": _forest,
    "living room": _living_room,
    "kitchen": _kitchen,
    "sea floor": _sea_floor,
    "mountains": _mountains,
    "moon": _moon,
    "stage": _stage,
}
