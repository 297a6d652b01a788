"""A folder of pictures: which of its files are pictures, which are masks of them, and which are read by nobody here.

FOLDER/00.jpg, FOLDER/01.png, ...          the pictures
FOLDER/masks/00.png, ...                   the mask of 00.jpg; of 00.jpg alone, if 00.png is there too: 00.jpg.png
FOLDER/00-masklabel.png, 00_mask.png, ...  the same beside it, as OneTrainer and others have it
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import Image

from sidkit.files import composed
from sidkit.image_files import READS_AVIF, format_of, load_image
from sidkit.shown import shown, shown_name
from sidkit.two_values import is_mask

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", *((".avif",) if READS_AVIF else ()))
PHOTOS_UNREAD = (".heic", ".heif", ".jxl", ".jp2", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2")
UNREAD = (*PHOTOS_UNREAD, ".gif", ".svg", ".psd", ".eps", ".tga", ".ppm", *(() if READS_AVIF else (".avif",)))
MASKS_FOLDER = "masks"  # inside a subject's folder
LIKE_MASKS = ("mask", "segmentation", "segmentations")  # folders that are meant for it
LABEL = re.compile(r".+[-_ .](mask|cond)[-_ ]?label", re.IGNORECASE)  # OneTrainer's: never a picture of its own
OF_PICTURE = re.compile(r"(?P<before>.+?)[-_ .]mask([-_ ]?label)?|mask[-_ .](?P<behind>.+)", re.IGNORECASE)
CONTACT_SHEET = "contact_sheet.png"  # inside MASKS_FOLDER: all masks in one picture
ONE_WORD_MORE = (re.compile(r"(?P<name>.+?)[\W_]+[^\W_]+"), re.compile(r"[^\W_]+[\W_]+(?P<name>.+)"))
HIDDEN = (".", "__MACOSX", "Thumbs.db", "desktop.ini")
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar", ".parquet", ".arrow", ".tfrecord")  # that may hold pictures
MOST_FOLDERS = 1000  # looked into for pictures further down
MOST_NAMED = 3  # files in a message


def picture_files(folder: Path) -> tuple[Path, ...]:
    """What is named like a picture in a folder, and not like a mask of one, by name; none is looked into."""
    files = [path for path in visible(folder) if path.suffix.lower() in SUFFIXES and not path.is_dir()]
    names = {name for path in files for name in _names(path)}
    return tuple(path for path in files if not _belongs_to_another(path, names))


def listed_pictures(folder: Path, asker: str) -> tuple[Path, ...]:
    """The picture files of a folder, by name, none opened; the asker's name begins what is said of the folder.

    Raises ValueError for a path that is no folder, for a folder without pictures or with some in formats that are not
    read, and for masks of which nobody can tell whose they are.
    """
    if not folder.is_dir():
        raise ValueError(f"{asker}: expected a folder of pictures at {folder}, found none")
    check_formats(folder)
    pictures = picture_files(folder)
    if not pictures:
        raise ValueError(f"{asker}: {_none_found(folder)}")
    check_masks(folder, pictures)
    return pictures


def readable_pictures(folder: Path, asker: str) -> tuple[Path, ...]:
    """The same, each opened once. ValueError also, with the file, for a picture that cannot be read, or is a mask."""
    pictures = listed_pictures(folder, asker)
    for picture in pictures:
        check_no_mask(picture, load_image(picture), pictures)
    return pictures


def holds_masks(path: Path) -> bool:
    """Whether a folder is one of masks, by its name."""
    return path.is_dir() and path.name.lower() in (MASKS_FOLDER, *LIKE_MASKS)


def check_formats(folder: Path) -> None:
    """Raise ValueError for pictures of a folder that are not read here, rather than leave them out.

    They are in another format, have an ending that is none of SUFFIXES, as `00.jpg_large`, or no name in UTF-8.
    """
    for path in visible(folder):
        _check_name(path)
    foreign = [path for path in visible(folder) if path.suffix.lower() in UNREAD]
    if not foreign:
        return
    suffixes = sorted({path.suffix for path in foreign})
    expected = f"expected one of {', '.join(SUFFIXES)}; there is no decoder for {', '.join(suffixes)} here"
    they = "it" if len(foreign) == 1 else f"all {len(foreign)} such files"
    raise ValueError(f"{foreign[0]}: {expected}; save {they} as JPEG or PNG, or move {they} away")


def check_masks(folder: Path, pictures: Iterable[Path]) -> None:
    """ValueError for masks of which nobody can tell whose they are, and for those that would be passed over."""
    masks = {picture: mask_file(picture) for picture in pictures}
    lacking = [picture for picture, mask in masks.items() if mask is None]
    if not lacking:
        return
    example = f"{MASKS_FOLDER}/{lacking[0].stem}.png"
    for place in visible(folder):
        if place.name != MASKS_FOLDER and holds_masks(place) and picture_files(place):
            raise ValueError(f"{place}: expected masks in a folder called {MASKS_FOLDER}, as {example}; rename it")
    for path in visible(folder / MASKS_FOLDER) if (folder / MASKS_FOLDER).is_dir() else ():
        if path not in masks.values() and path.name != CONTACT_SHEET:
            told = f"expected a picture's name and one of {', '.join(SUFFIXES)}, as {example}"
            raise ValueError(f"mask {path}: {told}; rename it, or move it away")


def check_no_mask(picture: Path, image: Image.Image, pictures: Iterable[Path]) -> None:
    """ValueError for a mask under a name that is none, which would be taken for a picture of the subject."""
    photo = _photo_of(picture, pictures)
    if photo is not None and is_mask(image) and not is_mask(load_image(photo)):
        told = f"expected a photo, got black and white alone, as a mask of {shown_name(photo.name)} would be"
        raise ValueError(f"{picture}: {told}; call it {shown_name(photo.stem)}-masklabel.png, or move it away")


def mask_file(picture: Path) -> Path | None:
    """The file that holds a picture's mask, None where there is none.

    Raises ValueError where two files do, where one would be of two pictures, where it is in a format that is not read,
    and where `masks` is no folder.
    """
    masks = picture.parent / MASKS_FOLDER
    if masks.exists() and not masks.is_dir():
        raise ValueError(f"{masks}: expected a folder with a mask for each picture, got a file; move it away")
    inside = _files_like(picture, masks)
    beside = _files_like(picture, picture.parent)
    found = [path for path in inside if {composed(path.stem), _masked(path)} & _names(picture)]
    found += [path for path in beside if _masked(path) in _names(picture)]
    if len(found) > 1:
        files = " and ".join(str(path.relative_to(picture.parent)) for path in found)
        raise ValueError(f"{picture}: expected one mask, got {files}; keep one of them")
    for path in found:
        _check_mask(path, picture)
    return found[0] if found else None


def twins_of(picture: Path) -> list[str]:
    """Names of the other pictures beside it whose names differ in the suffix alone."""
    stem, name = composed(picture.stem), composed(picture.name)
    beside = [path for path in _files_like(picture, picture.parent) if path.suffix.lower() in SUFFIXES]
    return [path.name for path in beside if composed(path.stem) == stem and composed(path.name) != name]


def visible(folder: Path) -> list[Path]:
    """What is in a folder, by name, but for what systems hide there."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith(HIDDEN))


