"""What a drawing looks like in words: its art set's word and the names of its dominant colours.

`measure_looks` names colours from pixels; `build` writes them for every drawing to `art/looks.json`.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from sidkit.files import write_text
from sidkit.stickers.factors import ART_SETS, HUES, Scene, subject_classes

TABLE = Path(__file__).parent / "art" / "looks.json"
SECOND_COLOR_SHARE = 0.2  # of the drawing; less than this does not earn a mention

# Hue in degrees where each chromatic name begins; red also ends the circle.
HUE_STARTS = (0, 14, 40, 68, 178, 252, 292, 345)
HUE_NAMES = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "red")


def looks(scene: Scene) -> tuple[str, ...]:
    """The word of the art set, then at most two colour names; a recoloured subject has none of its own colours."""
    word = ART_SETS[scene.design]
    return (word,) if scene.attribute else (word, *colors(scene.subject, scene.design, scene.hue))


def colors(subject: str, design: str, hue: int = 0) -> tuple[str, ...]:
    """One or two colour names of a drawing, the larger share first."""
    known, key = table().get(subject, {}), f"{design}/{hue}"
    if key not in known:
        raise ValueError(f"no looks of {subject!r} drawn as {key!r}, expected one of: {', '.join(known)}; run `build`")
    return known[key]


@lru_cache(maxsize=1)
def table() -> dict[str, dict[str, tuple[str, ...]]]:
    """`{subject: {"design/hue": colour names}}` as committed."""
    stored = json.loads(TABLE.read_text())
    return {subject: {key: tuple(names) for key, names in row.items()} for subject, row in stored.items()}


def build(path: Path = TABLE) -> Path:
    """Measure every drawing of every subject in every hue and write the table."""
    from sidkit.stickers.atlas import designs, drawing

    def row(subject: str) -> dict[str, tuple[str, ...]]:
        instances = [(design, hue) for design in designs(subject) for hue in HUES]
        return {f"{design}/{hue}": measure_looks(drawing(subject, design, hue)) for design, hue in instances}

    rows = (f" {json.dumps(subject)}: {json.dumps(row(subject))}" for subject in subject_classes())
    write_text(path, "{\n" + ",\n".join(rows) + "\n}\n")
    return path


def measure_looks(image, hue: int = 0) -> tuple[str, ...]:
    """One or two colour names of an RGBA drawing, optionally with its hues turned by `hue` degrees first."""
    import numpy as np

    from sidkit.stickers.atlas import rotate_hue

    image = rotate_hue(image.convert("RGBA"), hue)
    opaque = np.array(image.getchannel("A")) > 128
    if not opaque.any():
        raise ValueError("expected a drawing with opaque pixels, got an empty one; check its place in the art sheet")
    names = _name_pixels(np.array(image.convert("RGB").convert("HSV"))[opaque])
    found, counts = np.unique(names, return_counts=True)
    first, *others = np.argsort(-counts, kind="stable")[:2]
    told = [first, *(other for other in others if counts[other] >= SECOND_COLOR_SHARE * len(names))]
    return tuple(str(found[index]) for index in told)


def _name_pixels(hsv):
    """Colour names (n,) of PIL HSV pixels (n, 3), 0-255 each; later rules win over earlier ones."""
    import numpy as np

    hue, saturation, value = hsv[:, 0] * (360 / 256), hsv[:, 1] / 255, hsv[:, 2] / 255
    names = np.array(HUE_NAMES, dtype="<U6")[np.searchsorted(HUE_STARTS, hue, side="right") - 1]
    warm = (hue >= 4) & (hue < 40)
    names[warm & (saturation < 0.66) & ((value < 0.9) | (saturation < 0.52))] = "brown"
    names[warm & (value < 0.72)] = "brown"
    names[(names == "yellow") & (value < 0.6)] = "brown"
    names[(names == "red") & (value < 0.45)] = "brown"
    names[((hue < 19) | (names == "red")) & (saturation < 0.5) & (value > 0.85)] = "pink"
    names[(saturation < 0.22) & (value < 0.85)] = "gray"
    names[(saturation < 0.15) & (value >= 0.85)] = "white"
    names[value < 0.25] = "black"
    return names
