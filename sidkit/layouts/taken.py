"""A folder of another trainer's becomes a subject's: its pictures, its masks, and its captions with `[v]`."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sidkit.captions import CAPTIONS, SID_CASE, Captions, write_captions
from sidkit.files import check_new_folder, name_key, whole_folder
from sidkit.inflection import counted
from sidkit.layouts.found import find_pictures, told_left, words_of_folders
from sidkit.layouts.left import unread
from sidkit.layouts.triggers import check_trigger, find_trigger, with_mark
from sidkit.mark import MARK
from sidkit.masks.given import given_mask
from sidkit.picture_folder import MASKS_FOLDER, mask_file, named
from sidkit.shown import shown, shown_name
from sidkit.trade_captions import Written, captions_beside


@dataclass(frozen=True)
class Taken:
    """A picture, and what goes with it."""

    path: Path  # where it lies
    name: str  # that it has in the subject's folder
    caption: str  # with `[v]`; an empty one waits to be written
    written: Written | None  # the caption as it stood
    mask: Path | None


@dataclass(frozen=True)
class Layout:
    """What a folder holds for a subject."""

    source: Path
    pictures: tuple[Taken, ...]
    trigger: str = ""  # for which `[v]` stands now
    notes: tuple[str, ...] = ()  # what was left
    has_captions: bool = False  # whether captions.json was there, so that no other captions were looked for

    @property
    def captions(self) -> dict[str, dict[int, str]]:
        """By file name and case, as captions.json has them."""
        return {picture.name: {SID_CASE: picture.caption} for picture in self.pictures}

    def told(self) -> list[str]:
        """What was taken, and what was not: a line for all, one a caption, and one a note."""
        captioned = [picture for picture in self.pictures if picture.written]
        masks = sum(picture.mask is not None for picture in self.pictures)
        counts = [counted(len(self.pictures), "picture"), counted(len(captioned), "caption"), counted(masks, "mask")]
        if self.has_captions:
            del counts[1]
        lines = [f"{self.source}: {', '.join(counts)}" + (f"; {self.trigger} is {MARK} now" if self.trigger else "")]
        for picture in captioned:
            lines.append(f"  {shown_name(picture.name)} ({picture.written.file.name}): {_remarked(picture)}")
        waiting = [picture.name for picture in self.pictures if not picture.written]
        if waiting and captioned:
            lines.append(f"  without a caption: {named(waiting)}")
        return [*lines, *(f"  {note}" for note in self.notes)]


def read_layout(
    source: Path,
    class_word: str,
    *,
    trigger: str | None = None,
    of_style: bool = False,
    deeper: bool = False,
) -> Layout:
    """What a folder holds: every picture and mask is opened, every caption read, and nothing written.

    With `deeper`, pictures may lie up to two folders further down. Captions are taken as they stand, with `[v]` in the
    place of `trigger`, or of the word that is found to be it; of none if that is "". A folder with a captions.json has
    its captions there, and others are left.
    Raises ValueError, with the file, for pictures, masks and captions that cannot be read, for pictures of more than
    one subject, and where the trigger cannot be told.
    """
    paths, left = find_pictures(source, deeper=deeper)
    notes = [told_left(source, places, why) for why, places in left.items()]
    for path in paths:
        given_mask(path)
    written = {}
    has_captions = (source / CAPTIONS).exists()
    if has_captions:
        notes.append(f"{CAPTIONS} is there already, and stays as it is; captions in other files were not read")
    else:
        written = captions_beside(source, paths)
    texts = [caption.text for caption in written.values()]
    if trigger is None:
        places = [source, *(path.parent for path in paths)]
        trigger = find_trigger(texts, class_word, words_of_folders(places, class_word))
    check_trigger(trigger, texts)
    names = _names(source, paths)
    taken = []
    for path in paths:
        caption = written.get(path)
        text = with_mark(caption.text, trigger, class_word, of_style=of_style) if caption else ""
        taken.append(Taken(path, names[path], text, caption, mask_file(path)))
    notes += unread(source, paths, written, [place for places in left.values() for place in places])
    longer = [caption.file.name for caption in written.values() if caption.more_lines]
    notes += [f"only the first line was taken of {named(longer)}"] if longer else []
    return Layout(source, tuple(taken), trigger, tuple(notes), has_captions)


def check_place(folder: Path, source: Path) -> None:
    """Raise ValueError where a folder cannot be made of another one."""
    if (source / CAPTIONS).exists():
        told = f"expected a folder of another trainer's, got one with {CAPTIONS}"
        raise ValueError(f"{source}: {told}; it needs no copy: sidkit new {source}")
    check_new_folder(folder)


def fill(folder: Path, layout: Layout, captions: Captions) -> None:
    """Make a subject's folder of a layout: whole, or not at all. The layout's own files stay as they are."""
    with whole_folder(folder) as partial:
        for picture in layout.pictures:
            shutil.copyfile(picture.path, partial / picture.name)
            if picture.mask is not None:
                (partial / MASKS_FOLDER).mkdir(exist_ok=True)
                shutil.copyfile(picture.mask, partial / MASKS_FOLDER / f"{picture.name}{picture.mask.suffix}")
        write_captions(partial, captions)


def _names(source: Path, paths: Sequence[Path]) -> dict[Path, str]:
    """A name for each picture, its own or, where two have that, with its folder's before it."""
    counts = Counter(name_key(path.name) for path in paths)
    names = {}
    for path in paths:
        is_alone = counts[name_key(path.name)] == 1
        names[path] = path.name if is_alone else "-".join(path.relative_to(source).parts)
    for name, count in Counter(names.values()).items():
        if count > 1:
            raise ValueError(f"{source}: expected pictures of different names, got {name!r} {count} times; rename one")
    return names


def _remarked(picture: Taken) -> str:
    """A caption, with what it lacks."""
    text = shown(picture.caption)
    return text if picture.caption.count(MARK) == 1 else f"{text}, which needs {MARK} once"
