"""What lies in a folder and was not taken: every file and folder is told, however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path

from sidkit.captions import CAPTIONS
from sidkit.describe.kept import DESCRIPTIONS
from sidkit.files import name_key
from sidkit.picture_folder import mask_file, visible
from sidkit.trade_captions import SIDECARS, TABLES, Written

MOST_ENDINGS = 8  # in a message


def unread(source: Path, paths: Sequence[Path], written: Mapping[Path, Written], left: Iterable[Path]) -> list[str]:
    """What is said of files that nobody read, beside the pictures and above them, but for the folders `left`."""
    above = {place for path in paths for place in path.parents if place.is_relative_to(source)}
    masks = {mask for path in paths if (mask := mask_file(path))}
    known = {*paths, *masks, *above, *_read(source, paths)}
    for folder in (*left, *(mask.parent for mask in masks)):
        known |= {folder, folder.parent}
    stems = {stem for path in paths for stem in _stems_of_sidecars(path)}
    beside = [path for place in sorted(above) for path in visible(place) if path not in known]
    names = [path.name for path in beside if not _is_sidecar(path, stems)]
    if not names:
        return []
    waits = len(written) < len(paths) and not (source / CAPTIONS).exists()
    advice = f"; captions are read from 00.txt, 00.caption, {', '.join(TABLES)}" if waits else ""
    return [f"left, as nobody reads it here: {_by_ending(names)}{advice}"]


def _read(source: Path, paths: Sequence[Path]) -> Iterator[Path]:
    """The files of a whole folder that are read, or that were written here."""
    for place in {source, *(path.parent for path in paths)}:
        yield from (place / table for table in TABLES)
    yield from (source / CAPTIONS, source / DESCRIPTIONS)
    yield from source.glob(f"{Path(CAPTIONS).stem}.before*")


def _is_sidecar(path: Path, stems: Set[Path]) -> bool:
    return path.suffix.lower() in SIDECARS and _stem(path.parent, path.stem) in stems


def _stems_of_sidecars(picture: Path) -> Iterator[Path]:
    """Folder and name, without its ending, of the files that hold a picture's caption, though it be empty."""
    return (_stem(picture.parent, name) for name in (picture.stem, picture.name))


def _stem(folder: Path, name: str) -> Path:
    return folder / name_key(name)


def _by_ending(names: Sequence[str]) -> str:
    """A name for each ending, and how many more there are: the one that matters is not hidden by a hundred others."""
    by_ending: dict[str, list[str]] = {}
    for name in names:
        by_ending.setdefault(Path(name).suffix.lower(), []).append(name)
    told = [f"{alike[0]!r}" + (f" and {len(alike) - 1} more" if alike[1:] else "") for alike in by_ending.values()]
    further = len(told) - MOST_ENDINGS
    return ", ".join(told[:MOST_ENDINGS]) + (f", and files of {further} more endings" if further > 0 else "")
