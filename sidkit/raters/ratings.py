"""What raters answered: read beside the key, and refused where it cannot be what the form saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sidkit.config import check_name
from sidkit.csv_files import read_csv
from sidkit.raters.form import KEY_COLUMNS
from sidkit.raters.questions import ANSWERS, QUESTIONS, SIDES, SIMULATED, UNSURE
from sidkit.shown import shown, shown_name

COLUMNS = ("form", "rater", "item", "question", "answer")


@dataclass(frozen=True)
class Ratings:
    """Every answer with what it means: columns rater, item, question, answer (of the page), choice (an arm), subject.

    `arms` are the first and the second, `items` is how many the form has, and `simulated` says whether the raters are
    programs.
    """

    frame: pd.DataFrame
    arms: tuple[str, str]
    items: int
    simulated: bool

    @property
    def raters(self) -> list[str]:
        """Their codes, in the order of the files."""
        return self.frame["rater"].unique().tolist()


def read_ratings(key: Path | str, answers: Sequence[Path | str]) -> Ratings:
    """Read the key and the files that raters saved. Raises ValueError that names the file, the line and the fault."""
    if not answers:
        raise ValueError("raters: expected at least one file of answers, got none")
    key_table = _read_key(key)
    frames = []
    for path in answers:
        frame = read_csv(path, COLUMNS)
        _check_answers(path, frame, key_table)
        frames.append(frame)
    _check_one_file_each(answers, frames)
    return decoded(key_table, pd.concat(frames, ignore_index=True))


def _read_key(path: Path | str) -> pd.DataFrame:
    """The key that was written beside a form (`form.KEY_COLUMNS`), all columns being text."""
    key = read_csv(path, KEY_COLUMNS)
    is_of_one_form = key["form"].nunique() == 1
    if not is_of_one_form or key["item"].duplicated().any():
        raise ValueError(f"{path}: expected the key of one form, a row an item; it was changed or joined with another")
    for line, row in key.iterrows():
        arms = [row["first"], row["second"]]
        if arms != [key["first"].iloc[0], key["second"].iloc[0]] or len(set(arms)) < 2 or row["A"] not in arms:
            told = f"expected the form's two arms, one of them as A, got {shown([*arms, row['A']])}"
            raise ValueError(f"{path}, line {line}: {told}; the key was changed")
    return key


def decoded(key: pd.DataFrame, answers: pd.DataFrame) -> Ratings:
    """Answers (`COLUMNS`) with the arms that the key (`form.key_of`) gives them.

    ValueError where people and programs are mixed.
    """
    is_simulated = answers["rater"].str.startswith(SIMULATED)
    if is_simulated.any() and not is_simulated.all():
        raise ValueError(f"raters: expected people or {SIMULATED} raters, got both; read them one after the other")
    arms = (key["first"].iloc[0], key["second"].iloc[0])
    frame = answers.merge(key[["item", "subject", "first", "second", "A"]], on="item")
    a_is_first = frame["A"] == frame["first"]
    arm_b = np.where(a_is_first, frame["second"], frame["first"])
    is_side = [frame["answer"] == side for side in SIDES]
    arm_of_side = [frame["A"], arm_b]
    frame["choice"] = np.select(is_side, arm_of_side, UNSURE)
    return Ratings(
        frame=frame[["rater", "item", "question", "answer", "choice", "subject"]],
        arms=arms,
        items=len(key),
        simulated=bool(is_simulated.all()),
    )


def _check_answers(
    path: Path | str,
    frame: pd.DataFrame,
    key: pd.DataFrame,
) -> None:
    """ValueError at the first row that is no answer to the key's form."""
    for row in frame.itertuples():
        _check_answer(f"{path}, line {row.Index}", row, key)
    is_repeated = frame.duplicated(["rater", "item", "question"])
    if is_repeated.any():
        row = frame[is_repeated].iloc[0]
        fault = f"{shown_name(row.rater)} answers {row.question!r} of item {row['item']} twice"
        raise ValueError(f"{path}: {fault}; keep one")


def _check_answer(where: str, row: Any, key: pd.DataFrame) -> None:
    form = key["form"].iloc[0]
    if row.form != form:
        expected = f"expected answers to the form {form}, got one to {shown(row.form)}"
        raise ValueError(f"{where}: {expected}; use its own key")
    if not row.rater:
        raise ValueError(f"{where}: expected the rater's code, got none")
    check_name(f"{where}: item", row.item, key["item"])
    check_name(f"{where}: question", row.question, QUESTIONS)
    check_name(f"{where}: answer", row.answer, ANSWERS)


def _check_one_file_each(
    paths: Sequence[Path | str],
    frames: Sequence[pd.DataFrame],
) -> None:
    """ValueError where a rater is in two files."""
    path_by_rater: dict[str, Path | str] = {}
    for path, frame in zip(paths, frames):
        for rater in frame["rater"].unique():
            if rater in path_by_rater:
                both = f"{path_by_rater[rater]} and {path}"
                raise ValueError(f"rater {shown(rater)}: expected one file, got {both}; keep the last saved")
            path_by_rater[rater] = path
