"""Where the subject is in pictures that a model drew: by Sticker World's segmenter, of photos by Grounded-SAM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from sidkit.masks.files import given_mask
from sidkit.study.run import Study
from sidkit.subjects import load_images
from sidkit.worlds import world_of

FINDING = [
    "sidkit.study.drawn_masks",
    "sidkit.stickers.segmenter",
    "sidkit.masks.grounded_sam",
]  # the code that shapes masks


def drawn_masks(study: Study, subject: str, arm: str) -> list[list[np.ndarray | None]]:
    """For each prompt the masks of its pictures, kept in the run store."""
    world, folder = world_of(study.plan.profile), study.folders[subject, arm]
    word = study.subjects[subject].class_word
    key = {"pictures": folder.name, "class word": word, "finder": world.finder()}
    turns = range(study.plan.pictures)
    names = [(prompt, turn) for prompt in range(len(study.prompts[subject])) for turn in turns]

    def make(made: Path) -> None:
        pictures = [study.picture(subject, arm, *name) for name in names]
        for (prompt, turn), mask in zip(names, world.find(pictures, word), strict=True):
            if mask is not None:
                Image.fromarray(mask).save(made / f"{prompt:02}-{turn:02}.png")

    kept = study.workshop.runs.get("masks", key, make, code=FINDING)
    return [
        [_read(kept / f"{prompt:02}-{turn:02}.png") for turn in turns] for prompt in range(len(study.prompts[subject]))
    ]


def agreement(study: Study) -> float:
    """How well subjects are found: mean overlap (IoU in [0, 1]) with the given masks of the references; NaN of none."""
    found = []
    for subject in study.subjects.values():
        true = [given_mask(path) for path in subject.images]
        masks = world_of(study.plan.profile).find(load_images(subject), subject.class_word)
        found += [_overlap(*pair) for pair in zip(masks, true, strict=True) if pair[1] is not None]
    return float(np.mean(found)) if found else np.nan


def _overlap(found: np.ndarray | None, true: np.ndarray) -> float:
    return 0.0 if found is None else float((found & true).sum() / (found | true).sum())


def _read(path: Path) -> np.ndarray | None:
    return np.asarray(Image.open(path).convert("L")) > 127 if path.is_file() else None
