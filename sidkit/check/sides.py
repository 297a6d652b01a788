"""Words that stop being true when a picture is mirrored or cropped."""

from __future__ import annotations

from collections.abc import Iterator

from sidkit.check import words as w
from sidkit.check.english import Caption

TURNS = ("clockwise", "anticlockwise", "counterclockwise", "leftmost", "rightmost")
ENDS = ("corner", "edge", "border", "margin", "top", "bottom")  # of the picture, which a crop takes away
WHOLE = ("full-length", "full-body", "uncropped", "off-centre", "off-center")


def mirrors(caption: Caption) -> Iterator[str]:
    """ "to the right of", "facing left": false in the mirrored picture. Not "leaves left on the ground"."""
    low = ["", *(word.low for word in caption.words), ""]
    for index, word in enumerate(caption.words):
        before, behind = low[index], low[index + 2]
        led = before in w.SIDE_BEFORE
        followed = behind in w.SIDE_AFTER
        goes_away = behind in ("now", "away")
        if word.low in w.SIDES and (followed or led and not goes_away):
            yield caption.text_at(range(index - led, index + 1 + followed))
        elif word.low in TURNS:
            yield word.written


def crops(caption: Caption) -> Iterator[str]:
    """ "in the corner of the picture", "full-length": about the frame, which a crop moves."""
    for index, word in enumerate(caption.words):
        behind = caption.low_at(range(index + 1, index + 4))
        frames = [at for at, low in enumerate(behind) if low in w.FRAME]
        if word.low in ENDS and behind[:1] == ["of"] and frames:
            yield caption.text_at(range(index, index + 2 + frames[0]))
        elif word.low in WHOLE:
            yield word.written
