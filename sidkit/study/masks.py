"""The masks by which an arm tells a subject from the rest of its references: boolean (height, width), one an image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sidkit.encoder_methods.registry import ENCODERS
from sidkit.masks.given import given_mask
from sidkit.stickers.references import outlines
from sidkit.study.plan import Arm
from sidkit.subjects import Subject


def masks_of(subject: Subject, arm: Arm) -> Sequence[np.ndarray] | None:
    """The arm's own masks, otherwise the given ones; None where the arm needs none. ValueError where one is missing."""
    if not needs_masks(arm):
        return None
    return arm.masks(subject) if arm.masks else given(subject)


def needs_masks(arm: Arm) -> bool:
    """Whether something is cut out, or an encoder asks where the subject is."""
    return bool(arm.segment) or bool(arm.encoder and ENCODERS[arm.encoder].needs_mask)


def given(subject: Subject) -> list[np.ndarray]:
    """The given mask of each image; in Sticker World without what the subject wears. ValueError where one lacks it."""
    masks = given_if_all(subject)
    if masks is None:
        missing = ", ".join(path.name for path in subject.images if given_mask(path) is None)
        raise ValueError(f"subject {subject.name}: expected a mask for each image, found none for {missing}")
    return masks


def given_if_all(subject: Subject) -> list[np.ndarray] | None:
    """As `given`, but None where one is missing: then SA and NSD are not measured."""
    masks = [given_mask(path) for path in subject.images]
    return None if any(mask is None for mask in masks) else masks


def as_segmented(subject: Subject) -> list[np.ndarray]:
    """As a segmenter that is asked for the class would cut: in Sticker World with what the subject wears."""
    return outlines(subject) or given(subject)
