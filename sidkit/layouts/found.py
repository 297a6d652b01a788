"""Where a subject's pictures lie in another trainer's folder: in it, or up to two folders deeper."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sidkit.inflection import both_numbers
from sidkit.picture_folder import check_formats, holds_masks, named, picture_files, readable_pictures, visible
from sidkit.trade_captions import TABLES

DEEPEST = 2  # folders in one another: img/10_sks dog
CLASS_FOLDERS = ("reg", "class", "regularization", "regularisation")  # of other things of the class
REPEATED = re.compile(r"\d+_(.+)")  # kohya's: how often, and what


def find_pictures(source: Path, *, deeper: bool) -> tuple[tuple[Path, ...], dict[str, list[Path]]]:
    """The pictures of one subject, each opened once, and the folders that were left, by the reason.

    Raises ValueError where there are none, or of more than one subject, and for those that cannot be read.
    """
    places = _deeper(source) if deeper and source.is_dir() else []
    if not places or picture_files(source):
        paths = readable_pictures(source, "new")
        return paths, {"pictures further down; name that folder to take them": places} if places else {}
    of_class = [place for place in places if _is_of_class(place.relative_to(source))]
    own = [place for place in places if place not in of_class]
    _check_one_subject(source, own, of_class)
    check_formats(source)
    paths = [path for place in own for path in readable_pictures(place, "new")]
    above = dict.fromkeys(place.parent for place in own)
    aside = [path for place in above for path in visible(place) if holds_masks(path)]
    left = {
        "pictures of the class and not of the subject": of_class,
        "beside no picture; move it to where they are": aside,
    }
    return tuple(paths), {why: folders for why, folders in left.items() if folders}


def words_of_folders(places: Sequence[Path], class_word: str) -> list[str]:
    """What the names of kohya's folders (`10_sks dog`) say beside the class word: the trigger word."""
    of_class = {form for word in class_word.lower().split() for form in both_numbers(word)}
    words: dict[str, None] = {}
    for place in places:
        match = REPEATED.fullmatch(place.name)
        for word in match.group(1).lower().split() if match else ():
            if word not in of_class:
                words[word] = None
    return list(words)


def _deeper(folder: Path, depth: int = DEEPEST) -> list[Path]:
    """The folders with pictures in a folder, but for those of masks."""
    found = []
    for place in visible(folder):
        if depth and place.is_dir() and not place.is_symlink() and not holds_masks(place):
            found += [place] if picture_files(place) else []
            found += _deeper(place, depth - 1)
    return found


def _is_of_class(place: Path) -> bool:
    """Whether a folder is called as those for prior preservation are: reg, class_images."""
    name = place.parts[0].lower()
    return name.removesuffix("_images").removesuffix("_data") in CLASS_FOLDERS


def _check_one_subject(source: Path, own: Sequence[Path], of_class: Sequence[Path]) -> None:
    if not own:
        got = f"{_places(source, of_class)} alone"
        raise ValueError(f"{source}: expected pictures of a subject, got {got}; name that folder if it is one's")
    has_table = any((source / table).exists() for table in TABLES)  # which says that they belong together
    if len({_subject_of(place) for place in own}) > 1 and not has_table:
        raise ValueError(f"{source}: expected pictures of one subject, got {_places(source, own)}; name one of them")


def _subject_of(place: Path) -> str:
    """What a folder is called without kohya's number."""
    match = REPEATED.fullmatch(place.name)
    return match.group(1) if match else place.as_posix()


def told_left(source: Path, places: Sequence[Path], why: str) -> str:
    """What is said of folders that were left."""
    return f"left: {_places(source, places)}, {why}"


def _places(source: Path, places: Sequence[Path]) -> str:
    return named([place.relative_to(source).as_posix() for place in places])
