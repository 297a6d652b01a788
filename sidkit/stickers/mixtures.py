"""Pictures whose truth is known: the subject or another, with any of what its references share, or without.

Every mixture is made equally often, so identity and leakage are known and independent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np
from PIL import Image

from sidkit.stickers.factors import Scene
from sidkit.stickers.references import read_truth
from sidkit.stickers.sampling import sample_scene
from sidkit.stickers.scenes import render
from sidkit.subjects import Subject, load_images

COLORS = {"nearby": "nearby_color", "tied": "tied_color", "background": "variant"}  # by factor, the field of its colour
KIND_OF_CORNER = {  # by whether the subject is there, and whether its company is
    (True, False): "the subject elsewhere",
    (True, True): "the subject and all its company",
    (False, True): "the company without the subject",
    (False, False): "nothing of either",
}


@dataclass(frozen=True)
class Mixture:
    """A picture whose truth is known: whether it shows the subject, and which of the undesired things."""

    image: Image.Image
    is_subject: bool
    kept: tuple[str, ...]  # factors of the references' company that it shows
    turn: int  # among the pictures of the same mixture


def mixed(subject: Subject, each: int, *, seed: int) -> list[Mixture]:
    """`each` pictures of every mixture: the subject or another, with every subset of what its references share.

    They are as large as the references, and those of a `seed` are always the same.
    """
    truth = read_truth(subject)
    reference = next(iter(truth.scenes.values()))
    side = load_images(subject)[0].width
    rng = np.random.default_rng([seed, 9])
    subsets = _subsets(truth.shared)
    mixtures = []
    for is_subject, kept, turn in product((True, False), subsets, range(each)):
        scene = _without_company(reference, truth.shared, rng)
        scene = _with_some_of(reference, scene, is_subject, kept)
        image = render(scene, side, rng)
        mixtures.append(Mixture(image, is_subject, kept, turn))
    return mixtures


def _subsets(factors: Collection[str]) -> list[tuple[str, ...]]:
    """All of them, the empty one first, the whole last."""
    subsets = []
    for size in range(len(factors) + 1):
        subsets += combinations(factors, size)
    return subsets


def kind_of(mixture: Mixture, shared: int) -> str:
    """What KIND_OF_CORNER calls a corner of the mixtures of `shared` things; "" between the corners."""
    if len(mixture.kept) not in (0, shared):
        return ""
    return KIND_OF_CORNER[mixture.is_subject, bool(mixture.kept)]


def _without_company(
    reference: Scene,
    shared: Mapping[str, str],
    rng: np.random.Generator,
) -> Scene:
    """A scene of another subject, drawn anew until nothing that the references share is in it by chance."""
    while True:
        scene = replace(
            sample_scene(rng),
            style=None,
            attribute=None,
            pose="standing",
        )
        by_chance = any(getattr(scene, factor) == value for factor, value in shared.items())
        if scene.subject != reference.subject and not by_chance:
            return scene


def _with_some_of(
    reference: Scene,
    scene: Scene,
    is_subject: bool,
    kept: Sequence[str],
) -> Scene:
    """A scene into which the reference's subject is put, or not, and what is `kept` of its company."""
    fields = ["subject", "design", "hue"] if is_subject else []
    for factor in kept:
        fields += [factor, COLORS[factor]]
    changes = {name: getattr(reference, name) for name in fields}
    return replace(scene, **changes)