def is_text(name: str) -> bool:
    """Whether all bytes of a name or path are characters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def named(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    names = [repr(name) for name in names]
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _check_name(path: Path) -> None:
    """ValueError for a picture's name that no captions.json can hold, or that does not end like one of a picture."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES and not is_text(path.name):
        raise ValueError(f"{shown(path.name)}: expected a name in UTF-8; rename it")
    has_none = not suffix and path.name != MASKS_FOLDER  # of which more is said
    is_odd = has_none or (suffix not in SUFFIXES and suffix.startswith((*SUFFIXES, ".jpe")))
    name = format_of(path) if is_odd and path.is_file() else ""
    if name:
        told = f"expected one of {', '.join(SUFFIXES)}, got {name} under another ending"
        raise ValueError(f"{path}: {told}; rename it {shown_name(f'{path.stem}.{name.lower()}')}")


def _none_found(folder: Path) -> str:
    """What is said of a folder without pictures: where they may be instead."""
    told = f"expected pictures in {folder} ({', '.join(SUFFIXES)}), found none"
    deeper = [
        place.relative_to(folder).as_posix() for place in sorted(_folders_below(folder)) if _holds_pictures(place)
    ]
    if deeper:
        return f"{told}, but some lie deeper, in {named(deeper)}; name that folder, or see sidkit new --from"
    archives = [path.name for path in visible(folder) if path.suffix.lower() in ARCHIVES]
    return f"{told}, but {named(archives)}; take the pictures out of it" if archives else told


