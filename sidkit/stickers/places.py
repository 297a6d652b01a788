"""The places of Sticker World: a row each, with its variants and the words for them.

A new place is a row in ROWS and a function in `scenery.py` that draws it; both of one name, or `scenery` refuses.
The grammar and the scenes know it then. The shipped models do not until they are trained again.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A place in words. `plain` are synonyms at the class level; a detailed caption says the one of `detailed` that
    stands in the same order, and then one of `endings`, which are given for each variant.
    """

    plain: tuple[str, ...]
    detailed: tuple[str, ...]
    endings: dict[str, tuple[str, ...]]

    @property
    def variants(self) -> tuple[str, ...]:
        """The names of the variants, the first one first."""
        return tuple(self.endings)


NIGHT = ("at night", "in the dark")
TIMES_OF_DAY = {
    "daylight": ("in bright daylight", "in sunshine"),
    "sunset": ("at sunset", "in evening light"),
    "night": NIGHT,
}

ROWS = {
    "beach": Place(
        plain=("on a beach", "at the seaside"),
        detailed=("on a sandy beach", "at the sandy seaside"),
        endings=TIMES_OF_DAY,
    ),
    "snow": Place(
        plain=("in the snow", "on snowy ground"),
        detailed=("in the deep snow", "on white snowy ground"),
        endings=TIMES_OF_DAY,
    ),
    "city": Place(
        plain=("in a city", "on a street"),
        detailed=("in a city of towers", "on a wide street"),
        endings=TIMES_OF_DAY,
    ),
    "meadow": Place(
        plain=("in a meadow", "on the grass"),
        detailed=("in a flowery meadow", "on the flowery grass"),
        endings=TIMES_OF_DAY,
    ),
    "desert": Place(
        plain=("in a desert", "on sand dunes"),
        detailed=("in a dry desert", "on dry sand dunes"),
        endings=TIMES_OF_DAY,
    ),
    "forest": Place(
        plain=("in a forest", "in the woods"),
        detailed=("in a leafy forest", "in the leafy woods"),
        endings={"summer": ("in summer",), "autumn": ("in orange autumn",), "night": NIGHT},
    ),
    "living room": Place(
        plain=("in a living room", "inside a home"),
        detailed=("in a living room", "inside a home"),
        endings={
            "blue": ("with blue walls",),
            "red": ("with red walls",),
            "green": ("with green walls",),
        },
    ),
    "kitchen": Place(
        plain=("in a kitchen", "in the kitchen"),
        detailed=("in a kitchen", "in the kitchen"),
        endings={
            "white": ("with white tiles",),
            "yellow": ("with yellow tiles",),
            "mint": ("with mint green tiles",),
        },
    ),
    "sea floor": Place(
        plain=("on the sea floor", "under the sea"),
        detailed=("on the sea floor", "under the sea"),
        endings={
            "coral": ("among pink corals",),
            "weed": ("among green weeds",),
            "deep": ("in deep dark water",),
        },
    ),
    "mountains": Place(
        plain=("in the mountains", "by the mountains"),
        detailed=("in the rocky mountains", "by the rocky mountains"),
        endings=TIMES_OF_DAY,
    ),
    "moon": Place(
        plain=("on the moon", "in outer space"),
        detailed=("on the moon", "in outer space"),
        endings={
            "earth": ("below the blue earth",),
            "stars": ("under many stars",),
            "flag": ("beside a red flag",),
        },
    ),
    "stage": Place(
        plain=("on a stage", "in a theater"),
        detailed=("on a wooden stage", "in a wooden theater"),
        endings={
            "red": ("with red curtains",),
            "blue": ("with blue curtains",),
            "purple": ("with purple curtains",),
        },
    ),
}
