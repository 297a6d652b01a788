"""Where the subject is in pictures that a model drew: by Sticker World's segmenter, of photos by Grounded-SAM."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sidkit.masks.given import given_mask
from sidkit.study.pieces.masked import Masked, mask_pictures, read_masks
from sidkit.study.run import Study
from sidkit.subjects import load_images
from sidkit.worlds import world_of


def drawn_masks(study: Study, subject: str, arm: str) -> list[list[np.ndarray | None]]:
    """For each prompt the masks of its pictures, boolean (height, width), kept in the run store.

    None for a picture in which no subject is found.
    """
    world = world_of(study.plan.profile)
    pictures = study.folders[subject, arm]
    wanted = Masked(
        pictures=pictures.name,
        prompts=len(study.prompts[subject]),
        turns=study.plan.pictures,
        class_word=study.subjects[subject].class_word,
        finder=world.finder(),
    )

    def make(folder: Path) -> None:
        mask_pictures(wanted, world.find, pictures, folder)

    kept = study.workshop.runs.get("masks", wanted, make, code=[Masked, world.finds_with()])
    return read_masks(wanted, kept)


def agreement(study: Study) -> float:
    """How well subjects are found: mean overlap (IoU in [0, 1]) with the given masks of the references; NaN of none."""
    world = world_of(study.plan.profile)
    overlaps = []
    for subject in study.subjects.values():
        found = world.find(load_images(subject), subject.class_word)
        given = [given_mask(path) for path in subject.images]
        overlaps += [_overlap(mask, true) for mask, true in zip(found, given, strict=True) if true is not None]
    return float(np.mean(overlaps)) if overlaps else np.nan


def _overlap(found: np.ndarray | None, true: np.ndarray) -> float:
    """Intersection over union, in [0, 1]."""
    if found is None:
        return 0.0
    return float((found & true).sum() / (found | true).sum())
