"""Scenes drawn at random: of all of Sticker World, or in the neighbourhood of another scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sidkit.stickers import factors
from sidkit.stickers.atlas import designs, further_designs
from sidkit.stickers.factors import Scene, subject_classes

# How often a scene has what it may lack.
NEARBY_SHARE = 0.55
TIED_SHARE = 0.55
HUE_SHARE = 0.15
ATTRIBUTE_SHARE = 0.15
STYLE_SHARE = 0.15
POSE_SHARE = 0.4

DESIGNS = 3  # of a class, that pretraining sees
CLEAREST = ("fluent", "twemoji", "noto", "emojione", "blob", "fxemoji")  # whose drawings are taken first

MOST_CHANGES = 3
CHANGEABLE = ("subject", "background", "nearby", "tied", "style", "pose")
DETAILS = {
    "subject": ("design", "hue", "attribute"),
    "background": ("variant",),
    "nearby": ("nearby_color",),
    "tied": ("tied_color",),
}  # what changes along with a factor


def sample_scene(
    rng: np.random.Generator,
    *,
    held_out: bool = False,
    styles: tuple[str, ...] = factors.STYLES,
    further: float = 0,
) -> Scene:
    """Draw a scene: of the designs used in pretraining, or of the held-out designs of the same classes.

    A share `further` of the scenes show a drawing from outside the world instead, of which no caption can tell.
    The order of the draws is part of the result: another order makes other scenes of the same `rng`.
    """
    subject = _pick(rng, tuple(factors.SUBJECTS))
    outside = further > 0 and rng.uniform() < further
    background = _pick(rng, tuple(factors.PLACES))
    nearby = _maybe(rng, NEARBY_SHARE, tuple(factors.NEARBY))
    tied = _maybe(rng, TIED_SHARE, tuple(factors.TIED))
    hue = _maybe(rng, HUE_SHARE, factors.HUES[1:]) or 0
    attribute = _maybe(rng, ATTRIBUTE_SHARE, factors.ATTRIBUTES)
    drawings = further_designs(subject) if outside else known_designs(subject, held_out)
    return Scene(
        subject,
        design=_pick(rng, drawings),
        background=background,
        variant=_pick(rng, factors.PLACES[background]),
        hue=0 if attribute else hue,
        attribute=attribute,
        nearby=nearby,
        nearby_color=_pick(rng, factors.OBJECT_COLORS) if nearby else None,
        tied=tied,
        tied_color=_pick(rng, factors.OBJECT_COLORS) if tied else None,
        style=_maybe(rng, STYLE_SHARE, styles),
        pose=_maybe(rng, POSE_SHARE, factors.POSES[1:]) or "standing",
    )


def known_designs(subject: str, held_out: bool = False) -> tuple[str, ...]:
    """The three designs of a class that pretraining sees, the clearest first, or the one that it does not."""
    hidden = subject_classes()[subject].held_out
    if held_out:
        return (hidden,)
    shown = sorted(set(designs(subject)) - {hidden}, key=CLEAREST.index)
    return tuple(shown[:DESIGNS])


def altered(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene with one to three of its factors changed, each to another value."""
    other = sample_scene(rng)
    count = int(rng.integers(1, MOST_CHANGES + 1))
    order = rng.permutation(CHANGEABLE).tolist()
    differing = [factor for factor in order if getattr(other, factor) != getattr(scene, factor)]
    changes: dict[str, Any] = {}
    for factor in differing[:count]:
        for field in (factor, *DETAILS.get(factor, ())):
            changes[field] = getattr(other, field)
    return replace(scene, **changes)


def _pick(rng: np.random.Generator, values: Sequence) -> Any:
    return values[int(rng.integers(0, len(values)))]


def _maybe(rng: np.random.Generator, share: float, values: Sequence) -> Any:
    """One of the values with the given probability, else None; draws the same number of times in either case."""
    is_there = rng.uniform() < share
    value = _pick(rng, values)
    return value if is_there else None
