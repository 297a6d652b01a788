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


def labels(scene: Scene) -> dict[str, int]:
    """The index of the scene's value in each of HEADS."""
    return {head: values.index(_value(scene, head)) for head, values in HEADS.items()}


def identity(scene: Scene) -> tuple:
    """What makes two pictures show the same subject: class, drawing, hue and colour."""
    return (scene.subject, scene.design, scene.hue, scene.attribute)


def _value(scene: Scene, head: str) -> str:
    if head == "class":
        return scene.subject
    return getattr(scene, head) or ABSENT
