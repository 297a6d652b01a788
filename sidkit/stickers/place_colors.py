"""The colours that the places are painted with, as RGB; where a place has variants, by variant."""

from __future__ import annotations

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

SEAS = {"daylight": (36, 132, 200), "sunset": (120, 88, 136), "night": (20, 40, 92)}
TOWERS = {"daylight": (168, 152, 148), "sunset": (120, 76, 96), "night": (28, 28, 52)}
WINDOWS = {"daylight": (208, 228, 240), "sunset": (255, 200, 120), "night": (255, 224, 112)}
CROWNS = {"summer": (44, 120, 60), "autumn": (216, 112, 40), "night": (16, 56, 48)}
TRUNKS = {"summer": (104, 72, 48), "autumn": (96, 64, 48), "night": (32, 28, 32)}
ROCKS = {"daylight": (112, 124, 148), "sunset": (136, 84, 112), "night": (48, 56, 92)}
LIVING_ROOMS = {"blue": (128, 172, 208), "red": (200, 108, 100), "green": (140, 184, 140)}
KITCHENS = {"white": (236, 236, 232), "yellow": (244, 216, 112), "mint": (160, 220, 196)}
WATERS = {
    "coral": ((40, 160, 208), (16, 104, 168)),
    "weed": ((48, 168, 168), (16, 112, 120)),
    "deep": ((16, 48, 112), (8, 20, 56)),
}
SANDS = {"coral": (216, 200, 152), "weed": (176, 184, 128), "deep": (56, 68, 104)}
SEA_PLANTS = {"coral": (248, 112, 128), "weed": (40, 128, 72), "deep": (40, 60, 110)}
CURTAINS = {"red": (168, 28, 40), "blue": (36, 60, 160), "purple": (112, 44, 144)}

WHITE = (255, 255, 255)
PETALS = (WHITE, (255, 224, 96), (240, 128, 176))
SPACE = ((4, 4, 16), (16, 16, 36))
SUN = (255, 226, 130)
FULL_MOON = (244, 240, 208)
STRIPE = (220, 220, 210)
WINDOW_FRAME = (250, 246, 236)
PANE = (176, 216, 240)
PARQUET = (168, 120, 80)
GROOVE = (140, 96, 60)
FLAGSTONE = (112, 112, 120)
TILE = (224, 224, 224)
DUST = (156, 156, 164)
CRATER = (120, 120, 130)
OCEANS = (56, 120, 216)
CONTINENT = (88, 176, 96)
POLE = (220, 220, 220)
FLAG = (216, 56, 56)
SPOTLIGHT = (255, 248, 210)
BOARDS = (148, 96, 56)
LIT_BOARDS = (200, 148, 96)
SNOW_CAP = (240, 244, 252)
