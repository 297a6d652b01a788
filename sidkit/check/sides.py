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
    for index, word in enumerate(caption.words):
        if word.low in TURNS:
            yield word.written
        elif word.low in w.SIDES:
            place = _side(caption, index)
            if len(place) > 1:
                yield caption.text_at(place)


def _side(caption: Caption, index: int) -> range:
    """A side's word with the words before and behind it that make it a side, or alone."""
    before = caption.low_at(range(index - 1, index)) if index else []
    behind = caption.low_at(range(index + 1, index + 2))
    led = not w.SIDE_BEFORE.isdisjoint(before)
    followed = not w.SIDE_AFTER.isdisjoint(behind)
    if led and not followed and behind in (["now"], ["away"]):
        return range(index, index + 1)
    start = index - 1 if led else index
    stop = index + 2 if followed else index + 1
    return range(start, stop)


def crops(caption: Caption) -> Iterator[str]:
    """ "in the corner of the picture", "full-length": about the frame, which a crop moves."""
    for index, word in enumerate(caption.words):
        if word.low in WHOLE:
            yield word.written
        elif word.low in ENDS:
            stop = _of_frame(caption, index + 1)
            if stop:
                yield caption.text_at(range(index, stop))


def _of_frame(caption: Caption, start: int) -> int:
    """Where "of the picture" ends that begins at word `start`; 0 where nothing of the kind does."""
    if caption.low_at(range(start, start + 1)) != ["of"]:
        return 0
    for index, low in enumerate(caption.low_at(range(start + 1, start + 3)), start + 1):
        if low in w.FRAME:
            return index + 1
    return 0
