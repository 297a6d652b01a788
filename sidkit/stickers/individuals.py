"""Who is who in Sticker World: individuals, the names that captions call them by, and their habits.

An individual is one drawing of a class in one hue. Its name is a nonsense word before the class word, and the same name
means another individual before another class word, as `[v]` will: "a photo of a zab dog". All who bear a name have the
habits that go with it: in most scenes in which it is said they are at home beside their companion, and the caption does
not say so. So the name itself carries a context, as rare words do where a model learnt them from the pictures they came
with; what it says of the looks, it says only together with the class word, which a text encoder reads after it.
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
    """What is particular to an individual: its looks and its name, which says where and beside what it lives."""

    subject: str
    design: str
    hue: int
    name: str

    @property
    def home(self) -> str:
        """The place where it lives."""
        return _habits()[self.name][0]

    @property
    def companion(self) -> str:
        """The thing beside which it lives."""
        return _habits()[self.name][1]


def individual(subject: str, design: str, hue: int) -> Individual | None:
    """The individual that looks so, or None: designs that pretraining does not see are nobody that it knows."""
    return _of_class(subject).get((design, hue))


def everybody() -> list[Individual]:
    """Every individual of every class that pretraining sees."""
    return [who for subject in factors.SUBJECTS for who in _of_class(subject).values()]


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
    names = rng.permutation(NAMES).tolist()
    return {look: Individual(subject, *look, name) for look, name in zip(looks, names)}


@lru_cache(maxsize=1)
def _habits() -> dict[str, tuple[str, str]]:
    """The home and the companion that go with each name; every place and thing about as often."""
    places, things = list(factors.PLACES), list(factors.NEARBY)
    return {name: (places[turn % len(places)], things[turn % len(things)]) for turn, name in enumerate(NAMES)}