def _folders_below(folder: Path) -> Iterator[Path]:
    """The folders in a folder at any depth, links not followed; of a whole disk the first ones."""
    below = (Path(place) for place, _, _ in os.walk(folder))
    seen = itertools.islice(below, 1, MOST_FOLDERS)
    return (place for place in seen if not any(part.startswith(HIDDEN) for part in place.relative_to(folder).parts))


def _names(picture: Path) -> set[str]:
    """What a mask's name may say of its picture: its name, without suffix or with it."""
    return {composed(picture.stem), composed(picture.name)}


def _masked(path: Path) -> str:
    """The picture's name in that of a mask, "" where a name does not read so: 00_mask, mask_00, 00-masklabel."""
    match = OF_PICTURE.fullmatch(composed(path.stem))
    return (match["before"] or match["behind"]) if match else ""


def _belongs_to_another(path: Path, names: set[str]) -> bool:
    """Whether a file is the mask of a picture: OneTrainer's names always are, others where that picture is there."""
    return bool(LABEL.fullmatch(path.stem)) or _masked(path) in names


def _photo_of(picture: Path, pictures: Iterable[Path]) -> Path | None:
    """Another picture of whose name this one's has one word more, 00_seg, or any where it speaks of masks, mask0."""
    matches = (pattern.fullmatch(picture.stem) for pattern in ONE_WORD_MORE)
    shorter = {match["name"] for match in matches if match}
    speaks_of_masks = "mask" in picture.stem.lower()
    others = (other for other in pictures if other != picture)
    return next((other for other in others if speaks_of_masks or other.stem in shorter), None)


def _check_mask(path: Path, picture: Path) -> None:
    """ValueError for a mask that is not read, or that another picture could claim as well."""
    if path.suffix.lower() in UNREAD:
        raise ValueError(f"mask {path}: there is no decoder for {path.suffix} here; save it as PNG")
    twins = twins_of(picture)
    if twins and not composed(path.stem).startswith(composed(picture.name)):
        other = f"{picture.name} and {twins[0]} have the same name up to the suffix"
        new = f"{path.with_name(picture.name).name}.png"
        raise ValueError(f"mask {path}: expected it to be of one picture, but {other}; call it {new}, or rename one")


def _files_like(picture: Path, folder: Path) -> list[Path]:
    """Pictures, in formats that are read or known not to be, with another's name in theirs, by name.

    The folder may not be there. It may hold thousands of files, of which few are looked at twice.
    """
    stem = composed(picture.stem)
    names = sorted(os.listdir(folder)) if folder.is_dir() else []
    files = [folder / name for name in names if stem in composed(name) and not name.startswith(HIDDEN)]
    return [path for path in files if path.suffix.lower() in (*SUFFIXES, *UNREAD) and not path.is_dir()]


def _holds_pictures(path: Path) -> bool:
    return path.is_dir() and not holds_masks(path) and bool(picture_files(path))
