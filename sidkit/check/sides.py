"""Words that stop being true when a picture is mirrored or cropped."""

from __future__ import annotations

from collections.abc import Iterator

from sidkit.check import words as w
from sidkit.check.english import Caption


def mirrors(caption: Caption) -> Iterator[str]:
    """ "to the right of", "facing left": false in the mirrored picture. Not "leaves left on the ground"."""
    words = caption.words
    for index, word in enumerate(words):
        before = words[index - 1].low if index else ""
        behind = words[index + 1].low if index + 1 < len(words) else ""
        sided = behind in w.SIDE_AFTER or before in w.SIDE_BEFORE and behind not in ("now", "away")
        if word.low in w.SIDES and sided:
            yield caption.told(index - (before in w.SIDE_BEFORE), index + 1 + (behind in w.SIDE_AFTER))
        elif word.low in ("clockwise", "anticlockwise", "counterclockwise", "leftmost", "rightmost"):
            yield word.written


def crops(caption: Caption) -> Iterator[str]:
    """ "in the corner of the picture", "full-length": about the frame, which a crop moves."""
    words = caption.words
    for index, word in enumerate(words):
        low = word.low
        behind = [other.low for other in words[index + 1 : index + 4]]
        framed = behind[:1] == ["of"] and bool(set(behind[1:]) & w.FRAME)
        if low in ("corner", "edge", "border", "margin", "top", "bottom") and framed:
            yield caption.told(index, index + 2 + next(at for at, told in enumerate(behind) if told in w.FRAME))
        elif low in ("full-length", "full-body", "uncropped", "off-centre", "off-center"):
            yield word.written
