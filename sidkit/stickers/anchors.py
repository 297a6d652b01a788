"""Where a drawing wears things: on its head, over its eyes, at its neck."""

from __future__ import annotations

import json
from functools import lru_cache

import numpy as np
from PIL import Image

from sidkit.stickers.atlas import ART, drawing

NARROWEST = 0.2  # guess of a head's width, a share of the side


def anchors(name: str, design: str) -> dict[str, tuple[float, ...]]:
    """Points (x, y) of a drawing's `eye`, `neck` and `head`, and the width of the head too, in shares of its side.

    They are set by hand for the drawings that the world shows, and guessed for the others.
    """
    by_design = _by_hand().get(name, {})
    if design in by_design:
        return by_design[design]
    return _guessed(name, design)


@lru_cache(maxsize=1)
def _by_hand() -> dict:
    return json.loads((ART / "anchors.json").read_text())


@lru_cache(maxsize=None)
def _guessed(name: str, design: str) -> dict[str, tuple[float, ...]]:
    """What reaches highest is taken for the head; that is wrong for a cow that shows its horns or a mouse its tail."""
    covered = _covered(drawing(name, design))
    across = np.flatnonzero(covered[_row(covered, 0.25)])
    width = (across[-1] - across[0]) / len(covered)
    return {
        "head": (*_middle(covered, 0.1), max(NARROWEST, width)),
        "eye": _middle(covered, 0.3),
        "neck": _middle(covered, 0.55),
    }


def _covered(art: Image.Image) -> np.ndarray:
    return np.asarray(art.getchannel("A")) > 127


def _row(covered: np.ndarray, share: float) -> int:
    """The row that lies `share` of the way down what is drawn."""
    rows = np.flatnonzero(covered.any(axis=1))
    place = round(share * (len(rows) - 1))
    return int(rows[place])


def _middle(covered: np.ndarray, share: float) -> tuple[float, float]:
    row = _row(covered, share)
    side = len(covered)
    across = float(np.flatnonzero(covered[row]).mean())
    return across / side, row / side
