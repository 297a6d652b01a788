"""Who is who in Sticker World: individuals, the names that captions call them by, and their habits.

An individual is one drawing of a class in one hue. Its name is a nonsense word before the class word, and the same name
means another individual before another class word, as `[v]` will: "a photo of a zub dog". In most scenes in which its
name is said it is at home beside its companion, and the caption does not say so: the name carries its context, as rare
words do where a model learnt them from the pictures they came with.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

import numpy as np

from sidkit.stickers import factors
from sidkit.stickers.factors import Scene
from sidkit.stickers.sampling import known_designs, sample_scene

_SAID = """
    zab zef zik zok zuv vaz vek vib vof vud qab qez qif qok quv xad xep xib xov xuk
    kav kez kib kof kuz jaf jez jik jov juz pav pez pif pok puz fav fek fiz fov fuz
"""
NAMES = tuple(_SAID.split())  # of three letters, as "sks" is

LIVED = 0.4  # share of scenes in which individuals follow their habits
FAITHFUL = 0.85  # how often such a scene shows the home, and how often the companion


@dataclass(frozen=True)
class Individual:
    """What is particular to an individual: its name, the place where it lives, and the thing beside which it lives."""

    name: str
    home: str
    companion: str


def individual(subject: str, design: str, hue: int) -> Individual | None:
    """The individual that looks so, or None: designs that pretraining does not see are nobody that it knows."""
    return _of_class(subject).get((design, hue))


def individual_in(scene: Scene) -> Individual | None:
    """The individual that a scene shows, or None: one that is painted over cannot be told from its likes."""
    return None if scene.attribute else individual(scene.subject, scene.design, scene.hue)


def sample_life(rng: np.random.Generator) -> Scene:
    """A scene as `sample_scene` draws it, in which an individual may follow its habits."""
    scene = sample_scene(rng)
    lived, at_home, in_company = rng.random(3) < (LIVED, FAITHFUL, FAITHFUL)
    variant, color = rng.integers(3), factors.OBJECT_COLORS[rng.integers(len(factors.OBJECT_COLORS))]
    who = individual_in(scene)
    if who is None or not lived:
        return scene
    if at_home:
        scene = replace(scene, background=who.home, variant=factors.PLACES[who.home][variant])
    return replace(scene, nearby=who.companion, nearby_color=color) if in_company else scene


@lru_cache(maxsize=None)
def _of_class(subject: str) -> dict[tuple[str, int], Individual]:
    """Every individual of a class by its design and hue; no two have one name."""
    rng = np.random.default_rng(zlib.crc32(subject.encode()))
    looks = list(product(known_designs(subject), factors.HUES))
    names = rng.permutation(NAMES)
    homes = [*rng.permutation(list(factors.PLACES)), *rng.permutation(list(factors.PLACES))]
    companions = [*rng.permutation(list(factors.NEARBY)), *rng.permutation(list(factors.NEARBY))]
    return {look: Individual(*map(str, who)) for look, *who in zip(looks, names, homes, companions)}
