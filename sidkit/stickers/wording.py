"""How each part of a caption is worded: the choices that leave the meaning alone, and the words that they pick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sidkit.stickers import vocabulary as v
from sidkit.stickers.drawing_words import looks
from sidkit.stickers.factors import Scene

LAST = 0.999  # picks the last synonym; the last opening is no opening


@dataclass(frozen=True)
class Wording:
    """The choices that leave the meaning alone: one number in [0, 1) a factor picks its synonym, the rest is order."""

    opening: float
    attribute: float
    background: float
    nearby: float
    tied: float
    style: float
    pose: float
    pose_first: bool
    nearby_first: bool
    style_opens: bool

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Wording:
        """Draw every choice, whatever the scene, so that one wording fits several captions."""
        synonyms = rng.random(7).tolist()
        order = rng.random(3) < (0.5, 0.5, 0.35)
        return cls(*synonyms, *order.tolist())


PLAINEST = Wording(LAST, *[0.0] * 6, pose_first=True, nearby_first=True, style_opens=False)


def opening_of(scene: Scene, style_is_told: bool, wording: Wording) -> str:
    """What a caption begins with: "a photo of", nothing, or for a style "a mosaic of"."""
    if scene.style is None or not style_is_told:
        return _pick(v.OPENINGS, wording.opening)
    if wording.style_opens:
        _, naming = v.STYLE_PHRASES[scene.style]
        return naming
    return _pick(v.STYLED_OPENINGS, wording.opening)


def clause_order(wording: Wording) -> tuple[str, ...]:
    """What belongs to the subject comes before what surrounds it; the style comes last."""
    own = ("pose", "tied") if wording.pose_first else ("tied", "pose")
    around = ("nearby", "background") if wording.nearby_first else ("background", "nearby")
    return (*own, *around, "style")


def clause_for(factor: str, scene: Scene, detail: bool, wording: Wording) -> str:
    """The clause for one factor beside the subject, empty where the scene lacks it."""
    return _pick(_synonyms(factor, scene, detail), getattr(wording, factor))


def _synonyms(factor: str, scene: Scene, detail: bool) -> tuple[str, ...]:
    if factor == "background":
        return v.place_phrases(scene.background, scene.variant if detail else None)
    if factor == "nearby" and scene.nearby:
        return v.nearby_phrases(scene.nearby, scene.nearby_color, detail)
    if factor == "tied" and scene.tied:
        return v.tied_phrases(scene.tied, scene.tied_color if detail else None)
    if factor == "style" and scene.style:
        return v.style_phrases(scene.style)
    return v.POSE_PHRASES[scene.pose] if factor == "pose" else ()


def noun_phrase(
    scene: Scene,
    mention: set[str],
    detail: set[str],
    wording: Wording,
    identifier: str | None,
) -> str:
    """The noun phrase: "a purple shaded [v] dog", "a shaded brown and white dog made of gold"."""
    before, after = _attribute(scene, wording) if "attribute" in mention else ("", "")
    adjectives = _looks(scene, "looks" in detail) if "looks" in mention else ""
    noun = joined(before, adjectives, identifier, scene.subject)
    return joined(v.with_article(noun), after)


def _attribute(scene: Scene, wording: Wording) -> tuple[str, str]:
    """What stands before and after the subject: ("purple", ""), or for a material maybe ("", "made of gold")."""
    if scene.attribute in v.MATERIALS and wording.attribute < 0.5:
        return "", f"made of {v.MATERIALS[scene.attribute]}"
    return scene.attribute or "", ""


def _looks(scene: Scene, detail: bool) -> str:
    """The drawing's word, in detail with its colours after it: a colour before it would be an attribute."""
    word, *colors = looks(scene)
    if not detail:
        return word
    return f"{word} {' and '.join(colors)}".strip()


def joined(*parts: str | None) -> str:
    """The parts that are there, with spaces between them."""
    return " ".join(filter(None, parts))


def _pick(choices: Sequence[str], share: float) -> str:
    """The choice at `share` in [0, 1) of the way through; nothing for no choices."""
    return choices[int(share * len(choices))] if choices else ""
