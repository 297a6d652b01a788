"""What a drawing looks like in words: its art set's word and the names of its dominant colours.

The colours stand in `art/looks.json`, which `sidkit stickers atlas` writes along with the art itself.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from sidkit.stickers.factors import ART_SETS, Scene

TABLE = Path(__file__).parent / "art" / "looks.json"


def looks(scene: Scene) -> tuple[str, ...]:
    """The word of the art set, then at most two colour names; a recoloured subject has none of its own colours."""
    word = ART_SETS[scene.design]
    if scene.attribute:
        return (word,)
    return (word, *colors(scene.subject, scene.design, scene.hue))


def colors(subject: str, design: str, hue: int = 0) -> tuple[str, ...]:
    """One or two colour names of a drawing, the larger share first. ValueError for a drawing that is not there."""
    by_drawing = _table().get(subject, {})
    drawing = drawing_key(design, hue)
    if drawing not in by_drawing:
        raise ValueError(
            f"no looks of {subject!r} drawn as {drawing!r}, expected one of: {', '.join(by_drawing)}; after a change "
            f"of the art run `sidkit stickers atlas`"
        )
    return tuple(by_drawing[drawing])


def drawing_key(design: str, hue: int) -> str:
    """How the table names a drawing of a subject."""
    return f"{design}/{hue}"


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, list[str]]]:
    """`{subject: {"design/hue": colour names}}` as committed."""
    return json.loads(TABLE.read_text())
