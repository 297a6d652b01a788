"""What a picture of Sticker World can be read for: each factor's values in a fixed order, and who its subject is."""

from __future__ import annotations

from sidkit.stickers import factors
from sidkit.stickers.factors import Scene

ABSENT = "none"  # the value of a thing that is not there, and of no style

HEADS = {
    "class": tuple(factors.SUBJECTS),
    "background": tuple(factors.PLACES),
    "nearby": (ABSENT, *factors.NEARBY),
    "tied": (ABSENT, *factors.TIED),
    "style": (ABSENT, *factors.STYLES),
    "pose": factors.POSES,
}

# What the factor reader answers: of a factor one value, of THINGS any number, and of a place also which variant of it.
THINGS = ("nearby", "tied")
PLACE, PAIR = "place", ", "  # its values are pairs: "beach, night"
ANSWERS = {
    "class": HEADS["class"],
    PLACE: tuple(f"{place}{PAIR}{variant}" for place, variants in factors.PLACES.items() for variant in variants),
    "style": HEADS["style"],
    "pose": HEADS["pose"],
    "nearby": tuple(factors.NEARBY),
    "tied": tuple(factors.TIED),
}


def labels(scene: Scene) -> dict[str, int]:
    """The index of the scene's value in each of HEADS."""
    return {head: values.index(_value(scene, head)) for head, values in HEADS.items()}


def answers(scene: Scene) -> dict[str, int | None]:
    """The index of the scene's value in each of ANSWERS; None where a thing is not there."""
    values = {factor: _value(scene, factor) for factor in ANSWERS if factor != PLACE}
    values[PLACE] = f"{scene.background}{PAIR}{scene.variant}"
    return {factor: _index(ANSWERS[factor], value) for factor, value in values.items()}


def identity(scene: Scene) -> tuple:
    """What makes two pictures show the same subject: class, drawing, hue and colour."""
    return (scene.subject, scene.design, scene.hue, scene.attribute)


def _index(values: tuple[str, ...], value: str) -> int | None:
    return values.index(value) if value in values else None


def _value(scene: Scene, head: str) -> str:
    if head == "class":
        return scene.subject
    return getattr(scene, head) or ABSENT
