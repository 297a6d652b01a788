"""What raters compare: two pictures of one prompt that started from the same noise, beside the references.

Pairs come from a study (`sidkit.study.rater_pairs`) or from a folder:

    FOLDER/prompts.csv        file,prompt,subject: the words as raters shall read them; subject where there are several
    FOLDER/references/        pictures, or a folder of pictures for each subject
    FOLDER/ARM/FILE           the two pictures of a pair have the same name, in two folders named after the arms
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.config import check_name
from sidkit.csv_files import read_csv
from sidkit.image_files import load_image
from sidkit.picture_folder import picture_files
from sidkit.shown import shown, shown_name

PROMPTS, REFERENCES = "prompts.csv", "references"
MOST_REFERENCES = 4  # beside a pair


@dataclass(frozen=True)
class Pair:
    """Two arms' pictures of one prompt. `name` and `subject` go into the key, the rest is shown."""

    name: str
    subject: str
    prompt: str
    references: tuple[Image.Image, ...]
    pictures: Mapping[str, Image.Image]  # by arm: the first, then the second


@dataclass(frozen=True)
class Item:
    """A pair at its place in a form, and the arms whose pictures are A and B there."""

    pair: Pair
    sides: tuple[str, str]


def pairs_in(folder: Path | str, first: str = "", second: str = "") -> list[Pair]:
    """The pairs of a folder, in the order of its `prompts.csv`.

    `first` and `second` may be left out where there are only two folders of arms.

    Raises ValueError that says which file or column is missing.
    """
    folder = Path(folder)
    arms = _arms(folder, first, second)
    table = _prompts(folder / PROMPTS)
    references_by_subject = {}
    for subject in table["subject"].unique():
        references_by_subject[subject] = _references(folder, subject)
    pairs = []
    for row in table.itertuples():
        pictures = {arm: _picture(folder, arm, row.file) for arm in arms}
        pair = Pair(
            name=row.file,
            subject=row.subject,
            prompt=row.prompt,
            references=references_by_subject[row.subject],
            pictures=pictures,
        )
        pairs.append(pair)
    return pairs


def arrange(pairs: list[Pair], *, seed: int) -> list[Item]:
    """The pairs in random order, each arm being A equally often: over all, and within a subject, to within one.

    Raises ValueError without pairs, for a name that two of them share, and for pairs of different arms.
    """
    _check(pairs)
    rng = np.random.default_rng(seed)
    ordered = sorted(pairs, key=lambda pair: pair.subject)
    items = []
    for start in range(0, len(ordered), 2):
        two = ordered[start : start + 2]
        for pair, is_swapped in zip(two, rng.permutation(2)):  # so that each two are one of each
            first, second = pair.pictures
            sides = (second, first) if is_swapped else (first, second)
            items.append(Item(pair, sides))
    order = rng.permutation(len(items))
    return [items[place] for place in order]


def _check(pairs: list[Pair]) -> None:
    if not pairs:
        raise ValueError("raters: expected at least one pair of pictures, got none")
    counts = Counter(pair.name for pair in pairs)
    for name, count in sorted(counts.items()):
        if count > 1:
            raise ValueError(f"raters: expected a name for each pair, got {name!r} twice")
    arms = {tuple(pair.pictures) for pair in pairs}
    counts_of_arms = {len(pair.pictures) for pair in pairs}
    if len(arms) > 1 or counts_of_arms != {2}:
        raise ValueError(f"raters: expected two arms, the same in every pair, got {sorted(arms)}")


def _arms(folder: Path, first: str, second: str) -> tuple[str, str]:
    if not folder.is_dir():
        raise ValueError(f"raters: expected a folder of pairs at {folder}, found none")
    known = _folders_of_arms(folder)
    wanted = [name for name in (first, second) if name]
    for name in wanted:
        check_name(f"folder in {folder}", name, known)
    arms = wanted or known
    if len(set(arms)) != 2:
        expected = f"expected two folders of pictures beside {REFERENCES}, got {arms}"
        raise ValueError(f"{folder}: {expected}; say which: --first --second")
    return arms[0], arms[1]


def _folders_of_arms(folder: Path) -> list[str]:
    names = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != REFERENCES and not path.name.startswith("."):
            names.append(path.name)
    return names


def _prompts(path: Path) -> pd.DataFrame:
    """Columns file, prompt, subject, which is empty where there is only one."""
    table = read_csv(path, ("file", "prompt"), optional=("subject",))
    return table if "subject" in table else table.assign(subject="")


def _references(folder: Path, subject: str) -> tuple[Image.Image, ...]:
    where = folder / REFERENCES / subject
    files = picture_files(where) if where.is_dir() else ()
    if not files:
        raise ValueError(f"raters: expected reference pictures in {where}, found none")
    return tuple(load_image(path) for path in files[:MOST_REFERENCES])


def _picture(folder: Path, arm: str, name: str) -> Image.Image:
    path = folder / arm / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError(f"{folder / PROMPTS}: expected the name of a picture in {folder / arm}, got {shown(name)}")
    if not path.is_file():
        raise ValueError(f"{folder / PROMPTS} names {shown_name(name)}: expected a picture {path}, found none")
    return load_image(path)
