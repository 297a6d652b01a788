"""Where the subject is in the pictures of a subject and arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sidkit.image_files import opened
from sidkit.study.pieces.picture_files import file_name, open_pictures

Find = Callable[[Sequence[Image.Image], str], list[np.ndarray | None]]


@dataclass(frozen=True)
class Masked:
    """All that the masks of a subject's and arm's pictures depend on."""

    pictures: str  # the name of their folder, which stands for all that they depend on
    prompts: int
    turns: int  # pictures of each prompt
    class_word: str
    finder: Any  # settings or weights


def mask_pictures(wanted: Masked, find: Find, pictures: Path, folder: Path) -> None:
    """Write the mask of each picture in which `find` sees the subject."""
    drawn = open_pictures(pictures, wanted.prompts, wanted.turns)
    masks = find([image for images in drawn for image in images], wanted.class_word)
    for index, mask in enumerate(masks):
        if mask is not None:
            Image.fromarray(mask).save(folder / file_name(*divmod(index, wanted.turns)))


def read_masks(wanted: Masked, folder: Path) -> list[list[np.ndarray | None]]:
    """For each prompt the masks of its pictures, boolean (height, width); None where no subject was found."""
    return [
        [_read(folder / file_name(prompt, turn)) for turn in range(wanted.turns)] for prompt in range(wanted.prompts)
    ]


def _read(path: Path) -> np.ndarray | None:
    return np.asarray(opened(path).convert("L")) > 127 if path.is_file() else None
