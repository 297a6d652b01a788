"""The masks by which an arm tells the subject from the rest of its references."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sidkit.masks.files import given_mask
from sidkit.stickers.references import outlines
from sidkit.study.plan import Arm
from sidkit.subjects import Subject


def masks_of(subject: Subject, arm: Arm) -> Sequence[np.ndarray]:
    """One boolean (height, width) an image: the arm's own, otherwise the given ones. ValueError where one has none."""
    return arm.masks(subject) if arm.masks else given(subject)


def given(subject: Subject) -> list[np.ndarray]:
    """The given mask of each image; in Sticker World without what the subject wears."""
    masks = {path: given_mask(path) for path in subject.images}
    if missing := [path.name for path, mask in masks.items() if mask is None]:
        raise ValueError(f"subject {subject.name}: expected a mask for each image, found none for {', '.join(missing)}")
    return list(masks.values())


def as_segmented(subject: Subject) -> list[np.ndarray]:
    """As a segmenter that is asked for the class would cut: in Sticker World with what the subject wears."""
    return outlines(subject) or given(subject)
