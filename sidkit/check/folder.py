"""A subject's folder as the checker reads it: more patiently than `load_subject`, which refuses at the first fault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sidkit.captions import CAPTIONS, SID_CASE
from sidkit.subjects import by_real_name, check_formats, load_image, picture_files

FRAME = 0.12  # of a picture's side: what lies outside is taken for the surroundings
LIKE = 0.55  # overlap of two pictures' colours there, of 1, over which they may show the same place
SIDE = 96  # px at which edges are compared


@dataclass(frozen=True)
class Folder:
    """Captions of one case by file, and what its pictures say. `problems`: (file, words, advice)."""

    path: Path
    class_word: str
    style: bool
    case: int
    captions: dict[str, str]
    problems: tuple[tuple[str, str, str], ...]
    not_square: frozenset[str]
    frames_alike: bool


def read_folder(folder: Path, class_word: str | None = None, *, pictures: bool = True) -> Folder:
    """Read captions.json and, if wanted, the pictures; what is wrong with single ones is told, not raised.

    The case that is read is 3 (SID), or else the fullest one under 4. Raises ValueError without a folder, without a
    readable captions.json, and without a class word.
    """
    if not folder.is_dir():
        raise ValueError(f"check: expected a folder of pictures and {CAPTIONS} at {folder}, found none")
    told = _read(folder / CAPTIONS)
    word = class_word or told.get("class_word")
    if not isinstance(word, str) or not word.strip():
        raise ValueError(
            f"{folder / CAPTIONS}: expected a class_word such as 'dog'; write it there or give --class dog"
        )
    files = {path.name for path in picture_files(folder)}
    written = by_real_name(told["captions"], files)
    case, captions = _one_case(written)
    problems = _unmatched(files, set(written), set(captions))
    images, broken = _open(folder, sorted(files)) if pictures else ({}, [])
    unequal = frozenset(name for name, image in images.items() if max(image.size) > 1.15 * min(image.size))
    style = "substance" in told.get("bias", ())
    return Folder(
        folder, word.strip(), style, case, captions, (*problems, *broken), unequal, _frames_alike(list(images.values()))
    )


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"check: expected {path} with a caption for each picture, found none; sidkit new makes one")
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, {error}") from error
    if not isinstance(told, dict) or not isinstance(told.get("captions"), dict) or not told["captions"]:
        raise ValueError(
            f'{path}: expected {{"class_word": ..., "captions": {{"00.jpg": "a photo of a [v] dog ..."}}}}'
        )
    return told


def _one_case(captions: Mapping[str, Any]) -> tuple[int, dict[str, str]]:
    by_file = {
        file: told if isinstance(told, dict) else {str(SID_CASE): told} for file, told in sorted(captions.items())
    }
    cases = {int(case) for told in by_file.values() for case in told if str(case) in ("1", "2", "3")}
    case = max(cases, default=SID_CASE)
    texts = {file: told.get(str(case)) for file, told in by_file.items()}
    return case, {file: text for file, text in texts.items() if isinstance(text, str) and text.strip()}


def _unmatched(files: set[str], named: set[str], captioned: set[str]) -> list[tuple[str, str, str]]:
    """Pictures without a caption that can be read, and names in the file without a picture."""
    bare = sorted(files - captioned)
    lost = sorted(named - files)
    return [(file, "", "has no caption yet: describe what is around the subject") for file in bare] + [
        (file, "", "has a caption, and is not there: put the picture back or take the caption out") for file in lost
    ]


def _open(folder: Path, files: list[str]) -> tuple[dict[str, Image.Image], list[tuple[str, str, str]]]:
    images, broken = {}, []
    try:
        check_formats(folder)
    except ValueError as error:
        broken.append((Path(str(error).split(": expected")[0]).name, "", str(error)))
    for name in files:
        try:
            images[name] = load_image(folder / name)
        except ValueError as error:
            broken.append((name, "", str(error).removeprefix(f"{folder / name}: ")))
    return images, broken


def _frames_alike(images: list[Image.Image]) -> bool:
    """Whether the colours along the edges of all pictures overlap: a hint of one place, not a proof."""
    if len(images) < 2:
        return False
    tables = [_edge_colors(image) for image in images]
    return min(float(np.minimum(one, two).sum()) for one, two in combinations(tables, 2)) > LIKE


def _edge_colors(image: Image.Image) -> np.ndarray:
    """Shares (512,) of the 8 x 8 x 8 RGB colours in the outer frame of a picture."""
    pixels = np.asarray(image.resize((SIDE, SIDE), Image.BOX))
    width = int(FRAME * SIDE)
    inside = np.zeros((SIDE, SIDE), bool)
    inside[width:-width, width:-width] = True
    bins = (pixels[~inside] // 32).astype(int) @ (64, 8, 1)
    return np.bincount(bins, minlength=512) / len(bins)
