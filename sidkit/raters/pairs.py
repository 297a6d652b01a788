"""What raters compare: two pictures of one prompt that started from the same noise, beside the references.

Pairs come from a study (`sidkit.study.rater_pairs`) or from a folder:

    FOLDER/prompts.csv        file,prompt,subject: the words as raters shall read them; subject where there are several
    FOLDER/references/        pictures, or a folder of pictures for each subject
    FOLDER/ARM/FILE           the two pictures of a pair have the same name, in two folders named after the arms
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from sidkit.config import check_name
from sidkit.subjects import load_image, picture_files

PROMPTS, REFERENCES = "prompts.csv", "references"
SHOWN = 4  # references beside a pair, at most


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
    """The pairs of a folder. `first` and `second` may be left out where there are only two folders of arms.

    Raises ValueError that says which file or column is missing.
    """
    folder = Path(folder)
    arms = _arms(folder, first, second)
    told = _prompts(folder / PROMPTS)
    shown = {subject: _references(folder, subject) for subject in dict.fromkeys(told["subject"])}
    return [
        Pair(row.file, row.subject, row.prompt, shown[row.subject], {arm: _picture(folder, arm, row) for arm in arms})
        for row in told.itertuples()
    ]


def arrange(pairs: list[Pair], *, seed: int) -> list[Item]:
    """The pairs in random order, each arm being A equally often: over all, and within a subject, to within one.

    Raises ValueError without pairs, for a name that two of them share, and for pairs of different arms.
    """
    _check(pairs)
    rng = np.random.default_rng(seed)
    ordered = sorted(pairs, key=lambda pair: pair.subject)
    turns = [turn for _ in range(0, len(pairs), 2) for turn in rng.permutation(2)]  # so that each two are one of each
    items = [Item(pair, tuple(list(pair.pictures)[:: -1 if turn else 1])) for pair, turn in zip(ordered, turns)]
    return [items[place] for place in rng.permutation(len(items))]


def _check(pairs: list[Pair]) -> None:
    if not pairs:
        raise ValueError("raters: expected at least one pair of pictures, got none")
    names = [pair.name for pair in pairs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"raters: expected a name for each pair, got {sorted(twice)[0]!r} twice")
    if len(arms := {tuple(pair.pictures) for pair in pairs}) > 1 or len(next(iter(arms))) != 2:
        raise ValueError(f"raters: expected two arms, the same in every pair, got {sorted(arms)}")


def _arms(folder: Path, first: str, second: str) -> tuple[str, str]:
    if not folder.is_dir():
        raise ValueError(f"raters: expected a folder of pairs at {folder}, found none")
    found = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] != ".")
    found = [name for name in found if name != REFERENCES]
    arms = [check_name(f"folder in {folder}", name, found) for name in (first, second) if name] or found
    if len(set(arms)) != 2:
        raise ValueError(
            f"{folder}: expected two folders of pictures beside {REFERENCES}, got {arms}; say which: --first --second"
        )
    return arms[0], arms[1]


def _prompts(path: Path) -> pd.DataFrame:
    """Columns file, prompt, subject, which is empty where there is only one."""
    if not path.is_file():
        raise ValueError(f"raters: expected {path}, with the columns file and prompt, found none")
    told = pd.read_csv(path, dtype=str, keep_default_na=False)
    if missing := {"file", "prompt"} - set(told):
        raise ValueError(f"{path}: expected the columns file and prompt, {sorted(missing)} not among {list(told)}")
    return told if "subject" in told else told.assign(subject="")


def _references(folder: Path, subject: str) -> tuple[Image.Image, ...]:
    where = folder / REFERENCES / subject
    files = picture_files(where) if where.is_dir() else ()
    if not files:
        raise ValueError(f"raters: expected reference pictures in {where}, found none")
    return tuple(load_image(path) for path in files[:SHOWN])


def _picture(folder: Path, arm: str, row) -> Image.Image:
    path = folder / arm / row.file
    if not path.is_file():
        raise ValueError(f"{folder / PROMPTS} names {row.file}: expected a picture {path}, found none")
    return load_image(path)
