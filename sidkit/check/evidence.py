"""What the checker looks at: a folder's captions and pictures, read to the end where `load_subject` stops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from PIL import Image

from sidkit.captions import CAPTIONS, SID_CASE, Captions, class_word_of, read_captions
from sidkit.describe.kept import DESCRIPTIONS, read_kept
from sidkit.image_files import load_image
from sidkit.masks.given import given_mask
from sidkit.picture_folder import SUFFIXES, check_formats, check_masks, check_no_mask, picture_files

FRAME = 0.12  # of a picture's side: what lies outside is taken for the surroundings
LIKE = 0.55  # overlap of two pictures' colours there, of 1, over which they may show the same place
SIDE = 96  # px at which edges are compared
OBLONG = 1.15  # times as long as wide: the middle that is trained on lacks the ends


@dataclass(frozen=True)
class Problem:
    """Something for which training, or a chapter, would refuse the folder; `kind` is one of `check.KINDS`."""

    file: str
    kind: str
    advice: str


@dataclass(frozen=True)
class Evidence:
    """A folder's captions, of which one case is checked, and what its pictures show."""

    folder: Path
    class_word: str
    written: Captions
    case: int  # that is checked: 3 (SID), or else the fullest one under it
    problems: tuple[Problem, ...]
    not_square: frozenset[str]
    frames_alike: bool  # whether all pictures may show one place

    @property
    def captions(self) -> dict[str, str]:
        """The texts that are checked, by file."""
        return self.written.of_case(self.case)


def read_folder(folder: Path, class_word: str | None = None, *, pictures: bool = True) -> Evidence:
    """Read captions.json and, if wanted, the pictures; what is wrong with single ones is told, not raised.

    Raises ValueError without a folder, without a readable captions.json, and without a class word, or with another.
    """
    if not folder.is_dir():
        raise ValueError(f"check: expected a folder of pictures and {CAPTIONS} at {folder}, found none")
    names = [path.name for path in picture_files(folder)]
    written = read_captions(folder).named_as(names)
    word = class_word_of(folder, class_word)
    without_looks = [case for case in written.cases if case <= SID_CASE]
    case = max(without_looks, default=SID_CASE)
    problems = [*_in_files(folder, names), *_in_captions(written, names, case)]
    frames: dict[str, _Frame] = {}
    if pictures:
        frames, unread = _opened(folder, names)
        problems += unread
    return Evidence(
        folder,
        word,
        written,
        case,
        problems=tuple(problems),
        not_square=frozenset(name for name, frame in frames.items() if frame.is_oblong),
        frames_alike=_frames_alike([frame.colors for frame in frames.values()]),
    )


@dataclass(frozen=True)
class _Frame:
    """What is kept of a picture, as a folder of photos would fill the memory."""

    is_oblong: bool
    colors: np.ndarray  # (512,), of `_edge_colors`


def _in_files(folder: Path, names: list[str]) -> Iterator[Problem]:
    """No pictures at all, and answers of a describer that cannot be read."""
    if not names:
        yield Problem(CAPTIONS, "picture", f"expected pictures beside it ({', '.join(SUFFIXES)}), found none")
    try:
        read_kept(folder)
    except ValueError as error:
        yield Problem(DESCRIPTIONS, "refused", str(error).removeprefix(f"{folder / DESCRIPTIONS}: "))


def _in_captions(written: Captions, names: list[str], case: int) -> Iterator[Problem]:
    """What `load_subject` refuses, but for a faulty `[v]`: the checker says more of it."""
    checked = written.of_case(case)
    reported = set()
    for fault in written.faults(names):
        reported.add(fault.file)
        if fault.case is None or fault.file not in written.of_case(fault.case):
            of_picture = fault.case is None and fault.file in {*names, *written.captions}
            yield Problem(fault.file, "picture" if of_picture else "refused", fault.message)
    for name in names:
        if name not in reported and name not in checked:
            yield Problem(name, "picture", f"expected a caption of case {case} to check, got none; describe it")


def _opened(folder: Path, names: list[str]) -> tuple[dict[str, _Frame], list[Problem]]:
    """What the pictures that can be read show, by name, and why the others, or their masks, cannot."""
    frames, problems = {}, []
    pictures = [folder / name for name in names]
    for picture in pictures:
        try:
            image = load_image(picture)
            frames[picture.name] = _Frame(_is_oblong(image), _edge_colors(image))
            check_no_mask(picture, image, pictures)
            given_mask(picture)
        except ValueError as error:
            problems.append(Problem(picture.name, "picture", str(error).removeprefix(f"{picture}: ")))
    try:
        check_formats(folder)
        if not problems:
            check_masks(folder, pictures)
    except ValueError as error:
        file = Path(str(error).split(": expected")[0]).name
        problems.append(Problem(file, "picture", str(error)))
    return frames, problems


def _is_oblong(image: Image.Image) -> bool:
    return max(image.size) > OBLONG * min(image.size)


def _frames_alike(colors: list[np.ndarray]) -> bool:
    """Whether the colours along the edges of all pictures overlap: a hint of one place, not a proof."""
    if len(colors) < 2:
        return False
    overlaps = [np.minimum(first, second).sum() for first, second in combinations(colors, 2)]
    return bool(min(overlaps) > LIKE)


def _edge_colors(image: Image.Image) -> np.ndarray:
    """Shares (512,) of the 8 x 8 x 8 RGB colours in the outer frame of a picture."""
    small = image.resize((SIDE, SIDE), Image.BOX)
    width = int(FRAME * SIDE)
    in_frame = np.ones((SIDE, SIDE), bool)
    in_frame[width:-width, width:-width] = False
    eighths = np.asarray(small)[in_frame] // 32
    bins = eighths.astype(int) @ (64, 8, 1)
    counts = np.bincount(bins, minlength=512)
    return counts / len(bins)
