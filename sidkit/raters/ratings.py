"""What raters answered: read beside the key, and refused where it cannot be what the form saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sidkit.config import check_name
from sidkit.raters.form import KEY_COLUMNS
from sidkit.raters.questions import ANSWERS, QUESTIONS, SIDES, SIMULATED, UNSURE

COLUMNS = ("form", "rater", "item", "question", "answer")


@dataclass(frozen=True)
class Ratings:
    """Every answer with what it means: columns rater, item, question, answer (of the page), choice (an arm), subject.

    `arms` are the first and the second; `simulated` is whether the raters are programs.
    """

    frame: pd.DataFrame
    arms: tuple[str, str]
    items: int
    simulated: bool

    @property
    def raters(self) -> list[str]:
        """Their codes, in the order of the files."""
        return list(dict.fromkeys(self.frame["rater"]))


def read_ratings(key: Path | str, answers: Sequence[Path | str]) -> Ratings:
    """Read the key and the files that raters saved. Raises ValueError that names the file, the line and the fault."""
    if not answers:
        raise ValueError("raters: expected at least one file of answers, got none")
    known = read_key(key)
    frames = [_read(path, COLUMNS) for path in answers]
    for path, frame in zip(answers, frames):
        _check_file(path, frame, known)
    _check_once([(rater, str(path)) for path, frame in zip(answers, frames) for rater in frame["rater"].unique()])
    return decoded(known, pd.concat(frames, ignore_index=True))


def read_key(path: Path | str) -> pd.DataFrame:
    """The key that was written beside a form (`form.KEY_COLUMNS`), all columns being text."""
    key = _read(path, KEY_COLUMNS)
    if key["form"].nunique() != 1 or key["item"].duplicated().any():
        raise ValueError(f"{path}: expected the key of one form, a row an item; it was changed or joined with another")
    return key


def decoded(key: pd.DataFrame, answers: pd.DataFrame) -> Ratings:
    """Answers (`COLUMNS`) with the arms that the key gives them. ValueError where people and programs are mixed."""
    simulated = answers["rater"].str.startswith(SIMULATED)
    if simulated.any() and not simulated.all():
        raise ValueError(f"raters: expected people or {SIMULATED} raters, got both; read them one after the other")
    frame = answers.merge(key[["item", "pair", "subject", "first", "second", "A"]], on="item")
    other = np.where(frame["A"] == frame["first"], frame["second"], frame["first"])
    frame["choice"] = np.select([frame["answer"] == side for side in SIDES], [frame["A"], other], UNSURE)
    arms = (key["first"].iloc[0], key["second"].iloc[0])
    kept = frame[["rater", "item", "question", "answer", "choice", "subject"]]
    return Ratings(kept, arms, len(key), bool(simulated.all()))


def _read(path: Path | str, columns: Sequence[str]) -> pd.DataFrame:
    if not Path(path).is_file():
        raise ValueError(f"raters: expected a CSV file at {path}, found none")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    if missing := [name for name in columns if name not in frame]:
        wanted = ", ".join(columns)
        raise ValueError(f"{path}: expected the columns {wanted}, separated by commas; {missing} not in {list(frame)}")
    if frame.empty:
        raise ValueError(f"{path}: expected at least one row below the column names, got none")
    return frame[list(columns)].apply(lambda column: column.str.strip())


def _check_file(path: Path | str, frame: pd.DataFrame, key: pd.DataFrame) -> None:
    """ValueError at the first row that is no answer to the key's form."""
    form = key["form"].iloc[0]
    for line, row in enumerate(frame.itertuples(), 2):
        where = f"{path}, line {line}"
        if row.form != form:
            raise ValueError(f"{where}: expected answers to the form {form}, got one to {row.form!r}; use its own key")
        if not row.rater:
            raise ValueError(f"{where}: expected the rater's code, got none")
        check_name(f"{where}: item", row.item, key["item"])
        check_name(f"{where}: question", row.question, QUESTIONS)
        check_name(f"{where}: answer", row.answer, ANSWERS)
    twice = frame[frame.duplicated(["rater", "item", "question"])]
    if len(twice):
        row = twice.iloc[0]
        raise ValueError(f"{path}: {row.rater} answers {row.question!r} of item {row['item']} twice; keep one")


def _check_once(given: Sequence[tuple[str, str]]) -> None:
    """ValueError where a rater is in two files; `given` has every file of every rater."""
    seen: dict[str, str] = {}
    for rater, path in given:
        if rater in seen:
            raise ValueError(f"rater {rater!r}: expected one file, got {seen[rater]} and {path}; keep the last saved")
        seen[rater] = path
