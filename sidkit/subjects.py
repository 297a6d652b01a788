"""A subject: a folder with one to a few pictures of one thing, and `captions.json` (`sidkit.captions`) beside them.

A folder `masks/` may hold a mask for each picture; other files are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from PIL import Image

from sidkit.captions import CAPTIONS, read_captions
from sidkit.config import check_name
from sidkit.image_files import load_image
from sidkit.mark import check_length, insert
from sidkit.masks.given import given_mask
from sidkit.picture_folder import listed_pictures, visible


@dataclass(frozen=True)
class Subject:
    """What is personalized. `images` are sorted by name; `captions[case][file name]` is a text with `[v]`."""

    name: str
    folder: Path
    class_word: str
    bias: tuple[str, ...]
    images: tuple[Path, ...]
    captions: dict[int, dict[str, str]]

    @property
    def of_style(self) -> bool:
        """Whether it is a style, whose pictures all show what is undesired (Fig. 3, example 2)."""
        return "substance" in self.bias


@dataclass(frozen=True)
class Prompt:
    """What to draw of a subject: text with `[v]`, the kind of request, and the value asked for by factor."""

    text: str
    kind: str
    asked: dict[str, str]


def load_subject(folder: Path | str, *, tokenizers: Sequence = (), identifier: str = "sks") -> Subject:
    """Read a subject's folder and check all of it: every picture and mask is opened, every caption read.

    With a model's `tokenizers`, captions that it would cut are refused too. Raises ValueError that says which file,
    what was expected, and what to do.
    """
    folder = _find(Path(folder))
    images = listed_pictures(folder, f"subject {folder.name}")
    names = [path.name for path in images]
    captions = read_captions(folder).named_as(names)
    for fault in captions.faults(names):
        raise ValueError(f"{folder / CAPTIONS}: {fault.message}")
    by_case = {case: captions.of_case(case) for case in captions.cases}
    for case, texts in by_case.items():
        for file, text in texts.items():
            where = f"{folder / CAPTIONS}: case {case} of {file}"
            check_length(insert(text, identifier), tokenizers, where)
    for path in images:
        load_image(path)
        given_mask(path)
    name = captions.name or folder.name
    return Subject(name, folder, captions.class_word, captions.bias, images, by_case)


class Pictures(Sequence[Image.Image]):
    """Pictures in RGB, each read from its file whenever it is asked for, so that few are in memory at a time.

    Raises ValueError, as `load_image` does, for one that cannot be read, and for a file that has changed in between: a
    run must not learn from another picture than the one that stands in its key.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._states = {path: _state(path) for path in paths}

    def __len__(self) -> int:
        return len(self._states)

    @overload
    def __getitem__(self, place: int) -> Image.Image: ...
    @overload
    def __getitem__(self, place: slice) -> Pictures: ...
    def __getitem__(self, place: int | slice) -> Image.Image | Pictures:
        paths = tuple(self._states)
        if isinstance(place, slice):
            return Pictures(paths[place])
        path = paths[place]
        if _state(path) != self._states[path]:
            raise ValueError(f"{path}: the picture was changed while it was in use; start again")
        return load_image(path)


def load_images(subject: Subject) -> Pictures:
    """The subject's pictures, RGB, in the order of its `images`; each is read when it is asked for."""
    return Pictures(subject.images)


def _state(path: Path) -> tuple[int, int] | None:
    """By which a change of a file shows: its size and when it was written; None where it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _find(folder: Path) -> Path:
    if folder.is_dir():
        return folder.resolve()
    if folder.parent.is_dir():
        beside = [path.name for path in visible(folder.parent) if path.is_dir()]
        check_name(f"subject in {folder.parent.resolve()}:", folder.name, beside)
    raise ValueError(f"subject: expected a folder of pictures at {folder}, found none")
