"""A subject's folder for other trainers: pictures, masks and captions as kohya's sd-scripts or `datasets` read them.

kohya        TO/10_sks dog/00.png, 00.txt, masks/00.png    --train_data_dir TO --caption_extension .txt
imagefolder  TO/00.png, metadata.jsonl                     load_dataset("imagefolder", data_dir=TO), column "text"

Masks are for kohya's conditioning_data_dir; of an imagefolder they would be further pictures, and are left out.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sidkit.captions import SID_CASE
from sidkit.config import check_name
from sidkit.files import check_new_folder, name_key, whole_folder
from sidkit.identifier import USUAL, check_free, check_identifier
from sidkit.image_files import is_turned, load_image
from sidkit.inflection import counted
from sidkit.mark import insert
from sidkit.masks.given import given_mask, picture_of
from sidkit.picture_folder import MASKS_FOLDER, mask_file, named
from sidkit.subjects import Subject, load_subject

REPEATS = 10  # times that kohya's trainer sees each picture in an epoch
READ_BY_ALL = (".png", ".jpg", ".jpeg", ".webp", ".bmp")  # others are saved as PNG
UNNAMEABLE = str.maketrans(dict.fromkeys('/\\:*?"<>|', "-"))  # in a folder's name, on some system


def give_back(
    folder: Path,
    to: Path,
    layout: str,
    *,
    trigger: str = USUAL,
    case: int | None = None,
    repeats: int = REPEATS,
    tell: Callable[[str], None] = lambda note: None,
) -> list[Path]:
    """Write a subject's folder as another trainer reads it, whole or not at all; returns the files, pictures first.

    `trigger` stands for `[v]`; `case` is that of the captions, needed where there are several and none is of case 3.
    Pictures are copied as they are, but for those in formats that other trainers do not read, or that their EXIF turns,
    which kohya's does not look at (sd-scripts, issue 1316): they are saved as PNG. `tell` gets a line for all that is
    not as it was, and one for how the folder is read. Raises ValueError for a subject that cannot be trained on here
    either, a trigger that has another meaning in its captions, and a folder that is there and not empty.
    """
    check_name("layout", layout, LAYOUTS)
    check_identifier(trigger, "trigger")
    if repeats < 1:
        raise ValueError(f"repeats: expected 1 or more, got {repeats}")
    subject = load_subject(folder)
    check_new_folder(to)
    marked = subject.captions[_case(subject, case)]
    check_free(trigger, subject.class_word, marked.values(), "trigger")
    captions = {file: " ".join(insert(text, trigger).split()) for file, text in marked.items()}  # in one line
    with whole_folder(to) as partial:
        LAYOUTS[layout](subject, captions, partial, f"{repeats}_{trigger} {subject.class_word}")
        files = [path.relative_to(partial) for path in sorted(partial.rglob("*")) if path.is_file()]
    for note in _notes(subject, layout, to):
        tell(note)
    return [to / file for file in files]


def _notes(subject: Subject, layout: str, to: Path) -> Iterator[str]:
    """What is not as it was, and how the folder is read."""
    stems = _stems(subject)
    if again := [path.name for path in subject.images if not _stays(path)]:
        yield f"saved as PNG, upright: {named(again)}"
    if renamed := [path.name for path in subject.images if stems[path.name] != path.stem]:
        yield f"renamed, as others have that name up to the suffix: {named(renamed)}"
    masks = sum(mask_file(path) is not None for path in subject.images)
    if masks and layout == "imagefolder":
        yield f"left out: {counted(masks, 'mask')}, which an imagefolder would take for further pictures"
    yield READ_AS[layout].format(to=to)


def _kohya(subject: Subject, captions: Mapping[str, str], to: Path, name: str) -> None:
    place = to / name.translate(UNNAMEABLE)
    place.mkdir()
    for file, stem in _stems(subject).items():
        _copy(subject.folder / file, place, stem)
        (place / f"{stem}.txt").write_text(captions[file] + "\n", encoding="utf-8")
        mask = given_mask(subject.folder / file)
        if mask is not None:
            (place / MASKS_FOLDER).mkdir(exist_ok=True)
            picture_of(mask).save(place / MASKS_FOLDER / f"{stem}.png")


def _imagefolder(subject: Subject, captions: Mapping[str, str], to: Path, _name: str) -> None:
    rows = []
    for file, stem in _stems(subject).items():
        copy = _copy(subject.folder / file, to, stem)
        rows.append(json.dumps({"file_name": copy.name, "text": captions[file]}, ensure_ascii=False))
    (to / "metadata.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")


LAYOUTS: dict[str, Callable[[Subject, Mapping[str, str], Path, str], None]] = {
    "kohya": _kohya,
    "imagefolder": _imagefolder,
}
READ_AS = {
    "kohya": 'train with --train_data_dir "{to}" --caption_extension .txt',
    "imagefolder": 'load with load_dataset("imagefolder", data_dir="{to}"), column "text"',
}


def _case(subject: Subject, case: int | None) -> int:
    cases = sorted(subject.captions)
    if case is None:
        case = SID_CASE if SID_CASE in cases else cases[0]
        if SID_CASE not in cases and len(cases) > 1:
            raise ValueError(f"case: expected one of {', '.join(map(str, cases))}, got none; say --case {case}")
    check_name("case", str(case), map(str, cases))
    return case


def _stems(subject: Subject) -> dict[str, str]:
    """By file, its name without suffix, or with it where two pictures share that: their captions must not mix."""
    counts = Counter(name_key(path.stem) for path in subject.images)
    taken = {stem for stem, count in counts.items() if count == 1}
    by_file = {}
    for path in subject.images:
        stem = path.stem
        if counts[name_key(stem)] > 1:
            stem = path.name.replace(".", "_")
            while name_key(stem) in taken:
                stem += "_"
            taken.add(name_key(stem))
        by_file[path.name] = stem
    return by_file


def _stays(picture: Path) -> bool:
    return picture.suffix.lower() in READ_BY_ALL and not is_turned(picture)


def _copy(picture: Path, place: Path, stem: str) -> Path:
    if _stays(picture):
        copy = place / f"{stem}{picture.suffix}"
        shutil.copyfile(picture, copy)
        return copy
    copy = place / f"{stem}.png"
    load_image(picture).save(copy)
    return copy
