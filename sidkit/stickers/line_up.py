"""A line-up: the subject among look-alikes of its class, all in the same places and poses.

The cosine with the references says how near a picture is to them, and not whether another dog would be as near. Ranking
in a gallery of look-alikes asks that (Finer-Personalization Rank, arXiv 2512.19026), and Sticker World has them: other
drawings of the class, and the same drawing in other colours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageStat

from sidkit.stickers.atlas import designs, further_designs
from sidkit.stickers.factors import HUES, PLACES, Scene
from sidkit.stickers.references import read_truth
from sidkit.stickers.scenes import render
from sidkit.subjects import Subject, load_images

PLACES_EACH = 3  # that no reference shows
MOST = 12  # look-alikes
OTHER = 3.0  # of 255; by how much the mean pixel of another colour differs at least: a grey elephant has no other
ALONE = ("nearby", "nearby_color", "tied", "tied_color", "style", "pose")

LineUp = tuple[tuple[Image.Image, ...], ...]  # the subject's pictures, then those of each look-alike


def line_up(subject: Subject) -> LineUp:
    """The subject and up to twelve look-alikes, each alone in three places; none for a style, which is no individual.

    ValueError for what is no sticker subject.
    """
    if subject.of_style:
        return ()
    scenes = read_truth(subject).scenes.values()
    shown = {scene.background for scene in scenes}
    others = [place for place in PLACES if place not in shown]
    first = next(iter(scenes)).without(*ALONE)
    return _line_up(first, tuple(others[:PLACES_EACH]), load_images(subject)[0].width)


@lru_cache(maxsize=64)
def _line_up(subject: Scene, places: tuple[str, ...], size: int) -> LineUp:
    own = _pictures(subject, places, size)
    members = [own]
    for scene in _look_alikes(subject):
        if len(members) > MOST:
            break
        pictures = _pictures(scene, places, size)
        if _difference(own, pictures) > OTHER:
            members.append(pictures)
    return tuple(members)


def _look_alikes(subject: Scene) -> Iterator[Scene]:
    """The nearest first: other colours of the drawing, then other drawings of the class."""
    for hue in HUES:
        if hue != subject.hue:
            yield replace(subject, hue=hue)
    for design in (*designs(subject.subject), *further_designs(subject.subject)):
        if design != subject.design:
            yield replace(subject, design=design, hue=0)


def _pictures(scene: Scene, places: tuple[str, ...], size: int) -> tuple[Image.Image, ...]:
    """The same layout for everybody."""
    there = (replace(scene, background=place, variant=PLACES[place][0]) for place in places)
    return tuple(render(one, size, np.random.default_rng(0)) for one in there)


def _difference(pictures: tuple[Image.Image, ...], others: tuple[Image.Image, ...]) -> float:
    """Mean over pixels, colours and pictures."""
    pairs = zip(pictures, others)
    return float(np.mean([ImageStat.Stat(ImageChops.difference(one, other)).mean for one, other in pairs]))
