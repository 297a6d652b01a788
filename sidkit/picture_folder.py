"""A folder of pictures: which of its files are pictures, which are masks of them, and which are read by nobody here.

FOLDER/00.jpg, FOLDER/01.png, ...          the pictures
FOLDER/masks/00.png, ...                   the mask of 00.jpg; of 00.jpg alone, if 00.png is there too: 00.jpg.png
FOLDER/00-masklabel.png, 00_mask.png, ...  the same beside it, as OneTrainer and others have it
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from sidkit.image_files import READS_AVIF, load_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", *((".avif",) if READS_AVIF else ()))
PHOTOS_UNREAD = (".heic", ".heif", ".jxl", ".jp2", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2")
UNREAD = (*PHOTOS_UNREAD, ".gif", ".svg", ".psd", ".eps", ".tga", ".ppm", *(() if READS_AVIF else (".avif",)))
MASKS_FOLDER = "masks"  # inside a subject's folder
MASK_LABEL, CONDITION_LABEL = "-masklabel", "-condlabel"  # OneTrainer's, behind the picture's name
MASK_ENDINGS = (MASK_LABEL, "_mask", "-mask")
CONTACT_SHEET = "contact_sheet.png"  # inside MASKS_FOLDER: all masks in one picture
MOST_NAMED = 3  # files in a message


def picture_files(folder: Path) -> tuple[Path, ...]:
    """What is named like a picture in a folder, and not like a mask of one, by name; none is looked into."""
    files = [path for path in visible(folder) if path.suffix.lower() in SUFFIXES and not path.is_dir()]
    names = {composed(name) for path in files for name in (path.stem, path.name)}
    return tuple(path for path in files if not _belongs_to_another(composed(path.stem), names))


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
    for picture in pictures:
        mask_file(picture)
    return pictures


def readable_pictures(folder: Path, asker: str) -> tuple[Path, ...]:
    """The same, each opened once. ValueError also, with the file, for a picture that cannot be read."""
    pictures = listed_pictures(folder, asker)
    for picture in pictures:
        load_image(picture)
    return pictures


def check_formats(folder: Path) -> None:
    """Raise ValueError for pictures of a folder in a format that is not read here, rather than leave them out."""
    foreign = [path for path in visible(folder) if path.suffix.lower() in UNREAD]
    if not foreign:
        return
    suffixes = sorted({path.suffix for path in foreign})
    expected = f"expected one of {', '.join(SUFFIXES)}; there is no decoder for {', '.join(suffixes)} here"
    they = "it" if len(foreign) == 1 else f"all {len(foreign)} such files"
    raise ValueError(f"{foreign[0]}: {expected}; save {they} as JPEG or PNG, or move {they} away")


def mask_file(picture: Path) -> Path | None:
    """The file that holds a picture's mask, None where there is none.

    Raises ValueError where two files do, where one would be of two pictures, where it is in a format that is not read,
    and where `masks` is no folder.
    """
    masks = picture.parent / MASKS_FOLDER
    if masks.exists() and not masks.is_dir():
        raise ValueError(f"{masks}: expected a folder with a mask for each picture, got a file; move it away")
    found = [path for path in _files(masks) if composed(path.stem) in _mask_stems(picture, inside=True)]
    found += [path for path in _files(picture.parent) if composed(path.stem) in _mask_stems(picture, inside=False)]
    if len(found) > 1:
        files = " and ".join(str(path.relative_to(picture.parent)) for path in found)
        raise ValueError(f"{picture}: expected one mask, got {files}; keep one of them")
    for path in found:
        _check_mask(path, picture)
    return found[0] if found else None


def stray_masks(folder: Path) -> list[str]:
    """What lies in a folder's `masks` and is no picture's mask, by name."""
    pictures = picture_files(folder)
    used = set()
    for picture in pictures:
        used |= _mask_stems(picture, inside=True)
    inside = visible(folder / MASKS_FOLDER) if (folder / MASKS_FOLDER).is_dir() else []
    return [path.name for path in inside if composed(path.stem) not in used and path.name != CONTACT_SHEET]


def twins_of(picture: Path) -> list[str]:
    """Names of the other pictures beside it whose names differ in the suffix alone."""
    beside = picture_files(picture.parent) if picture.parent.is_dir() else ()
    stem = composed(picture.stem)
    return [
        path.name for path in beside if composed(path.stem) == stem and composed(path.name) != composed(picture.name)
    ]


def visible(folder: Path) -> list[Path]:
    """What is in a folder, by name, but for what systems hide there."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))


def composed(name: str) -> str:
    """A file's name with each letter and its accent as one character: systems spell it in two ways."""
    return unicodedata.normalize("NFC", name)


def named(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    names = [repr(name) for name in names]
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _none_found(folder: Path) -> str:
    """What is said of a folder without pictures: where they may be instead."""
    told = f"expected pictures in {folder} ({', '.join(SUFFIXES)}), found none"
    deeper = [path.name for path in visible(folder) if _holds_pictures(path)]
    if not deeper:
        return told
    return f"{told}, but some lie deeper, in {named(deeper)}; name that folder, or see sidkit new --from"


def _belongs_to_another(stem: str, names: set[str]) -> bool:
    """Whether a file is the mask of a picture: OneTrainer's names always are, others where that picture is there."""
    if stem.endswith((MASK_LABEL, CONDITION_LABEL)):
        return True
    return any(stem.endswith(ending) and stem.removesuffix(ending) in names for ending in MASK_ENDINGS)


def _mask_stems(picture: Path, *, inside: bool) -> set[str]:
    """What a mask of a picture may be called, without its suffix; inside of the folder `masks`, or beside it."""
    stem, name = composed(picture.stem), composed(picture.name)
    stems = {f"{base}{ending}" for base in (stem, name) for ending in MASK_ENDINGS}
    return stems | {stem, name} if inside else stems


def _check_mask(path: Path, picture: Path) -> None:
    """ValueError for a mask that is not read, or that another picture could claim as well."""
    if path.suffix.lower() in UNREAD:
        raise ValueError(f"mask {path}: there is no decoder for {path.suffix} here; save it as PNG")
    twins = twins_of(picture)
    if twins and not composed(path.stem).startswith(composed(picture.name)):
        other = f"{picture.name} and {twins[0]} have the same name up to the suffix"
        new = f"{path.with_name(picture.name).name}.png"
        raise ValueError(f"mask {path}: expected it to be of one picture, but {other}; call it {new}, or rename one")


def _files(folder: Path) -> list[Path]:
    """Pictures in a folder that may not be there, in formats that are read or known not to be."""
    if not folder.is_dir():
        return []
    return [path for path in visible(folder) if path.suffix.lower() in (*SUFFIXES, *UNREAD) and not path.is_dir()]


def _holds_pictures(path: Path) -> bool:
    return path.is_dir() and path.name != MASKS_FOLDER and bool(picture_files(path))
